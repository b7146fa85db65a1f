"""What `tokens verify` finds: Fault, Verdict. Knows no files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pretune.draw.display import Displayed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.core.levels import Level
    from pretune.draw.table import Table


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong with added tokens, or that one should know.

    Attributes:
        name: of the kind of fault: `id-without-row`.
        message: one sentence: what was found, what was expected.
        where: the file, and the place in it.
        level: "error": outputs are wrong or nothing runs; "warning": it runs, and less well than it could; "note".
        pitfall: number in the table of pitfalls (docs/tokens-verify.md).
    """

    name: str
    message: str
    where: str
    level: Level
    pitfall: int


@dataclass(frozen=True, slots=True, repr=False)
class Verdict(Displayed):
    """What was found.

    Attributes:
        faults: errors first.
        proved: what was asked and holds, a sentence each.
    """

    faults: tuple[Fault, ...] = ()
    proved: tuple[str, ...] = ()
    part = "tokens"

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong: no error and no warning."""
        return all(fault.level == "note" for fault in self.faults)

    def _shown(self) -> tuple[Sequence[str], Sequence[Table]]:
        from pretune.tokens.verify_show import verdict_text

        return verdict_text(self, "the model").splitlines(), ()
