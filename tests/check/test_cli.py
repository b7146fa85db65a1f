"""`pretune check` as a person calls it: planted rules over small folders, every flag, every exit code."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pretune import check, cli
from pretune.check import cli as check_cli
from pretune.check import facts, rules
from pretune.check.config import FAIL_ON
from pretune.check.finding import Fix, Level, Patch, Problem, Unavailable, rule
from pretune.check.report import FORMATS, sarif
from pretune.check.sources.setup import Setup
from pretune.check.sources.setup_keys import KEYS
from pretune.core.errors import UserError

Run = Callable[..., tuple[int, str, str]]


@rule("AAA001", Level.ERROR)
def pad_is_not_zero(config: Path) -> Iterator[Problem]:
    """The pad id is not zero.

    Why: a test.
    Fix: set it to zero.
    """
    value = json.loads(config.read_text())["pad_token_id"]
    if value != 0:
        fix = Fix("set pad_token_id to 0", (Patch(str(config), "/pad_token_id", 0),))
        yield Problem(f"pad_token_id is {value}, expected 0", f"{config}:/pad_token_id", fix=fix)


@rule("BBB001", Level.WARNING)
def labels_are_few(setup: Setup) -> Iterator[Problem]:
    """There are few labels.

    Why: a test.
    Fix: have more.
    """
    if "num_labels" in setup.config:
        yield Problem(f"num_labels is {setup.config['num_labels']!r}, expected more", setup.place("config.num_labels"))


@rule("BBB002", Level.NOTE)
def rows_are_few(data: object) -> Iterator[Problem]:
    """There are few rows.

    Why: a test.
    Fix: have more.
    """
    yield from ()


class PlantedFacts:
    """Facts of a folder that holds one config.json."""

    def __init__(self, setup: Setup, **reading: object) -> None:
        self.setup = setup
        self.reading = reading

    @property
    def config(self) -> Path:
        """The model's config.json."""
        if self.setup.model is None:
            raise Unavailable("no model")
        path = Path(self.setup.model) / "config.json"
        if not path.exists():
            raise UserError(f"no config.json in {self.setup.model}")
        return path

    @property
    def data(self) -> object:
        """The data of the Setup."""
        if not self.setup.data.train:
            raise Unavailable("no data (give --data FILES)")
        return self.setup.data


@pytest.fixture(autouse=True)
def _planted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Three rules, planted facts, a model folder `m`, and an empty place to stand."""
    for module in (rules, sarif):
        monkeypatch.setattr(module, "all_rules", lambda: (pad_is_not_zero, labels_are_few, rows_are_few))
    monkeypatch.setattr(facts, "Facts", PlantedFacts)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "config.json").write_text('{\n  "pad_token_id": 3\n}\n')
    for name in ("NO_COLOR", "FORCE_COLOR", "PRETUNE_DEBUG"):
        monkeypatch.delenv(name, raising=False)


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
    """The rule's name leads, then where, message and fix; the last lines count and say what was not checked."""
    code, out, err = run("m")
    assert code == 1
    assert err == ""
    assert out == (
        "error\n\n"
        "pad-is-not-zero (AAA001)\n"
        "  m/config.json:/pad_token_id\n"
        "    pad_token_id is 3, expected 0\n"
        "    --fix will: set pad_token_id to 0\n"
        "  fix: set it to zero.\n\n"
        "m: 1 error from 2 rules\n"
        "not checked: 1 rule: no data (give --data FILES)\n"
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["m"], 1),
        (["m", "--fail-on", "never"], 0),
        (["m", "--select", "BBB"], 0),
        (["m", "--ignore", "pad-is-not-zero"], 0),
        (["m", "--select", "BBB001", "--config", "num_labels=2"], 0),
        (["m", "--select", "BBB001", "--config", "num_labels=2", "--fail-on", "warning"], 1),
        (["m", "--select", "BBB001", "--config", "num_labels=2", "--fail-on", "note"], 1),
        (["m", "--select", "BBB001,rows-are-few", "--data", "x.jsonl", "--fail-on=note"], 0),
    ],
)
def test_exit_codes(run: Run, arguments: list[str], code: int) -> None:
    """0 below --fail-on, 1 at or above it."""
    assert run(*arguments)[0] == code


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "no config.json in nowhere"),
        ([], "nothing to check"),
        (["none.toml"], "no setup file none.toml"),
        (["m", "--task", "mrc"], '--task: unknown task "mrc"'),
        (["m", "--select", "CCC"], 'no rule is called "CCC"'),
        (["m", "--fail-on", "fatal"], '--fail-on: unknown "fatal"'),
        (["m", "--format", "jsno"], '--format: unknown "jsno"'),
        (["m", "--config", "x"], "--config x: expected KEY=VALUE"),
        (["m", "--output", "no/such/folder/report.json"], "--output: there is no folder no/such/folder"),
        (["nowhere", "--html", "no/such/folder/report.html"], "--html: there is no folder no/such/folder"),
        (["nowhere", "--html", "m"], "--html: m is a folder, expected a file to write"),
        (["--explain", "pad-is-not-zro"], 'no rule is called "pad-is-not-zro"'),
    ],
)
def test_mistakes(run: Run, arguments: list[str], message: str) -> None:
    """Bad input is one clear line on stderr, nothing on stdout, exit code 2."""
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    assert message in err.splitlines()[0]
    assert len(err.splitlines()) <= 2


