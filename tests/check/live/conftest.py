"""One thread for torch: the models are so small that further ones only wait for each other."""

import sys

import pytest


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Keep torch to one thread, where it is there at all."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
