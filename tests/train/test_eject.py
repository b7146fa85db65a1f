"""An ejected script runs without pretune and comes to the same losses and weights, bit for bit."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from pretune.core.errors import UserError
from pretune.train.eject import script_of, write
from pretune.train.eject_data import literal
from pretune.train.run import run
from train import tiny_runs

GUARD = """
import runpy, sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "pretune":
            raise ImportError("pretune is not here")
sys.meta_path.insert(0, Absent())
runpy.run_path(sys.argv[1], run_name="__main__")
"""


def started(script: Path) -> tuple[list[tuple[int, float]], dict[str, float]]:
    """Run a script in a Python that has no pretune; (step, loss) of each line of its log, and the last figures."""
    done = subprocess.run(
        [sys.executable, "-P", "-I", "-c", GUARD, str(script)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    losses = [(int(step), float(loss)) for step, loss in re.findall(r"step (\d+)/\d+  loss (\S+)", done.stdout)]
    epochs = re.findall(r"^epoch \d+  (.*)$", done.stdout, re.MULTILINE)
    return losses, {name: float(value) for name, value in re.findall(r"(\w+) ([\d.-]+)", epochs[-1] if epochs else "")}


def ejected(folder: Path, recipe: Any) -> Path:
    """The recipe's script, which trains into `folder/plain`."""
    script = folder / "train.py"
    text = script_of(recipe)
    assert str(recipe.out) in text
    script.write_text(text.replace(str(recipe.out), str(folder / "plain")), "utf-8")
    return script


@pytest.mark.parametrize("task", ["mrc", "classify", "tag", "pairs"])
def test_same_numbers(task: str, tmp_path: Path) -> None:
    """Losses, final weights and figures are those of `pretune train`, dropout on, accumulation 2, with decay."""
    arguments = {"gradient_accumulation_steps": 2, "weight_decay": 0.01, "warmup_steps": 1, "max_steps": 3}
    recipe = tiny_runs.of_sample(tmp_path, task, training_args=arguments)
    found, figures = started(ejected(tmp_path, recipe))
    run(recipe, force=True)  # the check before it says that dev is the training file
    log = [json.loads(line) for line in (recipe.out / "log.jsonl").read_text("utf-8").splitlines()]
    assert found == [(one["step"], one["loss"]) for one in log if "loss" in one]
    metrics = json.loads((recipe.out / "metrics.json").read_text("utf-8"))["evaluations"][-1]
    assert figures
    assert figures == {name: round(metrics[name], 4) for name in figures}
    ours, plain = (load_file(folder / "model.safetensors") for folder in (recipe.out, tmp_path / "plain"))
    assert ours.keys() == plain.keys()
    assert all(bool((ours[name] == plain[name]).all()) for name in ours)


def test_killed_script_goes_on(tmp_path: Path) -> None:
    """A script stopped behind an epoch comes to the weights of one that never was."""
    recipe = tiny_runs.of_sample(tmp_path, "mrc", training_args={"max_steps": 6})
    script = ejected(tmp_path, recipe)
    whole, _ = started(script)
    wanted = load_file(tmp_path / "plain" / "model.safetensors")
    text = script.read_text("utf-8").replace(str(tmp_path / "plain"), str(tmp_path / "killed"))
    stop = "        checkpoint(epoch + 1, best, model, optimizer, scheduler)\n"
    assert stop in text
    text = text.replace(
        stop,
        stop + '        if not os.path.exists(OUT / "once"):\n            (OUT / "once").touch()\n            return\n',
    )
    script.write_text(text, "utf-8")
    assert started(script)[0] + started(script)[0] == whole
    found = load_file(tmp_path / "killed" / "model.safetensors")
    assert all(bool((wanted[name] == found[name]).all()) for name in wanted)


@pytest.mark.parametrize("task", ["mrc", "classify", "tag", "pairs"])
def test_clean(task: str, tmp_path: Path) -> None:
    """Ruff has nothing to say, `pretune check` nothing above a note, and nothing of pretune is imported."""
    from pretune.check.finding import Level
    from pretune.check.rules import all_rules
    from pretune.check.scripts import Asked, check_scripts

    script = tmp_path / "train.py"
    script.write_text(script_of(tiny_runs.of_sample(tmp_path, task)), "utf-8")
    for words in (["check"], ["format", "--check"]):
        call = [sys.executable, "-m", "ruff", *words, "--isolated", "--line-length", "120", str(script)]
        done = subprocess.run(call, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
    text = script.read_text("utf-8")
    assert "import pretune" not in text
    assert "from pretune" not in text
    assert len(text.splitlines()) <= 400
    report = check_scripts([str(script)], Asked(all_rules(), all_rules(), {}, {}))
    graver = [one for one in report.findings if one.level is not Level.NOTE]
    assert not report.failed
    assert [one.message for one in graver if one.name != "evaluating-on-the-training-file"] == []


def test_refusals(tmp_path: Path) -> None:
    """What the script could not do the same is refused in one line."""
    with pytest.raises(UserError, match=r"does not write .*padding none"):
        script_of(tiny_runs.of_sample(tmp_path, "classify", train={"preset": "fast"}))


def test_data_read_otherwise(tmp_path: Path) -> None:
    """Files that a plain reader takes for something else are refused, never trained on."""
    model = tiny_runs.model(tmp_path / "model")
    rows = [{"text": "가", "label": 1.0}, {"text": "나", "label": 0.0}]
    file = tiny_runs.lines(tmp_path / "rows.jsonl", rows)
    with pytest.raises(UserError, match="plain script"):
        script_of(tiny_runs.recipe("classify", model, file, None, tmp_path / "out"))


def test_write(tmp_path: Path) -> None:
    """A file that is there stays unless it may be written over; nothing is left beside it."""
    path = tmp_path / "train.py"
    write("one\n", path)
    with pytest.raises(UserError, match="exists"):
        write("two\n", path)
    assert path.read_text("utf-8") == "one\n"
    write("two\n", path, force=True)
    assert [one.name for one in tmp_path.iterdir()] == ["train.py"]
    with pytest.raises(UserError, match="cannot be written"):
        write("one\n", tmp_path / "none" / "train.py")


@pytest.mark.parametrize(
    "given", ["text", "te'xt", 'te"xt', "a'b\"c", '"] + [__import__("os")]["', "\t", "a\\", "문장\n"]
)
def test_what_users_name_is_data(given: str) -> None:
    """A column's name, a path or a delimiter becomes a string of the script and nothing else."""
    assert ast.literal_eval(literal(given)) == given
