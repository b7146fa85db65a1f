"""What the ids of a tokenizer stand for, as arrays over its vocabulary: parts of characters, bare spaces, unknown.

Also which characters it cannot spell, and which it holds as a token of their own. Knows no text.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from pretune.artifacts.coverage import is_byte_token
from pretune.corpus.cut import SPACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import tokenizers

    Array = np.ndarray[Any, Any]

WHOLE, UNKNOWN, BYTES, PIECES, NOTHING = 0, 1, 2, 3, 4
"""What becomes of a character that stands alone: a token of its own, unknown, bytes of it, several pieces, no token."""

_JAMO = ((0x1100, 0x11FF), (0xA960, 0xA97F), (0xD7B0, 0xD7FF))
"""Conjoining jamo, as `coverage.is_jamo` knows them."""


def byte_alphabet() -> Mapping[str, int]:
    """GPT-2's printable stand-ins -> the bytes that they mean (`bytes_to_unicode` of its encoder.py)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {
        chr(code): byte for byte, code in [*zip(plain, plain, strict=True), *zip(others, range(256, 512), strict=False)]
    }


@dataclass(frozen=True)
class Marks:
    """A vocabulary's ids.

    Attributes:
        size: one more than the largest id.
        known: how many ids there are.
        unknown: the id of the unknown token; -1: there is none.
        partial: bool for each id: the token holds bytes of a character, not a whole one.
        bare: bool for each id: the token is nothing but spaces.
        jamo: bool for each id: the token holds a conjoining jamo.
        fallback: bool for each id: the token is a byte of sentencepiece's fallback.
    """

    size: int
    known: int
    unknown: int
    partial: Array
    bare: Array
    jamo: Array
    fallback: Array


def marks_of(encoder: tokenizers.Tokenizer, model: Mapping[str, Any], *, byte_level: bool) -> Marks:
    """Read a vocabulary.

    Args:
        encoder: its tokenizer.
        model: the `model` of its tokenizer.json.
        byte_level: its tokens are bytes in GPT-2's alphabet.
    """
    ids = _ids(encoder, model)
    size = max(ids.values(), default=-1) + 1
    partial: Array = np.zeros(size, bool)
    bare, jamo, fallback = partial.copy(), partial.copy(), partial.copy()
    places = np.fromiter(ids.values(), np.int64, len(ids))
    sizes = np.fromiter(map(len, ids), np.int64, len(ids))
    every = "".join(ids)
    points = np.frombuffer(every.encode("utf-32-le", "surrogatepass"), np.uint32)
    jamo[places] = _counted(_among(points, _JAMO), sizes) > 0
    spaces = np.array(list(map(ord, "Ġ" if byte_level else SPACE + " ")))
    bare[places] = _counted(~np.isin(points, spaces), sizes) == 0
    if "<0x" in every:  # one look at all of them tells that most vocabularies hold none
        of_bytes = {at: token for token, at in ids.items() if is_byte_token(token)}
        fallback[list(of_bytes)] = True
        partial[[at for at, token in of_bytes.items() if token[3:5] >= "80"]] = True
    if byte_level:
        partial[places] = _broken(spelled_bytes(ids), sizes)
    added = [ids[token.content] for token in encoder.get_added_tokens_decoder().values()]
    partial[added] = bare[added] = False
    return Marks(size, len(ids), _unknown(model, ids), partial, bare, jamo, fallback)


def _among(points: Array, ranges: Sequence[tuple[int, int]]) -> Array:
    """Which code points lie in one of the ranges, both ends included; bool."""
    found: Array = np.zeros(len(points), bool)
    for first, last in ranges:
        found |= (points >= first) & (points <= last)
    return found


def _counted(chosen: Array, sizes: Array) -> Array:
    """How many of the chosen characters each token has, int64; `sizes` are the tokens' characters."""
    sums = np.concatenate(([0], np.cumsum(chosen)))
    ends = np.cumsum(sizes)
    counted: Array = sums[ends] - sums[ends - sizes]
    return counted


