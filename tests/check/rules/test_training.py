"""TRN rules: each fires and stays quiet, healthy argument sets say nothing, and transformers itself agrees."""

import json
import math
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretune.check.facts.training import read_training
from pretune.check.facts.training_arguments import arguments_of, newest
from pretune.check.facts.versions import VersionFacts
from pretune.check.finding import Level, Rule, stamp
from pretune.check.rules import argument_values, optimisation, saving, schedule, training
from pretune.check.rules.saving import higher_is_better
from pretune.check.sources.setup import Data, Setup

MODULES = (training, argument_values, saving, schedule, optimisation)
RULES = tuple(rule for module in MODULES for rule in module.RULES)
BY_NAME = {rule.ask.__name__: rule for rule in RULES}
BERT = SimpleNamespace(model_type="bert", effective={"dtype": "float32"})


def found(
    args: dict[str, Any],
    *,
    rule: str = "",
    version: str | None = "5.23.0",
    rows: int | None = None,
    model=BERT,
    **setup: Any,
):
    """What the TRN rules (or one of them) find in a setup with these arguments."""
    made = Setup(
        **{
            "task": "text-classification",
            "training_args": args,
            "places": {"training_args": "setup.toml:/training_args"},
            **setup,
        }
    )
    facts = read_training(made, VersionFacts(transformers=version), rows, rows is not None)
    have = {"training": facts, "model": model, "setup": made}
    asked: list[Rule] = [BY_NAME[rule]] if rule else list(RULES)
    return [stamp(r, problem) for r in asked for problem in r.ask(**{need: have[need] for need in r.needs})]


BEST = {"load_best_model_at_end": True, "eval_strategy": "epoch", "save_strategy": "epoch"}
OLD = {"version": "4.57.6"}
ERROR, WARNING, NOTE = Level.ERROR, Level.WARNING, Level.NOTE

