"""Runs that are stopped, that go on, whose numbers are decided on the way: what holds then, with tiny models."""

import json
import os
import signal
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from pretune.core.errors import UserError
from pretune.train import run_folder
from pretune.train.run import run
from pretune.train.running import Running
from train import tiny_runs as tiny
from train.tiny_runs import of_sample as recipe


def test_a_run_that_saves_nothing_is_saved_when_it_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With save_strategy `no` a signal still leaves a checkpoint, in both engines, and the same command goes on."""
    for engine in ("loop", "trainer"):
        out = tmp_path / engine
        arguments = {"save_strategy": "no", "eval_strategy": "no", "output_dir": str(out)}
        one = recipe(tmp_path, train={"engine": engine}, training_args=arguments)
        with monkeypatch.context() as patch:
            patch.setattr(Running, "passed", lambda self, number: os.kill(os.getpid(), signal.SIGTERM))
            with pytest.raises(UserError, match="stopped by SIGTERM; saved in") as found:
                run(one, force=True)
        assert found.value.exit_code == 143
        assert (out / "checkpoint-1").is_dir()
        told: list[str] = []
        assert run(one, force=True, tell=told.append).steps == 2
        assert f"going on from {out / 'checkpoint-1'}" in told


def test_how_often_is_said_anew_when_a_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """logging_steps and save_steps of the command that goes on count, in both engines."""
    for engine in ("loop", "trainer"):
        arguments = {"max_steps": 6, "eval_strategy": "no", "output_dir": str(tmp_path / engine)}
        often = {**arguments, "save_steps": 1, "save_total_limit": None}
        half = recipe(tmp_path, train={"engine": engine}, training_args=often)
        with monkeypatch.context() as patch:
            patch.setattr(Running, "should_stop", lambda self: True)
            with pytest.raises(UserError, match="stopped by"):
                run(half, force=True)
        rarer = {**arguments, "save_steps": 3, "logging_steps": 2, "save_total_limit": 9}
        run(recipe(tmp_path, train={"engine": engine}, training_args=rarer), force=True)
        log = run_folder.read_log(tmp_path / engine)
        assert [one["step"] for one in log if "loss" in one] == [1, 2, 4, 6]
        there = {path.name for path in (tmp_path / engine).glob("checkpoint-*")}
        assert there == {"checkpoint-1", "checkpoint-3", "checkpoint-6"}


def test_auto_is_decided_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `auto` came to stands in recipe and checkpoint, and a run goes on with it on a machine that differs."""
    keys: dict[str, Any] = {"train": {"precision": "auto"}, "training_args": {"max_steps": 3, "save_steps": 1}}
    measured: list[str] = []

    def faster(_device: Any) -> str:
        measured.append("bf16" if not measured else "fp32")
        return measured[-1]

    monkeypatch.setattr("pretune.train.levers.faster", faster)
    with monkeypatch.context() as patch:
        patch.setattr(Running, "should_stop", lambda self: True)
        with pytest.raises(UserError, match="stopped by"):
            run(recipe(tmp_path, **keys), force=True)
    table = json.loads((tmp_path / "out" / "recipe.json").read_text())
    assert table["train"]["precision"] == "bf16"
    run(recipe(tmp_path, **keys), force=True)
    assert measured == ["bf16"]
    assert json.loads((tmp_path / "out" / "recipe.json").read_text())["train"]["precision"] == "bf16"


def test_auto_is_float32_where_the_model_cannot_do_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that fails in bfloat16 is trained in float32 under `auto`, with a line that says why."""
    monkeypatch.setattr("pretune.train.levers.faster", lambda _device: "bf16")

    def fails(_model: Any) -> None:
        raise UserError("BertModel cannot compute in bfloat16: no such kernel")

    monkeypatch.setattr("pretune.train.levers._try_bfloat16", fails)
    told: list[str] = []
    run(recipe(tmp_path, train={"precision": "auto"}), force=True, tell=told.append)
    assert "computing in float32: BertModel cannot compute in bfloat16: no such kernel" in told
    assert json.loads((tmp_path / "out" / "recipe.json").read_text())["train"]["precision"] == "fp32"


def test_best_among_what_was_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where models are evaluated that are not saved it is said; the last one counts also when it was saved before."""
    values = iter([10.0, 40.0, 20.0, 30.0])
    real = Running.evaluate

    def told_value(self: Running, model: Any) -> Any:
        return {**real(self, model), "accuracy": next(values)}

    monkeypatch.setattr(Running, "evaluate", told_value)
    told: list[str] = []
    arguments = {"max_steps": 4, "eval_steps": 1, "save_steps": 3}
    done = run(recipe(tmp_path, training_args=arguments), force=True, tell=told.append)
    assert done.best == 4
    assert [line for line in told if "not every model that is evaluated is saved" in line]


