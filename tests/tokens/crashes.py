"""Ends work at its n-th call that changes or opens files, as a crash does: dies_at. Knows the two kinds of work.

The work is done by forks of a process that has one thread (this file, run as a script): a fork of the process that
runs the tests, in which torch and polars have started threads, may wait forever for a lock that nobody holds.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pretune.tokens import swap
from pretune.tokens.journal import Edit, write_in_place
from tokens.interrupted import interrupting

EDITS = (Edit("a.bin", 20, b"12345"), Edit("b.bin", 8, b"67"), Edit("a.bin", 110, b"999"), Edit("b.bin", 40, b"b"))
BY = "pretune tokens add"


def make(out: Path, text: str, *, by: str = BY) -> None:
    """Write a result as a whole folder."""
    with swap.whole_folder(out, made_by=by) as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "x.txt").write_text(text)
        (folder / "weights").write_text(text * 100)


def make_without_exchange(out: Path, text: str) -> None:
    """The same where the system cannot exchange two folders."""
    swap._exchange = lambda _one, _other: False
    make(out, text)


def edit(folder: Path) -> None:
    """Change bytes in place."""
    write_in_place(folder, EDITS)


WORK: dict[str, Callable[..., None]] = {
    "edit": edit,
    "make": lambda out: make(out, "new"),
    "make without exchange": lambda out: make_without_exchange(out, "new"),
}


def dies_at(point: int, work: str, folder: Path) -> bool:
    """Do one of WORK in a process that ends at its call number `point`; whether it came so far.

    A write is done by half before the end.
    """
    server = _server()
    assert server.stdin is not None
    assert server.stdout is not None
    print(json.dumps([point, work, str(folder)]), file=server.stdin, flush=True)
    code = int(server.stdout.readline())
    assert code in (0, 9), "the work failed before it was interrupted"
    return code == 9


@cache
def _server() -> subprocess.Popen[str]:
    """The process that forks; it ends with the tests, which hold its standard input."""
    return subprocess.Popen(
        [sys.executable, str(Path(__file__))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def _forked(point: int, work: Callable[[Path], None], folder: Path) -> int:
    """The exit code of a fork that does the work and ends at its call number `point`: 9, or 0 where it never came."""

    def act(number: int, name: str, real: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        if number < point:
            return real(*arguments)
        if name == "pwrite":
            handle, data, offset = arguments
            real(handle, bytes(data)[: len(data) // 2], offset)
        os._exit(9)

    child = os.fork()
    if child == 0:
        try:
            with interrupting(act):
                work(folder)
        except BaseException:  # noqa: BLE001 - the child must end here, whatever happened
            os._exit(3)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    for line in sys.stdin:
        at, name, where = json.loads(line)
        print(_forked(at, WORK[name], Path(where)), flush=True)
