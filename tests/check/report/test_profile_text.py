"""A profile as text and JSON: golden files, every width, nothing read, one and three tokenizers, hostile names."""

import io
import json
import os
import re
from pathlib import Path

import pytest

from pretune.check.engine import Report
from pretune.check.report import profile_tables, profile_text, render, terminal
from pretune.corpus.figures import Candidate, Lengths, Profile
from pretune.draw.terminal import width_of
from profile_samples import HOSTILE, empty, hostile, in_bytes, profile, reported, three, tokenizer

GOLDEN = Path(__file__).parent / "golden"
PROFILES = {"one": profile, "three": three, "empty": empty, "hostile": hostile}


def _text(found: Profile, width: int | None = None, *, verbose: bool = False, plain: bool = False) -> list[str]:
    lines = [*profile_text.verdicts(found), *profile_text.lines(found, width=width, verbose=verbose, plain=plain)]
    return ["".join(piece for piece, _ in line) for line in lines]


@pytest.mark.parametrize(("name", "width"), [("three", None), ("three", 80), ("three", 40), ("one", 80), ("empty", 80)])
def test_golden(name: str, width: int | None) -> None:
    """A pipe and terminals of several widths get, to the character, what the golden files hold (UPDATE_GOLDEN=1)."""
    file = GOLDEN / f"profile.{name}.{width or 'pipe'}.txt"
    written = "".join(f"{line}\n" for line in _text(PROFILES[name](), width))
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(written, encoding="utf-8", newline="\n")
    assert written == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [20, 40, 80, 120, 200])
@pytest.mark.parametrize("name", PROFILES)
def test_no_table_is_wider_than_the_terminal(name: str, width: int) -> None:
    """Every line of every table fits, Hangul counted as two columns, and none ends in blanks."""
    for line in profile_text.lines(PROFILES[name](), width=width, verbose=True):
        told = "".join(piece for piece, _ in line)
        assert width_of(told) <= width
        assert told == told.rstrip()


def test_verdicts_come_first_and_counts_last(healthy: Report) -> None:
    """The report opens with whether each tokenizer reads the corpus, and closes with what the rules found."""
    lines = render(reported(healthy, three())).splitlines()
    assert lines[0] == "klue/roberta reads this corpus: 0.4 % of words unknown, 30 % whole"
    assert lines[1].startswith("all-MiniLM cannot read this corpus: Hangul falls apart into jamo")
    assert lines[3].startswith("klue/roberta reads it best")
    assert lines[-1] == "klue/bert-base: nothing found by 3 rules"


def test_findings_stand_between_verdicts_and_tables(planted: Report) -> None:
    """Findings are not lost below long tables."""
    told = render(reported(planted, three()))
    assert told.index("cannot read") < told.index("ids-outside-embedding") < told.index("which tokenizer reads this")


def test_without_a_profile_nothing_changes(planted: Report) -> None:
    """A report of findings only is what it was."""
    assert render(reported(planted, None)) == render(planted)
    assert "profile" not in json.loads(render(reported(planted, None), "json"))


def test_a_part_is_called_a_part() -> None:
    """What was stopped says so, before any table."""
    assert "only a part was read: Ctrl-C after 12 of 80 MB" in _text(
        profile(complete=False, stopped="Ctrl-C after 12 of 80 MB")
    )


def test_hostile_names_reach_no_terminal(healthy: Report) -> None:
    """No escape, override or other control of a stranger's is written."""
    out = io.StringIO()
    terminal.write(reported(healthy, hostile()), out, width=80)
    for told in (render(reported(healthy, hostile())), out.getvalue(), "\n".join(_text(hostile(), 40, verbose=True))):
        assert not re.search("[\x00-\x09\x0b-\x1f\u202e\u200b\ufffe]", re.sub(r"\x1b\[[0-9;]*m", "", told))
    assert HOSTILE not in render(reported(healthy, hostile()))


