"""Rows written as bytes: every dtype, shards, growth, in place, and nothing else touched."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pretune.core.errors import UserError
from pretune.tokens.row_values import DTYPES, decoded, encoded
from pretune.tokens.tables import find_tables
from pretune.tokens.write_weights import read_rows, write_rows
from tokens.checkpoints import LLAMA, llama, read_file, write_checkpoint
from weight_samples import write_bin

EMBEDDING, HEAD = "model.embed_tokens.weight", "lm_head.weight"
FILES = tuple(f"model-{number:05}-of-00003.safetensors" for number in (1, 2, 3))


def contents(folder: Path) -> dict[str, tuple[tuple[int, ...], str, bytes]]:
    """Every tensor of a folder: shape, dtype, bytes."""
    return {name: row for path in sorted(folder.glob("*.safetensors")) for name, row in read_file(path).items()}


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def new_folder(tmp_path: Path, name: str = "out") -> Path:
    """An empty folder."""
    (tmp_path / name).mkdir()
    return tmp_path / name


@pytest.mark.parametrize("dtype", sorted(DTYPES))
def test_every_dtype_grows(tmp_path: Path, dtype: str) -> None:
    """New rows stand behind the old ones, old ones and other tensors keep their bytes, sizes in the index follow."""
    folder, out = llama(tmp_path / "m", dtype=dtype), new_folder(tmp_path)
    made = np.linspace(-2, 2, 24).reshape(3, 8)
    written = write_rows(folder, out, {EMBEDDING: ([40, 41, 7], made), HEAD: ([41, 40], made[:2])}, rows=42)
    old, new = contents(folder), contents(out)
    for name, (shape, kind, data) in old.items():
        if name not in (EMBEDDING, HEAD):
            assert new[name] == (shape, kind, data)
            continue
        size = len(data) // 40
        assert new[name][:2] == ((42, 8), dtype)
        kept = new[name][2][: len(data)]
        if name == EMBEDDING:
            assert kept[7 * size : 8 * size] == encoded(made[2], dtype)
            kept = kept[: 7 * size] + data[7 * size : 8 * size] + kept[8 * size :]
        assert kept == data
    assert new[EMBEDDING][2][-2 * len(encoded(made[0], dtype)) :] == encoded(made[:2], dtype)
    assert new[HEAD][2][-2 * len(encoded(made[0], dtype)) :] == encoded(made[1::-1], dtype)
    index = json.loads((out / "model.safetensors.index.json").read_text())
    assert index["metadata"]["total_size"] == sum(len(data) for _, _, data in new.values())
    assert (
        index["metadata"]["total_parameters"]
        == json.loads((folder / "model.safetensors.index.json").read_text())["metadata"]["total_parameters"] + 2 * 2 * 8
    )
    assert written.changed == (FILES[0], FILES[2], "model.safetensors.index.json")
    shutil.copyfile(folder / "config.json", out / "config.json")
    assert find_tables(out).weights.troubles == ()


def test_the_library_reads_it(tmp_path: Path) -> None:
    """Safetensors and torch open what was written, bf16 beside narrower and wider dtypes, and find the same values."""
    from safetensors import safe_open

    shapes = {
        "model.embed_tokens.weight": ((40, 8), "F32"),
        "counts": ((3,), "I64"),
        "half": ((5,), "BF16"),
        "flags": ((3,), "U8"),
    }
    folder = write_checkpoint(
        tmp_path / "m", LLAMA | {"tie_word_embeddings": True}, [shapes], metadata={"format": "pt", "é": "한"}
    )
    out = new_folder(tmp_path)
    write_rows(folder, out, {EMBEDDING: ([40], np.ones((1, 8)))}, rows=41)
    with safe_open(out / "model.safetensors", "pt") as new, safe_open(folder / "model.safetensors", "pt") as old:
        assert new.metadata() == old.metadata() == {"format": "pt", "é": "한"}
        assert new.get_tensor(EMBEDDING).shape == (41, 8)
        assert new.get_tensor(EMBEDDING)[40].tolist() == [1.0] * 8
        for name in ("counts", "half", "flags"):
            assert new.get_tensor(name).equal(old.get_tensor(name))


@pytest.mark.parametrize("width", [1, 3])
def test_alignment_is_kept(tmp_path: Path, width: int) -> None:
    """A narrow table before wider tensors: the wider ones still begin where their dtype can."""
    from safetensors import safe_open

    shapes = {EMBEDDING: ((40, width), "F16"), "wide": ((3,), "I64"), "middle": ((5,), "F32"), "odd": ((1,), "U8")}
    folder = write_checkpoint(tmp_path / "m", LLAMA | {"tie_word_embeddings": True, "hidden_size": width}, [shapes])
    out = new_folder(tmp_path)
    write_rows(folder, out, {EMBEDDING: ([40], np.ones((1, width)))}, rows=41)
    length = int.from_bytes((out / "model.safetensors").read_bytes()[:8], "little")
    assert length % 8 == 0
    shutil.copyfile(folder / "config.json", out / "config.json")
    tensors = find_tables(out).weights.tensors
    assert all(((tensors[name].start or 0) - 8 - length) % size == 0 for name, size in (("wide", 8), ("middle", 4)))
    with safe_open(out / "model.safetensors", "pt") as new:
        assert all(new.get_tensor(name) is not None for name in shapes)


def test_biases_of_both_shapes(tmp_path: Path) -> None:
    """A bias of shape (ids,) and one of (1, ids) grow along their ids."""
    config = {
        "architectures": ["BartForConditionalGeneration"], "model_type": "bart", "vocab_size": 50, "d_model": 8,
        "encoder_layers": 0, "decoder_layers": 0,
    }  # fmt: skip
    shapes = {"model.shared.weight": ((50, 8), "F32"), "final_logits_bias": ((1, 50), "F32"), "model.x": ((3,), "F32")}
    folder, out = write_checkpoint(tmp_path / "m", config, [shapes]), new_folder(tmp_path)
    edits = {
        "model.shared.weight": ([50, 51], np.ones((2, 8))),
        "final_logits_bias": ([50, 51, 3], np.array([1, 2, 3])),
    }
    write_rows(folder, out, edits, rows=52)
    shutil.copyfile(folder / "config.json", out / "config.json")
    tables = find_tables(out)
    assert tables.weights.tensors["final_logits_bias"].shape == (1, 52)
    assert read_rows(tables, "final_logits_bias", [3, 50, 51]).ravel().tolist() == [3, 1, 2]
    assert contents(out)["model.x"] == contents(folder)["model.x"]


def test_in_place(tmp_path: Path) -> None:
    """Only the rows' bytes differ afterwards; the same call again writes nothing at all; no journal stays."""
    folder = llama(tmp_path / "m", dtype="BF16")
    before = snapshot(folder)
    made = np.arange(16).reshape(2, 8)
    edits = {EMBEDDING: ([3, 4], made), HEAD: ([39, 0], -made)}
    assert write_rows(folder, folder, edits).changed == (FILES[0], FILES[2])
    after = snapshot(folder)
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} == {FILES[0], FILES[2]}
    tables = find_tables(folder)
    assert read_rows(tables, EMBEDDING, [3, 4]).tolist() == made.tolist()
    assert read_rows(tables, HEAD, [39, 0]).tolist() == (-made).tolist()
    assert sum(one != two for one, two in zip(before[FILES[0]], after[FILES[0]], strict=True)) <= 32
    times = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert write_rows(folder, folder, edits).changed == ()
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == times


