"""What vectors that know nothing of context make of the same sentences: baselines, Baselines. Runs no model.

A pooling is worth something only beside these: word vectors of a file, the model's own input embeddings, random word
vectors (what shared words alone are worth) and the difference of lengths (what no word at all is worth).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.pool.choice import Choice
from pretune.pool.poolers import document_weights
from pretune.pool.score import cosines
from pretune.pool.shaping import ROUNDING
from pretune.pool.store import empty_table
from pretune.pool.word_vectors import read_word_vectors, stem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from os import PathLike

    from pretune.pool.load import Loaded
    from pretune.pool.tokenized import Tokenized

DIMENSIONS = 300
"""Of random word vectors; as many as word vectors usually have."""

RANDOM, STATIC, LENGTH = "random word vectors", "static embeddings", "length difference"
"""Names; the verdict takes what begins with `random` or `length` for what knows nothing."""

ROWS = 4096
"""Sentences that are turned into float64 at a time."""

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Baselines:
    """Vectors of S sentences that no context went into.

    Attributes:
        choices: K of them, without layers.
        tables: choice -> shape (S, D), float32, D of its own; None for the difference of lengths, which has no vectors.
            A sentence without any known word has zeros.
        lengths: shape (S,), int64: characters of each sentence.
        notes: what was found of the word vectors, one sentence each.
    """

    choices: tuple[Choice, ...]
    tables: Mapping[Choice, Any | None]
    lengths: Any
    notes: tuple[str, ...] = ()

    def similarities(self, pairs: Any) -> Any:
        """Cosines of pairs by each: shape (K, P), float64; 0 where a sentence has zeros.

        For the difference of lengths: minus the absolute difference of the two numbers of characters.

        Args:
            pairs: shape (P, 2), indices of sentences.
        """
        import numpy as np

        left, right = np.asarray(pairs).T
        rows = []
        for choice in self.choices:
            table = self.tables[choice]
            if table is None:
                rows.append(-np.abs(self.lengths[left] - self.lengths[right]).astype(np.float64))
            else:
                rows.append(cosines(table[left], table[right]))
        return np.stack(rows)


def baselines(
    loaded: Loaded,
    sentences: Tokenized,
    texts: Sequence[str],
    *,
    vectors: Sequence[str | PathLike[str]] = (),
    progress: Callable[[str, int, int], object] | None = None,
) -> Baselines:
    """All baselines for the same sentences, each by plain mean and by smooth inverse frequency.

    `mean` averages the vectors of a sentence's words, `sif` weighs them by a / (a + p), a = 0.001, p the share of the
    word among all of these sentences (Arora, Liang and Ma 2017). For word vectors of a file `sif` is all that they
    published: the first principal component of all sentences is taken off as well. It stays for random and static
    vectors, as it does in a layer's sif.
    Words are runs of letters, digits and underscores after NFC, counted in lower case. A word's vector is the one that
    the file has for the word as it is written, else for its lower case. Random vectors are 300 signs drawn from the
    SHAKE-256 of the word in lower case: the same everywhere and always. Static embeddings are the rows of the model's
    input embeddings for its own tokens, special tokens left out, without positions.

    Args:
        loaded: the model, for its input embeddings only.
        sentences: as the model reads them.
        texts: the same S sentences.
        vectors: files of word vectors.
        progress: called with `vectors`, the bytes of the files that were read, and all their bytes.

    Raises:
        UserError: a file cannot be read or holds no vector for any word of the sentences.
    """
    import numpy as np

    said = [_WORD.findall(unicodedata.normalize("NFC", text)) for text in texts]
    forms = list(dict.fromkeys(word for words in said for word in words))
    places = {word: place for place, word in enumerate(forms)}
    words = _Words(forms, [np.array([places[word] for word in one], dtype=np.int64) for one in said])
    tables: dict[Choice, Any | None] = {}
    notes: list[str] = []
    files = {name: Path(path) for name, path in _names(vectors).items()}
    before, total = 0, sum(path.stat().st_size for path in files.values() if path.is_file())
    for name, path in files.items():
        told = None if progress is None else partial(_told, progress, before, total)
        found = read_word_vectors(path, forms, progress=told)
        before += path.stat().st_size
        rows = found.rows(forms)
        averages = words.tables(name, found.table, rows)
        _without_common(averages[Choice((), f"{name}, sif")])
        tables |= averages
        notes.append(words.share(name, rows))
    static = _static(loaded, sentences)
    if static is None:
        notes.append(
            f"{type(loaded.model).__name__} has no table of input embeddings: no static embeddings as baseline"
        )
    else:
        tables |= static
    small = list(dict.fromkeys(word.lower() for word in forms))
    order = {word: place for place, word in enumerate(small)}
    tables |= words.tables(RANDOM, _random_vectors(small), np.array([order[word.lower()] for word in forms], np.int64))
    tables[Choice((), LENGTH)] = None
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    return Baselines(tuple(tables), tables, lengths, tuple(notes))


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of S sentences.

    Attributes:
        forms: W distinct words as they are written.
        ids: S arrays of indices into forms.
    """

    forms: Sequence[str]
    ids: Sequence[Any]

    def weights(self) -> Any:
        """Smooth inverse frequency of each form, counted in lower case: shape (W,), float32."""
        import numpy as np

        small = {word: place for place, word in enumerate(dict.fromkeys(word.lower() for word in self.forms))}
        lower = np.array([small[word.lower()] for word in self.forms], dtype=np.int64)
        said = [lower[one] for one in self.ids]
        return document_weights(said, [np.zeros(len(one), dtype=bool) for one in said], len(small))[1][lower]

    def tables(self, name: str, table: Any, rows: Any) -> dict[Choice, Any]:
        """Both averages of the vectors of each sentence's words; rows are -1 for words without a vector."""
        known = [one[rows[one] >= 0] for one in self.ids]
        weights = self.weights()
        return _both(name, table, [rows[one] for one in known], [weights[one] for one in known])

    def share(self, name: str, rows: Any) -> str:
        """How many words have a vector, in a sentence."""
        import numpy as np

        every = np.concatenate([rows[one] for one in self.ids])
        found, share = int((rows >= 0).sum()), (every >= 0).mean()
        without = sum(not (rows[one] >= 0).any() for one in self.ids)
        beside = f"; {without:,} sentence{' has' if without == 1 else 's have'} none: cosine 0" if without else ""
        return (
            f"{name} has vectors for {found:,} of {len(rows):,} different words, "
            f"{share:.0%} of all words of the sentences{beside}"
        )


