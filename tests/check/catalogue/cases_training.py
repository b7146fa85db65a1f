"""Entries A01 to A18 and the X entries of their kind: training arguments that raise, do nothing or do harm."""

from typing import Any

import yaml

from check.catalogue import korean
from check.catalogue.case import Case, Keys, World, into
from check.catalogue.folders import bert, electra, llama, qwen2, roberta

CASES: list[Case] = []
case = into(CASES)


def _args(world: World, args: dict[str, Any], **keys: Any) -> Keys:
    return world.classify(electra(), training_args=args, **keys)


@case("A01", "warning", "TRN", says=r"learning_rate.*0\.01|0\.01|1e-2")
def learning_rate_too_high(world: World, fault: bool) -> Keys:
    """learning_rate 0.01 for full fine-tuning of an encoder."""
    return _args(world, {"learning_rate": 0.01 if fault else 5e-5})


@case("A01-decoder", "warning", "TRN", says=r"learning_rate|2e-4|0\.0002")
def lora_rate_without_lora(world: World, fault: bool) -> Keys:
    """1e-3, a rate for adapters, with full fine-tuning of a decoder."""
    return world.chat(qwen2(), training_args={"learning_rate": 1e-3 if fault else 1e-5})


@case("A02", "error", "TRN", says=r"5e-5|string|word|text")
def learning_rate_is_a_word(world: World, fault: bool) -> Keys:
    """A YAML file says 5e-5, which YAML 1.1 reads as a word."""
    keys = _args(world, {"learning_rate": "RATE"})
    text = yaml.safe_dump(keys, allow_unicode=True).replace("RATE", "5e-5" if fault else "5.0e-5")
    return {"setup": world.text(text, "setup.yaml")}


@case("A03", "error", "TRN", says=r"load_best_model_at_end|save_strategy|eval_strategy")
def best_model_with_other_strategies(world: World, fault: bool) -> Keys:
    """load_best_model_at_end with save_strategy=steps and eval_strategy=epoch."""
    return _args(
        world, {"load_best_model_at_end": True, "save_strategy": "steps" if fault else "epoch", "save_steps": 6}
    )


@case("A04", "error", "TRN", says=r"eval_strategy")
def removed_argument(world: World, fault: bool) -> Keys:
    """evaluation_strategy was removed."""
    return _args(world, {"evaluation_strategy": "epoch", "eval_strategy": ...} if fault else {})


@case("A05", "warning", "TRN", says=r"warmup_steps.*300|300.*18|18.*300")
def warmup_longer_than_the_run(world: World, fault: bool) -> Keys:
    """warmup_steps=300 in a run of 18 steps."""
    return _args(world, {"warmup_steps": 300 if fault else 2})


@case("A05-mrc", "warning", "TRN", says=r"300")
def warmup_longer_than_the_run_of_questions(world: World, fault: bool) -> Keys:
    """warmup_steps=300, and 27 questions on short paragraphs make 4 batches an epoch."""
    return world.mrc(roberta(), training_args={"warmup_steps": 300 if fault else 1})


@case("A07b", "error", "TRN", says=r"greater_is_better")
def worst_checkpoint_is_kept(world: World, fault: bool) -> Keys:
    """greater_is_better=True with the loss."""
    args = {"load_best_model_at_end": True, "metric_for_best_model": "loss", "greater_is_better": fault}
    return _args(world, args)


@case("A07b-score", "error", "TRN", says=r"greater_is_better")
def smaller_score_is_better(world: World, fault: bool) -> Keys:
    """greater_is_better=False with an F1."""
    args = {"load_best_model_at_end": True, "metric_for_best_model": "f1", "greater_is_better": not fault}
    return _args(world, args)


@case("A09", "warning", "TRN", says=r"save_steps|eval_steps|logging_steps|18")
def nothing_saved_or_evaluated(world: World, fault: bool) -> Keys:
    """eval, save and logging every 400 steps of a run of 18."""
    every = 400 if fault else 6
    args = {
        "eval_strategy": "steps",
        "save_strategy": "steps",
        "eval_steps": every,
        "save_steps": every,
        "logging_steps": every,
    }
    return _args(world, args)


@case("A10", "warning", "TRN", says=r"max_steps")
def max_steps_left_over(world: World, fault: bool) -> Keys:
    """max_steps=3 overrides num_train_epochs=3."""
    return _args(world, {"max_steps": 3, "logging_steps": 1} if fault else {})


@case("A14", "error", "TRN", says=r"drop_last")
def every_batch_dropped(world: World, fault: bool) -> Keys:
    """dataloader_drop_last with batches of 128 on 48 rows."""
    return _args(world, {"dataloader_drop_last": True, "per_device_train_batch_size": 128 if fault else 8})


