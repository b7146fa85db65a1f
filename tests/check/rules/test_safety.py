"""SAF: each rule fires on a folder with its fault and stays quiet on a healthy one."""

import json
import os
import pickle
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conftest import MakeModel
from pretune.artifacts.weights import Weights
from pretune.check.facts import Facts
from pretune.check.facts.versions import VersionFacts
from pretune.check.finding import Finding, Level, Rule, Unavailable, stamp
from pretune.check.rules import safety
from pretune.check.sources.setup import Setup
from weight_samples import data_pickle, entry, evil_pickle, header, safetensors, write_bin, write_shards

SHAPES = {"a": (2, 3), "b": (3,)}
SHARDS = {"model-1.safetensors": {"a": (2,)}, "model-2.safetensors": {"b": (3, 2)}}
PLACES = {"a": "model-1.safetensors", "b": "model-2.safetensors"}
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 90868376\n"

Make = Callable[[Path], Any]


def findings(folder: Path, **said: Any) -> list[Finding]:
    """What the family finds in a folder, given what the setup says."""
    facts = Facts(Setup(model=str(folder), **said))
    return [finding for one in safety.RULES for finding in ask(one, facts)]


def ask(one: Rule, facts: Facts) -> Iterable[Finding]:
    """What one rule finds; nothing when its facts cannot be had."""
    try:
        given = {need: getattr(facts, need) for need in one.needs}
    except Unavailable:
        return []
    return [stamp(one, problem) for problem in one.ask(**given)]


def told(found: Iterable[Finding]) -> list[tuple[str, str]]:
    """Names and levels."""
    return [(finding.name, finding.level.value) for finding in found]


def put(data: bytes, name: str = "model.safetensors") -> Make:
    """Writes one file."""
    return lambda folder: (folder / name).write_bytes(data)


def shards(**index: Any) -> Make:
    """Writes a sharded checkpoint, its index changed."""
    return lambda folder: write_shards(folder, SHARDS, **index)


def pickled(data: bytes | None = None) -> Make:
    """Writes a pytorch_model.bin."""
    return lambda folder: write_bin(folder / "pytorch_model.bin", SHAPES, pickled=data)


def both(first: Make, second: Make) -> Make:
    """Does one, then the other."""
    return lambda folder: (first(folder), second(folder))


def aged(folder: Path) -> None:
    """Two formats of the same tensors, the safetensors three days older."""
    both(put(safetensors(SHAPES)), pickled())(folder)
    os.utime(folder / "model.safetensors", (1_700_000_000, 1_700_000_000))
    os.utime(folder / "pytorch_model.bin", (1_700_259_200, 1_700_259_200))


def omitted(folder: Path) -> None:
    """An index that leaves out one of two tensors."""
    write_shards(folder, {"model-1.safetensors": {"a": (2,), "b": (1,)}}, places={"a": "model-1.safetensors"})


WHOLE_MODEL = b"\x80\x02ctorch.nn.modules.linear\nLinear\n)\x81}b."

