"""CFG: which config keys the Setup changes, which of them may be changed, and which do not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.facts.edits import known_keys, same
from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.config_harm import TABLE, harm
from pretune.check.rules.config_names import meant, tensors, value
from pretune.check.rules.config_training import before_five
from pretune.check.rules.config_values import uneven_heads
from pretune.check.rules.config_vocabulary import change, tensors_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pretune.artifacts.architectures import Expected
    from pretune.check.facts.edits import Edit
    from pretune.check.facts.model import ModelFacts
    from pretune.check.facts.versions import VersionFacts
    from pretune.check.finding import Rule

LEAVE = frozenset(
    {"vocab_size", "num_labels", "id2label", "label2id", "is_decoder", "position_embedding_type", "pad_token_id"}
)
"""Edits that have a rule of their own."""

FREE = frozenset({
    "max_position_embeddings", "n_positions", "n_ctx", "is_encoder_decoder", "max_length", "num_beams",
    "early_stopping", "length_penalty", "encoder_no_repeat_ngram_size", "start_n_top", "end_n_top",
    "reorder_and_upcast_attn", "attention_softmax_in_fp32", "scale_attention_softmax_in_fp32",
    "sinusoidal_pos_embds", "tie_word_embeddings",
    *TABLE,
})  # fmt: skip
"""Keys that change an untrained model's output and do a trained one no harm, or that are judged by their values."""


@rule("CFG001", Level.ERROR)
def edits_against_the_shapes(model: ModelFacts) -> Iterator[Problem]:
    """A config key is edited on which the shapes of trained tensors depend.

    Why: the checkpoint's tensors no longer fit; loading fails, or with ignore_mismatched_sizes starts them at random.
    Fix: leave the key as the checkpoint has it; another size means another checkpoint.
    """
    for edit, before, after in _reshaping(model):
        resized = [name for name in before if name in after and before[name].shape != after[name].shape]
        gone = [name for name in before if name not in after]
        new = [name for name in after if name not in before]
        if resized and model.ignores_mismatches and model.has_weights:
            continue  # MOD lists what that starts at random
        if resized:
            first = resized[0]
            fits = f"{first} is {_shape(before[first])}, would have to be {_shape(after[first])}"
            yield Problem(f"{change(edit)} changes the shape of {tensors(len(resized), 'trained')}: {fits}", edit.where)
        elif new:
            message = f"{change(edit)} asks for {tensors(len(new))} the checkpoint does not have ({new[0]}, …)"
            yield Problem(message, edit.where)
        elif gone:
            message = f"{change(edit)} leaves out {tensors(len(gone), 'trained')} ({gone[0]}, …)"
            yield Problem(message, edit.where, level=Level.WARNING)


def _reshaping(model: ModelFacts) -> Iterator[tuple[Edit, Mapping[str, Expected], Mapping[str, Expected]]]:
    """Edits that change trained tensors, with the expected tensors before and after; the head is free to change."""
    before, after = tensors_of(model, model.saved), tensors_of(model, model.effective)
    if before is None or after is None:
        return
    changed = _differing(before, after)
    for edit in model.edits:
        if not edit.known or edit.name in LEAVE:
            continue
        alone = tensors_of(model, {**model.saved, edit.name: edit.new})
        if alone is None or not changed & _differing(before, alone):
            continue
        names = changed & _differing(before, alone)
        yield (
            edit,
            {name: before[name] for name in before if name in names},
            {name: after[name] for name in after if name in names},
        )


def _differing(before: Mapping[str, Expected], after: Mapping[str, Expected]) -> frozenset[str]:
    """Names of tensors outside the head that only one side has, or with another shape."""
    names = [name for name in (*before, *after) if (before.get(name) or after[name]).role != "head"]
    return frozenset(
        name for name in names if name not in before or name not in after or before[name].shape != after[name].shape
    )


@rule("CFG002", Level.ERROR)
def silent_architecture_edit(model: ModelFacts) -> Iterator[Problem]:
    """A config key is edited that fits every shape and yet computes something else than the trained model.

    Why: nothing complains, the weights load, and the model is another one from the first step on (heads 12 -> 6 on
    MiniLM: cosine 0.83).
    Fix: leave the key as the checkpoint has it.
    """
    reshaping = {edit.name for edit, _, _ in _reshaping(model)}
    for edit in model.edits:
        if edit.name in LEAVE or edit.name in reshaping or (not edit.known and edit.how == "kwarg"):
            continue
        if edit.name == model.stored.real("num_attention_heads") and uneven_heads(model):
            continue
        verdict = harm(edit.name, edit.old, edit.new)
        if verdict is None and model.architecture is not None and edit.name in model.architecture.silent_keys - FREE:
            verdict = Level.WARNING, "changes what the trained weights compute"
        if verdict:
            level, effect = verdict
            yield Problem(f"{change(edit)} loads without a word and {effect}", edit.where, level=level)


