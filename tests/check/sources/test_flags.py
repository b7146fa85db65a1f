"""Flags and library arguments as a Setup, alone and over a setup file."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretune.check.sources.flags import setup_from_arguments, setup_from_flags, value_of
from pretune.check.sources.setup import Data, Setup
from pretune.core.errors import UserError


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty folder."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("3", 3),
        ("2e-5", 2e-5),
        ("0.1", 0.1),
        ("true", True),
        ("True", True),
        ("None", None),
        ("null", None),
        ('"8"', "8"),
        ("linear", "linear"),
        ("", ""),
        ("[1, 2]", [1, 2]),
        ('{"0": "부정"}', {"0": "부정"}),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("[" * 100_000, "[" * 100_000),
        ("9" * 5000, "9" * 5000),
        ("1,2", "1,2"),
    ],
)
def test_values(word: str, value: Any) -> None:
    """JSON where it is JSON, Python's three literals, else the word itself."""
    assert value_of(word) == value
    assert type(value_of(word)) is type(value)


def test_flags_alone() -> None:
    """A model and flags make a Setup whose places are the flags."""
    flags = {
        "config": ("num_labels=3", "rope_scaling.type=linear", "rope_scaling.factor=2.0"),
        "training_args": ("learning_rate=2e-5",),
        "data": ("a.jsonl", "b.jsonl"),
        "eval": ("c.jsonl",),
        "column": ("text=document", "label=0"),
        "add_tokens": ("주말",),
        "resize": "multiple=64",
        "append_eos": False,
        "task": None,
        "peft": (),
    }
    setup, subject = setup_from_flags("klue/bert-base", flags)
    assert subject == setup.model == "klue/bert-base"
    assert setup.config == {"num_labels": 3, "rope_scaling": {"type": "linear", "factor": 2.0}}
    assert setup.data == Data(("a.jsonl", "b.jsonl"), ("c.jsonl",), {"text": "document", "label": "0"})
    assert setup.resize == {"pad_to_multiple_of": 64}
    assert setup.append_eos is False
    assert setup.place("config.num_labels") == "--config num_labels"
    assert setup.place("config.rope_scaling.factor") == "--config rope_scaling.factor"
    assert setup.place("training_args.learning_rate") == "--training-args learning_rate"
    assert setup.place("add_tokens") == "--add-tokens"


def test_a_flag_wins_over_the_setup_file(tmp_path: Path) -> None:
    """Tables are merged key by key, files and words replaced, and each place says who spoke."""
    text = 'model = "a"\ndata = "x.jsonl"\nadd_tokens = ["p", "q"]\n[config]\nnum_labels = 2\nhidden_act = "gelu"\n'
    (tmp_path / "setup.toml").write_text(text)
    flags = {"config": ("num_labels=3",), "data": ("y.jsonl",), "add_tokens": ("r",)}
    setup, subject = setup_from_flags("setup.toml", flags)
    assert subject == "setup.toml"
    assert setup.config == {"num_labels": 3, "hidden_act": "gelu"}
    assert setup.data.train == ("y.jsonl",)
    assert setup.add_tokens == ("r",)
    assert setup.place("config.num_labels") == "--config num_labels"
    assert setup.place("config.hidden_act") == "setup.toml:/config/hidden_act"


def test_without_an_argument(tmp_path: Path) -> None:
    """The setup file of the current folder, else flags alone, else a line that says what to do."""
    with pytest.raises(UserError, match="nothing to check"):
        setup_from_flags(None, {})
    setup, subject = setup_from_flags(None, {"data": ("x.jsonl",)})
    assert (setup.model, subject) == (None, "x.jsonl")
    (tmp_path / "pretune-setup.yaml").write_text("model: m\n")
    setup, subject = setup_from_flags(None, {"task": "masked-lm"})
    assert (setup.model, setup.task, subject) == ("m", "masked-lm", "pretune-setup.yaml")


