"""Says in a sentence whether a tokenizer reads a corpus, and which of several reads it best. Counts nothing itself.

The bounds are those of the rules TOK201 to TOK207 (docs/decisions/0001-unknown-thresholds.md): what is an error there
is `cannot` here, what is a warning `partly`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pretune.core.quantity import number, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.corpus.figures import CorpusFigures, Profile, ScriptFigures, TokenizerFigures

Level = Literal["reads", "partly", "cannot", "undecided"]

UNREADABLE = 0.15
"""Share of unknown words, or of Hangul in jamo, from which a corpus counts as unreadable."""
POOR = 0.08
"""Share of unknown words that is probably harmful."""
IN_BYTES = 0.1
"""Share of a script's running characters in bytes: Llama 2 spells 15 % of Korean reviews so, Llama 3.1 7 %."""
SPELLED_SYLLABLES = 1.5
"""Tokens for each character of a script of syllables or ideographs: healthy pairs need up to 1.03 (decision 0001)."""
SPELLED_LETTERS = 0.6
"""Tokens for each character of an alphabet. XLM-R needs 0.25 to 0.34 in 14 languages, GPT-2 0.27 in English; Korean
tokenizers 0.46 to 0.73 for English, letter by letter is 0.95 (bert-base-uncased, Russian), bytes 1.3."""
SYLLABLES = frozenset({"Hangul", "Han", "Hiragana", "Katakana", "Kana", "Yi"})
WIDE = 0.2
"""A script counts when at least this share of the words is written in it."""
ENOUGH_WORDS, ENOUGH_CHARACTERS = 20, 200
"""A corpus with fewer of both proves nothing."""
LOSS = 10
"""An unknown word weighs as much as this many tokens when tokenizers are ranked."""
TIE = 0.03
"""Tokenizers whose costs differ by less are equally good."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a tokenizer reads a corpus.

    Attributes:
        level: `reads`, `partly` (much is spelled out or unknown), `cannot`, or `undecided` (too little text).
        sentence: the verdict first, then the figures that decide; no full stop.
        reasons: why, most important first; empty when it reads.
    """

    level: Level
    sentence: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ranking:
    """Which of several tokenizers reads the corpus best.

    Attributes:
        groups: names, best first; those of one group are equally good.
        sentence: the same in words; no full stop.
    """

    groups: tuple[tuple[str, ...], ...]
    sentence: str


def verdict(figures: TokenizerFigures, corpus: CorpusFigures) -> Verdict:
    """Whether this tokenizer reads this corpus."""
    if figures.words < ENOUGH_WORDS and corpus.characters < ENOUGH_CHARACTERS:
        words = f"{number(figures.words)} word{'' if figures.words == 1 else 's'}"
        return Verdict("undecided", f"{figures.name}: too little text to say ({words})")
    found = sorted(_reasons(figures), key=lambda reason: reason[0] != "cannot")
    reasons = tuple(words for _, words in found)
    if not found:
        return Verdict("reads", f"{figures.name} reads this corpus: {_in_short(figures)}")
    if found[0][0] == "cannot":
        return Verdict("cannot", f"{figures.name} cannot read this corpus: {', '.join(reasons[:2])}", reasons)
    told = ", ".join((*reasons[:2], _tokens_a_word(figures)))
    return Verdict("partly", f"{figures.name} reads this corpus in part: {told}", reasons)


def best(profile: Profile) -> Ranking | None:
    """Which tokenizer reads the corpus best; None when there are not several, or too little text.

    First by level, then by cost: all tokens, and LOSS tokens for each unknown word. Costs within TIE of the group's
    lowest are a tie.
    """
    levels = {each.name: verdict(each, profile.corpus).level for each in profile.tokenizers}
    if len(levels) < 2 or "undecided" in levels.values():
        return None
    cost = {each.name: each.tokens + LOSS * each.unknown_words for each in profile.tokenizers}
    order = ("reads", "partly", "cannot")
    left = sorted(levels, key=lambda name: (order.index(levels[name]), cost[name]))
    groups: list[tuple[str, ...]] = []
    while left:
        first = left[0]
        tied = [name for name in left if levels[name] == levels[first] and cost[name] <= cost[first] * (1 + TIE)]
        groups.append(tuple(tied))
        left = [name for name in left if name not in tied]
    named = {each.name: each for each in profile.tokenizers}
    return Ranking(tuple(groups), _ranked(groups, levels[groups[0][0]], named))