FIRES: list[tuple[str, dict[str, Any], dict[str, Any], Level, str]] = [
    ("unknown_argument", {"lerning_rate": 1e-5}, {}, ERROR, "`lerning_rate` is no training argument of transformers 5.23"),
    ("unknown_argument", {"compute_metrics": 1}, {}, ERROR, "`compute_metrics` is no training argument"),
    ("unknown_argument", {"packing": True}, {}, ERROR, "`packing` is no training argument"),
    ("unknown_argument", {"brand_new": 1}, {"version": "6.1.0"}, NOTE, "`brand_new` may not be a training argument"),
    ("removed_argument", {"evaluation_strategy": "epoch"}, {}, ERROR, "evaluation_strategy is gone since transformers 4.51"),
    ("removed_argument", {"warmup_ratio": 0.1}, {}, ERROR, "warmup_ratio is gone since transformers 5.15"),
    ("removed_argument", {"no_cuda": True}, {"version": None}, WARNING, "(no transformers is installed: transformers 5.23 is assumed)"),
    ("argument_of_a_later_version", {"eval_strategy": "no"}, {"version": "4.40.0"}, ERROR, "eval_strategy came with transformers 4.41, but 4.40 is installed"),
    ("argument_about_to_go", {"group_by_length": True}, OLD, NOTE, "group_by_length works in transformers 4.57 but is gone since 5.2"),
    ("argument_of_the_wrong_type", {"learning_rate": "2e-5"}, {}, ERROR, 'learning_rate is "2e-5" (str), expected float'),
    ("argument_of_the_wrong_type", {"fp16": "false"}, {}, ERROR, 'fp16 is "false" (str), expected bool, which counts as true'),
    ("argument_of_the_wrong_type", {"fp16": "true"}, {}, WARNING, 'fp16 is "true" (str), expected bool'),
    ("argument_of_the_wrong_type", {"bf16": None}, {}, NOTE, "bf16 is null (null), expected bool, which counts as false"),
    ("argument_of_the_wrong_type", {"eval_strategy": False}, {}, ERROR, "eval_strategy is false (bool), expected str"),
    ("argument_of_the_wrong_type", {"max_steps": [100]}, {}, ERROR, "max_steps is [100] (list), expected int"),
    ("argument_of_the_wrong_type", {"seed": None}, {}, ERROR, "seed is null (null), expected int"),
    ("argument_of_the_wrong_type", {"warmup_steps": 0.1}, OLD, WARNING, "before transformers 5 a share of the run is warmup_ratio"),
    ("value_not_among_the_choices", {"optim": "adamw"}, {}, ERROR, 'optim is "adamw" but transformers 5.23 knows'),
    ("value_not_among_the_choices", {"optim": "adamw_hf"}, {}, ERROR, "which is gone after transformers 4.49"),
    ("value_not_among_the_choices", {"lr_scheduler_type": "cosin"}, {}, ERROR, 'lr_scheduler_type is "cosin"'),
    ("value_not_among_the_choices", {"train_sampling_strategy": "grouped"}, {}, WARNING, "random, sequential, group_by_length, batch_rebalance"),
    ("argument_out_of_range", {"per_device_train_batch_size": 0}, {}, ERROR, "per_device_train_batch_size is 0, expected at least 1"),
    ("argument_out_of_range", {"learning_rate": -1e-5}, {}, ERROR, "learning_rate is -1.0e-05, expected a positive number"),
    ("argument_out_of_range", {"learning_rate": math.nan}, {}, ERROR, "learning_rate is nan, expected a finite number"),
    ("argument_out_of_range", {"max_grad_norm": -1}, {}, WARNING, "no gradient is clipped"),
    ("argument_out_of_range", {"logging_steps": 0}, {}, ERROR, "logging_steps is 0, expected more than 0"),
    ("argument_out_of_range", {"save_steps": 1.5}, {}, ERROR, "save_steps is 1.5, expected a whole number"),
    ("run_without_steps", {"num_train_epochs": 0}, {}, ERROR, "num_train_epochs is 0: no step is made"),
    ("run_without_steps", {"max_steps": 0}, {}, ERROR, "max_steps is 0: Trainer makes a single step"),
    ("token_in_the_setup", {"hub_token": "hf_" + "x" * 34}, {}, WARNING, "hub_token holds a token of 37 characters"),
    ("best_model_without_evaluation", {"load_best_model_at_end": True}, {}, ERROR, 'eval_strategy is "no" (the default): save_strategy "steps" makes that an error'),
    ("best_model_without_evaluation", {"load_best_model_at_end": True, "save_strategy": "no"}, {}, WARNING, "nothing is loaded at the end"),
    ("best_model_without_evaluation", {"save_strategy": "best", "metric_for_best_model": "f1"}, {}, WARNING, "nothing is ever saved"),
    ("evaluation_and_saving_apart", BEST | {"eval_strategy": "steps"}, {}, ERROR, 'eval_strategy is "steps" and save_strategy "epoch"'),
    ("evaluation_and_saving_apart", {"load_best_model_at_end": True, "eval_strategy": "epoch"}, {}, ERROR, 'save_strategy "steps" (the default)'),
    ("saving_between_evaluations", {"load_best_model_at_end": True, "eval_strategy": "steps", "eval_steps": 200}, {}, ERROR, "save_steps is 500 (the default), eval_steps 200: it has to be a multiple of that"),
    ("saving_between_evaluations", {"load_best_model_at_end": True, "eval_strategy": "steps", "eval_steps": 0.1}, {}, ERROR, "cannot be compared"),
    ("metric_direction_reversed", BEST | {"greater_is_better": True, "metric_for_best_model": "eval_loss"}, {}, ERROR, "greater_is_better is true for `eval_loss`: the checkpoint with the highest one is kept"),
    ("metric_direction_reversed", BEST | {"greater_is_better": False, "metric_for_best_model": "eval_f1"}, {}, ERROR, "greater_is_better is false for `eval_f1`"),
    ("metric_direction_reversed", BEST | {"metric_for_best_model": "wer"}, {}, ERROR, "greater_is_better becomes true for `wer`"),
    ("metric_by_another_name", {"metric_for_best_model": "squad"}, {}, NOTE, 'the metric "squad" returns f1 or exact_match'),
    ("metric_by_another_name", {"metric_for_best_model": "eval_eval_f1"}, {}, NOTE, "looked up as `eval_eval_f1`"),
    ("evaluation_without_data", {"eval_strategy": "epoch"}, {"data": Data(train=("t.jsonl",))}, NOTE, "names no data.eval"),
    ("output_dir_left_out", {"seed": 1}, {"version": "4.46.3"}, NOTE, "output_dir is not said"),
    ("limit_without_effect", {"save_total_limit": 0}, {}, NOTE, "save_total_limit is 0, which keeps every checkpoint"),
    ("best_without_a_metric", {"save_strategy": "best", "eval_strategy": "epoch"}, {}, ERROR, "metric_for_best_model is not set"),
    ("warmup_longer_than_run", {"warmup_steps": 500}, {"rows": 48}, WARNING, "the warm-up takes 500 steps, the run has 18: the learning rate ends at 3.6 % of its peak"),
    ("warmup_longer_than_run", {"warmup_steps": 500, "num_train_epochs": 1}, {"rows": 48, "task": "question-answering"}, WARNING, "the run has 60 at most"),
    ("warmup_said_twice", {"warmup_steps": 10, "warmup_ratio": 0.1}, OLD, WARNING, "takes warmup_steps 10"),
    ("warmup_said_twice", {"warmup_steps": 10, "warmup_ratio": 0.1}, {"version": "5.2.0"}, WARNING, "takes warmup_ratio 0.1"),
    ("warmup_without_effect", {"lr_scheduler_type": "constant", "warmup_steps": 10}, {}, NOTE, 'lr_scheduler_type "constant" has no warm-up'),
    ("epochs_overridden", {"max_steps": 2, "num_train_epochs": 3}, {"rows": 48}, WARNING, "max_steps 2 is 0.33 epochs of 6 steps and overrides num_train_epochs 3"),
    ("interval_longer_than_run", {"eval_strategy": "steps", "eval_steps": 500}, {"rows": 48}, NOTE, "it is evaluated once, at the end"),
    ("interval_longer_than_run", {"eval_strategy": "steps", "eval_steps": 500}, {"rows": 48} | OLD, WARNING, "eval_steps is 500 but the run has 18 steps: it is never evaluated"),
    ("interval_longer_than_run", {"logging_steps": 500}, {"rows": 48}, WARNING, "no loss is logged while it trains"),
    ("empty_epoch", {"dataloader_drop_last": True, "per_device_train_batch_size": 64}, {"rows": 48}, ERROR, "48 rows do not fill one batch of 64"),
    ("accumulation_longer_than_epoch", {"gradient_accumulation_steps": 64}, {"rows": 48}, WARNING, "an epoch has 6 batches: one step an epoch, 3 in all"),
    ("schedule_options_refused", {"lr_scheduler_kwargs": {"num_cycle": 1}}, {}, ERROR, 'lr_scheduler_type "linear" does not take `num_cycle`'),
    ("schedule_options_refused", {"lr_scheduler_type": "cosine_with_min_lr"}, {}, ERROR, "needs min_lr or min_lr_rate"),
    ("schedule_options_refused", {"lr_scheduler_type": "warmup_stable_decay"}, {}, ERROR, "needs num_decay_steps"),
    ("schedule_options_refused", {"lr_scheduler_type": "constant", "lr_scheduler_kwargs": {"x": 1}}, {}, NOTE, "drops `x`"),
    ("schedule_waits_for_evaluation", {"lr_scheduler_type": "reduce_lr_on_plateau"}, {}, ERROR, 'eval_strategy is "no" (the default)'),
    ("learning_rate_zero", {"learning_rate": 0.0}, {}, ERROR, "no weight will move"),
    ("learning_rate_high_for_all_weights", {"learning_rate": 5e-2}, {}, WARNING, "learning_rate is 0.05 for all weights with adamw_torch"),
    ("learning_rate_high_for_all_weights", {"learning_rate": 5e-4}, {}, NOTE, "learning_rate is 0.0005"),
    ("learning_rate_tiny", {"learning_rate": 5e-9}, {}, NOTE, "learning_rate is 5e-09"),
    ("weight_decay_of_one", {"weight_decay": 1}, {}, WARNING, "weight_decay is 1"),
    ("two_half_precisions", {"fp16": True, "bf16": True}, {}, ERROR, "fp16 and bf16 are both true"),
    ("fp16_on_cpu", {"fp16": True, "use_cpu": True}, {}, NOTE, "fp16 and use_cpu"),
    ("fp16_for_a_bf16_model", {"fp16": True}, {"model": SimpleNamespace(model_type="mt5", effective={})}, WARNING, "fp16 with mt5"),
    ("fp16_for_a_bf16_model", {"fp16": True}, {"model": SimpleNamespace(model_type="t5", effective={"feed_forward_proj": "relu"})}, NOTE, "fp16 with t5"),
    ("fp16_for_a_bf16_model", {"fp16": True}, {"model": SimpleNamespace(model_type="qwen2", effective={"torch_dtype": "bfloat16"})}, WARNING, "the gradient scaler may refuse them"),
    ("smoothing_without_labels", {"label_smoothing_factor": 0.1}, {"task": "question-answering"}, NOTE, "it has no effect"),
    ("smoothing_of_no_classes", {"label_smoothing_factor": 0.1}, {"model": SimpleNamespace(model_type="bert", effective={"problem_type": "regression"})}, ERROR, "a number cannot be smoothed"),
    ("smoothing_of_no_classes", {"label_smoothing_factor": 0.1}, {"model": SimpleNamespace(model_type="bert", effective={"problem_type": "multi_label_classification"})}, WARNING, "switched off for multi-label"),
    ("cache_while_checkpointing", {"gradient_checkpointing": True, "use_cache": True}, {}, NOTE, "both true"),
    ("accumulated_loss_not_divided", {"gradient_accumulation_steps": 8}, {}, WARNING, "makes loss and gradient 8 times too large"),
    ("accumulated_loss_not_divided", {"gradient_accumulation_steps": 8}, {"task": "sentence-similarity", "model_class": "BertForSequenceClassification"}, WARNING, "the loss of `BertForSequenceClassification"),
    ("accumulated_masking_loss_not_divided", {"gradient_accumulation_steps": 8}, {"task": "masked-lm"}, WARNING, "the masked-LM head of bert"),
    ("optimiser_without_targets", {"optim": "galore_adamw"}, {}, ERROR, 'optim "galore_adamw" needs optim_target_modules'),
    ("options_of_workers_without_workers", {"dataloader_prefetch_factor": 2}, {}, ERROR, "dataloader_num_workers is 0 (the default)"),
]  # fmt: skip

