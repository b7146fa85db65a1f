"""Preflight: before the first step, without a trace in the run, with every stop and warning it should give."""

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("datasets")

import datasets
import numpy as np
import torch
import transformers

import live_runs
from pretune import check
from pretune.core.errors import UserError


def losses(trainer: transformers.Trainer) -> list[float]:
    """What a run logs."""
    trainer.train()
    return [row["loss"] for row in trainer.state.log_history if "loss" in row]


def weights(trainer: transformers.Trainer) -> dict[str, torch.Tensor]:
    """The weights, to be compared bit for bit."""
    return {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}


@pytest.mark.parametrize("task", ["text-classification", "masked-lm"])
@pytest.mark.parametrize("deep", [False, True])
def test_a_run_with_it_is_the_run_without(task: str, tmp_path: Path, *, deep: bool) -> None:
    """Losses and weights are bit for bit those of a run without: no randomness, no batch and no dropout is used up."""
    ended = []
    for callbacks in ([], [check.Preflight(on_error="warn", deep=deep)]):
        transformers.set_seed(3)
        trainer = live_runs.trainer(tmp_path, task, callbacks=callbacks, args={"logging_steps": 1, "seed": 3})
        ended.append((losses(trainer), weights(trainer), random.random(), np.random.rand(), torch.rand(1).item()))  # noqa: NPY002 - the state that runs use
        if callbacks:
            assert callbacks[0].report is not None
            assert not {s.code for s in callbacks[0].report.skipped if s.code in ("LIV001", "LIV101")}
    assert len(ended[0][0]) == 6
    assert ended[0][0] == ended[1][0]
    assert all(torch.equal(ended[0][1][name], ended[1][1][name]) for name in ended[0][1])
    assert ended[0][2:] == ended[1][2:]


def test_collator_with_its_own_generator(tmp_path: Path) -> None:
    """A collator that draws from a generator of its own is put back as well."""

    def seeded(made: dict[str, Any]) -> None:
        made["data_collator"] = transformers.DataCollatorForLanguageModeling(made["processing_class"], seed=5)

    runs = []
    for callbacks in ([], [check.Preflight(on_error="warn")]):
        transformers.set_seed(3)
        runs.append(losses(live_runs.trainer(tmp_path, "masked-lm", callbacks=callbacks, change=seeded)))
    assert runs[0] == runs[1]


def test_the_batches_are_the_run_s_own(tmp_path: Path) -> None:
    """What is looked at first is what is trained on first."""
    fed: list[list[list[int]]] = []

    class Keeping(transformers.Trainer):
        def training_step(self, model: Any, inputs: Any, *rest: Any, **further: Any) -> Any:
            fed.append(inputs["input_ids"].tolist())
            return super().training_step(model, inputs, *rest, **further)

    from pretune.check.facts import live_batches

    seen: list[Any] = []
    peek = live_batches.peek
    callback = check.Preflight()
    trainer = live_runs.trainer(tmp_path, "text-classification", trainer=Keeping, callbacks=[callback])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pretune.check.facts.live.peek", lambda objects: seen.append(peek(objects)) or seen[-1])
        trainer.train()
    assert [batch["input_ids"].tolist() for batch in seen[0].raw] == fed[: len(seen[0].raw)]
    assert len(seen[0].raw) >= 4


def all_ignored(made: dict[str, Any]) -> None:
    """Every label is -100."""
    rows = [{**row, "labels": [-100] * len(row["labels"])} for row in made["train_dataset"].to_list()]
    made["train_dataset"] = datasets.Dataset.from_list(rows)


def test_stop_lists_the_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An error stops the run before its first step, with a text that says what was found and how to go on."""
    callback = check.Preflight()
    trainer = live_runs.trainer(tmp_path, "token-classification", change=all_ignored, callbacks=[callback])
    with pytest.raises(check.PreflightStopped) as stopped:
        trainer.train()
    assert trainer.state.global_step == 0
    text = str(stopped.value)
    assert "pretune stopped the run before its first step, 1 error:" in text
    assert "labels-all-ignored: all labels of the first 6 batches are -100" in text
    assert 'check.Preflight(on_error="warn") trains all the same' in text
    assert stopped.value.report is callback.report
    assert capsys.readouterr().err.count("labels-all-ignored") == 1


def test_warn_trains_all_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With on_error="warn" the findings are logged once and the run goes on."""
    callback = check.Preflight(on_error="warn")
    trainer = live_runs.trainer(
        tmp_path, "token-classification", change=all_ignored, callbacks=[callback], args={"max_steps": 1}
    )
    trainer.train()
    assert trainer.state.global_step == 1
    assert [one.name for one in callback.report.at_least(check.Level.ERROR)] == ["labels-all-ignored"]
    assert capsys.readouterr().err.count("labels-all-ignored") == 1


