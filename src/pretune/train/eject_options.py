"""What of a recipe a script does not do: require_plain refuses what changes numbers, left_out names the rest.

Nothing is dropped in silence. Knows no template.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from pretune.core.errors import UserError
from pretune.train.options import Options

if TYPE_CHECKING:
    from pretune.train.recipe import Recipe

HUB = ("revision", "trust_remote_code")
"""Arguments of from_pretrained that the script hands on."""
FIGURES = {
    "mrc": ("exact_match", "f1", "exact", "rouge_w"),
    "classify": ("accuracy", "macro_f1"),
    "pairs": ("accuracy", "macro_f1", "pearson", "spearman"),
    "tag": ("entity_macro_f1", "entity_micro_f1"),
}
"""Figures that scripts of a task compute, of all variants of it."""


def require_plain(recipe: Recipe) -> None:
    """Stop where the script could not come to the same numbers.

    Raises:
        UserError: what it does not do, in one line.
    """
    options = recipe.options
    odd = ["fsdp"] if options.fsdp else []
    odd += ["padding max_length"] if options.padding == "max_length" else []
    odd += ["precision fp16"] if options.precision == "fp16" else []
    if options.attention_dropout is not None and options.padding != "none":
        odd.append("attention-dropout with pads (it does with padding none)")
    odd += ["engine trainer"] if recipe.engine != "loop" else []
    if recipe.best_metric not in {None, *FIGURES[recipe.task]}:
        odd.append(f"metric-for-best-model {recipe.best_metric}")
    odd += ["model-class"] if recipe.setup.model_class is not None else []
    odd += ["model-kwargs"] if recipe.setup.model_kwargs else []
    odd += ["tokenizer-kwargs"] if recipe.setup.tokenizer_kwargs else []
    odd += [f"from-pretrained {key}" for key in recipe.setup.from_pretrained if key not in HUB]
    if odd:
        raise UserError(f"--eject does not write {', '.join(odd)}", hint="what it writes: docs/train-eject.md")


def left_out(recipe: Recipe) -> tuple[str, ...]:
    """What was asked for and the script does not do, though it comes to the same losses without."""
    options = recipe.options
    plain = {one.name: one.default for one in fields(Options)}
    odd = []
    if recipe.report_to:
        odd.append(f"report-to {' '.join(recipe.report_to)} (it prints its log)")
    if options.eval_strategy != "epoch" and recipe.setup.data.eval:
        odd.append(f"eval-strategy {options.eval_strategy} (it evaluates after each epoch)")
    if options.save_strategy != "epoch":
        odd.append(f"save-strategy {options.save_strategy} (it saves after each epoch)")
    if options.save_total_limit != plain["save_total_limit"]:
        odd.append(f"save-total-limit {options.save_total_limit} (it keeps one checkpoint)")
    if options.ddp_find_unused_parameters:
        odd.append("ddp-find-unused-parameters (it is one process)")
    return tuple(odd)
