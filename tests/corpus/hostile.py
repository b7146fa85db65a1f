"""Texts that tell tokenizers and their shortcuts apart: odd spaces, controls, marks, joiners, special tokens, long runs.

Knows no tokenizer; the same seed gives the same texts.
"""

import random

SPACES = [
    " ",
    "  ",
    "   ",
    "\t",
    "\n",
    "\n\n",
    "\r\n",
    "\x0b",
    "\x0c",
    "\x1c",
    "\x1d",
    "\x1f",
    "\x85",
    "\xa0",
    "\u1680",
]
SPACES += ["\u2000", "\u2003", "\u2007", "\u2009", "\u200a", "\u200b", "\u200c", "\u200d", "\u200e", "\u2028", "\u2029"]
SPACES += [
    "\u202f",
    "\u205f",
    "\u2060",
    "\u3000",
    "\ufeff",
    "\u180e",
    "\u00ad",
    "\u2581",
    "\ufffd",
    "\x00",
    "\x01",
    "\x7f",
]
SPACES += [
    "\u0600",
    "\u06dd",
    "\u0d4e",
    "\U000e0001",
    "\ue000",
    "\U0010ffff",
    "\u0378",
    "¨",
    "´",
    "¯",
    "˘",
    "ͺ",
    "\u3164",
]
WORDS = [
    "the",
    "don't",
    "we'll",
    "I'M",
    "it's",
    "naïve",
    "Straße",
    "ΟΔΥΣΣΕΥΣ",
    "İstanbul",
    "ﬁne",
    "①②",
    "Ⅷ",
    "㈜한글",
    "ｆｕｌｌ",
]
WORDS += [
    "영화",
    "재밌어요",
    "있습니다",
    "쀍뷁",
    "ㅋㅋㅋㅋ",
    "ㅠㅠ",
    "학교에서는",
    "\u1112\u1161\u11ab\u1100\u1173\u11af",
    "한글",
    "漢字",
    "かな",
    "カナ",
]
WORDS += [
    "ｶﾞ",
    "русский",
    "العربية",
    "עברית",
    "हिन्दी",
    "ไทย",
    "e\u0301",
    "\u0301",
    "a\u0300\u0316",
    "👨‍👩‍👧",
    "🇰🇷",
    "☕️",
    "😀",
    "x²",
    "½",
]
WORDS += [
    "123",
    "1,234.56",
    "2024년",
    "3.14",
    "007",
    "http://a.b/c?d=e",
    "a@b.kr",
    "<br/>",
    "&amp;",
    "foo_bar",
    "C++",
    "...",
    "!!!",
    "?!",
]
WORDS += [
    "-",
    "—",
    "“인용”",
    "(괄호)",
    "[CLS]",
    "[SEP]",
    "[UNK]",
    "[MASK]",
    "<s>",
    "</s>",
    "<unk>",
    "<mask>",
    "<pad>",
    "##ing",
    "##",
    "Ġ",
    "<0x41>",
]
WORDS += [
    "a" * 101,
    "가" * 120,
    "ab" * 300,
    "\\n",
    "'",
    "''s",
    "'S",
    "’s",
    "n't",
    "`",
    "$",
    "€",
    "№",
    "™",
    "…",
    "ﷺ",
    "\u0130",
    "ǆ",
    "ꙮ",
    "𝔘𝔫𝔦",
    "𐍈",
]


def texts(count: int, *, seed: int = 0) -> list[str]:
    """So many texts, from empty ones to a few hundred pieces."""
    chance = random.Random(seed)
    made = ["", " ", "  ", "\n", "\u3000", "▁", " a", "a ", " a ", "a  b", "a \n b", "a\n b", "a \u0301b", "\ufeffa b"]
    while len(made) < count:
        size = chance.choice((1, 2, 3, 5, 8, 20, 60))
        pieces = []
        for _ in range(size):
            kind = chance.random()
            if kind < 0.45:
                pieces.append(chance.choice(WORDS))
            elif kind < 0.75:
                pieces.append(" " if chance.random() < 0.6 else chance.choice(SPACES))
            elif kind < 0.9:
                pieces.append(chr(chance.choice((chance.randrange(32, 127), chance.randrange(0xAC00, 0xD7A4)))))
            else:
                code = chance.randrange(0x110000)
                pieces.append("" if 0xD800 <= code <= 0xDFFF else chr(code))
        made.append("".join(pieces))
    return made[:count]