QUIET: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("unknown_argument", {"packing": True, "max_seq_length": 512}, {"task": "chat-sft"}),
    ("unknown_argument", {"predict_with_generate": True, "evaluation_strategy": "no"}, {}),
    ("removed_argument", {"warmup_ratio": 0.1}, {"task": "sentence-similarity"}),
    ("removed_argument", {"warmup_ratio": 0.1}, {"version": "5.14.1"}),
    ("argument_of_a_later_version", {"eval_strategy": "no"}, {"version": "4.41.0"}),
    ("argument_about_to_go", {"gradient_checkpointing": True}, {}),
    ("argument_of_the_wrong_type", {"fp16": 1, "learning_rate": 1, "num_train_epochs": 3, "report_to": ["wandb"], "debug": None}, {}),
    ("value_not_among_the_choices", {"optim": "paged_adamw_8bit", "lr_scheduler_type": "cosine", "save_strategy": "best"}, {}),
    ("argument_out_of_range", {"max_grad_norm": 0, "logging_steps": 0.1, "save_steps": 0.5, "seed": 0, "weight_decay": 0}, {}),
    ("run_without_steps", {"num_train_epochs": 0, "max_steps": 10}, {}),
    ("token_in_the_setup", {"hub_token": "${HF_TOKEN}"}, {}),
    ("best_model_without_evaluation", BEST, {}),
    ("evaluation_and_saving_apart", BEST, {}),
    ("evaluation_and_saving_apart", BEST | {"save_strategy": "best"}, {}),
    ("saving_between_evaluations", {"load_best_model_at_end": True, "eval_strategy": "steps", "eval_steps": 250}, {}),
    ("saving_between_evaluations", {"load_best_model_at_end": True, "eval_strategy": "steps", "eval_steps": 0.1, "save_steps": 0.2}, {}),
    ("saving_between_evaluations", {"load_best_model_at_end": True, "eval_strategy": "steps"}, {}),
    ("metric_direction_reversed", BEST | {"metric_for_best_model": "eval_f1", "greater_is_better": True}, {}),
    ("metric_direction_reversed", BEST | {"metric_for_best_model": "my_score", "greater_is_better": False}, {}),
    ("metric_direction_reversed", BEST, {}),
    ("metric_direction_reversed", {"metric_for_best_model": "wer"}, {}),
    ("metric_by_another_name", BEST | {"metric_for_best_model": "eval_exact_match"}, {}),
    ("evaluation_without_data", {"eval_strategy": "epoch"}, {"data": Data(train=("t.jsonl",), eval=("d.jsonl",))}),
    ("output_dir_left_out", {"seed": 1}, {}),
    ("limit_without_effect", {"save_total_limit": 1}, {}),
    ("best_without_a_metric", {"save_strategy": "best", "metric_for_best_model": "loss"}, {}),
    ("warmup_longer_than_run", {"warmup_steps": 2}, {"rows": 48}),
    ("warmup_longer_than_run", {"warmup_steps": 500}, {"rows": 48, "task": "causal-lm"}),
    ("warmup_longer_than_run", {"warmup_steps": 500}, {}),
    ("warmup_longer_than_run", {"warmup_steps": 0.1}, {"rows": 1}),
    ("warmup_said_twice", {"warmup_ratio": 0.1}, OLD),
    ("warmup_without_effect", {"lr_scheduler_type": "constant", "warmup_steps": 0}, {}),
    ("epochs_overridden", {"max_steps": 18, "num_train_epochs": 3}, {"rows": 48}),
    ("epochs_overridden", {"max_steps": -1, "num_train_epochs": 3}, {}),
    ("epochs_overridden", {"max_steps": 100}, {}),
    ("interval_longer_than_run", {"eval_strategy": "steps", "eval_steps": 6}, {"rows": 48}),
    ("interval_longer_than_run", {"seed": 1}, {"rows": 48}),
    ("empty_epoch", {"dataloader_drop_last": True, "per_device_train_batch_size": 48}, {"rows": 48}),
    ("empty_epoch", {"dataloader_drop_last": True, "per_device_train_batch_size": 64}, {"rows": 48, "task": "question-answering"}),
    ("accumulation_longer_than_epoch", {"gradient_accumulation_steps": 6}, {"rows": 48}),
    ("schedule_options_refused", {"lr_scheduler_type": "cosine_with_min_lr", "lr_scheduler_kwargs": {"min_lr_rate": 0.1}}, {}),
    ("schedule_options_refused", {"lr_scheduler_type": "reduce_lr_on_plateau", "lr_scheduler_kwargs": {"patience": 2}}, {}),
    ("schedule_waits_for_evaluation", {"lr_scheduler_type": "reduce_lr_on_plateau", "eval_strategy": "epoch"}, {}),
    ("learning_rate_zero", {"learning_rate": 1e-5}, {}),
    ("learning_rate_high_for_all_weights", {"learning_rate": 3e-4}, {}),
    ("learning_rate_high_for_all_weights", {"learning_rate": 1e-3, "optim": "adafactor"}, {}),
    ("learning_rate_high_for_all_weights", {"learning_rate": 2e-3}, {"peft": {"r": 8}}),
    ("learning_rate_tiny", {"learning_rate": 5e-7}, {}),
    ("weight_decay_of_one", {"weight_decay": 0.1}, {}),
    ("two_half_precisions", {"bf16": True, "fp16": False}, {}),
    ("fp16_on_cpu", {"fp16": True}, {}),
    ("fp16_for_a_bf16_model", {"fp16": True}, {}),
    ("fp16_for_a_bf16_model", {"bf16": True}, {"model": SimpleNamespace(model_type="mt5", effective={})}),
    ("fp16_for_a_bf16_model", {"fp16": True}, {"model": SimpleNamespace(model_type="qwen2", effective={"dtype": "bfloat16"}), "from_pretrained": {"dtype": "float32"}}),
    ("smoothing_without_labels", {"label_smoothing_factor": 0.1}, {}),
    ("smoothing_of_no_classes", {"label_smoothing_factor": 0.1}, {}),
    ("cache_while_checkpointing", {"gradient_checkpointing": True}, {}),
    ("accumulated_loss_not_divided", {"gradient_accumulation_steps": 8}, OLD),
    ("accumulated_loss_not_divided", {"gradient_accumulation_steps": 8}, {"task": "question-answering"}),
    ("accumulated_loss_not_divided", {"gradient_accumulation_steps": 8}, {"task": "causal-lm"}),
    ("accumulated_loss_not_divided", {"gradient_accumulation_steps": 1}, {}),
    ("accumulated_masking_loss_not_divided", {"gradient_accumulation_steps": 8}, {"task": "masked-lm", "model": SimpleNamespace(model_type="modernbert", effective={})}),
    ("optimiser_without_targets", {"optim": "galore_adamw", "optim_target_modules": "all-linear"}, {}),
    ("options_of_workers_without_workers", {"dataloader_prefetch_factor": 2, "dataloader_num_workers": 2}, {}),
    ("options_of_workers_without_workers", {"dataloader_persistent_workers": False}, {}),
]  # fmt: skip

