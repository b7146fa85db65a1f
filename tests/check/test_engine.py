"""The engine: what is asked, what is skipped, what is allowed, and that a crash stops nothing."""

import itertools
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretune.check.engine import Report, run
from pretune.check.finding import Level, Problem, Rule, Unavailable, rule
from pretune.core.errors import UserError


class Facts:
    """Facts of which one cannot be had, one is broken input, and the first is read once."""

    def __init__(self) -> None:
        self.reads = 0

    @property
    def size(self) -> int:
        """Three, counted."""
        self.reads += 1
        return 3

    @property
    def data(self) -> None:
        """Never there."""
        raise Unavailable("no data (give --data FILES)")

    @property
    def model(self) -> None:
        """Broken."""
        raise UserError("config.json is HTML, expected JSON")


@rule("AAA001", Level.ERROR)
def size_is_odd(size: int) -> Iterator[Problem]:
    """The size is odd.

    Why: why. Fix: fix.

    Fix: make it even.
    """
    if size % 2:
        yield Problem(f"size {size}, expected an even one", "a.json:/size")
        yield Problem("a second one", help="its own way out", level=Level.NOTE)


@rule("AAA002", Level.WARNING)
def rows_are_empty(data: object) -> Iterator[Problem]:
    """Rows are empty."""
    yield Problem("never asked")


@rule("AAA003", Level.NOTE)
def quiet(size: int) -> Iterator[Problem]:
    """It finds nothing."""
    yield from ()


@rule("AAA004", Level.NOTE)
def crashing(size: int) -> Iterator[Problem]:
    """It finds one thing and crashes."""
    yield Problem("one")
    raise KeyError("lost")


@rule("AAA005", Level.NOTE)
def without_facts() -> Iterator[Problem]:
    """It asks for nothing."""
    yield Problem("always")


RULES = (size_is_odd, rows_are_empty, quiet, crashing, without_facts)


def test_no_rules() -> None:
    """No rules, no findings, and that is ok."""
    report = run((), Facts())
    assert report == Report("")
    assert report.ok


def test_findings_are_stamped_and_sorted() -> None:
    """A finding carries its rule's code, name and level, or the problem's own; the gravest come first."""
    report = run([without_facts, size_is_odd], Facts(), subject="m")
    assert [(f.code, f.level, f.message) for f in report.findings] == [
        ("AAA001", Level.ERROR, "size 3, expected an even one"),
        ("AAA005", Level.NOTE, "always"),
        ("AAA001", Level.NOTE, "a second one"),
    ]
    assert report.findings[0].name == "size-is-odd"
    assert report.findings[2].help == "its own way out"
    assert not report.ok
    assert report.count(Level.NOTE) == 2
    assert len(report.at_least(Level.NOTE)) == 3


def test_what_cannot_be_asked_is_told() -> None:
    """A rule whose fact cannot be had is skipped with the fact's reason, and was not asked."""
    report = run([rows_are_empty, quiet], Facts())
    assert [(s.code, s.name, s.reason) for s in report.skipped] == [
        ("AAA002", "rows-are-empty", "no data (give --data FILES)")
    ]
    assert report.asked == (quiet,)


def test_broken_input_ends_the_run() -> None:
    """A fact that finds its input broken is the user's to mend: the run ends with that line."""

    @rule("AAA006", Level.NOTE)
    def asks_model(model: object) -> Iterator[Problem]:
        """It asks for the model."""
        yield from ()

    with pytest.raises(UserError, match="is HTML"):
        run([asks_model], Facts())


def test_a_crash_is_a_finding_about_the_rule() -> None:
    """A rule that crashes is reported, its findings are dropped, and the other rules go on; --debug adds the traceback."""
    report = run([crashing, size_is_odd], Facts())
    crash = next(f for f in report.findings if f.code == "PT000")
    assert crash.message == "the rule crashing crashed: KeyError: 'lost'"
    assert crash.level is Level.WARNING
    assert any(f.code == "AAA001" for f in report.findings)
    assert "Traceback" in run([crashing], Facts(), debug=True).findings[0].message


@pytest.mark.parametrize("name", ["size-is-odd", "AAA001"])
def test_allowed(name: str) -> None:
    """An allowance by name or code takes the rule's findings out of the count and keeps them with the reason."""
    report = run(RULES, Facts(), allow={name: "a test"})
    assert not any(f.code == "AAA001" for f in report.findings)
    assert [reason for _, reason in report.allowed] == ["a test", "a test"]


def test_stale_allowance() -> None:
    """An allowance that matches nothing is a note; one of a rule that could not be asked, or is not selected, is not."""
    allow = {"quiet": "x", "rows-are-empty": "x", "size-is-odd": "x"}
    report = run([quiet, rows_are_empty], Facts(), allow=allow)
    assert [(f.code, f.message) for f in report.findings] == [("PT001", "quiet is allowed but found nothing here")]


def test_raise_for_errors() -> None:
    """raise_for_errors names each rule once and ends with exit code 1; without errors it is silent."""
    with pytest.raises(UserError, match=r"1 error\(s\): size-is-odd") as error:
        run(RULES, Facts()).raise_for_errors()
    assert error.value.exit_code == 1
    run([quiet], Facts()).raise_for_errors()


@given(st.permutations(RULES))
def test_the_order_of_rules_changes_no_answer(rules: list[Rule]) -> None:
    """Whatever the order, the same findings, skips and asked rules come out, as sets."""
    report, usual = run(rules, Facts()), run(RULES, Facts())
    assert set(report.findings) == set(usual.findings)
    assert set(report.skipped) == set(usual.skipped)
    assert {r.code for r in report.asked} == {r.code for r in usual.asked}


@given(st.sets(st.sampled_from(RULES)))
def test_rules_do_not_depend_on_each_other(rules: set[Rule]) -> None:
    """A part of the rules finds exactly that part of the findings."""
    usual = run(RULES, Facts()).findings
    crashed = {f for f in usual if f.code == "PT000"} if crashing in rules else set()
    expected = {f for f in usual if f.code in {r.code for r in rules}} | crashed
    assert set(run(rules, Facts()).findings) == expected


def test_facts_may_be_anything_with_attributes() -> None:
    """Facts are found by attribute name alone."""
    report = run([size_is_odd], SimpleNamespace(size=2))
    assert report.findings == ()


def test_levels_are_ordered() -> None:
    """An error is graver than a warning, a warning than a note."""
    assert all(a.rank > b.rank for a, b in itertools.combinations((Level.ERROR, Level.WARNING, Level.NOTE), 2))


def test_remarks_of_the_facts_reach_the_report() -> None:
    """Where files came from is said with the report; facts without remarks have none."""

    class Remarked:
        remarks = ("read from the hub's cache",)

    assert run((), Remarked()).remarks == ("read from the hub's cache",)
    assert run((), object()).remarks == ()
