"""What one model showed on one set of sentences: Analysis. Holds results, computes none, reads no file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.pool.choice import Choice
    from pretune.pool.declared import Declared
    from pretune.pool.faults import Fault
    from pretune.pool.one_pass import Sweep
    from pretune.pool.padding_cost import PaddingCost
    from pretune.pool.sentence_tokens import SentenceTokens
    from pretune.pool.shapley import Shares
    from pretune.pool.verdict import Verdict

Kind = Literal["pairs", "classes", "text"]


@dataclass(frozen=True, slots=True)
class Shortlist:
    """Choices for sentences without scores or classes; none of them is the best.

    Attributes:
        choices: K of them.
        margins: shape (K,), float64: by how many standard deviations a part of a sentence lies nearer to its sentence.
        kept: shape (K,), bool: the upper half.
    """

    choices: tuple[Choice, ...]
    margins: Any
    kept: Any


@dataclass(frozen=True, slots=True)
class Analysis:
    """All that is said of one model on one set of sentences.

    Attributes:
        model: as it was named.
        source: the data as it was named.
        kind: what the sentences came with: scored pairs, classes, nothing.
        count: pairs, or sentences.
        sentences: distinct sentences that were encoded.
        default: the declared choice, or the last layer's mean.
        declared: what the model's folder declares.
        found: every choice, its vectors and similarities.
        verdict: what scores or classes say; None for bare text.
        shortlist: for bare text; None else.
        faults: what is wrong, the gravest first.
        padding: what mistakes of padding would cost here; empty where not asked or not scored.
        shares: layer -> what each kind of token adds to the mean's score; empty where not asked.
        tokens: rankings of the tokens of a few sentences; empty where not asked.
        notes: what was left out or skipped, one sentence each.
        seconds: stage -> CPU seconds.
    """

    model: str
    source: str
    kind: Kind
    count: int
    sentences: int
    default: Choice
    declared: Declared
    found: Sweep
    verdict: Verdict | None = None
    shortlist: Shortlist | None = None
    faults: tuple[Fault, ...] = ()
    padding: tuple[PaddingCost, ...] = ()
    shares: Mapping[int, Shares] = field(default_factory=dict)
    tokens: tuple[SentenceTokens, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        """One line; `str` and `print` show the tables."""
        from pretune.pool.words import short

        return f"Analysis({short(self)})"

    def __str__(self) -> str:
        """What a terminal shows, in plain words."""
        from pretune.pool.show import text

        return text(self)

    def _repr_html_(self) -> str:
        """How a notebook shows it."""
        from pretune.pool.notebook import fragment

        return fragment(self)
