"""The page of a run, report.html, from what its folder holds: write_page. Also of a run that was stopped, or killed.

    python -m pretune.train.page DIR

writes it anew. Everything on it is read from the folder's files, so it says what they say. Knows no engine and no task.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune import __version__
from pretune.core.errors import UserError
from pretune.core.files import write_atomically
from pretune.core.quantity import number
from pretune.draw.page import Page, Section, Statement, Words, render
from pretune.draw.table import table
from pretune.train import page_curves, page_errors, page_record
from pretune.train.run_folder import ENVIRONMENT, ERRORS, METRICS, PAGE, RECIPE, read_json, read_lines, read_log
from pretune.train.show import figure, table_of
from pretune.train.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pretune.draw.page import Part


def write_page(folder: Path, *, trouble: str = "", stopped: bool = False) -> Path:
    """Write the page of a run, whole or not at all.

    Args:
        folder: of the run.
        trouble: what ended it before its end, where that is known.
        stopped: whether that was asked for, by a signal.

    Returns:
        Where it is.
    """
    path = folder / PAGE
    write_atomically(
        path, render(page_of(folder, trouble=trouble, stopped=stopped)).encode("utf-8", "backslashreplace")
    )
    return path


class Pages(Watch):
    """Writes the page anew after each evaluation, so that a run that is killed has one, too.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def evaluated(self, number: int, metrics: Mapping[str, float]) -> None:
        """Write it; where that fails the run goes on, and the last page says why."""
        del number, metrics
        with suppress(OSError, UserError):
            write_page(self.folder)


@contextmanager
def paged(folder: Path, tell: Callable[[str], None], *, first: bool) -> Iterator[None]:
    """Write the page of a run as it ends, however that is; only the first process does.

    Args:
        folder: of the run.
        tell: told where the page could not be written, which breaks nothing.
        first: whether this is the first process.
    """
    trouble, stopped = "", False
    try:
        yield
    except BaseException as error:
        trouble = error.message if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        stopped = isinstance(error, UserError) and error.exit_code > 128  # as a signal ends a process
        raise
    finally:
        if first and folder.is_dir():
            try:
                write_page(folder, trouble=trouble, stopped=stopped)
            except (OSError, UserError) as error:
                tell(f"{PAGE} could not be written: {error}")


def page_of(folder: Path, *, trouble: str = "", stopped: bool = False) -> Page:
    """The page of a run, from the files that are there."""
    recipe = read_json(folder / RECIPE) or {}
    record = read_json(folder / ENVIRONMENT) or {}
    metrics = read_json(folder / METRICS) or {}
    log = read_log(folder)
    steps = [one for one in log if "loss" in one]
    figures = [(int(one["step"]), one["metrics"]) for one in log if isinstance(one.get("metrics"), dict)]
    sections = [
        Section("Training", "training", _training(steps, figures, metrics)),
        *([Section("Dev set", "dev", _dev(figures, metrics))] if figures else []),
        *page_errors.sections(read_lines(folder / ERRORS), metrics.get("predictions_of_step")),
        page_record.findings(record),
        page_record.recipe(recipe),
        page_record.environment(record),
    ]
    task = str(recipe.get("task") or "training")
    return Page(
        kicker="pretune train",
        title=folder.resolve().name,
        statements=tuple(_statements(steps, figures, metrics, trouble, stopped=stopped)),
        remarks=(f"{task} with {recipe.get('model', 'a model')}, engine {record.get('engine', 'loop')}",),
        sections=tuple(sections),
        foot=f"Made by pretune {__version__} from the files beside it.",
    )


def _statements(
    steps: Sequence[Mapping[str, Any]],
    figures: Sequence[tuple[int, Mapping[str, float]]],
    metrics: Mapping[str, Any],
    trouble: str,
    *,
    stopped: bool,
) -> list[Statement]:
    """How the run ended, and how good its model is."""
    done, of = (steps[-1]["step"], steps[-1]["of"]) if steps else (0, 0)
    found: list[Statement] = []
    known = dict(figures)
    best = metrics.get("model_of_step")
    if best in known:
        main = metrics.get("main")
        order = sorted(known[best], key=lambda name: name != main)
        said = ", ".join(f"{name} {figure(name, known[best][name])}" for name in order[:3])
        found.append(Statement("good", said, f" on dev, as {metrics.get('variant')} counts"))
    if trouble:
        head = "It was stopped" if stopped else "It broke"
        said = f" after step {number(done)} of {number(of)}: {trouble}"
        found.append(Statement("warn" if stopped else "bad", head, said))
    elif metrics.get("finished"):
        made = metrics.get("steps", done)
        found.append(Statement("note", f"The model after step {number(best or made)}", f" of {number(made)} is kept"))
    elif metrics and metrics.get("steps", done) >= done:
        found.append(Statement("warn", "It was stopped", f" after step {number(metrics.get('steps', done))}"))
    else:
        found.append(Statement("warn", "It has not ended", f": step {number(done)} of {number(of)} is the last known"))
    return found


def _training(
    steps: Sequence[Mapping[str, Any]],
    figures: Sequence[tuple[int, Mapping[str, float]]],
    metrics: Mapping[str, Any],
) -> tuple[Part, ...]:
    if not steps:
        return (Words("No step was logged."),)
    best = metrics.get("model_of_step")
    parts: list[Part] = page_curves.pictures(steps, figures, best if len(figures) > 1 else None)
    tokens, seconds = sum(one["tokens"] for one in steps), sum(one["seconds"] for one in steps)
    rows = [
        ("steps", f"{number(steps[-1]['step'])} of {number(steps[-1]['of'])}"),
        ("epochs", f"{steps[-1]['epoch']:.2f}"),
        ("loss, first and last logged", f"{steps[0]['loss']:.4f}, {steps[-1]['loss']:.4f}"),
        ("true tokens", f"{tokens:,}"),
        ("tokens a second", f"{tokens / seconds:,.0f}" if seconds > 0 else ""),
        ("seconds of training", f"{seconds:,.1f}"),
    ]
    return (*parts, table("", ("", "in this log"), rows))


def _dev(figures: Sequence[tuple[int, Mapping[str, float]]], metrics: Mapping[str, Any]) -> tuple[Part, ...]:
    main, kept = str(metrics.get("main") or ""), metrics.get("model_of_step")
    shown = table_of(figures, variant=str(metrics.get("variant") or "its task"), kept=kept)
    words = [Words(f"Of the models that were saved the best one is chosen by {main}.", dim=True)] if main else []
    return (*page_curves.of_dev(figures), *([shown] if shown is not None else []), *words)


if __name__ == "__main__":
    sys.stdout.write(f"{write_page(Path(sys.argv[1]))}\n")
