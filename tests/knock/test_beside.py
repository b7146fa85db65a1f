"""What the supervisor asks the messenger: answers belong to questions, and waiting is bounded."""

import os
import signal
import threading
import time

from pretune.knock.beside import Messenger


class Told(Messenger):
    """One whose other side is this test."""

    def _start(self) -> None:
        self.theirs, self.down = os.pipe()
        self.up, self.answers = os.pipe()
        self.pid = os.getpid()
        os.set_blocking(self.down, False)

    def close(self) -> None:
        """Close all ends."""
        for end in (self.theirs, self.down, self.up, self.answers):
            if end >= 0:
                os.close(end)


def asked(told: Told) -> list[str]:
    """The lines that it was told."""
    return [line for line in os.read(told.theirs, 4096).decode().split("\n") if line]


def test_a_late_answer_is_not_taken_for_the_next() -> None:
    """Who did not answer in time answers later; the next question has its own answer."""
    told = Told({})
    begun = time.monotonic()
    assert told.has(signal.SIGTSTP, otherwise=True)
    assert 1.5 < time.monotonic() - begun < 20
    (first,) = asked(told)
    kind, number, question = first.split()
    assert (kind, int(number)) == ("signal", signal.SIGTSTP)
    os.write(told.answers, f"got {question} 1\n".encode())
    answer = threading.Timer(0.2, lambda: os.write(told.answers, f"got {int(question) + 1} 0\n".encode()))
    answer.start()
    assert not told.has(signal.SIGCONT)
    answer.join()
    told.close()


def test_each_answer_counts() -> None:
    """It got the signal, or it did not."""
    told = Told({})
    for question, value in ((1, 1), (2, 0), (3, 1)):
        os.write(told.answers, f"got {question} {value}\n".encode())
        assert told.has(signal.SIGINT) == bool(value)
    told.close()
