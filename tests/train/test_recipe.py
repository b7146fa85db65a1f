"""Recipes: options from presets, files and flags; what is refused; one truth for check and train."""

import json
from pathlib import Path
from typing import Any

import pytest

from pretune.check.sources.flags import setup_from_arguments
from pretune.check.sources.setup_file import read_setup_file
from pretune.check.sources.setup_keys import Said
from pretune.core.errors import UserError
from pretune.train.options import PRESETS
from pretune.train.recipe import Recipe, recipe_of
from pretune.train.run_folder import recipe_table


def made(command: str | None = "mrc", **keys: Any) -> Recipe:
    """A recipe of a model, a file and a folder, with these keys laid over."""
    arguments = {"output_dir": "out", **keys.pop("training_args", {})}
    return recipe_of(
        Said({"model": "m", "data": {"train": "t.json"}, "training_args": arguments, **keys}), task=command
    )


def test_defaults() -> None:
    """Without a word more, the numbers are those of TrainingArguments, windows those of run_qa.py."""
    recipe = made()
    assert recipe.engine == "loop"
    assert recipe.options.learning_rate == 5e-5
    assert (recipe.max_length, recipe.stride) == (384, 128)
    assert recipe.options.padding == "longest"
    assert made("classify").max_length is None
    assert made("classify").options.eval_strategy == "no"  # there is nothing to be asked
    assert made("classify", data={"train": "t.json", "eval": "d.json"}).options.eval_strategy == "epoch"
    assert made(encode={"max_length": 128}).stride == 32


def test_a_preset_is_under_what_is_said() -> None:
    """The fast preset sets the levers; a lever that is said beside it wins; a batch size turns token batches off."""
    fast = made(train={"preset": "fast"}).options
    assert {name: getattr(fast, name) for name in PRESETS["fast"]} == PRESETS["fast"]
    other = made(train={"preset": "fast", "precision": "fp32", "fast_dropout": False}).options
    assert (other.padding, other.precision, other.fast_dropout) == ("none", "fp32", False)
    assert (
        made(train={"preset": "fast"}, training_args={"per_device_train_batch_size": 4}).options.tokens_per_batch
        is None
    )


@pytest.mark.parametrize(("name", "means"), [("bf16", "autocast"), ("fp16", "fp16")])
def test_precision_by_the_trainers_names(name: str, means: str) -> None:
    """bf16 and fp16 mean what they mean to the Trainer; another precision beside them is a contradiction."""
    assert made(training_args={name: True}).options.precision == means
    with pytest.raises(UserError, match=f"means precision {means}, but precision is fp32"):
        made(training_args={name: True}, train={"precision": "fp32"})


def test_steps_said_turn_strategies() -> None:
    """eval_steps and save_steps mean the strategy `steps`, as everybody expects."""
    options = made(training_args={"eval_steps": 5, "save_steps": 7}).options
    assert (options.eval_strategy, options.eval_steps, options.save_strategy, options.save_steps) == (
        "steps",
        5,
        "steps",
        7,
    )


@pytest.mark.parametrize("preset", ["exact", "fast"])
@pytest.mark.parametrize("task", ["mrc", "classify", "tag", "pairs"])
def test_a_recipe_as_run_reads_back(tmp_path: Path, task: str, preset: str) -> None:
    """What the run's folder keeps is the same recipe again, and a setup to `pretune check`."""
    recipe = made(task, train={"preset": preset, "attention_dropout": 0.0}, training_args={"learning_rate": 3e-5})
    table = recipe_table(recipe)
    file = tmp_path / "recipe.json"
    file.write_text(json.dumps(table), "utf-8")
    again = recipe_of(read_setup_file(file), task=task)
    assert again.options == recipe.options
    assert recipe_table(again) == table
    setup, _ = setup_from_arguments(str(file), {})
    assert setup.training_args["learning_rate"] == 3e-5
    assert setup.model == "m"
    assert setup.train["attention_dropout"] == 0.0


def test_no_secret_is_kept(tmp_path: Path) -> None:
    """A hub token is not written into the run's folder."""
    recipe = made(train={"engine": "trainer"}, training_args={"hub_token": "hf_secret", "push_to_hub": False})
    assert "hf_secret" not in json.dumps(recipe_table(recipe))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"train": {"padding": "longst"}}, 'unknown "longst"'),
        ({"train": {"attention_dropout": 1.0}}, "expected at least 0 and below 1"),
        ({"train": {"tokens_per_batch": -1}}, "expected at least 0"),
        ({"train": {"n_best": 2.5}}, "expected a whole number"),
        ({"train": {"fast_dropout": "yes"}}, "expected true or false"),
        ({"train": {"egine": "loop"}}, 'unknown key "egine"'),
        ({"training_args": {"learning_rate": -1.0}}, "is -1.0, expected at least 0"),
        ({"training_args": {"seed": -1}}, "is -1, expected at least 0 and below 4,294,967,296"),
        ({"training_args": {"adam_beta2": 1.0}}, "is 1.0, expected at least 0 and below 1"),
        ({"training_args": {"adam_epsilon": -1e-8}}, "is -1e-08, expected at least 0"),
        ({"training_args": {"num_train_epochs": 0}}, "there is nothing to train"),
        ({"training_args": {"logging_steps": 0.5}}, "expected at least 1"),
        ({"encode": {"max_length": "long"}}, "expected a whole number from 1"),
        ({"add_tokens": ["word"]}, "pretune train does not do add_tokens"),
        ({"peft": {"r": 8}}, "pretune train does not do peft"),
        ({"task": "causal-lm"}, "the task is causal-lm, but mrc is to be trained"),
        ({"training_args": {"gradient_checkpointing": True}}, "the loop does not know --gradient-checkpointing"),
    ],
)
def test_what_is_refused(keys: dict[str, Any], message: str) -> None:
    """Every value that would train something else than meant is one line."""
    with pytest.raises(UserError, match=message):
        made(**keys)


def test_padding_to_a_length_needs_one() -> None:
    """Padding to max_length without one is told at once; windows always have one."""
    assert made("mrc", train={"padding": "max_length"}).options.max_length == 384
    with pytest.raises(UserError, match="there is no max_length"):
        made("classify", train={"padding": "max_length"})


def test_the_trainer_is_given_the_rest() -> None:
    """What only the Trainer knows is passed on to it."""
    recipe = made(train={"engine": "trainer"}, training_args={"gradient_checkpointing": True, "run_name": "one"})
    assert recipe.passed == {"gradient_checkpointing": True, "run_name": "one"}


@pytest.mark.parametrize("missing", ["model", "data", "training_args"])
def test_what_must_be_there(missing: str) -> None:
    """Without a model, data or a folder the flag is named."""
    keys: dict[str, Any] = {"model": "m", "data": {"train": "t.json"}, "training_args": {"output_dir": "out"}}
    del keys[missing]
    flag = {"model": "--model", "data": "--train", "training_args": "--out"}[missing]
    with pytest.raises(UserError, match="names no") as found:
        recipe_of(Said(keys), task="mrc")
    assert flag in found.value.hint


def test_the_task_of_a_recipe_file() -> None:
    """A recipe file names its task in check's words; one that is not trained here is said."""
    assert made(None, task="sentence-similarity").task == "pairs"
    with pytest.raises(UserError, match="the recipe names no task"):
        made(None)
    with pytest.raises(UserError, match="chat-sft is not trained here"):
        made(None, task="chat-sft")
