"""A choice as a user writes it, found among those that were tried: choice_of. Knows names only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pretune.core.errors import UserError, did_you_mean
from pretune.pool.grid import named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.pool.choice import Choice


def choice_of(words: str, choices: Sequence[Choice]) -> Choice:
    """The choice that is meant.

    Args:
        words: `layer 4 mean`, `layers 3-6 sif, centred`, `0+6 weighted_mean`; the case does not matter.
        choices: those that can be meant; baselines cannot.

    Raises:
        UserError: none has that name, or several do.
    """
    own = [choice for choice in choices if choice.layers]
    wanted = _plain(words)
    found = [choice for choice in own if wanted in (_plain(choice.name), _plain(named(choice)))]
    if found:
        return found[0]
    names = [named(choice) for choice in own]
    near = did_you_mean(words, names)
    example = names[-1] if names else "layer 6 mean"
    raise UserError(f'no choice "{words}" was tried', hint=near or f'a choice is written "{example}"')


def _plain(words: str) -> str:
    """The name without what may be left out: `layers`, commas, the difference of `_` and blank; ranges written out."""
    text = re.sub(r"\blayers?\b|,", " ", words.casefold().replace("_", " ").replace("centered", "centred"))
    text = re.sub(r"(\d+)-(\d+)", lambda found: "+".join(map(str, range(int(found[1]), int(found[2]) + 1))), text)
    return " ".join(text.split())
