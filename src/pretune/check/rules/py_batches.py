"""PYS2: how batches reach a loop of the script's own: shuffled, complete, another order in each epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.facts.script_flow import call_of, flag, forwards, library, line, lineage, loader_of
from pretune.check.facts.script_loops import training_loops
from pretune.check.finding import Level, Problem, rule
from pretune.script.kinds import root
from pretune.script.values import Constant, Instance, Made

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.facts.script_loops import TrainingLoop
    from pretune.check.finding import Rule
    from pretune.script.trace import Call, Trace
    from pretune.script.values import Value

_MIXED = {"shuffle", "sample", "random_split", "train_test_split", "RandomSampler", "permutation", "randperm"}


@rule("PYS281", Level.WARNING)
def sampler_epoch_never_set(script: ScriptFacts) -> Iterator[Problem]:
    """A DistributedSampler shuffles, and set_epoch() is never called.

    Why: it draws its order from the seed and the epoch, which stays 0: every epoch has the same order.
    Fix: sampler.set_epoch(epoch) at the beginning of each epoch.
    """
    for loop, made in _training_loaders(script.trace):
        sampler = made.argument(3, "sampler")
        drawn = call_of(root(sampler)) if sampler is not None else None
        if drawn is None or drawn.method != "DistributedSampler" or flag(drawn.argument(None, "shuffle")) is False:
            continue
        if loop.epoch is not None and not any(True for _ in script.trace.calls("set_epoch", "prepare")):
            yield Problem(
                f"the DistributedSampler of the loop at {line(loop.batch)} is never told the epoch",
                where=str(drawn.place),
            )


@rule("PYS282", Level.WARNING)
def evaluation_rows_dropped(script: ScriptFacts) -> Iterator[Problem]:
    """The loader of the evaluation drops its last, incomplete batch.

    Why: up to a batch of rows is missing from the score, and predictions no longer fit the rows of the file.
    Fix: leave drop_last out for evaluation.
    """
    training = {id(made) for _, made in _training_loaders(script.trace)}
    batches = {id(loop.batch) for loop in training_loops(script.trace)}
    models = [model for loop in training_loops(script.trace) for model in loop.models]
    seen: set[int] = set()
    for event in (event for model in models for event in forwards(script.trace, model)):
        over = event.loops[-1] if event.loops else None
        made = call_of(loader_of(over)) if over is not None and id(over) not in batches else None
        if made is None or id(made) in training or id(made) in seen:
            continue
        seen.add(id(made))
        if flag(made.argument(None, "drop_last")) is True and over is not None:
            yield Problem(
                f"drop_last=True leaves rows out of the evaluation at {line(over)}",
                where=str(made.place),
                also=(str(over.place),),
            )


@rule("PYS283", Level.NOTE)
def training_rows_in_order(script: ScriptFacts) -> Iterator[Problem]:
    """The training loader does not shuffle.

    Why: rows come in the order of the file, in each epoch the same; where they are sorted by label or source, a batch
    may see one class only.
    Fix: DataLoader(..., shuffle=True), unless the order is meant.
    """
    for loop, made in _training_loaders(script.trace):
        sampled = any(made.argument(None, name) is not None for name in ("sampler", "batch_sampler"))
        positional = len(made.arguments) > 2
        shuffle = made.argument(2, "shuffle")
        off = shuffle is None or (isinstance(shuffle, Constant) and not shuffle.value and not shuffle.overridden_by)
        data = made.argument(0, "dataset")
        if sampled or positional or made.open or not off or data is None or _mixed(data):
            continue
        yield Problem(
            f"the loader of the training loop at {line(loop.batch)} does not shuffle its rows", where=str(made.place)
        )


def _mixed(data: Value) -> bool:
    """Whether data are mixed already, or are a stream that a loader cannot mix."""
    found: list[Value] = list(lineage(data))
    for one in list(found):
        if isinstance(one, Instance):
            if one.of.derives("IterableDataset"):
                return True
            found += [part for value in one.fields.values() for part in lineage(value)]
    for one in found:
        call = call_of(one, *_MIXED)
        if call is not None:
            return True
        made = call_of(one)
        if made is not None and made.argument(None, "streaming") is not None:
            return True
        if isinstance(one, Made) and "Iterable" in library(one):
            return True
    return False


def _training_loaders(trace: Trace) -> Iterator[tuple[TrainingLoop, Call]]:
    """Training loops that run over a loader of the script, and the call that made it."""
    for loop in training_loops(trace):
        made = call_of(loader_of(loop.batch))
        if made is not None and loop.steps and made.method == "DataLoader":
            yield loop, made


RULES: tuple[Rule, ...] = (sampler_epoch_never_set, evaluation_rows_dropped, training_rows_in_order)
