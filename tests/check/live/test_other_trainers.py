"""Preflight in the Trainers of TRL and of sentence-transformers, where these packages are installed."""

import importlib
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

CHAT = "{% for m in messages %}<s> {{ m['content'] }} </s> {% endfor %}"


def losses(trainer: Any) -> list[float]:
    """What a run logs."""
    trainer.train()
    return [row["loss"] for row in trainer.state.log_history if "loss" in row]


def grave(report: check.Report) -> list[str]:
    """What is above a note."""
    return [f"{one.name}: {one.message}" for one in report.at_least(Level.WARNING)]


@pytest.mark.parametrize("kind", ["text", "prompt"])
def test_sft_trainer(kind: str, tmp_path: Path) -> None:
    """A small SFT run: healthy, seen, and the same with and without Preflight."""
    trl = pytest.importorskip("trl", reason="needs trl (pip install trl)")
    runs = []
    texts = live_runs.texts(24)
    rows = [{"text": text} if kind == "text" else {"prompt": text, "completion": f" {text[:8]}"} for text in texts]
    for callbacks in ([], [check.Preflight()]):
        tokenizer, model = live_runs.causal(tmp_path)
        config = trl.SFTConfig(
            str(tmp_path / "out"), per_device_train_batch_size=4, max_steps=4, report_to=[], use_cpu=True, bf16=False,
            save_strategy="no", logging_steps=1, max_length=32, gradient_checkpointing=False, disable_tqdm=True,
        )  # fmt: skip
        trainer = trl.SFTTrainer(
            model=model, args=config, train_dataset=datasets.Dataset.from_list(rows), processing_class=tokenizer,
            callbacks=callbacks,
        )  # fmt: skip
        runs.append(losses(trainer))
    report = callbacks[0].report
    assert runs[0] == runs[1]
    assert grave(report) == []
    assert report.subject.startswith("SFTTrainer of GPT2LMHeadModel (")
    assert "LIV101" in {rule.code for rule in report.asked}


def test_preferences(tmp_path: Path) -> None:
    """A DPO run, whose batches have no labels and whose loss is TRL's own, is healthy."""
    trl = pytest.importorskip("trl", reason="needs trl (pip install trl)")
    tokenizer, model = live_runs.causal(tmp_path)
    texts = live_runs.texts(24)
    rows = [{"prompt": text, "chosen": f" {text[:8]}", "rejected": f" {text[-8:]}"} for text in texts]
    config = trl.DPOConfig(
        str(tmp_path / "out"), per_device_train_batch_size=4, max_steps=2, report_to=[], use_cpu=True, bf16=False,
        save_strategy="no", logging_steps=1, gradient_checkpointing=False, disable_tqdm=True,
    )  # fmt: skip
    callback = check.Preflight()
    trl.DPOTrainer(
        model=model, args=config, train_dataset=datasets.Dataset.from_list(rows), processing_class=tokenizer,
        callbacks=[callback],
    ).train()  # fmt: skip
    assert grave(callback.report) == []


def test_sentence_transformer_trainer(tmp_path: Path) -> None:
    """A small run of pairs: healthy, seen, and the same with and without Preflight."""
    sentence_transformers = pytest.importorskip(
        "sentence_transformers", reason="needs sentence-transformers (pip install sentence-transformers)"
    )
    ranking = importlib.import_module("sentence_transformers.losses").MultipleNegativesRankingLoss
    folder = live_runs.folder(tmp_path, model_class="BertForPreTraining")
    texts = live_runs.texts(24)
    rows = [{"anchor": one, "positive": other} for one, other in zip(texts, texts[::-1], strict=True)]
    runs = []
    for callbacks in ([], [check.Preflight()]):
        model = sentence_transformers.SentenceTransformer(folder, device="cpu")
        trainer = sentence_transformers.SentenceTransformerTrainer(
            model=model,
            args=sentence_transformers.SentenceTransformerTrainingArguments(
                str(tmp_path / "out"), per_device_train_batch_size=4, max_steps=4, report_to=[], use_cpu=True,
                save_strategy="no", logging_steps=1, disable_tqdm=True,
            ),
            train_dataset=datasets.Dataset.from_list(rows),
            loss=ranking(model),
            callbacks=callbacks,
        )  # fmt: skip
        runs.append(losses(trainer))
    report = callbacks[0].report
    assert runs[0] == runs[1]
    assert grave(report) == []
    assert report.subject.startswith("SentenceTransformerTrainer of BertModel (")
    assert "LIV101" in {rule.code for rule in report.asked}
