r"""Where a text may be cut so that its parts, encoded alone, give the ids of the whole: units, prove.

The cut stands before every ASCII space whose previous character is not space-like (white space, controls, format and
unassigned characters, what a normaliser turns into a space or into nothing, and marks on such). The space stays with
what follows: `"A b.\nC d"` is `A`, ` b.\nC`, ` d`. No token crosses such a place, for the tokenizers that `prove`
accepts. It reads the parts of tokenizer.json one by one and refuses what it does not know. Encodes nothing.

A part inside a text must not be treated as the beginning of one: a tokenizer that puts something before a text
(Llama 2's `Prepend`) needs a variant for the parts that begin with a space, `Proof.inside`.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import polars as pl

SPACE = "\u2581"
"""sentencepiece's visible space."""

PREPENDED = "\u0d4e\U000111c2\U000111c3\U0001193f\U00011941\U00011a3a\U00011a84-\U00011a89\U00011d46"
"""Letters that form one grapheme with a space that follows (Unicode UAX 29, Prepend), as sentencepiece's rules see it;
the others of that class are format characters."""

_OPENING = (
    r"\x{A8}\x{AF}\x{B4}\x{B8}\x{2D8}-\x{2DD}\x{37A}\x{384}-\x{385}\x{1FBD}\x{1FBF}-\x{1FC1}\x{1FCD}-\x{1FCF}"
    r"\x{1FDD}-\x{1FDF}\x{1FED}-\x{1FEE}\x{1FFD}-\x{1FFE}\x{2017}\x{203E}\x{2581}\x{309B}-\x{309C}"
    r"\x{FC5E}-\x{FC63}\x{FDFA}-\x{FDFB}\x{FE49}-\x{FE4C}\x{FE70}\x{FE72}\x{FE74}\x{FE76}\x{FE78}\x{FE7A}\x{FE7C}"
    r"\x{FE7E}\x{FFE3}"
)
"""Signs and letters that NFKC turns into a space and more (¨, ´, ﷺ, ...); the tests derive them anew."""

SPACE_LIKE = rf"\p{{White_Space}}\p{{C}}{SPACE}\x{{FFFD}}{PREPENDED}{_OPENING}"
"""The space-like characters of any normaliser, as the inside of a character class of Rust's regex crate."""

MARK = r"[\p{M}\x{FF9E}\x{FF9F}\x{1F3FB}-\x{1F3FF}]"
"""What is drawn with the character before it (Unicode's Grapheme_Extend)."""

_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_ENDS = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
_CASED = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+" + _WORDS + "?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*" + _WORDS + "?"
)
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = _WORDS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + _ENDS
QWEN = _WORDS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*" + _ENDS
MARKED = _WORDS + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*" + _ENDS
_O200K = _CASED + r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + _ENDS

KNOWN_PATTERNS = frozenset((_GPT2, LLAMA3, QWEN, MARKED, _O200K))
"""Patterns of which no alternative matches a character that is no white space and a space behind it."""

_LOCAL_NORMALIZERS = frozenset("BertNormalizer Lowercase NFC NFD NFKC NFKD StripAccents Nmt Precompiled".split())
_SPLITTING = frozenset("BertPreTokenizer Whitespace WhitespaceSplit".split())
_LOCAL_PRE_TOKENIZERS = frozenset("Digits Punctuation".split())
_EMPTYING = frozenset("BertNormalizer StripAccents Nmt Precompiled".split())
"""What may leave nothing of a text's first unit; the text then begins in the second."""
_BLANK = re.compile(rf"[\s{SPACE}]")


@dataclass(frozen=True, slots=True)
class Proof:
    """What the parts of a tokenizer say of the cut.

    Attributes:
        safe: no token can cross it.
        reason: when it is not known to be safe: why.
        starts: the tokenizer treats the beginning of a text unlike its middle.
        inside: the tokenizer for parts that begin with a space, as tokenizer.json says; the same where `starts` is
            False.
        glue: characters that a piece of the vocabulary has before a space: no cut stands behind them.
        added: contents of the added tokens; a text that holds one is to be encoded whole.
        normalized: some of them are looked for in the normalised text.
    """

    safe: bool
    reason: str = ""
    starts: bool = False
    inside: Mapping[str, Any] = field(default_factory=dict)
    glue: frozenset[str] = frozenset()
    added: tuple[str, ...] = ()
    normalized: tuple[str, ...] = ()


