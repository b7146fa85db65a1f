"""Faults planted in small real runs are found by check.run(trainer), each by the rule that is about it."""

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
from pretune import check
from pretune.core.errors import UserError


def found(path: Path, task: str, change: Any = None, **asked: Any) -> dict[str, str]:
    """Name -> message of each finding about live objects."""
    select = asked.pop("select", "LIV")
    report = check.run(live_runs.trainer(path, task, change=change, **asked), select=select)
    return {one.name: one.message for one in report.findings}


def rows_changed(**new: Any) -> Any:
    """A change of each training row."""

    def change(made: dict[str, Any]) -> None:
        rows = [
            {**row, **{key: value(row) if callable(value) else value for key, value in new.items()}}
            for row in made["train_dataset"].to_list()
        ]
        made["train_dataset"] = datasets.Dataset.from_list(rows)

    return change


def test_labels_beyond_the_head(tmp_path: Path) -> None:
    """Labels from 1 to 3 for three outputs."""
    told = found(tmp_path, "text-classification", rows_changed(labels=lambda row: row["labels"] + 1))
    assert told["batch-label-outside-head"] == "label 3 is in the batches, but the head has 3 outputs (0 to 2)"


def test_answers_at_cls(tmp_path: Path) -> None:
    """All answers at [CLS]."""
    told = found(tmp_path, "question-answering", rows_changed(start_positions=0, end_positions=0))
    assert told["answers-at-the-beginning"] == "all answers of the first 48 rows point at the first token ([CLS])"


def test_no_labels(tmp_path: Path) -> None:
    """A label column of another name is dropped by the Trainer, so no batch has labels."""

    def rename(made: dict[str, Any]) -> None:
        made["train_dataset"] = made["train_dataset"].rename_column("labels", "sentiment")

    told = found(tmp_path, "text-classification", rename)
    assert "but no labels; the set's columns are `input_ids`" in told["batch-without-labels"]
    assert "sentiment" in told["batch-without-labels"]


def test_ragged_labels(tmp_path: Path) -> None:
    """A collator that pads no labels raises in the run, and here first."""

    def plain(made: dict[str, Any]) -> None:
        rows = made["train_dataset"].to_list()
        for number, row in enumerate(rows):
            row["labels"] = row["labels"][: 5 + number % 3]
        made["train_dataset"] = datasets.Dataset.from_list(rows)
        made["data_collator"] = transformers.DataCollatorWithPadding(made["processing_class"])

    told = found(tmp_path, "token-classification", plain)
    assert told["batch-cannot-be-made"].startswith("making batch 1 raises ValueError:")


def test_masking_for_a_generative_model(tmp_path: Path) -> None:
    """A generative model without a mask token is not asked; a masked model fed with copies is."""

    def copies(made: dict[str, Any]) -> None:
        made["data_collator"] = transformers.DataCollatorForLanguageModeling(made["processing_class"], mlm=False)

    assert "masking-does-not-suit-the-model" in found(tmp_path, "masked-lm", copies)


def test_frozen(tmp_path: Path) -> None:
    """A frozen model, and a model whose new head is frozen."""

    def frozen(made: dict[str, Any]) -> None:
        made["model"].requires_grad_(False)

    def head(made: dict[str, Any]) -> None:
        made["model"].classifier.requires_grad_(False)

    assert "nothing-is-trained" in found(tmp_path, "text-classification", frozen)
    told = found(tmp_path, "text-classification", head)["fresh-head-not-trained"]
    assert told == "2 parameters of the new head are frozen: `classifier.weight`, `classifier.bias`"


def test_optimizers(tmp_path: Path) -> None:
    """An optimizer of another model, one that was made before the head was exchanged, and one of the head alone."""

    def other(made: dict[str, Any]) -> None:
        strange = torch.optim.AdamW(torch.nn.Linear(2, 2).parameters())
        made["optimizers"] = (strange, None)

    def before(made: dict[str, Any]) -> None:
        made["optimizers"] = (torch.optim.AdamW(made["model"].parameters(), lr=1e-4), None)
        made["model"].classifier = torch.nn.Linear(16, 3)

    def alone(made: dict[str, Any]) -> None:
        made["optimizers"] = (torch.optim.AdamW(made["model"].classifier.parameters(), lr=1e-4), None)

    assert "optimizer-of-another-model" in found(tmp_path, "text-classification", other)
    told = found(tmp_path, "text-classification", before)["parameters-outside-the-optimizer"]
    assert "`classifier.weight`, `classifier.bias`" in told
    assert "parameters-outside-the-optimizer" not in found(tmp_path, "text-classification", alone)


def test_schedules(tmp_path: Path) -> None:
    """A schedule for three of six steps, seen when training begins; and one of another optimizer."""

    def short(made: dict[str, Any]) -> None:
        optimizer = torch.optim.AdamW(made["model"].parameters(), lr=1e-4)
        schedule = transformers.get_linear_schedule_with_warmup(optimizer, 0, 3)
        made["optimizers"] = (optimizer, schedule)

    callback = check.Preflight(select="LIV3")
    live_runs.trainer(tmp_path, "text-classification", change=short, callbacks=[callback]).train()
    assert [one.message for one in callback.report.findings] == ["the schedule was made for 3 steps, and the run has 6"]

    def apart(made: dict[str, Any]) -> None:
        one, other = (torch.optim.AdamW(made["model"].parameters(), lr=1e-4) for _ in range(2))
        made["optimizers"] = (one, transformers.get_constant_schedule(other))

    assert "schedule-apart-from-optimizer" in found(tmp_path, "text-classification", apart)


