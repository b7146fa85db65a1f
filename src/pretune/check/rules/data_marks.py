"""Family DAT, characters that should not be there: invisible ones, controls, markup, escapes; and words without end.

Knows no tokenizer.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.split import DataFacts
    from pretune.check.finding import Rule
    from pretune.check.sources.setup import Setup

INVISIBLE = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2060-\u2064\u3164\ufeff\uffa0]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_JOINERS = "\u200c\u200d"
_MARKS = "\u200e\u200f\u061c"
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|nbsp|apos|#\d{2,5}|#x[0-9a-fA-F]{2,5});")
_TAG = re.compile(
    r"</?(?:br|p|div|span|b|i|u|a|li|ul|ol|td|tr|table|font|img|strong|em|h[1-6])(?:\s[^<>]{0,200})?\s*/?>",
    re.IGNORECASE,
)
_ESCAPE = re.compile(r"(?<!\\)\\[nrt](?![a-zA-Z])|(?<!\\)\\u[0-9a-fA-F]{4}")
_RUN = re.compile(r"[^\W_]{101,}")


def by_share(share: float, *, error: float = 2.0, warning: float) -> Level:
    """How grave a fault of this share of the rows is; `error` 2.0: never an error."""
    return Level.ERROR if share >= error else Level.WARNING if share >= warning else Level.NOTE


@rule("DAT026", Level.WARNING)
def invisible_characters(data: DataFacts) -> Iterator[Problem]:
    """Text holds characters that nobody sees: zero-width spaces, byte order marks, soft hyphens, bidi controls.

    Why: they split words into other tokens than the same words elsewhere, and escape comparison. Joiners inside emoji
    and inside Persian or Indic words are meant, and not counted.
    Fix: remove them, for training, evaluation and use alike.
    """
    shares = {split.name: split.share(split.holding(lambda text: bool(invisible(text)))) for split in data.splits}
    for split in data.splits:
        hits = split.holding(lambda text: bool(invisible(text)))
        if not hits:
            continue
        counts = Counter(char for row in hits for _, text in row.texts for char in invisible(text))
        named = ", ".join(f"U+{ord(char):04X}" for char, _ in counts.most_common(3))
        one_sided = len(shares) == 2 and min(shares.values()) == 0
        level = by_share(split.share(hits), warning=0.02 if one_sided else 0.05)
        alone = ", the other split none" if one_sided else ""
        yield Problem(f"{split.found(hits)} hold invisible characters ({named}){alone}", hits[0].where, level=level)


def invisible(text: str) -> list[str]:
    """The invisible characters that are not meant: joiners between emoji or in the scripts that need them are."""
    if text.isascii():
        return []
    found = _BIDI.findall(text)
    for match in INVISIBLE.finditer(text):
        char, at = match.group(), match.start()
        if char in _JOINERS + _MARKS and (_joinable(text[at - 1 : at]) or _joinable(text[at + 1 : at + 2])):
            continue
        found.append(char)
    return found


def _joinable(char: str) -> bool:
    """True beside emoji, and beside letters of scripts that are written with joiners or from right to left."""
    if not char:
        return False
    code = ord(char)
    emoji = code >= 0x1F000 or 0x2190 <= code <= 0x2BFF or char == "\ufe0f"
    return (
        emoji
        or unicodedata.bidirectional(char) in {"R", "AL", "AN"}
        or 0x0900 <= code <= 0x109F
        or 0x1780 <= code <= 0x18AF
    )


@rule("DAT027", Level.NOTE)
def no_break_spaces(data: DataFacts) -> Iterator[Problem]:
    """Text holds no-break spaces (U+00A0), mostly left over from web pages.

    Why: BERT's normaliser reads them as spaces, byte-level tokenizers as two more bytes: words may split differently.
    Fix: replace them by spaces, for training, evaluation and use alike.
    """
    for split in data.splits:
        hits = split.holding(lambda text: "\xa0" in text)
        if split.share(hits) >= 0.02:
            yield Problem(
                f"{split.found(hits)} hold no-break spaces (U+00A0), which a tokenizer may not read as spaces",
                hits[0].where,
            )


@rule("DAT028", Level.WARNING)
def control_characters(data: DataFacts) -> Iterator[Problem]:
    """Text holds control characters, such as a NUL or a backspace.

    Why: they come from broken exports; BERT's normaliser deletes them and joins the words around them.
    Fix: remove them.
    """
    for split in data.splits:
        hits = split.holding(lambda text: bool(_CONTROL.search(text)))
        if hits:
            found = Counter(char for row in hits for _, text in row.texts for char in _CONTROL.findall(text))
            named = ", ".join(f"U+{ord(char):04X}" for char, _ in found.most_common(3))
            level = by_share(split.share(hits), warning=0.01)
            yield Problem(f"{split.found(hits)} hold control characters ({named})", hits[0].where, level=level)


@rule("DAT029", Level.NOTE)
def markup_left_in_text(data: DataFacts) -> Iterator[Problem]:
    """HTML tags or entities are left in the text.

    Why: `&quot;` and `<br />` cost tokens and may teach the model markup instead of language.
    Fix: html.unescape(text), and remove the tags, unless they are meant.
    """
    for split in data.splits:
        for what, pattern in (("HTML entities", _ENTITY), ("HTML tags", _TAG)):
            hits = split.holding(partial(_has, pattern))
            if split.share(hits) >= 0.005 or len(hits) >= 20:
                first = next(match.group() for _, text in hits[0].texts if (match := pattern.search(text)))
                yield Problem(
                    f"{split.found(hits)} hold {what} such as {shown(first)}, which may not be meant", hits[0].where
                )


def _has(pattern: re.Pattern[str], text: str) -> bool:
    return bool(pattern.search(text))


@rule("DAT030", Level.NOTE)
def escapes_left_in_text(data: DataFacts) -> Iterator[Problem]:
    r"""Escapes such as a backslash and an n are left in the text.

    Why: `\n` written out is two characters that no page shows; it sticks to the words beside it.
    Fix: replace the escapes by what they stand for, and mind answer_start, which counts them.
    """
    for split in data.splits:
        hits = split.holding(lambda text: "\\" in text and bool(_ESCAPE.search(text)))
        if split.share(hits) >= 0.01:
            first = next(match.group() for _, text in hits[0].texts if (match := _ESCAPE.search(text)))
            yield Problem(
                f"{split.found(hits)} hold escapes such as {shown(first)} written out, which may not be meant",
                hits[0].where,
            )


@rule("DAT031", Level.NOTE)
def very_long_words(data: DataFacts, setup: Setup) -> Iterator[Problem]:
    """Words run on for more than 100 characters.

    Why: no writing has them: spaces were lost, or it is no text. WordPiece reads such a word as one [UNK], which is
    told of by itself where the tokenizer is known.
    Fix: look at them; put the spaces back where they were lost.
    """
    for split in data.splits if setup.model is None and setup.tokenizer is None else ():
        hits = split.holding(lambda text: bool(_RUN.search(text)))
        if hits:
            longest = max(len(run) for row in hits for _, text in row.texts for run in _RUN.findall(text))
            message = f"{split.found(hits)} hold a word of over 100 characters, the longest {number(longest)}"
            yield Problem(message, hits[0].where)


RULES: tuple[Rule, ...] = (
    invisible_characters,
    no_break_spaces,
    control_characters,
    markup_left_in_text,
    escapes_left_in_text,
    very_long_words,
)
