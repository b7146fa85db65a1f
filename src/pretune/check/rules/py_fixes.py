"""Fixes of scripts that more than one rule offers: the resize that is missing after tokens were added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Fix, InsertAfter
from pretune.script.kinds import root
from pretune.script.trace import Assigned

if TYPE_CHECKING:
    from pretune.check.facts.script import ScriptFacts
    from pretune.script.trace import Call
    from pretune.script.values import Value

ADDING = ("add_tokens", "add_special_tokens")


def missing_resize(script: ScriptFacts, tokenizer: Value, model: Value) -> Fix | None:
    """`model.resize_token_embeddings(len(tokenizer))` after the tokens were added and the model was made.

    None where it is not plain where that is, and by which names: both must be variables of the function in which the
    tokens are added, and still mean the same there.

    Args:
        script: the script.
        tokenizer: the tokenizer, as it was loaded, that the tokens are added to.
        model: the model, as it was loaded.
    """
    added = [call for call in script.calls_on(tokenizer, *ADDING) if root(call.receiver or tokenizer) == tokenizer]
    made = _variable(script, model, added[-1]) if added else None
    named = _variable(script, tokenizer, added[-1]) if added else None
    if made is None or named is None:
        return None
    later: Assigned | Call = made if made.order > added[-1].order else added[-1]
    if later.loops != made.loops or len(later.conditions) > len(added[-1].conditions):
        return None  # a loop would resize once a round; a model that is made in a branch may not be the one that trains
    meant = {made.name: model, named.name: tokenizer}
    said = [event for event in script.trace.events if isinstance(event, Assigned) and event.name in meant]
    between = [event for event in said if min(made.order, named.order) < event.order <= later.order]
    if any(root(event.value) != meant[event.name] for event in between):
        return None
    statement = f"{made.name}.resize_token_embeddings(len({named.name}))"
    return Fix(f"add {statement}", (InsertAfter(later.place, statement),))


def _variable(script: ScriptFacts, value: Value, beside: Call) -> Assigned | None:
    """Where a variable becomes the value, in the function and the walk that `beside` stands in; None: none does."""
    found = [
        event
        for event in script.trace.events
        if isinstance(event, Assigned)
        and event.name.isidentifier()
        and root(event.value) == value
        and (event.function, event.entry, event.place.file) == (beside.function, beside.entry, beside.place.file)
    ]
    return found[0] if found else None
