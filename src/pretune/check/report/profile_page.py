"""A profile as sections of a page: tables as in the text, and pictures where matplotlib is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.report import profile_tables as tables
from pretune.check.report.profile_text import counted_how, in_short
from pretune.core.language import say
from pretune.core.quantity import number, share
from pretune.corpus.verdict import best, verdict
from pretune.draw.page import Beside, Fold, Picture, Section, Statement, Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pretune.corpus.figures import Profile, TokenizerFigures
    from pretune.draw.page import Part as PagePart

TONES = {"reads": "good", "partly": "warn", "cannot": "bad", "undecided": "note"}
WIDE, NARROW = 816, 340
"""Pixels of a picture on a desk and on a telephone."""
LISTED, FOLDED = 15, 100
"""Characters, words and candidates that are seen, and that are folded away below."""


def statements(profile: Profile) -> Iterator[Statement]:
    """Whether each tokenizer reads the corpus, and which does best."""
    profile = tables.named(profile)
    for each in profile.tokenizers:
        found = verdict(each, profile.corpus)
        head, colon, tail = say(found.sentence).partition(": ")
        yield Statement(TONES[found.level], head, colon + tail)
    ranked = tables.ranking(profile)
    if ranked:
        yield Statement("note", "", ranked)


def remarks(profile: Profile) -> Iterator[str]:
    """What was read, and how much of it."""
    yield in_short(profile)
    if not profile.complete:
        yield f"Only a part was read: {profile.stopped or 'it was stopped'}."


def sections(profile: Profile, *, pictures: bool) -> Iterator[Section]:
    """The profile's sections.

    Args:
        profile: what was counted.
        pictures: draw them; needs matplotlib.
    """
    profile = tables.named(profile)
    if profile.tokenizers and profile.corpus.texts:
        several = len(profile.tokenizers) > 1
        drawn = (_words_picture(profile),) if pictures else ()
        yield Section(
            "Tokenizers side by side" if several else "How it reads", "reading", (*drawn, tables.reading(profile))
        )
        yield from _lengths(profile, pictures=pictures)
        drawn = (_scripts_picture(profile),) if pictures and _letters(profile) else ()
        yield Section("Scripts", "scripts", (*drawn, tables.scripts(profile)))
        yield from _unknown(profile)
        yield from _candidates(profile)
    yield from _how(profile)


def _words_picture(profile: Profile) -> Picture:
    """What becomes of the words: whole, in pieces, with an unknown."""
    from pretune.draw.chart import Bar, Group, Part, bars

    def bar(of: TokenizerFigures) -> Bar:
        words = max(of.words, 1)
        whole, unknown = min(of.whole_words, of.words - of.unknown_words), of.unknown_words
        parts = (whole / words, (of.words - whole - unknown) / words, unknown / words)
        return Bar(of.name, parts, share(of.whole_words, of.words))

    group = Group("", tuple(bar(each) for each in profile.tokenizers))
    parts = (Part("whole", "c1"), Part("in pieces", "c2"), Part("with an unknown", "c4"))
    described = "; ".join(
        f"{each.name}: {share(each.whole_words, each.words)} whole, "
        f"{share(each.unknown_words, each.words)} with an unknown"
        for each in profile.tokenizers
    )
    return _twice(
        lambda name, width: bars(
            [group], parts, name=name, title="What becomes of the words", description=described, width=width, full=1.0
        ),
        "words",
        "Running words of the corpus; the share of whole ones stands beside.",
    )


def _scripts_picture(profile: Profile) -> Picture:
    """What becomes of the characters of each script."""
    from pretune.draw.chart import Bar, Group, Part, bars

    whole = sum(profile.corpus.scripts.values())
    groups: list[Group] = []
    for script, count in _letters(profile):
        rows = []
        for each in profile.tokenizers:
            of = each.scripts.get(script)
            if of and of.characters:
                pieces = of.characters - of.own - of.bytes - of.unknown
                shares = tuple(part / of.characters for part in (of.own, pieces, of.bytes, of.unknown))
                rows.append(Bar(each.name, shares, share(of.own, of.characters)))
        groups.append(Group(f"{script}, {share(count, whole)} of the corpus", tuple(rows)))
    parts = (
        Part("own token", "c1"), Part("in pieces", "c2"), Part("in bytes", "c3"), Part("no token", "c4"),
    )  # fmt: skip
    return _twice(
        lambda name, width: bars(
            groups,
            parts,
            name=name,
            title="Characters of each script",
            description="What becomes of the running characters of each script; the table below has the numbers.",
            width=width,
            full=1.0,
        ),
        "scripts",
        "Running characters by what spells them; the share with a token of their own stands beside.",
    )


def _letters(profile: Profile) -> list[tuple[str, int]]:
    """The most frequent scripts, digits and marks left out: they are rarely what a tokenizer lacks."""
    return [(script, count) for script, count in tables.shown_scripts(profile, 6) if script != "Common"][:3]


def _lengths(profile: Profile, *, pictures: bool) -> Iterator[Section]:
    found: list[PagePart] = []
    shown = [(each, of) for each, of in tables.main_lengths(profile) if of.texts]
    if pictures and shown:
        from pretune.draw.bins import bins
        from pretune.draw.chart import Mark, Series, histogram

        limit = profile.max_length or 0
        inner = max(limit - max(of.specials for _, of in shown), 1) if limit else 0
        scale = bins([of.counts for _, of in shown], reach=inner)
        mark = Mark(inner, f"max_length {number(limit)}") if limit else None

        def told(each: TokenizerFigures) -> str:
            of = each.lengths[tables.main_role(each)]
            if limit > of.specials:
                return f"{share(of.cut(limit).texts, of.texts)} longer"
            return f"median {number(of.at(0.5))}"

        series = [Series(each.name, of.counts, told(each)) for each, of in shown]
        described = "; ".join(
            f"{each.name}: median {number(of.at(0.5))}, 99 % up to {number(of.at(0.99))}" for each, of in shown
        )
        found.append(
            _twice(
                lambda name, width: histogram(
                    series, scale, name=name, title="Tokens of a text", description=described, width=width, mark=mark
                ),
                "lengths",
                "Tokens of a text, on a scale that doubles; heights are texts for each doubling.",
            )
        )
    roles = tables.roles(profile)
    for heading, table in (
        ("How long texts are", tables.percentiles(profile, roles[:1])),
        ("What max_length cuts", tables.cuts(profile)),
    ):
        if table:
            found.append(Beside(heading, (table,)))
    apart = tables.percentiles(profile, roles[1:])
    if apart:
        found.append(Fold(f"how long each part is: {', '.join(roles[1:])}", (apart,)))
    yield Section("Lengths", "lengths", tuple(found))


def _unknown(profile: Profile) -> Iterator[Section]:
    parts: list[PagePart] = []
    for each in profile.tokenizers:
        for_each = ((tables.unknown_characters, each.unknown_characters), (tables.unknown_words, each.unknown_examples))
        cells = [(table(each, LISTED), table(each, FOLDED) if len(all_) > LISTED else None) for table, all_ in for_each]
        if not any(seen for seen, _ in cells):
            continue
        distinct = f"{number(each.unknown_distinct)} character{'' if each.unknown_distinct == 1 else 's'}"
        heading = f"{each.name}: {distinct} without a token, {share(each.unknown_words, each.words)} of words unknown"
        parts.append(Beside(heading, tuple(seen for seen, _ in cells if seen)))
        folded = tuple(more for _, more in cells if more)
        if folded:
            parts.append(Fold(f"more, for {each.name}", (Beside("", folded),)))
    if parts:
        yield Section("Unknown characters and words", "unknown", tuple(parts))


def _candidates(profile: Profile) -> Iterator[Section]:
    found = best(profile)
    parts: list[PagePart] = [
        Words(
            "Frequent words that fall into many pieces: `pretune tokens` can add them. Korean particles are left off.",
            dim=True,
        )
    ]
    for each in profile.tokenizers:
        short, long = tables.candidates(each, LISTED), tables.candidates(each, FOLDED)
        if short is None or long is None:
            continue
        chosen = found is None or each.name in found.groups[0]
        if chosen:
            parts.append(Beside(each.name, (short,)))
            if len(each.candidates) > LISTED:
                parts.append(Fold(f"more, for {each.name}", (long,)))
        else:
            parts.append(Fold(each.name, (long,)))
    if len(parts) > 1:
        yield Section("Candidates for new tokens", "candidates", tuple(parts))


def _how(profile: Profile) -> Iterator[Section]:
    parts: list[PagePart] = [tables.files(profile)] if profile.files else []
    broken = [place for each in profile.files for place in each.broken_at]
    if broken:
        parts.append(Words(f"Rows that could not be read, the first places: {', '.join(broken)}"))
    parts += [
        Words(f"{each.name} ({each.kind}): {counted_how(each)}.") for each in profile.tokenizers if profile.corpus.texts
    ]
    yield Section("How it was counted", "counted", tuple(parts))


def _twice(draw: Callable[[str, int], str], name: str, caption: str) -> Picture:
    """The picture in both widths."""
    return Picture(draw(f"{name}-wide", WIDE), draw(f"{name}-narrow", NARROW), caption)
