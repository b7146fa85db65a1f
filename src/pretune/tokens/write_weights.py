"""Writes rows of a checkpoint's tables as bytes of its safetensors files: replaced, or appended. Loads no tensor.

Only the files that hold these tables are rewritten; the others are linked or copied as they are, and nothing of a
table passes through memory but the rows that are new. Knows no tokenizer and no config: what vocab_size shall say is
the caller's to write.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pretune.artifacts.json_file import read_object
from pretune.artifacts.tensor_table import BITS
from pretune.core.errors import UserError
from pretune.core.files import write_atomically
from pretune.tokens.byte_copy import copy_file, copy_ranges, link_or_copy, sync_folder, write_at
from pretune.tokens.grown_header import grown
from pretune.tokens.journal import Edit, write_in_place
from pretune.tokens.row_values import decoded, encoded
from pretune.tokens.tables import IdTables, find_tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pretune.artifacts.tensor_table import Tensor
    from pretune.tokens.tables import IdTable

    Rows = Mapping[str, tuple[Sequence[int], NDArray[Any]]]

_UNSOUND = frozenset(
    {"hole", "overlap", "wrong-length", "unknown-dtype", "odd-metadata", "trailing-bytes", "tensor-twice"}
)
"""What makes a safetensors file one that is not rewritten."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    Attributes:
        changed: files whose bytes are not the source's; empty when every row was there already.
        shared: files that share their bytes on the disk with the source (links, reflinks).
        copied: files that were copied as they are.
        stale: other weights beside them (`pytorch_model.bin`), which do not have these rows.
    """

    changed: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    copied: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()


def write_rows(
    model: str | Path | IdTables, out: str | Path, edits: Rows, *, rows: int | None = None, link: bool = True
) -> Written:
    """Write the weights of a model with some rows replaced, or with more rows, to a folder or in place.

    Args:
        model: its folder, or its tables.
        out: the folder that the weights come to: that of the weights themselves (rows are replaced in place, with a
            journal), or one that is there and holds none.
        edits: tensor -> (ids, values): values of shape (len(ids), width), of a bias (len(ids),), as floats, or as uint8
            (len(ids), bytes of a row) in the tensor's own dtype.
        rows: how many rows all tables shall have; None: as many as now. All tables of the model must be among
            the edits then, with all new ids.
        link: whether files that do not change may become hard links.

    Raises:
        UserError: the weights are a pickle, are damaged, lie in the hub's cache or not on this machine, the tables are
            in a dtype that is not written, or the disk does not take them. What was there is still there.
        ValueError: an id is outside the table, a shape or number is not one the tensor can take, a table is missing.
    """
    tables = model if isinstance(model, IdTables) else find_tables(model)
    _must_be_safetensors(tables)
    out = Path(out)
    more = 0 if rows is None else rows - tables.rows
    if more < 0:
        raise ValueError(f"{rows} rows are fewer than the {tables.rows} there are: a table is never cut")
    if more and {table.name for table in tables.tables} - edits.keys():
        raise ValueError(f"without new rows: {sorted({table.name for table in tables.tables} - edits.keys())}")
    wanted = {name: _row_bytes(tables.get(name), ids, values, more) for name, (ids, values) in edits.items()}
    folder = _folder(tables)
    stale = tuple(
        sorted({*(tables.weights.beside.files if tables.weights.beside else ()), *tables.weights.other_formats})
    )
    if os.path.realpath(out) == os.path.realpath(folder):
        if more:
            raise UserError(
                f"{folder} cannot get new rows in place", hint="write the result to a folder of its own (--out)"
            )
        places = [edit for name, found in wanted.items() for edit in _edits(tables.get(name).tensor, found)]
        return Written(changed=write_in_place(folder, places), stale=stale)
    try:
        written = _write_beside(tables, folder, out, wanted, more, link=link)
    except OSError as error:
        raise UserError(f"{out} cannot be written: {(error.strerror or str(error)).lower()}") from None
    return Written(*written, stale)


def read_rows(tables: IdTables, name: str, ids: Sequence[int]) -> NDArray[np.float32]:
    """Rows of a table, float32 of shape (len(ids), width).

    Raises:
        UserError: the weights are a pickle, or not on this machine, or in a dtype that is not read.
        ValueError: an id is outside the table.
    """
    _must_be_safetensors(tables)
    table = tables.get(name)
    tensor, size = table.tensor, _row_size(table)
    if any(not 0 <= index < table.rows for index in ids):
        raise ValueError(f"{name} has {table.rows} rows")
    with (_folder(tables) / tensor.file).open("rb") as file:
        parts = []
        for index in ids:
            file.seek((tensor.start or 0) + index * size)
            parts.append(file.read(size))
    return decoded(b"".join(parts), tensor.dtype).reshape(len(ids), table.width)


def _write_beside(
    tables: IdTables, folder: Path, out: Path, wanted: Mapping[str, Mapping[int, bytes]], more: int, *, link: bool
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Write all weights to another folder; the files that changed, share their bytes, are copies."""
    concerned = {tables.get(name).tensor.file for name in wanted}
    how: dict[str, list[str]] = {"changed": [], "shared": [], "copy": []}
    for file in tables.weights.files:
        target = out / file
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() or target.is_symlink():
            raise UserError(f"{target} is there already", hint="give a folder that holds no weights")
        if file not in concerned:
            made = link_or_copy(folder / file, target, link=link)
            how["copy" if made == "copy" else "shared"].append(file)
            continue
        here = {name: found for name, found in wanted.items() if tables.get(name).tensor.file == file}
        beside = target.with_name(f".{target.name}.pretune-new")
        beside.unlink(missing_ok=True)
        try:
            _write_file(tables, (folder / file, file), beside, here, more)
            beside.replace(target)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        how["changed"].append(file)
    if tables.weights.index:
        how["changed" if more else "copy"].append(tables.weights.index)
        _write_index(tables, out, more)
    sync_folder(out)
    return tuple(how["changed"]), tuple(how["shared"]), tuple(how["copy"])


