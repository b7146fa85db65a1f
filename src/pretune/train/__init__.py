"""Fine-tuning with the Trainer or with a loop that can be read, the same numbers: `from pretune import train`.

    train.fine_tune("mrc", model="klue/roberta-base", train="train.json", dev="dev.json", out="run", preset="fast")

Importing this costs almost nothing: what the function needs is imported when it is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from os import PathLike

    from pretune.train.running import Done

__all__ = ["fine_tune"]


def fine_tune(what: str | PathLike[str], **how: Any) -> Done:
    """Fine-tune a model as the command `pretune train` does, and leave the same folder.

    Args:
        what: `mrc`, `classify`, `tag`, `pairs`, or a recipe file.
        **how: model, train, dev, out, columns, force, resume, tell; whatever the command takes as a flag, by the
            flag's name with underscores; any argument of TrainingArguments. train and dev may be rows in memory.

    Returns:
        The folder, the figures of each evaluation, and which model is at the folder's top.

    Raises:
        UserError: anything that the user can mend, in one line.
    """
    from pretune.train.library import fine_tune as function

    return function(what, **how)
