"""Pickled weights are read without executing them: the same table as torch's, every import told, no bomb goes off."""

import io
import pickle
import struct
import tracemalloc
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest

from pretune.artifacts.pickle_imports import TENSOR_IMPORTS, beyond_tensors, runs_anything
from pretune.artifacts.pickles import walk
from pretune.artifacts.ranges import BLOCK, RangeFile, TooMuchError
from pretune.artifacts.source import FolderSource
from pretune.artifacts.weights import Weights, read_weights
from weight_samples import data_pickle, evil_pickle, header, safetensors, write_bin

SHAPES = {"a": (2, 3), "b": (3,), "scalar": (), "empty": (0, 4)}


def read(folder: Path) -> Weights:
    """The weights of a folder that has some."""
    weights = read_weights(FolderSource(str(folder), folder))
    assert weights is not None
    return weights


def stored(folder: Path, data: bytes) -> Weights:
    """The weights of a folder whose pytorch_model.bin holds `data`."""
    (folder / "pytorch_model.bin").write_bytes(data)
    return read(folder)


def kinds(weights: Weights) -> list[str]:
    """The kinds of trouble, in order."""
    return [trouble.kind for trouble in weights.troubles]


def test_a_zip_is_read(tmp_path: Path) -> None:
    """Names, shapes and dtypes; the imports are a tensor's own."""
    write_bin(tmp_path / "pytorch_model.bin", SHAPES)
    weights = read(tmp_path)
    assert {name: tensor.shape for name, tensor in weights.tensors.items()} == SHAPES
    assert dict(weights.dtypes) == {"F32": 40}
    assert weights.imports == ("collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch.FloatStorage")
    assert (weights.troubles, beyond_tensors(weights.imports)) == ((), ())


@pytest.mark.parametrize("zipped", [True, False])
def test_torch_reads_the_same(zipped: bool, tmp_path: Path) -> None:
    """Parameters, tied and viewed storages, every dtype, scalars and empty tensors, against torch.load itself."""
    torch = pytest.importorskip("torch", reason="compares with torch.load, which needs torch")
    weight = torch.nn.Parameter(torch.randn(4, 3))
    base = torch.arange(12.0)
    state = OrderedDict(
        weight=weight, tied=weight, bf=torch.zeros(2, 2, dtype=torch.bfloat16), half=torch.zeros(3).half(),
        scalar=torch.tensor(3), empty=torch.zeros(0, 5), view=base[2:6], rest=base[6:], flag=torch.tensor([True]),
        double=torch.zeros(1).double(), int8=torch.zeros(1).char(), complex=torch.zeros(2, dtype=torch.complex64),
    )  # fmt: skip
    state["한국어.이름"] = torch.zeros(1)
    if zipped:  # torch.load cannot read these from its legacy format
        state |= {"float8": torch.zeros(2).to(torch.float8_e4m3fn), "u16": torch.zeros(2, dtype=torch.uint16)}
    path = tmp_path / "pytorch_model.bin"
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    loaded = torch.load(path, weights_only=True)
    words = {"float32": "F32", "bfloat16": "BF16", "float16": "F16", "int64": "I64", "bool": "BOOL", "float8_e4m3fn": "F8_E4M3",
             "uint16": "U16", "float64": "F64", "int8": "I8", "complex64": "C64"}  # fmt: skip
    weights = read(tmp_path)
    assert weights.troubles == ()
    assert {name: (tensor.shape, tensor.dtype) for name, tensor in weights.tensors.items()} == {
        name: (tuple(tensor.shape), words[str(tensor.dtype).removeprefix("torch.")]) for name, tensor in loaded.items()
    }
    assert weights.shared == (("weight", "tied"),)
    assert beyond_tensors(weights.imports) == ()


def test_our_list_is_what_torch_allows() -> None:
    """The imports called a tensor's own are the ones that weights_only=True lets through, no more and no fewer."""
    pytest.importorskip("torch", reason="compares with torch's own list, which needs torch")
    from torch._weights_only_unpickler import _get_allowed_globals

    allowed = set(_get_allowed_globals())
    assert allowed >= TENSOR_IMPORTS - {name for name in TENSOR_IMPORTS if name.startswith(("torch.int", "torch.uint"))}
    assert not {name for name in allowed - TENSOR_IMPORTS if not name.startswith("torch.")}


