"""A model and its tokenizer from a folder or a hub name, ready to be asked: load, Loaded. Knows transformers.

Loads the base model without a head (the encoder of an encoder-decoder), never code that comes with the model, and
notes which weights were not in the file: a pooler that was just made up represents nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.artifacts.source import locate
from pretune.core.errors import UserError
from pretune.core.extras import need
from pretune.pool.architecture import look, sentence_token
from pretune.pool.declared import declared_choice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.pool.architecture import Looks
    from pretune.pool.declared import Declared

DTYPES = ("float32", "bfloat16", "float16")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that can be swept.

    Attributes:
        name: as the user said it.
        model: base model in evaluation mode.
        tokenizer: its tokenizer.
        declared: the pooling that its files declare.
        looks: what tiny forward passes showed.
        sentence_token: index of the token that stands for a sentence; None where no token does.
        max_length: tokens read at most; None: no limit known.
        made_up: weights that the file did not have and the base model needs.
        untrained_pooler: the pooler has weights that no training has touched: made up, or a bias of zeros alone.
    """

    name: str
    model: Any
    tokenizer: Any
    declared: Declared
    looks: Looks
    sentence_token: int | None
    max_length: int | None
    made_up: tuple[str, ...] = ()
    untrained_pooler: bool = False


def load(name: str, *, device: str = "cpu", dtype: str = "float32") -> Loaded:
    """Load a model for sweeping.

    Args:
        name: a folder, or a name on the hub.
        device: as torch writes it: `cpu`, `cuda`, `cuda:1`, `mps`.
        dtype: one of DTYPES, of the weights and the passes.

    Raises:
        UserError: there is no such model, no tokenizer, no such device, or transformers cannot load it.
    """
    torch, transformers = need("torch", extra="pool"), need("transformers", extra="pool")
    source = locate(name)
    if dtype not in DTYPES:
        raise UserError(f"no dtype {dtype!r}", hint=f"one of {', '.join(DTYPES)}")
    folder = _base_folder(source, name)
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        model, info = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        raise UserError(
            f"transformers cannot load {name}: {_first_line(error)}", hint=f"`pretune check {name}` says more"
        ) from error
    if model.config.is_encoder_decoder:
        model = model.get_encoder()
    model.eval()
    looks = look(model)
    sample = tokenizer("a", return_special_tokens_mask=True)
    marks = [bool(one) for one in sample["special_tokens_mask"]]
    cls = [one == tokenizer.cls_token_id for one in sample["input_ids"]]
    declared = declared_choice(source, model.config.to_dict())
    made_up = tuple(sorted(info["missing_keys"]))
    return Loaded(
        name=name,
        model=_placed(model, device, getattr(torch, dtype)),
        tokenizer=tokenizer,
        declared=declared,
        looks=looks,
        sentence_token=sentence_token(looks, marks, cls=cls),
        max_length=_max_length(declared, tokenizer, model),
        made_up=made_up,
        untrained_pooler=_untrained(model, made_up),
    )


def _base_folder(source: Any, name: str) -> str:
    """Where the transformer itself lies: the folder, or its `0_Transformer` in older sentence-transformers models."""
    inner = "0_Transformer/config.json"
    if source.has("config.json") or not source.has(inner):
        return name
    path = source.path(inner)
    return str(path.parent) if path is not None else name


def _placed(model: Any, device: str, dtype: Any) -> Any:
    """The model on its device and in its precision."""
    try:
        return model.to(device=device, dtype=dtype)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"device {device!r} cannot be used: {_first_line(error)}", hint="try --device cpu") from error


def _max_length(declared: Declared, tokenizer: Any, model: Any) -> int | None:
    """The smallest of what sentence-transformers, the tokenizer and the model's positions allow."""
    limits = [declared.max_length] if declared.max_length else []
    if 0 < tokenizer.model_max_length < 10**6:
        limits.append(int(tokenizer.model_max_length))
    positions = _positions(model)
    if positions:
        limits.append(positions)
    return min(limits, default=None)


def _positions(model: Any) -> int | None:
    """Rows of a learned table of positions that a text can use; RoBERTa's begins behind its padding row."""
    import torch

    for name, part in model.named_modules():
        if isinstance(part, torch.nn.Embedding) and name.endswith(("position_embeddings", "embed_positions", "wpe")):
            offset = 0 if part.padding_idx is None else part.padding_idx + 1
            return int(part.num_embeddings) - offset
    return None


def _untrained(model: Any, made_up: Sequence[str]) -> bool:
    """Whether there is a pooler that no training can have touched."""
    if any("pooler" in key for key in made_up):
        return True
    biases = [value for key, value in model.named_parameters() if "pooler" in key and key.endswith("bias")]
    return bool(biases) and not any(bool(value.any()) for value in biases)


def _first_line(error: BaseException) -> str:
    """The first line of an error's text, for one line of ours."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
