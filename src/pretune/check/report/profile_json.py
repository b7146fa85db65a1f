"""A profile as plain data for JSON: all figures, histograms included, and the verdicts. Keys are only ever added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.corpus.verdict import best, verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pretune.corpus.figures import CorpusFigures, Counted, Lengths, Profile, TokenizerFigures


def as_dict(profile: Profile) -> dict[str, Any]:
    """The profile as plain data.

    Returns:
        `complete` and `stopped`; `max_length` and `stride` of the setup; `files`; `corpus`; `tokenizers`, each with its
        `verdict` (level, sentence, reasons), counts, `lengths` (role -> `specials` and `counts`, length -> texts, the
        length as a word), `scripts`, `unknown_characters`, `unknown_examples` and `candidates`; `ranking`, groups of
        names, best first, and a sentence; null where there is none.
    """
    ranking = best(profile)
    return {
        "complete": profile.complete,
        "stopped": profile.stopped,
        "max_length": profile.max_length,
        "stride": profile.stride,
        "files": [
            {
                "path": each.path,
                "split": each.split,
                "rows": each.rows,
                "broken": each.broken,
                "broken_at": list(each.broken_at),
                "bytes": each.bytes,
            }
            for each in profile.files
        ],
        "corpus": _corpus(profile.corpus),
        "tokenizers": [_tokenizer(each, profile.corpus) for each in profile.tokenizers],
        "ranking": ranking and {"groups": [list(group) for group in ranking.groups], "sentence": ranking.sentence},
    }


def _corpus(corpus: CorpusFigures) -> dict[str, Any]:
    return {
        "rows": corpus.rows,
        "texts": corpus.texts,
        "broken": corpus.broken,
        "bytes": corpus.bytes,
        "characters": corpus.characters,
        "words": corpus.words,
        "distinct_words": corpus.distinct_words,
        "distinct_words_exact": corpus.distinct_words_exact,
        "scripts": dict(corpus.scripts),
        "common_words": _counted(corpus.common_words),
    }


_COUNTS = (
    "vocabulary checked tokens words word_tokens whole_words unknown_tokens unknown_texts unknown_words byte_tokens "
    "used unknown_distinct counted_at_least"
).split()
_SCRIPT = "characters distinct own unknown bytes words unknown_words tokens".split()


def _tokenizer(of: TokenizerFigures, corpus: CorpusFigures) -> dict[str, Any]:
    found = verdict(of, corpus)
    return {
        "name": of.name,
        "kind": of.kind,
        "verdict": {"level": found.level, "sentence": found.sentence, "reasons": list(found.reasons)},
        "method": of.method,
        "remark": of.remark,
        **{name: getattr(of, name) for name in _COUNTS},
        "lengths": {role: _lengths(lengths) for role, lengths in of.lengths.items()},
        "scripts": {
            script: {name: getattr(figures, name) for name in _SCRIPT} for script, figures in of.scripts.items()
        },
        "unknown_characters": _counted(of.unknown_characters),
        "unknown_examples": _counted(of.unknown_examples),
        "candidates": [
            {
                "word": each.word,
                "count": each.count,
                "pieces": each.pieces,
                "tokens": list(each.tokens),
                "saves": each.saves,
            }
            for each in of.candidates
        ],
    }


def _lengths(of: Lengths) -> dict[str, Any]:
    return {"specials": of.specials, "counts": {str(length): count for length, count in of.counts.items()}}


def _counted(items: Iterable[Counted]) -> list[dict[str, Any]]:
    return [{"name": one.name, "count": one.count} for one in items]
