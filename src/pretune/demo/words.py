"""The demo's scene of new words: the plan for MiniLM, and what the usual way makes of the same words.

Asks the tokenizer both ways; knows nothing of how the plan is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pretune.draw.table import Cell, Column, table

if TYPE_CHECKING:
    from pathlib import Path

    import tokenizers

    from pretune.draw.table import Table

WORDS = ("COVID", "hospitalization")
SPECIALS = ("[QUESTION]", "[CONTEXT]", "<name>", "<place>")
TEXTS = ("COVID", "hospitalization", "rehospitalization", "COVIDien", "hospitalizations")
"""Texts whose tokens are shown; in some of them a word stands inside another one."""
OUT = "with-words"


@dataclass(frozen=True, slots=True)
class Words:
    """What the scene shows.

    Attributes:
        command: the command line that does the same.
        tables: the plan, and both ways side by side.
    """

    command: str
    tables: tuple[Table, ...]


def words(model: Path) -> Words:
    """Plan, write and compare.

    Args:
        model: the folder of MiniLM; the result is written beside it.
    """
    from pretune.tokens.adding import plan
    from pretune.tokens.show import plan_tables

    adding = plan(model, WORDS, special=SPECIALS)
    adding.apply(OUT)
    return Words(command(model), (*plan_tables(adding.plan, model.name), _side_by_side(model)))


def command(model: Path) -> str:
    """The command line of the scene."""
    told = " ".join([*WORDS, *(f"--special '{token}'" for token in SPECIALS)])
    return f"pretune tokens add {model} {told} --out {OUT}"


def _side_by_side(model: Path) -> Table:
    """What a text becomes: as it was, after add_tokens, and with pretune."""
    from pretune.core.quantity import number
    from pretune.tokens.spare import spare_slots

    before, usual, ours = _encoder(model), _encoder(model), _encoder(OUT)
    usual.add_tokens(list(WORDS))
    rows = []
    for text in TEXTS:
        old, theirs, own = (
            " ".join(encoder.encode(text, add_special_tokens=False).tokens) for encoder in (before, usual, ours)
        )
        rows.append((text, old, Cell(theirs, "bad" if _cut(theirs, old) else ""), own))
    note = "add_tokens cuts its words out of longer ones, and what stands behind them is no continuation any more"
    token = usual.encode(WORDS[0], add_special_tokens=False).tokens[0]
    if usual.token_to_id(token) is None:
        note += f"; `tokenize` gives {token!r}, which `convert_tokens_to_ids` does not know"
    note += f"; resize_token_embeddings makes new rows where {number(len(spare_slots(model)))} slots are free"
    columns = [Column(name, numbers=False) for name in ("text", "now", "add_tokens", "pretune")]
    return table("The usual way beside it", columns, rows, note=note)


def _cut(theirs: str, old: str) -> bool:
    """Whether a word was taken out of the middle of another one."""
    return len(theirs.split()) > 1 and theirs != old


def _encoder(folder: Path | str) -> tokenizers.Tokenizer:
    """The encoder of a folder, as transformers builds it."""
    from pretune.artifacts.pipeline import as_class
    from pretune.artifacts.source import locate
    from pretune.artifacts.tokenizer import read_tokenizer

    return as_class(read_tokenizer(locate(str(folder))))
