"""Any argument of TrainingArguments as a flag, judged by name and type without transformers: taken, typed, for_loop.

The names and types are those that `pretune check` knows of each version of transformers. Knows neither click nor what
an argument does; which ones the loop honours is what Options has.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError, did_you_mean
from pretune.train.options import Options

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pretune.check.facts.training_arguments import Argument, ArgumentTable

ELSEWHERE = frozenset(
    "output_dir report_to bf16 fp16 do_train do_eval eval_on_start metric_for_best_model greater_is_better".split()
)
"""Arguments that the loop honours though Options has no field of that name."""
SAME = {"optim": ("adamw_torch_fused", "adamw_torch"), "load_best_model_at_end": (True, False)}
"""Arguments with values that say what the loop does anyhow: the best model is always kept."""
TASKS = ("mrc", "classify", "tag", "pairs")
"""What may stand behind a flag without a value."""
SCHEDULES = frozenset(
    "linear cosine cosine_with_restarts polynomial constant constant_with_warmup inverse_sqrt".split()
)
"""Schedules that need nothing but a number of steps."""
SEQ2SEQ = frozenset(
    {"sortish_sampler", "predict_with_generate", "generation_max_length", "generation_num_beams", "generation_config"}
)
"""What only Seq2SeqTrainingArguments takes."""
MEANT: Mapping[str, str] = {
    **dict.fromkeys(("model_name_or_path", "model_name", "base_model"), "--model"),
    **dict.fromkeys(("train_file", "train_data", "train_dataset", "dataset"), "--train"),
    **dict.fromkeys(
        ("validation_file", "valid", "validation", "dev_file", "test", "test_file", "predict_file"), "--dev"
    ),
    **dict.fromkeys(("epochs", "epoch", "num_epochs"), "--num-train-epochs"),
    **dict.fromkeys(("batch_size", "bs", "train_batch_size"), "--per-device-train-batch-size"),
    "eval_batch_size": "--per-device-eval-batch-size",
    **dict.fromkeys(("lr", "learningrate"), "--learning-rate"),
    **dict.fromkeys(("grad_accum", "accumulation", "accumulation_steps"), "--gradient-accumulation-steps"),
    "warmup": "--warmup-steps",
    **dict.fromkeys(("max_seq_length", "max_seq_len", "max_len", "max_source_length"), "--max-length"),
    "doc_stride": "--stride",
    "n_best_size": "--n-best",
    "version_2_with_negative": "--unanswerable",
    "null_score_diff_threshold": "--null-threshold",
    **dict.fromkeys(("overwrite_output_dir", "overwrite", "restart"), "--no-resume"),
    **dict.fromkeys(("output", "save_dir"), "--out"),
    "resume_from_checkpoint": "--resume",
    "tokenizer_name": "--tokenizer",
    "pad_to_max_length": "--padding max_length",
    "group_by_length": "--padding none --tokens-per-batch 2160",
    **dict.fromkeys(("text_column_name", "text_column", "label_column_name", "label_column"), "--column ROLE=NAME"),
}
"""What other scripts (run_qa.py, run_glue.py, ...) call a flag -> ours."""
INSTEAD: Mapping[str, str] = {
    "resume_from_checkpoint": "--resume goes on from the newest checkpoint in --out",
    "overwrite_output_dir": "--no-resume takes the old run away and begins anew",
    "push_to_hub": "hf upload NAME FOLDER, when the run is done",
}
"""Arguments of TrainingArguments -> what does their work here."""
_BATCHES = "batches are made by --padding and --tokens-per-batch"
IN_VAIN: Mapping[str, str] = {
    **dict.fromkeys(("group_by_length", "train_sampling_strategy", "length_column_name"), _BATCHES),
    **dict.fromkeys(("dataloader_drop_last", "auto_find_batch_size"), _BATCHES),
    "label_smoothing_factor": "the loss is that of the task",
    "save_only_model": "a checkpoint holds all that a run needs to go on; the folder's top is the model alone",
}
"""Arguments that the Trainer would take and do nothing with -> why."""
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def known_arguments() -> ArgumentTable:
    """What the installed transformers takes; the newest one known where none is installed."""
    from importlib.metadata import PackageNotFoundError, version

    from pretune.check.facts.training_arguments import arguments_of

    try:
        table = arguments_of(version("transformers"))
    except PackageNotFoundError:
        table = arguments_of()
    return replace(table, arguments={name: one for name, one in table.arguments.items() if name not in SEQ2SEQ})


def taken(words: Sequence[str], own: Collection[str]) -> tuple[list[str], dict[str, Any]]:
    """A command line without the flags of TrainingArguments, and these.

    `--learning-rate 3e-5`, `--learning_rate=3e-5`, `--bf16`, `--bf16 false` and `--no-bf16` are understood.

    Args:
        words: the command line.
        own: the command's own flags, `--model`, `-h`; they and their values are left alone.

    Raises:
        UserError: a flag that nobody knows, one without its value, a value of another type, one given twice.
    """
    left: list[str] = []
    found: dict[str, Any] = {}
    table: ArgumentTable | None = None
    rest = list(words)
    while rest:
        word = rest.pop(0)
        flag, equals, value = word.partition("=")
        if word == "--":
            return [*left, word, *rest], found
        if not word.startswith("--") or flag in own:
            left.append(word)
            continue
        table = table or known_arguments()
        name = flag[2:].replace("-", "_")
        negated = name.startswith("no_") and name[3:] in table.arguments and name not in table.arguments
        argument = table.arguments.get(name[3:] if negated else name)
        if argument is None:
            raise _unknown(flag, name, own, table)
        if argument.name in found:
            raise UserError(f"{flag} is given twice")
        if negated:
            found[argument.name] = typed(argument, flag, False)
        elif equals:
            found[argument.name] = typed(argument, flag, value, spelled=True)
        elif "bool" in argument.types and not (rest and _is_value(rest[0], argument)):
            found[argument.name] = True
        elif not rest or (rest[0].startswith("--") and rest[0] != "--"):
            raise UserError(f"{flag} has no value, expected {_expected(argument)}")
        else:
            found[argument.name] = typed(argument, flag, rest.pop(0), spelled=True)
    return left, found


def judged(given: Mapping[str, Any], place: Mapping[str, str]) -> dict[str, Any]:
    """Arguments of a recipe file with values of the right type.

    Args:
        given: name -> value.
        place: name -> where it was said.

    Raises:
        UserError: an unknown name, a value of another type.
    """
    table = known_arguments()
    found = {}
    for name, value in given.items():
        where = place.get(name) or f"training_args.{name}"
        if name not in table.arguments:
            raise _unknown(where, name, (), table)
        found[name] = typed(table.arguments[name], where, value)
    return found


def typed(argument: Argument, where: str, value: Any, *, spelled: bool = False) -> Any:
    """The value as the argument takes it.

    Args:
        argument: which.
        where: the flag or the place in the file, for the message.
        value: what was given.
        spelled: it is a word of a command line, which may spell a number, a truth value, a list or a table.

    Raises:
        UserError: a value of another type, or none of its choices.
    """
    from pretune.check.facts.training_arguments import PARSED, fitted
    from pretune.check.sources.flags import value_of

    types = argument.types | PARSED.get(argument.name, frozenset())
    if spelled:
        if "bool" in types and str(value).lower() in _TRUTH:
            value = _TRUTH[str(value).lower()]
        elif not ("str" in types and not types & {"int", "float"} and str(value)[:1] not in "[{"):
            value = value_of(str(value))
    made, wrong = fitted(argument, value)
    if wrong is not None and wrong.meant is None:
        shown = repr(value) if len(repr(value)) <= 60 else repr(value)[:57] + "..."
        raise UserError(f"{where}: expected {_expected(argument)}, found {shown}")
    choices = argument.choices or argument.allowed
    if choices and isinstance(made, str) and made not in choices:
        hint = did_you_mean(made, choices) or f"one of: {', '.join(choices[:12])}"
        raise UserError(f'{where}: unknown "{made}"', hint=hint)
    return made


def for_any(given: Mapping[str, Any], place: Mapping[str, str]) -> None:
    """Refuse arguments whose work is done here in another way.

    Raises:
        UserError: the first such argument, with that way.
    """
    for name, way in INSTEAD.items():
        if given.get(name):
            raise UserError(f"{place.get(name) or name} is not heeded here", hint=way)


def for_trainer(given: Mapping[str, Any], place: Mapping[str, str]) -> None:
    """Refuse what the Trainer would be told in vain, as batches, losses and checkpoints are not its own here.

    Raises:
        UserError: the first such argument, with the way out.
    """
    table = known_arguments()
    for name, way in IN_VAIN.items():
        argument = table.arguments.get(name)
        if argument is not None and name in given and given[name] not in (None, argument.default):
            raise UserError(f"{place.get(name) or name} would change nothing in this run", hint=way)


def for_loop(given: Mapping[str, Any], place: Mapping[str, str]) -> None:
    """Refuse what the loop would pass over in silence; a value that is the default anyhow is let through.

    Raises:
        UserError: the first such argument, with the way out.
    """
    schedule = given.get("lr_scheduler_type", "linear")
    if schedule not in SCHEDULES:
        raise UserError(
            f"the loop does not know --lr-scheduler-type {schedule}, which wants more than a number of steps",
            hint=f"use one of: {', '.join(sorted(SCHEDULES))}; or --engine trainer with --lr-scheduler-kwargs",
        )
    if given.get("fsdp") not in (None, True, False, "", "full_shard", "full_shard auto_wrap"):
        raise UserError(f"the loop does not know --fsdp {given['fsdp']}", hint="--fsdp full_shard shares all weights")
    table = known_arguments()
    honoured = {one.name for one in fields(Options)} | ELSEWHERE
    for name, value in given.items():
        if name in honoured or value in SAME.get(name, ()):
            continue
        if name in table.arguments and value == table.arguments[name].default:
            continue
        said = place.get(name, "")
        flag = said if said.startswith("--") else "--" + name.replace("_", "-")
        hint = IN_VAIN.get(name, "use --engine trainer, which passes it on")
        raise UserError(f"the loop does not know {flag}", hint=hint)


def _is_value(word: str, argument: Argument) -> bool:
    """Whether a word behind a flag that needs none is its value: a truth value, or what else the argument may be."""
    if word.lower() in _TRUTH:
        return True
    return "str" in argument.types and not word.startswith("-") and word not in TASKS and "." not in word


def _expected(argument: Argument) -> str:
    names = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "a word", "list": "a list"}
    said = [names.get(one, f"a {one}") for one in sorted(argument.types - {"null", "object"})]
    return " or ".join(said) or "a value"


def _unknown(where: str, name: str, own: Collection[str], table: ArgumentTable) -> UserError:
    """The error for a name that nobody knows, with what became of it or what was meant."""
    if where.startswith("--") and name in MEANT:
        return UserError(f"no such option {where}", hint=f'did you mean "{MEANT[name]}"?')
    replaced = table.replaced.get(name)
    if replaced is not None and name not in IN_VAIN:
        return UserError(f"{where} is no argument of transformers {table.version}", hint=replaced.how)
    if name in table.seen:
        gone = table.gone_since(name)
        when = f"since {gone}" if gone else f"in {table.version}"
        hint = IN_VAIN.get(name, f"it is not there {when}")
        return UserError(f"{where} is no argument of transformers {table.version}", hint=hint)
    flags = [*own, *("--" + one.replace("_", "-") for one in table.arguments)]
    if where.startswith("--"):
        meant = did_you_mean("--" + name.replace("_", "-"), flags)
        hint = meant or "pretune train --help; any argument of TrainingArguments is a flag too"
        return UserError(f"no such option {where}", hint=hint)
    return UserError(f'{where}: unknown argument "{name}"', hint=did_you_mean(name, table.arguments))
