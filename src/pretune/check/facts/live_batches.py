"""The first batches of a run as they will be fed, from its own sampler, set and collator; put back after.

The set is read in this process, not by workers. A stream that may be readable only once is not read at all. Knows no
model and no rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, Any

from pretune.check.facts.live_guard import untouched
from pretune.check.sources.live_objects import bases, is_loader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pretune.check.sources.live_objects import Objects

IGNORED = -100
"""The label that the loss passes over."""

ROWS, FEWEST, MOST = 64, 4, 16
"""Batches are drawn until there are so many rows, at least FEWEST batches and at most MOST."""
MOST_VALUES = 400_000
"""Values of all batches together that are looked at."""
SECONDS = 20.0
"""After so long no further batch is drawn."""

# fmt: off
TABLES = (
    "input_ids", "attention_mask", "token_type_ids", "position_ids", "labels", "label", "label_ids",
    "start_positions", "end_positions", "decoder_input_ids",
)
# fmt: on
"""What of a batch is looked at, also behind a prefix (`anchor_input_ids`)."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch as plain data.

    Attributes:
        shapes: key -> shape, of what has one.
        kinds: key -> `int64`, `float32` …
        values: key -> nested lists of numbers, of the keys in TABLES, with or without a prefix.
    """

    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def rows(self, key: str) -> list[list[int]] | None:
        """A table of two dimensions; None: the batch has none of this name."""
        value = self.values.get(key)
        return value if isinstance(value, list) and all(isinstance(row, list) for row in value) else None

    def column(self, key: str) -> list[Any] | None:
        """One number for each row; None: the batch has none of this name."""
        value = self.values.get(key)
        if not isinstance(value, list) or any(isinstance(one, list) and len(one) != 1 for one in value):
            return None
        return [one[0] if isinstance(one, list) else one for one in value]

    def prefixes(self) -> tuple[str, ...]:
        """What stands before `input_ids`, once for each text of a row; mostly nothing."""
        return tuple(key.removesuffix("input_ids") for key in self.values if key.endswith("input_ids"))


@dataclass(frozen=True)
class Peeked:
    """What was drawn.

    Attributes:
        raw: the batches themselves, tensors on the CPU.
        unseen: why there are none.
        failure: what the set or the collator raised: a run would stop there.
    """

    raw: tuple[Any, ...] = ()
    unseen: str = ""
    failure: str = ""


class _Unseen(Exception):  # noqa: N818 - it is a reason, not an error
    """Why batches cannot be looked at."""


def peek(objects: Objects) -> Peeked:
    """The first batches. The run's randomness and the state of its sampler and collator are as before afterwards."""
    if objects.batches:
        return Peeked(objects.batches[:MOST])
    if objects.loader is None and objects.trainer is None and objects.train is None:
        return Peeked(unseen="no training data were given")
    accelerator = getattr(objects.trainer, "accelerator", None)
    prepared = getattr(accelerator, "_dataloaders", None)
    kept = (objects.loader, objects.trainer, objects.collator, objects.train, prepared)
    raw: list[Any] = []
    with untouched(*kept):
        try:
            loader = _loader(objects)
            with untouched(loader):
                _draw(loader, raw)
        except _Unseen as why:
            return Peeked(tuple(raw), unseen="" if raw else str(why))
        except _Failed as failed:
            return Peeked(tuple(raw), failure=str(failed))
    return Peeked(tuple(raw), unseen="" if raw else "the training set is empty")


class _Failed(Exception):  # noqa: N818 - it is what the run itself would raise
    """What the set or the collator raised."""


def _loader(objects: Objects) -> Any:
    """The run's loader; a trainer makes its own."""
    if objects.loader is not None:
        return objects.loader
    if objects.trainer is not None:
        if objects.train is None:
            raise _Unseen("the trainer has no training set")
        _readable_twice(objects.train)
        try:
            return objects.trainer.get_train_dataloader()
        except Exception as error:  # noqa: BLE001 - what a user's code raises is the answer
            raise _Unseen(f"the trainer gives no loader: {_told(error)}") from None
    raise _Unseen("a set without a loader: give data=DataLoader(...) or a Trainer")


