"""How often the kernel killed for memory in a control group. Imports nothing: it is read before the command starts.

It does not know of killers in user space (earlyoom, systemd-oomd), which leave no count.
"""

from __future__ import annotations


def oom_kills(root: str = "", process: str = "self") -> int:
    """How many processes of this process's control group the kernel has killed for memory, version 1 or 2.

    Args:
        root: what stands before /proc and /sys; for tests.
        process: whose group.

    Returns:
        The count since the group was made; 0 when it cannot be known.
    """
    count = 0
    for line in _lines(f"{root}/proc/{process}/cgroup"):
        _, kinds, path = line.split(":", 2)
        if not kinds:  # version 2, alone or beside version 1
            mounts, name = ("", "/unified"), "memory.events"
        elif "memory" in kinds.split(","):
            mounts, name = ("/memory", "/" + kinds), "memory.oom_control"
        else:
            continue
        here = "" if path == "/" else path
        for folder in [f"{mount}{inner}" for mount in mounts for inner in dict.fromkeys((here, ""))]:
            lines = _lines(f"{root}/sys/fs/cgroup{folder}/{name}")
            if lines:
                count += sum(int(text.split()[1]) for text in lines if text.startswith("oom_kill "))
                break
    return count


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - pathlib costs its import
            return file.read().splitlines()
    except OSError:
        return []
