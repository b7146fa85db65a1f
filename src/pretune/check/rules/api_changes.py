"""Defaults of the libraries that changed in silence, and the version a script seems to be written for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pretune.script.history import history, minor
from pretune.script.history_range import runs_with
from pretune.script.history_uses import uses

if TYPE_CHECKING:
    from pretune.script.trace import Trace


@dataclass(frozen=True, slots=True)
class Change:
    """A default that changed.

    Attributes:
        package: transformers or pytorch_lightning (lightning is the same).
        table: the callable, as the history names it.
        arguments: its names, the one of today first; one of them said, and the change does not matter.
        since: the first minor with the new default.
        what: what is different now.
        how: how to say the old one.
    """

    package: str
    table: str
    arguments: tuple[str, ...]
    since: str
    what: str
    how: str


CHANGES = (
    Change(
        "transformers",
        "TrainingArguments",
        ("report_to",),
        "5.0",
        "nothing is logged, before every installed logger was used",
        'write report_to="all", or the loggers by name',
    ),
    Change(
        "transformers",
        "TrainingArguments",
        ("optim", "adafactor"),
        "4.32",
        "torch's AdamW in place of transformers' own",
        'write optim="adamw_torch"',
    ),
    Change(
        "transformers",
        "TrainingArguments",
        ("save_safetensors",),
        "4.35",
        "checkpoints hold model.safetensors, before pytorch_model.bin",
        "load checkpoints by from_pretrained, which reads both",
    ),
    Change(
        "transformers",
        "PreTrainedModel.from_pretrained",
        ("dtype", "torch_dtype"),
        "5.0",
        "weights keep the dtype they were saved in, before they became float32",
        "write dtype=torch.float32",
    ),
    Change(
        "transformers",
        "AutoTokenizer.from_pretrained",
        ("use_fast",),
        "4.0",
        "the fast tokenizer, before the slow one",
        "write use_fast=...",
    ),
    Change(
        "pytorch_lightning",
        "Trainer",
        ("accelerator", "gpus", "tpu_cores"),
        "2.0",
        "a GPU is used where there is one, before the CPU",
        'write accelerator="cpu" or accelerator="gpu"',
    ),
)
"""Each stands in the signatures of the releases (script/history_data), but for dtype: `if dtype is None: dtype =
"auto"` in modeling_utils.py of 5.0, and docs there."""


def written_for(trace: Trace, package: str, target: str) -> str:
    """The newest version that a script seems written for, where that is older than the target; else empty.

    It is the last under which it runs, or the last before one of its uses was deprecated.
    """
    reach = runs_with(trace).get(package)
    if reach is None or reach.empty:
        return ""
    versions = history(package).versions
    before = [reach.last] if minor(reach.last) < minor(target) and reach.above else []
    for use in uses(trace):
        warned = use.life.deprecated
        if (
            use.package == package
            and warned
            and not use.guarded
            and use.life.status_at(target) in ("deprecated", "gone")
        ):
            before += [version for version in versions if minor(version) < minor(warned)][-1:]
    return min(before, key=minor, default="")
