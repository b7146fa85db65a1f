"""Where a script computes a loss: which function, of what, against what. Knows no rule and no model's own loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pretune.check.facts.script_flow import call_of, library
from pretune.script.choices import alternatives
from pretune.script.kinds import kind, root
from pretune.script.values import Constant, Made, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pretune.script.trace import Call, Trace
    from pretune.script.values import Value

FUNCTIONS = {
    "CrossEntropyLoss": "cross_entropy", "BCEWithLogitsLoss": "binary_cross_entropy_with_logits",
    "BCELoss": "binary_cross_entropy", "NLLLoss": "nll_loss", "KLDivLoss": "kl_div", "MSELoss": "mse_loss",
    "L1Loss": "l1_loss", "SmoothL1Loss": "smooth_l1_loss", "HuberLoss": "huber_loss",
    "MultiLabelSoftMarginLoss": "multilabel_soft_margin_loss",
}  # fmt: skip
"""Loss modules of torch -> the function that they call."""
_SAME_NUMBERS = {
    "view", "reshape", "squeeze", "unsqueeze", "flatten", "permute", "transpose", "contiguous", "to", "float", "double",
    "half", "cuda", "cpu", "clone", "t", "masked_select", "index_select", "gather", "type", "type_as",
}  # fmt: skip
"""Methods that give a tensor of the same numbers, in another shape or place."""


@dataclass(frozen=True, slots=True, eq=False)
class Loss:
    """A loss that is computed.

    Attributes:
        call: the call.
        function: torch's name: `cross_entropy`.
        shown: as the script has it: `CrossEntropyLoss`.
        of: what the loss is of: logits, probabilities.
        against: labels; None: not known.
        made: the call that made the module; the call itself for a function.
    """

    call: Call
    function: str
    shown: str
    of: Value
    against: Value | None
    made: Call


def losses(trace: Trace) -> Iterator[Loss]:
    """The losses that a script computes with torch's modules and functions, in order."""
    for call in trace.calls():
        if call.function_name.startswith("torch.nn.functional.") and call.method in FUNCTIONS.values():
            shown, made = f"F.{call.method}", call
            function = call.method
        elif call.function_name in ("", ".forward") and call.receiver is not None:
            module = root(call.receiver)
            name = library(module).rpartition(".")[2]
            if name not in FUNCTIONS or not library(module).startswith("torch.nn.") or not isinstance(module, Made):
                continue
            shown, function, made = name, FUNCTIONS[name], module.call
        else:
            continue
        of = call.argument(0, "input")
        if of is not None:
            yield Loss(call, function, shown, of, call.argument(1, "target"), made)


def peeled(value: Value) -> Value:
    """A tensor before it was reshaped, moved or cut; one that was made otherwise is itself."""
    while True:
        if isinstance(value, Made) and value.call.receiver is not None and value.call.method in _SAME_NUMBERS:
            value = value.call.receiver
        elif isinstance(value, Part) and value.index is not None and not _is_key(value.index):
            if call_of(value.of, "max", "min", "topk", "sort", "split", "chunk", "unbind") is not None:
                return value
            inner = peeled(value.of)
            if inner is value.of and not isinstance(inner, Made):
                return value
            if (
                isinstance(inner, Made)
                and inner.call.function_name == ""
                and kind(inner.call.receiver or inner) == "model"
            ):
                return value
            value = inner
        else:
            return value


def _is_key(index: Value) -> bool:
    return isinstance(index, Constant) and isinstance(index.value, str)


def passed_through(value: Value, *names: str) -> Call | None:
    """The call of a function or module of torch that gave a tensor, in each way it can have come about; else None.

    Args:
        value: the tensor.
        names: last parts of names: `softmax`, `Softmax`.
    """
    return _each(value, lambda one: _given_by(one, names))


def _each(value: Value, find: Callable[[Value], Call | None]) -> Call | None:
    found = [find(peeled(one)) for one in alternatives(value)]
    return found[0] if found and all(one is not None for one in found) else None


def _given_by(value: Value, names: tuple[str, ...]) -> Call | None:
    call = call_of(value)
    if call is None:
        return None
    if call.method in names and (call.receiver is not None or call.function_name.startswith("torch.")):
        return call
    if call.function_name != "" or call.receiver is None:
        return None
    module = root(call.receiver)
    if library(module) == "torch.nn.Sequential" and isinstance(module, Made) and module.call.arguments:
        module = root(module.call.arguments[-1])
    name = library(module)
    return call if name.startswith("torch.nn.") and name.rpartition(".")[2] in names else None


def class_ids(value: Value) -> Call | None:
    """The call that chose the most likely class, where a value is surely such ids."""
    return _each(value, _chosen)


def _chosen(value: Value) -> Call | None:
    call = call_of(value, "argmax")
    if call is not None:
        return call
    if isinstance(value, Part):
        second = (isinstance(value.index, Constant) and value.index.value == 1) or value.name == "indices"
        call = call_of(value.of, "max", "topk")
        if second and call is not None and (len(call.arguments) > (call.receiver is None) or call.keywords):
            return call
    return None


def raw_logits(value: Value) -> bool:
    """Whether a value is surely what a head gives, before any softmax or sigmoid."""
    return all(_is_raw(peeled(one)) for one in alternatives(value))


def _is_raw(value: Value) -> bool:
    if isinstance(value, Part):
        named = value.name == "logits" or (isinstance(value.index, Constant) and value.index.value == "logits")
        call = call_of(value.of)
        return named and call is not None and call.receiver is not None and kind(call.receiver) == "model"
    call = call_of(value)
    return (
        call is not None
        and call.function_name == ""
        and call.receiver is not None
        and library(root(call.receiver)) == "torch.nn.Linear"
    )
