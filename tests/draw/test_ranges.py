"""Intervals as SVG: well-formed, cut at the reach, in both widths, whatever the names and numbers are."""

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from pretune.draw.chart import Mark
from pretune.draw.ranges import Range, ranges

SOME = (Range("one <b>", 0.5, 0.4, 0.6, ".500", heavy=True), Range("두 번째", -0.2, -0.5, 0.1, "-.200", full=False))


def drawn(groups: list[tuple[str, tuple[Range, ...]]], **more: object) -> ET.Element:
    """A picture, which has to be well-formed."""
    return ET.fromstring(ranges(groups, name="n", title="t", description="d", **more))  # type: ignore[arg-type]


def test_a_dot_and_a_line_each() -> None:
    """Full and empty dots, names and numbers as text, a heading, a mark."""
    for width in (800, 340):
        root = drawn([("", SOME), ("Baselines", SOME)], width=width, mark=Mark(0.5, "default"))
        tags = [node.tag.rpartition("}")[2] for node in root.iter()]
        words = [node.text for node in root.iter() if node.tag == "text"]
        assert tags.count("circle") == 4
        assert {"one <b>", "두 번째", ".500", "Baselines", "default"} <= set(words)


def test_what_is_no_number_has_no_dot() -> None:
    """An undefined value keeps its name; nothing but undefined ones says so."""
    unknown = Range("nothing", float("nan"), float("nan"), float("nan"), "-")
    assert len([1 for node in drawn([("", (*SOME, unknown))]).iter() if node.tag == "circle"]) == 2
    assert "no number is known" in "".join(drawn([("", (unknown,))]).itertext())


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 3)), min_size=1, max_size=5))
def test_any_interval_stays_inside(found: list[tuple[float, float]]) -> None:
    """Intervals wider than the reach end at the picture's ticks."""
    rows = tuple(Range(str(place), at, at - wide, at + wide) for place, (at, wide) in enumerate(found))
    root = drawn([("", rows)], reach=(-1.0, 1.0), width=600)
    for node in root.iter():
        if node.tag == "circle":
            assert 0 <= float(node.attrib["cx"]) <= 600
