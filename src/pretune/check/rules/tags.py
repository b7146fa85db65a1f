"""Family LAB, tags of tagged sentences: as many as tokens, a valid BIO sequence, a tag a word or a tag a character."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, percent, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.split import DataFacts, Split
    from pretune.check.finding import Rule


def _splits(data: DataFacts) -> Iterator[Split]:
    return iter(data.splits if data.shape == "tagging" else ())


@rule("LAB040", Level.ERROR)
def tags_and_tokens_differ_in_number(data: DataFacts) -> Iterator[Problem]:
    """A sentence has more or fewer tags than tokens.

    Why: the alignment raises IndexError, or all tags behind the gap shift to the wrong token.
    Fix: mend these sentences; often a space, an empty token or a line end was lost.
    """
    for split in _splits(data):
        hits = split.hit("another-number")
        if hits:
            found = f"tags and tokens differ in number in {split.found(hits)}, the first has {hits[0].said[0]}"
            yield Problem(found, hits[0].where)


@rule("LAB041", Level.WARNING)
def entities_without_beginning(data: DataFacts) -> Iterator[Problem]:
    """An I- tag follows O or a tag of another type, which BIO does not allow.

    Why: seqeval counts such entities otherwise than the one who tagged them meant; often B- tags were lost on the way.
    Fix: begin each entity with B-; if the data are IOB1, say so to the metric.
    """
    for split in _splits(data):
        begun, hits = split.hit("entities").kinds, split.hit("orphan")
        if not hits:
            continue
        before, tag = hits[0].said
        scheme = begun.get("B", 0) < 0.1 * sum(begun.values())  # IOB1: B- only between neighbours
        level = Level.NOTE if scheme else None
        old = "; most entities begin so, the scheme may be IOB1" if scheme else ""
        message = f"{shown(tag)} follows {shown(before)} without a B-: {split.found(hits)} have such an entity{old}"
        yield Problem(message, hits[0].where, level=level)


@rule("LAB042", Level.NOTE)
def tags_of_characters(data: DataFacts) -> Iterator[Problem]:
    """The tags belong to single characters, spaces among them (KLUE-NER), not to words.

    Why: with is_split_into_words each character is a word: subwords never form, and the tokenizer drops the spaces.
    Fix: join the characters to the sentence and align by offset_mapping, or join tags to words.
    """
    for split in _splits(data):
        words = split.hit("words").kinds
        if words.get("tokens", 0) >= 20 and words["tokens"] == words["characters"]:
            found = f"the {number(words['tokens'])} tokens of {split.name} are single characters"
            message = f"{found}, {number(words['spaces'])} of them spaces: word alignment may fail"
            yield Problem(message, split.rows[0].where)


@rule("LAB043", Level.WARNING)
def blank_tokens(data: DataFacts) -> Iterator[Problem]:
    """Tokens are empty or hold only white space or invisible characters.

    Why: they give no subword, so that their tag is lost, and word_ids leaves a gap.
    Fix: remove them with their tags.
    """
    for split in _splits(data):
        words = split.hit("words").kinds
        if words and words["tokens"] == words["characters"]:
            continue  # tags of characters: spaces are meant
        hits = split.hit("blank-token")
        if hits:
            yield Problem(
                f"{split.found(hits)} have an empty or blank token ({percent(split.share(hits))})", hits[0].where
            )


RULES: tuple[Rule, ...] = (
    tags_and_tokens_differ_in_number,
    entities_without_beginning,
    tags_of_characters,
    blank_tokens,
)
