"""The language people are told things in: how it is chosen, how texts find their translation, Korean particles."""

import os
import subprocess
import sys

import pytest

from pretune.core.language import language, say, without_language
from pretune.core.particles import with_particles
from pretune.core.translation import Catalogue

SMALL = Catalogue(
    {
        "nothing found": "지적 없음",
        "{0} of {1} rows": "{1}행 중 {0}행",
        "{0} rows": "{0}행",
        "{0} is not read: {1}": "{0}을(를) 읽지 않습니다: {1}",
        "it is empty": "비어 있습니다",
        "{0} and {1} more": "{0} 외 {1}개",
        "{0} of {1}": "{1}의 {0}",
        "answer_start misses its answer in {0}": "{0}에서 answer_start가 정답을 가리키지 않습니다",
        "{0} of {1} rows of {2}": "{2}의 {1}행 중 {0}행",
    }
)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "en"),
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "ko_KR.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "ko_KR"}, "ko"),
        ({"LANG": "ko_KR.UTF-8", "PRETUNE_LANG": "en"}, "en"),
        ({"PRETUNE_LANG": "KO"}, "ko"),
        ({"PRETUNE_LANG": "", "LC_ALL": "", "LANG": "kok_IN"}, "ko"),
    ],
)
def test_what_is_asked_for_wins_over_the_locale(monkeypatch, environment: dict[str, str], expected: str) -> None:
    """PRETUNE_LANG wins, then LC_ALL, LC_MESSAGES and LANG; every other language is told English."""
    for name in ("PRETUNE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert language() == expected


def test_english_costs_no_import() -> None:
    """In English nothing is imported to say a text."""
    code = (
        "import sys; from pretune.core.language import say; say('x'); print('gettext' in sys.modules, len(sys.modules))"
    )
    environment = {**os.environ, "PRETUNE_LANG": "en"}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert "True" not in done.stdout


@pytest.mark.parametrize(
    ("words", "left", "asked"),
    [
        (["check", "x"], ["check", "x"], None),
        (["--lang", "ko", "check", "x"], ["check", "x"], "ko"),
        (["check", "--lang=ko", "x"], ["check", "x"], "ko"),
        (["check", "x", "--lang", "en"], ["check", "x"], "en"),
        (["knock", "--lang", "ko", "python", "--lang", "de"], ["knock", "python", "--lang", "de"], "ko"),
        (["knock", "python", "--lang", "de"], ["knock", "python", "--lang", "de"], None),
        (["knock", "--to", "team", "--lang", "ko", "run"], ["knock", "--to", "team", "run"], "ko"),
        (["knock", "--", "--lang", "ko"], ["knock", "--", "--lang", "ko"], None),
        (["train", "x", "--", "--lang", "ko"], ["train", "x", "--", "--lang", "ko"], None),
    ],
)
def test_the_flag_is_taken_out(monkeypatch, words: list[str], left: list[str], asked: str | None) -> None:
    """`--lang` is found anywhere before somebody else's words, and kept for the processes that are started."""
    monkeypatch.delenv("PRETUNE_LANG")
    assert without_language(words) == left
    assert os.environ.get("PRETUNE_LANG") == asked


@pytest.mark.parametrize("words", [["check", "--lang"], ["--lang", "xx", "check"], ["--lang="]])
def test_an_unknown_language_is_a_mistake(words: list[str]) -> None:
    """A language without messages is named in one line."""
    with pytest.raises(ValueError, match="--lang"):
        without_language(words)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nothing found", "지적 없음"),
        ("  nothing found\n", "  지적 없음\n"),
        ("3 of 1,000 rows", "1,000행 중 3행"),
        ("data.json is not read: it is empty", "data.json을 읽지 않습니다: 비어 있습니다"),
        ("a.csv is not read: disk full", "a.csv를 읽지 않습니다: disk full"),
        (
            "answer_start misses its answer in 3 of 9 rows of train",
            "train의 9행 중 3행에서 answer_start가 정답을 가리키지 않습니다",
        ),
        ("nothing found; it is empty", "지적 없음; 비어 있습니다"),
        ("`a`, `b` and 3 more", "`a`, `b` 외 3개"),
    ],
)
def test_a_text_finds_its_translation(text: str, expected: str) -> None:
    """By itself, by its template with values that are phrases too, or in parts that were put together."""
    assert SMALL.say(text) == expected


@pytest.mark.parametrize(
    "text", ["", " ", "the king of the hill", "a sentence nobody wrote", "x" * 9000, "{0} {9} \\1"]
)
def test_what_nothing_fits_stays(text: str) -> None:
    """A text that no message fits is not touched, however odd."""
    assert SMALL.say(text) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("값", "값을"), ("키", "키를"), ("3", "3을"), ("2", "2를"), ("1,000", "1,000을"), ("12 %", "12 %를"),
        ("token", "token을"), ("size", "size를"), ("config.json", "config.json을"), ("[CLS]", "[CLS]를"), ("URL", "URL을"),
        ("vocab_size", "vocab_size를"), ("`한글`", "`한글`을"), ("한글(3행)", "한글(3행)을"), ("…", "…을(를)"), ("", "을(를)"),
        ("漢字", "漢字을(를)"), ("`ᄑ`", "`ᄑ`을"), ("ㅏ", "ㅏ를"), ("ひらがな", "ひらがな를"), ("パン", "パン을"),
    ],
)  # fmt: skip
def test_a_particle_fits_the_sound(value: str, expected: str) -> None:
    """The form behind a value is that of its last sound; both stay where nobody can tell."""
    assert with_particles("{0}을(를)", {0: value}) == expected


def test_behind_nothing_the_word_before_counts() -> None:
    """An empty value, or a space at a value's end, leaves the particle at the word before it."""
    assert with_particles("{0}{1}을(를)", {0: "값", 1: ""}) == "값을"
    assert with_particles("{0}을(를)", {0: "step 2 "}) == "step 2를"


@pytest.mark.parametrize(
    ("value", "expected"),
    [("서울", "서울로"), ("값", "값으로"), ("키", "키로"), ("8", "8로"), ("3", "3으로"), ("ㄹ", "ㄹ로")],
)
def test_the_particle_ro_knows_rieul(value: str, expected: str) -> None:
    """Behind ㄹ it is 로."""
    assert with_particles("{0}(으)로", {0: value}) == expected


def test_saying_nothing_in_korean(monkeypatch) -> None:
    """The real catalogue answers, and leaves what it does not know."""
    monkeypatch.setenv("PRETUNE_LANG", "ko")
    assert say("zzz qqq") == "zzz qqq"
