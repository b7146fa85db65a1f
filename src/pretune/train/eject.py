"""A recipe as one plain script that trains the same without pretune: script_of, write. Knows no terminal.

The script is made from eject_script.txt. What it cannot do is refused, and before it is given away it reads and
tokenizes the recipe's files, which have to become the very examples that `pretune train` trains on.
"""

from __future__ import annotations

import os
from dataclasses import fields, replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.train.eject_data import data_of, literal, require_same
from pretune.train.options import Options

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pretune.train.recipe import Recipe

_TITLES = {
    "mrc": "Reading comprehension",
    "classify": "Classification of texts",
    "pairs": "Classification of pairs of texts",
    "sts": "Similarity of pairs of texts",
    "tag": "Tagging",
}
_LEFT_OUT = ("tokens_per_batch", "attention_dropout", "fast_dropout", "fsdp")
"""Options that the script does not know; a recipe with one of them is refused."""


def script_of(recipe: Recipe, *, name: str = "train.py") -> str:
    """The script of a recipe.

    Args:
        recipe: with data in files, for the loop.
        name: how the script will be called.

    Raises:
        UserError: what the script cannot do, or what a run of the recipe would be stopped for.
    """
    import jinja2

    from pretune.train.model import limits_of, load_tokenizer, longest_of
    from pretune.train.recipe import fitted
    from pretune.train.tasks import read
    from pretune.train.tasks.encode import limit_of

    _require_plain(recipe)
    odd = [key for key in recipe.setup.from_pretrained if not key.isidentifier()]
    if odd:
        raise UserError(f"from_pretrained takes no argument {odd[0]!r}")
    task: Any = read(recipe)
    limits = limits_of(recipe.setup)
    if recipe.task == "mrc":
        recipe, _ = fitted(recipe, longest_of(recipe.setup, limits))
    task = replace(task, recipe=recipe)
    if task.skipped:
        raise UserError(f"{task.skipped[0][0]}: {task.skipped[0][1]}", hint="the script leaves no row out: mend it")
    tokenizer = load_tokenizer(recipe.setup)
    if getattr(tokenizer, "padding_side", "right") != "right":
        raise UserError("the tokenizer pads on the left, which the script does not do")
    prepared = task.prepare(tokenizer, limits.positions)
    longest = limit_of(tokenizer, limits.positions, recipe.max_length)
    kind = "sts" if task.loss == "similarity" else recipe.task
    types = prepared.train.types is not None and _takes_types(recipe, task.head)
    given = data_of(recipe, kind)
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
        "max_length": longest,
        "main": literal(task.main),
        "decay": recipe.options.weight_decay > 0,
        "max_steps": recipe.options.max_steps > 0,
        "data_seed": recipe.options.data_seed is not None,
        "autocast": recipe.options.precision == "autocast",
        "new_head": recipe.new_head,
        "hub": "".join(f", {key}={value!r}" for key, value in recipe.setup.from_pretrained.items()),
        "hub_lines": [f"{key}={value!r}" for key, value in recipe.setup.from_pretrained.items()],
        "warmup": _warmup(recipe.options),
        "config": {**recipe.setup.config, **recipe.setup.config_update, **task.config},
    }
    facts["constants"] = _constants(recipe, task, facts)
    environment = jinja2.Environment(  # noqa: S701 - Python is made, not HTML
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, undefined=jinja2.StrictUndefined
    )
    template = files("pretune.train").joinpath("eject_script.txt").read_text("utf-8")
    made = environment.from_string(template).render(facts)
    types_kept = prepared.train if types else replace(prepared.train, types=None)
    require_same(made, tokenizer, train=types_kept, dev=prepared.dev)
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


def _require_plain(recipe: Recipe) -> None:
    """Stop where the script could not do the same."""
    options = recipe.options
    plain = {one.name: one.default for one in fields(Options)}
    odd = [key.replace("_", "-") for key in _LEFT_OUT if getattr(options, key) != plain[key]]
    odd += [f"padding {options.padding}"] if options.padding != "longest" else []
    odd += [f"precision {options.precision}"] if options.precision not in {"fp32", "autocast"} else []
    odd += ["engine trainer"] if recipe.engine != "loop" else []
    odd += ["metric-for-best-model"] if recipe.best_metric is not None else []
    odd += ["model-class"] if recipe.setup.model_class is not None else []
    odd += ["model-kwargs"] if recipe.setup.model_kwargs else []
    odd += ["tokenizer-kwargs"] if recipe.setup.tokenizer_kwargs else []
    odd += [f"from-pretrained {key}" for key in recipe.setup.from_pretrained if key not in _HUB]
    if odd:
        raise UserError(f"--eject does not write {', '.join(odd)}", hint="the script is that of --preset exact")


_HUB = ("revision", "trust_remote_code")


