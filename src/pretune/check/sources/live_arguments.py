"""Live TrainingArguments as a Setup says them: those that differ from what transformers' own class has by default.

A subclass's further arguments (TRL, sentence-transformers) are no questions of the rules and are left out. What the
class works out itself (`logging_dir`, `local_rank`) nobody said, and is left out as well.
"""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any

WORKED_OUT = frozenset({
    "logging_dir", "run_name", "report_to", "local_rank", "log_level", "log_level_replica", "disable_tqdm", "hub_token",
    "push_to_hub_token", "accelerator_config", "parallelism_config", "fsdp", "fsdp_config", "deepspeed", "debug",
    "ddp_backend", "tpu_metrics_debug", "label_names", "remove_unused_columns", "use_cpu", "no_cuda", "project",
    "trackio_space_id", "hub_model_id", "push_to_hub", "do_train", "do_eval", "do_predict",
})  # fmt: skip
"""Arguments that the class or a Trainer sets, or that hold what no report should show."""


def said_arguments(arguments: Any) -> dict[str, Any]:
    """Name -> value of each argument that differs from its default; empty for what are no TrainingArguments."""
    base = next(
        (
            one
            for one in type(arguments).__mro__
            if one.__name__ == "TrainingArguments" and one.__module__.partition(".")[0] == "transformers"
        ),
        None,
    )
    if base is None or not is_dataclass(base):
        return {}
    said: dict[str, Any] = {}
    for one in fields(base):
        value = plain(getattr(arguments, one.name, None))
        if one.name in WORKED_OUT or one.name.startswith("_") or not one.init or not _sayable(value):
            continue
        if value != plain(_default(one)):
            said[one.name] = value
    return said


def _default(one: Any) -> Any:
    if one.default is not MISSING:
        return one.default
    return one.default_factory() if one.default_factory is not MISSING else None


def plain(value: Any) -> Any:
    """An enum's value, also inside a list; else the value."""
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value.value if isinstance(value, Enum) else value


def _sayable(value: Any) -> bool:
    """Whether it is what a setup file could hold; None says nothing."""
    if isinstance(value, dict):
        return bool(value) and all(isinstance(key, str) and _sayable(one) for key, one in value.items())
    if isinstance(value, list):
        return bool(value) and all(map(_sayable, value))
    return isinstance(value, bool | int | float | str)
