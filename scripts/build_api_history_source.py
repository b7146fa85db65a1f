"""Read what the source of a released package offers: names, modules, classes, methods, parameters.

Files inside the wheel are parsed, never imported. What it does not know: what decorators and metaclasses add at run
time; which of several classes of one name is meant (the longest is taken); what an extension module holds.
"""

import ast
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

Node = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Wheel:
    """The parsed files of one release.

    Attributes:
        package: the package as it is imported.
        trees: dotted module name (without the package) -> its syntax tree, of the files that were asked for.
        modules: dotted names of all modules.
        listed: module -> the names in its `__all__`, read without parsing the file.
    """

    package: str
    trees: dict[str, ast.Module] = field(default_factory=dict)
    modules: list[str] = field(default_factory=list)
    listed: dict[str, list[str]] = field(default_factory=dict)

    @cached_property
    def classes(self) -> dict[str, ast.ClassDef]:
        """Class by name, aliases (`PreTrainedTokenizer = PythonBackend`) included."""
        found: dict[str, ast.ClassDef] = {}
        for tree in self.trees.values():
            for node in statements(tree.body):
                if isinstance(node, ast.ClassDef) and _lines(node) > _lines(found.get(node.name)):
                    found[node.name] = node  # the longest: the others are stand-ins under an older name
        for tree in self.trees.values():
            for new, old in _aliases(tree):
                if old in found:
                    found.setdefault(new, found[old])
        return found

    @cached_property
    def functions(self) -> dict[str, Node]:
        """Function of a module's top level by name."""
        found: dict[str, Node] = {}
        for tree in self.trees.values():
            for node in statements(tree.body):
                if isinstance(node, Node):
                    found.setdefault(node.name, node)
        return found

    def line(self, name: str, seen: tuple[str, ...] = ()) -> list[ast.ClassDef]:
        """The class and what it is derived from, nearest first; bases that were not read are left out."""
        node = self.classes.get(name)
        if node is None or name in seen:
            return []
        found = [node]
        for base in node.bases:
            inner = base.value if isinstance(base, ast.Subscript) else base
            last = inner.attr if isinstance(inner, ast.Attribute) else getattr(inner, "id", "")
            found += [c for c in self.line(last, (*seen, name)) if c not in found]
        return found

    def methods(self, name: str) -> dict[str, Node]:
        """Methods of a class, inherited ones included."""
        found: dict[str, Node] = {}
        for cls in self.line(name):
            for node in statements(cls.body):
                if isinstance(node, Node) and not _is_overload(node):
                    found.setdefault(node.name, node)
        return found


def read_wheel(path: str, package: str, wanted: str, members: str = "") -> Wheel:
    """Parse the files of a wheel whose module name fits a pattern.

    Args:
        path: the wheel.
        package: the folder inside it.
        wanted: full match for dotted module names (without the package) that are parsed for classes and functions.
        members: the same, for modules of which only the names are wanted.
    """
    wheel = Wheel(package)
    with zipfile.ZipFile(path) as archive:
        for file in sorted(archive.namelist()):
            if not file.startswith(package.replace(".", "/") + "/") or not file.endswith(".py"):
                continue
            inner = file.removeprefix(package.replace(".", "/") + "/").removesuffix(".py")
            module = inner.removesuffix("__init__").rstrip("/").replace("/", ".")
            wheel.modules.append(module)
            if "dummy_" in module:
                continue
            text = archive.read(file).decode("utf-8")
            wheel.listed[module] = _all_of(text)
            if re.fullmatch(wanted, module) or (members and re.fullmatch(members, module)):
                wheel.trees[module] = ast.parse(text)
    return wheel


def _lines(node: ast.ClassDef | None) -> int:
    return -1 if node is None else (node.end_lineno or node.lineno) - node.lineno


def _all_of(text: str) -> list[str]:
    """The names in `__all__` of a module's text."""
    found: list[str] = []
    for part in re.findall(r"^__all__\s*(?:\+?=|\.extend\()\s*[\[(](.*?)[\])]", text, re.MULTILINE | re.DOTALL):
        found += re.findall(r"[\"']([\w.]+)[\"']", part)
    return found


