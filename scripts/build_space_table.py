"""Write src/kernel/space_table.h: where texts may not be cut, marks and white space, as corpus/cut.py has them.

    python scripts/build_space_table.py

polars is asked of every code point, so the table says what the cut in polars does;
tests/corpus/test_kernel.py asks again.
"""

from itertools import groupby
from pathlib import Path

import polars as pl

from pretune.corpus.cut import MARK, SPACE_LIKE

OUT = Path(__file__).resolve().parent.parent / "src" / "kernel" / "space_table.h"
HEAD = """\
/* Code points behind which no text is cut (1), marks (2) and white space (4), as ranges. Made by
   scripts/build_space_table.py from corpus/cut.py; do not edit. */
#ifndef PRETUNE_SPACE_TABLE_H
#define PRETUNE_SPACE_TABLE_H

#include <stdint.h>

static const struct {
    uint32_t first, last;
    uint8_t kind;
} SPACE_TABLE[] = {
"""
TAIL = "};\n\n#endif\n"
PATTERNS = {1: f"[{SPACE_LIKE}]", 2: MARK, 4: r"\s"}


def ranges() -> list[tuple[int, int, int]]:
    """(first, last, kind) of all three kinds."""
    points = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]
    characters = pl.Series(map(chr, points), dtype=pl.String)
    found = []
    for kind, pattern in PATTERNS.items():
        chosen = [points[at] for at in characters.str.contains(pattern).arg_true().to_list()]
        for _, run in groupby(enumerate(chosen), lambda pair: pair[1] - pair[0]):
            several = [point for _, point in run]
            found.append((several[0], several[-1], kind))
    return found


def main() -> None:
    """Write the table, four ranges a line."""
    rows = [f"{{0x{first:X}, 0x{last:X}, {kind}}}," for first, last, kind in ranges()]
    lines = ["    " + " ".join(rows[at : at + 4]) + "\n" for at in range(0, len(rows), 4)]
    OUT.write_text(HEAD + "".join(lines) + TAIL, encoding="utf-8")
    print(f"{len(rows)} ranges")


if __name__ == "__main__":
    main()
