"""Text that tries to reach entries of a vocabulary: every character, entries in contexts, random Unicode, corpora."""

import gzip
import random
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

CONTEXTS = ("{}", "a{}", "{}b", " {} ", "x{}y", "가{}나", "1{}2", "{0}{0}", "\n{}\t", "({})", "é{}", "漢{}字", ".{}.")
_RANGES = (
    (0x20, 0x7F), (0x80, 0x250), (0x300, 0x370), (0x370, 0x600), (0x900, 0xE80), (0x1100, 0x1200), (0x2000, 0x2C00),
    (0x3000, 0x3130), (0x4E00, 0x9FFF), (0xAC00, 0xD7A4), (0xE000, 0xE100), (0xF900, 0xFB00), (0xFE00, 0x10000),
    (0x1D400, 0x1D800), (0x1F300, 0x1FA00), (0x20000, 0x20100), (0x2F800, 0x2FA20), (0xE0000, 0xE0200),
)  # fmt: skip


def characters(first: int = 0, last: int = 0x110000) -> Iterator[str]:
    """Lines that hold every character, in several neighbourhoods."""
    line = []
    for code in range(first, last):
        if 0xD800 <= code < 0xE000:
            continue
        letter = chr(code)
        line.append(f"{letter} a{letter}b{letter}{letter} 가{letter}")
        if len(line) == 64:
            yield "".join(line)
            line = []
    yield "".join(line)


def spoken(entry: str) -> str:
    """The text that an entry stands for, as far as one can say without its tokenizer."""
    return entry.removeprefix("##").replace("▁", " ").replace("Ġ", " ").replace("Ċ", "\n")


def entries(texts: Iterable[str]) -> Iterator[str]:
    """Entries as they are written and as they are spoken, in contexts."""
    for text in texts:
        for form in {text, spoken(text), text.upper(), text.capitalize()}:
            for context in CONTEXTS:
                yield context.format(form)


def noise(seed: int, count: int) -> Iterator[str]:
    """Random Unicode, words of one script and mixtures."""
    chance = random.Random(seed)
    for _ in range(count):
        ranges = chance.choices(_RANGES, k=chance.choice((1, 1, 2, 5)))
        yield "".join(
            " " if chance.random() < 0.15 else chr(chance.randrange(*chance.choice(ranges)))
            for _ in range(chance.randrange(1, 60))
        )


def corpus(folder: Path, lines: int | None = None) -> Iterator[str]:
    """Lines of the corpora, from each file alike."""
    for path in sorted(folder.rglob("*")):
        if path.suffix not in (".gz", ".txt"):
            continue
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            yield from islice(file, lines)
