"""Why a loss or a gradient is not a number: decided by looking at the batch's labels, the weights and the activations.

The likely cause is the first of those that are known to do it. Knows no engine, and never changes the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.train.batches import IGNORED, collate, first_position, inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pretune.train.examples import Examples
    from pretune.train.options import Options
    from pretune.train.tally import NotFiniteError

_SHOWN = 8
"""Examples that a message names at most."""

_HIGH = 1e-4
"""Published recipes for encoders stay below this learning rate (BERT 2e-5 to 5e-5, ELECTRA up to 1e-4)."""

_HUGE = 1e4
"""No weight of a healthy model is as large."""

_TRIED = 64
"""Examples that are computed one by one at most, to see which of them it is."""


def cause(model: Any, examples: Examples, options: Options, error: NotFiniteError) -> tuple[str, str]:
    """The likely cause, and what to do about it.

    Args:
        model: as it was when the loss came out, where that can be had.
        examples: it is trained on.
        options: of the run.
        error: with the step and the rows.
    """
    for found in (
        _labels(examples, error.rows),
        _empty(examples, error.rows),
        _weights(model, options, error),
        _activations(model, examples, options, error.rows),
    ):
        if found is not None:
            return found
    if _computes_in(model, options) == "float16":
        return "the gradients overflow float16, whose largest number is 65504", "use --precision bf16 or fp32"
    return _rate(options, "weights, labels and activations of this batch are finite")


def name_rows(rows: Sequence[int], where: Callable[[int], str] | None = None) -> str:
    """`example 3 (train.jsonl:4)`, `examples 3, 9 and 14 more`."""
    if not rows:
        return "on another process"
    shown = [f"{row} ({where(row)})" if where is not None else str(row) for row in rows[:_SHOWN]]
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return f"example{'s' * (len(rows) != 1)} {', '.join(shown)}{more}"


def _labels(examples: Examples, rows: Sequence[int]) -> tuple[str, str] | None:
    """A label that is no number, or a batch in which nothing is asked."""
    import numpy as np

    if not rows:
        return None
    ignored = []
    for name, labels in examples.labels.items():
        each_token = len(labels) == len(examples.ids) != len(examples)
        own = [labels[examples.starts[row] : examples.starts[row + 1]] if each_token else labels[row] for row in rows]
        for row, values in zip(rows, own, strict=True):
            if np.issubdtype(labels.dtype, np.floating) and not np.isfinite(values).all():
                return f"{name} of example {row} is {values}", "mend the label or leave the example out"
        ignored.append(all((np.asarray(values) == IGNORED).all() for values in own))
    if ignored and all(ignored):
        return f"all labels are {IGNORED}, so nothing is asked in the batch", "leave such examples out"
    return None


def _empty(examples: Examples, rows: Sequence[int]) -> tuple[str, str] | None:
    """An example without tokens: a softmax over nothing."""
    for row in rows:
        if examples.lengths[row] == 0:
            return f"example {row} has no tokens, and a softmax over nothing is no number", "leave the example out"
    return None


def _weights(model: Any, options: Options, error: NotFiniteError) -> tuple[str, str] | None:
    """A weight that is no number, before the batch was seen."""
    bad = [name for name, weight in model.named_parameters() if not bool(weight.detach().isfinite().all())]
    if not bad:
        return _huge(model, options) if error.step > 1 else None
    named = f"{bad[0]}{f' and {len(bad) - 1} more weights' if len(bad) > 1 else ''}"
    if error.step <= 1:
        return f"{named} held no numbers before training began", "load other weights: pretune check MODEL reads them"
    likely, hint = _rate(options, f"an earlier update left no numbers in {named}")
    return likely, hint


def _huge(model: Any, options: Options) -> tuple[str, str] | None:
    """A weight that an update has blown up."""
    for name, weight in model.named_parameters():
        largest = float(weight.detach().abs().max()) if weight.numel() else 0.0
        if largest > _HUGE:
            return _rate(options, f"an earlier update made {name} as large as {largest:.0e}")
    return None


def _activations(model: Any, examples: Examples, options: Options, rows: Sequence[int]) -> tuple[str, str] | None:
    """Which examples make the model overflow with finite weights, without dropout."""
    import torch

    device = next(model.parameters()).device
    training = model.training
    first = first_position(model)
    bad = []
    try:
        model.eval()
        with torch.no_grad():
            for row in rows[:_TRIED]:
                batch = inputs(collate(examples, [row], options, first_position=first))
                batch = {name: value.to(device) if hasattr(value, "to") else value for name, value in batch.items()}
                outputs = model(**batch)
                values = [value for value in outputs.values() if hasattr(value, "isfinite")]
                if not all(bool(value.isfinite().all()) for value in values):
                    bad.append(row)
    except Exception:  # noqa: BLE001 - whatever it is, it is not what is asked here
        return None
    finally:
        model.train(training)
    if not bad:
        return None
    dtype = _computes_in(model, options)
    if dtype == "float16":
        return f"{name_rows(bad)} overflows float16, whose largest number is 65504", "use --precision bf16 or fp32"
    return f"the model's output for {name_rows(bad)} is not finite, in {dtype}, with finite weights", (
        "look at the example; a model trained in float16 may need it left out"
    )


def _computes_in(model: Any, options: Options) -> str:
    """The dtype of most products."""
    own = str(next(model.parameters()).dtype).removeprefix("torch.")
    return {"fp16": "float16", "autocast": "bfloat16", "bf16": "bfloat16"}.get(str(options.precision), own)


def _rate(options: Options, seen: str) -> tuple[str, str]:
    """The learning rate: what it mostly is when nothing else is seen."""
    rate = f"{options.learning_rate:g}"
    warmup = "without warmup" if not options.warmup_steps else f"with warmup {options.warmup_steps:g}"
    clip = "" if options.max_grad_norm > 0 else ", gradients are not clipped"
    likely = "is high" if options.learning_rate > _HIGH else "may be too high for this data"
    ways = [f"lower --learning-rate to {min(options.learning_rate / 10, 5e-5):g}"]
    if not options.warmup_steps:
        ways.append("--warmup-steps 0.1")
    if clip:
        ways.append("--max-grad-norm 1")
    return f"{seen}; the learning rate {rate} {warmup}{clip} {likely}", "; ".join(ways)
