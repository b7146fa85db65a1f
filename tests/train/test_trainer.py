"""Where transformers' own Trainer is wrong, and that ours is right there; that it stays thin."""

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from pretune.core.errors import UserError
from pretune.train import batches, loop, trainer
from pretune.train.options import Options
from train import engines

STEP = Options(
    learning_rate=1e-3,
    max_steps=1,
    per_device_train_batch_size=8,
    logging_steps=1,
    max_grad_norm=0.0,
    eval_strategy="no",
    save_strategy="no",
)
ONE, FOUR = STEP, replace(STEP, per_device_train_batch_size=2, gradient_accumulation_steps=4)
"""One step of eight examples: at once, and as four batches of two."""


class Plain(transformers.Trainer):
    """transformers' Trainer as it is used: the model's own loss, batches padded to the longest."""

    def __init__(self, task: str, options: Options, folder: Path, padding: Options = STEP) -> None:
        """The tiny model on the tiny examples."""
        given = engines.examples(task, 8)

        def made(rows: list[int]) -> dict[str, Any]:
            batch = batches.collate(given, rows, padding)
            return {name: value for name, value in batch.items() if name not in {"count", "rows"}}

        super().__init__(
            engines.model(task, dropout=0.0),
            trainer.arguments_of(options, folder),
            train_dataset=list(range(8)),
            data_collator=made,
        )

    def step(self) -> tuple[float, float]:
        """Loss and norm of the gradient of the first step."""
        self.train()
        (entry,) = [entry for entry in self.state.log_history if "grad_norm" in entry]
        return entry["loss"], entry["grad_norm"]


def ours(engine: Any, task: str, options: Options) -> tuple[float, float]:
    """The same of one of our engines."""
    (entry,) = engines.run(engine, task, options, dropout=0.0, examples=engines.examples(task, 8))[3].log
    return entry.loss, entry.gradient_norm


@pytest.mark.parametrize("engine", [loop, trainer])
@pytest.mark.parametrize("task", engines.TASKS)
def test_accumulation(engine: Any, task: str) -> None:
    """Eight examples at once and as four accumulated pairs are the same step, in both engines."""
    one, four = ours(engine, task, ONE), ours(engine, task, FOUR)
    assert four == pytest.approx(one, rel=1e-6)


@pytest.mark.parametrize("task", ["classes", "similarity", "tags"])
def test_accumulation_in_transformers(task: str, tmp_path: Path) -> None:
    """Transformers' Trainer multiplies loss and gradient of such heads by the number of accumulated batches (#47688)."""
    one, four = Plain(task, ONE, tmp_path).step(), Plain(task, FOUR, tmp_path).step()
    assert one == pytest.approx(ours(trainer, task, ONE), rel=1e-6)
    assert four[0] / one[0] == pytest.approx(4, rel=0.15)
    assert four[1] / one[1] == pytest.approx(4, rel=0.15)


def test_ragged_batches_in_transformers(tmp_path: Path) -> None:
    """Six and two examples: transformers' Trainer weighs a question in the small batch more; ours does not."""
    ragged = replace(STEP, per_device_train_batch_size=6, gradient_accumulation_steps=2)
    one, two = ours(trainer, "reading", ONE), ours(trainer, "reading", ragged)
    assert two == pytest.approx(one, rel=1e-6)
    whole, parts = Plain("reading", ONE, tmp_path).step(), Plain("reading", ragged, tmp_path).step()
    assert abs(parts[1] - whole[1]) > 1e-3


def test_pads_in_transformers(tmp_path: Path) -> None:
    """The reading loss of transformers grows with the width of the batch; ours is the same, also without any pads."""
    wide = replace(STEP, padding="max_length", max_length=60)
    loss, _ = Plain("reading", ONE, tmp_path).step()
    wider, _ = Plain("reading", ONE, tmp_path, wide).step()
    assert wider - loss > 0.5
    for engine in (loop, trainer):
        expected = ours(engine, "reading", ONE)
        assert ours(engine, "reading", wide) == pytest.approx(expected, rel=1e-6)
        assert ours(engine, "reading", replace(STEP, padding="none")) == pytest.approx(expected, rel=1e-6)


