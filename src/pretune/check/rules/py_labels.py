"""PYS1: how many labels a script has, and how many its model is loaded with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.sources.script_names import name_of
from pretune.check.sources.script_values import plain
from pretune.script.objects import value_of
from pretune.script.trace import Assigned
from pretune.script.values import Sequence, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.finding import Rule
    from pretune.script.trace import Call

_CLASSIFIER = re.compile(r"For(SequenceClassification|TokenClassification)")
_BASE = re.compile(
    r"^(klue|monologg|beomi|snunlp|skt|kykim|tunib|google-bert|facebookai|distilbert|google|microsoft|xlm-roberta|bert|roberta"
    r"|distilbert-base|albert|electra)[/-][\w./-]*(bert|electra|roberta)[\w.-]*$|^(xlm-)?roberta-(base|large)$",
    re.IGNORECASE,
)
_TUNED = re.compile(
    r"finetuned|nsmc|squad|mnli|snli|sst|ner|nli|sentiment|emotion|hate|korquad|toxic|goemotions|sts|cola",
    re.IGNORECASE,
)
_NAMED = re.compile(r"label|tag|class|emotion|intent|relation|categor", re.IGNORECASE)


@rule("PYS150", Level.WARNING)
def label_maps_disagree(script: ScriptFacts) -> Iterator[Problem]:
    """num_labels, id2label and label2id of one model say different things.

    Why: the number of classes comes from one of them and the names from another: predictions are shown under the wrong
    names, or a label has no class.
    Fix: make one from the other: `{name: index for index, name in id2label.items()}`.
    """
    for call in (*script.models, *script.configs):
        by_id, by_name = (plain(call.argument(None, key)) for key in ("id2label", "label2id"))
        count = plain(call.argument(None, "num_labels"))
        by_id = {int(key): name for key, name in by_id.items() if _is_index(key)} if isinstance(by_id, dict) else None
        by_name = by_name if isinstance(by_name, dict) else None
        if by_id is not None and by_name is not None and {name: key for key, name in by_id.items()} != by_name:
            odd = next(
                (f"{key}: {name}" for key, name in by_id.items() if by_name.get(name) != key), f"{len(by_name)} names"
            )
            yield Problem(f"id2label and label2id disagree ({odd})", where=str(call.place))
        for name, table in (("id2label", by_id), ("label2id", by_name)):
            if table and isinstance(count, int) and not isinstance(count, bool) and len(table) != count:
                yield Problem(f"num_labels is {count}, and {name} has {len(table)} entries", where=str(call.place))
                break


@rule("PYS151", Level.WARNING)
def number_of_labels_left_out(script: ScriptFacts) -> Iterator[Problem]:
    """A classifier is loaded without num_labels, and the script has more than two labels.

    Why: the default is two: the first label from 2 on is an index error, on a GPU an assert that hides its cause.
    Fix: `from_pretrained(name, num_labels=len(labels))`.
    """
    listed = [found for event in script.trace.events if isinstance(event, Assigned) and (found := _labels(event))]
    counts = {len(labels) for _, labels in listed}
    if len(counts) != 1:
        return
    count = counts.pop()
    for call in script.models:
        name = name_of(value_of(call)) or ""
        given = {"num_labels", "id2label", "label2id", "config"} & set(call.keywords)
        if call.method != "from_pretrained" or call.open or given or len(call.arguments) > 1:
            continue
        if (
            _CLASSIFIER.search(call.function_name)
            and _BASE.match(name)
            and not _TUNED.search(name)
            and not _set_later(script, call)
        ):
            yield Problem(
                f"{name} is loaded without num_labels, which makes 2, and {listed[0][0].name} has {count} labels",
                where=str(call.place),
                also=(str(listed[0][0].place),),
            )


def _labels(event: Assigned) -> tuple[Assigned, list[object]] | None:
    """More than two labels that a variable surely holds: a dict that counts them, or a list of tags."""
    if not _NAMED.search(event.name):
        return None
    value = plain(event.value) if isinstance(event.value, Table | Sequence) else None
    if isinstance(value, dict) and len(value) > 2:
        numbers = list(value.values()) if all(isinstance(key, str) for key in value) else list(value)
        if all(_is_index(one) and not isinstance(one, str) for one in numbers) and sorted(numbers) == list(
            range(len(value))
        ):
            return event, numbers
    if isinstance(value, list) and len(value) > 2 and all(isinstance(one, str) for one in value):
        tags = "O" in value and any(str(one).startswith(("B-", "I-")) for one in value)
        return (event, value) if tags and len(set(value)) == len(value) else None
    return None


def _is_index(key: object) -> bool:
    return (isinstance(key, int) and not isinstance(key, bool)) or (isinstance(key, str) and key.isdecimal())


def _set_later(script: ScriptFacts, call: Call) -> bool:
    """Whether anything is set on the model, such as a head of its own."""
    return any(getattr(deed, "name", "") in ("classifier", "num_labels", "score") for deed in script.on(value_of(call)))


RULES: tuple[Rule, ...] = (label_maps_disagree, number_of_labels_left_out)
