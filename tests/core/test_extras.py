"""Optional dependencies: there, missing, or broken inside."""

import json
import tomllib
from pathlib import Path

import pytest

from pretune.core.errors import UserError
from pretune.core.extras import bringing, need


def test_there():
    """What is installed is imported and given."""
    assert need("json", extra="data") is json
    assert need("os.path", extra="data")


def test_missing():
    """What is missing is one sentence and the install command."""
    with pytest.raises(UserError, match="this needs no_such_package, which is not installed") as error:
        need("no_such_package", extra="data")
    assert error.value.hint == 'pip install "pretune[data]"'
    with pytest.raises(UserError, match="no_such_package"):
        need("no_such_package.inner", extra="data")


def test_broken_inside(tmp_path, monkeypatch):
    """A package that is there but misses one of its own dependencies says so itself."""
    (tmp_path / "lame_package.py").write_text("import no_such_dependency\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_dependency"):
        need("lame_package", extra="data")


@pytest.mark.parametrize(
    ("module", "part", "extra"),
    [
        ("numpy", "tokens", "tokens"),
        ("numpy.linalg", "tokens", "tokens"),
        ("torch", "pool", "pool"),
        ("torch", "check", "pool"),
        ("libcst", "check", "script"),
        ("slack_sdk", "check", "knock"),
        ("nump", "tokens", ""),
        ("no_such_package", "tokens", ""),
        ("", "tokens", ""),
    ],
)
def test_which_extra_brings_it(module, part, extra, monkeypatch):
    """The part's own extra where it has the package, else the smallest that has it, as pyproject.toml says."""
    said = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [f"{one}; extra == '{name}'" for name, some in said["optional-dependencies"].items() for one in some]
    monkeypatch.setattr("importlib.metadata.requires", lambda name: [*said["dependencies"], *lines])
    assert bringing(module, part) == extra