def test_allowed_errors_stop_nothing(tmp_path: Path) -> None:
    """An allowed finding is kept with its reason, and the run goes on."""
    callback = check.Preflight(allow={"labels-all-ignored": "a dry run"})
    trainer = live_runs.trainer(
        tmp_path, "token-classification", change=all_ignored, callbacks=[callback], args={"max_steps": 1}
    )
    trainer.train()
    assert [why for _, why in callback.report.allowed] == ["a dry run"]


def test_nothing_found_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run without findings is told in a line."""
    callback = check.Preflight(select="LIV0")
    live_runs.trainer(tmp_path, "question-answering", callbacks=[callback], args={"max_steps": 1}).train()
    assert "pretune preflight: Trainer of BertForQuestionAnswering (" in capsys.readouterr().err


def test_other_processes_are_silent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A process that is not the first one logs nothing, but keeps its report."""
    trainer = live_runs.trainer(tmp_path, "text-classification")
    callback = check.Preflight()
    state = transformers.TrainerState(is_world_process_zero=False, max_steps=6)
    capsys.readouterr()
    callback.on_train_begin(
        trainer.args, state, None, model=trainer.model, train_dataloader=trainer.get_train_dataloader()
    )
    assert capsys.readouterr().err == ""
    assert callback.report.ok


class Once(torch.utils.data.IterableDataset):
    """A stream that can be read once."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.left = iter(rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self.left


def test_a_stream_is_left_alone(tmp_path: Path) -> None:
    """A set that can be read only once is not read, and the report says so."""
    callback = check.Preflight()

    def stream(made: dict[str, Any]) -> None:
        made["train_dataset"] = Once(made["train_dataset"].to_list())

    trainer = live_runs.trainer(
        tmp_path, "text-classification", change=stream, callbacks=[callback], args={"max_steps": 6}
    )
    trainer.train()
    assert trainer.state.global_step == 6
    reasons = {one.reason for one in callback.report.skipped if one.code == "LIV001"}
    assert reasons == {"no batches were looked at: the training set is a stream, and looking at it would use it up"}


def test_arrow_streams_are_read_from_the_start(tmp_path: Path) -> None:
    """`datasets` gives a table's rows anew each time, so they can be looked at."""
    callback = check.Preflight()

    def stream(made: dict[str, Any]) -> None:
        made["train_dataset"] = made["train_dataset"].to_iterable_dataset()

    runs = []
    for callbacks in ([], [callback]):
        transformers.set_seed(1)
        trainer = live_runs.trainer(
            tmp_path, "text-classification", change=stream, callbacks=callbacks, args={"max_steps": 6}
        )
        runs.append(losses(trainer))
    assert runs[0] == runs[1]
    assert "LIV001" not in {one.code for one in callback.report.skipped}


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A broken file beside a model that was loaded long ago stops nothing; what is in memory is checked."""
    callback = check.Preflight()
    trainer = live_runs.trainer(tmp_path, "text-classification", callbacks=[callback], args={"max_steps": 1})
    (tmp_path / "model" / "config.json").write_text("{")
    trainer.train()
    assert any("were not checked" in remark for remark in callback.report.remarks)
    assert "LIV101" in {rule.code for rule in callback.report.asked}


def test_wrong_words() -> None:
    """on_error and the rules' names are judged when the callback is made, not when training begins."""
    with pytest.raises(UserError, match='on_error is \'raise\', expected "stop" or "warn"'):
        check.Preflight(on_error="raise")
    with pytest.raises(UserError, match="no rule is called"):
        check.Preflight(allow={"no-such-rule": "why"})


def test_is_a_callback_of_transformers() -> None:
    """It is a TrainerCallback, one class however often it is named, and is found again when pickled."""
    import pickle

    from pretune.check import preflight

    assert check.Preflight is check.Preflight is preflight.Preflight
    assert issubclass(check.Preflight, transformers.TrainerCallback)
    assert pickle.loads(pickle.dumps(check.Preflight)) is check.Preflight


def test_importing_imports_nothing() -> None:
    """Importing pretune.check and its preflight brings neither transformers nor torch."""
    code = "import sys; from pretune import check; import pretune.check.preflight, pretune.check.live_check; "
    code += "print(sorted({'torch', 'transformers', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
