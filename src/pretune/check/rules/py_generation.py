"""PYS2: texts that a script generates, how they are decoded and scored, and which score is looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.py_evaluation import calls_in, metrics
from pretune.check.sources.script_values import plain
from pretune.script.kinds import class_of, held, root
from pretune.script.objects import value_of
from pretune.script.trace import Returned, SetAttribute, SetItem
from pretune.script.values import Constant, Made, Part, Table, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.finding import Rule
    from pretune.script.trace import Call
    from pretune.script.values import Function, Value

_PADDED = (True, "longest", "max_length")


@rule("PYS291", Level.WARNING)
def generated_behind_padding(script: ScriptFacts) -> Iterator[Problem]:
    """A decoder generates for prompts that are padded on the right.

    Why: a decoder goes on behind the last position: of a shorter prompt that is a pad, and what it writes has little to
    do with the prompt.
    Fix: tokenizer.padding_side = "left" before prompts are encoded for generate().
    """
    if script.trained or any(script.trace.calls("backward", "train", "fit")):
        return  # the right side is right for training; which encoding is for which is not known
    calls = [call for call in script.trace.calls("generate") if _is_decoder(call)]
    if not calls:
        return
    for encoding in script.encodings:
        padded = plain(encoding.argument(None, "padding")) in _PADDED
        if not padded or isinstance(encoding.argument(0, "text"), Constant) or encoding.open:
            continue
        said = _side(script, encoding)
        if said is not None and plain(said) == "right":
            yield Problem(
                "prompts are padded on the right, and generate() goes on behind the pads",
                where=str(encoding.place),
                also=(str(calls[0].place),),
            )


@rule("PYS292", Level.WARNING)
def ignored_labels_decoded(script: ScriptFacts) -> Iterator[Problem]:
    """compute_metrics decodes labels that hold -100.

    Why: labels are padded with -100, which is no token: `OverflowError` at the first evaluation, after an epoch of
    training.
    Fix: labels = np.where(labels != -100, labels, tokenizer.pad_token_id)
    """
    for function in _scorers(script):
        for call in calls_in(script.trace, function):
            given = call.argument(0, "sequences" if call.method == "batch_decode" else "token_ids")
            if call.method not in ("batch_decode", "decode") or given is None or not _is_label(given, function):
                continue
            if not any(isinstance(event, SetItem) and event.of == given for event in script.trace.events):
                yield Problem(f"{call.method} is given the labels with their -100", where=str(call.place))


@rule("PYS293", Level.ERROR)
def generation_not_asked_for(script: ScriptFacts) -> Iterator[Problem]:
    """compute_metrics decodes predictions, but the Trainer was not told to generate any.

    Why: without predict_with_generate the predictions are logits, and for an encoder-decoder a tuple of them: decoding
    stops at the first evaluation.
    Fix: Seq2SeqTrainingArguments(..., predict_with_generate=True)
    """
    for trainer, function in metrics(script.trace):
        given = held(value_of(trainer), "args", trainer)
        made = root(given) if given is not None else None
        if "Seq2SeqTrainer" not in trainer.method or not isinstance(made, Made) or made.call.open or trainer.open:
            continue
        told = made.call.argument(None, "predict_with_generate")
        later = any(isinstance(deed, SetAttribute) and deed.name == "predict_with_generate" for deed in script.on(made))
        if made.call.method != "Seq2SeqTrainingArguments" or later or trainer.argument(
            None, "preprocess_logits_for_metrics"
        ) is not None:  # fmt: skip
            continue
        calls = list(calls_in(script.trace, function))
        decodes = any(call.method == "batch_decode" for call in calls)
        off = told is None or plain(told) is False
        if decodes and off and not any(call.method == "argmax" for call in calls):
            yield Problem(
                f"{function.name} decodes what the model predicts, but predict_with_generate is not set",
                where=str(made.call.place),
                also=(str(function.place),),
            )


@rule("PYS294", Level.ERROR)
def best_metric_not_returned(script: ScriptFacts) -> Iterator[Problem]:
    """The metric that decides which checkpoint is best is none that compute_metrics returns.

    Why: `KeyError: The metric_for_best_model training argument is set to 'eval_f1', which is not found`, at the first
    save, after an epoch of training.
    Fix: name a key of the dict that compute_metrics returns.
    """
    for trainer, function in metrics(script.trace):
        given = held(value_of(trainer), "args", trainer)
        made = root(given) if given is not None else None
        if not isinstance(made, Made) or made.call.open or trainer.open:
            continue
        if any(isinstance(deed, SetAttribute) and deed.name == "metric_for_best_model" for deed in script.on(made)):
            continue
        name, prefix = plain(made.call.argument(None, "metric_for_best_model")), "eval_"
        returned = _keys(script, function)
        if not isinstance(name, str) or not returned:
            continue
        bare = name.removeprefix(prefix)
        if bare in _GIVEN or {bare, prefix + bare} & returned or bare.partition("_")[0] in _splits(trainer):
            continue
        shown = ", ".join(sorted(returned)[:4])
        yield Problem(
            f'metric_for_best_model is "{name}", but {function.name} returns {shown}',
            where=str(made.call.place),
            also=(str(function.place),),
        )


_GIVEN = {"loss", "runtime", "samples_per_second", "steps_per_second", "model_preparation_time"}
"""What an evaluation returns besides."""


def _splits(trainer: Call) -> set[str]:
    """The names of several evaluation sets, which come before the metric's."""
    given = trainer.argument(None, "eval_dataset")
    items = given.items if isinstance(given, Table) else ()
    return {str(key.value) for key, _ in items if isinstance(key, Constant)}


