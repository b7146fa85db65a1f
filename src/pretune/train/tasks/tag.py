"""Tagging (NER): a tag for each word, or for each character as KLUE-NER has them. CoNLL, two columns, tokens and tags.

    {"tokens": ["이순신", "장군은"], "tags": ["B-PS", "O"]}
    {"tokens": ["이", "순", "신", " ", "장", "군"], "tags": ["B-PS", "I-PS", "I-PS", "O", "O", "O"]}

A token of the model has the tag of its first character; of a tagged word only the first token is asked. Back from
tokens, a word has its first token's tag; of characters the first has the token's, the others go on in it (B- to I-).
Characters that no token stands for have O. Knows no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.core.quantity import number
from pretune.corpus.task_rows import read_rows_of
from pretune.train.tasks import Prepared
from pretune.train.tasks.classes import called_in, classes_of
from pretune.train.tasks.encode import encode, limit_of
from pretune.train.tasks.tag_places import places_of, tokens_asked
from pretune.train.tasks.tag_schemes import scheme_of
from pretune.train.tasks.tag_scores import main_of, score_tags

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pretune.corpus.example import Example
    from pretune.corpus.shape import Shape
    from pretune.corpus.task_rows import Rows
    from pretune.train.recipe import Recipe
    from pretune.train.tasks import Scores
    from pretune.train.tasks.classes import Classes
    from pretune.train.tasks.encode import Encoded
    from pretune.train.tasks.tag_places import Places
    from pretune.train.tasks.tag_schemes import Scheme

IGNORED = -100
"""Where nothing is asked of a token."""


@dataclass(frozen=True, slots=True)
class Tagging:
    """Tagged sentences; see tasks.Task."""

    recipe: Recipe
    train: Rows
    dev: Rows | None
    classes: Classes
    characters: bool
    scheme: Scheme
    head: str = "TokenClassification"
    loss: str = "tags"
    outputs: tuple[str, ...] = ("logits",)
    each_token: bool = True
    means: str = "token-classification"

    @property
    def main(self) -> str:
        """The entities' F1; accuracy where tags mark none."""
        return main_of(self.scheme)

    @property
    def config(self) -> Mapping[str, Any]:
        """The names of the tags."""
        return self.classes.config

    @property
    def config_said(self) -> Mapping[str, Any]:
        """The names, where a number among the tags is its own id."""
        return self.classes.config_said

    @property
    def skipped(self) -> tuple[tuple[str, str], ...]:
        """Rows that cannot be used."""
        return self.train.skipped + (self.dev.skipped if self.dev else ())

    def prepare(self, tokenizer: Any, longest: int | None) -> Prepared:
        """Sentences as tokens, and which tag each token is asked for."""
        most = limit_of(tokenizer, longest, self.recipe.max_length)
        places = places_of(self.train.examples, characters=self.characters)
        encoded = encode(places.texts, tokenizer, longest=most, offsets=True)
        train = encoded.examples(tokenizer, {"labels": self._labels(self.train, places, encoded)})
        unit = "characters" if self.characters else "words"
        names = self.classes.names
        listed = ", ".join(names[:15]) + (", …" if len(names) > 15 else "")
        said: tuple[str, ...] = (
            f"{number(len(train))} sentences, {number(len(places.starts))} tagged {unit}, {len(names)} tags: {listed}",
            *self._scheme_said(),
            *encoded.said("training sentences"),
        )

        def where(row: int) -> str:
            return self.train.examples[row].where

        if self.dev is None:
            return Prepared(train, None, said, where, lambda _: _never())
        asked = places_of(self.dev.examples, characters=self.characters)
        dev_encoded = encode(asked.texts, tokenizer, longest=most, offsets=True)
        said += dev_encoded.said("dev sentences")
        dev = dev_encoded.examples(tokenizer, {"labels": self._labels(self.dev, asked, dev_encoded)})
        return Prepared(train, dev, said, where, lambda outputs: self.score(asked, dev_encoded, outputs))

    def _scheme_said(self) -> tuple[str, ...]:
        """What is made of tags that are not what most data have."""
        if not self.scheme.name:
            return ("these tags mark no entities (B-PS, I-PS, O): they are scored by accuracy",)
        return () if self.scheme.name == "IOB2" else (f"the tags are read as {self.scheme.name}",)

    def _labels(self, rows: Rows, places: Places, encoded: Encoded) -> Any:
        """(tokens,) int64: the tag of what a token begins in, or IGNORED."""
        import numpy as np

        flat = np.array([self.classes.id_of(tag) for one in rows.examples for tag in one.tags], np.int64)
        unit, first = tokens_asked(places, encoded)
        asked = (unit >= 0) if self.characters else first
        labels: Any = np.full(len(encoded.ids), IGNORED, np.int64)
        labels[asked] = flat[unit[asked]]
        return labels

    def score(self, places: Places, encoded: Encoded, outputs: Sequence[Any]) -> Scores:
        """Entity and, for characters, character F1 from logits (tokens, tags)."""
        assert self.dev is not None
        return score_tags(
            self.dev.examples,
            places,
            encoded,
            outputs[0],
            true=[tag for tags in named_tags(self.dev, self.classes) for tag in tags],
            names=self.classes.names,
            scheme=self.scheme,
            characters=self.characters,
        )


