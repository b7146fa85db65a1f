"""A live run as plain facts: what the optimizer and the schedule hold, what the Trainer would do with the data.

Reads the source of a `compute_loss` of one's own; runs none of it.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pretune.check.sources.live_data import columns_of
from pretune.check.sources.live_objects import bases

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.check.sources.live_objects import Objects

LIBRARIES = ("transformers", "trl", "sentence_transformers", "peft", "unsloth")
"""Whose `compute_loss` is none of the user's own."""
MOST_ROWS = 2000
"""Rows of the training set whose label is looked at."""


@dataclass(frozen=True, slots=True)
class LiveOptimizer:
    """What the optimizer holds.

    Attributes:
        name: its class.
        holds: names of the model's parameters that it updates.
        strangers: how many of its parameters are none of the model's.
        total: how many parameters it has.
    """

    name: str
    holds: frozenset[str]
    strangers: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class LiveRun:
    """What the run would do.

    Attributes:
        optimizer: None: there is none yet, or it holds flattened parameters.
        scheduled_steps: for how many steps the learning rate's schedule was made; None: not known.
        schedule_apart: whether the schedule moves another optimizer.
        steps: how many steps the run has.
        own_loss: whether the loss is the user's own; None: not known.
        wanted: keys that a `compute_loss` of one's own takes from the batch.
        columns: of the training set, before unused ones are dropped.
        eval_columns: of the evaluation set.
        eval_is_train: whether both are one set.
        label_names: the Trainer's; None: not known.
        measures: whether there is a `compute_metrics`.
        classes: how often each label stands in the training set, in an even sample; empty: not known.
        arguments: what TrainingArguments say, by name.
    """

    optimizer: LiveOptimizer | None = None
    scheduled_steps: int | None = None
    schedule_apart: bool = False
    steps: int | None = None
    own_loss: bool | None = None
    wanted: frozenset[str] = frozenset()
    columns: tuple[str, ...] = ()
    eval_columns: tuple[str, ...] = ()
    eval_is_train: bool = False
    label_names: tuple[str, ...] | None = None
    measures: bool = False
    classes: Mapping[Any, int] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict, repr=False)


def read_run(objects: Objects) -> LiveRun:
    """Look at what surrounds the model."""
    trainer = objects.trainer
    own, wanted = _loss(trainer)
    names = getattr(trainer, "label_names", None)
    evaluation, train = objects.evaluation, objects.train
    optimizer = _inner(objects.optimizer, "optimizer")
    scheduler = _inner(objects.scheduler, "scheduler")
    driven = None if _sharded(objects) else _inner(getattr(scheduler, "optimizer", None), "optimizer")
    return LiveRun(
        optimizer=_optimizer(optimizer, objects),
        scheduled_steps=_scheduled(scheduler),
        schedule_apart=optimizer is not None and driven is not None and driven is not optimizer,
        steps=objects.steps if objects.steps and objects.steps > 0 else None,
        own_loss=own,
        wanted=wanted,
        columns=columns_of(train),
        eval_columns=columns_of(evaluation),
        eval_is_train=evaluation is not None and (evaluation is train or _same_set(evaluation, train)),
        label_names=tuple(names) if isinstance(names, list | tuple) else None,
        measures=getattr(trainer, "compute_metrics", None) is not None,
        classes=_classes(train),
        arguments={
            name: getattr(objects.arguments, name, None)
            for name in ("fp16", "bf16", "remove_unused_columns", "group_by_length", "train_sampling_strategy")
        },
    )


def _inner(value: Any, name: str) -> Any:
    """What accelerate's wrapper holds."""
    for _ in range(4):
        if value is None or not any(kind.startswith("accelerate.") for kind in bases(value)):
            return value
        value = getattr(value, name, None)
    return value