def _keys(script: ScriptFacts, function: Function) -> set[str]:
    """The keys of the dict that a function returns; empty: not all are known."""
    found: set[str] = set()
    for event in script.trace.events:
        if not isinstance(event, Returned) or event.function is None or event.function.node is not function.node:
            continue
        if not isinstance(event.value, Table) or event.value.open:
            return set()
        keys = [key.value for key, _ in event.value.items if isinstance(key, Constant)]
        if len(keys) != len(event.value.items):
            return set()
        found |= {key for key in keys if isinstance(key, str)}
    return found


def _is_decoder(call: Call) -> bool:
    model = root(call.receiver) if call.receiver is not None else None
    return isinstance(model, Made) and class_of(model).endswith(("ForCausalLM", "LMHeadModel"))


def _side(script: ScriptFacts, encoding: Call) -> Value | None:
    """What the script says of the padding side of an encoding, the last word first; None: nothing, or not surely."""
    own = encoding.argument(None, "padding_side")
    if own is not None or encoding.receiver is None:
        return own
    tokenizer = root(encoding.receiver)
    set_ = [deed for deed in script.on(tokenizer) if isinstance(deed, SetAttribute) and deed.name == "padding_side"]
    if set_:
        return set_[-1].value if not set_[-1].conditions and set_[-1].order < encoding.order else None
    return tokenizer.call.argument(None, "padding_side") if isinstance(tokenizer, Made) else None


def _scorers(script: ScriptFacts) -> Iterator[Function]:
    """The functions of the script that are a Trainer's compute_metrics, or are called so."""
    found = [function for _, function in metrics(script.trace)]
    named = script.trace.functions.get("compute_metrics")
    if named is not None and all(named.node is not one.node for one in found):
        found.append(named)
    yield from dict.fromkeys(found)


def _is_label(value: Value, function: Function) -> bool:
    """Whether a value is surely the labels that the Trainer hands to compute_metrics."""
    if not isinstance(value, Part) or not isinstance(value.of, Unknown):
        return False
    second = value.name == "label_ids" or (isinstance(value.index, Constant) and value.index.value == 1)
    return second and value.of.name in function.parameters[:1]


RULES: tuple[Rule, ...] = (
    generated_behind_padding,
    ignored_labels_decoded,
    generation_not_asked_for,
    best_metric_not_returned,
)
