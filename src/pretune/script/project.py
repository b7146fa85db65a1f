"""Where the modules of a script's project are: beside it, and in the folders around it. Reads each once."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pretune.core.errors import UserError
from pretune.script.source import parse, read_text

if TYPE_CHECKING:
    from pretune.script.source import Unit

_LIBRARIES = frozenset(
    "accelerate bitsandbytes datasets deepspeed diffusers evaluate huggingface_hub jax keras lightning numpy optimum "
    "pandas peft pytorch_lightning safetensors scipy sentence_transformers sklearn tensorflow tokenizers torch "
    "torchaudio torchvision tqdm transformers trl wandb".split()
)
"""Not looked for in the folders around a script: there they are the library's own sources or somebody's data."""
_MARKS = (".git", "pyproject.toml", "setup.py", "setup.cfg", "requirements.txt")
_HIGHEST = 3


def parsed(file: str) -> Unit:
    """A file's source, parsed once while it does not change: scripts of one folder import the same modules.

    Raises:
        UserError: it cannot be read or parsed.
    """
    try:
        state = Path(file).stat()
    except (OSError, ValueError):
        return parse(read_text(file), file)  # says what is wrong
    return _parsed(file, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=128)
def _parsed(file: str, changed: int, size: int) -> Unit:
    del changed, size  # they tell one state of the file from another
    return parse(read_text(file), file)


class Project:
    """The modules that a script can import from its own project.

    Args:
        file: the script; None: no file, nothing is imported from a project.
    """

    def __init__(self, file: str | None) -> None:
        self.file = file
        self.units: dict[str, Unit | None] = {}
        self.failures: list[str] = []
        self.folders: list[Path] = []
        if file is None:
            return
        folder = Path(file).parent
        self.folders.append(folder)
        try:
            around = folder.resolve()
            for _ in range(_HIGHEST):
                if any((around / mark).exists() for mark in _MARKS):
                    break
                around = around.parent
                self.folders.append(around)
        except OSError:
            return

    def find(self, name: str, *, beside: str | None = None, level: int = 0) -> str | None:
        """The file of a module; None: it is not of the project.

        Args:
            name: dotted; empty for the package itself.
            beside: the file that imports it, for relative imports.
            level: the dots of a relative import.
        """
        parts = [part for part in name.split(".") if part]
        if level:
            if beside is None or self.file is None:
                return None
            folder = Path(beside).parent
            for _ in range(level - 1):
                folder = folder.parent
            return _module(folder, parts)
        for number, folder in enumerate(self.folders):
            if number and parts[:1] and parts[0] in _LIBRARIES:
                break
            found = _module(folder, parts)
            if found is not None:
                return found
        return None

    def unit(self, file: str) -> Unit | None:
        """A module's source; None (and a line in `failures`): it cannot be read."""
        if file not in self.units:
            try:
                self.units[file] = parsed(file)
            except UserError as error:
                self.units[file] = None
                self.failures.append(error.message)
        return self.units[file]


def _module(folder: Path, parts: list[str]) -> str | None:
    """The file of a module in a folder."""
    target = folder.joinpath(*parts)
    try:
        if parts:
            single = target.with_name(f"{target.name}.py")
            if single.is_file():
                return str(single)
        package = target / "__init__.py"
        if package.is_file():
            return str(package)
    except (OSError, ValueError):
        return None
    return None