@rule("CFG003", Level.WARNING)
def config_differs_from_its_origin(model: ModelFacts) -> Iterator[Problem]:
    """The saved config differs, in a key that no shape shows, from the model it was saved from.

    Why: if the weights are the origin's, they were trained with the other value; only the origin's config can tell.
    Fix: set the key back to the origin's value, unless the model was trained on with the new one.
    """
    if model.origin is None:
        return
    for name in sorted(set(model.saved) & {model.origin.real(key) for key in (*model.origin.raw, *model.saved)}):
        old = model.origin.get(name)
        verdict = harm(name, old, model.saved[name]) if not same(old, model.saved[name]) else None
        if not verdict or verdict[0] is Level.NOTE:
            continue
        level = verdict[0] if model.origin_weights else min(verdict[0], Level.WARNING, key=lambda level: level.rank)
        apart = f"{name} is {value(model.saved[name])}, where {model.origin.source.label} has {value(old)}"
        harmed = (
            f"the weights are still the same and it {verdict[1]}"
            if model.origin_weights
            else f"unless it was trained so, it {verdict[1]}"
        )
        message = f"{apart}: {harmed}"
        yield Problem(message, model.stored.at(name), level=level)


@rule("CFG004", Level.ERROR)
def unknown_model_argument(model: ModelFacts, versions: VersionFacts) -> Iterator[Problem]:
    """A keyword argument of from_pretrained is neither a config key of this model type nor an argument.

    Why: the model's from_pretrained hands it to `__init__`, which raises a TypeError; AutoConfig.from_pretrained
    drops it in silence.
    Fix: use the key's real name, or `config.update(...)` for a key of your own.
    """
    for edit in model.edits:
        if edit.known or edit.how != "kwarg":
            continue
        real = meant(edit.key, known_keys(model.stored))
        if before_five(versions) and real is None:
            continue  # transformers 4 configs have many more keys of their own (is_decoder, torchscript, max_length)
        near = f'did you mean "{real}"' if real else f"{model.model_type} has no such key"
        yield Problem(
            f"from_pretrained passes {edit.key}={value(edit.new)} on to the model, which does not take it: {near}",
            edit.where,
        )


@rule("CFG005", Level.NOTE)
def key_without_effect(model: ModelFacts) -> Iterator[Problem]:
    """config.update sets a key that this model type does not have.

    Why: update sets any name and no code reads it; a slip of the pen looks just like a key of your own.
    Fix: use the key's real name; nothing to do where your own code reads the key.
    """
    for edit in model.edits:
        if edit.known or edit.how != "update":
            continue
        real = meant(edit.key, known_keys(model.stored))
        if real:
            message = f"config.update sets {edit.key}, which {model.model_type} does not have: did you mean {real}"
            yield Problem(message, edit.where, level=Level.WARNING)
        else:
            yield Problem(
                f"config.update sets {edit.key}, which {model.model_type} does not have: only your own code reads it",
                edit.where,
            )


@rule("CFG009", Level.NOTE)
def position_type_without_effect(model: ModelFacts, versions: VersionFacts) -> Iterator[Problem]:
    """position_embedding_type asks for relative positions, which transformers 5 no longer has.

    Why: the key is ignored without a word; a checkpoint that was trained with relative positions loses them.
    Fix: leave it "absolute"; a checkpoint trained with relative positions needs transformers 4.
    """
    kind = model.effective.get("position_embedding_type")
    if kind in (None, "absolute") or before_five(versions) or not _is_like_bert(model):
        return
    edit = model.edit("position_embedding_type")
    level = Level.NOTE if edit else Level.WARNING
    yield Problem(
        f"position_embedding_type {value(kind)} is ignored by transformers 5",
        model.place("position_embedding_type"),
        level=level,
    )


def _is_like_bert(model: ModelFacts) -> bool:
    return any(
        str(model.model_type).startswith(kind)
        for kind in ("bert", "roberta", "electra", "xlm-roberta", "camembert", "layoutlm", "ernie")
    )


@rule("CFG010", Level.ERROR)
def encoder_made_causal(model: ModelFacts) -> Iterator[Problem]:
    """is_decoder makes an encoder's attention causal, without a decoder's task.

    Why: each token then sees only what stands before it, so [CLS] sees nothing but itself; nothing warns (MiniLM:
    cosine 0.86).
    Fix: leave is_decoder false unless the model is to generate text.
    """
    architecture = model.architecture
    if (
        architecture is None
        or architecture.causal is not False
        or architecture.encoder_decoder
        or model.effective.get("is_decoder") is not True
    ):
        return
    if model.task == "causal-lm" or str(model.model_class).endswith(("CausalLM", "LMHeadModel")):
        return
    edited = model.edit("is_decoder") is not None
    message = (
        f"is_decoder is true: {model.model_class or model.model_type} lets each token see only what stands before it"
    )
    yield Problem(message, model.place("is_decoder"), level=Level.ERROR if edited else Level.WARNING)


def _shape(tensor: Expected) -> str:
    return " x ".join(str(edge) for edge in tensor.shape) or "a scalar"


RULES: tuple[Rule, ...] = (
    edits_against_the_shapes,
    silent_architecture_edit,
    config_differs_from_its_origin,
    unknown_model_argument,
    key_without_effect,
    position_type_without_effect,
    encoder_made_causal,
)
