"""The tensor table of a safetensors file, from its header alone.

8 bytes say how long the header is, the header is JSON, the values follow without holes or overlaps. What the reference
reader refuses (https://github.com/huggingface/safetensors, `Metadata::validate`) is a Trouble here. Knows no values.
"""

from __future__ import annotations

import json
import struct
from math import prod
from typing import TYPE_CHECKING, Any

from pretune.artifacts.not_weights import other_format, pointer_or_page
from pretune.artifacts.tensor_table import BITS, PICKLE_ONLY, FileTable, Tensor, Trouble, failed, few, is_size
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from pretune.artifacts.source import Source

LONGEST_HEADER = 100_000_000
"""Bytes; the reference reader refuses longer ones."""

_FIRST_READ = 16 * 1024
_BRACKET_EVERY = 16
"""The leanest entry, `"a":{"dtype":"F4","shape":[],"data_offsets":[0,0]},`, has one bracket in 17 bytes."""


def read_header(source: Source, file: str) -> FileTable:
    """What the header declares, and what is wrong with it or the file. Never raises; reads nothing but the header."""
    try:
        size = source.size(file)
        head = source.read_at(file, 0, min(size, _FIRST_READ))
        length = struct.unpack("<Q", head[:8])[0] if len(head) >= 8 else 0
        refused = _refuse(file, head, length, size)
        if refused is not None:
            return refused
        raw = head[8 : 8 + length] if 8 + length <= len(head) else source.read_at(file, 8, length)
    except UserError as error:
        return failed("unreadable", file, error.message)
    if len(raw) < length:
        return failed("truncated", file, f"{file} gave only {len(raw):,} of the {length:,} bytes of its header")
    return _table(raw, file, values=size - 8 - length)


def _refuse(file: str, head: bytes, length: int, size: int) -> FileTable | None:
    """Why the header must not be read, None when it may be."""
    looks_right = head[8:9] in {b"{", b" "}
    if 2 <= length <= min(LONGEST_HEADER, size - 8) and looks_right:
        return None
    instead = pointer_or_page(head, size)
    if instead is not None:
        return failed(instead[0], file, f"{file} is {instead[1]}")
    named = other_format(head)
    if named is not None and named != "a safetensors file":
        return failed("wrong-format", file, f"{file} is {named}, not a safetensors file")
    if size < 8:
        return failed("truncated", file, f"{file} has {size} bytes; a safetensors file has at least 8")
    if length > LONGEST_HEADER:
        return failed(
            "oversize-header",
            file,
            f"{file} says its header has {length:,} bytes; at most {LONGEST_HEADER:,} are allowed",
        )
    if length > size - 8 and (looks_right or size == 8):
        return failed("truncated", file, f"{file} ends after {size:,} bytes, inside its header of {length:,} bytes")
    return failed("bad-header", file, f"{file} is no safetensors file: its first 16 bytes are {head[:16].hex(' ')}")


def _table(raw: bytes, file: str, *, values: int) -> FileTable:
    """The table in the header `raw`, which `values` bytes follow."""
    try:
        header, twice = _parse(raw)
    except (ValueError, RecursionError) as error:
        return failed("bad-header", file, f"the header of {file} is not the JSON it must be: {_reason(error)}")
    wrong: dict[str, list[str]] = {}
    if twice:
        wrong["duplicate-name"] = twice
    metadata = header.pop("__metadata__", None) or {}
    if not isinstance(metadata, dict) or any(not isinstance(value, str) for value in metadata.values()):
        wrong["odd-metadata"] = ["__metadata__"]
        metadata = {}
    spans: list[tuple[int, int, str]] = []
    tensors: dict[str, Tensor] = {}
    for name, entry in header.items():
        kind = _fault(entry)
        if kind:
            wrong.setdefault(kind, []).append(name)
        if kind == "bad-header":
            continue
        start, end = entry["data_offsets"]
        spans.append((start, end, name))
        tensors[name] = Tensor(name, tuple(entry["shape"]), entry["dtype"], file, start=8 + len(raw) + start)
    last = values if "bad-header" in wrong else _gaps(spans, wrong)  # where an entry is unknown, so are the gaps
    troubles = [Trouble(kind, file, f"{file}: {_SAYS[kind]} ({few(names)})") for kind, names in wrong.items()]
    total = 8 + len(raw) + values
    if last > values:
        told = f"{file} ends after {total:,} of {total - values + last:,} bytes: an interrupted download or copy"
        troubles.append(Trouble("truncated", file, told))
    elif last < values:
        troubles.append(
            Trouble("trailing-bytes", file, f"{file} has {values - last:,} bytes after its last tensor; 0 are expected")
        )
    return FileTable(tensors, tuple(troubles), metadata)


_SAYS = {
    "bad-header": "an entry of the header has no proper dtype, shape and data_offsets",
    "duplicate-name": "a key occurs twice in the header",
    "hole": "bytes before a tensor belong to no tensor",
    "odd-metadata": "the header's metadata must map strings to strings",
    "overlap": "tensors overlap",
    "unknown-dtype": "the header names a dtype that safetensors does not have",
    "wrong-length": "a tensor's bytes are not what its shape and dtype need",
}


def _parse(raw: bytes) -> tuple[dict[str, Any], list[str]]:
    """The header, and keys that occur twice. ValueError: not a header; refused before it can take much memory."""
    if (raw.count(b"{") + raw.count(b"[")) * _BRACKET_EVERY > len(raw) + 512:
        raise ValueError("it has more brackets than tensors could need")
    twice: list[str] = []

    def take(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            seen: set[str] = set()
            twice.extend(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        return made

    header = json.loads(raw.decode("utf-8"), object_pairs_hook=take, parse_constant=_no_constant)
    if not isinstance(header, dict):
        raise ValueError("it is not an object")  # noqa: TRY004 - one kind of error for all that is wrong with the text
    return header, twice


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _fault(entry: object) -> str:
    """The kind of trouble with one entry, empty when there is none."""
    if not isinstance(entry, dict):
        return "bad-header"
    shape, dtype, offsets = entry.get("shape"), entry.get("dtype"), entry.get("data_offsets")
    if not isinstance(dtype, str) or not isinstance(shape, list) or not isinstance(offsets, list):
        return "bad-header"
    if len(shape) > 64 or not all(map(is_size, shape)):
        return "bad-header"
    if len(offsets) != 2 or not all(map(is_size, offsets)) or offsets[0] > offsets[1]:
        return "bad-header"
    if dtype not in BITS or dtype in PICKLE_ONLY:
        return "unknown-dtype"
    return "" if prod(shape) * BITS[dtype] == (offsets[1] - offsets[0]) * 8 else "wrong-length"


def _gaps(spans: list[tuple[int, int, str]], wrong: dict[str, list[str]]) -> int:
    """Note holes and overlaps in `wrong`; return where the last tensor ends."""
    covered = 0
    for start, end, name in sorted(spans):
        if start != covered:
            wrong.setdefault("overlap" if start < covered else "hole", []).append(name)
        covered = max(covered, end)
    return covered


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start:,} is not UTF-8"
    return str(error).split(";")[0][:100]
