"""Under which versions of its libraries a script can run at all: Range, runs_with(). Knows no behaviour.

The range is the newest run of minors in which everything is there that the script uses without a way out; that it
does the same in all of them is not said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pretune.script.history import history, minor
from pretune.script.history_uses import uses

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pretune.script.history_uses import Use
    from pretune.script.trace import Trace


@dataclass(frozen=True, slots=True)
class Range:
    """The minors of one package under which a script runs.

    Attributes:
        package: transformers, pytorch_lightning or lightning.
        first: the first of them; empty: there is none.
        last: the last of them; empty: there is none.
        below: the use that holds the range up from below; None: it reaches to the oldest version known.
        above: the use that ends it; None: it reaches to the newest version known.
    """

    package: str
    first: str
    last: str
    below: Use | None = None
    above: Use | None = None

    @property
    def empty(self) -> bool:
        """Whether no version has everything."""
        return not self.first

    @property
    def specifier(self) -> str:
        """As pip writes it: `transformers>=4.41,<4.51`; with `below` and `above` that exclude each other empty."""
        if self.empty:
            return ""
        low = f">={self.first}" if self.below else ""
        high = f"<{self.above.life.until}" if self.above else ""
        return f"{self.package.replace('_', '-')}{','.join(filter(None, (low, high)))}"

    def __contains__(self, version: object) -> bool:
        """Whether a version is in it; one newer than all that are known is where nothing ends the range."""
        if self.empty or not isinstance(version, str):
            return False
        at = minor(version)
        return minor(self.first) <= at and (self.above is None or at <= minor(self.last))


def runs_with(trace: Trace) -> Mapping[str, Range]:
    """The range of versions of each package that the script uses: `{"transformers": Range(...)}`."""
    found: dict[str, list[Use]] = {}
    for use in uses(trace):
        if use.bounds:
            found.setdefault(use.package, []).append(use)
    return {package: runnable(package, held) for package, held in found.items()}


def runnable(package: str, held: Iterable[Use]) -> Range:
    """The newest run of minors in which every one of some uses is there.

    Of several uses that bound it at the same version the first is named. Where there is none, `below` and `above` are
    two uses that no version has both of, where there are two such.
    """
    held = tuple(held)
    versions = history(package).versions
    fits = [all(use.life.status_at(v) in ("there", "deprecated") for use in held) for v in versions]
    if not any(fits):
        below = max(held, key=lambda use: minor(use.life.since), default=None)
        above = min((u for u in held if u.life.until), key=lambda use: minor(use.life.until), default=None)
        return Range(package, "", "", below, above)
    last = max(i for i, fit in enumerate(fits) if fit)
    first = last
    while first and fits[first - 1]:
        first -= 1
    below = _missing(held, versions[first - 1]) if first else None
    above = _missing(held, versions[last + 1]) if last + 1 < len(versions) else None
    return Range(package, versions[first], versions[last], below, above)


def _missing(held: Iterable[Use], version: str) -> Use | None:
    """The first of some uses that a version lacks."""
    return next((use for use in held if use.life.status_at(version) not in ("there", "deprecated")), None)
