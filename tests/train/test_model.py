"""Loading a model with its head: seeds, sizes, what is missing, what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pretune.core.errors import UserError
from pretune.train.examples import Examples
from pretune.train.model import fitting, limits_of, load_model, load_tokenizer, require_fit
from pretune.train.recipe import Recipe
from pretune.train.tasks import Task, read
from train import tiny_runs as tiny

ROWS = [{"text": "서울", "label": "a"}, {"text": "한강", "label": "b"}, {"text": "인구", "label": "c"}]


def asked(tmp_path: Path, model: Path, **more: Any) -> tuple[Recipe, Task]:
    """A recipe of three classes and its task."""
    file = tiny.lines(tmp_path / "train.jsonl", ROWS)
    recipe = tiny.recipe("classify", model, file, None, tmp_path / "out", **more)
    return recipe, read(recipe)


def test_the_head_comes_from_the_seed(tmp_path: Path) -> None:
    """The same seed draws the same head whatever was drawn before; another seed another one."""
    import torch

    model = tiny.model(tmp_path / "m")
    heads = []
    for seed in (1, 1, 2):
        torch.rand(seed + len(heads))
        loaded = load_model(*asked(tmp_path, model, training_args={"seed": seed}))
        heads.append(loaded.model.classifier.weight.detach().clone())
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])


def test_labels_and_what_begins_at_random_are_told(tmp_path: Path) -> None:
    """The config has the labels; the head's weights, which the file lacks, are named in one line."""
    loaded = load_model(*asked(tmp_path, tiny.model(tmp_path / "m")))
    assert loaded.model.config.id2label == {0: "a", 1: "b", 2: "c"}
    assert loaded.model.config.problem_type == "single_label_classification"
    (line,) = loaded.said
    assert line.startswith("BertForSequenceClassification: classifier.bias, classifier.weight begin at random")
    assert {str(one.dtype) for one in loaded.model.parameters()} == {"torch.float32"}


def test_weights_of_16_bits_are_trained_in_32(tmp_path: Path) -> None:
    """A checkpoint saved in bfloat16 is loaded as float32."""
    import torch
    from transformers import AutoModel

    model = tiny.model(tmp_path / "m")
    AutoModel.from_pretrained(model).to(torch.bfloat16).save_pretrained(model)
    loaded = load_model(*asked(tmp_path, model))
    assert {str(one.dtype) for one in loaded.model.parameters()} == {"torch.float32"}


def test_a_checkpoint_without_a_body_is_refused(tmp_path: Path) -> None:
    """Weights under other names would train next to nothing that was pretrained; the line says how many are there."""
    import torch
    from safetensors.torch import save_file

    model = tiny.model(tmp_path / "m")
    save_file({"other.weight": torch.zeros(2)}, model / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match=r"holds [0-9] of [0-9]+ weights"):
        load_model(*asked(tmp_path, model))


def test_a_trained_head_of_another_size(tmp_path: Path) -> None:
    """A head of two labels is refused where the recipe says three, and replaced with --new-head, also of its own size."""
    import torch

    model = tiny.model(tmp_path / "m", head="ForSequenceClassification")
    with pytest.raises(UserError, match=r"--new-head|the model's head") as found:
        load_model(*asked(tmp_path, model))
    assert "--new-head" in found.value.hint
    loaded = load_model(*asked(tmp_path, model, train={"new_head": True}))
    assert loaded.model.classifier.weight.shape == (3, 16)
    rows = [{"text": "가", "label": 0}, {"text": "나", "label": 1}]
    file = tiny.lines(tmp_path / "two.jsonl", rows)
    kept, fresh = (
        tiny.recipe("classify", model, file, None, tmp_path / "out", train={"new_head": new}) for new in (False, True)
    )
    old, new = (load_model(one, read(one)).model.classifier.weight for one in (kept, fresh))
    assert not torch.equal(old, new)


