"""What reading a whole corpus with tokenizers comes to: Profile, CorpusFigures, TokenizerFigures, Lengths.

Plain numbers, as they are shown, saved as JSON and asked by rules. Knows neither files nor how anything was counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file that was read.

    Attributes:
        path: as the user named it.
        split: `train` or `eval`.
        rows: rows read; `broken`: rows that could not be.
        bytes: size on disk.
        broken_at: the first places of broken rows, at most five.
    """

    path: str
    split: str
    rows: int
    broken: int
    bytes: int
    broken_at: tuple[str, ...] = ()


class Cut(NamedTuple):
    """What a max_length does to texts.

    Attributes:
        texts: texts longer than it allows.
        tokens: tokens beyond it, lost where nothing keeps them.
        windows: examples that windows with the stride make of all texts.
    """

    texts: int
    tokens: int
    windows: int


@dataclass(frozen=True, slots=True)
class Lengths:
    """An exact histogram: tokens of a text (special tokens not counted) -> how many texts have so many.

    Attributes:
        counts: length -> texts, ascending.
        specials: special tokens that are put around each of them.
    """

    counts: Mapping[int, int]
    specials: int = 0

    @property
    def texts(self) -> int:
        """How many texts."""
        return sum(self.counts.values())

    @property
    def tokens(self) -> int:
        """Tokens of all texts together."""
        return sum(length * count for length, count in self.counts.items())

    def at(self, share: float) -> int:
        """The length that `share` of the texts do not exceed (0.5: the median); special tokens not counted."""
        need, seen = share * self.texts, 0
        for length, count in self.counts.items():
            seen += count
            if seen >= need:
                return length
        return 0

    def cut(self, max_length: int, stride: int = 0) -> Cut:
        """What max_length (special tokens included, as transformers counts) cuts off; windows overlap by `stride`.

        Raises:
            ValueError: no text fits beside the special tokens, or windows with this stride do not advance.
        """
        room = max_length - self.specials
        if room < 1 or not 0 <= stride < room:
            raise ValueError(f"max_length {max_length} leaves {room} tokens, stride {stride}")
        texts = tokens = windows = 0
        for length, count in self.counts.items():
            over = length - room
            windows += count
            if over > 0:
                texts += count
                tokens += over * count
                windows += count * -(-over // (room - stride))
        return Cut(texts, tokens, windows)


@dataclass(frozen=True, slots=True)
class Counted:
    """Something (a word, a character) and how often it occurs in the corpus."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A frequent word that falls into many pieces: worth a token of its own.

    Attributes:
        word: without markup, punctuation and a Korean particle.
        count: occurrences, with any particle.
        pieces: tokens that it takes when it stands alone after a space.
        tokens: those tokens, as the vocabulary writes them.
    """

    word: str
    count: int
    pieces: int
    tokens: tuple[str, ...] = ()

    @property
    def saves(self) -> int:
        """Tokens of the corpus that one token for it would save."""
        return self.count * (self.pieces - 1)


@dataclass(frozen=True, slots=True)
class ScriptFigures:
    """A script of the corpus and how a tokenizer copes with it.

    Attributes:
        characters: running characters of the corpus in this script; `distinct`: different ones.
        own: running characters that the vocabulary holds as a token of their own; `unknown`: that it cannot spell;
            `bytes`: that it spells in bytes only.
        words: running words whose first letter is of this script; `unknown_words` those with an unknown token.
        tokens: tokens of those words.
    """

    characters: int = 0
    distinct: int = 0
    own: int = 0
    unknown: int = 0
    bytes: int = 0
    words: int = 0
    unknown_words: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class WordFigures:
    """How one tokenizer reads the words of one split, each as it is encoded after a space.

    Attributes:
        words: running words.
        unknown_words: those with an unknown token.
        hangul_words: those with a Hangul syllable or a conjoining jamo; `hangul_characters`: these; `hangul_pieces`:
            tokens of these words, bare spaces not counted.
        jamo_words: words with syllables whose tokens hold conjoining jamo.
        byte_words: words spelled in bytes of sentencepiece's fallback.
        long_words: unknown words longer than WordPiece takes a word to be.
        mended_words: unknown words that are known in composed form (NFC).
        scripts: script of a word's first letter -> (running words, unknown ones).
        unknown_characters: character -> running words that it makes unknown.
        examples: `unknown_words`, `jamo_words`, ... -> such a word, the most frequent one of some block.
    """

    words: int = 0
    unknown_words: int = 0
    hangul_words: int = 0
    hangul_characters: int = 0
    hangul_pieces: int = 0
    jamo_words: int = 0
    byte_words: int = 0
    long_words: int = 0
    mended_words: int = 0
    scripts: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    unknown_characters: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)


