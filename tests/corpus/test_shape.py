"""What rows are is told from the names of their columns."""

import pytest

from pretune.corpus.shape import columns_for, recognise, value_of

CASES = [
    ({"id": "1", "document": "좋다", "label": 1}, "classification", {"text": "document", "label": "label", "id": "id"}),
    ({"title": "뉴스", "label": 3}, "classification", {"text": "title", "label": "label"}),
    (
        {"premise": "a", "hypothesis": "b", "gold_label": "neutral", "label2": "x"},
        "pair",
        {"text": "premise", "text_pair": "hypothesis", "label": "gold_label"},
    ),
    (
        {"sentence1": "a", "sentence2": "b", "score": "1.5"},
        "sts",
        {"text": "sentence1", "text_pair": "sentence2", "score": "score"},
    ),
    (
        {"sentence1": "a", "sentence2": "b", "labels": {"label": 4.9}},
        "sts",
        {"text": "sentence1", "text_pair": "sentence2", "score": "labels.label"},
    ),
    (
        {"sentence1": "a", "sentence2": "b", "label": 3.75},
        "sts",
        {"text": "sentence1", "text_pair": "sentence2", "score": "label"},
    ),
    (
        {"question": "q", "context": "c", "answers": [], "guid": "1"},
        "squad",
        {"question": "question", "context": "context", "answers": "answers", "id": "guid"},
    ),
    (
        {"질문": "q", "지문": "c", "정답": []},
        "squad",
        {"question": "질문", "context": "지문", "answers": "정답"},
    ),
    ({"tokens": ["a"], "ner_tags": [0]}, "tagging", {"tokens": "tokens", "tags": "ner_tags"}),
    ({"messages": []}, "chat", {"messages": "messages"}),
    ({"instruction": "a", "output": "b"}, "chat", {}),
    ({"Text ": "a", "\ufeffLabel": 1}, "classification", {"text": "Text ", "label": "\ufeffLabel"}),
    ({"0": "a", "1": "b"}, "text", {}),
    ({}, "text", {}),
]


@pytest.mark.parametrize(("row", "shape", "columns"), CASES)
def test_shape_and_columns(row, shape, columns):
    """The columns of known data sets give their shape and roles."""
    assert recognise(row, row) == shape
    assert columns_for(shape, row) == columns


def test_klue_sts_as_paraphrase():
    """KLUE-STS read for a pair classification takes its binary label."""
    row = {"sentence1": "a", "sentence2": "b", "labels": {"label": 4.9, "binary-label": 1}}
    assert columns_for("pair", row)["label"] == "labels.binary-label"
    assert value_of(row, "labels.binary-label") == 1
    assert value_of(row, "labels.none") is None
