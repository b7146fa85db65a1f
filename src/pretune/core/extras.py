"""Optional dependencies: import one, or say in a sentence what to install; which extra brings a module."""

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


def bringing(module: str, part: str) -> str:
    """The extra that installs a module: the part's own (`tokens`), else the smallest; empty when none does.

    Args:
        module: as it is imported, `numpy.linalg` too.
        part: the part that lacks it.
    """
    import re
    from importlib.metadata import PackageNotFoundError, requires

    try:
        lines = requires("pretune") or ()
    except PackageNotFoundError:  # on the path, not installed
        return ""
    packages: dict[str, list[str]] = {}
    for line in lines:
        name, extra = re.match(r"[\w.-]+", line), re.search(r"extra == ['\"](\w+)", line)
        if name and extra:
            packages.setdefault(extra[1], []).append(name[0].replace("_", "-"))
    found = [extra for extra, names in packages.items() if module.partition(".")[0].replace("_", "-") in names]
    return part if part in found else min(found, key=lambda extra: len(packages[extra]), default="")
