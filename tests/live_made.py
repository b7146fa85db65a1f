"""Live facts as tests say them: batches of lists, a model and a tokenizer of a few numbers. Needs no torch."""

from collections.abc import Mapping, Sequence
from typing import Any

from pretune.check.facts.deep import DeepFacts
from pretune.check.facts.live import LiveFacts, LiveTokenizer
from pretune.check.facts.live_batches import Batch
from pretune.check.facts.live_model import LiveModel, Parameter
from pretune.check.facts.live_training import LiveRun
from pretune.check.finding import Finding, Rule, Unavailable, stamp

SPECIAL = {"pad": 0, "unk": 1, "cls": 2, "sep": 3, "mask": 4}
WRITER = {"pad": 0, "bos": 2, "eos": 3}
INPUTS = ("input_ids", "attention_mask", "token_type_ids", "labels", "start_positions", "end_positions")


def batch(**values: Any) -> Batch:
    """A batch of lists; a float anywhere makes a key float."""

    def shape(value: Any) -> tuple[int, ...]:
        return (len(value), *shape(value[0])) if isinstance(value, list) and value else ()

    def flat(value: Any) -> list[Any]:
        return [one for inner in value for one in flat(inner)] if isinstance(value, list) else [value]

    kinds = {
        key: "float32" if any(isinstance(v, float) for v in flat(value)) else "int64" for key, value in values.items()
    }
    return Batch({key: shape(value) for key, value in values.items()}, kinds, values)


def parameter(name: str, *shape: int, dtype: str = "float32", trained: bool = True, finite: bool = True) -> Parameter:
    """One parameter."""
    return Parameter(name, shape or (4, 4), dtype, trained, finite)


def live(
    task: str | None = None,
    *batches: Batch,
    model: Mapping[str, Any] | None = None,
    special: Mapping[str, int] | None = None,
    tokenizer: Mapping[str, Any] | None = None,
    run: Mapping[str, Any] | None = None,
    unseen: str = "",
    failure: str = "",
) -> LiveFacts:
    """Facts of a BERT with 100 rows and three labels, unless said otherwise."""
    told = {
        "name": "BertForSequenceClassification", "rows": 100, "inputs": INPUTS, "open_inputs": False,
        "config": {"id2label": {0: "a", 1: "b", 2: "c"}}, **(model or {}),
    }  # fmt: skip
    ids = dict(SPECIAL if special is None else special)
    known = {"name": "BertTokenizer", "size": 100, "largest": 99, "special": ids, "decode": lambda row: f"<{row[0]}>"}
    return LiveFacts(
        task,
        LiveModel(**told),
        LiveTokenizer(**{**known, "opens": ids.get("cls"), **(tokenizer or {})}),
        LiveRun(**{"own_loss": False, **(run or {})}),
        tuple(batches),
        unseen,
        failure,
    )


def deep(task: str | None = None, *losses: float, model: Mapping[str, Any] | None = None, **asked: Any) -> DeepFacts:
    """What computed batches gave."""
    return DeepFacts(
        task, LiveModel(**{"name": "BertForSequenceClassification", **(model or {})}), losses or (1.1,), **asked
    )


def told(rule: Rule, facts: LiveFacts | DeepFacts) -> list[Finding]:
    """What the rule finds; nothing where it cannot be asked."""
    try:
        return [stamp(rule, problem) for problem in rule.ask(facts)]
    except Unavailable:
        return []


def cases(*rows: tuple[Rule, str, Sequence[LiveFacts | DeepFacts], Sequence[LiveFacts | DeepFacts]]) -> list[Any]:
    """(rule, word of its message, facts that fire, facts that do not) as (rule, facts, word or None), with ids."""
    import pytest

    made = []
    for rule, word, fires, quiet in rows:
        assert len(fires) >= 3, rule.name
        assert len(quiet) >= 3, rule.name
        made += [pytest.param(rule, one, word, id=f"{rule.name}-fires-{at}") for at, one in enumerate(fires)]
        made += [pytest.param(rule, one, None, id=f"{rule.name}-quiet-{at}") for at, one in enumerate(quiet)]
    return made


def judged(rule: Rule, facts: LiveFacts | DeepFacts, word: str | None) -> None:
    """One finding that says the word, or none at all."""
    findings = told(rule, facts)
    assert [word in one.message for one in findings] == ([True] if word is not None else []), findings
