"""`pretune train` as a function, for notebooks and scripts: fine_tune. Reached as `pretune.train.fine_tune`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

    from pretune.train.recipe import Recipe
    from pretune.train.running import Done

_ENCODE = ("max_length", "stride")


def fine_tune(
    what: str | PathLike[str],
    *,
    model: str | PathLike[str] | None = None,
    train: Any = None,
    dev: Any = None,
    out: str | PathLike[str] | None = None,
    columns: Mapping[str, str] | None = None,
    force: bool = False,
    resume: bool | None = None,
    tell: Callable[[str], None] | None = None,
    **keys: Any,
) -> Done:
    """Fine-tune as `pretune train` does; see pretune.train.fine_tune.

    Args:
        what: `mrc`, `classify`, `tag`, `pairs`, or a recipe file.
        model: a folder or a hub name.
        train: files, or rows in memory: a list of dicts, a DataFrame, a Dataset.
        dev: the same, to be asked after each epoch.
        out: the folder of the run.
        columns: role -> column, where the names are others.
        force: train although the check found errors.
        resume: True: go on from the newest checkpoint; False: begin anew; None: go on with an unfinished run.
        tell: takes each line that the user should read; None: they go to stderr.
        **keys: what the command takes as flags (preset, engine, stride, metric, ...), keys of a setup file (tokenizer,
            config, ...), arguments of TrainingArguments.

    Raises:
        UserError: anything that the user can mend, in one line.
        Interrupted: a signal came, also a notebook's stop button; the run was saved.
    """
    from pretune.check.report import text
    from pretune.train.run import run

    recipe = recipe_for(what, {"model": model, "train": train, "dev": dev, "out": out, "columns": columns}, keys)
    say = tell or (lambda line: print(line, file=sys.stderr))  # noqa: T201
    return run(
        recipe,
        force=force,
        resume=resume,
        command=("pretune.train.fine_tune", str(what)),
        tell=say,
        show=lambda report: say(text.render(report, plain=True).rstrip()) if report.findings else None,
    )


def recipe_for(what: str | PathLike[str], given: Mapping[str, Any], keys: Mapping[str, Any]) -> Recipe:
    """The recipe that arguments say, over those of a recipe file.

    Args:
        what: a task or a recipe file.
        given: model, train, dev, out and columns; None: not said.
        keys: everything else, each by its own name.

    Raises:
        UserError: a key that nobody knows, or what is no recipe.
    """
    from pretune.check.sources.flags import said_in_python
    from pretune.check.sources.setup_file import read_setup_file
    from pretune.check.sources.setup_keys import KEYS, Said, merged
    from pretune.train.recipe import COMMANDS, recipe_of
    from pretune.train.recipe_flags import known_arguments
    from pretune.train.recipe_values import OWN

    name = str(what)
    task = name if name in COMMANDS else None
    if task is None and not name.endswith((".toml", ".json", ".yaml", ".yml")):
        hint = did_you_mean(name, COMMANDS) or f"{', '.join(COMMANDS)}, or a recipe file (.toml)"
        raise UserError(f'"{name}" is no task and no recipe file', hint=hint)
    for role in ("train", "dev"):
        if hasattr(given[role], "__len__") and not len(given[role]):
            raise UserError(f"{role} has no rows", hint="give a file, or at least one row in memory")
    arguments = known_arguments()
    said: dict[str, Any] = {"data": {"train": given["train"], "eval": given["dev"], "columns": given["columns"]}}
    said["data"] = {key: value for key, value in said["data"].items() if value is not None}
    said |= {"model": given["model"], "encode": {}, "train": {}, "training_args": {}}
    places: dict[str, str] = {}
    for key, value in keys.items():
        table = "encode" if key in _ENCODE else "train" if key in OWN else "training_args"
        if table == "training_args" and key in KEYS:
            said[key] = value
            continue
        if table == "training_args" and key not in (*arguments.arguments, *arguments.replaced, *arguments.seen):
            known = (*_ENCODE, *OWN, *KEYS, *arguments.arguments)
            raise UserError(f'fine_tune knows no "{key}"', hint=did_you_mean(key, known))
        said[table][key] = value
        places[f"{table}.{key}"] = key
    if given["out"] is not None:
        said["training_args"]["output_dir"] = given["out"]
        places["training_args.output_dir"] = "out"
    over = said_in_python({key: value for key, value in said.items() if value is not None and value != {}})
    under = Said() if task is not None else read_setup_file(name)
    return recipe_of(merged(under, Said(over.keys, places)), task=task, name="" if task is not None else name)
