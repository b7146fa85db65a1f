"""What a run shows in a terminal: one line, however narrow."""

import io

import pytest

from pretune.train.show import Bar, figures
from pretune.train.watch import Step


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


@pytest.mark.parametrize(
    ("columns", "shown"), [(40, ()), (60, ("tokens/s",)), (80, ("tokens/s",)), (120, ("lr 3.00e-05",))]
)
def test_one_line(columns: int, shown: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Large numbers wrap at no width; the loss is always there, and with room the speed and the learning rate."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    bar = Bar(Terminal())
    bar.start(124_000, 0)
    try:
        bar.passed(61_234)
        bar.step(Step(61_234, 124_000, 1.5, 12.3456, 3e-5, 1.0, 1_234_567, 10.0))
        console = bar._bar.console
        lines = console.render_lines(bar._bar.get_renderable(), console.options)
        text = "".join(one.text for one in lines[0])
        assert len(lines) == 1
        for word in ("training", "61234/124000", "loss 12.3456", *shown):
            assert word in text
        bar.asking(3, 10)
        assert len(console.render_lines(bar._bar.get_renderable(), console.options)) == 2
    finally:
        bar.close()


class Gone(Terminal):
    """A terminal that was closed, or a pipe that nobody reads any more."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self.terminal, self.open = terminal, True

    def isatty(self) -> bool:
        """As it was."""
        return self.terminal

    def write(self, text: str) -> int:
        """Fails once it is gone."""
        if not self.open:
            raise BrokenPipeError(32, "Broken pipe")
        return len(text)


@pytest.mark.parametrize("terminal", [True, False])
def test_nobody_reads_any_more(terminal: bool) -> None:
    """A stream that breaks in the middle of a run ends what is shown, not the run."""
    stream = Gone(terminal=terminal)
    bar = Bar(stream)
    bar.start(10, 0)
    bar.passed(1)
    stream.open = False
    bar.evaluated(1, {"accuracy": 50.0})
    bar.step(Step(2, 10, 1.5, 12.3456, 3e-5, 1.0, 100, 1.0))
    bar.saved(2)
    bar.asking(1, 2)
    bar.end(2)
    assert bar.unread


def test_a_count_is_no_figure() -> None:
    """How many questions were asked stands in metrics.json, not beside per cents."""
    assert figures({"exact": 50.0, "total": 4, "HasAns_total": 2}) == "exact 50.00"
