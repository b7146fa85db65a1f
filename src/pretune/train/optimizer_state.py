"""An optimizer's state by the names of parameters, as tensors and JSON, and back. Knows no files and no pickles.

torch counts parameters (0, 1, ...), so that one more frozen layer shifts all states to other weights without a word;
with names such a change is seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

_STATE = "state/"


def optimizer_tensors(model: Any, optimizer: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The tensors of an optimizer's state by name, and the rest of it as JSON.

    Args:
        model: whose parameters it moves.
        optimizer: of torch, in any wrappers that keep it as `.optimizer`.
    """
    inner = plain_optimizer(optimizer)
    names = _names(model)
    tensors: dict[str, Any] = {}
    scalars: dict[str, dict[str, Any]] = {}
    for parameter, state in inner.state.items():
        name = names[id(parameter)]
        for key, value in state.items():
            if _is_tensor(value):
                tensors[f"{_STATE}{name}/{key}"] = value.detach()
            else:
                scalars.setdefault(name, {})[key] = value
    groups = [
        {**group, "params": [names[id(parameter)] for parameter in group["params"]]} for group in inner.param_groups
    ]
    return tensors, {"groups": groups, "scalars": scalars}


def load_optimizer(model: Any, optimizer: Any, tensors: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Give an optimizer the state that `optimizer_tensors` told; the tensors are copied.

    Raises:
        UserError: it moves other parameters, or in other groups.
    """
    inner = plain_optimizer(optimizer)
    names = _names(model)
    here = [[names[id(parameter)] for parameter in group["params"]] for group in inner.param_groups]
    there = [group["params"] for group in settings["groups"]]
    if here != there:
        raise UserError(
            f"the checkpoint's optimizer moves other parameters: {_first_difference(there, here)}",
            hint="resume with the model, frozen layers and groups that it was written with",
        )
    parameters = [parameter for group in inner.param_groups for parameter in group["params"]]
    numbers = {names[id(parameter)]: number for number, parameter in enumerate(parameters)}
    state: dict[int, dict[str, Any]] = {}
    for name, value in tensors.items():
        if name.startswith(_STATE):
            parameter, _, key = name.removeprefix(_STATE).rpartition("/")
            number = numbers[parameter]
            state.setdefault(number, {})[key] = like(value.clone(), parameters[number])
    for parameter, rest in settings["scalars"].items():
        state.setdefault(numbers[parameter], {}).update(rest)
    packed, start = [], 0
    for group, own in zip(settings["groups"], inner.param_groups, strict=True):
        count = len(group["params"])
        values = {key: tuple(value) if isinstance(own.get(key), tuple) else value for key, value in group.items()}
        packed.append({**values, "params": list(range(start, start + count))})
        start += count
    inner.load_state_dict({"state": state, "param_groups": packed})


def plain_optimizer(wrapped: Any) -> Any:
    """The optimizer of torch in its wrappers (accelerate's)."""
    while hasattr(wrapped, "optimizer"):
        wrapped = wrapped.optimizer
    return wrapped


def plain_scheduler(wrapped: Any) -> Any:
    """The schedule in its wrappers (accelerate's)."""
    while hasattr(wrapped, "scheduler"):
        wrapped = wrapped.scheduler
    return wrapped


def whole(tensor: Any) -> Any:
    """A tensor that is sharded over processes, gathered in the memory of the CPU; another one as it is."""
    gather = getattr(tensor, "full_tensor", None)
    return tensor if gather is None else gather().cpu()


def like(tensor: Any, model: Any) -> Any:
    """A whole tensor, sharded as `model` is when that is sharded and of the same shape."""
    mesh = getattr(model, "device_mesh", None)
    if mesh is None or tensor.shape != model.shape:
        return tensor
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(tensor.to(model.device), mesh, model.placements)


def _names(model: Any) -> dict[int, str]:
    """The name of each parameter by its id."""
    return {id(parameter): name for name, parameter in model.named_parameters()}


def _first_difference(there: list[list[str]], here: list[list[str]]) -> str:
    one, other = {name for group in there for name in group}, {name for group in here for name in group}
    for names, where in ((one - other, "only there"), (other - one, "only here")):
        if names:
            return f"{min(names)}{f' and {len(names) - 1} more' if len(names) > 1 else ''} {where}"
    return f"groups of {[len(group) for group in there]} there, of {[len(group) for group in here]} here"


def _is_tensor(value: object) -> bool:
    return hasattr(value, "storage") or hasattr(value, "full_tensor")