FROM_FILES = {"output_over_the_model", "resumed_with_other_batches", "resumed_after_the_end"}


@pytest.mark.parametrize(
    ("rule", "args", "setup", "level", "words"), FIRES, ids=lambda v: v if isinstance(v, str) and " " not in v else ""
)
def test_a_rule_fires(rule, args, setup, level, words):
    """The faulty setup is found, once, with its numbers, its place and the level of its harm."""
    finding = found(args, rule=rule, **setup)
    assert len(finding) == 1
    assert words in finding[0].message
    assert finding[0].level is level
    assert finding[0].help
    assert not finding[0].where or finding[0].where.startswith("setup.toml:/training_args/")
    assert len(finding[0].message) < 200


@pytest.mark.parametrize(("rule", "args", "setup"), QUIET, ids=lambda v: v if isinstance(v, str) else "")
def test_a_rule_stays_quiet(rule, args, setup):
    """The healthy or unknowable setup beside it is not found."""
    assert found(args, rule=rule, **setup) == []


def test_every_rule_has_a_case_that_fires_and_one_that_is_quiet():
    """No rule is without both; codes are unique and in the family."""
    assert {case[0] for case in FIRES} | FROM_FILES == set(BY_NAME)
    assert {case[0] for case in QUIET} | FROM_FILES == set(BY_NAME)
    assert len({rule.code for rule in RULES}) == len(RULES) == len(BY_NAME)
    assert all(rule.code.startswith("TRN") and rule.why and rule.fix and rule.claim.endswith(".") for rule in RULES)