def _optimizer(optimizer: Any, objects: Objects) -> LiveOptimizer | None:
    """None where parameters are flattened or updated by hooks, so that the optimizer's are not the model's."""
    groups = getattr(optimizer, "param_groups", None)
    if objects.model is None or not isinstance(groups, list) or "Dummy" in type(optimizer).__name__:
        return None
    if _sharded(objects):
        return None
    names = {id(parameter): name for name, parameter in objects.model.named_parameters()}
    held = [parameter for group in groups for parameter in group.get("params", ())]
    if any(hasattr(parameter, "placements") or hasattr(parameter, "ds_id") for parameter in held):
        return None
    known = frozenset(names[id(parameter)] for parameter in held if id(parameter) in names)
    strangers = sum(id(parameter) not in names for parameter in held)
    return LiveOptimizer(type(optimizer).__name__, known, strangers, len(held))


def _sharded(objects: Objects) -> bool:
    """Whether DeepSpeed or FSDP puts an optimizer of its own in place of the one that was made."""
    return bool(getattr(objects.arguments, "deepspeed", None) or getattr(objects.arguments, "fsdp", None))


def _scheduled(scheduler: Any) -> int | None:
    """The `num_training_steps` that a schedule of transformers was made with."""
    for function in getattr(scheduler, "lr_lambdas", None) or ():
        steps = getattr(function, "keywords", {}).get("num_training_steps")
        if isinstance(steps, int):
            return steps
    return None


def _loss(trainer: Any) -> tuple[bool | None, frozenset[str]]:
    """Whether the loss is of one's own, and the keys that its source takes from the batch."""
    if trainer is None:
        return None, frozenset()
    if getattr(trainer, "compute_loss_func", None) is not None:
        return True, frozenset()
    function = getattr(type(trainer), "compute_loss", None)
    library = getattr(function, "__module__", "").partition(".")[0]
    if library in LIBRARIES:
        plain = library == "transformers" or "trl.SFTTrainer" in bases(trainer)
        return (False if plain else None), frozenset()  # a preference or a reward is computed otherwise
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))  # type: ignore[arg-type]
    except (OSError, TypeError, SyntaxError, ValueError):
        return True, frozenset()
    return True, frozenset(_taken(tree.body[0])) if tree.body else frozenset()


def _taken(function: ast.AST) -> set[str]:
    """The keys of `inputs["key"]` and `inputs.pop("key")` without a default, outside any condition.

    Those alone raise when the batch has no such key.
    """
    arguments = getattr(getattr(function, "args", None), "args", [])
    if len(arguments) < 3 or not isinstance(function, ast.FunctionDef):
        return set()
    batch = arguments[2].arg
    found: set[str] = set()
    for statement in function.body:
        if isinstance(statement, ast.If | ast.Try | ast.For | ast.While | ast.With):
            break
        if isinstance(statement, ast.Assign) and any(batch in ast.dump(target) for target in statement.targets):
            break  # from here on it is another batch
        for node in ast.walk(statement):
            if isinstance(node, ast.IfExp | ast.BoolOp):
                return found
            if isinstance(node, ast.Subscript) and _is_name(node.value, batch) and isinstance(node.slice, ast.Constant):
                found.add(str(node.slice.value))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "pop":
                first = node.args[0] if len(node.args) == 1 and not node.keywords else None
                if _is_name(node.func.value, batch) and isinstance(first, ast.Constant):
                    found.add(str(first.value))
    return found


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _same_set(one: Any, other: Any) -> bool:
    """Whether two `datasets.Dataset` are made of the same rows by the same steps."""
    if not {"datasets.Dataset"} <= bases(one) & bases(other) or len(one) != len(other) or not len(one):
        return False
    prints = [getattr(data, "_fingerprint", None) for data in (one, other)]
    return prints[0] is not None and prints[0] == prints[1]


def _classes(train: Any) -> Mapping[Any, int]:
    """The labels of an even sample of the training set's rows; empty where they are no single numbers or words."""
    column = next((name for name in ("labels", "label") if name in columns_of(train)), None)
    if column is None or "datasets.Dataset" not in bases(train) or not len(train):
        return {}
    step = max(1, len(train) // MOST_ROWS)
    labels = train.with_format(None).select_columns([column])[range(0, len(train), step)][column]
    if any(isinstance(label, list | dict | float) or label is None for label in labels):
        return {}
    return Counter(labels)
