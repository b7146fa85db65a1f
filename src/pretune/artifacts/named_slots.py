"""Which entries of a vocabulary are free by their names: named_slots. Reads files, no weights.

`pretune check` counts these; `pretune tokens` offers them first, but for those whose rows were trained all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.artifacts.pipeline import class_spec, file_spec
from pretune.artifacts.spare_names import is_spare_name
from pretune.artifacts.taken import read_taken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.artifacts.taken import Taken
    from pretune.artifacts.tokenizer import Tokenizer


def named_slots(tokenizer: Tokenizer, *, rows: int | None, taken: Taken | None = None) -> dict[int, str]:
    """Id -> name of the entries whose names say that they are free, and which nothing uses.

    Args:
        tokenizer: as its files say.
        rows: of the word embedding; ids beyond it are no slots. None: not known.
        taken: what the files use; None: they are read here.

    Raises:
        UserError: the tokenizer is of a kind whose ids cannot be told from its files.
    """
    named: dict[int, str] = {}
    shared: set[int] = set()
    spare = {index for name, index in tokenizer.ids.items() if is_spare_name(name)}
    for name, index in tokenizer.ids.items():
        if index in spare and 0 <= index < (index + 1 if rows is None else rows):
            shared.update({index} & named.keys())
            named.setdefault(index, name)
    if not named:
        return {}
    taken = taken or read_taken(tokenizer, specs_of(tokenizer))
    return {index: name for index, name in named.items() if index not in shared and not taken.has(name, index)}


def specs_of(tokenizer: Tokenizer) -> tuple[Mapping[str, Any], ...]:
    """The tokenizer as transformers builds it, and as tokenizer.json stands where there is one.

    Raises:
        UserError: it cannot be told from its files.
    """
    made = class_spec(tokenizer)
    return (made,) if tokenizer.spec is None else (made, file_spec(tokenizer))
