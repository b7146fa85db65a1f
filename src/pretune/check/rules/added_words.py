"""VOC1: the words that the setup adds, as texts: what they cut apart, and whether they can match at all."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import TYPE_CHECKING

from pretune.artifacts.spare_names import is_spare_name
from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, shown, some

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.adding import AddingFacts
    from pretune.check.facts.data import DataFacts
    from pretune.check.facts.tokenizer import TokenizerFacts
    from pretune.check.finding import Rule


@rule("VOC104", Level.NOTE)
def added_word_exists(adding: AddingFacts, tokenizer: TokenizerFacts) -> Iterator[Problem]:
    """A token that is added is in the vocabulary already.

    Why: add_tokens counts it, yet len(tokenizer) stays; as an added token it is now cut out of longer words too.
    Fix: leave it out.
    """
    there = [word for word in adding.words if word.existed and not is_spare_name(word.word)]
    registered = {token.content for token in tokenizer.files.added}
    plain = [word for word in there if word.word not in registered]
    if plain:
        yield Problem(
            f"{number(len(plain))} of {number(len(adding.words))} added words have a token already: "
            + ", ".join(f"{shown(word.word)} is {word.id}" for word in plain[:3]),
            where=plain[0].where,
        )


@rule("VOC105", Level.WARNING)
def added_word_cuts_others(adding: AddingFacts, tokenizer: TokenizerFacts) -> Iterator[Problem]:
    """A plain added token is cut out of the middle of other words.

    Why: added tokens are found anywhere in the text before the tokenizer works: `수` splits 수학, 선수, 교수, and what
    is left loses its `##` (huggingface/transformers#14770, open). Sequences get longer, not shorter.
    Fix: put the word into the model's own vocabulary (`pretune tokens add`), or add it as AddedToken(word,
    single_word=True).
    """
    plain = [word for word in adding.words if not word.special and word.word.isalnum()]
    if not plain:
        return
    counted: Counter[str] = Counter()
    shown_by: dict[str, str] = {}
    asked, longest = {word.word for word in plain}, max(len(word.word) for word in plain)
    for token in _whole_words(tokenizer):
        spans = ((at, end) for at in range(len(token)) for end in range(at + 1, min(at + longest, len(token)) + 1))
        for word in {token[at:end] for at, end in spans} & asked - {token}:
            counted[word] += 1
            shown_by.setdefault(word, token)
    if counted:
        worst = counted.most_common(1)[0][0]
        yield Problem(
            f"{number(len(counted))} added word(s) stand inside {number(sum(counted.values()))} tokens of the "
            f"vocabulary and will cut them apart: {shown(worst)} cuts {number(counted[worst])}, e.g. "
            f"{shown(shown_by[worst])}",
            where=next(word.where for word in plain if word.word == worst),
        )


def _whole_words(tokenizer: TokenizerFacts) -> Iterator[str]:
    """The tokens that begin a word, as text, without the mark of a leading space."""
    decoder = tokenizer.encoder.decoder if tokenizer.files.byte_level else None
    for token in tokenizer.files.vocabulary.ids:
        if not token.startswith("##") and len(token) > 1:
            yield decoder.decode([token]).strip() if decoder is not None else token.removeprefix("▁")


@rule("VOC108", Level.WARNING)
def added_word_never_matches(adding: AddingFacts, tokenizer: TokenizerFacts) -> Iterator[Problem]:
    """An added token carries the tokenizer's inner spelling, which no text contains.

    Why: `##는`, `▁word` and `Ġword` are how pieces are written inside the vocabulary; added tokens are searched in the
    text.
    Fix: add the word as it stands in the text.
    """
    marks = {"WordPiece": "##", "Unigram": "▁", "BPE": "Ġ" if tokenizer.files.byte_level else "▁"}
    mark = marks.get(tokenizer.kind, "##")
    odd = [word for word in adding.words if len(word.word) > len(mark) and word.word.startswith(mark)]
    if odd:
        yield Problem(
            f"{number(len(odd))} added token(s) start with the vocabulary's mark {shown(mark)} and can match no text: "
            f"{some(word.word for word in odd)}",
            where=odd[0].where,
        )


@rule("VOC109", Level.ERROR)
def added_word_decomposed(adding: AddingFacts) -> Iterator[Problem]:
    """An added token is written in decomposed form (NFD) and will not match composed text.

    Why: a word list saved on macOS may be NFD; the token and the text look alike and are different strings.
    Fix: normalize the list to NFC before adding.
    """
    odd = [word for word in adding.words if unicodedata.normalize("NFC", word.word) != word.word]
    if odd:
        yield Problem(
            f"{number(len(odd))} added token(s) are in NFD: {shown(odd[0].word)} has {len(odd[0].word)} code points, "
            f"{len(unicodedata.normalize('NFC', odd[0].word))} in NFC",
            where=odd[0].where,
        )


@rule("VOC110", Level.WARNING)
def added_word_lowercased(adding: AddingFacts, tokenizer: TokenizerFacts) -> Iterator[Problem]:
    """Added words differ only in case, or meet a tokenizer that lower-cases.

    Why: add_tokens(["COVID"]) to an uncased tokenizer matches covid and Covid too and decodes to "covid", while
    convert_tokens_to_ids("COVID") after tokenize() gives [UNK]; COVID, Covid and covid together make two dead rows.
    Fix: add the lower-cased word once.
    """
    normalizer = tokenizer.encoder.normalizer
    if normalizer is None:
        return
    groups: dict[str, list[str]] = {}
    for word in adding.words:
        if not word.special:
            groups.setdefault(normalizer.normalize_str(word.word), []).append(word.word)
    dead = [words for words in groups.values() if len(set(words)) > 1]
    folded = [
        word for word in adding.words if not word.special and normalizer.normalize_str(word.word).strip() != word.word
    ]
    if dead:
        yield Problem(
            f"{some(dead[0], 4)} are one word to this tokenizer: {len(dead[0]) - 1} of their rows can never be reached",
            where=adding.words[0].where,
        )
    elif folded and any(word.word.lower() != word.word for word in folded):
        yield Problem(
            f"{number(len(folded))} added word(s) are changed by the normalizer: {shown(folded[0].word)} is matched as "
            f"{shown(normalizer.normalize_str(folded[0].word))}",
            where=folded[0].where,
            level=Level.NOTE,
        )


@rule("VOC111", Level.WARNING)
def special_token_is_word(adding: AddingFacts, data: DataFacts) -> Iterator[Problem]:
    """A special token that is added is an ordinary word of the data.

    Why: special tokens are cut out of running text wherever they occur, are skipped in decoding and never masked.
    Fix: give it a form that no text has, such as <ent> or [ENT]; add ordinary words as ordinary tokens.
    """
    words = [word for word in adding.words if word.special and word.word.isalpha()]
    if not words:
        return
    splits = (data.train, data.eval)
    rows = [row for split in splits for row in split.rows]
    looked = "sampled " if any(split.sampled or split.total > len(split.rows) for split in splits) else ""
    for word in words:
        hits = sum(any(word.word in text for _, text in row.texts) for row in rows)
        if hits > 0.01 * len(rows) and hits > 1:
            yield Problem(
                f"special token {shown(word.word)} occurs as text in {number(hits)} of {number(len(rows))} "
                f"{looked}rows",
                where=word.where,
            )


RULES: tuple[Rule, ...] = (
    added_word_exists,
    added_word_cuts_others,
    added_word_never_matches,
    added_word_decomposed,
    added_word_lowercased,
    special_token_is_word,
)
