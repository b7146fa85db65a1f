"""Is [CLS] a sentence vector: the pooler, the declared pooling, its width and lengths."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ask_rules import found, is_asked, levels
from pretune.check.facts import Facts
from pretune.check.facts.lengths import LengthFacts, Row
from pretune.check.facts.sentence_vector import SentenceVectorFacts
from pretune.check.finding import Unavailable
from pretune.check.rules.sentence_vector import (
    RULES,
    any_padding_changes_vectors,
    declared_pooling_not_used,
    first_token_behind_left_padding,
    first_token_of_causal_model,
    pooler_never_trained,
    pooling_ambiguous,
    pooling_width_differs,
    sentence_length_beyond_positions,
    sentence_length_beyond_trained,
    sentence_vector_not_declared,
)
from pretune.check.sources.setup import Setup

MakeModel = Callable[..., Path]
MEAN = {"word_embedding_dimension": 16, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}


def _sentence_model(make_model: MakeModel, pooling: Any = MEAN, *, lengths: Any = None, name: str = "model") -> Path:
    files: dict[str, Any] = {"1_Pooling/config.json": pooling}
    if lengths is not None:
        files["sentence_bert_config.json"] = lengths
    return make_model("bert", name=name, files=files)


def _set_bias(folder: Path, values: list[float]) -> None:
    """Write values into the pooler's bias."""
    path = folder / "model.safetensors"
    raw = bytearray(path.read_bytes())
    size = struct.unpack("<Q", raw[:8])[0]
    start = json.loads(raw[8 : 8 + size])["pooler.dense.bias"]["data_offsets"][0]
    raw[8 + size + start : 8 + size + start + 4 * len(values)] = struct.pack(f"<{len(values)}f", *values)
    path.write_bytes(raw)


def test_healthy(make_model: MakeModel) -> None:
    """A folder that declares mean pooling, with lengths that fit, has nothing to say for similarity."""
    folder = _sentence_model(make_model, lengths={"max_seq_length": 64})
    setup = Setup(model=str(folder), task="sentence-similarity")
    assert all(is_asked(rule, setup) for rule in RULES)
    assert [finding for rule in RULES for finding in found(rule, setup)] == []


def test_not_asked_for_other_tasks(make_model: MakeModel) -> None:
    """A folder without a pooling file and a task without a sentence vector: skipped, with the reason."""
    with pytest.raises(Unavailable, match="takes no sentence vector"):
        _ = Facts(Setup(model=str(make_model("bert")), task="question-answering")).sentence_vector


def test_pooler_never_trained(make_model: MakeModel) -> None:
    """A pooler whose bias is all zero is a note where the head reads it; one value is enough to be quiet."""
    folder = make_model("bert")
    setup = Setup(model=str(folder), task="text-classification")
    (finding,) = found(pooler_never_trained, setup)
    assert finding.level == "note"
    assert "BertForSequenceClassification reads the pooler, whose bias is all zero (16 values" in finding.message
    assert finding.where.endswith("pooler.dense.weight")
    assert found(pooler_never_trained, Setup(model=str(folder), task="sentence-similarity")) == []
    _set_bias(folder, [0.0, 0.25])
    assert found(pooler_never_trained, setup) == []
    roberta = Setup(model=str(make_model("roberta", name="b")), task="text-classification")
    assert found(pooler_never_trained, roberta) == [], "RoBERTa's head reads the first token itself"


def test_pooling_width_differs(make_model: MakeModel) -> None:
    """The pooling file of another model: 32 dimensions where hidden_size is 16, under its old and its new key."""
    for name, key in (("a", "word_embedding_dimension"), ("b", "embedding_dimension")):
        folder = _sentence_model(make_model, {key: 32, "pooling_mode": "mean"}, name=name)
        (finding,) = found(pooling_width_differs, Setup(model=str(folder)))
        assert finding.message == "the pooling file expects 32 dimensions, but hidden_size is 16"
        assert finding.where == f"{folder}/1_Pooling/config.json:/{key}"
        assert finding.level == "warning"
    for width in (16, None, "32", True, -1):
        folder = _sentence_model(make_model, {"word_embedding_dimension": width}, name=f"c{width}")
        assert found(pooling_width_differs, Setup(model=str(folder))) == []


