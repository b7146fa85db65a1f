"""The GitHub Action and the pre-commit hook: their files are read as those services read them, and their commands are run."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
PAGE = (ROOT / "docs" / "github-action.md").read_text("utf-8")
GOOD = "import torch\n\nprint(torch.__version__)\n"
BAD = 'from transformers import TrainingArguments\n\nargs = TrainingArguments("out", evaluation_strategy="epoch")\n'
STEPS = {step.get("id") or step.get("name", "setup"): step for step in ACTION["runs"]["steps"]}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a good script and one that breaks with transformers 5; `pretune` in the PATH is this tree."""
    programs = tmp_path / "programs"
    programs.mkdir()
    program = programs / "pretune"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m pretune "$@"\n', "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    folder = tmp_path / "a project"
    folder.mkdir()
    (folder / "good.py").write_text(GOOD, "utf-8")
    (folder / "bad one.py").write_text(BAD, "utf-8")
    return folder


def play(step: dict[str, Any], folder: Path, **inputs: str) -> tuple[int, str, dict[str, str]]:
    """Run a step as the runner does: expressions become inputs, `bash -eo pipefail`. Exit code, output, outputs."""
    defaults = {name: one.get("default", "") for name, one in ACTION["inputs"].items()}
    given = defaults | {name.replace("_", "-"): value for name, value in inputs.items()}
    environment = dict(os.environ) | {
        name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: given[found[1]], value)
        for name, value in step.get("env", {}).items()
    }
    outputs = folder.parent / "outputs"
    outputs.write_text("", "utf-8")
    environment["GITHUB_OUTPUT"] = str(outputs)
    bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    done = subprocess.run(bash, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    made = dict(line.split("=", 1) for line in outputs.read_text("utf-8").splitlines())
    return done.returncode, done.stdout + done.stderr, made


def test_the_action_is_one() -> None:
    """Each input and output says what it is for; each shell step names its shell; no input stands in a script."""
    assert set(ACTION) >= {"name", "description", "inputs", "outputs", "runs"}
    assert ACTION["runs"]["using"] == "composite"
    assert all(one["description"] for one in [*ACTION["inputs"].values(), *ACTION["outputs"].values()])
    for step in ACTION["runs"]["steps"]:
        assert ("run" in step) != ("uses" in step)
        assert "run" not in step or (step["shell"] == "bash" and "${{" not in step["run"])
    named = set(re.findall(r"(inputs|outputs)\.([\w-]+)", (ROOT / "action.yml").read_text("utf-8")))
    assert {name for kind, name in named if kind == "inputs"} == set(ACTION["inputs"])
    assert {name for kind, name in named if kind == "outputs"} == set(ACTION["outputs"])


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(("extras", "asked"), [("", "the action"), ("data,script", "the action[data,script]")])
def test_the_install_of_the_action(extras: str, asked: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python is asked to install the action's own folder, with the extras where there are any, in one word."""
    python = project.parent / "programs" / "python"
    python.write_text('#!/bin/sh\nfor word in "$@"; do echo "$word"; done\n', "utf-8")
    python.chmod(0o755)
    monkeypatch.setenv("GITHUB_ACTION_PATH", "the action")
    code, said, _ = play(STEPS["Install pretune"], project, extras=extras)
    assert (code, said.splitlines()[:3], said.splitlines()[-1]) == (0, ["-m", "pip", "install"], asked)


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_check_of_the_action(project: Path) -> None:
    """Findings are annotated or said, SARIF is written whatever the exit code, and the job fails as asked."""
    more = "--target transformers==5.23"
    code, said, made = play(STEPS["check"], project, paths="good.py\n  bad one.py  \n", args=more, upload="false")
    assert (code, made) == (0, {"exit-code": "1", "sarif-file": "pretune.sarif"})
    assert "::error file=bad one.py,line=3" in said
    sarif = json.loads((project / "pretune.sarif").read_text("utf-8"))
    assert "API005" in {one["ruleId"] for one in sarif["runs"][0]["results"]}
    (project / "pretune.sarif").unlink()
    _, said, made = play(STEPS["check"], project, paths="bad one.py", args=more, fail_on="never")
    assert made["exit-code"] == "0"
    assert "argument-gone" in said
    _, said, made = play(STEPS["check"], project, paths="nothing.py")
    assert made["exit-code"] == "2"
    assert "nothing.py" in said


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_result_of_the_action(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job ends with the check's exit code, and fails where there is none."""
    run = STEPS["Result"]["run"]
    for code, expected in (("0", 0), ("1", 1), ("", 2)):
        done = subprocess.run(["bash", "-c", run], env={**os.environ, "CODE": code}, check=False)
        assert done.returncode == expected


def test_the_page_of_the_action() -> None:
    """The workflow of the page is YAML, names inputs that there are, and the table has all of them."""
    workflow, hooks = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
    (step,) = [step for step in workflow["jobs"]["check"]["steps"] if "pretune" in step["uses"]]
    assert set(step["with"]) <= set(ACTION["inputs"])
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (?:`(.*?)`)? ?\|", PAGE, re.MULTILINE))
    assert rows == {name: one.get("default", "") for name, one in ACTION["inputs"].items()}
    version = (ROOT / "src" / "pretune" / "__init__.py").read_text("utf-8")
    assert f'__version__ = "{step["uses"].partition("@v")[2]}"' in version
    assert hooks["repos"][0]["rev"] == step["uses"].partition("@")[2]


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_workflow_of_the_page(project: Path) -> None:
    """Its inputs, in a project that has its files: the job fails because of what stands in the notebook."""
    (workflow, _) = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
    assert True in workflow  # `on:`, as YAML 1.1 reads it
    assert workflow["permissions"]["security-events"] == "write"
    (given,) = [step["with"] for step in workflow["jobs"]["check"]["steps"] if "pretune" in step["uses"]]
    (project / "good.py").rename(project / "train.py")
    (project / "notebooks").mkdir()
    cell = {"cell_type": "code", "source": BAD, "metadata": {}, "outputs": [], "execution_count": None}
    book = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (project / "notebooks" / "first.ipynb").write_text(json.dumps(book), "utf-8")
    code, said, made = play(STEPS["check"], project, **{name.replace("-", "_"): value for name, value in given.items()})
    assert (code, made) == (0, {"exit-code": "1", "sarif-file": "pretune.sarif"})
    assert "argument-gone" in said


@pytest.mark.parametrize("page", ["github-action.md", "scripts.md"])
def test_the_hook(page: str, project: Path) -> None:
    """The hook as a page configures it, with the files of a commit behind it, says what is wrong and ends with 1; else 0."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    text = (ROOT / "docs" / page).read_text("utf-8")
    (config,) = (yaml.safe_load(one) for one in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "repos:" in one)
    (repo,) = config["repos"]
    (asked,) = repo["hooks"]
    assert (set(repo), set(asked)) == ({"repo", "rev", "hooks"}, {"id", "args"})
    assert asked["id"] == hook["id"]
    words = [*shlex.split(hook["entry"]), *asked["args"]]
    for files, code in ((["bad one.py", "good.py"], 1), (["good.py"], 0)):
        done = subprocess.run([*words, *files], cwd=project, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert ("argument-gone" in done.stdout) == bool(code)
