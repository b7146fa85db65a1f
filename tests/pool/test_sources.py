"""What the user names as sentences: tuples, lists of strings, standard input, and classes that datasets keeps by number."""

import io
import json

import pytest

from pretune.core.errors import UserError
from pretune.corpus import standard_input
from pretune.pool.data import read_sentences
from pretune.pool.sources import is_sentence

TOPICS = [(f"sentence number {place} of these", ("sport", "world news", "art")[place % 3]) for place in range(12)]
PAIRS = [(f"this is sentence {place}", f"and this one is number {place}") for place in range(6)]
WORDS = [("cat", "dog"), ("sun", "moon"), ("tea", "milk"), ("red", "blue")]


def test_tuples_of_two_are_classes_where_the_second_repeats():
    """Words that come again are classes; sentences that do not are the second of two, and that is said."""
    found = read_sentences(TOPICS)
    assert (found.kind, found.class_names, found.notes) == ("classes", ("art", "sport", "world news"), ())
    assert read_sentences([("가나다 라마", 1), ("바사", 0), ("아자 차", 1), ("카", 0)]).class_names == ("0", "1")
    found = read_sentences(PAIRS)
    assert (found.kind, len(found.texts), found.class_names) == ("text", 12, ())
    assert found.notes == ("tuples of two strings were taken for two sentences each, as the second hardly repeats",)


@pytest.mark.parametrize("tuples", [WORDS, [(f"a {place}", PAIRS[place % 2][1]) for place in range(6)]])
def test_tuples_that_may_be_either_are_asked_of(tuples):
    """Short words that do not repeat, and sentences that do: the user says what they are, by the places."""
    with pytest.raises(UserError, match="may be classes or sentences") as told:
        read_sentences(tuples)
    assert told.value.hint == 'columns={"text": 0, "label": 1} or columns={"sentence1": 0, "sentence2": 1}'
    assert read_sentences(tuples, columns={"sentence1": 0, "sentence2": 1}).kind == "text"
    doubled = [*tuples, *((f"{one} again", two) for one, two in tuples)]
    found = read_sentences(doubled, columns={"label": 1})
    assert (found.kind, found.texts[0]) == ("classes", tuples[0][0])


def test_the_places_of_tuples(tmp_path):
    """A score may stand first, scores may come in a file, and a place that is not there is named."""
    found = read_sentences([(place / 2, one, two) for place, (one, two) in enumerate(PAIRS)], columns={"score": 0})
    assert (found.texts[:2], found.scores.tolist()) == (PAIRS[0], [0.0, 0.5, 1.0, 1.5, 2.0, 2.5])
    (tmp_path / "gs.txt").write_text("1\n2\n3\n4\n", encoding="utf-8")
    assert read_sentences(WORDS, scores=tmp_path / "gs.txt").scores.tolist() == [1.0, 2.0, 3.0, 4.0]
    with pytest.raises(UserError, match='the columns of tuples are 0, 1, found "label"'):
        read_sentences(TOPICS, columns={"label": "label"})
    with pytest.raises(UserError, match="holds tuples of 2 and 3 things"):
        read_sentences([("a", "b"), ("a", "b", 1.0)])


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        ("누구세요?", True),
        ("What is a Mr. X?", True),
        ("wait...", True),
        ("", True),
        ("가" * 400, True),
        ("a\0b", True),
        ("data.tsv", False),
        ("my data.jsonl.gz", False),
        ("data/*.jsonl", False),
        ("part-?.json", False),
        ("table.xlsx", False),
        ("-", False),
        ("https://example.org/a.tsv", False),
    ],
)
def test_strings_of_a_list(one, expected):
    """Sentences with question marks and full stops are no patterns and no files."""
    assert is_sentence(one) is expected


def test_standard_input_has_a_name(monkeypatch):
    """People see `standard input`, not `-`."""
    rows = "".join(json.dumps({"text": f"t {place}", "label": "ab"[place % 2]}) + "\n" for place in range(6))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(rows.encode())))
    try:
        assert read_sentences("-").source == "standard input"
    finally:
        standard_input.discard()


NAMED = {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}, "text": {"dtype": "string", "_type": "Value"}}


def table(features, **columns):
    """An Arrow table as `datasets` writes it: its features in the schema."""
    pyarrow = pytest.importorskip("pyarrow")
    made = pyarrow.table(columns)
    return made.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def test_classes_by_the_names_of_datasets(tmp_path):
    """In memory, in parquet and in Arrow files the names of a ClassLabel stand for its numbers."""
    made = table(NAMED, text=[f"t {place}" for place in range(6)], label=[0, 1] * 3)
    from pyarrow import ipc, parquet

    parquet.write_table(made, tmp_path / "a.parquet")
    for name, writer in (("stream.arrow", ipc.new_stream), ("file.arrow", ipc.new_file)):
        with writer(str(tmp_path / name), made.schema) as file:
            file.write_table(made)
    for named in (made, tmp_path / "a.parquet", tmp_path / "stream.arrow", tmp_path / "file.arrow"):
        found = read_sentences(named)
        assert (found.class_names, found.classes.tolist()) == (("neg", "pos"), [0, 1] * 3), named


def test_a_dataset_names_its_classes(tmp_path):
    """A Dataset, as it is and shuffled, and the folder it saves."""
    datasets = pytest.importorskip("datasets")
    features = datasets.Features.from_dict(NAMED)
    made = datasets.Dataset.from_dict({"text": [f"t {i}" for i in range(6)], "label": [0, 1] * 3}, features=features)
    made.save_to_disk(tmp_path / "saved")
    for named in (made, made.shuffle(seed=1), made.to_iterable_dataset(), tmp_path / "saved"):
        assert read_sentences(named).class_names == ("neg", "pos")


def test_features_that_say_nothing():
    """Numbers without names stay numbers; -1 is a row without a class; broken features are no fault of the rows."""
    texts = [f"t {place}" for place in range(6)]
    for features in ({}, {"label": "x"}, {"label": {"_type": "ClassLabel", "names": None}}, [1]):
        assert read_sentences(table(features, text=texts, label=[0, 1] * 3)).class_names == ("0", "1")
    with pytest.raises(UserError, match="row 2: the sentence has no class"):
        read_sentences(table(NAMED, text=texts, label=[0, -1] * 3))


def test_pairs_whose_label_has_names():
    """A label of pairs is taken for a score, and the remark names what 0 and 1 are: RTE's 0 is the entailment."""
    names = {"label": {"names": ["entailment", "not_entailment"], "_type": "ClassLabel"}}
    made = table(names, sentence1=list("abcd"), sentence2=list("efgh"), label=[0, 1, 0, 1])
    assert read_sentences(made).notes == (
        "the scores are 0 (entailment) and 1 (not_entailment): larger is taken for more alike",
    )
