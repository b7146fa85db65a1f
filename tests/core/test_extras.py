"""Optional dependencies: there, missing, or broken inside."""

import json

import pytest

from pretune.core.errors import UserError
from pretune.core.extras import need


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
