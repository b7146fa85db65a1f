"""Which tensors of a model type follow vocab_size, from the tables of architectures. Reads no file of the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pretune.artifacts.architectures import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pretune.artifacts.architectures import Architecture, Expected
    from pretune.artifacts.config import Config
    from pretune.artifacts.tensor_table import Tensor

EMBEDDING_ENDINGS = (
    "embeddings.word_embeddings.weight",
    "word_embeddings.weight",
    "word_embedding.weight",
    "embed_tokens.weight",
    "tok_embeddings.weight",
    "tokens_embed.weight",
    "token_embedding.weight",
    "token_embeddings.weight",
    "wte.weight",
    "shared.weight",
    "embed_in.weight",
)
"""How word embeddings are named in models without a table here, the most telling ending first."""

HEAD_ENDINGS = (
    "lm_head.weight",
    "embed_out.weight",
    "output.weight",
    "lm_head.decoder.weight",
    "predictions.decoder.weight",
    "output_projection.weight",
    "vocab_projector.weight",
    "generator_lm_head.weight",
    "lm_loss.weight",
    "decoder.weight",
)
"""The same for the layer that gives every id its score."""

BIAS_ENDINGS = (
    "predictions.bias",
    "predictions.decoder.bias",
    "lm_head.bias",
    "lm_head.decoder.bias",
    "vocab_projector.bias",
    "generator_lm_head.bias",
    "lm_loss.bias",
    "decoder.bias",
    "embed_out.bias",
    "final_logits_bias",
)
"""And for what is added to the scores."""

_MORE = 4096
"""By how much vocab_size is moved to see what follows it; more than any model type pads to."""


@dataclass(frozen=True, slots=True)
class IdShape:
    """What a tensor has one row an id for.

    Attributes:
        role: "input", "output", "bias".
        axis: where the ids are.
        tied_to: the tensor of the file whose values it repeats; empty: none.
    """

    role: Literal["input", "output", "bias"]
    axis: int = 0
    tied_to: str = ""


def id_shapes(config: Config, tensors: Mapping[str, Tensor]) -> dict[str, IdShape]:
    """Tensor of the file -> what it is, for those that follow vocab_size; under "" the declared class's head.

    Empty for a model type without a table.
    """
    found: dict[str, IdShape] = {}
    parts = [(config.text_architecture, config.text)]
    if config.architecture is not config.text_architecture:
        parts.append((config.architecture, config.raw))
    declared = config.architectures[:1]
    for architecture, values in parts:
        if architecture is None or not architecture.config_class:
            continue
        head = _Names(architecture, tensors)
        for model_class in dict.fromkeys((*declared, *architecture.classes.values())):
            rows = dict(_following(architecture, values, model_class))
            for name, (expected, axis) in rows.items():
                stored = head.stored(name)
                tied = head.stored(expected.tied_to) if expected.tied_to else ""
                if stored and stored not in found and len(tensors[stored].shape) == len(expected.shape):
                    found[stored] = IdShape(_role(expected), axis, tied if tied != stored else "")
                if model_class in declared and name == architecture.lm_head(model_class):
                    found.setdefault("", IdShape("output", tied_to=expected.tied_to or ""))
    return found


def _following(
    architecture: Architecture, values: Mapping[str, Any], model_class: str
) -> Iterator[tuple[str, tuple[Expected, int]]]:
    """The tensors of a class whose shape follows vocab_size, each with the axis that does."""
    key = architecture.attribute_map.get("vocab_size", "vocab_size")
    size = architecture.resolved(values).get(key)
    if not isinstance(size, int) or isinstance(size, bool):
        return
    try:
        now = architecture.tensors({**values, key: size}, model_class)
        then = architecture.tensors({**values, key: size + _MORE}, model_class)
    except Unknown:
        return
    for name, expected in now.items():
        axes = [axis for axis, side in enumerate(expected.shape) if side != then[name].shape[axis]]
        if len(axes) == 1:
            yield name, (expected, axes[0])


def _role(expected: Expected) -> Literal["input", "output", "bias"]:
    if len([side for side in expected.shape if side != 1]) < 2 or expected.name.endswith("bias"):
        return "bias"
    return "input" if expected.role == "embedding" else "output"


class _Names:
    """Finds the tensor of a file that a class calls by some name: behind any prefix, or under an old name.

    Args:
        architecture: whose names they are.
        tensors: of the file.
    """

    def __init__(self, architecture: Architecture, tensors: Mapping[str, Tensor]) -> None:
        self.prefix = f"{architecture.base_prefix}."
        self.names: dict[str, str] = {}
        for name in tensors:
            if len(tensors[name].shape) > 2:
                continue
            now = architecture.renamed(name)
            for each in {name, now.names[0] if len(now.names) == 1 and not now.operations else name}:
                for behind in _endings(each):
                    self.names.setdefault(behind, name)
                    if len(name) < len(self.names[behind]):
                        self.names[behind] = name

    def stored(self, name: str) -> str:
        """The file's name of it; empty: the file has none."""
        return self.names.get(name) or self.names.get(name.removeprefix(self.prefix)) or ""


def _endings(name: str) -> Iterator[str]:
    """`a.b.c`, `b.c`, `c`, of more than one part unless it is the whole."""
    yield name
    at = name.find(".")
    while at >= 0:
        rest = name[at + 1 :]
        if "." in rest:
            yield rest
        at = name.find(".", at + 1)
