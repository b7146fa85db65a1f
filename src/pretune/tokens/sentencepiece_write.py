"""Edits a sentencepiece `.model` as bytes: more pieces, other names. Every other byte stays as it is.

The file is a protocol buffer (sentencepiece_model.proto): ModelProto.pieces is field 1 and may be repeated anywhere;
ids count the pieces from the file's beginning. Runs no sentencepiece; artifacts/sentencepiece_model.py reads the file.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pretune.artifacts.sentencepiece_model import Piece, PieceType, parse
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PIECES = 1
_TEXT, _SCORE, _TYPE = 1, 2, 3


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of a message: its number, where it stands and where its value does, in bytes."""

    number: int
    wire: int
    start: int
    value: int
    end: int


def edit_model(
    data: bytes, *, replace: Mapping[int, Piece] | None = None, append: Sequence[Piece] = (), name: str = "the model"
) -> bytes:
    """The model with other and further pieces.

    Args:
        data: the `.model` file.
        replace: id -> what shall stand there (a spare slot becomes a word).
        append: further pieces; the first gets the next id.
        name: the file's name in messages.

    Raises:
        UserError: no sentencepiece model; an id that it has not; a piece twice; a piece that cannot be one.
    """
    replace = dict(replace or {})
    model = parse(data, name=name)
    _allow(tuple(piece.text for piece in model.pieces), replace, append, name=name)
    fields = list(_fields(data))
    pieces = [field for field in fields if field.number == _PIECES and field.wire == 2]
    parts: list[bytes] = []
    done = 0
    for at, field in enumerate(pieces):
        if at in replace:
            parts += [data[done : field.start], _encoded(replace[at], data[field.value : field.end])]
            done = field.end
        if at == len(pieces) - 1:  # beside the others: a reader that wants the pieces together finds them so
            parts += [data[done : field.end], *(_encoded(piece) for piece in append)]
            done = field.end
    parts.append(data[done:])
    return b"".join(parts)


def append_pieces(data: bytes, pieces: Sequence[Piece], *, name: str = "the model") -> bytes:
    """The model with further pieces; the first gets the next id.

    Raises:
        UserError: as `edit_model`.
    """
    return edit_model(data, append=pieces, name=name)


def rename_piece(
    data: bytes,
    at: int,
    text: str,
    *,
    score: float | None = None,
    kind: int = PieceType.NORMAL,
    name: str = "the model",
) -> bytes:
    """The model in which the piece of id `at` is another one.

    Args:
        data: the `.model` file.
        at: the id.
        text: what shall stand there; a word that follows a space begins with `▁`.
        score: its log probability; None: the old one.
        kind: its PieceType; a word is normal, whatever the slot was.
        name: the file's name in messages.

    Raises:
        UserError: as `edit_model`.
    """
    pieces = parse(data, name=name).pieces
    old = pieces[at].score if score is None and 0 <= at < len(pieces) else score
    return edit_model(data, replace={at: Piece(text, old or 0.0, kind)}, name=name)


def _allow(texts: tuple[str, ...], replace: Mapping[int, Piece], append: Sequence[Piece], *, name: str) -> None:
    """Refuse what would make a model that sentencepiece does not load."""
    outside = sorted(at for at in replace if not 0 <= at < len(texts))
    if outside:
        raise UserError(f"{name} has no piece {outside[0]}: its ids end at {len(texts) - 1}")
    seen = {text for at, text in enumerate(texts) if at not in replace}
    for piece in (*replace.values(), *append):
        if not piece.text or "\0" in piece.text or " " in piece.text:
            raise UserError(f"{piece.text!r} cannot be a sentencepiece piece: a space is written ▁, and empty is none")
        if piece.text in seen:
            raise UserError(f"{name} has the piece {piece.text!r} already", hint="a piece may stand there once")
        if not (-3.4e38 < piece.score < 3.4e38):
            raise UserError(f"{piece.score} cannot be the score of {piece.text!r}: it must be a finite float32")
        seen.add(piece.text)


def _encoded(piece: Piece, before: bytes = b"") -> bytes:
    """A piece as field 1 of the model; fields of the old message that nobody here knows are kept."""
    try:
        text = piece.text.encode("utf-8")
    except UnicodeEncodeError:
        raise UserError(f"{piece.text!r} is no text that UTF-8 can write") from None
    kept = b"".join(
        before[field.start : field.end] for field in _fields(before) if field.number not in (_TEXT, _SCORE, _TYPE)
    )
    message = _tag(_TEXT, 2) + _varint(len(text)) + text + _tag(_SCORE, 5) + struct.pack("<f", piece.score)
    if piece.type != PieceType.NORMAL:
        message += _tag(_TYPE, 0) + _varint(piece.type)
    message += kept
    return _tag(_PIECES, 2) + _varint(len(message)) + message


def _fields(data: bytes) -> Iterator[_Field]:
    """The fields of a message that `parse` has read, so that it is known to be well made."""
    at = 0
    while at < len(data):
        start = at
        tag, at = _number(data, at)
        wire = tag & 7
        value = at
        if wire == 0:
            _, at = _number(data, at)
        elif wire == 2:
            length, value = _number(data, at)
            at = value + length
        else:
            at += 8 if wire == 1 else 4
        yield _Field(tag >> 3, wire, start, value, at)


def _number(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _tag(number: int, wire: int) -> bytes:
    return _varint(number << 3 | wire)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
