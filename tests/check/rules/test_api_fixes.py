"""Renamed arguments are renamed in the source: what is mended, what is not, and that the mended script checks clean."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from pretune.check import fix
from pretune.check.finding import Problem, stamp
from pretune.check.rules import api
from pretune.script.read import read_script

HEAD = "from transformers import AutoTokenizer, Trainer, TrainingArguments\n"


def problems(path: Path, target: str = "5.23") -> list[tuple[object, Problem]]:
    """What the rules on arguments find."""
    script = SimpleNamespace(trace=read_script(str(path)), target={"transformers": target})
    asked = (api.argument_gone, api.argument_ignored, api.deprecated_here)
    return [(rule, problem) for rule in asked for problem in rule.ask(script=script)]


def mended(path: Path, target: str = "5.23") -> str:
    """The script after its safe fixes."""
    found = [stamp(rule, problem) for rule, problem in problems(path, target)]  # type: ignore[arg-type]
    fix.make(fix.plan(found))
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (
            'TrainingArguments("out", evaluation_strategy="epoch")  # 매 에폭',
            'TrainingArguments("out", eval_strategy="epoch")  # 매 에폭',
        ),
        (
            "TrainingArguments(\n    'out',\n    no_cuda=True,\n    save_safetensors=False,\n)",
            "TrainingArguments(\n    'out',\n    use_cpu=True\n)",
        ),
        ("AutoTokenizer.from_pretrained('x', use_auth_token=True)", "AutoTokenizer.from_pretrained('x', token=True)"),
        ("Trainer(model, args, tokenizer=tokenizer)", "Trainer(model, args, processing_class=tokenizer)"),
    ],
)
def test_a_renamed_argument(tmp_path: Path, call: str, expected: str) -> None:
    """The keyword changes and nothing else; afterwards nothing is found, and a second fix has nothing to do."""
    path = tmp_path / "train.py"
    path.write_text(f"{HEAD}x = {call}\n", encoding="utf-8")
    after = mended(path)
    assert "".join(after.split()).replace(",)", ")") == "".join(f"{HEAD}x = {expected}\n".split())
    assert problems(path) == []
    assert mended(path) == after


@pytest.mark.parametrize(
    "call",
    [
        "TrainingArguments(**{'evaluation_strategy': 'epoch'})",
        "TrainingArguments('out', evaluation_strategy='no', eval_strategy='no')",
        "TrainingArguments('out', evaluate_during_training=True)",
    ],
)
def test_what_takes_more_than_a_name(tmp_path: Path, call: str) -> None:
    """A table, both names at once, another value: found, and left alone."""
    path = tmp_path / "train.py"
    path.write_text(f"{HEAD}x = {call}\n", encoding="utf-8")
    assert problems(path)
    assert mended(path) == f"{HEAD}x = {call}\n"


def test_the_new_name_must_be_there(tmp_path: Path) -> None:
    """Under a version that lacks the new name nothing is renamed."""
    path = tmp_path / "train.py"
    path.write_text(f"{HEAD}x = TrainingArguments('out', evaluation_strategy='no')\n")
    assert "evaluation_strategy" in mended(path, "4.30")
    assert "eval_strategy=" in mended(path, "4.45")
