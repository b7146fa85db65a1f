"""VOC2: a LoRA adapter against the checkpoint, the added tokens and the head."""

from pathlib import Path
from typing import Any

import pytest

from ask_rules import found, is_asked, levels, one
from conftest import MakeModel
from pretune.check.rules.lora import (
    RULES,
    head_lost_with_adapter,
    lora_rank_odd,
    lora_target_absent,
    new_rows_frozen,
    tied_embedding_saved,
)
from pretune.check.sources.setup import Setup

HEALTHY = {"r": 8, "lora_alpha": 16, "target_modules": ["query", "value"], "task_type": "SEQ_CLS"}


def setup(folder: Path, *, task: str = "text-classification", peft: Any = (), **said: Any) -> Setup:
    """A setup of a model with a healthy adapter, some of its keys changed."""
    table = {key: value for key, value in {**HEALTHY, **dict(peft)}.items() if value is not ...}
    return Setup(model=str(folder), task=task, peft=table, **said)


@pytest.mark.parametrize("rule", RULES)
def test_healthy(make_model: MakeModel, rule: Any) -> None:
    """A classifier with LoRA on query and value, and added tokens whose rows are trained."""
    trained = {"trainable_token_indices": {"word_embeddings": [180]}}
    healthy = setup(make_model(), peft=trained, add_tokens=("코로나",), resize=True)
    assert is_asked(rule, healthy)
    assert found(rule, healthy) == []


def test_new_rows_frozen(make_model: MakeModel) -> None:
    """V07: tokens are added under LoRA and nothing trains their rows."""
    folder = make_model()
    problem = one(found(new_rows_frozen, setup(folder, add_tokens=("코로나", "한국"), resize=True)))
    assert problem.message.startswith("1 tokens are added")
    assert problem.message.endswith("names the embedding: `코로나` stay untrained")
    saved = {"modules_to_save": ["word_embeddings"]}
    assert found(new_rows_frozen, setup(folder, peft=saved, add_tokens=("코로나",))) == []
    assert found(new_rows_frozen, setup(folder, add_tokens=("한국",))) == []


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (["q_proj", "v_proj"], ["error"]),
        (["q_proj", "query"], ["warning"]),
        ("query", ["error"]),
        (r".*\.(query|value)", []),
        ("all-linear", []),
        (["encoder.layer.1.attention.self.query"], []),
        (["classifier"], []),
        (..., []),
    ],
)
def test_targets(make_model: MakeModel, targets: Any, expected: list[str]) -> None:
    """V08: names of another architecture; PEFT raises when none is found and is silent when some are."""
    problems = found(lora_target_absent, setup(make_model(), peft={"target_modules": targets}))
    assert levels(problems) == expected
    if expected == ["error"]:
        assert "query" in problems[0].message


@pytest.mark.parametrize(
    ("task", "peft", "expected"),
    [
        ("text-classification", {"task_type": ...}, ["warning"]),
        ("text-classification", {"task_type": "TokenClassification"}, ["error"]),
        ("text-classification", {"task_type": "seq_cls"}, ["error"]),
        ("text-classification", {"task_type": "TaskType.SEQ_CLS"}, []),
        ("text-classification", {"task_type": "TOKEN_CLS"}, []),
        ("text-classification", {"task_type": "QUESTION_ANS"}, ["warning"]),
        ("text-classification", {"task_type": ..., "modules_to_save": ["classifier"]}, []),
        ("text-classification", {"task_type": ..., "modules_to_save": ["word_embeddings"]}, ["warning"]),
        ("question-answering", {"task_type": "SEQ_CLS"}, ["warning"]),
        ("question-answering", {"task_type": "QUESTION_ANS"}, []),
        ("token-classification", {"task_type": "TOKEN_CLS"}, []),
        ("masked-lm", {"task_type": ...}, []),
        ("sentence-similarity", {"task_type": "FEATURE_EXTRACTION"}, []),
    ],
)
def test_head(make_model: MakeModel, task: str, peft: dict[str, Any], expected: list[str]) -> None:
    """X32: the fresh head is kept by the right task_type, or by name."""
    assert levels(found(head_lost_with_adapter, setup(make_model(), task=task, peft=peft))) == expected


def test_head_as_peft_keeps_it(make_model: MakeModel) -> None:
    """PEFT trains the classifier with SEQ_CLS and TOKEN_CLS, and freezes it without a task_type."""
    peft = pytest.importorskip("peft", reason="shows what PEFT keeps")
    transformers = pytest.importorskip("transformers", reason="shows what PEFT keeps")
    config = transformers.AutoConfig.from_pretrained(str(make_model()))
    kept = {}
    for task_type in (None, "SEQ_CLS", "TOKEN_CLS", "QUESTION_ANS"):
        model = transformers.BertForSequenceClassification(config)
        wrapped = peft.get_peft_model(model, peft.LoraConfig(target_modules=["query"], task_type=task_type))
        kept[task_type] = any("classifier" in name for name, row in wrapped.named_parameters() if row.requires_grad)
    assert kept == {None: False, "SEQ_CLS": True, "TOKEN_CLS": True, "QUESTION_ANS": False}


@pytest.mark.parametrize(
    ("peft", "task", "expected"),
    [
        ({"modules_to_save": ["word_embeddings"]}, "masked-lm", ["warning"]),
        ({"modules_to_save": ["decoder"]}, "masked-lm", ["warning"]),
        ({"modules_to_save": ["word_embeddings", "decoder"]}, "masked-lm", []),
        ({"modules_to_save": ["word_embeddings"], "ensure_weight_tying": True}, "masked-lm", []),
        ({"modules_to_save": ["word_embeddings"]}, "text-classification", []),
        ({}, "masked-lm", []),
    ],
)
def test_tied(make_model: MakeModel, peft: dict[str, Any], task: str, expected: list[str]) -> None:
    """X35: one of two tied modules is copied and trained."""
    folder = make_model(model_class="BertForMaskedLM")
    assert levels(found(tied_embedding_saved, setup(folder, task=task, peft=peft))) == expected


def test_untied(make_model: MakeModel) -> None:
    """A model whose head is its own has no tie to break."""
    folder = make_model(model_class="BertForMaskedLM", config={"tie_word_embeddings": False})
    saved = {"modules_to_save": ["word_embeddings"]}
    assert found(tied_embedding_saved, setup(folder, task="masked-lm", peft=saved)) == []


@pytest.mark.parametrize(
    ("peft", "expected"),
    [
        ({"r": 0}, ["error"]),
        ({"r": "8"}, ["error"]),
        ({"r": True}, ["error"]),
        ({"r": 8, "lora_alpha": 1000}, ["warning"]),
        ({"r": 256, "lora_alpha": 1}, ["warning"]),
        ({"r": 64, "lora_alpha": 16}, []),
        ({"r": ..., "lora_alpha": ...}, []),
    ],
)
def test_rank(make_model: MakeModel, peft: dict[str, Any], expected: list[str]) -> None:
    """The rank is a whole number above 0, the scaling within reason."""
    assert levels(found(lora_rank_odd, setup(make_model(), peft=peft))) == expected
