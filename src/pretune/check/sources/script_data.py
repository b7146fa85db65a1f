"""The data files of a script: what load_dataset reads from files that are here. Reads none of them.

Knows `load_dataset` with a file format; what goes through open(), pandas or a class of the project has columns and rows
that are made on the way, and is left out.
"""

from __future__ import annotations

import ast
import os
from typing import TYPE_CHECKING

from pretune.check.sources.script_names import located
from pretune.check.sources.script_values import UNKNOWN, plain
from pretune.check.sources.setup import Data
from pretune.script.kinds import class_of
from pretune.script.objects import value_of
from pretune.script.trace import Returned, SetItem
from pretune.script.values import Function, Part, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.script.objects import Objects
    from pretune.script.trace import Call
    from pretune.script.values import Value

_FORMATS = {"json", "csv", "text", "parquet"}
_CHANGES = (
    "filter", "rename_column", "rename_columns", "class_encode_column", "cast_column", "cast", "concatenate_datasets",
    "interleave_datasets", "add_column", "flatten",
)  # fmt: skip
_LABELS = ("label", "labels")
_TRAIN = ("train", "training")
_EVAL = ("validation", "valid", "val", "dev", "test", "eval")


def data_of(script: Objects, model: Call) -> tuple[Data, Call] | None:
    """The files that a script trains and evaluates on, and the call that reads them; None: none that are here.

    Args:
        script: the script.
        model: the call that loads the model which is trained.
    """
    calls = [call for call in script.trace.calls("load_dataset") if call.entry is model.entry and _is_plain(call)]
    if len(calls) != 1 or any(call.method in _CHANGES for call in script.trace.calls(*_CHANGES)):
        return None  # none, which of them trains is not known, or other rows are trained on than the file has
    if class_of(value_of(model)).endswith("ForSequenceClassification") and _makes_labels(script):
        return None
    train: list[str] = []
    evaluation: list[str] = []
    for split, path in _files(calls[0]):
        found = located(script.trace.file, path)
        if not os.path.isfile(found):  # noqa: PTH113 - a path that cannot be one is simply not there
            return None
        (train if split in _TRAIN else evaluation).append(found)
    return (Data(train=tuple(train), eval=tuple(evaluation)), calls[0]) if train else None


def _makes_labels(script: Objects) -> bool:
    """Whether a function that is mapped over rows makes their labels, whatever the file's columns are."""
    mapped = [call.argument(0, "function") for call in script.trace.calls("map")]
    nodes = [one.node for one in mapped if isinstance(one, Function)]
    shown = [node for function in nodes if isinstance(function, ast.Lambda) for node in ast.walk(function)]
    if any(
        isinstance(key, ast.Constant) and key.value in _LABELS for node in shown for key in getattr(node, "keys", ())
    ):
        return True  # a lambda's value is no event
    for event in script.trace.events:
        if event.function is None or all(event.function.node is not node for node in nodes):
            continue
        made: list[Value | None] = []
        if isinstance(event, SetItem):
            made = [event.value] if plain(event.index) in _LABELS else []
        elif isinstance(event, Returned) and isinstance(event.value, Table):
            made = [event.value.get(key) for key in _LABELS]
        if any(one is not None and not (isinstance(one, Part) and plain(one.index) in _LABELS) for one in made):
            return True
    return False


def _is_plain(call: Call) -> bool:
    return call.constant(0, "path") in _FORMATS and not {"delimiter", "column_names", "field", "sep"} & set(
        call.keywords
    )


def _files(call: Call) -> Iterator[tuple[str, str]]:
    """Split and path of each file; nothing where a part is not known."""
    given = plain(call.argument(None, "data_files"))
    if given is UNKNOWN:
        return
    table = given if isinstance(given, dict) else {"train": given}
    for split, paths in table.items():
        for path in paths if isinstance(paths, list) else [paths]:
            if isinstance(path, str) and split in (*_TRAIN, *_EVAL):
                yield split, path
