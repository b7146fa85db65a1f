"""An ejected script runs without pretune and comes to the same losses and weights, bit for bit."""

import ast
import contextlib
import io
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from pretune.core.errors import UserError
from pretune.train.eject import script_of, write
from pretune.train.eject_data import literal
from pretune.train.pooled_model import FILES
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


def started(script: Path, *, alone: bool = True) -> tuple[list[tuple[int, float]], dict[str, float]]:
    """Run a script; (step, loss) of each line of its log, and the last figures.

    Args:
        script: where it is.
        alone: in a Python of its own that has no pretune; else here, which is quicker.
    """
    if alone:
        call = [sys.executable, "-P", "-I", "-c", GUARD, str(script)]
        env = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(call, capture_output=True, text=True, check=False, env=env)
        assert done.returncode == 0, done.stderr
        said = done.stdout
    else:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            runpy.run_path(str(script), run_name="__main__")
        said = out.getvalue()
    losses = [(int(step), float(loss)) for step, loss in re.findall(r"step (\d+)/\d+  loss (\S+)", said)]
    epochs = re.findall(r"^epoch \d+  (.*)$", said, re.MULTILINE)
    return losses, {name: float(value) for name, value in re.findall(r"(\w+) ([\d.-]+)", epochs[-1] if epochs else "")}


def ejected(folder: Path, recipe: Any) -> Path:
    """The recipe's script, which trains into `folder/plain`."""
    script = folder / "train.py"
    text = script_of(recipe)
    assert str(recipe.out) in text
    script.write_text(text.replace(str(recipe.out), str(folder / "plain")), "utf-8")
    return script


def compared(folder: Path, task: str, train: dict[str, Any], arguments: dict[str, Any], *, alone: bool) -> None:
    """Run the script and `pretune train`: losses, figures and final weights are the same."""
    recipe = tiny_runs.of_sample(folder, task, train=train, training_args=arguments)
    found, figures = started(ejected(folder, recipe), alone=alone)
    run(recipe, force=True)  # the check before it says that dev is the training file
    log = [json.loads(line) for line in (recipe.out / "log.jsonl").read_text("utf-8").splitlines()]
    assert found == [(one["step"], one["loss"]) for one in log if "loss" in one]
    metrics = json.loads((recipe.out / "metrics.json").read_text("utf-8"))["evaluations"][-1]
    assert figures
    assert figures == {name: round(metrics[name], 4) for name in figures}
    ours, plain = (load_file(place / "model.safetensors") for place in (recipe.out, folder / "plain"))
    assert ours.keys() == plain.keys()
    assert all(bool((ours[name] == plain[name]).all()) for name in ours)


@pytest.mark.parametrize(
    "task",
    ["mrc", *(pytest.param(one, marks=pytest.mark.slow) for one in ("classify", "tag", "pairs"))],
)
def test_same_numbers(task: str, tmp_path: Path) -> None:
    """Losses, final weights and figures are those of `pretune train`: dropout, accumulation 2, decay, losses averaged."""
    arguments = {"gradient_accumulation_steps": 2, "weight_decay": 0.01, "warmup_steps": 1, "max_steps": 3}
    compared(tmp_path, task, {}, arguments | {"logging_steps": 2, "eval_on_start": True}, alone=task != "mrc")


FAST = {"preset": "fast", "precision": "bf16", "tokens_per_batch": 90}
BEST = {"metric_for_best_model": "macro_f1", "greater_is_better": False, "max_steps": -1, "num_train_epochs": 2}


@pytest.mark.parametrize(
    ("task", "kind", "train", "arguments"),
    [
        pytest.param("classify", "bert", FAST, {"max_steps": 3, "gradient_accumulation_steps": 2}, id="fast"),
        *(
            pytest.param(task, kind, train, arguments, marks=pytest.mark.slow, id=name)
            for name, task, kind, train, arguments in (
                ("tag", "tag", "roberta", FAST, {"max_steps": -1, "num_train_epochs": 2}),
                ("reading", "mrc", "bert", FAST | {"precision": "auto"}, {"max_steps": 5}),
                ("attention dropout", "pairs", "roberta", FAST | {"attention_dropout": 0.0}, {"max_steps": 7}),
                ("padding none", "classify", "bert", {"padding": "none"}, BEST),
                ("tokens", "classify", "roberta", {"tokens_per_batch": 90, "precision": "autocast"}, {"max_steps": 3}),
                ("average", "classify", "bert", {"tokens_per_batch": 0}, {"max_steps": 5}),
            )
        ),
    ],
)
def test_levers(task: str, kind: str, train: dict[str, Any], arguments: dict[str, Any], tmp_path: Path) -> None:
    """Every lever of the fast preset stands in the script, with the numbers of the loop to the last bit."""
    tiny_runs.model(tmp_path / "model", kind)
    compared(tmp_path, task, train, arguments, alone=train is not FAST or task != "classify")


