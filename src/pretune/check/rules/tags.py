"""Family LAB, tags of tagged sentences: as many as tokens, a valid BIO sequence, a tag a word or a tag a character."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, percent, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.example import Example
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
        hits = [row for row in split.rows if len(row.tags) != len(row.tokens)]
        if hits:
            first = hits[0]
            counts = f"{len(first.tags)} tags for {len(first.tokens)} tokens{_of_characters(first)}"
            yield Problem(
                f"tags and tokens differ in number in {split.found(hits)}, the first has {counts}", first.where
            )


def _of_characters(row: Example) -> str:
    """What a tag stands for where there are as many as characters."""
    tokens = [token for token in row.tokens if isinstance(token, str)]
    if len(row.tags) == len("".join(tokens)):
        return ", one a character"
    return ", one a character with the spaces" if len(row.tags) == len(" ".join(tokens)) else ""


@rule("LAB041", Level.WARNING)
def entities_without_beginning(data: DataFacts) -> Iterator[Problem]:
    """An I- tag follows O or a tag of another type, which BIO does not allow.

    Why: seqeval counts such entities otherwise than the one who tagged them meant; often B- tags were lost on the way.
    Fix: begin each entity with B-; if the data are IOB1, say so to the metric.
    """
    for split in _splits(data):
        begun = Counter(tag[:1] for row in split.rows for tag in _opening(row))
        hits = [row for row in split.rows if _orphan(row) is not None]
        if not hits:
            continue
        orphan = _orphan(hits[0]) or ("", "")
        scheme = begun["B"] < 0.1 * (begun["B"] + begun["I"])  # IOB1: B- only between neighbours
        level = Level.NOTE if scheme else None
        old = "; most entities begin so, the scheme may be IOB1" if scheme else ""
        message = (
            f"{shown(orphan[1])} follows {shown(orphan[0])} without a B-: {split.found(hits)} have such an entity{old}"
        )
        yield Problem(message, hits[0].where, level=level)


def _names(row: Example) -> list[str]:
    return [tag for tag in row.tags if isinstance(tag, str)] if all(isinstance(tag, str) for tag in row.tags) else []


def _opening(row: Example) -> Iterator[str]:
    """The first tag of each entity."""
    before = "O"
    for tag in _names(row):
        if tag[:2] == "B-" or (tag[:2] == "I-" and before[2:] != tag[2:]):
            yield tag
        before = tag


def _orphan(row: Example) -> tuple[str, str] | None:
    """The first I- tag with what stands before it, when that does not belong to the same entity."""
    before = "O"
    for tag in _names(row):
        if tag[:2] == "I-" and (before[:2] not in {"B-", "I-", "M-"} or before[2:] != tag[2:]):
            return before, tag
        before = tag
    return None


@rule("LAB042", Level.NOTE)
def tags_of_characters(data: DataFacts) -> Iterator[Problem]:
    """The tags belong to single characters, spaces among them (KLUE-NER), not to words.

    Why: with is_split_into_words each character is a word: subwords never form, and the tokenizer drops the spaces.
    Fix: join the characters to the sentence and align by offset_mapping, or join tags to words.
    """
    for split in _splits(data):
        tokens = [token for row in split.rows for token in row.tokens if isinstance(token, str)]
        if len(tokens) >= 20 and all(len(token) == 1 for token in tokens):
            spaces = sum(token.isspace() for token in tokens)
            found = f"the {number(len(tokens))} tokens of {split.name} are single characters"
            message = f"{found}, {number(spaces)} of them spaces: word alignment may fail"
            yield Problem(message, split.rows[0].where)


@rule("LAB043", Level.WARNING)
def blank_tokens(data: DataFacts) -> Iterator[Problem]:
    """Tokens are empty or hold only white space or invisible characters.

    Why: they give no subword, so that their tag is lost, and word_ids leaves a gap.
    Fix: remove them with their tags.
    """
    for split in _splits(data):
        tokens = [token for row in split.rows for token in row.tokens if isinstance(token, str)]
        if tokens and all(len(token) == 1 for token in tokens):
            continue  # tags of characters: spaces are meant
        hits = [
            row
            for row in split.rows
            if any(not isinstance(token, str) or not token.strip("\u200b\ufeff \t\r\n") for token in row.tokens)
        ]
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
