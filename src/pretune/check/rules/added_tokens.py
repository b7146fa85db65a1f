"""VOC1: the tokens that the setup adds, against the embedding: rows for them, ids, and what a resize does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, percent, shown, some

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.adding import AddingFacts
    from pretune.check.facts.markers import MarkerFacts
    from pretune.check.facts.model import WeightFacts
    from pretune.check.facts.rows import RowFacts
    from pretune.check.facts.tokenizer import TokenizerFacts
    from pretune.check.finding import Rule
    from pretune.check.sources.setup import Setup


@rule("VOC101", Level.ERROR)
def added_but_not_resized(adding: AddingFacts, rows: RowFacts) -> Iterator[Problem]:
    """Tokens are added, but the embedding is not resized and has no rows for them.

    Why: the first text with such a token is an index error; if the token is rare, late in the epoch
    (huggingface/transformers#12763).
    Fix: call model.resize_token_embeddings(len(tokenizer)) after adding, or put the tokens into spare slots.
    """
    beyond = [word for word in adding.new if word.id >= rows.count]
    if beyond and adding.resize_to is None:
        yield Problem(
            f"{number(len(beyond))} added token(s) get ids up to {number(adding.largest_id)}, but there are "
            f"{number(rows.count)} embedding rows and no resize: {some(word.word for word in beyond)}",
            where=beyond[0].where,
        )


@rule("VOC102", Level.WARNING)
def resize_shrinks_table(adding: AddingFacts, rows: RowFacts) -> Iterator[Problem]:
    """The resize makes the embedding smaller than it is.

    Why: many checkpoints have spare rows behind the last token (T5 32,128 rows for 32,100 tokens, Qwen2.5 151,936 for
    151,665); resizing to len(tokenizer) cuts them off without a word, and new tokens had room without any resize.
    Fix: leave the resize out when the tokens fit, or never resize below the rows there are.
    """
    if adding.resize_to is not None and adding.largest_id < adding.resize_to < rows.count:
        yield Problem(
            f"resize to {number(adding.resize_to)} rows shrinks a table of {number(rows.count)}; the largest id is "
            f"{number(adding.largest_id)}, so no resize is needed",
            where=adding.resize_where,
        )


@rule("VOC103", Level.ERROR)
def resize_too_small(adding: AddingFacts) -> Iterator[Problem]:
    """The resize leaves fewer rows than the tokenizer has ids.

    Why: `resize_token_embeddings(tokenizer.vocab_size)` does not count added tokens; len(tokenizer) does.
    Fix: resize to len(tokenizer), or to the largest id + 1 where the vocabulary has holes.
    """
    if adding.resize_to is not None and adding.resize_to <= adding.largest_id:
        yield Problem(
            f"resize to {number(adding.resize_to)} rows, but the largest id is {number(adding.largest_id)} "
            f"(len(tokenizer) is {number(adding.size_after)})",
            where=adding.resize_where,
        )


@rule("VOC106", Level.WARNING)
def marker_not_added(markers: MarkerFacts) -> Iterator[Problem]:
    """A marker that occurs throughout the data was never added and is cut into pieces.

    Why: entity markers such as [E1] or <e1> work because they are one token that always means the same.
    Fix: add them with add_special_tokens and resize, or rename spare slots.
    """
    looked = "sampled " if markers.sampled else ""
    for marker in markers.split:
        yield Problem(
            f"{shown(marker.text)} occurs in {percent(marker.share)} of the {looked}rows but is cut into "
            f"{len(marker.tokens)} tokens: {some(marker.tokens, 6)}",
            where=marker.where,
        )


@rule("VOC107", Level.ERROR)
def added_id_taken(adding: AddingFacts, tokenizer: TokenizerFacts) -> Iterator[Problem]:
    """An added token is given an id that another token owns, because the vocabulary has holes.

    Why: the tokenizers library counts on from the vocabulary's size, not from its largest id; where ids were removed,
    the next "new" id belongs to an old token, and both share a row.
    Fix: fill the holes first, or save a vocabulary without them.
    """
    owners = {index: token for token, index in tokenizer.files.vocabulary.ids.items()}
    clash = [word for word in adding.new if word.id in owners]
    if clash:
        word = clash[0]
        yield Problem(
            f"{number(len(clash))} added token(s) take an id in use: {shown(word.word)} gets {number(word.id)}, "
            f"{shown(owners[word.id])}'s; the vocabulary has {number(tokenizer.files.vocabulary.holes)} holes",
            where=word.where,
        )


@rule("VOC112", Level.NOTE)
def spare_slots_unused(adding: AddingFacts, tokenizer: TokenizerFacts, rows: RowFacts) -> Iterator[Problem]:
    """The vocabulary has spare slots enough for the added tokens: no resize would be needed.

    Why: a resized checkpoint no longer matches its base: adapters store whole tables, merging and reloading need care.
    Fix: `pretune tokens add` renames spare slots; rows and shapes stay as they are.
    """
    if not adding.new or adding.resize_to is None or adding.resize_to <= rows.count:
        return
    spare = tokenizer.named_slots(rows.count)
    if spare >= len(adding.new):
        yield Problem(
            f"{number(len(adding.new))} token(s) are added and the table grows to {number(adding.resize_to)} rows, "
            f"while {number(spare)} spare slots stand unused",
            where=adding.resize_where,
        )


@rule("VOC113", Level.NOTE)
def head_bias_left_zero(adding: AddingFacts, rows: RowFacts, weights: WeightFacts, setup: Setup) -> Iterator[Problem]:
    """New tokens get an output bias of 0, while the trained ones are far below.

    Why: resize_token_embeddings of transformers 5.23 pads the masked-language-model bias with zeros; new tokens then
    take probability that they never earned until training has pushed them down.
    Fix: set the new rows of the bias to the mean of the old ones, or let `pretune tokens add` do it.
    """
    if (
        setup.task not in ("masked-lm", "causal-lm", "chat-sft")
        or not adding.new
        or (adding.resize_to or 0) <= rows.count
    ):
        return
    endings = ("cls.predictions.bias", "lm_head.bias", "predictions.decoder.bias", "generator_lm_head.bias")
    bias = next((name for name in weights.table.tensors if name.endswith(endings)), None)
    if bias is not None:
        yield Problem(
            f"{shown(bias, 60)} grows by {number((adding.resize_to or 0) - rows.count)} entries, all set to 0",
            where=adding.resize_where,
        )


RULES: tuple[Rule, ...] = (
    added_but_not_resized,
    resize_shrinks_table,
    resize_too_small,
    marker_not_added,
    added_id_taken,
    spare_slots_unused,
    head_bias_left_zero,
)
