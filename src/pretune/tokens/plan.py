"""What adding tokens comes to, before anything is done: Plan, make_plan. Reads a tokenizer; writes nothing.

Words go into the model's own vocabulary, where they take part in how it cuts text; special tokens beside it. Each
gets a row that no text can reach, and only when those are used up a new one. What would not come out as promised is
found by building the new tokenizer and asking it (proof.py), and refused with the reason.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pretune.artifacts.pipeline import as_class, class_spec
from pretune.core.errors import UserError
from pretune.tokens import bpe, unigram, wordpiece
from pretune.tokens.float32_sums import unit
from pretune.tokens.placement import Placement
from pretune.tokens.proof import prove
from pretune.tokens.surfaces import pieces_of, surfaces_of
from pretune.tokens.tokenizer_files import edited

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import tokenizers

    from pretune.artifacts.tokenizer import Tokenizer
    from pretune.tokens.placement import New
    from pretune.tokens.proof import Changed, Proof
    from pretune.tokens.slots import Slot

ROUNDS = 8
"""How often words that turn out not to come out as promised are left away and the rest is planned again."""

ORDER = {"named": 0, "row": 1, "unreachable": 2}
"""Which slots are taken first: those that are there to be taken, then rows that have no entry, then dead entries."""


@dataclass(frozen=True, slots=True)
class Added:
    """An entry that gets a row.

    Attributes:
        id: of the row.
        text: the entry, in the model's alphabet.
        word: what was asked for.
        slot: the spare slot that it takes; None: a new row.
        pieces: ids that it was before; empty where there were none (special tokens, unknown words).
        special: whether it is a special token.
        between: it is only a step on the way to the word (BPE).
        merge: the two entries that become it (BPE).
        score: log probability (Unigram).
    """

    id: int
    text: str
    word: str
    slot: Slot | None = None
    pieces: tuple[int, ...] = ()
    special: bool = False
    between: bool = False
    merge: tuple[str, str] | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done.

    Attributes:
        added: the entries, in the order in which they were asked for.
        already: words that are one token as it is -> their ids, one for each form.
        refused: words that cannot be added -> why.
        rows: rows of the embedding before, and after.
        merges: rules behind all others (BPE).
        whole: whether the model is to take a form that is an entry as it is (BPE's `ignore_merges`).
        changed: words of the text that are cut otherwise then.
        tokens: how many tokens the text has before, and after.
        files: the tokenizer's files as they will be, by name.
        remarks: what the user should know.
        byte_level: whether entries are written in letters for bytes.
    """

    added: tuple[Added, ...] = ()
    already: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[int, int] = (0, 0)
    merges: tuple[tuple[str, str], ...] = ()
    whole: bool = False
    changed: tuple[Changed, ...] = ()
    tokens: tuple[int, int] = (0, 0)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    remarks: tuple[str, ...] = ()
    byte_level: bool = False

    @property
    def resizes(self) -> bool:
        """Whether the embedding gets new rows."""
        return self.rows[1] > self.rows[0]


def make_plan(
    tokenizer: Tokenizer,
    words: Iterable[str],
    *,
    special: Iterable[str] = (),
    slots: Sequence[Slot] = (),
    rows: int,
    counted: Mapping[str, int] | None = None,
) -> Plan:
    """Plan which rows the tokens get, and what changes.

    Args:
        tokenizer: the model's own.
        words: to be added to its vocabulary, in this order; composed (NFC), repeated ones once.
        special: special tokens to be added, in this order; they get their rows first.
        slots: the rows that no text can reach.
        rows: of the embedding.
        counted: words of a text -> how often they occur, to see what changes in it.

    Raises:
        UserError: the tokenizer cannot be built, or is of a kind that takes no words.
    """
    asked = list(dict.fromkeys(unicodedata.normalize("NFC", word) for word in words))
    specials = list(dict.fromkeys(special))
    encoder = as_class(tokenizer)
    refused: dict[str, str] = {}
    for _ in range(ROUNDS):
        made = _placed(tokenizer, encoder, asked, specials, slots=slots, rows=rows, refused=refused)
        proof = prove(tokenizer, encoder, made, counted or {})
        if not proof.broken:
            return _finished(made, proof, refused)
        refused |= proof.broken
        asked = [word for word in asked if word not in refused]
        specials = [token for token in specials if token not in refused]
    raise UserError(
        "the words keep disturbing each other", hint="add fewer at a time: " + ", ".join(list(proof.broken)[:3])
    )


def _finished(made: Plan, proof: Proof, refused: Mapping[str, str]) -> Plan:
    remarks = list(made.remarks)
    unknown = [entry.word for entry in made.added if not entry.special and not entry.pieces]
    if unknown:
        remarks.append(f"unknown until now, so their rows begin without a meaning: {', '.join(unknown[:5])}")
    return replace(made, refused=dict(refused), changed=proof.changed, tokens=proof.tokens, remarks=tuple(remarks))


