"""A saved choice gives, loaded by sentence-transformers, the vectors that the sweep measured."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pool import made
from pretune.core.errors import UserError
from pretune.pool.choice import Choice
from pretune.pool.load import load, load_objects
from pretune.pool.one_pass import one_pass
from pretune.pool.save import save
from pretune.pool.shorter import shorten

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


def _llama() -> Any:
    """A random Llama of three layers: causal, with a norm behind the last layer."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=32,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.3,
        pad_token_id=0,
    )
    return transformers.LlamaModel(config).eval()


@pytest.fixture(params=["bert", "llama"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A saved tiny model with its tokenizer."""
    path = tmp_path / "model"
    (made.bert() if request.param == "bert" else _llama()).save_pretrained(path)
    made.tokenizer().save_pretrained(path)
    return path


@pytest.mark.parametrize(
    "choice",
    [
        Choice((3,), "mean"),
        Choice((2,), "cls"),
        Choice((1,), "max"),
        Choice((0,), "weighted_mean"),
        Choice((3,), "last_token"),
        Choice((2,), "mean_words"),
        Choice((3,), "idf"),
        Choice((1, 3), "sif"),
        Choice((0, 2), "mean"),
        Choice((3,), "mean", "centred"),
        Choice((1, 2), "idf", "whitened"),
    ],
    ids=lambda choice: choice.name,
)
def test_sentence_transformers_gives_the_same_vectors(folder: Path, tmp_path: Path, choice: Choice) -> None:
    """Values agree to 1e-5 of the largest, in a padded batch, for a model with and one without a norm at its end."""
    package = pytest.importorskip("sentence_transformers")
    loaded = load(str(folder))
    found = one_pass(loaded.model, loaded.tokenizer, made.SENTENCES, max_length=64)
    if choice.shaping == "raw" and choice.pooling == "cls" and loaded.sentence_token == -1:
        choice = Choice(choice.layers, "last_token")
    save(loaded, found, choice, tmp_path / "saved")
    vectors = package.SentenceTransformer(str(tmp_path / "saved"), device="cpu").encode(made.SENTENCES)
    wanted = np.asarray(found.of(choice))
    assert vectors.shape == wanted.shape
    assert np.abs(vectors - wanted).max() <= 1e-5 * max(1.0, np.abs(wanted).max())


@pytest.mark.parametrize("choice", [Choice((2,), "mean"), Choice((1,), "max"), Choice((0, 2), "mean")], ids=str)
def test_the_encoder_of_t5_is_saved_as_it_is_loaded(tmp_path: Path, choice: Choice) -> None:
    """T5's encoder has a class of its own in sentence-transformers; the folder can be swept and saved again."""
    package = pytest.importorskip("sentence_transformers")
    torch.manual_seed(0)
    size = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 3, "num_heads": 4, "vocab_size": 32}
    config = transformers.T5Config(**size, decoder_start_token_id=0, initializer_factor=3.0)
    transformers.T5ForConditionalGeneration(config).save_pretrained(tmp_path / "model")
    made.tokenizer(template=False).save_pretrained(tmp_path / "model")
    folder = tmp_path / "model"
    for name in ("saved", "again"):
        loaded = load(str(folder))
        assert loaded.made_up == ()
        found = one_pass(loaded.model, loaded.tokenizer, made.SENTENCES)
        top = Choice(tuple(min(layer, loaded.looks.layers - 1) for layer in choice.layers), choice.pooling)
        folder = tmp_path / name
        save(loaded, found, top, folder)
        vectors = package.SentenceTransformer(str(folder), device="cpu").encode(made.SENTENCES)
        assert np.abs(vectors - np.asarray(found.of(top))).max() <= 1e-5 * np.abs(vectors).max()
    live = load_objects(transformers.T5EncoderModel.from_pretrained(tmp_path / "saved"), loaded.tokenizer)
    assert type(live.model).__name__ == "T5Stack"


def test_layers_that_are_not_needed_are_left_out() -> None:
    """BERT's first two layers are a model of their own; Llama's need a third, whose norm is left unused."""
    samples = [np.array([2, 6, 7, 3]), np.array([2, 9, 3])]
    cut = shorten(made.bert(), (2,), samples)
    assert (cut.layers, cut.last) == (2, True)
    assert shorten(made.bert(), (3,), samples).layers == 3
    cut = shorten(_llama(), (1,), samples)
    assert (cut.layers, cut.last) == (2, False)
    cut = shorten(_llama(), (2,), samples)
    assert (cut.layers, cut.last) == (3, False)


def test_what_no_module_can_do_is_refused(tmp_path: Path) -> None:
    """A pooler's output has no module; the message names what can be saved, and nothing is written."""
    path = tmp_path / "model"
    made.bert().save_pretrained(path)
    made.tokenizer().save_pretrained(path)
    loaded = load(str(path))
    found = one_pass(loaded.model, loaded.tokenizer, made.SENTENCES)
    for pooling in ("pooler_output", "last_word", "separator"):
        with pytest.raises(UserError, match="no module") as caught:
            save(loaded, found, Choice((3,), pooling), tmp_path / "saved")
        assert "last_token" in str(caught.value.hint)
    with pytest.raises(UserError, match="baseline"):
        save(loaded, found, Choice((), "length"), tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


def test_a_folder_that_is_there_stays_unless_forced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model's own folder is named; an error on the way leaves no half folder and nothing beside."""
    path = tmp_path / "model"
    made.bert().save_pretrained(path)
    made.tokenizer().save_pretrained(path)
    loaded = load(str(path))
    found = one_pass(loaded.model, loaded.tokenizer, made.SENTENCES)
    with pytest.raises(UserError, match="own folder"):
        save(loaded, found, Choice((2,), "mean"), path)
    monkeypatch.setattr("pretune.pool.save._write_pooling", lambda *_: (_ for _ in ()).throw(OSError(28, "No space")))
    with pytest.raises(UserError, match="no space"):
        save(loaded, found, Choice((2,), "mean"), path, force=True)
    assert [one.name for one in tmp_path.iterdir()] == ["model"]
    assert not (path / "modules.json").exists()
    monkeypatch.undo()
    assert save(loaded, found, Choice((2,), "mean"), path, force=True).layers == 2
    assert json.loads((path / "config.json").read_bytes())["num_hidden_layers"] == 2
    assert [one.name for one in tmp_path.iterdir()] == ["model"]
