"""The page on live objects: its runs are made, small, and what it shows is what is said of them."""

import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("datasets")

import datasets
import torch
import transformers

import live_runs
from page_blocks import DOCS
from pretune import check

PAGE = (DOCS / "live.md").read_text("utf-8")
SHOWN = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)


def wrong(made: dict[str, Any]) -> None:
    """Every answer points at [CLS], the set is evaluated on itself, the head is frozen."""
    rows = [{**row, "start_positions": 0, "end_positions": 0} for row in made["train_dataset"].to_list()]
    made["train_dataset"] = made["eval_dataset"] = datasets.Dataset.from_list(rows)
    made["model"].qa_outputs.requires_grad_(False)


def too_large(made: dict[str, Any]) -> None:
    """The head's weights are a few thousand times what they should be."""
    with torch.no_grad():
        made["model"].classifier.weight.mul_(20_000)


def test_what_is_said(tmp_path: Path) -> None:
    """The findings of the run that the page describes, its errors and its warning."""
    report = check.run(live_runs.trainer(tmp_path, "question-answering", change=wrong))
    assert SHOWN[0] + "\n" in check.render(report)


def test_what_stops_a_run(tmp_path: Path) -> None:
    """Preflight raises what the page shows."""
    trainer = live_runs.trainer(tmp_path, "question-answering", change=wrong, callbacks=[check.Preflight()])
    with pytest.raises(check.PreflightStopped) as stopped:
        trainer.train()
    assert f"{stopped.value}\n" == SHOWN[1]


def test_what_computing_says(tmp_path: Path) -> None:
    """The warning, but for the loss, whose digits are the machine's."""
    trainer = live_runs.trainer(tmp_path, "text-classification", change=too_large)
    said = check.render(check.run(trainer, deep=True, select="LIV402"))
    shown, found = (re.sub(r"loss is [\d.]+", "loss is #", text) for text in (SHOWN[2], said))
    assert shown in found


def test_the_code(tmp_path: Path) -> None:
    """Its three ways, with a healthy run's objects by the names that the page gives them."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    trainer = live_runs.trainer(tmp_path, "text-classification")
    there: dict[str, Any] = {
        "trainer": trainer,
        "model": trainer.model,
        "tokenizer": trainer.processing_class,
        "loader": trainer.get_train_dataloader(),
        "args": trainer.args,
        "rows": trainer.train_dataset,
        "Trainer": transformers.Trainer,
    }
    exec(compile(code, "live.md", "exec"), there)
    assert any(isinstance(one, check.Preflight) for one in there["trainer"].callback_handler.callbacks)
