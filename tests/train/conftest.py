"""Every test of training computes with one thread: on models of this size several wait for each other, the more so under load."""

import os

import pytest

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported, and for the processes that tests start


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """One thread also where another test imported torch before."""
    import sys

    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != 1:
        torch.set_num_threads(1)
