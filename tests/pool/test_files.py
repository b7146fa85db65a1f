"""JSON and CSV hold every number of an Analysis, for programs that know no NaN."""

import csv
import io
import json
import math
from typing import Any

import numpy as np
import pytest

from pool import analysed
from pretune.pool.choice import Choice
from pretune.pool.declared import Declared
from pretune.pool.faults import Fault
from pretune.pool.files import COLUMNS, to_csv, to_json
from pretune.pool.importance import TokenWeight
from pretune.pool.padding_cost import PaddingCost
from pretune.pool.sentence_tokens import SentenceTokens
from pretune.pool.shapley import Shares


def _read(*analyses: Any) -> dict[str, Any]:
    """What a strict reader of JSON sees."""

    def refuse(word: str) -> None:
        """NaN and Infinity are no JSON."""
        raise AssertionError(word)

    text = to_json(analyses)
    assert text.endswith("}\n")
    return json.loads(text, parse_constant=refuse)


def _rows(*analyses: Any) -> list[dict[str, str]]:
    """What a reader of CSV sees."""
    return list(csv.DictReader(io.StringIO(to_csv(analyses))))


def test_every_choice_and_the_verdict_are_written() -> None:
    """Names agree with the choices, intervals with the verdict; an undefined score is null."""
    found = analysed.pairs(shapings=("centred",))
    verdict = found.verdict
    assert verdict is not None
    said = _read(found)
    assert (said["version"], len(said["models"])) == (1, 1)
    (model,) = said["models"]
    assert (model["kind"], model["count"], model["measure"], model["default"]) == (
        "pairs",
        300,
        "Spearman",
        "layer 2 mean",
    )
    assert model["declared"] == {"pooling": "mean", "by": "1_Pooling/config.json", "said": "mean", "max_length": None}
    assert [one["name"] for one in model["choices"]] == [one.name for one in verdict.choices]
    for one, interval, keep in zip(model["choices"], verdict.intervals, verdict.kept, strict=True):
        assert one["score"] == (interval.value if math.isfinite(interval.value) else None)
        assert one["low"] == (interval.low if math.isfinite(interval.low) else None)
        assert one["kept"] == bool(keep)
    undefined = model["choices"][0]
    assert (undefined["layers"], undefined["pooling"], undefined["score"]) == ([0], "cls", None)
    assert undefined["difference"] == {"value": None, "low": None, "high": None}
    assert model["choices"][3]["layers"] == [0, 2]
    assert [one["baseline"] for one in model["choices"][-2:]] == [True, True]
    told = model["verdict"]
    assert told["best"] == verdict.choices[verdict.best].name
    assert told["recommended"] == verdict.choices[verdict.recommended].name
    assert told["tie"] is verdict.tie
    assert told["random"] == "random word vectors, mean"
    assert told["default_minus_random"]["low"] > 0
    assert sum(told["picks"].values()) == pytest.approx(1)
    assert told["naive"] >= told["cross_fitted"] - 0.05
    assert model["shortlist"] is None
    assert model["same"] == {"separator": "last_token"}


def test_a_default_that_is_not_best_has_a_difference() -> None:
    """The best minus the default with its interval, a p value and the rows it needs."""
    found = analysed.pairs(default=Choice((1,), "cls"))
    assert found.verdict is not None
    (told,) = (model["verdict"] for model in _read(found)["models"])
    assert told["difference"]["low"] > 0
    assert 0 < told["swap_p"] < 0.05
    assert 0 < told["rows_needed"] < 300
    assert found.verdict.needed_small == told["rows_needed_for_0_01"]


def test_what_was_measured_beside_is_written() -> None:
    """Faults, costs of padding, shares, tokens, notes, seconds; Korean stays readable, numpy's numbers are numbers."""
    found = analysed.pairs(
        faults=(Fault("pooler-untrained", "the pooler is new", "do not use it", "error"),),
        padding=(PaddingCost("mean over padding", 0.8, float("nan")),),
        shares={2: Shares({"cls": 0.1, "word": 0.5}, 0.6, ("word",), 0.61, {"cls": 0.6, "word": 0.2})},
        tokens=(SentenceTokens("고양이", 2, (TokenWeight(1, "고양이", float(np.float32(0.5)), None),)),),
        notes=("rows left out: 2",),
        seconds={"encoding": np.float64(1.5)},
        declared=Declared(),
    )
    assert "고양이" in to_json([found])
    (model,) = _read(found)["models"]
    assert model["declared"] is None
    assert model["faults"][0]["level"] == "error"
    assert model["padding"] == [{"name": "mean over padding", "right": 0.8, "wrong": None}]
    assert (model["shares"][0]["layer"], model["shares"][0]["whole"], model["shares"][0]["best"]) == (2, 0.6, ["word"])
    weight = {"place": 1, "token": "고양이", "from_pooling": 0.5, "from_input": None}
    assert model["tokens"] == [{"text": "고양이", "layer": 2, "weights": [weight]}]
    assert model["seconds"] == {"encoding": 1.5}


def test_bare_text_has_margins_and_no_best() -> None:
    """A shortlist of names, no verdict, and nothing recommended in any row."""
    found = analysed.bare()
    (model,) = _read(found)["models"]
    assert (model["measure"], model["verdict"]) == ("margin", None)
    kept = [one["name"] for one in model["choices"] if one["kept"]]
    assert model["shortlist"] == kept
    assert 0 < len(kept) < len(model["choices"])
    rows = _rows(found)
    assert {row["recommended"] for row in rows} == {"false"}
    assert {row["low"] for row in rows} == {""}
    assert sum(row["default"] == "true" for row in rows) == 1


def test_csv_has_a_row_a_choice_of_each_model() -> None:
    """The same numbers as the JSON has; undefined cells are empty."""
    several = analysed.pairs(), analysed.classes()
    rows, models = _rows(*several), _read(*several)["models"]
    every = [(model["measure"], one) for model in models for one in model["choices"]]
    assert len(rows) == len(every)
    assert tuple(rows[0]) == COLUMNS
    assert {row["measure"] for row in rows} == {"Spearman", "accuracy"}
    for row, (measure, one) in zip(rows, every, strict=True):
        assert (row["measure"], row["choice"], row["pooling"]) == (measure, one["name"], one["pooling"])
        assert row["layers"] == "+".join(map(str, one["layers"]))
        assert (float(row["score"]) if row["score"] else None) == one["score"]
        assert (float(row["difference_low"]) if row["difference_low"] else None) == one["difference"]["low"]
        assert row["kept"] == str(one["kept"]).lower()
    assert [
        sum(row["recommended"] == "true" for row in rows if row["measure"] == name) for name in ("Spearman", "accuracy")
    ] == [1, 1]