@case("A15", "error", "TRN", says=r"learning_rate")
def learning_rate_zero(world: World, fault: bool) -> Keys:
    """learning_rate=0."""
    return _args(world, {"learning_rate": 0 if fault else 1e-5})


@case("A15-negative", "error", "TRN", says=r"learning_rate")
def learning_rate_negative(world: World, fault: bool) -> Keys:
    """learning_rate=-3e-5."""
    return _args(world, {"learning_rate": -3e-5 if fault else 3e-5})


@case("A16", "warning", "TRN", says=r"gradient_accumulation_steps")
def accumulation_longer_than_the_epoch(world: World, fault: bool) -> Keys:
    """gradient_accumulation_steps=32, and an epoch has 6 batches."""
    return world.tag(bert(), training_args={"gradient_accumulation_steps": 32 if fault else 1})


@case("A16-mrc", "warning", "TRN", says=r"gradient_accumulation_steps")
def accumulation_longer_than_the_questions(world: World, fault: bool) -> Keys:
    """gradient_accumulation_steps=64, and the questions make 4 batches."""
    return world.mrc(bert(), training_args={"gradient_accumulation_steps": 64 if fault else 1})


@case("A17", "error", "TRN", says=r"no_cuda|group_by_length|overwrite_output_dir|save_safetensors")
def arguments_removed_in_five(world: World, fault: bool) -> Keys:
    """save_safetensors, overwrite_output_dir and no_cuda are gone in transformers 5."""
    return _args(world, {"save_safetensors": True, "overwrite_output_dir": True, "no_cuda": True} if fault else {})


@case("A17-misspelt", "error", "TRN", says=r"weight_decay")
def misspelt_argument(world: World, fault: bool) -> Keys:
    """wieght_decay is no argument."""
    return _args(world, {"wieght_decay" if fault else "weight_decay": 0.01})


@case("A18", "warning", "TRN", says=r"gradient_accumulation_steps")
def accumulation_scales_the_gradient(world: World, fault: bool) -> Keys:
    """Transformers 5.23 does not divide the loss of a classification head by the accumulation."""
    return world.classify(roberta(), training_args={"gradient_accumulation_steps": 4 if fault else 1})


@case("X09", "note", "LEN TOK", says=r"truncation_side")
def cut_from_the_left(world: World, fault: bool) -> Keys:
    """truncation_side=left cuts the beginning off the rows that are longer than max_length."""
    rows = [{"text": korean.paragraph(number), "label": number % 2} for number in range(48)]
    side = {"truncation_side": "left"} if fault else {}
    return world.classify(bert(), rows, tokenizer_kwargs=side, encode={"max_length": 41})


@case("X19", "error", "LAB CFG", says=r"problem_type|num_labels")
def single_label_with_one_label(world: World, fault: bool) -> Keys:
    """problem_type=single_label_classification with num_labels=1."""
    config = {"problem_type": "single_label_classification", "num_labels": 1 if fault else 2}
    return world.classify(electra(), config=config)


@case("X27", "note", "TRN CFG", says=r"fp16|float16")
def fp16_with_a_t5(world: World, fault: bool) -> Keys:
    """A T5 trained in fp16 overflows."""
    from check.catalogue.folders import t5

    return {"model": world.put(t5()), "training_args": {"fp16": fault, "bf16": False, "learning_rate": 1e-4}}


@case("X28", "note", "TRN CFG", says=r"fp16|bfloat16|bf16")
def bfloat16_checkpoint_in_fp16(world: World, fault: bool) -> Keys:
    """A checkpoint trained in bfloat16 runs in fp16."""
    model = llama()
    model.dtype, model.config["torch_dtype"] = "BF16", "bfloat16"
    return world.write(model, training_args={"learning_rate": 2e-5, "fp16" if fault else "bf16": True})


@case("X57", "error", "TRN", says=r"save_steps|eval_steps")
def save_steps_no_multiple(world: World, fault: bool) -> Keys:
    """load_best_model_at_end with save_steps 5 and eval_steps 3."""
    args = {"eval_strategy": "steps", "save_strategy": "steps", "eval_steps": 3, "save_steps": 5 if fault else 6}
    return _args(world, {**args, "load_best_model_at_end": True})


@case("X59", "note", "TRN LAB", says=r"label_smoothing")
def smoothing_of_many_labels(world: World, fault: bool) -> Keys:
    """label_smoothing_factor with multi-label vectors."""
    rows = [
        {**row, "label": [float(number % 2), float(number % 3 == 0)]} for number, row in enumerate(korean.reviews())
    ]
    config = {"num_labels": 2, "problem_type": "multi_label_classification"}
    return world.classify(bert(), rows, config=config, training_args={"label_smoothing_factor": 0.1 if fault else 0.0})