@pytest.mark.parametrize(
    ("pooling", "level", "says"),
    [
        (MEAN, [], ""),
        ({"embedding_dimension": 16, "pooling_mode": "cls"}, [], ""),
        ({"embedding_dimension": 16}, [], ""),
        ({}, [], ""),
        ([1], [], ""),
        ("no json", [], ""),
        ({"pooling_mode_cls_token": False}, ["warning"], "0 modes, expected 1: none"),
        ({"pooling_mode": []}, ["warning"], "0 modes, expected 1: none"),
        (
            {"word_embedding_dimension": 16, "pooling_mode_cls_token": True, "pooling_mode_max_tokens": True},
            ["note"],
            "2 modes, expected 1: `cls`, `max`, which makes a vector of 32",
        ),
        ({"pooling_mode": ["cls", "mean", "max"]}, ["note"], "3 modes"),
    ],
)
def test_pooling_ambiguous(make_model: MakeModel, pooling: Any, level: list[str], says: str) -> None:
    """No mode is a warning, several are a note, one is what is meant; a file that says nothing leaves the default."""
    findings = found(pooling_ambiguous, Setup(model=str(_sentence_model(make_model, pooling))))
    assert levels(findings) == level
    assert says in "".join(finding.message for finding in findings)


def test_pooling_folder_by_modules(make_model: MakeModel) -> None:
    """modules.json names the folder; a broken one leaves the usual name."""
    modules = [
        {"type": "sentence_transformers.models.Transformer", "path": ""},
        {"type": "sentence_transformers.models.Pooling", "path": "2_Pool"},
    ]
    files = {
        "modules.json": modules,
        "2_Pool/config.json": {"word_embedding_dimension": 32},
        "1_Pooling/config.json": MEAN,
    }
    (finding,) = found(pooling_width_differs, Setup(model=str(make_model("bert", files=files))))
    assert finding.where.endswith("2_Pool/config.json:/word_embedding_dimension")
    for number, broken in enumerate(("{", [1, None], {"a": 1}, [{"type": "Pooling", "path": "../../etc"}])):
        folder = make_model("bert", name=str(number), files={"modules.json": broken, "1_Pooling/config.json": MEAN})
        assert Facts(Setup(model=str(folder))).sentence_vector.pooling == ("mean",)


def test_sentence_vector_not_declared(make_model: MakeModel) -> None:
    """Similarity on a plain BERT: a note that nothing says what represents a sentence."""
    folder = make_model("bert")
    assert levels(found(sentence_vector_not_declared, Setup(model=str(folder), task="sentence-similarity"))) == ["note"]
    assert found(sentence_vector_not_declared, Setup(model=str(folder), task="text-classification")) == []
    declared = _sentence_model(make_model, name="b")
    assert found(sentence_vector_not_declared, Setup(model=str(declared), task="sentence-similarity")) == []


def test_declared_pooling_not_used(make_model: MakeModel) -> None:
    """A mean-pooled model under a head that reads the first token is a note; [CLS] pooling or similarity is not."""
    folder = _sentence_model(make_model)
    (finding,) = found(declared_pooling_not_used, Setup(model=str(folder), task="text-classification"))
    assert finding.level == "note"
    assert "declares mean pooling, but BertForSequenceClassification reads the first token" in finding.message
    assert found(declared_pooling_not_used, Setup(model=str(folder), task="sentence-similarity")) == []
    cls = _sentence_model(make_model, {"pooling_mode": "cls"}, name="b")
    assert found(declared_pooling_not_used, Setup(model=str(cls), task="text-classification")) == []


@pytest.mark.parametrize(("limit", "fires"), [(66, True), (65, True), (64, False), (None, False), ("66", False)])
def test_sentence_length_beyond_positions(make_model: MakeModel, limit: Any, fires: bool) -> None:
    """max_seq_length 66 over 64 positions fails at the first longer text; rotary positions do not."""
    folder = _sentence_model(make_model, lengths={"max_seq_length": limit})
    findings = found(sentence_length_beyond_positions, Setup(model=str(folder)))
    assert levels(findings) == (["warning"] if fires else [])
    soft = LengthFacts(positions=64, hard=False)
    assert found(sentence_length_beyond_positions, Setup(model=str(folder)), lengths=soft) == []


