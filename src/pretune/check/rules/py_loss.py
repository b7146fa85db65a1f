"""PYS2: losses that a script computes itself: of the right thing, against the right thing."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pretune.check.facts.script_flow import call_of, flag, library, line, lineage, text, without_gradients
from pretune.check.facts.script_losses import class_ids, losses, passed_through, raw_logits
from pretune.check.finding import Level, Problem, rule
from pretune.script.choices import alternatives
from pretune.script.kinds import kind, root
from pretune.script.trace import Call, Returned, SetItem
from pretune.script.values import Constant, Part, Sequence, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.finding import Rule
    from pretune.script.trace import Event, Trace
    from pretune.script.values import Value


@rule("PYS261", Level.WARNING)
def softmax_before_cross_entropy(script: ScriptFacts) -> Iterator[Problem]:
    """Cross-entropy is given probabilities.

    Why: it takes the softmax itself; twice, the loss of two classes cannot fall below 0.31 and the gradients are small:
    it learns, slowly and worse.
    Fix: give it the logits; take the softmax where probabilities are shown.
    """
    for loss in losses(script.trace):
        if loss.function != "cross_entropy":
            continue
        squashed = passed_through(loss.of, "softmax", "Softmax", "sigmoid", "Sigmoid")
        if squashed is not None:
            yield Problem(
                f"{loss.shown} takes the softmax itself, and is given what {_name(squashed)} at {line(squashed)} gives",
                where=str(loss.call.place),
                also=(str(squashed.place),),
            )


@rule("PYS262", Level.WARNING)
def sigmoid_before_bce_with_logits(script: ScriptFacts) -> Iterator[Problem]:
    """binary_cross_entropy_with_logits is given probabilities.

    Why: it takes the sigmoid itself; twice, no answer can be surer than 0.73, and an absent label costs at least 0.69.
    Fix: give it the logits, or use BCELoss for probabilities.
    """
    for loss in losses(script.trace):
        squashed = passed_through(loss.of, "sigmoid", "Sigmoid", "softmax", "Softmax")
        if loss.function == "binary_cross_entropy_with_logits" and squashed is not None:
            yield Problem(
                f"{loss.shown} takes the sigmoid itself, and is given what {_name(squashed)} at {line(squashed)} gives",
                where=str(loss.call.place),
                also=(str(squashed.place),),
            )


@rule("PYS263", Level.ERROR)
def nll_without_log_softmax(script: ScriptFacts) -> Iterator[Problem]:
    """NLLLoss is given logits or probabilities in place of log-probabilities.

    Why: it is minus the number at the label and nothing else: of logits it falls without end, of probabilities it
    is hardly steeper for a wrong answer than for a right one.
    Fix: use cross_entropy on the logits, or log_softmax before NLLLoss.
    """
    for loss in losses(script.trace):
        if loss.function != "nll_loss":
            continue
        squashed = passed_through(loss.of, "softmax", "Softmax")
        if squashed is not None or raw_logits(loss.of):
            what = "logits" if squashed is None else f"what {_name(squashed)} at {line(squashed)} gives"
            yield Problem(f"{loss.shown} expects log-probabilities, and is given {what}", where=str(loss.call.place))


@rule("PYS264", Level.ERROR)
def bce_of_logits(script: ScriptFacts) -> Iterator[Problem]:
    """BCELoss is given logits.

    Why: `RuntimeError: all elements of input should be between 0 and 1`, on a GPU an assert that hides its cause.
    Fix: use BCEWithLogitsLoss.
    """
    for loss in losses(script.trace):
        if loss.function == "binary_cross_entropy" and raw_logits(loss.of):
            yield Problem(f"{loss.shown} expects probabilities, and is given logits", where=str(loss.call.place))


@rule("PYS265", Level.ERROR)
def loss_of_class_ids(script: ScriptFacts) -> Iterator[Problem]:
    """The loss is computed of the chosen classes.

    Why: argmax has no gradient: backward() stops with `does not require grad`, or no weight is trained.
    Fix: give the loss the logits; argmax is for the score.
    """
    for loss in losses(script.trace):
        chosen = class_ids(loss.of)
        if chosen is not None and without_gradients(loss.call) is False:
            yield Problem(
                f"{loss.shown} is given the class ids of {_name(chosen)} at {line(chosen)}, which have no gradient",
                where=str(loss.call.place),
                also=(str(chosen.place),),
            )


@rule("PYS266", Level.ERROR)
def kl_div_of_probabilities(script: ScriptFacts) -> Iterator[Problem]:
    """kl_div is given probabilities where it expects log-probabilities.

    Why: its first argument is log q; with q in its place the value is no divergence, may be negative, and pulls the
    student elsewhere.
    Fix: F.kl_div(F.log_softmax(student, -1), F.softmax(teacher, -1), reduction="batchmean").
    """
    for loss in losses(script.trace):
        squashed = passed_through(loss.of, "softmax", "Softmax", "sigmoid")
        if loss.function == "kl_div" and squashed is not None:
            yield Problem(
                f"the first argument of {loss.shown} is to be log-probabilities, and is what {_name(squashed)} at "
                f"{line(squashed)} gives",
                where=str(loss.call.place),
                also=(str(squashed.place),),
            )


def _name(call: Call) -> str:
    """What a call is called in a sentence."""
    if call.function_name == "" and call.receiver is not None:
        return library(root(call.receiver)).rpartition(".")[2] or "a module"
    return call.method


@rule("PYS267", Level.WARNING)
def padding_in_the_labels(script: ScriptFacts) -> Iterator[Problem]:
    """The ids of padded text become labels, pads and all.

    Why: the loss counts each pad as a word to be predicted; in short texts most of it is pads, the loss looks small and
    the model learns to end.
    Fix: labels[labels == tokenizer.pad_token_id] = -100
    """
    if _masks(script.trace):
        return
    for event, value in _labels(script.trace):
        for one in alternatives(value):
            padded = _padded(one)
            if padded is not None:
                yield Problem(
                    f"labels are the ids of text that is padded at {line(padded)}, and no pad becomes -100",
                    where=str(event.place),
                    also=(str(padded.place),),
                )
                break


_MASKING = ("LanguageModeling", "CompletionOnlyLM", "WithFlattening", "WholeWordMask", "SFTTrainer", "PermutationLM")


def _masks(trace: Trace) -> bool:
    """Whether anything in the script leaves pads out of a loss: a -100, an ignore_index, a collator that does it."""
    for event in trace.events:
        if isinstance(event, Call):
            if (
                event.method.endswith(_MASKING)
                or "ignore_index" in event.keywords
                or any(map(_is_ignored, event.arguments))
            ):
                return True
        elif isinstance(event, SetItem) and any(map(_is_ignored, lineage(event.value or event.index))):
            return True
    nodes = (node for function in trace.functions.values() for node in ast.walk(function.node))
    return any(isinstance(node, ast.Constant) and node.value in (100, "loss_mask") for node in nodes)


def _is_ignored(value: Value) -> bool:
    return isinstance(value, Constant) and value.value == -100


def _labels(trace: Trace) -> Iterator[tuple[Event, Value]]:
    """What becomes the labels of a batch or row: `x["labels"] = ...`, and the key in a dict that is given back."""
    for event in trace.events:
        if isinstance(event, SetItem) and text(event.index) == "labels" and event.value is not None:
            yield event, event.value
        elif isinstance(event, Returned) and isinstance(event.value, Table):
            found = event.value.get("labels")
            if found is not None:
                yield event, found


def _padded(value: Value) -> Call | None:
    """The padding call of a tokenizer whose input ids, or a copy of them, a value is; None: it is something else."""
    copied = call_of(value, "copy", "clone", "deepcopy", "squeeze", "detach", "flatten", "tensor", "list")
    while copied is not None:
        source = copied.receiver if copied.receiver is not None else copied.argument(0, "data")
        if source is None:
            return None
        value, copied = source, call_of(source, "copy", "clone", "deepcopy", "squeeze", "detach", "flatten")
    if not isinstance(value, Part) or isinstance(value.of, Sequence):
        return None
    key = value.name or text(value.index)
    call = call_of(value.of, "", "__call__", "batch_encode_plus", "encode_plus", "pad")
    if key != "input_ids" or call is None or call.receiver is None or kind(call.receiver) != "tokenizer":
        return None
    padding = call.argument(None, "padding")
    full = text(padding) in ("max_length", "longest") or flag(padding) is True
    return call if full or flag(call.argument(None, "pad_to_max_length")) is True else None


RULES: tuple[Rule, ...] = (
    softmax_before_cross_entropy,
    sigmoid_before_bce_with_logits,
    nll_without_log_softmax,
    bce_of_logits,
    loss_of_class_ids,
    kl_div_of_probabilities,
    padding_in_the_labels,
)