def test_colours_and_their_absence(healthy: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets the verdict in colour; with NO_COLOR only the words."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    out = io.StringIO()
    terminal.write(reported(healthy, three()), out, width=100)
    assert "\x1b[1;32mklue/roberta reads this corpus" in out.getvalue()
    monkeypatch.delenv("FORCE_COLOR")
    monkeypatch.setenv("NO_COLOR", "1")
    out = io.StringIO()
    terminal.write(reported(healthy, three()), out, width=100)
    assert "\x1b[3" not in out.getvalue()


def test_ascii_where_the_encoding_has_no_blocks() -> None:
    """Bars are drawn with ASCII signs."""
    assert not [line for line in _text(three(), 80, plain=True) if re.search("[▁▂▃▄▅▆▇█]", line)]
    assert [line for line in _text(three(), 80) if re.search("[▁▂▃▄▅▆▇█]", line)]


def test_the_mark_stands_below_the_last_bar_that_fits() -> None:
    """The bar above the mark ends at max_length less the special tokens; those behind it are cut."""
    of = tokenizer(lengths={"text": Lengths(dict.fromkeys(range(1, 600), 10), specials=0)})
    told = _text(profile(of, max_length=64))
    mark = next(line for line in told if "^ max_length 64" in line)
    axis = told[told.index(mark) - 1]
    assert axis.index("64") + 1 == mark.index("^")


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["klue/roberta-base"], ["klue/roberta-base"]),
        (["/a/b/klue", "/a/b/kpf"], ["klue", "kpf"]),
        (["/a/x/model", "/a/y/model"], ["x/model", "y/model"]),
        (["models/klue", "./models/kpf"], ["models/klue", "kpf"]),
        (["C:\\m\\klue", "gpt2"], ["klue", "gpt2"]),
        (["/", ""], ["/", ""]),
        ([], []),
    ],
)
def test_short_names(names: list[str], short: list[str]) -> None:
    """A path is called by its last folder where that tells it from the others; a name on the hub stays whole."""
    assert profile_tables.short_names(names) == short


def test_pieces_of_bytes_are_legible() -> None:
    """What byte-level BPE writes in GPT-2's alphabet is shown as letters, broken letters as bytes."""
    assert profile_tables.pieces(in_bytes().candidates[0]) == "<EC> <98> <81> <ED> <99> <94>"
    assert profile_tables.pieces(Candidate("영화", 9, 2, ("ĠìĺģíĻ", "Ķ"))) == "<EC9881ED99> <94>"
    assert profile_tables.pieces(Candidate("영화", 9, 2, ("Ġìĺģ", "íĻĶ"))) == "영 화"
    assert profile_tables.pieces(Candidate("영화", 9, 2, ("영", "##화"))) == "영 ##화"


def test_no_max_length_is_too_small_for_a_table() -> None:
    """A max_length that leaves no room beside special tokens, or none beside the stride, breaks nothing."""
    assert _text(profile(max_length=2, stride=None))
    assert [line for line in _text(profile(max_length=128, stride=127)) if "windows" in line]


def test_json_has_all_figures(healthy: Report) -> None:
    """JSON carries every field of the profile, histograms included, with the verdicts."""
    told = json.loads(render(reported(healthy, three()), "json"))
    assert told["version"] == 1
    found = told["profile"]
    assert set(found) == {*Profile.__slots__, "ranking"}
    first = found["tokenizers"][0]
    assert set(first) == {*type(tokenizer()).__slots__, "verdict"}
    assert set(found["corpus"]) == set(type(three().corpus).__slots__)
    assert first["lengths"]["row"] == {
        "specials": 3,
        "counts": {"60": 100, "180": 500, "250": 300, "400": 95, "1360": 5},
    }
    assert first["verdict"]["level"] == "reads"
    assert first["candidates"][0]["saves"] == 363 * 3
    assert found["ranking"]["groups"] == [["klue/roberta"], ["gpt2"], ["all-MiniLM"]]
    assert set(first["scripts"]["Hangul"]) == set(type(tokenizer().scripts["Hangul"]).__slots__)


def test_json_of_hostile_and_empty_profiles(healthy: Report) -> None:
    """Anything can be written and read back."""
    for made in (hostile(), empty()):
        told = json.loads(render(reported(healthy, made), "json"))
        assert told["profile"]["tokenizers"][0]["name"] == made.tokenizers[0].name
    assert told["profile"]["ranking"] is None
