"""The tokens that the setup adds, what ids they get, and how many rows the embedding has afterwards.

Follows `tokenizer.add_tokens` and `model.resize_token_embeddings` of transformers 5. Knows no data.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pretune.artifacts.added_tokens import assign_ids
from pretune.check.finding import Unavailable

if TYPE_CHECKING:
    from pretune.check.facts.tokenizer import TokenizerFacts
    from pretune.check.sources.setup import Setup


@dataclass(frozen=True, slots=True)
class Added:
    """One word the setup adds: its id afterwards, whether it had one before, whether it is a special token."""

    word: str
    id: int
    existed: bool
    special: bool
    where: str


@dataclass(frozen=True)
class AddingFacts:
    """What adding does.

    Attributes:
        words: every word the setup adds, in order.
        size_after: len(tokenizer) afterwards.
        largest_id: the largest id afterwards.
        resize_to: rows asked for by the setup's resize; None: no resize.
        pad_to_multiple_of: as given with resize.
    """

    words: tuple[Added, ...]
    size_after: int
    largest_id: int
    resize_to: int | None
    pad_to_multiple_of: int | None
    resize_where: str

    @cached_property
    def new(self) -> tuple[Added, ...]:
        """The words that did not exist before."""
        return tuple(word for word in self.words if not word.existed)


def read_adding(setup: Setup, tokenizer: TokenizerFacts) -> AddingFacts:
    """Work out what the setup's add_tokens, add_special_tokens and resize do.

    Raises:
        Unavailable: the setup neither adds tokens nor resizes.
    """
    asked = [(word, False, f"add_tokens.{index}") for index, word in enumerate(setup.add_tokens)]
    asked += [(word, True, f"add_special_tokens.{index}") for index, word in enumerate(setup.add_special_tokens)]
    pad = tokenizer.special.get("pad_token")
    if setup.pad_token is not None and pad is not None and pad not in tokenizer.ids:
        asked.append((pad, True, "pad_token"))
    asked = [row for row in asked if row[0]]
    if not asked and not setup.resize:
        raise Unavailable("the setup adds no tokens")
    added = list(tokenizer.files.added)
    for special in (False, True):  # one call each: add_tokens, then add_special_tokens
        rows = {word: {"special": special} for word, kind, _ in asked if kind is special}
        added += assign_ids(tokenizer.files.vocabulary, rows, after=added)
    ids = {token.content: token.id for token in reversed(added)}
    words = tuple(
        Added(word, ids[word], word in tokenizer.ids, special, setup.place(key))
        for word, special, key in {row[0]: row for row in reversed(asked)}.values()
    )
    new = sum(not word.existed for word in words)
    target, multiple = _target(setup, tokenizer.size + new)
    return AddingFacts(
        words=tuple(reversed(words)),
        size_after=tokenizer.size + new,
        largest_id=max((tokenizer.largest_id, *(word.id for word in words))),
        resize_to=target,
        pad_to_multiple_of=multiple,
        resize_where=setup.place("resize"),
    )


def _target(setup: Setup, size: int) -> tuple[int | None, int | None]:
    """Rows after the resize, and the multiple it is padded to."""
    resize = setup.resize
    if resize is None or resize is False:
        return None, None
    if resize is True:
        return size, None
    if isinstance(resize, int):
        return resize, None
    multiple = resize.get("pad_to_multiple_of")
    base = resize.get("new_num_tokens", size)
    if multiple is None or multiple <= 0:
        return base, None
    return -(-base // multiple) * multiple, multiple
