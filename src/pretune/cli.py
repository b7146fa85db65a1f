"""The root command. Knows only the parts' names and one-line helps; a part is imported when it is used.

Help and version are answered without importing click or any part. Every way to end is decided here: a user's mistake is
one line and exit code 2, an interrupt is 130, a reader that went away is silent, and a bug is one line, or a traceback
with `--debug` or PRETUNE_DEBUG=1.
"""

from __future__ import annotations

import os
import sys

from pretune.core.language import language, say, without_language

TYPE_CHECKING = False  # `typing` itself costs milliseconds that `pretune --help` need not pay
if TYPE_CHECKING:
    import click

PARTS = {
    "check": "find what would spoil a fine-tune before it starts",
    "tokens": "add words and special tokens without harming the model",
    "train": "fine-tune with the Trainer or with a loop you can read, same numbers",
    "pool": "find out which token, layer and pooling represents a sentence",
    "knock": "run a command and be told when it is done, or died, or hangs",
    "doctor": "say what is installed here, what is missing and how to get it",
    "demo": "see pretune at work on a small real model, offline",
}
"""Part -> its one-line help. The part's command is `command` in `pretune.<part>.cli`."""

ABOUT = "Find and mend what is easy to miss before, while and after you fine-tune a\n  pretrained transformer."
"""The command in a sentence, in lines of a help page."""


def root_help() -> str:
    """What `pretune --help` prints."""
    width = max(map(len, PARTS)) + 2
    parts = "\n".join(f"  {name:<{width}}{say(line)}" for name, line in PARTS.items())
    return (
        f"{say('Usage:')} pretune COMMAND [ARGS]...\n\n"
        f"  {say(ABOUT)}\n\n"
        f"{say('Commands')}:\n{parts}\n\n"
        f"{say('Options')}:\n"
        f"  --lang ko  {say('say everything in Korean; en: in English [the locale]')}\n"
        f"  --version  {say('show the version')}\n"
        f"  --help     {say('show this; `pretune COMMAND --help` shows the options of a command')}\n"
    )


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal in EUC-KR or C shows what it lacks as \uXXXX
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run(without_language(arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the exit itself complains
        code = 1
    except ValueError as mistake:
        if not str(mistake).startswith("--lang"):
            raise
        code = _say(str(mistake), "--lang ko, --lang en", 2)
    except KeyboardInterrupt:
        print(say("interrupted"), file=sys.stderr)  # noqa: T201
        code = 130
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    """The exit code of a command line; prints nothing but what the command and its mistakes have to say."""
    if "_PRETUNE_COMPLETE" not in os.environ:  # what a shell asks is answered below
        if arguments in ([], ["--help"], ["-h"], ["help"]):
            print(root_help(), end="")  # noqa: T201
            return 0
        if arguments == ["--version"]:
            from pretune import __version__

            print(f"pretune {__version__}")  # noqa: T201
            return 0
        if arguments[0] == "knock":  # without click: every run that is watched pays for what is imported here
            from pretune.knock.cli import main as knock

            return knock(arguments[1:])
    import click

    from pretune.core.errors import UserError

    if "_PRETUNE_COMPLETE" in os.environ:
        from pretune.completion import main as complete

        return complete(_root())
    try:
        result = _root().main(arguments, prog_name="pretune", standalone_mode=False)
    except UserError as mistake:
        return _say(mistake.message, mistake.hint, mistake.exit_code)
    except click.UsageError as mistake:
        part = f" {arguments[0]}" if arguments and arguments[0] in PARTS else ""
        return _say(mistake.format_message().rstrip("."), f"pretune{part} --help", 2)
    except click.ClickException as mistake:
        return _say(mistake.format_message(), "", 2)
    except click.Abort:
        raise KeyboardInterrupt from None
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except Exception as bug:
        if "--debug" in arguments or os.environ.get("PRETUNE_DEBUG", "") not in ("", "0"):
            raise
        from pretune.core.extras import bringing

        if isinstance(bug, ModuleNotFoundError) and (extra := bringing(bug.name or "", arguments[0])):
            return _say(
                f"this needs {(bug.name or '').partition('.')[0]}, which is not installed",
                f'pip install "pretune[{extra}]"',
                2,
            )
        what = " ".join(f"{type(bug).__name__}: {bug}".split())
        return _say(f"this is a bug in pretune: {what}", "report it with what the same command says with --debug", 2)
    return result if isinstance(result, int) else 0


def _say(message: str, hint: str, code: int) -> int:
    """One line for the mistake and one for the way out, on stderr."""
    line = say(" ".join(message.split()))
    print(f"pretune: {line}" + (f"\n{say('hint:')} {say(hint)}" if hint else ""), file=sys.stderr)  # noqa: T201
    return code


def _root() -> click.Group:
    """The click group over PARTS, which imports `pretune.<part>.cli` when a part is used."""
    from importlib import import_module

    import click

    from pretune import __version__
    from pretune.core.errors import UserError, did_you_mean

    class Root(click.Group):
        def list_commands(self, ctx: click.Context) -> list[str]:
            del ctx
            return list(PARTS)

        def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
            del ctx
            command: click.Command | None = import_module(f"pretune.{name}.cli").command if name in PARTS else None
            return command

        def get_help(self, ctx: click.Context) -> str:
            del ctx
            return root_help().rstrip()

        def resolve_command(
            self, ctx: click.Context, args: list[str]
        ) -> tuple[str | None, click.Command | None, list[str]]:
            name = args[0]
            if name not in PARTS and not name.startswith("-") and not ctx.resilient_parsing:
                meant = did_you_mean(name, PARTS)
                if not meant and (os.path.exists(name) or "/" in name):  # noqa: PTH110 - pathlib costs its import
                    meant = f"pretune check {name}"
                raise UserError(f'"{name}" is no command of pretune', hint=meant or "commands: " + ", ".join(PARTS))
            return super().resolve_command(ctx, args)

    if language() != "en":
        from pretune.help_pages import in_the_language_asked_for

        in_the_language_asked_for()
    root = Root("pretune", context_settings={"help_option_names": ["-h", "--help"]})
    return click.version_option(__version__, message="pretune %(version)s")(root)
