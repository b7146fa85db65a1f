"""TOK2: whether the tokenizer reads the data."""

import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ask_rules import found, levels, one
from conftest import MakeModel
from pretune.check.facts.reading import Reading, ReadingFacts, WordExample
from pretune.check.rules.reading import (
    RULES,
    byte_fallback_heavy,
    characters_vanish,
    characters_without_token,
    decomposed_text_unknown,
    hangul_read_as_jamo,
    language_not_read,
    long_words_swallowed,
    unknown_only_in_one_split,
    words_in_many_pieces,
)
from pretune.check.sources.setup import Data, Setup

SHOWN = WordExample("한국어", ("[UNK]",), "train.txt:3")
KINDS = ("unknown_words", "jamo_words", "lost_characters", "long_words", "byte_words", "mended_words")


def read(**counts: Any) -> Reading:
    """A reading of 1,000 healthy Korean words, with some counts changed."""
    healthy = {
        "characters": 3000, "words": 1000, "hangul_words": 1000, "hangul_pieces": 2200,
        "hangul_characters": 3000, "scripts": {"Hangul": (1000, counts.get("unknown_words", 0))},
        "examples": dict.fromkeys(KINDS, SHOWN),
    }  # fmt: skip
    return Reading(**{**healthy, **counts})


def ask(make_model: MakeModel, rule: Any, train: Reading, held: Reading | None = None) -> list[str]:
    """Levels of what a rule finds in readings."""
    return levels(found(rule, Setup(model=str(make_model())), reading=ReadingFacts(train, held)))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("reading", [read(), Reading(), read(words=1, hangul_words=1)])
def test_healthy(make_model: MakeModel, rule: Any, reading: Reading) -> None:
    """A healthy reading, an empty one and a tiny one are quiet."""
    assert ask(make_model, rule, reading) == []
    assert ask(make_model, rule, reading, reading) == []


@pytest.mark.parametrize(
    ("unknown", "expected"),
    [(0, []), (24, []), (53, []), (79, []), (80, ["warning"]), (150, ["error"]), (990, ["error"])],
)
def test_unknown_words(make_model: MakeModel, unknown: int, expected: list[str]) -> None:
    """Thresholds between the healthy pairings and the wrong ones (docs/decisions/0001)."""
    assert ask(make_model, language_not_read, read(unknown_words=unknown)) == expected


def test_unknown_words_of_one_script(make_model: MakeModel) -> None:
    """A third of the words in a script that is not read, and the other two thirds fine."""
    mixed = read(unknown_words=120, scripts={"Latin": (700, 0), "Hangul": (300, 120)})
    assert ask(make_model, language_not_read, mixed) == ["error"]


@pytest.mark.parametrize("cause", ["mended_words", "long_words"])
def test_unknown_words_explained(make_model: MakeModel, cause: str) -> None:
    """Where another rule says why, this one is quiet."""
    assert ask(make_model, language_not_read, read(unknown_words=500, **{cause: 480})) == []


def test_few_words(make_model: MakeModel) -> None:
    """Fewer than twenty unknown words prove nothing."""
    assert ask(make_model, language_not_read, read(words=19, unknown_words=19)) == []


