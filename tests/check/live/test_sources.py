"""Live objects as a Setup, and the guard that puts back what looking at them has moved."""

import json
import random
from functools import partial
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("datasets")

import numpy as np
import torch
import transformers

import live_runs
from pretune import check
from pretune.check.facts.live_batches import peek
from pretune.check.facts.live_guard import untouched
from pretune.check.sources.live import found, said_live
from pretune.check.sources.live_arguments import said_arguments
from pretune.check.sources.live_data import raw_rows
from pretune.check.sources.live_objects import Objects, gathered, is_live, of_trainer, unwrapped


@pytest.fixture
def tokenizer(tmp_path: Path) -> Any:
    """A small BERT tokenizer."""
    return transformers.AutoTokenizer.from_pretrained(live_runs.folder(tmp_path))


def keys(folder: Path, **objects: Any) -> dict[str, Any]:
    """What the objects are as keys of a Setup."""
    return said_live(Objects(**objects), folder / "copies").keys


def test_names_are_no_objects() -> None:
    """Names, paths, numbers, mappings and lists are no live objects; a module and a Trainer-like object are."""
    assert not any(is_live(value) for value in (None, "klue/bert-base", Path(), 3, {}, [], object()))
    assert is_live(torch.nn.Linear(1, 1))


def test_arguments_that_differ(tmp_path: Path) -> None:
    """Only what differs from its default is said, enums as their values, and no secrets."""
    said = said_arguments(
        live_runs.arguments(tmp_path, lr_scheduler_type="cosine", eval_strategy="steps", hub_token="hf_x")
    )
    assert said["lr_scheduler_type"] == "cosine"
    assert said["eval_strategy"] == "steps"
    assert said["learning_rate"] == 3e-5
    assert not {"hub_token", "weight_decay", "seed", "report_to"} & set(said)
    assert said_arguments(None) == {}
    assert said_arguments(object()) == {}


def test_tokens_added_since(tokenizer: Any, tmp_path: Path) -> None:
    """Added tokens are said as added, in the order of their ids, special ones apart; the files stay the tokenizer."""
    tokenizer.add_tokens(["신조어", "새말"])
    tokenizer.add_special_tokens({"additional_special_tokens": ["<e1>"]})
    said = keys(tmp_path, tokenizer=tokenizer)
    assert said["tokenizer"] == str(tmp_path / "model")
    assert said["add_tokens"] == ("신조어", "새말") or said["add_tokens"] == ["신조어", "새말"]
    assert list(said["add_special_tokens"]) == ["<e1>"]


def test_side_of_padding(tokenizer: Any, tmp_path: Path) -> None:
    """A side that was set afterwards is said; the usual one is not."""
    assert "tokenizer_kwargs" not in keys(tmp_path, tokenizer=tokenizer)
    tokenizer.padding_side = "left"
    assert keys(tmp_path, tokenizer=tokenizer)["tokenizer_kwargs"] == {"padding_side": "left"}


def test_another_special_token_makes_a_copy(tokenizer: Any, tmp_path: Path) -> None:
    """What a Setup cannot say is saved as it is, without the cut of the last call."""
    tokenizer("한국어", truncation=True, max_length=8, padding="max_length")
    tokenizer.cls_token = "[MASK]"
    said = keys(tmp_path, tokenizer=tokenizer)
    assert said["tokenizer"] == str(tmp_path / "copies" / "tokenizer")
    spec = json.loads((tmp_path / "copies" / "tokenizer" / "tokenizer.json").read_text("utf-8"))
    assert (spec["truncation"], spec["padding"]) == (None, None)


def test_a_resized_model(tmp_path: Path) -> None:
    """Rows other than the files' are a resize; other sizes of the head are a config edit; loading itself is none."""
    model = live_runs.trainer(tmp_path, "text-classification").model
    said = keys(tmp_path, model=model)
    assert said["config"] == {"num_labels": 3}
    assert not {"resize", "config_update"} & set(said)
    model.resize_token_embeddings(200)
    assert keys(tmp_path, model=model)["resize"] == 200


def test_snapshots_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub name means its snapshot where the cache has one, and nothing (and no network) where it has not."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    snapshot = tmp_path / "models--some--name" / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    source = found("some/name")
    assert source is not None
    assert source.folder == snapshot
    assert found("some/other") is None
    assert found("") is None
    assert found("/no/such/folder/at/all") is None


