"""New rows that do what the word's pieces did: distilled. Trains these rows alone; every other weight stays as it is.

The model reads a text cut the old way, and the same text with the new token; the token's row is moved until both come
out the same (Dobler et al. 2025, Token Distillation, https://arxiv.org/abs/2505.20133; how: distill_training.py). A
word's texts are built-in sentences, or sentences of the user's own. A row that does not come out better over its own
texts stays as it began.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pretune.artifacts.pipeline import as_class
from pretune.core.errors import UserError
from pretune.core.extras import need
from pretune.core.quantity import number
from pretune.tokens.distill_pairs import LONGEST, pairs_of
from pretune.tokens.distill_texts import contexts
from pretune.tokens.proof import rebuilt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import TypeAlias

    import tokenizers
    from numpy.typing import NDArray

    from pretune.tokens.adding import Adding
    from pretune.tokens.distill_model import Runner
    from pretune.tokens.plan import Plan
    from pretune.tokens.tables import IdTables

    Edits: TypeAlias = dict[str, tuple[list[int], NDArray[Any]]]

CONTEXTS = 20
"""Sentences of the user's a token, at most."""


def distilled(adding: Adding, edits: Edits, live: tuple[Any, str] | None = None) -> Edits:
    """The same edits with trained rows for new words in the word embedding, and in what repeats it.

    Args:
        adding: what is added, with its texts.
        edits: rows to begin from (`mean`).
        live: a model at hand and its pooling (empty: it is no sentence encoder); None: that of the folder is loaded.

    Raises:
        UserError: torch or transformers are missing, or the model cannot be loaded.
    """
    need("torch", extra="train")
    need("transformers", extra="train")
    from pretune.tokens.distill_model import declared_pooling, load, running

    tables = adding.tables
    assert tables is not None
    encoders = as_class(adding.tokenizer), as_class(rebuilt(adding.tokenizer, adding.plan))
    padding = adding.tokenizer.id_of("pad_token") or 0
    pooling = live[1] if live else declared_pooling(adding.source)
    with running(live[0], padding=padding) if live else load(_folder(tables), padding=padding) as runner:
        trained = learnt(adding.plan, encoders, runner, edits[tables.input.name], pooling=pooling, texts=adding.texts)
    ids = edits[tables.input.name][0]
    same = {table.name for table in tables.tables if tables.input.name in (table.name, table.tied_to)}
    return {name: (ids, trained.copy()) if name in same else edit for name, edit in edits.items()}


def learnt(
    plan: Plan,
    encoders: tuple[tokenizers.Tokenizer, tokenizers.Tokenizer],
    runner: Runner,
    start: tuple[list[int], NDArray[Any]],
    *,
    pooling: str = "",
    texts: Sequence[str] = (),
) -> NDArray[np.float32]:
    """Trained rows in the order of `start`; those that nothing is known about stay as they are.

    Args:
        plan: which entries are new.
        encoders: before, and with them.
        runner: the model.
        start: ids and rows (ids, width) to begin from.
        pooling: of a sentence encoder; empty: hidden states are compared.
        texts: of the user's; empty: built-in sentences.
    """
    from pretune.tokens.distill_model import told
    from pretune.tokens.distill_training import Training

    for encoder in encoders:  # tokenizer.json may keep those of some last call
        encoder.no_truncation()
        encoder.no_padding()
    ids, rows = start[0], start[1].astype(np.float32)
    asked = [entry for entry in plan.added if entry.pieces and not entry.special and not entry.between]
    safe = {entry.id: entry.pieces[0] for entry in plan.added if entry.pieces}
    longest = min(LONGEST, runner.positions)
    found = contexts(texts, [entry.word for entry in asked], most=CONTEXTS) if texts else {}
    pairs = {entry.id: pairs_of(entry, encoders, found.get(entry.word, ()), longest) for entry in asked}
    kept = {entry.id: pairs[entry.id] for entry in asked if pairs[entry.id]}
    words = {entry.word for entry in asked if entry.id in kept}
    left = len({entry.word for entry in plan.added if not entry.between}) - len(words)
    if left:
        why = "special, unknown until now, or never on its own in a text"
        if left == 1:
            told(f"1 new token keeps its first row: {why}")
        else:
            told(f"{number(left)} new tokens keep their first rows: {why}")
    return Training(runner, pooling, ids, rows, safe).train(kept, own=bool(texts))


def _folder(tables: IdTables) -> Path:
    """Where config.json and the weights lie, in the same folder.

    Raises:
        UserError: not on this machine.
    """
    file = tables.input.tensor.file
    path = tables.source.path(file)
    if path is None:
        raise UserError(f"the weights of {tables.source.label} are not on this machine", hint="download them first")
    return path.parents[file.count("/")]
