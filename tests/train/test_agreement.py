"""The loop and the Trainer subclass give the same numbers bit for bit; so does transformers' Trainer where it is right."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import transformers

from pretune.train import batches, loop, trainer
from pretune.train.options import PRESETS, Options
from train import engines

EXACT = Options(
    learning_rate=1e-3,
    max_steps=50,
    per_device_train_batch_size=4,
    logging_steps=1,
    warmup_steps=0.1,
    weight_decay=0.01,
    eval_strategy="no",
    save_strategy="no",
)


def agree(task: str, options: Options, family: str = "Bert") -> tuple[list[float], Any]:
    """Train with both engines and compare everything; the sums of the losses and what the loop gave."""
    mine, theirs = (engines.run(engine, task, options, family=family) for engine in (loop, trainer))
    assert mine[0] == theirs[0]
    assert mine[1] == theirs[1]
    assert len(mine[1]) == 50
    assert engines.same(mine[2], theirs[2])
    return mine[0], mine[3]


@pytest.mark.parametrize("accumulated", [pytest.param(1, marks=pytest.mark.slow), 4])
@pytest.mark.parametrize("task", engines.TASKS)
def test_padded(task: str, accumulated: int) -> None:
    """50 steps with dropout over several epochs whose last step is smaller: all losses, norms, rates and weights are equal."""
    options = replace(EXACT, gradient_accumulation_steps=accumulated)
    sums, trained = agree(task, options)
    assert len(sums) > 50 * accumulated * 0.8
    assert trained.log[-1].epoch > 2


@pytest.mark.parametrize(
    "task",
    ["reading", "tags", *(pytest.param(one, marks=pytest.mark.slow) for one in ("classes", "similarity"))],
)
def test_padding_free(task: str) -> None:
    """The same without a pad position, in batches by tokens, accumulated, over more than two epochs."""
    more = {"padding": "none", "tokens_per_batch": 40, "gradient_accumulation_steps": 2}
    _, trained = agree(task, replace(EXACT, **more))
    assert trained.log[-1].epoch > 2


@pytest.mark.parametrize(
    ("family", "padding"),
    [
        ("Roberta", "none"),
        ("Electra", "longest"),
        pytest.param("Roberta", "longest", marks=pytest.mark.slow),
        pytest.param("Electra", "none", marks=pytest.mark.slow),
    ],
)
def test_other_architectures(family: str, padding: str) -> None:
    """Models with other embeddings, positions and heads agree as well."""
    more = {"padding": padding, "gradient_accumulation_steps": 2}
    agree("classes" if family == "Electra" else "reading", replace(EXACT, **more), family)


def test_autocast() -> None:
    """With bfloat16 autocast, which Trainer calls bf16, they agree as well."""
    agree("reading", replace(EXACT, precision="autocast"))


def test_the_fast_preset() -> None:
    """With all levers, bfloat16 with masters and fast dropout among them, they agree as well."""
    agree("reading", replace(EXACT, **{**PRESETS["fast"], "tokens_per_batch": 40, "precision": "bf16"}))


def test_padded_to_max_length_without_clipping() -> None:
    """Other levers: a fixed width, no clipping, another order, a cosine schedule."""
    more = {"padding": "max_length", "max_length": 32, "max_grad_norm": 0.0, "data_seed": 5}
    agree("tags", replace(EXACT, lr_scheduler_type="cosine", **more))


@pytest.mark.slow
@pytest.mark.parametrize("more", [{"gradient_accumulation_steps": 4}, {"padding": "none", "tokens_per_batch": 200}])
def test_the_real_minilm(minilm: Path, more: dict[str, Any]) -> None:
    """The real MiniLM with a head for reading, in float32 and with dropout."""
    options = replace(EXACT, per_device_train_batch_size=3, **more)
    found = []
    for engine in (loop, trainer):
        transformers.set_seed(1)
        model = transformers.AutoModelForQuestionAnswering.from_pretrained(minilm)
        given = engines.examples("reading", longest=48)
        found.append(engines.run(engine, "reading", options, model=model, examples=given))
    assert found[0][:2] == found[1][:2]
    assert engines.same(found[0][2], found[1][2])


class Plain(transformers.Trainer):
    """transformers' own Trainer on the same examples, with the loss of the model."""

    def __init__(self, model: Any, examples: Any, options: Options, folder: Path) -> None:
        """All of it as its users do it; the collator pads to the longest."""
        said = trainer.arguments_of(options, folder)
        self.seen: list[float] = []
        super().__init__(
            model, said, train_dataset=list(range(len(examples))), data_collator=lambda rows: self.made(examples, rows)
        )

    @staticmethod
    def made(examples: Any, rows: list[int]) -> dict[str, Any]:
        """A batch with the labels."""
        batch = batches.collate(examples, rows, Options())
        return {name: value for name, value in batch.items() if name not in {"count", "rows"}}

    def training_step(self, *given: Any, **named: Any) -> Any:
        """Keep the loss."""
        loss = super().training_step(*given, **named)
        self.seen.append(loss.item())
        return loss


@pytest.mark.parametrize("task", ["classes", "similarity", "tags"])
def test_transformers_own_trainer(task: str, tmp_path: Path) -> None:
    """One batch a step, where transformers is right: its Trainer gives our losses, with dropout, over two epochs."""
    options = replace(EXACT, max_steps=-1, num_train_epochs=2.0)
    plain = Plain(engines.model(task), engines.examples(task), options, tmp_path)
    plain.train()
    ours = engines.run(loop, task, options)
    assert [one[3] for one in ours[1]] == pytest.approx(plain.seen, rel=1e-6)
    norms = [entry["grad_norm"] for entry in plain.state.log_history if "grad_norm" in entry]
    assert [one[5] for one in ours[1]] == pytest.approx(norms, rel=1e-4)
