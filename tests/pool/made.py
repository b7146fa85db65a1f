"""Tiny random models and a tokenizer for sentences."""

from __future__ import annotations

from typing import Any

WORDS = ["the", "cat", "dog", "sat", "ran", "on", "mat", "a", "big", "red", "고양이", "개", "가", "는", "앉았다", "."]
SENTENCES = [
    "the cat sat on the mat.",
    "a dog ran on a big red mat.",
    "the dog sat.",
    "고양이 가 앉았다",
    "개 는 앉았다.",
    "a big cat",
    "the red dog ran",
    "cat",
    "a cat ran.",
    "the cat sat on the big red mat.",
]


def tokenizer(*, template: bool = True) -> Any:
    """A WordPiece tokenizer of a few words, with [CLS] and [SEP] around a sentence, or with nothing."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    entries = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    backend = Tokenizer(models.WordPiece({word: place for place, word in enumerate(entries)}, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    if template:
        backend.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]"}
    if template:
        names |= {"cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    return PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=64, **names)


def bert(seed: int = 0, *, layers: int = 3) -> Any:
    """A random BERT of 3 layers of 32 numbers, with weights large enough to tell layers apart."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=32,
        hidden_size=32,
        num_hidden_layers=layers,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.4,
    )
    return BertModel(config).eval()
