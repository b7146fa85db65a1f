"""One tensor of a checkpoint, what can be wrong with a weights file, and the table of one file. Reads nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BITS: Mapping[str, int] = {
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    **dict.fromkeys(("BOOL", "U8", "I8", "QI8", "QU8"), 8),
    **dict.fromkeys(("F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 16),
    **dict.fromkeys(("I32", "U32", "F32", "QI32"), 32),
    **dict.fromkeys(("C64", "F64", "I64", "U64"), 64),
    "C128": 128,
}
"""Bits of one element, by safetensors' words; QI8, QU8, QI32 and C128 occur in torch pickles only."""

PICKLE_ONLY = frozenset({"QI8", "QU8", "QI32", "C128"})
"""Words that safetensors does not have."""

HIDING = frozenset({
    "bad-header",
    "bad-index",
    "bad-pickle",
    "bad-zip",
    "dangling-link",
    "duplicate-name",
    "empty",
    "html",
    "lfs-pointer",
    "missing-shard",
    "nested-state-dict",
    "not-a-state-dict",
    "not-weights",
    "oversize-header",
    "oversize-pickle",
    "torchscript",
    "truncated",
    "unreadable",
    "unsafe-shard-name",
    "wrong-format",
    "xet-pointer",
})  # fmt: skip
"""Kinds of trouble after which the table may lack tensors that the checkpoint was meant to have."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor as its file declares it.

    Attributes:
        name: its key in the state dict.
        shape: its dimensions; () for a scalar.
        dtype: safetensors' word: "F32", "BF16", "F16", "I64", ... ; "?" where a pickle does not tell.
        file: the file that holds it, relative to the model's folder.
        start: where its values begin in the file, in bytes; None when that is not known (pickles).
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    file: str
    start: int | None = None

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        """Bytes of its values; 0 for an unknown dtype."""
        return (self.elements * BITS.get(self.dtype, 0) + 7) // 8


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a weights file.

    Attributes:
        kind: a word to branch on: "lfs-pointer", "truncated", "missing-shard", "total-size", ...
        file: the file, relative to the model's folder.
        message: a sentence in lower case that names the file and stands alone.
    """

    kind: str
    file: str
    message: str


@dataclass(frozen=True, slots=True)
class FileTable:
    """What one weights file declares.

    Attributes:
        tensors: by name.
        troubles: what is wrong with the file.
        metadata: safetensors' `__metadata__`.
        imports: what a pickle would import, dotted, in the order met; nothing is imported to learn it.
        storages: tensor name -> where in which storage it begins (pickles): names of one place share memory.
    """

    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    troubles: tuple[Trouble, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    imports: tuple[str, ...] = ()
    storages: Mapping[str, str] = field(default_factory=dict)


def failed(kind: str, file: str, message: str, *, imports: tuple[str, ...] = ()) -> FileTable:
    """The table of a file that could not be read."""
    return FileTable(troubles=(Trouble(kind, file, message),), imports=imports)


def is_size(number: object) -> bool:
    """Whether `number` can be a dimension or an offset: a whole number from 0 to 2**63 - 1."""
    return isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 2**63


def few(names: Iterable[str], *, show: int = 2, longest: int = 80) -> str:
    """`"a", "b" and 3 more`: the first names in order, long ones shortened."""
    known = sorted(names)
    shown = [f'"{name if len(name) <= longest else name[: longest - 1] + "…"}"' for name in known[:show]]
    rest = len(known) - len(shown)
    return ", ".join(shown) + (f" and {rest:,} more" if rest else "")
