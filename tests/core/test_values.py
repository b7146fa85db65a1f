"""What stands at a place of a message: amounts, lists of names, quotes, places side by side, words of ours."""

import pytest

from pretune.core.translation import Catalogue
from pretune.core.values import holds_clauses, is_amount, listed

SMALL = Catalogue(
    {
        "{0} errors: {1}": "오류 {0}개: {1}",
        "{0} of {1} {2}rows": "{2!}{1}행 중 {0}행",
        "{0} rows{1} are read": "{0}행{1}을(를) 읽습니다",
        "(also {0})": "({0}에도)",
        "sampled": "표본",
        "{0} is {1}": "{0}은(는) {1}입니다",
        "it is empty": "비어 있습니다",
        "{0}line {1}": "{0}{1}번째 줄",
        "{0} stops at {1}": "{0}은(는) {1}에서 멈춥니다",
        'unknown "{0}"': '알 수 없는 "{0}"',
        "the wrong key": "틀린 키",
        "{0} is read: {1} whole": "{0}을(를) 읽습니다: 온전한 것 {1}",
        "{0} whole": "온전한 것 {0}",
    }
)


@pytest.mark.parametrize("value", ["3", "1,024", "0.3 %", "about 12", "n", "4th", "under 0.1 %", "3 of 9", "21, 179"])
def test_an_amount_can_be_counted(value: str) -> None:
    """Numbers as messages write them, and n."""
    assert is_amount(value)


@pytest.mark.parametrize("value", ["", "WordPiece", "model.safetensors is text", "2 rows of it", "no"])
def test_what_is_no_amount_is_not_counted(value: str) -> None:
    """Names and phrases are no amount."""
    assert not is_amount(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("str or null", "str 또는 null"),
        ("dict or str or null", "dict 또는 str 또는 null"),
        ("a, b and c", "a, b, c"),
        ("`this or that`, `b`, …", "`this or that`, `b`, …"),
        ("`a`, `b` and 12 more", "`a`, `b` 외 12개"),
        ("name", None),
        ("a cat on a mat", None),
        ("`a`, beside `b`", None),
    ],
)
def test_a_list_keeps_its_names(text: str, expected: str | None) -> None:
    """Names stay as they are; what joins them is Korean."""
    assert listed(text) == expected


@pytest.mark.parametrize(("value", "expected"), [("a: b", True), ("`a: b`", False), ("a b, c", False), ("a:b", False)])
def test_clauses_are_parted_outside_of_quotes(value: str, *, expected: bool) -> None:
    """A colon parts clauses where a space stands behind it and no quotes around it."""
    assert holds_clauses(value, ":;") is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("WordPiece errors: none", None),
        ("3 of 9 sampled rows", "표본 9행 중 3행"),
        ("3 of 9 rows", "9행 중 3행"),
        ("5 rows (also :9) are read", "5행(:9에도)을 읽습니다"),
        ("the loop stops at line 4", "the loop는 4번째 줄에서 멈춥니다"),
        ('unknown "the wrong key"', '알 수 없는 "the wrong key"'),
        ("x is read: 5 whole", "x를 읽습니다: 온전한 것 5"),
        ("it is empty.", "비어 있습니다."),
        ("(it is empty)", "(비어 있습니다)"),
    ],
)
def test_values_find_their_places(text: str, expected: str | None) -> None:
    """Amounts are counted, our words said, other people's kept, brackets and full stops put back."""
    assert SMALL.say(text) == expected


def test_a_cut_text_is_found_by_its_beginning() -> None:
    """A line of help that was cut has the whole message's translation."""
    assert SMALL.begun_with("it is em") == "비어 있습니다"
    assert SMALL.begun_with("nothing of ours") is None
