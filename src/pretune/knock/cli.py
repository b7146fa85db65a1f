"""`pretune knock`: its grammar, read by hand, because importing click would cost more than the whole supervisor may.

The first word that is no option of ours starts the command, which keeps all its own.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELP = """Usage: pretune knock [--to TARGET]... [OPTIONS] [--] COMMAND...
       pretune knock slack --webhook-url URL [--channel C] [--user-mentions A,B] COMMAND...
       pretune knock test [TARGET]...
       pretune knock flush

  Run a command and be told how it ended. Its exit code, signals, input and output are untouched.

  TARGET is a webhook URL, an Apprise URL, "desktop", or a name in ~/.config/pretune/knock.toml. Without any,
  PRETUNE_KNOCK and then the file's `default` count; with none at all the terminal is told.

Options:
  --to TARGET   where to; may be repeated
  --no-start    tell only the end
  --strict      do not start the command when a target cannot be used
  --linger S    seconds an outage is waited out after the end (600)
  --help        show this
"""


class Mistake(Exception):  # noqa: N818 - it is the person's, shown in one line
    """The command line cannot be read."""


def parse(words: list[str]) -> tuple[list[str], dict[str, Any]]:
    """The command, and the plan for the messenger.

    Raises:
        Mistake: an option of ours lacks its value, or there is no command.
    """
    plan: dict[str, Any] = {"targets": []}
    hook: dict[str, Any] | None = None
    words = list(words)
    if words[:1] == ["slack"]:
        hook = {"kind": "slack"}
        words.pop(0)
    keys = {"--webhook-url": "url", "--channel": "channel", "--user-mentions": "mentions"}
    while words and words[0].startswith("-"):
        name, given, value = words.pop(0).partition("=")
        if name == "--" and not given:
            break
        if name in ("--no-start", "--strict"):
            plan["start" if name == "--no-start" else "strict"] = name == "--strict"
            continue
        if name not in ("--to", "--linger", *(keys if hook is not None else ())):
            raise Mistake(f"{name} is no option of pretune knock")
        if not given:
            if not words:
                raise Mistake(f"{name} needs a value")
            value = words.pop(0)
        if name == "--to":
            plan["targets"].append(value)
        elif name == "--linger":
            try:
                plan["linger"] = max(float(value), 0.0)
            except ValueError:
                raise Mistake("--linger needs seconds") from None
        elif hook is not None:
            hook[keys[name]] = [part for part in value.split(",") if part] if name == "--user-mentions" else value
    if hook is not None:
        if not hook.get("url"):
            raise Mistake("slack needs --webhook-url")
        plan["targets"].append(hook)
    if not words:
        raise Mistake("no command to run")
    return words, plan


def main(arguments: list[str]) -> int:
    """Run the command line; does not return when a command was run."""
    if arguments[:1] in ([], ["--help"], ["-h"]):
        sys.stdout.write(HELP)
        return 0
    if arguments[0] in ("test", "flush"):
        from pretune.knock.errands import flush, test

        return test(arguments[1:]) if arguments[0] == "test" else flush()
    try:
        command, plan = parse(arguments)
    except Mistake as mistake:
        sys.stderr.write(f"pretune: {mistake}\nhint: pretune knock --help\n")
        return 2
    _hide(plan)
    sys.stdout.flush()
    from pretune.knock.supervise import run

    run(command, plan)
    raise AssertionError  # it does not return


def _hide(plan: dict[str, Any]) -> None:
    """Take the targets' URLs out of what `ps` shows of this process and of the messenger; Linux only."""
    urls = [each if isinstance(each, str) else each["url"] for each in plan["targets"]]
    urls = [url for url in urls if "://" in url]
    if not urls:
        return
    try:
        with open("/proc/self/stat", "rb") as file:  # noqa: PTH123 - pathlib costs its import
            first, end = map(int, file.read().rpartition(b")")[2].split()[45:47])
        with open("/proc/self/mem", "r+b", buffering=0) as memory:  # noqa: PTH123
            memory.seek(first)
            text = memory.read(end - first)
            for url in map(os.fsencode, urls):
                text = text.replace(url, b"*" * len(url))
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
