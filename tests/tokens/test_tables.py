"""Which tensors have one row an id: tied and untied heads, biases, nested configs, shards, unknown models."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pretune.artifacts.source import FolderSource
from pretune.core.errors import UserError
from pretune.tokens.inner_folder import Within, inner_folder
from pretune.tokens.tables import IdTables, find_tables
from tokens.checkpoints import LLAMA, llama, write_checkpoint
from weight_samples import write_bin


def told(tables: IdTables) -> dict[str, tuple[str, int, str]]:
    """Name -> (role, axis, tied to)."""
    return {table.name: (table.role, table.axis, table.tied_to) for table in tables.tables}


def test_minilm(minilm: Path) -> None:
    """The one table of a sentence encoder."""
    tables = find_tables(minilm)
    assert told(tables) == {"embeddings.word_embeddings.weight": ("input", 0, "")}
    assert (tables.rows, tables.input.width, tables.has_head, tables.size_pointer) == (30522, 384, False, "/vocab_size")


def test_masked_lm_heads(make_model: Callable[..., Path]) -> None:
    """BERT keeps a bias beside its tied matrix; where the copies are stored too, they are named as copies."""
    tables = find_tables(make_model("bert", model_class="BertForMaskedLM"))
    assert tables.tied
    assert tables.has_head
    assert told(tables) == {
        "bert.embeddings.word_embeddings.weight": ("input", 0, ""),
        "cls.predictions.bias": ("bias", 0, ""),
    }
    rows = tables.rows
    more = {"cls.predictions.decoder.weight": (rows, 16), "cls.predictions.decoder.bias": (rows,)}
    tables = find_tables(make_model("bert", name="stored", model_class="BertForMaskedLM", tensors=more))
    assert told(tables) == {
        "bert.embeddings.word_embeddings.weight": ("input", 0, ""),
        "cls.predictions.decoder.weight": ("output", 0, "bert.embeddings.word_embeddings.weight"),
        "cls.predictions.bias": ("bias", 0, ""),
        "cls.predictions.decoder.bias": ("bias", 0, "cls.predictions.bias"),
    }


def test_causal_lm(tmp_path: Path) -> None:
    """An untied head in another shard; tied, there is none."""
    tables = find_tables(llama(tmp_path / "untied"))
    assert told(tables) == {"model.embed_tokens.weight": ("input", 0, ""), "lm_head.weight": ("output", 0, "")}
    assert not tables.tied
    assert tables.output is not None
    assert tables.output.tensor.file == "model-00003-of-00003.safetensors"
    tables = find_tables(llama(tmp_path / "tied", tied=True))
    assert list(told(tables)) == ["model.embed_tokens.weight"]
    assert tables.tied
    assert tables.has_head
    assert tables.output is None


def test_bart_bias_has_its_ids_behind(tmp_path: Path) -> None:
    """final_logits_bias has the shape (1, ids); copies of the shared table are named as such."""
    config = {
        "architectures": ["BartForConditionalGeneration"], "model_type": "bart", "vocab_size": 50, "d_model": 8,
        "encoder_layers": 0, "decoder_layers": 0,
    }  # fmt: skip
    shapes = {
        "model.encoder.embed_tokens.weight": ((50, 8), "F32"),
        "model.shared.weight": ((50, 8), "F32"),
        "final_logits_bias": ((1, 50), "F32"),
        "model.decoder.embed_positions.weight": ((50, 8), "F32"),
    }
    tables = find_tables(write_checkpoint(tmp_path / "m", config, [shapes]))
    assert tables.input.name == "model.shared.weight"
    assert told(tables)["final_logits_bias"] == ("bias", 1, "")
    assert told(tables)["model.encoder.embed_tokens.weight"] == ("input", 0, "model.shared.weight")
    assert "model.decoder.embed_positions.weight" not in told(tables)
    assert all(table.contiguous for table in tables.tables)


def test_columns(tmp_path: Path) -> None:
    """A part of MobileBERT's head has one column an id, and says so."""
    config = {
        "architectures": ["MobileBertForMaskedLM"], "model_type": "mobilebert", "vocab_size": 50, "hidden_size": 12,
        "embedding_size": 8, "num_hidden_layers": 0,
    }  # fmt: skip
    shapes = {
        "mobilebert.embeddings.word_embeddings.weight": ((50, 8), "F32"),
        "cls.predictions.dense.weight": ((4, 50), "F32"),
        "cls.predictions.bias": ((50,), "F32"),
    }
    tables = find_tables(write_checkpoint(tmp_path / "m", config, [shapes]))
    assert [table.name for table in tables.tables if not table.contiguous] == ["cls.predictions.dense.weight"]
    assert tables.get("cls.predictions.dense.weight").rows == 50


