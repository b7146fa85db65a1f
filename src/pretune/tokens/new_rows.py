"""What new rows hold before any training: new_rows. Knows a plan and the tables, writes nothing.

`mean`: the mean of the rows of the pieces that the word was, each as much as its row is long: the longer ones are those
of rarer pieces, which say more. A piece that continues a word has something in its row that says so, and a row that is
to begin one must not: the mean of all rows that continue words is taken out of it, that of rows that begin one put in,
unless the same row is to give scores. (Hewitt 2021 averages the whole table instead, which says nothing of the word.)

The rows of a head of its own are the mean of all its rows, and biases are kept low: so the new tokens together get no
more probability over old text than N / (V + N), by Jensen's inequality
(https://nlp.stanford.edu/~johnhew/vocab-expansion.html). Where the head is the embedding and has no bias (GPT-2),
nothing lowers a score: a new token gets at most what its pieces get.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from pretune.tokens.word_places import places
from pretune.tokens.write_weights import read_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from numpy.typing import NDArray

    from pretune.artifacts.tokenizer import Tokenizer
    from pretune.tokens.plan import Added, Plan
    from pretune.tokens.tables import IdTable, IdTables

    Floats: TypeAlias = NDArray[np.float32]

SAMPLE = 2048
"""Rows that stand for all rows of a table: evenly spread over the ids that were there."""

RANDOM = 0.02
"""Standard deviation of a random row, as initializer_range of most configs."""

FEWEST = 64
"""Rows of the sample that continue words, and as many that begin them, to say what the two differ by."""

APART = 0.1
"""What special tokens differ by from the mean row, in standard deviations of the table: two must not be one row."""


def new_rows(
    plan: Plan, tables: IdTables, *, tokenizer: Tokenizer | None = None, init: str = "mean"
) -> dict[str, tuple[list[int], NDArray[Any]]]:
    """Tensor -> ids and values of the rows that change.

    Args:
        plan: which entries get which ids.
        tables: of the checkpoint.
        tokenizer: of the model, which says what continues a word; None: nothing is known of that.
        init: one of INITS; `distill` gives the rows that it starts from.

    Returns:
        Values of shape (ids, width), of a bias (ids,), float32. All tables, with all rows that are new.

    Raises:
        UserError: the weights cannot be read.
    """
    fillers = range(plan.rows[0], plan.rows[1])
    taken = {entry.id for entry in plan.added}
    holes = [at for at in fillers if at not in taken]
    ids = [entry.id for entry in plan.added] + holes
    scores = (
        tables.tied and tables.has_head
    )  # a row that gives scores too stays a mean of old ones: so they are bounded
    begins = places(plan, tokenizer) if tokenizer is not None and not scores and init in ("mean", "distill") else {}
    made: dict[str, tuple[list[int], NDArray[Any]]] = {}
    for table in tables.tables:
        if table.role == "bias":
            values = _biases(plan, tables, table, rest=len(holes))
        else:
            values = _matrix(plan, tables, table, init=init, rest=len(holes), begins=begins)
        made[table.name] = (ids, values)
    return made


def _matrix(
    plan: Plan, tables: IdTables, table: IdTable, *, init: str, rest: int, begins: Mapping[int, bool]
) -> Floats:
    """Rows of an embedding or of a head."""
    ids = _spread(plan, tables.rows)
    sample = read_rows(tables, table.name, ids)
    mean, deviation = sample.mean(0), sample.std(0)
    apart = _apart(sample, [begins.get(at) for at in ids])
    made: dict[int, Floats] = {}
    for entry in plan.added:
        if init == "random":
            row = _noise(entry, table.width) * RANDOM
        elif init == "hf" or (table.role == "output" and not table.tied_to):
            row = mean
        elif entry.pieces:
            pieces = _pieces(entry, tables, table, made)
            # 1 where a piece continues a word and the entry begins one, -1 the other way round
            turns = [_turn(begins.get(entry.id), begins.get(at)) for at in entry.pieces]
            lengths = np.linalg.norm(pieces, axis=1)
            weights = lengths if lengths.all() else None
            row = np.average(pieces + np.outer(turns, apart), axis=0, weights=weights)
        else:
            row = mean + _noise(entry, table.width) * deviation * APART
        made[entry.id] = row.astype(np.float32)
    rows = [made[entry.id] for entry in plan.added] + [mean] * rest
    return np.stack(rows).astype(np.float32) if rows else np.zeros((0, table.width), np.float32)


def _turn(entry: bool | None, piece: bool | None) -> int:
    return 0 if entry is None or piece is None else int(entry) - int(piece)


def _apart(sample: Floats, begins: Sequence[bool | None]) -> Floats:
    """The mean of the rows that begin a word less that of the rows that continue one; nothing where there are few."""
    first, later = ([at for at, begin in enumerate(begins) if begin is side] for side in (True, False))
    if min(len(first), len(later)) < FEWEST:
        return np.zeros_like(sample[0])
    return np.asarray(sample[first].mean(0) - sample[later].mean(0), np.float32)


def _pieces(entry: Added, tables: IdTables, table: IdTable, made: Mapping[int, Floats]) -> Floats:
    """The rows of what the entry was; an entry that another word brought has its new row."""
    old = [at for at in entry.pieces if at not in made]
    rows = dict(zip(old, read_rows(tables, table.name, old), strict=True)) if old else {}
    return np.stack([made[at] if at in made else rows[at] for at in entry.pieces])


def _biases(plan: Plan, tables: IdTables, table: IdTable, *, rest: int) -> Floats:
    """Biases of the scores: no higher than those of the pieces and of the table, and lower where pieces are frequent.

    A bias says how frequent a token is. A row that is the mean of its pieces' rows gets at most the mean of their
    probabilities, so a word made of frequent pieces would be as likely as they are on text that it never occurs in.
    """
    every = read_rows(tables, table.name, range(tables.rows)).reshape(-1).astype(np.float64)
    live = every[_spread(plan, tables.rows)]
    mean = float(live.mean())
    frequent = every - np.log(np.mean(np.exp(live - live.max()))) - live.max()  # log of (share * number of tokens)
    made = []
    for entry in plan.added:
        pieces = [at for at in entry.pieces if at < tables.rows]
        if not pieces or any(other.role == "output" and not other.tied_to for other in tables.tables):
            made.append(mean)
            continue
        over = float(np.log(np.mean(np.exp(frequent[pieces]))))
        made.append(min(float(every[pieces].mean()) - max(over, 0.0), mean))
    return np.array(made + [mean] * rest, np.float32)


def _spread(plan: Plan, rows: int) -> Sequence[int]:
    """Ids evenly spread over those that were there, without the slots that are taken."""
    taken = {entry.id for entry in plan.added}
    step = max(rows // SAMPLE, 1)
    return [at for at in range(0, rows, step) if at not in taken] or [0]


def _noise(entry: Added, width: int) -> Floats:
    """Numbers of a standard normal distribution that depend on the token alone."""
    seed = int.from_bytes(hashlib.sha256(entry.text.encode("utf-8", "surrogatepass")).digest()[:8], "little")
    return np.random.default_rng(seed).standard_normal(width).astype(np.float32)
