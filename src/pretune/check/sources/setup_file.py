"""Reads a setup file: .toml, .json, .yaml or .yml, each key with its place. Executes nothing in it.

YAML is read as YAML 1.1, as every training script reads it: `2e-5` is a word there, which a rule finds. Knows nothing
of flags, and does not judge what the keys hold (setup_keys does).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.check.sources.setup_keys import Said, data_spread
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIXES = (".toml", ".json", ".yaml", ".yml")
NAMES = tuple(f"{stem}{suffix}" for stem in ("pretune-setup", "setup") for suffix in SUFFIXES)
"""The names a setup file has where a folder, or nothing, is named; the first stem found wins."""

MODEL_FILES = tuple(f"{stem}.json" for stem in ("config", "tokenizer", "tokenizer_config", "generation_config"))
LARGEST = 1 << 20
"""Bytes a setup file may have: 1 MiB."""
DEEPEST = 32
"""How deep tables and lists may nest."""
MOST_KEYS = 20_000
"""Tables, lists and values a file may hold once YAML's aliases are followed: a guard against "billion laughs"."""


def is_setup_file(name: str) -> bool:
    """Whether a command's argument names a setup file rather than a model.

    Raises:
        UserError: it names a file that belongs to a model, so its folder was meant.
    """
    path = Path(name)
    if path.name in MODEL_FILES and (path.is_file() or len(path.parts) > 1):
        folder = path.parent.as_posix()
        raise UserError(f"{name} is a model's file, not a setup file", hint=f"name its folder: pretune check {folder}")
    return path.suffix.lower() in SUFFIXES and not path.is_dir()


def setup_file_in(folder: Path) -> Path | None:
    """The setup file that lies in `folder`, unless the folder is a model's (has a config.json); None: there is none.

    Raises:
        UserError: there are two of one stem, so it must be named.
    """
    if (folder / "config.json").exists():
        return None
    for stem in ("pretune-setup", "setup"):
        found = [folder / f"{stem}{suffix}" for suffix in SUFFIXES if (folder / f"{stem}{suffix}").is_file()]
        if len(found) > 1:
            names = " and ".join(path.name for path in found)
            raise UserError(f"{folder} holds {names}", hint=f"name one: pretune check {found[0].as_posix()}")
        if found:
            return found[0]
    return None


def read_setup_file(path: str | Path) -> Said:
    """The file's keys, and `path:/training_args/learning_rate` as the place of `training_args.learning_rate`.

    A relative `model`, `tokenizer` or data file that exists beside the setup file is taken from there; any other is
    left as it is, to be found from the current folder or on the hub.

    Raises:
        UserError: no such file, one that is too large, or not the TOML, JSON or YAML it claims to be; a key twice.
    """
    label, path = str(path), Path(path)
    text = _text(label, path)
    raw = _parsed(label, path.suffix.lower(), text)
    if raw is None:
        raise UserError(f"{label} is empty", hint='a setup file says at least: model = "klue/bert-base"')
    if not isinstance(raw, Mapping):
        raise UserError(f"{label}: expected a table of keys, found {type(raw).__name__}")
    places = dict(_places(raw, label))
    return Said(_beside(data_spread(raw), path.parent), places)


def _text(label: str, path: Path) -> str:
    try:
        if path.is_dir():
            raise UserError(f"{label} is a folder, expected a setup file")
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise UserError(f"no setup file {label}", hint="a setup file ends in .toml, .json, .yaml or .yml") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise UserError(f"{label} cannot be read: {reason}") from None
    if len(data) > LARGEST:
        raise UserError(f"{label} is larger than 1 MiB, which no setup file is")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UserError(f"{label} is UTF-16, expected UTF-8", hint="save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{label} is not UTF-8: byte {error.start}", hint="save it as UTF-8") from None


def _parsed(label: str, suffix: str, text: str) -> Any:
    name = {".toml": "TOML", ".json": "JSON"}.get(suffix, "YAML")
    try:
        if suffix == ".toml":
            import tomllib

            return tomllib.loads(text)
        if suffix == ".json":
            return json.loads(text, object_pairs_hook=_once) if text.strip() else None
        if suffix in (".yaml", ".yml"):
            return _yaml(text)
    except UserError as error:
        raise UserError(f"{label}: {error.message}") from None
    except RecursionError:
        raise UserError(f"{label} is nested too deeply") from None
    except Exception as error:  # noqa: BLE001 - PyYAML raises nearly anything on odd scalars (`!!int ""`: IndexError)
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(f"{label} is not {name}: {reason}") from None
    raise UserError(f"{label}: a setup file ends in .toml, .json, .yaml or .yml")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs as a dict; a key that stands twice would silently win over the first."""
    keys: dict[str, Any] = {}
    for key, value in pairs:
        if key in keys:
            raise UserError(f'the key "{key}" stands twice in one table')
        keys[key] = value
    return keys


def _yaml(text: str) -> Any:
    import yaml

    class Loader(yaml.SafeLoader):
        """The safe loader, which also refuses a key that stands twice."""

        def flatten_mapping(self, node: Any) -> None:
            names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.value != "<<"]
            _once([(name, None) for name in names])
            super().flatten_mapping(node)

    return yaml.load(text, Loader)  # noqa: S506 - it is the safe loader


def _places(raw: Mapping[Any, Any], label: str) -> Iterator[tuple[str, str]]:
    """Each dotted key with its place, by a walk that ends whatever the aliases of a YAML file do."""
    stack: list[tuple[str, str, Any, int]] = [("", "", raw, 0)]
    walked = 0
    while stack:
        dotted, pointer, value, depth = stack.pop()
        walked += 1
        if walked > MOST_KEYS or depth > DEEPEST:
            raise UserError(f"{label} is nested too deeply or holds too many values for a setup file")
        if dotted:
            yield dotted, f"{label}:{pointer}"
        if isinstance(value, Mapping):
            for key, below in value.items():
                name = str(key)
                escaped = name.replace("~", "~0").replace("/", "~1")
                stack.append((f"{dotted}.{name}" if dotted else name, f"{pointer}/{escaped}", below, depth + 1))
        elif isinstance(value, list | tuple | set):
            stack += [("", "", below, depth + 1) for below in value]


def _beside(keys: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The keys, with every relative path that exists beside the setup file written from where the user stands."""
    found = dict(keys)
    for key in ("model", "tokenizer"):
        if isinstance(found.get(key), str):
            found[key] = _found(found[key], folder)
    data = found.get("data")
    if isinstance(data, Mapping):
        moved = dict(data)
        for key in ("train", "eval"):
            value = moved.get(key)
            if isinstance(value, str):
                moved[key] = _found(value, folder)
            elif isinstance(value, list):
                moved[key] = [_found(name, folder) if isinstance(name, str) else name for name in value]
        found["data"] = moved
    return found


def _found(name: str, folder: Path) -> str:
    try:
        path = Path(name).expanduser()
        beside = folder / path
        return str(beside) if name.strip() and beside.exists() else name
    except (OSError, ValueError, RuntimeError):  # too long, a NUL, no such home: whoever opens it says so
        return name
