"""The folder of a run: recipe, environment, log, metrics, predictions, errors, and the model at its top.

Every file is written whole or not at all. `checkpoint-N` are the checkpoints (checkpoints.py); `best` holds the model
of the best one. The top loads by from_pretrained and in a pipeline. Knows neither torch nor a task.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.core.files import umask, write_atomically
from pretune.train.disk import told
from pretune.train.pooled_model import FILES
from pretune.train.tasks.tables import json_lines
from pretune.train.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pretune.train.recipe import Recipe
    from pretune.train.tasks import Scores
    from pretune.train.watch import Step

RECIPE, ENVIRONMENT, METRICS, LOG, ERRORS = (
    "recipe.json",
    "environment.json",
    "metrics.json",
    "log.jsonl",
    "errors.jsonl",
)
TRACKERS = "trackers"
"""What trackers write, in files of their own."""
BEST = "best"
PAGE = "report.html"
_OF_THE_RUN = frozenset({"manifest.json", "position.json", "scheduler.json", "scaler.json", "best.json"})
"""Files of a checkpoint that are not the model's."""
_NO_SECRET = frozenset({"include_num_input_tokens_seen", "average_tokens_across_devices", "include_tokens_per_second"})
"""Arguments with `token` in their names that are no secrets."""


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON, whole or not at all."""
    with told(path.name, path.parent):
        write_atomically(path, (json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n").encode())


def read_json(path: Path) -> Any:
    """What stands in a JSON file; None where there is none that can be read."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def recipe_table(recipe: Recipe) -> dict[str, Any]:
    """The recipe as run, as a setup file says it: `pretune check` and `pretune train` read it back."""
    from pretune.check.sources.flags import said_by

    keys = dict(said_by(recipe.setup).keys)
    data = {key: [_named(one) for one in value] if key != "columns" else value for key, value in keys["data"].items()}
    arguments = {key: value for key, value in keys["training_args"].items() if "token" not in key or key in _NO_SECRET}
    return {**keys, "data": data, "training_args": arguments}


def _named(source: Any) -> str:
    """A file by its name, rows in memory by their kind: they cannot be found again."""
    return str(source) if isinstance(source, str) or hasattr(source, "__fspath__") else f"<{type(source).__name__}>"


class Log(Watch):
    """Appends every entry to log.jsonl, each line as soon as it is known.

    Args:
        folder: of the run.
        resumed: the step that the run goes on from; what was logged after it is dropped, as it will come again.
    """

    def __init__(self, folder: Path, *, resumed: int = 0) -> None:
        self.path = folder / LOG
        self.kept = [one for one in read_log(folder) if one.get("step", 0) <= resumed] if resumed else []
        write_atomically(self.path, json_lines(self.kept))

    def step(self, step: Step) -> None:
        """Losses and speed."""
        said = asdict(step)
        self._write({"step": said.pop("number"), **said})

    def evaluated(self, number: int, metrics: Mapping[str, float]) -> None:
        """Metrics of the dev set."""
        self._write({"step": number, "metrics": dict(metrics)})

    def _write(self, row: Mapping[str, Any]) -> None:
        with told(LOG, self.path.parent), self.path.open("ab") as file:
            file.write(json_lines([row]))


def read_log(folder: Path) -> list[dict[str, Any]]:
    """The entries of log.jsonl."""
    return read_lines(folder / LOG)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a file with an object a line; a line that a crash cut off is left out."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return [one for one in found if isinstance(one, dict)]


def write_scores(folder: Path, scores: Scores) -> None:
    """The predictions in their official formats, and what was predicted wrongly."""
    for name, data in {**scores.files, ERRORS: json_lines(scores.errors)}.items():
        with told(name, folder):
            write_atomically(folder / name, data)


def require_folder(folder: Path) -> None:
    """Stop before anything is loaded where the run's folder cannot be one.

    Raises:
        UserError: it is a file, or a folder of other things.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file, expected a folder for the run", hint="name another --out")
    if folder.is_dir() and (folder / "config.json").exists() and not (folder / RECIPE).exists():
        raise UserError(f"{folder} holds a model that no run of pretune made", hint="name another --out")


def clear(folder: Path) -> None:
    """Take away what an earlier run left, and nothing else.

    Raises:
        UserError: the folder holds no run.
    """
    if not (folder / RECIPE).exists():
        raise UserError(f"{folder} holds no run of pretune", hint="name another --out")
    modules = {folder / name.partition("/")[0] for name in FILES}
    for path in (*folder.glob("checkpoint-*"), folder / BEST, folder / TRACKERS, *modules):
        if path.is_dir():
            shutil.rmtree(path)
    for name in (METRICS, LOG, ERRORS, ENVIRONMENT, PAGE, *FILES):
        (folder / name).unlink(missing_ok=True)


def model_files(checkpoint: Path) -> list[Path]:
    """The files of a checkpoint that make a model and its tokenizer, those in folders of modules among them."""
    names = sorted(checkpoint.rglob("*"))
    return [
        path
        for path in names
        if path.is_file()
        and path.name not in _OF_THE_RUN
        and not path.name.startswith(("rng-", "optimizer.", "trainer_state", "."))
    ]


def take_model(checkpoint: Path, into: Path) -> None:
    """Give a folder the model of a checkpoint, file by file by a rename.

    Weights are shared where links can be, what people edit by hand is not. The config comes last: until it is there, a
    new folder holds no model.

    Raises:
        UserError: the disk is full or cannot be written.
    """
    with told(f"the model of {checkpoint.name}", into, stands=checkpoint.name):
        into.mkdir(parents=True, exist_ok=True)
        for path in sorted(model_files(checkpoint), key=lambda path: path == checkpoint / "config.json"):
            place = into / path.relative_to(checkpoint)
            place.parent.mkdir(exist_ok=True)
            aside = place.with_name(f".{path.name}.tmp")
            aside.unlink(missing_ok=True)
            linked = False
            if path.suffix == ".safetensors":
                with suppress(OSError):
                    os.link(path, aside)
                    linked = True
            if not linked:
                shutil.copyfile(path, aside)
            aside.chmod(0o666 & ~umask())  # safetensors writes for the owner alone
            aside.replace(place)


def save_model(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write a model and its tokenizer beside, then file by file into the folder.

    Raises:
        UserError: the disk is full or cannot be written.
    """
    with told("the model", folder):
        folder.mkdir(parents=True, exist_ok=True)
        aside = folder / ".model.tmp"
        shutil.rmtree(aside, ignore_errors=True)
        try:
            model.save_pretrained(aside)
            tokenizer.save_pretrained(aside)
            take_model(aside, folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
