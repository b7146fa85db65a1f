"""Start and end logits of windows to answers: answers_of, Answers. The best answers of run_qa.py, by vector operations.

The best start and end positions of each window are paired, the pairs of all windows of a question compared, and with
`null` the score of no answer set against the best of them (utils_qa.postprocess_qa_predictions). Files are written by
answers_files.py. Knows no metric and no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.train.questions import Question
    from pretune.train.windows import Windows

_BATCH = 1024
"""Windows whose pairs are made at a time: 20 x 20 pairs each."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers found, best first, for each question.

    Attributes:
        questions: what was asked.
        bounds: (questions + 1,) int64: question q has candidates bounds[q]:bounds[q + 1].
        spans: (candidates, 2) int32: characters of the context; (0, 0) stands for no answer.
        start_logits, end_logits, scores: (candidates,) in the logits' precision.
        made_up: (questions,) bool: where nothing was found run_qa.py puts the word "empty" first, with logits 0.
        texts: the predicted answer of each question; "": no answer.
        best: the best answer that is some text, whatever no answer scores.
        null_odds: (questions,) float64: score of no answer less that of the best answer; None: no answer not allowed.
    """

    questions: tuple[Question, ...]
    bounds: Any
    spans: Any
    start_logits: Any
    end_logits: Any
    scores: Any
    made_up: Any
    texts: tuple[str, ...]
    best: tuple[str, ...]
    null_odds: Any = None

    def predictions(self) -> dict[str, str]:
        """Id -> answer, as the official scripts take them."""
        return {one.id: text for one, text in zip(self.questions, self.texts, strict=True)}

    def n_best(self, question: int) -> list[dict[str, Any]]:
        """The candidates of a question as nbest_predictions.json has them, with their softmax among themselves."""
        import numpy as np

        part = slice(int(self.bounds[question]), int(self.bounds[question + 1]))
        context = self.questions[question].context
        scores = self.scores[part]
        if self.made_up[question]:
            scores = np.concatenate([[0.0], scores])
        chances = np.exp(scores - scores.max())
        chances = (chances / chances.sum()).tolist()
        rows = zip(
            self.spans[part].tolist(), self.start_logits[part].tolist(), self.end_logits[part].tolist(), strict=True
        )
        found = [{"start_logit": start, "end_logit": end, "text": context[a:b]} for (a, b), start, end in rows]
        if self.made_up[question]:
            found.insert(0, {"text": "empty", "start_logit": 0.0, "end_logit": 0.0})
        return [{**one, "probability": chance} for one, chance in zip(found, chances, strict=True)]


def answers_of(
    questions: Sequence[Question],
    windows: Windows,
    logits: tuple[Any, Any],
    *,
    null: bool = False,
    n_best: int = 20,
    max_answer_length: int = 30,
    null_threshold: float = 0.0,
) -> Answers:
    """The answers that logits stand for.

    Args:
        questions: those the windows were cut from.
        windows: from `cut`.
        logits: start and end; each (tokens,) as `Windows.input_ids`, or (windows, width) padded on the right. What a
            model says of pads takes part in the choice of the best positions, as in run_qa.py: give none where
            there are none.
        null: whether no answer is an answer (SQuAD 2, KLUE-MRC).
        n_best: positions taken of each window, and candidates kept of each question.
        max_answer_length: in tokens.
        null_threshold: no answer is given when its score is above the best answer's by more than this.

    Raises:
        UserError: logits of another number of windows or tokens, or not a number.
    """
    import numpy as np

    starts, ends = (_rows(np.asarray(one), windows) for one in logits)
    none: Any = np.zeros(0, np.int64)
    found = [
        _pairs(windows, (starts, ends), at, n_best, max_answer_length) for at in range(0, len(windows), _BATCH)
    ] or [(none, none, none)]
    window, start, end = (np.concatenate(column) for column in zip(*found, strict=True))
    columns = [window, windows.example[window], starts[window, start], ends[window, end]]
    spans = _spans(windows, window, start, end)
    scores = columns[2] + columns[3]
    no_answer = _null(windows, starts, ends, len(questions)) if null else None
    example, first, last = columns[1], columns[2], columns[3]
    if no_answer is not None:
        asked, null_start, null_end, null_score = no_answer
        example = np.concatenate([example, asked])
        first, last = np.concatenate([first, null_start]), np.concatenate([last, null_end])
        scores = np.concatenate([scores, null_score])
        spans = np.concatenate([spans, np.zeros((len(asked), 2), np.int32)])
    ranked = _sorted(-scores, example)  # stable: ties stay in the order run_qa.py meets them
    begins: Any = np.searchsorted(example[ranked], np.arange(len(questions) + 1))
    rank = np.arange(len(ranked)) - begins[example[ranked]]
    kept = rank < n_best
    if no_answer is not None:
        kept |= _null_put_back(example[ranked], ranked, spans[ranked], kept, len(example) - len(asked))
    ranked = ranked[kept]
    example, spans, scores, first, last = (one[ranked] for one in (example, spans, scores, first, last))
    bounds = np.searchsorted(example, np.arange(len(questions) + 1))
    return _chosen(questions, (bounds, spans, first, last, scores), no_answer, null_threshold)


def _sorted(by: Any, within: Any) -> Any:
    """The order of `within`, and where that is equal of `by`; what is equal in both stays in its order."""
    import numpy as np

    return np.lexsort((by, within))


def _rows(logits: Any, windows: Windows) -> Any:
    """(windows, width), minus infinity where a window has no token."""
    import numpy as np

    lengths = windows.lengths
    if logits.dtype.kind != "f":
        logits = logits.astype(np.float32)
    if logits.ndim == 1 and len(logits) == len(windows.input_ids):
        rows = np.full((len(lengths), int(lengths.max(initial=0))), -np.inf, logits.dtype)
        rows[np.arange(rows.shape[1]) < lengths[:, None]] = logits
        logits = rows
    if logits.ndim != 2 or len(logits) != len(lengths) or logits.shape[1] < lengths.max(initial=0):
        raise UserError(
            f"logits have the shape {logits.shape}, expected ({len(windows.input_ids)},) or ({len(lengths)}, at least "
            f"{int(lengths.max(initial=0))})"
        )
    if np.isnan(logits).any():
        at = int(np.flatnonzero(np.isnan(logits).any(axis=1))[0])
        raise UserError(f"logits of window {at} are not numbers", hint="the model has diverged, or overflows in fp16")
    return logits


def _pairs(windows: Windows, logits: tuple[Any, Any], at: int, n_best: int, longest: int) -> tuple[Any, Any, Any]:
    """Window, start and end of each pair that may be an answer, in the order run_qa.py meets them."""
    import numpy as np

    part = slice(at, at + _BATCH)
    start, end = (np.argsort(one[part], axis=1)[:, : -n_best - 1 : -1] for one in logits)
    low = windows.context_at[part, None]
    high = low + windows.context_length[part, None]
    start_in, end_in = ((low <= one) & (one < high) for one in (start, end))
    apart = end[:, None, :] - start[:, :, None]
    fits = start_in[:, :, None] & end_in[:, None, :] & (apart >= 0) & (apart < longest)
    window, i, j = np.nonzero(fits)
    return window + at, start[window, i], end[window, j]


def _spans(windows: Windows, window: Any, start: Any, end: Any) -> Any:
    """(pairs, 2) int32: characters of the context."""
    import numpy as np

    into = windows.token_at[window] - windows.context_at[window]
    begins = windows.offsets[into + start, 0]
    ends = windows.offsets[into + end, 1]
    begins = np.where(start == windows.context_at[window], windows.first_offsets[window, 0], begins)
    ends = np.where(end == windows.context_at[window], windows.first_offsets[window, 1], ends)
    return np.stack([begins, ends], 1).astype(np.int32)


def _null(windows: Windows, starts: Any, ends: Any, count: int) -> tuple[Any, Any, Any, Any]:
    """Question, start, end logit and score of no answer, from the window that wants it least."""
    import numpy as np

    rows = np.arange(len(windows))
    start, end = starts[rows, windows.cls_at], ends[rows, windows.cls_at]
    score = start + end
    order = _sorted(score, windows.example)
    at: Any = np.searchsorted(windows.example[order], np.arange(count))
    asked = np.flatnonzero(np.bincount(windows.example, minlength=count)[:count] > 0)
    least = order[at[asked]]
    return asked, start[least], end[least], score[least]


def _null_put_back(example: Any, ranked: Any, spans: Any, kept: Any, first_null: int) -> Any:
    """Which rows are the null of a question that lost it among the n best, and has no other candidate at (0, 0)."""
    import numpy as np

    at_zero = kept & (spans[:, 0] == 0) & (spans[:, 1] == 0)
    has = np.bincount(example[at_zero], minlength=int(example.max(initial=-1)) + 1) > 0
    return (ranked >= first_null) & ~has[example]


def _chosen(
    questions: Sequence[Question],
    candidates: tuple[Any, Any, Any, Any, Any],
    no_answer: tuple[Any, Any, Any, Any] | None,
    threshold: float,
) -> Answers:
    import numpy as np

    bounds, spans, first, last, scores = candidates
    lengths = np.array([len(one.context) for one in questions], np.int64)
    example: Any = np.repeat(np.arange(len(questions)), np.diff(bounds))
    worded = np.flatnonzero((spans[:, 1] > spans[:, 0]) & (spans[:, 0] < lengths[example]))
    counts = np.diff(bounds)
    # the first candidate with text; its question may have none
    place = np.searchsorted(example[worded], np.arange(len(questions)))
    has_text = np.bincount(example[worded], minlength=len(questions))[: len(questions)] > 0
    made_up = (counts == 0) | ((counts == 1) & ~has_text)
    best_at = np.where(has_text, worded[np.minimum(place, max(len(worded) - 1, 0))] if len(worded) else 0, -1)
    best = [
        one.context[spans[at, 0] : spans[at, 1]] if at >= 0 else "empty"
        for one, at in zip(questions, best_at.tolist(), strict=True)
    ]
    common = {"questions": tuple(questions), "bounds": bounds, "spans": spans, "start_logits": first}
    common |= {"end_logits": last, "scores": scores, "made_up": made_up, "best": tuple(best)}
    if no_answer is None:
        top = np.where(counts > 0, bounds[:-1], -1).tolist()
        texts = [
            "empty" if fake or at < 0 else one.context[spans[at, 0] : spans[at, 1]]
            for one, at, fake in zip(questions, top, made_up.tolist(), strict=True)
        ]
        return Answers(**common, texts=tuple(texts))
    null = np.zeros(len(questions), scores.dtype)
    null[no_answer[0]] = no_answer[3]
    zero = scores.dtype.type(0)
    start, end = (
        np.where(best_at >= 0, one[np.maximum(best_at, 0)], zero) if len(one) else null for one in (first, last)
    )
    odds = null - start - end
    texts = ["" if none else text for none, text in zip((odds > threshold).tolist(), best, strict=True)]
    return Answers(**common, texts=tuple(texts), null_odds=odds.astype(np.float64))
