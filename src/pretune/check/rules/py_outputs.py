"""PYS3: what a model's call gives, and how the script takes it apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.facts.script_flow import flag
from pretune.check.finding import Level, Problem, rule
from pretune.script.history import minor
from pretune.script.kinds import kind, root
from pretune.script.trace import Call, SetAttribute, SetItem
from pretune.script.values import Constant, Made, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.finding import Rule

_TUPLES = ("return_dict", "use_return_dict", "torchscript", "trust_remote_code")
"""What can make a model give a tuple."""


@rule("PYS307", Level.ERROR)
def output_unpacked_into_names(script: ScriptFacts) -> Iterator[Problem]:
    """A model's output is unpacked as a tuple.

    Why: since transformers 4.0 it is a dictionary, and unpacking one gives its keys: `_, pooled = bert(...)` makes
    pooled the text "pooler_output", and the next layer stops with `argument 'input' must be Tensor, not str`.
    Fix: take it by name, `bert(...).pooler_output`, or load the model with return_dict=False.
    """
    target = script.target.get("transformers", "")
    if (target and minor(target) < (4, 0)) or _says_tuples(script):
        return
    for call in script.trace.calls("", "forward", "__call__"):
        if call.receiver is None or not call.target or ", " not in call.target[0] or (call.open and _names(script)):
            continue
        model = root(call.receiver)
        if (
            kind(call.receiver) != "model"
            or not isinstance(model, Made)
            or call.argument(None, "return_dict") is not None
        ):
            continue
        load = model.call
        ours = load.function_name.startswith("transformers.") and load.method == "from_pretrained"
        if ours and not load.open and not any(name in load.keywords for name in _TUPLES):
            yield Problem(
                f"the output is unpacked into `{call.target[0]}`, and these become its keys, texts like "
                '"last_hidden_state"',
                where=str(call.place),
                also=(str(load.place),),
            )


def _names(script: ScriptFacts) -> bool:
    """Whether a key of the script's tables says what a model gives, so that `**kwargs` may hold it."""
    for event in script.trace.events:
        given = (
            (*event.arguments, *event.keywords.values())
            if isinstance(event, Call)
            else (getattr(event, "value", None),)
        )
        if any(isinstance(one, Table) and one.get("return_dict") is not None for one in given):
            return True
        if isinstance(event, SetItem) and isinstance(event.index, Constant) and event.index.value == "return_dict":
            return True
    return False


def _says_tuples(script: ScriptFacts) -> bool:
    """Whether anything in the script may make its models give tuples: a config's attribute or argument."""
    for event in script.trace.events:
        if isinstance(event, SetAttribute) and event.name in _TUPLES:
            return True
        if isinstance(event, Call) and "onfig" in event.function_name:
            given = [event.keywords.get(name) for name in _TUPLES]
            if any(value is not None and flag(value) is not True for value in given[:2]) or given[2] is not None:
                return True
    return False


RULES: tuple[Rule, ...] = (output_unpacked_into_names,)
