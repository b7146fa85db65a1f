"""All choices for one model on one set of sentences, with their similarities: one_pass, Sweep.

Puts tokenizing, encoding and scoring in a row. Knows neither files nor terminals; what the scores say stands in
verdict.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pretune.pool.choice import Choice
from pretune.pool.encode import encode
from pretune.pool.linear import faster_linears
from pretune.pool.score import cosines, subset_similarities
from pretune.pool.shaping import centred, enough, whitened
from pretune.pool.token_shares import sentence_groups
from pretune.pool.tokenized import tokenize

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pretune.pool.store import Vectors
    from pretune.pool.tokenized import Tokenized


@dataclass(frozen=True, slots=True)
class Sweep:
    """Every choice tried, and what it makes of the pairs.

    Attributes:
        sentences: what the model read.
        vectors: by layer and pooling.
        choices: K of them; none that is another one under a second name.
        similarities: shape (K, P), float64; None without pairs.
        same: a name that was left out -> the name of the choice that it equals.
        packed: whether packed products were used.
    """

    sentences: Tokenized
    vectors: Vectors
    choices: tuple[Choice, ...]
    similarities: Any | None
    same: dict[str, str] = field(default_factory=dict)
    packed: bool = False

    def of(self, choice: Choice) -> Any:
        """Vectors by one of the choices: shape (S, D'), float64 unless raw."""
        table = sum(self.vectors.of(layer, choice.pooling) for layer in choice.layers) / len(choice.layers)
        shape = {"raw": lambda rows: rows, "centred": centred, "whitened": whitened}[choice.shaping]
        return shape(table)


def one_pass(
    model: Any,
    tokenizer: Any,
    texts: Sequence[str],
    *,
    pairs: Any | None = None,
    max_length: int | None = None,
    sentence_token: int = 0,
    shapings: Sequence[str] = ("raw",),
    every_mix: bool = False,
    token_groups: bool = False,
    sentences: Tokenized | None = None,
    progress: Callable[[int], object] | None = None,
) -> Sweep:
    """Encode sentences once and compute what every choice makes of them.

    Args:
        model: a base model of transformers in evaluation mode, on the device and in the precision it is to run in.
        tokenizer: its tokenizer.
        texts: S distinct sentences.
        pairs: shape (P, 2), indices of sentences; None: no similarities.
        max_length: tokens the model reads at most; None: no limit.
        sentence_token: index of the token that the model's own head reads; -1: the last.
        shapings: what is done to all vectors of a choice together; `raw` and more of choice.SHAPINGS.
        every_mix: whether all subsets of layers are tried for `mean`, instead of a few mixes for each pooling.
        token_groups: whether sums of states by kind of token are kept, for token_shares.
        sentences: the texts as tokenize() makes them with the same limit, where that was done already.
        progress: called with the number of tokens done.

    Raises:
        UserError: the model gives no hidden states, or states that are not finite.
    """
    import numpy as np

    sentences = sentences or tokenize(texts, tokenizer, max_length=max_length)
    groups = sentence_groups(texts, tokenizer, sentences, max_length=max_length) if token_groups else None
    with faster_linears(model) as packed:
        vectors = encode(model, sentences, sentence_token=sentence_token, groups=groups, texts=texts, progress=progress)
    poolings, same = _distinct(vectors, sentences, sentence_token)
    subsets = {name: _subsets(vectors.layers, every=every_mix and name == "mean") for name in poolings}
    choices = [Choice(layers, name) for name in poolings for layers in subsets[name]]
    if vectors.pooler is not None:
        choices.append(Choice(vectors.layers[-1:], "pooler_output"))
    columns: list[Any] = []
    if pairs is not None:
        columns += [subset_similarities(vectors, name, pairs, subsets[name]) for name in poolings]
        if vectors.pooler is not None:
            columns.append(cosines(vectors.pooler[pairs[:, 0]], vectors.pooler[pairs[:, 1]])[None])
    found = Sweep(sentences, vectors, tuple(choices), np.concatenate(columns) if columns else None, same, packed)
    return _shaped(found, pairs, [name for name in shapings if name != "raw"])


def _distinct(vectors: Vectors, sentences: Tokenized, sentence_token: int) -> tuple[list[str], dict[str, str]]:
    """Poolings that are not another one under a second name, and which name stands for which.

    Where every sentence ends with its separator, `separator` is `last_token`; where no template adds anything,
    `mean_words` is `mean`; where the model's head reads the last token, `cls` is `last_token`.
    """
    import numpy as np

    lengths = np.array([len(ids) for ids in sentences.ids])
    there = lengths > 0
    special = any(fixed.any() for fixed in sentences.special)
    last_special = all(fixed[-1] for fixed in sentences.special if len(fixed))
    same: dict[str, str] = {}
    if (sentences.separator[there] == lengths[there] - 1).all():
        same["separator"] = "last_token"
    if not special:
        same["mean_words"] = "mean"
    if not last_special and not any(fixed[-1] for fixed in sentences.special if len(fixed)):
        same["last_word"] = "last_token"
    if sentence_token == -1:
        same["cls"] = "last_token"
    if (sentences.separator[there] == -1).all():
        same["separator"] = ""
    return [name for name in vectors.poolings if name not in same], same


def _subsets(layers: Sequence[int], *, every: bool) -> list[tuple[int, ...]]:
    """Single layers, then mixes: the embeddings, the first, the one before the last with the last; the last four; all.

    With `every` all subsets, of at most twelve layers (8,191).
    """
    import itertools

    single = [(layer,) for layer in layers]
    if every and len(layers) <= 13:
        return [subset for size in range(1, len(layers) + 1) for subset in itertools.combinations(layers, size)]
    last = layers[-1]
    mixes = [(layers[0], last), (layers[min(1, len(layers) - 1)], last), (layers[-2:])]
    mixes += [tuple(layers[-4:]), tuple(layers)]
    wanted = [tuple(mix) for mix in mixes if len(set(mix)) > 1]
    return [*single, *dict.fromkeys(wanted)]


def _shaped(found: Sweep, pairs: Any | None, shapings: Sequence[str]) -> Sweep:
    """Add the choices of single layers after centring or whitening; whitening only with sentences enough."""
    import numpy as np

    if not shapings:
        return found
    size = found.vectors.table.shape[-1]
    added = [
        Choice(choice.layers, choice.pooling, shaping)
        for shaping in shapings
        if shaping != "whitened" or enough(len(found.sentences.ids), size)
        for choice in found.choices
        if len(choice.layers) == 1
    ]
    similarities = found.similarities
    if pairs is not None and added:
        columns = []
        for choice in added:
            table = found.of(choice)
            columns.append(cosines(table[pairs[:, 0]], table[pairs[:, 1]]))
        similarities = np.concatenate([similarities, np.stack(columns)])
    return Sweep(found.sentences, found.vectors, (*found.choices, *added), similarities, found.same, found.packed)
