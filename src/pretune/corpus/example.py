"""One row of training data in the words of its task: Example, example_of. Knows neither files nor rules."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pretune.corpus.shape import value_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.corpus.row import Row
    from pretune.corpus.shape import Shape

_SPEAKERS = {"human": "user", "gpt": "assistant", "chatgpt": "assistant", "bot": "assistant", "model": "assistant"}
"""ShareGPT's words for who speaks (`from`), which everybody translates before a template sees them."""

_LITERAL_LIMIT = 100_000
"""Characters of a csv cell that is read as a list or mapping of answers."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer and the character of the context it begins at; None: not given, or not a whole number."""

    text: str
    start: int | None


@dataclass(frozen=True, slots=True)
class Example:
    """A row in the words of its task. A field is None where the row has no text there (null, a number, no column).

    Attributes:
        where: the place of the row, `train.jsonl:17`.
        text: the text, or the first of two.
        text_pair: the second text.
        label: as the file gives it (numbers of csv cells are made numbers); None: missing.
        question: of a question-answering row.
        context: the passage the question is about.
        answers: the answers; empty when the question has none.
        answered: whether the row gives answers at all, be they empty; False: there is no such column.
        is_impossible: SQuAD 2's marker; None: not given.
        tokens: words or characters of a tagged sentence; what is no string is kept as it is.
        tags: their tags, names or numbers.
        messages: of a conversation, each at least with `role` and `content` (strings), ShareGPT's speakers translated.
        score: a similarity.
        id: what the row calls itself.
        values: the row as the file gives it.
        lines: physical lines it takes.
        fields: fields it has in a table, else 0.
    """

    where: str
    text: str | None = None
    text_pair: str | None = None
    label: Any = None
    question: str | None = None
    context: str | None = None
    answers: tuple[Answer, ...] = ()
    answered: bool = False
    is_impossible: bool | None = None
    tokens: tuple[Any, ...] = ()
    tags: tuple[Any, ...] = ()
    messages: tuple[Mapping[str, Any], ...] = ()
    score: float | None = None
    id: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    lines: int = 1
    fields: int = 0

    @property
    def texts(self) -> Iterator[tuple[str, str]]:
        """Each text a model would read, with its role; a tagged sentence joined by spaces."""
        for role in ("text", "text_pair", "question", "context"):
            text = getattr(self, role)
            if text is not None:
                yield role, text
        if self.tokens:
            yield "tokens", " ".join(token for token in self.tokens if isinstance(token, str))
        for message in self.messages:
            yield "messages", message["content"]


def example_of(row: Row, columns: Mapping[str, str], shape: Shape) -> Example:
    """The row in the words of its task.

    Args:
        row: a row that could be read.
        columns: role -> column.
        shape: what the rows are.
    """
    values = row.values
    given = {role: value_of(values, column) for role, column in columns.items()}
    strings = {
        role: given[role] for role in ("text", "text_pair", "question", "context") if isinstance(given.get(role), str)
    }
    identity = given.get("id")
    impossible = values.get("is_impossible")
    return Example(
        where=row.where,
        **strings,
        label=_absent(given.get("label")),
        answers=_answers(given.get("answers"), values) if "answers" in columns else (),
        answered="answers" in columns and given["answers"] is not None,
        is_impossible=impossible if isinstance(impossible, bool) else _truth(impossible),
        tokens=_sequence(given.get("tokens")),
        tags=_sequence(given.get("tags")),
        messages=_conversation(given.get("messages"), values) if shape == "chat" else (),
        score=score_of(given.get("score")),
        id=None if identity is None or isinstance(identity, (dict, list)) else str(identity)[:200],
        values=values,
        lines=row.lines,
        fields=row.fields,
    )


def number_of(text: str) -> int | float | None:
    """The number a csv cell holds, as pandas reads it; None when it holds none."""
    if re.fullmatch(r"\s*[-+]?[0-9]{1,18}\s*", text):
        return int(text)
    if re.fullmatch(r"\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?\s*", text[:64]) and len(text) <= 64:
        return float(text)
    return None


