"""Which words of a corpus are worth a token: suggest. Plans them, and counts what each would save and change.

Ranked by how many tokens of the corpus a word's own token saves, as every published selection comes to much the same
order; how many are given is what the spare slots hold.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pretune.artifacts.pipeline import as_class
from pretune.draw.display import Displayed
from pretune.tokens.plan import make_plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import tokenizers

    from pretune.artifacts.tokenizer import Tokenizer
    from pretune.corpus.corpus_tally import CorpusTally
    from pretune.corpus.figures import Candidate
    from pretune.draw.table import Table
    from pretune.tokens.plan import Plan
    from pretune.tokens.slots import Slot

WITHOUT_SLOTS = 100
"""Words that are suggested where no slot is free."""

SPARE = 3
"""So many times more words are looked at than are given: some cannot be placed, some turn out to save nothing."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A word that is worth a token.

    Attributes:
        word: without its particles and punctuation.
        count: occurrences in the corpus, with any particle.
        pieces: tokens that it is now.
        saves: tokens of the corpus that it saves, counted with the new tokenizer, whatever else is added.
        changes: different words of the corpus that it stands in.
        rows: how many rows it takes (a form for the beginning of a text, steps on the way).
        unknown: it is unknown now, whole or in part, so a token tells it from others rather than saving any.
    """

    word: str
    count: int
    pieces: tuple[str, ...]
    saves: int
    changes: int
    rows: int
    unknown: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Suggestions(Displayed):
    """What a corpus suggests.

    Attributes:
        words: the words, the most saving first.
        plan: what adding them all comes to.
        slots: how many slots are free.
    """

    words: tuple[Suggestion, ...]
    plan: Plan
    slots: int
    part = "tokens"

    def _shown(self) -> tuple[Sequence[str], Sequence[Table]]:
        from pretune.tokens.show import suggestion_tables

        return (), suggestion_tables(self, "the model", every=True)


def suggest(
    tokenizer: Tokenizer, corpus: CorpusTally, *, slots: Sequence[Slot] = (), rows: int, most: int | None = None
) -> Suggestions:
    """Suggest words.

    Args:
        tokenizer: the model's own.
        corpus: its words, counted.
        slots: rows that no text can reach.
        rows: of the embedding.
        most: words that are given at most; None: as many as have room in the slots, or WITHOUT_SLOTS without any.

    Raises:
        UserError: the tokenizer cannot be built.
    """
    import json

    from pretune.corpus.candidates import candidates, stems
    from pretune.corpus.vocabulary_marks import marks_of

    encoder = as_class(tokenizer)
    room = len(slots) or WITHOUT_SLOTS
    wanted = min(most, 5000) if most is not None else room
    spec = json.loads(encoder.to_str())
    marks = marks_of(encoder, spec["model"], byte_level='"ByteLevel"' in json.dumps(spec.get("pre_tokenizer")))
    found = candidates(stems(corpus.words.table()), encoder, marks, most=wanted * SPARE)
    known = {one.word: one for one in found}
    table = corpus.words.table()
    counted = dict(zip(table["word"].to_list(), table["count"].to_list(), strict=True))
    words = [one.word for one in found][:wanted]
    plan = make_plan(tokenizer, words, slots=slots, rows=rows, counted=counted)
    while most is None and slots and plan.resizes and words:  # several rows a word: as many words as have room
        over = plan.rows[1] - plan.rows[0]
        words = words[: -max(over // 2, 1)]
        plan = make_plan(tokenizer, words, slots=slots, rows=rows, counted=counted)
    saved, changes, taken = _effects(plan, counted, known)
    unknown = {word for word in taken if _is_unknown(encoder, known[word].tokens)}
    ranked = sorted(taken, key=lambda word: (-max(saved[word], known[word].count if word in unknown else 0), word))
    given = tuple(
        Suggestion(
            word, known[word].count, known[word].tokens, saved[word], changes[word], taken[word], word in unknown
        )
        for word in ranked
        if saved[word] > 0 or word in unknown
    )
    return Suggestions(given, plan, len(slots))


def _is_unknown(encoder: tokenizers.Tokenizer, tokens: Sequence[str]) -> bool:
    """Whether one of these tokens is the unknown token."""
    name = getattr(encoder.model, "unk_token", None)
    return name is not None and name in tokens


def _effects(
    plan: Plan, counted: Mapping[str, int], known: Mapping[str, Candidate]
) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Word -> tokens saved, words of the corpus changed, rows taken."""
    owners = {entry.text: entry.word for entry in plan.added}
    saved: Counter[str] = Counter()
    changes: Counter[str] = Counter()
    taken = Counter(entry.word for entry in plan.added)
    for change in plan.changed:
        words = {owners[token] for token in change.after if token in owners}
        for word in words:
            changes[word] += 1
            saved[word] += change.count * (len(change.before) - len(change.after)) // len(words)
    for word in taken:
        saved[word] += counted.get(word, 0) * (known[word].pieces - 1)
    return saved, changes, taken
