"""Facts of the architecture tables that hang on one small number or on how far a model sees; without transformers."""

from collections.abc import Mapping
from typing import Any

import pytest

from pretune.artifacts.architecture_expressions import Unknown
from pretune.artifacts.architecture_rows import Expected
from pretune.artifacts.architectures import Architecture, find


def architecture(model_type: str) -> Architecture:
    """The architecture of a type that must be in the tables."""
    known = find(model_type)
    assert known is not None
    return known


def body(model_type: str, config: Mapping[str, Any]) -> dict[str, Expected]:
    """The tensors of the base model."""
    return architecture(model_type).tensors(config, "AutoModel")


@pytest.mark.parametrize(
    ("model_type", "config", "name", "shape"),
    [
        ("convbert", {"num_attention_heads": 4}, "encoder.layer.0.attention.self.conv_kernel_layer.bias", (18,)),
        ("convbert", {"num_groups": 1}, "encoder.layer.0.intermediate.dense.weight", (3072, 768)),
        ("convbert", {"num_groups": 3}, "encoder.layer.0.intermediate.dense.weight", (3, 256, 1024)),
        ("xlm", {}, "lang_embeddings.weight", None),
        ("xlm", {"n_langs": 2}, "lang_embeddings.weight", (2, 2048)),
        ("fsmt", {"pad_token_id": 3}, "encoder.embed_positions.weight", (1028, 1024)),
        ("deberta", {}, "embeddings.token_type_embeddings.weight", None),
        ("qwen3_moe", {"mlp_only_layers": [], "num_experts": 4}, "layers.0.mlp.gate.weight", (4, 2048)),
        ("qwen3_moe", {"num_local_experts": 4}, "layers.0.mlp.gate.weight", (4, 2048)),
    ],
)
def test_what_small_numbers_decide(model_type, config, name, shape):
    """One group, one language, no types, a padding id: what exists and how large it is hangs on them."""
    found = body(model_type, config).get(name)
    assert (found and found.shape) == shape


@pytest.mark.parametrize("config", [{"mlp_only_layers": [0]}, {"decoder_sparse_step": 2}])
def test_layers_that_differ_are_not_known(config):
    """Which layers of Qwen's have experts is not folded: the tables say so."""
    with pytest.raises(Unknown, match="the tables know qwen2_moe only with"):
        body("qwen2_moe", config)


def test_who_looks_back_only():
    """Longformer sees to both sides, though only as far as its window."""
    told = {name: architecture(name).causal for name in ("longformer", "bert", "gpt2", "mixtral", "qwen3_moe")}
    assert told == {"longformer": False, "bert": False, "gpt2": True, "mixtral": True, "qwen3_moe": True}
