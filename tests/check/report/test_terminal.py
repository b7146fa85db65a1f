"""The text report in a terminal: width, colours, and what the environment asks for."""

import io
import re
import unicodedata

import pytest

from pretune.check.engine import Report
from pretune.check.report import render, terminal


class _Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def _uncoloured(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def _columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in line)


@pytest.mark.parametrize("width", [20, 40, 100])
def test_no_line_is_wider_than_the_terminal(planted: Report, width: int) -> None:
    """Every line fits, Hangul counted as two columns, and no word is lost by wrapping."""
    out = _Terminal()
    terminal.write(planted, out, width=width)
    plain = _uncoloured(out.getvalue())
    assert max(map(_columns, plain.splitlines())) <= width
    assert "".join(plain.split()) == "".join(render(planted).split())


def test_colours_in_a_terminal(planted: Report) -> None:
    """A terminal gets colours, and without them the same words as a pipe."""
    out = _Terminal()
    terminal.write(planted, out, width=200)
    assert "\x1b[1;31m" in out.getvalue()
    assert _uncoloured(out.getvalue()) == render(planted)


def test_no_color_is_honoured(planted: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR leaves no colour in a terminal."""
    monkeypatch.setenv("NO_COLOR", "1")
    out = _Terminal()
    terminal.write(planted, out, width=80)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]", out.getvalue())


def test_who_gets_the_terminal_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe gets plain text unless FORCE_COLOR asks otherwise."""
    assert terminal.is_wanted(_Terminal())
    assert not terminal.is_wanted(io.StringIO())
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert terminal.is_wanted(io.StringIO())


def test_forced_colour_in_a_pipe(planted: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    """FORCE_COLOR colours what goes into a pipe."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    out = io.StringIO()
    terminal.write(planted, out, width=80)
    assert "\x1b[" in out.getvalue()
