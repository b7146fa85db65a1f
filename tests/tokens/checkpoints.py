"""Small checkpoints with values, written with safetensors for numpy: single or sharded, any dtype. Knows no torch."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pretune.tokens.row_values import encoded

WIDTHS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1, "I64": 8, "U8": 1, "BOOL": 1}
Shapes = Mapping[str, tuple[tuple[int, ...], str]]


def write_file(path: Path, shapes: Shapes, *, seed: int = 0, metadata: Mapping[str, str] | None = None) -> None:
    """A safetensors file of random values: name -> (shape, dtype), in this order."""
    chance = np.random.default_rng(seed)
    header: dict[str, Any] = {"__metadata__": dict(metadata or {"format": "pt"})}
    values = b""
    for name, (shape, dtype) in shapes.items():
        numbers = chance.normal(size=shape)
        data = encoded(numbers, dtype) if dtype[0] in "FB" and dtype != "BOOL" else bytes(numbers.size * WIDTHS[dtype])
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [len(values), len(values) + len(data)]}
        values += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + values)


def read_file(path: Path) -> dict[str, tuple[tuple[int, ...], str, bytes]]:
    """Name -> (shape, dtype, bytes), read without the code under test."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    start = 8 + length
    return {
        name: (tuple(row["shape"]), row["dtype"], data[start + row["data_offsets"][0] : start + row["data_offsets"][1]])
        for name, row in header.items()
    }


def write_checkpoint(folder: Path, config: Mapping[str, Any], shards: list[Shapes], **more: Any) -> Path:
    """A model folder: config.json and its weights in one file or, with an index, in several."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config))
    if len(shards) == 1:
        write_file(folder / "model.safetensors", shards[0], **more)
        return folder
    places = {}
    total = elements = 0
    for number, shapes in enumerate(shards, 1):
        file = f"model-{number:05}-of-{len(shards):05}.safetensors"
        write_file(folder / file, shapes, seed=number, **more)
        places |= dict.fromkeys(shapes, file)
        for shape, dtype in shapes.values():
            elements += int(np.prod(shape))
            total += int(np.prod(shape)) * WIDTHS[dtype]
    index = {"metadata": {"total_size": total, "total_parameters": elements}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


LLAMA = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 8,
    "intermediate_size": 16,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "num_hidden_layers": 1,
    "vocab_size": 40,
    "tie_word_embeddings": False,
}


def llama(folder: Path, *, dtype: str = "F32", tied: bool = False, rows: int = 40) -> Path:
    """A Llama in three shards: the embedding in the first, the head in the last."""
    first = {"model.embed_tokens.weight": ((rows, 8), dtype), "model.norm.weight": ((8,), dtype)}
    at = "model.layers.0."
    second: dict[str, Any] = {f"{at}self_attn.{name}_proj.weight": ((8, 8), dtype) for name in "qkvo"}
    last = {f"{at}mlp.{name}_proj.weight": ((16, 8), dtype) for name in ("gate", "up")}
    last |= {f"{at}mlp.down_proj.weight": ((8, 16), dtype), f"{at}input_layernorm.weight": ((8,), dtype)}
    if not tied:
        last["lm_head.weight"] = ((rows, 8), dtype)
    return write_checkpoint(folder, LLAMA | {"vocab_size": rows, "tie_word_embeddings": tied}, [first, second, last])
