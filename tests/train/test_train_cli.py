"""The command `pretune train`: recipes from flags and files, mistakes in one line, help without anything heavy."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pretune import cli
from pretune.core.errors import UserError
from pretune.train.cli import command, spread
from train import tiny_runs as tiny


def end(*words: str) -> int:
    """The exit code of `pretune train` with these words."""
    with pytest.raises(SystemExit) as found:
        cli.main(["train", *words])
    assert isinstance(found.value.code, int)
    return found.value.code


def recipe_of_words(monkeypatch: pytest.MonkeyPatch, *words: str) -> Any:
    """The recipe that a command line would run."""
    caught: list[Any] = []

    class StoppedError(Exception):
        pass

    def run(recipe: Any, **_: Any) -> None:
        caught.append(recipe)
        raise StoppedError

    monkeypatch.setattr("pretune.train.run.run", run)
    with pytest.raises(StoppedError):
        command.main(list(words), standalone_mode=False)
    return caught[0]


def test_help_imports_nothing_heavy() -> None:
    """Help names the tasks and levers without torch, numpy or a table of arguments."""
    code = "import sys; import pretune.cli\ntry: pretune.cli.main(['train', '--help'])\nexcept SystemExit: pass\n"
    code += "print('MODULES', *sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    text, _, modules = done.stdout.rpartition("MODULES")
    heavy = {"torch", "transformers", "numpy", "rich", "polars", "pyarrow", "tokenizers", "pretune.check.facts"}
    assert not heavy & set(modules.split())
    for word in ("mrc|classify|tag|pairs|RECIPE", "--preset", "--learning-rate", "--resume", "Exit code"):
        assert word in text


def test_flags_become_a_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several files behind one flag, columns, levers and arguments of TrainingArguments, each in its place."""
    words = ["mrc", "--model", "m", "--train", "a.json", "b.json", "--dev", "c.json", "--out", "run"]
    words += ["--column", "context=본문", "--preset", "fast", "--precision", "fp32", "--learning-rate", "3e-5"]
    words += ["--stride", "64", "--unanswerable", "--null-threshold", "-1.5", "--seed", "7"]
    recipe = recipe_of_words(monkeypatch, *words)
    assert recipe.setup.data.train == ("a.json", "b.json")
    assert recipe.setup.data.eval == ("c.json",)
    assert recipe.setup.data.columns == {"context": "본문"}
    assert recipe.out == Path("run")
    assert (recipe.options.padding, recipe.options.precision, recipe.options.seed) == ("none", "fp32", 7)
    assert (recipe.stride, recipe.unanswerable, recipe.null_threshold) == (64, True, -1.5)
    assert recipe.setup.place("training_args.learning_rate") == "--learning-rate"


def test_flags_win_over_a_recipe_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recipe file alone is enough; what flags say beside it counts."""
    file = tmp_path / "recipe.toml"
    file.write_text(
        'model = "m"\ntask = "text-classification"\n[data]\ntrain = "t.tsv"\n[training_args]\noutput_dir = "o"\n'
        "learning_rate = 1e-4\nnum_train_epochs = 2\n[train]\npadding = 'none'\n"
    )
    recipe = recipe_of_words(monkeypatch, str(file), "--learning-rate", "2e-4", "--train", "other.tsv")
    assert recipe.task == "classify"
    assert recipe.options.learning_rate == 2e-4
    assert recipe.options.num_train_epochs == 2
    assert recipe.options.padding == "none"
    assert recipe.setup.data.train == ("other.tsv",)


def test_a_recipe_behind_files_stays_a_recipe() -> None:
    """`--train a.json mrc` ends the files at the task; a pattern of the shell's goes on."""
    assert spread(["--train", "a.json", "b.json", "mrc"]) == ["--train", "a.json", "--train", "b.json", "mrc"]
    assert spread(["--eval=a.json", "b.json", "r.toml"]) == ["--dev=a.json", "--dev", "b.json", "r.toml"]
    with pytest.raises(UserError, match="--train names no files, found --model"):
        spread(["--train", "--model", "m"])


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("classfy",), '"classfy" is no task and no recipe file', 'did you mean "classify"'),
        (("mrc",), "names no model", "--model"),
        (("mrc", "--model", "m", "--train", "t.json"), "names no out", "--out"),
        (("mrc", "--learning-rat", "1"), "no such option --learning-rat", "--learning-rate"),
        (("mrc", "--preset", "slow"), 'unknown "slow"', "exact, fast"),
        (("none.toml",), "no setup file none.toml", ".toml"),
        (("mrc", "--model", "m", "--train", "no.json", "--out", "run"), "no.json does not exist", ""),
    ],
)
def test_mistakes_are_one_line(
    words: tuple[str, ...],
    message: str,
    hint: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A mistake is one line with the way out and exit code 2; nothing is written."""
    monkeypatch.chdir(tmp_path)
    assert end(*words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err.splitlines()[0]
    assert hint in err
    assert list(tmp_path.iterdir()) == []


def test_a_run_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Words go to stderr, the table and the verdict to stdout; the kept recipe passes `pretune check` and runs again."""
    model = tiny.model(tmp_path / "model")
    file = tiny.lines(tmp_path / "t.jsonl", [{"text": f"서울 {i}", "label": "ab"[i % 2]} for i in range(8)])
    dev = tiny.lines(tmp_path / "d.jsonl", [{"text": f"한강 {i}", "label": "ab"[i % 2]} for i in range(4)])
    out = tmp_path / "run"
    words = ["classify", "--model", str(model), "--train", str(file), "--dev", str(dev), "--out", str(out), "--force"]
    assert end(*words, "--max-steps", "2", "--logging-steps", "1", "--learning-rate", "1e-3") == 0
    shown, said = capsys.readouterr()
    assert "dev, as classes counts" in shown
    assert f"{out}: classify" in shown
    assert "step 1/2" in said
    with pytest.raises(SystemExit):
        cli.main(["check", str(out / "recipe.json"), "--format", "json"])
    report = json.loads(capsys.readouterr().out)
    assert not [one for one in report["findings"] if "unknown" in one["message"]]
    assert end(str(out / "recipe.json"), "--force", "--no-resume") == 0
    capsys.readouterr()
    assert end(str(out / "recipe.json"), "--force") == 2
    assert "holds a finished run" in capsys.readouterr().err


def test_a_missing_extra_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without torch the recipe and the files are still checked, then it is said what to install."""
    from importlib import import_module

    def without(name: str) -> Any:
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
        return import_module(name)

    monkeypatch.setattr("pretune.core.extras.import_module", without)
    file = tiny.questions(tmp_path / "q.jsonl")
    words = ["--model", str(tiny.model(tmp_path / "m")), "--train", str(file), "--out", str(tmp_path / "run")]
    assert end("mrc", *words, "--max-length", "64", "--stride", "16", "--force") == 2
    err = capsys.readouterr().err
    assert "this needs torch, which is not installed" in err
    assert 'pip install "pretune[train]"' in err
