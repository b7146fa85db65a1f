"""What the walk keeps: frames, a journal of changes so that branches can be walked side by side, the events so far.

Knows the shape of a run, not the syntax: what to do with a node stands in the tables `EXPRESSIONS` and `STATEMENTS`
that the evaluator gives it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from pretune.script.journal import Journal
from pretune.script.values import Place, Unknown

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Mapping
    from collections.abc import Sequence as Many

    from pretune.script.journal import Changes
    from pretune.script.project import Project
    from pretune.script.source import Unit
    from pretune.script.trace import Condition, Event, Loop
    from pretune.script.values import Class, Function, Instance, Value

MOST_CONDITIONS = 32
"""Branches that an event tells; deeper ones are left out."""


class Flow(NamedTuple):
    """How a statement ended.

    Attributes:
        ends: `return`, `loop` (break, continue) or `raise` where nothing after it in its block runs; None: it goes on.
        left: what is known after it because some runs left within: (kind, condition that the rest is run under).
    """

    ends: str | None = None
    left: tuple[tuple[str, Condition], ...] = ()


@dataclass(slots=True, eq=False)
class Frame:
    """A function, class body or module that is being walked.

    Attributes:
        unit: the source it stands in.
        variables: its own names.
        scopes: where names are looked up, its own first.
        name: what qualified names in it begin with: `train.`, `Reader.`; empty at the module's level.
        module: the module's variables.
        function: the function; None: a module's level.
        owner: the class that the function is a method of.
        receiver: what the method is called on.
        elsewhere: names declared global or nonlocal, and where they live.
        returned: values that it gave back.
        exits: what had changed at each early return.
        mark: the journal's length when it began.
        forks: how many undecided branches stood around it.
        straight: whether it returned outside any branch.
        loops: of the loops that are being walked, (journal's length, what had changed at each break or continue).
        place: a place outside of functions in it (module level: None).
    """

    unit: Unit
    variables: dict[str, Value]
    scopes: tuple[dict[str, Value], ...]
    name: str = ""
    module: dict[str, Value] = field(default_factory=dict)
    module_name: str = "__main__"
    function: Function | None = None
    owner: Class | None = None
    receiver: Value | None = None
    elsewhere: dict[str, dict[str, Value]] = field(default_factory=dict)
    returned: list[Value] = field(default_factory=list)
    yielded: list[Value] = field(default_factory=list)
    exits: list[Changes] = field(default_factory=list)
    mark: int = 0
    forks: int = 0
    straight: bool = False
    loops: list[tuple[int, list[Changes]]] = field(default_factory=list)


class Spent(Exception):  # noqa: N818  # no error: the walk is simply over  # not an error: the walk is simply over
    """The walk has used up its steps."""


class Walk:
    """One walk through a script.

    Args:
        project: where modules of the script's project are found.
        frame: the script's own level.
        expressions: what to do with an expression, by the type of its node.
        statements: the same of statements.
        steps: how many expressions may be worked out before functions are no longer walked into.
    """

    def __init__(
        self,
        project: Project,
        frame: Frame,
        *,
        expressions: Mapping[type[ast.expr], Callable[[Walk, Any], Value]],
        statements: Mapping[type[ast.stmt], Callable[[Walk, Any], Flow | None]],
        steps: int,
    ) -> None:
        self.project = project
        self.frame = frame
        self.frames = [frame]
        self.expressions = expressions
        self.statements = statements
        self.attributes: dict[Any, Any] = {}
        self.journal = Journal(self.attributes)
        self.events: list[Event] = []
        self.notes: dict[str, None] = {}
        self.conditions: tuple[Condition, ...] = ()
        self.loops: tuple[Loop, ...] = ()
        self.contexts: tuple[Value, ...] = ()
        self.calls: tuple[Place, ...] = ()
        self.entry: Function | None = None
        self.forks = 0
        self.catching = 0
        self.guards = 0
        self.quiet = 0
        self.ended = False
        self.steps = 0
        self.soft = steps
        self.hard = steps * 2
        self.depth = 0
        self.targets: dict[ast.expr, tuple[str, ...]] = {}
        self.fields: dict[int, dict[str, Value]] = {}
        self.instances: list[Instance] = []
        self.functions: dict[str, Function] = {}
        self.defined: list[Function] = []
        self.classes: dict[str, Class] = {}
        self.built: list[Class] = []
        self.walked: set[Any] = set()
        self.handed: set[Any] = set()
        self.bound: dict[tuple[int, int], Function] = {}
        self.memory: dict[Any, Any] = {}

    def allow(self, lines: int) -> None:
        """Raises the limits for a module of the project that is read too."""
        self.soft += lines
        self.hard += 20 * lines

    def value(self, node: ast.expr) -> Value:
        """What an expression comes to."""
        self.steps += 1
        if self.steps > self.hard:
            raise Spent
        handler = self.expressions.get(type(node))
        return Unknown("syntax that is not followed") if handler is None else handler(self, node)

    def run(self, body: Many[ast.stmt]) -> Flow | None:
        """Walks the statements of a block; None: it goes on as if nothing had happened."""
        saved = self.conditions
        left: tuple[tuple[str, Condition], ...] = ()
        try:
            for statement in body:
                self.steps += 1
                if self.steps > self.hard:
                    raise Spent
                self.ended = False
                try:
                    flow = self.statements[type(statement)](self, statement)
                except RecursionError:
                    self.note(f"{self.place(statement)}: nested too deep to be followed")
                    continue
                if self.ended:
                    self.ended = False
                    return Flow("raise", left)
                if flow is None:
                    continue
                if flow.left:
                    left += flow.left
                    self.conditions = (*self.conditions, *(condition for _, condition in flow.left))[:MOST_CONDITIONS]
                if flow.ends is not None:
                    return Flow(flow.ends, left)
        finally:
            self.conditions = saved
        return Flow(None, left) if left else None

    def place(self, node: Any) -> Place:
        """Where a node stands."""
        unit = self.frame.unit
        line = node.lineno
        return Place(unit.file, line, unit.column(line, node.col_offset), unit.cell, node.end_lineno or line)

    def emit(self, kind: type[Event], place: Place, **fields: Any) -> Any:
        """Adds an event that happens here and now."""
        event = kind(
            place=place,
            order=len(self.events),
            conditions=self.conditions,
            loops=self.loops,
            contexts=self.contexts,
            function=self.frame.function,
            entry=self.entry,
            calls=self.calls,
            **fields,
        )
        if not self.quiet:
            self.events.append(event)
        return event

    def note(self, text: str) -> None:
        """Adds a note, once."""
        self.notes.setdefault(text)

    def put(self, name: str, value: Value) -> None:
        """Binds a name in the frame."""
        frame = self.frame
        self.journal.put(
            frame.elsewhere.get(name, frame.variables) if frame.elsewhere else frame.variables, name, value
        )

    def rebind(self, old: Value, new: Value) -> None:
        """Puts `new` wherever the running functions hold exactly the container `old`: it was changed in place."""
        seen = set()
        for frame in self.frames:
            fields = self.fields.get(id(frame.receiver)) if frame.receiver is not None else None
            defaults = None if frame.function is None else frame.function.scope.defaults
            for mapping in (*frame.scopes, *(one for one in (fields, defaults) if one)):
                if id(mapping) not in seen:
                    seen.add(id(mapping))
                    for key in [key for key, value in mapping.items() if value is old]:
                        self.journal.put(mapping, key, new)

    def fork(self, sides: Many[tuple[tuple[Condition, ...], Callable[[], Flow | None]]]) -> list[Flow]:
        """Walks sides of a branch, each from the state as it is now, and joins what those that go on leave behind."""
        journal = self.journal
        base = len(journal.entries)
        saved = self.conditions
        flows = []
        going = []
        self.forks += 1
        try:
            for conditions, side in sides:
                self.conditions = (*saved, *conditions)[:MOST_CONDITIONS]
                flow = side() or Flow()
                if flow.ends is None:
                    going.append(journal.changes(base))
                journal.undo(base)
                flows.append(flow)
        finally:
            self.conditions = saved
            self.forks -= 1
        journal.merge(going)
        return flows
