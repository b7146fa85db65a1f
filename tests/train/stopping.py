"""Sends signals to training processes; a process of its own. `python stopping.py OUT ENGINE:CASE [HOW MANY]`.

One run that nobody touches; runs that get SIGTERM, SIGINT and SIGUSR1 in the middle and are resumed; one that gets
SIGINT twice. Of these four the first so many. Prints a line of JSON for each: signal, exit code, its words, the step that was saved.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import killing

from pretune.core.errors import UserError
from pretune.train import checkpoints
from pretune.train.stops import Stops
from pretune.train.watch import Watch


class Slow(Watch):
    """Makes a mark after every step, and time for a signal to come; never ends the third one when told to hang."""

    def __init__(self, mark: Path, hang: bool) -> None:
        self.mark, self.hang = mark, hang

    def passed(self, number: int) -> None:
        """Mark the step."""
        with self.mark.open("a") as out:
            out.write(f"{number}\n")
        time.sleep(0.01)
        while self.hang and number == 3:
            time.sleep(0.01)


def stopped(folder: Path, engine: str, case: str, *, hang: bool = False) -> None:
    """Train until a signal comes; ends as the command line does."""
    handle = os.open(folder.with_suffix(".err"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(handle, 2)
    try:
        with Stops() as stops:
            _, saver = killing.train(
                folder, engine, case, (stops, Slow(folder.with_suffix(".mark"), hang)), save_steps=1000
            )
        if stops.should_stop():
            stops.leave(saver.newest)
    except UserError as error:
        os.write(2, f"{error.message}. {error.hint}\n".encode())
        os._exit(error.exit_code)
    except KeyboardInterrupt:
        os._exit(99)


def signalled(folder: Path, engine: str, case: str, signals: list[int]) -> int:
    """The exit code of a run that gets signals after its third step."""
    child = os.fork()
    if child == 0:
        stopped(folder, engine, case, hang=len(signals) > 1)
        os._exit(0)
    mark = folder.with_suffix(".mark")
    while not mark.exists() or len(mark.read_text().splitlines()) < 3:
        time.sleep(0.002)
    for number in signals:
        os.kill(child, number)
        time.sleep(0.1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(out: Path, engine: str, case: str, count: int = 4) -> None:
    """See the module."""
    killing.imports()
    out.mkdir(parents=True)
    code, _ = killing.forked(lambda: killing.train(out / "whole", engine, case, save_steps=1000))
    assert code == 0
    cases = ([signal.SIGTERM], [signal.SIGINT], [signal.SIGUSR1], [signal.SIGINT, signal.SIGINT])
    for signals in cases[:count]:
        folder = out / f"killed-{signals[0]}-{len(signals)}"
        code = signalled(folder, engine, case, signals)
        newest = checkpoints.newest(folder)
        row = {
            "signals": signals,
            "code": code,
            "said": folder.with_suffix(".err").read_text(),
            "step": newest.step if newest else None,
            "folder": str(folder),
        }
        if newest:
            code, _ = killing.forked(lambda folder=folder: killing.train(folder, engine, case, save_steps=1000))
            row["same"] = (
                code == 0
                and killing.log(folder) == killing.log(out / "whole")
                and (folder / "done").read_text() == (out / "whole" / "done").read_text()
            )
        sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2].split(":"), *map(int, sys.argv[3:]))