def _absent(value: Any) -> Any:
    """None for what is no value: null, NaN."""
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124 - NaN is not itself


def _truth(value: Any) -> bool | None:
    return {"true": True, "false": False, "1": True, "0": False}.get(str(value).strip().lower()[:8])


def score_of(value: Any) -> float | None:
    """A similarity as a number, None for what is none."""
    if isinstance(value, str):
        value = number_of(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:  # noqa: PLR0124 - NaN
        return None
    return float(value) if abs(value) < 2**63 else None


def _sequence(value: Any) -> tuple[Any, ...]:
    """A list, or the list that a csv cell spells out."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = _literal(value)
    return tuple(value) if isinstance(value, (list, tuple)) else ()


def _literal(text: str) -> Any:
    """The JSON or Python literal that a cell spells out; the text itself when it is neither."""
    if len(text) > _LITERAL_LIMIT:
        return text
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
    return text


def _start(value: Any) -> int | None:
    if isinstance(value, str):
        value = number_of(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _answers(value: Any, values: Mapping[str, Any]) -> tuple[Answer, ...]:
    """Answers of SQuAD's list, of `datasets`' two lists, or of two columns."""
    if isinstance(value, str):
        read = _literal(value) if value.lstrip()[:1] in {"[", "{"} else value
        if isinstance(read, str):
            start = next((values[name] for name in ("answer_start", "start", "start_position") if name in values), None)
            return (Answer(read, _start(start)),) if read else ()
        value = read
    if isinstance(value, Mapping):
        texts, starts = value.get("text"), value.get("answer_start")
        if isinstance(texts, str):
            return (Answer(texts, _start(starts)),)
        if not isinstance(texts, (list, tuple)):
            return ()
        places = list(starts) if isinstance(starts, (list, tuple)) else []
        places += [None] * (len(texts) - len(places))
        return tuple(Answer(t, _start(s)) for t, s in zip(texts, places, strict=False) if isinstance(t, str))
    found: list[Answer] = []
    for item in value if isinstance(value, (list, tuple)) else ():
        if isinstance(item, Mapping) and isinstance(item.get("text"), str):
            found.append(Answer(item["text"], _start(item.get("answer_start"))))
        elif isinstance(item, str):
            found.append(Answer(item, None))
    return tuple(found)


def _conversation(value: Any, values: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The messages of a conversation, or those a prompt and its completion make."""
    if isinstance(value, (list, tuple)):
        return tuple(_message(item) for item in value if isinstance(item, Mapping))
    turns: list[Mapping[str, Any]] = []
    for names, role in ((("prompt", "instruction"), "user"), (("completion", "response", "output"), "assistant")):
        said = next((values[name] for name in names if name in values), None)
        if isinstance(said, str):
            more = values.get("input") if role == "user" else None
            turns.append({"role": role, "content": f"{said}\n{more}" if isinstance(more, str) and more else said})
        elif isinstance(said, (list, tuple)):
            turns += [_message(item) for item in said if isinstance(item, Mapping)]
    return tuple(turns)


def _message(item: Mapping[str, Any]) -> Mapping[str, Any]:
    speaker = item.get("from")
    role = item.get("role", _SPEAKERS.get(speaker, speaker) if isinstance(speaker, str) else None)
    content = item.get("content", item.get("value"))
    if isinstance(content, (list, tuple)):
        parts = (part.get("text") for part in content if isinstance(part, Mapping))
        content = "".join(part for part in parts if isinstance(part, str))
    role = role if isinstance(role, str) else ""
    # Gemma's template takes `model` as it is; any other name of a `role` goes to the template as written
    return {
        **item,
        "role": "assistant" if role == "model" else role,
        "content": content if isinstance(content, str) else "",
    }
