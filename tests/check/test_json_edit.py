"""Editing one value of a JSON text and nothing else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretune.check.json_edit import CannotEditError, pointer_parts, remove_value, set_value

TWO = '{\n  "a": 1,\n  "b": {\n    "c": [1, 2]\n  },\n  "한": "\\u00e9"\n}\n'


@pytest.mark.parametrize(
    ("text", "pointer", "value", "expected"),
    [
        ('{"a": 1}', "/a", 2, '{"a": 2}'),
        ('{"a": 1}', "/b", 2, '{"a": 1, "b": 2}'),
        ('{"a":1}', "/b", {"c": 2, "d": 1}, '{"a":1,"b":{"c":2,"d":1}}'),
        ("{}", "/b", 2, '{"b": 2}'),
        ("{}\n", "/b", 2, '{\n  "b": 2\n}\n'),
        ('{\n\t"a": 1\n}', "/b", [1], '{\n\t"a": 1,\n\t"b": [\n\t\t1\n\t]\n}'),
        ('{\r\n    "a": {}\r\n}\r\n', "/a/b", True, '{\r\n    "a": {\r\n        "b": true\r\n    }\r\n}\r\n'),
        (TWO, "/b/c/1", 3, TWO.replace("[1, 2]", "[1, 3]")),
        (TWO, "/b/c/-", 3, TWO.replace("[1, 2]", "[1, 2, 3]")),
        (TWO, "/b/c/2", 3, TWO.replace("[1, 2]", "[1, 2, 3]")),
        (TWO, "/한", "끝", TWO.replace('"\\u00e9"', '"끝"')),
        ('{\n  "a": "\\uac00"\n}', "/b", "나", '{\n  "a": "\\uac00",\n  "b": "\\ub098"\n}'),
        ('{"x/y": 1, "m~n": 2}', "/x~1y", 3, '{"x/y": 3, "m~n": 2}'),
        ('{"x/y": 1, "m~n": 2}', "/m~0n", 3, '{"x/y": 1, "m~n": 3}'),
        ('{"": 1}', "/", 2, '{"": 2}'),
        ('{"a": 1, "a": 2}', "/a", 3, '{"a": 1, "a": 3}'),
        ('{"eps": 1E-12, "big": 12345678901234567890}', "/x", 1, '{"eps": 1E-12, "big": 12345678901234567890, "x": 1}'),
    ],
)
def test_set(text: str, pointer: str, value: Any, expected: str) -> None:
    """The value changes; indentation, escapes, line ends, number spelling and the rest stay to the character."""
    assert set_value(text, pointer, value) == expected


@pytest.mark.parametrize(
    ("text", "pointer", "expected"),
    [
        ('{"a": 1}', "/a", "{}"),
        ('{"a": 1, "b": 2}', "/a", '{"b": 2}'),
        ('{"a": 1, "b": 2}', "/b", '{"a": 1}'),
        ('{"a": 1}', "/nothing/here", '{"a": 1}'),
        ('{"a": 1, "b": 0, "a": 2}', "/a", '{"b": 0}'),
        (TWO, "/b/c/0", TWO.replace("[1, 2]", "[2]")),
        (TWO, "/b", '{\n  "a": 1,\n  "한": "\\u00e9"\n}\n'),
    ],
)
def test_remove(text: str, pointer: str, expected: str) -> None:
    """The member goes with its comma; what is not there is no error; a key that stands twice goes twice."""
    assert remove_value(text, pointer) == expected


@pytest.mark.parametrize(
    ("pointer", "message"),
    [
        ("", "whole file"),
        ("a", "not a JSON pointer"),
        ("/a~2", "not a JSON pointer"),
        ("/a/b", "no table or list"),
        ("/x/y", "nothing stands at /x"),
        ("/b/c/7", "2 items"),
        ("/b/c/01", "no place in a list"),
        ("/b/c/x", "no place in a list"),
    ],
)
def test_what_cannot_be_set(pointer: str, message: str) -> None:
    """A pointer to nothing, through a number, or past a list's end says why it cannot be set."""
    with pytest.raises(CannotEditError, match=message):
        set_value(TWO, pointer, 1)


def test_not_json() -> None:
    """Text that is not JSON is a ValueError."""
    with pytest.raises(ValueError):
        set_value("<html>", "/a", 1)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


def _pointers(value: Any, base: str = "") -> list[str]:
    found: list[str] = []
    if isinstance(value, dict):
        for key, below in value.items():
            here = f"{base}/{key.replace('~', '~0').replace('/', '~1')}"
            found += [here, *_pointers(below, here)]
    elif isinstance(value, list):
        for index, below in enumerate(value):
            found += [f"{base}/{index}", *_pointers(below, f"{base}/{index}")]
    return found


def _reached(document: Any, pointer: str) -> tuple[Any, Any]:
    here = document
    parts = pointer_parts(pointer)
    for part in parts[:-1]:
        here = here[int(part)] if isinstance(here, list) else here[part]
    return here, int(parts[-1]) if isinstance(here, list) else parts[-1]


@given(
    document=st.dictionaries(st.text(max_size=3), VALUES, min_size=1, max_size=5),
    value=VALUES,
    new=st.booleans(),
    indent=st.sampled_from([None, 0, 2, 4, "\t"]),
    ascii_=st.booleans(),
    data=st.data(),
)
def test_any_edit_is_the_edit(
    document: Any, value: Any, new: bool, indent: Any, ascii_: bool, data: st.DataObject
) -> None:
    """Reading after writing gives the document with that value; setting again changes nothing; removing removes."""
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_)
    pointer = "/새 key" if new else data.draw(st.sampled_from(_pointers(document)))
    holder, key = _reached(document, pointer)
    holder[key] = value
    changed = set_value(text, pointer, value)
    assert json.loads(changed) == document
    assert json.loads(set_value(changed, pointer, value)) == document
    holder.pop(key)
    assert json.loads(remove_value(changed, pointer)) == document
