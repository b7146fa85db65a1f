"""pretune knock beside the bare command: CPU and memory of the wrapper, time to the command's start, minimum of runs.

    python bench/knock.py [--runs 9]

The target is a closed port of loopback, so the messenger does its whole work but the answer. knockknock is measured the
same way where it is installed.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import time

CHILD = "import os, sys, time; os.write(3, str(time.time()).encode())"
HOOK = ["slack", "--webhook-url", "http://127.0.0.1:9/services/x", "--channel", "c"]


def once(wrapper):
    """Milliseconds until the shell under `wrapper` runs; CPU milliseconds and MiB of all it waited for."""
    read, write = os.pipe()
    begun = time.time()
    line = f"date +%s.%N >&{write}" if write < 10 else f"date +%s.%N >/proc/self/fd/{write}"
    child = subprocess.Popen([*wrapper, "sh", "-c", line], pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    _, _, usage = os.wait4(child.pid, 0)
    child.returncode = 0
    started = float(os.read(read, 100) or "nan")
    os.close(read)
    return (started - begun) * 1000, (usage.ru_utime + usage.ru_stime) * 1000, usage.ru_maxrss / 1024


def main() -> None:
    """Print one line a wrapper."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    wrappers = {"bare": [], "pretune": [sys.executable, "-m", "pretune.knock", *HOOK[:1], "--linger", "0", *HOOK[1:]]}
    if importlib.util.find_spec("knockknock"):
        wrappers["knockknock"] = [sys.executable, "-m", "knockknock", *HOOK]
    figures = {name: [] for name in wrappers}
    for _ in range(runs):
        for name, wrapper in wrappers.items():
            figures[name].append(once(wrapper))
    for name, rows in figures.items():
        start, cpu, memory = (min(column) for column in zip(*rows, strict=True))
        print(f"{name:<12} started after {start:6.0f} ms   CPU {cpu:5.0f} ms   {memory:5.1f} MiB")


if __name__ == "__main__":
    main()
