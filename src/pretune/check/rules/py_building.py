"""PYS1: configs of another model, and models that are built without weights."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.py_config import AT_BUILD, config_of
from pretune.check.sources.script_names import holds_weights, is_hub_name, name_of
from pretune.script.kinds import alternatives, root
from pretune.script.objects import owner, value_of
from pretune.script.trace import SetAttribute
from pretune.script.values import Class, Instance, Made

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.finding import Rule
    from pretune.script.trace import Call
    from pretune.script.values import Value

_FROM_SCRATCH = re.compile(r"ForMaskedLM|ForCausalLM|LMHeadModel|ForPreTraining|ForConditionalGeneration|ForSeq2SeqLM")
_LOADS = (
    "load_state_dict",
    "load_checkpoint",
    "load_weights",
    "load_from_checkpoint",
    "load_model",
    "load_tf_weights",
    "load",
)


@rule("PYS123", Level.WARNING)
def config_of_another_model(script: ScriptFacts) -> Iterator[Problem]:
    """A model is loaded with the config of another one.

    Why: sizes that differ do not load; keys that no shape shows (heads, activation, positions) make another model of
    the weights, without a word.
    Fix: load the config by the model's own name.
    """
    for call in script.models:
        config = config_of(call)
        if call.method != "from_pretrained" or config is None:
            continue
        name, other = name_of(value_of(call)), name_of(root(config))
        if (
            name is None
            or other is None
            or _same_repository(name, other)
            or not (is_hub_name(name) and is_hub_name(other))
        ):
            continue
        made = root(config)
        yield Problem(
            f"{name} is loaded with the config of {other}",
            where=str(call.place),
            also=(str(made.call.place),) if isinstance(made, Made) else (),
        )


@rule("PYS124", Level.WARNING)
def weights_left_random(script: ScriptFacts) -> Iterator[Problem]:
    """A model is built from the config of a pretrained model, without its weights.

    Why: from_config and Model(config) start at random; nothing of the pretraining is in the model.
    Fix: `from_pretrained(name, config=config)`; nothing to do where a checkpoint is loaded by other means.
    """
    if any(call.method in _LOADS and call.function_name != "evaluate.load" for call in script.trace.calls(*_LOADS)):
        return
    trained = {one for _, model in script.trained for one in alternatives(model)}
    holders = [one for one in trained if isinstance(one, Instance)]
    trained |= {inner for one in holders for value in one.fields.values() for inner in alternatives(owner(value))}
    for call in script.models:
        config = _random_from(call)
        if config is None or value_of(call) not in trained or call.conditions:
            continue
        made = root(config)
        name = name_of(made)
        edits = isinstance(made, Made) and (
            AT_BUILD & set(made.call.keywords) - {"num_labels"}
            or any(
                isinstance(deed, SetAttribute) and deed.name in AT_BUILD - {"num_labels"} for deed in script.on(made)
            )
        )
        if name is None or edits or not (is_hub_name(name) or holds_weights(script.trace.file, name)):
            continue
        yield Problem(
            f"the model is built from the config of {name} and trained, and no weights are loaded into it",
            where=str(call.place),
            also=(str(made.call.place),) if isinstance(made, Made) else (),
        )


@rule("PYS125", Level.NOTE)
def mismatches_ignored(script: ScriptFacts) -> Iterator[Problem]:
    """from_pretrained is told to ignore tensors that do not fit.

    Why: each of them starts at random; a head that is meant to is no fault, an embedding or a layer is, and neither
    stops the run.
    Fix: leave it out unless a head of another size is to be replaced, and read what from_pretrained reports.
    """
    for call in script.models:
        if call.method == "from_pretrained" and call.constant(None, "ignore_mismatched_sizes") is True:
            yield Problem("ignore_mismatched_sizes=True starts whatever does not fit at random", where=str(call.place))


def _random_from(call: Call) -> Value | None:
    """The config that a library's model is built from without weights; None: it is not, or it is pretrained so."""
    if (
        not call.function_name.startswith("transformers.")
        or isinstance(call.receiver, Class)
        or call.method == "__init__"
    ):
        return None
    if call.method == "from_pretrained" or _FROM_SCRATCH.search(call.function_name):
        return None
    return config_of(call)


def _same_repository(one: str, other: str) -> bool:
    """Whether two names mean the same: also without the owner that the hub gave old names later."""
    return one == other or one.rpartition("/")[2].lower() == other.rpartition("/")[2].lower()


RULES: tuple[Rule, ...] = (
    config_of_another_model,
    weights_left_random,
    mismatches_ignored,
)
