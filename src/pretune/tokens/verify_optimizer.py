"""Whether an optimizer holds the tables that the model has now: pitfall 6, on live objects. Imports no torch.

A file cannot show this without being unpickled; who resized a model asks before the first step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.tokens.verify_result import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLACE = "optimizer"


def optimizer_faults(model: Any, optimizer: Any) -> tuple[Fault, ...]:
    """What an optimizer that was made before `resize_token_embeddings` still holds.

    Args:
        model: a transformers model (`get_input_embeddings`, `get_output_embeddings`, `parameters`).
        optimizer: a torch optimizer (`param_groups`, `state`).
    """
    return tuple(_faults(model, optimizer))


def _faults(model: Any, optimizer: Any) -> Iterator[Fault]:
    held = {id(one): one for group in optimizer.param_groups for one in group["params"]}
    own = {id(one) for one in model.parameters()}
    tables = {
        "input embedding": _weight(model, "get_input_embeddings"),
        "output embedding": _weight(model, "get_output_embeddings"),
    }
    here = {name: weight for name, weight in tables.items() if weight is not None}
    if not held or not (own & held.keys()):
        return  # the optimizer of another model, or of frozen parts
    stale = [one for at, one in held.items() if at not in own and len(one.shape) == 2]
    seen: set[int] = set()
    for name, weight in here.items():
        if id(weight) in seen:
            continue  # tied
        seen.add(id(weight))
        rows, width = int(weight.shape[0]), int(weight.shape[1])
        former = [int(one.shape[0]) for one in stale if one.shape[1] == width and one.shape[0] != rows]
        if weight.requires_grad and id(weight) not in held and former:
            message = (
                f"the optimizer holds a table of {former[0]:,} rows that the model no longer has, and not its "
                f"{name} of {rows:,}: it was made before the resize, and new rows are never trained; make it again"
            )
            yield Fault("optimizer-holds-old-table", message, _PLACE, "error", 6)
            continue
        state = optimizer.state.get(weight, {}) if id(weight) in held else {}
        shapes = {
            key: tuple(value.shape)
            for key, value in state.items()
            if len(getattr(value, "shape", ())) == 2 and tuple(value.shape) != (rows, width)
        }
        if shapes:
            key, shape = next(iter(shapes.items()))
            message = (
                f"the optimizer's {key} of the {name} has {shape[0]:,} rows and the table {rows:,}: its next step "
                "fails; make it after the resize"
            )
            yield Fault("optimizer-state-does-not-fit", message, _PLACE, "error", 6)


def _weight(model: Any, getter: str) -> Any:
    """The weight of a module that a getter gives; None where there is none."""
    module = getattr(model, getter, lambda: None)()
    weight = getattr(module, "weight", None)
    return weight if weight is not None and len(weight.shape) == 2 else None
