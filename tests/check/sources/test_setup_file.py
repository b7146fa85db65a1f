"""Setup files: three formats, every place, every mistake in one line, and no crash on odd ones."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretune.check.sources.setup import Data, Setup
from pretune.check.sources.setup_file import is_setup_file, read_setup_file, setup_file_in
from pretune.check.sources.setup_keys import KEYS, Said, setup_from
from pretune.core.errors import UserError

TOML = """
model = "klue/bert-base"
task = "question-answering"
add_tokens = ["주말", "하늘"]
resize = {pad_to_multiple_of = 64}
append_eos = false

[data]
train = "train.jsonl"
eval = ["dev.jsonl"]
columns = {question = "질문"}

[config]
num_labels = 3
rope_scaling = {type = "linear"}

[training_args]
learning_rate = 2e-5
"a/b~c" = 1
"""
AS_PYTHON = {
    "model": "klue/bert-base",
    "task": "question-answering",
    "add_tokens": ["주말", "하늘"],
    "resize": {"pad_to_multiple_of": 64},
    "append_eos": False,
    "data": {"train": "train.jsonl", "eval": ["dev.jsonl"], "columns": {"question": "질문"}},
    "config": {"num_labels": 3, "rope_scaling": {"type": "linear"}},
    "training_args": {"learning_rate": 2e-5, "a/b~c": 1},
}


def read(path: Path) -> Setup:
    """The Setup of one file."""
    return setup_from(read_setup_file(path))


def write(folder: Path, name: str, content: str | bytes) -> Path:
    """A file with that content."""
    path = folder / name
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("name", ["setup.toml", "setup.json", "setup.yaml", "setup.YML"])
def test_the_three_formats_say_the_same(tmp_path: Path, name: str) -> None:
    """TOML, JSON and YAML (JSON is YAML too) give one and the same Setup, with Hangul and each key's place."""
    setup = read(write(tmp_path, name, TOML if name.endswith("toml") else json.dumps(AS_PYTHON, ensure_ascii=False)))
    assert setup.model == "klue/bert-base"
    assert setup.add_tokens == ("주말", "하늘")
    assert setup.data == Data(("train.jsonl",), ("dev.jsonl",), {"question": "질문"})
    assert setup.resize == {"pad_to_multiple_of": 64}
    assert setup.append_eos is False
    label = str(tmp_path / name)
    assert setup.place("training_args.learning_rate") == f"{label}:/training_args/learning_rate"
    assert setup.place("config.rope_scaling.type") == f"{label}:/config/rope_scaling/type"
    assert setup.place("training_args.a/b~c") == f"{label}:/training_args/a~1b~0c"
    assert setup.place("data.train") == f"{label}:/data/train" or name != "setup.toml"


def test_yaml_keeps_its_words(tmp_path: Path) -> None:
    """`2e-5` is a word in YAML 1.1 and stays one, for a rule to find; `2.0e-5` is a number."""
    setup = read(write(tmp_path, "s.yaml", "training_args: {learning_rate: 2e-5, weight_decay: 2.0e-5}"))
    assert setup.training_args == {"learning_rate": "2e-5", "weight_decay": 2.0e-5}


def test_yaml_anchors_and_numbered_labels(tmp_path: Path) -> None:
    """Anchors, merges and number keys inside a free table, as people write them, are fine."""
    text = "x: &x {a: 1}\nconfig: {id2label: {0: 부정, 1: 긍정}}\ntraining_args:\n  <<: {seed: 1}\n  seed: 2\n"
    setup = read(write(tmp_path, "s.yaml", text.partition("\n")[2]))
    assert setup.config == {"id2label": {0: "부정", 1: "긍정"}}
    assert setup.training_args == {"seed": 2}


def test_a_key_with_nothing_after_it_is_not_said(tmp_path: Path) -> None:
    """`config:` with nothing below it is as if it were not there."""
    assert read(write(tmp_path, "s.yaml", "model: x\nconfig:\ndata: {train: , eval: e.csv}\n")).config == {}


