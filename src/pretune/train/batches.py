"""Which examples are in which batch, and their tensors: order, cut_batches, collate. Knows no model and no engine.

A batch is a dict. `inputs` are what the model gets; beside them stand the labels, `count` (how many losses the
batch has) and `rows` (whose they are). No pad position exists in a padding-free batch: all tokens stand in one row,
`lens` says where an example ends, and an attention that keeps them apart has to be chosen (attention.py).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from pretune.train.examples import Examples
    from pretune.train.options import Options

INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids", "position_ids", "lens"})
"""What of a batch is for the model."""

IGNORED = -100
"""The label of a position that nothing is asked of, as everywhere in the field."""


def order(count: int, seed: int, epoch: int) -> Any:
    """The examples of one epoch in random order: shape (count,), int64.

    The same numbers as the sampler that accelerate gives the Trainer: torch.randperm, seeded with seed + epoch. The
    global random numbers, which dropout needs, are not touched.
    """
    import torch

    generator = torch.Generator().manual_seed(seed + epoch)
    return torch.randperm(count, generator=generator).numpy()


def cut_batches(lengths: Any, order: Any, options: Options) -> list[Any]:
    """Neighbours in `order` that make a batch: arrays of rows, int64.

    Either per_device_train_batch_size rows each, the last one with what is left, or as many as have tokens_per_batch
    tokens together. A longer example is a batch of its own.

    Args:
        lengths: shape (N,), tokens of each example; N at least 1.
        order: shape (M,), rows.
        options: how large a batch is.
    """
    import numpy as np

    if options.tokens_per_batch is None:
        size = options.per_device_train_batch_size
        return [order[start : start + size] for start in range(0, len(order), size)]
    room = options.tokens_per_batch or average_tokens(lengths, options.per_device_train_batch_size)
    ends = np.cumsum(lengths[order])
    cuts, before = [0], 0
    while cuts[-1] < len(order):
        fitting = int(np.searchsorted(ends, before + room, side="right"))
        cuts.append(max(fitting, cuts[-1] + 1))
        before = int(ends[cuts[-1] - 1])
    return [order[start:end] for start, end in pairwise(cuts)]


def average_tokens(lengths: Any, examples: int) -> int:
    """The tokens that so many examples have on average, and half an example: that is what a batch leaves free."""
    return -(-(2 * examples + 1) * int(lengths.sum()) // max(2 * len(lengths), 1))


def losses_of(examples: Examples) -> Any:
    """How many losses each example has: shape (N,), int64: the tokens with a label, else 1."""
    import numpy as np

    for labels in examples.labels.values():
        if _each_token(examples, labels):
            before = np.concatenate(([0], np.cumsum(labels != IGNORED)))
            return before[examples.starts[1:]] - before[examples.starts[:-1]]
    return np.ones(len(examples), np.int64)


def first_position(model: Any) -> int:
    """The position id of a first token: 0, or behind the pad id where positions are counted as in RoBERTa (2)."""
    for name, module in model.named_modules():
        if name.rpartition(".")[2] == "position_embeddings":
            pad = getattr(module, "padding_idx", None)
            return 0 if pad is None else pad + 1
    return 0


def collate(examples: Examples, rows: Any, options: Options, *, first_position: int = 0) -> dict[str, Any]:
    """The tensors of some examples.

    Padded (B examples, L tokens in the longest or max_length): input_ids, token_type_ids, labels of tokens (B, L),
    int64, and attention_mask. Padding-free (T tokens in all): the same as (1, T), with position_ids instead of the
    mask and `lens`, a list of B ints. Labels of examples are (B,); those that are positions count from the row's
    first column (padded) or the example's first token (padding-free). `count` and `rows` are an int and a list.

    Raises:
        UserError: an example is longer than max_length and padding is `max_length`, or no max_length is given.
    """
    import numpy as np
    import torch

    rows = np.asarray(rows, np.int64)
    lengths = examples.lengths[rows]
    ends = np.cumsum(lengths)
    flat = np.arange(int(ends[-1])) + np.repeat(examples.starts[rows] - ends + lengths, lengths)
    packed = options.padding == "none"
    if packed:
        shape, shift = (1, len(flat)), np.zeros_like(lengths)
        filled: Any = np.ones(shape, bool)
    else:
        width = _width(lengths, options)
        shape, shift = (len(rows), width), (width - lengths) * examples.pad_left
        place = np.arange(width) - shift[:, None]
        filled = (place >= 0) & (place < lengths[:, None])

    def spread(values: Any, filler: int) -> torch.Tensor:
        grid: Any = np.full(shape, filler, np.int64)
        grid[filled] = values[flat]
        return torch.from_numpy(grid)

    batch: dict[str, Any] = {"input_ids": spread(examples.ids, examples.pad)}
    if examples.types is not None:
        batch["token_type_ids"] = spread(examples.types, 0)
    if packed:
        positions = np.arange(len(flat)) - np.repeat(ends - lengths, lengths) + first_position
        batch |= {"position_ids": torch.from_numpy(positions[None]), "lens": lengths.tolist()}
    else:
        batch["attention_mask"] = torch.from_numpy(filled.astype(np.int64))
    count = len(rows)
    for name, labels in examples.labels.items():
        if _each_token(examples, labels):
            batch[name] = spread(labels, IGNORED)
            count = int((labels[flat] != IGNORED).sum())
        else:
            batch[name] = torch.from_numpy(labels[rows] + shift * name.endswith("_positions"))
    return batch | {"count": count, "rows": rows.tolist()}


def inputs(batch: dict[str, Any]) -> dict[str, Any]:
    """What of a batch is for the model."""
    return {name: value for name, value in batch.items() if name in INPUTS}


def _each_token(examples: Examples, labels: Any) -> bool:
    """Whether these are labels of tokens, not of examples."""
    return len(labels) == len(examples.ids) != len(examples)


def _width(lengths: Any, options: Options) -> int:
    longest = int(lengths.max())
    if options.padding == "longest":
        return longest
    if options.max_length is None:
        raise UserError("padding is max_length, but there is no max_length", hint="give --max-length")
    if longest > options.max_length:
        raise UserError(
            f"an example has {longest} tokens, more than max_length {options.max_length}",
            hint="cut the examples to it, or raise max_length",
        )
    return options.max_length
