"""A profile as lines of text: the verdicts, then one table for each question, for a terminal or a pipe.

Lines are lists of pieces with styles, as draw.terminal makes them. Counts nothing itself.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pretune.check.report import profile_tables as tables
from pretune.core.language import say
from pretune.core.quantity import number, share, size
from pretune.corpus.verdict import best, verdict
from pretune.draw import terminal
from pretune.draw.bins import bins
from pretune.draw.visible import character, one_line, word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pretune.corpus.figures import Counted, Profile, TokenizerFigures
    from pretune.draw.table import Table
    from pretune.draw.terminal import Piece

STYLES = {"reads": "ok", "partly": "warning", "cannot": "error", "undecided": "dim"}
LISTED, LISTED_ALL = 10, 40
"""Characters, words and candidates that are listed; and with `verbose`."""
NARROWEST = 20
MOST_BARS = 40
TIED = "\u00a0"
"""Between a word and its count, where no line is broken."""


def verdicts(profile: Profile) -> Iterator[list[Piece]]:
    """Whether each tokenizer reads the corpus, which does best, and how much of the corpus was read."""
    profile = tables.named(profile)
    for each in profile.tokenizers:
        found = verdict(each, profile.corpus)
        head, colon, tail = say(one_line(found.sentence)).partition(": ")
        yield [(head, STYLES[found.level]), (colon + tail, "")]
    ranked = tables.ranking(profile)
    if ranked:
        yield [(say(one_line(ranked)), "")]
    yield [(say(in_short(profile)), "dim")]
    if not profile.complete:
        yield [(say("only a part was read: "), "warning"), (say(one_line(profile.stopped) or "it was stopped"), "")]


def lines(
    profile: Profile, *, width: int | None = None, verbose: bool = False, plain: bool = False
) -> Iterator[list[Piece]]:
    """The tables, each after a blank line and its question.

    Args:
        profile: what was counted.
        width: columns there are; None: a pipe, which has no width.
        verbose: list more characters, words and candidates, and the lengths of each role.
        plain: draw with ASCII.
    """
    profile = tables.named(profile)
    room = max(width, NARROWEST) if width else None
    most = LISTED_ALL if verbose else LISTED
    if not profile.tokenizers or not profile.corpus.texts:
        yield from _part("nothing was read" if not profile.corpus.texts else "no tokenizer was asked", None, room)
    else:
        roles = tables.roles(profile)
        several = len(profile.tokenizers) > 1
        title = "which tokenizer reads this" if several else f"how {profile.tokenizers[0].name} reads this"
        yield from _part(title, tables.reading(profile), room)
        yield from _unknown(profile, most, room)
        yield from _part("scripts of the corpus", tables.scripts(profile), room)
        yield from _part("lengths, in tokens", tables.percentiles(profile, roles if verbose else roles[:1]), room)
        yield from _histograms(profile, room, plain=plain)
        yield from _part("what max_length cuts", tables.cuts(profile), room)
        for each in _worth_adding_to(profile):
            told = f"frequent words in many pieces, for {each.name} (pretune tokens can add them)"
            yield from _part(told, tables.candidates(each, most), room, needed=True)
    if len(profile.files) > 1 or any(of.broken for of in profile.files):
        yield from _part("what was read", tables.files(profile), room)
    yield from _how(profile, room)


def counted_how(of: TokenizerFigures) -> str:
    """How a tokenizer's figures were counted, as a sentence without a full stop."""
    texts = f"{number(of.checked)} whole text{'' if of.checked == 1 else 's'}"
    if of.method == "proved":
        told = "texts were cut at spaces, where its tokenizer.json proves that no token crosses"
        told += f"; {texts} gave the same ids" if of.checked else ""
    elif of.method == "checked":
        told = f"texts were cut at spaces; {texts} gave the same ids, one by one"
    else:
        told = "each text was encoded whole"
    told += f" ({of.remark})" if of.remark else ""
    if of.counted_at_least:
        told += f"; unknown words and candidates that occur up to {number(of.counted_at_least)} times may be missing"
    return told


def _worth_adding_to(profile: Profile) -> list[TokenizerFigures]:
    """The tokenizers that one would choose."""
    found = best(profile)
    return [each for each in profile.tokenizers if found is None or each.name in found.groups[0]]


def in_short(profile: Profile) -> str:
    """The corpus in a line."""
    corpus = profile.corpus
    about = "" if corpus.distinct_words_exact else "about "
    told = [
        f"{number(corpus.rows)} rows",
        f"{number(corpus.words)} words ({about}{number(corpus.distinct_words)} different)",
        f"{number(corpus.characters)} characters",
        size(corpus.bytes),
    ]
    if corpus.broken:
        told.append(f"{number(corpus.broken)} rows could not be read")
    return ", ".join(told)