class _NotKnown(Exception):  # noqa: N818 - no error: the way out of a proof
    """The cut cannot be shown to be safe, for this reason."""


def prove(tokenizer: Mapping[str, Any]) -> Proof:
    """Whether the cut is safe for a tokenizer.

    Args:
        tokenizer: its tokenizer.json, as an object.
    """
    added = [token for token in tokenizer.get("added_tokens") or () if token.get("content")]
    contents = tuple(token["content"] for token in added)
    normalized = tuple(token["content"] for token in added if token.get("normalized"))
    inside = copy.copy(dict(tokenizer))
    try:
        pre_tokenizers = list(_sequence(tokenizer.get("pre_tokenizer"), "pretokenizers"))
        spaces_count = not pre_tokenizers or pre_tokenizers[0].get("type") not in _SPLITTING
        kept, starts = _normalizers(tokenizer, spaces_count=spaces_count)
        breaks = False
        for part in pre_tokenizers:
            breaks |= _breaks(part)
        glue = _model(tokenizer.get("model") or {}, breaks=breaks)
    except _NotKnown as why:
        return Proof(safe=False, reason=str(why), added=contents, normalized=normalized)
    if starts:
        inside["normalizer"] = {"type": "Sequence", "normalizers": kept} if kept else None
    return Proof(safe=True, starts=starts, inside=inside, glue=frozenset(glue), added=contents, normalized=normalized)


def _sequence(part: Any, key: str) -> Iterator[Mapping[str, Any]]:
    """The parts of a Sequence, however nested; none for null."""
    if part is None:
        return
    if part.get("type") == "Sequence":
        for inner in part.get(key) or ():
            yield from _sequence(inner, key)
    else:
        yield part


def _normalizers(tokenizer: Mapping[str, Any], *, spaces_count: bool) -> tuple[list[Mapping[str, Any]], bool]:
    """What of all normalisers a part inside a text needs, and whether one treats the text's beginning apart.

    Raises:
        _NotKnown: one is not local, or the beginning of the text may be another after it.
    """
    starts = emptying = False
    kept = []
    for part in _sequence(tokenizer.get("normalizer"), "normalizers"):
        local, begins = _normalizer(part, spaces_count=spaces_count)
        if begins and emptying:
            raise _NotKnown(f"its normaliser may leave nothing of a text's beginning before {part.get('type')}")
        starts |= begins
        emptying |= part.get("type") in _EMPTYING
        if local is not None:
            kept.append(local)
    return kept, starts


def _normalizer(part: Mapping[str, Any], *, spaces_count: bool) -> tuple[Mapping[str, Any] | None, bool]:
    """What of a normaliser a part inside a text needs, and whether it treats the text's beginning apart.

    A unit ends in a space-like character only where its text ends, so what strips the right side is local. Where the
    number of spaces matters (`spaces_count`: white space is not simply thrown away), no unit may get another end.
    """
    kind = part.get("type")
    if kind == "BertNormalizer" and part.get("handle_chinese_chars", True) and spaces_count:
        raise _NotKnown("its normaliser puts spaces around Chinese characters, and spaces become tokens")
    if kind in _LOCAL_NORMALIZERS:
        return part, False
    if kind == "Prepend":
        return None, True
    if kind == "Strip":
        left = bool(part.get("strip_left", part.get("left")))
        return ({**part, "strip_left": False} if left else part), left
    if kind == "Replace":
        pattern = part.get("pattern") or {}
        text = pattern.get("String")
        if text is not None:
            if any(b == " " and a != " " for a, b in pairwise(text)):
                raise _NotKnown(f"its normaliser replaces {text!r}, which may stand across a cut")
            made = str(part.get("content") or "")
            if text.strip(" ") and (not made or _BLANK.match(made) or _BLANK.match(made[-1])):
                raise _NotKnown(f"its normaliser makes {made!r} of {text!r}, which may change where spaces stand")
            return part, False
        if pattern.get("Regex") in {" {2,}", r"\s+", " +", r"\s{2,}"}:
            return part, False
        raise _NotKnown(f"its normaliser replaces the pattern {str(pattern.get('Regex'))[:40]!r}")
    raise _NotKnown(f"its normaliser has a part {kind}")


