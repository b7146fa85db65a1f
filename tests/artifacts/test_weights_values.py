"""A few values of a tensor, and how two tables of one model differ."""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pretune.artifacts.source import FolderSource
from pretune.artifacts.tensor_table import Tensor
from pretune.artifacts.weight_differences import differences
from pretune.artifacts.weight_values import first_values, peek_rows, peekable
from pretune.artifacts.weights import Weights, read_weights
from pretune.core.errors import UserError
from weight_samples import entry, header, safetensors


def single(folder: Path, data: bytes) -> Weights:
    """The weights of a folder whose model.safetensors holds `data`."""
    (folder / "model.safetensors").write_bytes(data)
    weights = read_weights(FolderSource("m", folder))
    assert weights is not None
    return weights


def test_differences_look_past_what_is_the_same() -> None:
    """Old LayerNorm names, buffers and tied copies are no difference; shapes, dtypes and names are."""
    first = table({"x.LayerNorm.weight": (2,), "e": (4, 2), "f": (1,)})
    second = table(
        {"x.LayerNorm.gamma": (2,), "e": (5, 2), "tied": (4, 2), "position_ids": (1, 9)}, shared=(("e", "tied"),)
    )
    found = differences(first, second)
    assert (found.only_first, found.only_second, dict(found.shapes)) == (("f",), (), {"e": ((4, 2), (5, 2))})
    assert not differences(first, first).any


def table(shapes: Mapping[str, tuple[int, ...]], **more: Any) -> Weights:
    """A table made by hand."""
    return Weights({name: Tensor(name, shape, "F32", "f") for name, shape in shapes.items()}, **more)


VALUES = {"F32": "f", "F16": "e", "F64": "d", "I64": "q", "U8": "B"}


@pytest.mark.parametrize("dtype", [*VALUES, "BF16"])
def test_rows_are_peeked_at(dtype: str, tmp_path: Path) -> None:
    """Rows of a 2-D tensor behind another one, as floats, in any plain dtype."""
    rows = [[1.0, 2.0], [3.0, 4.0], [5.0, 96.0]]
    flat = [value for row in rows for value in row]
    if dtype == "BF16":
        data = b"".join(struct.pack("<f", value)[2:] for value in flat)
    else:
        data = struct.pack(f"<6{VALUES[dtype]}", *(flat if dtype.startswith("F") else map(int, flat)))
    entries = {"before": entry(0, 4), "table": entry(4, 4 + len(data), shape=[3, 2], dtype=dtype)}
    weights = single(tmp_path, header(entries) + bytes(4) + data)
    source = FolderSource("m", tmp_path)
    assert peek_rows(source, weights.tensors["table"], [2, 0, 1, 2]) == {n: tuple(row) for n, row in enumerate(rows)}
    assert first_values(source, weights.tensors["table"], 3) == (1.0, 2.0, 3.0)
    assert first_values(source, weights.tensors["before"], 99) == (0.0,)


def test_peeking_is_bounded(tmp_path: Path) -> None:
    """A row outside, a wrong number of dimensions, a pickle or too much at a time is refused; a cut-off file too."""
    weights = single(tmp_path, safetensors({"a": (2, 3), "b": (3,)}))
    source = FolderSource("m", tmp_path)
    for tensor, row in ((weights.tensors["a"], 2), (weights.tensors["b"], 0), (Tensor("p", (2, 2), "F32", "p.bin"), 0)):
        with pytest.raises(ValueError):
            peek_rows(source, tensor, [row])
    assert not peekable(Tensor("p", (2, 2), "F32", "p.bin"))
    huge = Tensor("h", (3, 2**40), "F32", "model.safetensors", start=0)
    with pytest.raises(ValueError):
        peek_rows(source, huge, [1])
    with pytest.raises(UserError, match="ends inside h"):
        peek_rows(source, Tensor("h", (9, 9), "F32", "model.safetensors", start=0), [8])
