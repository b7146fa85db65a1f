"""Text to a file or to stdout: what cannot be written is told in one line, before long work where that is asked."""

import os
from pathlib import Path

import pytest

from pretune.core.errors import UserError
from pretune.core.output import may_be_written, put


def test_a_file_is_written_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """To a file as UTF-8 with escapes for halves of characters, to stdout as it is."""
    put("가\ud800\n", str(tmp_path / "a.txt"))
    assert (tmp_path / "a.txt").read_bytes() == "가\\ud800\n".encode()
    put("가\n", "-")
    assert capsys.readouterr().out == "가\n"


def test_what_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder, a folder that is not there, no permission."""
    with pytest.raises(UserError, match="is a folder, expected a file to write"):
        put("x", str(tmp_path))
    with pytest.raises(UserError, match="cannot be written: no such file"):
        put("x", str(tmp_path / "none" / "a.txt"))
    may_be_written("-", "--html")
    may_be_written(str(tmp_path / "new.html"), "--html")
    with pytest.raises(UserError, match=r"--html: .* is a folder"):
        may_be_written(str(tmp_path), "--html")
    with pytest.raises(UserError, match=r"--html: there is no folder .*none"):
        may_be_written(str(tmp_path / "none" / "a"), "--html")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(UserError, match=r"--html: .* cannot be written: permission denied"):
        may_be_written(str(tmp_path / "a.html"), "--html")
