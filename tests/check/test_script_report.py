"""The report of a script: rules on code once, rules on files at the line that names the files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pretune.check import run
from pretune.check.engine import Report
from pretune.check.rules import all_rules
from pretune.check.script_report import report_of
from pretune.script.read import read_script

HEAD = """from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments
"""
TRAINED = (
    'Trainer(model=model, args=TrainingArguments("out"), train_dataset=data, processing_class=tokenizer).train()\n'
)


@pytest.fixture
def reported(tmp_path: Path) -> Callable[..., Report]:
    """Writes a script and gives its report."""

    def report(text: str, **more: object) -> Report:
        path = tmp_path / "train.py"
        path.write_text(HEAD + text, "utf-8")
        chosen = {"rules": all_rules(), "allow": {}, "target": {"transformers": "5.23.0"}, **more}
        return report_of(read_script(str(path)), **chosen)  # type: ignore[arg-type]

    return report


def loading(name: object) -> str:
    """A script's lines that load a model and its tokenizer."""
    return (
        f"tokenizer = AutoTokenizer.from_pretrained({str(name)!r})\n"
        f"model = AutoModelForSequenceClassification.from_pretrained({str(name)!r}, num_labels=2)\n"
    )


def names(report: Report) -> set[str]:
    """The names of the errors and warnings."""
    return {finding.name for finding in report.findings if finding.level != "note"}


def test_files_tell_what_the_code_suspects(make_model: Callable[..., Path], reported: Callable[..., Report]) -> None:
    """Where the rows are known, the rule on files says it, at the line of the script; spare rows make it no finding."""
    added = 'tokenizer.add_tokens(["코로나19"])\n' + TRAINED
    report = reported(loading(make_model()) + added)
    (finding,) = [one for one in report.findings if one.level == "error"]
    assert finding.name == "added-but-not-resized"
    assert finding.where.endswith("train.py:4:1")
    assert finding.fix is not None
    spare = make_model(name="spare", sizes={"vocab_size": 256})
    assert not names(reported(loading(spare) + added)) & {"added-but-not-resized", "added-never-resized"}


def test_a_fault_of_the_files_stands_at_the_line(
    make_model: Callable[..., Path], reported: Callable[..., Report]
) -> None:
    """The script's line first, the file as a further place."""
    model = make_model(config={"vocab_size": 4})
    report = reported(loading(model) + TRAINED)
    found = [one for one in report.findings if one.level == "error" and one.also]
    assert found
    assert all(one.where.rpartition("/")[2].startswith("train.py:") for one in found)
    assert any(str(model) in place for one in found for place in one.also)


def test_a_name_that_is_not_here(reported: Callable[..., Report]) -> None:
    """A hub name that is not in the cache is a remark; the code is checked all the same."""
    report = reported(loading("klue/bert-base") + 'tokenizer.add_tokens(["<e>"])\n' + TRAINED)
    assert "klue/bert-base is not in the hub's cache: its files were not checked" in report.remarks
    assert names(report) == {"added-never-resized"}
    assert any("not in the hub's cache" in skipped.reason for skipped in report.skipped)


def test_a_folder_that_the_script_makes(reported: Callable[..., Report]) -> None:
    """What it saves itself and then loads is no remark."""
    text = loading("best") + 'model.save_pretrained("best")\ntokenizer.save_pretrained("best")\n'
    assert not any("best" in remark for remark in reported(text).remarks)


def test_broken_files_are_no_mistake_of_the_script(tmp_path: Path, reported: Callable[..., Report]) -> None:
    """A config that cannot be read skips the rules on it, and stops nothing."""
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "config.json").write_text("{", "utf-8")
    report = reported(loading(folder) + TRAINED)
    assert report.skipped


def test_without_a_model(reported: Callable[..., Report]) -> None:
    """A script that loads nothing has rules on code only."""
    report = reported("print('가')\n")
    assert report.findings == ()
    assert all("script" in rule.needs for rule in report.asked)


def test_a_setup_without_a_script(make_model: Callable[..., Path]) -> None:
    """Rules on code are skipped where no script was given."""
    report = run(str(make_model()), select="PYS1")
    assert report.asked == ()
    assert {skipped.reason for skipped in report.skipped} == {"no script was given"}


def test_allowed(reported: Callable[..., Report]) -> None:
    """The allow table names rules on code and on files; a stale one is a finding."""
    text = loading("klue/bert-base") + 'tokenizer.add_tokens(["<e>"])\n' + TRAINED
    report = reported(text, allow={"added-never-resized": "the table is wide", "config-updated-with-itself": "old"})
    assert [finding.name for finding, _ in report.allowed] == ["added-never-resized"]
    assert [finding.name for finding in report.findings if finding.level == "note"].count("stale-allowance") == 1
