"""The small models that tests are made of are models that transformers loads without a word."""

import struct

import pytest

import small_model

CLASSES = [
    f"{family}{head}"
    for family in ("Bert", "Roberta")
    for head in ("Model", "ForMaskedLM", "ForQuestionAnswering", "ForSequenceClassification", "ForTokenClassification")
] + ["BertForPreTraining"]


@pytest.mark.slow
@pytest.mark.parametrize("model_class", CLASSES)
def test_transformers_loads_it(make_model, model_class):
    """No key is missing, unexpected or mismatched, and the tokenizer reads Korean."""
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("torch")
    folder = make_model("roberta" if model_class.startswith("Roberta") else "bert", model_class=model_class)
    _, info = getattr(transformers, model_class).from_pretrained(folder, output_loading_info=True)
    assert not any(info.values())
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert tokenizer.tokenize("한국어 모델을 the") == ["한국어", "모델", "##을", "the"]
    assert tokenizer.unk_token_id not in tokenizer("한국어 모델을 학습", "abc")["input_ids"]


def test_faults_can_be_chosen(make_model):
    """Config, tensors and files can be changed, added and removed, each on its own."""
    folder = make_model(
        "bert",
        name="odd",
        config={"hidden_size": 99, "pad_token_id": ...},
        tensors={"pooler.dense.weight": ..., "extra": (3, 4)},
        tokenizer_json=None,
        files={"a/b.txt": "x"},
    )
    data = (folder / "model.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = data[8 : 8 + length]
    assert b'"extra":{"dtype":"F32","shape":[3,4]' in header
    assert b"pooler.dense.weight" not in header
    assert b"pooler.dense.bias" in header
    text = (folder / "config.json").read_text()
    assert '"hidden_size": 99' in text
    assert "pad_token_id" not in text
    assert not (folder / "tokenizer.json").exists()
    assert (folder / "a" / "b.txt").read_text() == "x"


def test_safetensors_reads_it(tmp_path):
    """The official reader accepts what is written here."""
    safetensors = pytest.importorskip("safetensors")
    small_model.write_safetensors(tmp_path / "x.safetensors", {"a": (2, 3), "b": ()}, dtype="BF16")
    with safetensors.safe_open(tmp_path / "x.safetensors", framework="np") as file:
        assert sorted(file.keys()) == ["a", "b"]
        assert file.get_slice("a").get_shape() == [2, 3]
