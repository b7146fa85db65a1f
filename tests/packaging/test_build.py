"""What is built: a wheel for a platform with the compiled kernel, one for every machine without."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WANTED = ("setup.py", "pyproject.toml", "README.md", "LICENSE", "MANIFEST.in")


def built(folder: Path, **environment: str) -> tuple[str, set[str]]:
    """The name of the wheel that setup.py builds in a copy of the tree, and the files in it."""
    pytest.importorskip("setuptools")
    there = folder / "tree"
    if not there.exists():
        shutil.copytree(ROOT / "src", there / "src", ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.egg-info"))
        for name in WANTED:
            shutil.copy(ROOT / name, there)
    shutil.rmtree(there / "dist", ignore_errors=True)
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", "bdist_wheel"],
        cwd=there,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = (there / "dist").iterdir()
    return wheel.name, set(zipfile.ZipFile(wheel).namelist())


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="a compiler that fails is named as on Linux")
def test_wheels(tmp_path: Path) -> None:
    """Without a compiler, and when the kernel is not wanted, the wheel is pure and says so; else it holds the kernel."""
    name, files = built(tmp_path, CC="/bin/false")
    assert name.endswith("-py3-none-any.whl")
    assert not [file for file in files if file.endswith(".so")]
    assert {"pretune/py.typed", "pretune/check/rules/index.json", "pretune/cli.py"} <= files
    assert built(tmp_path, PRETUNE_NO_KERNEL="1")[0].endswith("-py3-none-any.whl")
    if shutil.which("cc") is None:
        pytest.skip("needs a compiler for the rest")
    name, with_kernel = built(tmp_path)
    assert "-cp311-abi3-linux" in name
    assert [file for file in with_kernel - files if not file.startswith("pretune-")] == [
        "pretune/corpus/_kernel.abi3.so"
    ]
    for source in (tmp_path / "tree" / "src" / "kernel").iterdir():
        source.touch()
    assert built(tmp_path, CC="/bin/false")[0].endswith("-py3-none-any.whl"), "a stale kernel stands in"
