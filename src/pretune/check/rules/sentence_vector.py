"""CLS: is [CLS], or whatever else is taken, a sentence vector here?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, shown, some
from pretune.check.sources.setup import CLASSIFYING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.lengths import LengthFacts
    from pretune.check.facts.model import ModelFacts
    from pretune.check.facts.sentence_vector import SentenceVectorFacts
    from pretune.check.facts.tokenizer import TokenizerFacts
    from pretune.check.finding import Rule
    from pretune.check.sources.setup import Setup

_PADDING_MOVES = ("fnet", "convbert", "canine")
"""Model types whose states move with padding on either side, seen on random models (tests/pool/architectures.py)."""


@rule("CLS001", Level.NOTE)
def pooler_never_trained(sentence_vector: SentenceVectorFacts, model: ModelFacts, setup: Setup) -> Iterator[Problem]:
    """The head reads a pooler that was saved but may never have been trained.

    Why: a checkpoint trained on masked words alone may carry a pooler that still has its first values, random weights
    and an all-zero bias; the head then learns behind a random layer.
    Fix: nothing if you have data to train it; else pool otherwise: `pretune pool` shows which layer and pooling works.
    """
    bias = sentence_vector.pooler_bias
    if sentence_vector.uses_pooler and bias and not any(bias) and setup.task in CLASSIFYING:
        yield Problem(
            f"{model.model_class} reads the pooler, whose bias is all zero ({number(len(bias))} values looked "
            "at), as before any training",
            where=model.source.at(sentence_vector.pooler or ""),
        )


@rule("CLS002", Level.WARNING)
def pooling_width_differs(sentence_vector: SentenceVectorFacts, model: ModelFacts) -> Iterator[Problem]:
    """The declared pooling names vectors of another width than the model gives.

    Why: sentence-transformers reports that number as the vector's size, and an index built by it does not fit; the file
    is often another model's.
    Fix: set the file's dimension to the model's hidden_size, or take the pooling file of this model.
    """
    hidden = model.number("hidden_size")
    if sentence_vector.width is not None and hidden is not None and sentence_vector.width != hidden:
        yield Problem(
            f"the pooling file expects {number(sentence_vector.width)} dimensions, but hidden_size is {number(hidden)}",
            where=sentence_vector.width_where,
        )


@rule("CLS003", Level.WARNING)
def pooling_ambiguous(sentence_vector: SentenceVectorFacts) -> Iterator[Problem]:
    """The pooling file switches on no mode, or several.

    Why: with none, sentence-transformers 6 takes the mean without a word and older ones have nothing to join; with
    several it puts the vectors side by side, so the sentence vector is that many times wider.
    Fix: leave exactly one pooling mode on.
    """
    modes, width = sentence_vector.pooling, sentence_vector.width
    if not sentence_vector.switched or len(modes) == 1:
        return
    wide = f", which makes a vector of {number(len(modes) * width)}" if modes and width else ""
    yield Problem(
        f"the pooling file switches on {len(modes)} modes, expected 1: {some(modes, 6) or 'none'}{wide}",
        where=sentence_vector.where,
        level=Level.NOTE if modes else None,
    )


@rule("CLS004", Level.NOTE)
def sentence_vector_not_declared(
    sentence_vector: SentenceVectorFacts, model: ModelFacts, setup: Setup
) -> Iterator[Problem]:
    """Nothing in the folder says which token or pooling represents a sentence.

    Why: BERT's [CLS] is no sentence vector before fine-tuning: its cosine similarity is often worse than averaged GloVe
    (Reimers and Gurevych 2019, table 1).
    Fix: find out by experiment: `pretune pool MODEL --data pairs.tsv`; mean pooling with the mask is the usual start.
    """
    if setup.task == "sentence-similarity" and not sentence_vector.declared:
        yield Problem(
            f"task is sentence-similarity, but {shown(model.name)} declares no pooling (no modules.json, no 1_Pooling)",
            where=model.at(),
        )


@rule("CLS005", Level.NOTE)
def declared_pooling_not_used(sentence_vector: SentenceVectorFacts, model: ModelFacts) -> Iterator[Problem]:
    """The model was trained for mean pooling, but the head for this task reads the first token.

    Why: in such a sentence-transformers model the mean of the tokens carries the sentence; its [CLS] may never have
    been trained to (all-MiniLM-L6-v2: cosine of [CLS] to the mean vector 0.56).
    Fix: nothing if you have data to train the head; for similarity take the mean.
    """
    mean_alone = sentence_vector.pooling in (("mean",), ("mean_sqrt_len_tokens",))
    if mean_alone and sentence_vector.reads == "first" and str(model.model_class).endswith("ForSequenceClassification"):
        yield Problem(
            f"the folder declares {sentence_vector.pooling[0]} pooling, but {model.model_class} reads the first token",
            where=sentence_vector.where,
        )


@rule("CLS006", Level.WARNING)
def sentence_length_beyond_positions(
    sentence_vector: SentenceVectorFacts, lengths: LengthFacts, model: ModelFacts
) -> Iterator[Problem]:
    """sentence_bert_config.json allows more tokens than the model has positions.

    Why: sentence-transformers cuts at max_seq_length; a longer text then fails inside the model.
    Fix: set max_seq_length to the usable positions.
    """
    limit = sentence_vector.max_seq_length
    if limit is None or lengths.positions is None or not lengths.hard or limit <= lengths.positions:
        return
    over = lengths.longer_than(lengths.positions)
    hit = f"; {number(len(over))} of {number(len(lengths.rows))} sampled rows are longer" if over else ""
    yield Problem(
        f"max_seq_length is {number(limit)}, but the model has {number(lengths.positions)} positions{hit}",
        where=model.source.at("sentence_bert_config.json", "/max_seq_length"),
    )


@rule("CLS007", Level.NOTE)
def sentence_length_beyond_trained(
    sentence_vector: SentenceVectorFacts, lengths: LengthFacts, model: ModelFacts, setup: Setup
) -> Iterator[Problem]:
    """Rows are longer than what the sentence model was made for.

    Why: sentence-transformers cuts at max_seq_length without a word; beyond it the vectors may mean less, because the
    model was not trained on such lengths.
    Fix: nothing if most rows are shorter; else cut long texts into parts.
    """
    limit = sentence_vector.max_seq_length
    if limit is None or setup.task != "sentence-similarity" or (lengths.limit is not None and lengths.limit <= limit):
        return
    over = lengths.longer_than(limit)
    if over:
        yield Problem(
            f"{number(len(over))} of {number(len(lengths.rows))} sampled rows have more tokens than max_seq_length "
            f"{number(limit)}, the longest {number(lengths.longest)}",
            where=model.source.at("sentence_bert_config.json", "/max_seq_length"),
        )


@rule("CLS008", Level.WARNING)
def first_token_behind_left_padding(
    sentence_vector: SentenceVectorFacts, tokenizer: TokenizerFacts
) -> Iterator[Problem]:
    """The folder declares the first token, but its tokenizer pads on the left.

    Why: in a padded batch the first position is then a pad, and whoever takes last_hidden_state[:, 0], as older
    versions of sentence-transformers do, takes that.
    Fix: set padding_side to "right".
    """
    if sentence_vector.pooling == ("cls",) and tokenizer.files.padding_side == "left":
        yield Problem(
            "the folder declares cls pooling, but padding_side is left: position 0 of a padded row is a pad",
            where=sentence_vector.where,
        )


@rule("CLS009", Level.NOTE)
def any_padding_changes_vectors(
    sentence_vector: SentenceVectorFacts, model: ModelFacts, setup: Setup
) -> Iterator[Problem]:
    """Any padding changes this model's sentence vectors.

    Why: FNet has no attention mask at all, ConvBERT's convolutions and CANINE's strides read into the padding; the
    vector of a sentence depends on what stands beside it in the batch (tiny models: states move by up to 3.6 spreads).
    Fix: encode sentences of equal length together, or one by one.
    """
    asked = setup.task == "sentence-similarity" or sentence_vector.declared
    if asked and model.model_type in _PADDING_MOVES:
        yield Problem(
            f"padding on either side changes the states of {model.model_type}, with an attention mask too",
            where=model.at(),
        )


@rule("CLS010", Level.WARNING)
def first_token_of_causal_model(sentence_vector: SentenceVectorFacts, model: ModelFacts) -> Iterator[Problem]:
    """The folder declares the first token of a model that reads from left to right.

    Why: the first token has seen nothing of what follows it, so all sentences that begin alike have the same vector.
    Fix: declare lasttoken or weightedmean pooling, whichever the model was trained for.
    """
    if sentence_vector.pooling == ("cls",) and model.architecture is not None and model.architecture.causal:
        yield Problem(
            f"the folder declares cls pooling, but the first token of {model.model_type} sees no other token",
            where=sentence_vector.where,
        )


RULES: tuple[Rule, ...] = (
    pooler_never_trained,
    pooling_width_differs,
    pooling_ambiguous,
    sentence_vector_not_declared,
    declared_pooling_not_used,
    sentence_length_beyond_positions,
    sentence_length_beyond_trained,
    first_token_behind_left_padding,
    any_padding_changes_vectors,
    first_token_of_causal_model,
)
