"""The page on completion: its lines are run by bash in a home of their own, and leave what a new shell reads."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from page_blocks import DOCS

LINES = dict(re.findall(r"```(bash|zsh|fish)\n(.*?)```", (DOCS / "completion.md").read_text("utf-8"), re.DOTALL))
LEFT = {
    "bash": ".pretune-complete.bash",
    "zsh": ".pretune-complete.zsh",
    "fish": ".config/fish/completions/pretune.fish",
}
ASKED = ". ~/.bashrc; complete -p pretune"


def test_every_block_is_one_of_them() -> None:
    """One block a shell."""
    assert len(re.findall(r"^```\w+$", (DOCS / "completion.md").read_text("utf-8"), re.MULTILINE)) == len(LINES)


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize("shell", LEFT)
def test_the_lines_of_a_shell(shell: str, tmp_path: Path) -> None:
    """They need nothing but bash to be run; what they write is a completion, which a new bash loads."""
    program = tmp_path / "pretune"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m pretune "$@"\n', "utf-8")
    program.chmod(0o755)
    home = {**os.environ, "HOME": str(tmp_path), "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    bash = ["bash", "--noprofile", "--norc", "-euo", "pipefail", "-c"]
    done = subprocess.run([*bash, LINES[shell]], env=home, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "_pretune_completion" in (tmp_path / LEFT[shell]).read_text("utf-8")
    if shell == "bash":
        loaded = subprocess.run([*bash, ASKED], env=home, capture_output=True, text=True, check=True)
        assert "_pretune_completion pretune" in loaded.stdout
