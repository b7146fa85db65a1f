"""Help pages of click in the language asked for. Knows neither the commands nor the words: every text goes through say.

click counts characters; Hangul takes two columns, so texts are folded here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pretune.core.language import language, say

if TYPE_CHECKING:
    from collections.abc import Iterable


class SayingFormatter(click.HelpFormatter):
    """Writes headings, texts and the options' meanings in the language asked for."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """The usage line."""
        super().write_usage(prog, args, f"{say('Usage:')} " if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        """A section's heading."""
        super().write_heading(say(heading))

    def write_text(self, text: str) -> None:
        """Paragraphs, each folded to the width."""
        from pretune.draw.terminal import folded

        indent = " " * self.current_indent
        told = []
        for part in text.split("\n\n"):
            lines = folded(say(" ".join(part.split())), self.width - self.current_indent)
            told.append("\n".join(indent + line for line in lines))
        self.write("\n\n".join(told) + "\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Options and commands: the names as they are, the meanings folded beside them."""
        from pretune.draw.terminal import folded

        rows = list(rows)
        column = min(max((len(first) for first, _ in rows), default=0), col_max) + col_spacing
        indent = " " * self.current_indent
        for first, second in rows:
            beside = len(first) <= column - col_spacing
            lines = folded(_meaning(" ".join(second.split())), max(self.width - self.current_indent - column, 10))
            left = indent + (f"{first:<{column}}" if beside else first)
            if beside and lines:
                left += lines.pop(0)
            hung = [indent + " " * column + line for line in lines]
            self.write("".join(f"{line.rstrip()}\n" for line in [left, *hung]))


def _meaning(text: str) -> str:
    """What an option or a command means; click cuts a command's line before it comes here."""
    if text.endswith("...") and language() != "en":
        from pretune.core.translation import catalogue

        return catalogue().begun_with(text[:-3]) or say(text)
    return say(text)


def in_the_language_asked_for() -> None:
    """Let every context of this process write its help with SayingFormatter."""
    click.Context.formatter_class = SayingFormatter
