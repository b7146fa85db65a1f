"""CFG: labels in the config: how many, which, in what order, and what the head makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pretune.artifacts.config import as_labels
from pretune.check.facts.edits import whole
from pretune.check.finding import Fix, Level, Patch, Problem, rule
from pretune.check.rules.config_names import value
from pretune.check.rules.wording import number, shown, some

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.model import ModelFacts, WeightFacts
    from pretune.check.finding import Rule

CLASSIFIERS = (
    "classifier.weight",
    "classifier.out_proj.weight",
    "score.weight",
    "classification_head.out_proj.weight",
    "logits_proj.weight",
)
"""How the last layer of a classification head is named; its rows are the labels."""

PROBLEMS = ("regression", "single_label_classification", "multi_label_classification")


@rule("CFG030", Level.ERROR)
def num_labels_against_id2label(model: ModelFacts) -> Iterator[Problem]:
    """num_labels and id2label give different numbers of labels.

    Why: one overrules the other in silence (the last set wins, in a file num_labels): the head gets another size than
    one of them says.
    Fix: give id2label and label2id alone; num_labels follows from them.
    """
    counted, labelled = model.edit("num_labels"), model.edit("id2label")
    if (
        counted
        and labelled
        and isinstance(labelled.new, Mapping)
        and whole(counted.new) is not None
        and len(labelled.new) != counted.new
    ):
        message = (
            f"num_labels={value(counted.new)} and an id2label of {number(len(labelled.new))} entries are both given"
        )
        yield Problem(f"{message}: the head gets {value(model.effective.get('num_labels'))}", counted.where)
        return
    stated, labels = whole(model.config.get("num_labels")), model.config.get("id2label")
    if counted or labelled or stated is None or not isinstance(labels, Mapping) or len(labels) == stated:
        return
    message = f"config.json says num_labels {number(stated)}, id2label has {number(len(labels))} names, which are lost"
    yield Problem(message, model.at("/num_labels"), level=Level.WARNING)


@rule("CFG031", Level.WARNING)
def label_ids_as_text(model: ModelFacts) -> Iterator[Problem]:
    """id2label is given to from_pretrained with its ids as text.

    Why: only what is read from a file is turned into numbers; `config.id2label[0]` then raises a KeyError, at
    inference.
    Fix: `id2label={0: "…", 1: "…"}`, with numbers as keys.
    """
    edit = model.edit("id2label")
    if (
        edit is None
        or not isinstance(edit.new, Mapping)
        or any(form in edit.where for form in (".toml:", ".json:", "--"))
    ):
        return  # TOML, JSON and the command line have no other keys than text
    text = [key for key in edit.new if isinstance(key, str)]
    if text:
        yield Problem(
            f"id2label has the text {shown(text[0])} as an id, expected a number: no lookup by number will find it",
            edit.where,
        )


@rule("CFG032", Level.ERROR)
def label_order_changed(model: ModelFacts, weights: WeightFacts) -> Iterator[Problem]:
    """The checkpoint has a trained head for the same labels in another order.

    Why: the sizes agree, so the head is loaded as it is: what it learnt as one label is now read as another.
    Fix: keep the checkpoint's id2label and map the data's labels to it.
    """
    edit = model.edit("id2label")
    if edit is None:
        return
    old, new = as_labels(model.saved.get("id2label")), as_labels(edit.new)
    if not old or not new or len(old) != len(new) or not _has_head(weights, len(old)):
        return
    if any(not isinstance(name, str) for name in (*old.values(), *new.values())) or set(old.values()) != set(
        new.values()
    ):
        return
    moved = [(index, name, new.get(index)) for index, name in sorted(old.items()) if new.get(index) != name]
    if moved:
        index, name, other = moved[0]
        message = f"the trained head's label {index} is {shown(name)}, the setup calls it {shown(str(other))}"
        yield Problem(f"{message}: {len(moved)} of {len(old)} labels change places", edit.where)


def _has_head(weights: WeightFacts, labels: int) -> bool:
    return any(
        name.endswith(CLASSIFIERS) and tensor.shape[:1] == (labels,) for name, tensor in weights.table.tensors.items()
    )


@rule("CFG033", Level.WARNING)
def label2id_not_the_inverse(model: ModelFacts) -> Iterator[Problem]:
    """label2id is not the inverse of id2label, or the ids are not 0, 1, 2 and so on.

    Why: data are encoded by one and predictions read by the other: the scores of right answers look wrong, or a
    KeyError stops the run.
    Fix: make one from the other: `label2id = {name: i for i, name in id2label.items()}`.
    """
    labels, ids = as_labels(model.effective.get("id2label")), model.effective.get("label2id")
    edited = model.edit("id2label"), model.edit("label2id")
    where = model.place("label2id" if edited[1] or not edited[0] else "id2label")
    if labels is None or not labels or not model.states("id2label"):
        return
    strange = sorted(index for index in labels if not 0 <= index < len(labels))
    if strange:
        expected = f"expected 0 to {number(len(labels) - 1)}"
        message = f"id2label has {number(len(labels))} labels and the id {strange[0]}, {expected}"
        yield Problem(message, model.place("id2label"))
        return
    if not isinstance(ids, Mapping) or not ids or not model.states("label2id"):
        return
    wrong = [(name, index, found) for name, index, found in _contradictions(labels, ids)]
    if not wrong:
        return
    name, index, found = wrong[0]
    message = f"label2id gives {shown(str(name))} {value(found)}, id2label has it at {value(index)}"
    one_side = bool(edited[0]) != bool(edited[1])
    repeated = len(set(map(str, labels.values()))) < len(labels)
    fix = None
    if not any(edited) and not repeated and all(isinstance(name, str) for name in labels.values()):
        inverse = {str(name): index for index, name in sorted(labels.items())}
        fix = Fix(
            "make label2id the inverse of id2label",
            (Patch(model.stored.file, model.stored.pointer("label2id"), inverse),),
        )
    yield Problem(message, where, fix=fix, level=Level.NOTE if one_side else None)


def _contradictions(labels: Mapping[int, Any], ids: Mapping[Any, Any]) -> Iterator[tuple[Any, Any, Any]]:
    """Labels whose id differs between the two maps: name, id by id2label, what label2id says."""
    by_name = {str(name): index for index, name in labels.items()}
    for name, found in ids.items():
        index = by_name.get(str(name))
        if index is None or str(found) != str(index):
            yield name, index, found
    known = {str(name) for name in ids}
    for name, index in by_name.items():
        if name not in known:
            yield name, index, None


@rule("CFG034", Level.ERROR)
def problem_type_against_num_labels(model: ModelFacts) -> Iterator[Problem]:
    """problem_type does not exist, or does not go with the number of labels.

    Why: an unknown type leaves the loss out; single_label_classification with one label has nothing to decide
    (transformers 5 raises).
    Fix: regression for one number, single_label_classification for one of several labels, multi_label_classification
    for any of several.
    """
    kind = model.effective.get("problem_type")
    if kind is None or not model.states("problem_type"):
        return
    if kind not in PROBLEMS:
        yield Problem(f"problem_type is {value(kind)}, expected one of {some(PROBLEMS)}", model.place("problem_type"))
    elif kind == "single_label_classification" and model.number("num_labels") == 1:
        yield Problem(
            "problem_type is single_label_classification and num_labels is 1, expected at least 2",
            model.place("problem_type"),
        )


RULES: tuple[Rule, ...] = (
    num_labels_against_id2label,
    label_ids_as_text,
    label_order_changed,
    label2id_not_the_inverse,
    problem_type_against_num_labels,
)
