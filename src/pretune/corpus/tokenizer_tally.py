"""How one tokenizer reads a corpus, summed up block by block: TokenizerTally. A sum of sums, so merged in any order.

Every count is that of encoding each text whole, without special tokens, truncation and padding. Texts that hold an
added token, and all texts of a tokenizer whose cut is not proved, are encoded whole.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from pretune.corpus.counted_words import CountedWords
from pretune.corpus.encoders import UnitEncoder
from pretune.corpus.vocabulary_marks import UNKNOWN, marks_of, spelled, unknown_within

if TYPE_CHECKING:
    from collections.abc import Mapping

    import tokenizers

    from pretune.corpus.letters import Letters
    from pretune.corpus.texts import TextTable
    from pretune.corpus.unit_table import UnitTable

    Array = np.ndarray[Any, Any]

COMPARED_CHARACTERS = 60_000
"""Of each block, texts of so many characters are encoded whole, and compared with their units, ids against ids."""

UNKNOWN_WORDS = 100_000
"""Entries of the table of unknown words."""

_COUNTS = (
    *("tokens", "words", "word_tokens", "whole_words", "unknown_tokens", "unknown_texts", "unknown_words"),
    *("byte_tokens", "compared", "texts_whole"),
)


class CutDisagrees(Exception):  # noqa: N818 - no error of the user
    """A text encoded whole gave other ids than its units."""


class TokenizerTally:
    """The running figures of one tokenizer.

    Args:
        name: as the user named it.
        encoder: the tokenizer.
        fast: whether fast engines may help.
        whole: encode every text whole, whatever is proved.

    Attributes:
        counts: the sums, by the names of TokenizerFigures.
        ids: occurrences of each id, int64.
        lengths: role -> tokens of a text -> how many texts.
        scripts: script -> (words, unknown words, tokens of words).
        characters: code point -> running words that it makes unknown.
        unknown: the unknown words.
    """

    def __init__(self, name: str, encoder: tokenizers.Tokenizer, *, fast: bool = True, whole: bool = False) -> None:
        self.name = name
        self.units = UnitEncoder(encoder, fast=fast and not whole)
        self.whole = whole or not self.units.proof.safe
        self.reason = "a text encoded whole gave other ids than its parts" if whole else self.units.proof.reason
        description = self.units.whole.to_str()
        parsed = json.loads(description)
        self.model: Mapping[str, Any] = parsed["model"]
        self.fingerprint = hashlib.sha256(description.encode()).hexdigest()
        self.marks = marks_of(self.units.whole, self.model, byte_level=_is_byte_level(parsed))
        self.specials = (encoder.num_special_tokens_to_add(False), encoder.num_special_tokens_to_add(True))
        self.counts: Counter[str] = Counter(dict.fromkeys(_COUNTS, 0))
        self.ids: Array = np.zeros(self.marks.size, np.int64)
        self.lengths: dict[str, Counter[int]] = {}
        self.scripts: dict[str, Array] = {}
        self.characters: Counter[int] = Counter()
        self.unknown = CountedWords(UNKNOWN_WORDS)
        self._unspelled: tuple[Array, Array] = (np.zeros(0x110000, bool), np.zeros(0x110000, bool))
        self._asked: Array = np.zeros(0x110000, bool)

    @property
    def kind(self) -> str:
        """WordPiece, Unigram, BPE or WordLevel."""
        return str(self.model.get("type"))

    def add(self, texts: TextTable, table: UnitTable, letters: Letters) -> None:
        """Read a block.

        Args:
            texts: its texts.
            table: their units and words, cut with the glue that this tokenizer needs.
            letters: scripts of the words, and where words may begin anew.

        Raises:
            EngineDisagrees: a fast engine is wrong; the tally is to be begun again without.
            CutDisagrees: the cut is wrong; the tally is to be begun again with whole texts.
        """
        ids, lengths = self.units.encode(table)
        unknown = _holding(ids == self.marks.unknown, lengths)
        of_texts = table.per_text(lengths)
        with_unknown = table.per_text(unknown.astype(np.int64)) > 0
        counts = table.counts
        whole = self._whole(texts)
        if len(whole):
            masked: Array = np.zeros(len(texts.texts), bool)
            masked[whole] = True
            taken: Array = np.repeat(np.where(masked, texts.times, 0), table.sizes)
            counts = counts - np.bincount(table.codes, weights=taken, minlength=len(counts)).astype(np.int64)
            for at, found in zip(whole, self._encode(texts.texts, whole), strict=True):
                of_texts[at], with_unknown[at] = len(found), bool((found == self.marks.unknown).any())
                self._count(found, int(texts.times[at]))
            self.counts["texts_whole"] += int(texts.times[whole].sum())
        self._compare(texts, table, ids, lengths, skip=whole)
        self._add_ids(np.bincount(ids, weights=np.repeat(counts, lengths), minlength=self.marks.size).astype(np.int64))
        self.counts["unknown_texts"] += int(texts.times[with_unknown].sum())
        self._add_lengths(texts, of_texts)
        self._add_words(table, ids, lengths, unknown, letters)

    def _whole(self, texts: TextTable) -> Array:
        """The texts that are to be encoded whole."""
        if self.whole:
            return np.arange(len(texts.texts))
        proof = self.units.proof
        found: Array = np.zeros(len(texts.texts), bool)
        if proof.added:
            found |= texts.texts.str.contains_any(list(proof.added)).to_numpy()
        normalizer = self.units.whole.normalizer
        if proof.normalized and normalizer is not None:
            wanted = [normalizer.normalize_str(content) for content in proof.normalized]
            wanted = [content for content in wanted if content.strip()] or list(proof.normalized)
            forms = pl.Series([normalizer.normalize_str(text) for text in texts.texts.to_list()], dtype=pl.String)
            found |= forms.str.contains_any(wanted).to_numpy()
        if proof.starts:
            found |= texts.texts.str.starts_with(" ").to_numpy()
        return np.flatnonzero(found)

    def _encode(self, texts: pl.Series, chosen: Array) -> list[Array]:
        """The ids of whole texts."""
        strings = texts.gather(chosen).to_list() if len(chosen) < len(texts) else texts.to_list()
        found: list[Array] = []
        for start in range(0, len(strings), 1000):
            batch = self.units.whole.encode_batch_fast(strings[start : start + 1000], add_special_tokens=False)
            found += [np.array(encoding.ids, np.int64) for encoding in batch]
        return found

    def _compare(self, texts: TextTable, table: UnitTable, ids: Array, lengths: Array, *, skip: Array) -> None:
        """Encode some texts whole and compare the ids."""
        if self.whole or not len(texts.texts):
            return
        step = max(len(texts.texts) // 97, 1)
        chosen = np.setdiff1d(np.arange(0, len(texts.texts), step), skip)
        sizes = texts.texts.gather(chosen).str.len_chars().to_numpy()
        chosen = chosen[np.cumsum(sizes, dtype=np.int64) <= COMPARED_CHARACTERS]
        ends, starts = np.cumsum(table.sizes), np.cumsum(lengths) - lengths
        for at, whole in zip(chosen, self._encode(texts.texts, chosen), strict=True):
            codes = table.codes[ends[at] - table.sizes[at] : ends[at]]
            parts = [ids[starts[code] : starts[code] + lengths[code]] for code in codes]
            if not np.array_equal(np.concatenate(parts) if parts else whole[:0], whole):
                raise CutDisagrees(self.name)
        self.counts["compared"] += len(chosen)

    def _count(self, ids: Array, times: int) -> None:
        self._add_ids(np.bincount(ids, minlength=self.marks.size) * times)

    def _add_ids(self, counts: Array) -> None:
        self.ids += counts
        self.counts["tokens"] += int(counts.sum())
        if self.marks.unknown >= 0:
            self.counts["unknown_tokens"] += int(counts[self.marks.unknown])
        self.counts["byte_tokens"] += int(counts[self.marks.partial].sum())

    def _add_lengths(self, texts: TextTable, of_texts: Array) -> None:
        rows: Array = np.zeros(texts.rows, np.int64)
        there: Array = np.zeros(texts.rows, bool)
        for role, (index, row) in zip(texts.roles, texts.places, strict=True):
            self._histogram(role, of_texts[index])
            rows += np.bincount(row, weights=of_texts[index], minlength=texts.rows).astype(np.int64)
            there[row] = True
        if len(texts.roles) > 1:
            self._histogram("row", rows[there])

    def _histogram(self, role: str, values: Array) -> None:
        lengths, counts = np.unique(values, return_counts=True)
        known = self.lengths.setdefault(role, Counter())
        for length, count in zip(lengths.tolist(), counts.tolist(), strict=True):
            known[length] += count

    def _add_words(self, table: UnitTable, ids: Array, lengths: Array, unknown: Array, letters: Letters) -> None:
        """Words as they are encoded after a space."""
        words, running = table.words, table.word_counts
        if not len(words):
            return
        sizes, lost = lengths[words], unknown[words]
        firsts = np.minimum((np.cumsum(lengths) - lengths)[words], max(len(ids) - 1, 0))
        led = self.marks.bare[ids[firsts]] & (sizes > 1) if len(ids) else np.zeros(len(words), bool)
        whole = (sizes - led == 1) & ~lost
        self.counts["words"] += int(running.sum())
        self.counts["word_tokens"] += int((running * sizes).sum())
        self.counts["whole_words"] += int(running[whole].sum())
        self.counts["unknown_words"] += int(running[lost].sum())
        for at, script in enumerate(letters.scripts):
            mine = letters.of_words == at
            sums = self.scripts.setdefault(script, np.zeros(3, np.int64))
            sums += (running[mine].sum(), running[mine & lost].sum(), (running * sizes)[mine].sum())
        bad = words[lost]
        self.unknown.add(table.strings.gather(bad).str.slice(1), running[lost])
        if len(bad):
            self._add_characters(table, bad, running[lost], letters)

    def _add_characters(self, table: UnitTable, bad: Array, running: Array, letters: Letters) -> None:
        """Which characters of the unknown words the vocabulary cannot spell at their places."""
        self._ask(table.characters)
        ends = np.cumsum(table.lengths)
        sizes = table.lengths[bad]
        places = np.repeat(ends[bad] - table.lengths[bad] - (np.cumsum(sizes) - sizes), sizes) + np.arange(
            int(sizes.sum())
        )
        points = table.points[places]
        begins = ~letters.continues[table.points[places - 1]] | ~letters.continues[points]
        first, within = self._unspelled
        wrong = np.where(begins, first[points], within[points])
        of_word = np.repeat(np.arange(len(bad)), sizes)[wrong]
        pairs = np.unique(of_word.astype(np.int64) * 0x110000 + points[wrong])
        counts = np.bincount(pairs % 0x110000, weights=running[pairs // 0x110000])
        for point in np.flatnonzero(counts).tolist():
            self.characters[point] += int(counts[point])

    def _ask(self, points: Array) -> None:
        """Learn what becomes of characters that were not met before."""
        new = points[~self._asked[points]]
        self._asked[new] = True
        new = np.array([point for point in new.tolist() if not chr(point).isspace()], np.int64)
        characters = [chr(point) for point in new.tolist()]
        first, within = self._unspelled
        first[new] = spelled(self.units.inside, characters, self.marks) == UNKNOWN
        within[new] = unknown_within(self.units.inside, self.model, characters, self.marks)

    def merge(self, other: TokenizerTally) -> None:
        """Take in the sums of other blocks, read by the same tokenizer."""
        self.counts.update(other.counts)
        self.ids += other.ids
        for role, counts in other.lengths.items():
            self.lengths.setdefault(role, Counter()).update(counts)
        for script, sums in other.scripts.items():
            self.scripts[script] = self.scripts.get(script, 0) + sums
        self.characters.update(other.characters)
        self.unknown.merge([other.unknown])

    def state(self) -> tuple[dict[str, Any], dict[str, bytes]]:
        """The sums as JSON and as bytes, equal for equal sums."""
        told = {
            "name": self.name,
            "fingerprint": self.fingerprint,
            "whole": self.whole,
            "reason": self.reason,
            "counts": dict(sorted(self.counts.items())),
            "lengths": {role: sorted(known.items()) for role, known in sorted(self.lengths.items())},
            "scripts": {name: [int(n) for n in sums] for name, sums in sorted(self.scripts.items())},
            "characters": sorted(self.characters.items()),
            "unknown": {"level": self.unknown.settled_level, "blocks": self.unknown.blocks},
        }
        return told, {"ids": self.ids.astype("<i8").tobytes(), "unknown": self.unknown.dump()}

    def restore(self, told: Mapping[str, Any], blobs: Mapping[str, bytes]) -> None:
        """Take in sums that `state` gave, of the same tokenizer.

        Raises:
            ValueError: they are another tokenizer's, or no such sums.
        """
        if told["fingerprint"] != self.fingerprint:
            raise ValueError(f"{self.name} has changed since")
        ids = np.frombuffer(blobs["ids"], "<i8")
        if ids.shape != self.ids.shape:
            raise ValueError(f"{self.name} has another vocabulary")
        self.whole, self.reason = bool(told["whole"]), str(told["reason"])
        self.counts.update({str(key): int(n) for key, n in told["counts"].items()})
        self.ids += ids
        for role, known in told["lengths"].items():
            self.lengths.setdefault(role, Counter()).update({int(length): int(n) for length, n in known})
        for name, sums in told["scripts"].items():
            self.scripts[name] = self.scripts.get(name, 0) + np.array(sums, np.int64)
        self.characters.update({int(point): int(n) for point, n in told["characters"]})
        self.unknown.merge([CountedWords.load(blobs["unknown"], most=UNKNOWN_WORDS, **told["unknown"])])


def _holding(hits: Array, lengths: Array) -> Array:
    """For each unit whether one of its ids is a hit."""
    sums = np.concatenate(([0], np.cumsum(hits)))
    ends = np.cumsum(lengths)
    found: Array = sums[ends] > sums[ends - lengths]
    return found


def _is_byte_level(parsed: Mapping[str, Any]) -> bool:
    """Whether the pre-tokenizer turns text into GPT-2's byte alphabet."""
    return '"ByteLevel"' in json.dumps(parsed.get("pre_tokenizer"))
