"""The page on adding a rule, followed to the letter in a copy of the tree: the rule speaks, and all tests of rules pass."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import small_model

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "add-a-rule.md").read_text("utf-8")


def run(folder: Path, *words: str) -> str:
    """What a Python of the copy prints; anything but success fails."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_edit_fits() -> None:
    """The line that the page changes stands in the tree, once."""
    old, new = re.findall(r"^[-+](    .*)$", PAGE, re.MULTILINE)
    assert (ROOT / "src/pretune/check/rules/__init__.py").read_text("utf-8").count(old + "\n") == 1
    assert new.startswith(old)


@pytest.mark.slow
def test_the_page_to_the_letter(tmp_path: Path) -> None:
    """Files are written, a line is changed, the commands run."""
    pytest.importorskip("babel")
    for name in ("src", "tests", "scripts", "docs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "corpus", "train"))
    for name in ("src/pretune/corpus", "src/pretune/train"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for path, body in re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE, re.DOTALL):
        (tmp_path / path).write_text(body, "utf-8")
    old, new = re.findall(r"^[-+](    .*)$", PAGE, re.MULTILINE)
    rules = tmp_path / "src/pretune/check/rules/__init__.py"
    rules.write_text(rules.read_text("utf-8").replace(old + "\n", new + "\n"), "utf-8")
    (korean,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "korean.json").write_text(korean, "utf-8")
    small_model.write_model(tmp_path / "MODEL")
    commands = [
        line.removeprefix("python ").split()
        for block in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
        for line in block.splitlines()
        if line.startswith("python ")
    ]
    printed = [run(tmp_path, *command) for command in commands]
    assert len(commands) == 5
    assert all("clipping-switched-off" in said for said in printed[-2:])
    for kind in (["check"], ["check", "--select", "E,F,D"]):
        run(tmp_path, "-m", "ruff", *kind, "src/pretune/check/rules/clipping.py", "tests/check/rules/test_clipping.py")
