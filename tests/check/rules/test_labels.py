"""Family LAB: labels, scores and tags against the head, each rule firing and quiet, from file to finding."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretune.check.rules import label_counts, label_kinds, labels, tags
from row_files import asked, asked_all, setup_of


def rows(*given_labels, times=1):
    """A row for each label, repeated."""
    return [{"text": f"문장 {n}", "label": label} for n, label in enumerate([*given_labels] * times)]


def scores(*values):
    """A sentence pair for each score."""
    return [{"sentence1": f"가 {n}", "sentence2": f"나 {n}", "score": value} for n, value in enumerate(values)]


def sentence(tokens, tag_names):
    """A tagged sentence."""
    return {"tokens": tokens.split(), "tags": tag_names.split()}


CLASSIFY = {"task": "text-classification"}
NAMES = {"config": {"label2id": {"긍정": 0, "부정": 1}, "id2label": {"0": "긍정", "1": "부정"}}}

FIRING = [
    (
        labels.labels_outside_the_head,
        {"train": rows(0, 1, 2, times=4), "config": {"num_labels": 2}},
        "error",
        "4 train labels are outside 0..1, up to 2",
    ),
    (
        labels.labels_outside_the_head,
        {"train": rows(0, 1, -1), "config": {"num_labels": 2}},
        "error",
        "1 train labels are outside 0..1, up to -1",
    ),
    (labels.labels_outside_the_head, {"train": rows(0, 1, 2)}, "warning", "(num_labels is not set and defaults to 2)"),
    (
        labels.labels_outside_the_head,
        {"train": rows("a", "b", "c"), "config": {"num_labels": 2}},
        "warning",
        "train has 3 labels, but num_labels is 2",
    ),
    (labels.labels_outside_the_head, {"train": rows("a", "b", "c")}, "note", "defaults to 2"),
    (labels.labels_outside_the_head, {"train": rows(10**40, 0), "config": {"num_labels": 2}}, "error", "outside 0..1"),
    (
        labels.labels_starting_at_one,
        {"train": rows(1, 2), "config": {"num_labels": 2}},
        "error",
        "the labels are 1..2, but num_labels is 2, ids 0..1",
    ),
    (labels.labels_starting_at_one, {"train": rows(1, 2, 3), "config": {"num_labels": 4}}, "warning", "ids 0..3"),
    (labels.labels_starting_at_one, {"train": rows(1, 2, 3, 4, 5)}, "warning", "classes are counted from 0"),
    (
        labels.numbers_as_strings,
        {"train": rows("0", "1", times=3)},
        "warning",
        "6 train labels are numbers written as strings, such as `0`",
    ),
    (labels.numbers_as_strings, {"train": rows("0", 1)}, "warning", ", 1 are numbers"),
    (labels.labels_of_several_types, {"train": rows("긍정", 1, 0)}, "warning", "1 are names and 2 are of type int"),
    (
        labels.fractions_as_class_labels,
        {"train": "text,label\na,0\nb,1\nc,\n", "names": ("a.csv", "")},
        "warning",
        "2 train labels are floats such as 0.0, as 1 labels are missing",
    ),
    (
        labels.fractions_as_class_labels,
        {"train": rows(0.5, 1.0), **CLASSIFY, "config": {"num_labels": 3}},
        "warning",
        "have fractions, but the head has 3 classes",
    ),
    (labels.missing_labels, {"train": rows(0, 1, None)}, "error", "1 of 3 train rows lack a label"),
    (labels.missing_labels, {"train": rows(0, 1), "eval": rows(float("nan"), 1)}, "warning", "1 of 2 eval rows"),
    (labels.missing_labels, {"train": rows(0, 1), "eval": rows(None, None)}, "note", "no eval row has a label, of 2"),
    (
        labels.spellings_of_one_label,
        {"train": rows("긍정", "긍정", "긍정 ", "부정")},
        "warning",
        "1 train labels are spelled `긍정 `, beside `긍정`",
    ),
    (labels.spellings_of_one_label, {"train": rows("긍정 ", "부정"), **NAMES}, "error", "beside `긍정` of label2id"),
    (
        labels.spellings_of_one_label,
        {"train": rows("긍정", "긍정", unicodedata.normalize("NFD", "긍정"))},
        "warning",
        "(decomposed)",
    ),
    (
        labels.labels_missing_from_label2id,
        {"train": rows("긍정", "중립"), **NAMES},
        "error",
        "1 train labels are not in label2id: `중립`",
    ),
    (
        label_counts.labels_unseen_in_training,
        {"train": rows(0, 1), "eval": rows(0, 2)},
        "warning",
        "1 eval labels are not in any of the 2 train rows: `2`",
    ),
    (label_counts.rare_class, {"train": rows(*[0] * 98, 1, 1)}, "warning", "`1` has 2.0 %, `0` 98 % of 100 rows"),
    (
        label_counts.head_larger_than_the_labels,
        {"train": rows(0, 1), "config": {"num_labels": 5}},
        "note",
        "num_labels is 5, but the rows have 2 labels",
    ),
    (
        label_kinds.regression_head_for_classes,
        {"train": rows(0, 1), "config": {"num_labels": 1}},
        "error",
        "num_labels is 1, a regression, but the train labels are 2 classes",
    ),
    (
        label_kinds.regression_head_for_classes,
        {"train": rows(1, 2, 3, 4, 5), "config": {"num_labels": 1}},
        "note",
        "5 classes",
    ),
    (
        label_kinds.class_head_for_scores,
        {"train": scores(0.5, 4.2), "model_class": "AutoModelForSequenceClassification"},
        "error",
        "num_labels is 2 (the default)",
    ),
    (
        label_kinds.label_lists_against_problem_type,
        {"train": rows([0, 1, 1], [1, 0, 0])},
        "error",
        "2 train labels are lists of 3 numbers, but problem_type is not set",
    ),
    (
        label_kinds.label_lists_against_problem_type,
        {"train": rows(["기쁨"], ["슬픔", "분노"])},
        "warning",
        "are lists, but",
    ),
    (
        label_kinds.label_lists_against_problem_type,
        {"train": rows(0, 1), "config": {"problem_type": "multi_label_classification"}},
        "error",
        "single values, expected lists",
    ),
    (
        label_kinds.label_lists_of_another_length,
        {"train": rows([0, 1], [1, 0, 0]), "config": {"problem_type": "multi_label_classification", "num_labels": 2}},
        "error",
        "another number of labels than 2, the first 3",
    ),
    (label_kinds.one_label_only, {"train": rows(1, 1, 1)}, "warning", "all 3 train rows have the one label `1`"),
    (
        label_kinds.scores_on_different_scales,
        {"train": scores(*[n / 2 for n in range(11)]), "eval": scores(*[n / 10 for n in range(11)])},
        "warning",
        "train scores go up to 5, eval scores up to 1",
    ),
    (
        label_kinds.labels_distributed_otherwise,
        {"train": rows(0, 1, times=60), "eval": rows(0, 0, 0, 0, 1, times=30)},
        "note",
        "30 % of the labels would have to change",
    ),
    (
        label_kinds.scores_beyond_one,
        {"train": scores(0, 2.5, 5), "task": "sentence-similarity"},
        "note",
        "train scores go up to 5",
    ),
    (
        tags.tags_and_tokens_differ_in_number,
        {"train": [sentence("가 나 다", "O O"), sentence("가", "O")]},
        "error",
        "2 tags for 3 tokens",
    ),
    (
        tags.entities_without_beginning,
        {"train": [sentence("가 나 다", "O I-PS O"), sentence("가 나", "B-PS I-PS")]},
        "warning",
        "`I-PS` follows `O` without a B-",
    ),
    (
        tags.entities_without_beginning,
        {"train": [sentence("가 나 다", "B-OG I-PS O")]},
        "warning",
        "`I-PS` follows `B-OG`",
    ),
    (
        tags.entities_without_beginning,
        {"train": [sentence("가 나 다", "I-PS I-PS O")] * 20},
        "note",
        "the scheme may be IOB1",
    ),
    (
        tags.tags_of_characters,
        {"train": [{"tokens": list("경찰은 또 갔다"), "tags": ["O"] * 8}] * 3},
        "note",
        "are single characters, 6 of them spaces",
    ),
    (
        tags.blank_tokens,
        {"train": [{"tokens": ["가나", "", "다라"], "tags": ["O", "O", "O"]}]},
        "warning",
        "1 of 1 train rows",
    ),
]
EVERY = (*labels.RULES, *label_kinds.RULES, *tags.RULES)


@pytest.mark.parametrize(("rule", "given_", "level", "message"), FIRING, ids=lambda value: getattr(value, "name", None))
def test_fires(tmp_path, rule, given_, level, message):
    """The rule finds the fault, at its level, with the numbers, in one line."""
    found = asked(rule, setup_of(tmp_path, **given_), model={})
    told = [finding for finding in found if message in finding.message]
    assert told, [finding.message for finding in found]
    assert told[0].level.value == level
    assert told[0].message.isprintable()
    assert told[0].where


HEALTHY = {
    "two classes, no head said": {"train": rows(0, 1, times=50), "eval": rows(1, 0, times=10)},
    "three classes": {"train": rows(0, 1, 2, times=20), "config": {"num_labels": 3}},
    "names with their tables": {"train": rows("긍정", "부정"), "eval": rows("부정"), **NAMES},
    "numeric strings that label2id has": {"train": rows("1", "2"), "config": {"label2id": {"1": 0, "2": 1}}},
    "a checkpoint's names of another task": {
        "train": rows("스포츠", "정치"),
        "model": {"id2label": {"0": "entailment", "1": "contradiction"}},
    },
    "bool labels": {"train": rows(True, False)},
    "numbers in a csv": {"train": "text,label\na,0\nb,1\n", "names": ("a.csv", "")},
    "regression of ratings": {"train": rows(1.5, 4.0, 3.2), "config": {"num_labels": 1}, **CLASSIFY},
    "multi-label": {
        "train": rows([0.0, 1.0], [1.0, 1.0]),
        "config": {"problem_type": "multi_label_classification", "num_labels": 2},
    },
    "scores with a regression head": {
        "train": scores(0, 2.5, 5),
        "config": {"num_labels": 1},
        "task": "sentence-similarity",
        "model_class": "AutoModelForSequenceClassification",
    },
    "scores for a bi-encoder": {"train": scores(0, 0.5, 1), "task": "sentence-similarity"},
    "ignored tags": {"train": [{"tokens": ["가", "나다"], "ner_tags": [-100, 1]}], "config": {"num_labels": 3}},
    "BIO": {"train": [sentence("가 나 다 라", "B-PS I-PS B-PS O")], "config": {"num_labels": 3}},
    "BIOES": {"train": [sentence("가 나 다 라", "B-PS I-PS E-PS S-OG")], "config": {"num_labels": 9}},
    "many classes, few rows each": {"train": rows(*range(150), times=3), "config": {"num_labels": 150}},
}


@pytest.mark.parametrize("name", list(HEALTHY))
def test_quiet(tmp_path, name):
    """Healthy labels draw nothing from any rule; what the head lacks in a tiny sample is at most a note."""
    given_ = dict(HEALTHY[name])
    model = given_.pop("model", {})
    found = asked_all(EVERY, setup_of(tmp_path, **given_), model=model)
    assert [finding for finding in found if finding.name != "head-larger-than-the-labels"] == []


@pytest.mark.parametrize("rule", EVERY, ids=lambda rule: rule.name)
def test_quiet_on_clean_rows(tmp_path, rule):
    """Each rule is silent on balanced classes, on scores in 0..1 and on words with tags."""
    for train in (
        rows(0, 1, times=40),
        scores(*[n / 20 for n in range(21)]),
        [sentence("김철수 씨가 왔다", "B-PS O O")] * 20,
    ):
        assert asked(rule, setup_of(tmp_path, train, train[:20]), model={}) == []


def test_unseen_label_of_a_sample_is_a_note(tmp_path):
    """A label that the first rows of train lack may stand further on."""
    setup = setup_of(tmp_path, rows(0, 1, times=30), rows(0, 2))
    assert asked(label_counts.labels_unseen_in_training, setup, sample=10)[0].level == "note"


@given(
    st.lists(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=5)
        | st.lists(st.integers() | st.text(max_size=2) | st.none(), max_size=3),
        min_size=1,
        max_size=15,
    ),
    st.sampled_from(
        [
            {},
            {"num_labels": 1},
            {"num_labels": 3},
            {"num_labels": "x"},
            {"id2label": {"0": "a", "x": None}},
            {"label2id": [1]},
            {"problem_type": "multi_label_classification"},
        ]
    ),
    st.sampled_from(["text-classification", "sentence-similarity", "token-classification", "pair-classification"]),
)
def test_odd_labels_crash_no_rule(tmp_path, odd, config, task):
    """Any labels beside any config: every rule answers, in printable lines."""
    train = [{"text": "a", "sentence2": "b", "label": label, "tokens": ["a"], "tags": [label]} for label in odd]
    setup = setup_of(tmp_path, train, train[::-1], task=task, config=config)
    for finding in asked_all(EVERY, setup, model={}):
        assert finding.message.isprintable()
