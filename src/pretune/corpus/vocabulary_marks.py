"""What the ids of a tokenizer stand for, as arrays over its vocabulary: parts of characters, bare spaces, unknown.

Also which characters it cannot spell, and which it holds as a token of their own. Knows no text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pretune.artifacts.coverage import is_byte_token
from pretune.corpus.cut import SPACE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import tokenizers

    Array = np.ndarray[Any, Any]

WHOLE, UNKNOWN, BYTES, PIECES, NOTHING = 0, 1, 2, 3, 4
"""What becomes of a character that stands alone: a token of its own, unknown, bytes of it, several pieces, no token."""

_JAMO = re.compile("[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]")
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
    ids = encoder.get_vocab(with_added_tokens=True)
    added = {token.content for token in encoder.get_added_tokens_decoder().values()}
    size = max(ids.values(), default=-1) + 1
    partial: Array = np.zeros(size, bool)
    bare: Array = np.zeros(size, bool)
    jamo: Array = np.zeros(size, bool)
    fallback: Array = np.zeros(size, bool)
    alphabet = byte_alphabet() if byte_level else {}
    spaces = SPACE + " "
    every = "".join(ids)  # one look at all of them tells that most vocabularies hold none
    has_jamo, has_bytes = _JAMO.search(every) is not None, "<0x" in every
    for token, at in ids.items():
        if has_jamo:
            jamo[at] = _JAMO.search(token) is not None
        if has_bytes:
            fallback[at] = is_byte_token(token)
        if token in added:
            continue
        if byte_level:
            partial[at] = not token.isascii() and _is_broken(bytes(map(alphabet.get, token, b"?" * len(token))))
            bare[at] = not token.strip("Ġ")
        elif fallback[at]:
            partial[at] = token[3:5] >= "80"
        else:
            bare[at] = token[:1] in spaces and not token.strip(spaces)
    return Marks(size, len(ids), _unknown(model, ids), partial, bare, jamo, fallback)


def _is_broken(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


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
