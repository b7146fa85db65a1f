"""What the user names as data to what is read: files, patterns, folders, standard input, objects in memory.

Opens no more than the first bytes of a file. Knows neither rows nor tasks.
"""

from __future__ import annotations

import glob
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pretune.core.errors import UserError, nearest
from pretune.corpus.folder import files_of_folder
from pretune.corpus.in_memory import kind_of, size_of
from pretune.corpus.rows import format_of
from pretune.corpus.splits import chosen_split
from pretune.corpus.standard_input import STDIN, spooled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pretune.corpus.rows import Format
    from pretune.corpus.splits import Purpose

_NAMES = {"Dataset": "dataset", "IterableDataset": "dataset", "table": "table", "rows": "rows"}


@dataclass(frozen=True, slots=True)
class Input:
    """One thing that is read from its first row to its last.

    Attributes:
        label: as the user would write it; the places of its rows begin with it.
        source: a path, or an object in memory (a `datasets.Dataset`, a `pyarrow.Table`, a list of mappings, ...).
        format: of a file; `memory`: it is an object.
        size: bytes as stored, for progress; 0 where only reading would tell.
    """

    label: str
    source: Path | Any
    format: Format | Literal["memory"]
    size: int = 0


def expand(named: Sequence[Any], *, purpose: Purpose = "train") -> tuple[Input, ...]:
    """What is read when the user names this.

    A name is a file, a pattern (`data/*.jsonl`, `**` for any depth; its files in the order of their names), `-` for
    standard input, or a folder: one that `datasets` saved, or one of data files as the hub keeps them. Where there are
    splits, training reads `train`, evaluation the first of `validation`, `dev`, `eval` and `test`; a single
    split is read for either. Objects: Dataset, IterableDataset and dictionaries of them, Arrow tables, data frames of
    polars and pandas, lists of mappings.

    Args:
        named: paths, patterns and objects.
        purpose: what the data is for.

    Raises:
        UserError: missing, a pattern or a folder without data, of an unknown format, several formats or datasets in one
            folder, no split for this purpose; it says what to name instead.
    """
    found: list[Input] = []
    for one in named:
        found += _inputs(one, purpose)
    return tuple(_told_apart(found))


def _inputs(one: Any, purpose: Purpose) -> Iterator[Input]:
    if isinstance(one, Input):
        yield one
    elif isinstance(one, (str, Path)):
        for label, path in _files(str(one), purpose):
            yield Input(label, path, format_of(path), path.stat().st_size)
    else:
        yield from _objects(one, purpose)


def _files(name: str, purpose: Purpose) -> list[tuple[str, Path]]:
    """Labels and paths of the files a name stands for."""
    if name == "-":
        return [(STDIN, spooled(sys.stdin.buffer))]
    path = Path(name).expanduser()
    if _exists(path):
        if path.is_dir():
            return [(_label(name, path, file), file) for file in files_of_folder(path, name, purpose)]
        return [(name, path)]
    if "://" in name:
        raise UserError(
            f"{name} is an address, expected a file", hint="download it first, or pipe it in: curl -L … | pretune … -"
        )
    if not glob.has_magic(name):
        raise UserError(f"{name} does not exist", hint=_near(path))
    matches = [Path(match) for match in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207 - of any path
    files = [match for match in matches if match.is_file()]
    if files:
        return [(_label(name, path, file), file) for file in files]
    folders = [match for match in matches if match.is_dir()]
    if not folders:
        raise UserError(f"no file matches {name}", hint=_near(path) or "quote the pattern, and begin it where you are")
    return [
        (_label(name, path, file), file)
        for folder in folders
        for file in files_of_folder(folder, _label(name, path, folder), purpose)
    ]


def _label(name: str, path: Path, file: Path) -> str:
    """The file as the user would write it: with the `~` that they wrote."""
    text = str(file)
    if name.startswith("~") and not str(path).startswith("~"):
        start, _, _ = name.partition("/")
        home = str(Path(start).expanduser())
        return start + text.removeprefix(home) if text.startswith(home) else text
    return text


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long, or holds a NUL
        return False


def _near(path: Path) -> str:
    try:
        names = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
    except OSError:
        names = []
    close = nearest(path.name, names)
    return f'did you mean "{path.parent / close if str(path.parent) != "." else close}"?' if close else ""


def _objects(source: Any, purpose: Purpose) -> Iterator[Input]:
    kind = kind_of(source)
    if kind in {"DatasetDict", "IterableDatasetDict"}:
        splits: Mapping[Any, Any] = source
        name = chosen_split([str(split) for split in splits], purpose, f"the {kind}", 'give one of them: dataset["{}"]')
        yield Input(f'dataset["{name}"]', splits[name], "memory", size_of(splits[name]))
    elif kind is not None:
        yield Input(_NAMES[kind], source, "memory", size_of(source))
    else:
        raise UserError(
            f"data is {_article(type(source).__name__)}, expected a path, a Dataset, a table or a list of mappings",
            hint='a list of texts is read as [{"text": text} for text in texts]' if isinstance(source, list) else "",
        )


def _article(name: str) -> str:
    return f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"


def _told_apart(inputs: Sequence[Input]) -> Iterator[Input]:
    """Objects of one kind are numbered, so that places tell them apart."""
    count: dict[str, int] = {}
    for one in inputs:
        if one.format == "memory":
            count[one.label] = count.get(one.label, 0) + 1
            if count[one.label] > 1:
                yield Input(f"{one.label} {count[one.label]}", one.source, one.format, one.size)
                continue
        yield one
