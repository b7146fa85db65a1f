"""Tallies to figures: profile_of. Knows how words and characters are looked up; opens no file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pretune.corpus.candidates import candidates, stems
from pretune.corpus.figures import CorpusFigures, Counted, Lengths, ScriptFigures, TokenizerFigures
from pretune.corpus.letters import script_name
from pretune.corpus.vocabulary_marks import BYTES, UNKNOWN, WHOLE, spelled

if TYPE_CHECKING:
    import polars as pl

    from pretune.corpus.corpus_tally import CorpusTally
    from pretune.corpus.tokenizer_tally import TokenizerTally

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
        common_words=_counted(words.head(50)),
    )


def tokenizer_figures(tally: TokenizerTally, corpus: CorpusTally, words: pl.DataFrame) -> TokenizerFigures:
    """The figures of one tokenizer.

    Args:
        tally: its sums.
        corpus: those of the corpus.
        words: the corpus's words without markup and particles (`candidates.stems`).
    """
    counts = tally.counts
    unknown = sorted(tally.characters.items(), key=lambda item: (-item[1], item[0]))
    return TokenizerFigures(
        name=tally.name,
        kind=tally.kind,
        vocabulary=tally.marks.known,
        method="whole" if tally.whole else "proved",
        checked=counts["compared"],
        remark=f"each text was encoded whole: {tally.reason}" if tally.whole else "",
        tokens=counts["tokens"],
        words=counts["words"],
        word_tokens=counts["word_tokens"],
        whole_words=counts["whole_words"],
        unknown_tokens=counts["unknown_tokens"],
        unknown_texts=counts["unknown_texts"],
        unknown_words=counts["unknown_words"],
        byte_tokens=counts["byte_tokens"],
        used=int(np.count_nonzero(tally.ids)),
        unknown_characters=tuple(Counted(chr(point), count) for point, count in unknown[:1000]),
        unknown_distinct=len(unknown),
        unknown_examples=_counted(tally.unknown.table().head(50)),
        lengths={
            role: Lengths(dict(sorted(known.items())), tally.specials[role in PAIRED])
            for role, known in tally.lengths.items()
        },
        scripts=_scripts(tally, corpus),
        candidates=candidates(words, tally.units.inside, tally.marks),
        counted_at_least=max(tally.unknown.missing, corpus.words.missing),
    )


def words_of(corpus: CorpusTally) -> pl.DataFrame:
    """The corpus's words without markup and particles."""
    return stems(corpus.words.table())


def _counted(table: pl.DataFrame) -> tuple[Counted, ...]:
    return tuple(Counted(word, int(count)) for word, count in table.select("word", "count").iter_rows())


def _scripts(tally: TokenizerTally, corpus: CorpusTally) -> dict[str, ScriptFigures]:
    """Each script of the corpus and how the tokenizer copes with it, weighted by use."""
    points = np.array([p for p in np.flatnonzero(corpus.points).tolist() if not chr(p).isspace()], np.int64)
    running = corpus.points[points]
    names = np.array([script_name(chr(point)) for point in points.tolist()], dtype=object)
    became = spelled(tally.units.inside, [chr(point) for point in points.tolist()], tally.marks)
    found: dict[str, ScriptFigures] = {}
    for name in dict.fromkeys(names.tolist()):
        mine = names == name
        words, unknown, tokens = _sums(tally, name)
        found[name] = ScriptFigures(
            characters=int(running[mine].sum()),
            distinct=int(mine.sum()),
            own=int(running[mine & (became == WHOLE)].sum()),
            unknown=int(running[mine & (became == UNKNOWN)].sum()),
            bytes=int(running[mine & (became == BYTES)].sum()),
            words=words,
            unknown_words=unknown,
            tokens=tokens,
        )
    return dict(sorted(found.items(), key=lambda item: (-item[1].characters, item[0])))


def _sums(tally: TokenizerTally, script: str) -> tuple[int, int, int]:
    sums: Any = tally.scripts.get(script, (0, 0, 0))
    return int(sums[0]), int(sums[1]), int(sums[2])
