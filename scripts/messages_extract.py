"""Finds by AST what the sources say to people: literals and f-strings that read as prose, as msgids with {0}, {1}, ...

An f-string is a template; a choice within it (`{'s' if n > 1 else ''}`) gives a template each. Docstrings count where
they are shown: those of rules (claim, Why, Fix) and of commands. Knows nothing of translations.
"""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from pretune.check.finding import Deferred, Level, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "pretune"
HOLE = "\0"
"""A value's place within a template, until the places are numbered."""
MOST = 12
"""Templates that the choices within one f-string may come to; beyond, a choice is a value."""
SHOWN = {
    "say", "said", "translated", "_page", "Problem", "UserError", "Unavailable", "Fault", "Section", "Column", "table",
    "Statement", "Fold", "Words", "Beside", "Scene", "Mistake", "secho", "Advice", "Trouble", "Skipped", "Card",
}  # fmt: skip
"""Calls whose literal arguments are shown, be they single words."""
WORDS = {"help", "title", "message", "hint", "note", "heading", "caption", "label", "short_help", "epilog"}
"""Arguments by name that are shown."""
QUIET_CALLS = {
    "compile", "match", "fullmatch", "finditer", "findall", "search", "sub", "startswith", "endswith", "split",
    "rsplit", "partition", "rpartition", "removeprefix", "removesuffix", "replace", "encode", "decode", "getattr",
    "hasattr", "setattr",
    "strip", "lstrip", "rstrip", "find", "index", "count", "AssertionError", "NotImplementedError",
    "RuntimeError", "TypeVar", "execute", "executescript", "strftime", "from_string", "literal_eval",
}  # fmt: skip
"""Calls whose text arguments nobody reads."""


@dataclass
class Found:
    """A msgid: where it stands and how the source reads there."""

    places: list[str] = field(default_factory=list)
    source: str = ""


def extract(package: Path = PACKAGE, *, skip: frozenset[str] = frozenset()) -> dict[str, Found]:
    """Every msgid of the package, in the order of files and lines, with its places."""
    found: dict[str, Found] = {}
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        if name in skip or any(name.startswith(folder) for folder in skip if folder.endswith("/")):
            continue
        text = path.read_text(encoding="utf-8")
        for line, msgid, source in sorted(_Reader(text).messages(), key=lambda one: one[0]):
            one = found.setdefault(msgid, Found(source=source))
            place = f"{name}:{line}"
            if place not in one.places:
                one.places.append(place)
    return found


def numbered(template: str) -> str:
    """The template with its holes as {0}, {1}, ... and no white space around."""
    parts = " ".join(template.split()).split(HOLE)
    return "".join(part + (f"{{{place}}}" if place < len(parts) - 1 else "") for place, part in enumerate(parts))


def reads_as_prose(msgid: str) -> bool:
    """Whether a text is made of words, as a sentence or a part of one is."""
    bare = re.sub(r"\{\d+\}", " ", msgid)
    if (
        re.search(r"[ㄱ-힣|]", bare)
        or bare.strip().startswith(("<", "SELECT ", "$", "^", "--"))
        or re.match(r"\s*# [a-z]", bare)  # a comment of code that is written
        or "\\" in bare
    ):
        return False
    if not bare.strip() or re.match(r"^\s*(from|import|def|class|pip|python|pretune|torchrun) \w", bare):
        return False
    words = re.findall(r"(?<![\w./=<>-])[A-Za-z][a-z']*(?![\w/=(]|\.\w)", bare)
    if "{0}" in msgid:
        return any(len(word) > 1 for word in words) and (" " in msgid or len(words) > 1)
    return sum(len(word) > 1 for word in words) > 1 and " " in bare.strip()


