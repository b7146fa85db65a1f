"""The packaged sample is what its README says, and healthy. test_planted.py looks at the mistakes."""

import csv
import importlib
import json
import re
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pretune.demo import sample

SCRIPTS = Path(__file__).parents[2] / "scripts"
HEALTHY = ("train", "dev")
INVISIBLE = {"Cc", "Cf", "Co", "Cs"}


def paragraphs(path: Path) -> list[dict[str, Any]]:
    """All paragraphs of a SQuAD json file."""
    articles = json.loads(path.read_text(encoding="utf-8"))["data"]
    return [paragraph for article in articles for paragraph in article["paragraphs"]]


def questions(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(context, question) of every question of a SQuAD json file."""
    return ((paragraph["context"], question) for paragraph in paragraphs(path) for question in paragraph["qas"])


def of(split: str) -> Path:
    """The file of a split."""
    return {"train": sample.train, "dev": sample.dev}[split]()


def folded(text: str) -> str:
    """The text without any spaces, in NFC."""
    return re.sub(r"\s", "", unicodedata.normalize("NFC", text))


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a table with a header."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def all_files() -> list[Path]:
    """Every packaged file that is meant to be healthy."""
    found = (sample.train, sample.dev, sample.classify, sample.pairs, sample.chat, sample.ner)
    return [name() for name in found]


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The build script as a module; only a checkout has it."""
    if not (SCRIPTS / "build_sample.py").is_file():
        pytest.skip("scripts/build_sample.py is not here (an installed package has only the built files)")
    monkeypatch.syspath_prepend(str(SCRIPTS))
    yield importlib.import_module("build_sample")
    for name in ("build_sample", "plant_mistakes"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(("split", "texts", "asked"), [("train", 45, 113), ("dev", 15, 37)])
def test_counts(split: str, texts: int, asked: int) -> None:
    """The files hold as many paragraphs and questions as their README says."""
    assert (len(paragraphs(of(split))), len(list(questions(of(split))))) == (texts, asked)


def test_languages() -> None:
    """Forty paragraphs and a hundred questions are Korean, twenty and fifty English."""
    contexts = [p["context"] for split in HEALTHY for p in paragraphs(of(split))]
    asked = [q["question"] for split in HEALTHY for _, q in questions(of(split))]
    korean = [sum(bool(re.search("[가-힣]{2}", text)) for text in texts) for texts in (contexts, asked)]
    assert korean == [40, 100]
    assert [len(contexts), len(asked)] == [60, 150]


@pytest.mark.parametrize("split", HEALTHY)
def test_answers_align(split: str) -> None:
    """Every answer is the exact span of its paragraph that starts at answer_start, without spaces at its ends."""
    for context, question in questions(of(split)):
        assert question["answers"]
        for answer in question["answers"]:
            start, text = answer["answer_start"], answer["text"]
            assert context[start : start + len(text)] == text == text.strip() != "", question["id"]


@pytest.mark.parametrize("split", HEALTHY)
def test_answers_are_short(split: str) -> None:
    """No answer is longer than a noun phrase, and none stands in its own question."""
    for _, question in questions(of(split)):
        for answer in question["answers"]:
            assert len(answer["text"]) <= 30, question["id"]
            assert answer["text"] not in question["question"], question["id"]


def test_some_dev_questions_accept_two_answers() -> None:
    """Train has one answer a question, as KorQuAD does; dev has a handful with more, all different."""
    assert {len(question["answers"]) for _, question in questions(sample.train())} == {1}
    several = [q["answers"] for _, q in questions(sample.dev()) if len(q["answers"]) > 1]
    assert len(several) >= 5
    assert all(len({answer["text"] for answer in answers}) == len(answers) for answers in several)


def test_ids_and_questions_are_unique() -> None:
    """No id and no question occurs twice, in train and dev together."""
    both = [question for split in HEALTHY for _, question in questions(of(split))]
    assert len({question["id"] for question in both}) == len({question["question"] for question in both}) == 150


def test_no_paragraph_in_both() -> None:
    """Train and dev share no paragraph, also when spaces are folded away."""
    train, dev = ({folded(p["context"]) for p in paragraphs(of(split))} for split in HEALTHY)
    assert (len(train), len(dev)) == (45, 15)
    assert not train & dev


@pytest.mark.parametrize("split", HEALTHY)
def test_lengths(split: str) -> None:
    """Korean paragraphs have 250 to 850 characters, English ones 60 to 180 words; two or three questions each."""
    for paragraph in paragraphs(of(split)):
        context = paragraph["context"]
        korean = paragraph["qas"][0]["id"].startswith("ko-")
        assert 250 <= len(context) <= 850 if korean else 60 <= len(context.split()) <= 180, paragraph["qas"][0]["id"]
        assert len(paragraph["qas"]) in {2, 3}


@pytest.mark.parametrize("path", all_files(), ids=lambda path: path.name)
def test_files_are_clean_text(path: Path) -> None:
    """UTF-8 without BOM, NFC, no control or invisible characters but tab and newline, no replacement character."""
    text = path.read_bytes().decode("utf-8")
    assert unicodedata.is_normalized("NFC", text)
    assert {c for c in text if unicodedata.category(c) in INVISIBLE} <= {"\n", "\t"}
    assert "�" not in text
    assert text.endswith("\n")


def test_no_double_spaces() -> None:
    """Paragraphs and questions have single spaces only."""
    for split in HEALTHY:
        for context, question in questions(of(split)):
            for text in (context, question["question"]):
                assert text == " ".join(text.split()), question["id"]


def test_built_files_are_fresh(build: Any) -> None:
    """The packaged files are what the sources give; mend with `python scripts/build_sample.py`."""
    assert build.stale(build.build()) == []


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("나", "does not occur"),
        ("가", "occurs 3 times; say which"),
        ("가 @4", "occurs 3 times, occurrence 4"),
        ("다라 @1", "occurs 1 times, occurrence 1"),
    ],
)
def test_build_guesses_no_offset(build: Any, marked: str, message: str) -> None:
    """An absent, an ambiguous or a wrongly numbered answer stops the build."""
    with pytest.raises(ValueError, match=message):
        build.locate("가가 다라 가", marked, "x")


