"""CFG: vocab_size and pad_token_id against the checkpoint."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ask_rules import found, levels, one
from pretune.check.rules import config_vocabulary as vocabulary
from pretune.check.sources.setup import Setup

MakeModel = Callable[..., Path]


def test_vocab_size_against_the_rows(make_model: MakeModel) -> None:
    """The message has both numbers, the fix sets the config to the checkpoint's and is safe."""
    folder = make_model(config={"vocab_size": 300})
    finding = one(found(vocabulary.vocab_size_against_the_rows, Setup(model=str(folder))))
    assert finding.level == "error"
    assert "vocab_size 300" in finding.message
    assert finding.where == f"{folder}/config.json:/vocab_size"
    assert finding.fix is not None
    assert finding.fix.safe
    patch = finding.fix.patches[0]
    rows = json.loads((make_model(name="healthy") / "config.json").read_text("utf-8"))["vocab_size"]
    assert Path(patch.file).is_file()
    assert (Path(patch.file).name, patch.pointer, patch.value) == ("config.json", "/vocab_size", rows)


def test_the_fix_is_not_safe_when_another_tensor_has_the_stated_size(make_model: MakeModel) -> None:
    """An output bias of the stated size says that the embedding may be the wrong one."""
    folder = make_model(
        model_class="BertForMaskedLM", config={"vocab_size": 300}, tensors={"cls.predictions.bias": (300,)}
    )
    finding = one(found(vocabulary.vocab_size_against_the_rows, Setup(model=str(folder))))
    assert finding.fix is not None
    assert not finding.fix.safe


def test_vocab_size_edited(make_model: MakeModel) -> None:
    """With or without weights beside the config, an edited vocab_size does not resize."""
    with_weights, without = str(make_model()), str(make_model(name="bare", weights=False))
    for part in ("config", "config_update"):
        edit: dict[str, Any] = {part: {"vocab_size": 500}}
        assert levels(found(vocabulary.vocab_size_against_the_rows, Setup(model=with_weights, **edit))) == ["error"]
        assert levels(found(vocabulary.vocab_size_edited, Setup(model=without, **edit))) == ["error"]
        assert found(vocabulary.vocab_size_edited, Setup(model=with_weights, **edit)) == []


def test_vocab_size_updated_beside_a_resize_is_fine(make_model: MakeModel) -> None:
    """`resize_token_embeddings` with `config.update(vocab_size=...)` beside it is a habit that does no harm."""
    folder = str(make_model())
    setup = Setup(model=folder, config_update={"vocab_size": 500}, resize=500)
    assert found(vocabulary.vocab_size_against_the_rows, setup) == []
    assert found(vocabulary.vocab_size_against_the_rows, Setup(model=folder)) == []
    bare = str(make_model(name="bare", weights=False))
    assert found(vocabulary.vocab_size_edited, Setup(model=bare, config_update={"vocab_size": 500}, resize=True)) == []


def test_an_edit_that_mends_vocab_size_is_welcome(make_model: MakeModel) -> None:
    """The setup may say what the file should."""
    rows = json.loads((make_model(name="healthy") / "config.json").read_text("utf-8"))["vocab_size"]
    folder = str(make_model(config={"vocab_size": 300}))
    assert found(vocabulary.vocab_size_against_the_rows, Setup(model=folder, config={"vocab_size": rows})) == []


def test_pad_token_id_moves_positions_of_roberta_only(make_model: MakeModel) -> None:
    """RoBERTa counts positions from it, BERT does not."""
    rule = vocabulary.pad_token_id_moves_positions
    finding = one(found(rule, Setup(model=str(make_model("roberta")), config={"pad_token_id": 0})))
    assert finding.level == "error"
    assert "from 2 to 1" in finding.message
    assert found(rule, Setup(model=str(make_model("bert", name="b")), config={"pad_token_id": 3})) == []
    assert found(rule, Setup(model=str(make_model("roberta", name="r")), config={"pad_token_id": 1})) == []