def test_nested_config(tmp_path: Path) -> None:
    """The text part of a model of several parts, behind a longer prefix; vocab_size stands deeper."""
    config = {
        "model_type": "gemma3",
        "text_config": {**LLAMA, "model_type": "llama"},
        "vision_config": {"hidden_size": 4},
    }
    shapes = {
        "language_model.model.embed_tokens.weight": ((40, 8), "BF16"),
        "language_model.lm_head.weight": ((40, 8), "BF16"),
        "vision_tower.embeddings.position_embedding.weight": ((40, 8), "BF16"),
    }
    tables = find_tables(write_checkpoint(tmp_path / "m", config, [shapes]))
    assert list(told(tables)) == ["language_model.model.embed_tokens.weight", "language_model.lm_head.weight"]
    assert tables.size_pointer == "/text_config/vocab_size"


def test_sentence_transformers_folder(make_model: Callable[..., Path], tmp_path: Path) -> None:
    """The transformer's own folder inside a sentence-transformers model is found by modules.json."""
    inside = make_model("bert", name="whole/0_Transformer")
    modules = [{"idx": 0, "name": "0", "path": "0_Transformer", "type": "sentence_transformers.models.Transformer"}]
    (tmp_path / "whole" / "modules.json").write_text(json.dumps(modules))
    tables = find_tables(tmp_path / "whole")
    assert tables.source.path("config.json") == inside / "config.json"
    assert inner_folder(tables.source) is tables.source
    modules[0]["path"] = "../../etc"
    (tmp_path / "whole" / "modules.json").write_text(json.dumps(modules))
    whole = FolderSource("m", tmp_path / "whole")
    assert inner_folder(whole) is whole


def test_a_folder_of_any_source(make_model: Callable[..., Path], tmp_path: Path) -> None:
    """A folder inside a source that is no folder here gives the same files."""
    make_model("bert", name="whole/0_Transformer")
    within = Within(FolderSource("m", tmp_path / "whole"), "0_Transformer")
    assert find_tables(within).rows == find_tables(tmp_path / "whole" / "0_Transformer").rows
    assert "config.json" in within.names()
    assert within.at("config.json", "/vocab_size") == "m/0_Transformer/config.json:/vocab_size"
    assert not within.has("../x")


def unknown(folder: Path, config: dict[str, Any], *names: str, rows: int = 30) -> Path:
    """A checkpoint of a model type without a table, with square-cut matrices of these names."""
    return write_checkpoint(folder, config, [dict.fromkeys(names, ((rows, 8), "F16")) | {"x.bias": ((8,), "F16")}])


def test_unknown_models(tmp_path: Path) -> None:
    """By usual names, then by vocab_size; companions by their names."""
    tables = find_tables(
        unknown(tmp_path / "a", {"model_type": "new"}, "core.embed_tokens.weight", "core.lm_head.weight")
    )
    assert told(tables) == {
        "core.embed_tokens.weight": ("input", 0, ""),
        "core.lm_head.weight": ("output", 0, ""),
    }
    config = {"model_type": "new", "vocab_size": 30}
    assert find_tables(unknown(tmp_path / "b", config, "core.lookup.weight")).input.name == "core.lookup.weight"
    assert find_tables(unknown(tmp_path / "c", config, "core.emb.weight", "core.lm_head.weight")).input.name == (
        "core.emb.weight"
    )


@pytest.mark.parametrize(
    ("config", "names", "said"),
    [
        ({"vocab_size": 30}, ("a.weight", "b.weight"), "2 tensors have 30 rows"),
        ({"vocab_size": 30}, ("a.emb.weight", "b.emb.weight"), "none bears a word embedding's usual name"),
        ({"vocab_size": 31}, ("a.weight",), "no matrix of the weights has the 31 rows"),
        ({}, ("a.weight",), "config.json states no vocab_size"),
        ({"vocab_size": True}, ("a.weight",), "config.json states no vocab_size"),
    ],
)
def test_doubt_is_said(tmp_path: Path, config: dict[str, Any], names: tuple[str, ...], said: str) -> None:
    """Where it cannot be told which tensor is the word embedding, a sentence says so."""
    with pytest.raises(UserError, match=said):
        find_tables(unknown(tmp_path / "m", {"model_type": "new", **config}, *names))


