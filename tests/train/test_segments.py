"""A model that tells one token type apart, with a tokenizer that makes two, as klue/roberta: trained without types."""

import json
from pathlib import Path
from typing import Any

import pytest

from pretune.core.errors import UserError
from pretune.demo import sample
from pretune.train.eject import script_of
from pretune.train.model import Limits, limits_of
from pretune.train.run import run
from pretune.train.segments import without_types
from train import tiny_runs as tiny


def recipe_of(tmp_path: Path, task: str = "pairs", *, segments: int = 1, **more: Any) -> Any:
    """A recipe of two steps on the sample."""
    model = tmp_path / f"model-{segments}"
    if not model.exists():
        tiny.model(model, type_vocab_size=segments)
    file = sample.pairs() if task == "pairs" else tiny.questions(tmp_path / "q.jsonl")
    more = {"encode": {"max_length": 64, "stride": 16}} | more if task == "mrc" else more
    return tiny.recipe(task, model, file, None, tmp_path / f"out-{task}", **more)


@pytest.mark.parametrize("task", ["pairs", "mrc"])
def test_trained_and_saved_without_types(tmp_path: Path, task: str) -> None:
    """The run is not stopped, a line says why, and what is saved leaves them out in pipelines as well."""
    told: list[str] = []
    recipe = recipe_of(tmp_path, task)
    run(recipe, tell=told.append)
    assert "token_type_ids are left out: the tokenizer makes type 1, and the model has 1" in told
    saved = json.loads((recipe.out / "tokenizer_config.json").read_text("utf-8"))
    assert "token_type_ids" not in saved["model_input_names"]
    assert json.loads((recipe.out / "recipe.json").read_text("utf-8"))["encode"]["return_token_type_ids"] is False


def test_what_the_recipe_says_counts(tmp_path: Path) -> None:
    """Who asks for token types is told that they do not fit; a model that has both, and one text alone, change nothing."""
    asked = recipe_of(tmp_path, encode={"return_token_type_ids": True})
    with pytest.raises(UserError, match="the tokenizer makes token type 1"):
        run(asked)
    both = recipe_of(tmp_path, segments=2)
    assert without_types(both, limits_of(both.setup)) == (both, ())
    model = tmp_path / "model-1"
    one = tiny.recipe("classify", model, sample.classify(), None, tmp_path / "o")
    assert without_types(one, Limits(segments=1)) == (one, ())


def test_an_ejected_script_leaves_them_out(tmp_path: Path) -> None:
    """The tokenizer that the script saves makes none either."""
    assert 'model_input_names=["input_ids", "attention_mask"]' in script_of(recipe_of(tmp_path))
    assert "model_input_names" not in script_of(recipe_of(tmp_path, segments=2))
