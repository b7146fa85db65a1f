"""What TrainingArguments takes in each version of transformers: types, defaults, values, and what became of old names.

The table beside this file is made by scripts/build_training_arguments.py from the published sources. It does not know
arguments that a subclass in somebody's own script adds.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from pretune.check.facts.versions import order

_TABLE = Path(__file__).with_name("training_arguments.json")


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument as one version has it.

    Attributes:
        types: int, float, bool, str, list, dict, null, object.
        default: the value when nothing is said.
        required: there is no default.
        choices: the values of its enum: another one raises; empty: free.
        allowed: the values its help names, which only the command line enforces; empty: free.
    """

    name: str
    types: frozenset[str]
    default: Any = None
    required: bool = False
    choices: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Misfit:
    """A value whose type the argument does not take.

    Attributes:
        expected: the type words that it takes, `float` or `bool or null`.
        value: what was given.
        meant: the value that was probably meant; None: unknown.
    """

    name: str
    value: Any
    expected: str
    meant: Any = None


@dataclass(frozen=True, slots=True)
class Replaced:
    """What became of an argument: the new name, if there is one, and what to do, as a clause."""

    by: str | None
    how: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """What `lr_scheduler_kwargs` may hold (None: anything) and must hold."""

    takes: tuple[str, ...] | None
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ArgumentTable:
    """The arguments of one version, and what other versions have.

    Attributes:
        version: the version spoken of, as installed.
        row: the version in the table that stands for it: the newest of the same or an older minor.
        arguments: what that version takes.
        seen: every argument ever seen -> the first and last version in the table that have it.
        trainer: the arguments of Trainer.__init__ -> first and last version.
        optimisers: every optimiser ever seen -> first and last version.
        subclasses: library -> what its subclasses of TrainingArguments add.
    """

    version: str
    row: str
    arguments: Mapping[str, Argument]
    seen: Mapping[str, tuple[str, str]]
    versions: tuple[str, ...]
    trainer: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    optimisers: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    subclasses: Mapping[str, frozenset[str]] = field(default_factory=dict)
    replaced: Mapping[str, Replaced] = field(default_factory=dict)

    def gone_since(self, name: str) -> str | None:
        """The first version in the table without the argument; None: the newest has it, or no version ever did."""
        if name not in self.seen or self.seen[name][1] == self.versions[-1]:
            return None
        return self.versions[self.versions.index(self.seen[name][1]) + 1]


@cache
def _raw() -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(_TABLE.read_text(encoding="utf-8"))
    return raw


def newest() -> str:
    """The newest version in the table, which is spoken of when transformers is not installed."""
    version: str = _raw()["versions"][-1]
    return version


@cache
def arguments_of(version: str | None = None) -> ArgumentTable:
    """The table for one version of transformers.

    Args:
        version: None or something unreadable: the newest in the table.
    """
    raw = _raw()
    versions: tuple[str, ...] = tuple(raw["versions"])
    try:
        wanted = order(version or versions[-1])
    except ValueError:
        version, wanted = None, order(versions[-1])
    row = next((v for v in reversed(versions) if order(v)[1][:2] <= wanted[1][:2]), versions[0])
    at = versions.index(row)

    def holds(span: list[str]) -> bool:
        return versions.index(span[0]) <= at <= versions.index(span[1])

    arguments = {}
    for name, rows in raw["arguments"].items():
        found = next((r for r in rows if holds([r["from"], r["to"]])), None)
        if found is not None:
            values = raw["enums"].get(found.get("enum"), {})
            arguments[name] = Argument(
                name=name,
                types=frozenset(found["types"]),
                default=found.get("default"),
                required=found.get("required", False),
                choices=tuple(value for value, span in values.items() if holds(span)),
                allowed=tuple(found.get("allowed") or ()),
            )
    return ArgumentTable(
        version=version or versions[-1],
        row=row,
        arguments=arguments,
        seen={name: (rows[0]["from"], rows[-1]["to"]) for name, rows in raw["arguments"].items()},
        versions=versions,
        trainer={name: tuple(span) for name, span in raw["trainer"].items()},
        optimisers={name: tuple(span) for name, span in raw["enums"]["OptimizerNames"].items()},
        schedules={
            name: Schedule(None if r["takes"] is None else tuple(r["takes"]), tuple(r["needs"]))
            for name, r in raw["schedules"].items()
        },
        subclasses={label.split(" ")[0]: frozenset(names) for label, names in raw["subclasses"].items()},
        replaced={name: Replaced(r["by"], r["how"]) for name, r in raw["replaced"].items()},
    )


def plain(value: Any) -> Any:
    """An enum's value, else the value."""
    return value.value if isinstance(value, Enum) else value


PARSED = {
    "report_to": frozenset({"str", "list"}),
    "debug": frozenset({"str", "list"}),
    "fsdp": frozenset({"str", "list"}),
    "fsdp_config": frozenset({"str", "dict"}),
    "deepspeed": frozenset({"str", "dict"}),
}
"""What `__post_init__` has always taken of some arguments, whatever older versions say of their type."""


def fitted(argument: Argument, value: Any) -> tuple[Any, Misfit | None]:
    """The value as the argument takes it, and what is wrong with it as it stands.

    It is mended only where there is no doubt: `"2e-5"` is a number, `"false"` is false, YAML's bare `no` is "no".
    """
    value = plain(value)
    types = argument.types | PARSED.get(argument.name, frozenset())
    expected = " or ".join(sorted(types - {"null"}) + (["null"] if "null" in types else []))

    def wrong(meant: Any = None) -> tuple[Any, Misfit]:
        return (argument.default if meant is None else meant), Misfit(argument.name, value, expected, meant)

    if types & {"object", "Any"}:
        return value, None
    if value is None:
        return (value, None) if "null" in types or argument.default is None else wrong()
    if isinstance(value, bool):
        if "bool" in types:
            return value, None
        return wrong("no" if value is False and "no" in argument.choices else None)
    if isinstance(value, int):
        if "bool" in types and value in (0, 1) and not types & {"int", "float"}:
            return bool(value), None
        return (value, None) if types & {"int", "float"} else wrong()
    if isinstance(value, float):
        whole = int(value) if math.isfinite(value) and value == int(value) else None
        return (value, None) if "float" in types else wrong(whole if "int" in types else None)
    if isinstance(value, str):
        return (value, None) if "str" in types else wrong(_meant(value, types))
    kind = "dict" if isinstance(value, Mapping) else "list" if isinstance(value, list | tuple) else ""
    return (value, None) if kind in types else wrong()


def _meant(text: str, types: frozenset[str]) -> Any:
    """The number or truth value that a string spells; None: it spells none."""
    word = text.strip().lower()
    if "bool" in types and word in ("true", "false"):
        return word == "true"
    if not types & {"int", "float"} or len(word) > 40:
        return None
    for kind in (int, float):
        try:
            number = kind(word)
        except ValueError:
            continue
        if math.isfinite(number) and ("float" in types or number == int(number)):
            return number if "float" in types else int(number)
    return None
