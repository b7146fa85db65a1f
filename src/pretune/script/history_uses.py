"""What of a library's API a script uses, and when the library had it: Use, uses(). Judges nothing.

A use that the script itself guards (in a `try` that catches its failure, under a test of a version or of whether
something is there) says nothing about the versions under which the script runs; it is listed all the same, and
marked. What only a run would know is not listed: methods of values that are not known, arguments in `**kwargs`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pretune.script.history import Life, history, minor
from pretune.script.history_classes import class_uses
from pretune.script.history_owner import callables, is_own, located, owner, subjects
from pretune.script.trace import Call, Imported
from pretune.script.values import Constant, External, Made, OneOf, Operation, Part, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pretune.script.history import History
    from pretune.script.trace import Condition, Event, Trace
    from pretune.script.values import Value

MODELS = "PreTrainedModel.from_pretrained"

KNOWN_TO_GO = frozenset(
    "pad_to_max_length truncation_strategy is_pretokenized use_auth_token resume_download safe_serialization".split()
)
"""Of callables that take anything, the arguments of which it is certain that they went: others are handed on to where
the history does not look (a tokenizer's own constructor, a pipeline's steps)."""

OF_MODULES = frozenset(
    """add_module apply bfloat16 buffers children compile cpu cuda double eval extra_repr float forward get_buffer
    get_extra_state get_parameter get_submodule half ipu load_state_dict modules mtia named_buffers named_children
    named_modules named_parameters parameters register_backward_hook register_buffer register_forward_hook
    register_forward_pre_hook register_full_backward_hook register_module register_parameter requires_grad_ share_memory
    state_dict to to_empty train type xpu zero_grad""".split()
)
"""Methods that torch.nn.Module has: a model had them long before its own class wrote them anew."""
MODULES = frozenset({"PreTrainedModel", "LightningModule", "LightningDataModule"})

ASKS = re.compile(
    r"__version__|version|(?<!torch)(?<!datasets)(?<!accelerate)_available$|hasattr|getattr|signature|find_spec|importlib\.metadata"
)
"""What a test names that asks what the library has."""


@dataclass(frozen=True, slots=True)
class Use:
    """Something of a library's API that the script relies on.

    Attributes:
        package: transformers, pytorch_lightning or lightning.
        kind: `name`, `module`, `task`, `argument`, `method`, `override`, `hook` or `attribute`.
        name: the name itself: `AdamW`, `evaluation_strategy`.
        on: of what, as a message says it: `TrainingArguments`, `a tokenizer`; empty for names.
        life: when it was there.
        event: where it is used.
        guarded: whether the script has a way out where it is not there.
        tables: in which tables of the history its callable is looked up, of an argument.
        within: the life of what it is an argument of; None: it is no argument.
    """

    package: str
    kind: str
    name: str
    on: str
    life: Life
    event: Event
    guarded: bool = False
    tables: tuple[str, ...] = ()
    within: Life | None = None

    @property
    def shown(self) -> str:
        """As a message says it: `transformers.AdamW`, `TrainingArguments(evaluation_strategy=...)`."""
        if self.kind in ("name", "module"):
            return f"{self.package}.{self.name}"
        if self.kind == "argument":
            return f"{self.on}({self.name}=...)"
        if self.kind == "task":
            return f'pipeline("{self.name}")'
        if self.kind == "method":
            return f"{self.on}.{self.name}()"
        return f"{self.on}.{self.name}"

    @property
    def bounds(self) -> bool:
        """Whether the script stops where it is not there."""
        return not self.guarded and self.kind != "hook" and not (self.life.until and self.swallowed_at(self.life.until))

    def swallowed_at(self, version: str) -> bool:
        """Whether an argument that a version does not know is taken all the same and does nothing (`**kwargs`)."""
        if MODELS in self.tables or self.name == "truncation_strategy":
            return False  # handed on to a model's own constructor, or given twice to the tokenizer's: both refuse it
        return any(history(self.package).swallows(table, version) for table in self.tables)


_LAST: list[tuple[Trace, tuple[Use, ...]]] = []


def uses(trace: Trace) -> tuple[Use, ...]:
    """Everything that the script uses of the libraries whose history is known, in order."""
    for known, found in _LAST:
        if known is trace:
            return found
    rescued = _rescued(trace)
    made = (*_imported(trace, rescued), *_called(trace, rescued), *_of_classes(trace))
    del _LAST[3:]
    _LAST.insert(0, (trace, made))
    return made


def _imported(trace: Trace, rescued: frozenset[int]) -> Iterator[Use]:
    """Imports, and names that are called by their dotted name."""
    seen = set()
    for event in trace.events:
        dotted = event.name if isinstance(event, Imported) else getattr(event, "function_name", "")
        package, inner = located(dotted)
        if not package or (isinstance(event, Imported) and event.bound == "*"):
            continue
        if isinstance(event, Call):
            inner = inner if inner[:1].islower() and "." not in inner else re.sub(r"(\b[A-Z]\w*)\..*", r"\1", inner)
        known = history(package)
        life = known.name(inner)
        way_out = guarded(event, rescued)
        if life is None or (package, life.name) in seen:
            continue
        if not way_out or isinstance(event, Imported):
            seen.add((package, life.name))
        kind = "module" if known.is_module(life.name) and life.name == inner.rpartition(".")[0] else "name"
        yield Use(package, kind, life.name, "", life, event, way_out)


def _called(trace: Trace, rescued: frozenset[int]) -> Iterator[Use]:
    """Methods, arguments and tasks of calls."""
    for call in trace.calls():
        package, tables = callables(call)
        if not package and call.function_name.startswith("."):
            package = located(owner(call.receiver))[0]
        if not package:
            continue
        known, way_out, within = history(package), guarded(call, rescued), None
        if call.function_name.startswith("."):
            life = None if is_own(call.receiver, call.method) else _method(known, owner(call.receiver), call.method)
            if life is not None:
                within = life
                yield Use(package, "method", call.method, _spoken(owner(call.receiver)), life, call, way_out)
        elif tables and "." not in tables[0]:
            within = known.name(tables[0])
        if call.function_name == "transformers.pipeline":
            task = call.constant(0, "task")
            life = known.task(task) if isinstance(task, str) else None
            if life is not None:
                yield Use(package, "task", str(task), "pipeline", life, call, way_out)
        for name in call.keywords:
            life = together([one for table in tables if (one := _argument(known, table, name)) is not None])
            if life is not None:
                open_ = any(known.swallows(table, life.until or known.versions[-1]) for table in tables)
                if not open_ or MODELS in tables or name in KNOWN_TO_GO:
                    yield Use(package, "argument", name, _callable(call), life, call, way_out, tables, within)


def _method(known: History, of: str, name: str) -> Life | None:
    """A method's life; None also where its class itself came or went, of which its name's own life tells."""
    if name in OF_MODULES and not MODULES.isdisjoint(subjects(of)):
        return None
    lives = [life for one in subjects(of) if (life := known.method(one, name)) is not None]
    life, whole = together(lives), known.name(located(of)[1])
    if life is not None and name == "tokenizer":  # an attribute of the Trainer before it became a property of it
        life = replace(life, spans=((known.versions[0], life.until),))
    if life is not None and whole is not None and whole.until and whole.until == life.until:
        return None
    return life


def _argument(known: History, table: str, name: str) -> Life | None:
    """An argument's life, taken to reach beyond the versions in which it is known what the callable takes."""
    life = known.argument(table, name)
    if life is None:
        return None
    since, until = known.described(table)
    spans = list(life.spans)
    if spans[0][0] == since:
        spans[0] = (known.versions[0], spans[0][1])
    if until and spans[-1][1] == until:
        spans[-1] = (spans[-1][0], "")
    return replace(life, spans=tuple(spans))