def test_a_checkpoint_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a run can go on costs one reading of its newest checkpoint."""
    from pretune.train import manifest

    keys = {"training_args": {"max_steps": 3, "save_steps": 1}}
    with monkeypatch.context() as patch:
        patch.setattr(Running, "should_stop", lambda self: True)
        with pytest.raises(UserError, match="stopped by"):
            run(recipe(tmp_path, **keys), force=True)
    asked: list[Path] = []
    real = manifest.fault
    monkeypatch.setattr(manifest, "fault", lambda folder: (asked.append(folder), real(folder))[1])
    run(recipe(tmp_path, **keys), force=True)
    assert [path.name for path in asked] == ["checkpoint-1"]


def test_an_unknown_figure_is_told_before_the_model_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """metric_for_best_model that the task does not have stops the run at once, for every task."""
    monkeypatch.setattr("pretune.train.run.load_model", None)
    for task in ("mrc", "classify", "pairs", "tag"):
        one = recipe(tmp_path, task, training_args={"metric_for_best_model": "acuracy"})
        with pytest.raises(UserError, match="metric_for_best_model is acuracy, expected one of: ") as found:
            run(one, force=True)
        assert ("accuracy" in found.value.hint) == (task in {"classify", "tag"})


def test_windows_fit_the_model(tmp_path: Path) -> None:
    """Without a word the windows are as long as the model takes, their overlap a quarter; what is asked for stands."""
    model, file = tiny.model(tmp_path / "model"), tiny.questions(tmp_path / "q.jsonl")
    told: list[str] = []
    run(tiny.recipe("mrc", model, file, file, tmp_path / "out"), force=True, tell=told.append)
    assert told[0] == "windows of 128 tokens, which is what the model takes; neighbours share 32 (--stride)"
    encode = json.loads((tmp_path / "out" / "recipe.json").read_text())["encode"]
    assert (encode["max_length"], encode["stride"]) == (128, 32)
    one = tiny.recipe("mrc", model, file, file, tmp_path / "b", encode={"max_length": 100, "stride": 50})
    told.clear()
    run(one, force=True, tell=told.append)
    assert "windows of" not in told[0]


def test_a_finished_run_without_checkpoints_is_not_trained_over(tmp_path: Path) -> None:
    """With save_strategy `no` as well a finished run is only trained anew when that is said."""
    one = recipe(tmp_path, training_args={"save_strategy": "no"})
    run(one, force=True)
    with pytest.raises(UserError, match="holds a finished run without checkpoints"):
        run(one, force=True)
    assert run(one, force=True, resume=False).steps == 2


def test_a_disk_that_is_full_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the finished model does not fit at the top it is one line; with room the same command ends the run."""
    one = recipe(tmp_path)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.link", full)
        patch.setattr("shutil.copyfile", full)
        with pytest.raises(UserError, match=r"is full: the model of checkpoint-2") as found:
            run(one, force=True)
    assert "checkpoint-2 is untouched" in found.value.hint
    assert run(one, force=True).steps == 2
    assert (tmp_path / "out" / "config.json").exists()


@pytest.mark.parametrize(
    ("training", "message", "hint"),
    [
        (False, "out of memory while the dev set is asked, in a batch of 8 examples", "--per-device-eval-batch-size"),
        (True, "out of memory at step 1, in a batch of 2 examples", "--per-device-train-batch-size 1"),
    ],
)
def test_memory_that_is_not_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, training: bool, message: str, hint: str
) -> None:
    """It names the batch that was trained on or asked, and what to lower."""
    from transformers import BertForSequenceClassification

    real = BertForSequenceClassification.forward

    def forward(self: Any, *arguments: Any, **keys: Any) -> Any:
        if self.training == training:
            raise RuntimeError(
                "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"
            )
        return real(self, *arguments, **keys)

    monkeypatch.setattr(BertForSequenceClassification, "forward", forward)
    with pytest.raises(UserError, match=message) as found:
        run(recipe(tmp_path), force=True)
    assert hint in found.value.hint
    assert found.value.exit_code == 1


@pytest.mark.parametrize("engine", ["loop", "trainer"])
def test_odd_questions(tmp_path: Path, engine: str) -> None:
    """NFD, emoji, an empty context, answers longer than a window and questions that fit none train and are scored."""
    nfd = unicodedata.normalize("NFD", "서울은 대한민국의 수도이다.")
    long = "가나다 " * 200
    rows = [
        (nfd, "수도는?", nfd[:6]),
        ("😀😀 서울 👨‍👩‍👧 한강 " * 40, "한강은 👨‍👩‍👧?", "한강"),
        ("", "빈 글?", ""),
        (long, "길다 " * 150, "나다"),
        (long, "긴 답?", long.strip()),
        ("서울", "", "서울"),
    ]
    file = tiny.lines(
        tmp_path / "odd.jsonl",
        [
            {
                "id": str(at),
                "context": context,
                "question": question,
                "answers": {"text": [answer], "answer_start": [context.index(answer)]}
                if answer
                else {"text": [], "answer_start": []},
            }
            for at, (context, question, answer) in enumerate(rows)
        ],
    )
    told: list[str] = []
    keys = {"train": {"engine": engine, "unfit": "skip", "null_threshold": -100.0}, "encode": {"max_length": 60}}
    one = tiny.recipe("mrc", tiny.model(tmp_path / "m"), file, file, tmp_path / "out", **keys)
    done = run(one, force=True, tell=told.append)
    assert done.variant == "klue_mrc"
    predictions = json.loads((tmp_path / "out" / "predictions.json").read_text("utf-8"))
    assert list(predictions) == [str(at) for at in range(len(rows))]
    assert any("1 answers are longer than what a window holds" in line for line in told)
    assert any("2 questions do not fit a window" in line for line in told)
