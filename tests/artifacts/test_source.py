"""Folders as sources of a model's files: what a user may type, and what may lie there."""

import os
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretune.artifacts.folder import MOST_NAMES, inside
from pretune.artifacts.source import FolderSource, Source, locate, looks_like_path, place
from pretune.core.errors import UserError

not_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")


def said(name: str) -> tuple[str, str]:
    """The message and the hint that `locate` answers."""
    with pytest.raises(UserError) as error:
        locate(name)
    assert "\n" not in error.value.message + error.value.hint
    return error.value.message, error.value.hint


def test_a_folder(make_model):
    """A folder gives the names, sizes, contents and places of its files, sub-folders one level deep included."""
    folder = make_model(
        "bert", files={"1_Pooling/config.json": {"a": 1}, "a/b/c.json": {}, ".git/x": "y", ".gitattributes": ""}
    )
    source: Source = locate(str(folder))
    assert source.names() == {
        "config.json",
        "vocab.txt",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "model.safetensors",
        "1_Pooling/config.json",
        ".gitattributes",
    }
    assert source.has("1_Pooling/config.json")
    assert not source.has("1_Pooling")
    assert source.size("vocab.txt") == len(source.read("vocab.txt"))
    assert source.read_at("vocab.txt", 1, 4) == b"PAD]"
    assert source.path("config.json") == folder / "config.json"
    assert source.at("config.json", "/vocab_size") == f"{folder}/config.json:/vocab_size"
    assert (source.remarks, source.complete) == ((), True)


@pytest.mark.parametrize(
    ("typed", "label", "where"),
    [
        ("model", "model", "model/config.json"),
        ("model/", "model", "model/config.json"),
        ("./model", "./model", "./model/config.json"),
        ("model/config.json", "model", "model/config.json"),
        ("model/model.safetensors", "model", "model/config.json"),
        (".", ".", "config.json"),
        ("config.json", ".", "config.json"),
        ("../served", "../served", "../served/config.json"),
    ],
)
def test_labels_are_what_the_user_wrote(make_model, tmp_path, monkeypatch, typed, label, where):
    """A place is named by the path as the user would write it, for a folder and for a file in it."""
    here = make_model("bert", name="served")
    make_model("bert", name="served/model")
    monkeypatch.chdir(here)
    source = locate(typed)
    assert (source.label, source.at("config.json")) == (label, where)
    assert source.has("config.json")


def test_home(make_model, tmp_path, monkeypatch):
    """`~` is the home folder."""
    make_model("bert")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert locate("~/model").has("config.json")


def test_nothing_there(tmp_path, monkeypatch):
    """A path that does not exist is one line: with the sibling that was meant, or how far the path leads."""
    (tmp_path / "models" / "korean").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert said("./modles") == ("there is no folder ./modles", 'did you mean "./models"?')
    assert said("models/korea/")[1] == 'did you mean "models/korean"?'
    assert said(f"{tmp_path}/models/koreans")[1] == f'did you mean "{tmp_path}/models/korean"?'
    assert said("./a/b/c")[1].startswith(f"{tmp_path} has no a; give a folder")
    assert said("한국어 모델")[0] == "there is no folder 한국어 모델"
    assert said("C:\\models\\bert")[0] == "there is no folder C:\\models\\bert"


@pytest.mark.parametrize(
    "typed", ["", "  ", "a\0b", "\0", "x" * 5000, "~nobody-of-that-name/x", "https://huggingface.co/klue/bert-base"]
)
def test_odd_names(typed):
    """What can be no model's name is one line."""
    assert said(typed)


def test_an_address_is_answered_with_the_name():
    """A page of the hub is answered with the name to write."""
    assert said("https://huggingface.co/klue/bert-base/tree/main")[1] == 'write "klue/bert-base"'
    assert said("hf://klue/bert-base")[1] == 'write "klue/bert-base"'


def test_a_file_that_is_no_model(tmp_path):
    """A file of training rows given as the model is one line."""
    (tmp_path / "train.jsonl").write_text("{}")
    (tmp_path / "notes.txt").write_text("x")
    for name in ("train.jsonl", "notes.txt"):
        message, hint = said(str(tmp_path / name))
        assert message.endswith(f"{name} is a file, not a model's folder")
        assert "config.json" in hint


def test_a_safetensors_file_alone(tmp_path):
    """A .safetensors file stands for its folder, whatever it is called and whatever else lies there."""
    (tmp_path / "odd name.safetensors").write_bytes(b"")
    assert locate(str(tmp_path / "odd name.safetensors")).has("odd name.safetensors")


def test_fifos_and_devices(tmp_path):
    """What is no regular file is neither listed nor opened, which could wait for ever."""
    os.mkfifo(tmp_path / "config.json")
    os.mkfifo(tmp_path / "model.safetensors")
    source = locate(str(tmp_path))
    assert source.names() == frozenset()
    assert not source.has("config.json")
    for read in (source.read, source.size, lambda name: source.read_at(name, 0, 8)):
        with pytest.raises(UserError, match=r"config.json is not a regular file"):
            read("config.json")
    assert said(str(tmp_path / "model.safetensors"))[0].endswith("is neither a folder nor a file")
    assert said("/dev/zero")[0] == "/dev/zero is neither a folder nor a file"


