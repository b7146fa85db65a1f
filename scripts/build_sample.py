"""Build the demo's reading-comprehension sample from the marked-up texts in scripts/sample.

    python scripts/build_sample.py           writes train.json, dev.json, planted.json and planted.md
    python scripts/build_sample.py --check   writes nothing, exits 1 where a packaged file is stale

A source file holds paragraphs in this form; the sentences are joined by one space:

    ## ko-01 train | title
    A sentence.
    Another sentence.
    ? a question
    = the answer, as it stands in the paragraph
    = another accepted answer @2       (its second occurrence)

An answer that does not occur, or occurs more than once and has no number, stops the build: no offset is guessed.
It does not know whether an answer is true; people read that. The planted mistakes are in plant_mistakes.py.
"""

import json
import re
import sys
import unicodedata
from pathlib import Path
from typing import Any

import plant_mistakes

SOURCES = Path(__file__).parent / "sample"
PACKAGED = Path(__file__).parents[1] / "src" / "pretune" / "demo" / "sample"
HEADING = re.compile(r"## (?P<id>[a-z]+-\d+) (?P<split>train|dev) \| (?P<title>.+)")
OCCURRENCE = re.compile(r"(?P<text>.+) @(?P<number>[1-9])")


def occurrences(text: str, part: str) -> list[int]:
    """Every place, in code points, where `part` stands in `text`; overlapping ones too."""
    return [start for start in range(len(text)) if text.startswith(part, start)]


def locate(context: str, marked: str, where: str) -> dict[str, Any]:
    """One SQuAD answer for `marked` ("text" or "text @2").

    Raises:
        ValueError: the text does not occur, or occurs more than once and no number says which, or the number is idle.
    """
    match = OCCURRENCE.fullmatch(marked)
    text, number = (match["text"], int(match["number"])) if match else (marked, 0)
    starts = occurrences(context, text)
    if not starts:
        raise ValueError(f"{where}: the answer {text!r} does not occur in its paragraph")
    if number == 0 and len(starts) > 1:
        raise ValueError(f"{where}: the answer {text!r} occurs {len(starts)} times; say which, as in {text!r} @2")
    if number > len(starts) or (number and len(starts) == 1):
        raise ValueError(f"{where}: the answer {text!r} occurs {len(starts)} times, occurrence {number} was asked for")
    return {"text": text, "answer_start": starts[max(number, 1) - 1]}


def read_paragraph(block: list[str]) -> tuple[str, dict[str, Any]]:
    """(split, article) from the lines of one block; an article holds exactly one paragraph.

    Raises:
        ValueError: the heading or the order of the lines is not as the form says.
    """
    heading = HEADING.fullmatch(block[0])
    if heading is None:
        raise ValueError(f"not a heading: {block[0]!r}")
    body = [line for line in block[1:] if not line.startswith(("? ", "= "))]
    marks = block[1 + len(body) :]
    if block[1 : 1 + len(body)] != body:
        raise ValueError(f"{heading['id']}: sentences stand before questions")
    context = " ".join(body)
    questions: list[dict[str, Any]] = []
    for line in marks:
        if line.startswith("? "):
            identity = f"{heading['id']}-{len(questions) + 1}"
            questions.append({"id": identity, "question": line[2:], "answers": []})
        else:
            questions[-1]["answers"].append(locate(context, line[2:], questions[-1]["id"]))
    if not all(question["answers"] for question in questions):
        raise ValueError(f"{heading['id']}: a question has no answer")
    return heading["split"], {"title": heading["title"], "paragraphs": [{"context": context, "qas": questions}]}


def read_sources(folder: Path = SOURCES) -> dict[str, list[dict[str, Any]]]:
    """{"train": articles, "dev": articles} from all source files, in their order."""
    splits: dict[str, list[dict[str, Any]]] = {"train": [], "dev": []}
    for name in ("korean_notices.txt", "korean_facts.txt", "english.txt"):
        text = (folder / name).read_text(encoding="utf-8")
        if not unicodedata.is_normalized("NFC", text):
            raise ValueError(f"{name}: not in NFC")
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("# ")]
        starts = [number for number, line in enumerate(lines) if line.startswith("## ")]
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            split, article = read_paragraph(lines[start:end])
            splits[split].append(article)
    return splits


def as_json(articles: list[dict[str, Any]]) -> str:
    """SQuAD 1.1 json, one space a level so that a change shows as one line."""
    return json.dumps({"version": "pretune-sample-1", "data": articles}, ensure_ascii=False, indent=1) + "\n"


def build() -> dict[str, str]:
    """File name -> content of everything that is generated."""
    splits = read_sources()
    articles, notes = plant_mistakes.plant(splits["train"], splits["dev"])
    return {
        "train.json": as_json(splits["train"]),
        "dev.json": as_json(splits["dev"]),
        "planted.json": as_json(articles),
        "planted.md": notes,
    }


def stale(files: dict[str, str], folder: Path = PACKAGED) -> list[str]:
    """Names of the packaged files that differ from what the sources say."""
    return [
        name
        for name, content in files.items()
        if not (folder / name).is_file() or (folder / name).read_bytes() != content.encode()
    ]


def main(arguments: list[str]) -> int:
    """Write or, with --check, compare; the exit code."""
    files = build()
    outdated = stale(files)
    for name in outdated:
        if "--check" in arguments:
            print(f"{name} is stale: run python scripts/build_sample.py", file=sys.stderr)
        else:
            (PACKAGED / name).write_bytes(files[name].encode())
            print(f"wrote {PACKAGED / name}", file=sys.stderr)
    return 1 if outdated and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
