"""sentencepiece's normalization of a line, as a normalizer of the tokenizers library that gives the same text.

tokenizers has a `Precompiled` normalizer for sentencepiece's character maps. It looks keys up by grapheme, none longer
than 5 bytes, and takes the shortest: Hangul in letters of its own (NFD, `ㄷㅔ`) is not put together, and a letter may
lose its accent. The maps that models have are NFKC, but for white space and a few characters; so NFKC does the work,
between steps that keep apart what sentencepiece keeps apart. A map that is not NFKC is carried as it is, with a note.

Differs still: two or more combining marks that are not in Unicode's canonical order, or a mark behind a character
that only compatibility makes a letter. NFKC puts them in order, sentencepiece leaves them. Knows no vocabulary.
"""

from __future__ import annotations

import base64
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.tokens.charsmap import Charsmap

if TYPE_CHECKING:
    from collections.abc import Iterable

GUARD, STAND_IN, UNKNOWN = "\ufdd0", "\ufdd1", "\ufdef"
"""Noncharacters, which no text has: between letters that stay apart; for U+FF5E meanwhile; for what no entry has."""

TILDE = "\uff5e"
"""The full-width tilde, which sentencepiece's nmt_nfkc keeps as it is and NFKC would change; common in Korean."""


_OTHER_MAP = (
    "its character map is not NFKC and is carried as it is: the tokenizers library reads it differently for combining "
    "marks and for Hangul that is written in single letters"
)


@dataclass(frozen=True, slots=True)
class Normalizer:
    """A normalizer as tokenizer.json has it.

    Attributes:
        spec: the component.
        note: how its text may differ from sentencepiece's, beside the marks named above; empty: in no way.
    """

    spec: dict[str, Any]
    note: str


def normalizer(charsmap: bytes) -> Normalizer:
    """The normalizer for a sentencepiece model that removes extra white space and puts a `▁` before a line.

    Args:
        charsmap: `normalizer_spec.precompiled_charsmap`.

    Raises:
        UserError: the map cannot be read.
    """
    steps, note = _as_nfkc(Charsmap(charsmap)) if charsmap else ([], "")
    if steps is None:
        encoded = base64.b64encode(charsmap).decode("ascii")
        steps, note = [{"type": "Precompiled", "precompiled_charsmap": encoded}], _OTHER_MAP
    # one leading space stays for the pre-tokenizer, which otherwise takes the line for the middle of one
    trimmed = [_replace({"Regex": r" +\z"}, ""), _replace({"Regex": r" {2,}"}, " ")]
    return Normalizer({"type": "Sequence", "normalizers": [*steps, *trimmed]}, note)


def _as_nfkc(rules: Charsmap) -> tuple[list[dict[str, Any]] | None, str]:
    """The map in steps around NFKC, and what they leave out; None: it is another map."""
    from tokenizers.normalizers import NFKC

    nfkc = NFKC().normalize_str
    single = rules.characters()
    other = {letter: becomes for letter, becomes in single.items() if nfkc(letter) != becomes}
    newer = {letter for letter, becomes in other.items() if becomes not in ("", " ") and nfkc(letter) == letter}
    changed = {letter for letter in map(chr, _scalars()) if letter not in single and _changes(letter, nfkc(letter))}
    odd = [letter for letter, becomes in other.items() if becomes not in ("", " ") and letter not in newer]
    if odd or len(changed) + len(newer) > len(single) // 10 or rules.longest("\u1100\u1161\u11a8") != (9, "각"):
        return None, ""
    tails = {letter for letter, becomes in single.items() if _is_tail(becomes[:1])} | set(
        map(chr, range(0x11A8, 0x11C3))
    )
    heads = {letter for letter, becomes in single.items() if "가" <= becomes[-1:] <= "힣"}
    apart = f"(?<=[\\x{{ac00}}-\\x{{d7a3}}{_listed(heads)}])(?=[{_listed(tails)}])"
    steps = [_replace({"Regex": f"[{_listed((changed - {TILDE}) | {GUARD, STAND_IN})}]"}, UNKNOWN)]
    if TILDE in changed:
        steps.append(_replace({"String": TILDE}, STAND_IN))
    for content in ("", " "):
        letters = [letter for letter, becomes in other.items() if becomes == content]
        if letters:
            steps.append(_replace({"Regex": f"[{_listed(letters)}]"}, content))
    steps += [_replace({"Regex": apart}, GUARD), {"type": "NFKC"}, _replace({"String": GUARD}, "")]
    if TILDE in changed:
        steps.append(_replace({"String": STAND_IN}, TILDE))
    return steps, f"{len(newer):,} characters of a newer Unicode stay as they are" if newer else ""


def _changes(letter: str, by_tokenizers: str) -> bool:
    """Whether NFKC changes a character, in the library's Unicode version or in Python's (a later library's perhaps)."""
    return by_tokenizers != letter or unicodedata.normalize("NFKC", letter) != letter


def _is_tail(letter: str) -> bool:
    """Whether NFKC would join the letter to a syllable before it: a final consonant of Hangul."""
    return "\u11a8" <= letter <= "\u11c2"


def _scalars() -> Iterable[int]:
    return (code for code in range(0x110000) if not 0xD800 <= code < 0xE000)


def _listed(letters: Iterable[str]) -> str:
    """Characters inside the brackets of a regular expression (oniguruma's notation), runs written short."""
    runs: list[list[int]] = []
    for code in sorted(map(ord, letters)):
        if runs and code == runs[-1][1] + 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return "".join(f"\\x{{{first:x}}}" + (f"-\\x{{{last:x}}}" if last > first else "") for first, last in runs)


def _replace(pattern: dict[str, str], content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": pattern, "content": content}
