"""A model and its tokenizer from a folder or a hub name, or live, ready to be asked: load, load_objects, Loaded.

Loads the base model without a head (the encoder of an encoder-decoder), never code that comes with the model, and
notes which weights were not in the file: a pooler that was just made up represents nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pretune.artifacts.source import locate
from pretune.artifacts.vocabulary import vocabulary_files
from pretune.core.errors import UserError
from pretune.core.extras import need
from pretune.pool.architecture import look, sentence_token
from pretune.pool.declared import declared_by_objects, declared_choice
from pretune.pool.loading_refused import first_line, may_be_read, refusal, without_tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pretune.pool.architecture import Looks
    from pretune.pool.declared import Declared

ENCODER = "EncoderModel"
"""How the class of an encoder-decoder's encoder is called in transformers: T5EncoderModel."""
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
        made_up: weights that the file did not have and this model needs: they are random.
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
    base = source if folder == name else locate(folder)
    may_be_read(base)
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        whole, info = _auto_class(folder).from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    except Exception as error:
        raise refusal(base, error) from error
    if not vocabulary_files(base) and len(tokenizer) <= len(tokenizer.all_special_ids):
        raise without_tokenizer(base)  # transformers 5 makes one of special tokens alone
    model = _encoder(whole).eval()
    made_up, every = _made_up(whole, model, info["missing_keys"])
    if len(_beside_the_pooler(made_up)) > every / 2:
        raise UserError(
            f"{name} has hardly any weights that {type(model).__name__} reads: {len(made_up):,} of {every:,} would be "
            f"random, the first {made_up[0]}",
            hint=f"they have other names, or are of another class: `pretune check {name}`",
        )
    looked = _looked_at(model, tokenizer, declared_choice(source, model.config.to_dict()), name)
    return replace(
        looked,
        model=_placed(model, device, getattr(torch, dtype)),
        made_up=made_up,
        untrained_pooler=_untrained(model, made_up),
    )


def _auto_class(folder: str) -> Any:
    """What loads the base model: of T5 and its kin, where a folder holds the encoder alone, another class."""
    import transformers

    named = transformers.AutoConfig.from_pretrained(folder).architectures or [""]
    alone = str(named[0]).endswith(ENCODER)
    return transformers.AutoModelForTextEncoding if alone else transformers.AutoModel


def _is_encoder(model: Any) -> bool:
    """Whether it is an encoder with nothing behind it: T5EncoderModel, MT5EncoderModel."""
    return type(model).__name__.endswith(ENCODER)


def _encoder(model: Any) -> Any:
    """The part of a base model that reads sentences."""
    return model.get_encoder() if model.config.is_encoder_decoder or _is_encoder(model) else model


def _made_up(whole: Any, kept: Any, missing: Iterable[str]) -> tuple[tuple[str, ...], int]:
    """Names of the weights of `kept`, a part of `whole`, that the file has under none of their names; how many it has.

    What only the decoder needs is not missed: many files of T5 hold an encoder alone.
    """
    absent, names = set(missing), dict[int, list[str]]()
    own = {id(weight) for weight in kept.parameters()}
    for name, weight in whole.named_parameters(remove_duplicate=False):
        if id(weight) in own:
            names.setdefault(id(weight), []).append(name)
    return tuple(sorted(tied[0] for tied in names.values() if absent.issuperset(tied))), len(names)


def _beside_the_pooler(made_up: Sequence[str]) -> list[str]:
    """Those without which no state is right."""
    return [name for name in made_up if "pooler" not in name]


def load_objects(model: Any, tokenizer: Any = None) -> Loaded:
    """Look at live objects; they stay where they are, in their precision, and in evaluation mode.

    Args:
        model: of transformers, with or without a head, or a SentenceTransformer.
        tokenizer: its tokenizer; None: the SentenceTransformer's own.

    Raises:
        UserError: no tokenizer, or the object is no such model.
    """
    mode, limit = "", None
    name = str(getattr(getattr(model, "config", None), "_name_or_path", "") or type(model).__name__)
    if type(model).__name__ == "SentenceTransformer":
        tokenizer, limit = tokenizer or model.tokenizer, model.max_seq_length
        mode = next((_mode(part) for part in model if type(part).__name__ == "Pooling"), "")
        model = model[0].auto_model
        name = str(model.config._name_or_path or name)  # noqa: SLF001 - transformers has no public name for it
    if not hasattr(model, "base_model") or not hasattr(model, "config"):
        raise UserError(f"expected a model of transformers, found a {type(model).__name__}")
    if tokenizer is None:
        raise UserError(f"{name} came without its tokenizer", hint="give both: (model, tokenizer)")
    model = model.get_base_model() if hasattr(model, "get_base_model") else model
    model = model if _is_encoder(model) else model.base_model
    model = _encoder(model).eval()
    declared = declared_by_objects(model.config.to_dict(), mode=mode, max_length=limit)
    return replace(_looked_at(model, tokenizer, declared, name), untrained_pooler=_untrained(model, ()))


def _mode(pooling: Any) -> str:
    """What a Pooling module does, as version 6 of sentence-transformers or an older one says it."""
    mode = getattr(pooling, "pooling_mode", None)
    if mode is None:
        return str(pooling.get_pooling_mode_str())
    return mode if isinstance(mode, str) else "+".join(mode)


def _looked_at(model: Any, tokenizer: Any, declared: Declared, name: str) -> Loaded:
    """The model with what can be seen of it."""
    looks = look(model)
    sample = tokenizer("a", return_special_tokens_mask=True)
    marks = [bool(one) for one in sample["special_tokens_mask"]]
    cls = [one == tokenizer.cls_token_id for one in sample["input_ids"]]
    return Loaded(
        name=name,
        model=model,
        tokenizer=tokenizer,
        declared=declared,
        looks=looks,
        sentence_token=sentence_token(looks, marks, cls=cls),
        max_length=_max_length(declared, tokenizer, model),
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
        raise UserError(f"device {device!r} cannot be used: {first_line(error)}", hint="try --device cpu") from error


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
