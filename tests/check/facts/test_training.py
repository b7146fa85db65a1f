"""Training facts: values as the Trainer would take them, and the length of the run, edges first."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretune.check.facts.training import read_training
from pretune.check.facts.training_arguments import arguments_of, newest
from pretune.check.facts.versions import VersionFacts
from pretune.check.finding import Unavailable
from pretune.check.sources.setup import Setup

NEW, OLD = VersionFacts(transformers="5.23.0"), VersionFacts(transformers="4.57.6")


def facts(args, rows=None, versions=NEW, exact=True, task="text-classification", **setup):
    """Training facts of a setup with these arguments."""
    return read_training(Setup(task=task, training_args=args, **setup), versions, rows, exact)


def test_a_setup_without_arguments_has_no_training_facts():
    """Nothing said: the fact is unavailable and says where to say it."""
    with pytest.raises(Unavailable, match="no training_args: name them in a setup file"):
        facts({})


def test_without_transformers_the_newest_version_is_assumed():
    """No transformers installed: the facts speak of the newest version in the table and say so."""
    read = facts({"seed": 1}, versions=VersionFacts())
    assert read.assumed
    assert read.release == "transformers 5.23"


@pytest.mark.parametrize(
    ("name", "value", "expected", "fits"),
    [
        ("learning_rate", "2e-5", 2e-5, False),
        ("learning_rate", 1, 1, True),
        ("learning_rate", True, 5e-5, False),
        ("per_device_train_batch_size", 8.0, 8, False),
        ("per_device_train_batch_size", "1e1", 10, False),
        ("per_device_train_batch_size", "8.5", 8, False),
        ("per_device_train_batch_size", [8], 8, False),
        ("fp16", "false", False, False),
        ("fp16", 1, True, True),
        ("fp16", "yes", False, False),
        ("eval_strategy", False, "no", False),
        ("eval_strategy", "epoch", "epoch", True),
        ("eval_steps", None, None, True),
        ("warmup_steps", None, 0, False),
        ("report_to", ["wandb"], ["wandb"], True),
        ("report_to", None, "none", False),
        ("lr_scheduler_kwargs", {"num_cycles": 2}, {"num_cycles": 2}, True),
        ("label_names", "labels", None, False),
        ("resume_from_checkpoint", True, True, True),
        ("fsdp", True, True, True),
        ("learning_rate", "nan", 5e-5, False),
        ("max_steps", "9" * 50, -1, False),
    ],
)
def test_a_value_is_taken_mended_or_refused(name, value, expected, fits):
    """A value of the right type is taken as it is; one that spells the right thing is mended; another gives the default."""
    read = facts({name: value})
    assert read.values[name] == expected
    assert type(read.values[name]) is type(expected)
    assert bool(read.misfits) is not fits


@pytest.mark.parametrize(
    ("rows", "args", "per_epoch", "total"),
    [
        (48, {"per_device_train_batch_size": 8}, 6, 18),
        (49, {"per_device_train_batch_size": 8}, 7, 21),
        (49, {"per_device_train_batch_size": 8, "dataloader_drop_last": True}, 6, 18),
        (48, {"per_device_train_batch_size": 8, "gradient_accumulation_steps": 4}, 2, 6),
        (48, {"per_device_train_batch_size": 8, "num_train_epochs": 0.5}, 6, 3),
        (48, {"per_device_train_batch_size": 64}, 1, 3),
        (48, {"per_device_train_batch_size": 8, "max_steps": 2}, 6, 2),
        (1, {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 9}, 1, 3),
        (0, {"seed": 1}, 1, 3),
    ],
)
def test_the_length_of_a_run(rows, args, per_epoch, total):
    """Steps follow from rows, batch, accumulation and epochs as Trainer counts them."""
    steps = facts(args, rows).steps
    assert (steps.per_epoch, steps.total, steps.at_most) == (per_epoch, total, total)


def test_before_4_52_a_short_last_step_is_left_out():
    """6 batches gathered by 4 are one step in 4.51 and two since 4.52."""
    args = {"per_device_train_batch_size": 8, "gradient_accumulation_steps": 4}
    assert facts(args, 48, VersionFacts(transformers="4.51.3")).steps.per_epoch == 1
    assert facts(args, 48, VersionFacts(transformers="4.52.0")).steps.per_epoch == 2


@pytest.mark.parametrize("task", ["causal-lm", "masked-lm", None])
def test_a_row_of_running_text_makes_any_number_of_examples(task):
    """Where texts are joined and cut, the length of the run stays open, unless max_steps says it."""
    assert facts({"seed": 1}, 48, task=task).steps.at_most is None
    assert facts({"max_steps": 7}, 48, task=task).steps.total == 7


def test_a_paragraph_makes_several_windows():
    """Question answering cuts long paragraphs into windows: the run is bounded, not known; without a stride it is known."""
    args = {"per_device_train_batch_size": 8, "num_train_epochs": 1}
    steps = facts(args, 80, task="question-answering").steps
    assert (steps.total, steps.at_most) == (None, 100)
    assert facts(args, 80, task="question-answering", encode={"max_length": 384}).steps.total == 10


def test_a_lower_bound_of_rows_says_nothing_of_the_length():
    """When only a sample was read, the run may be longer."""
    assert facts({"seed": 1}, 2000, exact=False).steps.total is None


@pytest.mark.parametrize(
    ("args", "versions", "warmup"),
    [
        ({"warmup_steps": 5}, NEW, 5),
        ({"warmup_steps": 0.1}, NEW, 2),
        ({"warmup_ratio": 0.1}, NEW, 0),
        ({"warmup_ratio": 0.1}, VersionFacts(transformers="5.10.0"), 2),
        ({"warmup_ratio": 0.1}, OLD, 2),
        ({"warmup_ratio": 0.1, "warmup_steps": 5}, OLD, 5),
        ({"warmup_ratio": 0.1, "warmup_steps": 5}, VersionFacts(transformers="5.10.0"), 2),
        ({"warmup_steps": -3}, NEW, 0),
    ],
)
def test_warm_up_steps_by_version(args, versions, warmup):
    """warmup_steps takes a share since 5.0; before, warmup_ratio did, and steps won."""
    assert facts(args, 48, versions).warmup == warmup


def test_old_and_new_names_are_understood_as_one():
    """What is said under an old name counts for the new one, and its place is that of the old."""
    read = facts(
        {"evaluation_strategy": "epoch", "activation_checkpointing": True}, places={"training_args": "s.toml:/t"}
    )
    assert read.text("eval_strategy") == "epoch"
    assert read.flag("gradient_checkpointing")
    assert read.place("eval_strategy") == "s.toml:/t/evaluation_strategy"


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b"\xff\xfe", b'{"global_step": "x"}', b"[" * 100_000, b'{"global_step": 1e400}']
)
def test_a_broken_trainer_state_is_no_state(tmp_path, content):
    """A trainer_state.json that is not what it should be is left alone."""
    (tmp_path / "trainer_state.json").write_bytes(content)
    resumed = facts({"resume_from_checkpoint": str(tmp_path)}).resumed
    assert resumed is None or resumed.step is None


def test_the_newest_checkpoint_is_the_one_resumed(tmp_path):
    """resume_from_checkpoint true means the checkpoint with the highest number in output_dir."""
    for step in (9, 10):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        state = {"global_step": step, "epoch": 1.0, "train_batch_size": 8}
        (folder / "trainer_state.json").write_text(json.dumps(state))
    (tmp_path / "checkpoint-best").mkdir()
    resumed = facts({"resume_from_checkpoint": True, "output_dir": str(tmp_path)}).resumed
    assert resumed is not None
    assert (resumed.step, resumed.batch) == (10, 8)


@pytest.mark.parametrize("path", ["\0", "~nobody-of-this-name/x", "", "/nonexistent", "a" * 5000])
def test_odd_paths_are_no_checkpoint(path, tmp_path):
    """A path that cannot be looked up is no state and no overlap."""
    read = facts({"resume_from_checkpoint": path, "output_dir": path}, model=str(tmp_path))
    assert read.resumed is None
    assert read.output == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=5), x, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from(sorted(arguments_of().seen)), JSON, max_size=6),
    st.integers(0, 10**9),
    st.sampled_from(["4.30.0", "4.57.6", "5.23.0", "6.0", "x"]),
)
def test_odd_values_make_facts_all_the_same(args, rows, version):
    """Whatever a setup file holds, the facts are read."""
    args = {"seed": 1} | {key: value for key, value in args.items() if key != "resume_from_checkpoint"}
    read = facts(args, rows, VersionFacts(transformers=version))
    assert set(read.table.arguments) <= set(read.values)


def test_the_table_is_that_of_the_nearest_older_version():
    """A version between two in the table, older or newer than all, and no version at all."""
    assert arguments_of("5.7.0").row == "5.5.4"
    assert arguments_of("4.0.0").row == "4.30.2"
    assert arguments_of("99.0").row == newest()
    assert arguments_of("nonsense").version == newest()


def test_what_became_of_an_argument():
    """gone_since names the first version without it; a living or unknown one has none."""
    table = arguments_of()
    assert table.gone_since("evaluation_strategy") == "4.51.3"
    assert table.gone_since("warmup_ratio") == "5.15.1"
    assert table.gone_since("no_cuda") == "5.0.0"
    assert table.gone_since("learning_rate") is None
    assert table.gone_since("never_was") is None


def test_every_removed_argument_has_advice():
    """Each argument that an older version had and the newest has not is in the table of replacements."""
    table = arguments_of()
    assert {name for name in table.seen if table.gone_since(name)} == set(table.replaced)


def test_the_table_agrees_with_transformers():
    """Names and plain defaults are those of the installed TrainingArguments, when its version is the table's newest."""
    transformers = pytest.importorskip("transformers", reason="compares with the installed transformers")
    if transformers.__version__ != newest():
        pytest.skip(f"the table's newest is {newest()}, installed is {transformers.__version__}")
    from transformers import Seq2SeqTrainingArguments
    from transformers.trainer_utils import SchedulerType
    from transformers.training_args import OptimizerNames

    table = arguments_of()
    real = {f.name: f for f in dataclasses.fields(Seq2SeqTrainingArguments) if f.init}
    assert set(real) == set(table.arguments)
    for name, field in real.items():
        if name != "optim" and field.default is not dataclasses.MISSING:
            assert table.arguments[name].default == field.default, name
    assert set(table.arguments["optim"].choices) == {o.value for o in OptimizerNames}
    assert set(table.arguments["lr_scheduler_type"].choices) == {s.value for s in SchedulerType} == set(table.schedules)
