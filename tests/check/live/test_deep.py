"""deep=True: what a few computed batches say, on a copy that leaves no trace."""

import math
import random
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
from pretune.check.facts import Facts
from pretune.check.facts.deep import read_deep
from pretune.check.sources.live_objects import of_trainer
from pretune.check.sources.setup import Setup
from pretune.core.errors import UserError


def computed(trainer: transformers.Trainer, task: str) -> Any:
    """The facts."""
    facts = Facts(Setup(task=task))
    facts.objects, facts.wants_deep = of_trainer(trainer), True
    return read_deep(facts)


@pytest.mark.parametrize(
    ("task", "formula"),
    [
        ("text-classification", "ln 3"),
        ("token-classification", "ln 3"),
        ("question-answering", "ln 17"),
        ("masked-lm", "ln 179"),
    ],
)
def test_an_untrained_head(task: str, formula: str, tmp_path: Path) -> None:
    """The first loss of a small random model is what equal scores give, its gradients are sound, and it learns."""
    found = computed(live_runs.trainer(tmp_path, task), task)
    assert found.untrained_as == formula
    assert found.loss == pytest.approx(found.untrained, abs=0.3)
    assert (found.infinite, found.untried) == ((), "")
    assert found.learnt.lowest < 0.9 * found.learnt.first
    assert found.learnt.rows == 8


def test_nothing_is_touched(tmp_path: Path) -> None:
    """Weights, gradients, mode and every random state stay bit for bit."""
    trainer = live_runs.trainer(tmp_path, "text-classification")
    model = trainer.model
    model.train()
    model.bert.eval()
    model.classifier.weight.grad = torch.full_like(model.classifier.weight, 0.5)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    states = (torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist())  # noqa: NPY002 - the state that runs use
    check.run(trainer, deep=True)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert [module.training for module in model.modules()] == modes
    assert [name for name, one in model.named_parameters() if one.grad is not None] == ["classifier.weight"]
    assert bool((model.classifier.weight.grad == 0.5).all())
    assert torch.equal(states[0], torch.get_rng_state())
    assert states[1] == random.getstate()
    assert states[2] == np.random.get_state()[1].tolist()  # noqa: NPY002 - the state that runs use


def test_broken_weights(tmp_path: Path) -> None:
    """NaN among the weights is told by the weights and by the loss."""

    def break_(made: dict[str, Any]) -> None:
        made["model"].bert.embeddings.LayerNorm.weight.data[3] = math.nan

    report = check.run(live_runs.trainer(tmp_path, "text-classification", change=break_), deep=True, select="LIV")
    assert {"weights-not-finite", "loss-not-finite"} <= {one.name for one in report.findings}


def test_scores_of_an_unusual_size(tmp_path: Path) -> None:
    """A new head with enormous weights gives a first loss far from ln 3."""

    def enlarge(made: dict[str, Any]) -> None:
        made["model"].classifier.weight.data *= 20_000

    report = check.run(live_runs.trainer(tmp_path, "text-classification", change=enlarge), deep=True, select="LIV4")
    message = next(one.message for one in report.findings if one.name == "first-loss-unlike-a-new-head")
    assert message.endswith("and a head that knows nothing gives 1.10 (ln 3)")


def test_a_loss_that_depends_on_nothing(tmp_path: Path) -> None:
    """A compute_loss that detaches gives no gradient, and nothing can be learnt."""

    class Detached(transformers.Trainer):
        def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **further: Any) -> Any:
            return model(**inputs).loss.detach()

    trainer = live_runs.trainer(tmp_path, "text-classification", trainer=Detached)
    report = check.run(trainer, deep=True, select="LIV4")
    assert "gradients-of-nothing" in {one.name for one in report.findings}


def test_nobody_asked(tmp_path: Path) -> None:
    """Without deep=True nothing is computed, and the report says how to ask."""
    report = check.run(live_runs.trainer(tmp_path, "masked-lm"), select="LIV4")
    assert {one.reason for one in report.skipped} == {"nothing was computed: deep=True, or --deep"}


ROWS = {
    "text-classification": [{"text": text, "label": at % 3} for at, text in enumerate(live_runs.texts(16))],
    "token-classification": [
        {"tokens": text.split(), "ner_tags": [at % 3] * 12} for at, text in enumerate(live_runs.texts(16))
    ],
    "question-answering": [
        {
            "question": "질문 the",
            "context": text,
            "answers": {"text": [text.split()[5]], "answer_start": [len(" ".join(text.split()[:5])) + 1]},
        }
        for text in live_runs.texts(16)
    ],
    "masked-lm": [{"text": text} for text in live_runs.texts(16)],
}


@pytest.mark.parametrize("task", ROWS)
def test_by_names(task: str, tmp_path: Path) -> None:
    """A model that is only named is loaded, its data encoded by task, and the first loss is what it must be."""
    folder = live_runs.folder(tmp_path, model_class="BertForPreTraining")
    report = check.run(folder, task=task, data=ROWS[task], deep=True, select="LIV4", ignore="language-model-at-a-loss")
    assert {one.name for one in report.findings} <= {"parameters-without-gradient"}
    assert {rule.name for rule in report.asked} >= {"loss-not-finite", "batch-cannot-be-learnt"}


def test_deep_check_of_a_setup(tmp_path: Path) -> None:
    """The function behind --deep: a Setup, its computed rules, a Report; added tokens are added and resized for."""
    folder = live_runs.folder(tmp_path, model_class="BertForPreTraining")
    setup = Setup(
        model=folder, task="text-classification", data=check.Setup().data, add_tokens=("신조어",), resize=True
    )
    report = check.deep_check(setup, subject="here")
    assert report.subject == "here"
    assert {one.reason for one in report.skipped} == {"no data files were given (--train, --eval)"}


def test_without_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where torch is missing, one line says what to install."""
    import importlib

    real = importlib.import_module

    def missing(name: str, *rest: Any) -> Any:
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
        return real(name, *rest)

    monkeypatch.setattr("pretune.core.extras.import_module", missing)
    folder = live_runs.folder(tmp_path)
    with pytest.raises(UserError, match="this needs torch, which is not installed") as error:
        check.run(folder, task="masked-lm", data=ROWS["masked-lm"], deep=True)
    assert error.value.hint == 'pip install "pretune[train]"'
