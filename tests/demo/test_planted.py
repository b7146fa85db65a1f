"""planted.json is spoilt exactly as planted.md says, and nowhere else."""

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from pretune.demo import sample


def paragraphs(path: Path) -> list[dict[str, Any]]:
    """All paragraphs of a SQuAD json file."""
    articles = json.loads(path.read_text(encoding="utf-8"))["data"]
    return [paragraph for article in articles for paragraph in article["paragraphs"]]


def folded(text: str) -> str:
    """The text without any spaces."""
    return re.sub(r"\s", "", text)


def planted(identity: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the paragraph in planted.json, the healthy one it was made from) by the id of its first question."""
    spoilt = next(p for p in paragraphs(sample.planted()) if p["qas"][0]["id"] == identity)
    source = identity.removeprefix("copy-of-")
    both = [*paragraphs(sample.train()), *paragraphs(sample.dev())]
    return spoilt, next(p for p in both if p["qas"][0]["id"] == source)


def aligned(paragraph: dict[str, Any]) -> list[bool]:
    """Whether each question's first answer stands where it says."""
    answers = [question["answers"][0] for question in paragraph["qas"]]
    return [paragraph["context"].startswith(a["text"], a["answer_start"]) for a in answers]


def test_planted_size_and_notes() -> None:
    """Thirteen paragraphs, and planted.md names the first question of each."""
    notes = sample.planted().with_suffix(".md").read_text(encoding="utf-8")
    first = [paragraph["qas"][0]["id"] for paragraph in paragraphs(sample.planted())]
    assert len(first) == len(set(first)) == 13
    assert all(f"| {identity}" in notes for identity in first)


@pytest.mark.parametrize(("identity", "by"), [("ko-01-1", 2), ("ko-05-1", 1)])
def test_planted_shift(identity: str, by: int) -> None:
    """One answer_start is too large by one or two; the other questions are right."""
    spoilt, healthy = planted(identity)
    starts = [p["qas"][0]["answers"][0]["answer_start"] for p in (spoilt, healthy)]
    assert starts[0] - starts[1] == by
    assert aligned(spoilt) == [False, True, True]


def test_planted_bytes() -> None:
    """answer_start is the offset in UTF-8 bytes, in every question."""
    spoilt, _ = planted("ko-07-1")
    assert aligned(spoilt) == [False, False, False]
    for question in spoilt["qas"]:
        answer = question["answers"][0]
        assert spoilt["context"].encode().startswith(answer["text"].encode(), answer["answer_start"])


def test_planted_nfd() -> None:
    """A paragraph in NFD whose offsets fit it, equal to its source once composed."""
    spoilt, healthy = planted("ko-21-1")
    assert unicodedata.is_normalized("NFD", spoilt["context"])
    assert len(spoilt["context"]) > 1.8 * len(healthy["context"])
    assert unicodedata.normalize("NFC", spoilt["context"]) == healthy["context"]
    assert all(aligned(spoilt))


def test_planted_absent_answer() -> None:
    """An answer that is nowhere in its paragraph."""
    spoilt, _ = planted("ko-38-1")
    assert spoilt["qas"][0]["answers"][0]["text"] not in spoilt["context"]
    assert aligned(spoilt) == [False, True, True]


def test_planted_empty_question() -> None:
    """A question that is an empty string."""
    spoilt, _ = planted("ko-24-1")
    assert [bool(question["question"]) for question in spoilt["qas"]] == [False, True]


def test_planted_leak() -> None:
    """A paragraph of dev, told from it only by spaces and ids."""
    spoilt, healthy = planted("copy-of-ko-06-1")
    assert healthy in paragraphs(sample.dev())
    assert spoilt["context"] != healthy["context"]
    assert folded(spoilt["context"]) == folded(healthy["context"])
    assert all(aligned(spoilt))


def test_planted_zero_width() -> None:
    """Zero-width spaces, the text being equal to its source without them."""
    spoilt, healthy = planted("ko-22-1")
    assert spoilt["context"].count("\u200b") >= 5
    assert spoilt["context"].replace("\u200b", "") == healthy["context"]
    assert all(aligned(spoilt))


def test_planted_mojibake() -> None:
    """Two paragraphs without a Hangul syllable, which the inverse reading brings back."""
    windows, healthy = planted("ko-25-1")
    closed = {bytes([b]).decode("cp1252", errors="ignore") or chr(b): b for b in range(256)}
    assert bytes(closed[c] for c in windows["context"]).decode() == healthy["context"]
    latin, source = planted("ko-36-1")
    assert latin["context"].encode("latin-1").decode("cp949") == source["context"]
    assert not re.search("[가-힣]", windows["context"] + latin["context"])
    assert all(aligned(windows) + aligned(latin))


def test_planted_trailing_space() -> None:
    """An answer that ends with a space and still stands where it says."""
    spoilt, healthy = planted("en-18-1")
    texts = [p["qas"][0]["answers"][0]["text"] for p in (spoilt, healthy)]
    assert texts[0] == texts[1] + " "
    assert all(aligned(spoilt))


def test_planted_duplicate_id() -> None:
    """Two questions with one id, the only ones in the file."""
    spoilt, _ = planted("ko-33-1")
    assert [question["id"] for question in spoilt["qas"]] == ["ko-33-1", "ko-33-1", "ko-33-3"]
    ids = [question["id"] for paragraph in paragraphs(sample.planted()) for question in paragraph["qas"]]
    assert len(ids) - len(set(ids)) == 1


def test_planted_healthy_control() -> None:
    """One paragraph is untouched."""
    assert planted("en-11-1")[0] == planted("en-11-1")[1]
