"""Where a script takes one vector for a text from a model's output, and how. Knows no rule.

Which states a model gives follows from its class, and for AutoModel from the name that it is loaded by; another name is
not guessed at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pretune.check.facts.script_flow import axis, call_of, indices, is_whole, library, text
from pretune.script.choices import alternatives
from pretune.script.kinds import kind, root
from pretune.script.trace import Assigned, Call, Returned
from pretune.script.values import Constant, Made, Operation, Part, Sequence, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.script.trace import Event, Trace
    from pretune.script.values import Value

FAMILIES = {
    "distilbert": r"distil(?:ko)?bert|distilkobert",
    "electra": r"electra",
    "deberta": r"deberta",
    "modernbert": r"modernbert",
    "xlnet": r"xlnet",
    "gpt": r"gpt",
    "llama": r"llama|mistral|qwen|gemma|polyglot|bloom|\bopt-|\bphi-",
    "t5": r"t5",
    "bart": r"bart\b|bart-",
    "roberta": r"roberta",
    "albert": r"albert",
    "bert": r"bert",
}
"""Family -> what its checkpoints' names hold, and its classes' names; the first that fits."""
CAUSAL = ("gpt", "llama")
WITHOUT_POOLER = ("distilbert", "electra", "deberta", "modernbert", "xlnet", "gpt", "llama", "t5", "bart")
"""Families whose model without a head gives no pooler_output: their modeling files in transformers 4.40 to 5.23."""
_SENTENCES = re.compile(
    r"sentence|sbert|sroberta|simcse|labse|\bbge|gte-|\be5|embed|contriever|dpr|nli|sts|retriev|cross-encoder|minilm|"
    r"instructor|arctic|mxbai|nomic|colbert|ance|diffcse|paraphrase|msmarco|splade|simcl|clip|jina",
    re.IGNORECASE,
)
"""Names of models that were trained to give a vector for a text."""


@dataclass(frozen=True, slots=True, eq=False)
class Vector:
    """A vector for a text, or several, taken from a model's output.

    Attributes:
        event: where.
        how: `first`, `last`, `mean`, `max`, `pooler` (by name), `second` (outputs[1]).
        forward: the call of the model.
        loaded: the call that loaded the model.
        family: one of FAMILIES; empty: not known.
    """

    event: Event
    how: str
    forward: Call
    loaded: Call
    family: str

    @property
    def class_name(self) -> str:
        """The class that the model was loaded by: `AutoModel`."""
        return self.loaded.function_name.split(".")[-2]

    @property
    def name(self) -> str | None:
        """The name that it was loaded by; None: not known."""
        return text(self.loaded.argument(0, "pretrained_model_name_or_path"))

    @property
    def headless(self) -> bool:
        """Whether it is the model without a head for a task."""
        return self.class_name.endswith(("Model", "Encoder")) and "For" not in self.class_name.replace("Former", "")

    @property
    def made_for_sentences(self) -> bool:
        """Whether its name says that it was trained to give vectors for texts, or is not known."""
        return self.name is None or _SENTENCES.search(self.name) is not None


_LAST: list[tuple[Trace, tuple[Vector, ...]]] = []


def vectors(trace: Trace) -> tuple[Vector, ...]:
    """The vectors that a script takes from models' outputs, in order. Those of the last trace are kept."""
    if not _LAST or _LAST[0][0] is not trace:
        _LAST[:] = [(trace, tuple(_read(trace)))]
    return _LAST[0][1]


def _read(trace: Trace) -> Iterator[Vector]:
    seen: set[object] = set()
    for event in trace.events:
        for value in _written(event):
            found = _taken(value)
            if found is None:
                continue
            how, forward = found
            model = call_of(root(forward.receiver), "from_pretrained") if forward.receiver is not None else None
            known = value in seen or (event.place, how) in seen  # handed on, or walked through once more
            seen |= {value, (event.place, how)}
            if model is None or known or model.function_name.count(".") < 1:
                continue
            yield Vector(event, how, forward, model, _family(model))


