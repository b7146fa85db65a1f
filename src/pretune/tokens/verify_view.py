"""A folder as `tokens verify` looks at it: View, Case, look. Reads files when they are asked for; judges nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pretune.artifacts.config import read_config
from pretune.artifacts.pipeline import as_class, class_spec, load
from pretune.artifacts.source import locate
from pretune.artifacts.spare_names import is_spare_name
from pretune.artifacts.tokenizer import read_tokenizer
from pretune.artifacts.weights import read_weights
from pretune.core.errors import UserError
from pretune.tokens.inner_folder import inner_folder
from pretune.tokens.readable import in_line
from pretune.tokens.slots import is_marker, is_sentinel
from pretune.tokens.swap import MARK
from pretune.tokens.tables import find_tables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    import tokenizers

    from pretune.artifacts.added_tokens import AddedToken
    from pretune.artifacts.config import Config
    from pretune.artifacts.source import Source
    from pretune.artifacts.tokenizer import Tokenizer
    from pretune.tokens.tables import IdTables

_IN_WORDS = frozenset("-_'’.&+/# ")
"""What may stand in a word beside letters and digits."""


@dataclass(frozen=True)
class View:
    """A folder.

    Attributes:
        whole: the folder that was named.
        source: where the transformer lies in it.
        tokenizer: as transformers makes it.
        config: config.json; None without one.
        tables: embedding and head; None without weights, or where they cannot be told.
        trouble: why they cannot be told.
        record: what pretune wrote of its own additions; empty without it.
    """

    whole: Source
    source: Source
    tokenizer: Tokenizer
    config: Config | None = None
    tables: IdTables | None = None
    trouble: str = ""
    record: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def encoder(self) -> tokenizers.Tokenizer:
        """As transformers builds it."""
        return as_class(self.tokenizer)

    @cached_property
    def spec(self) -> Mapping[str, Any]:
        """The tokenizer in tokenizer.json's words."""
        return class_spec(self.tokenizer)

    def told(self, entries: Iterable[str | None]) -> str:
        """Entries for people to read."""
        return in_line(entries, byte_level=self.tokenizer.byte_level)

    @property
    def kind(self) -> str:
        """WordPiece, BPE, Unigram, WordLevel."""
        return str(self.spec["model"].get("type") or self.tokenizer.vocabulary.kind)

    def without(self, contents: Collection[str]) -> tokenizers.Tokenizer:
        """The encoder without some of its added tokens; ids of the others may differ."""
        import tokenizers

        from pretune.artifacts.added_tokens import FLAGS

        rows = [row for row in self.spec["added_tokens"] if row["content"] not in contents]
        made = load({**self.spec, "added_tokens": rows}, self.tokenizer)
        late = [token for token in self.tokenizer.added if token.late and token.content not in contents]
        made.add_tokens(
            [tokenizers.AddedToken(token.content, **{flag: getattr(token, flag) for flag in FLAGS}) for token in late]
        )
        return made

    @property
    def rows(self) -> int | None:
        """Rows of the word embedding: of the weights, else as config.json says; None: neither."""
        if self.tables is not None:
            return self.tables.rows
        return self.stated_rows

    @property
    def stated_rows(self) -> int | None:
        """config.json's vocab_size."""
        stated = self.config.stated("vocab_size") if self.config is not None else None
        size = stated[1] if stated else None
        return size if isinstance(size, int) and not isinstance(size, bool) else None

    @cached_property
    def recorded(self) -> tuple[Mapping[str, Any], ...]:
        """The entries that pretune's record names."""
        plan = self.record.get("plan")
        added = plan.get("added") if isinstance(plan, Mapping) else None
        return tuple(row for row in added or () if isinstance(row, Mapping) and isinstance(row.get("entry"), str))

    def at(self, name: str = "tokenizer.json", pointer: str = "") -> str:
        """The place of a file; of the tokenizer's own one where there is no tokenizer.json."""
        if name == "tokenizer.json" and not self.source.has(name):
            name, pointer = self.tokenizer.vocabulary.file, ""
        return self.source.at(name, pointer)


