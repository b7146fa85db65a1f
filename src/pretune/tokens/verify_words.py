"""What added tokens that are ordinary words do to text: pitfalls 7 to 12, 15 and 19, each asked of the encoder.

Knows the folder alone; a word that took a place in the model's own vocabulary is none of these.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from pretune.tokens.verify_cuts import judge_cuts
from pretune.tokens.verify_result import Fault
from pretune.tokens.verify_view import ids_of, some

if TYPE_CHECKING:
    from collections.abc import Iterator

    import tokenizers

    from pretune.artifacts.added_tokens import AddedToken
    from pretune.core.levels import Level
    from pretune.tokens.verify_view import Case, View

_MARKS = "▁Ġ"


def judge_words(case: Case) -> Iterator[Fault | str]:
    """Faults of added words, all of a kind in one."""
    view = case.new
    found: dict[tuple[str, Level, int, str], list[str]] = {}
    for token in case.suspects:
        for name, level, pitfall, what in _of_one(view, token):
            found.setdefault((name, level, pitfall, what), []).append(token.content)
    for (name, level, pitfall, what), contents in found.items():
        yield Fault(name, f"{_tokens(contents)} {what}", view.at(pointer="/added_tokens"), level, pitfall)
    yield from _same_after_folding(case)
    yield from _overlaps(case)
    yield from judge_cuts(case)
    if not case.words:
        yield "no ordinary word stands among the added tokens, where it would be cut out of other words"


def _tokens(contents: list[str]) -> str:
    return f"added token {some(contents)}" if len(contents) == 1 else f"each of the added tokens {some(contents)}"


def _of_one(view: View, token: AddedToken) -> Iterator[tuple[str, Level, int, str]]:
    """(name, level, pitfall, what) of one added word."""
    encoder, content = view.encoder, token.content
    composed = unicodedata.normalize("NFC", content)
    if composed != content and token.id not in ids_of(encoder, composed):
        yield "decomposed", "error", 10, "is decomposed (NFD): text as people type it (NFC) never reaches it"
        return
    if content[0] in _MARKS:
        bare = content.lstrip(_MARKS)
        if token.id not in ids_of(encoder, f"a {bare}"):
            pitfall = 11 if content[0] == "Ġ" else 12
            what = f"is spelled with {content[0]}, which added tokens never match: no word of any text reaches it"
            yield "marked-form", "error", pitfall, what
        return
    encoding = encoder.encode(content, add_special_tokens=False)
    if encoding.ids == [token.id] and [encoder.token_to_id(piece) for piece in encoding.tokens] != [token.id]:
        what = (
            f"is known to tokenize() by another spelling, {encoding.tokens[0]!r}: convert_tokens_to_ids(tokenize(text)"
            ") gives the unknown token where encode() gives its id"
        )
        yield "two-paths", "error", 7, what
    if not token.normalized and encoder.normalizer is not None:
        same = encoder.normalizer.normalize_str(content)
        for other in (content.lower(), content.upper(), content.capitalize()):
            if other != content and encoder.normalizer.normalize_str(other) == same:
                if token.id not in ids_of(encoder, other):
                    what = f"is found in this spelling alone ({other!r} is not it), and the model knows no case"
                    yield "one-spelling", "warning", 7, what
                break
    yield from _space(view, encoder, token)


def _space(view: View, encoder: tokenizers.Tokenizer, token: AddedToken) -> Iterator[tuple[str, Level, int, str]]:
    """What stands before the word inside a text: a lone space token, or nothing at all."""
    if view.kind not in {"BPE", "Unigram"} or token.content != token.content.strip():
        return
    pitfall = 11 if view.tokenizer.byte_level else 12
    text = f"a {token.content}"
    before, found = ids_of(encoder, "a"), ids_of(encoder, text)
    if token.id not in found:
        return
    between = found[: found.index(token.id)]
    if between[: len(before)] == before and len(between) > len(before):
        lone = " ".join(map(str, map(encoder.id_to_token, between[len(before) :])))
        what = (
            f"leaves a lone space token ({lone}) before it after every space: two tokens, which no old word has there"
        )
        yield "lone-space", "error", pitfall, what
    elif token.lstrip and encoder.decode(found) != text and encoder.decode(ids_of(encoder, "a b")).strip() == "a b":
        what = f"swallows the space before it: {text!r} decodes to {encoder.decode(found)!r}"
        yield "space-lost", "error", pitfall, what


def _same_after_folding(case: Case) -> Iterator[Fault]:
    """Added words of which the normaliser makes one: only one of them is ever found."""
    view = case.new
    lost = [
        token.content
        for token in case.words
        if token.content[0] not in _MARKS
        and token.id not in ids_of(view.encoder, token.content)
        and unicodedata.normalize("NFC", token.content) == token.content
    ]
    if lost:
        message = (
            f"{_tokens(lost)} gets another id in text that spells exactly this: "
            "the normaliser, or another added token, makes it something else, and the row is never read"
        )
        yield Fault("dead-token", message, view.at(pointer="/added_tokens"), "error", 7)


def _overlaps(case: Case) -> Iterator[Fault]:
    """Words that must stand alone, hidden where a longer one that must stand alone begins but does not end."""
    view = case.new
    alone = [token for token in case.suspects if token.single_word]
    hidden: dict[str, str] = {}
    for longer in alone:
        for token in alone:
            at = longer.content.find(token.content)
            if token is longer or at < 0 or not _stands_alone(longer.content, at, len(token.content)):
                continue
            text = f"{longer.content}s"
            if token.id in ids_of(view.encoder, longer.content[:at] + token.content) and (
                token.id not in ids_of(view.encoder, text)
            ):
                hidden.setdefault(token.content, text)
    if hidden:
        content, text = next(iter(hidden.items()))
        message = (
            f"{_tokens(list(hidden))} must stand alone (single_word) and is passed over where a "
            f"longer one begins and does not end: {text!r} holds {content!r} as a word and does not reach it"
        )
        yield Fault("single-word-overlap", message, view.at(pointer="/added_tokens"), "warning", 15)


def _stands_alone(text: str, at: int, length: int) -> bool:
    """Whether a part of a text is bounded by what is no letter."""
    before, behind = text[at - 1] if at else " ", text[at + length] if at + length < len(text) else " "
    return not before.isalnum() and not behind.isalnum()
