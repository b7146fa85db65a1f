"""Allowances in comments: which lines they cover, what is wrong with them, and that strings are no comments."""

from collections.abc import Iterator

import pytest

from pretune.check.allow import Allowance, allowances, judged
from pretune.check.finding import Finding, Level, Problem, rule


@rule("PYS101", Level.ERROR)
def tokens_not_resized(script: object) -> Iterator[Problem]:
    """Tokens are added and the model is not resized.

    Why: a test.
    Fix: resize.
    """
    yield from ()


@rule("PYS102", Level.ERROR)
def seed_after_model(script: object) -> Iterator[Problem]:
    """The seed is set after the model was made.

    Why: a test.
    Fix: set it before.
    """
    yield from ()


RULES = (tokens_not_resized, seed_after_model)
NAMES = {rule.name for rule in RULES}


def found(where: str, of: object = tokens_not_resized) -> Finding:
    """A finding at a place."""
    return Finding(of.code, of.name, of.level, "m", where, "")  # type: ignore[attr-defined]


def covered(text: str) -> list[tuple[tuple[str, ...], str, int, int]]:
    """Names, reason, first and last line of each allowance."""
    return [(one.names, one.reason, one.first, one.last) for one in allowances(text, "a.py")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("x = '# pretune: allow a -- b'\n", []),
        ('"""\n# pretune: allow a -- b\n"""\n', []),
        ("# pretune: disallow a -- b\n", []),
        ("x = 1  # pretune: allow a -- b", [(("a",), "b", 1, 1)]),
        ("x = 1  #pretune:allow a,b , c -- 이유 -- 둘\n", [(("a", "b", "c"), "이유 -- 둘", 1, 1)]),
        ("x = 1  # noqa  # pretune: allow a -- b\n", [(("a",), "b", 1, 1)]),
        ("f(\n  1,  # pretune: allow a -- b\n  2,\n)\n", [(("a",), "b", 1, 4)]),
        ("f(\n  # pretune: allow a -- b\n  2,\n)\n", [(("a",), "b", 1, 4)]),
        ("# pretune: allow a -- b\n# more\n\nf(\n 1)\ng()\n", [(("a",), "b", 4, 5)]),
        ("if x:  # pretune: allow a -- b\n  f()\n", [(("a",), "b", 1, 1)]),
        ("if x:\n    # pretune: allow a -- b\n    f()\ng()\n", [(("a",), "b", 3, 3)]),
        ("x\n# pretune: allow a -- b\n", [(("a",), "b", 2, 2)]),
        ("# pretune: allow-file a -- b\nx\n", [(("a",), "b", 0, 0)]),
        ("x  # pretune: allow a\n", [(("a",), "", 1, 1)]),
        ("x  # pretune: allow -- b\n", [((), "b", 1, 1)]),
        ("x  # pretune: allow a—b\n", [(("a—b",), "", 1, 1)]),
        ("x  # pretune: allow PYS101 — b\r\n", [(("PYS101",), "b", 1, 1)]),
        ("f(\n# pretune: allow a -- b\n", []),
    ],
)
def test_lines_that_a_comment_covers(text: str, expected: list) -> None:
    """Its statement, the next one when alone, the whole file; in strings it is no comment."""
    assert covered(text) == expected


def judge(text: str, *findings: Finding, cell: int | None = None, asked: set[str] = NAMES) -> tuple[list, list]:
    """What is left, as (name, message, where), and what is allowed, as (where, reason)."""
    file = "a.ipynb" if cell else "a.py"
    told = judged(findings, list(allowances(text, file, cell)), rules=RULES, asked=asked)
    left = [(finding.name, finding.message, finding.where) for finding in told.findings]
    return left, [(finding.where, reason) for finding, reason in told.allowed]


def test_a_finding_is_allowed() -> None:
    """By name, by code, in any case; with the reason that is given, and for its own line and rule only."""
    for name in ("tokens-not-resized", "PYS101", "tokens_not_resized", "pys101"):
        left, allowed = judge(f"x  # pretune: allow {name} -- why\ny\n", found("a.py:1:3"), found("a.py:2:1"))
        assert allowed == [("a.py:1:3", "why")]
        assert left == [("tokens-not-resized", "m", "a.py:2:1")]


def test_a_file_and_a_cell() -> None:
    """allow-file covers every line and cell; a comment in a cell only that cell's lines."""
    text = "# pretune: allow-file PYS101 -- why\n"
    assert judge(text, found("a.py:7:1"), found("b.py:7:1"))[1] == [("a.py:7:1", "why")]
    assert judge(text, found("a.ipynb:cell 9:7:1"), cell=2)[1] == [("a.ipynb:cell 9:7:1", "why")]
    one = "x  # pretune: allow PYS101 -- why\n"
    findings = found("a.ipynb:cell 2:1:1"), found("a.ipynb:cell 3:1:1"), found("a.ipynb")
    assert judge(one, *findings, cell=2)[1] == [("a.ipynb:cell 2:1:1", "why")]


def test_without_a_reason_nothing_is_allowed() -> None:
    """The finding stays, and one more asks for the reason."""
    left, allowed = judge("x  # pretune: allow PYS101\n", found("a.py:1:1"))
    assert allowed == []
    assert [name for name, _, _ in left] == ["tokens-not-resized", "allowance-without-reason"]
    assert left[1][2] == "a.py:1:4"


def test_a_stale_allowance() -> None:
    """One that found nothing is a finding; not when its rule was not asked."""
    text = "x  # pretune: allow PYS101, PYS102 -- why\n"
    left, _ = judge(text, found("a.py:1:1"))
    assert left == [("stale-allowance", "PYS102 is allowed but found nothing here", "a.py:1:4")]
    assert judge(text, asked=set())[0] == []


def test_an_unknown_rule() -> None:
    """It is a finding that names the nearest; a comment that names none says how it is written."""
    told = judged(
        (), list(allowances("x  # pretune: allow tokens-not-resised -- y\n", "a.py")), rules=RULES, asked=NAMES
    )
    assert told.findings[0].message == 'no rule is called "tokens-not-resised"'
    assert told.findings[0].help == 'did you mean "tokens-not-resized"?'
    assert judge("x  # pretune: allow\n")[0][0][1] == "the comment names no rule"


def test_where() -> None:
    """An allowance has the place of its comment."""
    assert Allowance("a.ipynb", 3, 2, 5, (), "", 0, 0).where == "a.ipynb:cell 3:2:5"
