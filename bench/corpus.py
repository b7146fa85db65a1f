"""pretune check over a whole corpus beside datasets.map with counters: whole processes in turn, CPU seconds, memory.

    python bench/corpus.py [--assets ../shared/assets] [--runs 3] [--only one,three,memory]

Both give the tokens, the exact length histogram, the histogram of ids, unknown tokens, texts and words, and the words
kept whole; pretune also asks its data rules of all rows, and gives what its report shows beyond that. Each figure is
a median of runs that alternate between the two; CPU seconds are user + system of the process and its children;
memory is the peak of the anonymous part of all processes together (mapped files are not counted), looked at 50
times a second. The corpora are the Korean and the English texts of the assets, one JSON object a line, and both
together; `memory` reads the larger one once and six times over. The compiled kernel is used where it was built;
PRETUNE_NO_KERNEL=1 measures without.
"""

import argparse
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MAP = """
import json, sys
from collections import Counter
from datasets import load_dataset
from transformers import AutoTokenizer
data, *folders = sys.argv[1:]
rows = load_dataset("json", data_files=data, split="train", cache_dir=sys.argv[1] + ".cache")
for folder in folders:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    unknown = tokenizer.unk_token_id
    def encode(batch):
        found = tokenizer(batch["text"], add_special_tokens=False, return_attention_mask=False,
                          return_token_type_ids=False, return_offsets_mapping=WORDS, verbose=False)
        if not WORDS:
            return {"ids": found["input_ids"]}
        each = zip(batch["text"], found["input_ids"], found["offset_mapping"])
        return {"ids": found["input_ids"], "words": [count(text, ids, at) for text, ids, at in each]}
    def count(text, ids, offsets):
        # running words, those of one token, those with an unknown token: white space separates words
        total = whole = lost = at = 0
        end = pieces = 0
        bad = False
        position = 0
        for word in text.split():
            start = text.index(word, position)
            position = stop = start + len(word)
            pieces, bad = 0, False
            while at < len(offsets) and offsets[at][0] < stop:
                if offsets[at][1] > start:
                    pieces += 1
                    bad = bad or ids[at] == unknown
                at += 1
            total += 1
            whole += pieces == 1 and not bad
            lost += bad
        return [total, whole, lost]
    read = rows.map(encode, batched=True, num_proc=2, remove_columns=rows.column_names)
    ids, lengths, texts, words = Counter(), Counter(), 0, [0, 0, 0]
    for batch in read.iter(1000):
        for found in batch["ids"]:
            ids.update(found)
            lengths[len(found)] += 1
            texts += unknown in found
        for one in batch.get("words", ()):
            words = [a + b for a, b in zip(words, one)]
    lost = ids[unknown] if unknown is not None else 0
    print(json.dumps({"tokens": sum(ids.values()), "used": len(ids), "unknown_tokens": lost, "unknown_texts": texts,
                      "longest": max(lengths), "words": words}))
"""
Figures = tuple[float, float]


def corpora(assets: Path, scratch: Path) -> dict[str, Path]:
    """The Korean texts, the English ones, and both, as jsonl."""
    made = {}
    for language in ("ko", "en"):
        path = scratch / f"{language}.jsonl"
        with path.open("w", encoding="utf-8") as out:
            for source in sorted((assets / "corpora" / language).glob("*.txt*")):
                if source.name == "SOURCE.txt":
                    continue
                packed = source.suffix == ".gz"
                text = (gzip.decompress(source.read_bytes()) if packed else source.read_bytes()).decode()
                rows = ({"text": line} for line in text.split("\n") if line.strip())
                out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        made[language] = path
    both = scratch / "both.jsonl"
    with both.open("wb") as out:
        for language in ("ko", "en"):
            out.write(made[language].read_bytes())
    return {**made, "both": both}


