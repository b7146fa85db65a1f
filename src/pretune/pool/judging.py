"""What the data say of all choices of a pass and the baselines beside them: judged, shortlisted. Encodes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.pool.analysis import Shortlist
from pretune.pool.unlabelled import margin, shortlist
from pretune.pool.verdict import judge_classes, judge_pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pretune.pool.baselines import Baselines
    from pretune.pool.choice import Choice
    from pretune.pool.data import Sentences
    from pretune.pool.one_pass import Sweep
    from pretune.pool.verdict import Verdict

    Progress = Callable[[str, int, int], object]
    """Called with a stage, how much of it is done, and how much there is."""


def judged(
    found: Sweep, beside: Baselines, given: Sentences, *, default: Choice, progress: Progress | None = None
) -> Verdict | None:
    """What scores or classes say; None for bare text.

    Args:
        found: of one pass over the sentences.
        beside: baselines for the same sentences.
        given: the sentences.
        default: the choice to beat, one of the pass.
        progress: told how many choices are judged, where that takes long.

    Raises:
        UserError: the data say nothing of any choice.
    """
    import numpy as np

    place = found.choices.index(default)
    try:
        if given.kind == "pairs":
            every = (*found.choices, *beside.choices)
            table = np.concatenate([np.asarray(found.similarities), beside.similarities(given.pairs)])
            return judge_pairs(table, given.scores, every, default=place, pairs=given.pairs)
        if given.kind != "classes":
            return None
        choices, vectors = _with_vectors(found, beside)
        done = 0

        def step(count: int) -> None:
            """Tell how far it is."""
            nonlocal done
            done += count
            if progress is not None:
                progress("judging", done, len(choices))

        return judge_classes(vectors, given.classes, choices, default=place, progress=step)
    except ValueError as error:
        raise UserError(f"nothing can be said of these choices: {error}", hint="give more different rows") from error


def shortlisted(
    found: Sweep, beside: Baselines, parts: Sequence[tuple[int, int]], *, progress: Progress | None = None
) -> Shortlist:
    """By which choices a part of a sentence lies near its sentence.

    Args:
        found: of one pass over sentences and their parts.
        beside: baselines for the same.
        parts: (sentence, part), by index.
        progress: told how many choices are judged.
    """
    import numpy as np

    first, second = np.array(parts, dtype=np.int64).reshape(-1, 2).T
    choices, vectors = _with_vectors(found, beside)
    margins = []
    for done, choice in enumerate(choices, 1):
        table = vectors(choice)
        margins.append(margin(table[first], table[second]))
        if progress is not None:
            progress("judging", done, len(choices))
    return Shortlist(choices, np.array(margins), shortlist(margins))


def _with_vectors(found: Sweep, beside: Baselines) -> tuple[tuple[Choice, ...], Callable[[Choice], Any]]:
    """All choices that have vectors, and what gives them."""
    tables = {choice: table for choice, table in beside.tables.items() if table is not None}
    return (*found.choices, *tables), lambda choice: tables[choice] if choice in tables else found.of(choice)
