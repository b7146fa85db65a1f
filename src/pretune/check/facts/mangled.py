"""Text that was decoded with another encoding than it was written in: what it was, found by undoing it.

Characters that turn back into the bytes of valid UTF-8 (or of CP949 Hangul) were never meant. What good text holds as
well (`sí…”` gives the bytes of a Hangul syllable) does not count alone. Knows no rows.
"""

import re
from functools import lru_cache

_BYTES = {bytes((byte,)).decode("cp1252", "ignore") or chr(byte): byte for byte in range(0x80, 0x100)}
"""Character -> the byte that CP1252, or Latin-1 where CP1252 has none, decodes to it."""

_BYTES |= {chr(byte): byte for byte in range(0x80, 0xA0)}

_REST = "".join(re.escape(char) for char, byte in _BYTES.items() if byte < 0xC0)
_HARD = "".join(
    re.escape(char) for char, byte in _BYTES.items() if byte < 0xC0 and byte != 0xA0 and char not in "‚„…‹‘’“”•–—›"
)
"""Second bytes that do not stand behind a letter in good text, as quotes, dashes and no-break spaces do."""

SCREEN = f"[ÂÃÄÅ][{_HARD}]|[à-ï][{_REST}]{{2}}|[\xa1-\xfe]{{4}}"
"""What every text that was UTF-8 or CP949 before it was read as Latin-1 holds; for any engine."""

_TWO = re.compile(f"[ÂÃÄÅ][{_HARD}]")
_THREE = re.compile(f"[à-ï][{_REST}]{{2}}")
_EURO = re.compile("â€")
_KOREAN_BYTES = re.compile("[\xa1-\xfe]{4,}")
_HANGUL = re.compile("[가-힣]")


def undone(text: str) -> tuple[str, str] | None:
    """What the text was before it was decoded wrongly, from its first mangled part.

    Returns:
        (how it came about, the part as it was meant, empty when that is lost), or None when nothing is mangled.
    """
    return None if text.isascii() else _utf8_as_latin(text) or _cp949_as_latin(text) or _utf8_as_cp949(text)


def _utf8_as_latin(text: str) -> tuple[str, str] | None:
    threes = [run for run in _THREE.findall(text) if _EURO.match(run) or re.search(f"[{_HARD}]", run)]
    meant = "".join(_decoded(bytes(_BYTES[char] for char in run), "utf-8") for run in threes)
    if not meant:
        meant = "".join(_decoded(bytes(_BYTES[char] for char in run), "utf-8") for run in _TWO.findall(text))
    return ("UTF-8 read as latin-1 or cp1252", meant[:20]) if meant else None


def _cp949_as_latin(text: str) -> tuple[str, str] | None:
    """Long runs of accented letters that are all Hangul in CP949, in a text without Hangul."""
    runs = [] if _HANGUL.search(text) else _KOREAN_BYTES.findall(text)
    meant = "".join(_decoded(run.encode("latin-1"), "cp949") for run in runs)
    good = sum(map(len, runs)) >= 8 and len(_HANGUL.findall(meant)) == len(meant) > 3
    return ("CP949 (EUC-KR) read as latin-1", meant[:20]) if good else None


def _utf8_as_cp949(text: str) -> tuple[str, str] | None:
    """Several syllables that no word has (KS X 1001 lacks them), whose CP949 bytes are those of UTF-8's Hangul.

    Those are a lead byte EA..ED and two of 80..BF, whatever was lost on the way; hasty typing (`졓다고졓앚`) has
    a third of its bytes elsewhere. Of 307,647 reviews (NSMC) one is called mangled, and is; 97 % are, once mangled.
    """
    rare = {char for char in text if "가" <= char <= "힣" and not _is_common(char)}
    if len(rare) < 3:
        return None
    data = "".join(char for char in text if char > "\x7f").encode("cp949", "ignore")
    leads = sum(0xEA <= byte <= 0xED for byte in data)
    fitting = sum(0x80 <= byte <= 0xBF or 0xE2 <= byte <= 0xED for byte in data)
    return ("UTF-8 read as CP949", "") if fitting >= 0.9 * len(data) and leads >= 0.1 * len(data) else None


@lru_cache(maxsize=16384)
def _is_common(syllable: str) -> bool:
    return len(syllable.encode("euc_kr", "ignore")) == 2  # the rarer ones are spelled in eight bytes


@lru_cache(maxsize=1)
def rare_syllables() -> str:
    """The 8,822 syllables that KS X 1001 lacks, as ranges of a character class; mangled text holds three of them."""
    ranges: list[str] = []
    start = 0
    for code in range(ord("가"), ord("힣") + 2):
        rare = code <= ord("힣") and not _is_common(chr(code))
        if rare and not start:
            start = code
        elif not rare and start:
            ranges.append(chr(start) if start == code - 1 else f"{chr(start)}-{chr(code - 1)}")
            start = 0
    return "".join(ranges)


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return ""
