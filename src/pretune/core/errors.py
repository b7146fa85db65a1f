"""A user's mistake, told in one line with the way out. Knows nothing of terminals and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class UserError(Exception):
    """Something the user can mend: a wrong path, an unknown key, an unreadable file.

    Args:
        message: one sentence, lower case, what was found and what was expected.
        hint: what to do next; may be empty.
        exit_code: what the process ends with, 2 for bad usage or input.
    """

    def __init__(self, message: str, *, hint: str = "", exit_code: int = 2) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code
        if hint:
            self.add_note(f"  {hint}")  # below the message wherever a traceback is printed

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows (IPython asks for it): the line and the way out, not the frames of pretune."""
        from pretune.core.language import say

        called = _called_in(self)
        lines = [f"{type(self).__name__}: {say(self.message)}", f"  {say(self.hint)}" if self.hint else "", called]
        return [line for line in lines if line]


def _called_in(error: BaseException) -> str:
    """The line from which pretune was called, with its number; empty where it is not known."""
    import linecache
    import traceback
    from itertools import takewhile
    from pathlib import Path

    home = str(Path(__file__).parents[1])
    frames = traceback.extract_tb(error.__traceback__)
    outside = list(takewhile(lambda frame: not frame.filename.startswith(home), frames))
    line = linecache.getline(outside[-1].filename, outside[-1].lineno or 0).strip() if outside else ""
    return f"  ----> {outside[-1].lineno} {line}" if line else ""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be, or None.

    Similarity 0.75 lets one slip in a short key pass (`num_lables`) and keeps different keys apart.
    """
    import difflib  # only a mistake needs it

    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.75)
    return close[0] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean "x"?`, or an empty string when nothing is near."""
    close = nearest(word, known)
    return f'did you mean "{close}"?' if close else ""
