"""What loading would do, held against what from_pretrained of the installed transformers reports."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ask_facts import facts, names

MakeModel = Callable[..., Path]


TINY: dict[str, dict[str, Any]] = {
    "bert": {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 60, "max_position_embeddings": 32},
    "roberta": {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 60, "max_position_embeddings": 34},
    "electra": {"hidden_size": 16, "embedding_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 60, "max_position_embeddings": 32},
    "distilbert": {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32, "vocab_size": 60, "max_position_embeddings": 32},
    "gpt2": {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 32, "vocab_size": 60},
    "llama": {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 32, "vocab_size": 60},
    "t5": {"d_model": 16, "num_layers": 2, "num_heads": 2, "d_kv": 8, "d_ff": 32, "vocab_size": 60},
}  # fmt: skip

CLASSES: dict[str, tuple[str, ...]] = {
    "bert": (
        "AutoModel",
        "AutoModelForMaskedLM",
        "AutoModelForSequenceClassification",
        "AutoModelForQuestionAnswering",
    ),
    "roberta": ("AutoModel", "AutoModelForMaskedLM", "AutoModelForTokenClassification"),
    "electra": ("AutoModel", "AutoModelForMaskedLM", "AutoModelForSequenceClassification"),
    "distilbert": ("AutoModel", "AutoModelForMaskedLM", "AutoModelForQuestionAnswering"),
    "gpt2": ("AutoModel", "AutoModelForCausalLM", "AutoModelForSequenceClassification"),
    "llama": ("AutoModel", "AutoModelForCausalLM", "AutoModelForSequenceClassification"),
    "t5": ("AutoModel", "AutoModelForSeq2SeqLM"),
}

DAMAGES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "as saved": lambda table: table,
    "wrapped": lambda table: {f"module.{name}": tensor for name, tensor in table.items()},
    "layer 1 gone": lambda table: {name: tensor for name, tensor in table.items() if ".1." not in name},
    "old names": lambda table: {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor for name, tensor in table.items()
    },
    "one row more": lambda table: {name: _longer(tensor) if "embed" in name or "wte" in name else tensor for name, tensor in table.items()},
    "another prefix": lambda table: {f"other.{name}" if index % 2 else name: tensor for index, (name, tensor) in enumerate(table.items())},
    "buffers": lambda table: table | {"embeddings.position_ids": _zeros(1, 8), "model.layers.0.self_attn.rotary_emb.inv_freq": _zeros(2)},
    "embedding gone": lambda table: {name: tensor for name, tensor in table.items() if "embeddings" not in name and "wte" not in name and "embed_tokens" not in name},
}  # fmt: skip


def _longer(tensor: Any) -> Any:
    import torch

    return torch.cat([tensor, tensor[:1]])


def _zeros(*shape: int) -> Any:
    import torch

    return torch.zeros(*shape)


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A tiny pretrained model of each type, saved by transformers, with its language-model head."""
    transformers = pytest.importorskip("transformers", reason="needs transformers to hold the tables against it")
    pytest.importorskip("torch", reason="needs torch to build models")
    transformers.logging.set_verbosity_error()
    folders = {}
    for kind, sizes in TINY.items():
        config = transformers.AutoConfig.for_model(kind, **sizes)
        auto = {"gpt2": "AutoModelForCausalLM", "llama": "AutoModelForCausalLM", "t5": "AutoModelForSeq2SeqLM"}.get(
            kind, "AutoModelForMaskedLM"
        )
        folders[kind] = tmp_path_factory.mktemp(kind)
        getattr(transformers, auto).from_config(config).save_pretrained(folders[kind])
    return folders


def said_by_transformers(folder: Path, auto: str, config: dict[str, Any]) -> dict[str, set[str]]:
    """What from_pretrained itself reports."""
    import transformers

    transformers.utils.logging.disable_progress_bar()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loader = getattr(transformers, auto)
        _, info = loader.from_pretrained(folder, output_loading_info=True, ignore_mismatched_sizes=True, **config)
    return {
        "missing": set(info["missing_keys"]),
        "unexpected": set(info["unexpected_keys"]),
        "mismatched": {name for name, *_ in info["mismatched_keys"]},
    }


def said_by_us(folder: Path, auto: str, config: dict[str, Any]) -> dict[str, set[str]]:
    """The same from the facts; a left-over tensor has the name it was renamed to, as transformers gives it."""
    found = facts(folder, model_class=auto, config=config, from_pretrained={"ignore_mismatched_sizes": True})
    said = names(found.loading)
    architecture = found.model.architecture
    assert architecture is not None
    said["unexpected"] = {architecture.renamed(name).names[0] for name in said["unexpected"]}
    return said


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", TINY)
def test_loading_is_what_transformers_reports(
    tiny_models: dict[str, Path], tmp_path: Path, kind: str, damage: str
) -> None:
    """For every class, healthy or damaged: the same missing, unexpected and mismatched names."""
    from safetensors.torch import load_file, save_file

    tensors = DAMAGES[damage](load_file(tiny_models[kind] / "model.safetensors"))
    save_file(
        {name: tensor.contiguous().clone() for name, tensor in tensors.items()},
        tmp_path / "model.safetensors",
        {"format": "pt"},
    )
    (tmp_path / "config.json").write_bytes((tiny_models[kind] / "config.json").read_bytes())
    for auto in CLASSES[kind]:
        assert said_by_us(tmp_path, auto, {}) == said_by_transformers(tmp_path, auto, {}), auto


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("bert", {"num_hidden_layers": 4}),
        ("bert", {"num_hidden_layers": 1}),
        ("bert", {"intermediate_size": 64}),
        ("bert", {"vocab_size": 64}),
        ("bert", {"tie_word_embeddings": False}),
        ("roberta", {"type_vocab_size": 1}),
        ("roberta", {"max_position_embeddings": 40}),
        ("electra", {"embedding_size": 16}),
        ("gpt2", {"n_layer": 3}),
        ("gpt2", {"tie_word_embeddings": False}),
        ("llama", {"tie_word_embeddings": True}),
        ("llama", {"num_key_value_heads": 4}),
        ("llama", {"attention_bias": True}),
        ("t5", {"num_layers": 1}),
    ],
)
def test_loading_under_edits_is_what_transformers_reports(
    tiny_models: dict[str, Path], kind: str, config: dict[str, Any]
) -> None:
    """Keys given to from_pretrained change what is expected, in the same way."""
    for auto in CLASSES[kind]:
        assert said_by_us(tiny_models[kind], auto, config) == said_by_transformers(tiny_models[kind], auto, config), (
            auto
        )


def test_a_checkpoint_with_a_head_of_another_size(tiny_models: dict[str, Path], tmp_path: Path) -> None:
    """Three trained labels, two asked for: the head is mismatched, nothing else."""
    import transformers

    folder = tmp_path / "three"
    transformers.AutoModelForSequenceClassification.from_pretrained(tiny_models["bert"], num_labels=3).save_pretrained(
        folder
    )
    said = said_by_us(folder, "AutoModelForSequenceClassification", {"num_labels": 2})
    assert said == said_by_transformers(folder, "AutoModelForSequenceClassification", {"num_labels": 2})
    assert said["mismatched"] == {"classifier.weight", "classifier.bias"}