@pytest.mark.parametrize("protocol", range(6))
def test_an_evil_pickle_is_told_and_not_run(protocol: int, tmp_path: Path) -> None:
    """os.system in __reduce__, in every protocol: named by its import, the planted command does not run; pickle runs it."""
    marker = tmp_path / "ran"
    data = evil_pickle(marker, protocol=protocol)
    write_bin(tmp_path / "pytorch_model.bin", {"a": (2,)}, pickled=data)
    zipped = read(tmp_path)
    bare = stored(tmp_path, data)
    assert runs_anything(zipped.imports) == runs_anything(bare.imports) == ("posix.system",)
    assert not marker.exists()
    pickle.loads(data)
    assert marker.exists()


IMPORTS = {
    b"cos\nsystem\n.": "os.system",
    b"c__builtin__\neval\n.": "builtins.eval",
    b"\x80\x04\x8c\x02os\x8c\x06system\x93.": "os.system",
    b"(ios\nsystem\n.": "os.system",
    b"(S'ls'\nios\nsystem\n.": "os.system",
    b"\x80\x04\x8c\x02os\x94\x8c\x06system\x940h\x00h\x01\x93.": "os.system",
    b"\x80\x04\x8c\x02osK\x01\x93.": "a name that the pickle computes",
    b"\x80\x02\x82\x05.": "copyreg.extension_5",
    b"\x80\x02cos\nsystem\n(": "os.system",
    b"\x80\x02cos\nsystem\n\xff\xff": "os.system",
}


@pytest.mark.parametrize("data", IMPORTS)
def test_every_way_to_import_is_seen(data: bytes) -> None:
    """GLOBAL, STACK_GLOBAL (through the memo too), INST, extension codes, and imports before the pickle breaks off."""
    assert IMPORTS[data] in walk(data).imports


def test_harm_is_told_from_oddity() -> None:
    """What runs anything, what is only no tensor's own, and a tensor's own are three things."""
    odd = (
        "numpy.core.multiarray.scalar",
        "transformers.training_args.TrainingArguments",
        "builtins.int",
        "pathlib.Path",
    )
    harmful = ("builtins.eval", "subprocess.Popen", "torch.hub.load", "importlib.import_module", "webbrowser.open")
    assert runs_anything(odd) == ()
    assert beyond_tensors(odd) == odd
    assert runs_anything(harmful) == harmful
    assert runs_anything(TENSOR_IMPORTS) == ()


def test_other_shapes_of_pickles_are_told(tmp_path: Path) -> None:
    """A nested dict, no dict, a TorchScript program, a zip without data.pkl, a pickle that torch did not write."""
    inner = data_pickle({"a": (2,)})
    nested = b"\x80\x02}X\x05\x00\x00\x00modelc" + inner.removesuffix(b".")[3:] + b"s."
    path = tmp_path / "pytorch_model.bin"
    write_bin(path, {"a": (2,)}, pickled=nested)
    assert kinds(read(tmp_path)) == ["nested-state-dict"]
    assert '"model"' in read(tmp_path).troubles[0].message
    write_bin(path, {}, pickled=pickle.dumps([1, 2], protocol=2))
    assert kinds(read(tmp_path)) == ["not-a-state-dict"]
    write_bin(path, {}, pickled=pickle.dumps({"a": 1}, protocol=2))
    assert kinds(read(tmp_path)) == ["not-a-state-dict"]
    for name, kind in (("archive/constants.pkl", "torchscript"), ("readme.txt", "bad-zip")):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, b"x")
        assert kinds(read(tmp_path)) == [kind]
    assert kinds(stored(tmp_path, pickle.dumps({"a": 1}))) == ["bad-pickle"]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 5\n", "lfs-pointer"),
        (b"<html><head>", "html"),
        (safetensors({"a": (2,)}), "wrong-format"),
        (b"GGUF" + bytes(20), "wrong-format"),
        (b"PK\x03\x04" + bytes(90), "truncated"),
        (header(b"{}" + b" " * 90) + b"\xff", "bad-pickle"),
    ],
)
def test_what_is_no_pickle_is_told(data: bytes, kind: str, tmp_path: Path) -> None:
    """Everything else that may lie under the name of a .bin."""
    assert kinds(stored(tmp_path, data)) == [kind]


