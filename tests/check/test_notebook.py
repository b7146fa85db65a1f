"""How a notebook shows a report."""

from html.parser import HTMLParser

from pretune import check
from pretune.check.engine import Report, Skipped
from pretune.check.finding import Finding, Level
from pretune.check.report import render

VOID = {"br"}


class _Balanced(HTMLParser):
    """Fails when a tag is closed that was not opened last."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def _read(report: Report) -> str:
    reader = _Balanced()
    reader.feed(report._repr_html_())
    assert reader.open == []
    return reader.words


def test_nothing_found() -> None:
    """A healthy report says so and has no table."""
    assert "klue/bert-base: nothing found" in _read(Report(subject="klue/bert-base"))


def test_everything_from_outside_is_escaped() -> None:
    """A token, a path or a reason that is HTML is shown, not obeyed."""
    bad = "<script>alert(1)</script>&\"'"
    finding = Finding("VOC001", bad, Level.ERROR, bad, bad, bad)
    report = Report(subject=bad, findings=(finding,), skipped=(Skipped("A", bad, bad),))
    assert "<script" not in report._repr_html_()
    assert _read(report).count(bad) == 7


def test_counts_and_limit() -> None:
    """Counts name each level; thousands of findings are cut and the cut is told."""
    findings = tuple(Finding("DAT001", "x", Level.NOTE, f"row {n}", "", "") for n in range(1000))
    words = _read(Report(subject="m", findings=findings))
    assert "1000 notes" in words
    assert "… and 800 more" in words
    assert "row 200" not in words


def test_a_line_at_a_prompt_and_the_text_in_print():
    """`repr` counts, `print` is the report of a pipe."""
    report = Report(subject="here", findings=(Finding("C", "a-name", Level.NOTE, "message <b>", "there", "help"),) * 2)
    assert repr(report) == "Report(here: 2 notes)"
    assert repr(Report(subject="here")) == "Report(here: nothing found)"
    assert str(report) == render(report)


def test_how_a_corpus_is_read(make_model):
    """With data: the verdict, then the tables, folded but for the first."""
    report = check.run(make_model(), data=[{"text": "서울 한강"}, {"text": "한강 서울"}])
    words = _read(report)
    assert report.profile is not None
    assert "words kept whole" in words
    assert "too little text" in words
    assert report._repr_html_().count("<details>") >= 3
