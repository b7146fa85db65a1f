"""Out of memory: the kernel's count before and after, in both versions of control groups, and a real kill where one may."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from knock.runs import home, words
from knock.webhook import Webhook
from pretune.knock.memory import oom_kills


def tree(folder, lines, files):
    """A /proc and /sys of a machine."""
    (folder / "proc/self").mkdir(parents=True)
    (folder / "proc/self/cgroup").write_text(lines)
    for name, text in files.items():
        path = folder / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(folder)


@pytest.mark.parametrize(
    ("lines", "files", "count"),
    [
        ("0::/a/b\n", {"a/b/memory.events": "low 0\noom 2\noom_kill 3\noom_group_kill 1\n"}, 3),
        ("0::/\n", {"memory.events": "oom_kill 1\n"}, 1),
        ("0::/host/path\n", {"memory.events": "oom_kill 4\n"}, 4),  # a container that sees its own group as the root
        (
            "4:memory:/job\n0::/\n",
            {"memory/job/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n"},
            5,
        ),
        ("4:cpu,memory:/docker/x\n", {"cpu,memory/memory.oom_control": "oom_kill 6\n"}, 6),
        ("4:memory:/docker/x\n", {"memory/memory.oom_control": "oom_kill 7\n"}, 7),
        ("4:memory:/x\n", {"memory/x/memory.oom_control": "oom_kill_disable 0\n"}, 0),  # before Linux 4.13
        ("1:name=systemd:/\n", {}, 0),
        ("", {}, 0),
    ],
)
def test_counts(tmp_path, lines, files, count):
    """What the kernel counted is found in version 1, version 2, both, and inside containers."""
    assert oom_kills(tree(tmp_path, lines, files)) == count


def test_no_proc(tmp_path):
    """Where there is no /proc the count is 0."""
    assert oom_kills(str(tmp_path)) == 0


def test_a_real_kill(tmp_path):
    """A run that the kernel kills for memory, even at once, is told so for sure."""
    mine = [line.split(":", 2)[2] for line in Path("/proc/self/cgroup").read_text().splitlines() if ":memory:" in line]
    group = Path(f"/sys/fs/cgroup/memory{mine[0]}/pretune-{os.getpid()}" if mine else "/nonexistent/x")
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(96 << 20))
    except OSError:
        pytest.skip("needs the right to make a control group (version 1)")
    try:
        with Webhook() as hook:
            code = "x = bytearray(400 << 20)\nfor i in range(0, len(x), 4096): x[i] = 1"
            line = ["sh", "-c", f'echo $$ > {group}/cgroup.procs; exec "$@"', "sh"]
            done = subprocess.run([*line, *words("--no-start", "--to", hook.url, sys.executable, "-c", code)],
                                  env=home(tmp_path), capture_output=True, timeout=40, check=False)  # fmt: skip
            assert done.returncode == -9
            assert "out of memory, the kernel counted an oom_kill" in hook.wait("SIGKILL")
    finally:
        for pid in (group / "cgroup.procs").read_text().split():
            (group.parent / "cgroup.procs").write_text(pid)
        group.rmdir()
