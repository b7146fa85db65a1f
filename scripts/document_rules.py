"""Writes docs/rules, a page a rule, and the rules' index.json from the modules. `--check` fails when one is stale."""

import sys
from pathlib import Path

from pretune.check.report.rule_page import index_page, page
from pretune.check.rules import INDEX, index, written_rules

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "rules"


def pages() -> dict[str, str]:
    """File name -> what it should hold."""
    rules = tuple(written_rules())
    return {"index.md": index_page(rules), **{f"{rule.name}.md": page(rule) for rule in rules}}


def stale(folder: Path) -> list[str]:
    """The names of pages that are missing, differ, or belong to no rule any more."""
    wanted = pages()
    there = {path.name for path in folder.glob("*.md")}
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
    FOLDER.mkdir(parents=True, exist_ok=True)
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
