"""Family DAT, characters that should not be there: invisible ones, controls, markup, escapes; and words without end.

Knows no tokenizer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.hits import Hits
    from pretune.check.facts.split import DataFacts
    from pretune.check.finding import Rule
    from pretune.check.sources.setup import Setup


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
    shares = [split.share(split.hit("invisible")) for split in data.splits]
    for split in data.splits:
        hits = split.hit("invisible")
        if not hits:
            continue
        one_sided = len(shares) == 2 and min(shares) == 0
        level = by_share(split.share(hits), warning=0.02 if one_sided else 0.05)
        alone = ", the other split none" if one_sided else ""
        yield Problem(
            f"{split.found(hits)} hold invisible characters ({_named(hits)}){alone}", hits[0].where, level=level
        )


def _named(hits: Hits) -> str:
    """The most frequent characters of those found."""
    return ", ".join(f"U+{ord(char):04X}" for char, _ in hits.common(3))


@rule("DAT027", Level.NOTE)
def no_break_spaces(data: DataFacts) -> Iterator[Problem]:
    """Text holds no-break spaces (U+00A0), mostly left over from web pages.

    Why: BERT's normaliser reads them as spaces, byte-level tokenizers as two more bytes: words may split differently.
    Fix: replace them by spaces, for training, evaluation and use alike.
    """
    for split in data.splits:
        hits = split.hit("no-break")
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
        hits = split.hit("control")
        if hits:
            level = by_share(split.share(hits), warning=0.01)
            yield Problem(f"{split.found(hits)} hold control characters ({_named(hits)})", hits[0].where, level=level)


@rule("DAT029", Level.NOTE)
def markup_left_in_text(data: DataFacts) -> Iterator[Problem]:
    """HTML tags or entities are left in the text.

    Why: `&quot;` and `<br />` cost tokens and may teach the model markup instead of language.
    Fix: html.unescape(text), and remove the tags, unless they are meant.
    """
    for split in data.splits:
        for what, name in (("HTML entities", "entity"), ("HTML tags", "tag")):
            hits = split.hit(name)
            if split.share(hits) >= 0.005 or len(hits) >= 20:
                found = f"{split.found(hits)} hold {what} such as {shown(hits[0].said[0])}, which may not be meant"
                yield Problem(found, hits[0].where)


@rule("DAT030", Level.NOTE)
def escapes_left_in_text(data: DataFacts) -> Iterator[Problem]:
    r"""Escapes such as a backslash and an n are left in the text.

    Why: `\n` written out is two characters that no page shows; it sticks to the words beside it.
    Fix: replace the escapes by what they stand for, and mind answer_start, which counts them.
    """
    for split in data.splits:
        hits = split.hit("escape")
        if split.share(hits) >= 0.01:
            such = shown(hits[0].said[0])
            found = f"{split.found(hits)} hold escapes such as {such} written out, which may not be meant"
            yield Problem(found, hits[0].where)


@rule("DAT031", Level.NOTE)
def very_long_words(data: DataFacts, setup: Setup) -> Iterator[Problem]:
    """Words run on for more than 100 characters.

    Why: no writing has them: spaces were lost, or it is no text. WordPiece reads such a word as one [UNK], which is
    told of by itself where the tokenizer is known.
    Fix: look at them; put the spaces back where they were lost.
    """
    for split in data.splits if setup.model is None and setup.tokenizer is None else ():
        hits = split.hit("long-word")
        if hits:
            message = f"{split.found(hits)} hold a word of over 100 characters, the longest {number(hits.longest)}"
            yield Problem(message, hits[0].where)


RULES: tuple[Rule, ...] = (
    invisible_characters,
    no_break_spaces,
    control_characters,
    markup_left_in_text,
    escapes_left_in_text,
    very_long_words,
)
