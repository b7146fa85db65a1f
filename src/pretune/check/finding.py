"""What a rule is and what it finds: Level, Problem, Patch, Fix, Rule, Finding. Knows no facts and no output."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from pretune.script.values import Place


class Level(StrEnum):
    """How grave: error (will crash, or train nonsense), warning (probably harmful), note."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for a note, 1 for a warning, 2 for an error."""
        return {"note": 0, "warning": 1, "error": 2}[self.value]


@dataclass(frozen=True, slots=True)
class Patch:
    """One change of one JSON file: set the value at a JSON pointer, or remove it when `value` is REMOVE."""

    file: str
    pointer: str
    value: object


REMOVE = object()
"""Given as `Patch.value`: remove the key instead of setting it."""


@dataclass(frozen=True, slots=True)
class RenameArgument:
    """Call a keyword argument `new` that is called `old`, in the call at `place`.

    Attributes:
        place: where the call stands.
        old: the keyword as it stands there; in a `**table` it is not found, and the fix is refused.
        new: what it becomes.
        call: the last part of the name of what is called (`from_pretrained`), where several calls begin at `place`.
    """

    place: Place
    old: str
    new: str
    call: str = ""


@dataclass(frozen=True, slots=True)
class SetArgument:
    """Give the call at `place` the keyword argument `name`; one that is given becomes `expression`.

    Attributes:
        place: where the call stands.
        name: the keyword.
        expression: Python source; None: the argument is taken away.
        call: as in RenameArgument.
    """

    place: Place
    name: str
    expression: str | None
    call: str = ""


@dataclass(frozen=True, slots=True)
class RenameMethod:
    """Call the method `new` where the call at `place` calls `old`: `tokenizer.old(...)`."""

    place: Place
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class InsertAfter:
    """A statement on a line of its own behind the statement that `place` stands in, as deep as that one.

    Attributes:
        place: somewhere in the statement; one that has its line for itself.
        statement: Python source, without indentation.
    """

    place: Place
    statement: str


@dataclass(frozen=True, slots=True)
class ReplaceText:
    """The text `new` where exactly `old` stands at `place`, within one line."""

    place: Place
    old: str
    new: str


SourceEdit: TypeAlias = RenameArgument | SetArgument | RenameMethod | InsertAfter | ReplaceText
"""One change of a script's or a notebook cell's source; check/source_edit.py makes it."""


@dataclass(frozen=True, slots=True)
class Fix:
    """Changes that mend a problem. `safe` ones change nothing that a healthy run depends on."""

    title: str
    patches: tuple[Patch | SourceEdit, ...]
    safe: bool = True


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and where.

    Attributes:
        message: one sentence, lower case, no full stop, with the actual and the expected value.
        where: `config.json:/vocab_size`, `train.jsonl:17`, `train.py:42:8`; empty when it has no place.
        help: the way out for this very case; empty: the rule's own `Fix:` line.
        fix: patches, where files can be mended mechanically.
        level: graver or milder than the rule's own level, where harm depends on the values; None: the rule's.
        also: further places, in the form of `where`, that belong to it: the file that a line of code contradicts.
    """

    message: str
    where: str = ""
    help: str = ""
    fix: Fix | None = None
    level: Level | None = None
    also: tuple[str, ...] = ()


Ask = Callable[..., Iterator[Problem]]


class Deferred:
    """A rule's question that is imported from its module when it is first asked.

    Args:
        module: the module's full name.
        name: the rule's function in it.
        needs: the names of its parameters.
    """

    def __init__(self, module: str, name: str, needs: tuple[str, ...]) -> None:
        self.module = module
        self.__name__ = name
        self.needs = needs

    @property
    def question(self) -> Ask:
        """The function itself."""
        ask: Ask = getattr(import_module(self.module), self.__name__).ask
        return ask

    def __call__(self, **facts: Any) -> Iterator[Problem]:
        """Ask the function, importing it first."""
        return self.question(**facts)


@dataclass(frozen=True)
class Rule:
    """A question put to the facts. Its parameters name the facts it needs, as pytest fixtures do."""

    code: str
    level: Level
    ask: Ask = field(repr=False)

    @cached_property
    def name(self) -> str:
        """`ids-outside-embedding`: the function's name; reads well after "allow"."""
        return self.ask.__name__.replace("_", "-")

    @cached_property
    def needs(self) -> tuple[str, ...]:
        """The facts the rule asks for."""
        if isinstance(self.ask, Deferred):
            return self.ask.needs
        code = self.ask.__code__
        return code.co_varnames[: code.co_argcount]

    @cached_property
    def doc(self) -> str:
        """The docstring, which is the rule's documentation page: claim, Why, Fix."""
        question = self.ask.question if isinstance(self.ask, Deferred) else self.ask
        return inspect.cleandoc(question.__doc__ or "")

    @property
    def claim(self) -> str:
        """The first line of the docstring."""
        return self.doc.partition("\n")[0]

    @property
    def why(self) -> str:
        """The paragraph that opens with `Why:`."""
        return self._paragraph("Why:")

    @property
    def fix(self) -> str:
        """The paragraph that opens with `Fix:`."""
        return self._paragraph("Fix:")

    def _paragraph(self, opening: str) -> str:
        """The lines from the one that begins with `opening` to the next opening or blank line."""
        lines: list[str] = []
        for line in self.doc.split("\n"):
            if line.startswith(opening):
                lines = [line.removeprefix(opening).strip()]
            elif lines and (not line.strip() or line.startswith(("Why:", "Fix:"))):
                break
            elif lines:
                lines.append(line.strip())
        return " ".join(lines)


def rule(code: str, level: Level) -> Callable[[Ask], Rule]:
    """Make a rule of a function: `@rule("VOC001", Level.ERROR)`."""
    return lambda ask: Rule(code, level, ask)


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem, stamped with the rule that found it."""

    code: str
    name: str
    level: Level
    message: str
    where: str
    help: str
    fix: Fix | None = None
    also: tuple[str, ...] = ()


class Unavailable(Exception):  # noqa: N818 - it is a state of the facts, not an error of anybody's
    """Raised by a fact that cannot be had; its text says why, and which flag would give it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def stamp(rule: Rule, problem: Problem) -> Finding:
    """The finding that `problem` is when `rule` found it."""
    return Finding(
        code=rule.code,
        name=rule.name,
        level=problem.level or rule.level,
        message=problem.message,
        where=problem.where,
        help=problem.help or rule.fix,
        fix=problem.fix,
        also=problem.also,
    )


Facts = Any
"""Anything whose attributes are the facts; an attribute may raise Unavailable."""
