"""What a LoRA adapter reaches, against PEFT."""

from typing import Any

import pytest

from conftest import MakeModel
from pretune.check.facts import Facts
from pretune.check.facts.adapter import AdapterFacts
from pretune.check.finding import Unavailable
from pretune.check.sources.setup import Setup


def adapter(folder: Any, *, task: str = "text-classification", **peft: Any) -> AdapterFacts:
    """The adapter that a setup trains on a folder."""
    return Facts(Setup(model=str(folder), task=task, peft=peft)).adapter


def test_none(make_model: MakeModel) -> None:
    """Without a peft table there is no adapter."""
    with pytest.raises(Unavailable, match="no adapter"):
        adapter(make_model())


TARGETS: list[Any] = [
    ["query", "value"],
    ["q_proj", "query"],
    ["attention.self.query"],
    ["uery"],
    ["classifier"],
    r".*\.query",
    r"bert\.encoder\.layer\.\d+\.attention\.self\.(query|key)",
    "query",
    ["layer.0.attention.self.query"],
]


@pytest.mark.parametrize("targets", TARGETS, ids=str)
def test_targets_as_peft_finds_them(make_model: MakeModel, targets: Any) -> None:
    """The number of modules each target names is what PEFT wraps; 0 where it raises."""
    peft = pytest.importorskip("peft", reason="compares with PEFT")
    transformers = pytest.importorskip("transformers", reason="compares with PEFT on a model of transformers")
    folder = make_model()
    found = adapter(folder, target_modules=targets)
    config = transformers.AutoConfig.from_pretrained(str(folder))
    config.num_labels = 2
    model = transformers.BertForSequenceClassification(config)
    try:
        wrapped = peft.get_peft_model(model, peft.LoraConfig(target_modules=targets))
    except ValueError:  # NoMatchingPeftModuleError
        theirs = 0
    else:
        theirs = sum(name.endswith("lora_A") for name, _ in wrapped.named_modules())
    assert found.reached is not None
    ours = sum(found.reached.values())
    assert (ours > 0) == (theirs > 0)


def test_without_weights_or_table(make_model: MakeModel) -> None:
    """Of an unknown model without weights nothing is said."""
    folder = make_model(config={"model_type": "foobar"}, weights=False)
    assert adapter(folder, target_modules=["query"]).reached is None


@pytest.mark.parametrize(
    ("peft", "trains"),
    [
        ({"target_modules": ["query"]}, False),
        ({"target_modules": "all-linear"}, False),
        ({"target_modules": ["query", "word_embeddings"]}, True),
        ({"target_modules": ["query"], "modules_to_save": ["embed_tokens", "lm_head"]}, True),
        ({"target_modules": ["query"], "modules_to_save": ["bert.embeddings"]}, True),
        ({"target_modules": ["query"], "modules_to_save": ["classifier"]}, False),
        ({"target_modules": ["query"], "trainable_token_indices": {"word_embeddings": [3]}}, True),
        ({"target_modules": ["query"], "trainable_token_indices": []}, False),
    ],
)
def test_trains_embedding(make_model: MakeModel, peft: dict[str, Any], trains: bool) -> None:
    """PEFT's three ways to train rows of the embedding."""
    assert adapter(make_model(), **peft).trains_embedding is trains


@pytest.mark.parametrize("pattern", ["(", "(a+)+$", "x" * 5000, "[" * 400])
def test_odd_patterns(make_model: MakeModel, pattern: str) -> None:
    """A broken or an endless expression is not a crash."""
    assert adapter(make_model(), target_modules=pattern).targets == (pattern,)