FIRES: list[tuple[str, str, Make, str]] = [
    ("pointer-instead-of-weights", "error", put(POINTER), "90,868,376 bytes"),
    ("pointer-instead-of-weights", "error", put(b"# xet version 0\nfilesize = 1\n"), "git-xet pointer"),
    ("truncated-weights", "error", put(safetensors(SHAPES)[:-4]), "ends after"),
    ("truncated-weights", "error", put(b"PK\x03\x04" + bytes(50), "pytorch_model.bin"), "without its end"),
    ("empty-weights", "error", put(b""), "0 bytes"),
    ("file-that-holds-no-weights", "error", put(b"<!doctype html><html>"), "web page"),
    ("file-that-holds-no-weights", "error", put(b"Entry not found, sorry"), "Entry not found"),
    ("file-that-holds-no-weights", "error", lambda f: (f / "model.safetensors").symlink_to(f / "gone"), "a link to"),
    ("malformed-weight-header", "error", put(b"\0\0\0\0\0\1\0\0" + b'{"a":{}}'), "1,099,511,627,776"),
    ("malformed-weight-header", "error", put(header({"a": entry(4, 12)}) + bytes(12)), '"a"'),
    ("malformed-weight-header", "error", put(safetensors(SHAPES) + b"x"), "1 bytes after"),
    ("malformed-weight-header", "warning", put(header({"a": entry(0, 8, dtype="F3")}) + bytes(8)), "dtype"),
    ("overlapping-tensors", "error", put(header({"a": entry(0, 8), "b": entry(4, 12)}) + bytes(12)), "overlap"),
    ("missing-shards", "error", shards(places=PLACES | {"c": "model-3.safetensors"}), "1 of the 3 shards"),
    ("index-at-odds-with-shards", "warning", shards(places=PLACES | {"c": "model-2.safetensors"}), "no shard holds"),
    ("index-at-odds-with-shards", "warning", omitted, "leaves out 1"),
    ("index-at-odds-with-shards", "error", shards(metadata=[]), "KeyError: 'metadata'"),
    ("size-in-the-index", "note", shards(metadata={"total_size": 33}), "33 bytes, its shards hold 32"),
    ("shards-outside-the-folder", "error", shards(places=PLACES | {"c": "../../etc/passwd"}), "../../etc/passwd"),
    ("shards-left-unused", "note", both(shards(), put(safetensors(SHAPES))), "2 files"),
    ("pickle-only-weights", "note", pickled(), "3 names, all of them a tensor's own"),
    ("pickle-that-runs-code", "error", pickled(evil_pickle(Path("never"))), "posix.system"),
    ("pickle-that-runs-code", "warning", both(put(safetensors(SHAPES)), pickled(evil_pickle(Path("never")))), "is loaded in"),
    ("pickle-beyond-tensors", "error", pickled(WHOLE_MODEL), "torch.nn.modules.linear.Linear"),
    ("pickle-without-state-dict", "error", pickled(WHOLE_MODEL), "state dict"),
    ("pickle-without-state-dict", "error", pickled(b"\x80\x02}X\1\0\0\0mc" + data_pickle({"a": (2,)})[3:-1] + b"s."), "1 tensors"),
    ("pickle-that-cannot-be-followed", "warning", put(pickle.dumps({"a": 1}), "pytorch_model.bin"), "magic number"),
    ("pickle-of-another-protocol", "error", pickled(b"\x80\x04\x8c\x01a" + data_pickle(SHAPES)[2:]), "SHORT_BINUNICODE"),
    ("formats-transformers-cannot-load", "error", put(b"x", "tf_model.h5"), "tf_model.h5"),
    ("formats-transformers-cannot-load", "error", put(b"x", "flax_model.msgpack"), "flax_model.msgpack"),
    ("two-formats-that-differ", "warning", both(put(safetensors({"a": (3, 3), "b": (3,)})), pickled()), "[3, 3] against [2, 3]"),
    ("two-formats-that-differ", "warning", both(put(safetensors({"a": (2, 3)})), pickled()), "1 tensors only in the second"),
    ("newer-weights-left-unused", "note", aged, "3 days newer"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "level", "make", "words"), FIRES)
def test_a_fault_in_the_files_is_found(name: str, level: str, make: Make, words: str, make_model: MakeModel) -> None:
    """The rule fires with its level, in one lower-case line that has the value, at a file of the folder."""
    folder = make_model(weights=False)
    make(folder)
    found = [finding for finding in findings(folder) if finding.name == name]
    assert told(found) == [(name, level)]
    assert words in found[0].message
    assert "\n" not in found[0].message
    assert not found[0].message.endswith(".")
    assert found[0].where.startswith(str(folder))
    assert found[0].help