WORD_COUNTS = tuple(each.name for each in fields(WordFigures) if each.default == 0)
"""The numbers of WordFigures."""


@dataclass(frozen=True, slots=True)
class TokenizerFigures:
    """How one tokenizer reads the corpus. Counts equal those of a full encode without special tokens.

    A word is what white space separates; it is counted as it is encoded after a space.

    Attributes:
        name: as the user named it.
        kind: WordPiece, Unigram, BPE or WordLevel.
        vocabulary: ids there are, added tokens included.
        method: `proved` (texts are cut where tokenizer.json shows that no token crosses), `checked` (cut, and compared
            with whole texts, ids against ids), or `whole` (each text is encoded as it is).
        checked: texts that were encoded whole and compared.
        remark: why the method is `whole`, or what else is to be said; empty: nothing.
        tokens: of all texts.
        words: running words; `word_tokens`: their tokens.
        whole_words: running words that are one token.
        unknown_tokens: in all texts.
        unknown_texts: texts with at least one; `unknown_words`: running words with one.
        byte_tokens: tokens of all texts that hold bytes of a character, not a whole one.
        used: different ids that occur.
        unknown_characters: the characters that make words unknown, with the running words they stand in; most frequent
            first, at most 1000. `unknown_distinct`: how many there are.
        unknown_examples: the most frequent unknown words, at most 50.
        lengths: role (`text`, `question`, `context`, ...; `row`: all texts of a row together) -> histogram.
        scripts: script name (as Unicode's: Hangul, Latin, Han, ...; Common for digits, marks and spaces) -> figures,
            most frequent first.
        candidates: most tokens saved first, at most 200.
        counted_at_least: occurrences of a word that may be missing from unknown_examples and candidates because the
            table of words is bounded; 0: they are exact.
    """

    name: str
    kind: str
    vocabulary: int
    method: str
    checked: int = 0
    remark: str = ""
    tokens: int = 0
    words: int = 0
    word_tokens: int = 0
    whole_words: int = 0
    unknown_tokens: int = 0
    unknown_texts: int = 0
    unknown_words: int = 0
    byte_tokens: int = 0
    used: int = 0
    unknown_characters: tuple[Counted, ...] = ()
    unknown_distinct: int = 0
    unknown_examples: tuple[Counted, ...] = ()
    lengths: Mapping[str, Lengths] = field(default_factory=dict)
    scripts: Mapping[str, ScriptFigures] = field(default_factory=dict)
    candidates: tuple[Candidate, ...] = ()
    counted_at_least: int = 0


@dataclass(frozen=True, slots=True)
class CorpusFigures:
    """The corpus itself, whatever reads it.

    Attributes:
        rows: rows read; `texts`: texts of them (two for a pair); `broken`: rows that could not be read.
        bytes: of the texts in UTF-8; `characters`: code points, white space included.
        words: running words, what white space separates.
        distinct_words: different ones; exact where `distinct_words_exact`, else an estimate within about 2 %.
        scripts: script -> running characters, most frequent first.
        common_words: the most frequent words, at most 50.
    """

    rows: int = 0
    texts: int = 0
    broken: int = 0
    bytes: int = 0
    characters: int = 0
    words: int = 0
    distinct_words: int = 0
    distinct_words_exact: bool = True
    scripts: Mapping[str, int] = field(default_factory=dict)
    common_words: tuple[Counted, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """A corpus as one or several tokenizers read it.

    Attributes:
        files: what was read, in the order given.
        corpus: the corpus itself.
        tokenizers: one entry each, in the order given.
        complete: all rows were read; False: `stopped` says why not (`--sample 2000`, Ctrl-C after 12 of 80 MB).
        max_length: what the setup cuts at, for the line in pictures; None: it does not say. `stride` likewise.
    """

    files: tuple[FileRead, ...]
    corpus: CorpusFigures
    tokenizers: tuple[TokenizerFigures, ...]
    complete: bool = True
    stopped: str = ""
    max_length: int | None = None
    stride: int | None = None
