"""Allowances that stand beside the code: `# pretune: allow NAME -- reason`, read by Python's own tokenizer.

A comment behind code covers its whole statement (of a block its header), one alone on its line the next statement, and
`allow-file` the file, in a notebook all its cells. Without a reason it allows nothing and is a finding, as is one of an
unknown rule, and one that found nothing to allow. Opens no file.
"""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pretune.check.engine import NO_REASON, OF_THE_ENGINE, STALE, UNKNOWN
from pretune.check.finding import Finding
from pretune.check.report.place import place
from pretune.core.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from pretune.check.finding import Rule

_COMMENT = re.compile(r"#\s*pretune:\s*(?P<how>allow(?:-file)?)\b(?P<rest>.*)$")
_REASON = re.compile(r"\s+(?:--+|—|–)\s*")
_EMPTY = (tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one comment allows.

    Attributes:
        file: where it stands; `cell` from 1, None: no notebook; `line` and `column` from 1.
        names: the rules, by name or code, as written.
        reason: why; empty: none is given.
        first: the first line that it covers; 0: the whole file.
        last: the last one.
    """

    file: str
    cell: int | None
    line: int
    column: int
    names: tuple[str, ...]
    reason: str
    first: int
    last: int

    @property
    def where(self) -> str:
        """Its place, in the form of a finding's `where`."""
        cell = "" if self.cell is None else f"cell {self.cell}:"
        return f"{self.file}:{cell}{self.line}:{self.column}"

    def covers(self, file: str, cell: int | None, line: int) -> bool:
        """Whether it is about this line."""
        if file != self.file:
            return False
        return not self.first or (cell == self.cell and self.first <= line <= self.last)


def allowances(text: str, file: str, cell: int | None = None) -> Iterator[Allowance]:
    """The allowances in Python source, in order; as far as it can be read.

    Args:
        text: the source of a script or of a cell.
        file: its name.
        cell: the notebook's cell, from 1.
    """
    if "pretune:" not in text:  # nearly always, and tokenizing costs as much as parsing
        return
    waiting: list[tuple[tokenize.TokenInfo, re.Match[str]]] = []
    alone: list[tuple[tokenize.TokenInfo, re.Match[str]]] = []
    first = last = 0
    for token in _tokens(text):
        if token.type == tokenize.COMMENT:
            found = _COMMENT.search(token.string)
            if found and found["how"] == "allow-file":
                yield _allowance(token, found, file, cell, (0, 0))
            elif found:
                (waiting if first else alone).append((token, found))
        elif token.type in (tokenize.NEWLINE, tokenize.ENDMARKER):
            covered = (first, last or token.end[0])
            yield from (_allowance(token, found, file, cell, covered) for token, found in alone + waiting if first)
            if first or token.type == tokenize.ENDMARKER:
                rest = [] if first else alone  # at the end nothing follows: it covers its own line
                yield from (_allowance(one, found, file, cell, (one.start[0],) * 2) for one, found in rest)
                waiting, alone, first, last = [], [], 0, 0
        elif token.type not in _EMPTY:
            first = first or token.start[0]
            last = token.end[0]


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    try:
        yield from tokenize.generate_tokens(io.StringIO(text).readline)
    except (tokenize.TokenError, SyntaxError):  # whoever parses it says so
        return


def _allowance(
    token: tokenize.TokenInfo, found: re.Match[str], file: str, cell: int | None, covered: tuple[int, int]
) -> Allowance:
    names, *reason = _REASON.split(found["rest"], maxsplit=1)
    words = tuple(word for word in re.split(r"[\s,]+", names.strip().lstrip(":=")) if word)
    line, column = token.start
    return Allowance(file, cell, line, column + 1, words, reason[0].strip() if reason else "", *covered)


@dataclass(frozen=True, slots=True)
class Judged:
    """What comments make of findings.

    Attributes:
        findings: those that no comment allows, and those about the comments themselves.
        allowed: the others, with the reason given.
    """

    findings: tuple[Finding, ...]
    allowed: tuple[tuple[Finding, str], ...]


def judged(
    findings: Iterable[Finding],
    given: Sequence[Allowance],
    *,
    rules: Collection[Rule],
    asked: Collection[str],
) -> Judged:
    """Apply the allowances.

    Args:
        findings: what was found.
        given: the allowances of all the files that the findings may be about.
        rules: every rule, for their names.
        asked: names of the rules that were asked; only an allowance of one of these can be stale.
    """
    names = {rule.name: rule.name for rule in rules} | {rule.code: rule.name for rule in rules}
    used: set[tuple[Allowance, str]] = set()
    left: list[Finding] = []
    allowed: list[tuple[Finding, str]] = []
    for finding in findings:
        at = place(finding.where)
        found = [
            (allowance, name)
            for allowance in given
            if at.line and allowance.covers(at.file, at.cell, at.line)
            for name in allowance.names
            if _name(name, names) == finding.name
        ]
        used.update(found)
        reason = next((allowance.reason for allowance, _ in found if allowance.reason), "")
        if reason:
            allowed.append((finding, reason))
        else:
            left.append(finding)
    for allowance in given:
        left += _about(allowance, names, {name for one, name in used if one == allowance}, asked)
    return Judged(tuple(left), tuple(allowed))


def _name(word: str, names: dict[str, str]) -> str:
    """The name of the rule that a word means; empty where none is."""
    return names.get(word) or names.get(word.upper()) or names.get(word.lower().replace("_", "-"), "")


def _about(
    allowance: Allowance, names: dict[str, str], used: Collection[str], asked: Collection[str]
) -> Iterator[Finding]:
    """What is wrong with an allowance itself."""
    if not allowance.names:
        yield _finding(UNKNOWN, allowance, "the comment names no rule", "# pretune: allow RULE -- why it is fine here")
    for word in allowance.names:
        name = _name(word, names)
        if not name:
            near = did_you_mean(word.lower().replace("_", "-"), names)
            yield _finding(
                UNKNOWN, allowance, f'no rule is called "{word}"', near or "`pretune check --list` shows all"
            )
        elif word not in used and name in asked:
            yield _finding(STALE, allowance, f"{word} is allowed but found nothing here", "remove the comment")
        elif not allowance.reason:
            told = f"# pretune: allow {word} -- why it is fine here"
            yield _finding(NO_REASON, allowance, f"{word} is allowed without a reason, so it is not allowed", told)


def _finding(code: str, allowance: Allowance, message: str, help_: str) -> Finding:
    _, name, _, level = next(each for each in OF_THE_ENGINE if each[0] == code)
    return Finding(code, name, level, message, allowance.where, help_)