def _ids(encoder: tokenizers.Tokenizer, model: Mapping[str, Any]) -> Mapping[str, int]:
    """Every token -> id; a vocabulary that is there as Python objects already is not asked of the tokenizer again."""
    vocabulary = model.get("vocab")
    if isinstance(vocabulary, list):
        ids = dict(zip(map(itemgetter(0), vocabulary), range(len(vocabulary)), strict=True))
    elif isinstance(vocabulary, dict):
        ids = dict(vocabulary)
    else:
        return encoder.get_vocab(with_added_tokens=True)
    return ids | {token.content: at for at, token in encoder.get_added_tokens_decoder().items()}


def spelled_bytes(tokens: Iterable[str]) -> bytes:
    """The bytes that tokens in GPT-2's alphabet mean, one after the other; `?` for a character that means none."""
    table: Array = np.full(0x110000, ord("?"), np.uint8)
    for letter, byte in byte_alphabet().items():
        table[ord(letter)] = byte
    points = np.frombuffer("".join(tokens).encode("utf-32-le", "surrogatepass"), np.uint32)
    return bytes(table[points])


def _broken(data: bytes, sizes: Array) -> Array:
    """Whether a token's bytes are no UTF-8 by themselves, bool for each.

    Args:
        data: the bytes of all tokens, one after the other.
        sizes: how many each has.
    """
    apart: Array = np.full(len(data) + len(sizes), ord(" "), np.uint8)  # a space behind each, so that none is read on
    ends = np.cumsum(sizes + 1)
    own: Array = np.ones(len(apart), bool)
    own[ends - 1] = False
    apart[own] = np.frombuffer(data, np.uint8)
    text = apart.tobytes().decode("utf-8", "surrogateescape")
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    escaped = (points >= 0xD800) & (points < 0xE000)
    widths = 1 + (points >= 0x80) + (points >= 0x800) + (points >= 0x10000)
    widths[escaped] = 1  # of a byte that belongs to no character
    starts = np.cumsum(widths) - widths
    found: Array = np.zeros(len(sizes), bool)
    found[np.searchsorted(ends, starts[escaped], side="right")] = True
    return found


def _unknown(model: Mapping[str, Any], ids: Mapping[str, int]) -> int:
    token = model.get("unk_token")
    if isinstance(token, str):
        return ids.get(token, -1)
    at = model.get("unk_id")
    return at if isinstance(at, int) else -1


def spelled(encoder: tokenizers.Tokenizer, characters: Sequence[str], marks: Marks) -> Array:
    """What becomes of each character where it begins a word: WHOLE, UNKNOWN, BYTES, PIECES or NOTHING, uint8.

    A character that is taken apart (Hangul into jamo) is PIECES, also when no unknown token comes of it.
    """
    found: Array = np.full(len(characters), PIECES, np.uint8)
    asked = [" " + character for character in characters]
    for at, encoding in enumerate(encoder.encode_batch_fast(asked, add_special_tokens=False)):
        ids = [i for i in encoding.ids if not marks.bare[i]]
        if marks.unknown in ids:
            found[at] = UNKNOWN
        elif not ids:
            found[at] = NOTHING
        elif any(marks.partial[i] for i in ids):
            found[at] = BYTES
        elif len(ids) == 1:
            found[at] = WHOLE
    return found


def unknown_within(
    encoder: tokenizers.Tokenizer, model: Mapping[str, Any], characters: Sequence[str], marks: Marks
) -> Array:
    """Which characters the vocabulary cannot spell inside a word, behind a letter; bool.

    WordPiece has other pieces there (`##가`), for the other models a character is the same anywhere.
    """
    if marks.unknown < 0:
        return np.zeros(len(characters), bool)
    if model.get("type") != "WordPiece":
        found: Array = spelled(encoder, characters, marks) == UNKNOWN
        return found
    vocabulary, prefix = model.get("vocab") or {}, model.get("continuing_subword_prefix") or "##"
    normalizer = encoder.normalizer
    missing: Array = np.zeros(len(characters), bool)
    for at, character in enumerate(characters):
        form = normalizer.normalize_str(character) if normalizer else character
        missing[at] = any(part.strip() and prefix + part not in vocabulary for part in form)
    return missing
