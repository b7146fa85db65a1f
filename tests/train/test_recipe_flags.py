"""Arguments of TrainingArguments as flags: names and types as the installed transformers has them, without importing it."""

import dataclasses
import subprocess
import sys
import typing
from collections.abc import Callable
from typing import Any

import pytest

from pretune.core.errors import UserError
from pretune.train.options import Options
from pretune.train.recipe_flags import SEQ2SEQ, for_any, for_loop, for_trainer, judged, known_arguments, taken

OWN = ("--model", "--train", "--out", "-h", "--help")


def test_the_names_are_those_of_the_installed_transformers() -> None:
    """No flag is missing and none is too many."""
    from transformers import Seq2SeqTrainingArguments, TrainingArguments

    known = known_arguments().arguments
    installed = {one.name for one in dataclasses.fields(TrainingArguments) if one.init}
    assert {one.name for one in dataclasses.fields(Seq2SeqTrainingArguments)} - installed == SEQ2SEQ
    assert installed - known.keys() <= {"local_rank"}
    assert known.keys() - installed <= {"local_rank"}


def test_the_types_are_those_of_the_installed_transformers() -> None:
    """Numbers, truth values and words are told apart as its annotations do."""
    from transformers import TrainingArguments

    known = known_arguments().arguments
    for one in dataclasses.fields(TrainingArguments):
        kinds = {one.type, *typing.get_args(one.type)}
        plain = {kind.__name__ for kind in kinds if kind in (int, float, bool, str)}
        if one.name in known and plain and len(kinds) == 1:
            assert known[one.name].types >= plain, one.name


def test_options_mean_what_training_arguments_mean() -> None:
    """Every default of Options that TrainingArguments has is the same, but for how often something is said or kept."""
    from transformers import TrainingArguments

    theirs = {one.name: one.default for one in dataclasses.fields(TrainingArguments)}
    ours = {one.name: one.default for one in dataclasses.fields(Options) if one.name in theirs}
    other = {
        "logging_steps",
        "eval_strategy",
        "save_strategy",
        "save_total_limit",
        "fsdp",
        "ddp_find_unused_parameters",
    }
    assert {name: value for name, value in ours.items() if name not in other} == {
        name: getattr(theirs[name], "value", theirs[name]) for name in ours if name not in other
    }


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--learning-rate", "3e-5"], {"learning_rate": 3e-5}),
        (["--learning_rate=3e-5"], {"learning_rate": 3e-5}),
        (["--num-train-epochs", "2"], {"num_train_epochs": 2}),
        (["--bf16"], {"bf16": True}),
        (["--bf16", "false"], {"bf16": False}),
        (["--bf16", "--seed", "3"], {"bf16": True, "seed": 3}),
        (["--no-dataloader-pin-memory"], {"dataloader_pin_memory": False}),
        (["--run-name", "5"], {"run_name": "5"}),
        (["--max-steps", "-1"], {"max_steps": -1}),
        (["--report-to", "tensorboard"], {"report_to": "tensorboard"}),
        (["--lr-scheduler-kwargs", '{"num_cycles": 2}'], {"lr_scheduler_kwargs": {"num_cycles": 2}}),
        (["--eval-strategy", "no"], {"eval_strategy": "no"}),
    ],
)
def test_flags_are_typed(words: list[str], found: dict[str, Any]) -> None:
    """Each way to write a flag gives the value that TrainingArguments takes."""
    assert taken(["mrc", *words, "--model", "m"], OWN) == (["mrc", "--model", "m"], found)


def test_own_flags_and_what_follows_two_dashes_are_left_alone() -> None:
    """The command's own flags, single dashes and everything behind -- stay in the command line."""
    words = ["mrc", "--model", "m", "-h", "--", "--bf16"]
    assert taken(words, OWN) == (words, {})


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["--learning-rte", "1"], "no such option --learning-rte", "--learning-rate"),
        (["--modle", "m"], "no such option --modle", "--model"),
        (["--learning-rate", "fast"], "--learning-rate: expected a number, found 'fast'", ""),
        (["--seed", "1.5"], "--seed: expected a whole number, found 1.5", ""),
        (["--seed"], "--seed has no value", ""),
        (["--seed", "1", "--seed", "2"], "--seed is given twice", ""),
        (["--evaluation-strategy", "epoch"], "--evaluation-strategy is no argument of transformers", "eval_strategy"),
        (["--warmup-ratio", "0.1"], "--warmup-ratio is no argument of transformers", "warmup_steps"),
        (["--lr-scheduler-type", "linar"], 'unknown "linar"', "linear"),
    ],
)
def test_mistakes_are_one_line(words: list[str], message: str, hint: str) -> None:
    """A wrong name, type, choice or number of values is said with the way out."""
    with pytest.raises(UserError, match=message.replace(".", r"\.")) as found:
        taken(words, OWN)
    assert hint in found.value.hint


