"""TOK2: can the tokenizer read the data? Unknown words, jamo, bytes, vanished characters.

All words count where the corpus was read, else those of a sample; vanished characters are those of a sample.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import TYPE_CHECKING

from pretune.artifacts.coverage import SYLLABLES, hangul_coverage
from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, percent, shown, some
from pretune.corpus.scripts import COMMON

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.reading import Reading, ReadingFacts
    from pretune.check.facts.tokenizer import TokenizerFacts
    from pretune.check.finding import Rule

UNREADABLE = 0.15
"""Share of unknown words from which a text counts as unreadable. Measured (docs/decisions/0001-unknown-thresholds.md):
tokenizers made for the language stay under 2.5 %, multilingual BERT on film reviews has 5.3 %; every wrong pairing has
19 % or more."""

POOR = 0.08
"""Share of unknown words that is probably harmful: above the worst healthy pair, 5.3 %."""

SPELLED = 1.5
"""Tokens for each Hangul syllable: Korean tokenizers take 0.55 to 0.82, multilingual ones up to 1.03, Llama 2 with its
byte fallback 1.36, an uncased English one 1.7 to 2.0 (jamo), GPT-2 2.9 (bytes)."""

ENOUGH = 20
"""Fewer running words prove nothing."""


def _in(split: str, read: Reading) -> str:
    """Which rows the words stand in: `train`, or `sampled train rows`."""
    return f"sampled {split} rows" if read.sampled else split


@rule("TOK201", Level.ERROR)
def language_not_read(reading: ReadingFacts, tokenizer: TokenizerFacts) -> Iterator[Problem]:
    """Many words of the data are unknown to the tokenizer.

    Why: every unknown word is the same [UNK] to the model; what distinguishes the texts is gone before training begins,
    and nothing says so (huggingface/transformers#436).
    Fix: take a model whose tokenizer reads the language: `pretune check --tokenizer OTHER --data ...` shows how well.
    """
    for split, read in reading.splits:
        script, (seen, lost) = max(read.scripts.items(), key=lambda item: item[1][1], default=("", (0, 0)))
        share = lost / seen if seen else 0.0
        if lost < ENOUGH or _explained(read, lost):
            continue
        overall = read.share(read.unknown_words)
        if overall >= UNREADABLE or (share >= UNREADABLE and seen >= 0.2 * read.words):
            level = None
        elif overall >= POOR:
            level = Level.WARNING
        else:
            continue
        example = read.examples["unknown_words"]
        kind = "without letters" if script == COMMON else f"in {script}"
        yield Problem(
            f"{percent(overall)} of {number(read.words)} words in {_in(split, read)} are unknown, {percent(share)} of "
            f"those {kind}: {shown(example.word, 20)} is {some(example.tokens, 4)}{_coverage(tokenizer, script)}",
            where=example.where,
            level=level,
        )


def _explained(read: Reading, lost: int) -> bool:
    """Another rule says why: NFD text, or words too long for the tokenizer."""
    return max(read.mended_words, read.long_words) > 0.8 * lost


def _coverage(tokenizer: TokenizerFacts, script: str) -> str:
    """How much of Hangul the tokenizer has, where Hangul is what it fails on."""
    if script != "Hangul":
        return ""
    found = hangul_coverage(
        tokenizer.encoder, unknown=tokenizer.id_of("unk_token"), byte_level=tokenizer.files.byte_level
    )
    return f" (of {number(SYLLABLES)} Hangul syllables it has {number(found.own)})"


@rule("TOK202", Level.ERROR)
def hangul_read_as_jamo(reading: ReadingFacts) -> Iterator[Problem]:
    """Hangul falls apart into jamo: each syllable becomes two or three letters' pieces.

    Why: an English uncased tokenizer decomposes Hangul and knows some of the jamo, so little is [UNK] and nothing looks
    wrong; but sequences are three to five times longer and the model never learnt those pieces.
    Fix: take a model with a Korean or multilingual tokenizer; for a Korean vocabulary set do_lower_case to false.
    """
    for split, read in reading.splits:
        share = read.jamo_words / read.hangul_words if read.hangul_words else 0.0
        if read.jamo_words < ENOUGH or share < UNREADABLE:
            continue
        example = read.examples["jamo_words"]
        each = read.hangul_pieces / max(read.hangul_characters, 1)
        yield Problem(
            f"{percent(share)} of {number(read.hangul_words)} Hangul words in {_in(split, read)} fall apart into "
            f"jamo, {each:.1f} tokens a syllable: {shown(example.word, 20)} is {some(example.tokens, 5)}",
            where=example.where,
        )


@rule("TOK203", Level.ERROR)
def decomposed_text_unknown(reading: ReadingFacts) -> Iterator[Problem]:
    """Words are unknown only because they are written in decomposed form (NFD, as macOS writes file names and text).

    Why: BERT tokenizers do not compose; 각 as three code points is not the token 각. The words look the same on screen.
    Fix: normalize the data to NFC: `unicodedata.normalize("NFC", text)`.
    """
    for split, read in reading.splits:
        if not read.mended_words:
            continue
        example = read.examples["mended_words"]
        share = read.share(read.mended_words)
        yield Problem(
            f"{number(read.mended_words)} of {number(read.words)} words in {_in(split, read)} ({percent(share)}) are "
            f"unknown as written and known in NFC, e.g. {shown(example.word, 20)} ({len(example.word)} code points, "
            f"{len(unicodedata.normalize('NFC', example.word))} in NFC)",
            where=example.where,
            level=None if share >= 0.01 else Level.WARNING if share >= 0.001 else Level.NOTE,
        )


@rule("TOK204", Level.ERROR)
def characters_vanish(reading: ReadingFacts) -> Iterator[Problem]:
    """Characters of the data become no token at all, not even an unknown one.

    Why: a BPE vocabulary without an unknown token drops what it cannot spell: the text is shorter, the unknown rate is
    0 % and every monitor is green (huggingface/transformers#45488).
    Fix: load the tokenizer with the class its vocabulary was made for; the rule class-of-another-algorithm names it.
    """
    for split, read in reading.splits:
        share = read.lost_characters / read.characters if read.characters else 0.0
        if read.lost_characters < ENOUGH or share < 0.001:
            continue
        example = read.examples["lost_characters"]
        looked = "sampled " if read.part_of_text else ""
        yield Problem(
            f"{percent(share)} of {number(read.characters)} {looked}characters in {split} become no token: "
            f"{shown(example.word, 20)} is {some(example.tokens, 4) or 'nothing'}",
            where=example.where,
            level=None if share >= 0.02 else Level.WARNING,
        )


@rule("TOK205", Level.WARNING)
def long_words_swallowed(reading: ReadingFacts, tokenizer: TokenizerFacts) -> Iterator[Problem]:
    """Runs without a space, longer than the tokenizer takes a word to be, become one unknown token each.

    Why: WordPiece gives up on a word of more than max_input_chars_per_word characters (100): a whole sentence written
    without spaces, a link, a table row is one [UNK].
    Fix: cut such runs in preprocessing: put a space after every ninety characters without one.
    """
    limit, unknown = tokenizer.word_limit, tokenizer.special.get("unk_token", "")
    for split, read in reading.splits:
        if read.long_words:
            example = read.examples["long_words"]
            share = read.share(read.long_words)
            yield Problem(
                f"{number(read.long_words)} run(s) of more than {limit} characters without a space in "
                f"{_in(split, read)} become {shown(unknown)} each: "
                f"{shown(example.word, 24)} ({len(example.word)} characters)",
                where=example.where,
                level=None if share >= 0.001 else Level.NOTE,
            )


@rule("TOK206", Level.WARNING)
def words_in_many_pieces(reading: ReadingFacts) -> Iterator[Problem]:
    """Hangul is spelled in bytes or single letters: more than one and a half tokens for each syllable.

    Why: a byte-level tokenizer made without Korean needs two or three tokens a syllable: max_length cuts texts at a
    third, training costs as much more, and the model has seen little of it.
    Fix: take a model whose tokenizer has Korean pieces; raise max_length if you stay.
    """
    for split, read in reading.splits:
        each = read.hangul_pieces / max(read.hangul_characters, 1)
        if read.hangul_words < ENOUGH or each <= SPELLED or read.jamo_words > 0.2 * read.hangul_words:
            continue
        if read.unknown_words > UNREADABLE * read.words:
            continue
        yield Problem(
            f"{each:.1f} tokens for each Hangul syllable in {_in(split, read)} ({number(read.hangul_pieces)} "
            f"for {number(read.hangul_characters)}); Korean tokenizers need 0.6 to 0.8",
        )


@rule("TOK207", Level.WARNING)
def byte_fallback_heavy(reading: ReadingFacts) -> Iterator[Problem]:
    """Many words are spelled with fallback bytes because their characters have no token.

    Why: nothing is [UNK], but three byte tokens stand for one character, and the model knows them from rare text only.
    Fix: add the characters as tokens (`pretune tokens`), or take a tokenizer that has them.
    """
    for split, read in reading.splits:
        share = read.share(read.byte_words)
        if read.byte_words >= ENOUGH and share >= 0.02:
            example = read.examples["byte_words"]
            yield Problem(
                f"{percent(share)} of {number(read.words)} words in {_in(split, read)} need fallback bytes: "
                f"{shown(example.word, 20)} is {some(example.tokens, 5)}",
                where=example.where,
                level=None if share >= 0.1 else Level.NOTE,
            )


@rule("TOK208", Level.WARNING)
def unknown_only_in_one_split(reading: ReadingFacts) -> Iterator[Problem]:
    """Training text has many more unknown words than evaluation text, or the reverse.

    Why: the two are not of one kind or not of one encoding; the evaluation then measures another task.
    Fix: look at the words named; normalize both splits in the same way.
    """
    if reading.eval is None or min(reading.train.words, reading.eval.words) < 50:
        return
    train, held = (read.share(read.unknown_words) for read in (reading.train, reading.eval))
    more, less = max(train, held), min(train, held)
    if more >= 0.01 and more > 5 * less and _differ(reading.train, reading.eval):
        grave = reading.train if train > held else reading.eval
        example = grave.examples["unknown_words"]
        yield Problem(
            f"{percent(train)} of {number(reading.train.words)} words in {_in('train', reading.train)} are unknown, "
            f"{percent(held)} of {number(reading.eval.words)} in {_in('eval', reading.eval)}: "
            f"{shown(example.word, 24)}",
            where=example.where,
        )


def _differ(one: Reading, other: Reading) -> bool:
    """Whether the shares of unknown words differ by more than chance: two proportions, three standard errors apart."""
    pooled = (one.unknown_words + other.unknown_words) / (one.words + other.words)
    error: float = (pooled * (1 - pooled) * (1 / one.words + 1 / other.words)) ** 0.5
    gap = abs(one.share(one.unknown_words) - other.share(other.unknown_words))
    return error > 0 and gap > 3 * error


@rule("TOK209", Level.NOTE)
def characters_without_token(reading: ReadingFacts) -> Iterator[Problem]:
    """Some characters of the data have no token and make the words they stand in unknown.

    Why: emoji, Hanja, rare syllables: where they carry the meaning (reviews, names), they are worth a token.
    Fix: `pretune tokens add` gives them one; or replace them in preprocessing.
    """
    counted: Counter[str] = Counter()
    for _, read in reading.splits:
        counted.update(read.unknown_characters)
    words = sum(read.words for _, read in reading.splits)
    unknown = sum(read.unknown_words for _, read in reading.splits)
    if counted.total() >= ENOUGH and words and 0.001 * words <= unknown < POOR * words:
        ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:5]
        looked = "sampled " if any(read.sampled for _, read in reading.splits) else ""
        yield Problem(
            f"{number(len(counted))} characters have no token and make {number(unknown)} of {number(words)} {looked}"
            f"words unknown: " + ", ".join(f"{shown(character)} {number(count)}" for character, count in ranked)
        )


RULES: tuple[Rule, ...] = (
    language_not_read,
    hangul_read_as_jamo,
    decomposed_text_unknown,
    characters_vanish,
    long_words_swallowed,
    words_in_many_pieces,
    byte_fallback_heavy,
    unknown_only_in_one_split,
    characters_without_token,
)
