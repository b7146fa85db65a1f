"""What `from_pretrained` would make of a checkpoint: what it loads, misses, leaves over, and cannot fit. Loads nothing.

Follows transformers 5.23 (`core_model_loading.convert_and_load_state_dict_in_model`): old names are renamed, the base
model's prefix is added or removed where that fits, `module.` and other wrappings are not removed, and tied tensors
stand in for each other. Knows only architectures that have a table, and no quantised checkpoints (other shapes).
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pretune.artifacts.architectures import Unknown
from pretune.check.finding import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pretune.artifacts.architectures import Architecture, Expected
    from pretune.artifacts.weights import Tensor
    from pretune.check.facts.model import ModelFacts, WeightFacts

WRAPPERS = ("module.", "_orig_mod.", "_fsdp_wrapped_module.", "model.module.", "base_model.model.")
"""What DataParallel, torch.compile, FSDP, Lightning and peft put before every name."""

PREFIXES = frozenset({
    "albert", "bert", "big_bird", "convbert", "deberta", "distilbert", "electra", "esm", "flaubert", "funnel",
    "ibert", "layoutlm", "longformer", "mobilebert", "mpnet", "nezha", "nystromformer", "rembert", "roberta",
    "roformer", "squeezebert", "xmod", "yoso",
})  # fmt: skip
"""First parts of tensor names that tell an architecture; `model.` and `transformer.` belong to many."""

CLASS_RENAMES: Mapping[str, tuple[str, str]] = {"GPTNeoXForCausalLM": ("embed_out.", "lm_head.")}
"""Names that from_pretrained changes for one class alone (transformers 5.23, `conversion_mapping.py`)."""

_LAYER = re.compile(r"(?<=\.)\d+(?=\.)")


@dataclass(frozen=True, slots=True)
class Stray:
    """A stored tensor that the model has no place for, and the role it would have: body, embedding, pooler, head."""

    tensor: Tensor
    role: str


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A stored tensor whose shape the model cannot take."""

    expected: Expected
    tensor: Tensor


@dataclass(frozen=True)
class LoadingFacts:
    """What becomes of each tensor.

    Attributes:
        model_class: the class that would be built.
        expected: every tensor it has, by name.
        loaded: the name in the model -> the stored tensor that fits it.
        missing: tensors of the model that the checkpoint does not give; they start random.
        unexpected: stored tensors that are left out.
        mismatched: stored tensors of another shape: an error, or random with ignore_mismatched_sizes.
        wrapper: what stands before nearly all stored names and does not belong to them (`module.`); else nothing.
    """

    model_class: str
    expected: Mapping[str, Expected] = field(repr=False)
    loaded: Mapping[str, Tensor] = field(repr=False)
    missing: tuple[Expected, ...] = ()
    unexpected: tuple[Stray, ...] = ()
    mismatched: tuple[Mismatch, ...] = ()
    wrapper: str = ""

    @cached_property
    def body(self) -> tuple[str, ...]:
        """Names of the tensors that are not the head's."""
        return tuple(name for name, expected in self.expected.items() if expected.role != "head")

    @property
    def body_loaded(self) -> int:
        """How many of those are loaded."""
        return sum(name in self.loaded for name in self.body)

    def missing_of(self, *roles: str) -> tuple[Expected, ...]:
        """The missing tensors of these roles."""
        return tuple(expected for expected in self.missing if expected.role in roles)

    def mismatched_of(self, *roles: str) -> tuple[Mismatch, ...]:
        """The tensors of these roles that do not fit."""
        return tuple(mismatch for mismatch in self.mismatched if mismatch.expected.role in roles)

    def unexpected_of(self, *roles: str) -> tuple[Tensor, ...]:
        """The stored tensors of these roles that are left out."""
        return tuple(stray.tensor for stray in self.unexpected if stray.role in roles)


def read_loading(model: ModelFacts, weights: WeightFacts) -> LoadingFacts:
    """What loading the checkpoint into the Setup's model class would do.

    Raises:
        Unavailable: the class or its architecture is not known here, or the checkpoint is quantised.
    """
    architecture = model.architecture
    if architecture is None:
        raise Unavailable(f'the model type "{model.model_type}" has no table here, so its tensors are not known')
    if model.model_class is None:
        raise Unavailable(
            f"{model.asked_class} cannot be resolved for {model.model_type}"
            if model.asked_class
            else "neither the setup nor the config says which class is built (--class or --task)"
        )
    if model.stored.quantization:
        raise Unavailable("the checkpoint is quantised, its tensors are stored in other shapes")
    if not weights.table.tensors:
        raise Unavailable(f"{model.name} holds no weights that from_pretrained loads")
    if not weights.table.complete:
        raise Unavailable(f"the checkpoint cannot be read in full: {weights.table.troubles[0].message}")
    try:
        expected = dict(architecture.tensors(model.effective, model.model_class))
    except Unknown as why:
        raise Unavailable(f"what {model.model_class} should hold is not known: {why}") from None
    expected = {name: tensor for name, tensor in expected.items() if 0 not in tensor.shape}
    if model.arguments.get("add_pooling_layer") is False:
        expected = {name: tensor for name, tensor in expected.items() if tensor.role != "pooler"}
    stored = {name: tensor for name, tensor in weights.table.tensors.items() if 0 not in tensor.shape}
    return match(architecture, model.model_class, expected, stored)