def _takes_types(recipe: Recipe, head: str) -> bool:
    """Whether the model is given token types."""
    import inspect

    import transformers

    setup = recipe.setup
    config = transformers.AutoConfig.from_pretrained(setup.model, **setup.from_pretrained)
    known: Any = getattr(transformers, f"AutoModelFor{head}")._model_mapping  # noqa: SLF001 - no public way
    if type(config) not in known:
        raise UserError(f"{setup.model}: transformers has no class of its own for {recipe.task}")
    return "token_type_ids" in inspect.signature(known[type(config)].forward).parameters


def _warmup(options: Options) -> str:
    if options.warmup_steps >= 1:
        return "WARMUP_STEPS"
    return "math.ceil(steps * WARMUP)" if options.warmup_steps else "0"


def _constants(recipe: Recipe, task: Any, facts: Mapping[str, Any]) -> str:
    """The named values at the top of the script."""
    options, kind = recipe.options, facts["task"]
    values: dict[str, Any] = {
        "MODEL": str(recipe.setup.model),
        "TOKENIZER": str(recipe.setup.tokenizer or recipe.setup.model),
        "TRAIN": facts["train_files"],
    }
    if facts["dev"]:
        values["DEV"] = facts["dev_files"]
    lines = [*map(_line, values.items()), f"OUT = Path({literal(str(recipe.out))})", ""]
    numbers: dict[str, Any] = {"MAX_LENGTH": facts["max_length"]} if facts["max_length"] else {}
    if kind == "mrc":
        numbers = {"MAX_LENGTH": facts["max_length"] or 384, "STRIDE": recipe.stride}
        if facts["dev"]:
            numbers |= {"N_BEST": recipe.n_best, "MAX_ANSWER_LENGTH": recipe.max_answer_length}
        if facts["dev"] and facts["null"]:
            numbers["NULL_THRESHOLD"] = recipe.null_threshold
    if facts["max_steps"]:
        numbers["MAX_STEPS"] = options.max_steps
    else:
        numbers["EPOCHS"] = options.num_train_epochs
    numbers["BATCH_SIZE"] = options.per_device_train_batch_size
    numbers["ACCUMULATION"] = options.gradient_accumulation_steps
    if facts["dev"]:
        numbers["EVAL_BATCH_SIZE"] = options.per_device_eval_batch_size
    numbers |= {"LEARNING_RATE": options.learning_rate, "SCHEDULE": options.lr_scheduler_type}
    if options.warmup_steps:
        whole = options.warmup_steps >= 1
        numbers["WARMUP_STEPS" if whole else "WARMUP"] = int(options.warmup_steps) if whole else options.warmup_steps
    if facts["decay"]:
        numbers["WEIGHT_DECAY"] = options.weight_decay
    numbers |= {"BETAS": (options.adam_beta1, options.adam_beta2), "EPSILON": options.adam_epsilon}
    lines += map(_line, numbers.items())
    lines.append(f"MAX_GRAD_NORM = {options.max_grad_norm or 'math.inf'}")
    lines.append(_line(("SEED", options.seed)))
    if options.data_seed is not None:
        lines.append(_line(("DATA_SEED", options.data_seed)))
    lines += [_line(("LOGGING_STEPS", options.logging_steps)), ""]
    classes = getattr(task, "classes", None)
    if classes is not None:
        lines.append(_line(("LABELS", list(classes.names))))
        ids = {str(label): i for label, i in classes.ids.items()}
        usual = all(classes.names[i] == label for label, i in ids.items())
        lines.append("IDS = {name: i for i, name in enumerate(LABELS)}" if usual else _line(("IDS", ids)))
    if kind == "tag":
        lines.append("IGNORED = -100  # the label of a token that is not asked")
    if facts["config"]:
        lines += _config(facts["config"], classes=classes is not None)
    if facts["decay"]:
        lines.append(r'UNDECAYED = re.compile(r"bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)")')
    lines.append("SCRIPT = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()  # checkpoints belong to one script")
    return "\n".join(lines)


def _config(config: Mapping[str, Any], *, classes: bool) -> list[str]:
    """The keys of the model's config that the data or the recipe decide."""
    made = ["CONFIG = {"]
    for key, value in config.items():
        if classes and key == "num_labels":
            continue
        said = {"id2label": "dict(enumerate(LABELS))", "label2id": "{name: i for i, name in enumerate(LABELS)}"}
        made.append(f'    "{key}": {said[key] if classes and key in said else literal(value)},')
    return [*made, "}"]


def _line(item: tuple[str, Any]) -> str:
    """`NAME = value`, lists and mappings an entry a line, as ruff format leaves them."""
    name, value = item
    if isinstance(value, list):
        return "\n".join([f"{name} = [", *(f"    {literal(one)}," for one in value), "]"])
    if isinstance(value, dict):
        return "\n".join([f"{name} = {{", *(f"    {literal(key)}: {literal(one)}," for key, one in value.items()), "}"])
    return f"{name} = {literal(value)}"