def _part(title: str, table: Table | None, room: int | None, *, needed: bool = False) -> Iterator[list[Piece]]:
    """A blank line, the question, and its table; nothing where the table is `needed` and there is none."""
    if table is None and needed:
        return
    yield []
    yield from ([(part, "heading")] for part in terminal.folded(say(one_line(title)), room or terminal.WIDE))
    if table is not None:
        yield from terminal.lines(table, room)


def _unknown(profile: Profile, most: int, room: int | None) -> Iterator[list[Piece]]:
    """The characters and words that each tokenizer does not know, as running lists."""
    hit = [each for each in profile.tokenizers if each.unknown_words or each.unknown_characters]
    if not hit:
        return
    yield from _part("unknown characters and words", None, room)
    for each in hit:
        chars = _listed(each.unknown_characters[:most], character)
        words = _listed(each.unknown_examples[:most], word)
        known = f"{number(each.unknown_distinct)} character{'' if each.unknown_distinct == 1 else 's'} without a token"
        yield from _paragraph(each.name, known, chars, each.unknown_distinct > most, room)
        told = f"{share(each.unknown_words, each.words)} of words unknown"
        yield from _paragraph("", told, words, len(each.unknown_examples) > most, room)


def _listed(items: Sequence[Counted], written: Callable[[str], str]) -> str:
    return ", ".join(f"{written(one.name)}{TIED}{number(one.count)}" for one in items)


def _paragraph(name: str, told: str, listed: str, more: bool, room: int | None) -> Iterator[list[Piece]]:
    """`name`, and below it, set in, `told: listed`."""
    if name:
        yield from ([(part, "name")] for part in terminal.folded(one_line(name), room or terminal.WIDE))
    words = say(told) + (f": {listed}" if listed else "") + (", ..." if more and listed else "")
    for part in terminal.folded(f"  {words}", room or terminal.WIDE, hang=4):
        yield [(part.replace(TIED, " "), "")]


def _histograms(profile: Profile, room: int | None, *, plain: bool) -> Iterator[list[Piece]]:
    """A row of bars for each tokenizer, all on one scale, with a mark at max_length."""
    shown = [(each.name, of) for each, of in tables.main_lengths(profile) if of.texts]
    if not shown:
        return
    limit = profile.max_length or 0
    inner = max(limit - max(of.specials for _, of in shown), 1) if limit else 0
    names = max(terminal.width_of(one_line(name)) for name, _ in shown)
    beside = room is None or names + 2 + MOST_BARS <= room
    scale = bins([of.counts for _, of in shown], reach=inner, most=min(MOST_BARS, room or MOST_BARS))
    bars = len(scale.bounds) - 1
    inset = names + 2 if beside else 0
    for name, of in shown:
        bar = terminal.sparkline(scale.fill(of.counts), plain=plain).rstrip()
        if beside:
            pad = " " * (inset - terminal.width_of(one_line(name)))
            yield [(one_line(name) + pad, ""), (bar, "bar")]
        else:
            yield from ([(part, "")] for part in terminal.folded(one_line(name), room or terminal.WIDE))
            yield [(bar, "bar")]
    axis = _axis(scale.bounds, bars)
    yield [(" " * inset + axis, "dim")]
    if limit:
        place = min(max(math.ceil(scale.place(inner)) - 1, 0), bars - 1)
        told = f"max_length {number(limit)}"
        mark = f"^ {told}" if place + 2 + len(told) <= (room or terminal.WIDE) - inset else f"{told} ^"
        start = place if mark.startswith("^") else max(place - len(mark) + 1, 0)
        yield [(" " * (inset + start) + mark, "warning")]


def _axis(bounds: Sequence[int], bars: int) -> str:
    """Powers of two below the bars that they end, as many as have room."""
    axis = ""
    for place, bound in enumerate(bounds[1:]):
        label = number(bound)
        start = place - len(label) + 1
        if bound & (bound - 1) == 0 and start >= (len(axis) + 2 if axis else 0) and place < bars:
            axis += " " * (start - len(axis)) + label
    return axis


def _how(profile: Profile, room: int | None) -> Iterator[list[Piece]]:
    """How it was counted."""
    if not profile.corpus.texts:
        return
    yield []
    ways: dict[str, list[str]] = {}
    for each in profile.tokenizers:
        ways.setdefault(counted_how(each), []).append(each.name)
    for way, names in ways.items():
        told = say(f"counted exactly, {', '.join(names)}: {way}")
        yield from ([(part, "dim")] for part in terminal.folded(one_line(told), room or terminal.WIDE, hang=2))