def _reasons(figures: TokenizerFigures) -> Iterator[tuple[Level, str]]:
    """What speaks against the tokenizer, each with the level that it alone would give."""
    spelled = [pair for script, of in _wide(figures) for pair in _spelled(script, of, figures)]
    yield from (pair for pair in spelled if pair[0] == "cannot")  # jamo: the cause of what is unknown
    unknown = figures.unknown_words / figures.words if figures.words else 0.0
    worst, share = "", 0.0
    for script, of in _wide(figures):
        if of.words and of.unknown_words / of.words > share:
            worst, share = script, of.unknown_words / of.words
    if unknown >= UNREADABLE:
        yield "cannot", f"{percent(unknown)} of words hold an unknown"
    elif share >= UNREADABLE:
        yield "cannot", f"{percent(share)} of {worst} words hold an unknown"
    elif unknown >= POOR:
        yield "partly", f"{percent(unknown)} of words hold an unknown"
    yield from (pair for pair in spelled if pair[0] != "cannot")


def _wide(figures: TokenizerFigures) -> list[tuple[str, ScriptFigures]]:
    """The scripts that many words are written in; Common (digits, marks) is none."""
    least = max(WIDE * figures.words, 1)
    return [(name, of) for name, of in figures.scripts.items() if name != "Common" and of.words >= least]


def _spelled(script: str, of: ScriptFigures, figures: TokenizerFigures) -> Iterator[tuple[Level, str]]:
    """Whether a script is taken apart: into jamo, bytes or single letters."""
    if not of.characters:
        return
    apart = (of.characters - of.own - of.unknown - of.bytes) / of.characters
    if apart >= UNREADABLE:
        if script == "Hangul":
            yield "cannot", "Hangul falls apart into jamo"
        else:
            yield "partly", f"{percent(apart)} of {script} characters fall apart"
    if of.unknown / of.characters >= UNREADABLE:
        yield "cannot", f"it has no token for {percent(of.unknown / of.characters)} of {script} characters"
    in_bytes = of.bytes / of.characters
    each = of.tokens / (of.characters + _marks(of, figures))
    if in_bytes >= 0.5:
        yield "partly", f"it spells {script} in bytes"
    elif in_bytes >= IN_BYTES:
        yield "partly", f"it spells {percent(in_bytes)} of {script} characters in bytes"
    elif apart < UNREADABLE and each > (SPELLED_SYLLABLES if script in SYLLABLES else SPELLED_LETTERS):
        yield "partly", f"it spells {script} in small pieces, {each:.2f} tokens a character"


def _marks(of: ScriptFigures, figures: TokenizerFigures) -> float:
    """The digits and marks that stand in a script's words, by its share of the words: they are tokens as well."""
    common = figures.scripts.get("Common")
    if common is None or not figures.words:
        return 0.0
    return max(common.characters - figures.words, 0) * of.words / figures.words


def _in_short(figures: TokenizerFigures) -> str:
    """`0.2 % of words unknown, 30 % whole`."""
    if not figures.words:
        return "nothing unknown" if not figures.unknown_tokens else f"{number(figures.unknown_tokens)} unknown tokens"
    whole = percent(figures.whole_words / figures.words)
    if not figures.unknown_words:
        return f"nothing unknown, {whole} of words whole"
    return f"{percent(figures.unknown_words / figures.words)} of words unknown, {whole} whole"


def _tokens_a_word(figures: TokenizerFigures) -> str:
    return f"{figures.word_tokens / figures.words:.1f} tokens a word" if figures.words else "no words"


def _ranked(groups: list[tuple[str, ...]], level: Level, named: dict[str, TokenizerFigures]) -> str:
    """The ranking as a sentence."""

    def figures(names: tuple[str, ...]) -> str:
        of = [named[name] for name in names]
        shares = sorted(each.unknown_words / max(each.words, 1) for each in of)
        tokens = sorted(each.tokens / max(each.words, 1) for each in of)
        unknown = f"{_from_to(percent(shares[0]), percent(shares[-1]))} of words" if shares[-1] else "nothing"
        return f"{unknown} unknown, {_from_to(f'{tokens[0]:.2f}', f'{tokens[-1]:.2f}')} tokens a word"

    first = groups[0]
    many = len(first) > 1
    listed = "all of them" if many and len(groups) == 1 and len(first) > 2 else _listed(first)
    if level == "cannot":
        return f"none of them reads this corpus; {listed} {'come' if many else 'comes'} nearest"
    if level == "partly":
        return f"none of them reads it well; {listed} {'do' if many else 'does'} best: {figures(first)}"
    if many:
        return f"{listed} read it equally well: {figures(first)}"
    then = f"; then {_listed(groups[1])} ({figures(groups[1])})"
    return f"{first[0]} reads it best: {figures(first)}{then}"


def _from_to(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def _listed(names: tuple[str, ...]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
