"""What the numbers of a class column are called, where `datasets` says it: class_names. Reads schemas, no rows.

A ClassLabel stores 0, 1, 2; its names stand in the features of a Dataset and in the schema of what it saved.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pretune.corpus.inputs import Input

UNKNOWN = -1
"""What a ClassLabel stores for a row without a class, as the test sets of the hub have it."""


def class_names(one: Input, column: str) -> tuple[str, ...]:
    """The names of a column's classes, by their number; empty where the data do not say.

    Args:
        one: what is read.
        column: its column; `a.b` is the field b of the mappings in a.
    """
    if not column:
        return ()
    return _names(_features(one), [column]) or _names(_features(one), column.split("."))


def named_class(value: Any, names: Sequence[str]) -> Any:
    """The class's name for its number; None for a row without a class, anything else as it is."""
    if not names or isinstance(value, bool) or not isinstance(value, int):
        return value
    if value == UNKNOWN:
        return None
    return names[value] if 0 <= value < len(names) else value


def _names(features: Any, path: Sequence[str]) -> tuple[str, ...]:
    """The names at a path of the features, as `datasets` writes them in JSON."""
    found = features
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping) or found.get("_type") != "ClassLabel":
        return ()
    names = found.get("names")
    return tuple(map(str, names)) if isinstance(names, list) else ()


def _features(one: Input) -> Any:
    """The features of an input; an empty mapping where it has none."""
    if one.format in {"arrow", "parquet"}:
        return _stored(_schema(one.source, one.format))
    if one.format != "memory":
        return {}
    features: Any = getattr(one.source, "features", None)
    if hasattr(features, "to_dict"):  # of datasets; an IterableDataset may not know them
        return features.to_dict()
    return _stored(getattr(one.source, "schema", None))


def _stored(schema: Any) -> Any:
    """The features that `datasets` left in an Arrow schema."""
    metadata = getattr(schema, "metadata", None)
    said = metadata.get(b"huggingface") if isinstance(metadata, Mapping) else None
    try:
        found = json.loads(said) if said else {}
        return found["info"]["features"]
    except (ValueError, RecursionError, KeyError, TypeError):  # anybody's file: names are a nicety
        return {}


def _schema(path: Path, kind: str) -> Any:
    """The schema of a file whose rows were read already."""
    if kind == "parquet":
        from pyarrow import parquet

        return parquet.read_schema(path)
    import pyarrow as pa
    from pyarrow import ipc

    with pa.memory_map(str(path)) as source:
        try:
            return ipc.open_stream(source).schema
        except pa.ArrowInvalid:
            return ipc.open_file(source).schema