QUIET: dict[str, Make] = {
    "safetensors": put(safetensors(SHAPES)),
    "no weights at all": lambda folder: None,
    "shards": shards(),
    "both formats with the same tensors": both(pickled(), put(safetensors(SHAPES))),
    "both, the pickle a pointer": both(put(POINTER, "pytorch_model.bin"), put(safetensors(SHAPES))),
    "others beside": both(put(safetensors(SHAPES)), put(b"x", "tf_model.h5")),
    "a variant beside": both(put(safetensors(SHAPES)), put(safetensors(SHAPES), "model.fp16.safetensors")),
    "an adapter": put(safetensors({"lora": (2,)}), "adapter_model.safetensors"),
    "training state": both(put(safetensors(SHAPES)), put(evil_pickle(Path("x")), "training_args.bin")),
    "old names of LayerNorm": both(
        lambda folder: write_bin(folder / "pytorch_model.bin", {"x.LayerNorm.gamma": (3,), "position_ids": (1, 4)}),
        put(safetensors({"x.LayerNorm.weight": (3,)})),
    ),
}


@pytest.mark.parametrize("case", QUIET)
def test_healthy_folders_are_quiet(case: str, make_model: MakeModel) -> None:
    """What is healthy, or none of this family's business, gives no finding."""
    folder = make_model(weights=False)
    QUIET[case](folder)
    assert told(findings(folder)) == []


def test_the_real_minilm_is_quiet(minilm: Path) -> None:
    """A published model as it is."""
    assert told(findings(minilm)) == []


def test_no_real_folder_raises_an_error(shared_assets: Path) -> None:
    """Real tokenizer and config folders: no crash and no error of this family."""
    for config in sorted(shared_assets.glob("*/*/config.json")):
        found = findings(config.parent)
        assert not [finding for finding in found if finding.level is Level.ERROR], (config, found)


def test_setup_decides_on_formats_and_pickles(make_model: MakeModel) -> None:
    """A named gguf_file or variant is no fault; weights_only=False is what runs an evil pickle."""
    folder = make_model(weights=False)
    put(b"x", "model-q4.gguf")(folder)
    put(safetensors(SHAPES), "model.fp16.safetensors")(folder)
    assert "formats-transformers-cannot-load" in dict(told(findings(folder)))
    for said in ({"gguf_file": "model-q4.gguf"}, {"variant": "fp16"}):
        assert told(findings(folder, from_pretrained=said)) == []
    pickled(evil_pickle(Path("never")))(folder)
    harmful = findings(folder, from_pretrained={"weights_only": False})
    assert any("weights_only=False would run it" in finding.message for finding in harmful)
    assert any("from_pretrained refuses it" in finding.message for finding in findings(folder))


def test_dtypes_alone_are_a_note(make_model: MakeModel) -> None:
    """A half-precision safetensors copy beside a float32 pickle is told, not blamed."""
    folder = make_model(weights=False)
    both(
        pickled(),
        put(
            header({"a": entry(0, 12, shape=[2, 3], dtype="F16"), "b": entry(12, 18, shape=[3], dtype="F16")})
            + bytes(18)
        ),
    )(folder)
    assert told(findings(folder)) == [("two-formats-that-differ", "note")]


@pytest.mark.parametrize(
    ("torch", "fires"),
    [("2.5.1", True), ("1.13.1+cu117", True), ("2.6.0", False), ("2.13.0+cpu", False), (None, False)],
)
def test_old_torch_cannot_load_pickles(torch: str | None, fires: bool, make_model: MakeModel) -> None:
    """Below 2.6 transformers refuses; without torch nothing is known."""
    folder = make_model(weights=False)
    pickled()(folder)
    weights = Facts(Setup(model=str(folder))).weights
    found = list(safety.pickle_on_old_torch.ask(weights=weights, versions=VersionFacts(torch=torch)))
    assert bool(found) == fires
    safe = replace(weights, table=Weights({}, files=("model.safetensors",)))
    assert list(safety.pickle_on_old_torch.ask(weights=safe, versions=VersionFacts(torch=torch))) == []


