"""pretune.train.fine_tune: the command as a function, rows in memory, mistakes by the names of arguments."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pretune import train
from pretune.core.errors import UserError
from train import tiny_runs as tiny

ROWS = [{"text": f"서울 {i}", "label": "ab"[i % 2]} for i in range(8)]


def test_rows_in_memory(tmp_path: Path) -> None:
    """A list of dicts trains a model; the record says what was given without writing the rows out."""
    told: list[str] = []
    done = train.fine_tune(
        "classify",
        model=tiny.model(tmp_path / "m"),
        train=ROWS,
        dev=[{"text": "한강 1", "label": "a"}, {"text": "한강 2", "label": "b"}],
        out=tmp_path / "out",
        max_steps=2,
        preset="exact",
        max_length=32,
        force=True,
        tell=told.append,
    )
    assert (done.steps, done.main) == (2, "accuracy")
    recipe = json.loads((tmp_path / "out" / "recipe.json").read_text())
    assert recipe["data"]["train"] == ["<list>"]
    assert recipe["encode"]["max_length"] == 32
    assert any(line.startswith("8 texts, 2 classes") for line in told)
    assert repr(done).startswith(f"Done({tmp_path / 'out'}: classify, accuracy ")
    for shown in (str(done), done._repr_html_()):
        assert "of 2" in shown
        assert "macro_f1" in shown


@pytest.mark.parametrize("role", ["train", "dev"])
def test_no_rows(tmp_path: Path, role: str) -> None:
    """An empty list is not the same as nothing given."""
    data = {"train": ROWS, "dev": ROWS} | {role: []}
    with pytest.raises(UserError, match=f"^{role} has no rows"):
        train.fine_tune("classify", model="m", out=tmp_path / "out", **data)


def test_a_recipe_file_and_arguments(tmp_path: Path) -> None:
    """Arguments win over the file, paths may be Path objects, a table of pandas will do."""
    pandas = pytest.importorskip("pandas")
    file = tmp_path / "r.toml"
    file.write_text('model = "nowhere"\ntask = "text-classification"\n[training_args]\nmax_steps = 1\n')
    table = pandas.DataFrame({"글": [row["text"] for row in ROWS], "label": [row["label"] for row in ROWS]})
    done = train.fine_tune(
        file,
        model=tiny.model(tmp_path / "m"),
        train=table,
        columns={"text": "글"},
        out=tmp_path / "out",
        force=True,
        tell=lambda _: None,
    )
    assert done.steps == 1


@pytest.mark.parametrize(
    ("what", "keys", "message", "hint"),
    [
        ("clasify", {}, '"clasify" is no task', "classify"),
        ("classify", {"learning_rat": 1}, 'fine_tune knows no "learning_rat"', "learning_rate"),
        ("classify", {"presets": "fast"}, 'fine_tune knows no "presets"', "preset"),
        ("classify", {"preset": "quick"}, 'preset: unknown "quick"', "exact, fast"),
        ("classify", {"learning_rate": "much"}, "learning_rate: expected a number", ""),
        ("classify", {}, "names no model", "--model"),
    ],
)
def test_mistakes(what: str, keys: dict[str, object], message: str, hint: str) -> None:
    """Each mistake is one line by the argument's own name."""
    with pytest.raises(UserError) as found:
        train.fine_tune(what, **keys)
    assert message in found.value.message
    assert hint in found.value.hint


def test_importing_it_imports_nothing_heavy() -> None:
    """`from pretune import train` costs nothing before the first call."""
    code = "import sys; from pretune import train; print(train.fine_tune.__name__, *sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert said[0] == "fine_tune"
    assert not {"torch", "transformers", "numpy", "click", "pretune.train.library"} & set(said)
