"""TOK0: is the vocabulary file sound, and do the folder's vocabulary files agree?"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pretune.artifacts.vocabulary import is_sentencepiece
from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, places, shown, some

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pretune.check.facts.rows import RowFacts
    from pretune.check.facts.tokenizer import TokenizerFacts
    from pretune.check.finding import Rule


@rule("TOK004", Level.WARNING)
def vocabulary_files_disagree(tokenizer: TokenizerFacts) -> Iterator[Problem]:
    """Two vocabulary files of the same folder give different ids to tokens.

    Why: only the first one is read (tokenizer.json, where there is one); an edit of vocab.txt alone has no effect.
    Fix: edit both, or delete the stale one and save the tokenizer anew.
    """
    used = tokenizer.files.vocabulary
    if not tokenizer.files.cls.known or tokenizer.files.cls.reorders:
        return  # such a class may read both, or give a sentencepiece model's pieces other ids on purpose
    for other in tokenizer.files.other_vocabularies:
        if {used.kind, other.kind} <= {"WordPiece", "WordLevel"} or used.kind == other.kind:
            everything = tokenizer.ids  # a slow tokenizer's vocab.txt may list tokens that the fast one has as added
            differ = [t for t, index in other.ids.items() if everything.get(t, -1) != index and t]
            missing = [token for token in used.ids if token not in other.ids]
            if differ and not (is_sentencepiece(other.file) and _shifted_on_purpose(used.ids, other.ids)):
                yield Problem(
                    f"{other.file} gives {number(len(differ))} tokens another id or token than {used.file} "
                    f"({some(differ)}); only {used.file} is read"
                    + (f", {number(len(missing))} of its tokens are absent there" if missing else ""),
                    where=tokenizer.at(other.file),
                )


def _shifted_on_purpose(used: Mapping[str, int], other: Mapping[str, int]) -> bool:
    """Fairseq-style models (XLM-R, CamemBERT) shift a sentencepiece model's ids by a constant, and always did."""
    shared = [token for token in other if token in used][:2000]
    shifts = [used[token] - other[token] for token in shared]
    shift, often = Counter(shifts).most_common(1)[0] if shifts else (0, 0)
    return shift != 0 and often >= len(shifts) - max(5, 0.02 * len(shifts))  # but for special tokens


@rule("TOK005", Level.ERROR)
def blank_line_in_vocabulary(tokenizer: TokenizerFacts, rows: RowFacts) -> Iterator[Problem]:
    """vocab.txt has a blank line, which counts as a token: the ids after it may be shifted.

    Why: an editor's stray newline moves every following id by one; nothing notices, since all ids stay valid but the
    last.
    Fix: remove the line, if the vocabulary then has as many lines as the model has rows.
    """
    vocabulary = tokenizer.files.vocabulary
    for oddity in vocabulary.oddities:
        if oddity.kind == "blank-line":
            lines = vocabulary.largest_id + 1
            shifted = lines > rows.count
            yield Problem(
                f"{vocabulary.file} has {len(oddity.lines)} blank line(s), first at line {oddity.lines[0]}: "
                f"{number(lines)} lines against {number(rows.count)} embedding rows",
                where=f"{tokenizer.at()}:{oddity.lines[0]}",
                level=None if shifted else Level.NOTE,
            )


@rule("TOK006", Level.WARNING)
def duplicate_in_vocabulary(tokenizer: TokenizerFacts) -> Iterator[Problem]:
    """A token stands twice in the vocabulary: the earlier row can never be reached.

    Why: the file becomes a dictionary in which the last line wins; the trained row of the first is lost.
    Fix: give the duplicate line the token it was meant to be, e.g. [unusedN].
    """
    found = [oddity for oddity in tokenizer.files.vocabulary.oddities if oddity.kind == "duplicate"]
    if found:
        first = found[0]
        yield Problem(
            f"{number(len(found))} token(s) stand more than once: {shown(first.text)} at lines "
            f"{places(map(str, first.lines))}",
            where=f"{tokenizer.at()}:{first.lines[-1]}",
        )


RULES: tuple[Rule, ...] = (vocabulary_files_disagree, blank_line_in_vocabulary, duplicate_in_vocabulary)