def test_on_a_copy(tmp_path: Path) -> None:
    """Without new rows the shard concerned is copied, the others shared, and the source keeps its bytes."""
    folder, out = llama(tmp_path / "m"), new_folder(tmp_path)
    before = snapshot(folder)
    written = write_rows(folder, out, {EMBEDDING: ([5], np.ones((1, 8)))})
    assert written.changed == (FILES[0],)
    assert set(written.shared) == {FILES[1], FILES[2]}
    assert snapshot(folder) == before
    assert (out / FILES[0]).stat().st_nlink == 1
    assert (out / "model.safetensors.index.json").read_bytes() == before["model.safetensors.index.json"]
    assert sorted(path.name for path in out.iterdir()) == sorted([*FILES, "model.safetensors.index.json"])


def test_a_link_is_never_written_through(tmp_path: Path) -> None:
    """Rows replaced in place in a folder of links leave the files that were linked to alone, hard links and others."""
    folder, out, third = llama(tmp_path / "m"), new_folder(tmp_path), new_folder(tmp_path, "third")
    write_rows(folder, out, {EMBEDDING: ([5], np.ones((1, 8)))})
    for name in (*FILES, "model.safetensors.index.json", "config.json"):
        (third / name).symlink_to(folder / name)
    (out / "config.json").write_bytes((folder / "config.json").read_bytes())
    before = snapshot(folder)
    for linked in (out, third):
        write_rows(linked, linked, {EMBEDDING: ([1], np.ones((1, 8))), HEAD: ([1], np.ones((1, 8)))})
        assert read_rows(find_tables(linked), HEAD, [1]).tolist() == [[1.0] * 8]
        assert not (linked / FILES[2]).is_symlink()
        assert (linked / FILES[2]).stat().st_nlink == 1
    assert snapshot(folder) == before
    assert (third / FILES[1]).is_symlink()


