"""The extras of pretune: what each is for, what of it is missing, and the command that gets it."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pretune.doctor.diagnosis import Extra
from pretune.doctor.installed import fault, wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.doctor.installed import Lookup

USES = {
    "data": "read whole corpora, parquet and Arrow files",
    "fast": "read them several times faster (includes data)",
    "script": "mend scripts and notebooks with --fix",
    "tokens": "write models with added tokens",
    "train": "fine-tune with pretune train",
    "pool": "compare layers and poolings of sentence vectors",
    "knock": "tell Slack with its own client, and Apprise's services",
    "plot": "draw the pictures of the pages",
    "cluster": "let several machines read one corpus",
    "demo": "run pretune demo, on a small real model",
}
"""Extra -> what it is for; `all` is all of these but demo, `dev` and `pages` for those who work on pretune."""


def extras(lookup: Lookup, install: str) -> tuple[Extra, ...]:
    """Each of USES; none where pretune itself has no metadata, as in a source tree that was not installed."""
    own = lookup("pretune")
    if own is None:
        return ()
    return tuple(
        Extra(name, use, missing, f'{install} "pretune[{name}]"' if missing else "")
        for name, use in USES.items()
        for missing in [tuple(dict.fromkeys(_missing(own.requires, name, lookup)))]
    )


def _missing(requires: tuple[str, ...], extra: str, lookup: Lookup) -> Iterator[str]:
    """What of an extra is not there, also in the extras it includes."""
    for requirement in wanted(requires, extra):
        if requirement.name == "pretune":
            for inner in sorted(requirement.extras):
                yield from _missing(requires, inner, lookup)
        elif wrong := fault(requirement, lookup):
            yield wrong.removesuffix(" is not installed")


def install_command(lookup: Lookup) -> str:
    """The words that install something into this very environment, and no other one."""
    beside = Path(sys.executable).parent
    if lookup("pip") is not None:
        first = shutil.which("pip")
        if first and Path(first).parent == beside:
            return "pip install"
        return f"{shlex.quote(_shown(sys.executable))} -m pip install"
    return f"uv pip install --python {shlex.quote(_shown(sys.executable))}"


def _shown(path: str) -> str:
    """A path below the current folder by its short name."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return path
