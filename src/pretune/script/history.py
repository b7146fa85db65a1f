"""Since when and until when a library offers a name, a method or an argument: History, Life. Imports no library.

Reads history_data/*.json, which scripts/build_api_history.py made from the released packages, and replaced.json,
which is written by hand. Versions are minors (`4.46`): what a patch release changed before the last of its minor is
not known, nor is anything of versions older than the first that was read or newer than the last.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).with_name("history_data")

PACKAGES = {"pytorch-lightning": "pytorch_lightning"}
"""A package's name in the index, where it is not the one by which it is imported."""

Minor = tuple[int, int]
Span = tuple[str, str]


def minor(version: str) -> Minor:
    """4.57.6 -> (4, 57); what is no version is (0, 0)."""
    found = re.match(r"\D*(\d+)(?:\.(\d+))?", version)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


def _within(at: Minor, spans: tuple[Span, ...]) -> bool:
    return any(minor(since) <= at and (not until or at < minor(until)) for since, until in spans)


@dataclass(frozen=True, slots=True)
class Life:
    """When something was there.

    Attributes:
        name: what it is: `AdamW`, `evaluation_strategy`.
        spans: (first minor that has it, first minor that no longer has it; empty: it is still there), oldest first.
        warned: the minors between which the library's own source warns of it, in the form of `spans`.
        defaults: (since, default as source text; None: required), of an argument, oldest first.
        replacement: what to write instead: a name; empty: nothing is known.
        note: the same in words; empty: nothing is known.
        source: where the replacement is said.
    """

    name: str
    spans: tuple[Span, ...]
    warned: tuple[Span, ...] = ()
    defaults: tuple[tuple[str, str | None], ...] = ()
    replacement: str = ""
    note: str = ""
    source: str = ""

    @property
    def since(self) -> str:
        """The first minor that has it."""
        return self.spans[0][0]

    @property
    def until(self) -> str:
        """The first minor from which on it is gone for good; empty: the newest still has it."""
        return self.spans[-1][1]

    @property
    def deprecated(self) -> str:
        """The first minor whose source warns of it; empty: none does."""
        return self.warned[0][0] if self.warned else ""

    def status_at(self, version: str) -> str:
        """`there`, `deprecated`, `gone` or `not yet`, in a version."""
        at = minor(version)
        if _within(at, self.spans):
            return "deprecated" if _within(at, self.warned) else "there"
        return "not yet" if any(at < minor(since) for since, _ in self.spans) else "gone"

    def default_at(self, version: str) -> str | None:
        """The default as source text, in a version that has it; None: it is required, or not there."""
        at, found = minor(version), None
        for since, default in self.defaults:
            if minor(since) <= at:
                found = default
        return found


