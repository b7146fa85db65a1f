"""Units to ids, exactly as `tokenizers` would: UnitEncoder. Fast engines help where they are installed and right.

`tokenizers` is always there and is the judge. The compiled kernel encodes for the tokenizers in kernel_models.py;
for the others tokie (WordPiece, Unigram) and gigatoken (BPE) encode many times faster than the judge:
an engine only sees units whose every character it encoded like the judge in many surroundings, a part of what it does
is compared ids against ids, and one difference ends its use (EngineDisagrees: what it did so far is to be done again).
Knows no text, only units (cut.py).
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import tokenizers

from pretune.corpus.cut import prove
from pretune.corpus.kernel_encoder import kernel_encoder
from pretune.corpus.surroundings import COMPARED, EngineDisagrees, equal, in_order, surroundings
from pretune.corpus.vocabulary_marks import marks_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.corpus.cut import Proof
    from pretune.corpus.surroundings import Engine
    from pretune.corpus.unit_table import UnitTable

    Array = np.ndarray[Any, Any]

LONGEST = 400
"""Characters of a unit beyond which it goes to the judge: no engine was made for such words."""

FEWEST_UNITS, MOST_UNITS = 200_000, 1_500_000
"""Units after which an engine is made anew; between the two, the larger the longer it takes to make one."""


class UnitEncoder:
    """Encodes units with one tokenizer.

    Args:
        encoder: the tokenizer; where it truncates or pads, a copy that does not is used.
        fast: whether fast engines may help.

    Attributes:
        fingerprint: of its tokenizer.json.
        model: the `model` there; of others than WordPiece without vocabulary and merges.
        marks: what its ids stand for.
        byte_level: the pre-tokenizer turns text into GPT-2's byte alphabet.
        proof: what its parts say of the cut.
        whole: the judge, for whole texts; `inside`: for what stands after a space inside one.
        engine: the name of the fast engine (`kernel`, `tokie`, `gigatoken`), empty without one.
        kernel: the compiled kernel, where it encodes; None: it does not.
    """

    def __init__(self, encoder: tokenizers.Tokenizer, *, fast: bool = True) -> None:
        text = encoder.to_str()
        described = json.loads(text)
        self.whole = encoder  # one can take hundreds of megabytes: a copy is made only where it has to differ
        if described.get("truncation") is not None or described.get("padding") is not None:
            described["truncation"] = described["padding"] = None
            self.whole = tokenizers.Tokenizer.from_str(json.dumps(described))
            text = self.whole.to_str()
        self.fingerprint = hashlib.sha256(text.encode()).hexdigest()
        del text
        self.proof: Proof = prove(described)
        self.inside = self.whole
        self._judges: list[Engine] = [_judge(self.whole)]
        if self.proof.starts:
            self.inside = tokenizers.Tokenizer.from_str(json.dumps(self.proof.inside))
            self._judges.append(_judge(self.inside))
        self.proof = replace(self.proof, inside={})  # a vocabulary as Python objects takes ten times its file's size
        self._kind = str(described["model"].get("type"))
        self.byte_level = '"ByteLevel"' in json.dumps(described.get("pre_tokenizer"))
        # only WordPiece's reader asks for entries; a vocabulary takes much memory
        left_out = set() if self._kind == "WordPiece" else {"vocab", "merges"}
        self.model = {key: value for key, value in described["model"].items() if key not in left_out}
        self.marks = marks_of(self.whole, described["model"], byte_level=self.byte_level)
        self.kernel = kernel_encoder(self.whole, described, self.proof, self._judges[0]) if fast else None
        del described
        self.engine = "kernel" if self.kernel else ""
        self._engines: list[Engine] = []
        if fast and self.proof.safe and not self.kernel:
            self._make_engines()
        self._room = self._full = max(FEWEST_UNITS, min(5 * encoder.get_vocab_size(), MOST_UNITS))
        self._trusted: Array = np.zeros(0x110000, bool)
        self._tried: Array = np.zeros(0x110000, bool)

    def encode(self, table: UnitTable) -> tuple[Array, Array]:
        """The ids of all units of a table.

        Returns:
            (ids, lengths): int32 ids of all units one after the other, and int64 lengths, one for each unit.

        Raises:
            EngineDisagrees: the fast engine is wrong on one of them.
        """
        if self.kernel is not None:
            return self.kernel.encode_strings(table.strings)
        if self._engines and self._room <= 0:  # they remember what they encoded, without end
            self._engines = []
            self._make_engines()
            self._room = self._full
        variants: Array = np.zeros(len(table.units), bool)
        if self.proof.starts:
            variants = table.spaced
        parts: list[tuple[Array, Array, Array]] = []
        for variant in range(len(self._judges)):
            chosen = np.flatnonzero(variants == bool(variant)) if self.proof.starts else np.arange(len(table.units))
            parts += self._encode(table, chosen, variant)
        return in_order(parts, len(table.units))

    def _make_engines(self) -> None:
        """Make the fast engines, from descriptions that are not kept: they can be as large as the vocabulary."""
        variants = [self.whole] if self.inside is self.whole else [self.whole, self.inside]
        self.engine, self._engines = _engines(self._kind, variants)

    def _encode(self, table: UnitTable, chosen: Any, variant: int) -> list[tuple[Any, Any, Any]]:
        """(indices, ids, lengths) of the units that the engine took, and of those that the judge took."""
        judge = self._judges[variant]
        if not self._engines or not len(chosen):
            return [(chosen, *judge([table.units[at] for at in chosen]))]
        engine = self._engines[variant]
        self._try(table.characters)
        doubtful = table.any_character(~self._trusted) | (table.lengths > LONGEST) | table.blank
        if self.proof.added:
            doubtful |= table.strings.str.contains_any(list(self.proof.added), ascii_case_insensitive=True).to_numpy()
        for_engine, for_judge = chosen[~doubtful[chosen]], chosen[doubtful[chosen]]
        ids, lengths = engine([table.units[at] for at in for_engine])
        self._room -= len(for_engine)
        self._compare(table, for_engine, ids, lengths, judge)
        return [(for_engine, ids, lengths), (for_judge, *judge([table.units[at] for at in for_judge]))]

    def _try(self, characters: Any) -> None:
        """Try the engine on the characters that it has not met."""
        new = characters[~self._tried[characters]]
        if not len(new):
            return
        self._tried[new] = True
        # what is not assigned yet is a letter to a newer table of Unicode
        good = np.array([unicodedata.category(chr(code)) != "Cn" for code in new.tolist()])
        # what holds nothing but white space goes to the judge anyway
        for places, texts in surroundings(new, good, blanks=False):
            for judge, engine in zip(self._judges, self._engines, strict=True):
                good[places] &= equal(judge(texts), engine(texts))
        self._trusted[new[good]] = True

    def _compare(self, table: UnitTable, chosen: Any, ids: Any, lengths: Any, judge: Engine) -> None:
        """Compare some of an engine's units with the judge's."""
        some = np.union1d(np.arange(0, len(chosen), COMPARED), np.flatnonzero(table.lengths[chosen] > 60)[:200])
        if not len(some):
            return
        ends = np.cumsum(lengths)
        expected, sizes = judge([table.units[at] for at in chosen[some]])
        found = [ids[ends[at] - lengths[at] : ends[at]] for at in some]
        if not np.array_equal(sizes, lengths[some]) or not np.array_equal(expected, np.concatenate(found)):
            raise EngineDisagrees(self.engine)


def _judge(encoder: tokenizers.Tokenizer) -> Engine:
    def encode(units: Sequence[str]) -> tuple[Any, Any]:
        found = [encoding.ids for encoding in encoder.encode_batch_fast(list(units), add_special_tokens=False)]
        lengths = np.fromiter(map(len, found), np.int64, len(found))
        return np.fromiter((i for ids in found for i in ids), np.int32, int(lengths.sum())), lengths

    return encode


def _engines(kind: str, variants: Sequence[tokenizers.Tokenizer]) -> tuple[str, list[Engine]]:
    """The fast engine for a kind of model, one for each tokenizer; none where it is missing or refuses."""
    try:
        if kind == "BPE":
            return "gigatoken", [_gigatoken(one.to_str()) for one in variants]
        if kind in {"WordPiece", "Unigram"}:
            return "tokie", [_tokie(one.to_str()) for one in variants]
    except Exception:  # noqa: BLE001 - not installed, or a format that it does not know (each library has its own errors)
        return "", []
    return "", []


def _gigatoken(text: str) -> Engine:
    import awkward
    import gigatoken

    engine = gigatoken.Tokenizer.from_json(text)

    def encode(units: Sequence[str]) -> tuple[Any, Any]:
        if not units:
            return np.zeros(0, np.int32), np.zeros(0, np.int64)
        found = engine.encode_batch(list(units))
        lengths = awkward.to_numpy(awkward.num(found)).astype(np.int64)
        return awkward.to_numpy(awkward.flatten(found)).astype(np.int32, copy=False), lengths

    encode([" a"])
    return encode


def _tokie(text: str) -> Engine:
    import tokie

    handle, path = tempfile.mkstemp(suffix=".json")  # it reads files only
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        engine: Any = tokie.Tokenizer.from_json(path)
    finally:
        os.unlink(path)  # noqa: PTH108 - the path came from mkstemp
    engine.no_truncation()
    engine.no_padding()

    def encode(units: Sequence[str]) -> tuple[Any, Any]:
        ids, lengths = engine.encode_batch_flat(list(units), add_special_tokens=False)
        return ids.astype(np.int32, copy=False), lengths.astype(np.int64)

    encode([" a"])
    return encode
