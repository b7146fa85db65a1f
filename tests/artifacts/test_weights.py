"""The tensor table of safetensors checkpoints: healthy, broken, sharded, and lying beside other formats."""

import json
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pretune.artifacts.source import FolderSource
from pretune.artifacts.weights import Weights, read_adapter, read_weights
from pretune.core.errors import UserError
from weight_samples import entry, header, safetensors, write_bin, write_shards

SHAPES: Mapping[str, tuple[int, ...]] = {"a": (2, 3), "b": (3,), "scalar": (), "empty": (0, 4)}


def read(folder: Path, **asked: Any) -> Weights:
    """The weights of a folder that has some."""
    weights = read_weights(FolderSource(str(folder), folder), **asked)
    assert weights is not None
    return weights


def kinds(weights: Weights) -> list[str]:
    """The kinds of trouble, in order."""
    return [trouble.kind for trouble in weights.troubles]


def single(folder: Path, data: bytes) -> Weights:
    """The weights of a folder whose model.safetensors holds `data`."""
    (folder / "model.safetensors").write_bytes(data)
    return read(folder)


def test_a_folder_without_weights_has_none(tmp_path: Path) -> None:
    """No weights of any format: None, not an empty table."""
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "training_args.bin").write_bytes(b"x")
    (tmp_path / "optimizer.pt").write_bytes(b"x")
    assert read_weights(FolderSource("m", tmp_path)) is None


def test_names_shapes_dtypes_and_places(tmp_path: Path) -> None:
    """Scalars and empty tensors too; counts and bytes follow from the table."""
    weights = single(tmp_path, safetensors(SHAPES))
    assert {name: tensor.shape for name, tensor in weights.tensors.items()} == SHAPES
    assert (weights.format, weights.files, weights.troubles) == ("safetensors", ("model.safetensors",), ())
    assert (weights.parameters, weights.total_bytes, dict(weights.dtypes)) == (10, 40, {"F32": 40})
    assert weights.metadata == {"format": "pt"}
    assert weights.complete
    assert weights.get("nothing") is None


def test_a_model_without_tensors_is_read(tmp_path: Path) -> None:
    """The smallest legal file has the header {}."""
    assert single(tmp_path, header(b"{}")).tensors == {}
    assert kinds(read(tmp_path)) == []


def test_the_real_minilm_agrees_with_safetensors(minilm: Path) -> None:
    """Names, shapes and dtypes of the real weights are the ones that the reference reader tells."""
    from safetensors import safe_open

    weights = read(minilm)
    with safe_open(minilm / "model.safetensors", framework="numpy") as opened:
        told = {name: tuple(opened.get_slice(name).get_shape()) for name in opened.keys()}  # noqa: SIM118
    assert {name: tensor.shape for name, tensor in weights.tensors.items()} == told
    assert weights.troubles == ()
    assert weights.parameters > 22_000_000
    assert weights.total_bytes < (minilm / "model.safetensors").stat().st_size


