"""What a config says, under any of a key's names, and what stands where none is."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretune.artifacts.config import Config, as_labels, read_config
from pretune.artifacts.source import locate
from pretune.core.errors import UserError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def config_of(folder: Path, raw: Any, **files: Any) -> Config:
    """The config of a folder that holds `raw` as config.json."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(raw), "utf-8")
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content), "utf-8")
    return read_config(locate(str(folder)))


def test_a_folder_without_config_says_what_it_holds(tmp_path: Path) -> None:
    """One line names the folder, what is missing, and what lies there instead."""
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(UserError) as error:
        read_config(locate(str(tmp_path)))
    assert error.value.message == f"{tmp_path} has no config.json: is it a model folder?"
    assert "model.safetensors" in error.value.hint
    assert "\n" not in error.value.message + error.value.hint


def test_an_empty_folder_is_called_empty(tmp_path: Path) -> None:
    """The hint says so, for there is nothing to name."""
    with pytest.raises(UserError) as error:
        read_config(locate(str(tmp_path)))
    assert "is empty" in error.value.hint


def test_a_training_output_folder_points_to_its_checkpoint(tmp_path: Path) -> None:
    """Trainer's output folder holds checkpoint-N folders, one of which was meant."""
    (tmp_path / "checkpoint-500").mkdir()
    (tmp_path / "checkpoint-500" / "config.json").write_text("{}", "utf-8")
    with pytest.raises(UserError) as error:
        read_config(locate(str(tmp_path)))
    assert "checkpoint-500" in error.value.hint


def test_an_adapter_folder_names_the_model_it_belongs_to(tmp_path: Path) -> None:
    """An adapter is no model; its own config says which one to give."""
    (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "klue/roberta-base"}', "utf-8")
    with pytest.raises(UserError, match="adapter") as error:
        read_config(locate(str(tmp_path)))
    assert '"klue/roberta-base"' in error.value.hint


@pytest.mark.parametrize("raw", [[], "text", 3, None, True])
def test_a_config_that_is_no_object_is_one_line(tmp_path: Path, raw: object) -> None:
    """A list, a string, a number and null are refused by name."""
    with pytest.raises(UserError, match=r"config\.json"):
        config_of(tmp_path, raw)


def test_an_alias_and_the_real_name_are_one_key(tmp_path: Path) -> None:
    """GPT-2 writes n_embd, code asks for hidden_size; the pointer is where it stands in the file."""
    config = config_of(tmp_path, {"model_type": "gpt2", "n_embd": 24})
    assert config.get("hidden_size") == config.get("n_embd") == 24
    assert config.pointer("hidden_size") == "/n_embd"
    assert config.real("hidden_size") == "n_embd"


def test_an_alias_in_the_file_is_read_too(tmp_path: Path) -> None:
    """A GPT-2 config may say hidden_size, which transformers takes for n_embd."""
    config = config_of(tmp_path, {"model_type": "gpt2", "hidden_size": 24})
    assert config.get("n_embd") == 24
    assert config.at("n_embd").endswith("config.json:/hidden_size")


def test_a_key_left_out_has_its_model_types_default(tmp_path: Path) -> None:
    """BERT's default of 12 layers counts where the file says nothing; a stated null stays null."""
    config = config_of(tmp_path, {"model_type": "bert", "pad_token_id": None})
    assert config.get("num_hidden_layers") == 12
    assert config.get("pad_token_id", 7) is None
    assert config.get("no_such_key", 7) == 7
    assert config.stated("num_hidden_layers") is None


def test_the_text_part_of_a_config_of_several_parts_is_read(tmp_path: Path) -> None:
    """A vision-language config keeps its vocabulary in text_config; what stands beside it is found as well."""
    raw = {"model_type": "llava", "tie_word_embeddings": True, "text_config": {"model_type": "llama", "vocab_size": 99}}
    config = config_of(tmp_path, raw)
    assert config.text_pointer == "/text_config"
    assert (config.get("vocab_size"), config.get("tie_word_embeddings")) == (99, True)
    assert config.pointer("vocab_size") == "/text_config/vocab_size"
    assert config.text_architecture is not None
    assert config.text_architecture.model_type == "llama"


@pytest.mark.parametrize("key", ["text_config", "llm_config", "decoder"])
def test_a_nested_part_of_a_wrong_type_is_left_alone(tmp_path: Path, key: str) -> None:
    """A text_config that is a list or a number is no text config."""
    config = config_of(tmp_path, {"model_type": "bert", key: [1, 2]})
    assert config.text_pointer == ""
    assert config.text is config.raw


def test_old_and_new_name_of_the_dtype_are_one(tmp_path: Path) -> None:
    """Transformers 4 wrote torch_dtype, transformers 5 writes dtype, code may write torch.float16."""
    assert config_of(tmp_path, {"torch_dtype": "float16"}).dtype == "float16"
    assert config_of(tmp_path, {"dtype": "torch.bfloat16"}).dtype == "bfloat16"
    assert config_of(tmp_path, {"dtype": 3}).dtype is None


def test_labels_have_numbers_as_ids(tmp_path: Path) -> None:
    """JSON has text keys only; transformers makes numbers of them, and two labels of none."""
    assert config_of(tmp_path, {"id2label": {"0": "부정", "1": "긍정", "2": "중립"}}).labels == {
        0: "부정",
        1: "긍정",
        2: "중립",
    }
    assert config_of(tmp_path, {"id2label": {"0": "a", "1": "b", "2": "c"}}).num_labels == 3
    assert config_of(tmp_path, {}).num_labels == 2
    assert config_of(tmp_path, {"num_labels": 1, "id2label": {"0": "a", "1": "b"}}).num_labels == 1
    assert as_labels({"first": "a"}) is None
    assert as_labels(["a"]) is None


def test_the_generation_config_is_read_when_there_is_one(tmp_path: Path) -> None:
    """It is empty when the file is absent."""
    assert config_of(tmp_path, {}).generation == {}
    assert config_of(tmp_path, {}, generation_config={"eos_token_id": [1, 2]}).generation == {"eos_token_id": [1, 2]}


def test_wrong_types_of_what_every_config_has_are_tolerated(tmp_path: Path) -> None:
    """A number for a name, a string for a list: read as absent, for a rule to speak of."""
    raw = {
        "model_type": 3,
        "architectures": "BertModel",
        "_name_or_path": [],
        "auto_map": 1,
        "quantization_config": "8bit",
    }
    config = config_of(tmp_path, raw)
    assert (config.model_type, config.architectures, config.name_or_path) == (None, (), None)
    assert config.auto_map == config.quantization == {}


@given(
    raw=st.dictionaries(st.sampled_from(["model_type", "text_config", "id2label", "dtype", "num_labels", "x"]), JSON)
)
def test_no_config_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, raw: dict[str, Any]) -> None:
    """Whatever the values are, every question has an answer."""
    config = config_of(tmp_path_factory.mktemp("odd"), raw)
    for key in (*raw, "hidden_size", "~/"):
        config.get(key)
        assert config.at(key)
    assert config.num_labels is not None
    assert config.labels is None or all(isinstance(index, int) for index in config.labels)


def test_real_configs_are_read(shared_assets: Path) -> None:
    """Every config of the shared assets has a model type, a vocabulary and an architecture."""
    folders = sorted(path.parent for path in shared_assets.glob("*/*/config.json"))
    assert len(folders) >= 15
    for folder in folders:
        config = read_config(locate(str(folder)))
        assert config.architecture is not None, folder.name
        assert config.get("vocab_size") > 8000, folder.name
