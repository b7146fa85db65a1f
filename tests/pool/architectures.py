"""Tiny random models of many architectures, and what is known of each from its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

VOCABULARY = 120


@dataclass(frozen=True, slots=True)
class Known:
    """What the source of an architecture says.

    Attributes:
        causal: no token sees what follows.
        left: padding on the left, given a mask and no position_ids, leaves states alone.
        right: the same on the right.
        pooler: place of the pooler's token; None without a pooler, -9 when it reads no single last state.
    """

    causal: bool = False
    left: bool = True
    right: bool = True
    pooler: int | None = None


KNOWN = {
    "bert": Known(left=False, pooler=0),
    "rembert": Known(left=False, pooler=0),
    "megatron-bert": Known(left=False, pooler=0),
    "roberta": Known(pooler=0),
    "xlm-roberta": Known(pooler=0),
    "camembert": Known(pooler=0),
    "electra": Known(left=False),
    "albert": Known(left=False, pooler=0),
    "distilbert": Known(left=False),
    "deberta-v2": Known(left=False),
    "modernbert": Known(),
    "mpnet": Known(pooler=0),
    "ibert": Known(pooler=0),
    "roformer": Known(),
    "xlnet": Known(),
    "t5": Known(),
    "mt5": Known(),
    "bart": Known(left=False),
    "gpt2": Known(causal=True, left=False),
    "opt": Known(causal=True),
    "llama": Known(causal=True),
    "qwen3": Known(causal=True),
    "mistral": Known(causal=True),
    "gpt_neox": Known(causal=True),
    "bloom": Known(causal=True),
    "phi": Known(causal=True),
    "fnet": Known(left=False, right=False, pooler=0),
    "convbert": Known(left=False, right=False),
    "xlm": Known(left=False),
}

_SMALL = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
    "embedding_size": 32,
}
_GPT = {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 64}
_T5 = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 3, "num_heads": 4}
_GROUPED = {"num_key_value_heads": 2, "head_dim": 8}
_OTHER: dict[str, dict[str, Any]] = {
    "xlm": {"n_words": VOCABULARY, "emb_dim": 32, "n_layers": 3, "n_heads": 4},
    "t5": _T5,
    "mt5": _T5,
    "bart": {
        "d_model": 32,
        "encoder_layers": 3,
        "decoder_layers": 1,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "encoder_ffn_dim": 64,
        "decoder_ffn_dim": 64,
    },
    "xlnet": {"vocab_size": VOCABULARY, "d_model": 32, "n_layer": 3, "n_head": 4, "d_inner": 64},
    "gpt2": _GPT,
    "bloom": {"n_layer": 3, "n_head": 4},
    "llama": _GROUPED,
    "qwen3": _GROUPED,
    "mistral": _GROUPED,
    "phi": _GROUPED,
    "funnel": {
        "vocab_size": VOCABULARY,
        "d_model": 32,
        "n_head": 4,
        "d_head": 8,
        "d_inner": 64,
        "block_sizes": [1, 1, 1],
    },
    "opt": {"word_embed_proj_dim": 32, "ffn_dim": 64},
}
_WITHOUT_SMALL = ("xlnet", "funnel")


def tiny(model_type: str) -> Any:
    """A random model of three layers of 32 numbers, with weights large enough that influence is no rounding."""
    import torch
    from transformers import AutoConfig, AutoModel, FunnelModel

    default = AutoConfig.for_model(model_type)
    alone = model_type in _WITHOUT_SMALL  # some of the usual names are properties that cannot be set there
    said = {name: value for name, value in _SMALL.items() if not alone and hasattr(default, name)}
    said |= _OTHER.get(model_type, {})
    for name in ("pad_token_id", "bos_token_id", "eos_token_id", "sep_token_id", "cls_token_id"):
        value = getattr(default, name, None)
        if isinstance(value, int) and value >= VOCABULARY:
            said[name] = 2
    torch.manual_seed(0)
    config = AutoConfig.for_model(model_type, **said)
    # AutoModel cannot choose between Funnel's two classes by a config alone.
    model = (FunnelModel(config) if model_type == "funnel" else AutoModel.from_config(config)).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim > 1 and "position" not in name:
                weight.normal_(0, 0.3)
    return model.get_encoder() if model.config.is_encoder_decoder else model
