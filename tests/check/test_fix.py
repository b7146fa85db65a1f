"""Planning and making fixes: what is mended, what is refused, and that nothing is ever half done."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pretune.check import fix
from pretune.check.finding import REMOVE, Finding, Fix, Level, Patch

CONFIG = '{\n    "model_type": "bert",\n    "pad_token_id": 5,\n    "이름": "\\uac00"\n}\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config.json with four spaces, Hangul and a last newline."""
    path = tmp_path / "config.json"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def finding(*patches: Patch, title: str = "mend it", safe: bool = True) -> Finding:
    """A finding with a fix."""
    return Finding("VOC001", "x", Level.ERROR, "m", "", "", Fix(title, patches, safe))


def test_nothing_to_do() -> None:
    """No findings, or findings without a fix: an empty plan and an empty diff."""
    planned = fix.plan([Finding("VOC001", "x", Level.ERROR, "m", "", "")])
    assert planned == fix.Plan()
    assert fix.diff(planned.edits) == ""


def test_mends_and_twice_changes_nothing(config: Path) -> None:
    """The value changes, all else stays to the byte, and a second run has nothing to do."""
    findings = [finding(Patch(str(config), "/pad_token_id", 0)), finding(Patch(str(config), "/new", [1]))]
    made = fix.make(fix.plan(findings))
    assert [edit.titles for edit in made.edits] == [("mend it", "mend it")]
    expected = CONFIG.replace(": 5", ": 0").replace('\\uac00"', '\\uac00",\n    "new": [\n        1\n    ]')
    assert config.read_text(encoding="utf-8") == expected
    assert fix.plan(findings) == fix.Plan()


