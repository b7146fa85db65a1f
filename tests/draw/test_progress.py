"""The bar: on a terminal, for what takes long, and gone when it is done."""

import io

from pretune.draw.progress import Bar


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        """Yes."""
        return True


def test_nothing_in_a_pipe_and_nothing_for_what_is_quick():
    """Not one byte."""
    for stream, patience in ((io.StringIO(), -1.0), (Terminal(), 60.0)):
        bar = Bar(stream, "reading", patience=patience)
        bar.advance(10, 100)
        bar.say("stopping")
        bar.end()
        assert stream.getvalue() == ""


def test_what_is_counted_and_what_is_done(monkeypatch):
    """Tokens are counted one by one; never more than all; after the end it begins anew."""
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    bar = Bar(stream, "training", unit="tokens", patience=-1.0)
    bar.update(0, 1000)
    bar.advance(400, 1000)
    assert bar.done == 400
    bar.advance(700, 1000)
    assert bar.done == 1000
    bar.advance(-700, 1000)
    assert bar.done == 400
    bar.end()
    assert "training" in stream.getvalue()
    assert "400/1000" in stream.getvalue()
    assert "tokens" in stream.getvalue()
    bar.advance(3, 9)
    assert bar.done == 3
    bar.end()
