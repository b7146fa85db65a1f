"""How the tokenizer reads the sampled rows: unknown words, pieces, bytes, jamo, what vanishes. Knows no rule.

Counts are over a bounded sample of text; words are what white space separates.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pretune.artifacts.coverage import is_byte_token, is_jamo, is_syllable, script_of, unrepresentable
from pretune.check.finding import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pretune.check.facts.data import DataFacts, Example
    from pretune.check.facts.tokenizer import TokenizerFacts

MOST_CHARACTERS = 400_000
"""Sampled text is read up to here (about 0.2 s); what lies beyond is the whole-corpus profile's business."""

MOST_ROW = 20_000
"""Of one row, so many characters are read."""


@dataclass(frozen=True, slots=True)
class WordExample:
    """A word, what it became, and where it stands."""

    word: str
    tokens: tuple[str, ...]
    where: str


@dataclass(frozen=True)
class Reading:
    """How some texts are read.

    Attributes:
        texts: how many texts; `characters` counts what is no white space.
        words: running words; `hangul_words` those that hold a Hangul syllable or jamo.
        pieces: tokens of all running words; `hangul_pieces` of the Hangul ones.
        unknown_words: running words with an unknown token or no token at all.
        empty_words: those of which nothing at all is left.
        whole_words: running words that are one token.
        jamo_words: words whose tokens are conjoining jamo although the text has syllables.
        byte_words: words that are spelled in fallback bytes.
        swallowed_words: words of two or more characters of which nothing but one unknown token is left.
        long_words: those among them that are longer than the tokenizer takes a word to be.
        decomposed_words: words written in jamo (NFD); `mended_words` those unknown as written, known when composed.
        lost_characters: characters that no token covers.
        unknown_characters: character -> running count, for characters no token can carry.
        scripts: script -> (running words, unknown ones).
        examples: unknown, jamo, lost, ... -> a word that shows it.
    """

    texts: int = 0
    characters: int = 0
    words: int = 0
    hangul_words: int = 0
    pieces: int = 0
    hangul_pieces: int = 0
    hangul_characters: int = 0
    unknown_words: int = 0
    empty_words: int = 0
    whole_words: int = 0
    jamo_words: int = 0
    byte_words: int = 0
    swallowed_words: int = 0
    long_words: int = 0
    decomposed_words: int = 0
    mended_words: int = 0
    lost_characters: int = 0
    unknown_characters: Counter[str] = field(default_factory=Counter)
    scripts: dict[str, tuple[int, int]] = field(default_factory=dict)
    examples: dict[str, WordExample] = field(default_factory=dict)

    def share(self, count: int) -> float:
        """`count` as a share of the running words, 0 when there are none."""
        return count / self.words if self.words else 0.0


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


def read_reading(tokenizer: TokenizerFacts, data: DataFacts) -> ReadingFacts:
    """Read both splits' sampled rows with the tokenizer.

    Raises:
        Unavailable: no row holds text, or the tokenizer cannot be built here.
    """
    splits = [_sampled(data.train.rows), _sampled(data.eval.rows)]
    if not any(splits):
        raise Unavailable("the data hold no text")
    first, second = (read_texts(tokenizer, texts) for texts in splits)
    return ReadingFacts(train=first if splits[0] else second, eval=second if splits[1] and splits[0] else None)


def _sampled(rows: Sequence[Example]) -> list[tuple[str, str]]:
    """(text, where) of the rows, up to MOST_CHARACTERS, each text once (a context stands under many questions)."""
    seen: dict[str, str] = {}
    room = MOST_CHARACTERS
    for row in rows:
        for _, text in row.texts:
            cut = text[: min(MOST_ROW, room)]
            if cut and cut not in seen:
                seen[cut] = row.where
                room -= len(cut)
        if room <= 0:
            break
    return list(seen.items())


def read_texts(tokenizer: TokenizerFacts, texts: Sequence[tuple[str, str]]) -> Reading:
    """Read (text, where) pairs with the tokenizer as transformers 5 builds it.

    Raises:
        Unavailable: it cannot be built here, or it cannot encode these texts.
    """
    counted: Counter[str] = Counter()
    places: dict[str, str] = {}
    for text, where in texts:
        for word in _clean(text).split():
            counted[word] += 1
            places.setdefault(word, where)
    if not counted:
        return Reading(texts=len(texts))
    try:
        return _Tally(tokenizer, counted, places).reading(len(texts))
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - the tokenizers library raises a bare Exception, e.g. where [UNK] is missing
        raise Unavailable(f"the tokenizer cannot encode the data: {str(error).splitlines()[0][:120]}") from None


def _clean(text: str) -> str:
    """Lone surrogates cannot be encoded in UTF-8; data rules report them."""
    return text.encode("utf-8", "replace").decode("utf-8")


