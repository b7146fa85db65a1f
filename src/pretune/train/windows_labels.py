"""Where the answer lies in each window: label. By binary search over the offsets of all contexts at once.

The labels are those of run_qa.py, but for two faults that it has: an answer that begins with a window's last token
gets a start beside the context there, and a character of several byte tokens a start after its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.train.questions import Question
    from pretune.train.windows_tokens import Tokens

_APART = 1 << 32
"""More than a context has characters: keys of one context all lie below those of the next."""


def label(
    questions: Sequence[Question], contexts: Tokens, windows: tuple[Any, Any, Any, Any, Any, Any]
) -> dict[str, Any]:
    """Start and end position of the first answer in each window, or of the token that stands for none.

    Args:
        questions: whose numbers the windows name.
        contexts: their contexts' tokens.
        windows: example, first token of the context (a row of contexts.offsets), tokens of the context, offsets of the
            first one, its position in the window, position of the token that stands for no answer; (windows,) each.

    Returns:
        start_positions, end_positions: (windows,) int32; mended: how many of them run_qa.py has otherwise; lost:
        places of questions whose answer no window holds whole.
    """
    import numpy as np

    example, token_at, size, first, context_at, cls_at = windows
    firsts = [one.answers[0] if one.answers else None for one in questions]
    begins = np.array([-1 if one is None or one.start is None else one.start for one in firsts], np.int64)
    lengths = np.array([0 if one is None else len(one.text) for one in firsts], np.int64)
    start_keys, end_keys = _keys(contexts)
    begin, end = begins[example], (begins + lengths)[example]
    last = np.minimum(token_at + size - 1, max(len(contexts.offsets) - 1, 0))
    ends = contexts.offsets[last, 1] if len(contexts.offsets) else np.zeros(len(example), np.int32)
    inside = (begin >= 0) & (lengths[example] > 0) & (size > 0) & (first[:, 0] <= begin) & (ends >= end)
    rows = np.flatnonzero(inside)
    low, high, context = token_at[rows], last[rows], contexts.of[example[rows]] * _APART
    past = np.searchsorted(start_keys, context + begin[rows], "right") - 1
    start = np.clip(past, low, high)
    stop = np.clip(np.searchsorted(end_keys, context + end[rows], "left"), low, high)
    # run_qa.py walks on while tokens begin at or before the answer, and the special token behind begins at 0
    beside, reverse = past >= high, start > stop
    whole_start = np.maximum(np.searchsorted(start_keys, start_keys[start], "left"), low)
    whole_stop = np.minimum(np.searchsorted(end_keys, end_keys[stop], "right") - 1, high)
    start, stop = np.where(reverse, whole_start, start), np.where(reverse, whole_stop, stop)
    starts, stops = cls_at.astype(np.int32), cls_at.astype(np.int32)
    starts[rows] = context_at[rows] + np.minimum(start, stop) - low
    stops[rows] = context_at[rows] + np.maximum(start, stop) - low
    lost = np.flatnonzero((begins >= 0) & (lengths > 0) & (np.bincount(example[rows], minlength=len(questions)) == 0))
    lost = lost[np.isin(lost, example)]
    return {
        "start_positions": starts,
        "end_positions": stops,
        "mended": int(np.count_nonzero(beside | reverse)),
        "lost": tuple(questions[at].where or questions[at].id for at in lost.tolist()),
    }


def _keys(contexts: Tokens) -> tuple[Any, Any]:
    """Keys that never fall: number of the context, then the furthest start so far, or the nearest end to come."""
    import numpy as np

    counts = np.diff(contexts.bounds)
    base: Any = np.repeat(np.arange(len(counts), dtype=np.int64) * _APART, counts)
    starts, ends = contexts.offsets[:, 0] + base, contexts.offsets[:, 1] + base
    return np.maximum.accumulate(starts), np.minimum.accumulate(ends[::-1])[::-1]
