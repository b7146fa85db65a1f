"""A live model as plain facts: its parameters, its embedding rows, what it takes, what of it is in the checkpoint.

Reads a few rows of the checkpoint's files to compare; loads none of it.
"""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pretune.artifacts.architectures import find
from pretune.artifacts.weight_values import first_values, peekable
from pretune.check.sources.live import rows_of
from pretune.check.sources.live_objects import bases, unwrapped
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pretune.check.facts.loading import LoadingFacts
    from pretune.check.facts.model import WeightFacts

MOST_CHECKED = 400_000_000
"""Values that are looked at for numbers that are not finite; a larger model's first so many."""
FEW = 256
"""Values of a tensor that are compared with the checkpoint's."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its name, sizes, `float32`, whether it is trained, and whether all its values are finite."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    trained: bool
    finite: bool = True

    @property
    def size(self) -> int:
        """How many values."""
        count = 1
        for edge in self.shape:
            count *= edge
        return count


@dataclass(frozen=True, slots=True)
class LiveModel:
    """What the model is.

    Attributes:
        name: its class.
        config: its config as a mapping; empty where it has none.
        rows: rows of the word embedding.
        segments: rows of the segment embedding; None: it has none.
        positions: how many positions there are, where more would crash; None: no such limit, or not known.
        inputs: the parameters of its forward; `open_inputs`: it takes any others as well.
        parameters: in order.
        head: names of parameters that belong to the head; None: not known.
        fresh: names that no tensor of the checkpoint gave their values; None: not known.
        alike: whether the body's values are the checkpoint's; None: not compared. False only where they have nothing
            to do with each other.
        saved_rows: rows of the word embedding in the checkpoint.
        whole: whether the parameters are all here: not sharded, not on the meta device.
        adapted: whether it carries an adapter of peft.
    """

    name: str
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    rows: int | None = None
    segments: int | None = None
    positions: int | None = None
    inputs: tuple[str, ...] = ()
    open_inputs: bool = True
    parameters: tuple[Parameter, ...] = field(default=(), repr=False)
    head: frozenset[str] | None = None
    fresh: frozenset[str] | None = None
    alike: bool | None = None
    saved_rows: int | None = None
    whole: bool = True
    adapted: bool = False

    @property
    def labels(self) -> int | None:
        """How many labels the head tells apart."""
        named = self.config.get("id2label")
        return len(named) if isinstance(named, dict) else None


def read_live_model(model: Any, loading: LoadingFacts | None, weights: WeightFacts | None) -> LiveModel:
    """Look at a model.

    Args:
        model: a torch.nn.Module, maybe wrapped.
        loading: what its checkpoint would load, where that is known.
        weights: the checkpoint's tensors, where there are any.
    """
    inner = unwrapped(model)
    config: Any = getattr(inner, "config", None)
    told = config.to_dict() if hasattr(config, "to_dict") else {}
    architecture = find(told["model_type"]) if isinstance(told.get("model_type"), str) else None
    positions = None
    if architecture is not None and architecture.positions_are_hard(told):
        positions = architecture.positions(told)
    inputs, open_inputs = _inputs(inner)
    named = dict(model.named_parameters())
    whole = not any(_is_elsewhere(parameter) for parameter in named.values())
    own = dict(inner.named_parameters()) if inner is not model else named
    adapted = "peft.PeftModel" in bases(model)
    head = fresh = None
    alike = None
    if loading is not None and loading.model_class == type(inner).__name__ and not adapted:
        outer: dict[int, str] = {id(parameter): name for name, parameter in named.items()}
        called = {str(name): outer.get(id(parameter), str(name)) for name, parameter in own.items()}
        head = _called(called, (name for name, one in loading.expected.items() if one.role == "head"))
        missing = [one.name for one in loading.missing]
        fresh = _called(called, [*missing, *(one.expected.name for one in loading.mismatched)])
        alike = _alike(own, loading, weights) if whole and weights is not None else None
    return LiveModel(
        name=type(inner).__name__,
        config=told,
        rows=rows_of(inner),
        segments=_rows_named(inner, "token_type_embeddings"),
        positions=positions,
        inputs=inputs,
        open_inputs=open_inputs,
        parameters=tuple(_parameters(named, whole=whole)),
        head=head,
        fresh=fresh,
        alike=alike,
        saved_rows=weights.embedding_rows if weights is not None else None,
        whole=whole,
        adapted=adapted,
    )


def _called(names: Mapping[str, str], wanted: Iterable[str]) -> frozenset[str]:
    return frozenset(names[name] for name in wanted if name in names)


def _is_elsewhere(parameter: Any) -> bool:
    """Whether its values are not in this process: sharded, or not there yet."""
    return str(parameter.device) == "meta" or hasattr(parameter, "placements") or hasattr(parameter, "ds_id")


def _parameters(named: Mapping[str, Any], *, whole: bool) -> Iterable[Parameter]:
    """Each parameter; its values are looked at as far as MOST_CHECKED goes."""
    left = MOST_CHECKED if whole else 0
    for name, parameter in named.items():
        left -= parameter.numel()
        finite = True
        if left >= 0 and parameter.is_floating_point() and parameter.numel():
            total = parameter.detach().float().sum() if parameter.element_size() < 4 else parameter.detach().sum()
            finite = bool(total.isfinite()) or bool(parameter.detach().isfinite().all())
        dtype = str(parameter.dtype).removeprefix("torch.")
        yield Parameter(name, tuple(parameter.shape), dtype, bool(parameter.requires_grad), finite)


def _inputs(model: Any) -> tuple[tuple[str, ...], bool]:
    try:
        parameters = inspect.signature(model.forward).parameters.values()
    except (TypeError, ValueError):
        return (), True
    names = tuple(
        one.name for one in parameters if one.kind is not one.VAR_KEYWORD and one.kind is not one.VAR_POSITIONAL
    )
    return names, any(one.kind is one.VAR_KEYWORD for one in parameters)


def _rows_named(model: Any, ending: str) -> int | None:
    """Rows of the embedding whose module is called so."""
    for name, module in model.named_modules():
        if name.endswith(ending):
            shape: Any = getattr(getattr(module, "weight", None), "shape", ())
            return int(shape[0]) if len(shape) == 2 else None
    return None


def _alike(own: Mapping[str, Any], loading: LoadingFacts, weights: WeightFacts | None) -> bool | None:
    """Whether the first values of a few tensors of the body go along with the checkpoint's.

    Trained weights stay close to where they began (their cosine is near 1); random ones have a cosine near 0. Tensors
    whose values are all one (biases, norms) tell nothing.
    """
    assert weights is not None
    cosines: list[float] = []
    for name in loading.body:
        tensor, parameter = loading.loaded.get(name), own.get(name)
        if tensor is None or parameter is None or len(tensor.shape) != 2 or tuple(parameter.shape) != tensor.shape:
            continue
        if not peekable(tensor) or len(cosines) == 6:
            continue
        try:
            saved = first_values(weights.source, tensor, FEW)
        except (UserError, ValueError):
            continue
        cosine = _cosine(saved, parameter.detach().reshape(-1)[: len(saved)].float().tolist())
        if cosine is not None:
            cosines.append(cosine)
    if len(cosines) < 3:
        return None
    if max(abs(cosine) for cosine in cosines) > 0.5:
        return True
    return False if _is_new(own, loading.body) else None


def _is_new(own: Mapping[str, Any], body: Iterable[str]) -> bool:
    """Whether all biases are zero and all norms one, as before any training; a model without either tells nothing."""
    biases = [own[name].detach() for name in body if name in own and name.endswith(".bias")][:16]
    norms = [own[name].detach() for name in body if name in own and name.endswith("orm.weight")][:16]
    return bool(biases or norms) and not any(one.any() for one in biases) and all((one == 1).all() for one in norms)


def _cosine(one: Iterable[float], other: Iterable[float]) -> float | None:
    """None where one of them is nothing but zeros or holds NaN, or is too short to tell."""
    pairs = list(zip(one, other, strict=True))
    lengths = [sum(pair[at] ** 2 for pair in pairs) ** 0.5 for at in (0, 1)]
    if len(pairs) < 64 or not all(lengths):
        return None
    cosine = float(sum(first * second for first, second in pairs) / (lengths[0] * lengths[1]))
    return cosine if math.isfinite(cosine) else None
