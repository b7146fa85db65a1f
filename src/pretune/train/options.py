"""How a model is trained, in numbers: Options, PRESETS. The names of TrainingArguments where there is one.

Defaults are those of transformers' TrainingArguments, so that a recipe means the same to both engines. Knows neither
model nor data; how flags and recipe files become Options stands in recipe.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Padding = Literal["longest", "max_length", "none"]
Precision = Literal["fp32", "autocast", "fp16", "bf16", "auto"]


@dataclass(frozen=True, slots=True)
class Options:
    """The numbers of a training run.

    Attributes:
        learning_rate: the highest one, reached after the warmup.
        num_train_epochs: passes over the examples; may be a fraction.
        max_steps: optimizer steps; -1: as many as the epochs have.
        per_device_train_batch_size: examples in a batch on one process, unless tokens_per_batch is set.
        per_device_eval_batch_size: the same when a model is only asked.
        gradient_accumulation_steps: batches whose gradients are summed for one optimizer step.
        weight_decay: of every weight but biases and norms.
        adam_beta1: AdamW's first decay rate.
        adam_beta2: AdamW's second decay rate.
        adam_epsilon: what AdamW adds to the denominator.
        max_grad_norm: gradients are scaled down to this norm; 0: left as they are.
        lr_scheduler_type: one of transformers' schedules: linear, cosine, constant, constant_with_warmup, ...
        warmup_steps: steps in which the learning rate grows; below 1 a fraction of all steps.
        seed: of the weights of the head, of dropout and, unless data_seed is set, of the order of the examples.
        data_seed: of the order of the examples.
        logging_steps: optimizer steps between two entries of the log.
        eval_strategy: `no`, `steps` or `epoch`.
        eval_steps: optimizer steps between two evaluations.
        save_strategy: `no`, `steps`, `epoch` or `best`.
        save_steps: optimizer steps between two checkpoints.
        save_total_limit: how many checkpoints are kept; None: all.
        padding: `longest` of its batch, `max_length` (as run_qa.py), or `none`: no pad position is ever computed.
        max_length: tokens that padding `max_length` fills up to.
        tokens_per_batch: true tokens in a batch at most, in random order, however many examples that are; 0: so many
            that a batch has per_device_train_batch_size examples on average, and an epoch about as many steps.
        attention_dropout: instead of the model's own; None: the model's own.
        precision: `fp32`; `autocast` and `fp16` as TrainingArguments' bf16 and fp16; `bf16`: compute in bfloat16,
            keep the weights in float32 beside it; `auto`: bf16 where the machine multiplies faster in it, else fp32.
        fast_dropout: dropout from 16-bit random numbers; the same rate, another stream of numbers.
        fsdp: several processes share the weights (FSDP2) instead of having a copy each.
        ddp_find_unused_parameters: look in every step for weights that got no gradient; needed where a model has some.
    """

    learning_rate: float = 5e-5
    num_train_epochs: float = 3.0
    max_steps: int = -1
    per_device_train_batch_size: int = 8
    per_device_eval_batch_size: int = 8
    gradient_accumulation_steps: int = 1
    weight_decay: float = 0.0
    adam_beta1: float = 0.9
    adam_beta2: float = 0.999
    adam_epsilon: float = 1e-8
    max_grad_norm: float = 1.0
    lr_scheduler_type: str = "linear"
    warmup_steps: float = 0
    seed: int = 42
    data_seed: int | None = None
    logging_steps: int = 10
    eval_strategy: str = "epoch"
    eval_steps: int | None = None
    save_strategy: str = "epoch"
    save_steps: int = 500
    save_total_limit: int | None = 2
    padding: Padding = "longest"
    max_length: int | None = None
    tokens_per_batch: int | None = None
    attention_dropout: float | None = None
    precision: Precision = "fp32"
    fast_dropout: bool = False
    fsdp: bool = False
    ddp_find_unused_parameters: bool = False


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "exact": {},
    "fast": {"padding": "none", "tokens_per_batch": 0, "precision": "auto", "fast_dropout": True},
}
"""Named sets of options; a flag beside a preset wins over it. `exact` leaves every lever off."""
