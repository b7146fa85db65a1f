"""How the tokenizer reads the words of the data: unknown ones, pieces, bytes, jamo, what vanishes. Knows no rule.

Where the corpus was read, all words of all rows are counted; else, and for what needs offsets and places, a bounded
sample of the first rows is. Words are what white space separates, encoded as they stand after a space.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pretune.check.facts.training_encoder import training_encoder
from pretune.check.facts.word_sample import WORDS, Reading, WordExample, read_texts, tokens_of
from pretune.check.finding import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import tokenizers

    from pretune.check.facts.data import DataFacts, Split
    from pretune.check.facts.tokenizer import TokenizerFacts
    from pretune.check.sources.setup import Setup
    from pretune.corpus.figures import WordFigures

__all__ = ["MOST_CHARACTERS", "MOST_ROW", "Reading", "ReadingFacts", "WordExample", "read_reading", "read_texts"]

MOST_CHARACTERS = 400_000
"""Sampled text is read up to here (about 0.2 s)."""

BESIDE_COUNTS = 60_000
"""The same where all words of the corpus are counted: only what no token covers is then asked of the sample."""

MOST_ROW = 20_000
"""Of one row, so many characters are read."""


@dataclass(frozen=True)
class ReadingFacts:
    """The tokenizer's reading of each split; `eval` is None without evaluation data."""

    train: Reading
    eval: Reading | None

    @property
    def splits(self) -> Iterator[tuple[str, Reading]]:
        """The splits that are there, by name."""
        yield "train", self.train
        if self.eval is not None:
            yield "eval", self.eval


def read_reading(
    setup: Setup, tokenizer: TokenizerFacts, data: DataFacts, counted: Mapping[str, WordFigures] | None = None
) -> ReadingFacts:
    """Read both splits with the tokenizer and the tokens that the setup adds.

    Args:
        setup: what the fine-tune is about to do.
        tokenizer: its tokenizer.
        data: its rows.
        counted: split -> the figures of its words, where the tokenizer has read the corpus.

    Raises:
        Unavailable: no row holds text, or the tokenizer cannot be built here, or cannot encode it.
    """
    encoder = training_encoder(setup, tokenizer)
    read = [_read_split(tokenizer, encoder, split, counted) for split in (data.train, data.eval)]
    there = [reading for reading in read if reading is not None]
    if not there:
        raise Unavailable("the data hold no text")
    return ReadingFacts(*there) if len(there) == 2 else ReadingFacts(there[0], None)


def _read_split(
    tokenizer: TokenizerFacts,
    encoder: tokenizers.Tokenizer,
    split: Split,
    counted: Mapping[str, WordFigures] | None,
) -> Reading | None:
    """A split's sample, with the figures of all its words in place of the sample's; None: it holds no text."""
    figures = (counted or {}).get(split.name)
    texts, more = _sampled(split, MOST_CHARACTERS if figures is None else BESIDE_COUNTS)
    if not texts and figures is None:
        return None
    head = replace(read_texts(tokenizer, texts, encoder=encoder), sampled=more, part_of_text=more)
    if figures is None:
        return head
    shown = dict(head.examples)
    for kind, word in figures.examples.items():
        if kind not in shown:
            shown[kind] = WordExample(word, tokens_of(tokenizer, encoder, word), _place(split, word))
    counts = {name: getattr(figures, name) for name in _COUNTED}
    return replace(head, **counts, sampled=split.sampled, examples=shown)


_COUNTED = (
    *("words", "hangul_words", "hangul_pieces", "hangul_characters", "unknown_words", "jamo_words", "byte_words"),
    *("long_words", "mended_words", "unknown_characters", "scripts"),
)
"""What is counted in the same way in the sample and in the whole."""


def _sampled(split: Split, room: int) -> tuple[list[tuple[str, str]], bool]:
    """(text, where) of the rows, up to so many characters, each text once (a context stands under many questions).

    Also whether there is more.
    """
    seen: dict[str, str] = {}
    more = split.sampled or split.total > len(split.rows)
    for row in split.rows:
        for _, text in row.texts:
            cut = text[: min(MOST_ROW, room)]
            more |= len(cut) < len(text)
            if cut and cut not in seen:
                seen[cut] = row.where
                room -= len(cut)
    return list(seen.items()), more


def _place(split: Split, word: str) -> str:
    """The first of the split's rows that holds a word; else its file where there is only one."""
    for row in split.rows:
        if any(word in text and word in WORDS.findall(text) for _, text in row.texts):
            return row.where
    return split.files[0].path if len(split.files) == 1 else ""
