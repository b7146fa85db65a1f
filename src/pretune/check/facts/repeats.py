"""Rows of a sample that repeat: within a split, with other labels, from one split to the other. Exact, in memory.

Texts are compared as written, and again without what readers do not see. The same for all rows of a corpus is done by
row_hashes.py. Knows nothing of near-duplicates.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import TYPE_CHECKING

from pretune.check.facts.answer_tests import folded_widely
from pretune.check.facts.hits import KEPT, LONGEST_SAID, Hit, Hits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pretune.corpus.example import Example
    from pretune.corpus.shape import Shape

NATURAL = 15
"""Characters, folded, up to which a text may repeat by chance (`굿`, `재밌어요`)."""

Key = tuple[str, ...]


def key_of(example: Example) -> Key:
    """What makes two rows the same input, as written: their texts without the label. Empty when there is no text.

    The messages of a chat are joined by line ends, as in a `Block`.
    """
    texts = [text for role, text in example.texts if role != "messages"]
    if example.messages:
        texts.append("\n".join(message["content"] for message in example.messages))
    return tuple(texts) if any(text.strip() for text in texts) else ()


def folded(key: Key) -> Key:
    """The key without what readers do not see: Unicode form, case, white space."""
    return tuple(map(folded_text, key))


def folded_text(text: str) -> str:
    """A text without Unicode form, case and white space."""
    return "".join(unicodedata.normalize("NFC", text).casefold().split())


def besides(row: Example) -> str:
    """What else a row says, by which it is another one: label, score, tags and answers."""
    return repr((_label(row), row.score, row.tags, row.answers))


def _label(row: Example) -> str:
    """A label as it is told from others: True is 1, but "1" and 1.0 are not."""
    return repr(int(row.label) if isinstance(row.label, bool) else row.label)


def repeats_of(rows: Sequence[Example], shape: Shape) -> dict[str, Hits]:
    """What repeats within a split.

    Args:
        rows: its rows, with their labels as they count.
        shape: what they are.

    Returns:
        keyed (rows with text), top (rows with the most frequent text; says it), copies (rows that repeat an earlier
        one, label and all), conflicts (rows whose text has another label elsewhere; says a text; `total`: how many
        texts), ids (rows with the id of an earlier one; says it).
    """
    keys = [(row, key) for row in rows if (key := key_of(row))]
    found = {"keyed": Hits(len(keys))}
    if keys:
        top = Counter(key for _, key in keys).most_common(1)[0][0]
        found["top"] = hits_of((row.where for row, key in keys if key == top), (" / ".join(top),))
    found["copies"] = hits_of(_copies(rows))
    if shape in {"classification", "pair"}:
        found["conflicts"] = _conflicts(keys)
    if shape == "squad":
        again = _same_ids(rows)
        found["ids"] = hits_of((row.where for row in again), (again[0].id or "",) if again else ())
    return {name: hits for name, hits in found.items() if hits}


def _same_ids(rows: Sequence[Example]) -> list[Example]:
    seen: set[str] = set()
    again = []
    for row in rows:
        if row.id is not None and row.id in seen:
            again.append(row)
        seen.add(row.id or "")
    return again


def _copies(rows: Sequence[Example]) -> Iterable[str]:
    seen: set[tuple[Key, str]] = set()
    for row in rows:
        key = key_of(row)
        whole = (key, besides(row))
        if len("".join(key)) > NATURAL and whole in seen:
            yield row.where
        seen.add(whole)


def _conflicts(keys: Sequence[tuple[Example, Key]]) -> Hits:
    by_key: dict[Key, list[Example]] = {}
    for row, key in keys:
        if row.label is not None:
            by_key.setdefault(folded(key), []).append(row)
    groups = [rows for rows in by_key.values() if len({_label(row) for row in rows}) > 1]
    said = (groups[0][0].text or "",) if groups else ()
    return hits_of((row.where for rows in groups for row in rows), said, total=len(groups))


def leaks_of(train: Sequence[Example], evaluation: Sequence[Example]) -> dict[str, Hits]:
    """What of the evaluation rows stands in the training rows.

    Returns:
        leaks (rows whose text train has; the kinds `disguised`: only when folded, `long`: too long to repeat by
        chance), contexts (rows whose context train has).
    """
    exact = {key for row in train if (key := key_of(row))}
    loose = {folded(key) for key in exact}
    hits = [(row, key) for row in evaluation if (key := key_of(row)) and folded(key) in loose]
    kinds = {
        "disguised": sum(key not in exact for _, key in hits),
        "long": sum(len("".join(folded(key))) > NATURAL for _, key in hits),
    }
    known = {folded_widely(row.context) for row in train if row.context}
    about = [row.where for row in evaluation if row.context and folded_widely(row.context) in known]
    found = {"leaks": hits_of((row.where for row, _ in hits), kinds=kinds), "contexts": hits_of(about)}
    return {name: hits for name, hits in found.items() if hits}


def hits_of(
    places: Iterable[str], said: tuple[str, ...] = (), *, kinds: Mapping[str, int] | None = None, total: int = 0
) -> Hits:
    """Hits of known places; the first one speaks."""
    where = list(places)
    cut = tuple(text[:LONGEST_SAID] for text in said)
    first = tuple(Hit(place, cut if at == 0 else ()) for at, place in enumerate(where[:KEPT]))
    return Hits(len(where), first, kinds or {}, total)