@pytest.mark.parametrize(
    ("keys", "message", "hint"),
    [
        ({"modle": "x"}, 's.json:/modle: unknown key "modle"', 'did you mean "model"?'),
        ({"model-class": "x"}, 'unknown key "model-class"', 'did you mean "model_class"?'),
        ({"learning_rate": 1}, 'unknown key "learning_rate"', "keys: model, tokenizer"),
        ({"data": {"trian": "x"}}, 's.json:/data/trian: unknown key "trian"', 'did you mean "train"?'),
        ({"data": {"text": "x"}}, 'unknown key "text"', "data.columns"),
        ({"data": {"columns": {"lable": "x"}}}, 's.json:/data/columns/lable: unknown key "lable"', '"label"?'),
        ({"encode": {"max_lenght": 8}}, 's.json:/encode/max_lenght: unknown key "max_lenght"', '"max_length"?'),
        ({"peft": {"target_module": []}}, "s.json:/peft/target_module: unknown key", '"target_modules"?'),
        ({"resize": {"pad_to_multiple": 64}}, "unknown key", '"pad_to_multiple_of"?'),
        ({"task": "mrc"}, 's.json:/task: unknown task "mrc"', "tasks: question-answering"),
        ({"task": "Question_Answering"}, "unknown task", '"question-answering"?'),
        ({"model": 3}, "s.json:/model: expected a word, found a number: 3", ""),
        ({"model": " "}, "expected a word", ""),
        ({"model": "a\0b"}, "NUL", ""),
        ({"config": [1]}, "s.json:/config: expected a table of keys and values, found a list", ""),
        ({"add_tokens": [2024]}, "expected a list of words, found a number: 2024", "in quotes"),
        ({"add_tokens": {"a": 1}}, "expected a list of words, found a table", ""),
        ({"resize": "64"}, "expected true, a number of rows", ""),
        ({"resize": 0}, "expected true, a number of rows", ""),
        ({"resize": {"pad_to_multiple_of": 0}}, "expected true, a number of rows", ""),
        ({"append_eos": "yes"}, "expected true or false, found a word", ""),
        ({"data": 3}, "s.json:/data: expected a table", ""),
        ({"data": {"train": [1]}}, "expected a list of words", ""),
        ({"data": {"eval": [""]}}, "expected a list of words", ""),
    ],
)
def test_mistakes(tmp_path: Path, keys: dict[str, Any], message: str, hint: str) -> None:
    """Each mistake is one line with the place, what was expected and found, and a hint where there is one."""
    with pytest.raises(UserError) as error:
        read(write(tmp_path, "s.json", json.dumps(keys)))
    assert message in error.value.message
    assert hint in error.value.hint
    assert "\n" not in error.value.message + error.value.hint


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("s.toml", 'a = "', "is not TOML: "),
        ("s.toml", "model = 'x'\nmodel = 'y'", "is not TOML: "),
        ("s.json", "<html>", "is not JSON: "),
        ("s.json", '{"model": "a", "model": "b"}', 'the key "model" stands twice'),
        ("s.yaml", "a: [", "is not YAML: "),
        ("s.yaml", "model: a\nmodel: b", 'the key "model" stands twice'),
        ("s.yaml", "!!python/object/apply:os.system [id]", "is not YAML: "),
        ("s.yaml", '!!int ""', "is not YAML: "),
        ("s.yaml", "1: x", "expected keys that are words, found a number: 1"),
        ("s.yaml", "config: {1: x}", "expected keys that are words, found a number: 1"),
        ("s.yaml", "a: &a [*a]", "nested too deeply"),
        ("s.yaml", "config: &a {a: *a}", "nested too deeply"),
        ("s.json", "[" * 50_000, "nested too deeply"),
        ("s.toml", "a = " + "[" * 50_000, "nested too deeply"),
        ("s.yaml", "just words", "expected a table of keys, found str"),
        ("s.json", "[]", "expected a table of keys, found list"),
        ("s.json", "", "is empty"),
        ("s.yaml", "# nothing\n", "is empty"),
        ("s.toml", b"\xff\xfem\x00", "is UTF-16"),
        ("s.toml", 'model = "한"'.encode("euc-kr"), "is not UTF-8: byte 9"),
        ("s.toml", b"#" * (1 << 20) + b"#", "is larger than 1 MiB"),
        ("s.ini", "x", "a setup file ends in .toml"),
    ],
)
def test_broken_files(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    """A file that is not what it claims to be is one line; nothing in it is executed."""
    with pytest.raises(UserError) as error:
        read(write(tmp_path, name, content))
    assert message in error.value.message
    assert "\n" not in error.value.message


def test_billion_laughs(tmp_path: Path) -> None:
    """Aliases of aliases, which would be ten to the ninth values, end in one line."""
    text = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
    with pytest.raises(UserError, match="too many values"):
        read(write(tmp_path, "s.yaml", text))


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    """A path that is not there, and a folder, are one line each."""
    with pytest.raises(UserError, match="no setup file"):
        read_setup_file(tmp_path / "none.toml")
    with pytest.raises(UserError, match="is a folder"):
        read_setup_file(tmp_path)


def test_a_byte_order_mark_and_an_empty_toml(tmp_path: Path) -> None:
    """Windows' byte order mark is no part of the first key, and an empty TOML is an empty Setup."""
    assert read(write(tmp_path, "a.toml", b'\xef\xbb\xbfmodel = "x"')).model == "x"
    assert read(write(tmp_path, "b.toml", "")) == Setup()


def test_paths_beside_the_setup_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What exists beside the setup file is taken from there, anything else is left as it is."""
    folder = tmp_path / "실험"
    (folder / "model").mkdir(parents=True)
    (folder / "train.jsonl").touch()
    text = 'model = "model"\ntokenizer = "klue/bert-base"\ndata = ["train.jsonl", "other.jsonl"]'
    write(folder, "setup.toml", text)
    monkeypatch.chdir(tmp_path)
    setup = read(Path("실험/setup.toml"))
    assert setup.model == "실험/model"
    assert setup.tokenizer == "klue/bert-base"
    assert setup.data.train == ("실험/train.jsonl", "other.jsonl")
    monkeypatch.chdir(folder)
    assert read(Path("setup.toml")).model == "model"


def test_which_setup_file_a_folder_holds(tmp_path: Path) -> None:
    """pretune-setup wins over setup; two of one stem must be named; a model's folder holds none."""
    assert setup_file_in(tmp_path) is None
    setup = write(tmp_path, "setup.toml", "")
    assert setup_file_in(tmp_path) == setup
    mine = write(tmp_path, "pretune-setup.yaml", "")
    assert setup_file_in(tmp_path) == mine
    write(tmp_path, "pretune-setup.json", "")
    with pytest.raises(UserError, match=r"pretune-setup\.json and pretune-setup\.yaml"):
        setup_file_in(tmp_path)
    write(tmp_path, "config.json", "{}")
    assert setup_file_in(tmp_path) is None


def test_what_is_a_setup_file(tmp_path: Path) -> None:
    """The ending decides; a folder that ends so is none, and a model's config.json is a mistake that is told."""
    assert is_setup_file("x/setup.toml")
    assert not is_setup_file("klue/bert-base")
    (tmp_path / "v1.json").mkdir()
    assert not is_setup_file(str(tmp_path / "v1.json"))
    with pytest.raises(UserError, match="is a model's file") as error:
        is_setup_file("model/config.json")
    assert error.value.hint == "name its folder: pretune check model"


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


def _mistake(do: Callable[[], object]) -> str:
    """The message of the UserError that `do` raises, or nothing; any other exception passes."""
    try:
        do()
    except UserError as error:
        return error.message
    return ""


@given(st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=6), PLAIN, max_size=4))
def test_any_mapping_is_a_setup_or_a_line(keys: dict[str, Any]) -> None:
    """Whatever the keys hold, the answer is a Setup or one line."""
    assert "\n" not in _mistake(lambda: setup_from(Said(keys)))


@given(
    suffix=st.sampled_from([".toml", ".json", ".yaml"]),
    keys=st.dictionaries(st.sampled_from(KEYS), PLAIN, max_size=3),
    start=st.integers(0, 60),
    junk=st.text(max_size=4)
    | st.sampled_from(["!!int ", "&a ", "*a", "<<: ", "? ", "\x85", "!!timestamp x", "- ", "\ud800"]),
    content=st.none() | st.binary(max_size=60) | st.text(alphabet="ab:-[]{}&*!?|>%@`\"'#,= \n\t0.e_~<", max_size=60),
)
def test_any_file_is_read_or_a_line(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, keys: Any, start: int, junk: str, content: Any
) -> None:
    """Mutated JSON, TOML and YAML, and plain noise: the answer is a Setup or one line, never a crash."""
    if content is None:
        text = json.dumps(keys)
        content = text[:start] + junk + text[start:]
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    path = tmp_path_factory.getbasetemp() / f"fuzz{suffix}"
    path.write_bytes(data)
    assert "\n" not in _mistake(lambda: read(path))
