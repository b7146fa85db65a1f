"""Adds words and special tokens to a pretrained model without harming it.

    from pretune import tokens

    adding = tokens.plan("klue/bert-base", ["코로나19"], special=["<ent>"])
    adding.apply("out")

Importing this costs almost nothing: what the functions need is imported when they are called. They bear the names of
modules that stand here too; the functions keep the names, the modules are imported from (`pretune.tokens.plan`).
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["plan", "spare_slots", "suggest", "verify"]


def plan(model: Any, words: Any = (), **how: Any) -> Any:
    """Plan which rows new tokens get and what changes; `apply` of what comes back does it.

    Args:
        model: a folder or a hub name: adding.py says the rest; or a live model, with `tokenizer`: live.py.
        words: to be added to the model's own vocabulary; or one of them.
        **how: `special`, `data`, `init`; with a live model `tokenizer`.

    Raises:
        UserError: the model cannot be read, or tokens cannot be added to it.
    """
    words = _several(words)
    if "special" in how:
        how["special"] = _several(how["special"])
    if isinstance(model, str) or hasattr(model, "__fspath__"):
        from pretune.tokens.adding import plan as plan_folder

        return plan_folder(model, words, **how)
    from pretune.tokens.live import plan as plan_live

    return plan_live(model, words, **how)


def _several(words: Any) -> tuple[str, ...]:
    """The words of a list, or the one that stands alone: a string is no list of its letters.

    Raises:
        UserError: something among them is no text.
    """
    from pretune.core.errors import UserError

    found = (words,) if isinstance(words, str) else tuple(words)
    for word in found:
        if not isinstance(word, str):
            raise UserError(f"a word to add is a {type(word).__name__}, expected a string")
    return found


def suggest(model: str | Path, data: Any, *, most: int | None = None) -> Any:
    """Which words of a corpus are worth a token of their own.

    Args:
        model: a folder or a hub name.
        data: files, patterns, folders, or objects in memory.
        most: at most so many words; None: as many as are worth it.

    Raises:
        UserError: the model or the data cannot be read.
    """
    from pretune.tokens.adding import suggested

    return suggested(model, data, most=most)


def spare_slots(model: str | Path) -> Any:
    """The rows of the embedding that no text can reach, ascending by id.

    Raises:
        UserError: the model cannot be read.
    """
    from pretune.tokens.spare import spare_slots as found

    return found(str(model))


def verify(folder: str | Path, *, against: str | Path | None = None) -> Any:
    """Whether a model with added tokens is sound, and what is wrong with it.

    Args:
        folder: the model.
        against: the model before; None: what pretune noted beside it, where it did.

    Raises:
        UserError: a model cannot be read.
    """
    from pretune.tokens.verify import verify as verified

    return verified(folder, against=against)


class _Package(ModuleType):
    """This module; that a module of one of the names is imported does not hide the function."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
