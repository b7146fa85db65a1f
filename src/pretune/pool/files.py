"""Analyses as JSON and CSV, for programs: to_json, to_csv. Writes no file and computes no score.

The JSON is one object, `version` 1 (a number that changes when a key changes its meaning or goes; keys may be added):

    version, pretune     of this form, of the program
    models               one object for each model, in the order in which they were named

and of each model:

    model, source        as they were named
    kind                 `pairs` (with scores), `classes`, `text` (neither)
    count, sentences     rows; distinct sentences
    measure              what `score` is: `Spearman`, `accuracy`, `margin` (of bare text, where none is best); or null
    declared             what the model's files say: pooling (null: no single one), said, by, max_length; or null
    default              name of the choice that is to be beaten: the declared one, or the last layer's mean
    choices              name, layers, pooling, shaping, baseline, score, low, high (95 % interval), kept (cannot be
                         excluded from being the best, or is on the shortlist), difference (from the default's score:
                         value, low, high)
    same                 name of a pooling that was left out -> that of the same one (empty: there is none to take)
    layers_left_out      layer -> why it was not pooled
    verdict              best, recommended (names), tie, few (fewer than 200 rows), difference (best minus default),
                         swap_p (by random exchange), rows_needed (to show the difference seen, power 80 %),
                         rows_needed_for_0_01, cross_fitted (score of choosing by score, on rows that did not choose),
                         naive (the highest score), picks (name -> share of the splits), random (the highest baseline
                         without knowledge), default_minus_random; or null
    shortlist            names, of bare text only; or null
    faults               name, level (`error`, `warning`, `note`), message, fix; the gravest first
    padding              name, right, wrong: what a mistake of padding makes of the score
    shares               layer, whole, shares (kind of token -> its Shapley share of `whole`), without (the score
                         without it), best (kinds of token), best_score
    tokens               text, layer, weights: place, token, from_pooling, from_input (1 - cosine without the token)
    notes, seconds       sentences; stage -> CPU seconds

What is undefined, not asked for or infinite is null: there is no NaN in the file. Choices are named by layer index.
The CSV has a row for each choice of each model, undefined cells empty.
"""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pretune import __version__
from pretune.pool.grid import recommended, scored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.pool.analysis import Analysis
    from pretune.pool.choice import Choice
    from pretune.pool.intervals import Interval
    from pretune.pool.verdict import Verdict

VERSION = 1

COLUMNS = (
    "model",
    "source",
    "measure",
    "choice",
    "layers",
    "pooling",
    "shaping",
    "baseline",
    "score",
    "low",
    "high",
    "difference",
    "difference_low",
    "difference_high",
    "kept",
    "default",
    "recommended",
)


def to_json(analyses: Sequence[Analysis]) -> str:
    """All that was found, as the docstring of this file has it; ends in a newline."""
    found = {"version": VERSION, "pretune": __version__, "models": [_model(one) for one in analyses]}
    return json.dumps(_plain(found), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def to_csv(analyses: Sequence[Analysis]) -> str:
    """A row for each choice, under a header of COLUMNS; layers are written `0+6`, yes and no `true` and `false`."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for one in analyses:
        for choice in _choices(one):
            apart = choice["difference"] or {}
            rows.writerow(
                _cell(_plain(value))
                for value in (
                    one.model,
                    one.source,
                    _measure(one),
                    choice["name"],
                    "+".join(map(str, choice["layers"])),
                    choice["pooling"],
                    choice["shaping"],
                    choice["baseline"],
                    *(choice[key] for key in ("score", "low", "high")),
                    *(apart.get(key) for key in ("value", "low", "high")),
                    choice["kept"],
                    choice["name"] == one.default.name,
                    one.shortlist is None and choice["name"] == recommended(one).name,
                )
            )
    return text.getvalue()


def _cell(value: Any) -> Any:
    """What stands in a cell."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else value


def _model(one: Analysis) -> dict[str, Any]:
    """Everything of one model."""
    declared = one.declared
    return {
        "model": one.model,
        "source": one.source,
        "kind": one.kind,
        "count": one.count,
        "sentences": one.sentences,
        "measure": _measure(one),
        "declared": asdict(declared) | {"pooling": declared.pooling or None} if declared.said else None,
        "default": one.default.name,
        "choices": _choices(one),
        "same": one.found.same,
        "layers_left_out": getattr(one.found.vectors, "skipped", {}),
        "verdict": None if one.verdict is None else _verdict(one.verdict),
        "shortlist": _names(one.shortlist.choices, one.shortlist.kept) if one.shortlist else None,
        "faults": [asdict(fault) for fault in one.faults],
        "padding": [asdict(cost) for cost in one.padding],
        "shares": [{"layer": layer} | asdict(shares) for layer, shares in sorted(one.shares.items())],
        "tokens": [asdict(tokens) for tokens in one.tokens],
        "notes": one.notes,
        "seconds": one.seconds,
    }


def _measure(one: Analysis) -> str | None:
    """What a score is."""
    if one.verdict is not None:
        return one.verdict.measure
    return "margin" if one.shortlist is not None else None


def _choices(one: Analysis) -> list[dict[str, Any]]:
    """Every choice with what was measured of it."""
    choices, values, kept = scored(one)
    intervals, gaps = (one.verdict.intervals, one.verdict.gaps) if one.verdict is not None else ((), ())
    return [
        {
            "name": choice.name,
            "layers": choice.layers,
            "pooling": choice.pooling,
            "shaping": choice.shaping,
            "baseline": not choice.layers,
            "score": values[place] if values else None,
            "low": intervals[place].low if intervals else None,
            "high": intervals[place].high if intervals else None,
            "kept": kept[place] if kept else None,
            "difference": _interval(gaps[place]) if gaps else None,
        }
        for place, choice in enumerate(choices or one.found.choices)
    ]


def _verdict(verdict: Verdict) -> dict[str, Any]:
    """What may be said of the choices, by name."""
    names = [choice.name for choice in verdict.choices]
    cross = verdict.cross
    return {
        "best": names[verdict.best],
        "recommended": names[verdict.recommended],
        "tie": verdict.tie,
        "few": verdict.few,
        "difference": _interval(verdict.gap),
        "swap_p": verdict.swap,
        "rows_needed": verdict.needed,
        "rows_needed_for_0_01": verdict.needed_small,
        "cross_fitted": None if cross is None else cross.fitted,
        "naive": None if cross is None else cross.naive,
        "picks": None if cross is None else {names[place]: share for place, share in cross.picks.items()},
        "random": None if verdict.random is None else names[verdict.random],
        "default_minus_random": _interval(verdict.below_random),
    }


def _interval(one: Interval | None) -> dict[str, float] | None:
    """A value with its 95 % interval."""
    return None if one is None else {"value": one.value, "low": one.low, "high": one.high}


def _names(choices: Sequence[Choice], kept: Any) -> list[str]:
    """Names of those that were kept."""
    return [choice.name for choice, keep in zip(choices, kept, strict=True) if keep]


def _plain(value: Any) -> Any:
    """The same in what JSON has: no NaN, no infinity, no number of numpy, keys that are text."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if hasattr(value, "item"):  # a number of numpy
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