def test_the_hub_cache_is_not_written(tmp_path: Path) -> None:
    """In place in the hub's cache is refused; written elsewhere, its files are copied, not linked."""
    blobs = tmp_path / "hub" / "models--org--name" / "blobs"
    snap = tmp_path / "hub" / "models--org--name" / "snapshots" / "abc"
    snap.mkdir(parents=True)
    llama(blobs)
    for path in list(blobs.iterdir()):
        (snap / path.name).symlink_to(path)
    before = snapshot(blobs)
    with pytest.raises(UserError, match="hub's cache"):
        write_rows(snap, snap, {EMBEDDING: ([1], np.ones((1, 8)))})
    out = new_folder(tmp_path)
    write_rows(snap, out, {EMBEDDING: ([1], np.ones((1, 8)))})
    assert all(path.stat().st_nlink == 1 and not path.is_symlink() for path in out.iterdir())
    assert all(os.access(path, os.W_OK) for path in out.iterdir())
    assert snapshot(blobs) == before


@pytest.mark.parametrize(
    ("edits", "rows", "said"),
    [
        ({EMBEDDING: ([40], np.ones((1, 8)))}, None, "lie below 40"),
        ({EMBEDDING: ([-1], np.ones((1, 8)))}, None, "lie below 40"),
        ({EMBEDDING: ([1, 1], np.ones((2, 8)))}, None, "twice"),
        ({EMBEDDING: ([1], np.ones((1, 7)))}, None, "expected"),
        ({EMBEDDING: ([1], np.full((1, 8), np.nan))}, None, "not finite"),
        ({EMBEDDING: ([], np.ones((0, 8)))}, 39, "never cut"),
        ({EMBEDDING: ([40], np.ones((1, 8)))}, 41, "lm_head.weight"),
        ({EMBEDDING: ([40], np.ones((1, 8))), HEAD: ([], np.ones((0, 8)))}, 41, "no values for the new row 40"),
    ],
)
def test_what_cannot_be(tmp_path: Path, edits: Any, rows: int | None, said: str) -> None:
    """Ids outside, twice, odd shapes, NaN, fewer rows, a table left out: refused before anything is written."""
    folder, out = llama(tmp_path / "m"), new_folder(tmp_path)
    before = snapshot(folder)
    for target in (out, folder):
        with pytest.raises(ValueError, match=said):
            write_rows(folder, target, edits, rows=rows)
    assert snapshot(folder) == before
    assert list(out.iterdir()) == []


