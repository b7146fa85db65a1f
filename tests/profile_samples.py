"""Profiles made by hand for the tests of what is shown: Korean read by three tokenizers, nothing at all, hostile names."""

from dataclasses import fields, replace

from pretune.check.engine import Report
from pretune.corpus.figures import (
    Candidate,
    CorpusFigures,
    Counted,
    FileRead,
    Lengths,
    Profile,
    ScriptFigures,
    TokenizerFigures,
)

HOSTILE = '<script>alert("1")</script>\x1b[31m\u202egpj.$x$&amp;\'\u200b\ufffe'
"""A name that would do harm wherever it is not escaped."""

CORPUS = CorpusFigures(
    rows=1000,
    texts=2000,
    broken=2,
    bytes=2_345_678,
    characters=900_000,
    words=200_000,
    distinct_words=41_000,
    scripts={"Hangul": 600_000, "Common": 270_000, "Latin": 27_000, "Han": 3_000},
    common_words=(Counted("있다.", 1575), Counted("영화", 900)),
)


def tokenizer(name: str = "klue/roberta", **changes: object) -> TokenizerFigures:
    """A tokenizer that reads CORPUS well."""
    reads = TokenizerFigures(
        name=name,
        kind="WordPiece",
        vocabulary=32_000,
        method="proved",
        checked=200,
        tokens=470_000,
        words=200_000,
        word_tokens=470_000,
        whole_words=60_000,
        unknown_tokens=900,
        unknown_texts=120,
        unknown_words=800,
        used=11_420,
        unknown_characters=(Counted("品", 72), Counted("앎", 36), Counted("\u200b", 12), Counted("\u0302", 3)),
        unknown_distinct=307,
        unknown_examples=(Counted("승해(勝解)", 21), Counted("Nürburgring", 18)),
        lengths={
            "row": Lengths({60: 100, 180: 500, 250: 300, 400: 95, 1360: 5}, specials=3),
            "question": Lengths({10: 400, 18: 500, 54: 100}, specials=2),
            "context": Lengths({50: 100, 160: 500, 230: 300, 380: 95, 1306: 5}, specials=2),
        },
        scripts={
            "Hangul": ScriptFigures(600_000, 1100, 599_990, 10, 0, 190_000, 600, 440_000),
            "Common": ScriptFigures(270_000, 60, 269_800, 200, 0, 2_000, 40, 4_600),
            "Latin": ScriptFigures(27_000, 70, 26_946, 54, 0, 7_000, 90, 24_000),
            "Han": ScriptFigures(3_000, 900, 1_650, 1_350, 0, 1_000, 70, 1_400),
        },
        candidates=(
            Candidate("뉘르부르크링", 363, 4, ("뉘", "##르", "##부르크", "##링")),
            Candidate("바이오쇼크", 277, 3, ("바이오", "##쇼", "##크")),
        ),
    )
    return replace(reads, **changes)  # type: ignore[arg-type]


def jamo(name: str = "all-MiniLM") -> TokenizerFigures:
    """An uncased English tokenizer, which takes Hangul apart."""
    return tokenizer(
        name,
        tokens=1_200_000,
        word_tokens=1_200_000,
        whole_words=36_000,
        unknown_tokens=49_000,
        unknown_texts=1_800,
        unknown_words=44_000,
        used=1_666,
        scripts={
            "Hangul": ScriptFigures(600_000, 1100, 0, 54_000, 0, 190_000, 43_900, 1_170_000),
            "Common": ScriptFigures(270_000, 60, 270_000, 0, 0, 2_000, 10, 4_400),
            "Latin": ScriptFigures(27_000, 70, 27_000, 0, 0, 7_000, 90, 24_000),
        },
        lengths={"row": Lengths({160: 100, 500: 500, 700: 300, 1100: 95, 3776: 5}, specials=3)},
    )


def in_bytes(name: str = "gpt2") -> TokenizerFigures:
    """A byte-level tokenizer made without Korean: nothing unknown, everything spelled."""
    return tokenizer(
        name,
        kind="BPE",
        method="checked",
        remark="its regex was not known",
        tokens=1_700_000,
        word_tokens=1_700_000,
        whole_words=1_800,
        unknown_tokens=0,
        unknown_texts=0,
        unknown_words=0,
        byte_tokens=1_600_000,
        used=914,
        unknown_characters=(),
        unknown_distinct=0,
        unknown_examples=(),
        counted_at_least=3,
        scripts={
            "Hangul": ScriptFigures(600_000, 1100, 5_000, 0, 595_000, 190_000, 0, 1_660_000),
            "Common": ScriptFigures(270_000, 60, 270_000, 0, 0, 2_000, 0, 4_600),
            "Latin": ScriptFigures(27_000, 70, 27_000, 0, 0, 7_000, 0, 12_000),
        },
        lengths={"row": Lengths({300: 100, 700: 500, 900: 300, 1500: 95, 5000: 5}, specials=0)},
        candidates=(Candidate("영화", 1447, 6, ("Ġì", "ĺ", "ģ", "í", "Ļ", "Ķ")),),
    )


def profile(*tokenizers: TokenizerFigures, **changes: object) -> Profile:
    """CORPUS as these tokenizers read it; klue/roberta where none is given."""
    made = Profile(
        files=(FileRead("data/한글.jsonl", "train", 1000, 2, 2_400_000, ("data/한글.jsonl:7", "data/한글.jsonl:9")),),
        corpus=CORPUS,
        tokenizers=tokenizers or (tokenizer(),),
        max_length=384,
        stride=128,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def three() -> Profile:
    """One that reads, one that cannot, one that spells."""
    return profile(tokenizer(), jamo(), in_bytes())


def empty() -> Profile:
    """A file without a row."""
    nothing = TokenizerFigures("klue/roberta", "WordPiece", 32_000, "proved")
    return Profile((FileRead("empty.txt", "train", 0, 0, 0),), CorpusFigures(), (nothing,))


def hostile() -> Profile:
    """Names, words and remarks from somebody who means harm."""
    bad = tokenizer(
        HOSTILE,
        remark=HOSTILE,
        method="whole",
        unknown_characters=(Counted("\x1b", 9), Counted("\u202e", 8), Counted("<", 7)),
        unknown_examples=(Counted(HOSTILE, 5),),
        candidates=(Candidate(HOSTILE, 10, 3, (HOSTILE, "<b>", "\u202e")),),
        scripts={**tokenizer().scripts, HOSTILE: ScriptFigures(9_000, 1, 0, 9_000, 0, 50, 50, 100)},
    )
    corpus = replace(CORPUS, scripts={**CORPUS.scripts, HOSTILE: 9_000})
    files = (FileRead(HOSTILE, "train", 1, 1, 10, (HOSTILE,)),)
    return profile(bad, jamo(f"{HOSTILE}2"), files=files, corpus=corpus, complete=False, stopped=HOSTILE)


def reported(report: Report, found: Profile | None) -> Report:
    """The report with a profile."""
    if any(field.name == "profile" for field in fields(Report)):
        return replace(report, profile=found)  # type: ignore[call-arg]
    made = _WithProfile(*(getattr(report, field.name) for field in fields(Report)))
    object.__setattr__(made, "profile", found)
    return made


class _WithProfile(Report):
    """A report that has a place for a profile."""
