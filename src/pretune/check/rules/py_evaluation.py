"""PYS2: compute_metrics: what it is given, and what it scores."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pretune.check.facts.script_flow import call_of, library, number, text
from pretune.check.finding import Level, Problem, rule
from pretune.script.choices import alternatives
from pretune.script.kinds import kind, root
from pretune.script.values import (
    Constant,
    Function,
    Made,
    Part,
    Unknown,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.finding import Rule
    from pretune.script.trace import Call, Trace
    from pretune.script.values import Value

_SCORES = {
    "accuracy_score", "f1_score", "precision_score", "recall_score", "precision_recall_fscore_support",
    "classification_report", "confusion_matrix", "matthews_corrcoef", "balanced_accuracy_score", "cohen_kappa_score",
}  # fmt: skip
"""sklearn's scores of chosen classes; they take labels and predictions, in this order."""
_CLASSIFIERS = ("ForSequenceClassification", "ForTokenClassification")
_METRICS = {"accuracy", "f1", "precision", "recall", "matthews_correlation", "seqeval"}


@rule("PYS271", Level.ERROR)
def argmax_missing(script: ScriptFacts) -> Iterator[Problem]:
    """compute_metrics scores logits as if they were classes.

    Why: sklearn stops with `Classification metrics can't handle a mix of ... and continuous-multioutput targets`, and
    evaluate's metrics with a shape that does not fit, at the first evaluation, after an epoch of training.
    Fix: predictions = logits.argmax(-1)
    """
    for trainer, function in metrics(script.trace):
        prepared = trainer.argument(None, "preprocess_logits_for_metrics")
        if prepared is not None or "Seq2Seq" in trainer.method:
            continue
        for call in calls_in(script.trace, function):
            given = _predictions(call)
            if any(_is_raw(one, function) for one in given) and not trainer.open:
                yield Problem(
                    f"{call.method} is given the model's output as it is, and expects classes",
                    where=str(call.place),
                )


@rule("PYS272", Level.ERROR)
def argmax_over_wrong_axis(script: ScriptFacts) -> Iterator[Problem]:
    """compute_metrics takes argmax over an axis that is not the classes.

    Why: the output is (rows, classes), of a token classifier (rows, tokens, classes): over axis 0 the best row for
    each class is found, over none a single number.
    Fix: np.argmax(predictions, axis=-1)
    """
    for trainer, function in metrics(script.trace):
        tokens = "ForTokenClassification" in _model_class(trainer)
        for call in calls_in(script.trace, function):
            if call.method != "argmax":
                continue
            of = call.receiver if call.receiver is not None else call.argument(0, "a")
            if of is None or not _is_raw(of, function) or call.open:
                continue
            said = call.argument(0 if call.receiver is not None else 1, "axis") or call.argument(None, "dim")
            axis = number(said)
            if (said is None and call.receiver is None) or (said is None and not call.arguments) or axis == 0:
                over = "no axis" if said is None else "axis 0"
                yield Problem(f"argmax over {over}, expected the last, the classes", where=str(call.place))
            elif tokens and axis == 1:
                yield Problem("argmax over axis 1, the tokens; expected the last, the classes", where=str(call.place))
    for call in script.trace.calls("argmax"):
        of = call.receiver if call.receiver is not None else call.argument(0, "input")
        said = call.argument(0 if call.receiver is not None else 1, "dim") or call.argument(None, "axis")
        if of is not None and said is not None and number(said) == 0 and _is_logits(of):
            yield Problem("argmax over axis 0, expected the last, the classes", where=str(call.place))


def _is_logits(value: Value) -> bool:
    """Whether a value is surely the logits of a batch that a classifier of transformers gave, softmax or not."""
    while isinstance(value, Made) and value.call.method in (
        "softmax",
        "log_softmax",
        "sigmoid",
        "detach",
        "cpu",
        "numpy",
    ):
        inner = value.call.receiver if value.call.function_name.startswith(".") else value.call.argument(0, "input")
        if inner is None:
            return False
        value = inner
    made = value.of if isinstance(value, Part) and value.name == "logits" else None
    if not isinstance(made, Made) or kind(made) != "output" or made.call.receiver is None:
        return False
    return library(root(made.call.receiver)).rpartition(".")[0].endswith(_CLASSIFIERS)