@dataclass(frozen=True)
class Case:
    """What is judged.

    Attributes:
        new: the folder.
        old: the model that the tokens were added to; None: not given.
    """

    new: View
    old: View | None = None

    @cached_property
    def fresh(self) -> Mapping[str, int]:
        """Tokens that were added -> id: those AGAINST lacks; else as recorded, and those beyond the vocabulary."""
        ids = self.new.tokenizer.ids
        if self.old is not None:
            known = self.old.tokenizer.ids
            return {token: at for token, at in ids.items() if token not in known}
        entries = self.new.tokenizer.vocabulary.ids
        beyond = {token.content: token.id for token in self.new.tokenizer.added if token.content not in entries}
        return beyond | {row["entry"]: ids[row["entry"]] for row in self.new.recorded if row["entry"] in ids}

    @cached_property
    def owners(self) -> frozenset[int]:
        """Ids that text may get now and did not before: of new tokens, and of entries that became added tokens."""
        known = {token.content for token in self.old.tokenizer.added} if self.old is not None else set()
        lifted = (token.id for token in self.new.tokenizer.added if token.content not in known)
        return frozenset({*self.fresh.values(), *lifted})

    @cached_property
    def words(self) -> tuple[AddedToken, ...]:
        """Added tokens that are words: what `add_tokens` makes of them, wherever they stand; not those AGAINST has."""
        known = {token.content for token in self.old.tokenizer.added} if self.old is not None else set()
        return tuple(one for one in self.new.tokenizer.added if is_word(one.content) and one.content not in known)

    @cached_property
    def suspects(self) -> tuple[AddedToken, ...]:
        """Those of them that the vocabulary was not trained with.

        sentencepiece's user-defined symbols (KoGPT2's `BI`) are entries and added tokens in one: only AGAINST tells
        them from what a user added.
        """
        if self.old is not None or self.new.kind in {"WordPiece", "WordLevel"}:
            return self.words
        entries = self.new.tokenizer.vocabulary.ids
        return tuple(token for token in self.words if token.content not in entries)


def is_word(content: str) -> bool:
    """Whether a token is an ordinary word rather than spelled as special tokens are."""
    bare = content.strip().lstrip("▁Ġ").removeprefix("##")
    if not any(map(str.isalpha, bare)) or is_marker(bare) or is_spare_name(bare) or is_sentinel(bare):
        return False
    if not all(character.isalnum() or character in _IN_WORDS or _combines(character) for character in bare):
        return False
    # 8-O is no word: a letter has a letter or a digit beside it, or stands alone
    return bare.isalnum() or any(one.isalnum() and two.isalnum() for one, two in pairwise(bare)) or len(bare) == 1


def _combines(character: str) -> bool:
    import unicodedata

    return unicodedata.category(character)[0] == "M"


def look(folder: str | Path) -> View:
    """Read a folder.

    Raises:
        UserError: it has no tokenizer, or one that cannot be read.
    """
    whole = locate(str(folder))
    source = inner_folder(whole)
    tokenizer = read_tokenizer(source)
    config = read_config(source) if source.has("config.json") else None
    tables, trouble = None, ""
    weights = read_weights(source) if config is not None else None
    if weights is not None and weights.format != "none":
        try:
            tables = find_tables(source)
        except UserError as error:
            trouble = error.message
    return View(whole, source, tokenizer, config, tables, trouble, _record(whole, source))


def _record(whole: Source, source: Source) -> Mapping[str, Any]:
    """What pretune wrote of its additions; empty where nothing is to be read."""
    for place in (whole, source):
        if place.has(MARK):
            try:
                told = json.loads(place.read(MARK))
            except (UserError, ValueError, RecursionError):
                continue
            if isinstance(told, Mapping):
                return told
    return {}


def ids_of(encoder: tokenizers.Tokenizer, text: str) -> list[int]:
    """Ids of a text without special tokens around it."""
    found: list[int] = encoder.encode(text, add_special_tokens=False).ids
    return found


def counted(number: int, what: str) -> str:
    """`1 token`, `2 tokens`, `3 new biases`."""
    return f"{number:,} {what}" + ("" if number == 1 else "es" if what.endswith("s") else "s")


def some(tokens: Collection[str], most: int = 4) -> str:
    """A few of many: `'a', 'b' and 7 more`."""
    names = sorted(tokens) if isinstance(tokens, set | frozenset) else list(tokens)
    shown = ", ".join(map(repr, names[:most]))
    return shown + (f" and {len(names) - most:,} more" if len(names) > most else "")
