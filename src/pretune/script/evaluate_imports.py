"""Imports: of libraries by name; of the script's own project by walking the module once, where it is first imported."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from pretune.script.state import Frame
from pretune.script.trace import Imported
from pretune.script.values import Constant, External, Module, Sequence

if TYPE_CHECKING:
    import ast

    from pretune.script.state import Walk
    from pretune.script.values import Place

MOST_MODULES = 40
MOST_LINES = 15_000
"""Modules of the project that are walked, and lines of them in all."""


def import_module(walk: Walk, alias: ast.alias, place: Place) -> None:
    """`import a.b`, `import a.b as c`."""
    bound = alias.asname or alias.name.partition(".")[0]
    walk.emit(Imported, place, name=alias.name, bound=bound, guarded=walk.guards > 0)
    module = load(walk, alias.name, place)
    if alias.asname is not None:
        walk.put(bound, module or External(alias.name))
        return
    if module is not None and "." not in alias.name:
        walk.put(bound, module)
        return
    if module is not None:
        root = load(walk, bound, place)
        walk.put(bound, root or _namespace(walk, alias.name, module))
        return
    walk.put(bound, External(bound))


def _namespace(walk: Walk, name: str, module: Module) -> Module:
    """The folder without `__init__.py` that `import folder.module` binds."""
    first, _, rest = name.partition(".")
    old = walk.memory.get(("namespace", first))
    top = old if isinstance(old, Module) else Module(first, "", {})
    walk.memory["namespace", first] = top
    inner = top
    *folders, last = rest.split(".")
    for folder in folders:
        found = inner.variables.get(folder)
        if not isinstance(found, Module):
            found = Module(f"{inner.name}.{folder}", "", {})
            inner.variables[folder] = found
        inner = found
    inner.variables[last] = module
    return top


def import_from(walk: Walk, node: ast.ImportFrom, place: Place) -> None:
    """`from a import b as c`, `from . import b`, `from a import *`."""
    name = node.module or ""
    level = node.level
    shown = "." * level + name
    module = load(walk, name, place, level=level)
    for alias in node.names:
        full = f"{shown}.{alias.name}" if not shown.endswith(".") else f"{shown}{alias.name}"
        bound = alias.asname or alias.name
        if alias.name == "*":
            walk.emit(Imported, place, name=shown, bound="*", guarded=walk.guards > 0)
            _star(walk, module, shown)
            continue
        walk.emit(Imported, place, name=full, bound=bound, guarded=walk.guards > 0)
        value = module.variables.get(alias.name) if module is not None else None
        if value is None:
            value = load(walk, f"{name}.{alias.name}" if name else alias.name, place, level=level)
        walk.put(bound, value if value is not None else External(full.lstrip(".")))


def _star(walk: Walk, module: Module | None, name: str) -> None:
    """`from x import *`."""
    if module is None:
        old = walk.frame.module.get("*")
        items = old.items if isinstance(old, Sequence) else ()
        if External(name) not in items:
            walk.journal.put(walk.frame.module, "*", Sequence((*items, External(name))))
        return
    listed = module.variables.get("__all__")
    names = [one.value for one in listed.items if isinstance(one, Constant)] if isinstance(listed, Sequence) else None
    for key, value in list(module.variables.items()):
        if key in names if names is not None else not key.startswith("_") and key != "*":
            walk.put(key, value)
    passed = module.variables.get("*")
    if isinstance(passed, Sequence):
        for one in passed.items:
            if isinstance(one, External):
                _star(walk, None, one.name)


def submodule(walk: Walk, of: Module, name: str) -> Module | None:
    """A module within a package of the project that was imported elsewhere."""
    found = walk.project.find(name, beside=of.file, level=1) if of.file.endswith("__init__.py") else None
    return walk.memory.get(("module", found)) if found is not None else None


def load(walk: Walk, name: str, place: Place, *, level: int = 0) -> Module | None:
    """A module of the project, walked where it is met first; None: it is none of the project."""
    unit = walk.frame.unit
    file = walk.project.find(name, beside=unit.file, level=level)
    if file is None:
        return None
    known = walk.memory.get(("module", file))
    if known is not None:
        return known  # type: ignore[no-any-return]  # only modules stand under this key
    source = walk.project.unit(file)
    if source is None:
        for failure in walk.project.failures:
            walk.note(f"a module of the project was not read: {failure}")
        return None
    modules, lines = walk.memory.get(("modules",), (0, 0))
    if modules >= MOST_MODULES or lines + len(source.lines) > MOST_LINES:
        walk.note(
            f"more than {MOST_MODULES} modules or {MOST_LINES:,} lines are imported; the others were not followed"
        )
        return None
    walk.memory["modules",] = (modules + 1, lines + len(source.lines))
    dotted = name or PurePath(file).parent.name
    variables: dict[str, object] = {"__name__": Constant(dotted), "__file__": Constant(file)}
    module = Module(dotted, file, variables)
    walk.memory["module", file] = module
    walk.allow(len(source.lines))
    _run(walk, source, module, place)
    return module


def _run(walk: Walk, source: object, module: Module, place: Place) -> None:
    """Walks a module's own level, outside of the branches and loops that the import stands in."""
    frame = Frame(
        source,  # type: ignore[arg-type]  # a Unit
        module.variables,
        (module.variables,),
        module=module.variables,
        module_name=module.name,
        mark=len(walk.journal.entries),
        forks=walk.forks,
    )
    saved = (walk.frame, walk.loops, walk.contexts, walk.calls)
    walk.frame, walk.loops, walk.contexts = frame, (), ()
    walk.calls = (*walk.calls, place)
    walk.frames.append(frame)
    try:
        walk.run(source.body)  # type: ignore[attr-defined]  # a Unit
    finally:
        walk.frames.pop()
        walk.frame, walk.loops, walk.contexts, walk.calls = saved
        del walk.journal.entries[frame.mark :]  # a module is imported once, whichever branch does it first
