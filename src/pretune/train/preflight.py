"""`pretune check` on a recipe before it is trained: preflight. An error stops the run unless it is forced.

The project's own settings (select, ignore, allow) count as for `pretune check`. Loads no model.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.check.engine import Report
    from pretune.check.sources.setup import Setup


_OF_HEADS = frozenset({"declared-pooling-not-used", "pooler-never-trained", "pooler-missing"})
"""Rules that ask what the architecture's own head reads."""


_OF_A_TRAINED_HEAD = frozenset({"head-of-another-size"})
"""Rules that compare the stored head with the data's labels."""
_OF_ROWS = frozenset(
    {
        *("broken-rows", "null-text", "missing-labels", "tags-and-tokens-differ-in-number"),
        *("answer-start-misaligned", "answer-not-in-context", "answer-start-missing", "question-fills-window"),
    }
)
"""Rules that speak of single rows which training leaves out where it may."""


def preflight(setup: Setup, *, subject: str, means: str, main: str, config: Mapping[str, Any]) -> Report:
    """What check finds in a recipe.

    Args:
        setup: of the recipe.
        subject: how it is called.
        means: its task in a setup file's words.
        main: the figure by which the best model is chosen, where the recipe names none.
        config: keys of the model's config that the data decide; what the user said of them wins.
    """
    from pretune.check.config import find_settings
    from pretune.check.engine import run
    from pretune.check.facts import Facts
    from pretune.check.rules import all_rules, select, suited

    known = all_rules()
    settings = find_settings(Path.cwd(), known)
    chosen = select(known, settings.select, settings.ignore)
    if not settings.select:
        chosen = suited(chosen, without=("script", "live", "deep"))
    if setup.train.get("pooling") not in {None, "head"}:  # the head is over that pooling, no other vector is read
        chosen = tuple(one for one in chosen if one.name not in _OF_HEADS)
    if setup.train.get("new_head"):  # the stored one is not loaded
        chosen = tuple(one for one in chosen if one.name not in _OF_A_TRAINED_HEAD)
    arguments = {"metric_for_best_model": main, **setup.training_args}
    asked = replace(setup, task=means, config={**config, **setup.config}, training_args=arguments)
    report = run(chosen, Facts(asked), subject=subject, allow=settings.allow)
    if setup.train.get("unfit") == "skip":
        kept = tuple(one for one in report.findings if one.name not in _OF_ROWS)
        left_out = [(one, "such rows are left out (unfit: skip)") for one in report.findings if one.name in _OF_ROWS]
        report = replace(report, findings=kept, allowed=(*report.allowed, *left_out))
    return replace(report, profile=None, skipped=())


def refuse(report: Report, *, force: bool) -> tuple[str, ...]:
    """Stop where the report has errors; forced, they are given back for the run's record, a line each.

    Raises:
        UserError: it has, and nobody forces the run.
    """
    from pretune.check.finding import Level

    errors = report.at_least(Level.ERROR)
    lines = tuple(f"{one.where or report.subject}: {one.name}: {one.message}" for one in errors)
    if errors and not force:
        names = ", ".join(dict.fromkeys(one.name for one in errors))
        raise UserError(
            f"the check before the run found {len(errors)} error{'s' * (len(errors) > 1)}: {names}",
            hint="mend them, allow them by name in pretune.toml, or train all the same with --force",
            exit_code=1,
        )
    return lines
