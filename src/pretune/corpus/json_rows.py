"""Rows of jsonl and json files: one object a line, a list of objects, {"data": [...]}, columns, SQuAD's nesting.

Knows no roles of columns; only SQuAD's paragraphs are unfolded, so that each question is a row with its context.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.corpus.row import Row
from pretune.corpus.text import lines, text_head, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pretune.corpus.text import Line


def is_lines(path: Path) -> bool:
    """True when the file holds one JSON value a line, whatever it is called.

    Raises:
        UserError: it is no text.
    """
    head = text_head(path).text
    first, newline, rest = head.lstrip().partition("\n")
    if not newline or not rest.strip():
        return ".json" not in path.suffixes
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        # a list or an object laid out over lines is a document; any other first line may just be a broken one
        return ".json" not in path.suffixes and first.strip() not in {"[", "{"}
    return isinstance(value, dict)


def read_lines(path: Path, label: str) -> Iterator[Row]:
    """One object a line; blank lines are passed over.

    Raises:
        UserError: what `lines` raises.
    """
    return rows_of(lines(path), label)


def rows_of(source: Iterable[Line], label: str) -> Iterator[Row]:
    """The rows of these lines, one object each; a blank line is none."""
    for line in source:
        where = f"{label}:{line.number}"
        if line.broken:
            yield Row({}, where, broken=line.broken)
            continue
        if not line.text.strip():
            continue
        try:
            yield _row(json.loads(line.text), where)
        except json.JSONDecodeError as error:
            yield Row({}, where, broken=f"not JSON: {_said(error)} at column {error.colno}")
        except (ValueError, RecursionError) as error:
            yield Row({}, where, broken=f"not JSON that can be read: {str(error).lower()[:80]}")


def read_document(path: Path, label: str) -> Iterator[Row]:
    """The rows of one JSON value: a list of objects, {"data": [...]}, columns ({"text": [...]}), or one object.

    Raises:
        UserError: not JSON, too large, or no rows in it.
    """
    text = whole(path)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        near = f"line {error.lineno} column {error.colno}"
        raise UserError(f"{path} is not JSON: {_said(error)} at {near}", hint=_cut_off(text, error)) from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is JSON that cannot be read: {str(error).lower()[:80]}") from None
    yield from _rows(value, label, path)


def _said(error: json.JSONDecodeError) -> str:
    """What json says is wrong, to go on with `at …`, with which some of its sentences end."""
    return error.msg.lower().removesuffix(" at")


def _cut_off(text: str, error: json.JSONDecodeError) -> str:
    return "the file seems cut off: download or copy it again" if error.pos >= len(text.rstrip()) - 1 else ""


def _rows(value: Any, label: str, path: Path) -> Iterator[Row]:
    if isinstance(value, list):
        yield from _list(value, f"{label}:")
    elif isinstance(value, dict) and isinstance(value.get("data"), list):
        yield from _list(value["data"], f"{label}:/data")
    elif isinstance(value, dict) and value and all(isinstance(column, list) for column in value.values()):
        columns = list(value.values())
        for at in range(max(len(column) for column in columns)):
            cells = {name: column[at] for name, column in value.items() if at < len(column)}
            yield Row(cells, f"{label}:row {at + 1}")
    elif isinstance(value, dict) and value:
        yield Row(value, f"{label}:/")
    else:
        raise UserError(
            f"{path} holds {_kind(value)}, expected a list of objects or SQuAD's data", hint="save one object a row"
        )


def _list(rows: list[Any], place: str) -> Iterator[Row]:
    for at, row in enumerate(rows):
        where = f"{place}/{at}"
        if isinstance(row, dict) and isinstance(row.get("paragraphs"), list):
            yield from _paragraphs(row, where)
        elif isinstance(row, dict) and isinstance(row.get("qas"), list) and "context" in row:
            yield from _questions(row, row, where)
        else:
            yield _row(row, where)


def _paragraphs(article: Mapping[str, Any], place: str) -> Iterator[Row]:
    """The questions of an article, each with its context; SQuAD 1 and 2, KorQuAD 1, KLUE-MRC."""
    for at, paragraph in enumerate(article["paragraphs"]):
        where = f"{place}/paragraphs/{at}"
        questions = paragraph.get("qas") if isinstance(paragraph, dict) else None
        if not isinstance(questions, list):
            yield Row({}, where, broken=f'{_kind(paragraph)}, expected a paragraph with "context" and "qas"')
            continue
        yield from _questions(paragraph, article, where)


def _questions(holder: Mapping[str, Any], article: Mapping[str, Any], place: str) -> Iterator[Row]:
    """The questions of a paragraph, or of an article that has its context itself, as in KorQuAD 2."""
    shared = {"title": article.get("title"), "context": holder.get("context")}
    for number, question in enumerate(holder["qas"]):
        where = f"{place}/qas/{number}"
        if isinstance(question, dict):
            yield Row({**shared, **question}, where)
        else:
            yield Row({}, where, broken=f"{_kind(question)}, expected a question")


def _row(value: Any, where: str) -> Row:
    if isinstance(value, dict):
        return Row(value, where)
    return Row({}, where, broken=f"{_kind(value)}, expected an object with columns")


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")
