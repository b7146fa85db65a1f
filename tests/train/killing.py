"""Trains a tiny model again and again, killed each time, until it is done; a process of its own, as it forks and kills.

`python killing.py OUT KILLS SEED ENGINE:CASE ...`: one run that nobody touches, then KILLS runs of the same that are
killed with SIGKILL at a random moment of their lives, each resumed from what the one before left, and one that ends.
Writes OUT/ENGINE:CASE/result.json. Imports are paid once: every run is a fork.
"""

import hashlib
import importlib
import json
import os
import random
import shutil
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

STEPS = 24

CASES: dict[str, dict[str, Any]] = {
    "random": {"per_device_train_batch_size": 3, "gradient_accumulation_steps": 2},
    "tokens": {"tokens_per_batch": 40},
    "packed": {"tokens_per_batch": 40, "padding": "none"},
    "fast": {"tokens_per_batch": 40, "padding": "none", "precision": "bf16", "fast_dropout": True},
}
"""Batches of a fixed size in random order, accumulated, and token budgets: some three epochs each."""


def examples(count: int = 41) -> Any:
    """Random sentences of 3 to 17 tokens, in two classes."""
    import numpy as np

    from pretune.train.examples import Examples

    draw = np.random.default_rng(5)
    lengths = draw.integers(3, 18, count)
    starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    ids = draw.integers(5, 60, int(starts[-1])).astype(np.int32)
    return Examples(ids, starts, np.zeros(len(ids), np.int8), {"labels": draw.integers(0, 2, count).astype(np.int64)})


def model(name: str = "BertForSequenceClassification") -> Any:
    """A tiny BERT with dropout, the same each time."""
    import torch
    import transformers

    torch.manual_seed(3)
    config = transformers.BertConfig(
        vocab_size=60,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        hidden_dropout_prob=0.1,
    )
    return getattr(transformers, name)(config)


def options(case: str, **more: Any) -> Any:
    """What the case says, with a log and checkpoints that do not fall together."""
    from pretune.train.options import Options

    asked = {"max_steps": STEPS, "logging_steps": 3, "save_strategy": "steps", "save_steps": 2, "eval_strategy": "no"}
    return Options(**(asked | {"learning_rate": 1e-3, "warmup_steps": 3} | CASES[case] | more))


def train(folder: Path, engine: str, case: str, watches: tuple[Any, ...] = (), **more: Any) -> Any:
    """Begin or go on with a run; its log is appended to folder/log, its weights' hash is written to folder/done."""
    from pretune.train import checkpoints, levers, losses
    from pretune.train.saving import Saver
    from pretune.train.watch import Watch, Watches

    class Log(Watch):
        def step(self, step: Any) -> None:
            row = [step.number, step.loss.hex(), step.learning_rate.hex(), step.gradient_norm.hex(), step.tokens]
            with (folder / "log").open("a") as out:
                out.write(json.dumps(row) + "\n")

    said = options(case, **more)
    recipe = {"engine": engine, "case": case}
    folder.mkdir(exist_ok=True)
    with checkpoints.holding(folder):
        started = any(folder.glob("checkpoint-*"))
        found = checkpoints.find(folder, recipe) if started else None
        made = model()
        levers.prepare(made, said)
        saver = Saver(folder, recipe=recipe, keep=2, resumed=found.path if found else None)
        run = importlib.import_module(f"pretune.train.{engine}").train
        trained = run(
            made,
            examples(),
            said,
            loss=losses.classes,
            watch=Watches([Log(), *watches]),
            save=saver,
            saved=found.path if found else None,
        )
    if not trained.stopped:
        (folder / "done").write_text(weights(made))
    return trained, saver


def weights(made: Any) -> str:
    """The hash of all weights of a model."""
    return hash_of(made.state_dict())


def hash_of(tensors: dict[str, Any]) -> str:
    """The hash of tensors with their names."""
    digest = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        digest.update(name.encode() + value.float().numpy().tobytes())
    return digest.hexdigest()


def forked(action: Any, wait: float | None = None) -> tuple[int, float]:
    """Do something in a fork that is killed after `wait` seconds; its exit code (-9: killed), and how long it ran."""
    start = time.perf_counter()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            action()
            code = 0
        except BaseException:  # noqa: BLE001 - whatever it is, the child ends here and says it
            import traceback

            traceback.print_exc()
        finally:
            os._exit(code)
    if wait is not None:
        time.sleep(wait)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), time.perf_counter() - start


def die_at(event: int) -> list[int]:
    """Let this process kill itself before its n-th file operation inside a checkpoint's folder or of fsync."""
    seen = [0]

    def count() -> None:
        seen[0] += 1
        if seen[0] == event:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(name: str, arguments: tuple[Any, ...]) -> None:
        if name in {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree", "os.chmod"} and any(
            "checkpoint-" in str(argument) for argument in arguments
        ):
            count()

    real = os.fsync

    def fsync(handle: Any) -> None:
        count()
        real(handle)

    os.fsync = fsync
    sys.addaudithook(hook)
    return seen


def train_until(event: int, folder: Path, engine: str, case: str) -> None:
    """Train, and die in a save, at one of its file operations."""
    die_at(event)
    train(folder, engine, case)


def log(folder: Path) -> dict[int, set[str]]:
    """Step -> all that was ever logged of it."""
    found: dict[int, set[str]] = {}
    for line in (folder / "log").read_text().splitlines():
        row = json.loads(line)
        found.setdefault(row[0], set()).add(json.dumps(row))
    return found


def main(out: Path, engine: str, case: str, kills: int, seed: int) -> None:
    """Kill one engine's runs of one case; see the module."""
    from pretune.train import checkpoints

    draw = random.Random(seed)
    out.mkdir(parents=True)
    code, whole = forked(lambda: train(out / "whole", engine, case))
    assert code == 0, "the run that nobody touches fails"
    killed, inside, resumed = 0, 0, []
    folder = out / "killed"
    folder.mkdir()
    while killed < kills:
        if draw.random() < 0.5:
            code, _ = forked(partial(train_until, draw.randrange(1, 400), folder, engine, case))
        else:
            code, _ = forked(lambda: train(folder, engine, case), wait=draw.uniform(0.02, whole))
        assert code in {0, -signal.SIGKILL}, f"a resumed run fails with {code}"
        if code == 0:  # it was done before the blow fell: once more from the beginning
            check(out)
            for path in folder.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            continue
        killed += 1
        inside += any(folder.glob(".checkpoint-*"))
        newest = checkpoints.newest(folder)
        resumed.append(newest.step if newest else 0)
    code, _ = forked(lambda: train(folder, engine, case))
    assert code == 0, "the last resumed run fails"
    check(out)
    (out / "result.json").write_text(json.dumps({"killed": killed, "inside": inside, "resumed": resumed}))


def check(out: Path) -> None:
    """The killed run has logged nothing that the other one did not, and ends with the same weights."""
    whole, killed = log(out / "whole"), log(out / "killed")
    assert len(whole) == STEPS // 3
    assert killed == whole, (killed, whole)
    assert (out / "killed" / "done").read_text() == (out / "whole" / "done").read_text()


def imports() -> None:
    """All that a run needs, before anything is forked; one thread, since others do not survive a fork."""
    import torch

    torch.set_num_threads(1)
    for name in ("loop", "trainer", "saving"):
        importlib.import_module(f"pretune.train.{name}")


if __name__ == "__main__":
    imports()
    for pair in sys.argv[4:]:
        main(Path(sys.argv[1]) / pair, *pair.split(":"), kills=int(sys.argv[2]), seed=int(sys.argv[3]))
