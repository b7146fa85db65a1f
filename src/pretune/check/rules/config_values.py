"""CFG: values that a config cannot hold, or that contradict each other, whoever wrote them: the file or the Setup."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pretune.artifacts.config import type_of_class
from pretune.artifacts.remote_code import is_native
from pretune.check.facts.edits import whole
from pretune.check.finding import Fix, Level, Patch, Problem, rule
from pretune.check.rules.config_names import value
from pretune.check.rules.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.model import ModelFacts
    from pretune.check.finding import Rule
    from pretune.check.sources.setup import Setup

SIZES = (
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
    "vocab_size",
)
"""Sizes that no model can do without; type_vocab_size is 0 in DeBERTa."""

STARTLESS = frozenset({"mbart", "plbart"})
"""Encoder-decoders that start with a label's own last token (`shift_tokens_right` of mBART)."""


@rule("CFG020", Level.ERROR)
def value_of_the_wrong_type(model: ModelFacts) -> Iterator[Problem]:
    """A config value has a type that its key does not take, such as the text "12" for a number.

    Why: transformers 5 refuses the config (StrictDataclassFieldValidationError); transformers 4 fails later, with
    another message.
    Fix: write a number as a number, true and false as such.
    """
    for key, default, given in _with_defaults(model):
        wanted = _wanted(default, given)
        if wanted is None:
            continue
        mended = _mended(default, given)
        fix = None
        stated = model.stored.stated(key)
        if mended is not None and stated is not None and model.edit(key) is None:
            fix = Fix(f"write {key} as {value(mended)}", (Patch(model.stored.file, stated[0], mended),))
        yield Problem(f"{key} is {value(given)}, expected {wanted}", model.place(key), fix=fix)


def _with_defaults(model: ModelFacts) -> Iterator[tuple[str, Any, Any]]:
    """Keys of the model type that the file or an edit states: name, default, value."""
    architecture = model.stored.text_architecture or model.architecture
    defaults = {**(architecture.defaults if architecture else {}), "num_labels": 2}
    for key, default in defaults.items():
        if key in model.effective and model.states(key):
            yield key, default, model.effective[key]


def _wanted(default: object, given: object) -> str | None:
    """What the key takes, when `given` is certainly not that; None when it may be fine."""
    if isinstance(default, bool):
        return "true or false" if isinstance(given, str | list | dict) else None
    if isinstance(default, int):
        wrong = isinstance(given, str | dict | bool) or (isinstance(given, float) and not _is_dropout_like(given))
        return f"a whole number such as {value(default)}" if wrong else None
    if isinstance(default, float):
        return f"a number such as {value(default)}" if isinstance(given, str | list | dict | bool) else None
    return None


def _is_dropout_like(given: float) -> bool:
    """A fraction where the default happens to be a whole number (a dropout of 0)."""
    return not given.is_integer() if math.isfinite(given) else False


def _mended(default: object, given: object) -> object:
    """The number that a text or a float like 12.0 spells; None when it spells none."""
    if isinstance(default, bool) and isinstance(given, str):
        return {"true": True, "false": False}.get(given.strip().lower())
    if isinstance(given, float) and given.is_integer() and abs(given) < 1 << 53:
        return int(given)
    if not isinstance(given, str) or len(given) > 30:
        return None
    try:
        number_read = float(given)
    except ValueError:
        return None
    if not math.isfinite(number_read):
        return None
    if isinstance(default, int):
        return int(number_read) if number_read.is_integer() else None
    return number_read


