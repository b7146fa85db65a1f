"""Writes checkpoints byte by byte, healthy and broken ones, without torch. Knows no rule."""

import json
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Shapes = Mapping[str, tuple[int, ...]]


def header(entries: Mapping[str, Any] | bytes) -> bytes:
    """A length and a header."""
    text = entries if isinstance(entries, bytes) else json.dumps(entries, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text


def entry(start: int, end: int, *, shape: Any = None, dtype: str = "F32") -> dict[str, Any]:
    """One tensor of a header."""
    return {"dtype": dtype, "shape": [(end - start) // 4] if shape is None else shape, "data_offsets": [start, end]}


def safetensors(shapes: Shapes) -> bytes:
    """A healthy safetensors file of F32 zeros."""
    entries: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, shape in shapes.items():
        size = 4
        for edge in shape:
            size *= edge
        entries[name] = entry(at, at + size, shape=list(shape))
        at += size
    return header(entries) + bytes(at)


def write_shards(
    folder: Path, shards: Mapping[str, Shapes], *, places: Mapping[str, str] | None = None, metadata: Any = None
) -> None:
    """A sharded safetensors checkpoint with its index; `places` and `metadata` replace the true ones."""
    true: dict[str, str] = {}
    total = 0
    for file, shapes in shards.items():
        data = safetensors(shapes)
        (folder / file).write_bytes(data)
        total += len(data) - 8 - struct.unpack("<Q", data[:8])[0]
        true.update(dict.fromkeys(shapes, file))
    index: dict[str, Any] = {"metadata": {"total_size": total}, "weight_map": true if places is None else places}
    if metadata is not None:
        index["metadata"] = metadata
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def data_pickle(shapes: Shapes, *, kind: str = "FloatStorage") -> bytes:
    """The pickle of a state dict as torch.save writes it (protocol 2), opcode by opcode."""
    out = bytearray(b"\x80\x02ccollections\nOrderedDict\n)R(")
    for number, (name, shape) in enumerate(shapes.items()):
        out += _text(name) + b"ctorch._utils\n_rebuild_tensor_v2\n("
        elements = 1
        for edge in shape:
            elements *= edge
        out += b"(" + _text("storage") + b"ctorch\n" + kind.encode() + b"\n" + _text(str(number)) + _text("cpu")
        out += _number(elements) + b"tQ" + _number(0) + b"(" + b"".join(map(_number, shape)) + b"t"
        out += b"(" + b"".join(_number(1) for _ in shape) + b"t" + b"\x89ccollections\nOrderedDict\n)RtR"
    return bytes(out + b"u.")


def _text(word: str) -> bytes:
    data = word.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def _number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def write_bin(
    path: Path, shapes: Shapes, *, pickled: bytes | None = None, compression: int = zipfile.ZIP_STORED
) -> None:
    """A pytorch_model.bin in the zip format; `pickled` replaces its data.pkl."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", data_pickle(shapes) if pickled is None else pickled)
        for number, shape in enumerate(shapes.values()):
            elements = 1
            for edge in shape:
                elements *= edge
            archive.writestr(f"archive/data/{number}", bytes(4 * elements))
        archive.writestr("archive/version", "3\n")


class Evil:
    """Its pickle runs `os.system(command)` when a real unpickler loads it."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        import os

        return os.system, (self.command,)


def evil_pickle(marker: Path, *, protocol: int = 2) -> bytes:
    """A state dict that plants the file `marker` when it is loaded."""
    return pickle.dumps(OrderedDict(weight=Evil(f"touch {marker}")), protocol=protocol)
