"""The page on one's own Trainer: its methods are the installed release's, are called in its order, and its code trains."""

import ast
import importlib.util
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "own-trainer.md").read_text("utf-8")
ROWS = re.findall(r"^\|([^|]*)\| `(\w+)` \|", PAGE, re.MULTILINE)
CODE = dict(re.findall(r"```python\n# (\w+)\.py\n(.*?)```", PAGE, re.DOTALL))


def test_the_methods_are_there() -> None:
    """Each method of the table, and each that the page's code overrides, is one of transformers' Trainer."""
    found = importlib.util.find_spec("transformers")
    if found is None or not found.submodule_search_locations:
        pytest.skip("needs transformers")
    text = (Path(found.submodule_search_locations[0]) / "trainer.py").read_text("utf-8")
    (trainer,) = [one for one in ast.parse(text).body if isinstance(one, ast.ClassDef) and one.name == "Trainer"]
    methods = {one.name for one in trainer.body if isinstance(one, ast.FunctionDef)}
    assert len(ROWS) == 20
    assert {name for _, name in ROWS} <= methods
    for part in ast.parse(CODE["own_trainer"]).body:
        if isinstance(part, ast.ClassDef):
            own = {one.name for one in part.body if isinstance(one, ast.FunctionDef)} - {"__init__"}
            assert own <= methods
    assert "loss_is_scaled_for_ga" in text


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A tiny classifier without dropout, rows for it, and what makes a Trainer of a class of the page."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    monkeypatch.setattr(torch, "set_num_threads", lambda _: None)
    config = transformers.BertConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, num_labels=2,
    )  # fmt: skip
    generator = torch.Generator().manual_seed(0)
    rows = [
        {"input_ids": torch.randint(5, 50, (8,), generator=generator), "labels": torch.tensor(number % 2)}
        for number in range(8)
    ]

    def model() -> Any:
        torch.manual_seed(0)
        return transformers.BertForSequenceClassification(config)

    def make(kind: Any, **more: Any) -> Any:
        keys = {
            "max_steps": 4,
            "logging_steps": 1,
            "per_device_train_batch_size": 4,
            "use_cpu": True,
            "disable_tqdm": True,
        }
        arguments = transformers.TrainingArguments(str(tmp_path / "out"), **keys | more.pop("arguments", {}))
        return kind(model(), arguments, train_dataset=rows, eval_dataset=rows, **more)

    def collate(chosen: list[Any]) -> Any:
        return {name: torch.stack([row[name] for row in chosen]) for name in chosen[0]}

    return SimpleNamespace(make=make, model=model, rows=rows, collate=collate, transformers=transformers, torch=torch)


def losses(trainer: Any) -> list[float]:
    """Of each step."""
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


@pytest.mark.slow
def test_the_order_is_trainers(tiny: Any) -> None:
    """The methods are called for the first time in the order of the table."""
    seen: list[str] = []
    names = [name for _, name in ROWS]

    def noting(name: str) -> Any:
        method = getattr(tiny.transformers.Trainer, name)

        def call(self: Any, *arguments: Any, **keywords: Any) -> Any:
            if name not in seen:
                seen.append(name)
            return method(self, *arguments, **keywords)

        return call

    kind = type("Noting", (tiny.transformers.Trainer,), {name: noting(name) for name in names})
    saving = {
        "eval_strategy": "steps",
        "eval_steps": 1,
        "save_steps": 1,
        "metric_for_best_model": "loss",
        "max_steps": 1,
    }
    tiny.make(kind, arguments=saving).train()
    assert seen == names


@pytest.mark.slow
def test_the_code_trains(tiny: Any) -> None:
    """Each class of the page does what it says: weights, rates by layer, a second backward, an end at a NaN."""
    there: dict[str, Any] = {}
    for name in ("own_trainer", "own_callback"):
        exec(compile(CODE[name], name, "exec"), there)
    plain = tiny.make(tiny.transformers.Trainer)
    plain.train()
    even = tiny.make(there["Weighted"], weights=[1.0, 1.0])
    even.train()
    assert losses(even) == pytest.approx(losses(plain), abs=2e-4)
    four = {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 4}
    accumulated = tiny.make(there["Weighted"], weights=[1.0, 1.0], arguments=four)
    accumulated.train()
    assert losses(accumulated) == pytest.approx(losses(even), abs=2e-3)
    layered = tiny.make(there["LayerwiseRates"])
    layered.train()
    rates = sorted({round(group["initial_lr"] / 5e-5, 6) for group in layered.optimizer.param_groups})
    assert rates == [0.729, 0.81, 0.9, 1.0]
    moved = tiny.make(there["Adversarial"])
    moved.train()
    assert losses(moved)[0] == pytest.approx(losses(plain)[0], abs=1e-4)
    assert losses(moved) != losses(plain)
    model = tiny.make(tiny.transformers.Trainer, callbacks=[there["StopAtNan"]()])
    with tiny.torch.no_grad():
        model.model.classifier.weight.fill_(float("nan"))
    model.train()
    assert model.state.global_step == 1


@pytest.mark.slow
def test_the_loop_has_trainers_losses(tiny: Any) -> None:
    """Four steps, two epochs, the same random order."""
    there: dict[str, Any] = {}
    exec(compile(CODE["own_loop"], "own_loop", "exec"), there)
    plain = tiny.make(tiny.transformers.Trainer)
    plain.train()
    own = there["train"](tiny.model(), tiny.rows, tiny.collate, epochs=2, batch=4)
    assert own == pytest.approx(losses(plain), abs=1e-4)
    again = there["train"](tiny.model(), tiny.rows, tiny.collate, epochs=2, batch=2, accumulate=2)
    assert again == pytest.approx(own, abs=1e-6)
