"""Answers to files: predictions.json, nbest_predictions.json, null_odds.json as run_qa.py names and fills them.

The first is what the official scripts of SQuAD, KorQuAD and KLUE-MRC read: question id -> text. Korean stays readable.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pretune.core.files import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from pretune.train.answers import Answers


def write_answers(answers: Answers, folder: Path) -> tuple[Path, ...]:
    """Write the prediction files into a folder that is there; each is complete or as it was.

    Returns:
        What was written; null_odds.json only where no answer was allowed.
    """
    files = files_of(answers)
    for name, data in files.items():
        write_atomically(folder / name, data)
    return tuple(folder / name for name in files)


def files_of(answers: Answers) -> dict[str, bytes]:
    """The prediction files: name -> bytes."""
    ids = [one.id for one in answers.questions]
    tables: dict[str, Any] = {
        "predictions.json": answers.predictions(),
        "nbest_predictions.json": {name: answers.n_best(at) for at, name in enumerate(ids)},
    }
    if answers.null_odds is not None:
        tables["null_odds.json"] = dict(zip(ids, answers.null_odds.tolist(), strict=True))
    return {name: _encoded(table) for name, table in tables.items()}


def _encoded(table: Any) -> bytes:
    try:
        return (json.dumps(table, indent=4, ensure_ascii=False) + "\n").encode()
    except UnicodeEncodeError:  # half a surrogate pair, which a json file may spell
        return (json.dumps(table, indent=4) + "\n").encode()
