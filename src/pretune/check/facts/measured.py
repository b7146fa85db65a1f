"""The first rows of a split, measured one by one: Row, measure. Knows no limits and no rule.

Lengths count tokens with special tokens. A chat is measured by its messages' words alone, a text of more than 50,000
characters by its beginning: both are lower bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import tokenizers

    from pretune.check.facts.data import Example, Split

MOST_CHARACTERS = 300_000
"""Rows of a split are measured until so many distinct characters have been encoded (0.2 s of Korean WordPiece)."""
LONGEST_TEXT = 50_000
"""Characters of one text that are encoded."""


@dataclass(frozen=True, slots=True)
class Row:
    """A measured row.

    Attributes:
        where: its place.
        total: its tokens, special ones included.
        first: tokens of the first text: the question, or the only text.
        second: tokens of the second text: the context; 0 without one.
        answers: for each answer whose place is given, its first and last token, counted in the context.
        prompt: of a chat, the tokens before the assistant's first words; None: no chat, or no such words.
        whole: its texts were counted to their ends.
    """

    where: str
    total: int
    first: int
    second: int = 0
    answers: tuple[tuple[int, int], ...] = ()
    prompt: int | None = None
    whole: bool = True

    @property
    def specials(self) -> int:
        """Its special tokens."""
        return self.total - self.first - self.second

    def room(self, limit: int) -> int:
        """Tokens that a limit leaves for the text that is cut: the second one, else the only one."""
        return limit - self.specials - (self.first if self.second else 0)


def measure(encoder: tokenizers.Tokenizer, split: Split) -> tuple[list[Row], bool]:
    """The first rows of a split, and whether there are more; each distinct text is encoded once.

    A context under many questions costs nothing more.

    Args:
        encoder: what encodes them.
        split: their split.
    """
    specials = (int(encoder.num_special_tokens_to_add(False)), int(encoder.num_special_tokens_to_add(True)))
    more = split.sampled or split.total > len(split.rows)
    known: dict[str, Any] = {}
    measured, room = list[Row](), MOST_CHARACTERS
    for row in split.rows:
        texts = _texts(row)
        new = [text for text in dict.fromkeys(texts) if text not in known]
        room -= sum(map(len, new))
        if room < 0 and measured:
            return measured, True
        for text in new:
            known[text] = encoder.encode(text, add_special_tokens=False)
        counts = [len(known[text].ids) for text in texts]
        if row.messages:
            answered = any(message["role"] == "assistant" for message in row.messages)
            measured.append(
                Row(row.where, sum(counts) + specials[0], sum(counts), prompt=counts[0] if answered else None)
            )
        elif texts:
            total = sum(counts) + specials[len(texts) - 1]
            spans = _answer_tokens(row, texts[1], known[texts[1]]) if row.answers and len(texts) == 2 else ()
            second, whole = counts[1] if len(counts) > 1 else 0, max(map(len, texts)) < LONGEST_TEXT
            measured.append(Row(row.where, total, counts[0], second, spans, whole=whole))
    return measured, more


def _texts(row: Example) -> list[str]:
    """The texts that are encoded together: one or two, or a chat's prompt and the rest of it.

    A lone surrogate, which no tokenizer takes, is a `?`.
    """
    if row.messages:
        first = next(
            (at for at, message in enumerate(row.messages) if message["role"] == "assistant"), len(row.messages)
        )
        said = [message["content"] for message in row.messages]
        texts = ["\n".join(said[:first]), "\n".join(said[first:])]
    elif row.question is not None and row.context is not None:
        texts = [row.question, row.context]
    else:
        texts = [text for _, text in row.texts][:2]
    return [text[:LONGEST_TEXT].encode("utf-8", "replace").decode() for text in texts]


def _answer_tokens(row: Example, context: str, encoding: Any) -> tuple[tuple[int, int], ...]:
    """(first, last) context token of each answer whose place is given; a place between tokens counts to the next."""
    spans = []
    for answer in row.answers:
        if answer.start is None or not answer.text.strip() or not 0 <= answer.start < len(context):
            continue
        end = min(answer.start + len(answer.text.rstrip()), len(context))
        first = _token_at(encoding, range(answer.start, end))
        last = _token_at(encoding, range(end - 1, answer.start - 1, -1))
        if first is not None and last is not None:
            spans.append((first, last))
    return tuple(spans)


def _token_at(encoding: Any, characters: Sequence[int]) -> int | None:
    """The token of the first of these characters that has one; white space has none."""
    found = (encoding.char_to_token(at) for at in characters)
    return next((token for token in found if token is not None), None)