RUN_QA = {
    "output_dir": "out", "do_train": True, "do_eval": True, "per_device_train_batch_size": 12, "learning_rate": 3e-5,
    "num_train_epochs": 2, "save_strategy": "epoch", "eval_strategy": "epoch", "fp16": True,
}  # fmt: skip
RUN_GLUE = {
    "output_dir": "out",
    "do_train": True,
    "per_device_train_batch_size": 32,
    "learning_rate": 2e-5,
    "num_train_epochs": 3,
}
KLUE = {
    "output_dir": "./results", "save_total_limit": 5, "save_steps": 500, "num_train_epochs": 20, "learning_rate": 5e-5,
    "per_device_train_batch_size": 16, "per_device_eval_batch_size": 16, "warmup_steps": 500, "weight_decay": 0.01,
    "logging_steps": 100, "eval_strategy": "steps", "eval_steps": 500, "load_best_model_at_end": True,
    "metric_for_best_model": "eval_f1", "greater_is_better": True, "fp16": True, "seed": 42, "report_to": "none",
}  # fmt: skip
SENTENCE = {
    "output_dir": "models/mpnet", "num_train_epochs": 1, "per_device_train_batch_size": 16, "learning_rate": 2e-5,
    "warmup_ratio": 0.1, "bf16": True, "batch_sampler": "no_duplicates", "eval_strategy": "steps", "eval_steps": 100,
    "save_strategy": "steps", "save_steps": 100, "save_total_limit": 2, "logging_steps": 100, "run_name": "mpnet",
}  # fmt: skip
SFT = {
    "output_dir": "sft", "max_length": 2048, "packing": False, "learning_rate": 2e-4, "num_train_epochs": 1,
    "per_device_train_batch_size": 2, "gradient_accumulation_steps": 8, "gradient_checkpointing": True, "bf16": True,
    "gradient_checkpointing_kwargs": {"use_reentrant": False}, "lr_scheduler_type": "cosine", "warmup_steps": 0.03,
    "optim": "paged_adamw_8bit", "max_grad_norm": 0.3, "logging_steps": 10, "dataset_text_field": "text",
}  # fmt: skip
V4 = {
    "output_dir": "out",
    "eval_strategy": "epoch",
    "save_strategy": "epoch",
    "load_best_model_at_end": True,
    "warmup_steps": 100,
}
DAPT = {
    "output_dir": "dapt",
    "max_steps": 10_000,
    "gradient_accumulation_steps": 4,
    "learning_rate": 1e-4,
    "bf16": True,
}


