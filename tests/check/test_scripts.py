"""Several scripts, one report: joined, each finding once, allowed by comments, with failures beside."""

import re
from pathlib import Path

import pytest

from planted_rules import RULES
from pretune.check import scripts
from pretune.check.engine import Report, Skipped
from pretune.check.finding import Finding
from pretune.check.scripts import Asked, check_scripts, targets
from pretune.core.errors import UserError


def planted(file: str, asked: Asked) -> tuple[Report, tuple[str, ...]]:
    """Stands in for reading and asking: findings where lines say BAD or ODD; `import x` reads x.py beside."""
    path = Path(file)
    text = path.read_text(encoding="utf-8")
    if "BROKEN" in text:
        raise UserError(f"{file}:1:1 cannot be parsed: invalid syntax", hint="mend it")
    if "CRASH" in text:
        raise KeyError("oh")
    beside = [str(path.with_name(f"{name}.py")) for name in re.findall(r"^import (\w+)", text, re.MULTILINE)]
    found = []
    for name in (file, *beside):
        for number, line in enumerate(Path(name).read_text(encoding="utf-8").split("\n"), start=1):
            found += [
                Finding(of.code, of.name, of.level, "found it", f"{name}:{number}:1", of.fix)
                for of in asked.rules
                if of.name[:3].upper() in line
            ]
    skipped = () if "ODD" in text else (Skipped("DAT001", "x", "no data"),)
    return Report("", tuple(found), skipped=skipped, asked=RULES, remarks=("one",)), (file, *beside)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(scripts, "_checked", planted)


def written(**files: str) -> list[str]:
    """Scripts of these names."""
    for name, text in files.items():
        Path(f"{name}.py").write_text(text, encoding="utf-8")
    return [f"{name}.py" for name in files]


def checked(files: list[str], **keys: object) -> Report:
    """The report of all."""
    return check_scripts(files, Asked(**{"rules": RULES, "known": RULES, "allow": {}, "target": {}, **keys}))  # type: ignore[arg-type]


def where(report: Report) -> list[str]:
    """The places of the findings."""
    return [finding.where for finding in report.findings]


def test_no_file() -> None:
    """An empty report, and nothing is said to be healthy."""
    assert checked([]).findings == ()


def test_gravest_first_then_by_place() -> None:
    """Findings of all files stand in one order, with their lines of source."""
    report = checked(written(b="  ODD 가\nBAD", a="x\nODD\nBAD"))
    assert where(report) == ["a.py:3:1", "b.py:2:1", "a.py:2:1", "b.py:1:1"]
    assert report.code["b.py:1:1"] == "  ODD 가"
    assert report.subject == "2 scripts"
    assert report.remarks == ("one",)
    assert report.asked == RULES


def test_files_that_cannot_be_read() -> None:
    """Each is one line that names it, also where it is our own bug, and the others are checked."""
    report = checked(written(a="BROKEN", b="BAD", c="CRASH"))
    assert where(report) == ["b.py:1:1"]
    assert report.failed == (
        "a.py:1:1 cannot be parsed: invalid syntax (mend it)",
        "c.py: this is a bug in pretune, report it with what --debug says: KeyError: 'oh'",
    )
    with pytest.raises(KeyError):
        checked(["c.py"], debug=True)


def test_an_imported_module_is_not_checked_twice() -> None:
    """Its findings stand once, whichever file comes first, and through two scripts as well."""
    written(a="import lib\nBAD", b="import lib", lib="BAD")
    for files in (["a.py", "lib.py"], ["lib.py", "a.py", "b.py"], ["lib.py", "./a.py"]):
        assert len(checked(files).findings) == 2


def test_a_module_that_is_a_script_itself() -> None:
    """It is checked on its own, and what both walks find stands once."""
    written(a="import lib", lib="BAD\nif __name__ == '__main__':\n    pass\n")
    assert where(checked(["a.py", "lib.py"])) == ["lib.py:1:1"]


def test_modules_that_import_each_other() -> None:
    """None is left out because of the other."""
    written(a="import b\nBAD", b="import a\nBAD")
    assert where(checked(["a.py", "b.py"])) == ["a.py:2:1", "b.py:2:1"]


def test_comments_allow() -> None:
    """In the script and in what it imports; a reason that is missing is asked for, a stale one is found."""
    written(a="import lib\nx  # BAD # pretune: allow bad-line -- why\nBAD = 1  # pretune: allow PYS901\n")
    written(lib="# pretune: allow-file odd-line -- old\nx = 'ODD'\ny  # pretune: allow bad-line -- old\n")
    report = checked(["a.py"])
    assert [(finding.where, reason) for finding, reason in report.allowed] == [
        ("a.py:2:1", "why"),
        ("lib.py:2:1", "old"),
    ]
    assert [(finding.code, finding.where) for finding in report.findings] == [
        ("PYS901", "a.py:3:1"),
        ("PT003", "a.py:3:10"),
        ("PT001", "lib.py:3:4"),
    ]


def test_the_settings_allow() -> None:
    """The project's table holds for all scripts together: used by one, it is not stale for the others."""
    files = written(a="BAD", b="x")
    report = checked(files, allow={"bad-line": "fine", "odd-line": "fine"})
    assert [(finding.where, reason) for finding, reason in report.allowed] == [("a.py:1:1", "fine")]
    assert [finding.message for finding in report.findings] == ["odd-line is allowed but found nothing here"]


def test_what_one_script_could_not_be_asked() -> None:
    """A rule is skipped once, however many scripts give no answer."""
    assert [one.code for one in checked(written(a="x", b="y")).skipped] == ["DAT001"]


def test_stop_and_progress() -> None:
    """What was read until it stops is reported, and the bytes are told."""
    told: list[tuple[int, int]] = []
    asked = Asked(rules=RULES, known=RULES, allow={}, target={})
    files = written(a="BAD", b="BAD!")
    report = check_scripts(
        files, asked, progress=lambda step, total: told.append((step, total)), stop=lambda: len(told) > 0
    )
    assert where(report) == ["a.py:1:1"]
    assert told == [(3, 7)]


def test_targets() -> None:
    """PACKAGE==VERSION, several; names as the index writes them."""
    assert targets(()) == {}
    assert targets(("transformers==5.23", "Pytorch_Lightning == 2.5.0", "torch==2.6.0rc1")) == {
        "transformers": "5.23",
        "pytorch-lightning": "2.5.0",
        "torch": "2.6.0rc1",
    }


@pytest.mark.parametrize(
    "word",
    ["", "transformers", "transformers=5", "transformers>=5", "==5", "transformers==", "transformers==five", "5"],
)
def test_bad_targets(word: str) -> None:
    """One clear line that shows the form."""
    with pytest.raises(UserError, match="expected PACKAGE==VERSION") as error:
        targets((word,))
    assert error.value.hint == "--target transformers==5.23"


def test_a_package_twice() -> None:
    """Two versions of one package exclude each other."""
    with pytest.raises(UserError, match="twice"):
        targets(("transformers==5", "transformers==4"))
