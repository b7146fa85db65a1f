"""Markers in the data: bracketed words such as [E1] or <|im_start|> that stand in many rows. Knows no rule."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pretune.artifacts.spare_names import is_spare_name
from pretune.check.finding import Unavailable

if TYPE_CHECKING:
    from pretune.check.facts.data import DataFacts
    from pretune.check.facts.tokenizer import TokenizerFacts
    from pretune.check.sources.setup import Setup

MARKER = re.compile(r"<\|\w{1,30}\|>|\[/?[^\W\d_][\w:-]{0,20}\]|</?[A-Za-z][A-Za-z0-9_:-]{0,20}>")
"""Bracketed words. `[속보]` is one too, so only capitals, spare slots and pairs of opening and closing ones count."""

CAPITALS = re.compile(r"\[/?[A-Z][A-Z0-9_:-]{0,20}\]")
HTML = frozenset(
    "a abbr b big blockquote body br code dd del div dl dt em font h1 h2 h3 h4 h5 h6 head hr html i img ins kbd li "
    "link mark math meta nowiki ol p pre q ref s samp script small source span strike strong style sub sup table tbody "
    "td tfoot th thead title tr tt u ul var".split()
)
"""Element names of HTML and wiki text: markup left in the data, which a data rule reports, not markers."""

COMMON = 0.1
"""A marker stands in at least this share of the rows, and in no fewer than ten."""


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker, the share of rows it stands in, what it is encoded as, and the first place."""

    text: str
    share: float
    tokens: tuple[str, ...]
    where: str


@dataclass(frozen=True, slots=True)
class MarkerFacts:
    """The frequent markers of the data; `split` those that are cut into pieces; `sampled`: there are further rows."""

    markers: tuple[Marker, ...]
    split: tuple[Marker, ...]
    sampled: bool = False


def read_markers(setup: Setup, tokenizer: TokenizerFacts, data: DataFacts) -> MarkerFacts:
    """Find markers that stand in many rows, and encode them as the setup's tokenizer would.

    Raises:
        Unavailable: there are no rows.
    """
    rows = [row for split in (data.train, data.eval) for row in split.rows]
    if not rows:
        raise Unavailable("the data hold no rows")
    counted: Counter[str] = Counter()
    places: dict[str, str] = {}
    for row in rows:
        found = dict.fromkeys(marker for _, text in row.texts for marker in MARKER.findall(text))
        for marker in found:
            counted[marker] += 1
            places.setdefault(marker, row.where)
    frequent = {m: n for m, n in counted.items() if n >= max(10, COMMON * len(rows)) and not _is_markup(m)}
    frequent = {marker: count for marker, count in frequent.items() if _is_marker(marker, frequent)}
    added = {*setup.add_tokens, *setup.add_special_tokens, *tokenizer.special.values()}
    markers = tuple(
        Marker(text, count / len(rows), _pieces(tokenizer, text, added), places[text])
        for text, count in sorted(frequent.items(), key=lambda item: -item[1])
    )
    sampled = any(split.sampled or split.total > len(split.rows) for split in (data.train, data.eval))
    return MarkerFacts(markers, tuple(marker for marker in markers if len(marker.tokens) > 1), sampled)


def _is_marker(text: str, frequent: dict[str, int]) -> bool:
    """More than a word in brackets: <...>, capitals, a spare slot's name, or one whose other half is there too."""
    if text.startswith("<") or CAPITALS.fullmatch(text) or is_spare_name(text):
        return True
    partner = f"[{text[2:]}" if text.startswith("[/") else f"[/{text[1:]}"
    return partner in frequent


def _is_markup(marker: str) -> bool:
    return marker.startswith("<") and marker.strip("</>").lower() in HTML


def _pieces(tokenizer: TokenizerFacts, text: str, added: set[str]) -> tuple[str, ...]:
    if text in added:
        return (text,)
    return tuple(tokenizer.cut(text))
