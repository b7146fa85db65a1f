"""Which of many processes speaks: ranks, garbage, jobs that come again, and who failed first."""

import os
import time

import pytest

from pretune.knock.ranks import Job, first_to_fail, joined, rank, size


@pytest.mark.parametrize(
    ("environment", "number"),
    [({}, 0), ({"RANK": "3"}, 3), ({"RANK": "x", "SLURM_PROCID": "2"}, 2), ({"LOCAL_RANK": "1"}, 1), ({"RANK": "-1"}, 0),
     ({"RANK": "1", "SLURM_PROCID": "0"}, 1), ({"RANK": "9" * 50}, 0), ({"RANK": "１"}, 0)],
)  # fmt: skip
def test_rank(environment, number):
    """torchrun's number comes before Slurm's, and garbage counts as none."""  # noqa: D403
    assert rank(environment) == number


def me(**environment):
    """The job of this process with this environment."""
    return joined(environment, parent=os.getppid(), pid=os.getpid(), started=time.time())


def test_job():
    """No job without a word of one; the same for all ranks of a launcher; another for another attempt or step."""
    assert me() is None
    assert size({"WORLD_SIZE": "8"}) == 8
    first, second = me(RANK="0", WORLD_SIZE="2"), me(RANK="1", WORLD_SIZE="2")
    assert first.name == second.name
    assert str(second) == "rank 1 of 2"
    assert me(RANK="0", TORCHELASTIC_RESTART_COUNT="1").name != me(RANK="0", TORCHELASTIC_RESTART_COUNT="2").name
    assert me(RANK="0", SLURM_JOB_ID="1").name != me(RANK="0", SLURM_JOB_ID="2").name
    apart = [joined({"RANK": "0"}, parent=pid, pid=pid, started=0.0) for pid in (os.getpid(), os.getppid())]
    assert apart[0].name != apart[1].name
    assert me(RANK="junk").name == me(RANK="").name
    assert first.began <= time.time()
    step = {"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "1"}
    far = joined(step, parent=1, pid=os.getpid(), started=time.time())
    assert far.name == me(**step).name


def test_first_to_fail(tmp_path):
    """One of them speaks; one that began after an earlier failure belongs to another run, which is told again."""
    now = time.time()
    assert first_to_fail(tmp_path, Job("a", 3, 4, now - 10)) == (True, 0)
    assert first_to_fail(tmp_path, Job("a", 0, 4, now - 9)) == (False, 0)
    assert first_to_fail(tmp_path, Job("a", 0, 4, time.time() + 10)) == (True, 0)
    assert first_to_fail(tmp_path, Job("b", 0, 4, now)) == (True, 0)


def test_no_folder_to_agree_in(tmp_path):
    """Better twice than never."""
    (tmp_path / "file").write_text("")
    assert first_to_fail(tmp_path / "file", Job("a", 1, 2, 0.0)) == (True, 0)
