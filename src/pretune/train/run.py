"""A run from its recipe to its folder: run. Each mistake is told before the next, dearer thing is done.

The recipe is checked, then the data are read, then the tokenizer, then the model is loaded, trained, asked after each
epoch, and left in the folder as plain transformers has it. The parts stand in files of their own. Knows no terminal.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import ExitStack
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.core.quantity import number
from pretune.train import checkpoints, run_folder
from pretune.train.levers import precision_of
from pretune.train.model import limits_of, load_model, load_tokenizer, longest_of, require_fit
from pretune.train.page import paged
from pretune.train.page_record import findings_of
from pretune.train.pooling import resolved
from pretune.train.preflight import preflight, refuse
from pretune.train.processes import decided, require_processes
from pretune.train.recipe import fitted, with_precision
from pretune.train.running import Running, require_figure, to_device
from pretune.train.segments import without_types
from pretune.train.tasks import read
from pretune.train.trackers import require_trackers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pretune.check.engine import Report
    from pretune.train.options import Precision
    from pretune.train.recipe import Recipe
    from pretune.train.running import Done
    from pretune.train.tasks import Prepared, Task


def run(
    recipe: Recipe,
    *,
    force: bool = False,
    resume: bool | None = None,
    command: tuple[str, ...] = (),
    tell: Callable[[str], None] = lambda _: None,
    show: Callable[[Report], None] = lambda _: None,
) -> Done:
    """Train as the recipe says.

    Args:
        recipe: what to do.
        force: train although the check found errors.
        resume: go on from the newest checkpoint in the folder; None: where there is one of an unfinished run of this
            recipe; False: begin anew, and take the old run away.
        command: as it was typed, for the run's record.
        tell: takes each line that the user should read.
        show: takes the report of the check.

    Raises:
        UserError: anything that the user can mend, in one line.
        Interrupted: a signal came; the run was saved.
    """
    require_processes()
    first = _rank() == 0
    tell = tell if first else lambda _: None
    run_folder.require_folder(recipe.out)
    recipe, notes = resolved(recipe)
    task: Any = read(recipe)
    limits = limits_of(recipe.setup)
    recipe, left_out = without_types(recipe, limits)
    notes += left_out
    if recipe.task == "mrc" and recipe.unsaid:
        recipe, said = fitted(recipe, longest_of(recipe.setup, limits))
        task = replace(task, recipe=recipe)
        if said:
            tell(said)
    forced: tuple[str, ...] = ()
    findings: list[dict[str, str]] = []
    if first:
        report = preflight(recipe.setup, subject=recipe.name, means=task.means, main=task.main, config=task.config_said)
        show(report)
        forced = refuse(report, force=force)
        findings = findings_of(report)
    _refuse_skipped(recipe, task, tell)
    for line in notes:
        tell(line)
    if recipe.engine == "loop":
        require_trackers(recipe.report_to)
    tokenizer = load_tokenizer(recipe.setup)
    prepared = task.prepare(tokenizer, limits.positions)
    for line in prepared.said:
        tell(line)
    for examples in (prepared.train, prepared.dev):
        if examples is not None:
            require_fit(examples, limits)
    if recipe.best_metric is not None and prepared.dev is not None:
        require_figure(recipe.best_metric, task, prepared)
    with ExitStack() as held:

        def begin() -> tuple[Path | None, Precision]:
            held.enter_context(checkpoints.holding(recipe.out))
            return _saved(recipe, asked_for(recipe, task, prepared), resume=resume, tell=tell)

        # The first process alone cleans, looks and decides: another one would see what a crash left half-written.
        saved, precision = decided(begin)
        if saved is not None and not saved.is_dir():
            raise UserError(f"{saved} is not seen by process {_rank()}", hint="all processes need the same --out")
        loaded = load_model(recipe, task)
        for line in loaded.said:
            tell(line)
        to_device(loaded.model)
        if precision == "auto":
            precision, why = decided(lambda: precision_of(loaded.model))
            if why:
                tell(why)
        recipe = with_precision(recipe, precision) if precision != recipe.options.precision else recipe
        asked = asked_for(recipe, task, prepared)
        one = Running(recipe, task, prepared, tokenizer=tokenizer, model=loaded.model, first=first, tell=tell)
        held.enter_context(paged(recipe.out, tell, first=first))
        return one.go(asked, saved, record={"command": command, "forced": forced, "findings": findings})


def asked_for(recipe: Recipe, task: Task, prepared: Prepared) -> dict[str, Any]:
    """What decides a run's numbers, flat: options, model, labels and the examples themselves."""
    examples = prepared.train
    digest = hashlib.sha256()
    for array in (examples.ids, examples.starts, examples.types, *examples.labels.values()):
        if array is not None:
            digest.update(array.tobytes())
    return {
        "task": recipe.task,
        "engine": recipe.engine,
        "model": recipe.setup.model,
        **asdict(recipe.options),
        **dict(recipe.passed),
        "labels": list(task.config.get("label2id", ())),
        **({} if recipe.pooling is None else {"pooling": recipe.pooling}),
        "examples": f"{number(len(examples))}, sha256 {digest.hexdigest()[:16]}",
    }


def _refuse_skipped(recipe: Recipe, task: Task, tell: Callable[[str], None]) -> None:
    """Rows that cannot be used stop a run, unless they are to be left out."""
    if not task.skipped:
        return
    where, why = task.skipped[0]
    if recipe.unfit == "error":
        more = f" (and {number(len(task.skipped) - 1)} more rows)" if len(task.skipped) > 1 else ""
        raise UserError(f"{where}: {why}{more}", hint="mend it (`pretune check` shows all), or --unfit skip")
    tell(f"{number(len(task.skipped))} rows are left out, the first {where}: {why}")


def _saved(
    recipe: Recipe, asked: Mapping[str, Any], *, resume: bool | None, tell: Callable[[str], None]
) -> tuple[Path | None, Precision]:
    """The checkpoint to go on from, None: begin at the beginning; and the precision, which a checkpoint has decided."""
    folder, precision = recipe.out, recipe.options.precision
    if resume is False:
        if any(folder.glob("checkpoint-*")) or (folder / run_folder.METRICS).exists():
            run_folder.clear(folder)
        return None, precision
    found = checkpoints.find(folder) if resume else checkpoints.newest(folder)
    finished = bool((run_folder.read_json(folder / run_folder.METRICS) or {}).get("finished"))
    if found is None:
        if finished:
            raise UserError(
                f"{folder} holds a finished run without checkpoints",
                hint="--no-resume trains anew; else name another --out",
            )
        if any(folder.glob("checkpoint-*")):
            tell(f"{folder} holds no complete checkpoint: the run begins anew")
        return None, precision
    if precision == "auto":
        precision = found.recipe.get("precision", precision)
    checkpoints.require_recipe(found, {**asked, "precision": precision})
    if finished and not resume:
        raise UserError(
            f"{folder} holds a finished run of this recipe", hint="--no-resume trains anew; else name another --out"
        )
    for line in found.passed_over:
        tell(f"passed over {line}")
    tell(f"going on from {found.path}")
    return found.path, precision


def _rank() -> int:
    """The number of this process among those that torchrun started."""
    return int(os.environ.get("RANK", "0"))
