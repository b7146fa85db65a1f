"""What the tokenizer's files say of ids: pitfalls 14, 20, 21 and 23. Knows no rows.

tokenizer.json is what transformers reads; a vocab.txt, vocab.json or sentencepiece model beside it is read by others,
and by transformers itself once tokenizer.json is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pretune.artifacts.vocabulary import is_sentencepiece
from pretune.tokens.surfaces import surfaces_of
from pretune.tokens.verify_result import Fault
from pretune.tokens.verify_view import counted, ids_of, is_word, some

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.artifacts.vocabulary import Vocabulary
    from pretune.tokens.verify_view import Case, View


def judge_files(case: Case) -> Iterator[Fault | str]:
    """Faults and proofs of ids and files."""
    view = case.new
    yield from _one_owner(view)
    yield from _as_recorded(view)
    for other in view.tokenizer.other_vocabularies:
        yield from _in_step(view, other)
    spec = view.tokenizer.spec or {}
    for part in ("truncation", "padding"):
        told = spec.get(part)
        if isinstance(told, Mapping):
            strategy = told.get("strategy")
            length = told.get("max_length", strategy.get("Fixed") if isinstance(strategy, Mapping) else None)
            message = (
                f"{part} {f'to {length:,} tokens ' if isinstance(length, int) else ''}is baked into tokenizer.json: "
                "whoever uses the tokenizers library itself gets it unasked"
            )
            yield Fault(f"baked-{part}", message, view.at(pointer=f"/{part}"), "note", 23)


def _one_owner(view: View) -> Iterator[Fault | str]:
    """No two tokens have one id."""
    owners: dict[int, list[str]] = {}
    for token, at in view.tokenizer.ids.items():
        owners.setdefault(at, []).append(token)
    shared = {at: names for at, names in owners.items() if len(names) > 1}
    if not shared:
        yield f"{len(owners):,} ids have one owner each"
        return
    at, names = next(iter(shared.items()))
    message = (
        f"{counted(len(shared), 'id')} with two owners: {at:,} is that of {some(names)}; added tokens count on from "
        "the number of "
        "entries, and the vocabulary has holes"
    )
    yield Fault("id-shared", message, view.at(), "error", 14)


def _as_recorded(view: View) -> Iterator[Fault | str]:
    """Ids are those that pretune wrote down, and its words are one token."""
    if not view.recorded:
        return
    ids = view.tokenizer.ids
    moved = {row["entry"]: (row.get("id"), ids.get(row["entry"])) for row in view.recorded}
    moved = {entry: pair for entry, pair in moved.items() if pair[0] != pair[1]}
    if moved:
        entry, (told, own) = next(iter(moved.items()))
        message = (
            f"{counted(len(moved), 'token')} with other ids than were recorded when they were added: {entry!r} "
            f"{'is gone' if own is None else f'has {own:,}'}, recorded is {told}"
        )
        yield Fault("id-moved", message, view.at(), "error", 20)
        return
    yield f"{len(view.recorded):,} entries have the ids that were recorded when they were added"
    yield from _still_one(view)


def _still_one(view: View) -> Iterator[Fault | str]:
    """Recorded words are one token at the beginning of a text, after a space and before punctuation."""
    wanted: dict[str, set[int]] = {}
    for row in view.recorded:
        if not row.get("step"):
            wanted.setdefault(str(row.get("word")), set()).add(row["id"])
    broken = {}
    special = {row["id"] for row in view.recorded if row.get("special")}
    for word, own in wanted.items():
        forms = surfaces_of(view.encoder, word).forms if not own & special else ()
        known = own | {view.tokenizer.ids[form] for form in forms if form in view.tokenizer.ids}
        for text in (word, f"a {word}", f"{word}."):
            found = [at for at in ids_of(view.encoder, text) if at in known]
            if len(found) != 1:
                broken[word] = text
                break
    if broken:
        word, text = next(iter(broken.items()))
        pieces = view.told(view.encoder.encode(text, add_special_tokens=False).tokens[:8])
        message = f"{counted(len(broken), 'recorded word')} not one token: {text!r} becomes {pieces}"
        yield Fault("word-not-one-token", message, view.at(), "error", 7)
    else:
        yield f"{len(wanted):,} recorded words are one token at the beginning of a text, after a space, before a stop"


def _in_step(view: View, other: Vocabulary) -> Iterator[Fault | str]:
    """Another vocabulary file says what the one that is read says."""
    tokenizer = view.tokenizer
    own = tokenizer.vocabulary.ids
    beside = {token.content for token in tokenizer.added} | set(tokenizer.told.added) | set(tokenizer.special.values())
    placeholders = {token for token in own if token.startswith("<no entry ")}
    lacking = own.keys() - other.ids.keys() - beside - placeholders
    foreign = other.ids.keys() - tokenizer.ids.keys() - placeholders
    pieces = is_sentencepiece(other.file)
    moved = set() if pieces else {token for token in other.ids.keys() & tokenizer.ids if _differs(view, other, token)}
    if pieces:  # classes put other special tokens in front of the pieces, and behind them
        foreign = {token for token in foreign if is_word(token)}
        lacking = {token for token in lacking if is_word(token)}
    late = [
        token.content
        for token in tokenizer.added
        if is_word(token.content)
        and token.content not in other.ids
        and token.content not in tokenizer.told.added
        and token.content not in _decoded(view)
    ]
    lacking |= set(late)
    where = view.source.at(other.file)
    if not lacking and not foreign and not moved:
        yield f"{other.file} says what {tokenizer.vocabulary.file} says"
        return
    told = [
        f"{len(some_of):,} {what} ({some(some_of)})"
        for some_of, what in (
            (lacking, "tokens are not in it"),
            (foreign, "are in it alone"),
            (moved, "have another id in it"),
        )
        if some_of
    ]
    message = (
        f"{other.file} disagrees with {tokenizer.vocabulary.file}: {', '.join(told)}; whoever reads it (slow "
        "tokenizers, other runtimes) gets other ids"
    )
    yield Fault("vocabulary-files-disagree", message, where, "warning", 21)


def _differs(view: View, other: Vocabulary, token: str) -> bool:
    return other.ids[token] != view.tokenizer.ids[token]


def _decoded(view: View) -> set[str]:
    """Added tokens that tokenizer_config.json names: whatever file is read, they are added to it."""
    rows = view.tokenizer.config.get("added_tokens_decoder")
    if not isinstance(rows, Mapping):
        return set()
    return {row["content"] for row in rows.values() if isinstance(row, Mapping) and isinstance(row.get("content"), str)}