@pytest.mark.parametrize(
    ("pooling", "task", "train"),
    [
        ("mean", "pairs", {}),
        *(
            pytest.param(*one, marks=pytest.mark.slow)
            for one in (
                ("max", "pairs", {"padding": "none"}),
                ("last_token", "classify", FAST),
                ("mean", "classify", FAST),
                ("cls", "pairs", {}),
            )
        ),
    ],
)
def test_pooling(pooling: str, task: str, train: dict[str, Any], tmp_path: Path) -> None:
    """A pooling that no class of transformers has stands in the script: the numbers, the folder, a form ruff leaves."""
    tiny_runs.model(tmp_path / "model", hidden_dropout_prob=0.2)
    arguments = {"max_steps": 3, "gradient_accumulation_steps": 2}
    compared(tmp_path, task, train | {"pooling": pooling}, arguments, alone=False)
    for name in FILES if "Pooled" in (tmp_path / "train.py").read_text("utf-8") else ():
        assert (tmp_path / "plain" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()
    for words in (["check"], ["format", "--check"]):
        call = [sys.executable, "-m", "ruff", *words, "--isolated", "--line-length", "120", str(tmp_path / "train.py")]
        done = subprocess.run(call, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_killed_script_goes_on(tmp_path: Path) -> None:
    """A script stopped behind an epoch comes to the weights of one that never was."""
    recipe = tiny_runs.of_sample(tmp_path, "mrc", training_args={"max_steps": 6, "logging_steps": 2})
    script = ejected(tmp_path, recipe)
    whole, _ = started(script)
    wanted = load_file(tmp_path / "plain" / "model.safetensors")
    text = script.read_text("utf-8").replace(str(tmp_path / "plain"), str(tmp_path / "killed"))
    stop = "        checkpoint(epoch + 1, best, losses, model, optimizer, scheduler)\n"
    assert stop in text
    text = text.replace(
        stop,
        stop + '        if not os.path.exists(OUT / "once"):\n            (OUT / "once").touch()\n            return\n',
    )
    script.write_text(text, "utf-8")
    assert started(script)[0] + started(script)[0] == whole
    found = load_file(tmp_path / "killed" / "model.safetensors")
    assert all(bool((wanted[name] == found[name]).all()) for name in wanted)


@pytest.mark.parametrize(
    ("task", "train", "longest"),
    [
        ("mrc", {"preset": "fast", "precision": "bf16"}, 520),
        *(
            pytest.param(task, train, longest, marks=pytest.mark.slow)
            for train, longest in (({}, 400), ({"preset": "fast", "precision": "bf16"}, 520))
            for task in ("mrc", "classify", "tag", "pairs")
            if not (train and task == "mrc")
        ),
    ],
)
def test_clean(task: str, train: dict[str, Any], longest: int, tmp_path: Path) -> None:
    """Ruff has nothing to say, `pretune check` nothing above a note, and nothing of pretune is imported."""
    from pretune.check.finding import Level
    from pretune.check.rules import all_rules
    from pretune.check.scripts import Asked, check_scripts

    script = tmp_path / "train.py"
    script.write_text(script_of(tiny_runs.of_sample(tmp_path, task, train=train)), "utf-8")
    for words in (["check"], ["format", "--check"]):
        call = [sys.executable, "-m", "ruff", *words, "--isolated", "--line-length", "120", str(script)]
        done = subprocess.run(call, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
    text = script.read_text("utf-8")
    assert "import pretune" not in text
    assert "from pretune" not in text
    assert len(text.splitlines()) <= longest
    report = check_scripts([str(script)], Asked(all_rules(), all_rules(), {}, {}))
    graver = [one for one in report.findings if one.level is not Level.NOTE]
    assert not report.failed
    assert [one.message for one in graver if one.name != "evaluating-on-the-training-file"] == []


@pytest.mark.parametrize(
    ("train", "arguments", "said"),
    [
        ({"padding": "max_length"}, {}, r"does not write padding max_length"),
        ({"attention_dropout": 0.0}, {}, r"does not write attention-dropout with pads"),
        ({"precision": "fp16", "engine": "trainer"}, {}, r"does not write precision fp16, engine trainer"),
        ({}, {"metric_for_best_model": "loss"}, r"does not write metric-for-best-model loss"),
    ],
)
def test_refusals(train: dict[str, Any], arguments: dict[str, Any], said: str, tmp_path: Path) -> None:
    """What the script could not do with the same numbers is refused in one line."""
    with pytest.raises(UserError, match=said):
        script_of(
            tiny_runs.of_sample(tmp_path, "classify", train=train, encode={"max_length": 40}, training_args=arguments)
        )


@pytest.mark.parametrize(
    ("tags", "said"), [(["B-PS", "E-PS"], "the tags are IOBES, but"), (["NNG", "VV"], "these tags mark no entities")]
)
def test_tags_of_other_schemes_are_refused(tags: list[str], said: str, tmp_path: Path) -> None:
    """The script counts entities of IOB2 tags alone, so it would come to other figures."""
    file = tiny_runs.lines(tmp_path / "t.jsonl", [{"tokens": ["서울", "한강"], "tags": tags}] * 2)
    recipe = tiny_runs.recipe("tag", tiny_runs.model(tmp_path / "m"), file, None, tmp_path / "out")
    with pytest.raises(UserError, match=said):
        script_of(recipe)


def test_nothing_is_dropped_in_silence(tmp_path: Path) -> None:
    """What changes no loss and is left out is told in one line, and stands at the head of the script."""
    arguments = {"report_to": "tensorboard", "eval_steps": 1, "save_steps": 1, "save_total_limit": 7}
    told: list[str] = []
    text = script_of(tiny_runs.of_sample(tmp_path, "classify", training_args=arguments), tell=told.append)
    assert len(told) == 1
    head = " ".join(ast.get_docstring(ast.parse(text), clean=True).split())
    for one in ("report-to tensorboard", "eval-strategy steps", "save-strategy steps", "save-total-limit 7"):
        assert one in told[0]
    assert told[0] in head
    told.clear()
    script_of(tiny_runs.of_sample(tmp_path, "classify"), tell=told.append)
    assert told == []


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
