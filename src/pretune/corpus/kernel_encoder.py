"""Units encoded by the compiled kernel, exactly as `tokenizers` would: KernelEncoder. Knows no corpus.

What becomes of a character is asked of the tokenizer's own normaliser and pre-tokenizer, and what the kernel makes of
it is tried in many surroundings first. Units with a character that fails, or that may be more beside others than alone
(marks, conjoining jamo, ...), with an added token, or of over 400 bytes go to `tokenizers`; one of 251 others is
compared, ids against ids, and one difference ends the kernel's use for this tokenizer (EngineDisagrees).
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from pretune.corpus.cut import PREPENDED, SPACE
from pretune.corpus.kernel import buffers_of, kernel, series_of
from pretune.corpus.kernel_models import apart, model_of
from pretune.corpus.surroundings import AROUND, COMPARED, EngineDisagrees, equal, in_order, surroundings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    import tokenizers

    from pretune.corpus.cut import Proof
    from pretune.corpus.kernel_models import KernelModel
    from pretune.corpus.surroundings import Engine

    Array = np.ndarray[Any, Any]

DROPPED, BLANK, ALONE, PART = 1, 2, 3, 4
"""What becomes of a character: nothing, white space, a word of its own, a part of a word (encoder.h)."""

LETTER, NUMBER, OTHER = 1, 2, 3
"""The same for byte-level BPE: what the pattern takes it for."""

LEFT = 0xFFFFFFFF
"""The length of a unit that the kernel leaves to the judge."""

LONG = 40
"""Tokens of a unit from which on it is always compared, a few of each block."""

_JAMO = re.compile("[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]")
_JOINING = re.compile(f"[{PREPENDED}\u0e33\u0eb3\uff9e\uff9f\U00011000-\U00016fff\U0001f1e6-\U0001f1ff]")
"""Letters and signs that form one grapheme with others, or may compose with them."""


def kernel_encoder(
    tokenizer: tokenizers.Tokenizer, described: Mapping[str, Any], proof: Proof, judge: Engine
) -> KernelEncoder | None:
    """The kernel as an encoder of a tokenizer; None: there is none, or it may not encode this one.

    Args:
        tokenizer: without truncation and padding.
        described: its tokenizer.json, as an object.
        proof: what its parts say of the cut.
        judge: the same tokenizer on strings.
    """
    module = kernel()
    model = None if module is None else model_of(module, described, proof)
    if module is None or model is None:
        return None
    if model.kind == "Unigram" and not _leaves_spaces(tokenizer.normalizer):
        return None
    return KernelEncoder(module, tokenizer, model, judge, apart(proof))


def _leaves_spaces(normalizer: Any) -> bool:
    """Whether a space before a word stays there."""
    if normalizer is None:
        return True
    return all(normalizer.normalize_str(text) in {text, text.replace(" ", SPACE)} for text in (" ", " aa", "aa"))


class KernelEncoder:
    """Encodes units of the kernel's tables.

    Args:
        module: the kernel.
        tokenizer: the tokenizer.
        model: its model in the kernel's form.
        judge: the tokenizer on strings.
        never: characters whose units go to the judge.
    """

    def __init__(
        self,
        module: ModuleType,
        tokenizer: tokenizers.Tokenizer,
        model: KernelModel,
        judge: Engine,
        never: frozenset[str],
    ) -> None:
        self._module, self._model, self._judge, self._never = module, model, judge, never
        self._tokenizer = tokenizer
        self._scratch = module.Table()
        self._asked: Array = np.zeros(0x110000, bool)
        normalizer = tokenizer.normalizer
        self._normalize = normalizer.normalize_str if normalizer else str
        self._cut = tokenizer.pre_tokenizer.pre_tokenize_str
        self._keeps_marks = self._normalize("e\u0301") == "e\u0301"
        self.learn(np.array(sorted({ord(letter) for pair in AROUND for letter in "".join(pair)})))

    def encode(self, table: Any, first: int, points: Array) -> tuple[Array, Array]:
        """The ids of the units from `first` on.

        Args:
            table: the kernel's.
            first: the first unit.
            points: code points in these units, at least those that no unit before had.

        Returns:
            (ids, lengths), int32 and uint32.

        Raises:
            EngineDisagrees: the kernel is wrong on one of them.
        """
        self.learn(points)
        found, sizes = self._model.encoder.encode(table, first, table.count)
        ids, lengths = np.frombuffer(found, np.int32), np.frombuffer(sizes, np.uint32)
        left = lengths == LEFT
        many = np.where(left, 0, lengths).astype(np.int64)
        self._compare(table, first, ids, many, left)
        if not left.any():
            return ids, lengths
        others = np.flatnonzero(left)
        given, given_sizes = self._judge(_strings(table, others + first))
        good = np.flatnonzero(~left)
        whole, all_sizes = in_order([(good, ids, many[good]), (others, given, given_sizes)], len(lengths))
        return whole, all_sizes.astype(np.uint32)

    def encode_strings(self, strings: pl.Series) -> tuple[Array, Array]:
        """The ids of any strings, each taken for a unit.

        Returns:
            (ids, lengths), int32 and int64.

        Raises:
            EngineDisagrees: the kernel is wrong on one of them.
        """
        if not len(strings):
            return np.zeros(0, np.int32), np.zeros(0, np.int64)
        table = self._module.Table()
        table.add_strings(*buffers_of(strings))
        codes = np.frombuffer(table.block()[0], np.uint32)
        ids, sizes = self.encode(table, 0, _points_of(strings))
        lengths: Array = sizes.astype(np.int64)
        if len(codes) == len(lengths) and (codes == np.arange(len(codes))).all():
            return ids, lengths
        starts, many = (np.cumsum(lengths) - lengths)[codes], lengths[codes]
        own = np.cumsum(many) - many
        return ids[np.repeat(starts - own, many) + np.arange(int(many.sum()))], many

    def learn(self, points: Array) -> None:
        """Ask what becomes of characters that were not met before, and try the kernel on them."""
        new = points[~self._asked[points]]
        if not len(new):
            return
        self._asked[new] = True
        become = {int(point): self._become(chr(point)) for point in new.tolist()}
        self._tell({point: kind for point, kind in become.items() if kind is not None})
        told: Array = np.array([point for point, kind in become.items() if kind is not None], np.int64)
        good: Array = np.ones(len(told), bool)
        for places, texts in surroundings(told, good):
            good[places] &= equal(self._judge(texts), self._alone(texts))
        self._tell({int(point): (0, "") for point in told[~good].tolist()})

    def _alone(self, texts: list[str]) -> tuple[Array, Array]:
        """What the kernel makes of strings, all different; what it leaves goes to the judge."""
        series = pl.Series(texts, dtype=pl.String)
        self._scratch.clear()
        self._scratch.add_strings(*buffers_of(series))
        codes = np.frombuffer(self._scratch.block()[0], np.uint32)
        found, sizes = self._model.encoder.encode(self._scratch, 0, self._scratch.count)
        ids, lengths = np.frombuffer(found, np.int32), np.frombuffer(sizes, np.uint32)
        left = lengths == LEFT
        many = np.where(left, 0, lengths).astype(np.int64)
        good, others = np.flatnonzero(~left), np.flatnonzero(left)
        parts = [(good, ids, many[good])]
        if len(others):
            parts.append((others, *self._judge(_strings(self._scratch, others))))
        whole, every = in_order(parts, len(many))
        if len(codes) == len(every):
            return whole, every
        ends = np.cumsum(every)
        pieces = [whole[ends[code] - every[code] : ends[code]] for code in codes.tolist()]
        return np.concatenate(pieces), every[codes]

    def _tell(self, become: Mapping[int, tuple[int, str]]) -> None:
        """Tell the kernel what becomes of code points; of kind 0: not known."""
        forms = "".join(form for _, form in become.values())
        self._model.encoder.learn(
            np.array(list(become), np.uint32),
            np.array([kind for kind, _ in become.values()], np.uint8),
            np.array([len(form) for _, form in become.values()], np.uint8),
            np.frombuffer(forms.encode("utf-32-le"), np.uint32),
        )

    def _become(self, character: str) -> tuple[int, str] | None:
        """The kind and the form of a character; None: what becomes of it may depend on what stands beside it."""
        category = unicodedata.category(character)
        if category in {"Cn", "Cs"} or character in self._never:
            return None
        form = self._normalize(character)
        if len(form) > 200:
            return None
        if self._model.kind == "WordPiece":
            return self._of_bert(character, form, category)
        if self._model.kind == "Unigram":
            return self._of_metaspace(character, form, category)
        if character.isspace() or category[0] in "CZ":
            return None
        if self._model.digits:
            return self._of_split(character, form, category)
        kind = 1 if category[0] == "L" else 2 if category[0] == "N" else 3
        return (kind, "") if len(self._cut("a1."[kind - 1] + character)) == 1 else None

    def _of_bert(self, character: str, form: str, category: str) -> tuple[int, str] | None:
        if category[0] == "M" and form and (not self._keeps_marks or any(map(unicodedata.combining, form))):
            # several marks are put in order where accents are stripped
            return (PART, form) if self._keeps_marks and form == character else None
        if not form:
            return DROPPED, ""
        parts = [part for part, _ in self._cut(f"a{form}a")]
        if parts == ["a", "a"]:
            return BLANK, ""
        if parts == [f"a{form}a"]:
            return PART, form
        if len(parts) == 3 and parts[1] == form.strip() and len(parts[1]) == 1:
            return ALONE, parts[1]
        return None

    def _of_metaspace(self, character: str, form: str, category: str) -> tuple[int, str] | None:
        if category[0] not in "LNPS" or (category == "Sk" and not character.isascii()) or not form:
            return None
        if _JOINING.match(character) or _JAMO.match(character) or (self._model.composes and _JAMO.search(form)):
            return None
        odd = any(part.isspace() or part == SPACE or unicodedata.category(part)[0] == "M" for part in form)
        return None if odd else (PART, form)

    def _of_split(self, character: str, form: str, category: str) -> tuple[int, str] | None:
        if not character.isascii() and any(part.isascii() for part in character.casefold()):
            return None  # ſ and the like, which the pattern may take for a letter of a contraction
        composing = category[0] == "M" or _JOINING.match(character) or _JAMO.match(character)
        if form != character or (self._model.composes and composing):
            return None
        if len(self._cut("a" + character)) == 1:
            return LETTER, ""
        return (OTHER if len(self._cut("." + character)) == 1 else NUMBER), ""

    def _compare(self, table: Any, first: int, ids: Array, lengths: Array, left: Array) -> None:
        """Compare some units with the judge's."""
        some = np.union1d(np.arange(0, len(lengths), COMPARED), np.flatnonzero(lengths >= LONG)[:50])
        some = some[~left[some]]
        if not len(some):
            return
        ends = np.cumsum(lengths)
        expected, sizes = self._judge(_strings(table, some + first))
        found = [ids[ends[at] - lengths[at] : ends[at]] for at in some]
        if not np.array_equal(sizes, lengths[some]) or not np.array_equal(expected, np.concatenate(found)):
            raise EngineDisagrees("kernel")


def _strings(table: Any, units: Array) -> list[str]:
    found: list[str] = series_of(*table.strings(units.astype(np.uint32), 0)).to_list()
    return found


def _points_of(strings: pl.Series) -> Array:
    """The different code points of strings, int64."""
    points = np.frombuffer("".join(strings.to_list()).encode("utf-32-le", "surrogatepass"), np.uint32)
    seen: Array = np.zeros(0x110000, bool)
    seen[points] = True
    return np.flatnonzero(seen)
