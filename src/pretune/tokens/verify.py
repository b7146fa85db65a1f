"""Proves that tokens were added well, or names what is wrong: verify. Whoever added them; nothing is loaded or run.

Without AGAINST: what the folder shows by itself. With it also what changed. Each pitfall has a module of its own kin:
verify_rows.py, verify_words.py, verify_cuts.py, verify_special.py, verify_files.py, verify_adapter.py,
verify_optimizer.py (live objects), and for what changed verify_against.py and verify_old_rows.py.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pretune.artifacts.source import locate
from pretune.artifacts.vocabulary import vocabulary_files
from pretune.artifacts.weights import read_adapter
from pretune.core.errors import UserError
from pretune.core.extras import need
from pretune.core.levels import RANK
from pretune.tokens.inner_folder import inner_folder
from pretune.tokens.verify_adapter import judge_adapter
from pretune.tokens.verify_against import judge_against
from pretune.tokens.verify_files import judge_files
from pretune.tokens.verify_optimizer import optimizer_faults
from pretune.tokens.verify_result import Fault, Verdict
from pretune.tokens.verify_rows import judge_rows
from pretune.tokens.verify_special import judge_special
from pretune.tokens.verify_view import Case, look
from pretune.tokens.verify_words import judge_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pretune.tokens.verify_view import View

__all__ = ["Fault", "Verdict", "optimizer_faults", "verify"]

ALONE = (judge_rows, judge_words, judge_special, judge_files)
"""What a folder shows by itself; some of it better with AGAINST."""


def verify(folder: str | Path, *, against: str | Path | None = None) -> Verdict:
    """Ask a folder to which tokens were added for every promise that pretune makes.

    Args:
        folder: or a hub name; of a sentence-transformers model the whole. A PEFT adapter's folder is one too.
        against: the model as it was before.

    Raises:
        UserError: one of the two cannot be read, or has no tokenizer.
    """
    need("numpy", extra="tokens")
    source = inner_folder(locate(str(folder)))
    old = look(against) if against is not None else None
    if read_adapter(source) is not None and not vocabulary_files(source):
        return _verdict(judge_adapter(source, largest=-1, base=old.rows if old else None))
    case = Case(look(folder), old)
    verdict = _verdict(_asked(case))
    if old is not None and any(fault.level != "note" for fault in verdict.faults):
        return _without_inherited(verdict, old)
    return verdict


def _asked(case: Case) -> Iterator[Fault | str]:
    """What every judge says."""
    for judge in ALONE:
        yield from judge(case)
    base = case.old.rows if case.old is not None else case.new.rows
    yield from judge_adapter(case.new.source, largest=case.new.tokenizer.largest_id, base=base)
    if case.old is not None:
        from pretune.tokens.verify_old_rows import judge_old_rows

        yield from judge_against(case)
        yield from judge_old_rows(case)


def _verdict(told: Iterator[Fault | str]) -> Verdict:
    """Faults, errors first, each once, and proofs."""
    faults: list[Fault] = []
    proved: list[str] = []
    for one in told:
        if isinstance(one, str):
            proved.append(one)
        elif one not in faults and not (one.name == "words-cut" and any(one.name == other.name for other in faults)):
            faults.append(one)
    faults.sort(key=lambda fault: (RANK[fault.level], fault.pitfall))
    return Verdict(tuple(faults), tuple(dict.fromkeys(proved)))


def _without_inherited(verdict: Verdict, old: View) -> Verdict:
    """Faults that AGAINST has too become notes: adding tokens did not bring them."""
    try:
        before = _verdict(one for judge in ALONE for one in judge(Case(old)))
    except UserError:
        return verdict
    known = {(fault.name, fault.message) for fault in before.faults}
    faults = [
        replace(fault, level="note", message=f"{fault.message}; so it is in {old.source.label}")
        if fault.level != "note" and (fault.name, fault.message) in known
        else fault
        for fault in verdict.faults
    ]
    faults.sort(key=lambda fault: (RANK[fault.level], fault.pitfall))
    return Verdict(tuple(faults), verdict.proved)