def _write_file(
    tables: IdTables, named: tuple[Path, str], target: Path, wanted: Mapping[str, Mapping[int, bytes]], more: int
) -> None:
    """Write one file (its path, its name in the checkpoint) with its rows, and have it reach the disk."""
    source, name_of_file = named
    if not more:
        copy_file(Path(os.path.realpath(source)), target)
    with source.open("rb") as old, target.open("r+b" if not more else "xb") as new:
        if more:
            held = {name: tensor for name, tensor in tables.weights.tensors.items() if tensor.file == name_of_file}
            made = grown(held, _metadata(old), {name: (tables.get(name).axis, more) for name in wanted})
            new.write(made.header)
            new.flush()
            copy_ranges(old.fileno(), new.fileno(), made.copies)
            tensors = made.tensors
            os.truncate(new.fileno(), made.size)
        else:
            tensors = {name: tables.get(name).tensor for name in wanted}
        for name, found in wanted.items():
            for edit in _edits(tensors[name], found):
                write_at(new.fileno(), edit.data, edit.offset)
        os.fsync(new.fileno())


def _write_index(tables: IdTables, out: Path, more: int) -> None:
    """The index, with the sizes that the files have now."""
    name = tables.weights.index
    if not more:
        write_atomically(out / name, tables.source.read(name))
        return
    index = read_object(tables.source, name)
    metadata = index["metadata"] if isinstance(index.get("metadata"), dict) else {}
    grew = {
        "total_size": sum(more * _row_size(table) for table in tables.tables),
        "total_parameters": sum(more * table.width for table in tables.tables),
    }
    for key, by in grew.items():
        if isinstance(metadata.get(key), int | float):
            metadata[key] += by
    write_atomically(out / name, (json.dumps(index, indent=2, ensure_ascii=False) + "\n").encode())


def _row_bytes(table: IdTable, ids: Sequence[int], values: NDArray[Any], more: int) -> dict[int, bytes]:
    """Id -> the bytes of its row.

    Raises:
        ValueError: as write_rows.
    """
    numbers = [int(index) for index in ids]
    rows, size = table.rows + more, _row_size(table)
    outside = [index for index in numbers if not 0 <= index < rows]
    if outside or len(set(numbers)) != len(numbers):
        raise ValueError(f"{table.name}: ids must differ and lie below {rows}, not {outside[:1] or 'twice the same'}")
    missing = set(range(table.rows, rows)) - set(numbers)
    if missing:
        raise ValueError(f"{table.name}: no values for the new row {min(missing)}")
    made = np.asarray(values)
    if made.dtype == np.uint8 and made.shape == (len(numbers), size) and table.tensor.dtype not in ("U8", "I8"):
        data = made.tobytes()
    elif made.size == len(numbers) * table.width and made.shape[:1] == (len(numbers),):
        data = encoded(made, table.tensor.dtype) if made.size else b""
    else:
        raise ValueError(f"{table.name}: values of shape {made.shape}, expected ({len(numbers)}, {table.width})")
    return {index: data[at * size : (at + 1) * size] for at, index in enumerate(numbers)}


def _edits(tensor: Tensor, rows: Mapping[int, bytes]) -> list[Edit]:
    """Rows as edits of the tensor's file, neighbours together."""
    edits: list[Edit] = []
    parts: list[bytes] = []
    first, last = 0, -2
    for index in [*sorted(rows), -1]:
        if index != last + 1 or index < 0:
            if parts:
                edits.append(Edit(tensor.file, (tensor.start or 0) + first * len(parts[0]), b"".join(parts)))
            parts, first = [], index
        if index >= 0:
            parts.append(rows[index])
        last = index
    return edits


def _row_size(table: IdTable) -> int:
    """Bytes of an id's numbers."""
    return table.width * BITS[table.tensor.dtype] // 8


def _metadata(file: Any) -> Mapping[str, str]:
    """`__metadata__` of the file's own header."""
    length = int.from_bytes(file.read(8), "little")
    found: Mapping[str, str] = json.loads(file.read(length)).get("__metadata__") or {}
    return found


def _folder(tables: IdTables) -> Path:
    """Where the weights lie.

    Raises:
        UserError: not on this machine.
    """
    first = tables.input.tensor.file
    path = tables.source.path(first)
    if path is None:
        raise UserError(
            f"the weights of {tables.source.label} are not on this machine",
            hint=f"fetch them: hf download {tables.source.label}",
        )
    return Path(str(path)[: -len(first)])


def _must_be_safetensors(tables: IdTables) -> None:
    """Raise a UserError for weights that are not sound safetensors files."""
    label = tables.source.label
    if tables.weights.format != "safetensors":
        raise UserError(
            f"{label} keeps its weights in {tables.weights.files[0]}, a pickle, which pretune neither opens nor writes",
            hint=f'convert it once: python -c "from transformers import AutoModelForPreTraining as M; '
            f"M.from_pretrained('{label}').save_pretrained('{label.rstrip('/')}-safetensors')\"",
        )
    unsound = next((trouble for trouble in tables.weights.troubles if trouble.kind in _UNSOUND), None)
    if unsound is not None:
        raise UserError(f"{label}: {unsound.message}", hint="download it again, or save it anew with transformers")
    columns = next((table for table in tables.tables if not table.contiguous), None)
    if columns is not None:
        raise UserError(
            f"{label}: {columns.name} has one column an id where one row is expected, which pretune does not write",
            hint="resize this model with transformers",
        )
