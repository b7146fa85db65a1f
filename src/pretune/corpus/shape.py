"""What kind of example rows are, by the names of their columns: NAMES, recognise, columns_for. Knows no formats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from pretune.core.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Shape = Literal["squad", "classification", "pair", "sts", "tagging", "chat", "text"]

NAMES: Mapping[str, tuple[str, ...]] = {
    "question": ("question", "query", "질문"),
    "context": ("context", "passage", "paragraph", "document", "text", "지문", "본문"),
    "answers": ("answers", "answer", "answer_text", "정답"),
    "text": (
        *("text", "document", "sentence", "review", "content", "contents", "comment", "comments", "utterance"),
        *("tweet", "message", "body", "input", "문장", "리뷰", "내용", "발화", "댓글", "title", "제목"),
    ),
    "first": (
        "text",
        "sentence1",
        "premise",
        "text1",
        "question1",
        "text_a",
        "sentence_a",
        "sentence_1",
        "query",
        "anchor",
    ),
    "text_pair": (
        *(
            "text_pair",
            "sentence2",
            "hypothesis",
            "text2",
            "question2",
            "text_b",
            "sentence_b",
            "sentence_2",
            "positive",
        ),
    ),
    "label": (
        *("label", "labels", "gold_label", "target", "class", "category", "sentiment", "intent", "emotion", "topic"),
        *("라벨", "레이블", "감정", "분류"),
    ),
    "score": ("score", "similarity", "similarity_score", "relatedness_score", "labels.label", "label", "유사도"),
    "tokens": ("tokens", "words", "token"),
    "tags": ("ner_tags", "tags", "ner", "pos_tags", "labels", "tag"),
    "messages": ("messages", "conversations", "conversation", "dialogue", "chat"),
    "prompt": ("prompt", "instruction", "question", "input"),
    "completion": ("completion", "response", "output", "answer", "chosen"),
    "id": ("id", "guid", "qid", "idx", "index"),
}
"""Role -> the names its columns usually have, the likeliest first. `a.b` is the key b inside the column a."""

ROLES: Mapping[Shape, tuple[str, ...]] = {
    "squad": ("question", "context", "answers", "id"),
    "classification": ("text", "label", "id"),
    "pair": ("text", "text_pair", "label", "id"),
    "sts": ("text", "text_pair", "score", "id"),
    "tagging": ("tokens", "tags", "id"),
    "chat": ("messages", "id"),
    "text": ("text", "id"),
}
"""Shape -> the roles an example of it has."""

KNOWN: frozenset[str] = frozenset(name for names in NAMES.values() for name in names)


def folded(column: str) -> str:
    """A column's name as it is compared: without case, spaces around it and a byte order mark."""
    return column.replace("\ufeff", "").strip().casefold()


def value_of(values: Mapping[str, Any], column: str) -> Any:
    """The value of a column; `a.b` looks into the mapping that column a holds. None when there is none."""
    if column in values:
        return values[column]
    outer, dot, inner = column.partition(".")
    within = values.get(outer) if dot else None
    return within.get(inner) if isinstance(within, Mapping) else None


def has_column(values: Mapping[str, Any], column: str) -> bool:
    """True when `value_of` would find it, be it None."""
    outer, dot, inner = column.partition(".")
    within = values.get(outer) if dot else None
    return column in values or (isinstance(within, Mapping) and inner in within)


def recognise(columns: Iterable[str], row: Mapping[str, Any] | None = None) -> Shape:
    """The shape that rows with these columns probably have; a first row tells scores from classes.

    Returns:
        "text" when nothing else fits.
    """
    names = {folded(column) for column in columns}
    row = {folded(column): value for column, value in (row or {}).items()}
    label = next((row[name] for name in NAMES["label"] if name in row), None)

    def has(role: str, *, but: frozenset[str] = frozenset()) -> bool:
        return bool(names & (set(NAMES[role]) - but))

    if names & {"messages", "conversations", "conversation"}:
        return "chat"
    if names & {"question", "질문"} and names & {"context", "passage", "paragraph", "지문", "본문"}:
        return "squad"
    if names & {"prompt", "instruction"} and has("completion"):
        return "chat"
    if has("tokens") and has("tags"):
        return "tagging"
    if has("first") and has("text_pair"):
        continuous = isinstance(label, float) and not label.is_integer()
        if names & (set(NAMES["score"]) - {"label"}) or isinstance(label, Mapping) or continuous:
            return "sts"
        return "pair"
    if has("text") and has("label"):
        return "classification"
    return "text"


def columns_for(shape: Shape, values: Mapping[str, Any]) -> dict[str, str]:
    """Role -> column, for the roles of the shape whose column goes by a usual name.

    Args:
        shape: what the rows are.
        values: a row, or all columns with a sample value each (None where unknown).
    """
    actual = {folded(column): column for column in reversed(list(values))}
    found: dict[str, str] = {}
    for role in ROLES[shape]:
        names = NAMES["first"] if role == "text" and shape in {"pair", "sts"} else NAMES[role]
        for name in names:
            outer, dot, inner = name.partition(".")
            if outer not in actual or actual[outer] in found.values():
                continue
            column = actual[outer] + dot + inner
            holds = value_of(values, column)
            if has_column(values, column) and not (role in {"label", "score"} and isinstance(holds, Mapping)):
                found[role] = column
                break
    if shape == "pair" and "label" not in found and has_column(values, "labels.binary-label"):
        found["label"] = "labels.binary-label"  # KLUE-STS as a paraphrase task
    return found


def refuse_unknown_columns(label: str, columns: Sequence[str], wanted: Iterable[str]) -> None:
    """Raise when a wanted column is not there.

    Raises:
        UserError: names the columns there are, and the nearest one.
    """
    for name in wanted:
        if name not in columns:
            there = ", ".join(columns[:20]) or "none"
            raise UserError(
                f'{label} has no column "{name}"; its columns are {there}', hint=did_you_mean(name, columns)
            )