@pytest.mark.parametrize(
    ("args", "setup"),
    [
        (RUN_QA, {"task": "question-answering", "rows": 17_554}),
        (RUN_GLUE, {"rows": 67_349}),
        (KLUE, {"rows": 32_470}),
        (SENTENCE, {"task": "sentence-similarity", "rows": 5_749}),
        (SFT, {"task": "chat-sft", "rows": 10_000, "peft": {"r": 16, "target_modules": "all-linear"}}),
        (V4, {"rows": 10_000, "version": "4.57.6"}),
        (DAPT, {"task": "causal-lm", "rows": 5}),
        ({"output_dir": "out"}, {"rows": 1, "version": None}),
        ({"output_dir": "out"}, {"rows": 0}),
    ],
    ids=["run_qa", "run_glue", "klue", "sentence-transformers", "trl-lora", "v4", "dapt", "default", "empty"],
)
def test_usual_argument_sets_say_nothing(args, setup):
    """What the example scripts, the KLUE baseline, sentence-transformers and TRL recipes set is silent."""
    data = Data(train=("train.json",), eval=("dev.json",))
    assert [f.message for f in found(args, data=data, **setup)] == []


def test_the_help_says_what_to_write():
    """The way out is the value or the name itself."""

    def help_of(args, **setup):
        return found(args, **setup)[0].help

    assert help_of({"learning_rate": "2e-5"}) == "write 2.0e-05; YAML reads 2e-5 as text"
    assert help_of({"eval_strategy": False}) == 'write "no" in quotation marks; YAML reads a bare no as false'
    assert help_of({"warmup_ratio": 0.06}) == "write warmup_steps = 0.06: a number below 1 is a share of the run"
    assert help_of({"evaluation_strategy": "no"}) == "the name is now eval_strategy"
    assert help_of({"eval_strategy": "no"}, version="4.40.0") == "here it is called evaluation_strategy"
    assert help_of({"lerning_rate": 1e-5}) == 'did you mean "learning_rate"?'
    assert help_of({"compute_metrics": 1}) == "it is an argument of Trainer, not of TrainingArguments"
    assert help_of({"packing": True}) == "it belongs to SFTConfig (trl), not to TrainingArguments"
    assert help_of({"optim": "adamw_hf"}) == 'write "adamw_torch"'