def test_a_model_of_random_weights(tmp_path: Path) -> None:
    """`from_config` in place of `from_pretrained` is told by the weights, and from_pretrained is not."""

    def random_weights(made: dict[str, Any]) -> None:
        made["model"] = transformers.AutoModelForSequenceClassification.from_config(made["model"].config)

    assert "body-not-from-the-checkpoint" in found(tmp_path, "text-classification", random_weights)
    assert "head-is-fresh" in found(tmp_path, "text-classification")


def test_sorted_and_unshuffled(tmp_path: Path) -> None:
    """Rows sorted by label and fed in order; the same rows shuffled are healthy."""

    class InOrder(transformers.Trainer):
        def _get_train_sampler(self, *given: Any) -> Any:
            return torch.utils.data.SequentialSampler(self.train_dataset)

    def by_label(made: dict[str, Any]) -> None:
        tokenizer = made["processing_class"]
        rows = live_runs.rows_of("text-classification", tokenizer, 192)
        made["train_dataset"] = datasets.Dataset.from_list(sorted(rows, key=lambda row: row["labels"]))

    told = found(tmp_path, "text-classification", by_label, trainer=InOrder)
    assert told["one-class-at-a-time"] == "the first 64 rows are all of class 0, which 33 % of the training set have"
    assert "one-class-at-a-time" not in found(tmp_path, "text-classification", by_label)


def test_own_loss_reads_a_dropped_column(tmp_path: Path) -> None:
    """compute_loss asks for a column that remove_unused_columns took away."""

    class Weighted(transformers.Trainer):
        def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **further: Any) -> Any:
            weight = inputs.pop("weight")
            out = model(**inputs)
            return (out.loss * weight.mean(), out) if return_outputs else out.loss * weight.mean()

    def weigh(made: dict[str, Any]) -> None:
        made["train_dataset"] = made["train_dataset"].add_column("weight", [1.0] * len(made["train_dataset"]))

    told = found(tmp_path, "text-classification", weigh, trainer=Weighted)
    assert told["column-dropped-but-used"].startswith('compute_loss reads inputs["weight"]')
    kept = {"remove_unused_columns": False}
    assert "column-dropped-but-used" not in found(tmp_path, "text-classification", weigh, trainer=Weighted, args=kept)


def test_evaluated_on_what_is_trained(tmp_path: Path) -> None:
    """One set for both; an evaluation set of its own, with the columns of the other, is healthy."""

    def both(made: dict[str, Any]) -> None:
        made["eval_dataset"] = made["train_dataset"]

    assert "evaluation-set-is-training-set" in found(tmp_path, "text-classification", both)


def test_tokenizer_of_another_model(tmp_path: Path) -> None:
    """A live tokenizer whose vocabulary is another's is told by the files' rules."""
    other = live_runs.folder(tmp_path / "other", "roberta", model_class="RobertaForMaskedLM")

    def exchange(made: dict[str, Any]) -> None:
        made["processing_class"] = transformers.AutoTokenizer.from_pretrained(other)

    assert "another-vocabulary" in found(tmp_path, "text-classification", exchange, select="VOC")


def test_config_edited_after_loading(tmp_path: Path) -> None:
    """An edit of the live config reaches the rules about configs, and points there."""
    trainer = live_runs.trainer(tmp_path, "masked-lm")
    trainer.model.config.num_attention_heads = 4
    report = check.run(trainer, select="CFG")
    silent = next(one for one in report.findings if one.name == "silent-architecture-edit")
    assert silent.where == "model.config.num_attention_heads"


def test_own_loops(tmp_path: Path) -> None:
    """A model, a tokenizer and a DataLoader, or a batch, without any Trainer."""
    trainer = live_runs.trainer(tmp_path, "question-answering", change=rows_changed(start_positions=9, end_positions=4))
    loader = torch.utils.data.DataLoader(
        trainer.train_dataset.to_list(), batch_size=8, shuffle=True, collate_fn=trainer.data_collator
    )
    torch.manual_seed(0)
    report = check.run(trainer.model, tokenizer=trainer.processing_class, data=loader, select="LIV0")
    assert [one.name for one in report.findings] == ["answer-ends-before-it-begins"]
    assert torch.initial_seed() == 0
    batch = next(iter(loader))
    report = check.run(trainer.model, tokenizer=trainer.processing_class, data=batch, select="LIV0")
    assert [one.name for one in report.findings] == ["answer-ends-before-it-begins"]
    assert report.subject.startswith("BertForQuestionAnswering (")


def test_a_tokenizer_alone(tmp_path: Path) -> None:
    """A live tokenizer with a model by its name is checked against that model."""
    small = live_runs.folder(tmp_path)
    tokenizer = transformers.AutoTokenizer.from_pretrained(small)
    tokenizer.add_tokens(["신조어"])
    report = check.run(small, tokenizer=tokenizer, select="VOC")
    assert {"added-but-not-resized", "ids-outside-embedding"} & {one.name for one in report.findings}


def test_what_is_refused(tmp_path: Path) -> None:
    """A setup beside a live object, and an object that is none of these."""
    model = live_runs.trainer(tmp_path, "masked-lm").model
    with pytest.raises(UserError, match="a live object and a setup are given"):
        check.run(model, setup={"task": "masked-lm"})
    with pytest.raises(UserError, match="tokenizer is a dict, expected a name or a live object"):
        check.run(model, tokenizer={"a": 1})
    with pytest.raises(UserError, match="unknown key"):
        check.run(model, learning_rate=1)
