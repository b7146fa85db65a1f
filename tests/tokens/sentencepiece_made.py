"""Small sentencepiece models, written by hand as protocol buffers, with the pieces a test wants."""

import struct
from collections.abc import Sequence

from pretune.artifacts.sentencepiece_model import Piece, PieceType

SPECIALS = (
    Piece("[UNK]", 0.0, PieceType.UNKNOWN),
    *(Piece(text, 0.0, PieceType.USER_DEFINED) for text in ("[PAD]", "[CLS]", "[SEP]", "[MASK]")),
)
"""KoBERT's, in its order."""

WORDS = {
    "▁": -3.5214, "▁모델": -8.25, "을": -4.2376, "▁공유": -9.125, "합": -7.3, "니다": -5.75, "합니다": -6.5, ".": -5.1,
    "...": -7.3025, "ㅋ": -8.0, "ㅋㅋ": -10.1, "0": -5.9, "00": -8.9104, "▁한": -6.285, "국": -7.1, "어": -6.4, "▁a": -8.8,
    "b": -7.7, "나": -6.6, "다": -4.4, "▁나": -7.59, "가": -5.5, "▁가": -7.3, "각": -9.3, "1": -6.9, ",": -4.6, "?": -6.2,
    "~": -7.9, "▁재": -7.59, "미": -6.8, "지도": -9.5,
}  # fmt: skip
"""Piece -> log probability; `....` has three ways to be cut into the same pieces."""


def pieces(words: dict[str, float] = WORDS) -> tuple[Piece, ...]:
    """KoBERT's special tokens and then words."""
    return (*SPECIALS, *(Piece(text, score, PieceType.NORMAL) for text, score in words.items()))


def made_model(
    rows: Sequence[Piece] | None = None, *, charsmap: bytes = b"", kind: int = 1, unknown_field: bool = False
) -> bytes:
    """A `.model` file: pieces, then trainer_spec, normalizer_spec and, if asked, a field that nobody knows."""
    found = b"".join(message(1, _piece(piece)) for piece in (pieces() if rows is None else rows))
    trainer = b"\x18" + bytes([kind]) + b"\x20" + _varint(len(rows or pieces()))
    normalizer = message(1, b"nmt_nfkc") + (message(2, charsmap) if charsmap else b"")
    found += message(2, trainer) + message(3, normalizer)
    return found + (message(200, b"what nobody here knows") if unknown_field else b"")


def _piece(piece: Piece) -> bytes:
    kind = b"" if piece.type == PieceType.NORMAL else b"\x18" + bytes([piece.type])
    return message(1, piece.text.encode()) + b"\x15" + struct.pack("<f", piece.score) + kind


def message(number: int, value: bytes) -> bytes:
    """A field of bytes."""
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
