"""What a new entry of a model's own vocabulary is: New, Placement. Knows no algorithm and no file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class New:
    """An entry that the vocabulary gets.

    Attributes:
        text: in the model's alphabet: `Ġcovid`, `▁covid`, `covid`, `##covid`.
        pieces: the entries that it was before, in order; its row begins as what theirs say.
        merge: the two entries that a BPE model merges into it; None: no BPE.
        score: log probability of a Unigram entry; None: no Unigram.
        between: it is only a step on the way to another entry (BPE), and no word that was asked for.
    """

    text: str
    pieces: tuple[str, ...]
    merge: tuple[str, str] | None = None
    score: float | None = None
    between: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """How a word gets into a vocabulary.

    Attributes:
        word: as it was asked for.
        forms: its entries: one for each form in which the model meets it.
        new: those that are not there yet, and the steps on the way to them, in the order in which they are added.
        merges: rules between entries that are there already, with the rules of `new`, in order (BPE).
        reason: why it cannot be placed; empty: it can.
    """

    word: str
    forms: tuple[str, ...] = ()
    new: tuple[New, ...] = ()
    merges: tuple[tuple[str, str], ...] = ()
    reason: str = ""
