"""Healthy runs of the Trainer: nothing above a note, whatever the task, and the run is as it would have been."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("datasets")

import datasets

import live_runs
from pretune import check
from pretune.check.finding import Level

TASKS = ("question-answering", "text-classification", "token-classification", "masked-lm", "causal-lm")


def grave(report: check.Report) -> list[str]:
    """What is above a note."""
    return [f"{one.name}: {one.message}" for one in report.at_least(Level.WARNING)]


@pytest.mark.parametrize("task", TASKS)
def test_nothing_above_a_note(task: str, tmp_path: Path) -> None:
    """A healthy run of each task, looked at and computed, draws no error and no warning, and all batches are seen."""
    trainer = live_runs.trainer(tmp_path, task)
    report = check.run(trainer, deep=True, ignore="language-model-at-a-loss")  # the small ones know nothing indeed
    assert grave(report) == []
    unasked = {one.code: one.reason for one in report.skipped if one.code.startswith("LIV")}
    assert not {code for code in unasked if code < "LIV3"}, unasked
    assert "LIV401" not in unasked, unasked
    assert report.subject.startswith(f"Trainer of {type(trainer.model).__name__} (")


@pytest.mark.parametrize("task", ["question-answering", "causal-lm"])
def test_raw_text_beside_ids(task: str, tmp_path: Path) -> None:
    """The columns that the Trainer drops are read as data, and draw nothing either."""

    def with_text(made: dict[str, Any]) -> None:
        texts = live_runs.texts(len(made["train_dataset"]))
        column = "context" if task == "question-answering" else "text"
        made["train_dataset"] = made["train_dataset"].add_column(column, texts)
        if task == "question-answering":
            made["train_dataset"] = made["train_dataset"].add_column("question", [f"질문 {t[:2]}" for t in texts])

    assert grave(check.run(live_runs.trainer(tmp_path, task, change=with_text))) == []


def test_roberta(tmp_path: Path) -> None:
    """Positions that begin behind the pad id are no overflow."""
    assert grave(check.run(live_runs.trainer(tmp_path, "text-classification", model_type="roberta"))) == []


def test_evaluation_and_warmup(tmp_path: Path) -> None:
    """An evaluation set in memory is no missing data."""

    def split(made: dict[str, Any]) -> None:
        parts = made["train_dataset"].train_test_split(0.25, seed=0)
        made["train_dataset"], made["eval_dataset"] = parts["train"], parts["test"]

    asked = {"eval_strategy": "epoch", "warmup_steps": 1, "lr_scheduler_type": "cosine"}
    report = check.run(live_runs.trainer(tmp_path, "text-classification", change=split, args=asked))
    assert grave(report) == []
    assert "evaluation-without-data" not in {one.name for one in report.findings}


def test_added_tokens_and_resize(tmp_path: Path) -> None:
    """Tokens added and rows added for them are healthy; without the resize both the files' rules and the batches tell."""

    def add(made: dict[str, Any]) -> None:
        made["processing_class"].add_tokens(["신조어"])
        made["model"].resize_token_embeddings(len(made["processing_class"]))

    trainer = live_runs.trainer(tmp_path, "text-classification", change=add)
    assert grave(check.run(trainer)) == []
    trainer.model.resize_token_embeddings(len(trainer.processing_class) - 1)
    rows = live_runs.rows_of("text-classification", trainer.processing_class)
    rows[0]["input_ids"][1] = len(trainer.processing_class) - 1
    import datasets

    trainer.train_dataset = datasets.Dataset.from_list(rows)
    told = {one.name for one in check.run(trainer).findings if one.level == "error"}
    assert "added-but-not-resized" in told or "ids-outside-embedding" in told


def test_pad_that_is_the_end(tmp_path: Path) -> None:
    """Blocks of text without pads or ends are healthy with pad = eos; texts whose end has no label are not."""

    def same(made: dict[str, Any]) -> None:
        made["processing_class"].pad_token = made["processing_class"].eos_token
        made["model"].config.pad_token_id = made["processing_class"].eos_token_id

    trainer = live_runs.trainer(tmp_path, "causal-lm", change=same)
    assert grave(check.run(trainer)) == []
    rows = trainer.train_dataset.to_list()
    end = trainer.processing_class.eos_token_id
    trainer.train_dataset = datasets.Dataset.from_list([{"input_ids": [*row["input_ids"], end]} for row in rows])
    assert [text.partition(":")[0] for text in grave(check.run(trainer))] == ["end-is-never-learnt"]


def test_a_model_from_nowhere(tmp_path: Path) -> None:
    """Model and tokenizer that were never saved are checked by copies, which reports call by their names."""
    import transformers

    tokenizer, model = live_runs.causal(tmp_path)
    fresh = transformers.GPT2LMHeadModel(transformers.GPT2Config(**{**model.config.to_dict(), "_name_or_path": ""}))
    tokenizer.name_or_path = ""
    report = check.run(fresh, tokenizer=tokenizer)
    assert grave(report) == []
    assert report.subject == "GPT2LMHeadModel"
    assert "pretune-" not in check.render(report, "json")


def test_adapter(tmp_path: Path) -> None:
    """A LoRA run draws nothing above a note."""
    peft = pytest.importorskip("peft")

    def adapt(made: dict[str, Any]) -> None:
        config = peft.LoraConfig(task_type="SEQ_CLS", r=4, target_modules=["query", "value"])
        made["model"] = peft.get_peft_model(made["model"], config)

    trainer = live_runs.trainer(tmp_path, "text-classification", change=adapt, args={"learning_rate": 2e-4})
    assert grave(check.run(trainer)) == []


def test_the_report_shows_itself(tmp_path: Path) -> None:
    """In a notebook, the report of a Trainer is a piece of HTML that names it."""
    report = check.run(live_runs.trainer(tmp_path, "masked-lm"))
    assert "Trainer of BertForMaskedLM (" in report._repr_html_()
