"""Family DAT, text: null, blank, decomposed (NFD), mojibake, characters lost in decoding.

Knows no tokenizer; how one reads such text is the family TOK's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.facts.data import MUST_BE_TEXT
from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.data_marks import by_share
from pretune.check.rules.wording import number, percent, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.split import DataFacts
    from pretune.check.finding import Rule


@rule("DAT020", Level.ERROR)
def null_text(data: DataFacts) -> Iterator[Problem]:
    """Rows have null, or something that is no text, where text is expected.

    Why: the tokenizer raises in the middle of the map, or a NaN becomes the word "nan".
    Fix: remove these rows, or fill them with text.
    """
    for split in data.splits:
        for role in sorted(MUST_BE_TEXT):
            hits = split.hit(f"null:{role}")
            if hits and len(hits) < split.total:
                what = " or ".join(kind for kind, _ in hits.common(2))
                yield Problem(f"{split.found(hits)} have {what} as {role}, expected text", hits[0].where)
            elif hits:
                found = f"all {number(len(hits))} {split.name} rows have {hits[0].said[0]} as {role}, expected text"
                yield Problem(found, hits[0].where)


@rule("DAT021", Level.WARNING)
def blank_text(data: DataFacts) -> Iterator[Problem]:
    """Rows have empty or blank text.

    Why: only special tokens are left of them, with a label to learn; pandas reads an empty cell as NaN, on which the
    tokenizer raises.
    Fix: remove these rows.
    """
    for split in data.splits:
        for role in MUST_BE_TEXT:
            hits = split.hit(f"blank:{role}")
            if hits:
                unseen = hits.kinds.get("unseen", 0)
                hidden = f", {number(unseen)} of them of invisible characters only" if unseen else ""
                yield Problem(f"{role} is blank in {split.found(hits)}{hidden}", hits[0].where)


@rule("DAT022", Level.NOTE)
def text_that_pandas_takes_for_missing(data: DataFacts) -> Iterator[Problem]:
    """Cells of a table hold words such as `NA` or `null` that pandas takes for missing values.

    Why: pandas.read_csv and load_dataset("csv") turn them into NaN; the tokenizer may raise on them.
    Fix: read with keep_default_na=False.
    """
    for split in data.splits:
        hits = split.hit("missing-word")
        if hits:
            yield Problem(
                f"{split.found(hits)} have a text such as {shown(hits[0].said[0])}, which pandas may read as missing",
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
        split.name: (split, hits, split.share(hits)) for split in data.splits if (hits := split.hit("decomposed"))
    }
    for split, hits, share in shares.values():
        other = [s for s in data.splits if s.name != split.name]
        apart = ""
        if other and other[0].name in shares:
            apart = f", while {other[0].name} has {percent(shares[other[0].name][2])}"
        elif other:
            apart = f", while {other[0].name} has none"
        level = by_share(share, warning=0.001)
        yield Problem(
            f"{split.found(hits)} write Hangul decomposed (NFD), {percent(share)}{apart}", hits[0].where, level=level
        )


@rule("DAT024", Level.WARNING)
def mojibake(data: DataFacts) -> Iterator[Problem]:
    """Text was decoded with another encoding than it was written in.

    Why: the words are gone; what is left are pieces that the model has never seen, next to labels.
    Fix: read the source again with the right encoding.
    """
    for split in data.splits:
        hits = split.hit("mojibake")
        if hits:
            how, meant = hits[0].said
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
        hits = split.hit("replaced")
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
