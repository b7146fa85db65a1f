"""Our figures are those of the official scripts on real questions, whatever a model might have predicted.

Predictions are drawn: right, with a particle, cut short, beside it, in other case and punctuation, empty, another
question's. So are logits, for the windows of all of KorQuAD's dev set.
"""

import random
from pathlib import Path
from typing import Any

import pytest

from pretune.train.answers import answers_of
from pretune.train.metrics_reading import klue_mrc, korquad1, squad1, squad2
from pretune.train.questions import Question, read_questions
from pretune.train.windows import cut
from train import made, official, run_qa

KORQUAD = "korquad-1.0-dev/KorQuAD_v1.0_dev.json"
SQUAD = "squad2-course-split/dev-v2.0.json"


def predicted(questions: list[Question], seed: int) -> dict[str, str]:
    """A prediction for each question, of every kind there is."""
    draw = random.Random(seed)
    found = {}
    for one in questions:
        start = draw.randrange(max(len(one.context), 1))
        gold = draw.choice(one.texts) if one.texts else ""
        ways = (gold, gold + draw.choice("은는이가의."), gold[:-1], gold.upper(), f"《{gold}》", f" {gold},  the ", "")
        found[one.id] = draw.choice((*ways, one.context[start : start + draw.randrange(1, 40)]))
    return found


def golds(questions: list[Question]) -> dict[str, list[str]]:
    """The answers by id."""
    return {one.id: list(one.texts) for one in questions}


def questions_of(assets: Path, file: str, limit: int | None = None) -> list[Question]:
    """Questions of real data."""
    return list(read_questions([assets / "data" / file], purpose="eval", unfit="skip", limit=limit).rows)


@pytest.mark.slow
def test_reading_of_real_questions(shared_assets: Path) -> None:
    """KorQuAD 1.0, SQuAD 1.1 and 2.0 and KLUE-MRC: the same figures to the last digit but rounding."""
    for seed in range(3):
        asked = questions_of(shared_assets, KORQUAD)
        found, answers = predicted(asked, seed), golds(asked)
        assert korquad1(found, answers).figures == pytest.approx(official.version1("korquad1", found, answers))
        assert klue_mrc(found, answers).figures == pytest.approx(official.klue(found, answers))
        del found[asked[3].id]
        assert squad1(found, answers).figures == pytest.approx(official.version1("squad1", found, answers))
        asked = questions_of(shared_assets, SQUAD)
        found, answers = predicted(asked, seed), golds(asked)
        assert klue_mrc(found, answers).figures == pytest.approx(official.klue(found, answers))
        draw = random.Random(seed)
        odds = {one.id: draw.gauss(0, 5) for one in asked}
        ours = squad2(found, answers, no_answer=odds, threshold=0.5).figures
        theirs = official.squad2(found, answers, odds, 0.5)
        assert {name: ours[name] for name in theirs} == pytest.approx(theirs)


@pytest.mark.slow
@pytest.mark.parametrize(("file", "null"), [(KORQUAD, False), (SQUAD, True)])
def test_windows_and_answers_of_real_questions(shared_assets: Path, file: str, null: bool) -> None:
    """From logits drawn at random the answers, n-best lists and null odds of run_qa.py, and so the figures."""
    transformers = pytest.importorskip("transformers")
    np = pytest.importorskip("numpy")
    tokenizer = transformers.AutoTokenizer.from_pretrained(shared_assets / "tokenizers" / "klue-roberta-base")
    asked = questions_of(shared_assets, file, 1200)
    windows = cut(asked, tokenizer, max_length=160, stride=48, labels=False)
    features = run_qa.validation_features(tokenizer, made.columns(asked), 160, 48)
    draw = np.random.default_rng(0)
    logits: list[Any] = [draw.normal(size=len(windows.input_ids)).astype(np.float32) * 4 for _ in range(2)]
    parts = [np.split(one, windows.bounds[1:-1]) for one in logits]
    rows = [
        {"example_id": features["example_id"][at], "offset_mapping": features["offset_mapping"][at]}
        for at in range(len(features["input_ids"]))
    ]
    examples = [{"id": one.id, "context": one.context} for one in asked]
    best, lists, odds = run_qa.postprocess(examples, rows, (parts[0], parts[1]), v2=null, threshold=1.0)
    ours = answers_of(asked, windows, (logits[0], logits[1]), null=null, null_threshold=1.0)
    assert ours.predictions() == best
    for at, one in enumerate(asked[:200]):
        mine, theirs = ours.n_best(at), lists[one.id]
        assert [row["text"] for row in mine] == [row["text"] for row in theirs]
        assert [row["probability"] for row in mine] == pytest.approx([row["probability"] for row in theirs], rel=1e-4)
    if null:
        assert dict(zip(best, ours.null_odds.tolist(), strict=True)) == pytest.approx(odds, rel=1e-5, abs=1e-5)
    else:
        figures = korquad1(ours.predictions(), golds(asked)).figures
        assert figures == pytest.approx(official.version1("korquad1", best, golds(asked)))


@pytest.mark.slow
def test_classes_and_similarities_of_klue(shared_assets: Path) -> None:
    """KLUE-NLI and KLUE-STS: accuracy, macro F1, Pearson and F1 as scikit-learn and scipy have them."""
    import json

    metrics, stats = pytest.importorskip("sklearn.metrics"), pytest.importorskip("scipy.stats")
    from pretune.train import metrics_labels as labels

    folder = shared_assets / "data" / "klue-1.1-dev"
    draw = random.Random(0)
    names = ["entailment", "neutral", "contradiction"]
    true = [names.index(row["gold_label"]) for row in json.loads((folder / "klue-nli-v1.1_dev.json").read_text())]
    found = [draw.randrange(3) if draw.random() < 0.4 else one for one in true]
    assert labels.accuracy(found, true) == pytest.approx(100 * metrics.accuracy_score(true, found))
    assert labels.f1(found, true) == pytest.approx(100 * metrics.f1_score(true, found, average="macro"))
    rows = json.loads((folder / "klue-sts-v1.1_dev.json").read_text())
    scores = [float(row["labels"]["real-label"]) for row in rows]
    guessed = [one + draw.gauss(0, 1) for one in scores]
    assert labels.pearson(guessed, scores) == pytest.approx(100 * stats.pearsonr(scores, guessed)[0])
    alike = metrics.f1_score([one >= 3 for one in scores], [one >= 3 for one in guessed])
    assert labels.similar_f1(guessed, scores) == pytest.approx(100 * alike)


@pytest.mark.slow
def test_characters_of_klue_ner(shared_assets: Path) -> None:
    """KLUE-NER: the characters' macro F1 is scikit-learn's over the same tags, absent ones counted as 0."""
    metrics = pytest.importorskip("sklearn.metrics")
    from pretune.train import metrics_labels as labels

    lines = (shared_assets / "data" / "klue-1.1-dev" / "klue-ner-v1.1_dev.tsv").read_text("utf-8").splitlines()
    true = [line.rpartition("\t")[2] for line in lines if "\t" in line and not line.startswith("##")]
    tags = sorted(set(true) | {"O"})
    draw = random.Random(0)
    found = [draw.choice(tags) if draw.random() < 0.2 else one for one in true]
    theirs = metrics.f1_score(true, found, labels=tags, average="macro", zero_division=0)
    assert labels.character_macro_f1(found, true, tags=tags) == pytest.approx(100 * theirs)
