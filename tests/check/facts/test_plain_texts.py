"""Folds and screens by the compiled kernel are those of polars and Python."""

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from corpus.hostile import texts
from pretune.check.facts.plain_texts import forget, look_at
from pretune.check.facts.repeats import folded_text
from pretune.check.facts.row_hashes import folded_hashes
from pretune.check.facts.screens import screened
from pretune.corpus.kernel import kernel

pytestmark = pytest.mark.skipif(kernel() is None, reason="the package was built without the kernel")

ODD = [
    *(
        "",
        " ",
        "x" * 100,
        "x" * 101,
        "가" * 101,
        "a" * 60 + " " + "b" * 60,
        "ab-" * 50,
        "Ａ" * 99 + "ГД",
        "\u3000" * 120,
    ),
    *(
        "\u1100\u1161",
        "í•œ",
        "Ã¤",
        "갃 갃갃",
        "\ufffd",
        "a\u200bb",
        "\u202e",
        "\xa0",
        "\x01",
        "&amp;",
        "<br/>",
        "\\n",
        "\\u1234",
    ),
    *("¡¢£¤", "ﬀ", "İ", "ς", "e\u0301", "\U0001f600", "가\u11a8"),
]


def both(series, monkeypatch):
    """Hashes, sizes and screens, with the kernel and without."""
    found = []
    for without in ("", "1"):
        monkeypatch.setenv("PRETUNE_NO_KERNEL", without)
        forget()
        hashes, sizes = folded_hashes(series)
        screens = {name: rows.to_list() for name, rows in screened(series, table=True).items()}
        found.append((hashes.to_list(), sizes.to_list(), screens))
    forget()
    return found


def test_odd_texts_are_the_same_either_way(monkeypatch):
    """Each screen finds something, and finds the same."""
    series = pl.Series([*ODD, None, *texts(2000, seed=8), *(text * 3 for text in ODD), "nan"])
    with_kernel, without = both(series, monkeypatch)
    assert with_kernel == without
    assert len(with_kernel[2]) >= 10


@given(st.lists(st.none() | st.text(max_size=20) | st.sampled_from(ODD), max_size=20))
@example([])
@example([None])
def test_any_texts_are_the_same_either_way(strings):
    """Whatever stands there."""
    strings = [text if text is None else text.encode("utf-8", "replace").decode() for text in strings]
    with pytest.MonkeyPatch.context() as patch:
        with_kernel, without = both(pl.Series(strings, dtype=pl.String), patch)
    assert with_kernel == without


def test_texts_are_folded_as_python_does():
    """Every character of the first planes beside a letter."""
    every = [f"A{chr(code)}b" for code in range(0x20000) if not 0xD800 <= code <= 0xDFFF]
    look = look_at(pl.Series(every))
    assert look.folded.to_list() == [folded_text(text) for text in every]
    forget()


def test_a_look_is_kept_for_the_same_texts():
    """Asked for folds and for screens, texts are looked at once."""
    series = pl.Series(["a"])
    assert look_at(series) is look_at(series)
    assert look_at(pl.Series(["a"])) is not look_at(series)
    forget()
