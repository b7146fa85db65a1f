"""How the rules on versions put a use of a library against the version to run under. Knows no rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Problem
from pretune.check.rules.api_fixes import mended
from pretune.script.history import history, minor
from pretune.script.history_uses import uses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.finding import Level
    from pretune.script.history_uses import Use

INDEX_NAMES = {"pytorch_lightning": "pytorch-lightning"}
"""An imported name -> the name in the index, where it differs."""


def target_of(script: ScriptFacts, package: str) -> str:
    """The version of a package to run under; empty: it is not known, or older than all that are."""
    version = script.target.get(package) or script.target.get(INDEX_NAMES.get(package, package), "")
    return version if version and minor(version) >= minor(history(package).versions[0]) else ""


def met(script: ScriptFacts, *kinds: str) -> Iterator[tuple[Use, str, str]]:
    """(use, target, status there) of the uses of some kinds; not guarded ones, nor where no target is known."""
    for use in uses(script.trace):
        if use.kind in kinds and not use.guarded and (target := target_of(script, use.package)):
            yield use, target, use.life.status_at(target)


def named(use: Use, version: str) -> str:
    """`transformers 5.23`: the package as the index calls it, and a version."""
    return f"{INDEX_NAMES.get(use.package, use.package)} {version}"


def gone(use: Use, target: str, *, so: str = "", help: str = "", level: Level | None = None) -> Problem:  # noqa: A002 - as Problem calls it
    """The problem that a use is gone in the target."""
    at = next(
        (until for _, until in reversed(use.life.spans) if until and minor(until) <= minor(target)), use.life.until
    )
    message = f"{use.shown} is gone since {named(use, at)}, and the script is to run under {target}"
    where, way_out = str(use.event.place), help or use.life.note
    return Problem(message + so, where=where, help=way_out, fix=mended(use, target), level=level)


def coming(use: Use, target: str) -> Problem:
    """The problem that a use is not there yet in the target."""
    first = next(since for since, _ in use.life.spans if minor(since) > minor(target))
    package = INDEX_NAMES.get(use.package, use.package)
    return Problem(
        f"{use.shown} came with {named(use, first)}, and the script is to run under {target}",
        where=str(use.event.place),
        help=f'pip install "{package}>={first}"',
    )


def moved(use: Use, target: str) -> str:
    """Where a module is now, as a clause; empty: it is not known."""
    known = history(use.package)
    if use.life.note:
        return use.life.note
    event = use.event
    name = getattr(event, "name", "").rpartition(".")[2]
    top = known.name(name)
    if top is not None and top.status_at(target) != "gone":
        return f"write `from {use.package} import {name}`"
    kind, _, family = use.life.name.partition("_")
    now = f"models.{family}.{kind}_{family}"
    return f"it is {use.package}.{now} now" if family and known.is_module(now) else ""
