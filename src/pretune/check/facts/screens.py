"""Which rows of a block a test of texts may find something in: one fast pass with regular expressions, in polars.

What a screen lets through is looked at in Python unless the screen is the very test. Knows no test but its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pretune.check.facts.mangled import SCREEN, rare_syllables
from pretune.check.facts.plain_texts import look_at
from pretune.check.facts.text_tests import BIDI, CONTROLS, INVISIBLES, JAMO, MISSING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

PYTHON_SPACES = r"\s\x1c-\x1f"
"""White space as str.strip and str.split have it, inside a character class of the regex crate."""
_BLANK = f"[^{PYTHON_SPACES}{INVISIBLES}\ufe0f]"
_MARKUP = "br|p|div|span|b|i|u|a|li|ul|ol|td|tr|table|font|img|strong|em|h[1-6]"
_SPACES = r"[ \t\r\n\f\v]"


@dataclass(frozen=True, slots=True)
class Screen:
    """What a text must hold for a test to find something.

    Attributes:
        pattern: for the regex crate, which has no look-around.
        exact: a text that holds it is a hit, and nothing is counted in it.
        first: a cheaper pattern that must be found before; empty: none.
    """

    pattern: str
    exact: bool = False
    first: str = ""


@lru_cache(maxsize=1)
def screens() -> Mapping[str, Screen]:
    """Name of a test -> its screen; `missing-word` and `blank` have other ones."""
    rare = f"[{rare_syllables()}]"
    return {
        "decomposed": Screen(JAMO, exact=True),
        "mojibake": Screen(f"(?s){SCREEN}|{rare}.*?{rare}.*?{rare}"),
        "replaced": Screen("\ufffd", exact=True),
        "invisible": Screen(f"[{INVISIBLES}{BIDI}]"),
        "no-break": Screen("\xa0", exact=True),
        "control": Screen(f"[{CONTROLS}]"),
        "entity": Screen("&(?:amp|lt|gt|quot|nbsp|apos|#[0-9]{2,5}|#x[0-9a-fA-F]{2,5});", exact=True),
        "tag": Screen(f"</?(?i-u:{_MARKUP})(?:{_SPACES}[^<>]{{0,200}})?{_SPACES}*/?>", exact=True, first="<"),
        "escape": Screen(r"(?:^|[^\\])\\(?:[nrt](?:[^a-zA-Z]|$)|u[0-9a-fA-F]{4})", exact=True, first=r"\\[nrtu]"),
        "long-word": Screen(r"[^\s\x00-/:-@\[-`{-\x7f]{101}"),
    }


def screened(texts: pl.Series, *, table: bool) -> dict[str, pl.Series]:
    """Name of a test -> the numbers of the texts that its screen lets through, ascending; none: not there."""
    import polars as pl

    found: dict[str, Any] = {}
    numbered = every = pl.DataFrame({"at": pl.int_range(len(texts), dtype=pl.UInt32, eager=True), "text": texts})
    look = look_at(texts)
    if look is not None:
        numbered = pl.DataFrame({"at": look.some, "text": texts.gather(look.some)})
    passes: dict[str, list[str]] = {"": [], "long-word": []}
    for name, screen in screens().items():
        passes.setdefault(screen.first or ("long-word" if name == "long-word" else ""), []).append(name)
    column = pl.col("text")
    for first, names in passes.items():
        if first == "long-word":
            some = numbered.filter(column.str.len_bytes() > 100)
        else:
            some = numbered.filter(column.str.contains(first or _any(tuple(names))))
        if some.is_empty():
            continue
        for name in names:
            rows = some.filter(column.str.contains(screens()[name].pattern))["at"]
            if len(rows):
                found[name] = rows
    if table:
        found["missing-word"] = every.filter(column.is_in(sorted(MISSING)))["at"]
    return {name: rows for name, rows in found.items() if len(rows)}


@lru_cache(maxsize=8)
def _any(names: tuple[str, ...]) -> str:
    return "|".join(f"(?:{screens()[name].pattern})" for name in names)


def blanks(texts: pl.Series) -> pl.Series:
    """The numbers of the texts that may be blank."""
    return (~texts.str.contains(_BLANK)).fill_null(value=False).arg_true()


def spoken(texts: pl.Series) -> pl.Series:
    """Whether a text holds anything but white space; null where there is none."""
    return texts.str.contains(f"[^{PYTHON_SPACES}]")
