"""How a result shows itself at a prompt, in print and in a notebook: Displayed. Knows no result.

`repr` is a line, `str` what a pipe is told, and a notebook gets tables. What is drawn is imported when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.draw.table import Table


class Displayed:
    """A result that shows itself; `_shown` says what there is to see.

    A dataclass that is one of these has to be made with repr=False.
    """

    __slots__ = ()

    part: ClassVar[str]
    """The part of pretune that made it: `tokens`."""

    def _shown(self) -> tuple[Sequence[str], Sequence[Table]]:
        """Sentences, and the tables that stand below them; not both are empty."""
        raise NotImplementedError

    def __repr__(self) -> str:
        """One line."""
        from pretune.draw.visible import one_line

        said, tables = self._shown()
        return f"{type(self).__name__}({one_line(said[-1] if said else tables[0].title)})"

    def __str__(self) -> str:
        """The sentences and the tables, as a pipe has them."""
        from pretune.core.language import say
        from pretune.draw.terminal import text

        said, tables = self._shown()
        return "\n".join(("".join(f"{say(line)}\n" for line in said), *map(text, tables))).lstrip("\n")

    def _repr_html_(self) -> str:
        """How a notebook shows it."""
        from pretune.draw.notebook import framed, sentence, table_html

        said, tables = self._shown()
        return framed(self.part, *(sentence("", line) for line in said), *map(table_html, tables))
