"""Reads a sentencepiece `.model` file: pieces, scores, types and how it normalizes. Runs no sentencepiece.

The file is a protocol buffer (sentencepiece_model.proto); only the few fields that matter are read, and a length that
points past the end is an error, so nothing larger than the file is ever allocated. Knows no tokenizer class.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator


class PieceType(IntEnum):
    """`SentencePiece.Type` of the proto."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


@dataclass(frozen=True, slots=True)
class Piece:
    """One entry: its text, its log probability (Unigram) or negative rank (BPE), its type."""

    text: str
    score: float
    type: int


@dataclass(frozen=True, slots=True)
class SentencePieceModel:
    """What a `.model` file holds.

    Attributes:
        pieces: in the order of their ids.
        kind: "Unigram" or "BPE"; other sentencepiece kinds are named as they are ("WORD", "CHAR").
        unk_id: id of the unknown piece.
        byte_fallback: unknown characters become byte pieces.
        charsmap: the precompiled normalization map, empty when there is none.
        add_dummy_prefix: a `▁` is put before the text.
        remove_extra_whitespaces: runs of spaces become one.
    """

    pieces: tuple[Piece, ...]
    kind: str
    unk_id: int
    byte_fallback: bool
    charsmap: bytes
    add_dummy_prefix: bool
    remove_extra_whitespaces: bool


class _Broken(Exception):  # noqa: N818 - becomes a UserError in parse
    pass


_KINDS = {1: "Unigram", 2: "BPE", 3: "WORD", 4: "CHAR"}
Value = int | bytes


def parse(data: bytes, *, name: str) -> SentencePieceModel:
    """The model in `data`.

    Raises:
        UserError: the bytes are no sentencepiece model; `name` is the file's name in the message.
    """
    pieces: list[Piece] = []
    trainer: dict[int, Value] = {}
    normalizer: dict[int, Value] = {}
    try:
        for number, value in _fields(data):
            if number == 1 and isinstance(value, bytes):
                pieces.append(_piece(value))
            elif number == 2 and isinstance(value, bytes):
                trainer = dict(_fields(value))
            elif number == 3 and isinstance(value, bytes):
                normalizer = dict(_fields(value))
    except (_Broken, UnicodeDecodeError, struct.error) as error:
        raise UserError(f"{name} is no sentencepiece model: {str(error) or 'malformed'}") from None
    if not pieces:
        raise UserError(f"{name} is no sentencepiece model: it holds no pieces")
    unknown = next((index for index, piece in enumerate(pieces) if piece.type == PieceType.UNKNOWN), 0)
    kind = trainer.get(3, 1)
    charsmap = normalizer.get(2, b"")
    return SentencePieceModel(
        pieces=tuple(pieces),
        kind=_KINDS.get(kind, str(kind)) if isinstance(kind, int) else "Unigram",
        unk_id=unknown,
        byte_fallback=bool(trainer.get(35, 0)),
        charsmap=charsmap if isinstance(charsmap, bytes) else b"",
        add_dummy_prefix=bool(normalizer.get(3, 1)),
        remove_extra_whitespaces=bool(normalizer.get(4, 1)),
    )


def _piece(data: bytes) -> Piece:
    text, score, kind = "", 0.0, int(PieceType.NORMAL)
    for number, value in _fields(data):
        if number == 1 and isinstance(value, bytes):
            text = value.decode("utf-8")
        elif number == 2 and isinstance(value, bytes):
            (score,) = struct.unpack("<f", value)
        elif number == 3 and isinstance(value, int):
            kind = value
    return Piece(text, score, kind)


def _fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """The fields of one message: (number, integer or bytes). Fixed 32 and 64 bit values stay bytes."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        if wire == 2:
            length, at = _varint(data, at)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise _Broken(f"wire type {wire} at byte {at}")
        if at + length > len(data):
            raise _Broken(f"a field at byte {at} runs past the end")
        yield number, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise _Broken("it ends inside a number")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _Broken(f"a number at byte {at} is too long")
