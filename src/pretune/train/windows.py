"""Questions and contexts to windows a model reads: cut, Windows. The features of run_qa.py, by vector operations.

A context longer than the model is read in windows that overlap by `stride` tokens. Each distinct context is tokenized
once, however many questions it has. Knows no torch; how questions are read stands in questions.py, where an answer
lies in a window in windows_labels.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.train.windows_frame import frame_of
from pretune.train.windows_labels import label
from pretune.train.windows_tokens import tokens_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pretune.train.questions import Question, Unfit
    from pretune.train.windows_frame import Frame
    from pretune.train.windows_tokens import Tokens

_BATCH = 8192
"""Windows that are filled at a time, so that the index arrays stay small."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows as flat arrays; window w holds tokens bounds[w]:bounds[w + 1].

    Attributes:
        input_ids: (tokens,) int32.
        token_type_ids: (tokens,) int8; None: the model takes none.
        bounds: (windows + 1,) int64.
        example: (windows,) int32: the number of the question among those that were cut; it never falls.
        context_at: (windows,) int32: position of the first token of the context in the window.
        context_length: (windows,) int32: tokens of the context in the window.
        token_at: (windows,) int64: the row in `offsets` of the window's first token of the context.
        offsets: (tokens of the contexts, 2) int32: characters of the context.
        first_offsets: (windows, 2) int32: offsets of the window's first token of the context.
        cls_at: (windows,) int32: position of the token that stands for no answer.
        start_positions, end_positions: (windows,) int32, inclusive; cls_at: no answer in the window; None: not asked.
        mended: labels that run_qa.py would have put beside the context or in reverse order.
        lost: (question's place) of those whose answer no window holds whole.
        skipped: (question's place, why) of those that do not fit a window.
    """

    input_ids: Any
    token_type_ids: Any
    bounds: Any
    example: Any
    context_at: Any
    context_length: Any
    token_at: Any
    offsets: Any
    first_offsets: Any
    cls_at: Any
    start_positions: Any = None
    end_positions: Any = None
    mended: int = 0
    lost: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.example)

    @property
    def lengths(self) -> Any:
        """(windows,) int64: tokens of each window."""
        return self.bounds[1:] - self.bounds[:-1]

    def feature(self, window: int) -> dict[str, Any]:
        """One window as lists, with the names that models take."""
        tokens = slice(int(self.bounds[window]), int(self.bounds[window + 1]))
        ids = self.input_ids[tokens].tolist()
        made: dict[str, Any] = {"input_ids": ids, "attention_mask": [1] * len(ids)}
        if self.token_type_ids is not None:
            made["token_type_ids"] = self.token_type_ids[tokens].tolist()
        if self.start_positions is not None:
            made["start_positions"] = int(self.start_positions[window])
            made["end_positions"] = int(self.end_positions[window])
        return made

    def offset_mapping(self, window: int) -> list[tuple[int, int] | None]:
        """Characters of the context for each token of a window; None for what is not context."""
        at, length = int(self.context_at[window]), int(self.context_length[window])
        start = int(self.token_at[window])
        spans = list(map(tuple, self.offsets[start : start + length].tolist()))
        if spans:
            spans[0] = tuple(self.first_offsets[window].tolist())
        return [None] * at + spans + [None] * (int(self.lengths[window]) - at - length)


def cut(
    questions: Sequence[Question],
    tokenizer: Any,
    *,
    max_length: int = 384,
    stride: int = 128,
    labels: bool = True,
    unfit: Unfit = "error",
) -> Windows:
    """Cut questions and contexts to windows.

    As prepare_train_features and prepare_validation_features of transformers' examples/pytorch/question-answering/
    run_qa.py do: spaces at the question's start are dropped; the context alone is cut; the label is the first answer.
    Other than there, a label always lies in the context and never ends before it begins (`mended` counts these).

    Args:
        questions: from `read_questions`.
        tokenizer: a fast tokenizer of transformers, or a `tokenizers.Tokenizer` (question first; its first special
            token stands for no answer). It is used as it is and left as it was.
        max_length: tokens of a window, at most what the tokenizer says the model takes.
        stride: tokens of the context that neighbours share.
        labels: whether start and end positions are wanted.
        unfit: `error` stops at a question too long for a window, `skip` leaves it out.

    Raises:
        UserError: a slow tokenizer; a question that leaves the context no more than `stride` tokens; a window of no
            room at all.
    """
    import numpy as np

    frame = frame_of(tokenizer)
    most = max_length if frame.max_length is None else min(max_length, frame.max_length)
    if stride < 0 or most - frame.special <= stride:
        raise UserError(
            f"stride is {stride}, expected 0 to {max(most - frame.special - 1, 0)}, below the {most} tokens of a "
            f"window less {frame.special} special ones",
            hint="a stride is what neighbouring windows share, not what they are apart",
        )
    asked = tokens_of([one.question.lstrip() for one in questions], tokenizer, offsets=False)
    contexts = tokens_of([one.context for one in questions], tokenizer, offsets=True, spaces_kept=frame.spaces_kept)
    question_length, context_length = (np.diff(one.bounds)[one.of] for one in (asked, contexts))
    room = most - frame.special - question_length
    fits = context_length <= room
    usable = fits | (room > stride)
    skipped = _unfit(questions, usable, length=question_length, room=room, stride=stride, most=most, unfit=unfit)
    step = np.maximum(room - stride, 1)
    count = np.where(usable, np.where(fits, 1, 1 - (room - context_length) // step), 0)
    example: Any = np.repeat(np.arange(len(questions)), count)
    nth = np.arange(len(example)) - np.repeat(np.cumsum(count) - count, count)
    length, room, step = context_length[example], room[example], step[example]
    if frame.truncation_side == "right":
        start = nth * step
        stop = np.minimum(start + room, length)
    else:
        stop = length - nth * step
        start = np.maximum(stop - room, 0)
    start, stop = np.where(fits[example], 0, start), np.where(fits[example], length, stop)
    return _windows(questions, frame, asked, contexts, (example, start, stop), labels=labels, skipped=skipped)


def _unfit(
    questions: Sequence[Question], usable: Any, *, length: Any, room: Any, stride: int, most: int, unfit: Unfit
) -> tuple[tuple[str, str], ...]:
    """The questions that are left out; raises where none may be."""
    import numpy as np

    found = []
    for at in np.flatnonzero(~usable).tolist():
        why = (
            f"the question has {length[at]} tokens, which leaves the context {max(room[at], 0)} of {most}, "
            f"expected more than the stride of {stride}"
        )
        where = questions[at].where or questions[at].id
        if unfit == "error":
            raise UserError(f"{where}: {why}", hint="lower the stride, raise max_length, or skip such rows")
        found.append((where, why))
    return tuple(found)


def _windows(
    questions: Sequence[Question],
    frame: Frame,
    asked: Tokens,
    contexts: Tokens,
    windows: tuple[Any, Any, Any],
    *,
    labels: bool,
    skipped: tuple[tuple[str, str], ...],
) -> Windows:
    import numpy as np

    example, start, stop = windows
    question_at = asked.bounds[asked.of[example]]
    question_length = asked.bounds[asked.of[example] + 1] - question_at
    token_at = contexts.bounds[contexts.of[example]] + start
    size = stop - start
    first, second = (question_length, size) if frame.question_first else (size, question_length)
    bounds = np.concatenate([[0], np.cumsum(first + second + frame.special)]).astype(np.int64)
    ids: Any = np.empty(int(bounds[-1]), np.int32)
    first_at = len(frame.before)
    second_at = first_at + first + len(frame.between)
    for special, at in ((frame.before, 0), (frame.between, first_at + first), (frame.after, second_at + second)):
        for nth, token in enumerate(special):
            ids[bounds[:-1] + at + nth] = token
    question_into = bounds[:-1] + (first_at if frame.question_first else second_at)
    context_into = bounds[:-1] + (second_at if frame.question_first else first_at)
    for at in range(0, len(example), _BATCH):
        part = slice(at, at + _BATCH)
        _copy(ids, question_into[part], asked.ids, question_at[part], question_length[part])
        _copy(ids, context_into[part], contexts.ids, token_at[part], size[part])
    context_at = context_into - bounds[:-1]
    cls_at = _cls_at(ids, bounds, frame)
    held = np.minimum(token_at, max(len(contexts.first) - 1, 0))
    first_offsets = contexts.first[held] if len(contexts.first) else np.zeros((len(example), 2), np.int32)
    placed: Mapping[str, Any] = {}
    if labels:
        placed = label(questions, contexts, (example, token_at, size, first_offsets, context_at, cls_at))
    return Windows(
        input_ids=ids,
        token_type_ids=_types(frame, first, second) if frame.uses_types else None,
        bounds=bounds,
        example=example.astype(np.int32),
        context_at=context_at.astype(np.int32),
        context_length=size.astype(np.int32),
        token_at=token_at,
        offsets=contexts.offsets,
        first_offsets=first_offsets,
        cls_at=cls_at,
        skipped=skipped,
        **placed,
    )


def _copy(into: Any, into_at: Any, source: Any, source_at: Any, lengths: Any) -> None:
    """Copy runs of tokens: run k is source[source_at[k]:][:lengths[k]]."""
    import numpy as np

    within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    into[np.repeat(into_at, lengths) + within] = source[np.repeat(source_at, lengths) + within]


def _types(frame: Frame, first: Any, second: Any) -> Any:
    import numpy as np

    before, one, between, two, after = frame.types
    values = np.array([*before, one, *between, two, *after], np.int8)
    sizes: Any = np.ones((len(first), len(values)), np.int64)
    sizes[:, len(before)] = first
    sizes[:, len(before) + 1 + len(between)] = second
    return np.repeat(np.tile(values, len(first)), sizes.ravel())


def _cls_at(ids: Any, bounds: Any, frame: Frame) -> Any:
    """(windows,) int32: the first place of the first of `cls_ids` that a window holds; 0 where it holds none."""
    import numpy as np

    found: Any = np.full(len(bounds) - 1, -1, np.int64)
    for token in frame.cls_ids:
        if token in frame.before:
            found[found < 0] = frame.before.index(token)
            break
        hits = np.flatnonzero(ids == token)[::-1]
        held = np.searchsorted(bounds, hits, "right") - 1
        places: Any = np.full(len(found), -1, np.int64)
        places[held] = hits - bounds[held]
        found = np.where(found < 0, places, found)
    return np.maximum(found, 0).astype(np.int32)