@rule("PYS273", Level.WARNING)
def ignored_labels_scored(script: ScriptFacts) -> Iterator[Problem]:
    """compute_metrics of a token classifier scores the positions labelled -100 too.

    Why: special tokens, word pieces and pads carry -100: no prediction can be right there, and label_list[-100] is
    an IndexError.
    Fix: score only where labels != -100.
    """
    for trainer, function in metrics(script.trace):
        if "ForTokenClassification" not in _model_class(trainer):
            continue
        calls = list(calls_in(script.trace, function))
        functions = {function.node: None} | {call.function.node: None for call in calls if call.function is not None}
        scored = any(call.method in _SCORES or _metric(call) for call in calls)
        if scored and not any(_selects(node) for tree in functions for node in ast.walk(tree)):
            yield Problem(
                f"{function.name} scores all positions of a token classifier, those labelled -100 too",
                where=str(function.place),
            )


def _selects(node: ast.AST) -> bool:
    """Whether a node of compute_metrics could be what leaves positions out."""
    if isinstance(node, ast.Constant):
        return node.value == 100
    if isinstance(node, ast.Compare):
        return True
    named = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return any(word in named.lower() for word in ("pad", "ignore", "mask", "valid"))


def metrics(trace: Trace) -> Iterator[tuple[Call, Function]]:
    """Trainers, with the function of the script that is their compute_metrics."""
    for call in trace.calls():
        if call.method.endswith("Trainer"):
            given = call.argument(None, "compute_metrics")
            if isinstance(given, Function):
                yield call, given


def calls_in(trace: Trace, function: Function) -> Iterator[Call]:
    """The calls in a function, and in those of the project that it calls."""
    first, last, file, cell = function.place.line, function.place.end, function.place.file, function.place.cell
    for call in trace.calls():
        own = call.function is not None and call.function.node is function.node
        places = [place for place in call.calls if (place.file, place.cell) == (file, cell)]
        if own or any(first <= place.line <= last for place in places):
            yield call


def _predictions(call: Call) -> tuple[Value, ...]:
    """What a score or metric is given as predictions; for sklearn also as labels, which people confuse."""
    if call.method in _SCORES and call.function_name.startswith("sklearn."):
        return tuple(one for one in (*call.arguments[:2], call.argument(None, "y_pred")) if one is not None)
    if _metric(call):
        given = call.argument(None, "predictions")
        return () if given is None else (given,)
    return ()


def _metric(call: Call) -> bool:
    """Whether a call is `metric.compute` of a metric of classes."""
    if call.method != "compute" or call.receiver is None:
        return False
    made = call_of(root(call.receiver), "load", "load_metric")
    return made is not None and text(made.argument(0, "path")) in _METRICS


def _is_raw(value: Value, function: Function) -> bool:
    """Whether a value is surely the predictions that the Trainer hands to compute_metrics."""
    return all(_is_prediction(one, function) for one in alternatives(value))


def _is_prediction(value: Value, function: Function) -> bool:
    if not isinstance(value, Part):
        return False
    first = value.name == "predictions" or (isinstance(value.index, Constant) and value.index.value == 0)
    of = value.of
    if isinstance(of, Part):
        return first and _is_prediction(of, function)
    return first and isinstance(of, Unknown) and of.name in function.parameters[:1]


def _model_class(trainer: Call) -> str:
    """The class that a Trainer's model was loaded by; empty: not known."""
    model = trainer.argument(0, "model")
    return library(root(model)) if model is not None else ""


RULES: tuple[Rule, ...] = (argmax_missing, argmax_over_wrong_axis, ignored_labels_scored)
