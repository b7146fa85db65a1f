"""The language in which people are told things, and `say`, which puts a finished English text into it.

English costs nothing: no catalogue is read and nothing is imported. What the catalogue lacks stays English.
"""

from __future__ import annotations

import os

LANGUAGES = ("en", "ko")
"""What there are messages in; English is the sources' own."""
ASKED = "PRETUNE_LANG"
"""Environment variable that wins over the locale; `--lang` sets it, so that processes started from here know it too."""


def language() -> str:
    """`ko` or `en`: what `--lang` or PRETUNE_LANG says, else the locale (LC_ALL, LC_MESSAGES, LANG); others: `en`."""
    known = os.environ
    said = known.get(ASKED) or known.get("LC_ALL") or known.get("LC_MESSAGES") or known.get("LANG") or ""
    return "ko" if said[:2].lower() == "ko" else "en"


def say(text: str) -> str:
    """The text in the language asked for; in English, and where the catalogue has nothing that fits: as it is."""
    if language() == "en":
        return text
    from pretune.core.translation import translated  # only who reads Korean pays for the catalogue

    return translated(text)


def without_language(words: list[str]) -> list[str]:
    """The words of a command line without `--lang LANGUAGE`, which is kept for this process and those it starts.

    After `--`, and behind the command that `pretune knock` runs, words belong to somebody else.

    Raises:
        ValueError: the language is none there are messages in; its text says so in one line.
    """
    if not any(word.startswith("--lang") for word in words):
        return words
    end = words.index("--") if "--" in words else len(words)
    if "knock" in words[:3]:
        end = min(end, _program(words))
    left: list[str] = []
    place = 0
    while place < end:
        word = words[place]
        if word == "--lang" or word.startswith("--lang="):
            name = word[7:] if "=" in word else words[place + 1] if place + 1 < end else ""
            if name[:2].lower() not in LANGUAGES:
                message = f'--lang: unknown "{name}"' if name else "--lang names no language"
                raise ValueError(message)
            os.environ[ASKED] = name[:2].lower()
            place += 1 if "=" in word else 2
            continue
        left.append(word)
        place += 1
    return left + words[end:]


def _program(words: list[str]) -> int:
    """Where the command begins that `pretune knock` is to run: the first word that is no option and no value of one."""
    place = words.index("knock") + 1
    while place < len(words) and words[place].startswith("-"):
        alone = "=" in words[place] or words[place] in ("--no-start", "--strict", "--help", "-h")
        place += 1 if alone else 2
    services = "chime desktop dingtalk discord email matrix rocketchat slack sms teams telegram wechat".split()
    if place < len(words) and words[place] in (*services, "test", "flush", "attach"):
        place += 1
        while place < len(words) and words[place].startswith("--"):
            place += 1 if "=" in words[place] else 2
    return min(place, len(words))
