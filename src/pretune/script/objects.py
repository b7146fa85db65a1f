"""What a script makes, and what happens to each of its objects: views of a Trace, each worked out once.

Judges nothing, and knows nothing that the trace and the names of libraries do not say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pretune.script.kinds import alternatives, held, kind, root
from pretune.script.trace import Call, SetAttribute, SetItem
from pretune.script.values import Constant, Instance, Made, Part

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    from pretune.script.trace import Event, Trace
    from pretune.script.values import Value

    Deed: TypeAlias = Call | SetAttribute | SetItem


@dataclass(frozen=True)
class Objects:
    """What a script makes and does.

    Attributes:
        trace: the walk through it.
    """

    trace: Trace = field(repr=False)

    @cached_property
    def made(self) -> Mapping[str, tuple[Call, ...]]:
        """Kind -> the calls that make such objects, in order; those that only move or wrap one are no such calls."""
        found: dict[str, list[Call]] = {}
        for call in self.trace.calls():
            value = value_of(call)
            if call.receiver is not None and "." not in call.function_name[1:]:
                continue
            what = kind(value)
            if what is None or root(value) != value or what in ("output", "encoding", "batch"):
                continue
            found.setdefault(what, []).append(call)
        return {what: tuple(calls) for what, calls in found.items()}

    @property
    def tokenizers(self) -> tuple[Call, ...]:
        """Calls that load or make tokenizers."""
        return self.made.get("tokenizer", ())

    @property
    def models(self) -> tuple[Call, ...]:
        """Calls that load or make models, those of the project's own classes included."""
        return self.made.get("model", ())

    @property
    def configs(self) -> tuple[Call, ...]:
        """Calls that load or make configs."""
        return self.made.get("config", ())

    @property
    def trainers(self) -> tuple[Call, ...]:
        """Calls that make a Hugging Face, TRL or sentence-transformers Trainer, or one of the project's own."""
        return self.made.get("trainer", ())

    @property
    def arguments(self) -> tuple[Call, ...]:
        """Calls that make TrainingArguments."""
        return self.made.get("training_arguments", ())

    @property
    def collators(self) -> tuple[Call, ...]:
        """Calls that make collators."""
        return self.made.get("collator", ())

    @cached_property
    def encodings(self) -> tuple[Call, ...]:
        """Calls of a tokenizer that encode: `tokenizer(...)`, encode_plus, batch_encode_plus, encode."""
        methods = ("", "__call__", "encode_plus", "batch_encode_plus", "encode")
        return tuple(
            call
            for call in self.trace.calls()
            if call.receiver is not None and call.method in methods and call.function_name[:1] in ("", ".")
            and kind(call.receiver) == "tokenizer"
        )  # fmt: skip

    def on(self, value: Value) -> tuple[Deed, ...]:
        """What surely or maybe happens to an object or to a wrapper of it: methods, attributes, items, in order."""
        found: list[Deed] = []
        for one in alternatives(root(value)):
            found += self._deeds.get(one, ())
        return tuple(sorted(dict.fromkeys(found), key=lambda deed: deed.order))

    @cached_property
    def _deeds(self) -> Mapping[Value, list[Deed]]:
        found: dict[Value, list[Deed]] = {}
        for event in self.trace.events:
            if not isinstance(event, Call | SetAttribute | SetItem):
                continue
            of = event.receiver if isinstance(event, Call) else event.of
            if of is None or isinstance(of, Constant):
                continue
            for one in alternatives(owner(of)):
                found.setdefault(one, []).append(event)
        return found

    def calls_on(self, value: Value, *methods: str) -> tuple[Call, ...]:
        """The calls of these methods on an object, in order."""
        return tuple(deed for deed in self.on(value) if isinstance(deed, Call) and deed.method in methods)

    def model_of(self, trainer: Call) -> Value | None:
        """The model that a trainer was given, as it was loaded; None: not known."""
        given = held(value_of(trainer), "model", trainer)
        return None if given is None else root(given)

    @cached_property
    def trained(self) -> tuple[tuple[Event, Value], ...]:
        """Models that are surely trained, with the event: given to a Trainer, or to an optimizer, or fit."""
        found: list[tuple[Event, Value]] = []
        for trainer in self.trainers:
            model = self.model_of(trainer)
            if model is not None:
                found.append((trainer, model))
        found += [
            (call, owner(call.receiver))
            for call in self.trace.calls("parameters", "named_parameters")
            if call.receiver is not None and kind(call.receiver) == "model" and self._optimized(call)
        ]
        for call in self.trace.calls("fit"):
            if call.receiver is not None and kind(call.receiver) == "lightning_trainer":
                given = call.argument(0, "model")
                if given is not None:
                    found.append((call, root(given)))
        return tuple(found)

    def _optimized(self, call: Call) -> bool:
        """Whether the parameters that a call gives can reach an optimizer: one is made after them, in the same walk."""
        return any(
            one.order >= call.order and one.entry is call.entry
            for one in (*self.made.get("optimizer", ()), *self.made.get("scheduler", ()))
        ) or any(one.order >= call.order for one in self.trace.calls("prepare", "initialize"))


def value_of(call: Call) -> Value:
    """What a call gives: the project's own object, or what a library made."""
    if call.known is not None:
        return call.known
    return call.receiver if isinstance(call.receiver, Instance) and call.method == "__init__" else Made(call)


def owner(value: Value) -> Value:
    """The model that a part of a model (`model.bert`) is of, as it was loaded; else the value's root."""
    found = root(value)
    while isinstance(found, Part) and found.name is not None and kind(found) == "model" and kind(found.of) == "model":
        found = root(found.of)
    return found


def can_follow(one: Event, other: Event) -> bool:
    """Whether `other` can come after `one` in one run: later in the same walk, and not on the branch's other side."""
    if one.entry is not other.entry or other.order <= one.order:
        return False
    sides = {(condition.place, condition.taken) for condition in one.conditions}
    return not any((condition.place, not condition.taken) in sides for condition in other.conditions)
