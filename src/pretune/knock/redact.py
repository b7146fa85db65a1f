"""Takes secrets out of what is said, and the teeth out of mentions, and cuts to size. Pure functions.

It does not know a secret that looks like a word and stands under an innocent name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

HIDDEN = "[secret]"
_NAMED = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|PRETUNE_KNOCK", re.IGNORECASE)
_HARMLESS = re.compile(r"true|false|yes|none|null|auto|default|\d{1,5}|[\d.]+", re.IGNORECASE)
_WORD = (
    r"(?:token(?!s\b|iz)|secret|passw|passphrase|pass\b|(?:api|access|private)[-_]?key|credential|webhook[-_]?url)"
    r"[\w-]{0,40}"
)
_NAME = rf"[\w.-]{{0,60}}?{_WORD}"
"""Everything is bounded: a line of 60,000 letters must not keep the message back."""
_OPTION = re.compile(rf"-{{1,2}}{_NAME}", re.IGNORECASE)
_SHAPES = [
    (re.compile(r"([a-z][a-z0-9+.-]{0,20}://)[^/\s@'\"]{1,300}@", re.IGNORECASE), rf"\1{HIDDEN}@"),
    (re.compile(r"\b(Bearer|Basic)\s{1,4}[\w.~+/=-]{6,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(rf"((?<![\w-])--?{_NAME}\s{{1,4}})(?!-)\S+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (
        re.compile(
            rf"({_WORD}[\"']?\s{{0,4}}[=:]\s{{0,4}}[\"']?)(?!(?:\d+|true|false|none|null)\b|\[secret)[^\s\"',;&]+",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"https?://[^\s\"'<>]{0,200}?(?:/services/|/webhooks?/|/hooks/|/bot\d+:)[^\s\"'<>]+"), HIDDEN),
    (
        re.compile(
            r"\b(?:hf_|sk-|pk-|rk-|xox[a-z]-|xapp-|gh[opusr]_|github_pat_|glpat-|npm_|pypi-|dckr_pat_|AKIA|ASIA|AIza|ya29\.)[\w./-]{8,}"
        ),
        HIDDEN,
    ),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"), HIDDEN),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), HIDDEN),
    (re.compile(r"\b[0-9a-fA-F]{32,}\b"), HIDDEN),
]
_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]"
)


def secrets_of(environment: Mapping[str, str], also: Iterable[str] = ()) -> tuple[str, ...]:
    """The values that must not leave, longest first.

    Args:
        environment: those named KEY, TOKEN, SECRET, PASS count, but for plain words and small numbers.
        also: more of them, such as the URLs of targets.
    """
    found = set(also)
    for name, value in environment.items():
        if _NAMED.search(name) and "TOKENIZ" not in name.upper():
            found.update(value.splitlines())
    found = {value.strip() for value in found}
    found = {value for value in found if len(value) >= 4 and not _HARMLESS.fullmatch(value)}
    return tuple(sorted(found | {quote(value, safe="") for value in found}, key=len, reverse=True))


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without secrets, colours and control characters."""
    text = _CONTROL.sub("", text)
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    for shape, instead in _SHAPES:
        text = shape.sub(instead, text)
    return text


def redact_command(command: Iterable[str], secrets: Iterable[str] = ()) -> list[str]:
    """The words of a command without secrets; the word after an option such as `--hf-token` is one."""
    words, hide = [], False
    for word in command:
        words.append(HIDDEN if hide and not word.startswith("-") else redact(word, secrets))
        hide = bool(_OPTION.fullmatch(word))
    return words


def quiet(text: str) -> str:
    """Takes the meaning from `@everyone`, `@name` and `<!channel>` with a zero-width space; an address a@b stays."""
    text = re.sub(r"(?<![\w.])@(?=\w)|@(?=(?:everyone|here|channel|all|room)\b(?!\.\w))", "@\u200b", text)
    return re.sub(r"<(?=[!@#]|users/|at[\s>])", "<\u200b", text)


def keep_tail(text: str, most: int, measure: Callable[[str], int] = len) -> str:
    """The last part of `text` that `measure` finds not longer than `most`; whole lines where there are several."""
    if measure(text) <= most:
        return text
    low, high = 0, len(text)
    while low < high:  # the longest tail that fits, with its mark
        middle = (low + high) // 2
        if measure("…" + text[middle:]) <= most:
            high = middle
        else:
            low = middle + 1
    tail = text[low:]
    first, newline, rest = tail.partition("\n")
    return "…" + (rest if newline and rest and len(first) < 200 else tail) if tail else ""
