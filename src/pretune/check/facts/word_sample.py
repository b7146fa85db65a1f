"""Some texts, read word by word with places and offsets: Reading, read_texts. Knows no data and no rule.

Words are what white space separates, encoded as they stand after a space.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pretune.artifacts.coverage import hangul_in, has_jamo, is_byte_token, is_syllable, unrepresentable
from pretune.artifacts.pipeline import walk
from pretune.check.finding import Unavailable
from pretune.corpus.scripts import script_of_word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import tokenizers

    from pretune.check.facts.tokenizer import TokenizerFacts

WORDS = re.compile(r"[^\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
"""What Unicode's White_Space separates, as in `corpus.unit_table`; Python's split() also parts at U+001C to U+001F."""


@dataclass(frozen=True, slots=True)
class WordExample:
    """A word, what it became, and where it stands; an empty place: not in the rows whose places are known."""

    word: str
    tokens: tuple[str, ...]
    where: str


@dataclass(frozen=True)
class Reading:
    """How the texts of a split are read.

    Attributes:
        words: running words; `hangul_words` those that hold a Hangul syllable or a conjoining jamo.
        hangul_pieces: tokens of the Hangul words; `hangul_characters`: their syllables and conjoining jamo.
        unknown_words: running words with an unknown token.
        jamo_words: words whose tokens are conjoining jamo although the text has syllables.
        byte_words: words that are spelled in fallback bytes.
        long_words: unknown words that are longer than the tokenizer takes a word to be.
        mended_words: unknown words that are known when composed (NFC).
        unknown_characters: character -> running words that it makes unknown, for characters no token can carry.
        scripts: script of a word's first letter -> (running words, unknown ones).
        sampled: there are words that were not read.
        characters: characters of the sample that are no white space; `lost_characters` those that no token covers.
        part_of_text: there is text beyond that sample.
        examples: unknown_words, jamo_words, lost_characters, ... -> a word that shows it.
    """

    words: int = 0
    hangul_words: int = 0
    hangul_pieces: int = 0
    hangul_characters: int = 0
    unknown_words: int = 0
    jamo_words: int = 0
    byte_words: int = 0
    long_words: int = 0
    mended_words: int = 0
    unknown_characters: Mapping[str, int] = field(default_factory=dict)
    scripts: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    sampled: bool = False
    characters: int = 0
    lost_characters: int = 0
    part_of_text: bool = False
    examples: Mapping[str, WordExample] = field(default_factory=dict)

    def share(self, count: int) -> float:
        """`count` as a share of the running words, 0 when there are none."""
        return count / self.words if self.words else 0.0


def read_texts(
    tokenizer: TokenizerFacts, texts: Sequence[tuple[str, str]], *, encoder: tokenizers.Tokenizer | None = None
) -> Reading:
    """Read (text, where) pairs with the tokenizer as transformers 5 builds it.

    Args:
        tokenizer: the tokenizer.
        texts: what is read.
        encoder: the tokenizer's, by default; or with tokens added.

    Raises:
        Unavailable: it cannot be built here, or it cannot encode these texts.
    """
    counted: Counter[str] = Counter()
    places: dict[str, str] = {}
    for text, where in texts:
        for word in WORDS.findall(_clean(text)):
            counted[word] += 1
            places.setdefault(word, where)
    if not counted:
        return Reading()
    encoder = encoder or tokenizer.encoder
    try:
        return _Sample(tokenizer, encoder, counted, places).reading()
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - the tokenizers library raises a bare Exception, e.g. where [UNK] is missing
        raise Unavailable(f"the tokenizer cannot encode the data: {str(error).splitlines()[0][:120]}") from None


def _clean(text: str) -> str:
    """Lone surrogates cannot be encoded in UTF-8; data rules report them."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _lead(tokenizer: TokenizerFacts) -> str:
    """What stands before a word: a space, unless the normalizer itself puts one before every text."""
    parts = list(walk(tokenizer.parts.get("normalizer")))
    begins = any(part.get("type") == "Prepend" or part.get("strip_left") is True for part in parts)
    return "" if begins else " "


