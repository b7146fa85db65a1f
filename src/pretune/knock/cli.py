"""`pretune knock`: from the words of the command line to a run that is watched. Does not know how it is told.

Nothing but the standard library's smallest modules is imported: what this process costs, every run pays.
"""

from __future__ import annotations

import os
import sys

from pretune.core.language import language, say
from pretune.knock.grammar import Mistake, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELP = """\
Usage: pretune knock [--to TARGET]... [OPTIONS] [--] COMMAND...
       pretune knock SERVICE --webhook-url URL ... [--] COMMAND...
       pretune knock test [TARGET]...
       pretune knock attach PID [--to TARGET]...
       pretune knock flush

  Run a command and be told how it ended. Its exit code, signals, input and
  output are untouched, and no service that is down can stop or delay it.

  TARGET is a webhook URL, an Apprise URL, "desktop", or a name in
  ~/.config/pretune/knock.toml. Without any, PRETUNE_KNOCK and then the file's
  `default` count; with none at all the terminal and the desktop are told.
  The first word that is no option starts the command; `--` may stand before it.

  SERVICE is one of knockknock's, with its options: chime desktop dingtalk
  discord email matrix rocketchat slack sms teams telegram wechat.

  test sends a message now; attach follows a process that runs already; flush
  sends what an outage has kept back (the next run does so, too).

Options:
  --to TARGET      where to; may be repeated
  --no-start       tell only the end (a run under 0.7 s tells no start anyway)
  --stall TIME     alert after so long without a sign of life: 90, 30m, 2h
  --heartbeat URL  a dead-man switch, asked at start, each minute, at the end
  --linger TIME    how long an outage is waited out after the end (10m)
  --strict         do not start the command when a target cannot be used
  --lang ko|en     the language of the messages
  --help           show this

Examples:
  pretune knock python train.py --epochs 3
  pretune knock --to team --stall 30m -- torchrun --nproc-per-node 8 train.py
  pretune knock slack --webhook-url URL --channel runs sleep 10
"""


def main(arguments: list[str]) -> int:
    """Run the command line; does not return when a command was run."""
    if arguments[:1] in ([], ["--help"], ["-h"], ["help"]):
        sys.stdout.write(_help())
        return 0
    try:
        if arguments[0] in ("test", "flush", "attach"):
            return _errand(arguments)
        command, plan = parse(arguments)
    except Mistake as mistake:
        sys.stderr.write(f"pretune: {say(str(mistake))}\n{say('hint:')} pretune knock --help\n")
        return 2
    hide([word for target in plan["targets"] for word in _secret(target)] + [str(plan.get("heartbeat", ""))])
    if sys.platform.startswith("linux"):
        from pretune.knock.supervise import run

        run(command, plan)
    from pretune.knock.supervise_simply import run as run_simply

    return run_simply(command, plan)


def _help() -> str:
    """The help page in the language asked for; as a whole page, whose lines no catalogue could keep."""
    if language() == "en":
        return HELP
    from importlib import resources

    page = resources.files("pretune.core").joinpath(f"locale/{language()}/knock.txt")
    return page.read_text(encoding="utf-8")


def _errand(arguments: list[str]) -> int:
    from pretune.core.errors import UserError
    from pretune.knock import errands

    try:
        return {"test": errands.test, "flush": errands.flush, "attach": errands.attach}[arguments[0]](arguments[1:])
    except UserError as mistake:
        hint = f"\n{say('hint:')} {say(mistake.hint)}" if mistake.hint else ""
        sys.stderr.write(f"pretune: {say(mistake.message)}{hint}\n")
        return mistake.exit_code


def _secret(target: str | dict[str, Any]) -> list[str]:
    """What of a target must not be read in the list of processes."""
    if isinstance(target, str):
        return [target] if "://" in target else []
    marks = ("url", "token", "secret", "sid", "homeserver", "user_id")
    return [str(value) for name, value in target.items() if name.endswith(marks)]


def hide(words: list[str]) -> None:
    """Take these words out of what `ps` shows of this process and of the messenger; Linux only."""
    words = sorted((word for word in words if len(word) > 3), key=len, reverse=True)
    if not words or not sys.platform.startswith("linux"):
        return
    try:
        with open("/proc/self/stat", "rb") as file:  # noqa: PTH123 - pathlib costs its import
            first, end = map(int, file.read().rpartition(b")")[2].split()[45:47])
        with open("/proc/self/mem", "r+b", buffering=0) as memory:  # noqa: PTH123
            memory.seek(first)
            text = memory.read(end - first)
            for word in map(os.fsencode, words):
                text = text.replace(word, b"*" * len(word))
            memory.seek(first)
            memory.write(text)
    except (OSError, ValueError):
        pass


def __getattr__(name: str) -> Any:
    """`command`, the click face of `main` for the root command, made when it is asked for."""
    if name != "command":
        raise AttributeError(name)
    import click

    @click.command(
        "knock",
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    )
    @click.argument("words", nargs=-1, type=click.UNPROCESSED)
    def command(words: tuple[str, ...]) -> int:
        return main(list(words))

    return command