def _aliases(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """`New = Old` at a module's top level."""
    for node in statements(tree.body):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value.id


def statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements of a module or class, those inside `if`, `try` and `with` included."""
    for node in body:
        yield node
        for part in ("body", "orelse", "finalbody"):
            if isinstance(node, ast.If | ast.Try | ast.With):
                yield from statements(getattr(node, part, []))
        if isinstance(node, ast.Try):
            for handler in node.handlers:
                yield from statements(handler.body)


def tasks(wheel: Wheel) -> list[str]:
    """The tasks that `pipeline()` knows, aliases included."""
    found: list[str] = []
    for module in ("pipelines", "pipelines.__init__"):
        for node in statements(wheel.trees[module].body) if module in wheel.trees else ():
            value = getattr(node, "value", None)
            names = {ast.unparse(t) for t in getattr(node, "targets", [getattr(node, "target", ast.Name("_"))])}
            if isinstance(value, ast.Dict) and names & {"SUPPORTED_TASKS", "TASK_ALIASES"}:
                found += [str(k.value) for k in value.keys if isinstance(k, ast.Constant)]
    return found


def _is_overload(node: Node) -> bool:
    return any("overload" in ast.unparse(d) or d_setter(d) for d in node.decorator_list)


def d_setter(decorator: ast.expr) -> bool:
    """Whether it is `@name.setter` or `@name.deleter`."""
    return isinstance(decorator, ast.Attribute) and decorator.attr in ("setter", "deleter")


def members(tree: ast.Module) -> list[str]:
    """What can be imported from a module: what it defines and imports, but for the standard library."""
    found: list[str] = []
    for node in statements(tree.body):
        if isinstance(node, ast.ClassDef | Node):
            found.append(node.name)
        elif isinstance(node, ast.ImportFrom):
            foreign = not node.level and (node.module or "").partition(".")[0] in (*sys.stdlib_module_names, "torch")
            found += [a.asname or a.name for a in node.names if not foreign and a.name != "*"]
        elif isinstance(node, ast.Assign):
            found += [t.id for t in node.targets if isinstance(t, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.append(node.target.id)
    if any(isinstance(node, ast.FunctionDef) and node.name == "__getattr__" for node in tree.body):
        tables = [node.value for node in tree.body if isinstance(getattr(node, "value", None), ast.Dict)]
        found += [
            key for table in tables for key in strings(ast.Tuple([k for k in table.keys if k])) if key.isidentifier()
        ]
    for node in statements(tree.body):  # the lazy modules' own table
        if isinstance(node, ast.Assign) and "_import_structure" in ast.unparse(node.targets[0]):
            found += [text for text in strings(node.value) if text.isidentifier()]
    return [name for name in dict.fromkeys(found) if not (name.startswith("__") and name.endswith("__"))]


def strings(node: ast.AST) -> Iterator[str]:
    """The string constants inside a node."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value


def starred(wheel: Wheel, module: str) -> set[str]:
    """The names that `from .other import *` gives a package, by the others' `__all__`."""
    found: set[str] = set()
    for node in statements(wheel.trees[module].body):
        if isinstance(node, ast.ImportFrom) and node.level == 1 and any(a.name == "*" for a in node.names):
            found.update(wheel.listed.get(".".join(filter(None, [module, node.module or ""])), []))
    return found


def stand_ins(wheel: Wheel) -> dict[str, str]:
    """Older name of a module -> the module that a package serves under it."""
    text = ast.unparse(wheel.trees[""])
    found = dict(re.findall(r"alias\(f'{__name__}\.(\w+)', '\.(\w+)'\)", text))
    table = re.search(r"_LEGACY_MODULE_ALIASES = ({.*?})", text, re.DOTALL)
    return found | (ast.literal_eval(table[1]) if table else {})


def top_names(wheel: Wheel) -> set[str]:
    """What `from package import ...` finds: imports in `__init__`, and `__all__` of the models' files."""
    tree = wheel.trees[""]
    found = {name for name in members(tree) if not name.startswith("_") and name not in ("logger", "import_structure")}
    if any(isinstance(n, ast.Name) and n.id == "define_import_structure" for n in ast.walk(tree)):
        for module, names in wheel.listed.items():
            if module.startswith("models."):
                found.update(names)
    found.update(wheel.listed.get("", []))
    found |= starred(wheel, "")
    found |= {m for m in wheel.modules if m and "." not in m}
    found |= served(wheel, found)
    return {name for name in found if name.isidentifier()}


def served(wheel: Wheel, names: set[str]) -> set[str]:
    """Older names that transformers 5 serves when asked for them (`_LazyModule.__getattr__`); no list has them."""
    lazy = ast.unparse(wheel.trees["utils.import_utils"]) if "utils.import_utils" in wheel.trees else ""
    found: set[str] = set()
    if any("dummy_" in module for module in wheel.modules):
        found |= {"DummyObject", "requires_backends"}  # in every module of stand-ins for what an extra would bring
    if "SLOW_TO_FAST_CONVERTERS" in lazy:
        for node in statements(wheel.trees["convert_slow_tokenizer"].body):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SLOW_TO_FAST_CONVERTERS":
                slow = {key for key in strings(node.value) if key.endswith("Tokenizer")}
                found |= slow | {f"{name}Fast" for name in slow}
        found |= {f"{name}Fast" for name in names if name.endswith("Tokenizer")}
    if "ImageProcessorFast" in lazy:
        found |= {f"{name}Fast" for name in names if name.endswith("ImageProcessor")}
    return found
