"""Every example of README.md is run, in its order, in one folder; what it prints is what the page shows.

A block whose first line is a comment with a file's name is written to that file.

`UPDATE_README=1` writes the true output into the page. `pretune demo` itself is played by tests/demo and by
scripts/fresh_machine.py.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"
BLOCK = re.compile(r"```(console|toml|python)\n(.*?)```", re.DOTALL)
LEFT_OUT = ("make ", "pip ", "pretune doctor")
"""Commands that are left to those who install; what doctor prints is each machine's own."""


def _run(command: str, folder: Path) -> str:
    """What a command prints on stdout; an exit code other than 0 and 1 (findings) fails."""
    words = shlex.split(command, comments=True)
    assert words[0] == "pretune", command
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert done.returncode in (0, 1), f"{command}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stdout


def _as_far_as(shown: str, printed: str) -> str:
    """What was printed, as far as the page shows it: a last line `[...]` stands for the rest."""
    lines = shown.rstrip("\n").split("\n")
    if lines[-1] != "[...]":
        return printed
    return "".join(printed.splitlines(keepends=True)[: len(lines) - 1]) + "[...]\n"


def _played(block: str, folder: Path) -> str:
    """A console block with the true output behind each command that shows any."""
    out = []
    for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, shown = step.partition("\n")
        out.append(f"$ {command}\n")
        if not command.startswith(LEFT_OUT) and command != "pretune demo":
            printed = _run(command, folder)
            out.append(_as_far_as(shown, printed) if shown.strip() else "")
    return "".join(out)


def _masked(text: str) -> str:
    """Words without figures."""
    return re.sub(r"\s+", " ", re.sub(r"\d[\d.,]*", "#", text))


def test_readme_examples_print_what_the_page_shows(minilm: Path, tmp_path: Path) -> None:
    """Console blocks print what stands below their commands, the setup file is one, the Python runs."""
    assert minilm.is_dir()
    text = README.read_text(encoding="utf-8")
    fresh = text
    kinds = []
    for block in BLOCK.finditer(text):
        kind, body = block.groups()
        kinds.append(kind)
        if body.startswith("# ") and body.split("\n")[0].endswith((".toml", ".py")):  # a file, by its first line
            (tmp_path / body.partition("\n")[0].removeprefix("# ")).write_text(body, encoding="utf-8")
        elif kind == "console":
            played = _played(body, tmp_path)
            if "$ pretune train" in body and not os.environ.get("UPDATE_README") and _masked(played) == _masked(body):
                played = body  # the last digits of what is trained are the machine's
            fresh = fresh.replace(body, played, 1)
        else:
            code = body.replace("report.raise_for_errors()", "")
            subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    assert {"console", "toml", "python"} <= set(kinds)
    if os.environ.get("UPDATE_README"):
        README.write_text(fresh, encoding="utf-8")
    assert fresh == README.read_text(encoding="utf-8")


def test_links_lead_somewhere() -> None:
    """Every relative link of the page is a file of the repository."""
    text = README.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (README.parent / target).exists(), target
