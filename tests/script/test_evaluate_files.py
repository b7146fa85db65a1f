"""Settings files that a script reads: known where they are small and here, unknown everywhere else."""

from pathlib import Path

import pytest

from pretune.script.read import read_script
from pretune.script.values import Constant, Made, Table

FILES = {
    "a.json": '{"lr": 2e-5, "names": ["a", "b"], "none": null}',
    "a.yaml": "lr: 2e-5\nnames: [a, b]\n",
    "a.toml": 'lr = 2e-5\nnames = ["a", "b"]\n',
    "broken.json": "{",
    "broken.yaml": "a: [",
    "tag.yaml": "!!python/object/apply:os.getcwd []",
    "long.json": f"[{', '.join('0' * 1000)}]",
    "large.json": f'"{"a" * 70_000}"',
    "date.yaml": "day: 2024-01-01\n",
}


def value(folder: Path, code: str) -> object:
    """What f() is called with in a script beside the files."""
    for name, text in FILES.items():
        (folder / name).write_text(text, "utf-8")
    script = folder / "train.py"
    script.write_text(f"import json, yaml, tomllib\nfrom other import f\n{code}", "utf-8")
    (call,) = [one for one in read_script(str(script)).calls() if one.function_name.endswith(".f")]
    return call.arguments[0]


@pytest.mark.parametrize(
    ("code", "known"),
    [
        ('x = json.load(open("a.json"))\nf(x["lr"])', 2e-5),
        ('with open("a.json", encoding="utf-8") as file:\n    x = json.load(file)\nf(x["names"][1])', "b"),
        ('with open("a.yaml", "r") as file:\n    x = yaml.safe_load(file)\nf(x["lr"])', "2e-5"),
        ('f(yaml.load(open("a.yaml"), Loader=yaml.FullLoader)["names"][0])', "a"),
        ('f(tomllib.load(open("a.toml", "rb"))["lr"])', 2e-5),
    ],
)
def test_settings_that_are_known(code: str, known: object, tmp_path: Path) -> None:
    """JSON, YAML (for which 2e-5 is a text) and TOML, opened as people do."""
    assert value(tmp_path, code) == Constant(known)


@pytest.mark.parametrize(
    "code",
    [
        'f(json.load(open("gone.json")))',
        'f(json.load(open("broken.json")))',
        'f(yaml.safe_load(open("broken.yaml")))',
        'f(yaml.safe_load(open("tag.yaml")))',
        'f(yaml.safe_load(open("date.yaml")))',
        'f(json.load(open("long.json")))',
        'f(json.load(open("large.json")))',
        'f(json.load(open("a.json", "w")))',
        "f(json.load(open(name)))",
        'f(json.load(open("a.json"), **options))',
        'f(json.load(open("\\0")))',
        'f(json.load(open(".")))',
    ],
)
def test_settings_that_stay_unknown(code: str, tmp_path: Path) -> None:
    """Not here, broken, of no settings, too large for them, or opened to be written."""
    assert isinstance(value(tmp_path, code), Made)


def test_a_whole_table(tmp_path: Path) -> None:
    """A file's keys in order, null as None."""
    found = value(tmp_path, 'f(json.load(open("a.json")))')
    assert isinstance(found, Table)
    assert [key.value for key, _ in found.items if isinstance(key, Constant)] == ["lr", "names", "none"]
    assert found.get("none") == Constant(None)
