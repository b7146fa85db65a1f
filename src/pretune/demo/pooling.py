"""The demo's scene of sentence vectors: every layer and pooling of MiniLM on the sample's scored pairs.

Writes the pairs into the current folder; knows nothing of how choices are scored.
"""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pretune.demo import sample

if TYPE_CHECKING:
    from pretune.pool.analysis import Analysis


def pairs() -> Path:
    """205 English and Korean pairs with scores from 0 to 5, in the current folder."""
    source = sample.similarity()
    return Path(shutil.copy(source, source.name))


def command(model: Path, data: Path) -> str:
    """The command line of the scene."""
    return f"pretune pool {shlex.quote(str(model))} --data {data}"


def pool(model: Path, data: Path) -> Analysis:
    """What that command shows.

    Args:
        model: the folder of MiniLM.
        data: scored pairs.
    """
    from transformers.utils import logging

    from pretune.pool.analyse import analyse

    logging.disable_progress_bar()
    return analyse(str(model), str(data))
