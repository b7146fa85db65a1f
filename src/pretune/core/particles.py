"""Korean particles behind a value: `{0}을(를)` becomes 을 or 를 by the last sound of what stands there.

A Hangul syllable shows its final consonant; digits and Latin letters are judged by how they are read aloud in Korean.
Where nobody can tell, both forms stay, as one writes them.
"""

from __future__ import annotations

import re
import unicodedata

_PLACE = re.compile(r"\{(\d+)!?\}([\"'`)\]]*)(\([가-힣]\)[가-힣]|[가-힣]{1,2}\([가-힣]{1,2}\))?")
_PAIRS = {
    "은(는)": ("은", "는"),
    "이(가)": ("이", "가"),
    "을(를)": ("을", "를"),
    "과(와)": ("과", "와"),
    "아(야)": ("아", "야"),
    "이나(나)": ("이나", "나"),
    "이라(라)": ("이라", "라"),
    "이란(란)": ("이란", "란"),
    "이며(며)": ("이며", "며"),
    "이고(고)": ("이고", "고"),
    "이면(면)": ("이면", "면"),
    "이다(다)": ("이다", "다"),
    "이어(여)": ("이어", "여"),
    "이든(든)": ("이든", "든"),
    "이랑(랑)": ("이랑", "랑"),
    "(으)로": ("으로", "로"),
    "(이)나": ("이나", "나"),
    "(이)라": ("이라", "라"),
    "(이)고": ("이고", "고"),
    "(이)며": ("이며", "며"),
    "(이)면": ("이면", "면"),
    "(이)든": ("이든", "든"),
}
"""As it is written -> behind a final consonant, behind a vowel."""
NONE, FINAL, RIEUL = "none", "final", "rieul"
_DIGITS = {"0": FINAL, "1": RIEUL, "2": NONE, "3": FINAL, "4": NONE, "5": NONE, "6": FINAL, "7": RIEUL, "8": RIEUL}
_LETTERS = {"l": RIEUL, "r": RIEUL, "m": FINAL, "n": FINAL}
"""Names of letters that end in a consonant: 엘, 알, 엠, 엔."""


def with_particles(template: str, values: dict[int, str]) -> str:
    """The template with its values, and each particle behind a value in the form that fits."""
    made, done = "", 0
    for found in _PLACE.finditer(template):
        made += template[done : found.start()]
        value, closing, written = values.get(int(found[1]), found[0]), found[2], found[3] or ""
        if written in _PAIRS:
            value = value.rstrip()
            written = _chosen(written, ending(made[-80:] + value))  # behind an empty value: by what stands before
        made += value + closing + written
        done = found.end()
    return made + template[done:]


def _chosen(written: str, end: str) -> str:
    """The form of a particle behind this ending."""
    behind, open_ = _PAIRS[written]
    if not end:
        return written
    if written == "(으)로":
        return behind if end == FINAL else open_
    return open_ if end == NONE else behind


def ending(value: str) -> str:
    """How a text ends when it is read aloud: NONE (a vowel), FINAL, RIEUL, or empty when nobody can tell."""
    text = unicodedata.normalize("NFC", value).rstrip()  # a value may be quoted from a file as it is spelled there
    spoken = re.sub(r"(?<=\w)\s*\([^()]*\)$", "", text) or text  # what stands in brackets is not read
    if spoken.endswith("%"):
        return NONE  # 퍼센트
    spoken = re.sub(r"[\W_]+$", "", spoken)
    if not spoken:
        return ""
    last = spoken[-1]
    name = unicodedata.name(last, "")
    if (name.startswith("HANGUL ") and " LETTER " in f" {name} ") or name.startswith(("HANGUL CHOSEONG", "HANGUL J")):
        return _of_jamo(name.rpartition(" ")[2])
    if name.startswith(("HIRAGANA", "KATAKANA")):
        return FINAL if last in "んンﾝ" else NONE
    if "가" <= last <= "힣":
        final = (ord(last) - 0xAC00) % 28
        return NONE if final == 0 else RIEUL if final == 8 else FINAL
    if last.isdigit() and last.isascii():
        return _DIGITS.get(last, NONE)
    word = re.search(r"[A-Za-z]+$", spoken)
    return _of_word(word[0]) if word else ""


def _of_jamo(name: str) -> str:
    """How the name of a letter ends: 기역, 리을, 피읖; a vowel is called as it sounds."""
    if name[0] in "AEIOUYW":
        return NONE
    return RIEUL if name in ("RIEUL", "SSANGRIEUL") else FINAL


def _of_word(word: str) -> str:
    """How a Latin word ends in Korean: an abbreviation by its last letter's name, else by the usual transcription."""
    low = word.lower()
    if len(word) == 1 or word.isupper():
        return _LETTERS.get(low[-1], NONE)
    if re.search(r"(l|[^aeiou]le|ile|ale|ule|ole|yle)$", low):
        return RIEUL
    if re.search(r"(m|n|ng|[aeiou][mn]e|type|ic|[aeiou]ck)$", low):
        return FINAL
    if re.search(r"(^|[^aeiou])[aeiou][ptk]$", low) or re.search(r"(out|put)$", low):
        return FINAL
    return NONE
