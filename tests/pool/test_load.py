"""Models are loaded as they are, with what their files and a few passes say of them."""

import json
import os
from pathlib import Path

import pytest

from pool import made
from pretune.core.errors import UserError
from pretune.pool.declared import declared_choice
from pretune.pool.faults import faults
from pretune.pool.load import load

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A saved tiny BERT with its tokenizer."""
    model = made.bert()
    with torch.no_grad():
        model.pooler.dense.bias.fill_(0.1)
    model.save_pretrained(tmp_path)
    made.tokenizer().save_pretrained(tmp_path)
    return tmp_path


def test_a_saved_model_is_seen_as_it_is(folder: Path) -> None:
    """Its pooler, direction, limit and trained weights are found; nothing is declared."""
    found = load(str(folder))
    assert found.looks.pooler is not None
    assert (found.looks.pooler.place, found.looks.pooler.activation) == (0, "tanh")
    assert not found.looks.causal
    assert not found.looks.left_padding
    assert found.looks.right_padding
    assert found.sentence_token == 0
    assert found.max_length == 64
    assert not found.made_up
    assert not found.untrained_pooler
    assert found.declared.pooling == ""


def test_a_pooler_that_was_made_up_is_noticed(folder: Path) -> None:
    """A checkpoint without a pooler gets a random one from transformers; a pooler with zero bias was never trained."""
    model = made.bert()
    model.save_pretrained(folder)
    assert load(str(folder)).untrained_pooler
    states = {key: value for key, value in model.state_dict().items() if "pooler" not in key}
    model.save_pretrained(folder, state_dict=states)
    found = load(str(folder))
    assert found.untrained_pooler
    assert found.made_up == ("pooler.dense.bias", "pooler.dense.weight")


def test_weights_that_the_file_lacks_are_no_model(folder: Path) -> None:
    """A layer under another name is an error with its name; a file of which hardly anything is read is refused."""
    model = made.bert()
    states = model.state_dict()
    model.save_pretrained(folder, state_dict={key: one for key, one in states.items() if "layer.2." not in key})
    found = load(str(folder))
    assert found.made_up[0] == "encoder.layer.2.attention.output.LayerNorm.bias"
    fault = next(one for one in faults(found) if one.name == "weights-drawn-at-random")
    assert fault.level == "error"
    assert "lacks encoder.layer.2.attention.output.LayerNorm.bias and 15 more, which BertModel needs" in fault.message
    model.save_pretrained(folder, state_dict={f"odd.{key}": one for key, one in states.items()})
    with pytest.raises(UserError, match="hardly any weights that BertModel reads: 55 of 55 would be random"):
        load(str(folder))


@pytest.mark.parametrize(
    ("told", "pooling"),
    [
        ({"pooling_mode_mean_tokens": True}, "mean"),
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls"),
        ({"pooling_mode": "lasttoken"}, "last_token"),
        ({"pooling_mode": "weightedmean"}, "weighted_mean"),
        ({"pooling_mode": ["cls", "mean"]}, ""),
        ({}, "mean"),
    ],
)
def test_the_pooling_of_sentence_transformers_is_declared(folder: Path, told: dict, pooling: str) -> None:
    """Both ways to write the mode are read; several modes are no single choice; none is the mean."""
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(told))
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 32}')
    found = load(str(folder))
    assert found.declared.pooling == pooling
    assert found.declared.by.endswith("1_Pooling/config.json")
    assert found.max_length == 32


@pytest.mark.parametrize(
    ("config", "pooling"),
    [
        ({"classifier_pooling": "mean"}, "mean"),
        ({"classifier_pooling": "cls"}, "cls"),
        ({"summary_type": "last"}, "last_token"),
        ({"summary_type": "cls_index"}, "last_token"),  # GPT-2's own: the last one where no index is given
        ({"classifier_pooling": "late"}, ""),
        ({"classifier_pooling": 3}, ""),
    ],
)
def test_the_config_may_declare_a_pooling(folder: Path, config: dict, pooling: str) -> None:
    """classifier_pooling and summary_type count where no sentence-transformers file speaks."""
    from pretune.artifacts.source import locate

    assert declared_choice(locate(str(folder)), config).pooling == pooling


def test_what_cannot_be_loaded_is_one_line(folder: Path) -> None:
    """A missing folder, a broken config, an unknown device and dtype are each one clear line."""
    with pytest.raises(UserError):
        load(str(folder / "nothing"))
    with pytest.raises(UserError, match="no dtype 'float8'"):
        load(str(folder), dtype="float8")
    with pytest.raises(UserError, match="device 'cuda:99' cannot be used"):
        load(str(folder), device="cuda:99")
    (folder / "config.json").write_text('{"model_type": "no-such-type"}')
    with pytest.raises(UserError, match="transformers cannot load") as caught:
        load(str(folder))
    assert "\n" not in str(caught.value)


def test_what_the_files_know_better(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a download, no weights, no tokenizer, a file whose rights forbid it: told by name, whatever transformers says."""
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:9000])
    with pytest.raises(UserError, match=r"model\.safetensors ends after 9,000 of .* an interrupted download"):
        load(str(folder))
    weights.unlink()
    with pytest.raises(UserError, match="has no weights: no model"):
        load(str(folder))
    weights.write_bytes(whole)
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, how: "safetensors" not in str(path) and allowed(path, how))
    with pytest.raises(UserError, match=r"model\.safetensors cannot be read: permission denied"):
        load(str(folder))
    monkeypatch.undo()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    with pytest.raises(UserError, match="has no tokenizer"):
        load(str(folder))
    (folder / "config.json").write_text("{")
    with pytest.raises(UserError, match=r"config\.json:1:2 is cut off"):
        load(str(folder))


def test_a_causal_model_is_read_at_its_last_token(tmp_path: Path) -> None:
    """A GPT-2 sees no later token, so its last one stands for the sentence."""
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=32, n_embd=32, n_layer=2, n_head=4, n_positions=64, initializer_range=0.4, bos_token_id=0
    )
    transformers.GPT2Model(config).save_pretrained(tmp_path)
    made.tokenizer(template=False).save_pretrained(tmp_path)
    found = load(str(tmp_path))
    assert found.looks.causal
    assert not found.looks.left_padding
    assert found.sentence_token == -1
    assert found.max_length == 64
