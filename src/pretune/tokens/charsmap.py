"""Reads the precompiled character map of a sentencepiece model: what single characters become. Runs no sentencepiece.

The map is a double-array trie (darts-clone) of UTF-8 keys, whose values are places in a block of zero-terminated
texts; sentencepiece replaces the longest key at each place of the text. Knows no tokenizer and no Unicode forms.
"""

from __future__ import annotations

import struct

from pretune.core.errors import UserError

_HAS_LEAF = 1 << 8
_FAR = 1 << 9
_LABEL = 0x800000FF
_VALUE = 0x7FFFFFFF


class Charsmap:
    """A precompiled map, read once.

    Args:
        data: `normalizer_spec.precompiled_charsmap`; empty: nothing is replaced.

    Raises:
        UserError: the bytes are no such map.
    """

    def __init__(self, data: bytes) -> None:
        length = int.from_bytes(data[:4], "little")
        if length % 4 or length > max(len(data) - 4, 0):
            raise UserError("the sentencepiece model's character map is broken: its trie runs past its end")
        self._units = struct.unpack(f"<{length // 4}I", data[4 : 4 + length])
        self._texts = data[4 + length :]

    def longest(self, text: str) -> tuple[int, str] | None:
        """Bytes of the longest key at the beginning of `text` and what it becomes; None: no key."""
        if not self._units:
            return None
        at, found = _offset(self._units[0]), None
        for place, byte in enumerate(text.encode("utf-8"), start=1):
            step = self._step(at, byte)
            if step is None:
                break
            at, value = step
            if value is not None:
                found = place, value
        return None if found is None else (found[0], self._text(found[1]))

    def characters(self) -> dict[str, str]:
        """Each single character that is replaced -> what it becomes."""
        found: dict[str, str] = {}
        if self._units:
            self._walk(_offset(self._units[0]), b"", found)
        return found

    def _walk(self, at: int, key: bytes, found: dict[str, str]) -> None:
        for byte in range(0x80, 0xC0) if key else range(1, 0xF5):
            step = self._step(at, byte)
            if step is None:
                continue
            longer = key + bytes((byte,))
            if len(longer) < _length(longer[0]):
                self._walk(step[0], longer, found)
            elif step[1] is not None:
                found[longer.decode("utf-8", "replace")] = self._text(step[1])

    def _step(self, at: int, byte: int) -> tuple[int, int | None] | None:
        """Where a byte leads to, and the place of the text if a key ends there; None: nowhere."""
        here = at ^ byte
        if here >= len(self._units) or self._units[here] & _LABEL != byte:
            return None
        unit = self._units[here]
        at = here ^ _offset(unit)
        if not unit & _HAS_LEAF:
            return at, None
        return (at, self._units[at] & _VALUE) if at < len(self._units) else None

    def _text(self, at: int) -> str:
        end = self._texts.find(b"\0", at)
        return self._texts[at : end if end >= 0 else len(self._texts)].decode("utf-8", "replace")


def _offset(unit: int) -> int:
    return (unit >> 10) << ((unit & _FAR) >> 6)


def _length(lead: int) -> int:
    """Bytes of a UTF-8 character that begins with `lead`."""
    return 1 if lead < 0x80 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
