"""Two rules about scripts that find nothing by themselves, for tests of what is made of findings."""

from collections.abc import Iterator

from pretune.check.finding import Level, Problem, rule


@rule("PYS901", Level.ERROR)
def bad_line(script: object) -> Iterator[Problem]:
    """A line is bad.

    Why: a test.
    Fix: make it good.
    """
    yield from ()


@rule("PYS902", Level.NOTE)
def odd_line(script: object) -> Iterator[Problem]:
    """A line is odd.

    Why: a test.
    Fix: make it even.
    """
    yield from ()


RULES = (bad_line, odd_line)
