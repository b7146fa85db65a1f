"""Word vectors from text files, only those of wanted words: read_word_vectors, WordVectors. Knows no model, no scores.

GloVe writes `word 0.1 0.2 ...` a line; word2vec and fastText the same below a header `words dimensions`. Files are
streamed, packed with gzip or zstd or not, so a file of 5 GB takes no memory but that of the words that are asked for.
"""

from __future__ import annotations

import codecs
from collections import Counter
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.corpus.packed import unpacked
from pretune.corpus.text import LINE_LIMIT, text_head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from os import PathLike

CHUNK = 4 * 2**20
"""Bytes that are read at a time."""

LOOKED_AT = 50
"""Lines that the number of dimensions is told by: the commonest, as a few words of GloVe 840B hold spaces."""

HOW = "word vectors are text, a word and its numbers a line, as GloVe (.txt) and fastText (.vec) write them"


@dataclass(frozen=True, slots=True)
class WordVectors:
    """Vectors of some words.

    Attributes:
        words: N words, as the file writes them.
        table: shape (N, D), float32.
    """

    words: tuple[str, ...]
    table: Any

    def rows(self, words: Sequence[str]) -> Any:
        """The row of each word, -1 where there is none: as it is written, else in lower case."""
        import numpy as np

        places = {word: place for place, word in enumerate(self.words)}
        return np.array([places.get(word, places.get(word.lower(), -1)) for word in words], dtype=np.int64)


def read_word_vectors(
    path: str | PathLike[str], words: Sequence[str], *, progress: Callable[[int], object] | None = None
) -> WordVectors:
    """The vectors of words, each as it is written or in lower case, whatever of the two the file has.

    Of a word that stands twice the first line counts, as in gensim. Lines of other words are not looked into, and lines
    whose word holds spaces (GloVe 840B has some) are passed over.

    Args:
        path: a file in the text format of GloVe, word2vec or fastText; gzip and zstd are unpacked on the way.
        words: without spaces.
        progress: called with the bytes of the file, as it is stored, that were read.

    Raises:
        UserError: missing, no text, a wanted word with too few or too many numbers or with something else, or no word
            of these in the file.
    """
    import numpy as np

    path = Path(path)
    taken = _Taken(path, {form.encode(): form for word in words for form in (word, word.lower())}, {})
    lines = _lines(path, progress)
    dimensions, head = _begin(path, list(islice(lines, LOOKED_AT)))
    for number, line in chain(head, lines):
        taken.look(number, line, dimensions)
        if len(taken.found) == len(taken.wanted):
            break
    if not taken.found:
        raise UserError(
            f"{path} has a vector for none of the {len(words):,} words of the sentences",
            hint="are its words of the same language, and is it a file of words?",
        )
    return WordVectors(tuple(taken.found), np.stack(list(taken.found.values())))


def stem(path: Path) -> str:
    """The name of a file of word vectors without the endings that say how it is written: `glove.6B.300d`."""
    name = path.name
    for endings in ((".gz", ".zst", ".zstd"), (".txt", ".vec", ".tsv", ".w2v")):
        for ending in endings:
            name = name.removesuffix(ending) or name
    return name


def _lines(path: Path, progress: Callable[[int], object] | None) -> Iterator[tuple[int, bytes]]:
    """The lines of a file from 1, without their ends, those that are empty left out.

    Raises:
        UserError: it cannot be read, is no text, or a line has no end.
    """
    try:
        text_head(path)
    except UserError as error:
        told = "unpack it first; " if "archive" in error.message else ""
        raise UserError(error.message, hint=error.hint if "does not" in error.message else told + HOW) from None
    with unpacked(path) as file:
        data, rest, number = file.read(CHUNK).removeprefix(codecs.BOM_UTF8), b"", 0
        while True:
            if data and progress is not None:
                progress(file.position)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines if data else [rest]:
                number += 1
                if line.strip():
                    yield number, line
            if not data:
                return
            if len(rest) > LINE_LIMIT:
                raise UserError(f"{path}:{number + 1}: a line of more than {LINE_LIMIT // 2**20} MB", hint=HOW)
            data = file.read(CHUNK)


def _begin(path: Path, head: Sequence[tuple[int, bytes]]) -> tuple[int, list[tuple[int, bytes]]]:
    """How many numbers a word has, and the lines without a header.

    Raises:
        UserError: the lines are no words with numbers.
    """
    if not head:
        raise UserError(f"{path} is empty", hint=HOW)
    first = head[0][1].split()
    if len(first) == 2 and all(one.isdigit() for one in first):
        return int(first[1]), list(head[1:])
    counts = Counter(len(line.split()) - 1 for _, line in head)
    dimensions = max(counts, key=lambda one: counts[one])
    sample = next(one for one in head if len(one[1].split()) - 1 == dimensions)
    if dimensions < 1 or _numbers(sample[1].split()[1:]) is None:
        number, line = sample
        raise UserError(f"{path}:{number}: expected a word and its numbers, found {_shown(line)}", hint=HOW)
    return dimensions, list(head)


@dataclass(frozen=True, slots=True)
class _Taken:
    """What was taken from a file.

    Attributes:
        path: the file, for messages.
        wanted: words as the file has their bytes.
        found: word -> its vector.
    """

    path: Path
    wanted: dict[bytes, str]
    found: dict[str, Any]

    def look(self, number: int, line: bytes, dimensions: int) -> None:
        """Take the line's vector if its word is wanted and new.

        Raises:
            UserError: its numbers are not as many as others have, or are none.
        """
        # most lines are not wanted: only their word is cut out.
        end = line.find(b" ")
        word = line[:end] if end > 0 else line
        form = self.wanted.get(word.split(b"\t", 1)[0].rstrip(b"\r") if b"\t" in word or end < 0 else word)
        if form is None or form in self.found or end == 0:
            return
        fields = line.split()[1:]
        numbers = _numbers(fields)
        if numbers is None and len(fields) > dimensions and _numbers(fields[-dimensions:]) is not None:
            return  # a word with spaces that begins with a wanted one: `at name@domain.com`
        if len(fields) != dimensions:
            raise UserError(
                f"{self.path}:{number}: expected {dimensions:,} numbers for {form}, found {len(fields):,}",
                hint="the file is damaged or cut off: download or copy it again",
            )
        if numbers is None:
            raise UserError(f"{self.path}:{number}: expected numbers for {form}, found {_shown(line)}", hint=HOW)
        self.found[form] = numbers


def _numbers(fields: Sequence[bytes]) -> Any | None:
    """The fields as finite numbers, float32; None where one is not."""
    import numpy as np

    try:
        numbers = np.array([float(one) for one in fields], dtype=np.float32)
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def _shown(line: bytes) -> str:
    """The beginning of a line for a message."""
    text = line.decode("utf-8", "replace").strip()
    return repr(text if len(text) <= 40 else text[:39] + "…")
