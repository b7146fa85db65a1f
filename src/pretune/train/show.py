"""What a run shows while it goes on, and when it is done: Bar, table_of, verdict. Words go to stderr.

In a terminal a bar with loss, learning rate, tokens a second and the time that is left; in a pipe a line for each entry
of the log. Knows no engine.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TextIO

from pretune.core.language import say
from pretune.core.quantity import number
from pretune.draw.table import Cell, table
from pretune.train.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pretune.draw.table import Table
    from pretune.train.running import Done
    from pretune.train.watch import Step


_ROOMY, _WIDE, _WIDEST = 56, 80, 110
"""Columns from which the speed is shown, the bar itself, and the learning rate; a line must not wrap."""


P = ParamSpec("P")


def _while_read(show: Callable[Concatenate[Bar, P], None]) -> Callable[Concatenate[Bar, P], None]:
    """Show nothing more once nobody reads: a closed terminal or a dead pipe must not end days of training."""

    @wraps(show)
    def shown(bar: Bar, /, *args: P.args, **kwargs: P.kwargs) -> None:
        if bar.unread:
            return
        try:
            show(bar, *args, **kwargs)
        except (OSError, ValueError):  # ValueError: the stream is closed
            bar.unread = True

    return shown


class Bar(Watch):
    """The progress of a run.

    Attributes:
        unread: whether the stream is gone.

    Args:
        stream: where it is shown; as a bar only in a terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.unread = False
        self._bar: Any = None
        self._task: Any = None
        self._asked: Any = None
        self._width = 0

    @_while_read
    def start(self, steps: int, done: int) -> None:
        """Show an empty bar, or in a pipe how much there is to do."""
        if not self.stream.isatty():
            self._line(f"{number(steps)} steps" + (f", going on from {number(done)}" if done else ""))
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.table import Column

        console = Console(file=self.stream)

        def gone() -> None:
            console.quiet = self.unread = True

        console.on_broken_pipe = gone  # type: ignore[method-assign]  # rich would end the process
        self._width = console.width
        columns = [
            TextColumn("{task.description}", table_column=Column(no_wrap=True)),
            *([BarColumn()] if self._width >= _WIDE else []),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[said]}", table_column=Column(no_wrap=True, overflow="ellipsis")),
            TimeRemainingColumn(compact=self._width < _WIDE, table_column=Column(no_wrap=True)),
        ]
        self._bar = Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)
        self._task = self._bar.add_task(say("training"), total=steps, completed=done, said="")
        self._bar.start()

    @_while_read
    def passed(self, number: int) -> None:
        """One step more."""
        if self._bar is not None:
            self._bar.update(self._task, completed=number)

    @_while_read
    def step(self, step: Step) -> None:
        """The newest numbers."""
        speed = f"{step.tokens / step.seconds:,.0f} tokens/s" if step.seconds > 0 else ""
        said = f"loss {step.loss:.4f}  lr {step.learning_rate:.2e}  {speed}"
        if self._bar is not None:
            short = f"loss {step.loss:.4f}" if self._width < _ROOMY else f"loss {step.loss:.4f}  {speed}"
            self._bar.update(self._task, said=said if self._width >= _WIDEST else short)
        else:
            self._line(f"step {number(step.number)}/{number(step.of)}  epoch {step.epoch:.2f}  {said}")

    @_while_read
    def evaluated(self, number: int, metrics: Mapping[str, float]) -> None:
        """The dev set's figures."""
        self._line(f"step {number:,}: {figures(metrics)}")

    @_while_read
    def saved(self, number: int) -> None:
        """A checkpoint; a line in a pipe only, as a terminal has enough to show."""
        if self._bar is None:
            self._line(f"step {number:,}: saved")

    @_while_read
    def asking(self, done: int, of: int) -> None:
        """How far an evaluation is."""
        if self._bar is None:
            return
        if self._asked is None:
            self._asked = self._bar.add_task(say("evaluating"), total=of, said="")
        self._bar.update(self._asked, completed=done, visible=done < of)
        if done >= of:
            self._bar.remove_task(self._asked)
            self._asked = None

    def end(self, number: int) -> None:
        """Take the bar away."""
        del number
        self.close()

    @_while_read
    def close(self) -> None:
        """Take the bar away, also when the run broke."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _line(self, text: str) -> None:
        text = say(text)
        if self._bar is not None:
            self._bar.console.print(text, highlight=False, markup=False)
        else:
            print(text, file=self.stream, flush=True)


def figures(metrics: Mapping[str, float]) -> str:
    """`exact_match 24.32, f1 31.05`."""
    return ", ".join(f"{name} {figure(name, value)}" for name, value in metrics.items() if not name.endswith("total"))


def figure(name: str, value: float) -> str:
    """A figure in words: per cent with two digits, a loss or an error with four."""
    return f"{value:,.4f}" if name.endswith(("loss", "mse")) else f"{value:,.2f}"


def table_of(evaluations: Iterable[tuple[int, Mapping[str, float]]], *, variant: str, kept: int | None) -> Table | None:
    """The metrics of each evaluation; None without any.

    Args:
        evaluations: (step, figures).
        variant: whose figures they are.
        kept: the step whose model is kept; its row is marked where there are several.
    """
    rows = list(evaluations)
    if not rows:
        return None
    names = [name for name in rows[-1][1] if not name.endswith(("total", "_thresh"))]
    cells: list[Sequence[Any]] = []
    for step, metrics in rows:
        tone: Any = "best" if step == kept and len(rows) > 1 else ""
        cells.append((f"{step:,}", *(Cell(figure(name, metrics.get(name, float("nan"))), tone) for name in names)))
    return table(f"dev, as {variant} counts", ("step", *names), cells)


def verdict(done: Done) -> str:
    """The last line of a run: what came of it, and where it is."""
    figures_of = dict(done.evaluations)
    best = figures_of.get(done.best) if done.best is not None else None
    said = f"{figures(best)} ({done.variant}), " if best else ""
    return f"{done.folder}: {done.task}, {said}the model after step {done.best or 0:,} of {done.steps:,}"
