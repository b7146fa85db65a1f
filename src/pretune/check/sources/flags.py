"""The flags of `pretune check` as a Setup, alone or over a setup file. Knows no click and opens only a setup file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pretune.check.sources.setup import Setup
from pretune.check.sources.setup_file import is_setup_file, read_setup_file, setup_file_in
from pretune.check.sources.setup_keys import FIXED, FREE, KEYS, Said, in_memory, merged, setup_from
from pretune.core.errors import UserError

PAIRS = tuple(key for key in (*FREE, *FIXED) if key != "train")
"""Keys whose flag takes KEY=VALUE; `--train` names files."""

DATA_SUFFIXES = (".jsonl", ".csv", ".tsv", ".parquet", ".txt")


def setup_from_flags(argument: str | None, flags: Mapping[str, Any]) -> tuple[Setup, str]:
    """The Setup and its name, from the command's argument and its flags; a flag wins over the setup file's key.

    Args:
        argument: a model, a setup file or a folder that holds one; None: the setup file in the current folder, if any.
        flags: Setup key -> value as the command line gave it; `data`, `train`, `eval`, `column` and the keys of PAIRS
            are sequences of words, `resize` is a word. None and empty sequences: not given.

    Raises:
        UserError: nothing to check; a flag or a key that cannot be understood.
    """
    over = said_by_flags(flags)
    under = Said()
    subject = argument or ""
    file = _setup_file(argument)
    if file is not None:
        under, subject = read_setup_file(file), str(file)
    elif argument is not None:
        under = Said({"model": argument}, {"model": argument})
    elif not over.keys:
        here = " (this folder holds a model: pretune check .)" if Path("config.json").exists() else ""
        raise UserError(
            f"nothing to check: no model named, and no setup.toml, .json or .yaml here{here}",
            hint="pretune check klue/bert-base, a folder, a setup file, a script; pretune check --help shows what else",
        )
    setup = setup_from(merged(under, over))
    return setup, subject or setup.model or _of_data(setup) or setup.tokenizer or "data"


def setup_from_arguments(setup: Any, given: Mapping[str, Any]) -> tuple[Setup, str]:
    """The Setup and its name from the arguments of `check.run`; `given` wins over `setup`.

    Args:
        setup: a setup file or a folder that holds one, a mapping of the file's keys, a Setup, or None.
        given: key -> value in the words of the setup file; paths may be os.PathLike.

    Raises:
        UserError: an unknown key, a value of the wrong kind, a setup file that cannot be read.
    """
    over = said_in_python(given)
    subject = ""
    if setup is None:
        under = Said()
    elif isinstance(setup, Setup):
        under = said_by(setup)
    elif isinstance(setup, Mapping):
        under = said_in_python(setup)
    elif isinstance(setup, str | Path) or hasattr(setup, "__fspath__"):
        path = Path(setup)
        file = setup_file_in(path) if path.is_dir() else path
        if file is None:
            raise UserError(f"no setup file in {path}", hint="it is called setup.toml, .json or .yaml")
        under, subject = read_setup_file(file), str(file)
    else:
        raise UserError(f"setup must be a file, a mapping or a Setup, found {type(setup).__name__}")
    made = setup_from(merged(under, over))
    if made == Setup():
        raise UserError("nothing to check", hint='check.run("klue/bert-base"), or setup="setup.toml"')
    return made, subject or made.model or _of_data(made) or made.tokenizer or "data"


def _of_data(setup: Setup) -> str:
    """What data are called where no model is named: `train.jsonl`, `train.jsonl and 2 more`; empty without files."""
    files = [one for one in (*setup.data.train, *setup.data.eval) if isinstance(one, str)]
    return f"{files[0]} and {len(files) - 1} more" if len(files) > 1 else "".join(files)


def said_by_flags(flags: Mapping[str, Any]) -> Said:
    """What the flags say, in the setup file's form, with `--config num_labels` as the place of `config.num_labels`.

    Raises:
        UserError: a KEY=VALUE without an equals sign, a key given twice, a resize that is no number and no multiple.
    """
    keys: dict[str, Any] = {}
    places: dict[str, str] = {}
    for key, value in flags.items():
        if value is None or value == ():
            continue
        flag = "--" + key.replace("_", "-")
        if key in PAIRS:
            keys[key] = _pairs(flag, value)
            places.update({f"{key}.{name}": f"{flag} {name}" for name in _dotted(keys[key])})
        elif key in ("data", "train", "eval"):
            end = "eval" if key == "eval" else "train"
            keys.setdefault("data", {}).setdefault(end, []).extend(value)
            places[f"data.{end}"] = flag
        elif key == "column":
            keys.setdefault("data", {})["columns"] = {
                name: str(word) for name, word in _pairs(flag, value, raw=True).items()
            }
            places.update({f"data.columns.{name}": f"{flag} {name}" for name in keys["data"]["columns"]})
        else:
            keys[key] = _resize(value) if key == "resize" else list(value) if isinstance(value, tuple) else value
            places[key] = flag
    assert set(keys) <= set(KEYS)
    return Said(keys, places)


def value_of(word: str) -> Any:
    """A flag's value: JSON where it is JSON, Python's True, False and None, else the word itself.

    `2e-5` is a number, `0.1` a number, `"8"` with its quotes a word, `[1, 2]` a list, `linear` a word.
    """
    literals = {"True": True, "False": False, "None": None}
    if word in literals:
        return literals[word]
    try:
        return json.loads(word, parse_constant=_not_json)
    except (ValueError, RecursionError):
        return word


def _not_json(name: str) -> Any:
    raise ValueError(name)  # NaN and Infinity are no JSON: they stay words


def _pairs(flag: str, given: Iterable[str], *, raw: bool = False) -> dict[str, Any]:
    """`["a.b=1", "c=x"]` as `{"a": {"b": 1}, "c": "x"}`."""
    table: dict[str, Any] = {}
    for pair in given:
        name, equals, word = pair.partition("=")
        parts = name.strip().split(".")
        if not equals or not all(parts):
            raise UserError(f'{flag} {pair}: expected KEY=VALUE, found "{pair}"', hint=f"{flag} KEY=VALUE")
        inner = table
        for part in parts[:-1]:
            inner = inner.setdefault(part, {})
            if not isinstance(inner, dict):
                raise UserError(f'{flag} {pair}: "{part}" already has a value')
        if parts[-1] in inner:
            raise UserError(f"{flag} {name} is given twice")
        inner[parts[-1]] = word if raw else value_of(word)
    return table


def _dotted(table: Mapping[str, Any]) -> Iterable[str]:
    for key, value in table.items():
        yield key
        if isinstance(value, dict):
            yield from (f"{key}.{below}" for below in _dotted(value))


def _resize(word: str) -> bool | int | dict[str, int]:
    """`true`, `32064`, or `multiple=64` (also `pad_to_multiple_of=64`)."""
    name, equals, number = word.partition("=")
    if (
        equals
        and name in ("multiple", "pad_to_multiple_of")
        and number.isascii()
        and number.isdigit()
        and len(number) < 12
    ):
        return {"pad_to_multiple_of": int(number)}
    value = value_of(word)
    if isinstance(value, bool | int):
        return value
    raise UserError(
        f'--resize takes a number of rows or multiple=64, found "{word}"',
        hint="name the model before it, or write --resize=true for as many rows as the tokenizer has",
    )


def _setup_file(argument: str | None) -> Path | None:
    """The setup file that the argument means, or None when it means a model."""
    if argument is None:
        return setup_file_in(Path())
    path = Path(argument)
    if is_setup_file(argument):
        return path
    if path.is_dir():
        return setup_file_in(path)
    suffix = path.suffix.lower()
    if path.is_file():
        if suffix in DATA_SUFFIXES:
            raise UserError(
                f"{argument} is a data file, expected a model", hint=f"pretune check MODEL --data {argument}"
            )
        raise UserError(f"{argument} is a file, expected a model's folder or a setup file", hint="name its folder")
    return None


def said_by(setup: Setup) -> Said:
    """A Setup as what a source says, so that arguments can be laid over it."""
    keys = {key: value for key in KEYS if key != "data" and (value := getattr(setup, key)) not in (None, (), {})}
    data = {"train": list(setup.data.train), "eval": list(setup.data.eval), "columns": dict(setup.data.columns)}
    said = {key: value for key, value in data.items() if value}
    return Said({**keys, **({"data": said} if said else {})}, setup.places)


def beside_of(setup: Setup, names: Iterable[str]) -> tuple[str, ...]:
    """The tokenizers that are put beside the setup's own, each once; the own one only where words are added to it."""
    own = setup.tokenizer or setup.model
    changed = setup.add_tokens or setup.add_special_tokens or setup.tokenizer_kwargs
    seen = {_real(own)} if own and not changed else set()
    found: list[str] = []
    for name in names:
        if _real(name) not in seen:
            found.append(name)
            seen.add(_real(name))
    return tuple(found)


def _real(name: str) -> str:
    """One spelling of a folder; a hub name as it is."""
    return os.path.realpath(name) if Path(name).is_dir() else name


def said_in_python(given: Mapping[str, Any]) -> Said:
    """Arguments of `check.run` as what a source says; paths may be os.PathLike."""
    return Said({key: _data(value) if key == "data" else _plain(value) for key, value in given.items()})


def _data(value: Any) -> Any:
    """Paths as words; objects in memory as they are."""
    if isinstance(value, Mapping) and not in_memory(value):
        return {key: _sources(below) if key in ("train", "eval") else _plain(below) for key, below in value.items()}
    return _sources(value)


def _sources(value: Any) -> Any:
    if value is None or isinstance(value, str) or hasattr(value, "__fspath__"):
        return _plain(value)
    if in_memory(value) or not isinstance(value, Iterable) or isinstance(value, Mapping):
        return value
    return [_plain(one) if hasattr(one, "__fspath__") else one for one in value]


def _plain(value: Any) -> Any:
    """A path as a word; the paths inside a list or a table too."""
    if hasattr(value, "__fspath__"):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _plain(below) for key, below in value.items()}
    return [_plain(below) for below in value] if isinstance(value, list | tuple) else value