def _space(tokenizer: TokenizerFacts) -> str:
    """The characters of a token that is nothing but spaces."""
    return "Ġ" if tokenizer.files.byte_level else "▁ "


def tokens_of(tokenizer: TokenizerFacts, encoder: tokenizers.Tokenizer, word: str) -> tuple[str, ...]:
    """The first tokens of a word."""
    tokens = encoder.encode(_lead(tokenizer) + word, add_special_tokens=False).tokens
    return tuple(token for token in tokens if token.strip(_space(tokenizer)))[:12]


class _Sample:
    """One pass over the distinct words of a sample; the arithmetic of Reading."""

    def __init__(
        self,
        tokenizer: TokenizerFacts,
        encoder: tokenizers.Tokenizer,
        counted: Counter[str],
        places: dict[str, str],
    ) -> None:
        self.tokenizer = tokenizer
        self.encoder = encoder
        self.lead, self.space = _lead(tokenizer), _space(tokenizer)
        # the model's own unknown token is what counts; Unigram does not tell it
        name = getattr(encoder.model, "unk_token", None)
        own = None if name is None else encoder.token_to_id(name)
        self.unknown = tokenizer.id_of("unk_token") if tokenizer.kind == "Unigram" else own
        self.counted = counted
        self.places = places
        self.examples: dict[str, WordExample] = {}

    def reading(self) -> Reading:
        """The figures of the sample."""
        sums: Counter[str] = Counter()
        scripts: dict[str, list[int]] = {}
        unknown: Counter[str] = Counter()
        words = list(self.counted)
        encodings = self.encoder.encode_batch([self.lead + word for word in words], add_special_tokens=False)
        for word, encoding in zip(words, encodings, strict=True):
            count = self.counted[word]
            tokens = [token for token in encoding.tokens if token.strip(self.space)]
            hangul = hangul_in(word)
            is_unknown = self.unknown is not None and self.unknown in encoding.ids
            known = [token for token, i in zip(encoding.tokens, encoding.ids, strict=True) if i != self.unknown]
            kinds = {
                "words": 1,
                "characters": len(word),
                "hangul_words": hangul > 0,
                "hangul_characters": hangul,
                "hangul_pieces": len(tokens) if hangul else 0,
                "unknown_words": is_unknown,
                "jamo_words": hangul > 0 and any(map(is_syllable, word)) and any(map(has_jamo, known)),
                "byte_words": any(is_byte_token(token) for token in known),
                "long_words": is_unknown and self._too_long(word),
                "lost_characters": self._lost(self.lead + word, encoding.offsets),
            }
            if is_unknown:
                unknown[word] += count
            for kind, value in kinds.items():
                if value:
                    sums[kind] += int(value) * count
                    self._show(kind, word, tokens)
            row = scripts.setdefault(script_of_word(word), [0, 0])
            row[0] += count
            row[1] += count * is_unknown
        counts: dict[str, Any] = dict(sums)
        return Reading(
            mended_words=self._mended(unknown),
            unknown_characters=self._characters(unknown),
            scripts={name: (seen, lost) for name, (seen, lost) in scripts.items()},
            examples=self.examples,
            **counts,
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
        encodings = self.encoder.encode_batch([self.lead + composed[word] for word in asked], add_special_tokens=False)
        mended = [
            word
            for word, encoding in zip(asked, encodings, strict=True)
            if self.unknown not in encoding.ids and any(token.strip(self.space) for token in encoding.tokens)
        ]
        for word in mended[:1]:
            self._show("mended_words", word, [])
        return sum(unknown[word] for word in mended)

    def _characters(self, unknown: Counter[str]) -> Counter[str]:
        """Which characters make words unknown, with the running words they stand in."""
        running: Counter[str] = Counter()
        for word, count in unknown.items():
            for character in set(word):
                running[character] += count
        missing = unrepresentable(self.encoder, running, unknown=self.unknown, ids=self.tokenizer.ids)
        # what the normalizer takes away makes nothing unknown
        left = [one for one in missing if self.encoder.encode(one, add_special_tokens=False).ids]
        return Counter({character: running[character] for character in left})