@rule("CFG021", Level.ERROR)
def value_out_of_range(model: ModelFacts) -> Iterator[Problem]:
    """A config value lies outside of what its key can mean, such as a dropout of 1.5 or no layers at all.

    Why: config and from_pretrained take it; building the model fails, or a dropout of 1 turns every value into 0.
    Fix: a dropout is at least 0 and below 1; sizes are at least 1.
    """
    for key in sorted(key for key in model.effective if _is_dropout(key)):
        given = model.effective[key]
        if not isinstance(given, int | float) or isinstance(given, bool) or not model.states(key):
            continue
        if not 0 <= given <= 1:
            yield Problem(f"{key} is {value(given)}, a probability lies between 0 and 1", model.place(key))
        elif given == 1:
            yield Problem(
                f"{key} is {value(given)}, which turns every value it meets into 0",
                model.place(key),
                level=Level.WARNING,
            )
    for key in SIZES:
        size = whole(model.get(key))
        if size is not None and size < 1 and model.states(key):
            yield Problem(f"{key} is {value(size)}, expected at least 1", model.place(key))


def _is_dropout(key: str) -> bool:
    return key.endswith(("_dropout", "_dropout_prob", "_pdrop", "dropout_rate", "_layerdrop")) or key in {
        "dropout",
        "layerdrop",
    }


@rule("CFG022", Level.ERROR)
def heads_that_do_not_divide(model: ModelFacts) -> Iterator[Problem]:
    """hidden_size is not a multiple of the number of attention heads, or those not of the key-value heads.

    Why: the config takes it, building the model raises.
    Fix: take both numbers from the checkpoint's own config.
    """
    hidden, heads = model.number("hidden_size"), model.number("num_attention_heads")
    if hidden and heads and uneven_heads(model):
        message = f"hidden_size {number(hidden)} is not a multiple of num_attention_heads {number(heads)}"
        yield Problem(
            message, model.place("num_attention_heads" if model.edit("num_attention_heads") else "hidden_size")
        )
    shared = model.number("num_key_value_heads")
    if heads and shared and shared > 0 and heads % shared:
        message = f"num_attention_heads {number(heads)} is not a multiple of num_key_value_heads {number(shared)}"
        yield Problem(message, model.place("num_key_value_heads"))


def uneven_heads(model: ModelFacts) -> bool:
    """Whether hidden_size has to part into the heads, and does not."""
    hidden, heads = model.number("hidden_size"), model.number("num_attention_heads")
    own_size = any(model.get(key) is not None for key in ("head_dim", "d_kv", "d_head", "attention_head_size"))
    return bool(hidden and heads and heads > 0 and not own_size and hidden % heads and model.architecture is not None)


@rule("CFG023", Level.WARNING)
def token_id_outside_the_vocabulary(model: ModelFacts, setup: Setup) -> Iterator[Problem]:
    """A special token's id in the config is outside of the vocabulary.

    Why: generation never meets its end token, padding reads a row that does not exist, and config and tokenizer
    contradict each other.
    Fix: write the tokenizer's id of that token, or null.
    """
    size = model.number("vocab_size")
    if not size or size < 1 or setup.resize or setup.add_tokens or setup.add_special_tokens:
        return
    for key in sorted(key for key in model.effective if key.endswith("_token_id") and model.states(key)):
        given = model.effective[key]
        outside = [
            part
            for part in (given if isinstance(given, list) else [given])
            if whole(part) is not None and not 0 <= part < size
        ]
        if outside:
            level = Level.NOTE if outside == [-1] else Level.WARNING
            yield Problem(
                f"{key} is {value(outside[0])}, the vocabulary has ids from 0 to {number(size - 1)}",
                model.place(key),
                level=level,
            )


@rule("CFG024", Level.ERROR)
def model_type_missing(model: ModelFacts) -> Iterator[Problem]:
    """config.json has no model_type.

    Why: AutoConfig, AutoModel and AutoTokenizer choose their classes by it and raise without it.
    Fix: add the model_type of the architecture the weights belong to.
    """
    if model.model_type is not None:
        return
    stated = model.config.get("model_type")
    found = next((kind for kind in map(type_of_class, model.stored.architectures) if kind), None)
    fix = Fix(f'set model_type to "{found}"', (Patch(model.stored.file, "/model_type", found),)) if found else None
    what = "has no model_type" if stated is None else f"has {value(stated)} as model_type, expected a name such as bert"
    why = f"; {model.stored.architectures[0]} is {found}" if found else ""
    yield Problem(f"config.json {what}{why}", model.at("/model_type" if stated is not None else ""), fix=fix)


