"""Which split of a dataset is read: chosen_split, and the split that a file's name tells. Opens nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

Purpose = Literal["train", "eval"]

_WORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev", "development"),
    "test": ("test", "testing", "eval", "evaluation"),
}
"""Split -> the words that name it (as `datasets.data_files` has them)."""


def split_in(name: str) -> str | None:
    """The split that a file's path names (`data/train-00000-of-00002.parquet`, `dev.json`); None: none."""
    words = [word for part in reversed(name.split("/")) for word in re.split(r"[^a-z]+", part.lower())]
    for word in words:
        for split, names in _WORDS.items():
            if word in names:
                return split
    return None


def chosen_split(there: Sequence[str], purpose: Purpose, label: str, hint: str) -> str:
    """The split that is read for this purpose.

    Args:
        there: the names of the splits.
        purpose: training reads `train`; evaluation a validation split, or else a test split.
        label: what holds them, for the message.
        hint: what to do, with `{}` for the name of a split.

    Raises:
        UserError: there is no such split, or there is no split at all.
    """
    if len(there) == 1:
        return there[0]
    for kind in ("train",) if purpose == "train" else ("validation", "test"):
        for name in sorted(there, key=lambda name: _WORDS[kind].index(name) if name in _WORDS[kind] else 99):
            if split_in(name) == kind:
                return name
    said = "a split to train on" if purpose == "train" else "a split to evaluate on"
    if not there:
        raise UserError(f"{label} has no splits, expected {said}")
    raise UserError(f"{label} has the splits {', '.join(there)}, none of which is {said}", hint=hint.format(there[0]))
