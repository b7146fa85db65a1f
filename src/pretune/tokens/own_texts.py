"""The user's texts, for what adding tokens needs of them: their words, counted, and texts to learn from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Progress: TypeAlias = Callable[[int, int], None]
"""Is told (bytes read since the last time, bytes of all)."""


def silent(step: int, total: int) -> None:
    """Progress that nobody asked for."""


def counted_words(data: Any, progress: Progress = silent) -> dict[str, int]:
    """The words of the data and how often they occur; empty without data."""
    if data is None or (isinstance(data, list | tuple) and not data):
        return {}
    from pretune.corpus.word_counts import count_words

    table = count_words(named(data), progress=progress).words.table()
    return dict(zip(table["word"].to_list(), table["count"].to_list(), strict=True))


def texts_of(data: Any) -> Sequence[str]:
    """Texts of the data that `distill` may learn from."""
    if data is None or (isinstance(data, list | tuple) and not data):
        return ()
    from pretune.corpus.word_counts import texts_in

    return texts_in(named(data))


def named(data: Any) -> list[Any]:
    """One thing, or several, as a list; rows in memory (a list of mappings) are one thing."""
    from pretune.corpus.in_memory import kind_of

    several = isinstance(data, list | tuple) and (not data or kind_of(data) is None)
    return list(data) if several else [data]
