"""Finds what an edit of Python source comes to: which characters become which. Knows nothing of files and cells.

libcst's concrete tree says where names, commas and comments stand; only the characters of a Splice change, so that all
other formatting stays as it was to the byte. What is not found just as the edit describes it is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pretune.check.finding import InsertAfter, RenameArgument, RenameMethod, ReplaceText
from pretune.check.json_edit import CannotEditError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pretune.check.finding import SetArgument, SourceEdit
    from pretune.script.values import Place

_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True, order=True)
class Splice:
    """The characters from `start` up to `end` (from 0) become `text`; an insertion where both are the same."""

    start: int
    end: int
    text: str


class Source:
    """Python source, parsed when it is first asked.

    Args:
        text: as it stands in the file or the cell, without a byte order mark.
        readable: the same with what is no Python (magics) written over, line for line and column for column.
    """

    def __init__(self, text: str, readable: str = "") -> None:
        self.text = text
        self._readable = readable or text
        self._starts = [0, *(end.end() for end in _LINE_END.finditer(text))]

    def splices(self, edit: SourceEdit) -> tuple[Splice, ...]:
        """What the edit comes to; nothing where the source is so already.

        Raises:
            CannotEditError: what it names does not stand there.
            UserError: libcst is missing.
        """
        if isinstance(edit, ReplaceText):
            return self._replaced(edit)
        if isinstance(edit, InsertAfter):
            return self._inserted(edit)
        if isinstance(edit, RenameMethod):
            return self._method(edit)
        if isinstance(edit, RenameArgument):
            return self._renamed(edit)
        return self._set(edit)

    @cached_property
    def _tree(self) -> tuple[Any, Any]:
        """The module as libcst parses it, and the positions of its nodes."""
        from pretune.core.extras import need

        cst, metadata = need("libcst", extra="script"), need("libcst.metadata", extra="script")
        try:
            wrapper = metadata.MetadataWrapper(cst.parse_module(self._readable), unsafe_skip_copy=True)
            return wrapper.module, wrapper.resolve(metadata.PositionProvider)
        except (cst.ParserSyntaxError, RecursionError) as error:
            raise CannotEditError(f"it cannot be parsed: {str(error).splitlines()[0]}") from None

    def _nodes(self, kind: str) -> Iterator[Any]:
        return (node for node in self._tree[1] if type(node).__name__ == kind)

    def _span(self, node: Any) -> tuple[int, int]:
        """Where a node begins and ends, in characters from the source's beginning."""
        found = self._tree[1][node]
        return self._offset(found.start.line, found.start.column), self._offset(found.end.line, found.end.column)

    def _offset(self, line: int, column: int) -> int:
        """`column` from 0."""
        return self._starts[min(line, len(self._starts)) - 1] + column

    def _at(self, place: Place) -> int:
        if not 1 <= place.line <= len(self._starts):
            raise CannotEditError(f"{place} is behind its end")
        return self._offset(place.line, place.column - 1)

    def _line_end(self, at: int) -> int:
        """Where the line of `at` ends, before its line end."""
        found = _LINE_END.search(self.text, at)
        return found.start() if found else len(self.text)

    def _margin(self, at: int) -> str:
        """What stands before `at` in its line."""
        return self.text[max(start for start in self._starts if start <= at) : at]

    def _new_line(self) -> str:
        found = _LINE_END.search(self.text)
        return found.group() if found else "\n"

    def _calls(self, place: Place, name: str) -> list[Any]:
        """The calls that begin at a place, or whose method's name does; else those around it, innermost first."""
        at = self._at(place)
        calls = [call for call in self._nodes("Call") if not name or _called(call) == name]
        exact = [call for call in calls if at in (self._span(call)[0], self._name_start(call))]
        if exact:
            return exact
        around = [(end - start, call) for call in calls for start, end in (self._span(call),) if start <= at < end]
        return [call for _, call in sorted(around, key=lambda pair: pair[0])[:1]]

    def _name_start(self, call: Any) -> int:
        """Where the last part of the name of what is called begins."""
        return self._span(getattr(call.func, "attr", call.func))[0]

    def _one_call(self, place: Place, name: str) -> Any:
        calls = self._calls(place, name)
        if len(calls) != 1:
            raise CannotEditError(f"{'no call stands' if not calls else 'several calls begin'} at {place}")
        return calls[0]

    def _renamed(self, edit: RenameArgument) -> tuple[Splice, ...]:
        calls = self._calls(edit.place, edit.call)
        found = [arg for call in calls for arg in call.args if _keyword(arg) == edit.old]
        new = any(_keyword(arg) == edit.new for call in calls for arg in call.args)
        if not found and new:
            return ()
        if len(found) != 1:
            raise CannotEditError(f"{edit.old} is not written in the call at {edit.place}")
        if new:
            raise CannotEditError(f"the call at {edit.place} has {edit.new} as well as {edit.old}")
        return (Splice(*self._span(found[0].keyword), edit.new),)

    def _method(self, edit: RenameMethod) -> tuple[Splice, ...]:
        calls = self._calls(edit.place, "")
        found = [call for call in calls if _called(call) == edit.old and hasattr(call.func, "attr")]
        if not found and any(_called(call) == edit.new for call in calls):
            return ()
        if len(found) != 1:
            raise CannotEditError(f"no method {edit.old} is called at {edit.place}")
        return (Splice(*self._span(found[0].func.attr), edit.new),)

    def _replaced(self, edit: ReplaceText) -> tuple[Splice, ...]:
        at = self._at(edit.place)
        if self.text.startswith(edit.old, at):
            return (Splice(at, at + len(edit.old), edit.new),)
        if self.text.startswith(edit.new, at):
            return ()
        raise CannotEditError(f"{edit.place} is not `{edit.old}`")

    def _set(self, edit: SetArgument) -> tuple[Splice, ...]:
        call = self._one_call(edit.place, edit.call)
        found = next((arg for arg in call.args if _keyword(arg) == edit.name), None)
        if found is None:
            if edit.expression is None:
                return ()
            if any(arg.star for arg in call.args if arg.star == "**"):
                raise CannotEditError(f"the call at {edit.place} takes a **table, which may hold {edit.name} already")
            return self._added(call, f"{edit.name}={edit.expression}")
        if edit.expression is None:
            return self._taken_away(call, found)
        start, end = self._span(found)
        before = self.text[start : self._span(found.value)[0] - sum(len(_code(one)) for one in found.value.lpar)]
        if self.text[start + len(before) : end] == edit.expression:
            return ()
        return (Splice(start + len(before), end, edit.expression),)

    def _added(self, call: Any, argument: str) -> tuple[Splice, ...]:
        """A keyword behind the last argument, on a line of its own where the others have one."""
        if not call.args:
            at = self._span(call)[1] - 1
            return (Splice(at, at, argument),)
        last = call.args[-1]
        start, end = self._span(last)
        margin = self._margin(start)
        comma = type(last.comma).__name__ == "Comma"
        if comma:
            end = self.text.index(",", end) + 1
        own_line = not margin.strip() and start > self._span(call)[0]
        rest_at = self._line_end(end)
        rest = self.text[end:rest_at].strip()
        if own_line and (not rest or rest.startswith("#")):
            line = f"{self._new_line()}{margin}{argument}"
            if comma:
                return (Splice(rest_at, rest_at, f"{line},"),)
            if rest:
                return Splice(end, end, ","), Splice(rest_at, rest_at, line)
            return (Splice(end, end, f",{line}"),)
        between = f",{self._new_line()}{margin}" if own_line else ", "
        return (Splice(end, end, f" {argument}," if comma else f"{between}{argument}"),)

    def _taken_away(self, call: Any, arg: Any) -> tuple[Splice, ...]:
        number = list(call.args).index(arg)
        start, end = self._span(arg)
        if number + 1 < len(call.args):
            end = self._span(call.args[number + 1])[0]
        elif number:
            start = self._span(call.args[number - 1])[1]
        elif type(arg.comma).__name__ == "Comma":
            end = self.text.index(",", end) + 1
        if "#" in self.text[start:end]:
            raise CannotEditError(f"a comment stands beside {_keyword(arg)} in the call")
        return (Splice(start, end, ""),)

    def _inserted(self, edit: InsertAfter) -> tuple[Splice, ...]:
        at = self._at(edit.place)
        spans = {line: self._span(line) for line in self._nodes("SimpleStatementLine")}
        line = next((line for line, (start, end) in spans.items() if start <= at < end), None)
        if line is None or len(line.body) != 1:
            raise CannotEditError(f"no statement has a line of its own at {edit.place}")
        start, end = spans[line]
        margin = self._margin(start)
        if margin.strip():
            raise CannotEditError(f"no statement has a line of its own at {edit.place}")
        new = self._new_line()
        statement = edit.statement.replace("\n", new + margin)
        end = self._line_end(end)
        if self.text[end:].lstrip().startswith(statement):
            return ()
        return (Splice(end, end, f"{new}{margin}{statement}"),)


def spliced(text: str, splices: Sequence[Splice]) -> str:
    """The text with the splices, each once; insertions at one place stand in their given order.

    Raises:
        CannotEditError: two of them overlap.
    """
    parts: list[str] = []
    here = 0
    for splice in sorted(dict.fromkeys(splices), key=lambda one: (one.start, one.end)):
        if splice.start < here:
            raise CannotEditError("two changes overlap")
        parts += (text[here : splice.start], splice.text)
        here = splice.end
    return "".join((*parts, text[here:]))


def overlap(mine: Splice, theirs: Splice) -> bool:
    """Whether two splices cannot be made beside each other: they touch the same characters, and differ."""
    return mine != theirs and mine.start < theirs.end and theirs.start < mine.end


def _called(call: Any) -> str:
    """The last part of the name of what is called."""
    name = getattr(call.func, "attr", call.func)
    return getattr(name, "value", "") if type(name).__name__ == "Name" else ""


def _keyword(arg: Any) -> str:
    return arg.keyword.value if arg.keyword is not None else ""


def _code(paren: Any) -> str:
    """The source of an opening parenthesis with what stands behind it."""
    import libcst

    return libcst.Module(body=[]).code_for_node(paren)