def test_it_is_thin() -> None:
    """Every method that is overridden exists in transformers' Trainer and says in a sentence why it is here."""
    own = {name: value for name, value in vars(trainer.Trainer).items() if inspect.isfunction(value)}
    own.pop("__init__")
    assert len(own) <= 12
    for name, method in own.items():
        assert hasattr(transformers.Trainer, name)
        assert (method.__doc__ or "").startswith("Here, because ")
    assert hasattr(transformers.Trainer, "loss_is_scaled_for_ga")


def test_batch_order_draws_nothing_but_one_number(tmp_path: Path) -> None:
    """An epoch of batches takes one number from the global generator, as every DataLoader does, and no other."""
    options = replace(STEP, tokens_per_batch=30, num_train_epochs=2.0)
    plan = trainer.Plan(engines.examples("classes"), options)
    loader = trainer.Batches(plan, engines.model("classes"))
    torch.manual_seed(3)
    loader.set_epoch(1)
    assert len(list(loader)) == len(loader) == plan.batches
    after = torch.get_rng_state()
    torch.manual_seed(3)
    torch.empty((), dtype=torch.int64).random_()
    assert torch.equal(after, torch.get_rng_state())


def test_half_weights_are_refused() -> None:
    """bfloat16 weights without masters are refused by both engines before anything is computed."""
    for engine in (loop, trainer):
        model = engines.model("classes").to(torch.bfloat16)
        with pytest.raises(UserError, match=r"the model's weights are bfloat16 \(.*without float32 weights"):
            engine.train(model, engines.examples("classes"), STEP, loss=engines.loss_of("classes"))


def test_arguments_of_the_trainer_are_passed(tmp_path: Path) -> None:
    """What only the Trainer knows reaches it; what Options says is handed over by the same names."""
    said = trainer.arguments_of(replace(STEP, precision="autocast"), tmp_path, label_smoothing_factor=0.1, seed=7)
    assert (said.label_smoothing_factor, said.seed, said.bf16, said.learning_rate) == (0.1, 7, True, 1e-3)
    assert said.logging_nan_inf_filter is False


def test_fsdp_is_not_ignored(tmp_path: Path) -> None:
    """Shared weights are what the loop does; the Trainer engine says so instead of training copies."""
    with pytest.raises(UserError, match="takes FSDP from accelerate's config"):
        trainer.arguments_of(replace(STEP, fsdp=True), tmp_path)


def test_warmup(tmp_path: Path) -> None:
    """A warmup in steps is a whole number for the Trainer, a fraction stays one."""
    assert trainer.arguments_of(replace(STEP, warmup_steps=3.0), tmp_path).get_warmup_steps(50) == 3
    assert trainer.arguments_of(replace(STEP, warmup_steps=0.1), tmp_path).get_warmup_steps(50) == 5


@pytest.mark.parametrize(
    ("passed", "message"),
    [
        ({"report_to": ["nonesuch"]}, "nonesuch is not supported"),
        ({"lr_scheduler_kwargs": {"nonesuch": 1}}, "unexpected keyword argument 'nonesuch'"),
    ],
)
def test_what_the_trainer_refuses(passed: dict[str, Any], message: str) -> None:
    """What transformers says to an argument that was passed on is the user's error, by the name of its flag."""
    options = Options(max_steps=1, save_strategy="no", eval_strategy="no")
    with pytest.raises(UserError, match=f"the Trainer does not begin: .*{message}") as found:
        trainer.train(
            engines.model("classes"), engines.examples("classes"), options, loss=engines.loss_of("classes"), **passed
        )
    assert "--" + next(iter(passed)).replace("_", "-") in found.value.hint
