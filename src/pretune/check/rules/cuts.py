"""LEN: what the limits cut off: text, answers, windows that never advance, batches of padding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.lengths import LengthFacts, Row
    from pretune.check.facts.tokenizer import TokenizerFacts
    from pretune.check.finding import Rule
    from pretune.check.sources.setup import Setup

READING = ("question-answering", "text-classification", "pair-classification", "token-classification")


def _limit(lengths: LengthFacts) -> str:
    """`max_length 384`, or the tokenizer's limit that stands in for it."""
    name = "max_length" if lengths.max_length is not None else "model_max_length"
    return f"{name} {number(lengths.limit or 0)}"


@rule("LEN005", Level.WARNING)
def text_cut_off(lengths: LengthFacts, setup: Setup) -> Iterator[Problem]:
    """Truncation throws away a large part of the text.

    Why: what is cut is never trained on, and nothing counts it; max_length=128 from another task's recipe is the
    usual cause.
    Fix: raise max_length, or cut long texts into windows with a stride.
    """
    limit = lengths.limit
    if limit is None or lengths.windows or lengths.packs:
        return
    rows = lengths.all
    share = rows.lost(limit)
    if share >= 0.05:
        yield Problem(
            f"{_limit(lengths)} cuts {number(rows.over(limit))} of {rows} and throws away {percent(share)} of all "
            f"tokens; the longest row has {number(rows.longest)}",
            where=lengths.model_max_length_at if lengths.max_length is None else setup.place(lengths.max_length_key),
            level=None if share >= 0.2 else Level.NOTE,
        )


@rule("LEN006", Level.ERROR)
def answer_cut_off(lengths: LengthFacts) -> Iterator[Problem]:
    """Answers lie behind the place where the context is cut, and no stride brings them back.

    Why: such a row is trained with [CLS] as its answer: the model learns that there is none.
    Fix: set stride (128 is usual) and return_overflowing_tokens, or raise max_length.
    """
    limit = lengths.limit
    asked = [row for row in lengths.rows if row.answers]
    if limit is None or not asked or lengths.windows:
        return
    lost = [row for row in asked if row.total > limit and all(_is_cut(row, span, lengths) for span in row.answers)]
    share = len(lost) / len(asked)
    if lost:
        yield Problem(
            f"{number(len(lost))} of {number(len(asked))} {lengths.looked}answers ({percent(share)}) lie beyond "
            f"{_limit(lengths)} and no stride is set",
            where=lost[0].where,
            level=None if share >= 0.05 else Level.WARNING,
        )


def _is_cut(row: Row, span: tuple[int, int], lengths: LengthFacts) -> bool:
    """Whether an answer is not wholly in the part of the context that is kept."""
    room = row.room(lengths.limit or 0)
    return span[0] < row.second - room if lengths.truncation_side == "left" else span[1] >= room


@rule("LEN007", Level.ERROR)
def stride_too_long(lengths: LengthFacts, setup: Setup) -> Iterator[Problem]:
    """The stride is not smaller than the room that a question leaves for the context.

    Why: windows overlap by the stride, so they would never advance; the tokenizers library panics ("`stride` must be
    strictly less than `max_len`") at the first long row with a long question.
    Fix: keep the stride below max_length less the longest question; 128 for 384 is usual.
    """
    limit, stride = lengths.limit, lengths.stride
    if not stride or limit is None:
        return
    hit = [row for row in lengths.longer_than(limit) if 0 < row.room(limit) <= stride and _second_is_cut(row, lengths)]
    least = min((row.room(limit) for row in hit), default=limit - min(lengths.specials))
    if hit or stride >= least:
        said = f"in {number(len(hit))} of {number(len(lengths.rows))} {lengths.looked}rows " if hit else ""
        yield Problem(
            f"stride is {number(stride)}, but {_limit(lengths)} leaves {said}only {number(max(least, 0))} tokens"
            + (f" beside the question, first {hit[0].where}" if hit else " of text"),
            where=setup.place("encode.stride"),
            level=None if hit or not lengths.rows else Level.WARNING,
        )


def _second_is_cut(row: Row, lengths: LengthFacts) -> bool:
    """Whether truncation shortens the text that `room` speaks of: truncation=True takes from the longer one."""
    return not row.second or lengths.truncation == "only_second" or row.second >= row.first


