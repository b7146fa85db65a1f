"""Options as TrainingArguments: arguments_of; what the Trainer says to others: refused. Knows no trainer."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from transformers import TrainingArguments

    from pretune.train.options import Options

_SAME = """
learning_rate num_train_epochs max_steps per_device_train_batch_size per_device_eval_batch_size
gradient_accumulation_steps weight_decay adam_beta1 adam_beta2 adam_epsilon max_grad_norm lr_scheduler_type
warmup_steps seed data_seed logging_steps eval_strategy eval_steps save_strategy save_steps ddp_find_unused_parameters
""".split()


@contextmanager
def refused(passed: Mapping[str, Any], *, begun: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Make the user's error of what the Trainer says to arguments that were passed on to it.

    Args:
        passed: these arguments.
        begun: whether training began; what breaks after that has other causes.

    Raises:
        UserError: a package is missing, a value does not fit.
    """
    given = {name: value for name, value in passed.items() if value not in ([], None)}
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if not given or begun():
            raise
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        names = ", ".join("--" + name.replace("_", "-") for name in given)
        raise UserError(
            f"the Trainer does not begin: {lines[0] if lines else type(error).__name__}",
            hint=f"it was passed {names}",
        ) from error


def arguments_of(options: Options, folder: Path, **passed: Any) -> TrainingArguments:
    """Options as TrainingArguments, and what else was given.

    Args:
        options: fields of TrainingArguments' own names are handed over.
        folder: output_dir.
        **passed: further arguments; they win.

    Raises:
        UserError: float16 where there is no GPU; FSDP, which accelerate does on GPUs and by its own config only.
    """
    import torch
    import transformers

    said = {name: getattr(options, name) for name in _SAME}
    if options.warmup_steps >= 1 or not options.warmup_steps:
        said["warmup_steps"] = int(options.warmup_steps)
    elif "warmup_ratio" in transformers.TrainingArguments.__dataclass_fields__:  # transformers 4
        said |= {"warmup_steps": 0, "warmup_ratio": options.warmup_steps}
    if not options.max_grad_norm and not hasattr(transformers.Trainer, "_get_grad_norm"):
        said["max_grad_norm"] = math.inf  # transformers 4 knows no norm where it does not clip
    # `best`: whether a model is better is for `save` to say.
    said["save_strategy"] = "no" if options.save_strategy == "best" else options.save_strategy
    said |= {"bf16": options.precision == "autocast", "fp16": options.precision == "fp16"}
    # Without it the Trainer refuses bf16 on a machine that has nothing but a CPU.
    said["use_cpu"] = not torch.accelerator.is_available()
    # A loss that is no number shall stop the run; the Trainer's filter would log another in its place.
    said |= {"logging_nan_inf_filter": False, "report_to": [], "disable_tqdm": True, "remove_unused_columns": False}
    said |= {"output_dir": str(folder), "save_total_limit": None, "optim": "adamw_torch_fused", **passed}
    if options.precision == "fp16" and said["use_cpu"]:
        raise UserError("fp16 does not work on this device: it has no GPU", hint="use --precision fp32")
    if options.fsdp:
        raise UserError("the Trainer takes FSDP from accelerate's config, not from --fsdp", hint="use --engine loop")
    return transformers.TrainingArguments(**said)
