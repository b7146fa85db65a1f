"""What breaks a run, in one line: a loss that is no number, memory that is not enough, a label that the model lacks.

`at` notes the step and the examples of the batch that runs, `told` makes the user's error of what breaks in it: which
step, which rows of the data, the likely cause, found by looking (not_finite.py), what to lower. Knows no engine.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.train.not_finite import cause, name_rows
from pretune.train.tally import NotFiniteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pretune.train.examples import Examples
    from pretune.train.options import Options

_AT = "_pretune_at"
_SIGNS = ("DefaultCPUAllocator", "not enough memory", "out of memory")
"""In a RuntimeError: torch on the CPU and on Windows; CUDA's own, HIP's and Apple's."""

_ASKED = re.compile(r"tried to allocate (\d+ bytes|[\d.]+ ?[KMGT]?i?B)", re.IGNORECASE)
_TARGET = re.compile(r"Target (-?\d+) is out of bounds")


@contextmanager
def at(step: int, rows: Sequence[int]) -> Iterator[None]:
    """Note on whatever breaks inside at which optimizer step (1: the first) and with which examples it did."""
    try:
        yield
    except Exception as error:
        if not hasattr(error, _AT):
            setattr(error, _AT, (step, tuple(int(row) for row in rows)))
        raise


@contextmanager
def at_asking(lengths: Sequence[int]) -> Iterator[None]:
    """Make the user's error of memory that is not enough while a model is only asked.

    Args:
        lengths: tokens of the batch's examples.

    Raises:
        UserError: it is not; exit code 1.
    """
    try:
        yield
    except Exception as error:
        if not _is_memory(error):
            raise
        raise UserError(
            f"out of memory while the dev set is asked, in a batch of {len(lengths)} examples, the longest "
            f"{max(lengths)} tokens",
            hint="lower --per-device-eval-batch-size, or --tokens-per-batch with --padding none",
            exit_code=1,
        ) from None


@contextmanager
def told(
    model: Any, examples: Examples, options: Options, *, where: Callable[[int], str] | None = None
) -> Iterator[None]:
    """Make what breaks training inside the user's error; what nobody knows passes as it is.

    Args:
        model: that is trained; looked at when its loss is no number.
        examples: it is trained on.
        options: of the run; messages say which of them to lower.
        where: row of the examples -> the place in the data, `train.jsonl:17`.

    Raises:
        UserError: a loss or gradient is not finite, memory is not enough, a label is not one of the model's;
            exit code 1.
    """
    try:
        yield
    except NotFiniteError as error:
        likely, hint = cause(model, examples, options, error)
        raise UserError(
            f"{error.what} is {error.loss} at step {error.step}, {name_rows(error.rows, where)}: {likely}",
            hint=hint,
            exit_code=1,
        ) from None
    except Exception as error:
        step, rows = getattr(error, _AT, (0, ()))
        if _is_memory(error):
            raise _no_memory(error, step, rows, examples, options) from None
        target = _TARGET.search(str(error)) if isinstance(error, IndexError) else None
        if target is not None:
            raise _no_label(int(target[1]), step, rows, model, where) from None
        raise


def _is_memory(error: Exception) -> bool:
    import torch

    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _SIGNS)


def _no_memory(error: Exception, step: int, rows: Sequence[int], examples: Examples, options: Options) -> UserError:
    """Which batch was too large, and what makes it smaller."""
    asked = _ASKED.search(str(error))
    more = f" ({asked[1]} more were asked for)" if asked else ""
    if not rows:
        return UserError(
            f"out of memory outside any batch{more}",
            hint="the model with its optimizer does not fit: use a smaller one, or --precision bf16",
            exit_code=1,
        )
    lengths = [int(examples.lengths[row]) for row in rows]
    wide = options.max_length if options.padding == "max_length" and options.max_length else max(lengths)
    computed = sum(lengths) if options.padding == "none" else wide * len(rows)
    batch = (
        f"{len(rows)} example{'s' * (len(rows) != 1)}, the longest {max(lengths)} tokens, {computed} positions computed"
    )
    return UserError(
        f"out of memory at step {step}, in a batch of {batch} for {sum(lengths)} tokens{more}",
        hint=_lower(lengths, options, wasted=computed - sum(lengths)),
        exit_code=1,
    )


def _lower(lengths: Sequence[int], options: Options, *, wasted: int) -> str:
    """What to lower, the cheapest first."""
    ways = []
    if wasted:
        ways.append("--padding none computes no pad position")
    if len(lengths) > 1:
        steps = options.gradient_accumulation_steps * 2
        if options.tokens_per_batch is not None:
            half = max((options.tokens_per_batch or sum(lengths)) // 2, 1)
            ways.append(f"--tokens-per-batch {half} --gradient-accumulation-steps {steps} gives about the same steps")
        else:
            ways.append(
                f"--per-device-train-batch-size {max(options.per_device_train_batch_size // 2, 1)}"
                f" --gradient-accumulation-steps {steps} gives the same steps"
            )
    else:
        ways.append("one example is too long: lower --max-length")
    if options.precision == "fp32":
        ways.append("--precision bf16 halves what a layer keeps")
    return "; ".join(ways)


def _no_label(label: int, step: int, rows: Sequence[int], model: Any, where: Callable[[int], str] | None) -> UserError:
    count = getattr(getattr(model, "config", None), "num_labels", None)
    expected = f"the model's are 0 to {count - 1}" if count else "the model has none such"
    return UserError(
        f"label {label} at step {step}, {name_rows(rows, where)}: {expected}",
        hint="give the model as many labels as the data have (num_labels, id2label)",
        exit_code=1,
    )
