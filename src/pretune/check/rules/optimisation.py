"""TRN: learning rate, precision, loss and accumulation: what the optimiser will really do with this model and task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.model import ModelFacts
    from pretune.check.facts.training import TrainingFacts
    from pretune.check.finding import Rule

ADAM = ("adamw_", "paged_adamw_", "stable_adamw")
T5_FAMILY = frozenset({"t5", "mt5", "umt5", "longt5"})
CLASSIFIES = ("text-classification", "pair-classification", "token-classification")
CLASS_HEADS = ("ForSequenceClassification", "ForTokenClassification", "ForMultipleChoice")
MLM_DIVIDED = frozenset({"esmc", "eurobert", "modernbert", "neomme", "ultrabert"})
"""Model types whose masked-LM head hands num_items_in_batch on to its loss in transformers 5.23; all others do not."""


@rule("TRN040", Level.ERROR)
def learning_rate_zero(training: TrainingFacts) -> Iterator[Problem]:
    """The learning rate is zero.

    Why: the whole run is made and no weight moves; nothing says so.
    Fix: 2e-5 to 5e-5 is usual for all weights of a pretrained encoder, 1e-4 to 2e-4 for LoRA.
    """
    if training.number("learning_rate") == 0:
        yield Problem("learning_rate is 0: no weight will move", where=training.place("learning_rate"))


@rule("TRN041", Level.WARNING)
def learning_rate_high_for_all_weights(training: TrainingFacts) -> Iterator[Problem]:
    """The learning rate is far above what a pretrained model survives when all its weights are trained.

    Why: the first steps destroy what pretraining learnt; the loss settles at that of a constant answer.
    Fix: 2e-5 to 5e-5 is usual (BERT, RoBERTa, ELECTRA base), up to 3e-4 for the smallest models; more is for LoRA.
    """
    rate, optimiser = training.number("learning_rate"), training.text("optim")
    if rate is None or training.setup.peft or not optimiser.startswith(ADAM) or training.flag("adafactor"):
        return
    if rate > 3e-4:
        yield Problem(
            f"learning_rate is {rate:g} for all weights with {optimiser}: 1e-5 to 5e-5 is usual, 3e-4 the most",
            where=training.place("learning_rate"),
            level=Level.WARNING if rate >= 1e-3 else Level.NOTE,
        )


@rule("TRN042", Level.NOTE)
def learning_rate_tiny(training: TrainingFacts) -> Iterator[Problem]:
    """The learning rate is so small that the weights may not move.

    Why: a step of this size is lost in rounding, in half precision at once; often an exponent has a digit too many.
    Fix: 2e-5 to 5e-5 is usual.
    """
    rate = training.number("learning_rate")
    if rate is not None and 0 < rate < 1e-8:
        yield Problem(f"learning_rate is {rate:g}, usual is 1e-5 to 5e-5", where=training.place("learning_rate"))


@rule("TRN043", Level.WARNING)
def weight_decay_of_one(training: TrainingFacts) -> Iterator[Problem]:
    """The weight decay is a hundred times the usual.

    Why: usual is 0.01 to 0.1; a value of 1 or more pulls pretrained weights to zero in the course of the run.
    Fix: write 0.01.
    """
    decay = training.number("weight_decay")
    if decay is not None and decay >= 1 and training.text("optim").startswith(ADAM):
        yield Problem(f"weight_decay is {decay:g}, usual is 0 to 0.1", where=training.place("weight_decay"))


@rule("TRN044", Level.ERROR)
def two_half_precisions(training: TrainingFacts) -> Iterator[Problem]:
    """Both fp16 and bf16 are asked for.

    Why: TrainingArguments refuses the pair.
    Fix: keep bf16 on a GPU that has it (Ampere and later), else fp16.
    """
    for one, other in (("fp16", "bf16"), ("fp16_full_eval", "bf16_full_eval")):
        if training.flag(one) and training.flag(other):
            yield Problem(f"{one} and {other} are both true, at most one can be", where=training.place(one))


@rule("TRN045", Level.NOTE)
def fp16_on_cpu(training: TrainingFacts) -> Iterator[Problem]:
    """fp16 is asked for together with the CPU.

    Why: mixed precision in fp16 is made for GPUs; on the CPU Trainer takes it without a word and nothing gets faster.
    Fix: leave fp16 out, or use_cpu.
    """
    if training.flag("fp16") and training.flag("use_cpu"):
        yield Problem("fp16 and use_cpu are both true: nothing is gained on the CPU", where=training.place("fp16"))


@rule("TRN046", Level.WARNING)
def fp16_for_a_bf16_model(training: TrainingFacts, model: ModelFacts) -> Iterator[Problem]:
    """A model that was trained in bfloat16 is to be trained in fp16.

    Why: its activations reach beyond 65,504, where fp16 ends: the loss becomes NaN, and logging_nan_inf_filter (true by
    default) logs it as the mean before it. Weights that transformers 5 loads as bf16 may stop the gradient scaler.
    Fix: bf16 instead of fp16, or load the weights with dtype float32.
    """
    if not training.flag("fp16"):
        return
    if model.model_type in T5_FAMILY:
        gated = model.model_type != "t5" or "gated" in str(model.effective.get("feed_forward_proj"))
        yield Problem(
            f"fp16 with {model.model_type}, pretrained in bf16: the loss may become NaN and not be logged as such",
            where=training.place("fp16"),
            level=Level.WARNING if gated else Level.NOTE,
        )
        return
    stored = str(model.effective.get("dtype") or model.effective.get("torch_dtype") or "")
    asked = _asked_dtype(training)
    if not training.setup.peft and (asked or stored).removeprefix("torch.") == "bfloat16":
        loads = bool(asked) or training.at_least("5.0")
        yield Problem(
            "fp16 with bfloat16 weights: "
            + ("the gradient scaler may refuse them" if loads else "the loss may overflow"),
            where=training.place("fp16"),
            level=Level.WARNING if loads else Level.NOTE,
        )


@rule("TRN047", Level.NOTE)
def smoothing_without_labels(training: TrainingFacts) -> Iterator[Problem]:
    """Label smoothing is set for question answering, where it does nothing.

    Why: Trainer smooths what comes under "labels"; spans come as start_positions and end_positions, and the model's own
    loss is used unchanged.
    Fix: leave label_smoothing_factor out.
    """
    factor = training.number("label_smoothing_factor")
    if factor and training.task == "question-answering":
        message = f"label_smoothing_factor is {factor:g}, but spans are not smoothed: it has no effect"
        yield Problem(message, where=training.place("label_smoothing_factor"))


@rule("TRN048", Level.WARNING)
def smoothing_of_no_classes(training: TrainingFacts, model: ModelFacts) -> Iterator[Problem]:
    """Label smoothing is set for labels that are not one class of several.

    Why: for multi-label classification Trainer switches it off with a warning; a regression label is no class, and the
    first step stops with `gather(): Expected dtype int32/int64 for index`.
    Fix: leave label_smoothing_factor out.
    """
    factor, kind = training.number("label_smoothing_factor"), model.effective.get("problem_type")
    if not factor:
        return
    place = training.place("label_smoothing_factor")
    if kind == "multi_label_classification":
        yield Problem(f"label_smoothing_factor {factor:g} is switched off for multi-label classification", where=place)
    elif kind == "regression":
        message = f"label_smoothing_factor {factor:g} with problem_type regression: a number cannot be smoothed"
        yield Problem(message, where=place, level=Level.ERROR)


@rule("TRN049", Level.NOTE)
def cache_while_checkpointing(training: TrainingFacts) -> Iterator[Problem]:
    """The key-value cache is asked for together with gradient checkpointing.

    Why: they exclude each other; each layer switches the cache off again.
    Fix: leave use_cache out; Trainer's default is false.
    """
    if training.flag("gradient_checkpointing") and training.flag("use_cache") and training.given("use_cache"):
        yield Problem("use_cache and gradient_checkpointing are both true", where=training.place("use_cache"))


@rule("TRN050", Level.WARNING)
def accumulated_loss_not_divided(training: TrainingFacts) -> Iterator[Problem]:
    """Gradient accumulation multiplies the loss and the gradient of a classification head.

    Why: since transformers 5.0 Trainer leaves the division to the model, and classification heads do not make it: with
    N steps loss and gradient are N times too large, and clipping at max_grad_norm 1 changes the run
    (huggingface/transformers#47688; measured on 5.23: regression, single- and multi-label, token labels; not spans).
    Fix: raise per_device_train_batch_size instead, or multiply max_grad_norm by N and divide the logged loss by it.
    """
    steps = training.number("gradient_accumulation_steps")
    head = str(training.setup.model_class or "")
    if training.task in CLASSIFIES or head.endswith(CLASS_HEADS):
        yield from _not_divided(
            training, steps, shown(head) if head.endswith(CLASS_HEADS) else f"{training.task} heads"
        )


@rule("TRN051", Level.WARNING)
def accumulated_masking_loss_not_divided(training: TrainingFacts, model: ModelFacts) -> Iterator[Problem]:
    """Gradient accumulation multiplies the loss and the gradient of this model's masked-LM head.

    Why: since transformers 5.0 Trainer leaves the division to the model; the older heads (BERT, RoBERTa, ELECTRA …)
    do not make it, ModernBERT does (huggingface/transformers#47688; measured on 5.23).
    Fix: raise per_device_train_batch_size instead, or multiply max_grad_norm by N and divide the logged loss by it.
    """
    if training.task == "masked-lm" and model.model_type and model.model_type not in MLM_DIVIDED:
        steps = training.number("gradient_accumulation_steps")
        yield from _not_divided(training, steps, f"the masked-LM head of {model.model_type}")


@rule("TRN052", Level.ERROR)
def optimiser_without_targets(training: TrainingFacts) -> Iterator[Problem]:
    """A low-rank optimiser is chosen, but not which modules it works on.

    Why: GaLore and APOLLO refuse to start without optim_target_modules, inside train().
    Fix: set optim_target_modules to "all-linear", or to a list of module names.
    """
    optimiser = training.text("optim")
    if optimiser.startswith(("galore_", "apollo_")) and training.values.get("optim_target_modules") is None:
        yield Problem(f'optim "{optimiser}" needs optim_target_modules', where=training.place("optim"))


@rule("TRN053", Level.ERROR)
def options_of_workers_without_workers(training: TrainingFacts) -> Iterator[Problem]:
    """Options of the data loader's worker processes are set, but there are no workers.

    Why: with dataloader_num_workers 0 both prefetching and persistent workers are refused.
    Fix: set dataloader_num_workers to 1 or more, or take the option out.
    """
    if training.number("dataloader_num_workers") != 0:
        return
    default = "" if training.given("dataloader_num_workers") else " (the default)"
    for name in ("dataloader_prefetch_factor", "dataloader_persistent_workers"):
        value: Any = training.values.get(name)
        if training.given(name) and value not in (None, False):
            message = f"{name} is {str(value).lower()} but dataloader_num_workers is 0{default}"
            yield Problem(message, where=training.place(name))


def _not_divided(training: TrainingFacts, steps: float | None, head: str) -> Iterator[Problem]:
    if steps and steps > 1 and training.at_least("5.0"):
        yield Problem(
            f"gradient_accumulation_steps {steps:g} makes loss and gradient {steps:g} times too large: "
            f"{training.release} does not divide the loss of {head}",
            where=training.place("gradient_accumulation_steps"),
        )


def _asked_dtype(training: TrainingFacts) -> str:
    """The dtype that from_pretrained is asked for; empty when it is not said."""
    for given in (training.setup.from_pretrained, training.setup.model_kwargs):
        for name in ("dtype", "torch_dtype"):
            if given.get(name) not in (None, "auto"):
                return str(given[name])
    return ""


RULES: tuple[Rule, ...] = (
    learning_rate_zero,
    learning_rate_high_for_all_weights,
    learning_rate_tiny,
    weight_decay_of_one,
    two_half_precisions,
    fp16_on_cpu,
    fp16_for_a_bf16_model,
    smoothing_without_labels,
    smoothing_of_no_classes,
    cache_while_checkpointing,
    accumulated_loss_not_divided,
    accumulated_masking_loss_not_divided,
    optimiser_without_targets,
    options_of_workers_without_workers,
)