def test_remote_code_is_never_run_unasked(tmp_path: Path) -> None:
    """A model whose code stands in its folder is refused in one line, and the code is not run."""
    model = tiny.model(tmp_path / "m")
    config = json.loads((model / "config.json").read_text())
    config |= {"model_type": "odd", "auto_map": {"AutoConfig": "odd.OddConfig"}}
    (model / "config.json").write_text(json.dumps(config))
    (model / "odd.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(UserError, match="does not load as AutoModelForSequenceClassification"):
        load_model(*asked(tmp_path, model))
    assert not (tmp_path / "ran").exists()


def test_a_class_without_the_head_is_refused(tmp_path: Path) -> None:
    """A model_class of another task is said before anything is loaded."""
    with pytest.raises(UserError, match="BertForMaskedLM has no head for classify"):
        load_model(*asked(tmp_path, tiny.model(tmp_path / "m"), model_class="BertForMaskedLM"))


@pytest.mark.parametrize(("kind", "positions"), [("bert", 128), ("roberta", 128)])
def test_limits_are_read_from_the_files(tmp_path: Path, kind: str, positions: int) -> None:
    """RoBERTa's two positions that no token has are left out; nothing is loaded."""
    recipe, _ = asked(tmp_path, tiny.model(tmp_path / "m", kind))
    limits = limits_of(recipe.setup)
    assert limits.positions == positions
    assert limits.rows == 3000
    tokenizer = load_tokenizer(recipe.setup)
    examples = read(recipe).prepare(tokenizer, limits.positions).train
    require_fit(examples, limits)


def test_ids_beyond_the_model_are_one_line(tmp_path: Path) -> None:
    """A tokenizer with more entries than the model has rows, or more token types, is told before the model loads."""
    recipe, _ = asked(tmp_path, tiny.model(tmp_path / "m"))
    limits = limits_of(recipe.setup)
    high = Examples(np.array([5, 3000], np.int32), np.array([0, 2]), None)
    with pytest.raises(UserError, match="token id 3,000, but the model has 3,000 rows"):
        require_fit(high, limits)
    types = Examples(np.array([5, 6], np.int32), np.array([0, 2]), np.array([0, 2], np.int8))
    with pytest.raises(UserError, match="token type 2, but the model has 2"):
        require_fit(types, limits)


def test_a_model_without_token_types_is_given_none(tmp_path: Path) -> None:
    """DistilBERT's forward has no token_type_ids, whatever the tokenizer makes."""
    from transformers import DistilBertConfig, DistilBertModel

    model = DistilBertModel(DistilBertConfig(vocab_size=30, dim=8, n_layers=1, n_heads=2, hidden_dim=8))
    examples = Examples(np.array([5, 6], np.int32), np.array([0, 2]), np.zeros(2, np.int8))
    assert fitting(examples, model).types is None


def test_token_types_that_the_recipe_leaves_out(tmp_path: Path) -> None:
    """`return_token_type_ids = false`, the way out of a second segment that the model lacks, holds for saved ones too."""
    from transformers import AutoTokenizer

    recipe, _ = asked(tmp_path, tiny.model(tmp_path / "m"), encode={"return_token_type_ids": False})
    tokenizer = load_tokenizer(recipe.setup)
    assert "token_type_ids" not in tokenizer("서울", "한강")
    tokenizer.save_pretrained(tmp_path / "saved")
    assert "token_type_ids" not in AutoTokenizer.from_pretrained(tmp_path / "saved")("서울", "한강")


def test_a_slow_or_missing_tokenizer_is_one_line(tmp_path: Path) -> None:
    """A folder without a tokenizer says so."""
    model = tiny.model(tmp_path / "m")
    (model / "tokenizer.json").unlink()
    (model / "tokenizer_config.json").unlink()
    (model / "config.json").write_text('{"model_type": "unheard-of"}')
    recipe, _ = asked(tmp_path, model)
    with pytest.raises(UserError, match=r"the tokenizer of .* does not load"):
        load_tokenizer(recipe.setup)


def test_a_head_for_other_data(tmp_path: Path) -> None:
    """A trained head of another size is one line with both sizes; --new-head draws one for the data."""
    file = tiny.lines(
        tmp_path / "t.jsonl", [{"sentence1": "서울", "sentence2": "한강", "score": one} for one in (0.0, 2.5, 5.0)]
    )
    trained = tiny.model(tmp_path / "m", head="ForSequenceClassification", num_labels=3)
    one = tiny.recipe("pairs", trained, file, None, tmp_path / "out")
    with pytest.raises(UserError, match=r"the head of .* has 3 outputs, the data ask for 1") as found:
        load_model(one, read(one))
    assert "--new-head" in found.value.hint
    other = tiny.recipe("pairs", trained, file, None, tmp_path / "out", train={"new_head": True})
    assert load_model(other, read(other)).model.config.num_labels == 1


def test_an_architecture_without_the_head_is_one_line(tmp_path: Path) -> None:
    """What transformers has no class for is said in words, before any weight is read."""
    model = tiny.model(tmp_path / "m")
    config = json.loads((model / "config.json").read_text("utf-8"))
    (model / "config.json").write_text(json.dumps({**config, "model_type": "gemma"}), "utf-8")
    (model / "model.safetensors").unlink()
    file = tiny.questions(tmp_path / "q.jsonl")
    recipe = tiny.recipe("mrc", model, file, None, tmp_path / "out")
    with pytest.raises(UserError, match=r"^transformers has no gemma model with a head for question-answering\n"):
        load_model(recipe, read(recipe))
