"""The pooling that a folder declares is the one that is trained: both engines, with pads and without, saved and loaded."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pretune.core.errors import UserError
from pretune.train.attention import restore_attention, use_sequences
from pretune.train.pooled_model import MODES, pooled, pooled_class
from pretune.train.pooling import own_head, resolved
from pretune.train.run import run
from train import engines
from train import tiny_runs as tiny

KINDS = "sentence_transformers.models."


def declare(folder: Path, modes: Any = "mean", kinds: tuple[str, ...] = ("Transformer", "Pooling")) -> Path:
    """Make a model's folder one of sentence-transformers."""
    paths = ["" if kind == "Transformer" else f"{nth}_{kind}" for nth, kind in enumerate(kinds)]
    listed = [{"path": path, "type": KINDS + kind} for path, kind in zip(paths, kinds, strict=True)]
    (folder / "modules.json").write_text(json.dumps(listed))
    place = folder / paths[kinds.index("Pooling")]
    place.mkdir()
    (place / "config.json").write_text(json.dumps({"word_embedding_dimension": 16, "pooling_mode": modes}))
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny BERT that declares mean pooling; dropout is off, so that pads change nothing."""
    folder = tmp_path_factory.mktemp("declared")
    declare(tiny.model(folder / "model", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0))
    return folder


def trained(made: Path, name: str, train: dict[str, Any], **more: Any) -> tuple[list[float], Any, list[str]]:
    """Three steps into a folder of this name: losses, figures, what was told."""
    told: list[str] = []
    arguments = {"output_dir": str(made / name), "max_steps": 3} | more
    done = run(tiny.of_sample(made, "classify", train=train, training_args=arguments), force=True, tell=told.append)
    log = [json.loads(line) for line in (made / name / "log.jsonl").read_text("utf-8").splitlines()]
    return [one["loss"] for one in log if "loss" in one], done.evaluations[-1][1], told


def test_both_engines_and_no_padding(made: Path) -> None:
    """The same losses and figures bit for bit from both engines, and within 1e-6 without any padding."""
    losses, figures, told = trained(made, "loop", {})
    assert any("mean pooling, as the folder declares it" in line for line in told)
    assert any("sentence_head" in line for line in told)
    assert trained(made, "trainer", {"engine": "trainer"})[:2] == (losses, figures)
    packed, others, _ = trained(made, "packed", {"padding": "none"})
    assert packed == pytest.approx(losses, rel=1e-6)
    assert others == pytest.approx(figures, rel=1e-6)
    assert trained(made, "head", {"pooling": "head"})[0] != losses
    assert json.loads((made / "loop" / "recipe.json").read_text())["train"]["pooling"] == "mean"
    assert json.loads((made / "head" / "config.json").read_text())["architectures"] == ["BertForSequenceClassification"]
    with pytest.raises(UserError, match="pooling"):
        trained(made, "loop", {"pooling": "max"})


def test_loads_without_pretune(made: Path, tmp_path: Path) -> None:
    """The lines of the documentation give the logits that the run scored: AutoModel, the mean, and a linear layer."""
    from safetensors.torch import load_file
    from transformers import AutoModel, AutoTokenizer

    folder = tmp_path / "out"
    recipe = tiny.of_sample(made, "classify", training_args={"output_dir": str(folder)})
    run(recipe, force=True)
    for place in (folder, folder / "best", folder / "checkpoint-2"):
        assert (place / "1_Pooling" / "config.json").exists()
        body, tokenizer = AutoModel.from_pretrained(place).eval(), AutoTokenizer.from_pretrained(place)
        head = load_file(place / "2_Dense" / "model.safetensors")
    inputs = tokenizer(["서울은 대한민국의 수도이다.", "버스"], padding=True, return_tensors="pt")
    with torch.no_grad():
        states, mask = body(**inputs).last_hidden_state, inputs["attention_mask"][..., None]
        vectors = (states * mask).sum(1) / mask.sum(1)
        found = torch.nn.functional.linear(vectors, head["linear.weight"], head["linear.bias"])
        whole = pooled_class(body.config, "mean", "x").from_pretrained(folder).eval()
        assert torch.allclose(whole(**inputs).logits, found, atol=1e-6)
    again, said = resolved(tiny.recipe("classify", folder, *[tiny.sample.classify()] * 2, tmp_path / "again"))
    assert again.pooling == "mean"
    assert len(said) == 1


@pytest.mark.slow
def test_sentence_transformers_gives_the_logits(made: Path) -> None:
    """SentenceTransformer loads the folder, also for pairs of texts, and its vectors are the logits."""
    package = pytest.importorskip("sentence_transformers")
    recipe = tiny.of_sample(made, "pairs", training_args={"output_dir": str(made / "pairs")})
    run(recipe, force=True)
    from transformers import AutoConfig, AutoTokenizer

    texts = [["서울은 수도이다.", "서울"], ["버스 언제 와요?", "네"]]
    found = package.SentenceTransformer(str(made / "pairs"), device="cpu").encode(texts)
    config = AutoConfig.from_pretrained(made / "pairs")
    whole = pooled_class(config, "mean", "x").from_pretrained(made / "pairs").eval()
    tokenizer = AutoTokenizer.from_pretrained(made / "pairs")
    inputs = tokenizer(*map(list, zip(*texts, strict=True)), padding=True, return_tensors="pt")
    with torch.no_grad():
        assert np.allclose(whole(**inputs).logits.numpy(), found, atol=1e-6)


@pytest.mark.slow
def test_a_folder_of_pool_save(tmp_path: Path) -> None:
    """What `pretune pool --save` writes is trained with its layers and its pooling."""
    from pool import made as sentences
    from pretune.pool.choice import Choice
    from pretune.pool.load import load
    from pretune.pool.one_pass import one_pass
    from pretune.pool.save import save

    sentences.bert().save_pretrained(tmp_path / "base")
    sentences.tokenizer().save_pretrained(tmp_path / "base")
    loaded = load(str(tmp_path / "base"))
    found = one_pass(loaded.model, loaded.tokenizer, sentences.SENTENCES, max_length=64)
    save(loaded, found, Choice((2,), "mean"), tmp_path / "model")
    rows = [{"text": text, "label": nth % 2} for nth, text in enumerate(sentences.SENTENCES)]
    file = tiny.lines(tmp_path / "rows.jsonl", rows)
    told: list[str] = []
    run(tiny.recipe("classify", tmp_path / "model", file, file, tmp_path / "out"), force=True, tell=told.append)
    assert any("mean pooling, as the folder declares it" in line for line in told)
    assert json.loads((tmp_path / "out" / "config.json").read_text())["num_hidden_layers"] == 2
    save(loaded, found, Choice((1, 3), "mean"), tmp_path / "mixed")
    _, said = resolved(tiny.recipe("classify", tmp_path / "mixed", file, file, tmp_path / "no"))
    assert "WeightedLayerPooling" in said[0]


@pytest.mark.parametrize("left", [False, True])
def test_pooled(left: bool) -> None:
    """Each pooling is that of the sequence alone, whichever side the pads are on; no pad and no NaN gets through."""
    draw = torch.Generator().manual_seed(0)
    rows = [torch.randn(length, 3, generator=draw) for length in (4, 1, 3)]
    states = torch.full((3, 4, 3), torch.nan)
    mask = torch.zeros(3, 4)
    for nth, row in enumerate(rows):
        place = slice(4 - len(row), None) if left else slice(len(row))
        states[nth, place], mask[nth, place] = row, 1
    alone = {
        "mean": [row.mean(0) for row in rows],
        "max": [row.amax(0) for row in rows],
        "cls": [row[0] for row in rows],
        "last_token": [row[-1] for row in rows],
    }
    for name in MODES:
        assert torch.allclose(pooled(states, mask, name), torch.stack(alone[name])), name


@pytest.mark.parametrize("family", ["Bert", "Roberta", "Electra"])
def test_served_without_padding(family: str) -> None:
    """What is said of sequences in one row is what is said of each alone; there is no pooler that nobody trains."""
    config = engines.model("classes", family).config
    for pooling in MODES:
        torch.manual_seed(0)
        model = pooled_class(config, pooling, "x")(config)
        assert not any("pooler" in name for name in model.state_dict())
        use_sequences(model)
        restore_attention(model)


@pytest.mark.parametrize(
    ("modes", "kinds", "train", "pooling", "said"),
    [
        ("mean", ("Transformer", "Pooling", "Normalize"), {}, "mean", "as the folder declares it"),
        ("mean", ("Transformer", "Pooling", "Dense"), {}, "mean", "Dense is left out"),
        ("lasttoken", ("Transformer", "Pooling"), {}, "last_token", "as the folder declares it"),
        ("cls", ("Transformer", "Pooling"), {}, None, "what the architecture's head reads"),
        ("weightedmean", ("Transformer", "Pooling"), {}, None, "weightedmean pooling is declared"),
        (["cls", "mean"], ("Transformer", "Pooling"), {}, None, r"cls \+ mean pooling is declared"),
        ("mean", ("Transformer", "WeightedLayerPooling", "Pooling"), {}, None, "WeightedLayerPooling is declared"),
        ("mean", ("Transformer", "Pooling"), {"pooling": "head"}, "head", None),
        ("mean", ("Transformer", "Pooling"), {"pooling": "max"}, "max", "max pooling"),
        ("mean", ("Transformer", "Pooling"), {"pooling": "cls"}, "head", None),
    ],
)
def test_what_counts(
    modes: Any, kinds: tuple[str, ...], train: dict[str, Any], pooling: str | None, said: str | None, tmp_path: Path
) -> None:
    """What is said wins over what is declared; what is declared and not trained is told, never passed over."""
    file = tiny.sample.classify()
    asked = tiny.recipe("classify", tmp_path / "model", file, None, tmp_path / "out", train=train)
    declare(tmp_path / "model", modes, kinds)
    recipe, lines = resolved(asked)
    assert recipe.pooling == pooling
    assert bool(lines) == bool(said)
    if said:
        import re

        assert any(re.search(said, line) for line in lines)


def test_pairs_keep_their_token_types(tmp_path: Path) -> None:
    """A pooling's class is given the token types that its body takes, as sentence-transformers gives them to it."""
    from pretune.train.model import fitting, load_model, load_tokenizer
    from pretune.train.tasks import read

    tiny.model(tmp_path / "model")
    recipe = tiny.of_sample(tmp_path, "pairs", train={"pooling": "mean"})
    task = read(recipe)
    examples = task.prepare(load_tokenizer(recipe.setup), 128).train
    kept = fitting(examples, load_model(recipe, task).model).types
    assert kept is not None
    assert int(kept.max()) == 1


def test_where_there_is_none(tmp_path: Path) -> None:
    """A model that declares nothing keeps its head, without a word; tags have no pooling; a class is not both."""
    file = tiny.sample.classify()
    asked = tiny.recipe("classify", tmp_path / "model", file, None, tmp_path / "out")
    assert resolved(asked) == (asked, ())
    with pytest.raises(UserError, match="tag reads tokens"):
        resolved(replace(asked, task="tag", pooling="mean"))
    named = replace(asked.setup, model_class="BertForSequenceClassification")
    with pytest.raises(UserError, match="model's class"):
        resolved(replace(asked, pooling="mean", setup=named))


def test_modernbert_is_told_by_its_config() -> None:
    """Where transformers' own class can do it, its config says so, and the result is a plain model."""
    from transformers import BertConfig, ModernBertConfig

    config = ModernBertConfig(classifier_pooling="cls")
    assert own_head("mean", config)
    assert config.classifier_pooling == "mean"
    assert not own_head("mean", BertConfig())
    assert own_head(None, BertConfig())