def test_a_token_is_never_shown():
    """Neither the token rule nor the type rule writes a token out."""
    secret = "hf_abcdefgh"
    findings = found({"hub_token": secret, "push_to_hub_token": [secret]}, version="4.57.6")
    assert findings
    assert not any(secret in f.message + f.help for f in findings)


def test_training_into_the_models_own_folder(tmp_path):
    """The model's folder as output_dir is found, by whatever path; a folder beside it is not; nor is a hub name."""
    model = tmp_path / "checkpoint-500"
    model.mkdir()
    assert "are the same folder" in _output(model, f"{tmp_path}/./checkpoint-500")[0].message
    assert "save_total_limit 2 deletes the oldest" in _output(model, str(tmp_path), save_total_limit=2)[0].message
    assert _output(model, str(tmp_path)) == []
    assert _output(model, str(tmp_path / "out"), save_total_limit=2) == []
    assert _output("klue/bert-base", "klue/bert-base") == []


def _output(model, output, **args):
    setup = Setup(model=str(model), training_args={"output_dir": output, **args})
    rule = BY_NAME["output_over_the_model"]
    facts = read_training(setup, VersionFacts(transformers="5.23.0"))
    return [stamp(rule, problem) for problem in rule.ask(facts)]


@pytest.mark.parametrize(
    ("state", "args", "words"),
    [
        ({"train_batch_size": 12}, {}, "made with batches of 12, this run makes 8"),
        ({"train_batch_size": 32}, {}, "unless it ran on 4 GPUs"),
        ({"train_batch_size": 8, "global_step": 24, "epoch": 2.0}, {}, "12 steps an epoch, this run has 6"),
        ({"train_batch_size": 8, "global_step": 18, "epoch": 3.0}, {}, "has made 18 steps, and this run has 18 in all"),
        ({"train_batch_size": 8, "global_step": 12, "epoch": 2.0}, {}, ""),
        ({"train_batch_size": 8, "global_step": 12, "epoch": 2.0}, {"num_train_epochs": 2}, "this run has 12 in all"),
        ({}, {}, ""),
    ],
)
def test_resuming_a_run(tmp_path, state, args, words):
    """A checkpoint made with other batches, or already at the end, is found; one that fits is not."""
    (tmp_path / "trainer_state.json").write_text(json.dumps(state))
    args = {"resume_from_checkpoint": str(tmp_path), **args}
    findings = [f for rule in sorted(FROM_FILES) for f in found(args, rule=rule, rows=48)]
    assert any(words in f.message for f in findings) if words else findings == []


