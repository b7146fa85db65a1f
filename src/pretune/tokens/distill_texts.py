"""Texts that a new token is trained on: built-in sentences, or sentences of the user's that hold it. Knows no model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ENGLISH = (
    "The first {} was found last year.",
    "No {} is needed.",
    "What is {}?",
    "They asked for {}.",
    "We learned about {} and its use.",
    "The {} and others were found.",
    "He said that {} is one of them.",
    "There are many kinds of {}.",
    "Most people know about {}.",
    "This is a {} example.",
    "It is used for {} in the system.",
    "You can {} it.",
)
"""Sentences that any noun fits into, and most other words do; short ones teach as much a step and cost less."""

KOREAN = (
    "{0}{은} 지난해에 나왔다.",
    "{0}{이} 왜 중요한가?",
    "그는 {0}{을} 자세히 설명했다.",
    "{0}의 역사를 배웠다.",
    "사람들이 {0}에 대해 말한다.",
    "{0}{과} 관련된 문제가 있다.",
    "{0} 없이도 할 수 있다.",
    "그들은 {0}{을} 얻지 못했다.",
    "책에 따르면 {0}{은} 그 일부이다.",
    "최근 {0}에 관한 연구가 늘었다.",
    "이번 주제는 {0} 이다.",
    "여러 가지 {0} 가운데 하나이다.",
)
"""The same in Korean, with the particles that the word's last syllable asks for."""

ALONE = ('"{0}"', "({0})", "{0}", "{0}: {0}", "{0}, a {0}")
"""Where a form of a word comes out of none of the sentences: that at the beginning of a text, say."""

PARTICLES = {"은": ("는", "은"), "이": ("가", "이"), "을": ("를", "을"), "과": ("와", "과")}
"""Name -> particle behind a vowel, behind a consonant."""

LONGEST = 24
"""Words of a user's text around the word that are looked at."""

_WORD = re.compile(r"\w+")
_END = re.compile(r"(?<=[.!?。…])\s+|\n+")


def templates(word: str) -> tuple[str, ...]:
    """Built-in sentences that hold a word, the most useful first; Korean where it has Hangul letters."""
    if any("가" <= letter <= "힣" or "ㄱ" <= letter <= "ㆎ" for letter in word):
        last = word[-1]
        closed = "가" <= last <= "힣" and (ord(last) - ord("가")) % 28 != 0
        particles = {name: pair[closed] for name, pair in PARTICLES.items()}
        sentences = tuple(one.format(word, **particles) for one in KOREAN)
    else:
        sentences = tuple(one.format(word) for one in ENGLISH)
    return sentences + tuple(one.format(word) for one in ALONE)


def contexts(texts: Sequence[str], words: Sequence[str], *, most: int) -> dict[str, list[str]]:
    """Word -> sentences that hold it, or begin a longer word with it; each of a text of its own, at most `most`.

    Args:
        texts: of any length; a long sentence is cut to LONGEST words around the word.
        words: in any case; what is found is to be tried with the tokenizer.
        most: for each word.
    """
    plain = {word.casefold(): word for word in words if _WORD.fullmatch(word)}
    odd = {word.casefold(): word for word in words if not _WORD.fullmatch(word)}
    lengths = sorted({len(word) for word in plain})
    found: dict[str, list[str]] = {word: [] for word in words}
    wanting = set(words)
    for text in texts:
        if not wanting:
            break
        folded = text.casefold()
        here = {plain[word] for word in _heads(set(_WORD.findall(folded)), plain, lengths)}
        here |= {word for form, word in odd.items() if form in folded}
        for word in sorted(here & wanting):
            sentence = _sentence(text, word)
            if sentence and sentence not in found[word]:
                found[word].append(sentence)
                if len(found[word]) >= most:
                    wanting.discard(word)
    return found


def _heads(running: set[str], plain: Mapping[str, str], lengths: Sequence[int]) -> Iterator[str]:
    """The words that running words are, or begin with."""
    for one in running:
        for length in lengths:
            if length > len(one):
                break
            if one[:length] in plain:
                yield one[:length]


def _sentence(text: str, word: str) -> str:
    """The first sentence of a text that holds a word; empty where case folding moved it."""
    wanted = word.casefold()
    for sentence in _END.split(text):
        at = sentence.casefold().find(wanted)
        if at < 0:
            continue
        before, behind = sentence[:at].split(), sentence[at:].split()
        if len(before) + len(behind) <= LONGEST:
            return sentence.strip()
        start = max(0, min(len(before) - LONGEST // 2, len(before) + len(behind) - LONGEST))
        left = before[start:]
        joined = " ".join(left) + ("" if sentence[:at].rstrip() != sentence[:at] or not left else "\0")
        cut = (joined + " " if not joined.endswith("\0") else joined[:-1]) + " ".join(behind[: LONGEST - len(left)])
        return cut.strip()
    return ""