def _readable_twice(data: Any) -> None:
    """Give up on a stream, unless it is one of `datasets` over Arrow files, which begins anew each time."""
    kinds = bases(data)
    stream = "torch.IterableDataset" in kinds or "datasets.IterableDataset" in kinds or not hasattr(data, "__getitem__")
    if not stream:
        return
    source = getattr(data, "_ex_iterable", None)
    for _ in range(50):
        if source is None or not hasattr(source, "ex_iterable"):
            break
        source = source.ex_iterable
    if "datasets.IterableDataset" not in kinds or "datasets.ArrowExamplesIterable" not in bases(source):
        raise _Unseen("the training set is a stream, and looking at it would use it up")


def _draw(loader: Any, raw: list[Any]) -> None:
    """Fill `raw`, in the order in which the run would be fed."""
    data, collate = getattr(loader, "dataset", None), getattr(loader, "collate_fn", None)
    if not is_loader(loader) or data is None or collate is None:
        raise _Unseen(f"the trainer's loader is a {type(loader).__name__}, which cannot be looked into")
    _readable_twice(getattr(data, "dataset", data) if type(data).__name__ == "IterableDatasetShard" else data)
    until = monotonic() + SECONDS
    rows = values = 0
    for batch in _batches(loader, data, collate):
        raw.append(batch)
        rows += size_of(batch)
        values += sum(_count(batch[key]) for key in batch) if hasattr(batch, "keys") else 0
        enough = rows >= ROWS and len(raw) >= FEWEST
        if enough or len(raw) >= MOST or values > MOST_VALUES or monotonic() > until:
            return


def _batches(loader: Any, data: Any, collate: Any) -> Iterator[Any]:
    if not hasattr(data, "__getitem__") or "datasets.IterableDataset" in bases(data):
        rows = iter(data)
        size = getattr(loader, "batch_size", None) or 8
        while chunk := _made(lambda: list(islice(rows, size))):
            yield _made(collate, chunk)
        return
    sampler = getattr(loader, "batch_sampler", None)
    indices: Iterator[Any] = iter(sampler if sampler is not None else getattr(loader, "sampler", None) or ())
    while True:
        try:
            wanted = next(indices)
        except StopIteration:
            return
        except Exception as error:  # noqa: BLE001 - what a user's code raises is the answer
            raise _Unseen(f"the sampler gives no rows: {_told(error)}") from None
        if sampler is None:
            yield _made(lambda at=wanted: collate(data[at]))
        else:
            yield _made(lambda at=wanted: collate(_rows(data, list(at))))


def _rows(data: Any, wanted: list[Any]) -> Any:
    """As torch's fetcher does: all at once where the set can, else one by one."""
    at_once = getattr(data, "__getitems__", None)
    return at_once(wanted) if callable(at_once) and at_once else [data[index] for index in wanted]


def _made(make: Any, *given: Any) -> Any:
    try:
        return make(*given)
    except Exception as error:  # noqa: BLE001 - what a user's code raises is the answer
        raise _Failed(_told(error)) from None


def _told(error: Exception) -> str:
    """The error in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__


def size_of(batch: Any) -> int:
    """Rows of a batch, by the first value that has any."""
    if not hasattr(batch, "keys"):
        return 0
    shapes = [getattr(batch[key], "shape", None) for key in batch]
    return next((int(shape[0]) for shape in shapes if shape is not None and len(shape)), 0)


def _count(value: Any) -> int:
    count = 1
    for size in getattr(value, "shape", ()):
        count *= int(size)
    return count


def plain_batch(batch: Any) -> Batch:
    """A batch of tensors, arrays or lists as plain data."""
    if not hasattr(batch, "keys"):
        return Batch()
    shapes, kinds, values = {}, {}, {}
    for key in batch:
        value = batch[key]
        if hasattr(value, "shape") and hasattr(value, "dtype"):
            shapes[str(key)] = tuple(int(size) for size in value.shape)
            kinds[str(key)] = str(value.dtype).removeprefix("torch.")
        if str(key).endswith(TABLES) and _count(value) <= MOST_VALUES:
            values[str(key)] = value.tolist() if hasattr(value, "tolist") else value
    return Batch(shapes, kinds, values)
