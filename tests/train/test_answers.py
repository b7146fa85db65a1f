"""Answers from logits are run_qa.py's, to the n-best lists and null odds."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pretune.core.errors import UserError
from pretune.train.answers import answers_of
from pretune.train.answers_files import write_answers
from pretune.train.errors import error_rows
from pretune.train.metrics_reading import squad2
from pretune.train.windows import cut
from train import made, run_qa


def _logits(windows: object, width: int, seed: int, kind: str) -> tuple:
    rng = np.random.default_rng(seed)
    pair = [rng.normal(size=(len(windows), width)).astype(np.float32) * 4 for _ in range(2)]
    if kind == "ties":  # as bf16 logits have them
        pair = [np.round(one) for one in pair]
    if kind == "half":
        pair = [one.astype(np.float16) for one in pair]
    if kind == "null":
        for one in pair:
            one[:, 0] += 30
    return tuple(pair)


@pytest.mark.parametrize("kind", ["plain", "ties", "half", "null"])
@pytest.mark.parametrize("name", ["bert", "roberta-space", "xlmr"])
@pytest.mark.parametrize("null", [False, True])
def test_answers_are_those_of_run_qa(kind: str, name: str, null: bool) -> None:
    """Best answers, candidates with their probabilities and null odds are equal, also with ties and pads."""
    asked = made.questions(every=5)
    tokenizer = made.tokenizer(name)
    windows = cut(asked, tokenizer, max_length=40, stride=8)
    logits = _logits(windows, 48, 1, kind)
    features = run_qa.validation_features(tokenizer, made.columns(asked), 40, 8)
    listed = [{key: features[key][at] for key in ("example_id", "offset_mapping")} for at in range(len(windows))]
    examples = [{"id": one.id, "context": one.context} for one in asked if one.context or not null]
    kept = {one["id"] for one in examples}
    best, lists, odds = run_qa.postprocess(examples, listed, logits, v2=null, longest=9)
    found = answers_of(asked, windows, logits, null=null, max_answer_length=9)
    assert {k: v for k, v in found.predictions().items() if k in kept} == best
    for at, one in enumerate(asked):
        if one.id in kept:
            ours, theirs = found.n_best(at), lists[one.id]
            assert [x["text"] for x in ours] == [x["text"] for x in theirs]
            assert [x["start_logit"] for x in ours] == [x["start_logit"] for x in theirs]
            np.testing.assert_allclose([x["probability"] for x in ours], [x["probability"] for x in theirs], rtol=2e-3)
            if null:
                assert found.null_odds[at] == odds[one.id]


def test_flat_logits_are_those_of_unpadded_windows() -> None:
    """Logits in one row, as padding-free training has them, give what rows filled up with minus infinity give."""
    asked = made.questions(every=5)
    windows = cut(asked, made.tokenizer("bert"), max_length=40, stride=8)
    pair = _logits(windows, int(windows.lengths.max()), 2, "plain")
    real = np.arange(pair[0].shape[1]) < windows.lengths[:, None]
    flat = answers_of(asked, windows, tuple(one[real] for one in pair), null=True)
    rows = answers_of(asked, windows, tuple(np.where(real, one, -np.inf) for one in pair), null=True)
    assert flat.texts == rows.texts
    assert len(set(flat.texts)) > 5


def windows_of(asked: list) -> object:
    """Windows of BERT's for these questions."""
    return cut(asked, made.tokenizer("bert"), max_length=40, stride=8)


def test_threshold_and_skipped_questions() -> None:
    """A high threshold always answers, a low one never; a question without a window gets the made-up answer."""
    asked = made.questions(every=9)
    windows = windows_of(asked)
    logits = _logits(windows, 40, 3, "plain")
    assert all(answers_of(asked, windows, logits, null=True, null_threshold=1e9).texts)
    assert not any(answers_of(asked, windows, logits, null=True, null_threshold=-1e9).texts)
    more = [*asked, replace(asked[0], id="new")]
    for null in (False, True):
        assert answers_of(more, windows, logits, null=null).texts[-1] == "empty"
    none = windows_of([])
    assert answers_of([], none, (np.zeros((0, 4)), np.zeros((0, 4)))).texts == ()
    assert answers_of(asked[:1], none, (np.zeros(0), np.zeros(0)), null=True).texts == ("empty",)


def test_wrong_logits_are_refused() -> None:
    """Logits of another shape and logits that are no numbers are told in a line."""
    asked = made.questions(every=9)
    windows = windows_of(asked)
    good = _logits(windows, 40, 3, "plain")
    with pytest.raises(UserError, match=r"logits have the shape \(1, 40\)"):
        answers_of(asked, windows, (good[0][:1], good[1]))
    good[0][2, 3] = np.nan
    with pytest.raises(UserError, match="logits of window 2 are not numbers"):
        answers_of(asked, windows, good)


def test_files_and_errors(tmp_path: Path) -> None:
    """The files have the official form, readable Korean, and errors come worst first."""
    asked = made.questions(every=9)
    windows = windows_of(asked)
    found = answers_of(asked, windows, _logits(windows, 40, 3, "plain"), null=True)
    names = [path.name for path in write_answers(found, tmp_path)]
    assert names == ["predictions.json", "nbest_predictions.json", "null_odds.json"]
    text = (tmp_path / "predictions.json").read_text(encoding="utf-8")
    assert json.loads(text) == found.predictions()
    assert "\\u" not in text
    n_best = json.loads((tmp_path / "nbest_predictions.json").read_text(encoding="utf-8"))
    assert list(n_best["0"][0]) == ["start_logit", "end_logit", "text", "probability"]
    scores = squad2(found.predictions(), {one.id: one.texts for one in asked})
    rows = error_rows(asked, found.predictions(), scores)
    assert [row.f1 for row in rows] == sorted(row.f1 for row in rows)
    assert {row.kind for row in rows} >= {"answered although impossible", "elsewhere"}
