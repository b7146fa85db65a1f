"""A tokenizer as its files say: vocabulary, added and special tokens, class, template, without loading it.

Follows what AutoTokenizer of transformers 5 makes of the folder; how text is cut stands in pipeline.py. Knows nothing
of the model that the tokenizer is used with, but for the model_type that picks its class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pretune.artifacts.added_tokens import TokenFiles, added_tokens, listed_in, special_tokens
from pretune.artifacts.json_file import read_object
from pretune.artifacts.tokenizer_classes import pick, tokenizer_class
from pretune.artifacts.vocabulary import (
    from_tokenizer_json,
    is_sentencepiece,
    read_vocabulary,
    reordered,
    vocabulary_files,
)
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from pretune.artifacts.added_tokens import AddedToken
    from pretune.artifacts.source import Source
    from pretune.artifacts.tokenizer_classes import TokenizerClass
    from pretune.artifacts.vocabulary import (
        Vocabulary,
    )

NO_LIMIT = int(1e30)
"""transformers' model_max_length when nobody said one (VERY_LARGE_INTEGER)."""


@dataclass(frozen=True)
class Tokenizer:
    """What the files of a folder say of its tokenizer, and what transformers 5 makes of them.

    Attributes:
        source: the folder.
        vocabulary: the model's own tokens.
        spec: tokenizer.json as parsed, None without one.
        config: tokenizer_config.json with the keyword arguments laid over it.
        told: what the files and the caller say of tokens.
        cls: the class that is taken, and
        cls_reason: why.
        declared: the class the files declare, None when they declare none.
        special: role (`pad_token`) -> token text; a role that has no token is absent.
        added: tokens beside the vocabulary, with the ids they end up with.
        model_type: of the config.json that lies beside the tokenizer.
        reads_vocabulary: False when the class looks for files of other names and finds none.
    """

    source: Source
    vocabulary: Vocabulary
    spec: Mapping[str, Any] | None = field(repr=False)
    config: Mapping[str, Any] = field(repr=False)
    told: TokenFiles = field(repr=False)
    cls: TokenizerClass
    cls_reason: str
    declared: str | None
    special: Mapping[str, str]
    added: tuple[AddedToken, ...] = field(repr=False)
    model_type: str | None = None
    reads_vocabulary: bool = True

    @property
    def kwargs(self) -> Mapping[str, Any]:
        """Keyword arguments of from_pretrained, as the setup gives them."""
        return self.told.kwargs

    @property
    def special_map(self) -> Mapping[str, Any]:
        """special_tokens_map.json."""
        return self.told.special_map

    @cached_property
    def arguments(self) -> Mapping[str, Any]:
        """What transformers calls the class with: config, keyword arguments and (old folders) the special map."""
        return self.told.arguments()

    @cached_property
    def ids(self) -> Mapping[str, int]:
        """Every token -> id, added ones included."""
        return {**self.vocabulary.ids, **{token.content: token.id for token in self.added}}

    @cached_property
    def tokens(self) -> Mapping[int, str]:
        """Every id -> token."""
        return {index: token for token, index in self.ids.items()}

    @property
    def size(self) -> int:
        """How many tokens there are: len(tokenizer)."""
        return self.vocabulary.count + len(self.ids) - len(self.vocabulary.ids)

    @cached_property
    def largest_id(self) -> int:
        """The largest id the tokenizer can emit, -1 for none."""
        return max(self.ids.values(), default=-1)

    def id_of(self, role: str) -> int | None:
        """The id of a special token's role (`pad_token`), None when it has none."""
        token = self.special.get(role)
        return None if token is None else self.ids.get(token)

    @property
    def max_length(self) -> int:
        """model_max_length, or max_len as it was once called; NO_LIMIT when the files name none."""
        value = self.config.get("model_max_length", self.config.get("max_len"))
        usable = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf")
        return int(value) if usable and value is not None else NO_LIMIT

    @property
    def padding_side(self) -> str:
        """`right` or `left`: as the files say, else as padding in tokenizer.json does, else the class's."""
        told = self.config.get("padding_side")
        padding = (self.spec or {}).get("padding")
        if told is None and isinstance(padding, Mapping):
            told = str(padding.get("direction", "")).lower()
        return told if told in ("left", "right") else self.cls.padding_side

    @property
    def byte_level(self) -> bool:
        """Whether its tokens are bytes in GPT-2's alphabet."""
        if self.cls.pipeline is not None and (self.cls.rebuilds or self.spec is None):
            return mentions(self.cls.pipeline, "ByteLevel")
        return self.spec is not None and spec_is_byte_level(self.spec)

    @property
    def byte_fallback(self) -> bool:
        """Whether a character outside the vocabulary becomes bytes instead of unknown."""
        return bool(self.vocabulary.options.get("byte_fallback")) or "<0x00>" in self.vocabulary.ids

    @property
    def input_names(self) -> tuple[str, ...]:
        """What it returns: input_ids, token_type_ids, attention_mask."""
        told = self.config.get("model_input_names")
        return tuple(map(str, told)) if isinstance(told, list) else self.cls.inputs

    @cached_property
    def chat_template(self) -> str | None:
        """The default chat template: chat_template.jinja first, then tokenizer_config.json's key."""
        if self.source.has("chat_template.jinja"):
            return self.source.read("chat_template.jinja").decode("utf-8", errors="replace")
        told = self.config.get("chat_template")
        if isinstance(told, list):
            named = {str(row.get("name")): row.get("template") for row in told if isinstance(row, Mapping)}
            told = named.get("default") or next(iter(named.values()), None)
        if isinstance(told, Mapping):
            told = told.get("default")
        return told if isinstance(told, str) else None

    @cached_property
    def other_vocabularies(self) -> tuple[Vocabulary, ...]:
        """The vocabularies in the folder's further files, which are not read when this one is."""
        rest = [name for name in vocabulary_files(self.source) if name != self.vocabulary.file]
        found = []
        for name in rest:
            try:
                found.append(read_vocabulary(self.source, name))
            except UserError:  # a file that is not used need not be readable
                continue
        return tuple(found)


