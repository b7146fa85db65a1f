"""Model folders as data that a case may spoil before they are written: bert, roberta, electra, gpt2, llama, qwen2, t5.

Each is healthy as made here and loads in transformers 5.23 without a missing tensor. Knows no faults and no rules.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from check.catalogue import tensors
from check.catalogue import tokenizers_made as made


@dataclass
class Folder:
    """A model folder before it is written; every part may be changed, None leaves a file out."""

    config: dict[str, Any]
    shapes: dict[str, tuple[int, ...]]
    tokenizer: dict[str, Any] | None
    tokenizer_config: dict[str, Any] | None
    vocabulary: list[str] | None = None
    special_tokens_map: dict[str, Any] | None = None
    generation_config: dict[str, Any] | None = None
    dtype: str = "F32"
    zero: dict[str, list[int]] = field(default_factory=dict)
    files: dict[str, Any] = field(default_factory=dict)
    weights: bool = True

    @property
    def ids(self) -> dict[str, int]:
        """The vocabulary of tokenizer.json."""
        assert self.tokenizer is not None
        vocab: dict[str, int] = self.tokenizer["model"]["vocab"]
        return vocab

    def copy(self) -> Folder:
        """Another one, to spoil without spoiling this one."""
        return copy.deepcopy(self)

    def prefixed(self, name: str, *, to: str | None = None) -> dict[str, tuple[int, ...]]:
        """The tensors whose name starts with `name`; with `to`, under another beginning."""
        return {
            (key if to is None else to + key[len(name) :]): shape
            for key, shape in self.shapes.items()
            if key.startswith(name)
        }

    def write(self, folder: Path) -> Path:
        """Write the folder."""
        self.write_tokenizer(folder)
        _json(folder / "config.json", self.config)
        if self.generation_config is not None:
            _json(folder / "generation_config.json", self.generation_config)
        if self.weights:
            tensors.write(folder / "model.safetensors", self.shapes, dtype=self.dtype, zero=self.zero)
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            elif isinstance(content, str):
                path.write_text(content, "utf-8")
            else:
                _json(path, content)
        return folder

    def write_tokenizer(self, folder: Path) -> Path:
        """Write the tokenizer's files alone."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.vocabulary is not None:
            (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in self.vocabulary), "utf-8")
        for name in ("tokenizer", "tokenizer_config", "special_tokens_map"):
            content = getattr(self, name)
            if content is not None:
                _json(folder / f"{name}.json", content)
        return folder


def _json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")


_ENCODER = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 128,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "initializer_range": 0.02,
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
    "transformers_version": "4.46.0",
}


def bert(model_class: str = "BertForPreTraining", *, unused: int = 20, whole: int = 400, **sizes: Any) -> Folder:
    """A Korean cased BERT with a pooler."""
    vocabulary = made.wordpieces(unused=unused, whole=whole)
    config = {"architectures": [model_class], "model_type": "bert", **_ENCODER, "vocab_size": len(vocabulary), **sizes}
    return _wordpiece_folder(config, model_class, vocabulary)


def electra(model_class: str = "ElectraForPreTraining", **sizes: Any) -> Folder:
    """A Korean ELECTRA discriminator."""
    vocabulary = made.wordpieces(unused=30, whole=300)
    config = {"architectures": [model_class], "model_type": "electra", **_ENCODER, "embedding_size": 16}
    return _wordpiece_folder(config | {"vocab_size": len(vocabulary)} | sizes, model_class, vocabulary)


def english_bert(model_class: str = "BertForPreTraining") -> Folder:
    """An uncased English BERT."""
    vocabulary = made.english_wordpieces()
    config = {"architectures": [model_class], "model_type": "bert", **_ENCODER, "vocab_size": len(vocabulary)}
    folder = _wordpiece_folder(config, model_class, vocabulary)
    folder.tokenizer = made.wordpiece_json(vocabulary, lower=True)
    folder.tokenizer_config = made.wordpiece_config(lower=True)
    return folder


