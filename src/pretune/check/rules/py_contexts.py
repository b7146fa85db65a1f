"""PYS1: how a script encodes questions with their contexts: windows, offsets and which row they came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.facts.script_flow import text
from pretune.check.finding import Level, Problem, rule
from pretune.check.sources.script_values import plain
from pretune.script.kinds import alternatives
from pretune.script.objects import value_of
from pretune.script.tokens import holds, parts
from pretune.script.trace import Call, SetItem
from pretune.script.values import Constant, Operation, Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.finding import Rule
    from pretune.script.trace import Event
    from pretune.script.values import Value


@rule("PYS170", Level.NOTE)
def question_cut_with_the_context(script: ScriptFacts) -> Iterator[Problem]:
    """A question and its context are cut by truncation=True.

    Why: that takes tokens from whichever is longer, so that a long question loses its end; with windows the question
    differs from window to window.
    Fix: truncation="only_second", or "only_first" where the context stands first.
    """
    for call in _pairs(script):
        if plain(call.argument(None, "truncation")) in (True, "longest_first"):
            yield Problem("question and context are cut by truncation=True, whichever is longer", where=str(call.place))


@rule("PYS171", Level.WARNING)
def wrong_side_cut(script: ScriptFacts) -> Iterator[Problem]:
    """The question is cut and the context is not.

    Why: "only_first" cuts the first text, "only_second" the second; the context is what is too long, and a question
    shorter than what has to go raises an error or is lost.
    Fix: "only_second" for (question, context), "only_first" for (context, question).
    """
    for call in _pairs(script):
        first, second = (_column(call.argument(position, name)) for position, name in ((0, "text"), (1, "text_pair")))
        cut = plain(call.argument(None, "truncation"))
        if (first, second, cut) in (("question", "context", "only_first"), ("context", "question", "only_second")):
            yield Problem(f'truncation="{cut}" cuts the question, not the context', where=str(call.place))


@rule("PYS172", Level.NOTE)
def context_cut_without_windows(script: ScriptFacts) -> Iterator[Problem]:
    """Long contexts are cut, and what is cut off is not read at all.

    Why: an answer behind the cut can be neither learned nor found.
    Fix: return_overflowing_tokens=True with a stride, so that a long context becomes several windows.
    """
    for call in _pairs(script):
        cut = plain(call.argument(None, "truncation"))
        if cut in ("only_second", "only_first", True, "longest_first") and not call.open:
            over = call.argument(None, "return_overflowing_tokens")
            if over is None or plain(over) is False:
                yield Problem("contexts are cut, and what is cut off is dropped", where=str(call.place))


@rule("PYS173", Level.NOTE)
def windows_without_overlap(script: ScriptFacts) -> Iterator[Problem]:
    """Long contexts become windows that do not overlap.

    Why: an answer that lies on the edge of two windows is whole in neither.
    Fix: stride=128, or at least the length of the longest answer.
    """
    for call in _pairs(script):
        stride = call.argument(None, "stride")
        windows = plain(call.argument(None, "return_overflowing_tokens")) is True and not call.open
        if windows and (stride is None or plain(stride) == 0):
            yield Problem("contexts become windows without overlap: stride is 0", where=str(call.place))


@rule("PYS174", Level.ERROR)
def offsets_never_asked_for(script: ScriptFacts) -> Iterator[Problem]:
    """offset_mapping is read from an encoding that was not asked for it.

    Why: without return_offsets_mapping=True the key is not there: a KeyError.
    Fix: return_offsets_mapping=True.
    """
    yield from _missing(script, "offset_mapping", "return_offsets_mapping")


@rule("PYS175", Level.ERROR)
def windows_never_asked_for(script: ScriptFacts) -> Iterator[Problem]:
    """overflow_to_sample_mapping is read from an encoding that makes no windows.

    Why: without return_overflowing_tokens=True the key is not there: a KeyError.
    Fix: return_overflowing_tokens=True.
    """
    yield from _missing(script, "overflow_to_sample_mapping", "return_overflowing_tokens")


@rule("PYS176", Level.WARNING)
def windows_without_their_rows(script: ScriptFacts) -> Iterator[Problem]:
    """Long contexts become several windows, and nothing asks which row a window came from.

    Why: from the first long context on, window i is no longer row i: labels and answers belong to other texts.
    Fix: read overflow_to_sample_mapping, and take labels and answers of that row.
    """
    calls = [call for call in script.encodings if plain(call.argument(None, "return_overflowing_tokens")) is True]
    if not calls or _is_mentioned(script, "overflow_to_sample_mapping"):
        return
    for call in calls:
        if call.function is None or call.constant(None, "return_offsets_mapping") is not True or call.open:
            continue
        labelled = [
            event
            for event in script.trace.events
            if isinstance(event, SetItem) and event.function is not None and event.order > call.order
            and event.function.place == call.function.place
            and text(event.index) in ("start_positions", "labels", "end_positions")
        ]  # fmt: skip
        if labelled and not call.conditions:
            yield Problem(
                "contexts become several windows, and overflow_to_sample_mapping is never read",
                where=str(call.place),
                also=(str(labelled[0].place),),
            )


def _pairs(script: ScriptFacts) -> Iterator[Call]:
    """Encodings of a question with a context, in scripts for reading comprehension."""
    pairs = []
    for call in script.encodings:
        columns = {_column(call.argument(position, name)) for position, name in ((0, "text"), (1, "text_pair"))}
        if None not in columns:
            pairs.append(call)
    if pairs and (
        any("ForQuestionAnswering" in call.function_name for call in script.models)
        or _is_mentioned(script, "start_positions")
    ):
        yield from pairs


def _column(value: Value | None) -> str | None:
    """`question` or `context`, where a text is such a column, `either` where that depends; None: it is another text."""
    names: set[str] = set()

    def named(one: Value) -> bool:
        if isinstance(one, Part):
            for key in _keys(one):
                for word in ("question", "context", "passage", "paragraph"):
                    if word in key.lower():
                        names.add("question" if word == "question" else "context")
        return False

    if value is None:
        return None
    holds(value, named, 8)
    return names.pop() if len(names) == 1 else ("either" if names else None)  # either: by the side of the padding


def _keys(part: Part) -> Iterator[str]:
    """The names that an attribute or an item can have."""
    if part.index is None:
        yield part.name or ""
        return
    index = part.index
    for one in index.operands[1:] if isinstance(index, Operation) and index.operator == "if" else alternatives(index):
        key = text(one)
        if key is not None:
            yield key


def _missing(script: ScriptFacts, key: str, keyword: str) -> Iterator[Problem]:
    """Encodings that a key is read from though they were not asked for it."""
    unasked = []
    for call in script.encodings:
        given = call.argument(None, keyword)
        if not call.open and call.method != "encode" and (given is None or plain(given) is False):
            unasked.append(call)
    if not unasked or not _is_mentioned(script, key):
        return
    readers = [event for event in script.trace.events if _takes(event, key)]
    for call in unasked:
        value = value_of(call)

        def reads(one: Value, value: Value = value) -> bool:
            return isinstance(one, Part) and one.of == value and (text(one.index) == key or one.name == key)

        for event in readers:
            popped = isinstance(event, Call) and event.receiver == value and _pops(event, key)
            if event.order > call.order and (popped or any(holds(one, reads, 6) for one in _values(event))):
                set_before = any(
                    isinstance(deed, SetItem) and text(deed.index) == key and deed.order < event.order
                    for deed in script.on(value)
                )
                if not set_before:
                    yield Problem(
                        f"{key} is read from an encoding made without {keyword}=True",
                        where=str(event.place),
                        also=(str(call.place),),
                    )
                break


def _takes(event: Event, key: str) -> bool:
    """Whether an event reads a key of anything."""

    def reads(one: Value) -> bool:
        return isinstance(one, Part) and (text(one.index) == key or one.name == key)

    return _pops(event, key) or any(holds(one, reads, 6) for one in _values(event))


def _pops(event: Event, key: str) -> bool:
    """Whether an event takes a key out of something, with nothing to fall back on."""
    if not isinstance(event, Call) or event.method != "pop" or len(event.arguments) != 1:
        return False
    return event.constant(0, "key") == key


def _values(event: Event) -> tuple[Value, ...]:
    """The values that an event holds."""
    if isinstance(event, Call):
        return (*((event.receiver,) if event.receiver is not None else ()), *event.arguments, *event.keywords.values())
    found = (getattr(event, name, None) for name in ("of", "value", "index"))
    return tuple(one for one in found if one is not None and not isinstance(one, str))


def _is_mentioned(script: ScriptFacts, key: str) -> bool:
    """Whether a key stands anywhere in what the script does."""
    values = (value for event in script.trace.events for value in _values(event))
    return any(isinstance(one, Constant) and one.value == key for one in parts(values))


RULES: tuple[Rule, ...] = (
    question_cut_with_the_context,
    wrong_side_cut,
    context_cut_without_windows,
    windows_without_overlap,
    offsets_never_asked_for,
    windows_never_asked_for,
    windows_without_their_rows,
)
