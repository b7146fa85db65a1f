"""Edits of calls in any shape that people write them: the result means what was asked, and no comment is lost."""

import ast

from hypothesis import given, settings
from hypothesis import strategies as st

from pretune.check.finding import RenameArgument, SetArgument, SourceEdit
from pretune.check.json_edit import CannotEditError
from pretune.check.source_edit import Source, spliced
from pretune.script.values import Place

SPACE = st.sampled_from(["", " ", "\n", "\n    ", "  # why, and (how)\n    ", "\n    # above\n    ", "\r\n\t"])
VALUE = st.sampled_from(
    ["1", "(2)", "'가, b'", "[x for x in y]", "f(a, b=1)", "{'k': (3,)}", "lambda x: x", '"""a\nb"""']
)


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, list[tuple[str, str]]]:
    """The source of a call, and its arguments (name, value); positional ones without a name."""
    positional = [("", draw(VALUE)) for _ in range(draw(st.integers(0, 2)))]
    names = draw(st.lists(st.sampled_from(["a", "b", "old", "이름"]), unique=True, max_size=4))
    arguments = positional + [(name, draw(VALUE)) for name in names]
    parts = [f"{name}{draw(st.sampled_from(['=', ' = ']))}{value}" if name else value for name, value in arguments]
    text = "".join(f"{draw(SPACE)}{part}{draw(st.sampled_from(['', ' ']))}," for part in parts)
    if parts and draw(st.booleans()):
        text = text[:-1]  # without a trailing comma
    return f"m.f({text}{draw(SPACE)})", arguments


def meant(text: str) -> list[tuple[str, str]]:
    """The arguments of the call, with their values' meaning."""
    (statement,) = ast.parse(text).body
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Call)
    call = statement.value
    return [("", ast.dump(arg)) for arg in call.args] + [
        (word.arg or "", ast.dump(word.value)) for word in call.keywords
    ]


def dumped(arguments: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The arguments as `meant` tells them."""
    return [(name, ast.dump(ast.parse(value, mode="eval").body)) for name, value in arguments]


def after(text: str, edit: SourceEdit) -> str | None:
    """The text after the edit; None where it is refused."""
    try:
        return spliced(text, Source(text).splices(edit))
    except CannotEditError:
        return None


HERE = Place("a.py", 1, 1)


@settings(max_examples=150, deadline=None)
@given(calls())
def test_calls_in_any_shape(case: tuple[str, list[tuple[str, str]]]) -> None:
    """A keyword is renamed, given, changed and taken away in every layout; a second time changes nothing."""
    text, arguments = case
    names = [name for name, _ in arguments]
    wanted = dumped(arguments)

    renamed = after(text, RenameArgument(HERE, "old", "new"))
    assert (renamed is not None) is ("old" in names)
    if renamed is not None:
        assert meant(renamed) == [("new" if name == "old" else name, value) for name, value in wanted]
        assert len(renamed) == len(text)

    given_ = after(text, SetArgument(HERE, "old", "9"))
    assert given_ is not None
    nine = dumped([("old", "9")])
    assert meant(given_) == (
        [one if one[0] != "old" else nine[0] for one in wanted] if "old" in names else wanted + nine
    )
    assert given_.count("#") == text.count("#")
    assert after(given_, SetArgument(HERE, "old", "9")) == given_

    without = after(text, SetArgument(HERE, "old", None))
    if without is None:
        assert "#" in text
    else:
        assert meant(without) == [one for one in wanted if one[0] != "old"]
        assert without.count("#") == text.count("#")