def test_build_counts_code_points(build: Any) -> None:
    """A numbered answer gets the offset of that occurrence; an emoji before it counts as one."""
    assert build.locate("😀가 가", "가 @2", "x") == {"text": "가", "answer_start": 3}


def test_classify() -> None:
    """Sixty different reviews, thirty of each label."""
    rows = table(sample.classify())
    assert list(rows[0]) == ["document", "label"]
    assert len({row["document"] for row in rows}) == len(rows) == 60
    assert sorted(row["label"] for row in rows) == ["0"] * 30 + ["1"] * 30


def test_pairs() -> None:
    """Forty pairs, scores from 0 to 5 with both ends in use, no sentence twice."""
    rows = table(sample.pairs())
    assert list(rows[0]) == ["sentence1", "sentence2", "score"]
    scores = [float(row["score"]) for row in rows]
    assert (len(rows), min(scores), max(scores)) == (40, 0.0, 5.0)
    assert len({row[key] for row in rows for key in ("sentence1", "sentence2")}) == 80


def test_similarity() -> None:
    """205 pairs, each once, 101 of them Korean; scores all over 0 to 5."""
    rows = table(sample.similarity())
    assert list(rows[0]) == ["sentence1", "sentence2", "score"]
    assert len({(row["sentence1"], row["sentence2"]) for row in rows}) == len(rows) == 205
    assert sum(not row["sentence1"].isascii() for row in rows) == 101
    scores = [float(row["score"]) for row in rows]
    assert 0 <= min(scores) < 1 < 4 < max(scores) <= 5
    assert min(sum(low <= score <= low + 1 for score in scores) for low in range(5)) >= 12


def test_chat() -> None:
    """Twenty conversations: a system turn first if at all, then user and assistant in turn, the assistant last."""
    lines = sample.chat().read_text(encoding="utf-8").splitlines()
    assert len(lines) == 20
    for line in lines:
        messages = json.loads(line)["messages"]
        assert all(message["content"].strip() == message["content"] != "" for message in messages)
        roles = " ".join(message["role"] for message in messages)
        assert re.fullmatch(r"(system )?user assistant( user assistant)*", roles), line


def test_ner() -> None:
    """Thirty sentences of word and tag, with all four types, and no I- tag without its own type before it."""
    sentences = sample.ner().read_text(encoding="utf-8").strip().split("\n\n")
    assert len(sentences) == 30
    seen = set()
    for sentence in sentences:
        tags = ["O"]
        for line in sentence.splitlines():
            word, tag = line.split("\t")
            assert word
            assert not tag.startswith("I-") or tags[-1][1:] == tag[1:], line
            tags.append(tag)
        seen.update(tags)
    assert seen == {"O"} | {f"{place}-{kind}" for place in "BI" for kind in ("PS", "LC", "OG", "DT")}
