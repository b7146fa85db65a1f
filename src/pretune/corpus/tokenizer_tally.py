"""How one tokenizer reads a corpus, summed up block by block: TokenizerTally. A sum of sums, so merged in any order.

Every count is that of encoding each text whole, without special tokens, truncation and padding. Texts that hold an
added token, and all texts of a tokenizer whose cut is not proved, are encoded whole.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from pretune.corpus.counted_words import CountedWords
from pretune.corpus.encoders import UnitEncoder
from pretune.corpus.word_tally import Encoded, WordReader, WordSums, hits_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import tokenizers

    from pretune.corpus.letters import Letters
    from pretune.corpus.texts import TextTable
    from pretune.corpus.unit_table import UnitTable

    Array = np.ndarray[Any, Any]

COMPARED_CHARACTERS = 60_000
"""Of each block, texts of so many characters are encoded whole, and compared with their units, ids against ids."""

UNKNOWN_WORDS = 100_000
"""Entries of the table of unknown words."""

_COUNTS = ("tokens", "unknown_tokens", "unknown_texts", "byte_tokens", "compared", "texts_whole")


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
        kind: WordPiece, Unigram, BPE or WordLevel.
        counts: the sums, by the names of TokenizerFigures.
        ids: occurrences of each id, int64.
        lengths: role -> tokens of a text -> how many texts.
        rows: tokens of a row -> how many rows, of the rows with one text and of those with several.
        words: split -> the sums of its words.
        unknown: the unknown words.
        reader: reads its words.
    """

    def __init__(self, name: str, encoder: tokenizers.Tokenizer, *, fast: bool = True, whole: bool = False) -> None:
        self.name = name
        self.units = UnitEncoder(encoder, fast=fast and not whole)
        self.whole = whole or not self.units.proof.safe
        self.reason = "a text encoded whole gave other ids than its parts" if whole else self.units.proof.reason
        model = self.units.model
        self.fingerprint = self.units.fingerprint
        self.marks = self.units.marks
        self.specials = (encoder.num_special_tokens_to_add(False), encoder.num_special_tokens_to_add(True))
        self.counts: Counter[str] = Counter(dict.fromkeys(_COUNTS, 0))
        self.ids: Array = np.zeros(self.marks.size, np.int64)
        self.lengths: dict[str, Counter[int]] = {}
        self.rows: tuple[Counter[int], Counter[int]] = (Counter(), Counter())
        self.words: dict[str, WordSums] = {}
        self.unknown = CountedWords(UNKNOWN_WORDS)
        self.kind = str(model.get("type"))
        self.reader = WordReader(self.units, model, self.marks)

    def add(self, texts: TextTable, table: UnitTable, letters: Letters, *, split: str = "train") -> None:
        """Read a block.

        Args:
            texts: its texts.
            table: their units and words, cut with the glue that this tokenizer needs.
            letters: scripts of the words, and where words may begin anew.
            split: of the block.

        Raises:
            EngineDisagrees: a fast engine is wrong; the tally is to be begun again without.
            CutDisagrees: the cut is wrong; the tally is to be begun again with whole texts.
        """
        ids, lengths = self.units.encode(table)
        encoded = Encoded(ids, lengths)
        unknown = hits_of(ids == self.marks.unknown, encoded) > 0
        ends, starts = np.cumsum(table.sizes), np.cumsum(lengths) - lengths

        def ids_of(text: int) -> Array:
            codes = table.codes[ends[text] - table.sizes[text] : ends[text]]
            parts = [ids[starts[code] : starts[code] + lengths[code]] for code in codes]
            return np.concatenate(parts) if parts else ids[:0]

        with_unknown = table.per_text(unknown.astype(np.int64)) > 0
        self.add_read(texts, table.per_text(lengths), with_unknown, ids_of)
        if not self.whole:
            weights: Array = np.repeat(table.counts, lengths)
            self.add_ids(np.bincount(ids, weights=weights, minlength=self.marks.size).astype(np.int64))
        if len(table.words):
            sums = self.words.setdefault(split, WordSums())
            self.reader.add(sums, table, encoded, unknown=unknown, letters=letters)
            lost = unknown[table.words]
            self.unknown.add(table.strings.gather(table.words[lost]).str.slice(1), table.word_counts[lost])

    def add_read(self, texts: TextTable, of_texts: Array, with_unknown: Array, ids_of: Callable[[int], Array]) -> None:
        """Take in the texts of a block whose units were encoded; the sums of their ids come by `add_ids`.

        Args:
            texts: the texts.
            of_texts: tokens of each, by its units; changed where it is encoded whole.
            with_unknown: whether its units hold an unknown token; changed likewise.
            ids_of: the ids of a text, by its units.

        Raises:
            CutDisagrees: a text encoded whole gave other ids.
        """
        whole = self._whole(texts)
        for at, found in zip(whole.tolist(), self._encode(texts.texts, whole), strict=True):
            times = int(texts.times[at])
            of_texts[at], with_unknown[at] = len(found), bool((found == self.marks.unknown).any())
            self._count(found, times)
            if not self.whole:  # what its units give does not count
                self._count(ids_of(at), -times)
        self.counts["texts_whole"] += int(texts.times[whole].sum())
        self._compare(texts, ids_of, skip=whole)
        self.counts["unknown_texts"] += int(texts.times[with_unknown].sum())
        self._add_lengths(texts, of_texts)

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
            found += [np.array(encoding.ids, np.int32) for encoding in batch]
        return found

    def _compare(self, texts: TextTable, ids_of: Callable[[int], Array], *, skip: Array) -> None:
        """Encode some texts whole and compare the ids."""
        if self.whole or not len(texts.texts):
            return
        step = max(len(texts.texts) // 97, 1)
        chosen = np.setdiff1d(np.arange(0, len(texts.texts), step), skip)
        sizes = texts.texts.gather(chosen).str.len_chars().to_numpy()
        chosen = chosen[np.cumsum(sizes, dtype=np.int64) <= COMPARED_CHARACTERS]
        for at, whole in zip(chosen.tolist(), self._encode(texts.texts, chosen), strict=True):
            if not np.array_equal(ids_of(at), whole):
                raise CutDisagrees(self.name)
        self.counts["compared"] += len(chosen)

    def _count(self, ids: Array, times: int) -> None:
        self.add_ids(np.bincount(ids, minlength=self.marks.size) * times)

    def add_ids(self, counts: Array) -> None:
        """Add how often each id occurs, int64."""
        self.ids += counts
        self.counts["tokens"] += int(counts.sum())
        if self.marks.unknown >= 0:
            self.counts["unknown_tokens"] += int(counts[self.marks.unknown])
        self.counts["byte_tokens"] += int(counts[self.marks.partial].sum())

    def _add_lengths(self, texts: TextTable, of_texts: Array) -> None:
        rows: Array = np.zeros(texts.rows, np.int64)
        held: Array = np.zeros(texts.rows, np.int64)
        for role, (index, row) in zip(texts.roles, texts.places, strict=True):
            _count(self.lengths.setdefault(role, Counter()), of_texts[index])
            rows += np.bincount(row, weights=of_texts[index], minlength=texts.rows).astype(np.int64)
            held[row] += 1
        _count(self.rows[0], rows[held == 1])
        _count(self.rows[1], rows[held > 1])

    def merge(self, other: TokenizerTally) -> None:
        """Take in the sums of other blocks, read by the same tokenizer."""
        self.counts.update(other.counts)
        self.ids += other.ids
        for role, counts in other.lengths.items():
            self.lengths.setdefault(role, Counter()).update(counts)
        for mine, theirs in zip(self.rows, other.rows, strict=True):
            mine.update(theirs)
        for split, sums in other.words.items():
            self.words.setdefault(split, WordSums()).merge(sums)
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
            "rows": [sorted(known.items()) for known in self.rows],
            "words": {split: sums.state() for split, sums in sorted(self.words.items())},
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
        for known, rows in zip(self.rows, told["rows"], strict=True):
            known.update({int(length): int(n) for length, n in rows})
        for split, sums in told["words"].items():
            self.words.setdefault(str(split), WordSums()).merge(WordSums.of_state(sums))
        self.unknown.merge([CountedWords.load(blobs["unknown"], most=UNKNOWN_WORDS, **told["unknown"])])


def _count(known: Counter[int], values: Array) -> None:
    """Count each value."""
    lengths, counts = np.unique(values, return_counts=True)
    for length, count in zip(lengths.tolist(), counts.tolist(), strict=True):
        known[length] += count