def test_another_protocol_is_told(tmp_path: Path) -> None:
    """Protocol 4, which torch.load(weights_only=True) refuses, is read and told; the real refusal is torch's."""
    torch = pytest.importorskip("torch", reason="writes the file with torch.save")
    path = tmp_path / "pytorch_model.bin"
    torch.save({"a": torch.zeros(2)}, path, pickle_protocol=4)
    with pytest.raises(pickle.UnpicklingError):
        torch.load(path, weights_only=True)
    weights = read(tmp_path)
    assert (kinds(weights), weights.complete, weights.tensors["a"].shape) == (["foreign-opcodes"], True, (2,))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_cut_off_file_is_told(zipped: bool, tmp_path: Path) -> None:
    """Cut anywhere, both formats say so (or that they cannot be followed), and never raise."""
    torch = pytest.importorskip("torch", reason="writes both formats with torch.save")
    path = tmp_path / "pytorch_model.bin"
    torch.save({"a": torch.zeros(100), "b": torch.ones(3)}, path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    for end in (len(whole) - 1, len(whole) // 2, 100, 30):
        weights = stored(tmp_path, whole[:end])
        assert set(kinds(weights)) <= {"truncated", "bad-pickle"}
        assert not weights.complete


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    """A data.pkl that would swell beyond the file's own size is not unpacked."""
    bomb = b"\x80\x02" + b"N0" * 5_000_000 + b"}."
    write_bin(tmp_path / "pytorch_model.bin", {}, pickled=bomb, compression=zipfile.ZIP_DEFLATED)
    tracemalloc.start()
    weights = read(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert kinds(weights) == ["oversize-pickle"]
    assert peak < 1_000_000


def test_a_zip_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    """The directory says 10 bytes, the packed stream has a million: no more than was said is unpacked."""
    path = tmp_path / "pytorch_model.bin"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(1_000_000))
    data = packed.getvalue().replace(struct.pack("<I", 1_000_000), struct.pack("<I", 10))
    path.write_bytes(data)
    assert not read(tmp_path).complete


def test_two_pickles_in_one_zip_are_told(tmp_path: Path) -> None:
    """Readers differ on which of two counts: both are followed, and it is told."""
    with zipfile.ZipFile(tmp_path / "pytorch_model.bin", "w") as archive:
        archive.writestr("archive/data.pkl", data_pickle({}))
        archive.writestr("another/data.pkl", evil_pickle(tmp_path / "ran"))
    weights = read(tmp_path)
    assert "bad-zip" in kinds(weights)
    assert runs_anything(weights.imports) == ("posix.system",)


BOMBS = {
    "a length beyond the file": b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"abc.",
    "bytes beyond the file": b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"abc.",
    "a long number": b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"\x01.",
    "a negative length": b"\x80\x02\x8b" + struct.pack("<i", -5) + b"\x01.",
    "a long decimal": b"I" + b"9" * 10_000 + b"\n.",
    "a memo far away": b"\x80\x02}r" + struct.pack("<I", 2**32 - 1) + b".",
    "a memo that is not there": b"\x80\x02h\x09.",
    "no mark": b"\x80\x02t.",
    "pops too much": b"\x80\x02N0000.",
    "no end": b"\x80\x02N",
    "nothing": b"",
    "a mark at the top": b"(.",
    "tuples in tuples": b"\x80\x02)" + b"\x85" * 50_000 + b".",
    "doubling": b"\x80\x02)" + b"2\x86" * 300 + b".",
    "marks": b"(" * 60_000 + b".",
    "dicts": b"\x80\x04" + b"}\x94" * 20_000 + b".",
    "tuples": b"\x80\x04" + b")\x85\x94" * 20_000 + b".",
    "calls": b"\x80\x04ccollections\nOrderedDict\n\x94)\x94" + b"h\x00h\x01R\x94" * 20_000 + b".",
    "strings": b"\x80\x04" + b"\x8c\x02ab\x94" * 20_000 + b".",
    "a cycle": b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.",
}


@pytest.mark.parametrize("case", BOMBS)
def test_bombs_do_not_go_off(case: str) -> None:
    """Lengths that lie, memo jumps, deep and doubling tuples: told or shrugged off, in little memory and time."""
    tracemalloc.start()
    walk(BOMBS[case])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 25 * len(BOMBS[case]) + 700_000


def test_ranges_are_read_as_from_a_file(tmp_path: Path) -> None:
    """Seek, tell, read and readline across blocks; more than the bound at once is refused."""
    content = bytes(range(256)) * 1000
    (tmp_path / "f").write_bytes(content)
    opened, true = RangeFile(FolderSource("m", tmp_path), "f", limit=2 * BLOCK), io.BytesIO(content)
    for offset, whence, length in (
        (-22, 2, 22),
        (0, 0, 5),
        (BLOCK - 3, 0, 9),
        (3, 1, BLOCK + 10),
        (0, 2, 8),
        (9, 0, 0),
    ):
        assert opened.seek(offset, whence) == true.seek(offset, whence)
        assert opened.read(length) == true.read(length)
        assert opened.tell() == true.tell()
    opened.seek(5)
    assert opened.readline() == content[5:11]
    with pytest.raises(TooMuchError):
        opened.read()
    with pytest.raises(OSError, match="negative"):
        opened.seek(-1)
