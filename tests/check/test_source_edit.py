"""Edits of Python source: which characters change, what is refused, and that nothing else moves."""

import sys

import pytest

from pretune.check.finding import InsertAfter, RenameArgument, RenameMethod, ReplaceText, SetArgument, SourceEdit
from pretune.check.json_edit import CannotEditError
from pretune.check.source_edit import Source, Splice, overlap, spliced
from pretune.core.errors import UserError
from pretune.script.values import Place


def at(line: int, column: int = 1) -> Place:
    """A place in train.py."""
    return Place("train.py", line, column)


def after(text: str, *edits: SourceEdit) -> str:
    """The text after the edits."""
    source = Source(text)
    return spliced(text, [splice for edit in edits for splice in source.splices(edit)])


RENAME = RenameArgument(at(1, 8), "evaluation_strategy", "eval_strategy")


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ('args = T(evaluation_strategy="no")', 'args = T(eval_strategy="no")'),
        (
            'args = T(  # 왜\r\n\tevaluation_strategy = "no",  # yes\r\n)',
            'args = T(  # 왜\r\n\teval_strategy = "no",  # yes\r\n)',
        ),
        ('인자 = 가.T("나", evaluation_strategy="no",)', '인자 = 가.T("나", eval_strategy="no",)'),
        ("args = T(eval_strategy=1)", "args = T(eval_strategy=1)"),
    ],
    ids=["one line", "CRLF, tab and comments", "Hangul", "done already"],
)
def test_an_argument_is_renamed(before: str, expected: str) -> None:
    """Only the keyword changes; where it has its new name already, nothing does."""
    column = 6 if before.startswith("인") else 8
    assert after(before, RenameArgument(at(1, column), "evaluation_strategy", "eval_strategy")) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("args = T(**table)", "evaluation_strategy is not written in the call at train.py:1:8"),
        ("args = T(evaluation_strategy=1, eval_strategy=2)", "has eval_strategy as well"),
        ("x = 1", "is not written in the call"),
        ("", "is not written in the call"),
        ("args = T(", "cannot be parsed"),
    ],
)
def test_what_does_not_stand_there_is_not_renamed(text: str, reason: str) -> None:
    """A table, both names, another text than was checked: refused with the reason."""
    with pytest.raises(CannotEditError, match=reason):
        after(text, RENAME)


def test_calls_that_begin_at_one_place_are_told_apart() -> None:
    """In `a.f(x=1).g(x=2)` both calls begin at a: the name says which is meant, and without it the edit is refused."""
    text = "a.f(x=1).g(x=2)"
    assert after(text, RenameArgument(at(1), "x", "y", "g")) == "a.f(x=1).g(y=2)"
    assert after(text, RenameArgument(at(1, 3), "x", "y")) == "a.f(y=1).g(x=2)"
    with pytest.raises(CannotEditError):
        after(text, RenameArgument(at(1), "x", "y"))


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("f()", "f(config=config)"),
        ("f(a)", "f(a, config=config)"),
        ("f(a,)", "f(a, config=config,)"),
        ("f(\n    a,\n    b=(1),\n)", "f(\n    a,\n    b=(1),\n    config=config,\n)"),
        ("f(\n    a,\n    b=(1),  # why\n)", "f(\n    a,\n    b=(1),  # why\n    config=config,\n)"),
        ("f(\n    a,\n    b=1  # why\n)", "f(\n    a,\n    b=1,  # why\n    config=config\n)"),
        ("f(\r\n\ta,\r\n\tb=1)", "f(\r\n\ta,\r\n\tb=1,\r\n\tconfig=config)"),
        ("f(a, config = old)", "f(a, config = config)"),
        ("f(a, config=(old))", "f(a, config=config)"),
        ("f(a, config=config)", "f(a, config=config)"),
    ],
)
def test_an_argument_is_given(before: str, expected: str) -> None:
    """It stands behind the last one in that one's manner, before its comments' lines end; twice changes nothing."""
    edit = SetArgument(at(1), "config", "config")
    assert after(before, edit) == expected
    assert after(expected, edit) == expected


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("f(a, x=1)", "f(a)"),
        ("f(x=1, a=2)", "f(a=2)"),
        ("f(x=1,)", "f()"),
        ("f(\n    a,\n    x=1,\n)", "f(\n    a,\n)"),
        ("f(a)", "f(a)"),
    ],
)
def test_an_argument_is_taken_away(before: str, expected: str) -> None:
    """With its comma; one that is not there is no mistake."""
    assert after(before, SetArgument(at(1), "x", None)) == expected


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("f(**table)", SetArgument(at(1), "x", "1")),
        ("f(a,  # why\n  x=1)", SetArgument(at(1), "x", None)),
        ("x = 1", SetArgument(at(1), "x", "1")),
        ("f(1)(2)", SetArgument(at(1), "x", "1")),
    ],
)
def test_what_is_unclear_is_refused(text: str, edit: SetArgument) -> None:
    """A table that may hold the argument, a comment beside it, no call or two: refused."""
    with pytest.raises(CannotEditError):
        after(text, edit)