def anonymous(process: int) -> int:
    """Anonymous memory of a process and its children, in bytes."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "status").read_text()
            if os.getpgid(int(folder.name)) == process:
                total += int(status.split("RssAnon:")[1].split()[0]) * 1024
        except (OSError, IndexError, ValueError):
            continue
    return total


def measure(command: list[str], *, memory: bool) -> tuple[Figures, bytes]:
    """CPU seconds and peak anonymous memory (MB) of a process and its children, and what it printed."""
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as words:
        child = subprocess.Popen(command, stdout=out, stderr=words, env=environment, start_new_session=True)
        peak = 0
        while True:
            done, status, usage = os.wait4(child.pid, os.WNOHANG)
            if done:
                break
            if memory:
                peak = max(peak, anonymous(child.pid))
            time.sleep(0.02)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        words.seek(0)
        if child.returncode not in (0, 1):  # 1: findings
            raise SystemExit(f"{' '.join(command)[:200]} ended with {child.returncode}: {words.read()[-500:].decode()}")
        return (usage.ru_utime + usage.ru_stime, peak / 1e6), out.read()


def ours(data: Path, folders: list[Path], *more: str) -> list[str]:
    """The command of pretune: the profile and all data rules."""
    tokenizers = [word for folder in folders for word in ("--tokenizer", str(folder))]
    return [sys.executable, "-m", "pretune", "check", "--data", str(data), *tokenizers, "--format", "json", *more]


def theirs(data: Path, folders: list[Path], *, words: bool = True) -> list[str]:
    """The alternative; without words it gives less than ours does."""
    return [sys.executable, "-c", MAP.replace("WORDS", str(words)), str(data), *map(str, folders)]


def forget(data: Path) -> None:
    """Remove what datasets keeps of an earlier run: it would map nothing a second time."""
    shutil.rmtree(f"{data}.cache", ignore_errors=True)


def side_by_side(data: Path, folders: list[Path], runs: int) -> None:
    """One line of the table."""
    pairs = []
    for _ in range(runs):
        mine, printed = measure(ours(data, folders), memory=False)
        forget(data)
        other, told = measure(theirs(data, folders), memory=False)
        forget(data)
        less, _ = measure(theirs(data, folders, words=False), memory=False)
        forget(data)
        pairs.append((mine[0], other[0], less[0]))
    compare(printed, told)
    cpu, full, bare = (statistics.median(pair[at] for pair in pairs) for at in range(3))
    size = data.stat().st_size / 1e6
    name = f"{data.stem} {size:.0f} MB, {'+'.join(folder.name for folder in folders)}"
    print(
        f"{name:<58} {cpu:6.1f} s {size * len(folders) / cpu:6.1f} MB/s   {full:7.1f} s {full / cpu:6.1f}x"
        f"   {bare:7.1f} s {bare / cpu:6.1f}x",
        flush=True,
    )


def compare(printed: bytes, told: bytes) -> None:
    """Stop when the two do not give the same figures."""
    found = json.loads(printed)["profile"]["tokenizers"]
    for mine, line in zip(found, told.decode().strip().splitlines(), strict=True):
        other = json.loads(line)
        for key in ("tokens", "used", "unknown_tokens", "unknown_texts"):
            if mine[key] != other[key]:
                raise SystemExit(f"{mine['name']}: {key} is {mine[key]} here and {other[key]} there")


def bench_one(made: dict[str, Path], folders: dict[str, Path], runs: int) -> None:
    """One tokenizer of each family."""
    for language, names in (
        ("ko", ("klue-roberta-base", "kobert-converted", "gpt2")),
        ("en", ("bert-base-uncased", "xlm-roberta-base", "gpt2")),
        ("both", ("klue-roberta-base", "llama3.1")),
    ):
        for name in names:
            side_by_side(made[language], [folders[name]], runs)


def bench_three(made: dict[str, Path], folders: dict[str, Path], runs: int) -> None:
    """Three tokenizers in one pass."""
    three = [folders[name] for name in ("klue-roberta-base", "kobert-converted", "gpt2")]
    for language in ("ko", "both"):
        side_by_side(made[language], three, runs)


def bench_memory(made: dict[str, Path], folders: dict[str, Path], runs: int) -> None:
    """Anonymous memory over the larger corpus, once and six times over."""
    del runs
    six = made["both"].with_name("six.jsonl")
    with six.open("wb") as out:
        for _ in range(6):
            out.write(made["both"].read_bytes())
    for names in (("klue-roberta-base",), ("klue-roberta-base", "kobert-converted", "gpt2")):
        for data in (made["both"], six):
            (cpu, peak), _ = measure(ours(data, [folders[name] for name in names]), memory=True)
            size = data.stat().st_size / 1e6
            print(
                f"memory: {size:5.0f} MB of text, {len(names)} tokenizer(s): {peak:5.0f} MB (< 400), {cpu:5.1f} s",
                flush=True,
            )


BENCHES = {"one": bench_one, "three": bench_three, "memory": bench_memory}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assets", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "assets")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default=",".join(BENCHES))
    chosen = parser.parse_args()
    if not (chosen.assets / "corpora").is_dir():
        raise SystemExit(f"needs texts and tokenizers: {chosen.assets} has no corpora (--assets)")
    folders = {folder.name: folder for folder in (chosen.assets / "tokenizers").iterdir()}
    print(f"{'':<58} {'pretune':>20}   {'map + counters':>17}   {'... without words':>17}")
    with tempfile.TemporaryDirectory(prefix="pretune-bench-") as scratch:
        made = corpora(chosen.assets, Path(scratch))
        for name in chosen.only.split(","):
            BENCHES[name](made, folders, chosen.runs)


if __name__ == "__main__":
    main()
