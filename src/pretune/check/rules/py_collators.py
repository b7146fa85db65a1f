"""PYS1: the collator that a Trainer is given, against the task of its model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.sources.script_values import plain
from pretune.script.kinds import class_of, held, root
from pretune.script.objects import value_of
from pretune.script.values import Constant, Instance, Made

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.finding import Rule
    from pretune.script.trace import Call
    from pretune.script.values import Value

_CAUSAL = ("ForCausalLM", "LMHeadModel")
_LISTS = ("ForTokenClassification", "ForConditionalGeneration", "ForSeq2SeqLM")
"""Ends of the names of model classes whose labels are a list a row."""


@rule("PYS182", Level.ERROR)
def words_masked_for_a_causal_model(script: ScriptFacts) -> Iterator[Problem]:
    """The collator masks words for a model that predicts the next one.

    Why: DataCollatorForLanguageModeling masks unless it is told mlm=False: a causal model then learns from 15 % of the
    positions, of texts with holes, and shifted by one. The loss falls all the same.
    Fix: DataCollatorForLanguageModeling(tokenizer, mlm=False)
    """
    for trainer, collator in _language_collators(script):
        if _model_class(script, trainer).endswith(_CAUSAL) and _masks(collator) is True:
            yield Problem(
                f"the collator masks words, but {_model_class(script, trainer)} predicts the next word",
                where=str(collator.place),
                also=(str(trainer.place),),
            )


@rule("PYS183", Level.ERROR)
def nothing_masked_for_a_masked_model(script: ScriptFacts) -> Iterator[Problem]:
    """The collator masks nothing for a model that is to guess masked words.

    Why: with mlm=False the labels are the inputs, and an encoder sees the word that it is asked for: the loss goes to
    zero and nothing is learnt.
    Fix: leave mlm=False out.
    """
    for trainer, collator in _language_collators(script):
        if _model_class(script, trainer).endswith("ForMaskedLM") and _masks(collator) is False:
            yield Problem(
                f"mlm=False masks nothing, but {_model_class(script, trainer)} is to guess masked words",
                where=str(collator.place),
                also=(str(trainer.place),),
            )


@rule("PYS184", Level.ERROR)
def labels_not_padded(script: ScriptFacts) -> Iterator[Problem]:
    """Rows with a list of labels are given to a collator that pads the inputs only.

    Why: DataCollatorWithPadding, which a Trainer with a tokenizer takes by itself, leaves the labels as long as they
    are: `Unable to create tensor` in the first batch of rows of different lengths.
    Fix: DataCollatorForTokenClassification or DataCollatorForSeq2Seq.
    """
    if any(plain(call.argument(None, "padding")) == "max_length" for call in script.encodings):
        return  # the labels may be padded with them
    for trainer in script.trainers:
        name = _model_class(script, trainer)
        if not name.endswith(_LISTS) or not trainer.function_name.startswith("transformers.") or trainer.open:
            continue
        given = held(value_of(trainer), "data_collator", trainer)
        if given is None or (isinstance(given, Constant) and given.value is None):
            if given is not None or held(value_of(trainer), "tokenizer", trainer) is None:
                continue
            yield Problem(
                f"the Trainer is given no collator and takes the one that pads inputs only, but {name} has a list of "
                "labels a row",
                where=str(trainer.place),
            )
        elif (made := _library_collator(given)) is not None and class_of(root(given)) == "DataCollatorWithPadding":
            yield Problem(
                f"DataCollatorWithPadding pads inputs only, but {name} has a list of labels a row",
                where=str(made.place),
                also=(str(trainer.place),),
            )


@rule("PYS185", Level.WARNING)
def label_pads_counted(script: ScriptFacts) -> Iterator[Problem]:
    """The collator pads labels with an id that the loss counts.

    Why: only -100 is left out of the loss: with 0, each pad is one more example of the first class, in a short row most
    of them.
    Fix: leave label_pad_token_id out.
    """
    for call in script.collators:
        value = plain(call.argument(None, "label_pad_token_id"))
        if isinstance(value, int) and value != -100 and call.function_name.startswith("transformers."):
            yield Problem(f"labels are padded with {value}, expected -100", where=str(call.place))


def _language_collators(script: ScriptFacts) -> Iterator[tuple[Call, Call]]:
    """Trainers of the library, with the DataCollatorForLanguageModeling that each is given."""
    for trainer in script.trainers:
        given = held(value_of(trainer), "data_collator", trainer)
        made = _library_collator(given) if given is not None else None
        if made is not None and class_of(Made(made)) == "DataCollatorForLanguageModeling" and not made.open:
            yield trainer, made


def _library_collator(given: Value) -> Call | None:
    """The call that made a collator of transformers; None: it is another one, or not known."""
    found = root(given)
    known = isinstance(found, Made) and found.call.function_name.startswith("transformers.")
    return found.call if known and isinstance(found, Made) else None


def _masks(collator: Call) -> bool | None:
    """Whether a language model's collator masks; None: not known, or the command line decides."""
    given = collator.argument(1, "mlm")
    if given is None:
        return True
    return given.value if isinstance(given, Constant) and not given.overridden_by else None


def _model_class(script: ScriptFacts, trainer: Call) -> str:
    """The class of transformers that a Trainer's model was loaded by; empty: another one, or not known."""
    model = script.model_of(trainer)
    if not isinstance(model, Made) or isinstance(model, Instance):
        return ""
    return class_of(model) if model.call.function_name.startswith("transformers.") else ""


RULES: tuple[Rule, ...] = (
    words_masked_for_a_causal_model,
    nothing_masked_for_a_masked_model,
    labels_not_padded,
    label_pads_counted,
)