def _both(name: str, table: Any, rows: Sequence[Any], weights: Sequence[Any]) -> dict[Choice, Any]:
    """Plain and weighted mean of rows of a table for each sentence: two tables (S, D), float32."""
    import numpy as np

    mean, sif = (empty_table((len(rows), table.shape[1])) for _ in range(2))
    for place, (one, weight) in enumerate(zip(rows, weights, strict=True)):
        if len(one):
            both = np.stack([np.full(len(one), 1 / len(one), np.float32), weight / weight.sum()])
            mean[place], sif[place] = both @ table[one]
    return {Choice((), f"{name}, mean"): mean, Choice((), f"{name}, sif"): sif}


def _without_common(table: Any) -> None:
    """Take the first principal component off vectors (S, D), in place; what is nothing else becomes zeros."""
    import numpy as np

    products = np.zeros((table.shape[1], table.shape[1]))
    blocks = [slice(first, first + ROWS) for first in range(0, len(table), ROWS)]
    for here in blocks:
        rows = table[here].astype(np.float64)
        products += rows.T @ rows
    common = np.linalg.eigh(products)[1][:, -1]
    for here in blocks:
        rows = table[here].astype(np.float64)
        left = rows - (rows @ common)[:, None] * common
        nothing = np.linalg.norm(left, axis=1) <= ROUNDING * np.linalg.norm(rows, axis=1)
        table[here] = np.where(nothing[:, None], 0.0, left)


def _random_vectors(words: Sequence[str]) -> Any:
    """300 signs for each word, from a hash of the word: shape (W, 300), float32."""
    import hashlib

    import numpy as np

    size = -(-DIMENSIONS // 8)
    drawn = b"".join(
        hashlib.shake_256(b"pretune " + word.encode("utf-8", "surrogatepass")).digest(size) for word in words
    )
    bits = np.unpackbits(np.frombuffer(drawn, dtype=np.uint8).reshape(len(words), size), axis=1)[:, :DIMENSIONS]
    return bits.astype(np.float32) * 2 - 1


def _static(loaded: Loaded, sentences: Tokenized) -> dict[Choice, Any] | None:
    """Averages of the model's input embeddings; None for a model without a table of them (CANINE hashes characters)."""
    import numpy as np

    try:
        weight = loaded.model.get_input_embeddings().weight
    except (NotImplementedError, AttributeError):
        return None
    if weight.ndim != 2:
        return None
    ids = [one[~special] for one, special in zip(sentences.ids, sentences.special, strict=True)]
    used, flat = np.unique(np.concatenate([*ids, np.empty(0, np.int64)]), return_inverse=True)
    if len(used) and int(used[-1]) >= len(weight):
        return None
    import torch

    table = weight.detach()[torch.from_numpy(used).to(weight.device)].float().cpu().numpy()
    size = 1 + max((int(one.max()) for one in sentences.ids if len(one)), default=0)
    sif = document_weights(sentences.ids, sentences.special, size)[1]
    rows = np.split(flat, np.cumsum([len(one) for one in ids])[:-1])
    return _both(STATIC, table, rows, [sif[one] for one in ids])


def _told(progress: Callable[[str, int, int], object], before: int, total: int, done: int) -> None:
    """Tell how much of all files was read."""
    progress("vectors", before + done, total)


def _names(paths: Sequence[str | PathLike[str]]) -> dict[str, str | PathLike[str]]:
    """Name -> file, in order; no name is taken for a baseline without knowledge.

    Raises:
        UserError: two files have the same name, so which is which could not be told.
    """
    names: dict[str, str | PathLike[str]] = {}
    for path in paths:
        name = stem(Path(path))
        if name.lower().startswith(("random", "length", "static")):
            name = f"vectors {name}"
        if name in names:
            raise UserError(f"{names[name]} and {path} would both be called {name}", hint="rename one of them")
        names[name] = path
    return names