class _Reader(ast.NodeVisitor):
    """Walks one module."""

    def __init__(self, text: str) -> None:
        self.text, self.lines = text, text.split("\n")
        self.tree = ast.parse(text)
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}
        self.done: set[ast.AST] = set()

    def messages(self) -> Iterator[tuple[int, str, str]]:
        """Line, msgid, source."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef):
                yield from self._docstring(node)
        for node in ast.walk(self.tree):  # outer ones first
            if node in self.done or not isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp | ast.AugAssign):
                continue
            if isinstance(node, ast.Constant) and not isinstance(node.value, str):
                continue
            if self._is_quiet(node):
                continue
            yield from self._templates(node)

    def _templates(self, node: ast.AST) -> Iterator[tuple[int, str, str]]:
        shown = self._is_shown(node)
        if isinstance(node, ast.BinOp) and not (isinstance(node.op, ast.Add) and self._has_text(node)):
            return
        if isinstance(node, ast.AugAssign):
            if not isinstance(node.op, ast.Add) or not self._has_text(node.value):
                return
            texts = [HOLE + text for text in self._alternatives(node.value)]
        else:
            texts = self._alternatives(node)
        for inner in ast.walk(node):
            if isinstance(inner, ast.JoinedStr | ast.BinOp | ast.Constant) and self._within(inner, node):
                self.done.add(inner)
        source = " ".join(line.strip() for line in self.lines[node.lineno - 1 : (node.end_lineno or 0)])
        for text in texts:
            msgid = numbered(text)
            name = re.fullmatch(r"[a-z0-9]+([-_.][a-z0-9]+)+", msgid)
            if reads_as_prose(msgid) or (
                shown and not name and re.search(r"[A-Za-z]{2}", re.sub(r"\{\d+\}", "", msgid))
            ):
                yield node.lineno, msgid, source[:300]

    def _within(self, inner: ast.AST, outer: ast.AST) -> bool:
        """Whether a literal is part of the text itself, or of a choice that was written out."""
        while inner is not outer:
            parent = self.parents[inner]
            if isinstance(parent, ast.Call | ast.Subscript | ast.Compare | ast.Dict | ast.GeneratorExp):
                return False
            inner = parent
        return True

    def _has_text(self, node: ast.AST) -> bool:
        if isinstance(node, ast.JoinedStr):
            return True
        if isinstance(node, ast.Constant):
            return isinstance(node.value, str)
        if isinstance(node, ast.BinOp):
            return self._has_text(node.left) or self._has_text(node.right)
        return isinstance(node, ast.IfExp) and (self._has_text(node.body) or self._has_text(node.orelse))

    def _alternatives(self, node: ast.AST) -> list[str]:
        """What the text can be, with HOLE for values."""
        if isinstance(node, ast.Constant):
            return [node.value] if isinstance(node.value, str) else [HOLE]
        if isinstance(node, ast.FormattedValue):
            return self._alternatives(node.value) if node.format_spec is None else [HOLE]
        if isinstance(node, ast.IfExp) and self._has_text(node.body) and self._has_text(node.orelse):
            return list(dict.fromkeys(self._alternatives(node.body) + self._alternatives(node.orelse)))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and isinstance(node.left, ast.Constant):
            return [str(node.left.value), ""] if isinstance(node.left.value, str) else [HOLE]  # 's' * (count > 1)
        if isinstance(node, ast.JoinedStr):
            return self._joined([self._alternatives(part) for part in node.values])
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and self._has_text(node):
            return self._joined([self._alternatives(node.left), self._alternatives(node.right)])
        return [HOLE]

    def _joined(self, parts: list[list[str]]) -> list[str]:
        count = 1
        for part in parts:
            count *= len(part)
        if count > MOST:
            parts = [part if len(part) == 1 else [HOLE] for part in parts]
        return ["".join(one) for one in product(*parts)]

    def _call_of(self, node: ast.AST) -> tuple[str, str]:
        """The call that a text is an argument of, through choices, sums and tuples, and the argument's name."""
        while True:
            parent = self.parents.get(node)
            if isinstance(parent, ast.keyword):
                call = self.parents[parent]
                name = call.func if isinstance(call, ast.Call) else None
                return _last(name), parent.arg or ""
            if isinstance(parent, ast.Call):
                return _last(parent.func), ""
            if not isinstance(parent, ast.IfExp | ast.BinOp | ast.Tuple | ast.List | ast.BoolOp | ast.Starred):
                return "", ""
            if isinstance(parent, ast.IfExp) and node is parent.test:
                return "", ""
            node = parent

    def _is_shown(self, node: ast.AST) -> bool:
        call, name = self._call_of(node)
        return name in WORDS or (call in SHOWN and name in WORDS | {""})

    def _is_quiet(self, node: ast.AST) -> bool:
        """Whether nobody reads the text: a docstring, a key, an operand of a comparison, a pattern, an assertion."""
        parent = self.parents.get(node)
        if isinstance(parent, ast.Expr | ast.Compare | ast.Assert | ast.Subscript | ast.match_case | ast.MatchValue):
            return True
        if isinstance(parent, ast.Dict) and node in parent.keys:
            return True
        if isinstance(parent, ast.Attribute) and parent.attr in QUIET_CALLS:  # "a list of words".split()
            return True
        call, name = self._call_of(node)
        if call in QUIET_CALLS or name in {"metavar", "prefix", "suffix", "encoding", "style", "type", "code"}:
            return True
        above = parent
        while above is not None:
            if isinstance(above, ast.arg | ast.AnnAssign) and node is not getattr(above, "value", None):
                annotation = getattr(above, "annotation", None)
                if annotation is not None and any(inner is node for inner in ast.walk(annotation)):
                    return True
            if isinstance(above, ast.FunctionDef | ast.Lambda):
                returns = getattr(above, "returns", None)
                return returns is not None and any(inner is node for inner in ast.walk(returns))
            if isinstance(above, ast.Set):
                return True
            above = self.parents.get(above)
        return False

    def _docstring(self, node: ast.FunctionDef) -> Iterator[tuple[int, str, str]]:
        """A rule's claim, why and fix; a command's paragraphs."""
        doc = ast.get_docstring(node)
        named = {_last(one.func) for one in node.decorator_list if isinstance(one, ast.Call)}
        if doc is None or not named & {"rule", "command", "group"}:
            return
        if "rule" in named:
            made = Rule("", Level.NOTE, Deferred("", node.name, ()))
            object.__setattr__(made, "doc", inspect.cleandoc(doc))
            texts = [made.claim, made.why, made.fix]
        else:
            texts = [" ".join(part.split()) for part in doc.split("\n\n")]
        for text in texts:
            if text:
                yield node.lineno, text, f"docstring of {node.name}"


def _last(node: ast.AST | None) -> str:
    """`a.b.c` -> `c`."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