@rule("LEN008", Level.WARNING)
def answer_in_no_window(lengths: LengthFacts) -> Iterator[Problem]:
    """Answers stand whole in no window: a boundary cuts them, and the overlap is too short to mend it.

    Why: an answer longer than the stride is cut in both windows around a boundary, and both are trained as
    unanswerable.
    Fix: raise stride above the longest answer's tokens.
    """
    if not lengths.windows or lengths.limit is None:
        return
    stride = lengths.stride or 0
    asked = [row for row in lengths.rows if row.answers]
    cut = [row for row in asked if all(not _in_window(row, span, lengths) for span in row.answers)]
    if cut:
        most = max(last - first + 1 for row in cut for first, last in row.answers)
        yield Problem(
            f"{number(len(cut))} of {number(len(asked))} {lengths.looked}answers, up to {number(most)} tokens, stand "
            f"whole in no window of {_limit(lengths)} with stride {number(stride)}",
            where=cut[0].where,
            level=None if len(cut) >= 0.01 * len(asked) else Level.NOTE,
        )


def _in_window(row: Row, span: tuple[int, int], lengths: LengthFacts) -> bool:
    """Whether some window holds the whole answer: the last that begins at or before it does, or none does."""
    room = row.room(lengths.limit or 0)
    advance = room - (lengths.stride or 0)
    if room <= 0 or advance <= 0 or row.total <= (lengths.limit or 0):
        return True  # one window, or LEN007's and LEN011's to tell
    first, last = span
    if lengths.truncation_side == "left":
        first, last = row.second - 1 - last, row.second - 1 - first
    return last < first // advance * advance + room


@rule("LEN009", Level.NOTE)
def padding_to_full_length(lengths: LengthFacts, setup: Setup) -> Iterator[Problem]:
    """Every row is padded to max_length although most are far shorter.

    Why: the padding is computed like text: most of the training time goes into nothing.
    Fix: padding per batch (DataCollatorWithPadding, padding="longest"), or a smaller max_length.
    """
    limit = lengths.limit
    if lengths.padding != "max_length" or not limit or lengths.windows or lengths.all.rows < 20:
        return
    used = lengths.all.filled(limit)
    if used < 0.4:
        yield Problem(
            f"padding to {_limit(lengths)} leaves {percent(1 - used)} of every batch empty",
            where=setup.place("encode.padding"),
        )


@rule("LEN010", Level.WARNING)
def truncation_side_left(lengths: LengthFacts, tokenizer: TokenizerFacts, setup: Setup) -> Iterator[Problem]:
    """Text is cut on the left, which takes away what comes first.

    Why: a question, a title or an instruction stands at the beginning; with truncation_side left long rows lose it.
    Fix: set truncation_side to "right", or cut the context only (truncation="only_second").
    """
    if lengths.truncation_side != "left" or setup.task not in READING or lengths.cuts is False:
        return
    over = lengths.all.over(lengths.limit) if lengths.limit is not None else 0
    if lengths.all.rows and lengths.limit is not None and not over:
        return
    key = next((key for key in ("encode", "tokenizer_kwargs") if "truncation_side" in getattr(setup, key)), "")
    hit = f": {number(over)} of {lengths.all} lose their beginning" if over else ""
    yield Problem(
        f"truncation_side is left for {setup.task}{hit}",
        where=setup.place(f"{key}.truncation_side")
        if key
        else tokenizer.at("tokenizer_config.json", "/truncation_side"),
        level=Level.NOTE if key or not over else None,
    )


@rule("LEN011", Level.ERROR)
def question_fills_window(lengths: LengthFacts, setup: Setup) -> Iterator[Problem]:
    """Questions are so long that max_length leaves no room for the context.

    Why: with truncation="only_second" the tokenizer raises ("Sequence to truncate too short") at the first such row;
    with truncation=True the answer is cut away.
    Fix: raise max_length, or shorten the questions (the SQuAD scripts cut them at 64 tokens).
    """
    limit = lengths.limit
    if setup.task != "question-answering" or limit is None:
        return
    full = [row for row in lengths.longer_than(limit) if row.second and row.room(limit) <= 0]
    if full:
        yield Problem(
            f"{number(len(full))} of {number(len(lengths.rows))} {lengths.looked}questions alone fill "
            f"{_limit(lengths)}, up to {number(max(row.first for row in full))} tokens: no context is left",
            where=full[0].where,
            level=None if lengths.truncation == "only_second" else Level.WARNING,
        )


RULES: tuple[Rule, ...] = (
    text_cut_off,
    answer_cut_off,
    stride_too_long,
    answer_in_no_window,
    padding_to_full_length,
    truncation_side_left,
    question_fills_window,
)