def test_overflow() -> None:
    """A number too large for the dtype is refused, not made infinite."""
    for dtype, large in {"F16": 1e6, "BF16": 3.4e38, "F8_E4M3": 449, "F8_E5M2": 1e5}.items():
        with pytest.raises(ValueError, match="too large"):
            encoded(np.array([large]), dtype)


def test_users_mistakes(tmp_path: Path, make_model: Callable[..., Path]) -> None:
    """Growth in place, a folder that has weights, a pickle, an integer table: a sentence each."""
    folder = llama(tmp_path / "m")
    edits = {EMBEDDING: ([40], np.ones((1, 8))), HEAD: ([40], np.ones((1, 8)))}
    with pytest.raises(UserError, match="new rows in place"):
        write_rows(folder, folder, edits, rows=41)
    with pytest.raises(UserError, match="is there already"):
        write_rows(folder, llama(tmp_path / "other"), edits, rows=41)
    pickled = make_model("bert", name="pickled", weights=False)
    name = "bert.embeddings.word_embeddings.weight"
    write_bin(pickled / "pytorch_model.bin", {name: (7, 4)})
    with pytest.raises(UserError, match="a pickle, which pretune neither opens nor writes") as refused:
        write_rows(pickled, new_folder(tmp_path), {name: ([1], np.ones((1, 4)))})
    assert "save_pretrained" in refused.value.hint
    config = {"model_type": "new", "vocab_size": 30}
    whole = write_checkpoint(tmp_path / "ints", config, [{"embed_tokens.weight": ((30, 8), "U8")}])
    with pytest.raises(UserError, match="stored as U8"):
        write_rows(whole, whole, {"embed_tokens.weight": ([1], np.ones((1, 8)))})


def test_stale_pickles_are_named(tmp_path: Path) -> None:
    """Another format beside the one that was written does not have the rows, and is named."""
    folder = llama(tmp_path / "m")
    write_bin(folder / "pytorch_model.bin", {"x": (7, 4)})
    (folder / "tf_model.h5").write_bytes(b"\x89HDF")
    assert set(write_rows(folder, folder, {EMBEDDING: ([1], np.ones((1, 8)))}).stale) == {
        "pytorch_model.bin",
        "tf_model.h5",
    }


def test_nothing_is_unpickled(tmp_path: Path, make_model: Callable[..., Path]) -> None:
    """A hostile pickle is refused without being run."""

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return (os.mkdir, (str(tmp_path / "ran"),))

    folder = make_model("bert", weights=False)
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(UserError):
        write_rows(folder, folder, {})
    assert not (tmp_path / "ran").exists()


def test_own_bytes(tmp_path: Path) -> None:
    """Rows given as bytes of the tensor's own dtype are written as they are."""
    folder = llama(tmp_path / "m", dtype="BF16")
    data = np.arange(16, dtype=np.uint8).reshape(1, 16)
    write_rows(folder, folder, {EMBEDDING: ([2], data)})
    assert contents(folder)[EMBEDDING][2][32:48] == data.tobytes()


@pytest.mark.parametrize("dtype", sorted(DTYPES - {"F64"}))
def test_rounding_is_torch_s(dtype: str) -> None:
    """Numbers become the bytes that torch makes of them, and come back as torch reads them."""
    torch = pytest.importorskip("torch")
    names = {
        "F32": "float32",
        "F16": "float16",
        "BF16": "bfloat16",
        "F8_E4M3": "float8_e4m3fn",
        "F8_E5M2": "float8_e5m2",
    }
    kind = getattr(torch, names[dtype])
    chance = np.random.default_rng(0)
    values = np.concatenate(
        [chance.normal(size=4000), chance.normal(size=2000) * 1e-3, [0.0, -0.0, 1, 448, 1e-9, 2**-9]]
    )
    values = values.astype(np.float32)
    theirs = torch.from_numpy(values).to(kind)
    assert encoded(values, dtype) == theirs.view(torch.uint8).numpy().tobytes()
    assert decoded(encoded(values, dtype), dtype).tolist() == theirs.float().tolist()