def test_concise_json_and_sarif(run: Run) -> None:
    """Each machine format is all that stdout carries."""
    assert run("m", "--format", "concise")[1] == (
        "m/config.json:/pad_token_id: error pad-is-not-zero pad_token_id is 3, expected 0\n"
    )
    told = json.loads(run("m", "--format", "json")[1])
    assert told["findings"][0]["code"] == "AAA001"
    assert told["skipped"] == [{"code": "BBB002", "name": "rows-are-few", "reason": "no data (give --data FILES)"}]
    log = json.loads(run("m", "--format", "sarif")[1])
    assert [result["ruleId"] for result in log["runs"][0]["results"]] == ["AAA001"]


def test_output(run: Run, tmp_path: Path) -> None:
    """--output writes the file whole and leaves stdout empty; `-` is stdout; a device is written to, not replaced."""
    code, out, _ = run("m", "--format", "json", "--output", "report.json")
    assert (code, out) == (1, "")
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["version"] == 1
    assert run("m", "--output", "-")[1].startswith("error\n")
    assert run("m", "--output", "/dev/null")[0] == 1
    assert not Path("/dev/null").is_file()


def test_fix(run: Run, tmp_path: Path) -> None:
    """--fix makes the safe fix, says so on stderr, reports what is left, and has nothing to do the second time."""
    code, out, err = run("m", "--fix")
    assert code == 0
    assert err == "fixed m/config.json: set pad_token_id to 0\n"
    assert out.startswith("m: nothing found by 2 rules\n")
    assert (tmp_path / "m" / "config.json").read_text() == '{\n  "pad_token_id": 0\n}\n'
    assert run("m", "--fix")[2] == "nothing to fix\n"


def test_diff(run: Run, tmp_path: Path) -> None:
    """--diff shows what --fix would change and changes nothing, also together with --fix."""
    before = (tmp_path / "m" / "config.json").read_bytes()
    for flags in (["--diff"], ["--diff", "--fix"]):
        code, out, err = run("m", *flags)
        assert code == 1
        assert out == (
            "--- m/config.json\n+++ m/config.json\n@@ -1,3 +1,3 @@\n {\n"
            '-  "pad_token_id": 3\n+  "pad_token_id": 0\n }\n'
        )
        assert err == ""
    assert (tmp_path / "m" / "config.json").read_bytes() == before


def test_list_and_explain(run: Run) -> None:
    """--list shows code, name, level, claim; --explain the page, by name or code; a beginning lists its rules."""
    code, out, _ = run("--list")
    assert code == 0
    assert out.splitlines()[0] == "AAA001  pad-is-not-zero  error    The pad id is not zero."
    assert [told["code"] for told in json.loads(run("--list", "--select", "BBB", "--format", "json")[1])] == [
        "BBB001",
        "BBB002",
    ]
    for word in ("pad-is-not-zero", "AAA001", "aaa001", "pad_is_not_zero"):
        assert "## Why\n\na test.\n" in run("--explain", word)[1]
    assert len(run("--explain", "BBB")[1].splitlines()) == 2