def test_two_sizes(tmp_path: Path) -> None:
    """A head with other rows than the embedding is refused."""
    shapes = {"model.embed_tokens.weight": ((40, 8), "F32"), "lm_head.weight": ((48, 8), "F32")}
    with pytest.raises(UserError, match=r"40 rows and lm_head.weight 48"):
        find_tables(write_checkpoint(tmp_path / "m", LLAMA, [shapes]))


def test_no_weights_and_damaged_ones(make_model: Callable[..., Path]) -> None:
    """None, an interrupted download, a missing shard: one sentence each."""
    with pytest.raises(UserError, match="holds no weights"):
        find_tables(make_model("bert", weights=False))
    folder = make_model("bert", name="cut")
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[:-10])
    with pytest.raises(UserError, match="interrupted"):
        find_tables(folder)


def test_a_missing_shard(tmp_path: Path) -> None:
    """A shard that the index names and the folder lacks is said."""
    folder = llama(tmp_path / "m")
    (folder / "model-00002-of-00003.safetensors").unlink()
    with pytest.raises(UserError, match="are missing"):
        find_tables(folder)


def test_pickles_are_read_too(make_model: Callable[..., Path]) -> None:
    """The tables of a pickle are found without opening it as one."""
    folder = make_model("bert", weights=False)
    write_bin(folder / "pytorch_model.bin", {"bert.embeddings.word_embeddings.weight": (7, 4), "pooler.bias": (4,)})
    tables = find_tables(folder)
    assert (tables.rows, tables.input.tensor.start) == (7, None)


@pytest.mark.slow
def test_every_model_type_of_transformers(tmp_path: Path) -> None:
    """For small models of many types: resize_token_embeddings changes exactly the stored tables that were found."""
    torch = pytest.importorskip("torch")
    import transformers

    for model_type, auto in MODELS.items():
        sizes = {key: size for key, size in SMALL.items() if model_type != "xlnet" or key != "max_position_embeddings"}
        config = transformers.AutoConfig.for_model(model_type, **sizes)
        with torch.no_grad():
            model = getattr(transformers, auto).from_config(config)
        folder = tmp_path / model_type
        model.save_pretrained(folder)
        before = dict(find_tables(folder).weights.tensors)
        found = {table.name for table in find_tables(folder).tables}
        model.resize_token_embeddings(SMALL["vocab_size"] + 3, mean_resizing=False)
        shutil.rmtree(folder)
        model.save_pretrained(folder)
        after = find_tables(folder).weights.tensors
        assert {name for name in before if before[name].shape != after[name].shape} == found, model_type


SMALL: dict[str, Any] = {
    "vocab_size": 53, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
    "d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
    "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "n_embd": 16, "n_layer": 2, "n_head": 2, "dim": 16, "n_layers": 2,
    "n_heads": 2, "hidden_dim": 24, "embedding_size": 16, "num_layers": 2, "num_heads": 2, "d_kv": 8, "d_ff": 16,
    "max_position_embeddings": 64, "num_key_value_heads": 2, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
    "decoder_start_token_id": 0, "head_dim": 8,
}  # fmt: skip
MODELS = {
    "bert": "AutoModelForMaskedLM", "roberta": "AutoModelForMaskedLM", "electra": "AutoModelForMaskedLM",
    "albert": "AutoModelForMaskedLM", "distilbert": "AutoModelForMaskedLM", "deberta-v2": "AutoModelForMaskedLM",
    "mpnet": "AutoModelForMaskedLM", "modernbert": "AutoModelForMaskedLM", "xlm-roberta": "AutoModelForMaskedLM",
    "camembert": "AutoModelForMaskedLM", "gpt2": "AutoModelForCausalLM", "llama": "AutoModelForCausalLM",
    "qwen2": "AutoModelForCausalLM", "qwen3": "AutoModelForCausalLM", "gemma": "AutoModelForCausalLM",
    "gpt_neox": "AutoModelForCausalLM", "opt": "AutoModelForCausalLM", "bart": "AutoModelForSeq2SeqLM",
    "mbart": "AutoModelForSeq2SeqLM", "t5": "AutoModelForSeq2SeqLM", "mt5": "AutoModelForSeq2SeqLM",
    "exaone4": "AutoModelForCausalLM", "xlnet": "AutoModelForCausalLM", "bloom": "AutoModelForCausalLM",
}  # fmt: skip