def read(recipe: Recipe) -> Tagging:
    """The sentences of the recipe's files.

    Raises:
        UserError: files that are not there, columns that are not known, tags the model does not have.
    """
    from pretune.core.errors import UserError

    data = recipe.setup.data
    columns = dict(data.columns)
    train = read_rows_of(data.train, ("tagging",), columns, purpose="train", usable=_usable)
    dev = read_rows_of(data.eval, ("tagging",), columns, purpose="eval", usable=_usable) if data.eval else None
    first: dict[Any, str] = {}
    for example in train.examples:
        for tag in example.tags:
            first.setdefault(tag, example.where)
    classes = classes_of(
        list(first.items()),
        recipe.setup,
        head="TokenClassification",
        new_head=recipe.new_head,
        called=called_in(recipe.setup, (train.columns or {}).get("tags")),
    )
    for example in dev.examples if dev is not None else ():
        odd = next((tag for tag in example.tags if classes.id_of(tag) is None), None)
        if odd is not None:
            raise UserError(
                f'{example.where}: the tag "{odd}" of the dev set is none of the training data',
                hint="is it the right file? else name all tags in config.id2label",
            )
    both = (*train.examples, *(dev.examples if dev is not None else ()))
    characters = all(len(token) <= 1 for one in both for token in one.tokens)
    return Tagging(recipe, train, dev, classes, characters, scheme_of(classes.names, named_tags(train, classes)))


def named_tags(rows: Rows, classes: Classes) -> list[list[str]]:
    """The tags of each sentence by name, also where the data have numbers."""
    names = {tag: classes.names[classes.ids[tag]] for tag in classes.ids}

    def name(tag: Any) -> str:
        if tag not in names:
            names[tag] = classes.names[classes.id_of(tag) or 0]
        return names[tag]

    return [[name(tag) for tag in one.tags] for one in rows.examples]


def _never() -> Scores:
    raise AssertionError("without a dev set nothing is scored")


def _usable(example: Example, shape: Shape) -> str:
    """Why a row cannot be used; empty: it can."""
    del shape
    if not example.tokens:
        return "no tokens"
    if len(example.tokens) != len(example.tags):
        return f"{len(example.tokens)} tokens and {len(example.tags)} tags, expected as many of both"
    for token in example.tokens:
        if not isinstance(token, str) or not token:
            return f"the token {token!r} is no text"
    for tag in example.tags:
        if isinstance(tag, bool) or not isinstance(tag, int | str):
            return f"the tag {tag!r} is neither a word nor a whole number"
    return ""
