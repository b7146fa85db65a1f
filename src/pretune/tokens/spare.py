"""Finds a model's spare slots: rows of the word embedding that no text reaches. Reads headers and a few rows; no torch.

A slot is offered when the tokenizer proves it free, as transformers builds it and as tokenizer.json stands, and no file
names it (taken.py). Where the weights are at hand, its row must not look like a trained token's either (untrained.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.artifacts.config import read_config
from pretune.artifacts.pipeline import class_spec, file_spec
from pretune.artifacts.source import locate
from pretune.artifacts.tokenizer import read_tokenizer
from pretune.core.errors import UserError
from pretune.tokens.dead_entries import dead_entries
from pretune.tokens.slots import Slot, is_free_name, is_marker, is_sentinel
from pretune.tokens.tables import find_tables, inner_folder
from pretune.tokens.taken import read_taken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pretune.artifacts.source import Source
    from pretune.artifacts.tokenizer import Tokenizer
    from pretune.tokens.tables import IdTables

__all__ = ["Slot", "slots_of", "spare_slots"]


def spare_slots(model: str | Path | Source, *, check_weights: bool = True) -> tuple[Slot, ...]:
    """The slots of a model that no text reaches, ascending by id.

    Args:
        model: a folder, a hub name, or the files themselves; of a sentence-transformers model the whole.
        check_weights: look at the rows too, where they can be read.

    Raises:
        UserError: the folder has no tokenizer, or one whose ids cannot be told from its files.
    """
    source = inner_folder(locate(str(model)) if isinstance(model, str | Path) else model)
    tokenizer = read_tokenizer(source)
    tables = _tables(source)
    rows = tables.rows if tables else _stated_rows(source)
    return slots_of(tokenizer, rows=rows, tables=tables if check_weights else None)


def slots_of(tokenizer: Tokenizer, *, rows: int | None, tables: IdTables | None = None) -> tuple[Slot, ...]:
    """The slots of a tokenizer with an embedding of `rows` rows (None: not known), ascending by id.

    Args:
        tokenizer: as its files say.
        rows: of the word embedding; ids beyond it are no slots.
        tables: the weights to compare rows in; None: they are not looked at.

    Raises:
        UserError: the tokenizer is of a kind whose ids cannot be told from its files.
    """
    if not tokenizer.reads_vocabulary:
        return ()
    specs = _specs(tokenizer)
    taken = read_taken(tokenizer, specs)
    dead = dead_entries(specs[0])
    for spec in specs[1:]:
        dead = dead_entries(spec, dead)
    added = {token.content for token in tokenizer.added}
    names: dict[int, list[str]] = {}
    for name, index in tokenizer.ids.items():
        names.setdefault(index, []).append(name)
    found: list[Slot] = []
    sentinels: list[Slot] = []
    for index, owners in names.items():
        name = owners[0]
        if len(owners) > 1 or (rows is not None and index >= rows) or index < 0:
            continue
        free = is_free_name(name)
        unreachable = name in dead and name not in added and not is_marker(name)
        if not (free or is_sentinel(name) or unreachable) or taken.has(name, index):
            continue
        if free or not is_sentinel(name):
            found.append(Slot(index, name, "named" if free else "unreachable"))
        else:
            sentinels.append(Slot(index, name, "named"))
    beyond = tokenizer.largest_id + 1 if rows is None else rows
    holes = set(range(beyond)) - names.keys() - taken.ids - _repeated(tokenizer)
    found += [Slot(index, "", "row") for index in holes]
    if tables is not None:
        live = sorted(
            index for index in names.keys() - {slot.id for slot in (*found, *sentinels)} if index < tables.rows
        )
        found = _untrained(found, sentinels, live, tables)
    return tuple(sorted(found, key=lambda slot: slot.id))


def _untrained(found: list[Slot], sentinels: list[Slot], live: Sequence[int], tables: IdTables) -> list[Slot]:
    """The slots whose rows do not look trained; sentinels only when their rows look untrained."""
    from pretune.tokens.untrained import trained_rows  # numpy, which only weights need

    named = [slot.id for slot in found if slot.kind == "named"]
    known = named or [slot.id for slot in found if slot.kind == "row"]
    asked = [slot.id for slot in (*found, *sentinels)]
    trained = trained_rows(tables, known=known or asked, asked=asked, live=live)
    if trained is None:  # the rows tell nothing
        return found
    return [slot for slot in (*found, *sentinels) if slot.id not in trained]


def _specs(tokenizer: Tokenizer) -> tuple[Mapping[str, Any], ...]:
    """The tokenizer as transformers builds it, and as tokenizer.json stands where there is one."""
    made = class_spec(tokenizer)
    return (made,) if tokenizer.spec is None else (made, file_spec(tokenizer))


def _repeated(tokenizer: Tokenizer) -> set[int]:
    """Ids of repeated entries, and of lines of vocab.txt that hold nothing: other readers may give them to an entry."""
    vocabulary = tokenizer.vocabulary
    ids = {index for index, piece in enumerate(vocabulary.pieces) if vocabulary.ids.get(piece) != index}
    for oddity in vocabulary.oddities:
        first = 1 if vocabulary.file.endswith(".txt") else 0  # lines are counted from 1, pieces from 0
        ids.update(line - first for line in oddity.lines)
    return ids


def _tables(source: Source) -> IdTables | None:
    """The tables of the folder's weights; None where there are none, or none that can be told."""
    try:
        return find_tables(source)
    except UserError:
        return None


def _stated_rows(source: Source) -> int | None:
    """config.json's vocab_size; None where it states none."""
    if not source.has("config.json"):
        return None
    stated = read_config(source).stated("vocab_size")
    size = stated[1] if stated else None
    return size if isinstance(size, int) and not isinstance(size, bool) and size > 0 else None