def test_sentence_length_beyond_trained(make_model: MakeModel) -> None:
    """Rows longer than max_seq_length are a note for similarity, unless they are cut there."""
    folder = _sentence_model(make_model, lengths={"max_seq_length": 32})
    setup = Setup(model=str(folder), task="sentence-similarity")
    rows = (Row("a:1", 40, 38), Row("a:2", 10, 8))
    (finding,) = found(sentence_length_beyond_trained, setup, lengths=LengthFacts(rows=rows))
    assert finding.message == "1 of 2 sampled rows have more tokens than max_seq_length 32, the longest 40"
    assert finding.level == "note"
    for lengths in (LengthFacts(rows=rows, max_length=32), LengthFacts(rows=rows[1:])):
        assert found(sentence_length_beyond_trained, setup, lengths=lengths) == []


def test_bias_that_cannot_be_read() -> None:
    """Without the bias's values nothing is said of the pooler."""
    facts = SentenceVectorFacts(pooler="pooler.dense.weight", uses_pooler=True)
    assert facts.pooler_bias == ()


def test_minilm(minilm: Path) -> None:
    """all-MiniLM-L6-v2: mean pooling; healthy for similarity, and two notes for a classifier, whose pooler has a zero bias."""
    similar = Setup(model=str(minilm), task="sentence-similarity", encode={"truncation": True, "max_length": 256})
    assert [finding for rule in RULES for finding in found(rule, similar)] == []
    classify = Setup(model=str(minilm), task="text-classification")
    noted = [finding for rule in RULES for finding in found(rule, classify)]
    assert [(finding.code, finding.level.value) for finding in noted] == [("CLS001", "note"), ("CLS005", "note")]


def test_sentence_transformers_agrees(tmp_path: Path) -> None:
    """sentence-transformers takes the mean where nothing is switched on, and puts several vectors side by side."""
    torch = pytest.importorskip("torch", reason="asks the real module")
    models = pytest.importorskip(
        "sentence_transformers.sentence_transformer.modules", reason="asks sentence-transformers 6"
    )
    tokens = {"token_embeddings": torch.ones(1, 3, 16), "attention_mask": torch.ones(1, 3)}
    for pooling, width, says in (
        ({"word_embedding_dimension": 16, "pooling_mode_mean_tokens": False}, 16, 16),
        ({"word_embedding_dimension": 16, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True}, 32, 32),
        ({"word_embedding_dimension": 8, "pooling_mode_mean_tokens": True}, 16, 8),
    ):
        (tmp_path / "config.json").write_text(json.dumps(pooling), "utf-8")
        module = models.Pooling.load(str(tmp_path))
        assert module(dict(tokens))["sentence_embedding"].shape[-1] == width
        assert module.pooling_output_dimension == says


def test_first_token_behind_left_padding(make_model: MakeModel) -> None:
    """Declared cls with left padding is named; with right padding, or with the mean, there is nothing to say."""
    cls = {"word_embedding_dimension": 16, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    for name, pooling, side, fires in (
        ("one", cls, "left", True),
        ("two", cls, "right", False),
        ("three", MEAN, "left", False),
    ):
        folder = _sentence_model(make_model, pooling, name=name)
        path = folder / "tokenizer_config.json"
        path.write_text(json.dumps({**json.loads(path.read_bytes()), "padding_side": side}))
        assert bool(found(first_token_behind_left_padding, Setup(model=str(folder)))) == fires


@pytest.mark.parametrize(("model_type", "moves", "blind"), [("fnet", True, False), ("gpt2", False, True)])
def test_model_types_that_mislead_a_pooling(make_model: MakeModel, model_type: str, moves: bool, blind: bool) -> None:
    """FNet's states move with any padding; GPT-2's first token sees nothing; BERT has neither fault."""
    cls = {"word_embedding_dimension": 16, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    folder = _sentence_model(make_model, cls)
    assert not found(any_padding_changes_vectors, Setup(model=str(folder)))
    assert not found(first_token_of_causal_model, Setup(model=str(folder)))
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "model_type": model_type}))
    assert bool(found(any_padding_changes_vectors, Setup(model=str(folder)))) == moves
    assert bool(found(first_token_of_causal_model, Setup(model=str(folder)))) == blind
