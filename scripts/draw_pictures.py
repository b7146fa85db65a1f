"""Draws the pictures of README: a terminal as SVG, the top of a report as PNG. It needs the extra `demo` and chromium.

python scripts/draw_pictures.py
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import chdir
from pathlib import Path

from rich.console import Console
from rich.text import Text

from pretune.demo import story

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "pictures"
SHOWN = "pretune check korean-roberta --tokenizer korean-bert --config-update num_attention_heads=8"
WIDTH = 96
REPORT = (
    "check korean-bert --task question-answering --train planted.json --eval dev.json"
    " --tokenizer korean-bert --tokenizer all-MiniLM-L6-v2 --html report.html"
)
SIZE = (1100, 1250)
"""Pixels of the report's picture."""


def pretune(words: str, **environment: str) -> str:
    """What a command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "pretune", *words.split()],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    return done.stdout


def terminal(target: Path) -> None:
    """A command and its report, as a terminal shows them."""
    printed = pretune(SHOWN.removeprefix("pretune "), FORCE_COLOR="1", COLUMNS=str(WIDTH))
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - no path of a file
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True, color_system="truecolor")
        console.print(Text.from_ansi(f"$ {SHOWN}\n\n{printed}"))
    drawn = console.export_svg(title="pretune", unique_id="pretune")
    drawn = re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL)  # fetched from elsewhere; any monospace will do
    target.write_text(re.sub(r"[ \t]+\n", "\n", drawn), encoding="utf-8")


def report(target: Path) -> None:
    """The top of a page, as a browser shows it."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("no chromium")
    pretune(REPORT)
    subprocess.run(
        [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--window-size={},{}".format(*SIZE),
            f"--screenshot={target}",
            Path("report.html").resolve().as_uri(),
        ],
        check=True,
        capture_output=True,
    )


def main() -> None:
    """Draw both."""
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        story.scenes()
        terminal(OUT / "terminal.svg")
        report(OUT / "report.png")


if __name__ == "__main__":
    main()
