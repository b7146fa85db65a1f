"""Arrays that grow at their end: Growing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]


class Growing:
    """An array that values are put behind.

    Args:
        kind: of its values.
    """

    def __init__(self, kind: Any) -> None:
        self._room: Array = np.zeros(0, kind)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, values: Array) -> None:
        """Put values behind those there are; the room grows by a half."""
        end = self._size + len(values)
        if end > len(self._room):
            larger: Array = np.zeros(end + end // 2 + 1024, self._room.dtype)
            larger[: self._size] = self._room[: self._size]
            self._room = larger
        self._room[self._size : end] = values
        self._size = end

    def clear(self) -> None:
        """Forget all values; the room stays."""
        self._size = 0

    @property
    def values(self) -> Array:
        """The values, a view that holds until more are added."""
        return self._room[: self._size]
