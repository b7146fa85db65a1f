"""LEN: positions: what is longer than the model can place, and where the limits of model and tokenizer disagree.

What limits cut off is in cuts.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.facts.lengths import UNLIMITED
from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.lengths import LengthFacts
    from pretune.check.facts.tokenizer import TokenizerFacts
    from pretune.check.finding import Rule
    from pretune.check.sources.setup import Setup


def _positions(lengths: LengthFacts) -> str:
    """`the model has 512 positions`, with the reason where the table is larger."""
    if not lengths.hard:
        return f"the model was trained on {number(lengths.positions or 0)}"
    said = f"the model has {number(lengths.positions or 0)} positions"
    if lengths.offset > 0 and lengths.table is not None:
        said += f" ({number(lengths.table)} rows less the {lengths.offset} that no token uses)"
    return said


def _hit(lengths: LengthFacts) -> str:
    """How many rows are longer than the positions, and the first."""
    rows, limit = lengths.all, lengths.positions or 0
    if not rows.rows:
        return ""
    over = rows.over(limit)
    if not over:
        return f"; the longest of {rows} has {number(rows.longest)}"
    first = lengths.first_over(limit)
    return f"; {number(over)} of {rows} are longer{f', first {first}' if first else ''}"


@rule("LEN001", Level.ERROR)
def max_length_beyond_positions(lengths: LengthFacts, setup: Setup) -> Iterator[Problem]:
    """max_length allows more tokens than the model has positions.

    Why: the first longer row is an index error (RoBERTa) or a shape error (BERT), often late in the epoch. RoBERTa-like
    models count positions from pad_token_id + 1, so 514 rows hold 512 tokens (huggingface/transformers#1363). Models
    with rotary positions do not fail, they meet positions that they were never trained on.
    Fix: set max_length to the usable positions.
    """
    if lengths.positions is None or lengths.max_length is None or lengths.max_length <= lengths.positions:
        return
    over = lengths.all.over(lengths.positions)
    pads = lengths.padding == "max_length" and lengths.offset == 0  # RoBERTa's pad tokens take no position
    level = None
    if not lengths.hard:
        level = Level.WARNING if over and lengths.cuts else Level.NOTE
    elif lengths.all.rows and not over and not pads:
        level = Level.WARNING
    yield Problem(
        f"max_length is {number(lengths.max_length)}, but {_positions(lengths)}{_hit(lengths)}",
        where=setup.place(lengths.max_length_key),
        level=level,
    )


@rule("LEN002", Level.WARNING)
def length_unlimited(lengths: LengthFacts) -> Iterator[Problem]:
    """truncation=True cuts nothing: neither max_length nor model_max_length gives a limit.

    Why: a tokenizer saved without model_max_length has the placeholder 1e30; a row longer than the positions then
    fails in the middle of the epoch (huggingface/transformers#14561).
    Fix: pass max_length, or write model_max_length into tokenizer_config.json.
    """
    if lengths.positions is None or not lengths.truncation or lengths.max_length is not None or lengths.packs:
        return
    if lengths.model_max_length is not None and lengths.model_max_length > UNLIMITED:
        over = lengths.all.over(lengths.positions)
        level = Level.ERROR if over else Level.NOTE if lengths.all.rows else Level.WARNING
        if not lengths.hard:
            level = Level.WARNING if over else Level.NOTE
        yield Problem(
            "truncation is on but max_length and model_max_length are not set: nothing is cut; "
            f"{_positions(lengths)}{_hit(lengths)}",
            where=lengths.model_max_length_at,
            level=level,
        )


@rule("LEN003", Level.WARNING)
def tokenizer_limit_beyond_positions(lengths: LengthFacts, tokenizer: TokenizerFacts) -> Iterator[Problem]:
    """The tokenizer's model_max_length is larger than the model's positions.

    Why: truncation=True without max_length cuts there, too late; the first longer row fails.
    Fix: set model_max_length to the usable positions, or pass max_length.
    """
    limit = lengths.model_max_length
    if lengths.positions is None or not lengths.hard or limit is None or not lengths.positions < limit <= UNLIMITED:
        return
    if lengths.max_length is not None or lengths.truncation is False or lengths.packs:
        return  # it is never asked for
    over = lengths.all.over(lengths.positions)
    yield Problem(
        f"model_max_length is {number(limit)}, but {_positions(lengths)}{_hit(lengths)}",
        where=lengths.model_max_length_at,
        level=Level.ERROR if over and lengths.truncation else None,
        fix=tokenizer.patched(f"cut at {number(lengths.positions)} tokens", model_max_length=lengths.positions),
    )


@rule("LEN004", Level.WARNING)
def rows_beyond_positions(lengths: LengthFacts, setup: Setup) -> Iterator[Problem]:
    """Rows are longer than the model's positions and the setup does not say that they are cut.

    Why: without truncation the first such row stops the run, with "index out of range" or a size mismatch.
    Fix: set encode = { truncation = true, max_length = ... }, for question answering with a stride.
    """
    if lengths.positions is None or lengths.cuts or lengths.packs:
        return
    over = lengths.all.over(lengths.positions)
    if not over:
        return
    stated = lengths.said and setup.task not in ("causal-lm", "masked-lm")  # those often join texts and cut blocks
    level = Level.ERROR if lengths.truncation is False else Level.WARNING if stated else Level.NOTE
    says = "truncation is off" if lengths.truncation is False else "no truncation is set"
    yield Problem(
        f"{number(over)} of {lengths.all} are longer than the model's {number(lengths.positions)} positions, the "
        f"longest has {number(lengths.all.longest)} tokens; {says}",
        where=lengths.first_over(lengths.positions),
        level=level if lengths.hard else Level.NOTE,
    )


RULES: tuple[Rule, ...] = (
    max_length_beyond_positions,
    length_unlimited,
    tokenizer_limit_beyond_positions,
    rows_beyond_positions,
)
