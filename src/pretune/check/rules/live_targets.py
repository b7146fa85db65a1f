"""LIV0: the target of each token in the first batches: padding, the end, shifted labels, masking."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from pretune.check.facts.live_batches import IGNORED
from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.live import LiveFacts
    from pretune.check.facts.live_batches import Batch
    from pretune.check.finding import Rule

TOKENWISE = ("token-classification", "masked-lm", "causal-lm", "chat-sft")
FROM_LEFT = ("causal-lm", "chat-sft")


@rule("LIV007", Level.ERROR)
def padding_is_learnt(live: LiveFacts) -> Iterator[Problem]:
    """Padding has labels, so that the model learns to write it.

    Why: the loss of the pads, which are easy, hides that of the text, and the model learns that texts end in pads.
    Fix: set labels to -100 where attention_mask is 0, or let the collator do so (DataCollatorForLanguageModeling).
    """
    if live.task not in TOKENWISE or live.run.own_loss:
        return
    padded = learnt = 0
    for batch in live.batches:
        mask, labels = batch.rows("attention_mask"), batch.rows("labels")
        if mask is None or labels is None or [*map(len, mask)] != [*map(len, labels)]:
            continue
        for row_mask, row_labels in zip(mask, labels, strict=True):
            away = [label for seen, label in zip(row_mask, row_labels, strict=True) if seen == 0]
            padded += len(away)
            learnt += sum(label != IGNORED for label in away)
    if padded >= 4 and learnt * 2 > padded:
        grave = Level.ERROR if live.task in ("token-classification", "masked-lm") else Level.WARNING
        yield Problem(
            f"{percent(learnt / padded)} of {number(padded)} padded positions have a label other than {IGNORED}",
            "train batches: labels",
            level=grave,
        )


@rule("LIV008", Level.WARNING)
def end_is_never_learnt(live: LiveFacts) -> Iterator[Problem]:
    """The texts end in the end token, but its label is always -100.

    Why: the pad token is the end token, and the collator ignores both; the model never learns to stop.
    Fix: give the tokenizer a pad token of its own, or make the labels yourself and ignore by attention_mask.
    """
    if live.task not in FROM_LEFT:
        return
    end = live.tokenizer.special.get("eos")
    ends = learnt = others = 0
    for ids, labels, batch in _pairs(live):
        mask = batch.rows("attention_mask") or [[1] * len(row) for row in ids]
        for row, seen, wanted in zip(ids, mask, labels, strict=True):
            last = max((at for at, one in enumerate(seen) if one), default=-1)
            others += sum(label not in (IGNORED, end) for label in wanted)
            if last >= 0 and row[last] == end:
                ends += 1
                learnt += wanted[last] == end
    if end is not None and ends >= 4 and learnt == 0 and others:
        yield Problem(
            f"{number(ends)} rows end in the end token (id {end}), and in none of them it has a label",
            "train batches: labels",
        )


@rule("LIV009", Level.ERROR)
def labels_shifted_twice(live: LiveFacts) -> Iterator[Problem]:
    """Labels are moved by one already, and the model moves them once more.

    Why: models of transformers shift the labels inside the loss; so the model learns the token after the next.
    Fix: give labels that are a copy of input_ids.
    """
    if live.task not in FROM_LEFT or live.run.own_loss:
        return
    same = moved = total = 0
    for ids, labels, _ in _pairs(live):
        for row, wanted in zip(ids, labels, strict=True):
            for at in range(len(row) - 1):
                if wanted[at] != IGNORED and row[at] != row[at + 1]:
                    total += 1
                    same += wanted[at] == row[at]
                    moved += wanted[at] == row[at + 1]
    if total >= 16 and moved > 0.95 * total and same * 2 < total:
        yield Problem(
            f"{percent(moved / total)} of the labels are the next token, {percent(same / total)} the token at their "
            "place",
            "train batches: labels",
        )


@rule("LIV010", Level.ERROR)
def masking_does_not_suit_the_model(live: LiveFacts) -> Iterator[Problem]:
    """The collator masks tokens for a model that reads from left to right, or masks none for one that fills gaps.

    Why: a masked model that sees what it should guess learns to copy; a generative one learns from one token in seven.
    Fix: DataCollatorForLanguageModeling(mlm=True) for a masked model, mlm=False for a generative one.
    """
    mask = live.tokenizer.special.get("mask")
    if mask is None or live.run.own_loss or live.task not in ("masked-lm", "causal-lm"):
        return
    masked = told = copied = total = 0
    for ids, labels, _ in _pairs(live):
        for token, label in zip(chain.from_iterable(ids), chain.from_iterable(labels), strict=True):
            total += 1
            masked += token == mask
            told += label != IGNORED
            copied += label == token
    if total < 32:
        return
    if live.task == "masked-lm" and not masked and copied > 0.5 * total:
        yield Problem("no token of the batches is masked, and the labels are the tokens themselves", "data collator")
    if live.task == "causal-lm" and masked and told < 0.4 * total and copied < 0.5 * told:
        yield Problem(
            f"{number(masked)} tokens are masked and {percent(told / total)} have a label, but {live.model.name} "
            "learns the next token",
            "data collator",
        )


def _pairs(live: LiveFacts) -> Iterator[tuple[list[list[int]], list[list[int]], Batch]]:
    """Ids and labels of each batch in which they go together, a label for each id."""
    for batch in live.batches:
        ids, labels = batch.rows("input_ids"), batch.rows("labels")
        if ids is not None and labels is not None and [*map(len, ids)] == [*map(len, labels)]:
            yield ids, labels, batch


RULES: tuple[Rule, ...] = (
    padding_is_learnt,
    end_is_never_learnt,
    labels_shifted_twice,
    masking_does_not_suit_the_model,
)