@pytest.mark.parametrize(
    ("rule", "counts", "expected"),
    [
        (hangul_read_as_jamo, {"jamo_words": 700}, ["error"]),
        (hangul_read_as_jamo, {"jamo_words": 11}, []),
        (decomposed_text_unknown, {"mended_words": 1}, ["warning"]),
        (decomposed_text_unknown, {"mended_words": 1, "words": 1001}, ["note"]),
        (decomposed_text_unknown, {"mended_words": 500}, ["error"]),
        (characters_vanish, {"lost_characters": 2800}, ["error"]),
        (characters_vanish, {"lost_characters": 25}, ["warning"]),
        (characters_vanish, {"lost_characters": 5}, []),
        (long_words_swallowed, {"long_words": 1}, ["warning"]),
        (long_words_swallowed, {"long_words": 1, "words": 15600}, ["note"]),
        (words_in_many_pieces, {"hangul_pieces": 8700}, ["warning"]),
        (words_in_many_pieces, {"hangul_pieces": 4080}, []),
        (words_in_many_pieces, {"hangul_pieces": 5900, "jamo_words": 700}, []),
        (words_in_many_pieces, {"hangul_pieces": 8700, "unknown_words": 900}, []),
        (byte_fallback_heavy, {"byte_words": 372}, ["warning"]),
        (byte_fallback_heavy, {"byte_words": 50}, ["note"]),
        (byte_fallback_heavy, {"byte_words": 5}, []),
        (characters_without_token, {"unknown_words": 40, "unknown_characters": Counter({"뷁": 40})}, ["note"]),
        (characters_without_token, {"unknown_words": 400, "unknown_characters": Counter({"뷁": 400})}, []),
    ],
)
def test_counts(make_model: MakeModel, rule: Any, counts: dict[str, Any], expected: list[str]) -> None:
    """Each rule at its thresholds."""
    assert ask(make_model, rule, read(**counts)) == expected


def test_one_split(make_model: MakeModel) -> None:
    """T37: unknown words in one split alone; in both, and in small splits, nothing."""
    clean, odd = read(), read(unknown_words=60)
    assert ask(make_model, unknown_only_in_one_split, odd, clean) == ["warning"]
    assert ask(make_model, unknown_only_in_one_split, clean, odd) == ["warning"]
    assert ask(make_model, unknown_only_in_one_split, odd, odd) == []
    assert ask(make_model, unknown_only_in_one_split, odd, read(words=50)) == []
    assert ask(make_model, unknown_only_in_one_split, odd) == []


def korean(tmp_path: Path, text: str = "한국어 모델을 학습합니다 나는 질문에 답변하고 싶다") -> Data:
    """Training text of some hundred words."""
    path = tmp_path / "train.txt"
    path.write_text("\n".join(f"{text} {number}" for number in range(100)), "utf-8")
    return Data(train=(str(path),))


def names(setup: Setup) -> list[str]:
    """Names of the rules that find something graver than a note."""
    return [rule.name for rule in RULES for problem in found(rule, setup) if problem.level != "note"]


def test_from_files(make_model: MakeModel, tmp_path: Path) -> None:
    """Healthy text; NFD text; a lower-casing tokenizer; T30: each is named by the rule that knows why."""
    folder, data = make_model(), korean(tmp_path)
    healthy = Setup(model=str(folder), task="masked-lm", data=korean(tmp_path, "한국어 모델을 학습하는 나"))
    assert names(healthy) == []
    decomposed = korean(tmp_path, unicodedata.normalize("NFD", "한국어 모델을 학습하는 나"))
    assert names(Setup(model=str(folder), task="masked-lm", data=decomposed)) == ["decomposed-text-unknown"]
    lower = Setup(model=str(folder), task="masked-lm", data=data, tokenizer_kwargs={"do_lower_case": True})
    assert "language-not-read" in names(lower)
    undeclared = {"tokenizer_class": ...}
    t30 = make_model("roberta", name="t30", config=undeclared, tokenizer_config=undeclared)
    assert names(Setup(model=str(t30), task="masked-lm", data=korean(tmp_path, "한국어, 모델을!"))) == [
        "characters-vanish"
    ]


def test_messages(make_model: MakeModel) -> None:
    """A message says how much, of what, and shows a word and where it stands."""
    setup = Setup(model=str(make_model()))
    problem = one(found(language_not_read, setup, reading=ReadingFacts(read(unknown_words=900), None)))
    assert problem.message.startswith(
        "90 % of 1,000 words in train are unknown, 90 % of those in Hangul: `한국어` is `[UNK]`"
    )
    assert problem.where == "train.txt:3"
