"""`@knock.when_done` and knockknock's decorator: what importing and one call cost the program, minimum of runs, in ms.

    python bench/knock_python.py [--runs 9]

The webhook is a server on loopback that answers after --delay seconds (0.2, as Slack's across an ocean). knockknock
is measured the same way where it is installed.
"""

import argparse
import http.server
import importlib.util
import subprocess
import sys
import threading
import time

PROGRAM = """
import sys, time
before = time.process_time(), time.perf_counter()
from {package} import slack_sender
imported = time.process_time() - before[0]
@slack_sender(webhook_url={url!r}, channel="c")
def train():
    return 1
calls = []
for _ in range(3):
    begun = time.process_time(), time.perf_counter()
    train()
    calls.append((time.process_time() - begun[0], time.perf_counter() - begun[1]))
print(imported * 1000, calls[0][0] * 1000, calls[0][1] * 1000, calls[-1][0] * 1000, calls[-1][1] * 1000)
"""


class Slow(http.server.BaseHTTPRequestHandler):
    """Answers `ok` after a while."""

    delay = 0.2

    def do_POST(self):  # noqa: D102
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(self.delay)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):  # noqa: D102
        return


def main() -> None:
    """Print one line a package."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--delay", type=float, default=0.2)
    chosen = parser.parse_args()
    Slow.delay = chosen.delay
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/services/x"
    packages = ["pretune.knock"] + ["knockknock"] * bool(importlib.util.find_spec("knockknock"))
    figures = {package: [] for package in packages}
    for _ in range(chosen.runs):
        for package, rows in figures.items():
            words = [sys.executable, "-c", PROGRAM.format(package=package, url=url)]
            rows.append([float(word) for word in subprocess.run(words, capture_output=True, check=True).stdout.split()])
    print(f"{'':<14} import CPU  first call CPU / wall   later call CPU / wall")
    for package, rows in figures.items():
        least = [min(column) for column in zip(*rows, strict=True)]
        print("{:<14} {:10.1f} {:15.1f} / {:6.1f} {:14.1f} / {:6.1f}".format(package, *least))


if __name__ == "__main__":
    main()
