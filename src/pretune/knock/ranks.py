"""Which of several processes of one job speaks: rank 0, and the first that fails. Sends nothing.

Ranks on hosts that share no home folder do not know of each other: then one message a host tells of a failure.
"""

from __future__ import annotations

import hashlib
import os
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pretune.knock.exits import born

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_RANKS = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "LOCAL_RANK", "SLURM_LOCALID")
_SIZES = ("WORLD_SIZE", "SLURM_NTASKS", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "LOCAL_WORLD_SIZE")
_JOBS = (
    "SLURM_JOB_ID SLURM_STEP_ID SLURM_RESTART_COUNT SLURM_ARRAY_TASK_ID "
    "TORCHELASTIC_RUN_ID TORCHELASTIC_RESTART_COUNT MASTER_ADDR MASTER_PORT OMPI_MCA_ess_base_jobid PMIX_NAMESPACE"
).split()
OLDEST = 2 * 86400
"""Seconds after which what is known of a job is forgotten."""
TOGETHER = 3.0
"""Seconds that may lie between a rank that fails at once and the start of the slowest; later ones are another run's."""
GATHERING = 1.0
"""Seconds that the first failing rank waits for others to fail, to say how many did."""


def rank(environment: Mapping[str, str]) -> int:
    """The number of this process in its job; 0 when there is no job, or the number is garbage."""
    for name in _RANKS:
        value = environment.get(name, "").strip()
        if value.isascii() and value.isdigit() and len(value) < 9:
            return int(value)
    return 0


def size(environment: Mapping[str, str]) -> int:
    """How many processes the job has, as far as its environment tells; else 1."""
    found = [environment.get(name, "").strip() for name in _SIZES]
    return max([int(value) for value in found if value.isascii() and value.isdigit() and len(value) < 9], default=1)


@dataclass(frozen=True, slots=True)
class Job:
    """What a process knows of the job that it is a part of.

    Attributes:
        name: the same for all its processes, and for those of no other job that runs at the same time.
        number: of this process.
        size: of how many, as far as is known; else 1.
        began: when this process began, seconds since 1970: what failed before was an earlier job.
    """

    name: str
    number: int
    size: int
    began: float

    def __str__(self) -> str:
        return f"rank {self.number}" + (f" of {self.size}" if self.size > 1 else "")


def joined(environment: Mapping[str, str], *, parent: int, pid: int, started: float, turn: str = "") -> Job | None:
    """The job of a process, asked while it lives; None when nothing in its environment speaks of one.

    Args:
        environment: of the process.
        parent: who started it.
        pid: the process.
        started: when it was seen first, seconds since 1970.
        turn: which piece of its work this is, the same in all processes.
    """
    if not any(name in environment for name in (*_RANKS, *_SIZES)):
        return None
    parts = [f"{name}={environment[name]}" for name in _JOBS if name in environment]
    # srun gives all tasks of a step one name; elsewhere it is the launcher on this host that they have in common
    step = "SLURM_STEP_ID" in environment and environment.get("SLURM_STEP_NUM_TASKS", "1") != "1"
    if not step and not any(part.startswith(("OMPI", "PMIX")) for part in parts):
        parts.append(f"{socket.gethostname()} {parent} {born(parent)}")
    name = hashlib.sha256("\n".join([*parts, turn]).encode(errors="replace")).hexdigest()[:24]
    return Job(name, rank(environment), size(environment), min(started, _since(pid) or started))


def _since(pid: int) -> float:
    """When a process began, seconds since 1970; 0 where that cannot be known."""
    try:
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(born(pid)) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, AttributeError):
        return 0.0
    return time.time() - age


def first_to_fail(where: Path, job: Job) -> tuple[bool, int]:
    """Whether this process is the first of its job to fail, and then how many others followed within a moment.

    Args:
        where: the spool's folder.
        job: as `joined` gives it.
    """
    folder = where / "jobs"
    try:
        import fcntl

        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in folder.iterdir():
            if time.time() - old.stat().st_mtime > OLDEST:
                old.unlink(missing_ok=True)
        path = folder / job.name
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            first = not path.exists() or path.stat().st_mtime < job.began - TOGETHER
            with path.open("w" if first else "a") as file:
                file.write(f"{job.number}\n")
        finally:
            os.close(lock)
        if not first:
            return False, 0
        time.sleep(GATHERING)
        return True, len(path.read_text().split()) - 1
    except (OSError, ImportError):  # no folder to agree in: better twice than never
        return True, 0
