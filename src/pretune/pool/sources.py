"""What the user names as sentences, as the corpus readers take it: source_of, Source. Opens no file.

A list of tuples becomes rows with numbered columns, as a table without a header has them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.corpus.standard_input import STDIN
from pretune.pool.columns import ROLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

A_LIST = "a list"
WORDS_OF_A_SENTENCE = 5
"""So many words on average make sentences; classes of that many are rare."""
LETTERS_OF_A_SENTENCE = 40
"""The same for writing without blanks between words."""
WORDS_BEYOND_A_CLASS = 2.5
"""The same where no two of them are alike, which classes are not."""
DATA = frozenset(".txt .jsonl .json .csv .tsv .parquet .arrow .gz .zst .zstd .ndjson .feather".split())
"""Extensions by which a name in a list is a file's even where there is no such file."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is read.

    Attributes:
        named: what corpus.inputs.expand takes.
        called: what people see it called.
        columns: role -> column; those that the user gave, and those that tuples have.
        notes: what was decided on the way, a sentence each.
    """

    named: tuple[Any, ...]
    called: str
    columns: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def source_of(named: Any, columns: Mapping[str, Any], *, scored_elsewhere: bool = False) -> Source:
    """What the user named, with a name that people can read.

    Args:
        named: a file, a folder, a pattern, `-`, an object, or a list of files, sentences, tuples or mappings.
        columns: role -> column, as the user says; of tuples the place, from 0.
        scored_elsewhere: whether scores come in a file of their own.

    Raises:
        UserError: tuples of several sizes, or tuples of which nobody can say what they hold.
    """
    if isinstance(named, str) or hasattr(named, "__fspath__"):
        return Source((named,), _called(named), columns)
    if not isinstance(named, (list, tuple)):
        return Source((named,), type(named).__name__, columns)
    if named and all(isinstance(one, (list, tuple)) for one in named):
        return _tuples(named, columns, scored_elsewhere=scored_elsewhere)
    files = [one for one in named if isinstance(one, str) or hasattr(one, "__fspath__")]
    if len(files) < len(named) or not named:
        return Source((list(named),), A_LIST, columns)
    if any(isinstance(one, str) and is_sentence(one) for one in files):
        return Source(([{"text": str(one)} for one in files],), A_LIST, columns)
    return Source(tuple(files), ", ".join(map(_called, files)), columns)


def is_sentence(one: str) -> bool:
    """Whether a string of a list is a sentence and no file: there is no such file, and it does not look like one."""
    try:
        path = Path(one).expanduser()
        if one == "-" or "://" in one or (one and path.exists()):
            return False
    except (OSError, ValueError, RuntimeError):  # too long for a name, a NUL in it, a home that nobody has
        return True
    data = path.suffix.lower() in DATA
    if " " in one or not one:
        return not data
    pattern = "*" in one or (any(mark in one for mark in "?[") and ("/" in one or data))
    return not pattern and not re.fullmatch(r"\.\w{1,8}", path.suffix)


def _called(name: Any) -> str:
    return STDIN if str(name) == "-" else str(name)


def _tuples(tuples: Sequence[Sequence[Any]], columns: Mapping[str, Any], *, scored_elsewhere: bool) -> Source:
    """Tuples of (sentence, sentence, score), (sentence, sentence) or (sentence, class)."""
    sizes = sorted({len(one) for one in tuples})
    if sizes not in ([2], [3]):
        raise UserError(
            f"a list holds tuples of {' and '.join(map(str, sizes))} things",
            hint="(sentence, sentence, score), (sentence, sentence) or (sentence, class)",
        )
    places = [str(place) for place in range(sizes[0])]
    asked = _asked(columns, places)
    notes: tuple[str, ...] = ()
    if len(places) == 3 or scored_elsewhere or {"text_pair", "score"} & asked.keys():
        roles: tuple[str, ...] = ("text", "text_pair", "score")
    elif "label" in asked or _are_classes([one[1] for one in tuples]):
        roles = ("text", "label")
    else:
        roles = ("text", "text_pair")
        notes = ("tuples of two strings were taken for two sentences each, as the second hardly repeats",)
    free = [place for place in places if place not in asked.values()]
    for role in roles:
        if role not in asked and free:
            asked[role] = free.pop(0)
    return Source(([dict(zip(places, one, strict=True)) for one in tuples],), A_LIST, asked, notes)


def _asked(columns: Mapping[str, Any], places: Sequence[str]) -> dict[str, str]:
    """The places of a tuple that the user named, by role."""
    found: dict[str, str] = {}
    for role, place in columns.items():
        if str(place) not in places:
            raise UserError(
                f'the columns of tuples are {", ".join(places)}, found "{place}"',
                hint='columns={"sentence1": 0, "sentence2": 1} or columns={"text": 0, "label": 1}',
            )
        found[ROLES.get(role, role)] = str(place)
    return found


def _are_classes(seconds: Sequence[Any]) -> bool:
    """Whether the second things of tuples are classes and no sentences: by repetition, and by length.

    Raises:
        UserError: sentences that repeat, or words that do not: the user has to say.
    """
    if not all(isinstance(one, str) for one in seconds):
        return True
    different = set(seconds)
    repeated = len(different) <= len(seconds) / 2
    words = sum(len(one.split()) for one in different) / len(different)
    letters = sum(map(len, different)) / len(different)
    long = words >= (WORDS_OF_A_SENTENCE if repeated else WORDS_BEYOND_A_CLASS) or letters >= LETTERS_OF_A_SENTENCE
    if repeated != long:
        return repeated
    raise UserError(
        f"a list of tuples of two strings: the second, {len(different):,} different in {len(seconds):,}, "
        "may be classes or sentences",
        hint='columns={"text": 0, "label": 1} or columns={"sentence1": 0, "sentence2": 1}',
    )
