"""The pages on training: commands are understood, the example is the demo's, old flags lead to the new ones they say."""

import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from pretune.core.errors import UserError
from pretune.demo import models, story, training
from pretune.train.cli import command

DOCS = Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


class StoppedError(Exception):
    """The recipe is there; nothing is trained."""


@pytest.fixture(autouse=True)
def _untrained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A command is only understood: nobody is told, nothing runs."""

    def run(recipe: Any, **_: Any) -> None:
        raise StoppedError

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pretune.train.run.run", run)
    monkeypatch.setattr("pretune.train.knocks.told", lambda *_: nullcontext())
    Path("recipe.toml").write_text(
        'task = "question-answering"\nmodel = "m"\n[data]\ntrain = "t"\n[training_args]\noutput_dir = "out"\n', "utf-8"
    )


def understood(words: list[str]) -> None:
    """The command line makes a recipe."""
    with pytest.raises(StoppedError):
        command.main(words, standalone_mode=False)


def test_every_command_is_understood() -> None:
    """Flags and tasks of the page are those of the command."""
    blocks = BLOCK.findall((DOCS / "train.md").read_text("utf-8"))
    lines = [line for block in blocks for line in block.split("\n") if line.startswith("$ pretune train ")]
    assert len(lines) >= 7
    for line in lines:
        understood(line.partition(" #")[0].split()[3:])


def test_every_lever_is_understood() -> None:
    """What the table of levers names can be given."""
    levers = re.findall(r"^\| `(--[^`]+)` \|", (DOCS / "train.md").read_text("utf-8"), re.MULTILINE)
    assert len(levers) >= 6
    for lever in levers:
        understood(["recipe.toml", *lever.replace(" N", " 99").split()])


def test_old_flags_lead_to_the_new_ones() -> None:
    """Each flag of run_qa.py is taken as it is, or refused with the name that the page says."""
    rows = re.findall(r"^\| (`--.*?) \| (.*?) \|", (DOCS / "from-run_qa.md").read_text("utf-8"), re.MULTILINE)
    assert len(rows) > 15
    silent = {"--dataset_config_name", "--config_name", "--dataset_name", "--preprocessing_num_workers"}
    silent |= {"--overwrite_cache", "--max_train_samples"}
    for old, new in rows:
        for flag in re.findall(r"--\w+", old):
            name, ours = flag.lstrip("-"), re.findall(r"--[\w-]+", new)
            value = {"n_best_size": "20", "report_to": "wandb", "output_dir": "elsewhere"}.get(name, "1")
            value = "epoch" if name.endswith("strategy") else value
            try:
                command.main(["recipe.toml", flag, value], standalone_mode=False)
            except StoppedError:
                continue
            except UserError as error:
                said = f"{error.message} {error.hint}"
            except Exception as error:  # noqa: BLE001 - click's own
                said = str(error)
            said = said.replace("_", "-")
            assert flag in silent or any(one.lstrip("-") in said for one in ours) or "hf upload" in said, (flag, said)


def test_the_example_is_the_demos(minilm: Path) -> None:
    """The page shows what the demo runs, but for the folder's name."""
    assert minilm.is_dir()
    shown = training.command(models.minilm(Path()), *story.english())
    assert f"$ {shown}\n" in (DOCS / "train.md").read_text("utf-8")


@pytest.mark.slow
def test_the_example_prints_what_the_page_shows(minilm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same lines but for their figures, of which the losses are near."""
    import os
    import subprocess
    import sys

    assert minilm.is_dir()
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    shown = training.command(models.minilm(Path()), *story.english())
    (block,) = [block for block in BLOCK.findall((DOCS / "train.md").read_text("utf-8")) if f"$ {shown}\n" in block]
    page = block.split("\n", 1)[1]
    done = subprocess.run([sys.executable, "-m", *shown.split()], capture_output=True, text=True, check=True)
    assert masked(done.stdout) == masked(page)
    losses = [[float(one) for one in re.findall(r"(\d+\.\d{4})$", text, re.MULTILINE)] for text in (page, done.stdout)]
    assert losses[1] == pytest.approx(losses[0], abs=0.3)
    if os.environ.get("UPDATE_README"):
        path = DOCS / "train.md"
        path.write_text(path.read_text("utf-8").replace(page, done.stdout), "utf-8")


def masked(text: str) -> str:
    """Words without figures."""
    return re.sub(r"\s+", " ", re.sub(r"\d[\d.,]*", "#", text))


@pytest.mark.parametrize("name", ["train.md", "from-run_qa.md"])
def test_links_lead_somewhere(name: str) -> None:
    """Every relative link is a file of the repository."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", (DOCS / name).read_text("utf-8")):
        assert (DOCS / target).exists(), target