def test_a_recipe_file_is_judged_as_flags_are() -> None:
    """YAML's `2e-5`, which is a word there, is a number; an unknown name names the near one."""
    assert judged({"learning_rate": "2e-5"}, {}) == {"learning_rate": 2e-5}
    with pytest.raises(UserError, match='unknown argument "learning_rat"') as found:
        judged({"learning_rat": 1}, {"learning_rat": "r.toml:/training_args/learning_rat"})
    assert "learning_rate" in found.value.hint


def test_the_loop_refuses_what_it_would_pass_over() -> None:
    """An argument that the loop does not know is refused with the way out, unless it says the default."""
    for_loop({"learning_rate": 1.0, "deepspeed": None, "fp16": True, "optim": "adamw_torch"}, {})
    with pytest.raises(UserError, match="the loop does not know --deepspeed") as found:
        for_loop({"deepspeed": "d.json"}, {})
    assert "--engine trainer" in found.value.hint
    with pytest.raises(UserError, match="--optim"):
        for_loop({"optim": "adafactor"}, {})


def test_no_framework_is_imported() -> None:
    """Judging flags imports neither torch nor transformers."""
    code = "import sys; from pretune.train.recipe_flags import taken; taken(['--learning-rate', '1'], ())"
    code += "; print([name for name in ('torch', 'transformers', 'numpy') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("flag", "ours"),
    [("--lr", "--learning-rate"), ("--epochs", "--num-train-epochs"), ("--doc_stride", "--stride")],
)
def test_what_other_scripts_call_a_flag(flag: str, ours: str) -> None:
    """The names of run_qa.py and of habit lead to ours."""
    with pytest.raises(UserError, match=f"no such option {flag}") as found:
        taken([flag, "1"], ())
    assert ours in found.value.hint


def test_a_flag_that_may_be_a_word_or_nothing() -> None:
    """`--fsdp full_shard` takes its value, `--fsdp mrc` leaves the task alone."""
    assert taken(["--fsdp", "full_shard", "mrc"], ()) == (["mrc"], {"fsdp": "full_shard"})
    assert taken(["--fsdp", "mrc"], ()) == (["mrc"], {"fsdp": True})
    assert taken(["--fsdp", "r.toml"], ()) == (["r.toml"], {"fsdp": True})


@pytest.mark.parametrize(
    ("given", "engine", "message"),
    [
        ({"resume_from_checkpoint": "x"}, "any", "--resume goes on from the newest checkpoint"),
        ({"push_to_hub": True}, "any", "hf upload"),
        ({"label_smoothing_factor": 0.1}, "trainer", "the loss is that of the task"),
        ({"dataloader_drop_last": True}, "trainer", "--padding"),
        ({"lr_scheduler_type": "reduce_lr_on_plateau"}, "loop", "--engine trainer"),
        ({"fsdp": "shard_grad_op"}, "loop", "full_shard"),
    ],
)
def test_what_no_engine_would_heed(given: dict[str, object], engine: str, message: str) -> None:
    """An argument that would be passed over in silence is refused with what does its work."""
    with pytest.raises(UserError) as found:
        {"any": for_any, "trainer": for_trainer, "loop": for_loop}[engine](given, {})
    assert message in found.value.hint


@pytest.mark.parametrize("engine", [for_loop, for_trainer])
def test_grouping_by_length_is_answered_at_once(engine: Callable[..., None]) -> None:
    """Whoever asks for it, by the old name or the new one, is told what makes batches here, not another detour."""
    with pytest.raises(UserError) as found:
        taken(["--group_by_length"], ())
    assert "--padding none --tokens-per-batch 2160" in (found.value.hint or "")
    with pytest.raises(UserError) as found:
        judged({"group_by_length": True}, {})
    assert "--tokens-per-batch" in (found.value.hint or "")
    with pytest.raises(UserError) as found:
        engine({"train_sampling_strategy": "group_by_length"}, {})
    assert "--tokens-per-batch" in (found.value.hint or "")
