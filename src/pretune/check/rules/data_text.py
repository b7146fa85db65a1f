"""Family DAT, text: null, blank, decomposed (NFD), mojibake, characters lost in decoding.

Knows no tokenizer; how one reads such text is the family TOK's business.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.data_marks import INVISIBLE, by_share
from pretune.check.rules.mangled import undone
from pretune.check.rules.wording import number, percent, shown
from pretune.corpus.shape import value_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.example import Example
    from pretune.check.facts.split import DataFacts
    from pretune.check.finding import Rule

_JAMO = re.compile("[\u1100-\u1112][\u1161-\u1175]")
_MISSING = frozenset({"nan", "NaN", "NA", "N/A", "n/a", "null", "NULL", "None", "<NA>", "#N/A", "-nan", "-NaN", "#NA"})
"""What pandas reads as a missing value, besides the empty cell."""


@rule("DAT020", Level.ERROR)
def null_text(data: DataFacts) -> Iterator[Problem]:
    """Rows have null, or something that is no text, where text is expected.

    Why: the tokenizer raises in the middle of the map, or a NaN becomes the word "nan".
    Fix: remove these rows, or fill them with text.
    """
    for split in data.splits:
        roles = {role for file in split.files for role in file.roles} & {"text", "text_pair", "question", "context"}
        for role in sorted(roles):
            columns = {file.roles[role] for file in split.files if role in file.roles}
            hits = [row for row in split.rows if getattr(row, role) is None]
            if hits and len(hits) < len(split.rows):
                kinds = Counter(_kind(row, columns) for row in hits).most_common(2)
                what = " or ".join(kind for kind, _ in kinds)
                yield Problem(f"{split.found(hits)} have {what} as {role}, expected text", hits[0].where)
            elif hits and split.rows:
                kind = _kind(hits[0], columns)
                yield Problem(
                    f"all {number(len(hits))} {split.name} rows have {kind} as {role}, expected text", hits[0].where
                )


def _kind(row: Example, columns: set[str]) -> str:
    value = next((value for column in columns if (value := value_of(row.values, column)) is not None), None)
    if value is None or value != value:  # noqa: PLR0124 - NaN is not itself
        return "null"
    names = {bool: "a truth value", int: "a number", float: "a number", list: "a list", dict: "a mapping"}
    return names.get(type(value), type(value).__name__)


def _blank(text: str) -> bool:
    return not text.strip() or not INVISIBLE.sub("", text).strip(" \t\r\n\ufe0f")


@rule("DAT021", Level.WARNING)
def blank_text(data: DataFacts) -> Iterator[Problem]:
    """Rows have empty or blank text.

    Why: only special tokens are left of them, with a label to learn; pandas reads an empty cell as NaN, on which the
    tokenizer raises.
    Fix: remove these rows.
    """
    for split in data.splits:
        roles: dict[str, list[Example]] = {}
        for row in split.rows:
            for role, text in row.texts:
                # a message may be empty by design (a tool call); a pair's second text too
                if role in {"text", "question", "context", "text_pair"} and _blank(text):
                    roles.setdefault(role, []).append(row)
        for role, hits in roles.items():
            unseen = sum(bool(getattr(row, role).strip()) for row in hits)
            hidden = f", {unseen} of them of invisible characters only" if unseen else ""
            yield Problem(f"{role} is blank in {split.found(hits)}{hidden}", hits[0].where)


@rule("DAT022", Level.NOTE)
def text_that_pandas_takes_for_missing(data: DataFacts) -> Iterator[Problem]:
    """Cells of a table hold words such as `NA` or `null` that pandas takes for missing values.

    Why: pandas.read_csv and load_dataset("csv") turn them into NaN; the tokenizer may raise on them.
    Fix: read with keep_default_na=False.
    """
    for split in data.splits:
        tables = tuple(f"{file.path}:" for file in split.files if file.format == "table")
        hits = (
            [row for row in split.rows if row.where.startswith(tables) and {text for _, text in row.texts} & _MISSING]
            if tables
            else []
        )
        if hits:
            word = next(text for _, text in hits[0].texts if text in _MISSING)
            yield Problem(
                f"{split.found(hits)} have a text such as {shown(word)}, which pandas may read as missing",
                hits[0].where,
            )


@rule("DAT023", Level.WARNING)
def decomposed_hangul(data: DataFacts) -> Iterator[Problem]:
    """Hangul is written in single jamo (NFD, as file names from macOS are).

    Why: it looks the same, but most tokenizers know only whole syllables: words become [UNK] or fall apart, and equal
    texts no longer compare equal.
    Fix: unicodedata.normalize("NFC", text), for training, evaluation and use alike.
    """
    shares = {
        split.name: (split, hits, split.share(hits)) for split in data.splits if (hits := split.holding(_decomposed))
    }
    for split, hits, share in shares.values():
        other = [s for s in data.splits if s.name != split.name]
        apart = (
            f", while {other[0].name} has {percent(shares[other[0].name][2]) if other[0].name in shares else 'none'}"
            if other
            else ""
        )
        level = by_share(share, warning=0.001)
        yield Problem(
            f"{split.found(hits)} write Hangul decomposed (NFD), {percent(share)}{apart}", hits[0].where, level=level
        )


def _decomposed(text: str) -> bool:
    """True when NFC would compose jamo; archaic Hangul, which no syllable exists for, stays as it is."""
    return bool(_JAMO.search(text)) and unicodedata.normalize("NFC", text) != text


@rule("DAT024", Level.WARNING)
def mojibake(data: DataFacts) -> Iterator[Problem]:
    """Text was decoded with another encoding than it was written in.

    Why: the words are gone; what is left are pieces that the model has never seen, next to labels.
    Fix: read the source again with the right encoding.
    """
    for split in data.splits:
        hits = split.holding(lambda text: undone(text) is not None)
        if hits:
            how, meant = next(found for _, text in hits[0].texts if (found := undone(text)))
            share = split.share(hits)
            was = f": {shown(meant, 20)} was meant in the first" if meant else ""
            message = f"{split.found(hits)} hold mojibake, {how}{was}"
            yield Problem(message, hits[0].where, level=by_share(share, error=0.05, warning=0.002))


@rule("DAT025", Level.WARNING)
def replacement_characters(data: DataFacts) -> Iterator[Problem]:
    """Text holds U+FFFD, which stands for characters that were lost in decoding.

    Why: the lost characters cannot be had back; every tokenizer reads U+FFFD as unknown or as three bytes.
    Fix: read the source again with the right encoding (CP949 for many Korean files), not with errors="replace".
    """
    for split in data.splits:
        hits = split.holding(lambda text: "\ufffd" in text or any("\ud800" <= char <= "\udfff" for char in text))
        if hits:
            level = by_share(split.share(hits), error=0.05, warning=0.005)
            yield Problem(
                f"{split.found(hits)} hold U+FFFD or a lone surrogate: characters lost in decoding",
                hits[0].where,
                level=level,
            )


RULES: tuple[Rule, ...] = (
    null_text,
    blank_text,
    text_that_pandas_takes_for_missing,
    decomposed_hangul,
    mojibake,
    replacement_characters,
)
