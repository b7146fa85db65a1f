"""Runs from the recipe to the folder, with tiny models: all tasks, resuming, what stops a run, what it leaves."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pretune.core.errors import UserError
from pretune.train import run_folder
from pretune.train.run import run
from pretune.train.running import Done, Running
from train import tiny_runs as tiny
from train.tiny_runs import of_sample as recipe


def weights(folder: Path) -> dict[str, np.ndarray]:
    """The tensors of a saved model."""
    from safetensors.numpy import load_file

    return load_file(folder / "model.safetensors")


@pytest.mark.parametrize(
    ("task", "figure", "files"),
    [
        ("mrc", "f1", {"predictions.json", "nbest_predictions.json"}),
        ("classify", "accuracy", {"predictions.tsv"}),
        ("pairs", "pearson", {"predictions.tsv"}),
        ("tag", "entity_macro_f1", {"predictions.tsv"}),
    ],
)
def test_a_run_leaves_its_folder(tmp_path: Path, task: str, figure: str, files: set[str]) -> None:
    """Recipe, environment, log, metrics, predictions and errors; the model loads and says what its pipeline says."""
    from transformers import pipeline

    told: list[str] = []
    done = run(recipe(tmp_path, task), force=True, tell=told.append, command=("pretune", "train", task))
    out = tmp_path / "out"
    there = {path.name for path in out.iterdir()}
    assert there >= files | {"recipe.json", "environment.json", "log.jsonl", "metrics.json", "errors.jsonl", "best"}
    assert done.main == figure
    assert done.steps == 2
    assert figure in dict(done.evaluations)[2]
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["finished"]
    assert metrics["model_of_step"] == 2
    assert json.loads((out / "environment.json").read_text())["command"] == ["pretune", "train", task]
    log = run_folder.read_log(out)
    assert [one["step"] for one in log if "loss" in one] == [1, 2]
    assert any("begin at random" in line for line in told)
    kind = {"mrc": "question-answering", "tag": "token-classification"}.get(task, "text-classification")
    if task == "mrc":
        from transformers import AutoModelForQuestionAnswering

        assert AutoModelForQuestionAnswering.from_pretrained(out).config.vocab_size == 3000
    else:
        asked = pipeline(kind, str(out), device="cpu")
        assert asked("서울은 대한민국의 수도이다.") is not None
    assert weights(out).keys() == weights(out / "best").keys() == weights(out / "checkpoint-2").keys()


def test_both_engines_leave_the_same_model(tmp_path: Path) -> None:
    """The Trainer under the same recipe gives the same figures and the same weights."""
    found = []
    for engine in ("loop", "trainer"):
        one = recipe(tmp_path, train={"engine": engine}, training_args={"output_dir": str(tmp_path / engine)})
        found.append((run(one, force=True).evaluations, weights(tmp_path / engine)))
    (figures, loop), (others, trainer) = found
    assert figures == others
    assert all(np.array_equal(loop[name], trainer[name]) for name in loop)


def test_the_fast_preset_runs(tmp_path: Path) -> None:
    """All levers together leave a plain float32 model, whose config says nothing of them."""
    fast = recipe(tmp_path, "mrc", train={"preset": "fast", "attention_dropout": 0.0})
    done = run(fast, force=True)
    assert done.steps == 2
    out = tmp_path / "out"
    assert {one.dtype for one in weights(out).values()} == {np.dtype(np.float32)}
    assert "pretune" not in (out / "config.json").read_text()


def test_a_stopped_run_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    """Stopped after a step and run again: the log, the figures and the weights of the run that was never stopped."""
    keys = {"training_args": {"max_steps": 4, "save_strategy": "steps", "save_steps": 1, "eval_strategy": "no"}}
    whole = recipe(tmp_path, training_args={**keys["training_args"], "output_dir": str(tmp_path / "whole")})
    run(whole, force=True)
    half = recipe(tmp_path, **keys)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Running, "should_stop", lambda self: True)
        with pytest.raises(UserError, match="stopped by") as found:
            run(half, force=True)
    assert found.value.exit_code >= 128
    assert found.value.hint == "go on with the same command and --resume"
    out = tmp_path / "out"
    assert (out / "checkpoint-1").is_dir()
    assert not json.loads((out / "metrics.json").read_text())["finished"]
    told: list[str] = []
    run(half, force=True, tell=told.append)
    assert any(line.startswith("going on from") for line in told)
    losses = [
        [one["loss"] for one in run_folder.read_log(place) if "loss" in one] for place in (out, tmp_path / "whole")
    ]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 4
    ours, theirs = weights(out), weights(tmp_path / "whole")
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_a_finished_run_is_not_trained_over(tmp_path: Path) -> None:
    """The same recipe into the same folder is refused; --no-resume trains anew, --resume finds nothing left to do."""
    one = recipe(tmp_path)
    run(one, force=True)
    with pytest.raises(UserError, match="holds a finished run of this recipe"):
        run(one, force=True)
    assert run(one, force=True, resume=True).steps == 2
    assert run(one, force=True, resume=False).steps == 2
    other = recipe(tmp_path, training_args={"learning_rate": 1e-3})
    with pytest.raises(UserError, match=r"is of another recipe: learning_rate 5e-05 there, 0\.001 here"):
        run(other, force=True)


def test_other_data_are_another_recipe(tmp_path: Path) -> None:
    """The same file name with other rows in it does not go on with a checkpoint."""
    one = recipe(tmp_path, "mrc")
    run(one, force=True)
    tiny.questions(tmp_path / "questions.jsonl", count=7)
    with pytest.raises(UserError, match="is of another recipe: examples"):
        run(one, force=True, resume=True)


def test_an_error_of_the_check_stops_the_run(tmp_path: Path) -> None:
    """A learning rate that trains nothing stops it before torch is asked for anything; forced, the record says so."""
    bad = recipe(tmp_path, training_args={"learning_rate": 5.0})
    reports = []
    with pytest.raises(UserError, match="the check before the run found 1 error") as found:
        run(bad, show=reports.append)
    assert "--force" in found.value.hint
    assert not (tmp_path / "out").exists()
    run(bad, force=True)
    (line,) = json.loads((tmp_path / "out" / "environment.json").read_text())["forced"]
    assert reports[0].findings[0].name in line


@pytest.mark.parametrize("unfit", ["error", "skip"])
def test_rows_that_cannot_be_used(tmp_path: Path, unfit: str) -> None:
    """They stop the run with the first place, or are left out and counted."""
    rows = [{"text": f"글 {i}", "label": i % 2} for i in range(4)] + [{"text": "글", "label": None}]
    file = tiny.lines(tmp_path / "train.jsonl", rows)
    one = tiny.recipe("classify", tiny.model(tmp_path / "m"), file, None, tmp_path / "out", train={"unfit": unfit})
    told: list[str] = []
    if unfit == "error":
        with pytest.raises(UserError, match=r"train\.jsonl:5: no label"):
            run(one, force=True)
        return
    done: Done = run(one, force=True, tell=told.append)
    assert done.steps == 2
    assert done.evaluations == []
    assert any("1 rows are left out" in line for line in told)


def test_folders_that_are_none_of_ours(tmp_path: Path) -> None:
    """A file, or a model that no run made, is not written over."""
    (tmp_path / "out").write_text("a file")
    with pytest.raises(UserError, match="is a file, expected a folder"):
        run(recipe(tmp_path))
    (tmp_path / "out").unlink()
    tiny.model(tmp_path / "out")
    with pytest.raises(UserError, match="holds a model that no run of pretune made"):
        run(recipe(tmp_path))


def test_the_best_model_is_at_the_top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model at the top is that of the best evaluation, not the last one, and its predictions are kept."""
    values = iter([10.0, 30.0, 20.0])
    real = Running.evaluate

    def worse(self: Running, model: Any) -> Any:
        return {**real(self, model), "accuracy": next(values)}

    monkeypatch.setattr(Running, "evaluate", worse)
    arguments = {"max_steps": -1, "num_train_epochs": 3, "per_device_train_batch_size": 60}
    done = run(recipe(tmp_path, training_args=arguments), force=True)
    assert done.best == 2
    out = tmp_path / "out"
    top, best, last = (weights(place) for place in (out, out / "best", out / "checkpoint-3"))
    assert all(np.array_equal(top[name], best[name]) for name in top)
    assert not all(np.array_equal(top[name], last[name]) for name in top)


