"""Going on from any checkpoint of a run gives what the run gave, bit for bit: both engines, every batching, any place."""

import pytest

from pretune.core.errors import UserError

pytest.importorskip("torch")
pytest.importorskip("transformers")

from pretune.train import checkpoints, hooks, levers, loop, losses, trainer
from pretune.train.saving import Saver
from pretune.train.watch import Watch
from train import killing

TRAIN = {"loop": loop.train, "trainer": trainer.train}


class Losses(Watch):
    """Remembers the log, and stops after a step when told to."""

    def __init__(self, stop_after: int = -1) -> None:
        self.log, self.stop_after, self.made = {}, stop_after, 0

    def passed(self, number: int) -> None:
        """Count the step."""
        self.made = number

    def step(self, step) -> None:
        """Remember all numbers but the time."""
        self.log[step.number] = (step.loss, step.learning_rate, step.gradient_norm, step.tokens, step.epoch)

    def should_stop(self) -> bool:
        """Whether it is time."""
        return self.made == self.stop_after


def run(folder, engine, options, *, saved=None, stop_after=-1, evaluate=None) -> tuple[dict, str, hooks.Trained]:
    """The log, the weights' hash, and what the engine says."""
    model = killing.model()
    levers.prepare(model, options)
    watch = Losses(stop_after)
    trained = TRAIN[engine](
        model,
        killing.examples(),
        options,
        loss=losses.classes,
        watch=watch,
        save=Saver(folder, resumed=saved),
        saved=saved,
        evaluate=evaluate,
    )
    return watch.log, killing.weights(model), trained


QUICK = {("random", "loop"), ("fast", "trainer")}


@pytest.mark.parametrize(
    ("case", "engine"),
    [
        pytest.param(case, engine, marks=() if (case, engine) in QUICK else pytest.mark.slow)
        for case in killing.CASES
        for engine in TRAIN
    ],
)
def test_from_every_checkpoint(tmp_path, case, engine):
    """From a checkpoint in the middle or at the end of an epoch or of the run, the rest of the run is the same."""
    options = killing.options(case)
    log, weights, trained = run(tmp_path / "run", engine, options)
    assert trained.steps == killing.STEPS
    for step in (2, 10, 14, killing.STEPS):
        saved = tmp_path / "run" / f"checkpoint-{step}"
        rest, end, again = run(tmp_path / "again", engine, options, saved=saved)
        assert rest == {number: row for number, row in log.items() if number > step}, step
        assert end == weights
        assert again.steps == killing.STEPS


@pytest.mark.parametrize("engine", TRAIN)
@pytest.mark.parametrize(
    "stop_after", [14, pytest.param(1, marks=pytest.mark.slow), pytest.param(24, marks=pytest.mark.slow)]
)
def test_stopped_anywhere(tmp_path, engine, stop_after):
    """A run that a watch stops saves there, also at the end of an epoch (every 7 steps) and of the run, and goes on."""
    options = killing.options("random", save_strategy="no", eval_strategy="epoch")
    asked = []
    log, weights, _ = run(tmp_path / "whole", engine, options, evaluate=lambda _model: {"f1": float(len(asked))})
    first, _, trained = run(
        tmp_path / "run", engine, options, stop_after=stop_after, evaluate=lambda _model: {"f1": 1.0}
    )
    assert (trained.steps, trained.stopped) == (stop_after, True)
    newest = checkpoints.newest(tmp_path / "run")
    assert newest is not None
    assert newest.step == stop_after
    rest, end, _ = run(tmp_path / "run", engine, options, saved=newest.path, evaluate=lambda _model: {"f1": 1.0})
    assert first | rest == log
    assert end == weights


def test_a_checkpoint_of_the_other_engine(tmp_path):
    """The Trainer has a state of its own, so it says that it cannot go on from one of the loop's."""
    options = killing.options("random", max_steps=2)
    run(tmp_path / "run", "loop", options)
    with pytest.raises(UserError, match=r"checkpoint-2 was written by the other engine"):
        run(tmp_path / "run", "trainer", options, saved=tmp_path / "run" / "checkpoint-2")


def test_a_full_disk_ends_the_run(tmp_path, monkeypatch):
    """A disk that fills up while the run saves ends it in one line, and the checkpoint before is what it goes on from."""
    import safetensors.torch

    options = killing.options("random")
    log, weights, _ = run(tmp_path / "whole", "loop", options)
    real, calls = safetensors.torch.save_file, []

    def full(*arguments, **keywords):
        calls.append(1)
        if len(calls) > 5:
            raise OSError(28, "No space left on device")
        real(*arguments, **keywords)

    monkeypatch.setattr(safetensors.torch, "save_file", full)
    with pytest.raises(UserError, match=r"is full: checkpoint-12 needs about .*, .* are free") as caught:
        run(tmp_path / "run", "loop", options)
    assert "checkpoint-10 is untouched" in caught.value.hint
    monkeypatch.undo()
    newest = checkpoints.newest(tmp_path / "run")
    assert newest is not None
    rest, end, _ = run(tmp_path / "run", "loop", options, saved=newest.path)
    assert rest == {number: row for number, row in log.items() if number > 10}
    assert end == weights


@pytest.mark.parametrize("engine", TRAIN)
@pytest.mark.parametrize("before", TRAIN)
def test_a_run_after_one_that_broke(tmp_path, engine, before):
    """An error within a step of one run, in the same process, changes nothing of the next."""
    options = killing.options("random", max_steps=6, gradient_accumulation_steps=2)
    log, weights, _ = run(tmp_path / "whole", engine, options)

    def broken(_outputs, _batch):
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        TRAIN[before](killing.model(), killing.examples(), options, loss=broken)
    again, end, _ = run(tmp_path / "again", engine, options)
    assert again == log
    assert end == weights
