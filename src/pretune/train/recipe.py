"""What a training run is told: Recipe, from a recipe file and flags. A recipe file is a setup file of `pretune check`.

What check knows (model, data, training_args, encode) stands where check reads it; what only training needs stands in
the table `train`. So both commands read one truth. Knows neither the data's rows nor torch.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.train.options import PRESETS, Options
from pretune.train.recipe_flags import SAME, for_any, for_loop, for_trainer, judged
from pretune.train.recipe_values import ARGUMENTS_LEAST, in_range, own_of, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.check.sources.setup import Setup
    from pretune.check.sources.setup_keys import Said
    from pretune.train.options import Precision

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "mrc": ("question-answering",),
    "classify": ("text-classification",),
    "tag": ("token-classification",),
    "pairs": ("pair-classification", "sentence-similarity"),
}
"""What `pretune train` trains -> the tasks of a setup file that mean it."""
_SET = frozenset(
    {"output_dir", "report_to", "bf16", "fp16", "fsdp", "eval_on_start", "metric_for_best_model", "greater_is_better"}
)
"""Arguments of the Trainer that a recipe says in its own fields."""
LEVERS = ("padding", "tokens_per_batch", "attention_dropout", "precision", "fast_dropout")
_UNSAID = frozenset({*LEVERS, "max_length", "fsdp", "ddp_find_unused_parameters"})
"""Options that are not written out among the training arguments."""
UNHEARD: Mapping[str, str] = {
    "add_tokens": "add them first: pretune tokens add",
    "add_special_tokens": "add them first: pretune tokens add",
    "resize": "resize the model first: pretune tokens add does it where it must",
    "pad_token": "save the tokenizer with it first",
    "peft": "pretune train trains whole models",
    "append_eos": "an encoder's tokenizer puts its own special tokens",
}
"""Keys of a setup file that training does not heed -> the way out."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a training run is told.

    Attributes:
        task: a name of COMMANDS.
        setup: the same in check's words, with every option that counts written out.
        options: the numbers.
        out: the run's folder.
        engine: `loop` or `trainer`.
        passed: further arguments for the Trainer, which only that engine knows.
        metric: korquad1, squad1, squad2 or klue_mrc; None: chosen from the data.
        unanswerable: whether no answer is an answer; None: when a question of the data has none.
        null_threshold: no answer is given when its score is above the best answer's by more than this.
        n_best: candidates of a question that are kept.
        max_answer_length: tokens of an answer, at most.
        max_length: tokens of an example, at most; None: 384 for mrc, else what the model takes.
        stride: tokens of a context that neighbouring windows share.
        unfit: what is done with a row that cannot be used.
        new_head: the labels are those of the data and the head is new, whatever labels the model was trained for.
        pooling: of the vector that a class or a similarity is read from: `head` as the architecture's class has it, or
            mean, cls, last_token, max; None: what the model's folder declares, else `head` (pooling.py).
        report_to: names of trackers.
        eval_on_start: the model is evaluated before it is trained as well.
        best_metric: the figure by which the best model is chosen; None: the task's.
        greater_is_better: whether a higher one is better; None: by its name.
        name: the recipe file, or the model.
        unsaid: which of max_length and stride are defaults, which give way to the model (`fitted`).
    """

    task: str
    setup: Setup
    options: Options
    out: Path
    engine: str = "loop"
    passed: Mapping[str, Any] = field(default_factory=dict)
    metric: str | None = None
    unanswerable: bool | None = None
    null_threshold: float = 0.0
    n_best: int = 20
    max_answer_length: int = 30
    max_length: int | None = None
    stride: int = 128
    unfit: str = "error"
    new_head: bool = False
    pooling: str | None = None
    report_to: tuple[str, ...] = ()
    eval_on_start: bool = False
    best_metric: str | None = None
    greater_is_better: bool | None = None
    name: str = ""
    unsaid: frozenset[str] = frozenset()

    @property
    def model(self) -> str:
        """A folder or a hub name."""
        assert self.setup.model is not None
        return self.setup.model


def recipe_of(said: Said, *, task: str | None = None, name: str = "") -> Recipe:
    """The recipe that a file and flags say.

    Args:
        said: the keys of a setup file, flags laid over them.
        task: a name of COMMANDS; None: what the key `task` means.
        name: how the recipe is called in what the user sees.

    Raises:
        UserError: an unknown key, argument or choice, a number out of range; no model, no data, no folder for the run;
            what the chosen engine would pass over.
    """
    from pretune.check.sources.setup_keys import setup_from

    setup = setup_from(said)
    task = _task(setup, task)
    for key, hint in UNHEARD.items():
        if getattr(setup, key):
            raise UserError(f"{setup.place(key)}: pretune train does not do {key}", hint=hint)
    own = own_of(setup)
    places = {key: setup.place(f"training_args.{key}") for key in setup.training_args}
    arguments = judged(setup.training_args, places)
    in_range(arguments, ARGUMENTS_LEAST, setup, "training_args")
    engine = own.pop("engine", "loop")
    options, levers = _options(own, arguments, setup, task)
    named = {one.name for one in fields(Options)} | _SET
    passed = {key: value for key, value in arguments.items() if key not in named | set(SAME) - {"optim"}}
    for_any(arguments, places)
    (for_loop if engine == "loop" else for_trainer)(arguments, places)
    out = arguments.get("output_dir")
    for missing, flag in ((setup.model, "--model"), (setup.data.train, "--train"), (out, "--out")):
        if not missing:
            raise UserError(f"{name or task} names no {flag[2:]}", hint=f"give {flag}, or write it into the recipe")
    shape = {key: own[key] for key in own if key not in {*LEVERS, "preset"}}
    made = Recipe(
        task=task,
        setup=setup,
        options=options,
        out=Path(str(out)).expanduser(),
        engine=engine,
        passed=passed,
        max_length=options.max_length,
        stride=whole(setup, "stride", stride_of(options.max_length)),
        report_to=_names(arguments.get("report_to")),
        eval_on_start=bool(arguments.get("eval_on_start")),
        best_metric=str(arguments.get("metric_for_best_model") or "").removeprefix("eval_") or None,
        greater_is_better=arguments.get("greater_is_better"),
        name=name or str(setup.model),
        unsaid=frozenset({"max_length", "stride"} - {key for key, value in setup.encode.items() if value is not None}),
        **shape,
    )
    return replace(made, setup=_written_out(made, arguments, {**levers, **shape, "engine": engine}))


def stride_of(window: int | None) -> int:
    """The stride of windows of so many tokens: 128 as run_qa.py has it, a quarter where that leaves little new."""
    return 128 if window is None or window >= 256 else window // 4


def fitted(recipe: Recipe, tokens: int | None) -> tuple[Recipe, str]:
    """The recipe with defaults that the model can take, and a line that says so; empty: nothing was changed.

    Args:
        recipe: whose `unsaid` numbers may change.
        tokens: what the model and its tokenizer take at most; None: not known.
    """
    if recipe.max_length is None:
        return recipe, ""
    window, stride, said = recipe.max_length, recipe.stride, []
    if tokens is not None and tokens < window and "max_length" in recipe.unsaid:
        window = tokens
        said.append(f"windows of {window} tokens, which is what the model takes")
    if "stride" in recipe.unsaid:
        stride = stride_of(window if tokens is None else min(window, tokens))
        if stride != 128:
            said.append(f"neighbours share {stride} (--stride)")
    options = replace(recipe.options, max_length=window)
    encode = {**recipe.setup.encode, "max_length": window, "stride": stride}
    made = replace(
        recipe, max_length=window, stride=stride, options=options, setup=replace(recipe.setup, encode=encode)
    )
    return made, "; ".join(said)


def with_precision(recipe: Recipe, precision: Precision) -> Recipe:
    """The recipe with what `auto` came to, so that its record says what was computed in."""
    options = replace(recipe.options, precision=precision)
    setup = replace(recipe.setup, train={**recipe.setup.train, "precision": precision})
    return replace(recipe, options=options, setup=setup)


def _task(setup: Setup, task: str | None) -> str:
    if task is None:
        if setup.task is None:
            raise UserError("the recipe names no task", hint='task = "question-answering", or pretune train mrc …')
        task = next((name for name, tasks in COMMANDS.items() if setup.task in tasks), None)
        if task is None:
            raise UserError(
                f"{setup.place('task')}: {setup.task} is not trained here",
                hint="tasks: " + ", ".join(one for tasks in COMMANDS.values() for one in tasks),
            )
    elif setup.task is not None and setup.task not in COMMANDS[task]:
        raise UserError(
            f"{setup.place('task')}: the task is {setup.task}, but {task} is to be trained",
            hint=f"{task} means {' or '.join(COMMANDS[task])}",
        )
    return task


def _options(
    own: Mapping[str, Any], arguments: Mapping[str, Any], setup: Setup, task: str
) -> tuple[Options, dict[str, Any]]:
    """The numbers, and the levers as they count: what is said wins over the preset, the preset over the defaults."""
    levers = dict(PRESETS[own.get("preset", "exact")])
    if "per_device_train_batch_size" in arguments:
        levers.pop("tokens_per_batch", None)
    for name, means in (("bf16", "autocast"), ("fp16", "fp16")):
        if arguments.get(name):
            if own.get("precision", means) != means:
                where = setup.place(f"training_args.{name}")
                raise UserError(
                    f"{where} means precision {means}, but precision is {own['precision']}", hint="give one"
                )
            levers["precision"] = means
    levers |= {key: own[key] for key in LEVERS if key in own}
    named = {one.name for one in fields(Options)}
    given = {key: value for key, value in arguments.items() if key in named and value is not None}
    given |= {key: bool(given[key]) for key in ("fsdp", "ddp_find_unused_parameters") if key in given}
    for key in ("logging_steps", "eval_steps", "save_steps"):
        if isinstance(given.get(key), float):
            if not given[key].is_integer():
                raise UserError(f"{setup.place(f'training_args.{key}')} is {given[key]}, expected whole steps")
            given[key] = int(given[key])
    if "eval_steps" in given and "eval_strategy" not in given:
        given["eval_strategy"] = "steps"
    if not setup.data.eval:
        given.setdefault("eval_strategy", "no")
    if "save_steps" in given and "save_strategy" not in given:
        given["save_strategy"] = "steps"
    longest = whole(setup, "max_length", 384 if task == "mrc" else None)
    made = Options(**given, **levers, max_length=longest)
    if made.padding == "max_length" and longest is None:
        raise UserError("padding is max_length, but there is no max_length", hint="give --max-length")
    if made.num_train_epochs <= 0 and made.max_steps <= 0:
        raise UserError("there is nothing to train: no epochs and no steps", hint="--num-train-epochs 3")
    if made.eval_strategy == "steps" and made.eval_steps is None:
        made = replace(made, eval_steps=made.logging_steps)
    return made, levers


def _names(value: Any) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else list(value or ())
    return tuple(str(name) for name in names if name not in ("none", "", None))


def _written_out(recipe: Recipe, arguments: Mapping[str, Any], own: Mapping[str, Any]) -> Setup:
    """The setup with every option that counts, so that check asks about what will be done."""
    numbers = {
        one.name: getattr(recipe.options, one.name)
        for one in fields(Options)
        if one.name not in _UNSAID and getattr(recipe.options, one.name) is not None
    }
    padding: Any = {"longest": True, "none": False}.get(recipe.options.padding, recipe.options.padding)
    encode = {**recipe.setup.encode, "truncation": True, "padding": padding}
    if recipe.max_length is not None:
        encode["max_length"] = recipe.max_length
    if recipe.task == "mrc":
        encode |= {"truncation": "only_second", "stride": recipe.stride, "return_overflowing_tokens": True}
    task = recipe.setup.task or (COMMANDS[recipe.task][0] if recipe.task != "pairs" else None)
    if recipe.options.max_steps > 0 and "num_train_epochs" not in arguments:
        del numbers["num_train_epochs"]  # it does not count
    arguments = {**arguments, **numbers}
    return replace(recipe.setup, task=task, training_args=arguments, encode=encode, train=dict(own))
