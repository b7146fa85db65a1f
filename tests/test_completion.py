"""What shells are offered at Tab: parts, options, rules, files, the words of knock; and in real shells where there are any."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pretune import cli


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    """Ask as bash asks: the line up to the cursor, which stands in its last word."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("PRETUNE_LANG", "en")

    def ask(line: str) -> list[str]:
        words = line.split(" ")
        monkeypatch.setenv("_PRETUNE_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        with pytest.raises(SystemExit) as end:
            cli.main([])
        assert end.value.code == 0
        out, err = capsys.readouterr()
        assert err == ""
        return out.splitlines()

    return ask


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("pretune d", ["plain,doctor", "plain,demo"]),
        ("pretune check --explain another-v", ["plain,another-vocabulary"]),
        ("pretune check --select VO", ["plain,VOC"]),
        ("pretune check --format s", ["plain,sarif"]),
        ("pretune check mod", ["file,mod"]),
        ("pretune check --tokenizer mod", ["file,mod"]),
        ("pretune tokens ad", ["plain,add"]),
        ("pretune tokens add mod", ["file,mod"]),
        ("pretune tokens add m --out d", ["dir,d"]),
        ("pretune tokens add m --init di", ["plain,distill"]),
        ("pretune train m", ["plain,mrc"]),
        ("pretune train recipe.t", ["file,recipe.t"]),
        ("pretune train mrc --train a.json b", ["file,b"]),
        ("pretune train mrc --learning-r", ["plain,--learning-rate"]),
        ("pretune train mrc --learning-rate 3e-5 --engine t", ["plain,trainer"]),
        ("pretune train mrc --learning-rate ", []),
        ("pretune pool m --shape c", ["plain,centred"]),
        ("pretune pool m --data pairs.t", ["file,pairs.t"]),
        ("pretune doctor --js", ["plain,--json"]),
        ("pretune check --lang k", ["plain,ko"]),
        ("pretune --lang en d", ["plain,doctor", "plain,demo"]),
        ("pretune knock t", ["plain,test", "plain,teams", "plain,telegram"]),
        ("pretune knock --sta", ["plain,--stall"]),
        ("pretune knock --stall ", []),
        ("pretune knock --stall 30m sla", ["plain,slack"]),
        ("pretune knock slack --cha", ["plain,--channel"]),
        ("pretune knock slack --channel c --webhook-url u -- --he", ["file,--he"]),
        ("pretune knock pretune-nothing tr", ["file,tr"]),
        ("pretune knock --to ", ["plain,team", "plain,desktop"]),
        ("pretune knock test te", ["plain,team"]),
        ("pretune train mrc --knock te", ["plain,team"]),
    ],
)
def test_offers(line: str, expected: list[str], offered, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each line gets what may stand at its end, and no more."""
    (tmp_path / "pretune").mkdir()
    (tmp_path / "pretune" / "knock.toml").write_text(
        '[targets]\nteam = "https://hooks.slack.com/services/X"\n', "utf-8"
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    assert offered(line) == expected


def test_programs_are_offered_behind_knock(offered, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Programs of the PATH that begin so; the files of a folder otherwise."""
    program = tmp_path / "trainer-of-mine"
    program.write_text("#!/bin/sh\n", "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{tmp_path / 'nothing'}")
    assert offered("pretune knock trai") == ["plain,trainer-of-mine"]
    assert offered("pretune knock ./tra") == ["file,./tra"]


@pytest.mark.parametrize(
    "line", ["pretune wrong x", "pretune train mrc --train --out x --l", "pretune check --x=", "pretune tokens wrong "]
)
def test_a_mistake_half_typed_says_nothing(line: str, offered) -> None:
    """No traceback and no message while a line is being typed."""
    assert isinstance(offered(line), list)


def test_a_shell_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1, and nothing runs."""
    for asked in ("tcsh_source", "bash_dance", ""):
        monkeypatch.setenv("_PRETUNE_COMPLETE", asked)
        with pytest.raises(SystemExit) as end:
            cli.main(["demo"])
        assert end.value.code == 1


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """An environment in whose PATH `pretune` is this tree."""
    program = tmp_path / "pretune"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m pretune "$@"\n', "utf-8")
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}


SHELLS = {
    "bash": 'eval "$(_PRETUNE_COMPLETE=bash_source pretune)"; COMP_WORDS=(pretune check --explain another-v); COMP_CWORD=3;'
    ' _pretune_completion pretune; echo "${COMPREPLY[@]}"',
    "fish": '_PRETUNE_COMPLETE=fish_source pretune | source; complete -C "pretune check --explain another-v"',
    "zsh": 'autoload -Uz compinit; compinit -u -D; eval "$(_PRETUNE_COMPLETE=zsh_source pretune)";'
    " echo ${_comps[pretune]/_pretune_completion/another-vocabulary}",  # its line editor needs a terminal
}


@pytest.mark.parametrize("shell", SHELLS)
def test_in_a_real_shell(shell: str, installed: dict[str, str]) -> None:
    """The script that click writes does its work in the shell it is for."""
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    quiet = {"bash": ["--norc"], "fish": ["--no-config"], "zsh": ["-f"]}[shell]
    done = subprocess.run(
        [shell, *quiet, "-c", SHELLS[shell]], env=installed, capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("another-vocabulary", "")