def test_a_folder_is_a_model_or_a_setup(tmp_path: Path) -> None:
    """A folder with config.json is a model, one with only a setup file is that, an empty one is taken for a model."""
    folder = tmp_path / "f"
    folder.mkdir()
    assert setup_from_flags("f", {})[0].model == "f"
    (folder / "setup.toml").write_text('model = "m"')
    assert setup_from_flags("f", {}) == (setup_from_flags("f/setup.toml", {})[0], "f/setup.toml")
    (folder / "config.json").write_text("{}")
    assert setup_from_flags("f", {})[0].model == "f"


def test_files_that_are_no_model(tmp_path: Path) -> None:
    """A data file, or any other file, in the model's place is a line with the way out."""
    (tmp_path / "train.jsonl").touch()
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(UserError, match="is a data file") as error:
        setup_from_flags("train.jsonl", {})
    assert error.value.hint == "pretune check MODEL --data train.jsonl"
    with pytest.raises(UserError, match="expected a model's folder"):
        setup_from_flags("model.safetensors", {})


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"config": ("num_labels",)}, "expected KEY=VALUE"),
        ({"config": ("=3",)}, "expected KEY=VALUE"),
        ({"config": ("a..b=3",)}, "expected KEY=VALUE"),
        ({"config": ("a=1", "a=2")}, "--config a is given twice"),
        ({"config": ("a=1", "a.b=2")}, '"a" already has a value'),
        ({"resize": "klue/bert-base"}, "--resize takes a number of rows"),
        ({"resize": "-1"}, "--resize: expected true, a number of rows"),
        ({"resize": "multiple=x"}, "--resize takes a number of rows"),
        ({"task": "mrc"}, '--task: unknown task "mrc"'),
        ({"column": ("txt=document",)}, '--column txt: unknown key "txt"'),
        ({"encode": ("max_lenght=3",)}, '--encode max_lenght: unknown key "max_lenght"'),
        ({"tokenizer": ""}, "--tokenizer: expected a word"),
    ],
)
def test_mistakes(flags: dict[str, Any], message: str) -> None:
    """Each mistake names its flag."""
    with pytest.raises(UserError) as error:
        setup_from_flags("m", flags)
    assert message in error.value.message


def test_arguments_of_the_library(tmp_path: Path) -> None:
    """Paths, lists, mappings and a Setup of one's own are all taken; arguments win over the setup."""
    setup, subject = setup_from_arguments(None, {"model": tmp_path, "data": [tmp_path / "a.csv"]})
    assert (setup.model, setup.data.train, subject) == (str(tmp_path), (str(tmp_path / "a.csv"),), str(tmp_path))
    given_ = Setup(model="m", config={"a": 1, "b": 2}, places={"config": "x:/config"}, resize=False)
    setup, _ = setup_from_arguments(given_, {"config": {"b": 3}})
    assert setup.config == {"a": 1, "b": 3}
    assert setup.resize is False
    assert setup.place("config.a") == "x:/config/a"
    assert setup_from_arguments({"model": "m"}, {})[0] == Setup(model="m")
    (tmp_path / "setup.toml").write_text('model = "n"')
    assert setup_from_arguments(tmp_path, {})[0].model == "n"
    assert setup_from_arguments("setup.toml", {"model": "o"})[0].model == "o"


def test_mistakes_of_the_library(tmp_path: Path) -> None:
    """Nothing to check, an unknown key, a folder without a setup, and a foreign object are one line each."""
    for setup, keys, message in (
        (None, {}, "nothing to check"),
        (None, {"modle": "x"}, "unknown key"),
        (tmp_path, {}, "no setup file in"),
        (3, {}, "found int"),
        (None, {"model": object()}, "expected a word"),
    ):
        with pytest.raises(UserError, match=message):
            setup_from_arguments(setup, keys)


@given(
    st.dictionaries(st.sampled_from(["config", "peft", "encode", "column"]), st.lists(st.text(max_size=8), max_size=3))
)
def test_any_pairs_are_read_or_a_line(flags: dict[str, list[str]]) -> None:
    """Whatever stands where KEY=VALUE should, the answer is a Setup or one line."""
    with suppress(UserError):
        setup_from_flags("m", {key: tuple(pairs) for key, pairs in flags.items()})
