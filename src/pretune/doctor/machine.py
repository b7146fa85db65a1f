"""Python, system, kernel and devices. torch is imported in a process of its own, and only when it is asked for."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from pretune.core.quantity import size
from pretune.doctor.diagnosis import Device

PATIENCE = 90
"""Seconds that torch may take to be imported and to find its devices."""
MARK = "pretune-devices "
ASK = f"""
import json, torch
found = []
if torch.cuda.is_available():
    for number in range(torch.cuda.device_count()):
        about = torch.cuda.get_device_properties(number)
        kind = "rocm" if torch.version.hip else "cuda"
        found.append([kind, about.name, about.total_memory, bool(torch.cuda.is_bf16_supported())])
if torch.backends.mps.is_available():
    found.append(["mps", "Apple GPU", 0, True])
if hasattr(torch, "xpu") and torch.xpu.is_available():
    found += [["xpu", torch.xpu.get_device_name(n), 0, True] for n in range(torch.xpu.device_count())]
found.append(["cpu", f"{{torch.get_num_threads()}} threads", 0, False])
print({MARK!r} + json.dumps(found))
"""


class Asked(NamedTuple):
    """What torch answered: its devices, or None and what went wrong; and what it warned of."""

    devices: tuple[Device, ...] | None
    wrong: str
    warned: str


def python() -> str:
    """`3.11.9, CPython, in a virtual environment`."""
    parts = [platform.python_version(), platform.python_implementation()]
    if "CONDA_PREFIX" in os.environ and Path(os.environ["CONDA_PREFIX"]) == Path(sys.prefix):
        parts.append("in a conda environment")
    elif sys.prefix != sys.base_prefix:
        parts.append("in a virtual environment")
    return ", ".join(parts)


def system() -> str:
    """`Linux 6.8 x86_64, 8 cores, 16 GB`."""
    release = ".".join(re.findall(r"\d+", platform.release())[:2])
    name = "macOS" if platform.system() == "Darwin" else platform.system()
    kind = " ".join(part for part in (name, release, platform.machine()) if part)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = _memory()
    return f"{kind}, {cores} core{'' if cores == 1 else 's'}" + (f", {size(memory)}" if memory else "")


def _memory() -> int:
    """Bytes that this process may use; 0 where nobody says."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return whole
    return min(whole, limit)


def kernel() -> str:
    """Why the compiled kernel is not used; empty: it is."""
    if os.environ.get("PRETUNE_NO_KERNEL"):
        return "PRETUNE_NO_KERNEL is set"
    try:
        importlib.import_module("pretune.corpus._kernel")
    except ModuleNotFoundError:
        return "it was not built"
    except ImportError as error:
        return f"it cannot be loaded: {_line(str(error))}"
    return ""


def torch_is_built_for() -> str:
    """`cuda`, `rocm` or `cpu`, read from torch's own version file; empty where torch is not there."""
    try:
        spec = importlib.util.find_spec("torch")
    except (ImportError, ValueError):
        return ""
    if spec is None or not spec.submodule_search_locations:
        return ""
    try:
        text = (Path(spec.submodule_search_locations[0]) / "version.py").read_text(encoding="utf-8")
    except OSError:
        return ""
    for kind, name in (("cuda", "cuda"), ("hip", "rocm")):
        if re.search(rf"^{kind}\s*(?::[^=\n]*)?=\s*['\"]", text, re.MULTILINE):
            return name
    return "cpu"


def nvidia_is_here() -> bool:
    """Whether the system has an NVIDIA GPU with a driver, whatever torch thinks of it."""
    return Path("/proc/driver/nvidia/version").exists() or any(Path("/dev").glob("nvidia[0-9]*"))


def devices() -> Asked:
    """What torch can compute on, asked of a Python of its own: a broken torch ends that one only."""
    try:
        done = subprocess.run(  # noqa: S603 - this very Python and words of ours
            [sys.executable, "-P", "-c", ASK], capture_output=True, text=True, check=False, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return Asked(None, f"it takes over {PATIENCE} s to be imported", "")
    except OSError as error:
        return Asked(None, _line(str(error)), "")
    said = [_line(line) for line in done.stderr.splitlines() if line.strip()]
    for line in done.stdout.splitlines():
        if line.startswith(MARK):
            told = json.loads(line.removeprefix(MARK))
            warnings = [each for each in said if "Warning: " in each]
            return Asked(tuple(Device(*one) for one in told), "", warnings[0] if warnings else "")
    why = said[-1] if said else f"Python ended with {done.returncode}"
    return Asked(None, why, "")


def _line(text: str) -> str:
    return " ".join(text.split())[:300]
