"""Every fenced block of README and docs, and what of them no test runs, each with a reason. Runs nothing itself.

`NOT_RUN` is what the players of pages leave out, so what is not named there is run by them; test_inventory.py asks
that every block has a player.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
FENCE = re.compile(r"^( *)(```+|~~~+)([^\n`]*)\n(.*?)^\1\2[ \t]*$", re.DOTALL | re.MULTILINE)

_FRESH = "needs a package index; `make fresh` follows the page's first commands in an empty environment"
_DEMO = "tests/demo/test_demo.py runs it, in a folder of its own; here the folder is made without its scenes"
NOT_RUN: dict[str, dict[str, str]] = {
    "README.md": {
        "pip install": _FRESH,
        "pretune demo --keep": _DEMO,
        "pretune demo": f"a minute and a half; {_FRESH}",
    },
    "docs/mission.md": {"pretune demo": _DEMO},
    "docs/mission.ko.md": {"pretune demo": _DEMO},
    "docs/github-action.md": {"pip install": "needs a package index; `make fresh` installs in the same way"},
    "docs/add-a-rule.md": {"make lint": "sets an environment up; ruff, its first step, is run on the new files"},
    "docs/decisions/0001-unknown-thresholds.md": {
        "python bench/unknown_words.py": "measures for minutes, on tokenizers and data that are not in the repository"
    },
}
"""Page -> the beginning of a command or block -> why no test runs it."""


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: its page below the repository, the line it begins in, its language and its text."""

    page: str
    line: int
    kind: str
    body: str

    @property
    def commands(self) -> tuple[str, ...]:
        """What is typed, of a block that shows it."""
        if self.kind == "console":
            return tuple(re.findall(r"^\$ (.*)$", self.body, re.MULTILINE))
        if self.kind in ("bash", "zsh", "fish"):
            return tuple(line for line in self.body.splitlines() if line.strip() and not line.startswith("#"))
        return ()

    @property
    def beginning(self) -> str:
        """Its first line that says something."""
        return next((line.strip() for line in self.body.splitlines() if line.strip()), "")


def pages() -> list[Path]:
    """README in both languages, CONTRIBUTING and everything below docs, but the pages that are made from the rules."""
    below = [path for path in DOCS.rglob("*.md") if path.relative_to(DOCS).parts[0] != "rules"]
    return sorted([*ROOT.glob("README*.md"), ROOT / "CONTRIBUTING.md", *below])


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in their order."""
    text = page.read_text("utf-8")
    for found in FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(page.relative_to(ROOT).as_posix(), line, found[3].strip(), found[4])


def left_out(page: Path) -> tuple[str, ...]:
    """Beginnings of what a player of this page does not run."""
    return tuple(NOT_RUN.get(page.relative_to(ROOT).as_posix(), ()))
