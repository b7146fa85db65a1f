"""Finds a model's spare slots: rows of the word embedding that no text reaches. Reads headers and a few rows; no torch.

A slot is offered when the tokenizer proves it free, as transformers builds it and as tokenizer.json stands, and no file
names it (taken.py). Where the weights are at hand, its row must not look like a trained token's either (untrained.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pretune.artifacts.config import read_config
from pretune.artifacts.named_slots import named_slots, specs_of
from pretune.artifacts.source import locate
from pretune.artifacts.spare_names import is_spare_name
from pretune.artifacts.taken import read_taken
from pretune.artifacts.tokenizer import read_tokenizer
from pretune.core.errors import UserError
from pretune.tokens.dead_entries import dead_entries
from pretune.tokens.slots import Slot, is_marker, is_sentinel
from pretune.tokens.tables import find_tables, inner_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pretune.artifacts.source import Source
    from pretune.artifacts.tokenizer import Tokenizer
    from pretune.tokens.tables import IdTables

__all__ = ["FreeSlots", "Slot", "free_slots", "slots_of", "spare_slots"]


@dataclass(frozen=True, slots=True)
class FreeSlots:
    """What was found in a model.

    Attributes:
        slots: rows that no text reaches and nothing uses, ascending by id.
        trained: entries whose names say that they are free and whose rows somebody trained: no slots.
    """

    slots: tuple[Slot, ...]
    trained: tuple[Slot, ...] = ()


def spare_slots(model: str | Path | Source, *, check_weights: bool = True) -> tuple[Slot, ...]:
    """The slots of a model that no text reaches, ascending by id.

    Args:
        model: a folder, a hub name, or the files themselves; of a sentence-transformers model the whole.
        check_weights: look at the rows too, where they can be read.

    Raises:
        UserError: the folder has no tokenizer, or one whose ids cannot be told from its files.
    """
    return free_slots(model, check_weights=check_weights).slots


def free_slots(model: str | Path | Source, *, check_weights: bool = True) -> FreeSlots:
    """The same, and what is left out because its row was trained.

    Raises:
        UserError: as spare_slots.
    """
    source = inner_folder(locate(str(model)) if isinstance(model, str | Path) else model)
    tokenizer = read_tokenizer(source)
    tables = _tables(source)
    rows = tables.rows if tables else _stated_rows(source)
    return _found(tokenizer, rows=rows, tables=tables if check_weights else None)


def slots_of(tokenizer: Tokenizer, *, rows: int | None, tables: IdTables | None = None) -> tuple[Slot, ...]:
    """The slots of a tokenizer with an embedding of `rows` rows (None: not known), ascending by id.

    Args:
        tokenizer: as its files say.
        rows: of the word embedding; ids beyond it are no slots.
        tables: the weights to compare rows in; None: they are not looked at.

    Raises:
        UserError: the tokenizer is of a kind whose ids cannot be told from its files.
    """
    return _found(tokenizer, rows=rows, tables=tables).slots


def _found(tokenizer: Tokenizer, *, rows: int | None, tables: IdTables | None) -> FreeSlots:
    if not tokenizer.reads_vocabulary:
        return FreeSlots(())
    specs = specs_of(tokenizer)
    taken = read_taken(tokenizer, specs)
    dead = dead_entries(specs[0])
    for spec in specs[1:]:
        dead = dead_entries(spec, dead)
    free = named_slots(tokenizer, rows=rows, taken=taken)
    added = {token.content for token in tokenizer.added}
    names: dict[int, list[str]] = {}
    for name, index in tokenizer.ids.items():
        names.setdefault(index, []).append(name)
    found = [Slot(index, name, "named") for index, name in free.items()]
    sentinels: list[Slot] = []
    for index, owners in names.items():
        name = owners[0]
        if index in free or len(owners) > 1 or (rows is not None and index >= rows) or index < 0:
            continue
        unreachable = name in dead and name not in added and not is_marker(name)
        if not (is_sentinel(name) or unreachable) or is_spare_name(name) or taken.has(name, index):
            continue
        if is_sentinel(name):
            sentinels.append(Slot(index, name, "named"))
        else:
            found.append(Slot(index, name, "unreachable"))
    beyond = tokenizer.largest_id + 1 if rows is None else rows
    holes = set(range(beyond)) - names.keys() - taken.ids - _repeated(tokenizer)
    found += [Slot(index, "", "row") for index in holes]
    slots = found
    if tables is not None:
        live = sorted(
            index for index in names.keys() - {slot.id for slot in (*found, *sentinels)} if index < tables.rows
        )
        slots = _untrained(found, sentinels, live, tables)
    kept = {slot.id for slot in slots}
    trained = (slot for slot in found if slot.kind == "named" and slot.id not in kept)
    return FreeSlots(_by_id(slots), _by_id(trained))


def _by_id(slots: Iterable[Slot]) -> tuple[Slot, ...]:
    return tuple(sorted(slots, key=lambda slot: slot.id))


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
