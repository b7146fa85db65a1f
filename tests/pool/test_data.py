"""Sentences from any file: what each column is, what is left out, and what is refused in one line."""

import json
from pathlib import Path

import numpy as np
import pytest

from pretune.core.errors import UserError
from pretune.pool.data import read_sentences

STSB = [
    (
        "main-captions",
        "MSRvid",
        "2012test",
        f"{place:04}",
        f"{place % 6}.{place}00",
        f"A man is {verb}.",
        "A {verb} man.",
    )
    for place, verb in enumerate(("running", "eating", '"quoting', "sleeping", "reading"))
]


def written(folder: Path, name: str, rows: list[tuple[object, ...]], separator: str = "\t") -> Path:
    """A table as it is published: no quoting."""
    path = folder / name
    path.write_text("\n".join(separator.join(map(str, row)) for row in rows) + "\n", encoding="utf-8")
    return path


def test_stsb_without_a_header(tmp_path):
    """STS-B's own file: tabs in a .csv, no header, bare quotes; told by what the columns hold."""
    found = read_sentences(written(tmp_path, "sts-test.csv", STSB))
    assert found.kind == "pairs"
    assert found.texts[found.pairs[2, 0]] == 'A man is "quoting.'
    assert found.scores.tolist() == [float(row[4]) for row in STSB]
    assert "no names" in found.notes[0]


@pytest.mark.parametrize(
    "header",
    [
        ("genre", "filename", "year", "id", "score", "sentence1", "sentence2"),
        ("index", "filename", "year", "old_index", "similarity_score", "sentence1", "sentence2"),
    ],
    ids=["korsts", "glue"],
)
def test_tables_with_a_header(tmp_path, header):
    """KorSTS and GLUE go by the names of their columns."""
    found = read_sentences(written(tmp_path, "dev.tsv", [header, *STSB]))
    assert found.kind == "pairs"
    assert found.scores.tolist() == [float(row[4]) for row in STSB]
    assert found.notes == ()


