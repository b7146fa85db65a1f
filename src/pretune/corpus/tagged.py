"""Rows of tagged sentences: a token and its tag a line, a blank line between sentences (CoNLL, KLUE-NER).

Knows no scheme of tags.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pretune.corpus.row import Row
from pretune.corpus.text import lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pretune.corpus.text import Line

_TAG = re.compile(r"O|[BIESLUM]([-_].+)?")


def is_tagged(head: str) -> bool:
    """True when nine lines in ten end in a tag (`O`, `B-PER`) after a tab or a space, and not all are O."""
    rows = [row.rstrip("\r") for row in head.split("\n")[:-1][:400]]
    rows = [row for row in rows if row.strip() and not _comment(row)]
    tags = [_cut(row)[-1] for row in rows if len(_cut(row)) > 1]
    good = [tag for tag in tags if _TAG.fullmatch(tag)]
    return len(rows) >= 3 and len(good) >= 0.9 * len(rows) and any("-" in tag or "_" in tag for tag in good)


def read_tagged(path: Path, label: str) -> Iterator[Row]:
    """A row a sentence: `tokens`, `tags` and, after a `## name` line, `id`. Its place is its first token's line.

    Raises:
        UserError: what `lines` raises.
    """
    return rows_of(lines(path), label)


def rows_of(source: Iterable[Line], label: str) -> Iterator[Row]:
    """The sentences of these lines."""
    name = ""
    block: list[Line] = []
    for line in source:
        if not line.broken and not line.text.strip(" \r"):
            yield from _sentence(block, label, name)
            block, name = [], name if not block else ""
        elif not line.broken and _comment(line.text):
            name = line.text.lstrip("# ").partition("\t")[0]
        else:
            block.append(line)
    yield from _sentence(block, label, name)


def _sentence(block: list[Line], label: str, name: str) -> Iterator[Row]:
    if not block:
        return
    where = f"{label}:{block[0].number}"
    for line in block:
        if line.broken or len(_cut(line.text)) < 2:
            reason = line.broken or "no tag after the token"
            yield Row({}, f"{label}:{line.number}", broken=reason, lines=len(block))
            return
    cut = [_cut(line.text) for line in block]
    values: dict[str, object] = {"tokens": [fields[0] for fields in cut], "tags": [fields[-1] for fields in cut]}
    yield Row(values | ({"id": name} if name else {}), where, lines=len(block))


def _cut(text: str) -> list[str]:
    """The fields of a line; the token may itself be a space (KLUE-NER tags every character)."""
    return text.split("\t") if "\t" in text else text.split(" ")


def _comment(text: str) -> bool:
    return text.startswith(("## ", "# ", "-DOCSTART-"))
