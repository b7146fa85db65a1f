"""What an Analysis says, in sentences: statements. Careful where the data are: a tie is called one, and few pairs few.

Without scores or classes nothing is called best. How sentences look stands in show.py and page.py.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pretune.core.quantity import number
from pretune.draw.page import Statement
from pretune.draw.visible import one_line
from pretune.pool.grid import decimal, named, scored, signed, span
from pretune.pool.verdict import FEW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.pool.analysis import Analysis
    from pretune.pool.verdict import Verdict

CERTAIN = 0.01
"""A difference below this is not worth measuring for most uses; the pairs for it are told all the same."""


def statements(found: Analysis) -> list[Statement]:
    """The verdict on one model, the answer first."""
    if found.verdict is None:
        return list(_undecided(found))
    answer, beside = list(_answer(found, found.verdict)), list(_baselines(found.verdict))
    if not any(keep and one.layers for keep, one in zip(found.verdict.kept, found.verdict.choices, strict=True)):
        answer, beside = beside, answer  # what no choice of the model reaches comes first
    return [*answer, *beside, *_sure(found, found.verdict)]


def subject(found: Analysis) -> str:
    """`MODEL on FILE: 1,379 pairs, 2,552 sentences, 103 choices from one pass`."""
    choices, _, _ = scored(found)
    own = sum(bool(choice.layers) for choice in choices)
    counted = f"{number(found.count)} {unit(found)}"
    if found.kind != "text":
        counted += f", {number(found.sentences)} different sentences" if found.sentences != found.count else ""
    return f"{found.model} on {found.source}: {counted}, {number(own)} choices from one pass"


def short(found: Analysis) -> str:
    """The subject and the answer in one line."""
    answer = statements(found)[0]
    return one_line(f"{subject(found)}; {answer.head}" if answer.head else subject(found))


def unit(found: Analysis) -> str:
    """What is counted: pairs or sentences."""
    one = "" if found.count == 1 else "s"
    return f"pair{one}" if found.kind == "pairs" else f"sentence{one}"


def the_default(found: Analysis) -> str:
    """`the declared default`, or that nothing is declared."""
    if found.declared.pooling:
        return "the declared default"
    return "the default (nothing is declared)" if not found.declared.said else "the default"


def _answer(found: Analysis, verdict: Verdict) -> Iterator[Statement]:
    """Which choice to take."""
    best, default = verdict.choices[verdict.best], verdict.choices[verdict.default]
    score = verdict.intervals[verdict.default]
    kept = sum(map(bool, verdict.kept))
    among = f"{number(kept)} of {number(len(verdict.choices))} cannot be excluded from being the best"
    if verdict.best == verdict.default:
        alone = f"; {among}" if kept > 1 and verdict.tie else ""
        yield Statement(
            "good",
            f"Keep {named(default)}, {the_default(found)}",
            f": no other choice scores higher than its {decimal(score.value)} (95 % {span(score)}){alone}.",
        )
        return
    gap = verdict.gap
    assert gap is not None
    if verdict.recommended == verdict.default:
        said = f"which is a tie; {among}" if verdict.tie else "which is not sure"
        yield Statement(
            "good" if verdict.tie else "note",
            f"Keep {named(default)}, {the_default(found)}",
            f": {named(best)} scores {decimal(gap.value)} more (95 % {span(gap, sign=True)}), {said}.",
        )
        return
    use = verdict.recommended
    taken, gap = verdict.choices[use], verdict.gaps[use] if verdict.gaps else gap
    if not math.isfinite(score.value):
        said = f": {decimal(verdict.intervals[use].value)}; the default gives all sentences one vector."
    else:
        said = (
            f": {decimal(verdict.intervals[use].value)} against {decimal(score.value)}, "
            f"a difference of {signed(gap.value)} (95 % {span(gap, sign=True)})"
        )
        if use != verdict.best:
            said += f"; {named(best)} is highest ({decimal(verdict.intervals[verdict.best].value)}), its lead less sure"
        said += "." if kept == 1 else f"; {among}, the default can."
    yield Statement("warn", f"Take {named(taken)} instead of {named(default)}, {the_default(found)}", said)


def _baselines(verdict: Verdict) -> Iterator[Statement]:
    """Baselines that are above the default, or above everything."""
    if verdict.random is not None and verdict.below_random is not None and verdict.below_random.value < 0:
        gap = verdict.below_random
        surely = gap.high < 0
        yield Statement(
            "bad" if surely else "warn",
            f"The default is below {verdict.choices[verdict.random].name}",
            f": {decimal(verdict.intervals[verdict.default].value)} against "
            f"{decimal(verdict.intervals[verdict.random].value)}, "
            f"{'surely' if surely else 'though not surely'} (95 % of the difference {span(gap, sign=True)}).",
        )
    others = [
        place
        for place, choice in enumerate(verdict.choices)
        if not choice.layers and verdict.intervals[place].value > verdict.intervals[verdict.best].value
    ]
    if others:
        place = max(others, key=lambda one: verdict.intervals[one].value)
        name = verdict.choices[place].name
        sure = not any(keep and choice.layers for keep, choice in zip(verdict.kept, verdict.choices, strict=True))
        yield Statement(
            "bad" if sure else "warn",
            f"No choice of this model {'reaches' if sure else 'scores more than'} the baseline {name}",
            f": {decimal(verdict.intervals[place].value)} against "
            f"{decimal(verdict.intervals[verdict.best].value)} of {named(verdict.choices[verdict.best])}.",
        )


def _sure(found: Analysis, verdict: Verdict) -> Iterator[Statement]:
    """How far the numbers can be trusted."""
    what, cross = unit(found), verdict.cross
    if verdict.few:
        yield Statement(
            "warn",
            f"Only {number(verdict.count)} {what}",
            f": the highest of {number(len(verdict.choices))} scores is high by luck; to choose takes {FEW} or more.",
        )
    if cross is not None and math.isfinite(cross.fitted):
        yield Statement(
            "note",
            "",
            f"Taking whatever scores highest is worth {decimal(cross.fitted)} on {what} that did not choose, "
            f"{decimal(cross.naive)} on those that did.",
        )
    gap = verdict.gap
    if gap is not None and verdict.tie and not gap.excludes_zero and math.isfinite(gap.value):
        needed = [
            (decimal(size), f"{number(_round(count))} {what}")
            for size, count in ((abs(gap.value), verdict.needed), (CERTAIN, verdict.needed_small))
            if count is not None and decimal(size) != ".000"
        ]
        if needed:
            (size, many), *more = needed
            also = "".join(f", of {other} about {count}" for other, count in more)
            there = number(verdict.count)
            yield Statement("note", "", f"To see a difference of {size} takes about {many}{also}; there are {there}.")


def _round(count: int) -> int:
    """Two figures of a number that is an estimate."""
    step = int(10 ** max(len(str(count)) - 2, 0))
    return -(-count // step) * step


def _undecided(found: Analysis) -> Iterator[Statement]:
    """What bare text allows to say."""
    yield Statement(
        "note",
        "Nothing is decided",
        f": these sentences have neither scores nor classes; {named(found.default)}, {the_default(found)}, stays.",
    )
    if found.shortlist is None:
        return
    choices, margins, every = scored(found)
    if not any(map(math.isfinite, margins)):
        yield Statement("warn", "No shortlist", ": that takes a few different sentences of three words or more.")
        return
    kept = [keep for keep, choice in zip(every, choices, strict=True) if choice.layers]
    out = len(kept) - sum(kept)
    yield Statement(
        "note",
        f"{number(out)} of {number(len(kept))} choices can be left out",
        ": in them a part of a sentence lies less near to its own sentence than in the others, the shortlist.",
    )
    if found.default in choices and not every[choices.index(found.default)]:
        yield Statement(
            "warn",
            "The default is not on the shortlist",
            f": score about {FEW} pairs of your own sentences to see whether it should be replaced.",
        )
    else:
        yield Statement("note", "", f"About {FEW} pairs of your own sentences with scores would decide.")
