"""Mutated headers, indexes and pickles never raise, and never take more memory than a small multiple of the file."""

import json
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pretune.artifacts.pickle_tensors import PickledTensor
from pretune.artifacts.pickles import walk
from pretune.artifacts.source import FolderSource
from pretune.artifacts.weights import Weights, read_weights
from weight_samples import data_pickle, entry, header, safetensors, write_bin, write_shards

SHAPES = {"layer.weight": (3, 4), "layer.bias": (4,), "position_ids": (1, 8)}
odd = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**80), 2**80), st.floats(), st.text(max_size=5),
    st.sampled_from(["F4", "F8_E4M3", "BF16", "QI8", "C128"]),
)  # fmt: skip
odder = st.recursive(
    odd, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


def peak_of(run: Callable[[], Any]) -> int:
    """The most bytes that `run` held at a time."""
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def read(folder: Path) -> Weights | None:
    """The folder's weights, every property asked for."""
    weights = read_weights(FolderSource("m", folder))
    if weights is not None:
        assert weights.total_bytes >= 0
        assert weights.parameters >= 0
        assert sum(weights.dtypes.values()) == weights.total_bytes
        assert all(trouble.message and trouble.file for trouble in weights.troubles)
    return weights


@given(data=st.data())
def test_flipped_bytes(data: st.DataObject, tmp_path: Path) -> None:
    """Any bytes of length, header and values changed, cut off or added."""
    whole = bytearray(safetensors(SHAPES))
    for _ in range(data.draw(st.integers(0, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    whole = whole[: data.draw(st.integers(0, len(whole)))] + data.draw(st.binary(max_size=9))
    (tmp_path / "model.safetensors").write_bytes(whole)
    assert peak_of(lambda: read(tmp_path)) < 40 * len(whole) + 300_000


@given(name=st.text(max_size=8), value=odder, shape=odder, dtype=odd, offsets=odder)
def test_odd_entries(name: str, value: Any, shape: Any, dtype: Any, offsets: Any, tmp_path: Path) -> None:
    """Headers that are JSON and nothing else that was expected."""
    entries = {"a": entry(0, 8), name: value, "b": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}
    (tmp_path / "model.safetensors").write_bytes(header(entries) + bytes(8))
    assert read(tmp_path) is not None


@given(opening=st.sampled_from([b"[", b"{", b'{"a":', b"[0,", b'"\\u0000"', b"1,"]), depth=st.integers(1, 30_000))
def test_headers_made_to_swell(opening: bytes, depth: int, tmp_path: Path) -> None:
    """Thousands of brackets are refused before they become thousands of objects."""
    whole = header(b'{"x":' + opening * depth + b"}")
    (tmp_path / "model.safetensors").write_bytes(whole)
    assert peak_of(lambda: read(tmp_path)) < 12 * len(whole) + 300_000


@given(text=st.text(max_size=40), value=odder, places=odder, metadata=odder)
def test_odd_indexes(text: str, value: Any, places: Any, metadata: Any, tmp_path: Path) -> None:
    """An index with odd names, odd places and odd metadata; shards named by chance are not opened outside the folder."""
    write_shards(tmp_path, {"model-1.safetensors": {"a": (2,)}})
    index = tmp_path / "model.safetensors.index.json"
    for made in (
        {"metadata": {"total_size": value}, "weight_map": {"a": "model-1.safetensors", "b": text}},
        {"metadata": metadata, "weight_map": places},
        value,
    ):
        index.write_text(json.dumps(made))
        weights = read(tmp_path)
        assert weights is not None
        assert set(weights.files) <= {"model-1.safetensors"}
    index.write_text(text)
    assert read(tmp_path) is not None


@given(data=st.data())
def test_mutated_pickles_never_raise(data: st.DataObject) -> None:
    """Bytes flipped, cut out and put in: no exception, no memory beyond a small multiple of the pickle."""
    whole = bytearray(data_pickle({"layer.weight": (3, 4), "layer.bias": (4,), "x": (2**30,)}))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(whole) - 1))
        change = data.draw(st.sampled_from(("flip", "cut", "put")))
        if change == "flip":
            whole[at] = data.draw(st.integers(0, 255))
        elif change == "cut" and len(whole) > 10:
            del whole[at : at + data.draw(st.integers(1, 5))]
        else:
            whole[at:at] = data.draw(st.binary(max_size=9))
    assert peak_of(lambda: walk(bytes(whole))) < 25 * len(whole) + 500_000
    said = walk(bytes(whole))
    if isinstance(said.value, dict):
        assert all(isinstance(name, str) for name in said.value)
        assert all(isinstance(found.shape, tuple) for found in said.value.values() if isinstance(found, PickledTensor))


@given(data=st.binary(max_size=300))
def test_any_bytes_are_walked(data: bytes) -> None:
    """Random bytes behind a protocol mark and before a STOP."""
    walk(b"\x80\x04" + data + b".")


@given(data=st.data())
def test_mutated_bin_files_never_raise(data: st.DataObject, tmp_path: Path) -> None:
    """A zip with bytes flipped anywhere, directory and packed streams included, gives a table or a trouble."""
    path = tmp_path / "pytorch_model.bin"
    compression = data.draw(st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))
    write_bin(path, {"a": (3, 4), "b": (4,)}, compression=compression)
    whole = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(whole)
    assert peak_of(lambda: read(tmp_path)) < 40 * len(whole) + 1_000_000
