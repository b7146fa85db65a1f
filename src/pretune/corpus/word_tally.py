"""How one tokenizer reads the words of a corpus, block by block: WordReader adds them up in WordSums, one for a split.

A word is what white space separates, as it is encoded after a space. Sums of sums, so merged in any order. Knows no
texts.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from pretune.artifacts.coverage import is_jamo
from pretune.corpus.unit_table import table_of_units
from pretune.corpus.vocabulary_marks import UNKNOWN, spelled, unknown_within

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pretune.corpus.encoders import UnitEncoder
    from pretune.corpus.letters import Letters
    from pretune.corpus.unit_table import UnitTable
    from pretune.corpus.vocabulary_marks import Marks

    Array = np.ndarray[Any, Any]

WORD_LIMIT = 100
"""Characters of WordPiece's longest word where the model names no max_input_chars_per_word."""


class Encoded(NamedTuple):
    """The units of a table, encoded.

    Attributes:
        ids: of all units one after the other, int32.
        lengths: how many each has, int64.
    """

    ids: Array
    lengths: Array


class WordSums:
    """The running figures of the words of one split.

    Attributes:
        counts: the sums, by the names of WordFigures.
        scripts: script -> (words, unknown words, tokens of words).
        characters: code point -> running words that it makes unknown.
        shown: kind of words -> (occurrences in one block, the word), of the word that occurs most often in any block.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.scripts: dict[str, Array] = {}
        self.characters: Counter[int] = Counter()
        self.shown: dict[str, tuple[int, str]] = {}

    def show(self, kind: str, count: int, word: str) -> None:
        """Keep the word that occurs most often, of several the first in the order of code points."""
        best = self.shown.get(kind)
        if best is None or (-count, word) < (-best[0], best[1]):
            self.shown[kind] = (count, word)

    def merge(self, other: WordSums) -> None:
        """Take in the sums of other blocks."""
        self.counts.update(other.counts)
        for script, sums in other.scripts.items():
            self.scripts[script] = self.scripts.get(script, 0) + sums
        self.characters.update(other.characters)
        for kind, (count, word) in other.shown.items():
            self.show(kind, count, word)

    def state(self) -> dict[str, Any]:
        """The sums as JSON, equal for equal sums."""
        return {
            "counts": dict(sorted(self.counts.items())),
            "scripts": {name: [int(n) for n in sums] for name, sums in sorted(self.scripts.items())},
            "characters": sorted(self.characters.items()),
            "shown": dict(sorted(self.shown.items())),
        }

    @classmethod
    def of_state(cls, told: Mapping[str, Any]) -> WordSums:
        """The sums that `state` gave.

        Raises:
            ValueError: they are no such sums.
        """
        made = cls()
        made.counts.update({str(kind): int(n) for kind, n in told["counts"].items()})
        made.scripts = {str(name): np.array(sums, np.int64) for name, sums in told["scripts"].items()}
        made.characters.update({int(point): int(n) for point, n in told["characters"]})
        made.shown = {str(kind): (int(count), str(word)) for kind, (count, word) in told["shown"].items()}
        return made


def together(sums: Iterable[WordSums]) -> WordSums:
    """The sums of several splits as one."""
    made = WordSums()
    for one in sums:
        made.merge(one)
    return made


class WordReader:
    """Reads the words of blocks with one tokenizer.

    Args:
        units: its encoder.
        model: the `model` of its tokenizer.json.
        marks: what its ids stand for.
    """

    def __init__(self, units: UnitEncoder, model: Mapping[str, Any], marks: Marks) -> None:
        self.units = units
        self.inside = units.inside
        self.model = model
        self.marks = marks
        limit = model.get("max_input_chars_per_word") if model.get("type") == "WordPiece" else None
        self._limit = limit or WORD_LIMIT if model.get("type") == "WordPiece" else None
        self._unspelled: tuple[Array, Array] = (np.zeros(0x110000, bool), np.zeros(0x110000, bool))
        self._asked: Array = np.zeros(0x110000, bool)

    def add(self, sums: WordSums, table: UnitTable, encoded: Encoded, *, unknown: Array, letters: Letters) -> None:
        """Add the words of a block to the sums of its split.

        Args:
            sums: of the block's split.
            table: the units and words of the block.
            encoded: its units.
            unknown: which of them hold an unknown token, bool.
            letters: of its words.
        """
        words, running = table.words, table.word_counts
        sizes, lost = encoded.lengths[words], unknown[words]
        tokens = sizes - _hits(self.marks.bare, encoded)[words]
        hangul = letters.hangul > 0
        kinds = {
            "unknown_words": lost,
            "jamo_words": (letters.syllables > 0) & (_hits(self.marks.jamo, encoded)[words] > 0),
            "byte_words": _hits(self.marks.fallback, encoded)[words] > 0,
        }
        sums.counts["words"] += int(running.sum())
        sums.counts["word_tokens"] += int(running @ sizes)
        sums.counts["whole_words"] += int(running[(tokens == 1) & ~lost].sum())
        sums.counts["hangul_words"] += int(running[hangul].sum())
        sums.counts["hangul_characters"] += int(running @ letters.hangul)
        sums.counts["hangul_pieces"] += int(running[hangul] @ tokens[hangul])
        for kind, which in kinds.items():
            self._add_kind(sums, kind, table, np.flatnonzero(which))
        self._add_scripts(sums, letters, running, lost, sizes)
        bad = np.flatnonzero(lost)
        if len(bad):
            self._add_kind(sums, "long_words", table, bad[self.too_long(table, words[bad], letters.continues)])
            self._add_kind(sums, "mended_words", table, bad[self.mended(table, words[bad])])
            self.add_characters(sums, table, bad, letters)

    @staticmethod
    def _add_kind(sums: WordSums, kind: str, table: UnitTable, which: Array) -> None:
        """Count these words (indices of the table's words), and keep the most frequent one as an example."""
        if not len(which):
            return
        running = table.word_counts[which]
        sums.counts[kind] += int(running.sum())
        most = int(running.max())
        if most >= sums.shown.get(kind, (0, ""))[0]:
            found = table.strings.gather(table.words[which[running == most]])
            sums.show(kind, most, str(found.min())[1:])

    @staticmethod
    def _add_scripts(sums: WordSums, letters: Letters, running: Array, lost: Array, sizes: Array) -> None:
        added: Array = np.zeros((len(letters.scripts), 3), np.int64)
        for column, weights in enumerate((running, running * lost, running * sizes)):
            added[:, column] = np.bincount(letters.of_words, weights=weights, minlength=len(added))
        for at in np.flatnonzero(added[:, 0]):
            script = letters.scripts[at]
            sums.scripts[script] = sums.scripts.get(script, 0) + added[at]

    def too_long(self, table: UnitTable, words: Array, continues: Array) -> Array:
        """Which of these units WordPiece gives up on: what stands between punctuation marks in them is too long."""
        found: Array = np.zeros(len(words), bool)
        if self._limit is None or self.inside.pre_tokenizer is None:
            return found
        normalizer, cut = self.inside.normalizer, self.inside.pre_tokenizer
        doubtful = np.flatnonzero(table.lengths[words] - 1 > self._limit)
        if len(doubtful) and _parts_han(normalizer, cut):
            # none of it is in a run of more characters, each of which a normalizer makes four of at most
            of_word, places = _places(table, words[doubtful])
            within = np.bincount(of_word, weights=continues[table.points[places]], minlength=len(doubtful))
            doubtful = doubtful[4 * within > self._limit]
        for at in doubtful.tolist():
            word = table.units[words[at]][1:]
            runs = cut.pre_tokenize_str(normalizer.normalize_str(word) if normalizer else word)
            found[at] = any(len(run) > self._limit for run, _ in runs)
        return found

    def mended(self, table: UnitTable, words: Array) -> Array:
        """Which of these units, unknown as they are written, are known once they are composed (NFC)."""
        found: Array = np.zeros(len(words), bool)
        of_word, places = _places(table, words)
        points = table.points[places]
        may: Array = np.zeros(0x110000, bool)
        may[[point for point in np.unique(points).tolist() if _may_compose(point)]] = True
        asked = np.unique(of_word[may[points]])
        written = table.strings.gather(words[asked])
        composed = written.str.normalize("NFC")
        changed = (written != composed).to_numpy()
        asked = asked[changed]
        if len(asked):
            ids, lengths = self.units.encode(table_of_units(composed.filter(changed)))
            known = Encoded(ids, lengths)
            tokens = lengths - _hits(self.marks.bare, known)
            found[asked] = (hits_of(ids == self.marks.unknown, known) == 0) & (tokens > 0)
        return found

    def add_characters(self, sums: WordSums, table: UnitTable, bad: Array, letters: Letters) -> None:
        """Which characters of the unknown words the vocabulary cannot spell at their places."""
        self._ask(table.characters)
        words, running = table.words[bad], table.word_counts[bad]
        of_word, places = _places(table, words)
        points = table.points[places]
        begins = ~letters.continues[table.points[places - 1]] | ~letters.continues[points]
        first, within = self._unspelled
        wrong = np.where(begins, first[points], within[points])
        pairs = np.unique(of_word[wrong] * 0x110000 + points[wrong])
        counts = np.bincount(pairs % 0x110000, weights=running[pairs // 0x110000])
        for point in np.flatnonzero(counts).tolist():
            sums.characters[point] += int(counts[point])

    def _ask(self, points: Array) -> None:
        """Learn what becomes of characters that were not met before."""
        new = points[~self._asked[points]]
        self._asked[new] = True
        characters = [chr(point) for point in new.tolist()]
        first, within = self._unspelled
        first[new] = spelled(self.inside, characters, self.marks) == UNKNOWN
        within[new] = unknown_within(self.inside, self.model, characters, self.marks)


def _hits(wanted: Array, encoded: Encoded) -> Array:
    """How many tokens of each unit are wanted (bool for each id of the vocabulary)."""
    if not wanted.any():
        return np.zeros(len(encoded.lengths), np.int64)
    return hits_of(wanted.take(encoded.ids), encoded)


def hits_of(flags: Array, encoded: Encoded) -> Array:
    """How many tokens of each unit have a flag (bool for each of its ids)."""
    before: Array = np.zeros(len(flags) + 1, np.int32 if len(flags) < 2**31 else np.int64)
    np.cumsum(flags, out=before[1:])
    ends = np.cumsum(encoded.lengths)
    found: Array = before[ends] - before[ends - encoded.lengths]
    return found


def _places(table: UnitTable, units: Array) -> tuple[Array, Array]:
    """Of each character of these units: which of them it belongs to, and where it stands in `points`; int64."""
    sizes = table.lengths[units]
    starts = np.cumsum(table.lengths)[units] - np.cumsum(sizes)
    return np.repeat(np.arange(len(units)), sizes), np.repeat(starts, sizes) + np.arange(int(sizes.sum()))


@lru_cache(maxsize=1 << 17)
def _may_compose(point: int) -> bool:
    """Whether NFC may change a word that holds a character; of scripts beyond U+11000 not asked closely."""
    character = chr(point)
    composes = unicodedata.category(character).startswith("M") or is_jamo(character) or 0x11000 <= point < 0x17000
    return composes or unicodedata.normalize("NFC", character) != character


def _parts_han(normalizer: Any, cut: Any) -> bool:
    """Whether words end at punctuation marks and at Han characters: BERT's parts."""
    return type(cut) is BertPreTokenizer and type(normalizer) is BertNormalizer and normalizer.handle_chinese_chars
