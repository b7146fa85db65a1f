"""An Analysis in a terminal or a pipe, as lines of styled pieces: lines, compared. Numbers always stand; colour adds.

The heat map first, below it the highest choices beside the baselines, then the verdict in words, then what is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.core.language import say
from pretune.draw import heat as heat_lines
from pretune.draw import terminal
from pretune.draw.table import Cell, table
from pretune.draw.visible import one_line
from pretune.pool.grid import (
    decimal,
    grids,
    listing,
    named,
    padding_table,
    recommended,
    share_grid,
    span,
    token_tables,
)
from pretune.pool.words import statements, subject

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pretune.draw.page import Statement
    from pretune.draw.table import Table
    from pretune.draw.terminal import Piece
    from pretune.pool.analysis import Analysis
    from pretune.pool.faults import Fault


def lines(found: Analysis, width: int | None = None) -> Iterator[list[Piece]]:
    """All that is said of one model.

    Args:
        found: what was found.
        width: columns that there are; None: a sentence is a line.
    """
    yield from _folded([(say(subject(found)), "heading")], width)
    for one in grids(found):
        yield []
        yield from heat_lines.lines(one, width)
    yield from _listed(found, width)
    yield []
    for statement in statements(found):
        yield from _statement(statement, width)
    yield from _faults(found.faults, width)
    shares = share_grid(found)
    if shares is not None:
        yield []
        yield from heat_lines.lines(shares, width)
        yield from _folded([(say(gain(found)), "")], width) if gain(found) else ()
    padding = padding_table(found)
    for each in (*(() if padding is None else (padding,)), *token_tables(found.tokens)):
        yield []
        yield from terminal.lines(each, width)
    if found.notes:
        yield []
    for note in found.notes:
        yield from _folded([(say("remark: "), "dim"), (say(note), "")], width)


def text(found: Analysis) -> str:
    """The same as plain text, each sentence on a line."""
    return "".join("".join(piece for piece, _ in line).rstrip() + "\n" for line in lines(found))


def compared(analyses: Sequence[Analysis]) -> Table:
    """Several models side by side: of each the default, the highest choice, what to use, and the highest baseline."""
    rows: list[Sequence[str | Cell]] = []
    for found in analyses:
        verdict = found.verdict
        if verdict is None:
            rows.append((found.model, named(found.default), "", "", "", ""))
            continue
        default, best = verdict.intervals[verdict.default], verdict.intervals[verdict.best]
        below = verdict.below_random is not None and verdict.below_random.high < 0
        rows.append(
            (
                found.model,
                named(verdict.choices[verdict.default]),
                Cell(f"{decimal(default.value)} ({span(default)})", "bad" if below else ""),
                named(recommended(found)),
                f"{decimal(verdict.intervals[verdict.recommended].value)}",
                decimal(best.value),
            )
        )
    headings = ("model", "default", "95 %", "to use", "score", "highest")
    return table("Side by side", headings, rows, note="the same sentences for each; their differences are not tested")


def gain(found: Analysis) -> str:
    """The layer that gains most by leaving kinds of tokens out, in a sentence; empty where none gains 0.01."""
    gains = {layer: one.best_score - one.whole for layer, one in found.shares.items()}
    if not gains:
        return ""
    layer = max(gains, key=lambda one: gains[one])
    if not gains[layer] >= 0.01:
        return ""
    one = found.shares[layer]
    kinds = " + ".join(map(say, one.best))
    return (
        f"layer {layer}: {kinds} alone score {decimal(one.best_score)}, all kinds {decimal(one.whole)} "
        "(chosen by the pairs that score it)"
    )


def _listed(found: Analysis, width: int | None) -> Iterator[list[Piece]]:
    """The highest choices in the fullest form that fits."""
    listed = None
    for gaps in ("full", "span", "none"):
        listed = listing(found, gaps=gaps)
        if listed is None:
            return
        if width is None or max(len(line) for line in terminal.text(listed).split("\n")) <= width:
            break
    if listed is not None:
        yield []
        yield from terminal.lines(listed, width)


def _statement(statement: Statement, width: int | None) -> Iterator[list[Piece]]:
    tone = statement.tone if statement.tone in ("good", "warn", "bad") else "name"
    yield from _folded([(say(statement.head), "error" if tone == "bad" else tone), (say(statement.tail), "")], width)


def _faults(faults: Sequence[Fault], width: int | None) -> Iterator[list[Piece]]:
    """What is wrong, as `pretune check` shows its findings: level, name, message, way out."""
    before = ""
    for fault in faults:
        same = sum(one.level == fault.level for one in faults)
        yield []
        if fault.level != before:
            yield [(say(fault.level + ("s" if same > 1 else "")), fault.level)]
            yield []
        before = fault.level
        yield [(fault.name, "name")]
        yield from _folded([(say(fault.message), "")], width, indent=2)
        if fault.fix:
            yield from _folded([(say("fix: "), "fix"), (say(fault.fix), "")], width, indent=2)


def _folded(pieces: Sequence[Piece], width: int | None, *, indent: int = 0) -> Iterator[list[Piece]]:
    """Styled words in lines that fit, all set in alike."""
    words = [(_safe(piece), style) for piece, style in pieces if piece]
    whole = "".join(piece for piece, _ in words)
    blank: list[Piece] = [(" " * indent, "")] if indent else []
    if width is None:
        yield [*blank, *words]
        return
    styles = [style for piece, style in words for _ in piece]
    at = 0
    for part in terminal.folded(whole, max(width - indent, 8)):
        at = whole.index(part, at)
        line: list[Piece] = []
        for char, style in zip(part, styles[at : at + len(part)], strict=True):
            if line and line[-1][1] == style:
                line[-1] = (line[-1][0] + char, style)
            else:
                line.append((char, style))
        yield [*blank, *line]
        at += len(part)


def _safe(piece: str) -> str:
    """The words on one line with nothing invisible in them; blanks at the ends stay."""
    front = " " if piece[:1].isspace() else ""
    back = " " if piece[-1:].isspace() and piece.strip() else ""
    return front + one_line(piece) + back