def _wordpiece_folder(config: dict[str, Any], model_class: str, vocabulary: list[str]) -> Folder:
    settings = made.wordpiece_config(longest=config["max_position_embeddings"])
    shapes = tensors.encoder(config, model_class)
    return Folder(config, shapes, made.wordpiece_json(vocabulary), settings, vocabulary, _roles(settings))


def roberta(model_class: str = "RobertaForMaskedLM", **sizes: Any) -> Folder:
    """A Korean RoBERTa in the manner of klue: WordPiece, [CLS] 0, [PAD] 1, [SEP] 2, one segment."""
    vocabulary = made.wordpieces(made.KLUE)
    config = {
        "architectures": [model_class],
        "model_type": "roberta",
        **_ENCODER,
        "type_vocab_size": 1,
        "max_position_embeddings": 130,
        "layer_norm_eps": 1e-5,
        "pad_token_id": 1,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "tokenizer_class": "BertTokenizer",
        "vocab_size": len(vocabulary),
        **sizes,
    }
    settings = made.wordpiece_config() | {"bos_token": "[CLS]", "eos_token": "[SEP]"}
    settings |= {"model_input_names": ["input_ids", "attention_mask"]}
    tokenizer = made.wordpiece_json(vocabulary, made.KLUE, pair_type=0)
    return Folder(config, tensors.encoder(config, model_class), tokenizer, settings, vocabulary, _roles(settings))


def byte_roberta(model_class: str = "RobertaForMaskedLM") -> Folder:
    """A RoBERTa with its own byte-level BPE: <s> 0, <pad> 1, </s> 2, <unk> 3, <mask> last."""
    tokenizer = made.byte_level(("<s>", "<pad>", "</s>", "<unk>"), first=True)
    mask = len(tokenizer["model"]["vocab"])
    tokenizer["model"]["vocab"]["<mask>"] = mask
    tokenizer["added_tokens"].append({**tokenizer["added_tokens"][0], "id": mask, "content": "<mask>", "lstrip": True})
    ends = {"sep": ["</s>", 2], "cls": ["<s>", 0]}
    tokenizer["post_processor"] = {"type": "RobertaProcessing", **ends, "trim_offsets": True, "add_prefix_space": False}
    sizes = {"type_vocab_size": 1, "max_position_embeddings": 130, "layer_norm_eps": 1e-5, "vocab_size": mask + 1}
    ids = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
    config = {"architectures": [model_class], "model_type": "roberta", **_ENCODER, **sizes, **ids}
    roles = {"bos": "<s>", "eos": "</s>", "sep": "</s>", "cls": "<s>", "unk": "<unk>", "pad": "<pad>", "mask": "<mask>"}
    settings = {"tokenizer_class": "RobertaTokenizer", "model_max_length": 128, "add_prefix_space": False}
    settings |= {f"{role}_token": token for role, token in roles.items()}
    return Folder(config, tensors.encoder(config, model_class), tokenizer, settings, None, _roles(settings))


def gpt2(*, extra: tuple[str, ...] = (), **sizes: Any) -> Folder:
    """A GPT-2: bos, eos and unk are one token, and there is no pad token unless `extra` brings one."""
    tokenizer = made.byte_level(("<|endoftext|>", *extra))
    ids = tokenizer["model"]["vocab"]
    end = ids["<|endoftext|>"]
    config = {
        "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 256,
        "vocab_size": len(ids), "bos_token_id": end, "eos_token_id": end, "activation_function": "gelu_new",
        "attn_pdrop": 0.1, "embd_pdrop": 0.1, "resid_pdrop": 0.1, "layer_norm_epsilon": 1e-5, "initializer_range": 0.02,
        "transformers_version": "4.46.0", **sizes,
    }  # fmt: skip
    settings = {"tokenizer_class": "GPT2Tokenizer", "model_max_length": 256, "add_prefix_space": False}
    settings |= {f"{role}_token": "<|endoftext|>" for role in ("bos", "eos", "unk")}
    return Folder(config, tensors.gpt2(config), tokenizer, settings, None, _roles(settings))


