"""PYS2: what a loop of the script's own hands to the model, and which of its weights an adapter leaves to train."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.sources.script_values import plain
from pretune.script.kinds import class_of, kind, root
from pretune.script.values import Constant, Made, Part, Sequence, Slice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.finding import Rule
    from pretune.script.trace import Call
    from pretune.script.values import Value

_PADDED = (True, "longest", "max_length")


@rule("PYS268", Level.ERROR)
def labels_shifted_by_hand(script: ScriptFacts) -> Iterator[Problem]:
    """Labels are shifted by hand for a model that shifts them itself.

    Why: *ForCausalLM compares each position with the next label. Labels that were moved before teach it to predict the
    word after the next; the loss falls, and what it writes is scrambled.
    Fix: labels=input_ids, both whole.
    """
    for call, name in _forwards(script):
        inputs, labels = call.argument(0, "input_ids"), call.argument(None, "labels")
        if not name.endswith(("ForCausalLM", "LMHeadModel")) or inputs is None or labels is None:
            continue
        first, second = _last_slice(inputs), _last_slice(labels)
        if first is None or second is None:
            continue
        if plain(first.stop) == -1 and first.start is None and plain(second.start) == 1 and second.stop is None:
            yield Problem(f"the labels are shifted by one, and {name} shifts them once more", where=str(call.place))


@rule("PYS269", Level.WARNING)
def mask_left_out(script: ScriptFacts) -> Iterator[Problem]:
    """Padded texts are given to a model without their attention mask.

    Why: without attention_mask the model reads pads as words: the same text gives another result in each batch.
    Fix: model(**batch), or attention_mask=batch["attention_mask"] beside the ids.
    """
    for call, name in _forwards(script):
        ids = call.argument(0, "input_ids")
        if call.open or len(call.arguments) > 1 or "attention_mask" in call.keywords or ids is None:
            continue
        encoded = _encoding(ids)
        if encoded is None or encoded not in script.encodings or _is_one_text(encoded):
            continue
        if plain(encoded.argument(None, "padding")) in _PADDED:
            yield Problem(
                f"texts padded at line {encoded.place.line} are given to {name} without attention_mask",
                where=str(call.place),
                also=(str(encoded.place),),
            )


@rule("PYS236", Level.ERROR)
def adapter_frozen_again(script: ScriptFacts) -> Iterator[Problem]:
    """The model is prepared for training on few bits after its adapter was put on.

    Why: prepare_model_for_kbit_training freezes every parameter, those of the adapter too: nothing is left to train.
    Fix: prepare_model_for_kbit_training(model) first, get_peft_model after it.
    """
    for call in script.trace.calls("prepare_model_for_kbit_training"):
        given = call.argument(0, "model")
        if isinstance(given, Made) and given.call.method == "get_peft_model":
            yield Problem(
                f"the adapter of line {given.call.place.line} is frozen with all other parameters",
                where=str(call.place),
                also=(str(given.call.place),),
            )


def _forwards(script: ScriptFacts) -> Iterator[tuple[Call, str]]:
    """Calls of models that transformers loaded, with the class that did."""
    for call in script.trace.calls("", "forward", "__call__"):
        if call.receiver is None or kind(call.receiver) != "model":
            continue
        model = root(call.receiver)
        if isinstance(model, Made) and model.call.function_name.startswith("transformers."):
            yield call, class_of(model)


def _last_slice(value: Value) -> Slice | None:
    """The slice along the last axis that a value was cut by, `x[:, 1:]`; None: it is no such cut."""
    while isinstance(value, Made) and value.call.method in ("contiguous", "clone", "to", "detach", "cuda"):
        if value.call.receiver is None:
            return None
        value = value.call.receiver
    index = value.index if isinstance(value, Part) else None
    last = index.items[-1] if isinstance(index, Sequence) and index.items else None
    return last if isinstance(last, Slice) else None


def _encoding(ids: Value) -> Call | None:
    """The call of a tokenizer whose ids a value is, whole: `batch["input_ids"]`, moved or not."""
    while isinstance(ids, Made) and ids.call.method in ("to", "cuda") and ids.call.receiver is not None:
        ids = ids.call.receiver
    if not isinstance(ids, Part) or "input_ids" not in (ids.name, plain(ids.index)):
        return None
    of = root(ids.of)
    while isinstance(of, Made) and of.call.method in ("to", "cuda") and of.call.receiver is not None:
        of = root(of.call.receiver)
    return of.call if isinstance(of, Made) else None


def _is_one_text(encoding: Call) -> bool:
    """Whether an encoding surely is of one text, which padding to the longest leaves as it is."""
    text = encoding.argument(0, "text")
    one = isinstance(text, Constant) or (isinstance(text, Sequence) and not text.open and len(text.items) == 1)
    return one and plain(encoding.argument(None, "padding")) != "max_length"


RULES: tuple[Rule, ...] = (labels_shifted_by_hand, mask_left_out, adapter_frozen_again)