def match(
    architecture: Architecture, model_class: str, expected: Mapping[str, Expected], stored: Mapping[str, Tensor]
) -> LoadingFacts:
    """Put each stored tensor to the place that transformers would give it."""
    loaded: dict[str, Tensor] = {}
    mismatched: list[Mismatch] = []
    strays: list[Tensor] = []
    old, new = CLASS_RENAMES.get(model_class, ("", ""))
    for tensor in stored.values():
        name = tensor.name.replace(old, new, 1) if old and tensor.name.startswith(old) else tensor.name
        names, converted = places_of(name, architecture, expected)
        if not names:
            strays.append(tensor)
        for name in names:
            if converted or fits(expected[name].shape, tensor.shape):
                loaded[name] = tensor
            else:
                mismatched.append(Mismatch(expected[name], tensor))
    there = set(loaded) | {mismatch.expected.name for mismatch in mismatched}
    missing = tuple(
        tensor
        for name, tensor in expected.items()
        if name not in there
        and not _tied(tensor, expected, there)
        and not architecture.ignores(model_class, name, when="missing")
    )
    skeletons = _skeletons(expected.values())
    return LoadingFacts(
        model_class=model_class,
        expected=expected,
        loaded=loaded,
        missing=missing,
        unexpected=tuple(
            Stray(tensor, role_of(tensor.name, architecture, skeletons))
            for tensor in strays
            if not architecture.ignores(model_class, tensor.name, when="unexpected")
        ),
        mismatched=tuple(mismatched),
        wrapper=wrapper_of(stored, architecture, expected),
    )


def places_of(name: str, architecture: Architecture, expected: Mapping[str, Expected]) -> tuple[tuple[str, ...], bool]:
    """The model's tensors that a stored name becomes, and whether its values are converted (have another shape)."""
    renamed = architecture.renamed(name)
    names = tuple(_with_prefix(one, architecture.base_prefix, expected) for one in renamed.names)
    if names[0] not in expected and name in expected:
        return (_with_prefix(name, architecture.base_prefix, expected),), False
    return tuple(one for one in names if one in expected), bool(renamed.operations)


def fits(expected: tuple[int | None, ...], found: tuple[int, ...]) -> bool:
    """Whether a shape is the expected one; None stands for a size that is not known."""
    return len(expected) == len(found) and all(want in {None, have} for want, have in zip(expected, found, strict=True))


def _with_prefix(name: str, prefix: str, expected: Mapping[str, Expected]) -> str:
    """The name with the base model's prefix removed or added, where that is a name of the model."""
    if not prefix:
        return name
    if name.startswith(prefix) and name[len(prefix) + 1 :] in expected:
        return name[len(prefix) + 1 :]
    longer = f"{prefix}.{name}"
    return longer if longer in expected else name


def _tied(tensor: Expected, expected: Mapping[str, Expected], there: set[str]) -> bool:
    """Whether another tensor that is there gives this one its values (tying goes both ways in from_pretrained)."""
    source = tensor.tied_to or tensor.name
    family = {source} | {name for name, other in expected.items() if other.tied_to == source}
    return len(family) > 1 and not family.isdisjoint(there)


def _skeletons(tensors: Iterable[Expected]) -> Mapping[str, str]:
    """Names with every layer number replaced -> their role."""
    return {_LAYER.sub("#", tensor.name): tensor.role for tensor in tensors}


def role_of(name: str, architecture: Architecture, skeletons: Mapping[str, str]) -> str:
    """What a stored tensor without a place is: a layer too many is body, whatever has no counterpart is head."""
    prefix = architecture.base_prefix
    skeleton = _LAYER.sub("#", architecture.renamed(name).names[0])
    for spelled in (skeleton, f"{prefix}.{skeleton}", skeleton.removeprefix(f"{prefix}.")):
        if spelled in skeletons:
            return skeletons[spelled]
    return "pooler" if ".pooler." in f".{skeleton}" else "head"


def wrapper_of(stored: Mapping[str, Tensor], architecture: Architecture, expected: Mapping[str, Expected]) -> str:
    """What stands before nearly all names and, taken away, makes them the model's: `module.`; else nothing."""
    names = list(stored)
    for wrapper in (*WRAPPERS, *_first_words(names)):
        if wrapper[:-1] in PREFIXES:
            continue  # another architecture's weights, not a wrapper
        inner = [name.removeprefix(wrapper) for name in names if name.startswith(wrapper)]
        if len(inner) * 2 <= len(names):
            continue
        fits_inside = sum(bool(places_of(name, architecture, expected)[0]) for name in inner)
        fits_outside = sum(bool(places_of(wrapper + name, architecture, expected)[0]) for name in inner)
        if fits_inside * 2 > len(inner) and not fits_outside:
            return wrapper
    return ""


def _first_words(names: Iterable[str]) -> tuple[str, ...]:
    """The first part of the names that most of them begin with (`model.`, `bert_model.`)."""
    counts: defaultdict[str, int] = defaultdict(int)
    for name in names:
        head, dot, _ = name.partition(".")
        counts[head + dot] += 1
    return tuple(sorted((word for word in counts if word.endswith(".")), key=lambda word: -counts[word])[:1])
