"""A recipe as one plain script that trains the same without pretune: script_of, write. Knows no terminal.

The script is made from eject_script.txt. What it cannot do is refused, and before it is given away it reads and
tokenizes the recipe's files, which have to become the very examples that `pretune train` trains on.
"""

from __future__ import annotations

import os
import textwrap
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.train.eject_constants import constants, warmup
from pretune.train.eject_data import data_of, literal, require_same
from pretune.train.eject_levers import levers_of, require_same_outputs
from pretune.train.eject_options import left_out, require_plain
from pretune.train.eject_pooling import pooling_facts
from pretune.train.pooling import resolved
from pretune.train.segments import without_types

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pretune.train.recipe import Recipe

_TITLES = {
    "mrc": "Reading comprehension",
    "classify": "Classification of texts",
    "pairs": "Classification of pairs of texts",
    "sts": "Similarity of pairs of texts",
    "tag": "Tagging",
}


def script_of(recipe: Recipe, *, name: str = "train.py", tell: Callable[[str], None] = lambda _: None) -> str:
    """The script of a recipe.

    Args:
        recipe: with data in files, for the loop.
        name: how the script will be called.
        tell: takes each line that the user should read: what the script leaves out, what levers come to. The same
            lines stand at the script's head.

    Raises:
        UserError: what the script cannot do, or what a run of the recipe would be stopped for.
    """
    import jinja2

    from pretune.train.model import limits_of, load_tokenizer, longest_of
    from pretune.train.recipe import fitted
    from pretune.train.running import require_figure
    from pretune.train.tasks import read
    from pretune.train.tasks.encode import limit_of

    require_plain(recipe)
    odd = [key for key in recipe.setup.from_pretrained if not key.isidentifier()]
    if odd:
        raise UserError(f"from_pretrained takes no argument {odd[0]!r}")
    recipe, _ = resolved(recipe)
    task: Any = read(recipe)
    limits = limits_of(recipe.setup)
    recipe, _ = without_types(recipe, limits)
    if recipe.task == "mrc":
        recipe, _ = fitted(recipe, longest_of(recipe.setup, limits))
    task = replace(task, recipe=recipe)
    if task.skipped:
        raise UserError(f"{task.skipped[0][0]}: {task.skipped[0][1]}", hint="the script leaves no row out: mend it")
    if recipe.task == "tag" and task.scheme.name != "IOB2":
        raise UserError(
            f"the tags are {task.scheme.name}, but the script counts entities of IOB2 tags (B-PS, I-PS, O)"
            if task.scheme.name
            else "these tags mark no entities, which is what the script counts (B-PS, I-PS, O)"
        )
    tokenizer = load_tokenizer(recipe.setup)
    if getattr(tokenizer, "padding_side", "right") != "right":
        raise UserError("the tokenizer pads on the left, which the script does not do")
    prepared = task.prepare(tokenizer, limits.positions)
    if recipe.best_metric is not None and prepared.dev is not None:
        require_figure(recipe.best_metric, task, prepared)
    levers = levers_of(recipe, task)
    recipe = levers.recipe
    said = [f"It leaves out: {'; '.join(left_out(recipe))}." if left_out(recipe) else "", *levers.said]
    said = [one for one in said if one]
    longest = limit_of(tokenizer, limits.positions, recipe.max_length)
    kind = "sts" if task.loss == "similarity" else recipe.task
    config = {**recipe.setup.config, **recipe.setup.config_update, **task.config}
    pooling, more = pooling_facts(recipe, config)
    types = prepared.train.types is not None and _takes_types(recipe, "" if pooling["pooling"] else f"For{task.head}")
    given = data_of(recipe, kind)
    main = recipe.best_metric or task.main
    facts: dict[str, Any] = {
        **given,
        "title": _TITLES[kind],
        "script": "".join(one for one in name if one.isalnum() or one in " ._-/"),
        "task": kind,
        "head": task.head,
        "variant": getattr(task, "variant", ""),
        "dev": prepared.dev is not None,
        "null": getattr(task, "unanswerable", False),
        "characters": getattr(task, "characters", False),
        "types": types,
        "untyped": recipe.setup.encode.get("return_token_type_ids") is False,
        "max_length": longest,
        "main": literal(main),
        "less": recipe.greater_is_better is False,
        "eval_on_start": recipe.eval_on_start,
        "said": [
            line for one in said for line in textwrap.wrap(one[:1].upper() + one[1:], 118, break_on_hyphens=False)
        ],
        **levers.facts,
        "decay": recipe.options.weight_decay > 0,
        "max_steps": recipe.options.max_steps > 0,
        "data_seed": recipe.options.data_seed is not None,
        "autocast": recipe.options.precision == "autocast",
        "new_head": recipe.new_head,
        "hub": "".join(f", {key}={value!r}" for key, value in recipe.setup.from_pretrained.items()),
        "hub_lines": [f"{key}={value!r}" for key, value in recipe.setup.from_pretrained.items()],
        "warmup": warmup(recipe.options),
        "config": config | more,
        **pooling,
    }
    facts["constants"] = constants(recipe, task, facts)
    environment = jinja2.Environment(  # noqa: S701 - Python is made, not HTML
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, undefined=jinja2.StrictUndefined
    )
    facts["levers"] = _rendered(environment, "eject_levers.txt", facts) if facts["levers"] else ""
    if facts["pooling"]:
        facts["levers"] += _rendered(environment, "eject_pooling.txt", facts)
    made = _rendered(environment, "eject_script.txt", facts)
    types_kept = prepared.train if types else replace(prepared.train, types=None)
    require_same_outputs(require_same(made, tokenizer, train=types_kept, dev=prepared.dev), levers)
    for one in said:
        tell(one)
    return made


def _rendered(environment: Any, name: str, facts: dict[str, Any]) -> str:
    """A template of this folder, filled in."""
    made: str = environment.from_string(files("pretune.train").joinpath(name).read_text("utf-8")).render(facts)
    return made


def write(text: str, path: Path, *, force: bool = False) -> None:
    """Write a script, whole or not at all.

    Raises:
        UserError: there is such a file and `force` is not given, or it cannot be written.
    """
    if path.exists() and not force:
        raise UserError(f"{path} exists", hint="--force writes over it, or name another file")
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_text(text, "utf-8")
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise UserError(f"{path} cannot be written: {error.strerror}") from None


def _takes_types(recipe: Recipe, head: str) -> bool:
    """Whether the model is given token types; `head` is of its class, empty: only the body."""
    import inspect

    import transformers

    setup = recipe.setup
    config = transformers.AutoConfig.from_pretrained(setup.model, **setup.from_pretrained)
    known: Any = getattr(transformers, f"AutoModel{head}")._model_mapping  # noqa: SLF001 - no public way
    if type(config) not in known:
        raise UserError(f"{setup.model}: transformers has no class of its own for {recipe.task}")
    return "token_type_ids" in inspect.signature(known[type(config)].forward).parameters