def _breaks(part: Mapping[str, Any]) -> bool:
    """True when the pre-tokenizer always breaks before a space; False when it is local and may not."""
    kind = part.get("type")
    if kind in _SPLITTING:
        return True
    if kind in _LOCAL_PRE_TOKENIZERS:
        return False
    if kind == "Metaspace":
        return part.get("split", True) is not False
    if kind == "ByteLevel":
        return part.get("use_regex", True) is not False
    if kind == "Split":
        pattern = part.get("pattern") or {}
        text, regex = pattern.get("String"), pattern.get("Regex")
        behavior = part.get("behavior")
        if text == " " and not part.get("invert"):
            return behavior in {"Isolated", "Removed", "MergedWithNext"}
        if regex in KNOWN_PATTERNS and behavior == "Isolated" and not part.get("invert"):
            return True
        if regex in KNOWN_PATTERNS and behavior == "Removed" and part.get("invert"):
            return True
        raise _NotKnown(f"its pre-tokenizer splits at a pattern that is not known: {str(text or regex)[:40]!r}")
    raise _NotKnown(f"its pre-tokenizer has a part {kind}")


def _model(model: Mapping[str, Any], *, breaks: bool) -> set[str]:
    """The characters that a piece has before a space, where nothing but the model keeps tokens from crossing.

    Raises:
        _NotKnown: the model may cross, or does not give the same twice.
    """
    kind = model.get("type")
    if model.get("dropout"):
        raise _NotKnown("its BPE drops merges at random (dropout)")
    if breaks:
        if kind in {"BPE", "WordPiece", "WordLevel", "Unigram"}:
            return set()
        raise _NotKnown(f"its model is of type {kind}")
    if kind == "BPE":
        vocabulary: Iterable[str] = model.get("vocab") or {}
        pieces = [piece for piece in vocabulary if SPACE in piece[1:]]
    elif kind == "Unigram":
        entries = model.get("vocab") or ()
        pieces = [piece for piece, _ in entries if SPACE in piece[1:]]
        vocabulary = {piece for piece, _ in entries}
        if any(_unequal_sums(score) for _, score in entries):
            raise _NotKnown("its pre-tokenizer splits nothing, and its scores are not exact in 32 bits")
    else:
        raise _NotKnown(f"nothing splits a text before its {kind} model")
    if SPACE not in vocabulary:
        raise _NotKnown("nothing splits a text before its model, and the vocabulary has no space")
    glue = {a for piece in pieces for a, b in pairwise(piece) if b == SPACE and a != SPACE}
    if len(glue) > 64:
        raise _NotKnown(f"{len(glue)} characters stand before a space inside pieces of its vocabulary")
    return glue


def _unequal_sums(score: float) -> bool:
    """True for a score that has more digits than a 32-bit float: sums of such depend on their order in the last bit."""
    import struct

    try:
        return bool(struct.unpack("f", struct.pack("f", score))[0] != score)
    except OverflowError:
        return True


def _space(glue: Iterable[str]) -> str:
    """The inside of the character class of what no cut stands behind."""
    return SPACE_LIKE + "".join(rf"\x{{{ord(character):X}}}" for character in sorted(set(glue)))


def units(texts: pl.Series, *, glue: Iterable[str] = ()) -> pl.Series:
    """Cut texts into the parts that can be encoded alone; joined, they are the text again.

    Args:
        texts: strings, none null.
        glue: further characters behind which no cut stands.

    Returns:
        A list of strings for each text; empty for an empty text.
    """
    spaces = _space(glue)
    # marks behind a space-like character go with it: sentencepiece's rules map the two as one grapheme
    space, other = rf"[{spaces}]{MARK}*", rf"[{spaces}&&[^ ]]{MARK}*"
    rest = rf"[^{spaces}]*(?:{other}(?:{space})*[^{spaces}]*)*"
    return texts.str.extract_all(rf"(?:{space})+{rest}|[^{spaces}]{rest}")


def cut_at_every_space(texts: pl.Series, *, glue: Iterable[str] = ()) -> pl.Series:
    """Which texts are cut before each of their spaces (bool), so that splitting at spaces cuts them; most are."""
    return ~texts.str.contains(rf"\A(?:\z| )|[{_space(glue)}]{MARK}* ")
