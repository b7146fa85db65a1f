"""Pages of docs whose console blocks are played: each command is run, and what stands below it is what it prints.

A block whose first line is a comment with a file's name is written to that file. A last line `[...]` stands for the rest.
Where a page says MODEL, a test says which: `stands` has what is typed in place of such a word.
"""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from pretune import cli

BLOCK = re.compile(r"```(console|toml|python)\n(.*?)```", re.DOTALL)
ASIDE = ("train", "pool", "knock")
"""Parts that are run in a process of their own: they set up what lasts, or become another program."""


def run(command: str, folder: Path) -> str:
    """What `pretune …`, or `python FILE`, prints on stdout; an exit code of 2 or a traceback fails."""
    words = shlex.split(command, comments=True)
    assert words[0] == "pretune" or (words[0] == "python" and words[1].endswith(".py")), command
    if words[0] == "python" or words[1] in ASIDE:
        program = [sys.executable, *(words[1:] if words[0] == "python" else ["-m", *words])]
        done = subprocess.run(program, cwd=folder, capture_output=True, text=True, check=False, encoding="utf-8")
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
    good = {"knock": range(4), "train": (0,)}.get(words[1], (0, 1))  # of check 1 is what it found
    assert code in (good if words[0] == "pretune" else (0,)), f"{command}\n{err}"
    assert "Traceback" not in err
    return out


def as_far_as(shown: str, printed: str) -> str:
    """What was printed, as far as the page shows it: a last line `[...]` stands for the rest."""
    lines = shown.rstrip("\n").split("\n")
    if lines[-1] != "[...]":
        return printed
    head = printed.splitlines(keepends=True)[: len(lines) - 1]
    return "".join(head) + "[...]\n"


def exchanged(text: str, stands: Mapping[str, str]) -> str:
    """The text with other words in place of those that stand for them on a page."""
    if not stands:
        return text
    either = "|".join(re.escape(word) for word in sorted(stands, key=len, reverse=True))
    return re.sub(rf"(?<![\w/.])(?:{either})(?![\w/]|\.\w)", lambda found: stands[found[0]], text)


def played(
    text: str,
    folder: Path,
    *,
    left_out: tuple[str, ...] = (),
    printed: dict[str, str] | None = None,
    stands: Mapping[str, str] | None = None,
    code: Callable[[str], object] | None = None,
) -> str:
    """The page with the true output behind each command that shows any, and its files written.

    Args:
        text: the page.
        folder: where its commands are run.
        left_out: beginnings of commands that are not run.
        printed: what commands printed already; filled.
        stands: word of the page -> what is typed for it.
        code: runs a block of Python that is no file; none is run without it.
    """
    stands = stands or {}
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
        elif kind == "python" and code is not None:
            code(exchanged(body, stands))
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
                    known[command] = run(exchanged(command, stands), folder)
                out.append(as_far_as(shown, known[command]) if shown.strip() else "")
        return f"```console\n{''.join(out)}```"

    return BLOCK.sub(block, text)


def masked(text: str) -> str:
    """Words without figures and the marks that go with them."""
    return re.sub(r"\s+", " ", re.sub(r"[-+>*]?\.?\d[\d.,]*\*?", "#", text))
