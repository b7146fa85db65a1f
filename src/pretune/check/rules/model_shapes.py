"""MOD: stored tensors that do not fit the shapes the model would have: a new head, or trained weights thrown away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.config_names import tensors
from pretune.check.rules.wording import number, some

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.loading import LoadingFacts, Mismatch
    from pretune.check.facts.model import ModelFacts, WeightFacts
    from pretune.check.finding import Rule
    from pretune.check.sources.setup import Setup


@rule("MOD007", Level.ERROR)
def head_of_another_size(
    model: ModelFacts, weights: WeightFacts, loading: LoadingFacts, setup: Setup
) -> Iterator[Problem]:
    """The checkpoint has a trained head of another size than the setup asks for.

    Why: from_pretrained raises, without telling that only the head is concerned.
    Fix: pass `ignore_mismatched_sizes=True` to start a new head; the body is loaded all the same.
    """
    heads = loading.mismatched_of("head")
    if not heads or model.ignores_mismatches or len(heads) < len(loading.mismatched):
        return
    first = max(heads, key=lambda mismatch: len(mismatch.tensor.shape))
    message = f"{_misfit(first)}; the rest of the checkpoint fits"
    yield Problem(
        message, setup.place("config.num_labels") if model.edit("num_labels") else weights.at(first.tensor.file)
    )


@rule("MOD008", Level.ERROR)
def shapes_against_the_config(model: ModelFacts, weights: WeightFacts, loading: LoadingFacts) -> Iterator[Problem]:
    """Tensors of the checkpoint have other shapes than its own config.json asks for.

    Why: from_pretrained raises; what it proposes, ignore_mismatched_sizes, would start those tensors random.
    Fix: take the config.json that belongs to the weights.
    """
    if model.ignores_mismatches:
        return
    edited = {edit.name for edit in model.edits}
    body = [
        m
        for m in loading.mismatched
        if m.expected.role != "head" and not m.expected.keys & edited and not _is_word_embedding(m, weights)
    ]
    if body:
        same_kind = any(len(m.tensor.shape) == len(m.expected.shape) for m in body)
        rest = f" and {number(len(body) - 1)} more" if len(body) > 1 else ""
        yield Problem(
            f"{_misfit(body[0])}{rest} ({_keys(model, body[0])})",
            weights.at(body[0].tensor.file),
            level=None if same_kind else Level.WARNING,
        )


@rule("MOD009", Level.ERROR)
def body_started_at_random(
    model: ModelFacts, weights: WeightFacts, loading: LoadingFacts, setup: Setup
) -> Iterator[Problem]:
    """ignore_mismatched_sizes starts more at random than a head.

    Why: the flag is meant for a new head; a trained tensor that does not fit is thrown away just as silently
    (MiniLM's feed-forward: cosine 0.23).
    Fix: set the edited key back to the checkpoint's value; keep the flag for the head alone.
    """
    if not model.ignores_mismatches:
        return
    lost = [m for m in loading.mismatched if m.expected.role != "head" and not _is_word_embedding(m, weights)]
    if not lost:
        return
    listed = some((mismatch.tensor.name for mismatch in lost), 1)
    what = f"{tensors(len(lost), 'trained')} outside the head"
    message = f"ignore_mismatched_sizes throws away {what} ({_keys(model, lost[0])}): {listed}"
    yield Problem(message, setup.place("from_pretrained.ignore_mismatched_sizes"))


@rule("MOD010", Level.ERROR)
def word_embedding_started_at_random(
    model: ModelFacts, weights: WeightFacts, loading: LoadingFacts
) -> Iterator[Problem]:
    """vocab_size together with ignore_mismatched_sizes throws the whole word embedding away.

    Why: a tensor of another size is not resized but started anew, every word of it (MiniLM with 4 more: cosine 0.04,
    retrieval 1.00 -> 0.42).
    Fix: leave vocab_size alone, load, then `model.resize_token_embeddings(len(tokenizer))`.
    """
    lost = next((mismatch for mismatch in loading.mismatched if _is_word_embedding(mismatch, weights)), None)
    if lost is None or not model.ignores_mismatches or not lost.tensor.shape or not lost.expected.shape:
        return
    rows, wanted = number(lost.tensor.shape[0]), number(lost.expected.shape[0] or 0)
    message = (
        f"vocab_size {wanted} with ignore_mismatched_sizes throws away all {rows} trained rows of {lost.tensor.name}"
    )
    yield Problem(message, model.place("vocab_size"))


def _is_word_embedding(mismatch: Mismatch, weights: WeightFacts) -> bool:
    """Whether only the rows of a tensor with one row (or entry) a word differ."""
    is_it = weights.embedding is not None and mismatch.tensor.name == weights.embedding.name
    same_width = mismatch.tensor.shape[1:] == mismatch.expected.shape[1:]
    return (
        same_width
        and (is_it or "vocab_size" in mismatch.expected.keys)
        and mismatch.tensor.shape[:1] != mismatch.expected.shape[:1]
    )


def _misfit(mismatch: Mismatch) -> str:
    found, wanted = (
        " x ".join(map(str, shape)) or "a scalar" for shape in (mismatch.tensor.shape, mismatch.expected.shape)
    )
    return f"{mismatch.tensor.name} is {found} in the checkpoint, {wanted} by the config"


def _keys(model: ModelFacts, mismatch: Mismatch) -> str:
    """The config keys that ask for the sizes that differ."""
    keys, wanted, stored = mismatch.expected.keys, mismatch.expected.shape, mismatch.tensor.shape
    sizes = set(wanted) - set(stored) if len(wanted) == len(stored) else set(wanted)
    told = sorted(key for key in keys if model.number(key) in sizes) or sorted(keys)
    return f"because of {', '.join(told)}" if told else "because of its class"


RULES: tuple[Rule, ...] = (
    head_of_another_size,
    shapes_against_the_config,
    body_started_at_random,
    word_embedding_started_at_random,
)
