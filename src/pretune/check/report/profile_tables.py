"""The figures of a profile as tables, one for each question. Shown by profile_text.py and html.py; counts nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pretune.core.quantity import number, ratio, share, size
from pretune.corpus.verdict import best, verdict
from pretune.draw.table import Cell, Column, table
from pretune.draw.visible import character, word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pretune.corpus.figures import Candidate, Lengths, Profile, TokenizerFigures
    from pretune.draw.table import Table

LIMITS = (128, 256, 384, 512, 1024)
"""The max_length values that people use."""
SHARES = ((0.5, "median"), (0.9, "90 %"), (0.95, "95 %"), (0.99, "99 %"), (0.999, "99.9 %"), (1.0, "longest"))


def named(profile: Profile) -> Profile:
    """The profile with each tokenizer called by the shortest name that tells it from the others."""
    names = short_names([each.name for each in profile.tokenizers])
    called = tuple(replace(each, name=name) for each, name in zip(profile.tokenizers, names, strict=True))
    return replace(profile, tokenizers=called)


def short_names(names: list[str]) -> list[str]:
    """Paths as their last folders, as many as tell them apart; names on the hub (`klue/roberta-base`) as they are."""
    parts = [[part for part in re.split(r"[\\/]+", name) if part] or [name] for name in names]
    hub = [len(part) == 2 and not name.startswith((".", "~", "/")) for name, part in zip(names, parts, strict=True)]
    shown = names
    for keep in range(1, max(map(len, parts), default=1) + 1):
        shown = [name if as_is else "/".join(part[-keep:]) for name, part, as_is in zip(names, parts, hub, strict=True)]
        if len(set(shown)) == len(set(names)):
            break
    return shown


def reading(profile: Profile) -> Table:
    """Which tokenizer reads this: tokens, unknown, whole, bytes, ids used."""
    corpus = profile.corpus
    able = [each.name for each in profile.tokenizers if verdict(each, corpus).level != "cannot"]

    def row(
        label: str, value: Callable[[TokenizerFigures], str], score: Callable[..., float] | None = None
    ) -> list[Cell]:
        told = [value(each) for each in profile.tokenizers]
        scored = (
            [(score(each), shown) for each, shown in zip(profile.tokenizers, told, strict=True) if each.name in able]
            if score
            else []
        )
        ahead = min(scored)[1] if len({shown for _, shown in scored}) > 1 else None  # as good as it looks, not more
        marks = [shown == ahead and each.name in able for each, shown in zip(profile.tokenizers, told, strict=True)]
        return [Cell(label), *(Cell(shown, "best" if mark else "") for shown, mark in zip(told, marks, strict=True))]

    rows = [
        row("words with an unknown", lambda of: share(of.unknown_words, of.words), lambda of: of.unknown_words),
        row("texts with an unknown", lambda of: share(of.unknown_texts, corpus.texts)),
        row("unknown tokens", lambda of: share(of.unknown_tokens, of.tokens)),
        row("words kept whole", lambda of: share(of.whole_words, of.words), lambda of: -of.whole_words),
        row("tokens a word", lambda of: ratio(of.word_tokens, of.words), lambda of: of.word_tokens),
        row("tokens a character", lambda of: ratio(of.tokens, corpus.characters, 3)),
        row("tokens", lambda of: number(of.tokens)),
        row("byte tokens", lambda of: share(of.byte_tokens, of.tokens)),
        row("ids used", lambda of: number(of.used)),
        row("of its vocabulary", lambda of: share(of.used, of.vocabulary)),
    ]
    return table("", ["", *(each.name for each in profile.tokenizers)], rows, things="columns")


def scripts(profile: Profile, most: int = 6) -> Table:
    """The scripts of the corpus and what becomes of their characters and words, a row for each tokenizer."""
    whole = sum(profile.corpus.scripts.values())
    rows: list[list[Cell]] = []
    for name, count in shown_scripts(profile, most):
        told = "Common (digits, marks, spaces)" if name == "Common" else name
        rows.append([Cell(f"{told}, {share(count, whole)} of the characters")])
        for each in profile.tokenizers:
            of = each.scripts.get(name)
            if of is None:
                continue
            pieces = of.characters - of.own - of.unknown - of.bytes
            each_word = ratio(of.tokens, of.words, 1)
            shares = [share(part, of.characters) for part in (of.own, pieces, of.bytes, of.unknown)]
            rows.append([Cell(text) for text in (each.name, *shares, share(of.unknown_words, of.words), each_word)])
    headings = ["", "own token", "in pieces", "in bytes", "no token", "words unknown", "tokens a word"]
    return table("", headings, rows, note=SCRIPTS_NOTE)


SCRIPTS_NOTE = "Shares of running characters, then of the words mostly in that script."


def shown_scripts(profile: Profile, most: int) -> list[tuple[str, int]]:
    """The most frequent scripts of the corpus, those under a thousandth of it left out."""
    whole = sum(profile.corpus.scripts.values())
    return [(name, count) for name, count in profile.corpus.scripts.items() if count >= whole / 1000][:most]


def unknown_characters(of: TokenizerFigures, most: int = 12) -> Table | None:
    """The characters that make words unknown, most frequent first; None: there are none."""
    rows = [[character(one.name), number(one.count)] for one in of.unknown_characters[:most]]
    return table("", ["no token for", "in words"], rows) if rows else None


def unknown_words(of: TokenizerFigures, most: int = 12) -> Table | None:
    """The most frequent words with an unknown token; None: there are none."""
    rows = [[word(one.name), number(one.count)] for one in of.unknown_examples[:most]]
    return table("", ["unknown words", "times"], rows) if rows else None


def main_role(of: TokenizerFigures) -> str:
    """The role whose length counts against max_length: whole rows, else the only text there is."""
    return "row" if "row" in of.lengths else next(iter(of.lengths), "")


def main_lengths(profile: Profile) -> Iterator[tuple[TokenizerFigures, Lengths]]:
    """Each tokenizer with the lengths of its rows."""
    for each in profile.tokenizers:
        if each.lengths:
            yield each, each.lengths[main_role(each)]


def roles(profile: Profile) -> list[str]:
    """The roles whose lengths differ, whole rows first; one text in each row is told as the row."""
    found = list(dict.fromkeys(role for each in profile.tokenizers for role in each.lengths))
    same = len(found) == 2 and all(
        len({tuple(of.counts.items()) for of in each.lengths.values()}) == 1 for each in profile.tokenizers
    )
    found.sort(key=lambda role: role != "row")
    return found[:1] if same else found


def percentiles(profile: Profile, wanted: Sequence[str]) -> Table | None:
    """How long the texts of these roles are, special tokens not counted; None: there is no such text."""
    if not wanted:
        return None
    rows: list[list[str]] = []
    for role in wanted:
        if len(wanted) > 1:
            rows.append(["all texts of a row" if role == "row" else role])
        for part, label in SHARES:
            found = [each.lengths.get(role) for each in profile.tokenizers]
            rows.append([label, *(number(of.at(part)) if of and of.texts else "-" for of in found)])
    headings = ["", *(each.name for each in profile.tokenizers)]
    return table("", headings, rows, note="Tokens of a text, without special tokens.", things="columns")


def cuts(profile: Profile) -> Table | None:
    """What a max_length cuts: texts, tokens and, with a stride, windows; None: no text was counted."""
    lengths = list(main_lengths(profile))
    if not lengths:
        return None
    limits = sorted({*LIMITS, *([profile.max_length] if profile.max_length else [])})
    limits = [limit for limit in limits if all(limit > of.specials for _, of in lengths)]
    enough = [limit for limit in limits if not any(of.cut(limit).texts for _, of in lengths)]
    limits = [limit for limit in limits if limit not in enough[1:] or limit == profile.max_length]
    stride = profile.stride or 0
    rows: list[list[Cell]] = []

    def add(title: str, value: Callable[[Lengths, int], str]) -> None:
        rows.append([Cell(title)])
        for limit in limits:
            label = f"{number(limit)}, as set up" if limit == profile.max_length else number(limit)
            rows.append([Cell(label), *(Cell(value(of, limit)) for _, of in lengths)])

    def windows(of: Lengths, limit: int) -> str:
        return number(of.cut(limit, stride).windows) if limit - of.specials > stride else "-"

    add("texts that are longer", lambda of, limit: share(of.cut(limit).texts, of.texts))
    add("tokens beyond it, lost without windows", lambda of, limit: share(of.cut(limit).tokens, of.tokens))
    if stride:
        add(f"windows with stride {number(stride)}", windows)
    specials = sorted({of.specials for _, of in lengths})
    put = str(specials[0]) if len(specials) == 1 else f"{specials[0]} to {specials[-1]}"
    note = f"max_length counts special tokens as well, {put} around each text."
    return table("", ["max_length", *(each.name for each, _ in lengths)], rows, note=note, things="columns")


def candidates(of: TokenizerFigures, most: int = 10) -> Table | None:
    """The frequent words that fall into many pieces; None: there are none."""
    if not of.candidates:
        return None
    rows = [
        [word(each.word), pieces(each), number(each.pieces), number(each.count), number(each.saves)]
        for each in of.candidates[:most]
    ]
    headings: list[str | Column] = [
        "word",
        Column("pieces", numbers=False),
        Column("each"),
        Column("times"),
        Column("tokens saved"),
    ]
    return table("", headings, rows)


def pieces(of: Candidate) -> str:
    """A candidate's tokens as text; what byte-level BPE writes in GPT-2's alphabet, as the letters that it means."""
    tokens = of.tokens
    joined = "".join(tokens)
    if not of.word.isascii() and all(sign in _BYTE_OF for sign in joined):
        raw = [bytes(_BYTE_OF[sign] for sign in token) for token in tokens]
        if b"".join(raw).strip() == of.word.encode():
            tokens = tuple(_from_bytes(part.removeprefix(b" ")) for part in raw)
    return " ".join(word(token) for token in tokens if token)


def _from_bytes(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return f"<{raw.hex().upper()}>"


def _gpt2_alphabet() -> dict[str, int]:
    """GPT-2's sign for each byte (openai/gpt-2, encoder.py): printable ones stand for themselves."""
    own = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in own]
    return {chr(byte): byte for byte in own} | {chr(256 + place): byte for place, byte in enumerate(others)}


_BYTE_OF = _gpt2_alphabet()


def files(profile: Profile) -> Table:
    """What was read."""
    rows = [[each.path, each.split, number(each.rows), number(each.broken), size(each.bytes)] for each in profile.files]
    return table("", ["file", Column("split", numbers=False), "rows", "broken", "size"], rows)


def ranking(profile: Profile) -> str:
    """Which tokenizer reads it best, as a sentence; empty: there is one, or too little text."""
    found = best(profile)
    return found.sentence if found else ""