def test_evaluation_before_the_first_step(tmp_path: Path) -> None:
    """eval_on_start shows what the untrained head does, and changes no number after it."""
    done = run(recipe(tmp_path, training_args={"eval_on_start": True}), force=True)
    assert [step for step, _ in done.evaluations] == [0, 2]
    other = tmp_path / "other"
    run(recipe(tmp_path, training_args={"output_dir": str(other)}), force=True)
    ours, theirs = weights(tmp_path / "out"), weights(other)
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("resized", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_folder_with_added_tokens_trains(resized: bool, tmp_path: Path) -> None:
    """Words of `pretune tokens add`, in slots or behind the others: their rows are trained, and the result loads."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from pretune import tokens

    base = tiny.model(tmp_path / "base")
    if not resized:
        file = base / "tokenizer.json"
        whole = json.loads(file.read_text("utf-8"))
        whole["model"]["vocab"] = {f"[unused{i}]" if i > 2989 else w: i for w, i in whole["model"]["vocab"].items()}
        file.write_text(json.dumps(whole, ensure_ascii=False), "utf-8")
    adding = tokens.plan(str(base), ["배송이빨라"], special=["<ent>"])
    adding.apply(str(tmp_path / "model"))
    rows = [{"text": f"배송이빨라 <ent> {i}", "label": i % 2} for i in range(6)]
    file = tiny.lines(tmp_path / "rows.jsonl", rows)
    run(tiny.recipe("classify", tmp_path / "model", file, file, tmp_path / "out"), force=True)
    size = json.loads((tmp_path / "model" / "config.json").read_text())["vocab_size"]
    assert json.loads((tmp_path / "out" / "config.json").read_text())["vocab_size"] == size
    assert (size > json.loads((base / "config.json").read_text())["vocab_size"]) == resized
    added = [entry.id for entry in adding.plan.added]
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    assert set(added) <= set(tokenizer("배송이빨라 <ent> 1").input_ids)
    name = "bert.embeddings.word_embeddings.weight"
    before, after = weights(tmp_path / "model"), weights(tmp_path / "out")[name]
    rows_before = next(value for key, value in before.items() if key.endswith("word_embeddings.weight"))
    assert after.shape == rows_before.shape == (size, 16)
    assert all((after[row] != rows_before[row]).any() for row in added)
    assert AutoModelForSequenceClassification.from_pretrained(tmp_path / "out").config.vocab_size == size


def test_a_tokenizer_with_more_ids_than_the_model_has_rows_is_one_line(tmp_path: Path) -> None:
    """Tokens added beside the model and no resize: said before the model is loaded, even when the run is forced."""
    made = tiny.model(tmp_path / "model")
    other = tiny.model(tmp_path / "tokenizer")
    whole = json.loads((other / "tokenizer.json").read_text("utf-8"))
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    whole["added_tokens"].append({"id": 3000, "content": "<new>", **flags})
    (other / "tokenizer.json").write_text(json.dumps(whole, ensure_ascii=False), "utf-8")
    file = tiny.lines(tmp_path / "rows.jsonl", [{"text": f"<new> {i}", "label": i % 2} for i in range(6)])
    bad = tiny.recipe("classify", made, file, file, tmp_path / "out", tokenizer=str(other))
    with pytest.raises(UserError, match="the check before the run found"):
        run(bad)
    with pytest.raises(UserError) as found:
        run(bad, force=True)
    assert "3,000" in found.value.message
    assert "\n" not in found.value.message