AUTO_MAP = {"AutoConfig": "configuration_x.XConfig", "AutoModel": "modeling_x.XModel"}
CODE = {"configuration_x.py": "raise SystemExit", "modeling_x.py": "raise SystemExit"}
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("config", "files", "said", "expected"),
    [
        ({"model_type": "x", "auto_map": AUTO_MAP}, CODE, {}, [("model-code-to-run", "error")]),
        ({"model_type": "x", "auto_map": AUTO_MAP}, CODE, {"trust_remote_code": True}, [("model-code-to-run", "note")]),
        ({"model_type": "x", "auto_map": {"AutoModel": "o/r--m.X"}}, {}, {"trust_remote_code": True}, [("model-code-to-run", "warning")]),
        ({"model_type": "x", "auto_map": {"AutoModel": "o/r--m.X"}}, {}, {"trust_remote_code": True, "code_revision": COMMIT}, [("model-code-to-run", "note")]),
        ({"model_type": "x", "auto_map": {"AutoModel": "o/r--m.X"}}, {}, {"trust_remote_code": True, "code_revision": "main"}, [("model-code-to-run", "warning")]),
        ({"model_type": "x", "auto_map": AUTO_MAP}, {}, {}, [("model-code-to-run", "error"), ("code-that-is-not-there", "error")]),
        ({"model_type": "bert", "auto_map": AUTO_MAP}, CODE, {}, [("own-code-passed-over", "note")]),
        ({"model_type": "bert", "auto_map": AUTO_MAP}, {}, {}, [("own-code-passed-over", "note")]),
        ({"model_type": "bert", "auto_map": {"AutoConfig": "c.C"}}, {}, {}, []),
        ({"model_type": "bert", "auto_map": 3}, {}, {}, []),
        ({"model_type": "bert", "auto_map": {"AutoModel": [None, 3]}}, {}, {}, []),
        ({"model_type": "x"}, {}, {}, []),
        ({}, {}, {"trust_remote_code": True}, [("trust-without-need", "note")]),
        ({}, {}, {"trust_remote_code": False}, []),
    ],
)  # fmt: skip
def test_code_of_the_model(
    config: dict[str, Any], files: dict[str, str], said: dict[str, Any], expected: Any, make_model: MakeModel
) -> None:
    """Needed and not allowed, allowed, pinned, missing, passed over, allowed for nothing. Nothing is run."""
    folder = make_model(config=config, files=files)
    assert told(findings(folder, from_pretrained=said)) == expected


@pytest.mark.parametrize(
    ("config", "tokenizer_config", "said", "expected"),
    [
        ({"model_type": "x"}, {"auto_map": {"AutoTokenizer": ["tok.X", None]}}, {}, [("tokenizer-code-to-run", "error")]),
        ({"model_type": "x"}, {"auto_map": ["tok.X", None]}, {"trust_remote_code": True}, [("tokenizer-code-to-run", "note")]),
        ({}, {"auto_map": {"AutoTokenizer": ["tok.X", None]}}, {}, []),
        ({}, {}, {"trust_remote_code": True}, []),
    ],
)  # fmt: skip
def test_code_of_the_tokenizer(
    config: dict[str, Any], tokenizer_config: dict[str, Any], said: dict[str, Any], expected: Any, make_model: MakeModel
) -> None:
    """A class of transformers' own, or a registered model type, needs no code."""
    wanted = {"tokenizer_class": "XTokenizer"} if expected else {}
    folder = make_model(config=config, tokenizer_config=tokenizer_config | wanted)
    assert told(findings(folder, tokenizer_kwargs=said)) == expected


def test_messages_name_the_files(make_model: MakeModel) -> None:
    """The .py files stand in the message, the place is the auto_map."""
    found = findings(make_model(config={"model_type": "x", "auto_map": AUTO_MAP}, files=CODE))
    assert "configuration_x.py" in found[0].message
    assert "modeling_x.py" in found[0].message
    assert found[0].where.endswith("config.json:/auto_map")


def test_codes_are_unique_and_of_the_family() -> None:
    """SAF and three digits, each once."""
    codes = [one.code for one in safety.RULES]
    assert len(set(codes)) == len(codes) == len({one.name for one in safety.RULES})
    assert all(code.startswith("SAF") and len(code) == 6 for code in codes)
    assert json.dumps(codes)
