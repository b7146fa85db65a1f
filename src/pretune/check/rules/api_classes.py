"""API: what the script's own Trainer or LightningModule overrides, and defaults that changed under it.

Only classes that the script derives from the libraries' are looked at; what a class between them does is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.api_changes import CHANGES, written_for
from pretune.check.rules.api_wording import INDEX_NAMES, gone, met, named, target_of
from pretune.core.errors import did_you_mean
from pretune.script.history import history, minor
from pretune.script.history_owner import callables, owner
from pretune.script.history_uses import guarded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.finding import Rule
    from pretune.script.history import History


@rule("API011", Level.ERROR)
def override_does_not_fit(script: ScriptFacts) -> Iterator[Problem]:
    """A method of the script's own Trainer or LightningModule that the library no longer calls in this form.

    Why: `compute_loss() got an unexpected keyword argument 'num_items_in_batch'` at the first step, after everything
    was loaded (huggingface/transformers#36331); Lightning 2 refuses `validation_epoch_end` and `optimizer_idx`.
    Fix: take what the library hands over, best by `**kwargs`.
    """
    for use, target, status in met(script, "override"):
        if status != "gone":
            continue
        at, under = named(use, use.life.until), f", and the script is to run under {target}"
        if use.life.name == use.name:
            message = f"{use.shown} is refused since {at}{under}"
        elif use.package == "transformers":
            message = f"{use.shown} does not take `{use.life.name}`, which the Trainer hands over since {at}{under}"
        else:
            message = f"{use.shown} takes `{use.life.name}`, which is no longer handed over since {at}{under}"
        yield Problem(message, where=str(use.event.place), help=use.life.note)


@rule("API012", Level.WARNING)
def hook_never_called(script: ScriptFacts) -> Iterator[Problem]:
    """A LightningModule defines a hook that Lightning no longer calls.

    Why: no error and no warning: what stands in `training_step_end` or `on_epoch_end` never happens.
    Fix: move it to the hook that is called today.
    """
    for use, target, status in met(script, "hook"):
        if status == "gone":
            yield gone(use, target, so=": it is never called")


@rule("API013", Level.ERROR)
def training_argument_read_but_gone(script: ScriptFacts) -> Iterator[Problem]:
    """The script's own Trainer reads a training argument that no longer exists.

    Why: it is an AttributeError in the middle of training or at the first evaluation: every copy of `trainer_qa.py`
    that reads `self.args.use_legacy_prediction_loop` stops.
    Fix: take the branch out, or read what replaces it.
    """
    for use, target, status in met(script, "attribute"):
        if status == "gone":
            yield gone(use, target)


@rule("API014", Level.NOTE)
def default_changed(script: ScriptFacts) -> Iterator[Problem]:
    """A default has changed since the version that the script seems to be written for.

    Why: nothing fails: weights load in another dtype, nothing is logged any more, another optimizer runs.
    Fix: write the argument down.
    """
    then: dict[str, str] = {}
    for call in script.trace.calls():
        package, tables = callables(call)
        code_base = "pytorch_lightning" if package == "lightning" else package
        changes = [change for change in CHANGES if change.package == code_base and change.table in tables]
        target = target_of(script, package) if changes and not call.open else ""
        if not target:
            continue
        if package not in then:
            then[package] = written_for(script.trace, package, target)
        for change in changes:
            if set(change.arguments) & set(call.keywords) or not then[package]:
                continue
            if not minor(then[package]) < minor(change.since) <= minor(target):
                continue
            yield Problem(
                f"{change.arguments[0]} is left to its default, which {INDEX_NAMES.get(package, package)} "
                f"{change.since} changed: {change.what}; the script seems to be written for {then[package]}",
                where=str(call.place),
                help=change.how,
            )


@rule("API015", Level.WARNING)
def segments_lost(script: ScriptFacts) -> Iterator[Problem]:
    """A pair of texts goes through PreTrainedTokenizerFast, which returns no token_type_ids since transformers 5.

    Why: a BERT then reads both texts as the first segment, in silence; the score drops
    (huggingface/transformers#48128).
    Fix: load it by AutoTokenizer, or pass return_token_type_ids=True.
    """
    target = target_of(script, "transformers")
    if not target or minor(target) < (5, 0):
        return
    for call in script.trace.calls():
        if call.open or call.function_name not in ("", ".__call__") or "model_input_names" in str(call.keywords):
            continue
        pair = len(call.arguments) > 1 or "text_pair" in call.keywords
        if owner(call.receiver) == "transformers.PreTrainedTokenizerFast" and pair:
            if "return_token_type_ids" in call.keywords or _names_inputs(call.receiver):
                continue
            yield Problem(
                f"PreTrainedTokenizerFast returns no token_type_ids for a pair of texts under transformers {target}; "
                "up to 4.57 it did",
                where=str(call.place),
            )


def _names_inputs(tokenizer: object) -> bool:
    """Whether the tokenizer was made with its model_input_names said."""
    made = getattr(tokenizer, "call", None)
    return made is not None and (made.open or "model_input_names" in made.keywords)


CLOSED = frozenset({"Trainer", "Seq2SeqTrainer", "TrainingArguments", "Seq2SeqTrainingArguments"})
"""Classes of which all arguments of all versions are known; of others some are made where the source does not say."""


@rule("API017", Level.ERROR)
def argument_of_no_version(script: ScriptFacts) -> Iterator[Problem]:
    """A class of the library is given an argument that no version of it takes.

    Why: `TypeError: TrainingArguments.__init__() got an unexpected keyword argument 'evaluation_steps'`: usually a slip
    in the name, or an argument of another class.
    Fix: correct the name, or give it to what takes it.
    """
    for call in script.trace.calls():
        package, tables = callables(call)
        name = call.function_name.removesuffix(".__init__").rpartition(".")[2]
        target = target_of(script, package) if tables and name in CLOSED else ""
        known = history(package) if target else None
        if known is None or guarded(call) or minor(target) > minor(known.versions[-1]):
            continue
        if not all(_is_closed(known, table, target) for table in tables):
            continue
        for given in call.keywords:
            if all(known.argument(table, given) is None for table in tables):
                there = [one for table in tables for one in known.arguments(table)]
                taken = [one for one in there if _is_taken(known, tables, one, target)]
                yield Problem(
                    f"no version of {package} has {name}({given}=...)",
                    where=str(call.place),
                    help=did_you_mean(given, taken),
                )


def _is_closed(known: History, table: str, target: str) -> bool:
    """Whether all that a callable takes in a version is known."""
    since, until = known.described(table)
    there = bool(since) and minor(since) <= minor(target) and (not until or minor(target) < minor(until))
    return there and not known.swallows(table, target)


def _is_taken(known: History, tables: tuple[str, ...], name: str, target: str) -> bool:
    lives = [life for table in tables if (life := known.argument(table, name)) is not None]
    return any(life.status_at(target) in ("there", "deprecated") for life in lives)


RULES: tuple[Rule, ...] = (
    override_does_not_fit,
    hook_never_called,
    training_argument_read_but_gone,
    default_changed,
    segments_lost,
    argument_of_no_version,
)