def test_the_diff_is_what_patch_understands(config: Path, tmp_path: Path) -> None:
    """`patch -p0` makes of the diff what --fix makes, also without a newline at the end."""
    config.write_text(CONFIG.rstrip("\n"), encoding="utf-8")
    planned = fix.plan([finding(Patch(str(config), "/이름", "나"))])
    written = fix.diff(planned.edits).replace(str(config), "config.json")
    assert "\\ No newline at end of file" in written
    try:
        subprocess.run(["patch", "-p0"], input=written.encode(), cwd=tmp_path, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("the program patch is not installed")
    assert config.read_bytes() == planned.edits[0].after


def test_unsafe_is_left_alone(config: Path) -> None:
    """A fix that is not safe is refused and says what it would have done."""
    planned = fix.plan([finding(Patch(str(config), "/pad_token_id", 0), safe=False)])
    assert planned.edits == ()
    assert planned.refused[0].reason == f"not safe, so left to you: {config}:/pad_token_id set to 0"


@pytest.mark.parametrize(
    ("first", "second", "word"),
    [
        (("/pad_token_id", 0), ("/pad_token_id", 1), "disagree"),
        (("/pad_token_id", 0), ("/pad_token_id", REMOVE), "disagree"),
        (("/pad_token_id", 0), ("/pad_token_id", False), "disagree"),
        (("/rope", {"a": 1}), ("/rope/a", 2), "overlap"),
    ],
)
def test_fixes_that_disagree_are_both_refused(config: Path, first: Any, second: Any, word: str) -> None:
    """Two values for one place, or a place inside another: neither is made, whatever their order."""
    pair = [finding(Patch(str(config), *first), title="a"), finding(Patch(str(config), *second), title="b")]
    for findings in (pair, pair[::-1]):
        planned = fix.plan(findings)
        assert planned.edits == ()
        assert sorted(refusal.title for refusal in planned.refused) == ["a", "b"]
        assert all(word in refusal.reason for refusal in planned.refused)


def test_fixes_that_agree_are_one(config: Path) -> None:
    """Two rules that want the same value at the same place get it, once."""
    same = [finding(Patch(str(config), "/pad_token_id", 0), title=title) for title in "ab"]
    planned = fix.plan(same)
    assert [edit.titles for edit in planned.edits] == [("a",)]
    assert planned.refused == ()


def test_one_file_under_two_spellings(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`config.json` and `./x/../config.json` are one file: both patches end up in it."""
    (config.parent / "x").mkdir()
    monkeypatch.chdir(config.parent)
    planned = fix.plan(
        [finding(Patch("config.json", "/a", 1)), finding(Patch("x/../config.json", "/b", 2), title="other")]
    )
    assert [edit.file for edit in planned.edits] == ["config.json"]
    assert {"a", "b"} <= set(json.loads(planned.edits[0].after))


def test_a_fix_is_whole_or_not_at_all(config: Path) -> None:
    """When one patch of a fix cannot be made, the others are not made either."""
    broken = finding(Patch(str(config), "/pad_token_id", 0), Patch(str(config.parent / "none.json"), "/a", 1))
    planned = fix.plan([broken, finding(Patch(str(config), "/ok", 1), title="fine")])
    assert json.loads(planned.edits[0].after)["pad_token_id"] == 5
    assert planned.edits[0].titles == ("fine",)
    assert "is no file" in planned.refused[0].reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html>", "cannot be patched"),
        (b"", "cannot be patched"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b"[1]", "no place in a list"),
        (b'"x"', "no table or list"),
        (b"[" * 100_000, "cannot be patched"),
    ],
)
def test_files_that_cannot_be_patched(config: Path, content: bytes, reason: str) -> None:
    """HTML, nothing, another encoding, a list, a word, a nest without end: one line, and the file stays."""
    config.write_bytes(content)
    planned = fix.plan([finding(Patch(str(config), "/a", 1))])
    assert planned.edits == ()
    assert reason in planned.refused[0].reason
    assert config.read_bytes() == content


def test_a_byte_order_mark_stays(config: Path) -> None:
    """A file that starts with a byte order mark keeps it."""
    config.write_bytes(b'\xef\xbb\xbf{"a": 1}')
    fix.make(fix.plan([finding(Patch(str(config), "/a", 2))]))
    assert config.read_bytes() == b'\xef\xbb\xbf{"a": 2}'


def test_the_hub_cache_is_never_touched(tmp_path: Path) -> None:
    """A file in the hub's cache is refused: reached as it is, through a link to it, or as a copy without links."""
    blob = tmp_path / "hub" / "models--klue--bert-base" / "blobs" / "abc"
    snapshot = tmp_path / "hub" / "models--klue--bert-base" / "snapshots" / "rev" / "config.json"
    mine = tmp_path / "mine" / "config.json"
    for path in (blob, snapshot, mine):
        path.parent.mkdir(parents=True)
    blob.write_text('{"a": 1}')
    snapshot.symlink_to(blob)
    mine.symlink_to(snapshot)
    for path in (blob, snapshot, mine):
        planned = fix.plan([finding(Patch(str(path), "/a", 2))])
        assert planned.edits == ()
        assert "hub's cache" in planned.refused[0].reason
    snapshot.unlink()
    snapshot.write_text('{"a": 1}')  # as on a file system without links
    assert fix.plan([finding(Patch(str(snapshot), "/a", 2))]).edits == ()


def test_a_link_of_ones_own_is_followed(config: Path, tmp_path: Path) -> None:
    """A link to a file outside the cache keeps being a link, and its file is mended."""
    link = tmp_path / "link.json"
    link.symlink_to(config)
    fix.make(fix.plan([finding(Patch(str(link), "/pad_token_id", 0))]))
    assert link.is_symlink()
    assert json.loads(config.read_text(encoding="utf-8"))["pad_token_id"] == 0


def test_what_cannot_be_written_is_told(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that refuses the write turns the edit into a refusal."""

    def refuse(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fix, "write_atomically", refuse)
    made = fix.make(fix.plan([finding(Patch(str(config), "/pad_token_id", 0))]))
    assert made.edits == ()
    assert made.refused[0].reason == f"{config} cannot be written: No space left on device"
