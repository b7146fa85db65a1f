"""Which entries begin a word, and which continue one: places. Goes by the marks of vocabularies; knows no rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.tokens.readable import SPACE, readable

if TYPE_CHECKING:
    from pretune.artifacts.tokenizer import Tokenizer
    from pretune.tokens.plan import Plan


def places(plan: Plan, tokenizer: Tokenizer) -> dict[int, bool]:
    """Id -> whether the entry begins a word; of entries of letters alone, old and new, where the vocabulary has a mark.

    WordPiece marks what continues a word (`##`), the others what follows a space; without a space before it, an entry
    of theirs nearly always continues a word.
    """
    entries = dict(tokenizer.tokens)
    entries |= {entry.id: entry.text for entry in plan.added if not entry.special}
    if tokenizer.vocabulary.kind == "WordPiece":
        mark, marked = str(tokenizer.vocabulary.options.get("continuing_subword_prefix") or "##"), False
    elif tokenizer.vocabulary.kind in ("BPE", "Unigram"):
        mark, marked = SPACE, True
        entries = {at: readable(entry, byte_level=tokenizer.byte_level) for at, entry in entries.items()}
    else:
        return {}
    found: dict[int, bool] = {}
    for at, entry in entries.items():
        if entry.removeprefix(mark).isalpha():
            found[at] = marked == entry.startswith(mark)
    return found
