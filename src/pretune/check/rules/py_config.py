"""PYS1: configs that a script edits, and whether the model that it builds sees the edits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Fix, Level, Problem, ReplaceText, rule
from pretune.check.sources.script_names import name_of
from pretune.script.kinds import kind, root
from pretune.script.objects import can_follow, value_of
from pretune.script.tokens import holds
from pretune.script.trace import Assigned, Call, SetAttribute
from pretune.script.values import Constant, Made, Part, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.finding import Rule
    from pretune.script.trace import Event
    from pretune.script.values import Value

AT_BUILD = frozenset({
    "hidden_dropout_prob", "attention_probs_dropout_prob", "num_hidden_layers", "hidden_size", "num_attention_heads",
    "intermediate_size", "hidden_act", "classifier_dropout", "dropout", "attention_dropout", "activation_dropout",
    "resid_pdrop", "embd_pdrop", "attn_pdrop", "summary_first_dropout", "type_vocab_size", "max_position_embeddings",
    "layer_norm_eps", "initializer_range", "seq_classif_dropout", "cls_dropout", "pooler_dropout", "dropout_rate",
    "num_labels", "num_layers", "n_layer", "n_head", "n_embd", "hidden_dropout", "embedding_size", "rope_theta",
    "position_embedding_type",
})  # fmt: skip
"""Keys that a model reads when it is built, and not again."""


@rule("PYS120", Level.WARNING)
def config_edited_after_build(script: ScriptFacts) -> Iterator[Problem]:
    """A config key is set after the model was built, which reads it only then.

    Why: dropout, sizes and layers were made with the old value; the new one is only written into config.json.
    Fix: set the key before, on the config given to from_pretrained, or as its keyword argument.
    """
    builds = [(call, config_of(call)) for call in script.models]
    for event in script.trace.events:
        if not isinstance(event, SetAttribute) or event.name not in AT_BUILD:
            continue
        built = _built_with(script, event, builds)
        if built is None or (event.name == "num_labels" and _head_changed(script, built, event)):
            continue
        yield Problem(
            f"config.{event.name} is set after the model was built at line {built.place.line}: it has no effect",
            where=str(event.place),
            also=(str(built.place),),
        )


@rule("PYS121", Level.WARNING)
def edited_config_not_passed(script: ScriptFacts) -> Iterator[Problem]:
    """A config is edited, and the model is loaded without it.

    Why: from_pretrained reads the checkpoint's own config; the edits reach no model.
    Fix: `from_pretrained(name, config=config)`.
    """
    for made in script.configs:
        value = value_of(made)
        edits = [
            deed
            for deed in script.on(value)
            if isinstance(deed, SetAttribute) or (isinstance(deed, Call) and deed.method == "update")
        ]
        if not edits or made.method != "from_pretrained" or _is_used(script, value, edits):
            continue
        loads = [
            call
            for call in script.models
            if call.method == "from_pretrained" and not call.open and config_of(call) is None
            and call.entry is made.entry and name_of(value_of(call)) == name_of(value) is not None
        ]  # fmt: skip
        if loads:
            first = edits[0]
            key = f"config.{first.name}" if isinstance(first, SetAttribute) else "config.update(...)"
            yield Problem(
                f"{key} is set at line {first.place.line}, and the model is loaded without that config",
                where=str(loads[-1].place),
                also=(str(first.place),),
            )


@rule("PYS122", Level.ERROR)
def config_updated_with_itself(script: ScriptFacts) -> Iterator[Problem]:
    """A config is updated with itself.

    Why: update wants a dict: a config raises an AttributeError, and its own dict changes nothing. The keys that were
    meant are never set.
    Fix: `config.update(custom_config)`, with the dict of the keys to set.
    """
    for call in script.trace.calls("update"):
        if call.receiver is None or not call.arguments:
            continue
        mine, given = root(call.receiver), call.arguments[0]
        as_dict = isinstance(given, Made) and given.call.method == "to_dict" and given.call.receiver is not None
        meant = root(given.call.receiver) if as_dict else root(given)  # type: ignore[union-attr,arg-type]
        if mine != meant or kind(mine) not in ("config", "generation_config"):
            continue
        what = "changes nothing" if as_dict else "raises an AttributeError"
        yield Problem(
            f"the config is updated with itself, which {what}",
            where=str(call.place),
            level=Level.WARNING if as_dict else None,
            fix=None if as_dict else _with_the_dict(script, call),
        )


def config_of(call: Call) -> Value | None:
    """The config that a model is built with; None: its own."""
    given = call.argument(1, "config") if call.method == "from_pretrained" else call.argument(0, "config")
    return given if given is not None and kind(given) == "config" else None


def _built_with(script: ScriptFacts, event: SetAttribute, builds: list[tuple[Call, Value | None]]) -> Call | None:
    """The call that built a model with the config before a key was set; None: none, or it is used again later."""
    on = root(event.of)
    if isinstance(on, Part) and on.name == "config" and kind(on.of) == "model":
        model = root(on.of)
        if isinstance(model, Made) and model.call.method in ("from_pretrained", "from_config"):
            again = any(
                config is not None and root(config) == on and can_follow(event, call) for call, config in builds
            )
            return None if again or not _trains(script, event) else model.call
        return None
    mine = [call for call, config in builds if config is not None and root(config) == on]
    handed = [
        call
        for call in script.trace.calls()
        if can_follow(event, call)
        and not call.function_name.startswith("builtins.")
        and any(root(one) == on for one in (*call.arguments, *call.keywords.values()))
    ]
    before = [call for call in mine if can_follow(call, event)]
    return before[-1] if before and not handed and len(before) == len(mine) else None


def _trains(script: ScriptFacts, event: Event) -> bool:
    """Whether something is trained after an event."""
    return any(can_follow(event, train) or train.entry is not event.entry for train, _ in script.trained)


def _head_changed(script: ScriptFacts, built: Call, event: SetAttribute) -> bool:
    """Whether the script puts a head of its own on the model."""
    model = value_of(built)
    named = {deed.name for deed in script.on(model) if isinstance(deed, SetAttribute)}
    del event
    return bool(named & {"classifier", "num_labels", "score", "qa_outputs", "out_proj", "head", "fc"})


def _is_used(script: ScriptFacts, config: Value, edits: Sequence[Call | SetAttribute]) -> bool:
    """Whether anything is done with a config but editing it."""
    for event in script.trace.events:
        if event in edits or isinstance(event, Assigned) or event.order < edits[0].order:
            continue
        if isinstance(event, Call) and event.function_name in ("builtins.setattr", "builtins.print"):
            continue
        if isinstance(event, Call):
            values: tuple[Value | None, ...] = (*event.arguments, *event.keywords.values())
            if event.receiver is not None and root(event.receiver) == config and event.method != "update":
                return True
        else:
            values = (getattr(event, "value", None), getattr(event, "of", None))
        if any(value is not None and holds(value, lambda one: one == config, 6) for value in values):
            return True
    return False


def _with_the_dict(script: ScriptFacts, call: Call) -> Fix | None:
    """The dict that was meant: the only one before the call that has config keys and is used nowhere."""
    names = [
        event.name
        for event in script.trace.events
        if isinstance(event, Assigned) and event.function is call.function and event.value == root(call.receiver)  # type: ignore[arg-type]
    ]
    tables = {
        event.name: event.value
        for event in script.trace.events
        if isinstance(event, Assigned)
        and event.order < call.order
        and isinstance(event.value, Table)
        and event.value.items
    }
    keys = {name: [key.value for key, _ in table.items if isinstance(key, Constant)] for name, table in tables.items()}
    fitting = [name for name, found in keys.items() if AT_BUILD & {one for one in found if isinstance(one, str)}]
    if len(fitting) != 1 or not names:
        return None
    old, new = f"{names[-1]}.update({names[-1]})", f"{names[-1]}.update({fitting[0]})"
    return Fix(f"update with {fitting[0]}", (ReplaceText(call.place, old, new),))


RULES: tuple[Rule, ...] = (
    config_edited_after_build,
    edited_config_not_passed,
    config_updated_with_itself,
)
