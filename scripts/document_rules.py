"""Writes docs/rules, a page a rule in English and in Korean, and the rules' index.json.

`--check` fails when one is stale.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from pretune.check.report.rule_page import index_page, page
from pretune.check.rules import INDEX, index, written_rules
from pretune.core.translation import translated

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "rules"


def pages() -> dict[str, str]:
    """File name -> what it should hold."""
    rules = tuple(written_rules())
    found: dict[str, str] = {}
    languages: dict[str, Callable[[str], str]] = {"": str, "ko/": translated}
    for folder, said in languages.items():
        found[f"{folder}index.md"] = index_page(rules, said)
        found |= {f"{folder}{rule.name}.md": page(rule, said) for rule in rules}
    return found


def stale(folder: Path) -> list[str]:
    """The names of pages that are missing, differ, or belong to no rule any more."""
    wanted = pages()
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*.md")}
    differ = {name for name in there & set(wanted) if (folder / name).read_text(encoding="utf-8") != wanted[name]}
    return sorted((there ^ set(wanted)) | differ)


def main() -> int:
    """Write the pages, or with `--check` name the stale ones."""
    out_of_date = stale(FOLDER)
    if not INDEX.is_file() or INDEX.read_text(encoding="utf-8") != index():
        out_of_date.append(INDEX.name)
    if "--check" in sys.argv[1:]:
        print("\n".join(out_of_date) or "docs/rules is up to date")
        return 1 if out_of_date else 0
    (FOLDER / "ko").mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for name in out_of_date:
        if name == INDEX.name:
            INDEX.write_text(index(), encoding="utf-8", newline="\n")
        elif name in wanted:
            (FOLDER / name).write_text(wanted[name], encoding="utf-8", newline="\n")
        else:
            (FOLDER / name).unlink()
    print(f"{len(out_of_date)} of {len(wanted)} pages written or removed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
