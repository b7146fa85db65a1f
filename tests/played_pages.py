"""Pages of docs whose console blocks are played: each command is run, and what stands below it is what it prints.

A block whose first line is a comment with a file's name is written to that file. A last line `[...]` stands for the rest.
"""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from pretune import cli

BLOCK = re.compile(r"```(console|toml|python)\n(.*?)```", re.DOTALL)
ASIDE = ("train", "pool", "knock")
"""Parts that are run in a process of their own: they set up what lasts, or become another program."""


def run(command: str, folder: Path) -> str:
    """What `pretune …` prints on stdout; an exit code of 2 or a traceback fails."""
    words = shlex.split(command, comments=True)
    assert words[0] == "pretune", command
    if words[1] in ASIDE:
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True, check=False, encoding="utf-8"
        )
        code, out, err = done.returncode, done.stdout, done.stderr
    else:
        stdout, stderr = io.StringIO(), io.StringIO()
        asked = os.environ.get("PRETUNE_LANG")
        with contextlib.chdir(folder), contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            try:
                cli.main(words[1:])
            except SystemExit as end:
                code = end.code
        out, err = stdout.getvalue(), stderr.getvalue()
        os.environ.pop("PRETUNE_LANG", None)  # `--lang` keeps it for what a command starts, not for the next one
        os.environ.update({} if asked is None else {"PRETUNE_LANG": asked})
    assert code in ((0, 1) if words[1] != "knock" else range(4)), f"{command}\n{err}"
    assert "Traceback" not in err
    return out


def as_far_as(shown: str, printed: str) -> str:
    """What was printed, as far as the page shows it: a last line `[...]` stands for the rest."""
    lines = shown.rstrip("\n").split("\n")
    if lines[-1] != "[...]":
        return printed
    head = printed.splitlines(keepends=True)[: len(lines) - 1]
    return "".join(head) + "[...]\n"


def played(text: str, folder: Path, *, left_out: tuple[str, ...] = (), printed: dict[str, str] | None = None) -> str:
    """The page with the true output behind each command that shows any, and its files written.

    Args:
        text: the page.
        folder: where its commands are run.
        left_out: beginnings of commands that are not run.
        printed: what commands printed already; filled.
    """
    known = {} if printed is None else printed
    for name in re.findall(r"```(?:toml|python)\n# (\w+\.toml)\n", text):
        (folder / name).unlink(missing_ok=True)  # a setup file is read wherever it lies; it is not there yet

    def block(found: re.Match[str]) -> str:
        kind, body = found.groups()
        if body.startswith("# ") and body.split("\n")[0].endswith((".toml", ".py")):
            file = folder / body.partition("\n")[0].removeprefix("# ")
            if not file.exists() or file.read_text(encoding="utf-8") != body:
                file.write_text(body, encoding="utf-8")
                known.clear()  # they may have read another one
        if kind != "console":
            return found[0]
        out = []
        for step in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            command, _, shown = step.partition("\n")
            out.append(f"$ {command}\n")
            if command.startswith(left_out or ("\0",)):
                out.append(shown)
            else:
                if command not in known:
                    known[command] = run(command, folder)
                out.append(as_far_as(shown, known[command]) if shown.strip() else "")
        return f"```console\n{''.join(out)}```"

    return BLOCK.sub(block, text)


def masked(text: str) -> str:
    """Words without figures and the marks that go with them."""
    return re.sub(r"\s+", " ", re.sub(r"[-+>*]?\.?\d[\d.,]*\*?", "#", text))
