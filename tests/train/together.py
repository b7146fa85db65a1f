"""Trains tiny models in one of several processes: `torchrun --nproc_per_node 2 together.py OUT`; writes what it saw.

All cases in one start: importing torch takes longer than they do. `run(case)` is also what a single process does.
"""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pretune.train.options import Options
from pretune.train.predict import predict
from train import engines

BASE: dict[str, Any] = {
    "learning_rate": 1e-3,
    "num_train_epochs": 2.0,
    "per_device_train_batch_size": 3,
    "logging_steps": 1,
    "weight_decay": 0.01,
    "eval_strategy": "no",
    "save_strategy": "no",
}
FREE = {"padding": "none", "tokens_per_batch": 40}
CASES: dict[str, tuple[str, str, dict[str, Any], int]] = {
    **{f"loop-{task}": ("loop", task, {}, 37) for task in engines.TASKS},
    **{f"loop-{task}-free": ("loop", task, FREE, 37) for task in engines.TASKS},
    **{f"trainer-{task}": ("trainer", task, {}, 37) for task in engines.TASKS},
    "trainer-free": ("trainer", "reading", FREE, 37),
    "loop-idle": ("loop", "tags", {}, 13),
    "trainer-idle": ("trainer", "tags", {}, 13),
    "fsdp": ("loop", "reading", {"fsdp": True}, 37),
    "fsdp-free": ("loop", "classes", {"fsdp": True, **FREE}, 37),
    "loop-bf16": ("loop", "reading", {**FREE, "precision": "bf16"}, 37),
    "fsdp-bf16": ("loop", "reading", {**FREE, "precision": "bf16", "fsdp": True}, 37),
    "fsdp-idle": ("loop", "tags", {"fsdp": True}, 13),
}
"""Name -> engine, task, options, examples. With 37 and 13 the last step of an epoch is ragged; in the latter two
processes have one example."""


def run(case: str, accumulated: int) -> dict[str, Any]:
    """The log's numbers, and what the trained model says of all examples."""
    engine, task, more, count = CASES[case]
    options = Options(**{**BASE, **more, "gradient_accumulation_steps": accumulated})
    given = engines.examples(task, count)
    model = engines.model(task, dropout=0.0)
    trace = engines.run(import_module(f"pretune.train.{engine}"), task, options, model=model, examples=given)[1]
    outputs = ("start_logits",) if task == "reading" else ("logits",)
    said = predict(model, given, options, outputs=outputs, each_token=task in {"reading", "tags"})
    # The bias of a reading head has a gradient of rounding errors, which AdamW makes steps of; a softmax does not see it.
    shift = said[0].mean() if task == "reading" else 0
    return {"trace": trace, "said": (said[0] - shift).tolist()}


def main(out: Path) -> None:
    """Run all cases in this process, together with the others."""
    from torch import distributed

    found = {case: run(case, 2) for case in CASES}
    assert distributed.get_world_size() == 2
    (out / f"{distributed.get_rank()}.json").write_text(json.dumps(found))
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