def _placed(
    tokenizer: Tokenizer,
    encoder: tokenizers.Tokenizer,
    words: Sequence[str],
    specials: Sequence[str],
    *,
    slots: Sequence[Slot],
    rows: int,
    refused: dict[str, str],
) -> Plan:
    """Place all words; those that cannot be are noted in `refused`."""
    already: dict[str, tuple[int, ...]] = {}
    new: list[tuple[str, New | None]] = []  # (word or special token, entry; None: a special token)
    merges: list[tuple[str, str]] = []
    for token in specials:
        reason, at = _special(tokenizer, token)
        if reason:
            refused[token] = reason
        elif at is not None:
            already[token] = (at,)
        else:
            new.append((token, None))
    there: dict[str, tuple[str, ...]] = {}
    for word, placement in _placements(tokenizer, encoder, words):
        if placement.reason:
            refused[word] = placement.reason
            continue
        merges += placement.merges
        new += [(word, one) for one in placement.new]
        if all(one.between for one in placement.new):
            there[word] = placement.forms
    free = _free(tokenizer, slots, rows)
    added: list[Added] = []
    ids: dict[str, int] = {}
    for word, one in new:
        slot, row = next(free)
        if one is None:
            added.append(Added(row, word, word, slot, special=True))
            continue
        pieces = tuple(ids[piece] if piece in ids else tokenizer.vocabulary.ids.get(piece, -1) for piece in one.pieces)
        unknown = tokenizer.id_of("unk_token")
        if unknown in pieces or -1 in pieces:
            pieces = ()
        ids[one.text] = row
        entry = Added(row, one.text, word, slot, pieces, between=one.between, merge=one.merge, score=one.score)
        added.append(entry)
    known = {**tokenizer.vocabulary.ids, **ids}  # an earlier word's steps may have made it
    already |= {word: tuple(known[form] for form in forms) for word, forms in there.items()}
    after = max([rows, *(entry.id + 1 for entry in added)])
    whole = any(entry.merge is None and not entry.special for entry in added) and tokenizer.vocabulary.kind == "BPE"
    plan = Plan(tuple(added), already, {}, (rows, after), tuple(merges), whole=whole, byte_level=tokenizer.byte_level)
    return replace(plan, files=edited(tokenizer, plan))


def _placements(
    tokenizer: Tokenizer, encoder: tokenizers.Tokenizer, words: Sequence[str]
) -> list[tuple[str, Placement]]:
    """Each word with its place."""
    if not words:
        return []
    spec = class_spec(tokenizer)
    model: Mapping[str, Any] = spec["model"]
    kind = tokenizer.vocabulary.kind if not model.get("type") else str(model["type"])
    merger = bpe.merger_of(model) if kind == "BPE" else None
    whole = merger is not None and _takes_whole(tokenizer, encoder, model)
    scores = log_probabilities(tokenizer)
    taken = set(tokenizer.vocabulary.ids)
    if kind not in {"BPE", "Unigram", "WordPiece", "WordLevel"}:
        raise UserError(f"{tokenizer.source.label}: words cannot be added to a {kind} vocabulary")
    found: dict[str, Placement] = {}
    # in a Unigram model a word must be likelier than any shorter one that was placed and stands in it
    for word in sorted(words, key=len) if kind == "Unigram" else words:
        surfaces = surfaces_of(encoder, word)
        if surfaces.reason:
            found[word] = Placement(word, reason=surfaces.reason)
            continue
        if merger is not None:
            found[word] = bpe.place(word, surfaces.forms, merger, whole=whole)
            continue
        pieces = {form: [token.value for token in encoder.model.tokenize(form)] for form in surfaces.forms}
        if kind == "Unigram":
            found[word] = unigram.place(word, surfaces.forms, scores, pieces)
            scores |= {one.text: one.score or 0.0 for one in found[word].new}
        else:
            found[word] = wordpiece.place(word, surfaces.forms, taken, model, pieces)
            taken |= {one.text for one in found[word].new}
    return [(word, found[word]) for word in words]


def log_probabilities(tokenizer: Tokenizer) -> dict[str, float]:
    """Entry -> log probability of a Unigram vocabulary, without the unknown token, whose score is none."""
    vocabulary = tokenizer.vocabulary
    scale = unit(vocabulary.scores)
    unknown = vocabulary.options.get("unk_id")
    pairs = enumerate(zip(vocabulary.pieces, vocabulary.scores, strict=False))
    return {piece: score / scale for at, (piece, score) in pairs if at != unknown}


def _takes_whole(tokenizer: Tokenizer, encoder: tokenizers.Tokenizer, model: Mapping[str, Any]) -> bool:
    """Whether the model may take a form that is an entry as it is, and all text is still cut as it was.

    It may where every entry, alone, is merged to itself; asked of all of them. Where nothing cuts a text into words
    the whole text is the form, and where the class makes its model anew it forgets the option.
    """
    if model.get("ignore_merges"):
        return True
    if tokenizer.cls.rebuilds or encoder.pre_tokenizer is None or len(pieces_of(encoder, "a a")) < 2:
        return False
    return all(len(encoder.model.tokenize(entry)) == 1 for entry in model["vocab"] if entry not in tokenizer.special)


def _special(tokenizer: Tokenizer, token: str) -> tuple[str, int | None]:
    """Why a special token cannot be added, and its id where it is there already."""
    known = {added.content: added for added in tokenizer.added}
    if token in known:
        return "", known[token].id
    if not token.strip() or token != token.strip():
        return "white space at its beginning or end, or nothing else", None
    if all(character.isalnum() or character == "_" for character in token):
        return "an ordinary word: as a special token it is cut out of every text that holds it; add it as a word", None
    return "", None


def _free(tokenizer: Tokenizer, slots: Sequence[Slot], rows: int) -> Iterator[tuple[Slot | None, int]]:
    """The rows to give away: slots, then rows beyond all that there are, without end."""
    used = set(tokenizer.ids.values())
    for slot in sorted(slots, key=lambda slot: (ORDER[slot.kind], slot.id)):
        if slot.kind != "row" or slot.id not in used:
            yield slot, slot.id
    at = max(rows, tokenizer.largest_id + 1)
    while True:
        yield None, at
        at += 1
