"""`pretune check train.py` as a person calls it, with planted findings: flags, exit codes, fixes, formats."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from planted_rules import RULES
from pretune import cli
from pretune.check import rules, scripts
from pretune.check.engine import Report, Runs
from pretune.check.finding import Finding, Fix, RenameArgument
from pretune.check.report import sarif
from pretune.check.scripts import Asked
from pretune.core.errors import UserError
from pretune.script.values import Place

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., tuple[int, str, str]]
ASKED: list[Asked] = []


def planted(file: str, asked: Asked) -> tuple[Report, tuple[str, ...]]:
    """Stands in for reading and asking: a finding with a fix where a line calls T(old=...)."""
    ASKED.append(asked)
    path = Path(file)
    if not path.exists():
        raise UserError(f"{file} does not exist")
    text = path.read_text(encoding="utf-8")
    if "BROKEN" in text:
        raise UserError(f"{file}:1:1 cannot be parsed: invalid syntax")
    of, found = RULES[0], []
    if of in asked.rules:
        for number, line in enumerate(text.split("\n"), start=1):
            if "T(old" in line:
                place = Place(file, number, line.index("T(") + 1)
                fix = Fix("call old new", (RenameArgument(place, "old", "new"),))
                found.append(Finding(of.code, of.name, of.level, "old is gone, expected new", str(place), of.fix, fix))
    runs = (Runs(file, "transformers", "4.0", "4.45", "transformers<4.46", "runs with transformers up to 4.45", True),)
    return Report("", tuple(found), asked=tuple(asked.rules), runs=runs), (file,)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(scripts, "_checked", planted)
    for module in (rules, sarif):
        monkeypatch.setattr(module, "all_rules", lambda: RULES)
    for name in ("NO_COLOR", "FORCE_COLOR", "PRETUNE_DEBUG", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    ASKED.clear()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Call `pretune check ...`: exit code, stdout, stderr."""

    def called(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            cli.main(["check", *arguments])
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return called


def test_text(run: Run) -> None:
    """Place, message, the line of source, the fix; then the versions and the counts."""
    Path("train.py").write_text("x = 1\nargs = T(old=1)  # 왜\n", encoding="utf-8")
    code, out, err = run("train.py")
    assert (code, err) == (1, "")
    assert out == (
        "error\n\n"
        "bad-line (PYS901)\n"
        "  train.py:2:8\n"
        "    old is gone, expected new\n"
        "    | args = T(old=1)  # 왜\n"
        "    --fix will: call old new\n"
        "  fix: make it good.\n\n"
        "train.py: runs with transformers up to 4.45\n"
        "train.py: 1 error from 2 rules\n"
    )


def test_exit_codes(run: Run) -> None:
    """0 clean, 1 findings, 2 where a file cannot be read; the others are checked all the same."""
    Path("good.py").write_text("x")
    Path("bad.py").write_text("T(old=1)")
    Path("broken.py").write_text("BROKEN")
    assert run("good.py")[0] == 0
    assert run("bad.py", "good.py")[0] == 1
    assert run("bad.py", "--fail-on", "never")[0] == 0
    assert run("bad.py", "--ignore", "PYS901")[0] == 0
    code, out, err = run("good.py", "broken.py", "bad.py", "no.py", "--format", "concise")
    assert code == 2
    assert out == "bad.py:1:1: error bad-line old is gone, expected new\n"
    assert err == "pretune: broken.py:1:1 cannot be parsed: invalid syntax\npretune: no.py does not exist\n"


def test_a_folder(run: Run) -> None:
    """All scripts below it; the subject is the folder."""
    Path("src/deep").mkdir(parents=True)
    Path("src/deep/a.py").write_text("T(old=1)")
    Path("src/b.ipynb").write_text("x")
    code, out, _ = run("src", "--format", "json")
    told = json.loads(out)
    assert (code, told["subject"], told["findings"][0]["file"]) == (1, "src", "src/deep/a.py")
    assert [runs["file"] for runs in told["runs_with"]] == ["src/b.ipynb", "src/deep/a.py"]


def test_diff_and_fix(run: Run) -> None:
    """--diff shows and changes nothing, --fix mends, and then there is nothing left to find or to fix."""
    script = Path("train.py")
    script.write_text("args = T(old=1)  # 왜\n", encoding="utf-8")
    code, out, _ = run("train.py", "--diff")
    assert code == 1
    assert out.splitlines()[2:] == ["@@ -1 +1 @@", "-args = T(old=1)  # 왜", "+args = T(new=1)  # 왜"]
    assert "old" in script.read_text(encoding="utf-8")
    code, out, err = run("train.py", "--fix")
    assert (code, err) == (0, "fixed train.py: call old new\n")
    assert script.read_text(encoding="utf-8") == "args = T(new=1)  # 왜\n"
    assert run("train.py", "--fix")[2] == "nothing to fix\n"


def test_comments_allow(run: Run) -> None:
    """An allowance beside the code is counted as one, and its finding is not mended."""
    Path("train.py").write_text("T(old=1)  # pretune: allow bad-line -- pinned\n")
    code, out, _ = run("train.py", "-v", "--fix")
    assert code == 0
    assert "allowed: 1 finding: bad-line\n  bad-line: old is gone, expected new (pinned)\n" in out
    assert "T(old=1)" in Path("train.py").read_text()


def test_flags_reach_the_script(run: Run) -> None:
    """--target, --model, --data and the others are what is asked with."""
    Path("a.py").write_text("x")
    Path("t.csv").write_text("text\n가\n")
    run(
        "a.py", "--target", "transformers==5.23", "--model", "m", "--data", "t.csv", "--tokenizer", "t", "--sample", "9"
    )
    asked = ASKED[0]
    assert asked.target == {"transformers": "5.23"}
    assert asked.sample == 9
    assert asked.over is not None
    assert asked.over.keys == {"model": "m", "tokenizer": "t", "data": {"train": ["t.csv"]}}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.py", "klue/bert-base"], "klue/bert-base is no script, and stands beside one: a.py"),
        (["a.py", "--target", "transformers"], "--target transformers: expected PACKAGE==VERSION"),
        (["a.py", "--shard", "1/2", "--out", "p"], "--shard is about data"),
        (["a.py", "--deep"], "--deep loads a model, and scripts are only read"),
        (["a.py", "--tokenizer", "a", "--tokenizer", "b"], "a script has one tokenizer, found 2: a, b"),
        (["a.py", "--format", "githup"], '--format: unknown "githup"'),
        (["--target", "transformers==5"], "--target is about scripts"),
        (["m", "--model", "m"], "--model is m, and m is named as well"),
    ],
)
def test_mistakes_in_the_call(run: Run, arguments: list[str], message: str) -> None:
    """Each is one line and exit code 2."""
    Path("a.py").write_text("x")
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"pretune: {message}")


def test_output_and_page(run: Run) -> None:
    """--output and --html write files; stdout stays empty."""
    Path("a.py").write_text("T(old=1)")
    code, out, _ = run("a.py", "--format", "github", "--output", "r.txt", "--html", "r.html")
    assert (code, out) == (1, "")
    assert Path("r.txt").read_text().startswith("::error file=a.py,line=1,col=1,")
    assert "T(old=1)" in Path("r.html").read_text(encoding="utf-8")


def test_the_hook_of_pre_commit(run: Run) -> None:
    """The hook calls a command that exists, on scripts and notebooks."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["id"] == "pretune-check"
    assert hook["types_or"] == ["python", "jupyter"]
    name, part, *arguments = hook["entry"].split()
    assert (name, part) == ("pretune", "check")
    Path("a.py").write_text("T(old=1)")
    assert re.fullmatch(r"a\.py:1:1: error .*\n", run(*arguments, "a.py")[1])
