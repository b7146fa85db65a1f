"""pretune tokens beside add_tokens: one id, no harm, fewer tokens, on real tokenizers and text.

    python bench/tokens.py [--assets ../shared/assets] [--words 100] [--only klue-roberta-base,gpt2]

The same words, taken by how many tokens of the first half of a corpus each would save, are added both ways; what is
counted is counted on the other half. `one id`: words that are one id after a space. `broken`: different words of the
text that were one token and are not. `changed`: running words that are cut otherwise without holding a new word. CPU
seconds of the plan are those of this process. What writing costs stands in bench/tokens_write.py, how good new rows
are in bench/tokens_rows.py.
"""

import argparse
import gzip
import os
import time
from collections import Counter
from pathlib import Path

from tokenizers import Tokenizer

from pretune.artifacts.pipeline import as_class
from pretune.artifacts.source import locate
from pretune.artifacts.tokenizer import read_tokenizer
from pretune.tokens.plan import make_plan
from pretune.tokens.proof import rebuilt
from pretune.tokens.spare import slots_of

TOKENIZERS = {
    "klue-roberta-base": "ko",
    "kcbert-base": "ko",
    "kobert-converted": "ko",
    "bert-base-uncased": "en",
    "gpt2": "en",
    "roberta-base": "en",
    "llama2": "en",
    "xlm-roberta-base": "ko",
}
MOST = 6_000_000
"""Characters of a corpus that are looked at."""


def text_of(folder: Path) -> str:
    """The beginnings of a language's files, MOST characters in all."""
    parts = []
    for path in sorted(folder.iterdir()):
        opened = gzip.open if path.suffix == ".gz" else open
        if path.suffix in {".gz", ".txt"}:
            with opened(path, "rt", encoding="utf-8") as file:
                parts.append(file.read(MOST // 4))
    return "\n".join(parts)[:MOST]


def chosen(encoder: Tokenizer, counted: Counter, most: int) -> list[str]:
    """Words of letters whose own token would save the most."""
    words = [word for word, n in counted.items() if n > 3 and word.isalpha() and len(word) > 2]
    encoded = encoder.encode_batch([f" {word}" for word in words], add_special_tokens=False)
    saved = {word: counted[word] * (len(one.ids) - 1) for word, one in zip(words, encoded, strict=True)}
    return sorted(saved, key=lambda word: (-saved[word], word))[:most]


def figures(old: Tokenizer, new: Tokenizer, words: list[str], held: Counter) -> tuple[int, int, float, float]:
    """(one id, broken, share of running words changed, change of the number of tokens) on held-out words."""
    space = len(new.encode("a", add_special_tokens=False).ids)
    one = sum(len(new.encode(f"a {word}", add_special_tokens=False).ids) == space + 1 for word in words)
    texts = list(held)
    before, after = (e.encode_batch([f" {word}" for word in texts], add_special_tokens=False) for e in (old, new))
    broken = sum(len(b.ids) == 1 < len(a.ids) for b, a in zip(before, after, strict=True))
    changed = sum(
        held[text]
        for text, b, a in zip(texts, before, after, strict=True)
        if b.tokens != a.tokens and not any(word.lower() in text.lower() for word in words)
    )
    total = [sum(held[text] * len(x.ids) for text, x in zip(texts, side, strict=True)) for side in (before, after)]
    return one, broken, changed / held.total(), total[1] / total[0] - 1


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assets", type=Path, default=Path("../shared/assets"))
    parser.add_argument("--words", type=int, default=100)
    parser.add_argument("--only", default=",".join(TOKENIZERS))
    given = parser.parse_args()
    print(f"{'':<22}{'':<12}{'one id':>9}{'broken':>9}{'changed':>10}{'tokens':>9}{'plan':>9}")
    for name in given.only.split(","):
        text = text_of(given.assets / "corpora" / TOKENIZERS[name])
        half = len(text) // 2
        seen, held = Counter(text[:half].split()), Counter(text[half:].split())
        tokenizer = read_tokenizer(locate(str(given.assets / "tokenizers" / name)))
        old, usual = as_class(tokenizer), as_class(tokenizer)
        words = chosen(old, seen, given.words)
        rows = tokenizer.largest_id + 1
        begun = time.process_time()
        plan = make_plan(tokenizer, words, slots=slots_of(tokenizer, rows=rows), rows=rows, counted=seen)
        spent = time.process_time() - begun
        ours = as_class(rebuilt(tokenizer, plan)) if plan.files else old
        kept = [word for word in words if word not in plan.refused]
        usual.add_tokens(kept)
        for label, encoder, cost in (("pretune", ours, f"{spent:7.2f} s"), ("add_tokens", usual, "")):
            one, broken, changed, less = figures(old, encoder, kept, held)
            shown = name if label == "pretune" else ""
            count = f"{one}/{len(kept)}"
            print(f"{shown:<22}{label:<12}{count:>9}{broken:>9}{changed:>9.2%}{less:>+9.2%}{cost:>9}", flush=True)


if __name__ == "__main__":
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    main()