def test_every_code_of_float8() -> None:
    """All 256 codes of both float8 formats decode as torch does."""
    torch = pytest.importorskip("torch")
    codes = bytes(range(256))
    for dtype, kind in (("F8_E4M3", torch.float8_e4m3fn), ("F8_E5M2", torch.float8_e5m2)):
        theirs = torch.frombuffer(bytearray(codes), dtype=torch.uint8).view(kind).float().numpy()
        np.testing.assert_array_equal(decoded(codes, dtype), theirs)


@pytest.mark.slow
def test_transformers_loads_it(tmp_path: Path) -> None:
    """A grown Llama loads in transformers with its old rows, its new ones, and the same logits for old ids."""
    torch = pytest.importorskip("torch")
    from transformers import AutoModelForCausalLM

    folder, out = llama(tmp_path / "m"), new_folder(tmp_path)
    _complete(folder)
    write_rows(folder, out, {EMBEDDING: ([40], np.ones((1, 8))), HEAD: ([40], np.zeros((1, 8)))}, rows=41)
    (out / "config.json").write_text(json.dumps(LLAMA | {"vocab_size": 41}))
    old, new = (AutoModelForCausalLM.from_pretrained(path) for path in (folder, out))
    ids = torch.tensor([[1, 2, 39]])
    with torch.no_grad():
        assert torch.equal(old(ids).logits, new(ids).logits[..., :40])
    assert new.get_input_embeddings().weight[40].tolist() == [1.0] * 8


def _complete(folder: Path) -> None:
    """Add the layer norm that the small Llama lacks."""
    from tokens.checkpoints import write_file

    name = "model.layers.0.post_attention_layernorm.weight"
    write_file(folder / "model-00004-of-00003.safetensors", {name: ((8,), "F32")})
    index = folder / "model.safetensors.index.json"
    told = json.loads(index.read_text())
    told["weight_map"][name] = "model-00004-of-00003.safetensors"
    told["metadata"]["total_size"] += 32
    index.write_text(json.dumps(told))


@pytest.mark.slow
def test_cost(tmp_path: Path) -> None:
    """On 1 GB: slots in place within 60 MB of memory and a tenth of a second, growth within 100 MB."""
    shapes = {EMBEDDING: ((64000, 2048), "BF16"), **{f"model.x{at}": ((8192, 8192), "BF16") for at in range(6)}}
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "config.json").write_text(
        json.dumps(LLAMA | {"vocab_size": 64000, "hidden_size": 2048, "tie_word_embeddings": True})
    )
    _sparse(folder / "model.safetensors", shapes)
    code = """
import sys, time
import numpy as np
from pretune.tokens.write_weights import write_rows
from pretune.tokens.tables import find_tables
first = time.perf_counter()
more = int(sys.argv[3])
ids = range(64000, 64000 + more) if more else range(100, 200)
write_rows(sys.argv[1], sys.argv[2], {"model.embed_tokens.weight": (ids, np.ones((len(ids), 2048), np.float32))}, rows=64000 + more)
took = time.perf_counter() - first
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(took, int(peak) / 1024)
"""
    for target, more, memory, seconds in ((folder, 0, 60, 0.5), (new_folder(tmp_path), 100, 100, 60)):
        done = subprocess.run(
            [sys.executable, "-c", code, str(folder), str(target), str(more)],
            check=True,
            capture_output=True,
            text=True,
        )
        took, peak = map(float, done.stdout.split())
        assert peak < memory
        assert took < seconds


def _sparse(path: Path, shapes: Any) -> None:
    """A large file of zeros that takes no room on the disk."""
    header, at = {}, 0
    for name, (shape, dtype) in shapes.items():
        size = int(np.prod(shape)) * 2
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    with path.open("wb") as out:
        out.write(len(text).to_bytes(8, "little") + text)
        out.truncate(8 + len(text) + at)