def test_klue_sts(tmp_path):
    """The score is inside `labels`."""
    rows = [
        {"sentence1": f"문장 {i}", "sentence2": "다른 문장", "labels": {"label": i / 2, "binary-label": 1}}
        for i in range(4)
    ]
    (tmp_path / "klue.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    found = read_sentences(tmp_path / "klue.json")
    assert found.scores.tolist() == [0.0, 0.5, 1.0, 1.5]
    assert len(found.texts) == 5
    assert found.pairs[:, 1].tolist() == [1] * 4


def test_classes_and_text(tmp_path):
    """A label makes classes, in the order of their names; nothing beside the text is bare text, each sentence once."""
    found = read_sentences([("great film", "1"), ("bad film", "0"), ("good film", "1"), ("poor film", "0")])
    assert (found.kind, found.class_names, found.classes.tolist()) == ("classes", ("0", "1"), [1, 0, 1, 0])
    (tmp_path / "lines.txt").write_text("one line\nanother\none line\n", encoding="utf-8")
    found = read_sentences(tmp_path / "lines.txt")
    assert (found.kind, found.texts) == ("text", ("one line", "another"))
    assert read_sentences(["one sentence here", "another one"]).texts == ("one sentence here", "another one")


def test_a_table_of_two_columns(tmp_path):
    """Without a header, few different words beside sentences are classes; a first row that may be a header is asked of."""
    rows = [(f"this is sentence {place}", "ab"[place % 2]) for place in range(12)]
    assert read_sentences(written(tmp_path, "a.tsv", rows)).class_names == ("a", "b")
    rows = [(f"this is sentence {place}", f"and this is number {place}") for place in range(12)]
    with pytest.raises(UserError, match="none of which is known to hold sentences") as told:
        read_sentences(written(tmp_path, "b.tsv", rows))
    assert "if the first row is no header, add one" in told.value.hint


def test_scores_in_a_file_of_their_own(tmp_path):
    """A number a line, one for each row, also for rows that are left out."""
    rows = [("sentence1", "sentence2"), ("one here", "two here"), ("", "three"), ("four", "five"), ("six", "seven")]
    data = written(tmp_path, "pairs.tsv", rows)
    (tmp_path / "gs.txt").write_text("1\n2\n3.5\n4\n\n\n", encoding="utf-8")
    found = read_sentences(data, scores=tmp_path / "gs.txt")
    assert found.scores.tolist() == [1.0, 3.5, 4.0]
    assert [why for _, why in found.skipped] == ["an empty sentence"]
    (tmp_path / "gs.txt").write_text("1\n2\n3\n4\n5\n6\n", encoding="utf-8")
    assert read_sentences([PAIR] * 6, scores=tmp_path / "gs.txt", limit=4).scores.tolist() == [1.0, 2.0, 3.0, 4.0]


def test_named_columns(tmp_path):
    """The user's names win, over names and over looks."""
    rows = [{"a": f"left {i}", "b": f"right {i}", "s": i / 3, "text": "x", "label": 1} for i in range(4)]
    found = read_sentences(rows, columns={"sentence1": "a", "sentence2": "b", "score": "s"})
    assert found.kind == "pairs"
    assert found.texts[:2] == ("left 0", "right 0")


def test_binary_labels_are_scores():
    """0 and 1 of a paraphrase set are taken for scores, and that is said."""
    found = read_sentences([{"sentence1": f"a {i}", "sentence2": f"b {i}", "label": i % 2} for i in range(6)])
    assert np.unique(found.scores).tolist() == [0.0, 1.0]
    assert "0 and 1" in found.notes[0]


PAIR = {"sentence1": "a b", "sentence2": "c d"}


@pytest.mark.parametrize(
    ("rows", "columns", "said"),
    [
        ([PAIR | {"score": "high"}] * 4, {}, "expected a number as the score, found 'high'"),
        ([PAIR | {"score": 3}] * 4, {}, "all 4 scores in a list are 3: there is nothing to rank"),
        ([PAIR | {"score": i} for i in range(2)], {}, "has 2 pairs, expected at least 3"),
        ([PAIR | {"sentence1": "\ud800"}] * 4, {}, "no sentence that can be used"),
        ([PAIR | {"score": None}] * 4, {}, "expected a number as the score, found nothing"),
        ([{"sentence1": " ", "sentence2": "x", "score": i} for i in range(4)], {}, "has no sentence that can be used"),
        (
            [PAIR | {"label": w} for w in ("entailment", "neutral") * 3],
            {},
            "holds classes of pairs \\(entailment, neutral",
        ),
        ([PAIR | {"label": i % 3} for i in range(9)], {}, "holds classes of pairs"),
        ([{"text": f"t {i}", "label": "x"} for i in range(4)], {}, "have the class x, expected two or more"),
        ([{"text": f"t {i}", "label": f"{i}"} for i in range(9)], {}, "9 classes for 9 sentences"),
        ([{"text": f"t {i}", "label": None} for i in range(4)], {"label": "label"}, "the sentence has no class"),
        ([{"question": "q", "context": "c", "answers": []}] * 3, {}, "rows of another task"),
        ([{"foo": 1, "bar": 2}] * 3, {}, "none of which is known to hold sentences"),
        ([PAIR | {"score": 1}] * 3, {"score": "points"}, 'has no column "points"; its columns are sentence1'),
        ([PAIR | {"score": 1}] * 3, {"points": "score"}, 'no role "points"'),
        ([{"text": "a", "score": 1.5}] * 3, {"score": "score"}, "a score but no second sentence"),
    ],
)
def test_what_is_refused(rows, columns, said):
    """One line that says what was found, where there is something to be said."""
    with pytest.raises(UserError, match=said) as told:
        read_sentences(rows, columns=columns)
    assert "\n" not in told.value.message


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("1\n2\n3\n4\n5\n", "more scores than there are pairs: 5 for 4"),
        ("1\n", "fewer scores"),
        ("1\nx\n", "gs.txt:2: expected"),
    ],
)
def test_scores_that_do_not_fit(tmp_path, lines, said):
    """A file of scores that is longer or shorter than the text, or holds words."""
    (tmp_path / "gs.txt").write_text(lines, encoding="utf-8")
    with pytest.raises(UserError, match=said):
        read_sentences([PAIR] * 4, scores=tmp_path / "gs.txt")
    (tmp_path / "gs.txt").write_text("1\n2\n", encoding="utf-8")
    with pytest.raises(UserError, match="scores belong to pairs"):
        read_sentences(["only one sentence", "a second one"], scores=tmp_path / "gs.txt")


def test_files_that_are_not_there(tmp_path):
    """A missing file, a missing file of scores, and files that do not go together."""
    with pytest.raises(UserError):
        read_sentences(tmp_path / "none.tsv")
    with pytest.raises(UserError, match="cannot be read: no such file"):
        read_sentences([PAIR] * 4, scores=tmp_path / "none.txt")
    pairs = written(tmp_path, "a.tsv", [("sentence1", "sentence2", "score"), ("a", "b", 1.0), ("c", "d", 2.5)])
    (tmp_path / "b.txt").write_text("bare text\n", encoding="utf-8")
    with pytest.raises(UserError, match="holds bare text, the files before it pairs with a score"):
        read_sentences([pairs, tmp_path / "b.txt"])


def test_a_limit_and_broken_rows(tmp_path):
    """No more rows than asked; a line that is no JSON is left out and named."""
    lines = [json.dumps(PAIR | {"score": i}) for i in range(5)]
    lines.insert(1, "{broken")
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    found = read_sentences(tmp_path / "a.jsonl", limit=4)
    assert found.scores.tolist() == [0.0, 1.0, 2.0]
    assert found.skipped[0][0].endswith("a.jsonl:2")
