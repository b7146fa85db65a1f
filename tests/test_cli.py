"""The root command: help without imports, and how each way to end looks."""

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import click
import pytest

from pretune import __version__, cli
from pretune.core.errors import UserError


def run(*arguments: str) -> int:
    """The exit code of a command line."""
    with pytest.raises(SystemExit) as end:
        cli.main(list(arguments))
    assert isinstance(end.value.code, int)
    return end.value.code


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Replace the part `demo` by a command whose behaviour a test sets."""
    part = SimpleNamespace(act=lambda: None)

    @click.command("demo")
    @click.option("--debug", is_flag=True)
    def command(debug: bool) -> None:
        part.act()

    monkeypatch.setitem(sys.modules, "pretune.demo.cli", SimpleNamespace(command=command))
    monkeypatch.delenv("PRETUNE_DEBUG", raising=False)
    return part


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",), ("help",)])
def test_help(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Help names each part with its line, on stdout, with exit code 0."""
    assert run(*arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for name, line in cli.PARTS.items():
        assert f"  {name:<{max(map(len, cli.PARTS)) + 2}}{line}\n" in out
    assert max(map(len, out.splitlines())) <= 80


def test_help_is_the_same_through_click(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The group that click sees has the very help that is shown without click."""
    root = cli._root()
    assert root.get_help(click.Context(root)) + "\n" == cli.root_help()


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """--version is one line on stdout."""
    assert run("--version") == 0
    assert capsys.readouterr().out == f"pretune {__version__}\n"


def test_each_part_can_be_imported() -> None:
    """Every part that help names has a command of that name."""
    root = cli._root()
    for name in cli.PARTS:
        command = root.get_command(click.Context(root), name)
        assert command is not None
        assert command.name == name


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("chek",), '"chek" is no command of pretune', 'did you mean "check"?'),
        (("klue/bert-base",), '"klue/bert-base" is no command', "pretune check klue/bert-base"),
        (("zzz",), '"zzz" is no command', "commands: check"),
        (("--vresion",), "No such option '--vresion'", "pretune --help"),
        (("check", "--fromat", "json"), "No such option '--fromat'", "pretune check --help"),
        (("check", "--sample", "0"), "Invalid value for '--sample'", "pretune check --help"),
        (("check", "a", "b"), "one model or setup file can be checked at a time, found 2: a b", "--data"),
        (("check", "--config"), "requires an argument", "pretune check --help"),
    ],
)
def test_mistakes_in_the_call(
    arguments: tuple[str, ...], message: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistake in the call is one line and a hint on stderr, exit code 2, nothing on stdout."""
    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("pretune: ")
    assert message in lines[0]
    assert lines[1].startswith("hint: ")
    assert hint in lines[1]


def test_a_users_mistake(demo: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A UserError is its message in one line, its hint if it has one, and its exit code."""

    def act() -> None:
        raise UserError("two\nlines", hint="do this", exit_code=7)

    demo.act = act
    assert run("demo") == 7
    assert capsys.readouterr().err == "pretune: two lines\nhint: do this\n"


def test_an_interrupt(demo: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C is exit code 130 without a traceback."""

    def act() -> None:
        raise KeyboardInterrupt

    demo.act = act
    assert run("demo") == 130
    assert capsys.readouterr().err.strip() == "interrupted"


def test_a_bug(demo: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug is one line that asks to report it; --debug and PRETUNE_DEBUG=1 show the traceback."""

    def act() -> None:
        raise KeyError("lost\nkey")

    demo.act = act
    assert run("demo") == 2
    err = capsys.readouterr().err
    assert err.startswith("pretune: this is a bug in pretune: KeyError: ")
    assert "--debug" in err.splitlines()[1]
    assert len(err.splitlines()) == 2
    with pytest.raises(KeyError):
        cli.main(["demo", "--debug"])
    monkeypatch.setenv("PRETUNE_DEBUG", "1")
    with pytest.raises(KeyError):
        cli.main(["demo"])


def test_a_package_that_an_extra_brings(
    demo: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not installed is no bug: a line that says which extra has it; another module's absence is one."""

    def act(lacking: str) -> None:
        raise ModuleNotFoundError(f"No module named {lacking!r}", name=lacking)

    monkeypatch.setattr("importlib.metadata.requires", lambda name: ["torch>=2.6; extra == 'train'"])
    demo.act = lambda: act("torch.nn")
    assert run("demo") == 2
    assert capsys.readouterr().err.splitlines() == [
        "pretune: this needs torch, which is not installed",
        'hint: pip install "pretune[train]"',
    ]
    demo.act = lambda: act("nowhere")
    assert run("demo") == 2
    assert "this is a bug in pretune: ModuleNotFoundError" in capsys.readouterr().err


def test_a_bug_with_an_old_letter_set(capsys: pytest.CaptureFixture[str]) -> None:
    """A terminal that cannot show Hangul gets escapes, not a crash."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-m", "pretune", "주말"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == 'pretune: "\\uc8fc\\ub9d0" is no command of pretune'


def test_a_reader_that_goes_away() -> None:
    """`pretune check --list | head -1` ends without a word about the broken pipe."""
    command = f"{sys.executable} -m pretune --help | head -1; {sys.executable} -m pretune check --help | true"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.startswith("Usage: pretune")


def test_shell_completion_names_the_parts() -> None:
    """Completion, which is click's business, offers each part."""
    environment = {**os.environ, "_PRETUNE_COMPLETE": "bash_complete", "COMP_WORDS": "pretune ", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pretune"], env=environment, capture_output=True, text=True, check=False
    )
    assert "plain,check" in done.stdout