@dataclass(frozen=True)
class History:
    """What the releases of one package offer.

    Attributes:
        package: as it is imported.
        table: what the build script wrote.
        replaced: what is known by hand of what replaces what.
    """

    package: str
    table: Mapping[str, Any]
    replaced: Mapping[str, Mapping[str, str]]

    @cached_property
    def versions(self) -> tuple[str, ...]:
        """The minors that were read, oldest first."""
        return tuple("{}.{}".format(*minor(version)) for version, *_ in self.table["releases"])

    @property
    def releases(self) -> tuple[tuple[str, str, str], ...]:
        """(version, file, sha256) of what was read, oldest first."""
        return tuple((version, file, digest) for version, file, digest in self.table["releases"])

    @cached_property
    def _names(self) -> dict[str, tuple[Span, ...]]:
        return _opened(self.table["names"])

    @cached_property
    def _modules(self) -> dict[str, tuple[Span, ...]]:
        return _opened(self.table["modules"])

    @cached_property
    def _opened_methods(self) -> dict[str, dict[str, tuple[Span, ...]]]:
        return {}

    def name(self, dotted: str) -> Life | None:
        """What can be imported from the package, or a module of it: `AdamW`, `trainer_utils.get_last_checkpoint`.

        Args:
            dotted: without the package itself; of `AutoModel.from_pretrained` the class is meant.

        Returns:
            None where no version that was read offers it, or its module was not read name by name. Of a name that
            went together with its module the module's life.
        """
        parts = dotted.split(".")
        if parts[0] in self._names and (len(parts) == 1 or dotted not in self._modules):
            life = self._life("names", parts[0], self._names[parts[0]])
            if len(parts) == 1 or parts[0] not in self._modules:
                return life
        for cut in range(len(parts), 0, -1):
            module = ".".join(parts[:cut])
            if module in self._modules:
                break
        else:
            return None
        if cut == len(parts):
            return self._life("modules", module, self._modules[module])
        member = self._members(module).get(parts[cut])
        if member is None:
            return None
        whole = self._life("modules", module, self._modules[module])
        if (
            module.startswith("models.") and parts[cut] in self._names
        ):  # an architecture's package serves what the top does
            member = ((member[0][0], self._names[parts[cut]][-1][1]),)
        if whole.until and member[-1][1] == whole.until:
            return whole  # the module went, not the name
        return self._life("modules", f"{module}.{parts[cut]}", member)

    def names_at(self, version: str) -> tuple[str, ...]:
        """What `from package import ...` finds in a version."""
        return tuple(name for name, spans in self._names.items() if Life(name, spans).status_at(version) == "there")

    def is_module(self, dotted: str) -> bool:
        """Whether it is a module in some version, not a name in one."""
        return dotted in self._modules

    def task(self, name: str) -> Life | None:
        """A task that `pipeline()` knew in some version."""
        held = _opened(self.table.get("tasks", {})).get(name)
        return self._life("tasks", name, held) if held else None

    def methods(self, subject: str) -> Mapping[str, tuple[Span, ...]]:
        """Methods and properties of a class, private ones left out."""
        if subject not in self._opened_methods:
            self._opened_methods[subject] = _opened(self.table["methods"].get(subject, {}))
        return self._opened_methods[subject]

    def method(self, subject: str, name: str) -> Life | None:
        """A method of a class; None where no version has it, or the class was not read."""
        held = self.methods(subject).get(name)
        return self._life(f"{subject}.", name, held) if held else None

    def has(self, callable_: str) -> bool:
        """Whether the parameters of a callable are known: `Trainer`, `PreTrainedModel.from_pretrained`."""
        return callable_ in self.table["parameters"]

    def arguments(self, callable_: str) -> tuple[str, ...]:
        """Names of all arguments that a callable took in some version, by name."""
        return tuple(name for name in self.table["parameters"].get(callable_, {}) if name[0] != "*")

    def argument(self, callable_: str, name: str) -> Life | None:
        """An argument of a callable; None where no version takes it by that name."""
        rows = self.table["parameters"].get(callable_, {}).get(name)
        if not rows or name[0] == "*":
            return None
        held = _joined([_span(span) for span, *_ in rows])
        defaults = [(_span(span)[0], default) for span, default, *_ in rows]
        return self._life(callable_, name, held, tuple(defaults))

    def described(self, callable_: str) -> Span:
        """The first minor in which a callable's parameters are known, and the first in which no longer; or empty."""
        spans = [_span(row[0]) for rows in self.table["parameters"].get(callable_, {}).values() for row in rows]
        since = min((since for since, _ in spans), key=minor, default="")
        until = "" if any(not end for _, end in spans) else max((end for _, end in spans), key=minor, default="")
        return since, until

    def swallows(self, callable_: str, version: str) -> bool:
        """Whether a callable takes any further argument in a version (`**kwargs`)."""
        rows = self.table["parameters"].get(callable_, {}).get("**", [])
        return Life("**", tuple(_span(row[0]) for row in rows)).status_at(version) == "there" if rows else False

    def _members(self, module: str) -> Mapping[str, tuple[Span, ...]]:
        return _opened(self.table["members"].get(module, {}))

    def _life(
        self, scope: str, name: str, spans: tuple[Span, ...], defaults: tuple[tuple[str, str | None], ...] = ()
    ) -> Life:
        """The life of a name in a scope, with what is said and known of it."""
        said = self.table["said"].get(scope.rstrip("."), {}).get(name) or self.table["said"].get(name, {}).get(name)
        if said is None and scope.endswith("."):
            said = self.table["said"].get(scope + name, {}).get(name.rpartition(".")[2])
        by, source = "", ""
        warned: tuple[Span, ...] = ()
        if said and ((scope not in ("names", "modules", "tasks") and scope[-1] != ".") or _of_itself(name, said[1])):
            warned = tuple(_span(span) for span in said[0].split(","))
            by, source = said[2], f"{self.package} {warned[0][0]}, in its own warning"
        hand = next((self.replaced[key] for key in _keys(scope, name) if key in self.replaced), {})
        if hand and warned:  # known to be on its way out, also where the warning stands elsewhere by now
            warned = ((warned[0][0], ""),)
        note = hand.get("how", f"use {by} instead" if by else "")
        return Life(name, spans, warned, defaults, hand.get("by", by), note, hand.get("source", source))


def _of_itself(name: str, text: str) -> bool:
    """Whether a warning in the body of a class or method says that itself is deprecated, not a use of it."""
    kind = r"(?: (?:directly|property|method|attribute|class|function))*"
    own = rf"(?:The (?:class )?|Calling |Detected the usage of )?`?(?:\w+\.)?{re.escape(name)}(?:\(\))?`?{kind}:? "
    return (
        re.match(rf"(?:{own}(?:This function )?(?:is|has been|was|will be) |This implementation of {name} is )", text)
        is not None
    )


def _keys(scope: str, name: str) -> tuple[str, ...]:
    """How replaced.json may name it: nearest first, then any callable's argument or method of that name."""
    if scope in ("names", "modules", "tasks"):
        return (f"{scope}:{name}", name)
    of = scope.rstrip(".")
    return (f"{of}.{name}", f"{of.removeprefix('Seq2Seq')}.{name}", f"*.{name}")


def _span(text: str) -> Span:
    since, _, until = text.partition(":")
    return since, until


def _joined(spans: list[Span]) -> tuple[Span, ...]:
    """Spans that follow each other made one."""
    found: list[Span] = []
    for since, until in spans:
        if found and found[-1][1] == since:
            found[-1] = (found[-1][0], until)
        else:
            found.append((since, until))
    return tuple(found)


def _opened(groups: Mapping[str, str]) -> dict[str, tuple[Span, ...]]:
    """Groups of names by their spans, turned into name -> spans."""
    found = {}
    for spans, names in groups.items():
        held = tuple(_span(span) for span in spans.split(","))
        for name in names.split():
            found[name] = held
    return found


@cache
def history(package: str) -> History:
    """The history of transformers, pytorch_lightning (also by its index name) or lightning.

    Raises:
        KeyError: no history of that package is known.
    """
    package = PACKAGES.get(package, package)
    path = FOLDER / f"{package}.json"
    if not path.is_file():
        raise KeyError(package)
    table = json.loads(path.read_text(encoding="utf-8"))
    by_hand = json.loads((FOLDER / "replaced.json").read_text(encoding="utf-8"))
    if package == "lightning":  # the same code as pytorch_lightning; only its top is its own
        table = {**history("pytorch_lightning").table, **table}
    return History(package, table, by_hand["pytorch_lightning" if package == "lightning" else package])
