"""Optional dependencies: import one, or say in a sentence what to install."""

from importlib import import_module
from typing import Any

from pretune.core.errors import UserError


def need(module: str, *, extra: str) -> Any:
    """Import `module`, which the extra `extra` installs.

    Raises:
        UserError: the module is missing; the hint is the install command.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.partition(".")[0] != module.partition(".")[0]:
            raise
        hint = f'pip install "pretune[{extra}]"'
        raise UserError(f"this needs {module}, which is not installed", hint=hint) from None
