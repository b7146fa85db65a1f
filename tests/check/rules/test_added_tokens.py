"""VOC1: added tokens against the embedding's rows."""

import json
from pathlib import Path
from typing import Any

import pytest

from ask_rules import found, is_asked, levels, one
from conftest import MakeModel
from pretune.check.rules.added_tokens import (
    RULES,
    added_but_not_resized,
    added_id_taken,
    head_bias_left_zero,
    marker_not_added,
    resize_shrinks_table,
    resize_too_small,
    spare_slots_unused,
)
from pretune.check.sources.setup import Data, Setup
from tokenizer_samples import COUNT, HOLED, spec

NEW = ("코로나19", "의원")


def setup(folder: Path, **said: Any) -> Setup:
    """A setup of a model that adds two words."""
    return Setup(model=str(folder), **{"add_tokens": NEW, **said})


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule is not marker_not_added])
def test_healthy(make_model: MakeModel, rule: Any) -> None:
    """More words than spare slots are added, and the table is resized to len(tokenizer)."""
    words = tuple(f"새낱말{number}" for number in range(20))
    healthy = setup(make_model(model_class="BertForSequenceClassification"), add_tokens=words, resize=True)
    assert is_asked(rule, healthy)
    assert found(rule, healthy) == []


def test_not_resized(make_model: MakeModel) -> None:
    """V01: two tokens are added and no row for them."""
    problem = one(found(added_but_not_resized, setup(make_model())))
    assert problem.message == (
        f"2 added token(s) get ids up to {COUNT + 1}, but there are {COUNT} embedding rows and no resize: `코로나19`, `의원`"
    )
    assert found(added_but_not_resized, setup(make_model(name="b", sizes={"vocab_size": 256}))) == []
    assert found(added_but_not_resized, setup(make_model(name="c"), add_tokens=("한국",))) == []


def test_new_pad_token_is_added(make_model: MakeModel) -> None:
    """A pad token the vocabulary lacks needs a row, too."""
    asked = setup(make_model(), add_tokens=(), pad_token="<pad>")
    assert one(found(added_but_not_resized, asked)).where == "setup:/pad_token"


def test_resize_shrinks(make_model: MakeModel) -> None:
    """V03: a table with spare rows is cut to len(tokenizer)."""
    folder = make_model(sizes={"vocab_size": 256})
    problem = one(found(resize_shrinks_table, setup(folder, resize=True)))
    assert problem.level == "warning"
    assert f"resize to {COUNT + 2} rows shrinks a table of 256" in problem.message
    for resize in (None, 256, {"pad_to_multiple_of": 256}, 100):
        assert found(resize_shrinks_table, setup(folder, resize=resize)) == []


def test_resize_too_small(make_model: MakeModel) -> None:
    """A resize to tokenizer.vocab_size leaves out what was added; holes need the largest id + 1."""
    assert levels(found(resize_too_small, setup(make_model(), resize=COUNT))) == ["error"]
    holed = make_model(name="b", tokenizer_json=spec(HOLED))
    assert levels(found(resize_too_small, setup(holed, resize=True))) == ["error"]
    assert found(resize_too_small, setup(holed, resize=COUNT)) == []


def test_id_taken(make_model: MakeModel) -> None:
    """In a vocabulary with holes the next "new" id belongs to an old token."""
    problem = one(found(added_id_taken, setup(make_model(tokenizer_json=spec(HOLED)))))
    assert problem.message.startswith("2 added token(s) take an id in use: `코로나19` gets 169, `")
    assert problem.message.endswith("the vocabulary has 10 holes")
    assert found(added_id_taken, setup(make_model(name="b"))) == []


def rows(tmp_path: Path, text: str, count: int = 40) -> Data:
    """A classification file that repeats a text."""
    path = tmp_path / "train.jsonl"
    path.write_text("".join(json.dumps({"text": f"{text} {n}", "label": 0}) + "\n" for n in range(count)), "utf-8")
    return Data(train=(str(path),))


def test_marker(make_model: MakeModel, tmp_path: Path) -> None:
    """V10: entity markers in every row; added ones, HTML, rare ones and words in brackets are none."""
    folder = make_model()
    data = rows(tmp_path, "[E1] 한국 [/E1] 모델")
    problems = found(marker_not_added, Setup(model=str(folder), data=data))
    assert [problem.message.split(" ")[0] for problem in problems] == ["`[E1]`", "`[/E1]`"]
    assert "occurs in 100 % of the rows" in problems[0].message
    assert found(marker_not_added, Setup(model=str(folder), data=data, add_special_tokens=("[E1]", "[/E1]"))) == []
    for quiet in ("<br> 한국 <b>모델</b>", "[CLS] 한국", "[한국] 모델", "한국"):
        assert found(marker_not_added, Setup(model=str(folder), data=rows(tmp_path, quiet))) == []
    assert found(marker_not_added, Setup(model=str(folder), data=rows(tmp_path, "[E1]", 5))) == []


def test_spare_slots(make_model: MakeModel) -> None:
    """A resize, while ten [unused] slots stand free."""
    problem = one(found(spare_slots_unused, setup(make_model(), resize=True)))
    assert (problem.level, "10 spare slots stand unused" in problem.message) == ("note", True)
    assert found(spare_slots_unused, setup(make_model(name="b"))) == []


def test_head_bias(make_model: MakeModel) -> None:
    """The masked-language-model bias grows by zeros; other tasks have no such head."""
    folder = make_model(model_class="BertForMaskedLM")
    assert levels(found(head_bias_left_zero, setup(folder, task="masked-lm", resize=True))) == ["note"]
    assert found(head_bias_left_zero, setup(folder, task="text-classification", resize=True)) == []
    assert found(head_bias_left_zero, setup(folder, task="masked-lm")) == []


def test_head_bias_in_transformers() -> None:
    """resize_token_embeddings pads the bias with zeros, as the docstring says."""
    torch = pytest.importorskip("torch", reason="shows what transformers does to the bias")
    transformers = pytest.importorskip("transformers", reason="shows what transformers does to the bias")
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    model = transformers.BertForMaskedLM(transformers.BertConfig(vocab_size=20, **sizes))
    with torch.no_grad():
        model.cls.predictions.bias.fill_(-3.0)
    model.resize_token_embeddings(24)
    assert model.cls.predictions.bias[19:].tolist() == [-3.0, 0.0, 0.0, 0.0, 0.0]