RESIZE = "model.resize_token_embeddings(len(tokenizer))"


@pytest.mark.parametrize(
    ("before", "line", "expected"),
    [
        ("t.add()", 1, f"t.add()\n{RESIZE}"),
        ("t.add()\nx\n", 1, f"t.add()\n{RESIZE}\nx\n"),
        ("if x:\n\tt.add(\n\t\t1,\n\t)  # why\n", 3, f"if x:\n\tt.add(\n\t\t1,\n\t)  # why\n\t{RESIZE}\n"),
        ("t.add()\r\nx\r\n", 1, f"t.add()\r\n{RESIZE}\r\nx\r\n"),
        (f"t.add()\n\n{RESIZE}\n", 1, f"t.add()\n\n{RESIZE}\n"),
    ],
    ids=["no newline", "newline", "tabs, lines, comment", "CRLF", "there already"],
)
def test_a_statement_is_inserted(before: str, line: int, expected: str) -> None:
    """It stands on the next line, as deep as the one it follows, with that file's line ends."""
    column = len(before.splitlines()[line - 1]) - len(before.splitlines()[line - 1].lstrip()) + 1
    assert after(before, InsertAfter(at(line, column), RESIZE)) == expected


@pytest.mark.parametrize("text", ["if x: t.add()", "t.add(); u()", "with t.add() as x:\n    pass", ""])
def test_a_statement_that_shares_its_line_is_not_followed(text: str) -> None:
    """One-line branches, semicolons and headers of blocks have no line of their own."""
    with pytest.raises(CannotEditError, match="line of its own"):
        after(text, InsertAfter(at(1, 7 if text.startswith(("if", "with")) else 1), RESIZE))


def test_a_method_is_renamed() -> None:
    """The method's name changes, once; a bare name is no method."""
    assert after("(t\n .old(1)\n .old2())", RenameMethod(at(1, 2), "old", "new")) == "(t\n .new(1)\n .old2())"
    assert after("t.new(1)", RenameMethod(at(1), "old", "new")) == "t.new(1)"
    with pytest.raises(CannotEditError):
        after("old(1)", RenameMethod(at(1), "old", "new"))


def test_text_is_replaced_where_it_stands() -> None:
    """Exactly the old text at the place, or nothing."""
    assert after("x = '가' + evil", ReplaceText(at(1, 11), "evil", "good")) == "x = '가' + good"
    assert after("good", ReplaceText(at(1), "evil", "good")) == "good"
    for place in (at(1, 2), at(9)):
        with pytest.raises(CannotEditError):
            after("evil", ReplaceText(place, "evil", "good"))


def test_splices() -> None:
    """Insertions at one place keep their order, the same splice counts once, overlapping ones are refused."""
    one, two = Splice(1, 1, "x"), Splice(1, 1, "y")
    assert spliced("ab", [one, two, one]) == "axyb"
    assert not overlap(one, two)
    assert overlap(Splice(0, 2, ""), Splice(1, 2, "z"))
    with pytest.raises(CannotEditError, match="overlap"):
        spliced("ab", [Splice(0, 2, ""), Splice(1, 2, "z")])


def test_without_libcst(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence that names the install command."""
    monkeypatch.setitem(sys.modules, "libcst", None)
    with pytest.raises(UserError, match="needs libcst") as error:
        after("f(x=1)", RENAME)
    assert error.value.hint == 'pip install "pretune[script]"'
