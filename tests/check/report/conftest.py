"""A planted report that has something of everything: levels, places, fixes, allowances, skips, Hangul and an escape."""

from collections.abc import Iterator

import pytest

from pretune.check.engine import Report, Skipped
from pretune.check.finding import REMOVE, Finding, Fix, Level, Patch, Problem, Rule, rule


@rule("VOC001", Level.ERROR)
def ids_outside_embedding(model: object, tokenizer: object) -> Iterator[Problem]:
    """The tokenizer can emit ids that have no embedding row.

    Why: the first such id is an index error on CPU;
    on GPU, an assert that hides its cause.

    Fix: `pretune tokens resize`, or load the tokenizer the model was saved with.
    """
    yield from ()


@rule("DAT003", Level.WARNING)
def empty_text(data: object) -> Iterator[Problem]:
    """A row has no text | or only white space.

    Why: it trains [CLS] [SEP] towards a label.
    Fix: drop the row.
    """
    yield from ()


@rule("CHT002", Level.NOTE)
def template_marker_outside_vocabulary(tokenizer: object) -> Iterator[Problem]:
    """A marker of the chat template is no token.

    Why: it falls into pieces.
    Fix: add it.
    """
    yield from ()


RULES = (ids_outside_embedding, empty_text, template_marker_outside_vocabulary)


def found(
    of: Rule, message: str, where: str, *, level: Level | None = None, fix: Fix | None = None, help_: str = ""
) -> Finding:
    """A finding of one of the planted rules."""
    return Finding(of.code, of.name, level or of.level, message, where, help_ or of.fix, fix)


@pytest.fixture
def rules() -> tuple[Rule, ...]:
    """The planted rules."""
    return RULES


@pytest.fixture
def planted() -> Report:
    """A report with two errors, twelve warnings, a note, a crash, an allowance and skips of two reasons."""
    safe = Fix("set vocab_size to the 32,000 rows", (Patch("모델/config.json", "/vocab_size", 32000),))
    unsafe = Fix("remove the key", (Patch("모델/config.json", "/a~1b", REMOVE),), safe=False)
    findings = (
        found(
            ids_outside_embedding,
            "largest token id 32004, but 32000 embedding rows",
            "모델/config.json:/vocab_size",
            fix=safe,
        ),
        found(ids_outside_embedding, "adds 3 tokens, but 32000 rows", "--add-tokens", fix=unsafe),
        *(found(empty_text, f"row {n} is empty, expected text", f"train.jsonl:{n}") for n in range(3, 15)),
        Finding(
            "PT000",
            "rule-crashed",
            Level.WARNING,
            "the rule x crashed: KeyError: 'x'\nTraceback:\n  line",
            "",
            "report it",
        ),
        found(template_marker_outside_vocabulary, "marker \x1b[31m<|끝|>\x1b[0m falls into 4 pieces, expected 1", ""),
    )
    return Report(
        subject="모델",
        findings=findings,
        allowed=((found(empty_text, "row 99 is empty, expected text", "eval.jsonl:99"), "a test of refusals"),),
        skipped=(
            Skipped("LAB001", "labels-outside-range", "no data (give --data FILES)"),
            Skipped("TRN001", "warm-up-longer-than-run", "no training arguments (give --training-args)"),
            Skipped("LAB002", "labels-start-at-one", "no data (give --data FILES)"),
        ),
        asked=RULES,
    )


@pytest.fixture
def healthy() -> Report:
    """A report of three rules that found nothing and could all be asked."""
    return Report(subject="klue/bert-base", asked=RULES)
