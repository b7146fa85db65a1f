"""The data files of a script: what load_dataset reads from files that are here. Reads none of them.

Knows `load_dataset` with a file format; what goes through open(), pandas or a class of the project has columns and rows
that are made on the way, and is left out.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pretune.check.sources.script_names import located
from pretune.check.sources.script_values import UNKNOWN, plain
from pretune.check.sources.setup import Data

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.script.objects import Objects
    from pretune.script.trace import Call

_FORMATS = {"json", "csv", "text", "parquet"}
_CHANGES = (
    "filter", "rename_column", "rename_columns", "class_encode_column", "cast_column", "cast", "concatenate_datasets",
    "interleave_datasets", "add_column", "flatten",
)  # fmt: skip
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
    train: list[str] = []
    evaluation: list[str] = []
    for split, path in _files(calls[0]):
        found = located(script.trace.file, path)
        if not os.path.isfile(found):  # noqa: PTH113 - a path that cannot be one is simply not there
            return None
        (train if split in _TRAIN else evaluation).append(found)
    return (Data(train=tuple(train), eval=tuple(evaluation)), calls[0]) if train else None


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