@pytest.mark.parametrize(
    ("metric", "better"),
    [("eval_f1", True), ("macro_f1", True), ("rougeL", True), ("loss", False), ("eval_my_loss", False), ("cer", False),
     ("score", None), ("", None), ("dice", None)],
)  # fmt: skip
def test_a_metrics_name_says_which_way_is_better(metric, better):
    """Known metrics have a direction, unknown ones have none."""
    assert higher_is_better(metric) is better


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
USUAL = st.sampled_from(
    [
        "no",
        "steps",
        "epoch",
        "best",
        "loss",
        "f1",
        0,
        1,
        8,
        0.1,
        500,
        -1,
        True,
        False,
        None,
        "2e-5",
        "constant",
        "greedy",
    ]
)


@given(
    args=st.dictionaries(
        st.sampled_from(sorted(arguments_of().seen)) | st.text(max_size=8), USUAL | JSON, min_size=1, max_size=12
    ),
    version=st.sampled_from(["4.30.2", "4.57.6", "5.23.0", "7.0", None]),
    rows=st.none() | st.integers(0, 10**12),
    task=st.sampled_from(["question-answering", "text-classification", "chat-sft", "masked-lm", None]),
    effective=st.dictionaries(st.sampled_from(["dtype", "problem_type", "feed_forward_proj"]), JSON),
    model_type=st.sampled_from(["t5", "bert", None]),
)
def test_no_rule_crashes_on_odd_values(args, version, rows, task, effective, model_type):
    """Whatever a setup holds, every rule answers in one line."""
    args.pop("resume_from_checkpoint", None)
    model = SimpleNamespace(model_type=model_type, effective=effective)
    for finding in found(args, version=version, rows=rows, task=task, model=model) if args else ():
        assert "\n" not in finding.message


def test_transformers_refuses_what_the_errors_say():
    """Arguments that a rule calls refused are refused by the installed TrainingArguments, and their neighbours are not."""
    transformers = pytest.importorskip("transformers", reason="compares with the installed transformers")
    if transformers.__version__ != newest():
        pytest.skip(f"the table's newest is {newest()}, installed is {transformers.__version__}")
    refused = (
        "best_model_without_evaluation", "evaluation_and_saving_apart", "saving_between_evaluations", "two_half_precisions",
        "schedule_waits_for_evaluation", "removed_argument", "unknown_argument",
    )  # fmt: skip
    base = {"output_dir": "unused", "use_cpu": True, "report_to": "none"}
    for rule, args, setup, level, _ in FIRES:
        if rule in refused and level is Level.ERROR and not setup:
            with pytest.raises((ValueError, TypeError)):
                transformers.TrainingArguments(**base | args)
    for rule, args, setup in QUIET:
        if rule in refused and not setup and rule != "unknown_argument":
            transformers.TrainingArguments(**base | args)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("head", "labels", "multiplied"),
    [
        ("BertForSequenceClassification", {"labels": 1}, True),
        ("BertForTokenClassification", {"labels": [0, 1, 0, 1]}, True),
        ("BertForMaskedLM", {"labels": [0, 1, 0, 1]}, True),
        ("BertForQuestionAnswering", {"start_positions": 1, "end_positions": 2}, False),
    ],
)
def test_transformers_multiplies_an_accumulated_loss(tmp_path, head, labels, multiplied):
    """With the same rows in one step, accumulating 4 batches gives 4 times the loss for these heads, not for spans."""
    transformers = pytest.importorskip("transformers", reason="trains with the installed transformers")
    torch = pytest.importorskip("torch", reason="trains with torch")
    pytest.importorskip("accelerate", reason="Trainer needs accelerate")
    if transformers.__version__ != newest():
        pytest.skip(f"measured on {newest()}, installed is {transformers.__version__}")
    config = transformers.BertConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=16, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    rows = [{"input_ids": [1, 2, 3, i], "attention_mask": [1] * 4, **labels} for i in range(8)]

    def loss(batch, steps):
        torch.manual_seed(0)
        args = transformers.TrainingArguments(
            output_dir=str(tmp_path), use_cpu=True, report_to="none", save_strategy="no", disable_tqdm=True, max_steps=1,
            per_device_train_batch_size=batch, gradient_accumulation_steps=steps, logging_steps=1,
        )  # fmt: skip
        trainer = transformers.Trainer(model=getattr(transformers, head)(config), args=args, train_dataset=rows)
        trainer.train()
        return trainer.state.log_history[0]["loss"]

    assert loss(2, 4) / loss(8, 1) == pytest.approx(4 if multiplied else 1, rel=0.05)
