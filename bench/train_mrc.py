"""pretune's windows and answers beside run_qa.py's, in CPU seconds of one process, on real questions.

    python bench/train_mrc.py [--assets ../shared/assets] [--tokenizer klue-roberta-base] [--rounds 3]

`map` is datasets.map of run_qa.py's function with its defaults (batches of 1,000, no cache), `function` that function
alone. Logits are random. Ratios are of the medians; what is compared is equal (tests/train).
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import datasets
import numpy as np
from transformers import AutoTokenizer

from pretune.train.answers import answers_of
from pretune.train.questions import read_questions
from pretune.train.windows import cut
from train import made, run_qa

DATA = ("korquad-1.0-dev/KorQuAD_v1.0_dev.json", "squad2-course-split/dev-v2.0.json")


def seconds(rounds: int, *ways: Callable[[], object]) -> list[float]:
    """Median CPU seconds of each way, taken in turn."""
    taken: list[list[float]] = [[] for _ in ways]
    for _ in range(rounds):
        for way, times in zip(ways, taken, strict=True):
            start = time.process_time()
            way()
            times.append(time.process_time() - start)
    return [statistics.median(times) for times in taken]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assets", type=Path, default=Path("../shared/assets"))
    parser.add_argument("--tokenizer", default="klue-roberta-base")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(asked.assets / "tokenizers" / asked.tokenizer)
    datasets.disable_caching()
    datasets.disable_progress_bars()
    print(f"{'data':40} {'ours':>6} {'function':>8} {'map':>6} {'map/ours':>8} | {'answers':>7} {'utils_qa':>8} ratio")
    for name in DATA:
        rows = read_questions([asked.assets / "data" / name], unfit="skip").rows
        columns = made.columns(list(rows))
        table = datasets.Dataset.from_dict(columns)

        def mapped(table: datasets.Dataset = table) -> datasets.Dataset:
            prepare = lambda batch: dict(run_qa.train_features(tokenizer, batch))  # noqa: E731
            return table.map(prepare, batched=True, remove_columns=table.column_names)

        ours, function, whole = seconds(
            asked.rounds,
            lambda: cut(rows, tokenizer),  # noqa: B023 - called here
            lambda: run_qa.train_features(tokenizer, columns),  # noqa: B023
            mapped,
        )
        windows = cut(rows, tokenizer)
        features = run_qa.validation_features(tokenizer, columns)
        listed = [{k: features[k][at] for k in ("example_id", "offset_mapping")} for at in range(len(windows))]
        rng = np.random.default_rng(1)
        logits = tuple(rng.normal(size=(len(windows), 384)).astype(np.float32) for _ in range(2))
        examples = [{"id": one.id, "context": one.context} for one in rows]
        fast, slow = seconds(
            asked.rounds,
            lambda: answers_of(rows, windows, logits),  # noqa: B023
            lambda: run_qa.postprocess(examples, listed, logits),  # noqa: B023
        )
        assert answers_of(rows, windows, logits).predictions() == run_qa.postprocess(examples, listed, logits)[0]
        print(
            f"{name:40} {ours:6.2f} {function:8.2f} {whole:6.2f} {whole / ours:8.1f} |"
            f" {fast:7.2f} {slow:8.2f} {slow / fast:5.1f}"
        )


if __name__ == "__main__":
    main()
