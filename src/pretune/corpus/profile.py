"""Tallies to figures: profile_of. Knows how words and characters are looked up; opens no file."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from pretune.corpus.candidates import candidates, stems
from pretune.corpus.figures import (
    WORD_COUNTS,
    CorpusFigures,
    Counted,
    Lengths,
    ScriptFigures,
    TokenizerFigures,
    WordFigures,
)
from pretune.corpus.scripts import script_name
from pretune.corpus.vocabulary_marks import BYTES, NOTHING, UNKNOWN, WHOLE, spelled
from pretune.corpus.word_tally import together

if TYPE_CHECKING:
    import polars as pl

    from pretune.corpus.corpus_tally import CorpusTally
    from pretune.corpus.tokenizer_tally import TokenizerTally
    from pretune.corpus.word_tally import WordSums

PAIRED = frozenset({"row"})
"""The role whose texts are encoded as a pair."""


def corpus_figures(tally: CorpusTally, *, broken: int = 0) -> CorpusFigures:
    """The figures of the corpus itself."""
    words = tally.words.table()
    scripts: dict[str, int] = {}
    for point in np.flatnonzero(tally.points).tolist():
        name = script_name(chr(point))
        scripts[name] = scripts.get(name, 0) + int(tally.points[point])
    exact = tally.words.level == 0
    return CorpusFigures(
        rows=tally.counts["rows"],
        texts=tally.counts["texts"],
        broken=broken,
        bytes=tally.counts["bytes"],
        characters=int(tally.points.sum()),
        words=tally.counts["words"],
        distinct_words=len(words) if exact else tally.distinct.estimate(),
        distinct_words_exact=exact,
        scripts=dict(sorted(scripts.items(), key=lambda item: (-item[1], item[0]))),
        common_words=_counted(tally.words.most_frequent(50)),
    )


def tokenizer_figures(tally: TokenizerTally, corpus: CorpusTally, words: pl.DataFrame) -> TokenizerFigures:
    """The figures of one tokenizer.

    Args:
        tally: its sums.
        corpus: those of the corpus.
        words: the corpus's words without markup and particles (`candidates.stems`).
    """
    counts, sums = tally.counts, together(tally.words.values())
    unknown = sorted(sums.characters.items(), key=lambda item: (-item[1], item[0]))
    return TokenizerFigures(
        name=tally.name,
        kind=tally.kind,
        vocabulary=tally.marks.known,
        method="whole" if tally.whole else "proved",
        checked=counts["compared"],
        remark=f"each text was encoded whole: {tally.reason}" if tally.whole else "",
        tokens=counts["tokens"],
        words=sums.counts["words"],
        word_tokens=sums.counts["word_tokens"],
        whole_words=sums.counts["whole_words"],
        unknown_tokens=counts["unknown_tokens"],
        unknown_texts=counts["unknown_texts"],
        unknown_words=sums.counts["unknown_words"],
        byte_tokens=counts["byte_tokens"],
        used=int(np.count_nonzero(tally.ids)),
        unknown_characters=tuple(Counted(chr(point), count) for point, count in unknown[:1000]),
        unknown_distinct=len(unknown),
        unknown_examples=_counted(tally.unknown.most_frequent(50)),
        lengths=_lengths(tally),
        scripts=_scripts(tally, sums, corpus),
        candidates=candidates(words, tally.units.inside, tally.marks),
        counted_at_least=max(tally.unknown.missing, corpus.words.missing),
    )


def words_of(corpus: CorpusTally) -> pl.DataFrame:
    """The corpus's words without markup and particles."""
    return stems(corpus.words.table())


def _counted(table: pl.DataFrame) -> tuple[Counted, ...]:
    return tuple(Counted(word, int(count)) for word, count in table.select("word", "count").iter_rows())


def _lengths(tally: TokenizerTally) -> dict[str, Lengths]:
    """The lengths of each role's texts, and of rows where there are some with several texts."""
    known = dict(tally.lengths)
    single, several = tally.rows
    if several:
        known["row"] = single + several
    return {
        role: Lengths(dict(sorted(counts.items())), tally.specials[role in PAIRED]) for role, counts in known.items()
    }


def row_lengths(tally: TokenizerTally) -> dict[int, int]:
    """Tokens of a row's texts together, special tokens included -> how many rows have so many, ascending."""
    found: Counter[int] = Counter()
    for known, specials in zip(tally.rows, tally.specials, strict=True):
        for length, count in known.items():
            found[length + specials] += count
    return dict(sorted(found.items()))


def word_figures(sums: WordSums) -> WordFigures:
    """The figures of the words of one split."""
    return WordFigures(
        **{name: sums.counts[name] for name in WORD_COUNTS},
        scripts={name: (int(of[0]), int(of[1])) for name, of in sorted(sums.scripts.items())},
        unknown_characters={chr(point): count for point, count in sorted(sums.characters.items())},
        examples={kind: word for kind, (_, word) in sums.shown.items()},
    )


def _scripts(tally: TokenizerTally, sums: WordSums, corpus: CorpusTally) -> dict[str, ScriptFigures]:
    """Each script of the corpus and how the tokenizer copes with it, weighted by use."""
    points = np.array([p for p in np.flatnonzero(corpus.points).tolist() if not chr(p).isspace()], np.int64)
    running = corpus.points[points]
    names = np.array([script_name(chr(point)) for point in points.tolist()], dtype=object)
    became = spelled(tally.units.inside, [chr(point) for point in points.tolist()], tally.marks)
    found: dict[str, ScriptFigures] = {}
    for name in dict.fromkeys(names.tolist()):
        mine = names == name
        words, unknown, tokens = (int(n) for n in sums.scripts.get(name, (0, 0, 0)))
        found[name] = ScriptFigures(
            characters=int(running[mine].sum()),
            distinct=int(mine.sum()),
            own=int(running[mine & (became == WHOLE)].sum()),
            unknown=int(running[mine & ((became == UNKNOWN) | (became == NOTHING))].sum()),
            bytes=int(running[mine & (became == BYTES)].sum()),
            words=words,
            unknown_words=unknown,
            tokens=tokens,
        )
    return dict(sorted(found.items(), key=lambda item: (-item[1].characters, item[0])))