def test_links(make_model, tmp_path):
    """A link to a file or folder is followed, as the hub's cache needs; one that leads nowhere says where it led."""
    real = make_model("bert")
    (tmp_path / "linked").symlink_to(real)
    assert locate(str(tmp_path / "linked")).has("config.json")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert said(str(tmp_path / "gone"))[0] == f"{tmp_path}/gone is a link to {tmp_path}/nowhere, which does not exist"
    (real / "merges.txt").symlink_to("../blobs/1234")
    source = FolderSource("m", real)
    assert not source.has("merges.txt")
    assert "merges.txt" not in source.names()
    with pytest.raises(UserError, match=r"m/merges.txt is a link to ../blobs/1234, which does not exist"):
        source.read("merges.txt")
    (real / "loop").symlink_to("loop")
    with pytest.raises(UserError):
        source.read("loop")


@not_root
def test_no_right_to_read(make_model, tmp_path):
    """A folder or file that may not be read is one line."""
    folder = make_model("bert")
    (folder / "config.json").chmod(0)
    with pytest.raises(UserError, match=r"config.json cannot be read: permission denied"):
        locate(str(folder)).read("config.json")
    folder.chmod(0)
    try:
        assert "permission denied" in said(str(folder))[0]
        assert "permission denied" in said(str(folder / "config.json"))[0]
    finally:
        folder.chmod(0o755)


def test_a_missing_file_names_the_way_out(make_model):
    """A missing file is answered with the sub-folder that has it (checkpoints), or a file of nearly that name."""
    folder = make_model("bert", name="out/checkpoint-500").parent
    make_model("bert", name="out/checkpoint-1000")
    with pytest.raises(UserError, match=r"out has no config.json") as error:
        FolderSource("out", folder).read("config.json")
    assert error.value.hint == 'did you mean "out/checkpoint-500"?'
    with pytest.raises(UserError, match=r"m has no tokeniser.json") as error:
        FolderSource("m", folder / "checkpoint-500").read("tokeniser.json")
    assert error.value.hint == "there is a tokenizer.json"


def test_too_long_is_refused_before_reading(tmp_path):
    """A file longer than the limit is refused by its size: a sparse terabyte takes no time and no memory."""
    with (tmp_path / "config.json").open("wb") as out:
        out.truncate(2**40)
    source = locate(str(tmp_path))
    begun = time.perf_counter()
    with pytest.raises(UserError, match=r"has 1,099,511,627,776 bytes, more than the 67,108,864 that are read"):
        source.read("config.json")
    assert source.read_at("config.json", 2**40 - 3, 2**50) == b"\0\0\0"
    assert time.perf_counter() - begun < 1
    assert source.read_at("config.json", 2**41, 5) == b""


def test_names_that_lead_outside(tmp_path):
    """A name from a shard index cannot lead outside its folder."""
    (tmp_path / "m").mkdir()
    (tmp_path / "secret").write_text("x")
    source = locate(str(tmp_path / "m"))
    for name in ("../secret", "a/../../secret", str(tmp_path / "secret"), "..\\secret", "", "a\0b"):
        assert not source.has(name)
        with pytest.raises(UserError, match="would lead outside"):
            source.read(name)


def test_a_folder_of_very_many_files(tmp_path):
    """Listing stops at a bound, and finds the model's own files all the same."""
    for number in range(MOST_NAMES + 500):
        (tmp_path / f"{number}.txt").touch()
    (tmp_path / "config.json").write_text("{}")
    source = locate(str(tmp_path))
    assert "config.json" in source.names()
    assert len(source.names()) <= MOST_NAMES + 1
    assert source.has(f"{MOST_NAMES + 100}.txt")


def test_an_unknown_hub_name_offline(tmp_path, monkeypatch):
    """In the tests' offline state a hub name that is in no cache is one sentence."""
    monkeypatch.chdir(tmp_path)
    assert "neither a folder here nor in the hub's cache" in said("klue/bert-base")[0]


@pytest.mark.parametrize(
    "name",
    [
        "./x",
        "../x",
        "/x",
        "~",
        "~/x",
        ".",
        "a/b/c",
        "a\\b",
        "x/",
        "a b",
        "한국어",
        "m/config.json",
        "a.safetensors",
        "-x",
    ],
)
def test_paths(name):
    """What is taken for a path."""
    assert looks_like_path(name)


@pytest.mark.parametrize(
    "name", ["bert-base-uncased", "klue/bert-base", "Qwen/Qwen2.5-0.5B", "a/b@main", "a/b@refs/pr/1", "gpt2"]
)
def test_hub_names(name):
    """What is taken for a hub name."""
    assert not looks_like_path(name)


@pytest.mark.parametrize(
    ("label", "name", "pointer", "written"),
    [
        ("m", "a.json", "", "m/a.json"),
        ("m/", "a.json", "/x", "m/a.json:/x"),
        (".", "a.json", "/x", "a.json:/x"),
        ("/", "a.json", "", "/a.json"),
    ],
)
def test_place(label, name, pointer, written):
    """How a place is written."""
    assert place(label, name, pointer) == written


@given(st.text(max_size=30))
def test_any_text_is_a_model_or_a_user_error(name):
    """No text that is typed as a model's name ends in anything but a source or a UserError."""
    with suppress(UserError):
        assert isinstance(locate(name).names(), frozenset)


@given(st.text(max_size=20))
def test_inside_holds(name):
    """A name that is said to stay inside resolves inside."""
    if inside(name):
        assert Path(os.path.normpath(Path("/root-of-all") / name)).is_relative_to("/root-of-all")