def test_wrapped_models() -> None:
    """The model inside DataParallel and torch.compile is found; a module's own `module` attribute is its own."""
    inner = torch.nn.Linear(1, 1)
    assert unwrapped(torch.nn.DataParallel(inner)) is inner
    own = torch.nn.Sequential()
    own.add_module("module", inner)
    assert unwrapped(own) is own


def test_data_that_lost_its_answers(tmp_path: Path) -> None:
    """A set without the columns that its task needs is no raw data."""
    import datasets

    whole = datasets.Dataset.from_list(
        [{"question": "q", "context": "c", "answers": {"text": ["c"], "answer_start": [0]}}]
    )
    assert raw_rows(whole, "question-answering") is not None
    assert raw_rows(whole.remove_columns("answers"), "question-answering") is None
    assert raw_rows(whole, "text-classification") is None
    assert raw_rows(whole.select([]), "question-answering") is None
    assert raw_rows(None, "masked-lm") is None


def test_loaders_batches_and_rows() -> None:
    """What `data` is: a loader, a batch, several batches, or rows."""
    model = torch.nn.Linear(1, 1)
    batch = {"input_ids": torch.ones(2, 3, dtype=torch.long)}
    loader = torch.utils.data.DataLoader([1, 2])
    assert gathered(model, data=loader)[0].loader is loader
    assert gathered(model, data=batch)[0].batches == (batch,)
    assert gathered(model, data=[batch, batch])[0].batches == (batch, batch)
    assert gathered(model, data=[{"text": "a"}])[1] == [{"text": "a"}]
    assert gathered(model, data="train.jsonl")[1] == "train.jsonl"


class Moving:
    """Holds everything that looking may move."""

    def __init__(self) -> None:
        self.count, self.seen, self.table = 0, [1], {"a": 1}
        self.numpy, self.torch, self.random = np.random.default_rng(1), torch.Generator(), random.Random(1)

    def move(self) -> None:
        """Move all of it."""
        self.count += 1
        self.seen.append(2)
        self.table["b"] = 2
        self.lazy = object()
        self.drawn()

    def drawn(self) -> tuple[float, ...]:
        """A number of each generator."""
        return self.numpy.random(), torch.rand(1, generator=self.torch).item(), self.random.random()


@pytest.mark.parametrize(
    "hold", [lambda one: one, lambda one: one.move, lambda one: partial(one.move), lambda one: lambda: one]
)
def test_the_guard(hold: Any) -> None:
    """Attributes, lists, tables and generators are as before, also behind a method, a partial, a closure."""
    one, twin = Moving(), Moving()
    with untouched(hold(one)):
        one.move()
    assert (one.count, one.seen, one.table, hasattr(one, "lazy")) == (0, [1], {"a": 1}, False)
    assert one.drawn() == twin.drawn()


def test_the_guard_after_an_error() -> None:
    """An error inside goes on, and all is put back all the same."""
    one, state = Moving(), torch.get_rng_state()
    with pytest.raises(ValueError, match="inside"), untouched(one):  # noqa: PT012 - what stands inside is the test
        one.move()
        torch.rand(3)
        raise ValueError("inside")
    assert one.count == 0
    assert torch.equal(state, torch.get_rng_state())


def test_a_peek_leaves_the_sampler(tmp_path: Path) -> None:
    """The trainer's list of prepared loaders, its sampler's epoch and the next batches are as before."""
    trainer = live_runs.trainer(tmp_path, "text-classification")
    held = len(trainer.accelerator._dataloaders)
    torch.manual_seed(1)
    peeked = peek(of_trainer(trainer))
    assert len(trainer.accelerator._dataloaders) == held
    assert torch.equal(peeked.raw[0]["input_ids"], next(iter(trainer.get_train_dataloader()))["input_ids"])


def test_no_data_is_no_fault(tmp_path: Path) -> None:
    """A Trainer without a training set, and a model without data: no batches, said as such."""
    trainer = live_runs.trainer(tmp_path, "masked-lm", change=lambda made: made.pop("train_dataset"))
    for one in (trainer, trainer.model):
        reasons = {skipped.reason for skipped in check.run(one, select="LIV0").skipped}
        assert any("no batches were looked at" in reason for reason in reasons), reasons
