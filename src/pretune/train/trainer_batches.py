"""The batches of a plan as a DataLoader, for the Trainer: Batches. Knows no loss.

Reading them draws one number from torch's global generator an epoch, as every DataLoader does, and no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.utils.data import DataLoader

from pretune.train.batches import collate, first_position

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.train.plan import Plan


class Batches(DataLoader):  # type: ignore[misc]
    """The batches of this process by a plan. The Trainer tells it the epoch, and skips what an interrupted run did."""

    def __init__(self, plan: Plan, model: Any) -> None:
        first = first_position(model)

        def made(asked: list[tuple[Any, dict[str, Any]]]) -> dict[str, Any]:
            ((rows, said),) = asked
            return collate(plan.examples, rows, plan.options, first_position=first) | said

        super().__init__(Asked(len(plan.examples)), batch_sampler=_Rows(plan), collate_fn=made)

    def set_epoch(self, epoch: int) -> None:
        """Which epoch is iterated over next."""
        self.batch_sampler.set_epoch(epoch)


class _Rows:
    """The rows of each batch, and by what the sum of its losses is divided."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.epoch = plan, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.plan.batches

    def __iter__(self) -> Iterator[list[tuple[Any, dict[str, Any]]]]:
        for share in self.plan.epoch(self.epoch):
            own = len(share.batches) - share.idle
            said = {"divisor": share.count / self.plan.processes, "tokens": share.tokens}
            for number, rows in enumerate(share.batches):
                yield [(rows, said | {"idle": number >= own})]


class Asked:
    """A dataset of so many examples that gives what it is asked for: rows become tensors in the collator."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, asked: Any) -> Any:
        return asked
