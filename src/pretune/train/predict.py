"""What a model says of examples: predict. In any order and shape of batches the outputs stand as the examples do.

With several processes each is asked for a part, and all know all of it afterwards. Knows no task.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pretune.train.batches import collate, cut_batches, first_position, inputs
from pretune.train.faults import at_asking
from pretune.train.processes import rank_and_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pretune.train.examples import Examples
    from pretune.train.options import Options, Padding

_HELD = 64
"""Batches whose outputs are fetched from the device together."""


def predict(
    model: Any,
    examples: Examples,
    options: Options,
    *,
    outputs: Sequence[str],
    each_token: bool,
    told: Callable[[int, int], None] = lambda *_: None,
) -> tuple[Any, ...]:
    """The outputs of a model in float32, without pads.

    Args:
        model: of transformers; it is left in the mode it was in.
        examples: to be asked.
        options: per_device_eval_batch_size, or tokens_per_batch with padding `none`.
        outputs: names of what the model gives, `start_logits`.
        each_token: they are (B, L, ...) and become (T, ...) as `examples.ids`; else (B, ...) becomes (N, ...).
        told: told how many examples were asked, and of how many.
    """
    import numpy as np
    import torch

    padding: Padding = "none" if options.padding == "none" else "longest"
    options = replace(options, padding=padding, per_device_train_batch_size=options.per_device_eval_batch_size)
    if padding != "none":
        options = replace(options, tokens_per_batch=None)
    lengths = examples.lengths
    rank, processes = rank_and_number()
    batches = cut_batches(lengths, np.argsort(-lengths, kind="stable"), options)
    mine = batches[rank::processes]
    idle = -(-len(batches) // processes) - len(mine)  # FSDP needs all processes in every forward
    found: list[tuple[Any, list[Any]]] = []
    held: list[tuple[Any, list[Any]]] = []  # on the device: a GPU is not waited for after every batch
    device = next(model.parameters()).device
    first = first_position(model)
    training = model.training
    model.eval()
    done = 0
    try:
        with torch.inference_mode():
            for rows in [*mine, *(batches[:1] * idle)]:
                batch = collate(examples, rows, options, first_position=first)
                given = {
                    name: value.to(device) if hasattr(value, "to") else value for name, value in inputs(batch).items()
                }
                with at_asking([int(lengths[row]) for row in rows]):
                    made = model(**given)
                kept = [getattr(made, name).float() for name in outputs]
                held.append((rows, [_unpadded(one, given) for one in kept] if each_token else kept))
                if len(held) == _HELD:
                    found += _fetched(held)
                done += len(rows)
                told(min(done * processes, len(lengths)), len(lengths))
            found += _fetched(held)
    finally:
        model.train(training)
    return _in_order(_gathered(found[: len(mine)], processes), examples, len(outputs), each_token=each_token)


def _fetched(held: list[tuple[Any, list[Any]]]) -> list[tuple[Any, list[Any]]]:
    """What was held on the device, as arrays; nothing is held any more."""
    fetched = [(rows, [one.cpu().numpy() for one in values]) for rows, values in held]
    held.clear()
    return fetched


def _unpadded(values: Any, given: Mapping[str, Any]) -> Any:
    """(tokens of the batch, ...), one example after the other."""
    return values[given["attention_mask"].bool()] if "attention_mask" in given else values[0]


def _in_order(
    found: Sequence[tuple[Any, list[Any]]], examples: Examples, count: int, *, each_token: bool
) -> tuple[Any, ...]:
    import numpy as np

    lengths = examples.lengths
    size = len(examples.ids) if each_token else len(lengths)
    whole: list[Any] = []
    for nth in range(count):
        shape = found[0][1][nth].shape[1:] if found else ()
        made = np.zeros((size, *shape), np.float32)
        for rows, values in found:
            at = rows
            if each_token:
                sizes = lengths[rows]
                ends = np.cumsum(sizes)
                at = np.arange(int(ends[-1])) + np.repeat(examples.starts[rows] - ends + sizes, sizes)
            made[at] = values[nth]
        whole.append(made)
    return tuple(whole)


def _gathered(found: list[Any], processes: int) -> list[Any]:
    if processes == 1:
        return found
    from torch import distributed

    parts: list[Any] = [None] * processes
    distributed.all_gather_object(parts, found)
    return [one for part in parts for one in part]
