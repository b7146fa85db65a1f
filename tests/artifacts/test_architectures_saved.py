"""The architecture tables against checkpoints that transformers itself saves: a healthy model must raise no alarm."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ask_facts import facts, names
from pretune import check
from pretune.artifacts.architectures import find, model_types
from pretune.check.finding import Unavailable

DATA = Path(__file__).resolve().parents[2] / "src" / "pretune" / "artifacts" / "architectures_data"
SIZES: dict[str, Any] = (
    dict.fromkeys(("hidden_size", "d_model", "n_embd", "dim", "emb_dim", "word_embed_proj_dim"), 32)
    | dict.fromkeys(("intermediate_size", "encoder_ffn_dim", "decoder_ffn_dim", "hidden_dim", "ffn_dim", "d_ff"), 64)
    | dict.fromkeys(("num_hidden_layers", "encoder_layers", "decoder_layers", "n_layer", "n_layers", "num_layers"), 2)
    | dict.fromkeys(("num_decoder_layers", "num_experts", "num_local_experts", "n_inner", "num_key_value_heads"), 2)
    | dict.fromkeys(("num_attention_heads", "encoder_attention_heads", "decoder_attention_heads"), 4)
    | dict.fromkeys(("n_head", "n_heads", "num_heads"), 4)
    | dict.fromkeys(("max_position_embeddings", "n_positions", "original_max_position_embeddings"), 64)
    | dict.fromkeys(("head_dim", "d_kv", "d_head"), 8)
    | dict.fromkeys(("embedding_size", "input_embedding_size", "output_embedding_size", "entity_emb_size"), 16)
    | dict.fromkeys(("intra_bottleneck_size", "moe_intermediate_size", "shared_expert_intermediate_size"), 16)
    | {"d_inner": 64, "n_inner": 64, "num_experts_per_tok": 1, "rotary_dim": 4, "num_experts_per_token": 1}
    | {"vocab_size": 120, "entity_vocab_size": 20, "src_vocab_size": 120, "tgt_vocab_size": 120, "block_sizes": [1, 1]}
    | {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "decoder_start_token_id": 2}
    | {"attention_types": [[["global", "local"], 1]], "attention_window": [8, 8], "adapter_size": 8}
)
"""Small values for whatever of these a type has; all else keeps its default."""

LARGEST = 30_000_000
"""Parameters; a type that these sizes do not make small is left out."""


def small_config(model_type: str) -> Any:
    """A small config of the type; None where its config class refuses."""
    transformers = pytest.importorskip("transformers", reason="the checkpoints are saved by the installed transformers")
    pytest.importorskip("torch", reason="the checkpoints are saved by the installed transformers")
    if transformers.__version__ != json.loads((DATA / "common.json").read_text("utf-8"))["transformers"]:
        pytest.skip(f"the tables were built with another transformers than {transformers.__version__}")
    transformers.logging.set_verbosity_error()
    config_class = transformers.CONFIG_MAPPING[model_type]
    usual = config_class().to_dict()
    sizes = {key: value for key, value in SIZES.items() if key in usual}
    ids = {key: 3 for key, value in usual.items() if key.endswith("_token_id") and isinstance(value, int)}
    if usual.get("is_encoder_decoder"):
        ids["decoder_start_token_id"] = 2
    return config_class(**{**ids, **sizes})


def saved(model_type: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """Each class of the type that can be built small, saved with its own weights."""
    import torch
    import transformers

    known = find(model_type)
    assert known is not None
    for name in dict.fromkeys(known.classes.values()):
        config = small_config(model_type)
        try:
            with torch.device("meta"):
                model = getattr(transformers, name)(config)
        except (ValueError, TypeError, AttributeError, NotImplementedError):
            continue
        if sum(one.numel() for one in model.parameters()) > LARGEST:
            continue
        getattr(transformers, name)(config).save_pretrained(folder / name)
        yield name, folder / name


def strays(folder: Path, name: str) -> dict[str, set[str]]:
    """What would be missing, unexpected or mismatched; nothing where the tables say that they do not know."""
    try:
        return names(facts(folder, model_class=name).loading)
    except Unavailable:
        return {}


@pytest.mark.slow
@pytest.mark.parametrize("model_type", sorted(model_types()))
def test_a_healthy_checkpoint_raises_no_alarm(model_type, tmp_path):
    """Every stored class, loaded as itself: nothing missing, nothing left over, no key to complain of."""
    alarms, seen = [], 0
    for name, folder in saved(model_type, tmp_path):
        report = check.run(folder, model_class=name, select=["CFG", "MOD"])
        alarms += [
            f"{name}: {finding.code} {finding.name}: {finding.message}"
            for finding in report.findings
            if str(finding.level) != "note"
        ]
        alarms += [f"{name}: {kind} {sorted(which)[:3]}" for kind, which in strays(folder, name).items() if which]
        seen += 1
    if not seen:
        pytest.skip(f"{model_type} cannot be built small")
    assert not alarms, "\n".join(alarms)