def test_show_skipped(run: Run) -> None:
    """-v names the rules that were not asked."""
    assert run("m", "-v")[1].endswith("not checked: 1 rule: no data (give --data FILES)\n  rows-are-few\n")


def test_a_setup_file_and_flags(run: Run, tmp_path: Path) -> None:
    """Without an argument the setup file of the folder is checked; a flag wins and is named as the place."""
    (tmp_path / "setup.toml").write_text('model = "m"\n[config]\nnum_labels = 2\n')
    out = run("--select", "BBB001", "--format", "concise")[1]
    assert out == "setup.toml:/config/num_labels: warning labels-are-few num_labels is 2, expected more\n"
    out = run("setup.toml", "--select", "BBB001", "--format", "concise", "--config", "num_labels=three")[1]
    assert out == "--config num_labels: warning labels-are-few num_labels is 'three', expected more\n"


def test_settings_of_the_project(run: Run, tmp_path: Path) -> None:
    """pretune.toml selects, ignores, sets fail-on and allows; --select replaces, --ignore adds, a stale allowance is told."""
    settings = tmp_path / "pretune.toml"
    settings.write_text('fail-on = "never"\nignore = ["BBB"]')
    assert run("m")[0] == 0
    assert run("m", "--fail-on", "error")[0] == 1
    assert "not checked" not in run("m")[1]
    settings.write_text('allow.pad-is-not-zero = "a test"\nallow.labels-are-few = "nothing there"')
    code, out, _ = run("m")
    assert code == 0
    assert "allowed: 1 finding: pad-is-not-zero\n" in out
    assert "stale-allowance (PT001)\n  labels-are-few is allowed but found nothing here\n" in out
    settings.write_text('select = ["AAA"]')
    assert run("m", "--select", "BBB")[0] == 0
    settings.write_text('selct = ["AAA"]')
    assert run("m")[0] == 2


def test_resize_with_and_without_a_value(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """--resize alone means the tokenizer's length; with a value, rows or a multiple; None when not said."""
    seen: list[object] = []
    monkeypatch.setattr(facts, "Facts", lambda setup, **_: seen.append(setup.resize) or PlantedFacts(setup))
    for flags in ([], ["--resize"], ["--resize", "64"], ["--resize=multiple=8"]):
        run("m", *flags, "--ignore", "AAA")
    assert seen == [None, True, 64, {"pad_to_multiple_of": 8}]
    assert run("--resize", "m")[0] == 2


def test_there_is_a_flag_for_every_key() -> None:
    """Every key of the Setup but the model, which is the argument, has a flag of the same name."""
    flags = {name for parameter in check_cli.command.params for name in parameter.opts}
    assert {f"--{key.replace('_', '-')}" for key in KEYS if key != "model"} <= flags


def test_help_shows_every_option_in_a_section(run: Run) -> None:
    """Help fits 80 columns and shows each option once, in sections; the words it repeats are the real ones."""
    code, out, _ = run("--help")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    for section in ("Model and tokenizer", "Added tokens", "Task, data and training", "Rules", "Output"):
        assert f"\n{section}:\n" in out
    assert check_cli.FORMATS == FORMATS
    assert set(check_cli.FAIL_ON) == set(FAIL_ON)


def test_the_library() -> None:
    """check.run and check.render do the same from Python; unknown rules in select and allow are told."""
    report = check.run("m", config={"num_labels": 2}, ignore="rows-are-few")
    assert [finding.code for finding in report.findings] == ["AAA001", "BBB001"]
    assert check.render(report, "concise").count("\n") == 2
    assert report.subject == "m"
    assert check.run(setup={"model": "m"}, select=["BBB"], data="x.jsonl").ok
    allowed = check.run("m", allow={"pad-is-not-zero": "a test"})
    assert allowed.ok
    for keys in ({"select": "CCC"}, {"allow": {"nothing": "x"}}, {"trianing_args": {}}):
        with pytest.raises(UserError):
            check.run("m", **keys)


def test_the_librarys_names() -> None:
    """Every name the library promises is there, and no other."""
    for name in check.__all__:
        assert getattr(check, name) is not None
    assert set(check.__all__) <= set(dir(check))
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        check.Nothing  # noqa: B018