def tokenizing(trace: Trace, forward: Call) -> Call | None:
    """The call of a tokenizer whose batch a model is given: the last one before it in the same function."""
    found = None
    for call in trace.calls("", "__call__", "batch_encode_plus", "encode_plus", "tokenize", "pad"):
        near = call.order < forward.order and call.function is forward.function and call.entry is forward.entry
        if near and call.receiver is not None and kind(call.receiver) == "tokenizer":
            found = call
    return found


def _family(loaded: Call) -> str:
    class_name = loaded.function_name.split(".")[-2]
    shown = (
        class_name if not class_name.startswith("Auto") else text(loaded.argument(0, "pretrained_model_name_or_path"))
    )
    lowered = (shown or "").lower().replace("-v2", "")
    return next((family for family, pattern in FAMILIES.items() if re.search(pattern, lowered)), "")


def _written(event: Event) -> Iterator[Value]:
    """The values that an event has to do with, and what they are written with; not what other calls were given."""
    waiting: list[Value] = []
    if isinstance(event, Call):
        waiting += [*event.arguments, *event.keywords.values()]
        if event.receiver is not None:
            waiting.append(event.receiver)
        waiting.append(Made(event))
    elif isinstance(event, Assigned | Returned):
        waiting.append(event.value)
    for _ in range(80):
        if not waiting:
            return
        one = waiting.pop(0)
        yield one
        if isinstance(one, Part):
            waiting.append(one.of)
        elif isinstance(one, Operation):
            waiting += one.operands
        elif isinstance(one, Sequence):
            waiting += one.items
        elif isinstance(one, Table):
            waiting += [item for _, item in one.items]
        elif len(alternatives(one)) > 1:
            waiting += alternatives(one)


def _taken(value: Value) -> tuple[str, Call] | None:
    """How a value is taken from the states of which call of a model; None: it is no vector."""
    if isinstance(value, Part):
        if value.name == "pooler_output" or text(value.index) == "pooler_output":
            forward = _forward(value.of)
            return None if forward is None else ("pooler", forward)
        if isinstance(value.index, Constant) and value.index.value == 1 and type(value.index.value) is int:
            forward = _forward(value.of)
            return None if forward is None else ("second", forward)
        index = indices(value)
        if len(index) >= 2 and is_whole(index[0]) and isinstance(index[1], Constant) and index[1].value in (0, -1):
            forward = _states(value.of)
            return None if forward is None else ("first" if index[1].value == 0 else "last", forward)
        return None
    call = call_of(value, "mean", "max")
    if call is None:
        return None
    of = call.receiver if call.receiver is not None else call.argument(0, "input")
    over = axis(call, 0 if call.receiver is not None else 1)
    functional = call.receiver is not None or call.function_name in ("torch.mean", "torch.max")
    forward = _states(of) if of is not None and functional and over in (1, -2) else None
    return None if forward is None else (call.method, forward)


def _states(value: Value) -> Call | None:
    """The call of a model whose token states (rows, tokens, width) a value is; None: it is something else."""
    if not isinstance(value, Part):
        return None
    if value.name == "last_hidden_state" or text(value.index) == "last_hidden_state":
        return _forward(value.of)
    of = value.of
    if isinstance(of, Part) and (of.name == "hidden_states" or text(of.index) == "hidden_states"):
        return _forward(of.of) if value.index is not None else None
    first = isinstance(value.index, Constant) and value.index.value == 0 and type(value.index.value) is int
    forward = _forward(of) if first else None
    model = call_of(root(forward.receiver), "from_pretrained") if forward is not None and forward.receiver else None
    return forward if model is not None and "For" not in model.function_name.split(".")[-2] else None


def _forward(value: Value) -> Call | None:
    """The call of a loaded model whose output a value is."""
    call = call_of(value)
    named = call is not None and call.function_name in ("", ".forward") and call.receiver is not None
    if call is None or not named or call.receiver is None or kind(call.receiver) != "model":
        return None
    return call if library(root(call.receiver)).endswith(".from_pretrained") else None
