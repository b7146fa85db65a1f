"""TRN: evaluation, checkpoints and the best of them: do the arguments agree with each other and with the disk?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.training import TrainingFacts
    from pretune.check.finding import Rule

HIGHER = frozenset(
    {
        "accuracy",
        "acc",
        "f1",
        "em",
        "exact",
        "exact_match",
        "precision",
        "recall",
        "auc",
        "auroc",
        "auprc",
        "map",
        "mrr",
    }
    | {
        "bleu",
        "sacrebleu",
        "meteor",
        "chrf",
        "rouge",
        "rouge1",
        "rouge2",
        "rougel",
        "rougelsum",
        "ndcg",
        "combined_score",
    }
    | {"pearson", "pearsonr", "spearman", "spearmanr", "matthews", "matthews_correlation", "mcc"}
)
LOWER = frozenset(
    {"loss", "perplexity", "ppl", "wer", "cer", "ter", "mse", "rmse", "mae", "error", "error_rate", "nll"}
)
"""Metrics by the last word of their name, by whether more or less of them is better."""

WRAPPERS = {
    "squad": "f1 or exact_match",
    "squad_v2": "f1 or exact",
    "seqeval": "overall_f1",
    "glue": "accuracy, f1 or pearson",
    "klue": "f1 or accuracy",
    "rouge": "rouge1, rouge2 or rougeL",
}
"""Metrics of `evaluate` that return values under other names than their own."""


def higher_is_better(metric: str) -> bool | None:
    """Whether more of a metric is better, by its name (`eval_macro_f1`); None: the name does not tell."""
    name = metric.lower().removeprefix("eval_")
    last = name.rpartition("_")[2]
    if name in LOWER or last in LOWER:
        return False
    return True if name in HIGHER or last in HIGHER else None


@rule("TRN010", Level.ERROR)
def best_model_without_evaluation(training: TrainingFacts) -> Iterator[Problem]:
    """The best checkpoint is asked for, but nothing is ever evaluated.

    Why: without an evaluation there is no best. With save_strategy steps or epoch TrainingArguments refuses it; with
    "no" or "best" it is taken, and the last weights are kept without a word.
    Fix: set eval_strategy to "epoch" or "steps", as save_strategy.
    """
    evaluates, saves = training.text("eval_strategy") not in ("", "no"), training.text("save_strategy")
    best = training.flag("load_best_model_at_end")
    if evaluates:
        return
    if best:
        default = "" if training.given("eval_strategy") else " (the default)"
        refused = saves in ("steps", "epoch")
        outcome = f'save_strategy "{saves}" makes that an error' if refused else "nothing is loaded at the end"
        yield Problem(
            f'load_best_model_at_end is true but eval_strategy is "no"{default}: {outcome}',
            where=training.place("load_best_model_at_end"),
            level=None if refused else Level.WARNING,
        )
    elif saves == "best":
        yield Problem(
            'save_strategy is "best" and eval_strategy is "no": nothing is ever saved',
            where=training.place("save_strategy"),
            level=Level.WARNING,
        )


@rule("TRN011", Level.ERROR)
def evaluation_and_saving_apart(training: TrainingFacts) -> Iterator[Problem]:
    """The best checkpoint is asked for, but evaluation and saving follow different strategies.

    Why: a checkpoint that was not evaluated cannot be the best; TrainingArguments refuses the pair.
    Fix: give eval_strategy and save_strategy the same value, or save_strategy "best".
    """
    evaluates, saves = training.text("eval_strategy"), training.text("save_strategy")
    known = evaluates in ("steps", "epoch") and saves in ("no", "steps", "epoch")
    if training.flag("load_best_model_at_end") and known and evaluates != saves:
        said = "" if training.given("save_strategy") else " (the default)"
        name = "save_strategy" if training.given("save_strategy") else "eval_strategy"
        pair = f'eval_strategy is "{evaluates}" and save_strategy "{saves}"{said}'
        yield Problem(f"load_best_model_at_end needs the same strategy for both: {pair}", where=training.place(name))


@rule("TRN012", Level.ERROR)
def saving_between_evaluations(training: TrainingFacts) -> Iterator[Problem]:
    """The best checkpoint is asked for, but save_steps is no multiple of eval_steps.

    Why: a checkpoint that was not evaluated cannot be the best; TrainingArguments refuses the pair.
    Fix: make save_steps a multiple of eval_steps. eval_steps left out is logging_steps, 500 by default.
    """
    if not training.flag("load_best_model_at_end"):
        return
    if training.text("eval_strategy") != "steps" or training.text("save_strategy") != "steps":
        return
    save, evaluate = training.number("save_steps"), training.number("eval_steps") or training.number("logging_steps")
    if not save or not evaluate or save < 0 or evaluate < 0:
        return
    if (save < 1) != (evaluate < 1):
        why = "a share of the run and a number of steps cannot be compared"
    elif (save * 1_000_000) % (evaluate * 1_000_000) if save < 1 else save % evaluate:
        why = "it has to be a multiple of that"
    else:
        return
    default = "" if training.given("save_steps") else " (the default)"
    yield Problem(
        f"save_steps is {save:g}{default}, eval_steps {evaluate:g}: {why}",
        where=training.place("save_steps" if training.given("save_steps") else "eval_steps"),
    )


@rule("TRN013", Level.ERROR)
def metric_direction_reversed(training: TrainingFacts) -> Iterator[Problem]:
    """The metric that decides which checkpoint is best is read the wrong way round.

    Why: Trainer keeps and loads the worst checkpoint, and nothing says so. Left out, greater_is_better is true for
    every metric whose name does not end with "loss": also for perplexity, wer and mse.
    Fix: set greater_is_better to fit the metric, or leave it out for a loss.
    """
    metric = training.values.get("metric_for_best_model")
    best = training.flag("load_best_model_at_end") or training.text("save_strategy") == "best"
    if metric is None and training.flag("load_best_model_at_end"):
        metric = "loss"
    if not best or not isinstance(metric, str) or training.text("eval_strategy") in ("", "no"):
        return
    said = training.values.get("greater_is_better")
    greater = said if isinstance(said, bool) else not metric.endswith("loss")
    better = higher_is_better(metric)
    if better is not None and better is not greater:
        kept = f"the checkpoint with the {'lowest' if better else 'highest'} one is kept"
        yield Problem(
            f"greater_is_better {'is' if isinstance(said, bool) else 'becomes'} {str(greater).lower()} "
            f"for {shown(metric)}: {kept}",
            where=training.place("greater_is_better" if isinstance(said, bool) else "metric_for_best_model"),
            help=f"set greater_is_better to {str(better).lower()}",
        )


@rule("TRN014", Level.NOTE)
def metric_by_another_name(training: TrainingFacts) -> Iterator[Problem]:
    """The metric that decides which checkpoint is best may not be among the values that the evaluation returns.

    Why: "eval_" plus the name is looked up in what compute_metrics returns: a KeyError at the first evaluation.
    Fix: name a key of the dict that compute_metrics returns.
    """
    metric = training.values.get("metric_for_best_model")
    if not isinstance(metric, str) or not training.given("metric_for_best_model"):
        return
    name = metric.removeprefix("eval_")
    if name in WRAPPERS:
        why = f'the metric "{name}" returns {WRAPPERS[name]}'
    elif name != name.strip() or not name:
        why = "it begins or ends with white space" if metric.strip() else "it is empty"
    elif name.startswith(("eval_", "train_")):
        why = f"it is looked up as {shown('eval_' + name)}"
    else:
        return
    message = f"metric_for_best_model is {shown(metric)}, which may not be found: {why}"
    yield Problem(message, where=training.place("metric_for_best_model"))


@rule("TRN015", Level.NOTE)
def evaluation_without_data(training: TrainingFacts) -> Iterator[Problem]:
    """Evaluation is asked for, but the setup names no data to evaluate on.

    Why: Trainer refuses an eval_strategy without an eval_dataset. A script may still split the training data itself.
    Fix: name the file under data.eval, or set eval_strategy to "no".
    """
    data, strategy = training.setup.data, training.text("eval_strategy")
    if strategy in ("steps", "epoch") and data.train and not data.eval:
        message = f'eval_strategy is "{strategy}" but the setup names no data.eval: training may stop before it starts'
        yield Problem(message, where=training.place("eval_strategy"))


@rule("TRN016", Level.WARNING)
def output_over_the_model(training: TrainingFacts) -> Iterator[Problem]:
    """Training writes into the folder that the model comes from.

    Why: trainer.save_model() replaces the pretrained weights and tokenizer, and a second run starts from the result of
    the first. When the model is a checkpoint inside output_dir, save_total_limit deletes it as the oldest.
    Fix: give output_dir a folder of its own.
    """
    output = training.values.get("output_dir")
    if training.output == "model":
        yield Problem(
            f"output_dir and the model are the same folder, {shown(str(output), 80)}",
            where=training.place("output_dir"),
        )
    elif training.output == "checkpoint" and (training.number("save_total_limit") or 0) > 0:
        limit = training.number("save_total_limit")
        yield Problem(
            f"the model is a checkpoint inside output_dir, and save_total_limit {limit:g} deletes the oldest",
            where=training.place("output_dir"),
        )


@rule("TRN017", Level.NOTE)
def output_dir_left_out(training: TrainingFacts) -> Iterator[Problem]:
    """This version of transformers cannot do without output_dir.

    Why: before 4.49 it has no default, and TrainingArguments() without it is a TypeError.
    Fix: name a folder.
    """
    argument = training.table.arguments.get("output_dir")
    if argument is not None and argument.required and not training.given("output_dir"):
        yield Problem(f"output_dir is not said, and {training.release} has no default for it")


@rule("TRN018", Level.NOTE)
def limit_without_effect(training: TrainingFacts) -> Iterator[Problem]:
    """A limit of zero checkpoints means no limit.

    Why: Trainer deletes nothing when save_total_limit is 0 or less; the disk fills up.
    Fix: set it to 1 or more, or save_strategy to "no".
    """
    limit = training.number("save_total_limit")
    if limit is not None and limit <= 0:
        message = f"save_total_limit is {limit:g}, which keeps every checkpoint"
        yield Problem(message, where=training.place("save_total_limit"))


@rule("TRN020", Level.ERROR)
def best_without_a_metric(training: TrainingFacts) -> Iterator[Problem]:
    """Only the best checkpoints are to be saved, but no metric says which are.

    Why: save_strategy "best" alone names no metric, and Trainer refuses it; load_best_model_at_end would take the loss.
    Fix: set metric_for_best_model, "loss" for instance.
    """
    metric = training.values.get("metric_for_best_model")
    plateau = training.text("lr_scheduler_type") in ("reduce_lr_on_plateau", "greedy")  # these set the metric to loss
    taken = training.flag("load_best_model_at_end") or plateau or metric is not None
    if training.text("save_strategy") == "best" and not taken:
        message = 'save_strategy is "best" but metric_for_best_model is not set'
        yield Problem(message, where=training.place("save_strategy"))


RULES: tuple[Rule, ...] = (
    best_model_without_evaluation,
    evaluation_and_saving_apart,
    saving_between_evaluations,
    metric_direction_reversed,
    metric_by_another_name,
    evaluation_without_data,
    output_over_the_model,
    output_dir_left_out,
    limit_without_effect,
    best_without_a_metric,
)
