"""Every command and every piece of Python on every page: flags are understood, code compiles, names of pretune exist."""

import ast
import re
import shlex
from importlib import import_module
from pathlib import Path

import click
import pytest

from pretune import cli
from pretune.knock.grammar import parse

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = [*DOCS.glob("*.md"), DOCS.parent / "README.md", DOCS.parent / "README.ko.md", DOCS.parent / "CONTRIBUTING.md"]
EACH = pytest.mark.parametrize("page", sorted(PAGES), ids=lambda page: page.name)


def commands(text: str) -> list[str]:
    """Lines of console blocks, indented blocks and backticks that call pretune with arguments."""
    lines = re.findall(r"^(?:    )?\$ (pretune .*)$", text, re.MULTILINE)
    return lines + [
        found for found in re.findall(r"`(pretune [^`]+)`", text) if "…" not in found and "..." not in found
    ]


def understood(words: list[str]) -> None:
    """The command's own reading of its arguments takes these; nothing runs."""
    if words[0] == "knock":
        if len(words) > 1 and words[1] not in ("test", "flush", "attach", "--help"):
            parse(words[1:])
        return
    command = import_module(f"pretune.{words[0]}.cli").command
    rest = words[1:]
    while isinstance(command, click.Group) and rest:
        context = click.Context(command)
        below = command.get_command(context, rest[0])
        assert below is not None, rest[0]
        command, rest = below, rest[1:]
    if rest:
        command.make_context(words[0], rest)


@EACH
def test_commands_are_understood(page: Path) -> None:
    """Parts, commands and flags that a page types exist."""
    for line in commands(page.read_text("utf-8")):
        words = [word for word in shlex.split(line, comments=True)[1:] if word != "\\"]
        if words and words[0].startswith("-"):
            assert words in (["--help"], ["--version"])
        elif words and words[0].islower():
            assert words[0] in cli.PARTS, line
            try:
                understood(words)
            except (click.exceptions.Exit, click.MissingParameter):
                pass  # --help; or a command that is only named
            except click.BadOptionUsage as named:
                if "requires an argument" not in named.format_message():
                    raise
            except Exception as error:
                raise AssertionError(f"{page.name}: {line}") from error


def has(module: str, name: str) -> bool:
    """Whether a module has a name; one that it would import when it is asked for is not asked for."""
    there = import_module(module)
    return name in dir(there) or name in getattr(there, "__all__", ()) or hasattr(there, name)


@EACH
def test_code_compiles(page: Path) -> None:
    """Python blocks are Python, and what they import of pretune is there."""
    text = page.read_text("utf-8")
    for body in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        for node in ast.walk(ast.parse(body.replace("…", "..."))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pretune"):
                if f"# src/{(node.module or '').replace('.', '/')}.py\n" in text:
                    continue  # the page writes it
                for alias in node.names:
                    assert has(node.module or "", alias.name), f"{page.name}: {alias.name}"
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in cli.PARTS:
                part = f"pretune.{node.value.id}"
                assert has(part, node.attr), f"{page.name}: {part}.{node.attr}"
