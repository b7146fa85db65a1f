"""pretune knock beside the bare command and knockknock: when the command starts, what the wrapper and messenger cost.

    python bench/knock.py [--runs 9] [--knockknock PYTHON]

The webhook is a server on loopback that answers at once. The least of all runs is shown: time until the command starts,
CPU and peak memory (VmHWM) of the wrapper alone, CPU of the messenger beside it, until it has delivered.
PYTHON is an interpreter that has knockknock (pip install knockknock, in an environment of its own); without it only the
rest is measured.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

SOURCE = str(Path(__file__).resolve().parents[1] / "src")
CHILD = "date +%s.%N > {start}; sleep 1.2; cat /proc/$PPID/status > {status}; cat /proc/$PPID/stat > {stat}"
NOTE = """
import atexit, os, resource
def note():
    used = resource.getrusage(resource.RUSAGE_SELF)
    with open(os.environ["BENCH_NOTE"], "a") as out:
        out.write(f"{os.getpid()} {used.ru_utime + used.ru_stime}\\n")
end = os._exit
def leave(code):
    note()
    end(code)
os._exit = leave
atexit.register(note)
"""


class Service:
    """A webhook that answers 200 at once and counts bytes."""

    def __init__(self):
        self.posts = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/services/T/B/X"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            threading.Thread(target=self._answer, args=(self._socket.accept()[0],), daemon=True).start()

    def _answer(self, connection):
        with connection, connection.makefile("rwb") as file:
            length = 0
            while (line := file.readline().strip()) != b"":
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            self.posts.append(len(file.read(length)))
            file.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")


def once(wrapper, service, folder):
    """One run: milliseconds to the start, wrapper's CPU and MiB, messenger's CPU, total wait at the end, posts."""
    names = {name: folder / name for name in ("start", "status", "stat", "note")}
    for name in names.values():
        name.unlink(missing_ok=True)
    service.posts.clear()
    paths = [str(folder), SOURCE]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "BENCH_NOTE": str(names["note"]),
                   "XDG_STATE_HOME": str(folder / "state"), "XDG_CONFIG_HOME": str(folder)}  # fmt: skip
    environment.pop("PRETUNE_KNOCK", None)
    begun = time.time()
    done = subprocess.run([*wrapper, "sh", "-c", CHILD.format(**names)], env=environment, check=False,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    ended = time.time()
    assert done.returncode == 0, f"{wrapper[0]} ended with {done.returncode}"
    time.sleep(0.5)
    start = float(names["start"].read_text())
    pid = names["stat"].read_text().split()[0]
    peak = next(int(line.split()[1]) for line in names["status"].read_text().splitlines() if line.startswith("VmHWM"))
    used = dict(line.split() for line in names["note"].read_text().splitlines()) if names["note"].exists() else {}
    wrapper_cpu = float(used.pop(pid, "nan"))
    others = sum(map(float, used.values()))
    return {"start": (start - begun) * 1000, "cpu": wrapper_cpu * 1000, "peak": peak / 1024, "messenger": others * 1000,
            "over": (ended - names["stat"].stat().st_mtime) * 1000, "posts": len(service.posts),
            "bytes": max(service.posts, default=0)}  # fmt: skip


def bare(runs):
    """Milliseconds until a command starts without any wrapper."""
    found = []
    for _ in range(runs):
        begun = time.time()
        line = subprocess.run(["sh", "-c", "date +%s.%N"], capture_output=True, text=True, check=True).stdout
        found.append((float(line) - begun) * 1000)
    return min(found)


def main() -> None:
    """Print one line a wrapper, and JSON where it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--knockknock", metavar="PYTHON", help="an interpreter that has knockknock")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    service = Service()
    hook = ["slack", "--webhook-url", service.url, "--channel", "c"]
    wrappers = {"pretune knock": [sys.executable, "-m", "pretune", "knock", *hook]}
    if options.knockknock:
        wrappers["knockknock"] = [options.knockknock, "-m", "knockknock.__main__", *hook]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sitecustomize.py").write_text(NOTE)
        figures = {each: [] for each in wrappers}
        for _ in range(options.runs):
            for each, words in wrappers.items():
                figures[each].append(once(words, service, folder))
    least = {each: {key: min(row[key] for row in rows) for key in rows[0]} for each, rows in figures.items()}
    if options.json:
        print(json.dumps({"bare": bare(options.runs), **least}))
        return
    print(f"minimum of {options.runs} runs; a bare command starts after {bare(options.runs):.0f} ms")
    for each, row in least.items():
        print(
            f"{each:<14} start {row['start']:5.0f} ms   wrapper {row['cpu']:5.0f} ms CPU {row['peak']:5.1f} MiB   "
            f"beside it {row['messenger']:5.0f} ms CPU   end {row['over']:5.0f} ms   {row['posts']} posts"
        )


if __name__ == "__main__":
    main()
