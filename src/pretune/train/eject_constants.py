"""The named values at the top of a script: constants, warmup. Knows no template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.train.eject_data import literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.train.options import Options
    from pretune.train.recipe import Recipe


def warmup(options: Options) -> str:
    """The expression of the steps in which the learning rate grows."""
    if options.warmup_steps >= 1:
        return "WARMUP_STEPS"
    return "math.ceil(steps * WARMUP)" if options.warmup_steps else "0"


def constants(recipe: Recipe, task: Any, facts: Mapping[str, Any]) -> str:
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
    lines += map(_line, _numbers(recipe, facts).items())
    if facts["attention_dropout"]:
        lines.append(_line(("ATTENTION_DROPOUT", options.attention_dropout)))
    if facts["first"]:
        lines.append(f"FIRST_POSITION = {facts['first']}  # as this model counts them")
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
    if facts["pooling"]:
        lines.append("# what sentence-transformers reads beside the model")
        lines.append(f"MODULES = {_nested(facts['modules'])}")
    if facts["decay"]:
        lines.append(r'UNDECAYED = re.compile(r"bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)")')
    lines.append("SCRIPT = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()  # checkpoints belong to one script")
    return "\n".join(lines)


def _numbers(recipe: Recipe, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Lengths, batches, steps and learning rate."""
    options, kind = recipe.options, facts["task"]
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
    if options.tokens_per_batch:
        numbers["TOKENS_PER_BATCH"] = options.tokens_per_batch
    else:
        numbers["BATCH_SIZE"] = options.per_device_train_batch_size
    numbers["ACCUMULATION"] = options.gradient_accumulation_steps
    if facts["dev"] and not (facts["tokens"] and facts["packed"]):
        numbers["EVAL_BATCH_SIZE"] = options.per_device_eval_batch_size
    numbers |= {"LEARNING_RATE": options.learning_rate, "SCHEDULE": options.lr_scheduler_type}
    if options.warmup_steps:
        whole = options.warmup_steps >= 1
        numbers["WARMUP_STEPS" if whole else "WARMUP"] = int(options.warmup_steps) if whole else options.warmup_steps
    if facts["decay"]:
        numbers["WEIGHT_DECAY"] = options.weight_decay
    numbers |= {"BETAS": (options.adam_beta1, options.adam_beta2), "EPSILON": options.adam_epsilon}
    return numbers


def _config(config: Mapping[str, Any], *, classes: bool) -> list[str]:
    """The keys of the model's config that the data or the recipe decide."""
    made = ["CONFIG = {"]
    for key, value in config.items():
        if classes and key == "num_labels":
            continue
        said = {"id2label": "dict(enumerate(LABELS))", "label2id": "{name: i for i, name in enumerate(LABELS)}"}
        made.append(f'    "{key}": {said[key] if classes and key in said else literal(value)},')
    return [*made, "}"]


def _nested(value: Any, indent: str = "") -> str:
    """Mappings and lists in one another, an entry a line, as ruff format leaves them."""
    inside = f"{indent}    "
    if isinstance(value, dict) and value:
        entries = [f"{literal(key)}: {_nested(one, inside)}" for key, one in value.items()]
    elif isinstance(value, list) and value:
        entries = [_nested(one, inside) for one in value]
    else:
        return literal(value)
    first, last = "{}" if isinstance(value, dict) else "[]"
    return "\n".join([first, *(f"{inside}{one}," for one in entries), f"{indent}{last}"])


def _line(item: tuple[str, Any]) -> str:
    """`NAME = value`, lists and mappings an entry a line, as ruff format leaves them."""
    name, value = item
    if isinstance(value, list):
        return "\n".join([f"{name} = [", *(f"    {literal(one)}," for one in value), "]"])
    if isinstance(value, dict):
        return "\n".join([f"{name} = {{", *(f"    {literal(key)}: {literal(one)}," for key, one in value.items()), "}"])
    return f"{name} = {literal(value)}"