BROKEN = {
    "empty": b"",
    "truncated in the length": b"\x01\x02\x03",
    "truncated in the header": header({"a": entry(0, 8)})[:20],
    "truncated in the values": header({"a": entry(0, 8)}) + bytes(7),
    "lfs-pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 90868376\n",
    "xet-pointer": b"# xet version 0\nfilesize = 10\nhash = 'ab'\n",
    "html": b"<!DOCTYPE html>\n<html><body>Sign in</body></html>",
    "not-weights: a sentence": b"Entry not found, sorry",
    "not-weights: zeros": bytes(4096),
    "oversize-header": struct.pack("<Q", 2**40) + b'{"a":{}}',
    "wrong-format": b"PK\x03\x04" + bytes(100),
    "bad-header: no json": header(b'{"a":' + b" " * 40),
    "bad-header: a list": header(b"[]" + b" " * 60),
    "bad-header: deep": header(b'{"a":' + b"[" * 40 + b"]" * 40 + b"}" + b" " * 2000),
    "bad-header: very deep": header(b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"),
    "bad-header: negative": header({"a": entry(0, 8, shape=[-2])}) + bytes(8),
    "bad-header: huge": header({"a": entry(0, 8, shape=[2**70])}) + bytes(8),
    "bad-header: a float": header({"a": entry(0, 8, shape=[2.0])}) + bytes(8),
    "bad-header: true": header({"a": entry(0, 8, shape=[True, 2])}) + bytes(8),
    "bad-header: no entry": header(b'{"a":{}' + b" " * 40 + b"}"),
    "bad-header: a long number": header(b'{"a":' + b"9" * 5000 + b"}"),
    "bad-header: NaN": header(b'{"a":NaN}' + b" " * 40),
    "bad-header: not utf-8": header(b'{"\xff":1}' + b" " * 40),
    "unknown-dtype": header({"a": entry(0, 8, dtype="F33")}) + bytes(8),
    "wrong-length": header({"a": entry(0, 8, shape=[3])}) + bytes(8),
    "hole": header({"a": entry(4, 12)}) + bytes(12),
    "overlap": header({"a": entry(0, 8), "b": entry(4, 12)}) + bytes(12),
    "trailing-bytes": header({"a": entry(0, 8)}) + bytes(9),
    "odd-metadata": header({"__metadata__": {"a": 1}, "a": entry(0, 8)}) + bytes(8),
    "duplicate-name": header(b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}')
    + bytes(8),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_wrong_is_told(case: str, tmp_path: Path) -> None:
    """Each broken file is a trouble of its kind that names the file; the reference reader refuses it as well."""
    weights = single(tmp_path, BROKEN[case])
    assert kinds(weights) == [case.partition(":")[0].split()[0]]
    assert "model.safetensors" in weights.troubles[0].message
    if "duplicate" not in case:
        from safetensors import SafetensorError, deserialize

        with pytest.raises((SafetensorError, ValueError)):
            deserialize(BROKEN[case])


def test_the_messages_carry_the_numbers(tmp_path: Path) -> None:
    """What a pointer stands for, how much is missing, what a header claims."""
    said = [single(tmp_path, BROKEN[case]).troubles[0].message for case in ("lfs-pointer", "truncated in the values")]
    assert said[0].endswith("a git-LFS pointer of 71 bytes that stands for 90,868,376 bytes of weights")
    assert "ends after 69 of 70 bytes" in said[1]
    assert "1,099,511,627,776 bytes" in single(tmp_path, BROKEN["oversize-header"]).troubles[0].message


def test_a_broken_file_makes_the_table_incomplete(tmp_path: Path) -> None:
    """Nobody may conclude that tensors are missing from a table that could not be read."""
    assert not single(tmp_path, BROKEN["lfs-pointer"]).complete
    assert single(tmp_path, BROKEN["trailing-bytes"]).complete


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_a_locked_file_is_a_trouble(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the source refuses (permission denied, a hub that is gone) is told like everything else."""
    (tmp_path / name).write_bytes(safetensors(SHAPES))

    def denied(*_: Any) -> bytes:
        raise UserError(f"m/{name} cannot be read: permission denied")

    monkeypatch.setattr(FolderSource, "read_at", denied)
    assert kinds(read(tmp_path)) == ["unreadable"]
    assert "permission denied" in read(tmp_path).troubles[0].message


def test_a_link_to_nowhere_is_a_trouble(tmp_path: Path) -> None:
    """As a hub cache whose blob was deleted leaves it; a .bin beside it is what transformers then loads."""
    (tmp_path / "model.safetensors").symlink_to(tmp_path / "blobs" / "gone")
    assert kinds(read(tmp_path)) == ["dangling-link"]
    write_bin(tmp_path / "pytorch_model.bin", SHAPES)
    assert (read(tmp_path).format, kinds(read(tmp_path))) == ("pickle", ["link-passed-over"])
    assert read(tmp_path).complete


def test_shards_are_joined(tmp_path: Path) -> None:
    """A healthy sharded checkpoint is one table that knows each tensor's file."""
    write_shards(tmp_path, {"model-1.safetensors": {"a": (2,)}, "model-2.safetensors": {"b": (3, 2)}})
    weights = read(tmp_path)
    assert {name: tensor.file for name, tensor in weights.tensors.items()} == {
        "a": "model-1.safetensors",
        "b": "model-2.safetensors",
    }
    assert (weights.troubles, weights.index) == ((), "model.safetensors.index.json")


SHARDS = {"model-1.safetensors": {"a": (2,)}, "model-2.safetensors": {"b": (3, 2)}}
PLACES = {"a": "model-1.safetensors", "b": "model-2.safetensors"}


def shard_faults() -> Iterator[tuple[str, dict[str, Any]]]:
    """Kind of trouble and what of the index makes it."""
    yield "missing-shard", {"places": PLACES | {"c": "model-3.safetensors"}}
    yield "unsafe-shard-name", {"places": PLACES | {"c": "../../etc/passwd"}}
    yield "unsafe-shard-name", {"places": PLACES | {"c": "/etc/passwd"}}
    yield "index-omits", {"places": {"a": "model-1.safetensors", "x": "model-2.safetensors"}}
    yield "index-names-absent", {"places": PLACES | {"c": "model-2.safetensors"}}
    yield "index-misplaces", {"places": {"a": "model-2.safetensors", "b": "model-1.safetensors"}}
    yield "total-size", {"metadata": {"total_size": 33}}
    yield "index-without-metadata", {"metadata": []}
    yield "bad-index", {"places": {}}
    yield "bad-index", {"places": {"a": 1}}


@pytest.mark.parametrize(("kind", "index"), list(shard_faults()))
def test_what_is_wrong_with_an_index_is_told(kind: str, index: dict[str, Any], tmp_path: Path) -> None:
    """Each disagreement is a trouble of its kind; nothing outside the folder is opened."""
    write_shards(tmp_path, SHARDS, **index)
    assert kind in kinds(read(tmp_path))


def test_a_tensor_in_two_shards_is_told(tmp_path: Path) -> None:
    """Which one counts would depend on the order of the files."""
    write_shards(tmp_path, {"model-1.safetensors": {"a": (2,), "b": (1,)}, "model-2.safetensors": {"a": (2,)}})
    assert "tensor-twice" in kinds(read(tmp_path))


@pytest.mark.parametrize("text", ["", "<html>", "{", '{"weight_map": 3}', "[]", "null", "[" * 100_000])
def test_an_index_that_is_none_is_told(text: str, tmp_path: Path) -> None:
    """HTML, nothing, cut-off or odd JSON: a trouble, no exception."""
    (tmp_path / "model.safetensors.index.json").write_text(text)
    assert len(read(tmp_path).troubles) == 1
    assert not read(tmp_path).complete


def test_a_pointer_among_shards_hides_nothing_else(tmp_path: Path) -> None:
    """One shard is an LFS pointer: that is told once, and its tensors are not called absent."""
    write_shards(tmp_path, SHARDS)
    (tmp_path / "model-2.safetensors").write_bytes(BROKEN["lfs-pointer"])
    weights = read(tmp_path)
    assert kinds(weights) == ["lfs-pointer"]
    assert set(weights.tensors) == {"a"}


def test_pickled_shards_are_joined(tmp_path: Path) -> None:
    """pytorch_model.bin.index.json is read as its safetensors twin, imports gathered from every shard."""
    places = {}
    for number, name in enumerate("ab"):
        file = f"pytorch_model-0000{number + 1}-of-00002.bin"
        write_bin(tmp_path / file, {name: (2, number + 1)})
        places[name] = file
    index = {"metadata": {"total_size": 24}, "weight_map": places}
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    weights = read(tmp_path)
    assert (weights.format, weights.troubles, len(weights.imports), weights.shared) == ("pickle", (), 3, ())
    assert {name: tensor.shape for name, tensor in weights.tensors.items()} == {"a": (2, 1), "b": (2, 2)}


def test_the_single_file_wins_over_shards(tmp_path: Path) -> None:
    """As in transformers; the shards of the index are named as unused."""
    write_shards(tmp_path, SHARDS)
    weights = single(tmp_path, safetensors(SHAPES))
    assert weights.files == ("model.safetensors",)
    assert weights.unused_shards == ("model-1.safetensors", "model-2.safetensors")


def test_a_variant_is_read_only_when_asked_for(tmp_path: Path) -> None:
    """model.fp16.safetensors is not the default file."""
    (tmp_path / "model.fp16.safetensors").write_bytes(safetensors(SHAPES))
    assert (read(tmp_path).format, read(tmp_path).other_formats) == ("none", ("model.fp16.safetensors",))
    assert set(read(tmp_path, variant="fp16").tensors) == set(SHAPES)


def test_safetensors_win_over_a_pickle(tmp_path: Path) -> None:
    """Both formats: safetensors are the table, the pickle lies beside; use_safetensors turns that round."""
    write_bin(tmp_path / "pytorch_model.bin", SHAPES)
    weights = single(tmp_path, safetensors(SHAPES))
    assert weights.format == "safetensors"
    assert weights.beside is not None
    assert weights.beside.format == "pickle"
    assert read(tmp_path, use_safetensors=False).format == "pickle"
    assert read(tmp_path, use_safetensors=True).beside is None


@pytest.mark.parametrize(
    "name",
    ["tf_model.h5", "flax_model.msgpack", "model.ckpt.index", "model.onnx", "model-q4.gguf", "consolidated.00.pth"],
)
def test_other_formats_are_noticed(name: str, tmp_path: Path) -> None:
    """Weights that transformers 5 does not load as they are: format none, the names told."""
    (tmp_path / name).write_bytes(b"x")
    assert (read(tmp_path).format, read(tmp_path).other_formats, read(tmp_path).complete) == ("none", (name,), False)


def test_an_adapter_is_not_the_model(tmp_path: Path) -> None:
    """adapter_model.safetensors is told as an adapter; its tensors are asked for separately."""
    (tmp_path / "adapter_model.safetensors").write_bytes(safetensors({"lora_A": (8, 2)}))
    assert (read(tmp_path).format, read(tmp_path).adapter) == ("none", "adapter_model.safetensors")
    adapter = read_adapter(FolderSource("m", tmp_path))
    assert adapter is not None
    assert adapter.tensors["lora_A"].shape == (8, 2)
    assert read_adapter(FolderSource("m", tmp_path / "nothing")) is None


def test_a_large_index_of_one_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only headers are read: the bytes asked for stay far below the size of the values."""
    write_shards(tmp_path, {f"model-{n}.safetensors": {f"t{n}": (256, 256)} for n in range(4)})
    asked: list[int] = []
    honest = FolderSource.read_at

    def counted(self: FolderSource, name: str, offset: int, length: int) -> bytes:
        data = honest(self, name, offset, length)
        asked.append(len(data))
        return data

    monkeypatch.setattr(FolderSource, "read_at", counted)
    assert len(read(tmp_path).tensors) == 4
    assert sum(asked) < 80_000
    assert (
        json.loads((tmp_path / "model.safetensors.index.json").read_text())["metadata"]["total_size"]
        == 4 * 256 * 256 * 4
    )
