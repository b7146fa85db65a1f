"""The loop and, where both engines must do the same, the Trainer: when they log, evaluate, save and stop; broken losses."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch

from pretune.train import loop, trainer
from pretune.train.batches import collate, inputs
from pretune.train.hooks import State
from pretune.train.options import Options
from pretune.train.tally import NotFiniteError
from pretune.train.watch import Step, Watch, Watches
from train import engines

SHORT = Options(
    learning_rate=1e-3,
    num_train_epochs=2.0,
    per_device_train_batch_size=8,
    logging_steps=3,
    save_strategy="no",
    eval_strategy="no",
)
"""37 examples: five steps an epoch, ten in all."""
BOTH = pytest.mark.parametrize("engine", [loop, trainer], ids=["loop", "trainer"])


class Told(Watch):
    """Writes down what it is told; stops after a step when asked to."""

    def __init__(self, stop_after: int = -1) -> None:
        """Nothing was told yet."""
        self.said: list[str] = []
        self.stop_after, self.made = stop_after, 0

    def start(self, steps: int, done: int) -> None:
        """Note it."""
        self.said.append(f"start {steps} {done}")

    def passed(self, number: int) -> None:
        """Count it."""
        self.made = number

    def step(self, step: Step) -> None:
        """Note it."""
        self.said.append(f"log {step.number} of {step.of}")

    def evaluated(self, number: int, metrics: Mapping[str, float]) -> None:
        """Note it."""
        self.said.append(f"evaluated {number} {metrics['f1']}")

    def saved(self, number: int) -> None:
        """Note it."""
        self.said.append(f"saved {number}")

    def should_stop(self) -> bool:
        """Whether it is time."""
        return self.made == self.stop_after

    def end(self, number: int) -> None:
        """Note it."""
        self.said.append(f"end {number}")


def told(engine: Any, options: Options, *, stop_after: int = -1, better: tuple[int, ...] = ()) -> list[str]:
    """What a watch hears of a run that evaluates and saves as options say."""
    watch = Told(stop_after)

    def evaluate(model: Any) -> dict[str, float]:
        assert not model.training
        return {"f1": float(watch.made)}

    def save(state: State, *, stopped: bool = False) -> bool:
        assert state.position.step == watch.made
        if options.save_strategy == "best":
            return stopped or state.metrics["f1"] in better
        return True

    engines.run(engine, "classes", options, watch=watch, evaluate=evaluate, save=save)
    return watch.said


@BOTH
def test_nothing_but_the_log(engine: Any) -> None:
    """An entry every logging_steps, and one for what is left at the end."""
    said = ["start 10 0", "log 3 of 10", "log 6 of 10", "log 9 of 10", "log 10 of 10", "end 10"]
    assert told(engine, SHORT) == said


@BOTH
def test_by_epochs(engine: Any) -> None:
    """Evaluated, then saved, at the end of each epoch, also of one that is not finished."""
    options = replace(SHORT, num_train_epochs=1.5, logging_steps=100, eval_strategy="epoch", save_strategy="epoch")
    said = ["start 8 0", "evaluated 5 5.0", "saved 5", "log 8 of 8", "evaluated 8 8.0", "saved 8", "end 8"]
    assert told(engine, options) == said


@BOTH
def test_by_steps(engine: Any) -> None:
    """Every eval_steps and save_steps, and after the last step."""
    options = replace(
        SHORT, logging_steps=100, eval_strategy="steps", eval_steps=4, save_strategy="steps", save_steps=8
    )
    said = ["evaluated 4 4.0", "evaluated 8 8.0", "saved 8", "log 10 of 10", "evaluated 10 10.0", "saved 10"]
    assert told(engine, options) == ["start 10 0", *said, "end 10"]


@BOTH
@pytest.mark.parametrize("strategy", ["steps", "epoch"])
def test_the_best(engine: Any, strategy: str) -> None:
    """With save_strategy `best` save is asked after each evaluation, and decides."""
    options = replace(SHORT, logging_steps=100, eval_strategy=strategy, eval_steps=5, save_strategy="best")
    said = ["evaluated 5 5.0", "saved 5", "log 10 of 10", "evaluated 10 10.0"]
    assert told(engine, options, better=(5,)) == ["start 10 0", *said, "end 10"]


@BOTH
@pytest.mark.parametrize("strategy", ["steps", "epoch", "best"])
def test_stopped(engine: Any, strategy: str) -> None:
    """A run that is stopped saves where it is and neither evaluates nor saves again at the end of the epoch."""
    options = replace(SHORT, logging_steps=2, eval_strategy="epoch", save_strategy=strategy)
    said = ["start 10 0", "log 2 of 10", "saved 3", "end 3"]
    assert told(engine, options, stop_after=3) == said


@BOTH
def test_evaluation_changes_nothing(engine: Any) -> None:
    """A run that is evaluated has the same losses and weights as one that is not."""
    plain = engines.run(engine, "classes", SHORT)
    options = replace(SHORT, eval_strategy="steps", eval_steps=2)
    looked = engines.run(engine, "classes", options, evaluate=lambda _: {"f1": 0.0})
    assert plain[0] == looked[0]
    assert engines.same(plain[2], looked[2])


@BOTH
def test_a_loss_that_is_no_number(engine: Any) -> None:
    """It stops the run at its step with the rows of its batch; the weights have not been touched by it."""
    given = engines.examples("similarity")
    given.labels["labels"][7] = float("inf")
    model = engines.model("similarity")
    with pytest.raises(NotFiniteError) as caught:
        engine.train(model, given, SHORT, loss=engines.loss_of("similarity"))
    assert 7 in caught.value.rows
    assert len(caught.value.rows) <= 8
    assert caught.value.loss == float("inf")
    assert all(torch.isfinite(weight).all() for weight in model.parameters())


@BOTH
def test_a_model_that_is_broken(engine: Any) -> None:
    """NaN weights stop the run at its first step, even when nothing is logged."""
    model = engines.model("classes")
    model.classifier.weight.data[0, 0] = float("nan")
    with pytest.raises(NotFiniteError, match="the loss is nan at step 1, examples "):
        engine.train(
            model, engines.examples("classes"), replace(SHORT, logging_steps=1000), loss=engines.loss_of("classes")
        )


@BOTH
def test_frozen_weights(engine: Any) -> None:
    """Weights that need no gradient stay as they are; the others are trained."""
    model = engines.model("classes")
    for weight in model.bert.parameters():
        weight.requires_grad_(False)
    before = engines.weights(model)
    after = engines.run(engine, "classes", SHORT, model=model)[2]
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"classifier.weight", "classifier.bias"}


@BOTH
def test_one_example(engine: Any) -> None:
    """A single example is a step an epoch."""
    trained = engines.run(engine, "reading", SHORT, examples=engines.examples("reading", 1))[3]
    assert trained.steps == 2
    assert [one.number for one in trained.log] == [2]


def test_it_learns() -> None:
    """A hundred epochs on one batch that can be learnt by heart bring the loss down to a tenth."""
    options = replace(SHORT, num_train_epochs=100.0, learning_rate=3e-3, logging_steps=1)
    log = engines.run(loop, "classes", options, dropout=0.0, examples=engines.examples("classes", 8))[3].log
    assert log[-1].loss < 0.1 * log[0].loss


@BOTH
def test_the_model_is_left_as_it_was(engine: Any) -> None:
    """After a run in autocast the model computes in float32 again, as a new one with its weights does."""
    model, given = engines.model("classes"), engines.examples("classes")
    engine.train(model, given, replace(SHORT, precision="autocast"), loss=engines.loss_of("classes"))
    fresh = engines.model("classes", seed=1)
    fresh.load_state_dict(model.state_dict())
    batch = inputs(collate(given, [0, 1], Options()))
    assert torch.equal(model.eval()(**batch).logits, fresh.eval()(**batch).logits)


def test_entries_count_tokens_and_time() -> None:
    """Entries have the true tokens since the last one: in two epochs twice those of the examples."""
    given = engines.examples("classes")
    trained = engines.run(loop, "classes", SHORT, examples=given)[3]
    assert sum(one.tokens for one in trained.log) == 2 * len(given.ids)
    assert all(one.seconds > 0 for one in trained.log)


def test_the_loop_is_short() -> None:
    """At most 200 lines, to be read in one sitting."""
    import inspect

    assert len(inspect.getsource(loop).splitlines()) <= 200


def test_watches() -> None:
    """Several watches are told alike, and each is asked whether to stop."""
    one, other = Told(), Told(stop_after=0)
    both = Watches([one, other])
    both.start(3, 1)
    both.step(Step(1, 3, 0.5, 1.0, 1e-3, 1.0, 5, 0.1))
    both.evaluated(1, {"f1": 2.0})
    both.saved(1)
    assert both.should_stop()
    both.passed(1)
    assert not both.should_stop()
    both.end(1)
    assert one.said == other.said == ["start 3 1", "log 1 of 3", "evaluated 1 2.0", "saved 1", "end 1"]


def test_batches_do_not_change_the_examples() -> None:
    """Tensors of a batch are copies: training writes nothing into the examples."""
    given = engines.examples("similarity")
    before = given.labels["labels"].copy()
    collate(given, [0, 1], Options())["labels"].zero_()
    assert (given.labels["labels"] == before).all()
