"""The Korean messages: finds what the sources say, keeps pretune.po in step with it, and compiles pretune.mo.

`messages.py` renews both files and loses no translation; `--check` says what is missing or stale and changes nothing;
`merge FILE` takes translations from a file of JSON, msgid -> msgstr. Needs babel (extra dev).
"""

import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po
from messages_extract import PACKAGE, extract

FOLDER = PACKAGE / "core" / "locale" / "ko" / "LC_MESSAGES"
PO, MO = FOLDER / "pretune.po", FOLDER / "pretune.mo"
NO_MESSAGES = Path(__file__).with_name("messages_not.txt")
"""Texts that read as prose and that nobody is told: lists of names, code, patterns. One a line."""
WORDS = Path(__file__).with_name("messages_words.txt")
"""Single words of ours that stand at a place of a message; its translation marks the place: `{0!}`. One a line."""
OF_OTHERS = Path(__file__).with_name("messages_of_others.txt")
"""Texts that a library says and that are shown through ours (click's complaints). One a line."""


def listed(path: Path) -> list[str]:
    """The lines of a list, without comments."""
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("# ")]


def wanted() -> dict[str, tuple[list[str], str]]:
    """Every msgid that needs a translation: where it stands, and how the source reads there."""
    left_out = set(listed(NO_MESSAGES))
    found = {msgid: (one.places, one.source) for msgid, one in extract().items() if msgid not in left_out}
    elsewhere = {msgid: (["words"], "") for msgid in listed(WORDS)} | {
        msgid: (["others"], "") for msgid in listed(OF_OTHERS)
    }
    return found | {msgid: place for msgid, place in elsewhere.items() if msgid not in found}


def translations() -> dict[str, str]:
    """What is translated, msgid -> msgstr; fuzzy ones do not count."""
    with PO.open("rb") as file:
        known = read_po(file, locale="ko")
    return {str(one.id): str(one.string) for one in known if one.id and one.string and not one.fuzzy}


def written(messages: dict[str, tuple[list[str], str]], said: dict[str, str]) -> tuple[bytes, bytes]:
    """The .po, grouped by file, and the .mo with what is translated."""
    made = Catalog(locale="ko", project="pretune", header_comment="# Korean messages of pretune.", fuzzy=False)
    made.creation_date = made.revision_date = datetime(2026, 1, 1, tzinfo=UTC)  # the same bytes whenever it is written
    for msgid, (places, _) in messages.items():
        files = list(dict.fromkeys(place.partition(":")[0] for place in places))
        one = made.add(msgid, said.get(msgid, ""), locations=[(file, None) for file in files])
        one.flags.clear()
    po, mo = io.BytesIO(), io.BytesIO()
    write_po(po, made, width=0)
    write_mo(mo, made)
    return po.getvalue(), mo.getvalue()


def compiled() -> dict[str, str]:
    """What the .mo holds, msgid -> msgstr."""
    if not MO.is_file():
        return {}
    with MO.open("rb") as file:
        known = read_mo(file)
    return {str(one.id): str(one.string) for one in known if one.id and one.string}


def faults() -> list[str]:
    """What the sources say and the catalogue lacks, what it has too much, whether the .mo is another's; a line each."""
    said, messages = translations() if PO.is_file() else {}, wanted()
    found = [f"not translated: {msgid}" for msgid in messages if msgid not in said]
    found += [f"no longer said: {msgid}" for msgid in said if msgid not in messages]
    return found + ([] if compiled() == said else [f"stale: {MO.name}"])


def main(words: list[str]) -> int:
    """Renew the files, check them, or merge a file of translations."""
    if words[:1] == ["--check"]:
        found = faults()
        print("\n".join(found) or "pretune.po and pretune.mo are up to date")
        return 1 if found else 0
    said = translations() if PO.is_file() else {}
    if words[:1] == ["merge"]:
        for name in words[1:]:
            said |= {msgid: text for msgid, text in json.loads(Path(name).read_text(encoding="utf-8")).items() if text}
    messages = wanted()
    missing = [msgid for msgid in messages if msgid not in said]
    po, mo = written(messages, said)
    FOLDER.mkdir(parents=True, exist_ok=True)
    PO.write_bytes(po)
    MO.write_bytes(mo)
    print(f"{len(messages)} messages, {len(missing)} without a translation, {len(said.keys() - messages)} dropped")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
