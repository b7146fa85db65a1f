"""PYS2: the data that a score is of: test data that choose, rows on both sides, batches scored one by one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pretune.check.facts.script_flow import behind, call_of, flag, library, line, lineage, loader_of, text
from pretune.check.facts.script_loops import training_loops
from pretune.check.finding import Level, Problem, rule
from pretune.script.kinds import kind, root
from pretune.script.values import (
    Constant,
    Instance,
    Made,
    OneOf,
    Operation,
    Part,
    Sequence,
    Table,
    Unknown,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.finding import Rule
    from pretune.script.trace import Call, Loop
    from pretune.script.values import Value

_UNAVERAGED = {
    "f1_score", "precision_score", "recall_score", "matthews_corrcoef", "roc_auc_score", "pearsonr", "spearmanr",
}  # fmt: skip


@rule("PYS274", Level.WARNING)
def model_chosen_on_test_data(script: ScriptFacts) -> Iterator[Problem]:
    """The checkpoint, or the moment to stop, is chosen by the score on the test data.

    Why: the best of many scores on the test data is too good: it is no longer what unseen data would give.
    Fix: choose on validation data, split off the training data if there are none; use the test data once, at the end.
    """
    for call in script.trace.calls():
        if call.method.endswith("Trainer") and call.argument(None, "eval_dataset") is not None:
            data = call.argument(None, "eval_dataset")
            if data is not None and _chooses(call) and is_test(data):
                yield Problem(
                    "the best checkpoint is chosen by eval_dataset, which is the test split", where=str(call.place)
                )
    for loop in training_loops(script.trace):
        if loop.epoch is None:
            continue
        evaluating: list[Loop] = []
        for event in script.trace.events:
            inside = loop.epoch in event.loops and loop.batch not in event.loops
            last = event.loops[-1] if event.loops else None
            if inside and last is not None and last is not loop.epoch and last not in evaluating:
                evaluating += [last] if loader_of(last) is not None else []
        tests = [one for one in evaluating if (found := loader_of(one)) is not None and is_test(found)]
        saves = [
            one for one in script.trace.calls("save", "save_pretrained", "save_model") if _by_score(one, loop.epoch)
        ]
        if evaluating and len(tests) == len(evaluating) and saves and saves[0].order > loop.backwards[0].call.order:
            yield Problem(
                f"the checkpoint is kept by the score on the test data of the loop at {line(tests[0])}",
                where=str(saves[0].place),
                also=(str(tests[0].place),),
            )


def _chooses(trainer: Call) -> bool:
    """Whether a Trainer keeps the best checkpoint, or stops early."""
    args = trainer.argument(1, "args")
    made = call_of(root(args)) if args is not None else None
    best = made is not None and flag(made.argument(None, "load_best_model_at_end")) is True
    callbacks = trainer.argument(None, "callbacks")
    stops = callbacks is not None and any(
        call_of(one, "EarlyStoppingCallback") is not None for one in lineage(callbacks)
    )
    return best or stops


def _by_score(call: Call, epoch: Loop) -> bool:
    """Whether a saving stands in the loop over epochs under a comparison that only a run decides."""
    return epoch in call.loops and any(
        condition.taken and isinstance(condition.test, Operation) and condition.test.operator in ("<", ">", "<=", ">=")
        for condition in call.conditions
        if condition.place.file == call.place.file
    )


_TEST = re.compile(r"(?:^|[\W_])(?:test|testing|testset)(?:$|[\W_\d])", re.IGNORECASE)
_OTHER = re.compile(r"(?:^|[\W_])(?:train\w*|valid\w*|val|dev|eval)(?:$|[\W_\d])", re.IGNORECASE)


def is_test(value: Value) -> bool:
    """Whether data surely are test data: the split `test`, or a file that is called so."""
    waiting, words = [value], []
    for _ in range(200):
        if not waiting:
            break
        one = waiting.pop(0)
        if call_of(one, "train_test_split", "random_split", "StratifiedShuffleSplit", "KFold") is not None:
            return False
        if isinstance(one, Part) and isinstance(one.index, Constant) and isinstance(one.index.value, str):
            if one.index.value in ("test", "train", "validation", "valid", "dev"):
                of_split = any(call_of(part, "train_test_split") is not None for part in lineage(one.of))
                return one.index.value == "test" and not of_split
        elif isinstance(one, Constant) and isinstance(one.value, str):
            words.append(one.value)
        if isinstance(one, Instance):
            waiting += list(one.fields.values())
        elif kind(one) not in ("tokenizer", "model", "processor", "collator", "config"):
            waiting += list(behind(one))
    return any(map(_TEST.search, words)) and not any(map(_OTHER.search, words))


@rule("PYS275", Level.WARNING)
def evaluated_on_training_rows(script: ScriptFacts) -> Iterator[Problem]:
    """A Trainer evaluates on the very data that it trains on.

    Why: the score says how well the model remembers, and rises while it overfits.
    Fix: give eval_dataset rows that are not in train_dataset.
    """
    for call in script.trace.calls():
        train, evaluated = call.argument(None, "train_dataset"), call.argument(None, "eval_dataset")
        if not call.method.endswith("Trainer") or train is None:
            continue
        if train == evaluated:
            unsure = any(isinstance(one, Unknown) for one in lineage(train))
            if isinstance(train, Made | Instance | Part) and not unsure:
                yield Problem("train_dataset and eval_dataset are the same data", where=str(call.place))
        elif evaluated is not None and (parts := _overlapping(train, evaluated)) is not None:
            yield Problem(
                f'train_dataset is the split "{parts[0]}" and eval_dataset "{parts[1]}" of the same data',
                where=str(call.place),
            )


def _overlapping(train: Value, evaluated: Value) -> tuple[str, str] | None:
    """The splits that both are, where load_dataset gives the same rows to both; None: it does not, or not surely."""
    loads = []
    for data in (train, evaluated):
        found = [one for one in lineage(data) if isinstance(one, Made)]
        calls = [one.call for one in found if one.call.method == "load_dataset"]
        if len(calls) != 1 or any(one.call.method in _CHOOSING for one in found) or calls[0].open:
            return None
        loads.append(calls[0])
    names = [text(call.argument(None, "split")) for call in loads]
    same = all(
        loads[0].argument(place, key) == loads[1].argument(place, key)
        for place, key in ((0, "path"), (1, "name"), (2, "data_dir"), (None, "data_files"))
    )
    if not same or names[0] is None or names[1] is None:
        return None
    one, other = _percents(names[0]), _percents(names[1])
    if one is None or other is None:
        return None
    apart = one[0] != other[0] or one[2] <= other[1] or other[2] <= one[1]
    return None if apart else (names[0], names[1])


_CHOOSING = {"train_test_split", "select", "filter", "shard", "take", "skip", "split_dataset_by_node", "random_split"}
_SLICE = re.compile(r"(\w+)(?:\[(\d*)%?:(\d*)%?\])?")


def _percents(split: str) -> tuple[str, int, int] | None:
    """Name, begin and end of `train[10%:90%]`, in percent; None: it counts rows, or is another form."""
    found = _SLICE.fullmatch(split.replace(" ", ""))
    if found is None or ("[" in split and "%" not in split):
        return None
    return found[1], int(found[2] or 0), int(found[3] or 100)


@rule("PYS276", Level.WARNING)
def oversampled_before_the_split(script: ScriptFacts) -> Iterator[Problem]:
    """Rows are repeated to balance the classes, and split into training and evaluation data afterwards.

    Why: copies of one row come to both sides, so that the score rewards remembering.
    Fix: split first, and repeat rows of the training side alone.
    """
    for call in script.trace.calls("train_test_split"):
        for value in (*call.arguments, call.receiver):
            found = [] if value is None else [call_of(one, "fit_resample", "fit_sample") for one in lineage(value)]
            oversampled = next((one for one in found if one is not None and _repeats(one)), None)
            if oversampled is not None:
                yield Problem(
                    f"the rows that are split were oversampled at {line(oversampled)}: copies come to both sides",
                    where=str(call.place),
                    also=(str(oversampled.place),),
                )
                break


def _repeats(call: Call) -> bool:
    name = library(root(call.receiver)) if call.receiver is not None else ""
    return "over_sampling" in name or "OverSampler" in name or "SMOTE" in name


@rule("PYS277", Level.NOTE)
def score_averaged_over_batches(script: ScriptFacts) -> Iterator[Problem]:
    """F1, or a correlation, is computed for each batch.

    Why: the mean of the batches' F1 is not the F1 of the data: a batch without a class counts as 0 or 1 there.
    Fix: gather predictions and labels of all batches, and score once.
    """
    for call in script.trace.calls(*_UNAVERAGED):
        library_call = call.function_name.startswith(("sklearn.", "scipy."))
        over = call.loops[-1] if call.loops and loader_of(call.loops[-1]) is not None else None
        trains = any(over in loop.call.loops for one in training_loops(script.trace) for loop in one.backwards)
        if library_call and over is not None and not trains and not _gathered(call):
            yield Problem(
                f"{call.method} is computed for each batch of the loop at {line(over)}", where=str(call.place)
            )


def _gathered(score: Call) -> bool:
    """Whether a score reads what the loop gathers, all batches so far, and not what one batch gives."""
    read = [one for value in (*score.arguments, *score.keywords.values()) for one in lineage(value)]
    gathered = any((isinstance(one, Sequence | Table) and one.open) or isinstance(one, OneOf | Unknown) for one in read)
    batch = any(isinstance(one, Operation) and one.operator == "iterate" for one in read)
    return gathered or not batch


RULES: tuple[Rule, ...] = (
    model_chosen_on_test_data,
    evaluated_on_training_rows,
    oversampled_before_the_split,
    score_averaged_over_batches,
)
