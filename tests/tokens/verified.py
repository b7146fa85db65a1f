"""Tiny models that a user adds tokens to with transformers, and the question after the fault: shared by verify's tests."""

import json

import torch
import transformers

from pretune.tokens.verify import verify
from tokens.placed import folder

SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 64,
}


def bert(path, *, name="wordpiece", padded=0, words=(), config=None):
    """A tiny masked language model with biases around -3 and a made tokenizer; `words` are entries at the end."""
    folder(path, name)
    file = path / "tokenizer.json"
    spec = json.loads(file.read_text(encoding="utf-8"))
    spec["truncation"] = spec["padding"] = None
    for word in words:
        spec["model"]["vocab"].setdefault(word, len(spec["model"]["vocab"]))
    file.write_text(json.dumps(spec, ensure_ascii=False), encoding="utf-8")
    roles = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    told = {"tokenizer_class": "PreTrainedTokenizerFast", **{f"{role}_token": token for role, token in roles.items()}}
    (path / "tokenizer_config.json").write_text(json.dumps(told))
    rows = len(spec["model"]["vocab"]) + padded
    torch.manual_seed(0)
    model = transformers.BertForMaskedLM(
        transformers.BertConfig(vocab_size=rows, pad_token_id=0, **{**SIZES, **(config or {})})
    )
    with torch.no_grad():
        model.cls.predictions.bias.normal_(-3.0, 0.5)
        model.bert.embeddings.word_embeddings.weight.normal_(0, 0.05)
    model.save_pretrained(path)
    return path


def loaded(path):
    """(tokenizer, model) as a user loads them."""
    return transformers.AutoTokenizer.from_pretrained(path), transformers.BertForMaskedLM.from_pretrained(path)


def saved(out, *things):
    """Save tokenizers and models into a folder."""
    for thing in things:
        thing.save_pretrained(out)
    return out


def edit(path, **keys):
    """Replace keys of a JSON file; `...` removes one."""
    told = json.loads(path.read_text(encoding="utf-8"))
    told |= keys
    path.write_text(json.dumps({k: v for k, v in told.items() if v is not ...}, ensure_ascii=False), encoding="utf-8")


def names(path, against=None):
    """(name, pitfall) of everything above a note."""
    return {(f.name, f.pitfall) for f in verify(path, against=against).faults if f.level != "note"}


def pitfalls(path, against=None):
    """Numbers of everything that was found, notes too."""
    return {fault.pitfall for fault in verify(path, against=against).faults}
