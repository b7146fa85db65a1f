"""Frequent words that fall into many pieces, as candidates for tokens of their own. Knows no tokenizer's files.

Words are freed of markup, links and punctuation; a Korean particle is kept apart where the corpus shows that it is one
(the same stem stands there with another particle, or with none), or where nothing else ends so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pretune.corpus.figures import Candidate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import tokenizers

    from pretune.corpus.vocabulary_marks import Marks

ASKED = 20_000
"""Stems that are encoded: the most frequent ones."""

BATCH = 1000

FEWEST = 3
"""Occurrences below which a word is no candidate."""

_CLOSED = (
    "은 이 을 과 으로 이나 이라 이라고 이란 이며 이랑 아 이여 이든 이나마 이라도 이라는 이었 인 입니다 이다 이고 이지만"
).split()
"""Forms that stand after a syllable with a final consonant (batchim) only."""
_OPEN = "는 가 를 와 로 나 라 라고 란 며 랑 야 여 든 나마 라도 라는 였 다 고".split()
"""Forms that stand after a syllable without one; 로 also after a final ㄹ."""
_EITHER = (
    "의 에 에서 에게 에게서 께 께서 한테 한테서 부터 까지 도 만 만큼 보다 처럼 같이 마다 조차 마저 "
    "밖에 뿐 대로 하고 "
    "에는 에도 에서는 에서도 에만 으로는 으로도 로는 로도 까지는 부터는 에게는 만의 만을 만이 "
    "들 들이 들은 들을 들의 들도 들에게 들과"
).split()
_ENDINGS = {"다", "고", "였", "야", "아"}
"""What verbs end in as well, where there is no noun before it."""

PARTICLES: tuple[str, ...] = tuple(
    sorted({*_CLOSED, *_OPEN, *_EITHER} - _ENDINGS, key=lambda particle: (-len(particle), particle))
)
"""Korean particles (josa) and what commonly follows a noun in their place, the longest first."""

_SURE = frozenset("을 를 에서 에게 에서는 에서도 에게서 으로 에는 까지 부터".split())
"""Particles that no word of four syllables or more ends in by chance."""

_CLOSED_ONLY = frozenset(p for p in (*_CLOSED, "으로는", "으로도"))
_OPEN_ONLY = frozenset(p for p in (*_OPEN, "로는", "로도"))


def fits(stem: str, particle: str) -> bool:
    """Whether a particle may follow a stem by its last syllable: 은 after 집, 는 after 나무, 로 after 서울 and 나무."""
    final = (ord(stem[-1]) - 0xAC00) % 28
    if particle in _CLOSED_ONLY:
        return final != 0 and not (particle.startswith("으로") and final == 8)
    if particle in _OPEN_ONLY:
        return final == 0 or (particle.startswith("로") and final == 8)
    return True


def _fitting(stems: pl.Series, particles: pl.Series) -> pl.Series:
    """`fits`, for each stem of Hangul and the particle behind it."""
    last = "".join(stems.str.tail(1).to_list()).encode("utf-32-le")
    finals = pl.Series((np.frombuffer(last, np.uint32).astype(np.int64) - 0xAC00) % 28)
    closed, opened = particles.is_in(list(_CLOSED_ONLY)), particles.is_in(list(_OPEN_ONLY))
    wrong = closed & ((finals == 0) | (particles.str.starts_with("으로") & (finals == 8)))
    return ~(wrong | (opened & (finals != 0) & ~(particles.str.starts_with("로") & (finals == 8))))


def stems(words: pl.DataFrame) -> pl.DataFrame:
    """Words as they would be added to a vocabulary.

    Args:
        words: columns `word` and `count`.

    Returns:
        Columns `word` (the stem) and `count`, most frequent first, then by code points.
    """
    # most words need no pattern but this one
    plain = words["word"].str.contains(r"\A\p{L}[\p{L}\p{M}\p{N}]*\z")
    found = [
        words.filter(plain),
        words.filter(~plain)
        .with_columns(
            pl.col("word")
            .str.replace_all(r"(?i)\b(?:https?|ftp)://\S+|\bwww\.\S+|\S+@\S+\.\w+", " ")
            .str.replace_all(r"<[^<>]*>?|^[^<>]*\">|&#?\w+;|\w+=(?:\"[^\"]*\"?|'[^']*'?)", " ")
            .str.extract_all(r"\p{L}[\p{L}\p{M}\p{N}]*(?:['’\-]\p{Latin}[\p{Latin}\p{M}\p{N}]*)*")
        )
        .explode("word")
        .drop_nulls(),
    ]
    runs = pl.concat(found).group_by("word").agg(pl.col("count").sum())
    parted = _parted(runs)
    return parted.group_by("word").agg(pl.col("count").sum()).sort(["count", "word"], descending=[True, False])


def _parted(runs: pl.DataFrame) -> pl.DataFrame:
    """Put particles apart, where another form of the stem stands in the corpus as well."""
    whole = runs["word"].str.contains(r"\A[가-힣]{2,}\z")
    hangul, others = runs.filter(whole), runs.filter(~whole)
    pieces = []
    for size in sorted(set(map(len, PARTICLES))):
        ending = hangul.filter(pl.col("word").str.len_chars() >= size + 2).select(
            "word", "count", stem=pl.col("word").str.head(-size), particle=pl.col("word").str.tail(size)
        )
        pieces.append(ending.filter(pl.col("particle").is_in([one for one in PARTICLES if len(one) == size])))
    cut = pl.concat(pieces)
    cut = cut.filter(_fitting(cut["stem"], cut["particle"]))
    forms = cut.group_by("stem").agg(pl.col("particle").n_unique().alias("forms"))
    alone = hangul.select(stem=pl.col("word"), alone=pl.lit(1))
    seen = forms.join(alone, on="stem", how="left").with_columns(pl.col("forms") + pl.col("alone").fill_null(0))
    shown = cut.join(seen.filter(pl.col("forms") >= 2).select("stem"), on="stem", how="semi")
    sure = cut.filter(pl.col("particle").is_in(list(_SURE)) & (pl.col("stem").str.len_chars() >= 3))
    good = pl.concat((shown, sure)).unique(maintain_order=True)
    # the longest particle: of 학교에서는 the stem is 학교, not 학교에서
    best = good.with_columns(size=pl.col("particle").str.len_chars()).sort(["word", "size"], descending=[False, True])
    best = best.unique("word", keep="first", maintain_order=True).select("word", "stem")
    joined = hangul.join(best, on="word", how="left")
    return pl.concat(
        (joined.select(pl.coalesce("stem", "word").alias("word"), "count"), others.select("word", "count"))
    )


def candidates(
    words: pl.DataFrame, encoder: tokenizers.Tokenizer, marks: Marks, *, most: int = 200
) -> tuple[Candidate, ...]:
    """The words of which a token of their own would save most tokens.

    Args:
        words: what `stems` gives.
        encoder: the tokenizer.
        marks: what its ids stand for.
        most: how many are given.
    """
    asked = words.filter(pl.col("count") >= FEWEST).head(ASKED)
    # no word has more pieces than bytes; one that cannot save as much as the last one shown is not asked
    asked = asked.with_columns(at_most=pl.col("count") * pl.col("word").str.len_bytes())
    found: list[Candidate] = []
    for batch in asked.iter_slices(BATCH):
        left = batch.filter(pl.col("at_most") >= found[-1].saves) if len(found) == most else batch
        found += _in_pieces(left["word"].to_list(), left["count"].to_list(), encoder, marks)
        found.sort(key=lambda c: (-c.saves, -c.count, c.word))
        del found[most:]
    return tuple(found)


def _in_pieces(
    strings: Sequence[str], counts: Sequence[int], encoder: tokenizers.Tokenizer, marks: Marks
) -> Iterator[Candidate]:
    """The words that are unknown or take several pieces."""
    encodings = encoder.encode_batch_fast([" " + word for word in strings], add_special_tokens=False)
    for word, count, encoding in zip(strings, counts, encodings, strict=True):
        ids = encoding.ids
        lost = marks.unknown >= 0 and marks.unknown in ids
        if len(ids) < 2 and not lost:
            continue
        tokens = [encoder.id_to_token(i) or "" for i in ids if not marks.bare[i]]  # the fast call tells none
        if len(tokens) > 1 or lost:
            yield Candidate(word, int(count), len(tokens), tuple(tokens))
