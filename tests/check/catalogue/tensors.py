"""The tensors that small encoders and decoders save, and a safetensors writer that fills them with random numbers.

Random and not zero, so that what is said about untrained rows is said about the rows that a case makes untrained.
Knows no torch; names and shapes are those of `model.state_dict()` in transformers 5.23.
"""

import json
import math
import random
import struct
from array import array
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from small_model import shapes_of

Shapes = dict[str, tuple[int, ...]]
_POOL = 90_001


def encoder(config: Mapping[str, Any], model_class: str) -> Shapes:
    """`Bert…`, `Roberta…` and `Electra…` classes (ElectraModel, ElectraForPreTraining)."""
    if config["model_type"] != "electra":
        return dict(shapes_of(config, model_class))
    bare = shapes_of({**config, "model_type": "bert"}, "BertModel")
    named = {name: shape for name, shape in bare.items() if not name.startswith("pooler")}
    if model_class == "ElectraModel":
        return named
    hidden = config["hidden_size"]
    head = {
        "discriminator_predictions.dense.weight": (hidden, hidden),
        "discriminator_predictions.dense.bias": (hidden,),
        "discriminator_predictions.dense_prediction.weight": (1, hidden),
        "discriminator_predictions.dense_prediction.bias": (1,),
    }
    return {f"electra.{name}": shape for name, shape in named.items()} | head


def gpt2(config: Mapping[str, Any]) -> Shapes:
    """GPT2LMHeadModel (tied, so no lm_head); the linear layers are stored the other way round."""
    hidden = config["n_embd"]
    shapes: Shapes = {
        "transformer.wte.weight": (config["vocab_size"], hidden),
        "transformer.wpe.weight": (config["n_positions"], hidden),
    }
    for number in range(config["n_layer"]):
        layer = f"transformer.h.{number}"
        for name, into, out in (
            ("attn.c_attn", hidden, 3 * hidden),
            ("attn.c_proj", hidden, hidden),
            ("mlp.c_fc", hidden, 4 * hidden),
            ("mlp.c_proj", 4 * hidden, hidden),
        ):
            shapes |= {f"{layer}.{name}.weight": (into, out), f"{layer}.{name}.bias": (out,)}
        for name in ("ln_1", "ln_2"):
            shapes |= {f"{layer}.{name}.weight": (hidden,), f"{layer}.{name}.bias": (hidden,)}
    return shapes | {"transformer.ln_f.weight": (hidden,), "transformer.ln_f.bias": (hidden,)}


def llama(config: Mapping[str, Any], *, bias: bool = False) -> Shapes:
    """LlamaForCausalLM, and with `bias` Qwen2ForCausalLM."""
    hidden, inner, rows = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    small = hidden // config["num_attention_heads"] * config["num_key_value_heads"]
    shapes: Shapes = {"model.embed_tokens.weight": (rows, hidden), "model.norm.weight": (hidden,)}
    for number in range(config["num_hidden_layers"]):
        layer = f"model.layers.{number}"
        for name, out in (("q_proj", hidden), ("k_proj", small), ("v_proj", small)):
            shapes[f"{layer}.self_attn.{name}.weight"] = (out, hidden)
            if bias:
                shapes[f"{layer}.self_attn.{name}.bias"] = (out,)
        shapes[f"{layer}.self_attn.o_proj.weight"] = (hidden, hidden)
        shapes |= {f"{layer}.mlp.{name}_proj.weight": (inner, hidden) for name in ("gate", "up")}
        shapes[f"{layer}.mlp.down_proj.weight"] = (hidden, inner)
        shapes |= {f"{layer}.{name}_layernorm.weight": (hidden,) for name in ("input", "post_attention")}
    return shapes if config.get("tie_word_embeddings") else shapes | {"lm_head.weight": (rows, hidden)}


def t5(config: Mapping[str, Any]) -> Shapes:
    """T5ForConditionalGeneration with tied embeddings and a ReLU feed-forward."""
    hidden, inner, heads, size = config["d_model"], config["d_ff"], config["num_heads"], config["d_kv"]
    shapes: Shapes = {"shared.weight": (config["vocab_size"], hidden)}
    for side in ("encoder", "decoder"):
        for number in range(config["num_layers"]):
            block = f"{side}.block.{number}.layer"
            attentions = ["0.SelfAttention"] + (["1.EncDecAttention"] if side == "decoder" else [])
            for attention in attentions:
                shapes |= {f"{block}.{attention}.{name}.weight": (heads * size, hidden) for name in "qkv"}
                shapes[f"{block}.{attention}.o.weight"] = (hidden, heads * size)
                shapes[f"{block}.{attention[0]}.layer_norm.weight"] = (hidden,)
            last = len(attentions)
            shapes[f"{block}.{last}.DenseReluDense.wi.weight"] = (inner, hidden)
            shapes[f"{block}.{last}.DenseReluDense.wo.weight"] = (hidden, inner)
            shapes[f"{block}.{last}.layer_norm.weight"] = (hidden,)
        buckets = (config["relative_attention_num_buckets"], heads)
        shapes[f"{side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"] = buckets
        shapes[f"{side}.final_layer_norm.weight"] = (hidden,)
    return shapes


def write(
    path: Path, shapes: Mapping[str, tuple[int, ...]], *, dtype: str = "F32", zero: Mapping[str, Iterable[int]]
) -> None:
    """Write `path` with random numbers (norms: ones). `zero`: tensor name -> rows that stay at zero."""
    size = {"F32": 4, "F16": 2, "BF16": 2}[dtype]
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    parts: list[bytes] = []
    end = 0
    for number, (name, shape) in enumerate(shapes.items()):
        data = bytearray(_values(name, math.prod(shape), dtype, number))
        width = math.prod(shape[1:]) * size
        for row in zero.get(name, ()):
            data[row * width : (row + 1) * width] = bytes(width)
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [end, end + len(data)]}
        end += len(data)
        parts.append(bytes(data))
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(parts))


def _values(name: str, count: int, dtype: str, number: int) -> bytes:
    norm = "norm" in name.lower() or ".ln_" in name
    if norm and name.endswith("weight"):
        one = {"F32": struct.pack("<f", 1.0), "F16": struct.pack("<e", 1.0), "BF16": b"\x80\x3f"}[dtype]
        return one * count
    pool = _pool(dtype)
    size = len(pool) // _POOL
    start = number * 977 % _POOL * size
    taken = pool[start : start + count * size]
    while len(taken) < count * size:
        taken += pool[: count * size - len(taken)]
    return taken


@cache
def _pool(dtype: str) -> bytes:
    drawn = random.Random(7)
    numbers = [drawn.gauss(0.0, 0.02) for _ in range(_POOL)]
    floats = array("f", numbers).tobytes()
    if dtype == "BF16":
        return b"".join(floats[at + 2 : at + 4] for at in range(0, len(floats), 4))
    return floats if dtype == "F32" else struct.pack(f"<{_POOL}e", *numbers)
