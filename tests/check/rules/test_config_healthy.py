"""CFG and MOD: their form, what stays quiet, and odd configs that must break no rule."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ask_rules import CFG, FIVE, MOD, found
from pretune.check.finding import Rule
from pretune.check.sources.setup import Data, Setup

MakeModel = Callable[..., Path]
RULES = CFG + MOD


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_has_its_form(rule: Rule) -> None:
    """A code of the family, a claim in one line, a Why and a Fix."""
    assert rule.code.startswith(("CFG", "MOD"))
    assert rule.claim.endswith(".")
    assert rule.why
    assert rule.fix
    assert len({other.code for other in RULES}) == len(RULES) >= 38


@pytest.mark.parametrize("task", ["", "text-classification", "question-answering"])
def test_healthy_small_models_are_quiet(make_model: MakeModel, task: str) -> None:
    """BERT and RoBERTa as saved give nothing, with or without a task."""
    for kind in ("bert", "roberta"):
        setup = Setup(model=str(make_model(kind, name=kind)), task=task or None, training_args={"learning_rate": 2e-5})
        assert [finding for rule in RULES for finding in found(rule, setup)] == []


def test_real_configs_are_quiet(shared_assets: Path) -> None:
    """No error and no warning on any published folder of the shared assets."""
    for folder in sorted(path.parent for path in shared_assets.glob("*/*/config.json")):
        grave = [
            finding for rule in RULES for finding in found(rule, Setup(model=str(folder))) if finding.level != "note"
        ]
        assert grave == [], folder.name


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["0.1", "relu"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4) | st.just("0"), inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(
    [
        "model_type", "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "layer_norm_eps", "hidden_act",
        "id2label", "label2id", "num_labels", "pad_token_id", "eos_token_id", "problem_type", "dtype", "rope_scaling",
        "rope_parameters", "quantization_config", "text_config", "architectures", "transformers_version", "_name_or_path",
        "tie_word_embeddings", "is_decoder", "hidden_dropout_prob", "position_embedding_type", "auto_map", "num_lables",
    ]
)  # fmt: skip


@given(
    raw=st.dictionaries(KEYS, ODD, max_size=4),
    edits=st.dictionaries(KEYS, ODD, max_size=3),
    kind=st.sampled_from(["bert", "roberta", "gpt2", "llama", "t5", "quite_new"]),
)
def test_no_config_breaks_a_rule(
    tmp_path_factory: pytest.TempPathFactory, raw: dict[str, Any], edits: dict[str, Any], kind: str
) -> None:
    """Odd types, huge numbers and deep nesting in the file and in the setup: a rule finds or is silent, never crashes."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "config.json").write_text(json.dumps({"model_type": kind, **raw}), "utf-8")
    for setup in (
        Setup(model=str(folder), config=edits, training_args={"bf16": False}),
        Setup(model=str(folder), config_update=edits, task="text-classification", data=Data(train=("x",))),
    ):
        for rule in RULES:
            for finding in found(rule, setup, versions=FIVE):
                assert "\n" not in finding.message