@rule("CFG025", Level.NOTE)
def model_type_without_a_table(model: ModelFacts) -> Iterator[Problem]:
    """The model type has no table here, so tensors, shapes and defaults could not be compared.

    Why: what was not compared may still be wrong; the rules that need it are listed as not asked.
    Fix: nothing; check `model_type` for a slip if it should be a usual one.
    """
    if model.model_type is None or model.architecture is not None:
        return
    if model.stored.auto_map or is_native(model.model_type):
        own_code = "; its code comes with the repository (auto_map)" if model.stored.auto_map else ""
        yield Problem(f"there is no table for model_type {value(model.model_type)}{own_code}", model.at("/model_type"))
        return
    message = f"transformers 5.23 has no model_type {value(model.model_type)} and config.json names no code (auto_map)"
    yield Problem(message, model.at("/model_type"), level=Level.WARNING)


@rule("CFG026", Level.WARNING)
def rope_scaling_incomplete(model: ModelFacts) -> Iterator[Problem]:
    """Scaled rotary positions lack a value they are computed from.

    Why: without original_max_position_embeddings transformers takes max_position_embeddings for it, which is often
    the stretched length already.
    Fix: state factor and original_max_position_embeddings as the model's authors give them.
    """
    key = next(
        (
            key
            for key in ("rope_parameters", "rope_scaling")
            if isinstance(model.get(key), Mapping) and model.states(key)
        ),
        None,
    )
    if key is None:
        return
    scaling: Mapping[str, Any] = model.get(key)
    kind = scaling.get("rope_type", scaling.get("type"))
    needed = _NEEDED.get(kind, ()) if isinstance(kind, str) else ()
    missing = [name for name in needed if scaling.get(name) is None]
    if "original_max_position_embeddings" in missing and whole(model.get("original_max_position_embeddings")):
        missing.remove("original_max_position_embeddings")
    if missing:
        yield Problem(f"{key} of type {value(kind)} has no {' and no '.join(missing)}", model.place(key))
    factor = scaling.get("factor")
    if isinstance(factor, int | float) and not isinstance(factor, bool) and factor < 1:
        yield Problem(f"{key} has factor {value(factor)}, expected at least 1", model.place(key))


_NEEDED: Mapping[str, tuple[str, ...]] = {
    "linear": ("factor",),
    "dynamic": ("factor",),
    "yarn": ("factor", "original_max_position_embeddings"),
    "llama3": ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"),
    "longrope": ("short_factor", "long_factor", "original_max_position_embeddings"),
}


@rule("CFG027", Level.WARNING)
def decoder_start_token_missing(model: ModelFacts) -> Iterator[Problem]:
    """An encoder-decoder's config does not say with which token the decoder starts.

    Why: labels are shifted right behind that token; training and generation raise, or start with another token than
    in pretraining.
    Fix: set decoder_start_token_id (T5: the pad token's id, BART: the eos token's).
    """
    architecture = model.architecture
    if (
        architecture is None
        or not architecture.encoder_decoder
        or architecture.model_type in STARTLESS
        or str(model.model_class).endswith(("EncoderModel", "Classification", "CausalLM"))
    ):
        return
    if model.get("decoder_start_token_id") is None and model.generation.get("decoder_start_token_id") is None:
        yield Problem(
            f"decoder_start_token_id is null in config.json and generation_config.json, {model.model_type} needs it",
            model.at(),
        )


RULES: tuple[Rule, ...] = (
    value_of_the_wrong_type,
    value_out_of_range,
    heads_that_do_not_divide,
    token_id_outside_the_vocabulary,
    model_type_missing,
    model_type_without_a_table,
    rope_scaling_incomplete,
    decoder_start_token_missing,
)