def mentions(part: Any, kind: str) -> bool:
    """Whether a component of this type stands anywhere in a piece of tokenizer.json."""
    if isinstance(part, Mapping):
        return part.get("type") == kind or any(mentions(value, kind) for value in part.values())
    return isinstance(part, list) and any(mentions(value, kind) for value in part)


def spec_is_byte_level(spec: Mapping[str, Any]) -> bool:
    """Whether a tokenizer.json has a byte-level pre-tokenizer or decoder."""
    return any(mentions(spec.get(part), "ByteLevel") for part in ("pre_tokenizer", "decoder"))


def read_tokenizer(
    source: Source,
    *,
    kwargs: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    declared: str | None = None,
) -> Tokenizer:
    """Read the tokenizer of a folder.

    Args:
        source: the folder.
        kwargs: keyword arguments of from_pretrained, laid over tokenizer_config.json.
        model_type: config.json's; read from the folder when not given.
        declared: config.json's tokenizer_class; read from the folder when not given.

    Raises:
        UserError: the folder has no vocabulary, or one that cannot be read.
    """
    kwargs = dict(kwargs or {})
    found = vocabulary_files(source)
    if not found:
        raise UserError(
            f"{source.label} has no tokenizer: no tokenizer.json, vocab.txt, vocab.json or sentencepiece model",
            hint="copy the tokenizer's files there; `pretune check` takes another folder or hub name with --tokenizer",
        )
    config = _optional(source, "tokenizer_config.json")
    model_config = _optional(source, "config.json")
    model_type = model_type or _text(model_config.get("model_type"))
    spec = read_object(source, "tokenizer.json") if found[0] == "tokenizer.json" else None
    declared = _text(config.get("tokenizer_class")) or declared or _text(model_config.get("tokenizer_class"))
    name, reason = pick(
        declared, model_type, byte_level=spec is not None and spec_is_byte_level(spec), label=source.label
    )
    cls = tokenizer_class(name)
    file, reads = _file_of(cls, found)
    vocabulary = from_tokenizer_json(spec, file=file) if spec is not None else read_vocabulary(source, file)
    padding = (spec or {}).get("padding")
    files = TokenFiles(
        config=config,
        special_map=_optional(source, "special_tokens_map.json"),
        added=_optional(source, "added_tokens.json"),
        listed=listed_in(spec),
        padding=padding if isinstance(padding, Mapping) else {},
        has_json=spec is not None,
        kwargs=kwargs,
        control=vocabulary.control if is_sentencepiece(file) else (),
    )
    special = special_tokens(cls, files)
    if is_sentencepiece(file) and cls.reorders:
        vocabulary = reordered(vocabulary, cls.name, special)
    if cls.rebuilds and cls.made not in (None, "Unigram"):  # the list becomes a table: of equal pieces the last counts
        vocabulary = replace(vocabulary, pieces=())
    return Tokenizer(
        source=source,
        vocabulary=vocabulary,
        spec=spec,
        config={**config, **kwargs},
        told=files,
        cls=cls,
        cls_reason=reason,
        declared=declared,
        special=special,
        added=added_tokens(cls, files, vocabulary),
        model_type=model_type,
        reads_vocabulary=reads,
    )


def _file_of(cls: TokenizerClass, found: tuple[str, ...]) -> tuple[str, bool]:
    """The file the class reads, and whether it is one that it looks for (tokenizer.json always is)."""
    wanted = [name for name in found if name == "tokenizer.json" or name in cls.files or name == "tokenizer.model"]
    if wanted or not cls.known:
        return (wanted or list(found))[0], True
    return found[0], False


def _optional(source: Source, name: str) -> Mapping[str, Any]:
    return read_object(source, name) if source.has(name) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
