"""The rows of a block as hashes: their texts as written, and without what readers do not see. Needs polars.

The hashes are polars' own: the same on every machine with the same version, which `fingerprint` tells apart. Knows no
repetition; row_repeats.py looks for those.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pretune.check.facts.plain_texts import CAPITALS, PLAIN, forget, look_at
from pretune.check.facts.repeats import NATURAL, folded_text
from pretune.check.facts.screens import PYTHON_SPACES, spoken

if TYPE_CHECKING:
    import polars as pl

    from pretune.corpus.block import Block

_FACTOR = 0x9E3779B97F4A7C15  # 2^64 / golden ratio: an odd number without pattern


def fingerprint() -> int:
    """A number that differs where polars hashes in another way."""
    import polars as pl

    hashes = pl.Series(["", "가나다 abc", None, "x" * 100], dtype=pl.String).hash(1)
    return int(hashes.reduce_xor() if hasattr(hashes, "reduce_xor") else sum(hashes.to_list()) % 2**64)


def folded_hashes(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The hash of each text when folded (see `repeats.folded_text`), and how many characters it then has."""
    import polars as pl

    look = look_at(texts)
    if look is not None:
        return look.folded.hash(2), look.sizes
    bare = texts.str.replace_all(" ", "", literal=True)
    hashes, sizes = bare.hash(2), bare.str.len_chars()
    pattern = f"[^{PLAIN}]|[{PYTHON_SPACES}]|[{CAPITALS}]"
    some = bare.str.contains(pattern).fill_null(value=False).arg_true()
    if not len(some):
        return hashes, sizes
    rest = bare.gather(some)
    rest = rest.str.replace_all(f"[{PYTHON_SPACES}]+", "").str.to_lowercase()
    odd = texts.gather(some).str.contains(f"[^{PLAIN}]").fill_null(value=False).arg_true()
    if len(odd):
        folded = [folded_text(text) for text in texts.gather(some).gather(odd)]
        rest = rest.scatter(odd, pl.Series(folded, dtype=pl.String))
    return hashes.scatter(some, rest.hash(2)), sizes.scatter(some, rest.str.len_chars())


def text_columns(block: Block) -> pl.DataFrame:
    """The rows with text: `at`, `key` and `fold` (hashes), `flags` (1: long as written, 2: long when folded)."""
    import polars as pl

    frame = pl.DataFrame({"at": pl.int_range(block.rows, dtype=pl.UInt32, eager=True)})
    zero = pl.repeat(0, block.rows, dtype=pl.UInt64, eager=True)
    key = fold = size = bare = zero
    says = pl.repeat(value=False, n=block.rows, dtype=pl.Boolean, eager=True)
    several = len(block.texts) > 1
    for _, texts in block.roles():
        there = texts.is_not_null()
        folded, sizes = folded_hashes(texts)
        key, fold = _and(key, texts.hash(1), there, several=several), _and(fold, folded, there, several=several)
        size = size + texts.str.len_chars().fill_null(0).cast(pl.UInt64)
        bare = bare + sizes.fill_null(0).cast(pl.UInt64)
        says = says | spoken(texts).fill_null(value=False)
    forget()
    flags = (size > NATURAL).cast(pl.UInt8) + (bare > NATURAL).cast(pl.UInt8) * 2
    return frame.with_columns(key=key, fold=fold, flags=flags).filter(says)


def _and(before: pl.Series, hashes: pl.Series, there: pl.Series, *, several: bool) -> pl.Series:
    """The hash of the texts so far and one more; a text that is not there changes nothing."""
    return (before * _FACTOR + hashes).zip_with(there, before) if several else hashes


def rests(block: Block, rows: pl.Series) -> pl.Series:
    """The places of these rows, ascending, without the file's name: `:17`; few rows are asked where they stand.

    Where the places of the first and the last row are as many lines apart as the rows are, all between follow.
    """
    import polars as pl

    cut = len(block.label)
    numbers = rows.to_list()
    pieces: list[Any] = []
    waiting = [(0, len(numbers) - 1)] if numbers else []
    known: dict[int, tuple[str, int]] = {}

    def place(at: int) -> tuple[str, int]:
        if at not in known:
            known[at] = _cut(block.where(numbers[at])[cut:])
        return known[at]

    while waiting:
        first, last = waiting.pop()
        (name, start), (other, end) = place(first), place(last)
        if first == last:
            pieces.append(pl.Series([f"{name}{start}" if start >= 0 else name], dtype=pl.String))
        elif name == other and start >= 0 and end - start == numbers[last] - numbers[first]:
            count = rows.slice(first, last - first + 1).cast(pl.Int64) + (start - numbers[first])
            pieces.append(pl.select(pl.concat_str(pl.lit(name), count.cast(pl.String)))["literal"])
        else:
            middle = (first + last) // 2
            waiting += [(middle + 1, last), (first, middle)]
    return pl.concat([piece.alias("place") for piece in pieces]) if pieces else pl.Series("place", [], dtype=pl.String)


def _cut(place: str) -> tuple[str, int]:
    """A place before its last number, and the number; -1: it ends in none."""
    match = re.search(r"(?<![0-9])(0|[1-9][0-9]{0,15})$", place)
    return (place[: match.start()], int(match.group())) if match else (place, -1)
