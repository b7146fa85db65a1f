"""A folder to the data files in it: what `datasets` saved to disk, or a dataset's files as the hub keeps them.

Reads the small json files that say which files belong together, no data. Knows no formats but by extension.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.core.files import read_bounded
from pretune.corpus.splits import chosen_split, split_in

if TYPE_CHECKING:
    from pretune.corpus.splits import Purpose

_KINDS = {
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "txt",
}
"""Extension -> the kind of data it is; a folder of several kinds is not guessed at."""

_PACKED = (".gz", ".zst", ".zstd")

_NO_DATA = {
    *("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json", "config.json", "package.json"),
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "generation_config.json", "metadata.json"),
    *("requirements.txt", "license.txt", "readme.txt", "vocab.txt", "vocab.json"),
}


def files_of_folder(folder: Path, label: str, purpose: Purpose) -> list[Path]:
    """The data files of a folder, in their order.

    Args:
        folder: what `save_to_disk` wrote (of a Dataset or a DatasetDict), or a folder of data files whose names may say
            which split they are of.
        label: as the user named it.
        purpose: which split is chosen where there are several.

    Raises:
        UserError: no data, several kinds or several datasets, no split for this purpose, or saved by halves.
    """
    if (folder / "dataset_dict.json").is_file():
        splits = _json(folder / "dataset_dict.json", label).get("splits")
        names = [str(name) for name in splits] if isinstance(splits, list) else []
        name = chosen_split(names, purpose, label, f"name one of them: {label}/{{}}")
        return files_of_folder(folder / name, f"{label}/{name}", purpose)
    if (folder / "state.json").is_file() and (folder / "dataset_info.json").is_file():
        return _saved(folder, label)
    return _shards(folder, label, purpose)


def _saved(folder: Path, label: str) -> list[Path]:
    """The arrow files of a Dataset, in the order its state lists them."""
    state = _json(folder / "state.json", label)
    if state.get("_indices_data_files"):
        raise UserError(
            f"{label} was saved with a table of indices by an old version of datasets",
            hint="load it and save it again: load_from_disk(…).save_to_disk(…)",
        )
    listed = state.get("_data_files")
    names = [file.get("filename") for file in listed if isinstance(file, dict)] if isinstance(listed, list) else []
    files = [folder / Path(name).name for name in names if isinstance(name, str)]
    if not files:
        raise UserError(f"{label} was saved by datasets but lists no data files", hint="save it again")
    for file in files:
        if not file.is_file():
            raise UserError(f"{label} was saved by datasets but lacks {file.name}", hint="copy or save it again")
    return files


def _shards(folder: Path, label: str, purpose: Purpose) -> list[Path]:
    """The files of the split that is wanted; all of them where no name tells a split."""
    files = [file for file in sorted(folder.rglob("*")) if _kind(file) and not _hidden(file, folder)]
    kinds = {_kind(file) for file in files}
    if len(kinds) > 1:  # a text file among data is a note
        files = [file for file in files if _kind(file) != "txt"]
        kinds -= {"txt"}
    if not files:
        inside = sorted(other.name for other in folder.iterdir() if not other.name.startswith("."))[:3]
        raise UserError(
            f"{label} is a folder without data files"
            + (f"; it holds {', '.join(inside)}" if inside else ", it is empty"),
            hint="txt, jsonl, json, csv, tsv, parquet and arrow are read",
        )
    if len(kinds) > 1:
        raise UserError(
            f"{label} holds data of several kinds: {', '.join(sorted(map(str, kinds)))}",
            hint=f"name the files: {label}/{files[0].relative_to(folder)}, or a pattern: '{label}/*{files[0].suffix}'",
        )
    splits: dict[str, list[Path]] = {}
    for file in files:
        splits.setdefault(split_in(str(file.relative_to(folder).as_posix())) or "", []).append(file)
    if set(splits) != {""}:
        named = [name for name in splits if name]
        name = chosen_split(named, purpose, label, f"name the files: {label}/{splits[named[0]][0].relative_to(folder)}")
        files = splits[name]
    homes = {
        parent
        for file in files
        if split_in((parent := file.relative_to(folder).parent).name) is None or parent.name == ""
    }
    if len(homes) > 1:
        raise UserError(
            f"{label} holds several datasets: {', '.join(sorted(str(home) for home in homes)[:5])}",
            hint=f"name one of them: {label}/{max(map(str, homes))}",
        )
    return files


def _kind(file: Path) -> str | None:
    """What its name says a file is; None: no data."""
    name = file.name.lower()
    if name in _NO_DATA or not file.is_file():
        return None
    for packed in _PACKED:
        name = name.removesuffix(packed)
    return _KINDS.get(Path(name).suffix)


def _hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith((".", "__")) for part in file.relative_to(folder).parts)


def _json(path: Path, label: str) -> dict[str, Any]:
    try:
        value = json.loads(read_bounded(path, label=f"{label}/{path.name}"))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise UserError(f"{label}/{path.name} is not what datasets writes", hint="save the dataset again")
    return value
