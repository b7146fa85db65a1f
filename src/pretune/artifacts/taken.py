"""The ids and names that a model's files use: a slot that one of them names is not free. Reads files, runs nothing.

Template, post-processor, padding, special tokens and their map, chat templates, generation_config.json, config.json
(`image_token_index`, `decoder_start_token_id`), an adapter's trainable_token_indices.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.artifacts.coverage import is_byte_token
from pretune.artifacts.json_file import read_object
from pretune.artifacts.spare_names import is_spare_name
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pretune.artifacts.source import Source
    from pretune.artifacts.tokenizer import Tokenizer

_ID_KEY = re.compile(r"token|(^|_)ids?($|_)|_index$|_indices$|^(cls|sep)$")
_COUNT_KEY = re.compile(r"^(max|min|num|n|size)_|_size$|_(per|length|count)(_|$)|position|type")
_ID_FILES = ("config.json", "generation_config.json", "adapter_config.json")
_DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Taken:
    """What the files use.

    Attributes:
        names: entries that they name.
        ids: ids that they name.
        texts: chat templates; an entry that occurs in one is taken.
    """

    names: frozenset[str]
    ids: frozenset[int]
    texts: tuple[str, ...] = ()

    def has(self, name: str, index: int) -> bool:
        """Whether an entry, or its id, is used."""
        return index in self.ids or name in self.names or any(name in text for text in self.texts if name)


def read_taken(tokenizer: Tokenizer, specs: Iterable[Mapping[str, Any]]) -> Taken:
    """What the files of a tokenizer's folder use.

    Args:
        tokenizer: the folder.
        specs: the tokenizer in tokenizer.json's words, in each way in which it is read.

    Raises:
        UserError: a config file is no JSON object.
    """
    source = tokenizer.source
    names = {*tokenizer.special.values(), *_named_tokens(tokenizer.arguments), *_named_tokens(tokenizer.special_map)}
    names.update(token.content for token in tokenizer.added if not is_spare_name(token.content))
    names.update(token for token in tokenizer.vocabulary.ids if is_byte_token(token))
    ids: set[int] = set()
    for spec in specs:
        model = spec.get("model")
        model = model if isinstance(model, Mapping) else {}
        for part in (spec.get("post_processor"), spec.get("padding"), spec.get("truncation"), spec.get("decoder")):
            names.update(_strings(part))
        ids.update(_ids(spec.get("post_processor")), _ids(spec.get("padding")))
        names.update(text for text in (model.get("unk_token"),) if isinstance(text, str))
        if isinstance(model.get("unk_id"), int):
            ids.add(model["unk_id"])
    if isinstance(tokenizer.vocabulary.options.get("unk_id"), int) and tokenizer.vocabulary.pieces:
        ids.add(tokenizer.vocabulary.options["unk_id"])
    for file in _ID_FILES:
        if source.has(file):
            ids.update(_ids(read_object(source, file)))
    ids.update(tokenizer.ids[name] for name in names if name in tokenizer.ids)
    return Taken(frozenset(names), frozenset(ids), tuple(_templates(source, tokenizer)))


def _named_tokens(table: Mapping[str, Any]) -> Iterator[str]:
    """The tokens under the keys that name special tokens; added_tokens_decoder, a list of all, is none of them."""
    for key, value in table.items():
        if key.endswith(("_token", "_tokens")) and key != "split_special_tokens":
            yield from _strings(value)


def _strings(value: Any, depth: int = 0) -> Iterator[str]:
    """Every text inside a JSON value, keys too: a post-processor's special_tokens are keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping) and depth < _DEEPEST:
        for key, inner in value.items():
            yield str(key)
            yield from _strings(inner, depth + 1)
    elif isinstance(value, list | tuple) and depth < _DEEPEST:
        for inner in value:
            yield from _strings(inner, depth + 1)


def _ids(value: Any, depth: int = 0, *, every: bool = False) -> Iterator[int]:
    """The whole numbers under keys that speak of tokens, or all of them."""
    if isinstance(value, Mapping) and depth < _DEEPEST:
        for key, inner in value.items():
            named = _ID_KEY.search(str(key)) is not None and _COUNT_KEY.search(str(key)) is None
            yield from _ids(inner, depth + 1, every=every or named)
    elif isinstance(value, list | tuple) and depth < _DEEPEST:
        for inner in value:
            yield from _ids(inner, depth + 1, every=every)
    elif every and isinstance(value, int) and not isinstance(value, bool):
        yield value


def _templates(source: Source, tokenizer: Tokenizer) -> Iterator[str]:
    """Every chat template, the default and the others."""
    yield from _strings(tokenizer.config.get("chat_template"))
    for name in sorted(source.names()):
        if name.endswith(".jinja") or name == "chat_template.json":
            try:
                yield source.read(name).decode("utf-8", errors="replace")
            except UserError:  # not to be read: names nothing to anybody
                continue