class _Tally:
    """One pass over the distinct words of a sample; the arithmetic of Reading."""

    def __init__(self, tokenizer: TokenizerFacts, counted: Counter[str], places: dict[str, str]) -> None:
        self.tokenizer = tokenizer
        self.encoder = tokenizer.encoder
        self.unknown = tokenizer.id_of("unk_token")
        self.counted = counted
        self.places = places
        self.examples: dict[str, WordExample] = {}

    def reading(self, texts: int) -> Reading:
        sums: Counter[str] = Counter()
        scripts: dict[str, list[int]] = {}
        unknown: Counter[str] = Counter()
        words = list(self.counted)
        # byte-level vocabularies carry the space with the word: a word inside running text is " word"
        lead = " " if self.tokenizer.files.byte_level else ""
        encodings = self.encoder.encode_batch([lead + word for word in words], add_special_tokens=False)
        for word, encoding in zip(words, encodings, strict=True):
            count = self.counted[word]
            tokens = [token for token in encoding.tokens if token not in ("▁", "Ġ")]
            hangul = sum(is_syllable(c) or is_jamo(c) for c in word)
            lost = self._lost(lead + word, encoding.offsets)
            is_unknown = not tokens or (self.unknown is not None and self.unknown in encoding.ids)
            kinds = {
                "words": 1,
                "characters": len(word),
                "pieces": len(tokens),
                "hangul_words": hangul > 0,
                "hangul_characters": hangul,
                "hangul_pieces": len(tokens) if hangul else 0,
                "unknown_words": is_unknown,
                "empty_words": not encoding.ids,
                "whole_words": len(tokens) == 1 and not is_unknown,
                "jamo_words": _has_syllable(word) and any(is_jamo(c) for token in tokens for c in token),
                "byte_words": any(is_byte_token(token) for token in tokens),
                "swallowed_words": is_unknown and len(tokens) == 1 and len(word) > 1,
                "long_words": is_unknown and self._too_long(word),
                "decomposed_words": word != unicodedata.normalize("NFC", word) and any(map(is_jamo, word)),
                "lost_characters": lost,
            }
            if is_unknown:
                unknown[word] += count
            for kind, value in kinds.items():
                if value:
                    sums[kind] += int(value) * count
                    self._show(kind, word, tokens)
            row = scripts.setdefault(_script(word), [0, 0])
            row[0] += count
            row[1] += count * is_unknown
        return Reading(
            texts=texts,
            mended_words=self._mended(unknown),
            unknown_characters=self._characters(unknown),
            scripts={name: (seen, lost) for name, (seen, lost) in scripts.items()},
            examples=self.examples,
            **sums,
        )

    def _show(self, kind: str, word: str, tokens: list[str]) -> None:
        if kind not in self.examples:
            self.examples[kind] = WordExample(word, tuple(tokens[:12]), self.places[word])

    @staticmethod
    def _lost(text: str, offsets: list[tuple[int, int]]) -> int:
        """Characters that no token covers, white space and invisible ones apart."""
        covered = [False] * len(text)
        for start, end in offsets:
            covered[start:end] = [True] * (end - start)
        return sum(
            not seen and not c.isspace() and unicodedata.category(c)[0] not in "CMZ"
            for c, seen in zip(text, covered, strict=False)
        )

    def _too_long(self, word: str) -> bool:
        """Whether WordPiece gives up on some run of it: what stands between its punctuation marks is too long."""
        limit = self.tokenizer.word_limit
        if self.tokenizer.kind != "WordPiece" or len(word) <= limit or self.encoder.pre_tokenizer is None:
            return False
        normalizer = self.encoder.normalizer
        runs = self.encoder.pre_tokenizer.pre_tokenize_str(normalizer.normalize_str(word) if normalizer else word)
        return any(len(run) > limit for run, _ in runs)

    def _mended(self, unknown: Counter[str]) -> int:
        """Running words unknown as they are written and known once composed (NFC)."""
        composed = {word: unicodedata.normalize("NFC", word) for word in unknown}
        asked = [word for word, mended in composed.items() if mended != word]
        encodings = self.encoder.encode_batch_fast([composed[word] for word in asked], add_special_tokens=False)
        mended = [
            word
            for word, encoding in zip(asked, encodings, strict=True)
            if encoding.ids and self.unknown not in encoding.ids
        ]
        for word in mended[:1]:
            self._show("mended_words", word, [])
        return sum(unknown[word] for word in mended)

    def _characters(self, unknown: Counter[str]) -> Counter[str]:
        """Which characters make words unknown, with running counts."""
        running: Counter[str] = Counter()
        for word, count in unknown.items():
            for character in word:
                running[character] += count
        missing = unrepresentable(self.encoder, running, unknown=self.unknown, ids=self.tokenizer.ids)
        return Counter({character: running[character] for character in missing})


def _has_syllable(word: str) -> bool:
    return any(map(is_syllable, word))


def _script(word: str) -> str:
    """The script of most letters of a word."""
    letters: Iterable[str] = (script for script in map(script_of, word) if script != "other")
    ranked = Counter(letters).most_common(1)
    return ranked[0][0] if ranked else "other"