def _of_classes(trace: Trace) -> Iterator[Use]:
    """What classes of the project override or read of the library's."""
    for package, kind, name, on, life, event in class_uses(trace):
        yield Use(package, kind, name, on, life, event)


def together(lives: list[Life]) -> Life | None:
    """One life of several tables that take the same thing: it is there where any of them has it."""
    if len(lives) < 2:
        return lives[0] if lives else None
    spans = sorted((span for life in lives for span in life.spans), key=lambda span: minor(span[0]))
    found = [spans[0]]
    for since, until in spans[1:]:
        last = found[-1]
        if not last[1] or minor(since) <= minor(last[1]):
            end = "" if not last[1] or not until else max(last[1], until, key=minor)
            found[-1] = (last[0], end)
        else:
            found.append((since, until))
    best = next((life for life in lives if life.replacement or life.note), lives[0])
    warned = next((life.warned for life in lives if life.warned), ())
    return Life(best.name, tuple(found), warned, lives[0].defaults, best.replacement, best.note, best.source)


def _callable(call: Call) -> str:
    """How a message names what is called."""
    if call.function_name.startswith(".") or not call.function_name:
        method = call.method
        return f"{_spoken(owner(call.receiver))}{f'.{method}' if method and method != '__call__' else ''}"
    parts = call.function_name.removesuffix(".__init__").split(".")
    return ".".join(part for part in parts if part[:1].isupper() or part == parts[-1])


def _spoken(dotted: str) -> str:
    """`a tokenizer` for transformers.AutoTokenizer; else the class's own name."""
    of = subjects(dotted)
    words = {"PreTrainedTokenizerFast": "tokenizer", "PreTrainedModel": "model", "PreTrainedConfig": "config"}
    return words.get(of[0], dotted.rpartition(".")[2]) if of else dotted.rpartition(".")[2]


def guarded(event: Event, rescued: frozenset[int] = frozenset()) -> bool:
    """Whether the script has a way out where what it uses is not there.

    Args:
        event: the use.
        rescued: identities of calls that are written again where their failure is caught.
    """
    if getattr(event, "guarded", False) or id(event) in rescued:
        return True
    return any(_asks(condition.test) or _is_except(condition) for condition in event.conditions)


def _rescued(trace: Trace) -> frozenset[int]:
    """Calls after which the same one comes again in an `except` of the same block."""
    last: dict[str, Call] = {}
    found = set()
    for call in trace.calls():
        before = last.get(call.function_name)
        depth = len(before.conditions) if before is not None else 0
        same = before is not None and call.conditions[:depth] == before.conditions
        if same and any(map(_is_except, call.conditions[depth:])):
            found.add(id(before))
        last[call.function_name] = call
    return frozenset(found)


def _is_except(condition: Condition) -> bool:
    return isinstance(condition.test, Unknown) and "exception" in condition.test.why


def _asks(value: Value | None) -> bool:
    """Whether a test asks for a version, or whether something is there."""
    return any(ASKS.search(name) for name in _named(value))


def _named(value: Value | None, depth: int = 8) -> Iterator[str]:
    """Names of what a value is made from."""
    inner: Iterable[Value | None] = ()
    if depth == 0:
        return
    if isinstance(value, External | Unknown):
        yield value.name
    elif isinstance(value, Made):
        yield value.call.function_name
        inner = (value.call.receiver, *value.call.arguments)
    elif isinstance(value, Part):
        yield value.name or ""
        inner = (value.of, value.index)
    elif isinstance(value, Operation):
        inner = value.operands
    elif isinstance(value, OneOf):
        inner = value.values
    elif isinstance(value, Constant):
        return
    for one in inner:
        yield from _named(one, depth - 1)