def llama(*, extra: tuple[str, ...] = ("<pad>",), tied: bool = False, **sizes: Any) -> Folder:
    """A Llama 2 with a pad token of its own (`extra=()`: none, as published)."""
    tokenizer = made.sentencepiece(extra=extra)
    ids = tokenizer["model"]["vocab"]
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 16, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 40, "max_position_embeddings": 512,
        "vocab_size": len(ids), "bos_token_id": 1, "eos_token_id": 2, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "hidden_act": "silu", "initializer_range": 0.02, "tie_word_embeddings": tied, "transformers_version": "4.46.0",
    } | sizes  # fmt: skip
    settings: dict[str, Any] = {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "add_eos_token": False}
    settings |= {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "model_max_length": 512, "legacy": True}
    settings["clean_up_tokenization_spaces"] = False
    if "<pad>" in ids:
        settings["pad_token"] = "<pad>"
        config["pad_token_id"] = ids["<pad>"]
    generation = {"bos_token_id": 1, "eos_token_id": 2, **({"pad_token_id": ids["<pad>"]} if "<pad>" in ids else {})}
    return Folder(config, tensors.llama(config), tokenizer, settings, None, _roles(settings), generation)


def qwen2(*, rows: int | None = None, **sizes: Any) -> Folder:
    """A Qwen 2 with a chat template; `rows` are more than its ids, as published."""
    names = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    tokenizer = made.qwen2(names)
    ids = tokenizer["model"]["vocab"]
    config = {
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_size": 16, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 40, "max_position_embeddings": 1024,
        "vocab_size": rows or len(ids), "bos_token_id": ids[names[0]], "eos_token_id": ids[names[2]], "rms_norm_eps": 1e-6,
        "rope_theta": 1000000.0, "hidden_act": "silu", "initializer_range": 0.02, "tie_word_embeddings": True,
        "max_window_layers": 2, "sliding_window": 1024, "use_sliding_window": False, "transformers_version": "4.46.0",
    } | sizes  # fmt: skip
    settings: dict[str, Any] = {
        "tokenizer_class": "Qwen2Tokenizer",
        "bos_token": None,
        "eos_token": names[2],
        "pad_token": names[0],
    }
    settings |= {"unk_token": None, "model_max_length": 1024, "add_prefix_space": False, "chat_template": made.CHATML}
    generation = {
        "bos_token_id": ids[names[0]],
        "eos_token_id": [ids[names[2]], ids[names[0]]],
        "pad_token_id": ids[names[0]],
    }
    shapes = tensors.llama(config, bias=True)
    return Folder(config, shapes, tokenizer, settings, None, _roles(settings), generation)


def t5() -> Folder:
    """A T5 with 32,100 ids and 32,128 rows, as published."""
    tokenizer = made.unigram(32_100)
    config = {
        "architectures": ["T5ForConditionalGeneration"], "model_type": "t5", "d_model": 8, "d_kv": 4, "d_ff": 16, "num_layers": 1,
        "num_heads": 2, "vocab_size": 32_128, "pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0,
        "relative_attention_num_buckets": 8, "dropout_rate": 0.1, "layer_norm_epsilon": 1e-6, "is_encoder_decoder": True,
        "feed_forward_proj": "relu", "transformers_version": "4.46.0",
    }  # fmt: skip
    settings = {
        "tokenizer_class": "T5Tokenizer",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "extra_ids": 100,
    }
    settings |= {
        "model_max_length": 512,
        "additional_special_tokens": [f"<extra_id_{number}>" for number in range(100)],
    }
    generation = {"pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0}
    return Folder(config, tensors.t5(config), tokenizer, settings, None, _roles(settings), generation)


def _roles(settings: Mapping[str, Any]) -> dict[str, Any]:
    """special_tokens_map.json of a tokenizer_config.json."""
    return {key: value for key, value in settings.items() if key.endswith("_token") and isinstance(value, str)}
