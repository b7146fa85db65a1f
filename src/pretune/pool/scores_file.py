"""Scores in a file of their own: scores_in. A number a line; knows nothing of the sentences they belong to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pretune.core.errors import UserError
from pretune.corpus.example import score_of

if TYPE_CHECKING:
    from os import PathLike


def scores_in(path: str | PathLike[str]) -> list[float]:
    """The scores of a file, one a line.

    Raises:
        UserError: it cannot be read, or a line holds no number.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror.lower() if isinstance(error, OSError) and error.strerror else "it is no UTF-8 text"
        raise UserError(f"--scores {path} cannot be read: {said}") from error
    while lines and not lines[-1].strip():
        lines.pop()  # blank lines at the end are no scores that are missing
    found = []
    for number, line in enumerate(lines, 1):
        score = score_of(line)
        if score is None:
            raise UserError(f"{path}:{number}: expected a number, found {line[:40]!r}", hint="one score a line")
        found.append(score)
    return found
