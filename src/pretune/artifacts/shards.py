"""A sharded checkpoint: the index that says which file holds which tensor, held against what the files declare.

The index is foreign text: a shard's name that leads out of the folder is refused. Knows no format of the shards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.artifacts.json_file import read_json
from pretune.artifacts.not_weights import pointer_or_page
from pretune.artifacts.source import Source, inside
from pretune.artifacts.tensor_table import FileTable, Trouble, failed, few
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

Reader = Callable[[Source, str], FileTable]


@dataclass(frozen=True, slots=True)
class Index:
    """What an index file says.

    Attributes:
        places: tensor name -> shard.
        total_size: `metadata.total_size` in bytes, None when it is not said.
        troubles: what is wrong with the index by itself.
    """

    places: Mapping[str, str]
    total_size: int | None
    troubles: tuple[Trouble, ...]


def read_shards(source: Source, index_file: str, read: Reader) -> tuple[FileTable, tuple[str, ...]]:
    """The joint table of all shards, and the shards that are there. Never raises.

    Args:
        source: where the checkpoint lies.
        index_file: `model.safetensors.index.json` or its like.
        read: reads the table of one shard.
    """
    index = read_index(source, index_file)
    troubles = list(index.troubles)
    wanted = sorted(set(index.places.values()))
    unsafe = [shard for shard in wanted if not inside(shard)]
    if unsafe:
        told = f"{index_file} names shards outside its folder ({few(unsafe)}); they are not read"
        troubles.append(Trouble("unsafe-shard-name", index_file, told))
    files = tuple(shard for shard in wanted if inside(shard) and source.has(shard))
    missing = [shard for shard in wanted if inside(shard) and shard not in set(files)]
    if missing:
        orphans = sum(shard in set(missing) for shard in index.places.values())
        told = (
            f"{len(missing):,} of the {len(wanted):,} shards that {index_file} names are missing ({few(missing)}),"
            f" with {orphans:,} tensors"
        )
        troubles.append(Trouble("missing-shard", index_file, told))
    joint = _join({file: read(source, file) for file in files})
    troubles += joint.troubles
    troubles += _disagreements(index, index_file, joint, unread=set(missing) | set(unsafe) | _unread(joint))
    return FileTable(joint.tensors, tuple(troubles), joint.metadata, joint.imports, joint.storages), files


def read_index(source: Source, index_file: str) -> Index:
    """The index by itself. Never raises: what is wrong with it is among its troubles."""
    try:
        head = source.read_at(index_file, 0, 512)
        instead = pointer_or_page(head, source.size(index_file)) if not head.lstrip().startswith(b"{") else None
        if instead is not None:
            return Index({}, None, failed(instead[0], index_file, f"{index_file} is {instead[1]}").troubles)
        raw = read_json(source, index_file)
    except UserError as error:
        return Index({}, None, (Trouble("bad-index", index_file, error.message),))
    places: Any = raw.get("weight_map") if isinstance(raw, dict) else None
    if not isinstance(places, dict) or not places or not all(isinstance(shard, str) for shard in places.values()):
        told = f"{index_file} has no weight_map from tensor names to file names"
        return Index({}, None, (Trouble("bad-index", index_file, told),))
    metadata = raw.get("metadata")
    if not isinstance(metadata, dict):
        told = f"{index_file} has no metadata object; from_pretrained stops there (KeyError: 'metadata')"
        return Index(places, None, (Trouble("index-without-metadata", index_file, told),))
    total = metadata.get("total_size")
    if isinstance(total, int | float) and not isinstance(total, bool) and 0 <= total < 2**63:
        return Index(places, int(total), ())
    return Index(places, None, ())


def _join(tables: Mapping[str, FileTable]) -> FileTable:
    """One table of many; a tensor that two files hold is a trouble."""
    tensors = {}
    twice = {}
    for file, table in tables.items():
        for name, tensor in table.tensors.items():
            if name in tensors:
                twice[name] = file
            tensors[name] = tensor
    troubles = [trouble for table in tables.values() for trouble in table.troubles]
    if twice:
        file = next(iter(twice.values()))
        told = f"{len(twice):,} tensors are held by two shards ({few(twice)}); the last one is loaded"
        troubles.append(Trouble("tensor-twice", file, told))
    metadata = next((table.metadata for table in tables.values() if table.metadata), {})
    imports = tuple(dict.fromkeys(name for table in tables.values() for name in table.imports))
    storages = {name: f"{file}:{key}" for file, table in tables.items() for name, key in table.storages.items()}
    return FileTable(tensors, tuple(troubles), metadata, imports, storages)


def _unread(joint: FileTable) -> set[str]:
    """Shards that are there and yet gave no tensor."""
    return {trouble.file for trouble in joint.troubles} - {tensor.file for tensor in joint.tensors.values()}


def _disagreements(index: Index, index_file: str, joint: FileTable, *, unread: set[str]) -> list[Trouble]:
    if not index.places:
        return []
    troubles = []
    omitted = set(joint.tensors) - set(index.places)
    if omitted:
        told = f"{index_file} leaves out {len(omitted):,} tensors that its shards hold ({few(omitted)})"
        troubles.append(Trouble("index-omits", index_file, told))
    absent = {name for name, shard in index.places.items() if name not in joint.tensors and shard not in unread}
    if absent:
        told = f"{index_file} names {len(absent):,} tensors that no shard holds ({few(absent)})"
        troubles.append(Trouble("index-names-absent", index_file, told))
    moved = {name for name, tensor in joint.tensors.items() if index.places.get(name, tensor.file) != tensor.file}
    if moved:
        told = f"{index_file} sends {len(moved):,} tensors to a shard other than the one that holds them ({few(moved)})"
        troubles.append(Trouble("index-misplaces", index_file, told))
    held = sum(tensor.bytes for tensor in joint.tensors.values())
    shared = len(set(joint.storages.values())) != len(joint.storages)
    if index.total_size is not None and not unread and not shared and index.total_size != held:
        told = f"{index_file} says total_size {index.total_size:,} bytes, its shards hold {held:,}"
        troubles.append(Trouble("total-size", index_file, told))
    return troubles
