"""Special and added tokens of a tokenizer folder: which there are, from which file, and the ids they end up with.

Follows PreTrainedTokenizerBase._from_pretrained and TokenizersBackend.__init__ of transformers 5.23. Knows no text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.artifacts.tokenizer_classes import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.artifacts.tokenizer_classes import TokenizerClass
    from pretune.artifacts.vocabulary import Vocabulary

SENTENCEPIECE_ROLES = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
FLAGS = ("special", "single_word", "lstrip", "rstrip", "normalized")


@dataclass(frozen=True, slots=True)
class AddedToken:
    """A token beside the model's vocabulary, with the flags of the tokenizers library."""

    content: str
    id: int
    special: bool = False
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = True
    late: bool = False
    """Added by a call of its own, after those of tokenizer.json: only then does it count on from their ids."""


@dataclass(frozen=True, slots=True)
class TokenFiles:
    """What the files of a folder and the caller say of tokens, as parsed; an absent file is an empty mapping.

    Attributes:
        config: tokenizer_config.json.
        special_map: special_tokens_map.json.
        added: added_tokens.json.
        listed: added_tokens of tokenizer.json.
        padding: padding of tokenizer.json.
        has_json: there is a tokenizer.json.
        kwargs: keyword arguments of from_pretrained.
        control: control and user-defined pieces of a sentencepiece model that is read alone, (text, is control).
    """

    config: Mapping[str, Any]
    special_map: Mapping[str, Any]
    added: Mapping[str, Any]
    listed: tuple[Mapping[str, Any], ...]
    padding: Mapping[str, Any]
    has_json: bool
    kwargs: Mapping[str, Any]
    control: tuple[tuple[str, bool], ...] = ()

    @property
    def legacy(self) -> bool:
        """Whether special_tokens_map.json and added_tokens.json are read: not beside added_tokens_decoder."""
        return "added_tokens_decoder" not in self.config and "added_tokens_decoder" not in self.kwargs

    def arguments(self) -> dict[str, Any]:
        """The arguments transformers calls the class with: config, kwargs, and (old folders only) the special map."""
        told = {key: value for key, value in self.config.items() if key != "tokenizer_class"}
        if self.has_json:  # tokenizer.json's own template says whether bos and eos are added
            told.pop("add_bos_token", None)
            told.pop("add_eos_token", None)
        told |= self.kwargs
        if "additional_special_tokens" in told and not told.get("extra_special_tokens"):
            told["extra_special_tokens"] = told.pop("additional_special_tokens")
        if self.legacy:
            for key, value in self.special_map.items():
                if self.kwargs.get(key):
                    continue
                if key == "extra_special_tokens" and isinstance(value, list):
                    given = told.get(key)
                    value = [*(given if isinstance(given, list) else ()), *value]  # noqa: PLW2901 - as theirs
                told[key] = value
        if self.control:
            told["additional_special_tokens"] = [
                {"content": text, "special": control, "normalized": False} for text, control in self.control
            ]
        return told


def token_text(value: Any) -> str | None:
    """The text of a token given as a string or as AddedToken's JSON."""
    if isinstance(value, Mapping):
        value = value.get("content")
    return value if isinstance(value, str) else None


def special_tokens(cls: TokenizerClass, files: TokenFiles) -> dict[str, str]:
    """Role -> token: the class's own default, overlaid by what the files and the caller say; null takes a role away."""
    told = files.arguments()
    special = dict(cls.special)
    padded = files.padding.get("pad_token")
    if isinstance(padded, str) and "pad_token" not in special:
        special["pad_token"] = padded
    if files.control and not cls.rebuilds:  # the generic class takes them from the sentencepiece model
        pieces = {text for text, _ in files.control}
        special = {role: text for role, text in SENTENCEPIECE_ROLES.items() if text in pieces or role == "unk_token"}
    for role in ROLES:
        if role in told:
            text = token_text(told[role])
            if text is not None:
                special[role] = text
            elif told[role] is None:
                special.pop(role, None)
    return {role: special[role] for role in ROLES if role in special}


def extra_tokens(arguments: Mapping[str, Any]) -> list[str]:
    """Special tokens beyond the roles: `image_token` and its like, extra_special_tokens, additional_special_tokens."""
    return [text for text in map(token_text, _extra(arguments)) if text]


def _extra(arguments: Mapping[str, Any]) -> Iterator[Any]:
    named = [value for key, value in arguments.items() if key.endswith("_token") and key not in ROLES]
    more = arguments.get("extra_special_tokens")
    if more is None or more in ([], ()):
        more = arguments.get("additional_special_tokens")
    yield from (value for value in named if isinstance(value, str) or "content" in _mapping(value))
    if isinstance(more, Mapping):
        yield from more.values()
    elif isinstance(more, Iterable) and not isinstance(more, str):
        yield from more


def _with_flags(value: Any, flags: Mapping[str, bool] | None) -> Any:
    """The token of a role with the flags that its class gives it when it is named by its text alone."""
    return {"content": value, **flags} if flags and isinstance(value, str) else value


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def added_tokens(cls: TokenizerClass, files: TokenFiles, vocabulary: Vocabulary) -> tuple[AddedToken, ...]:
    """The added tokens in the order in which transformers adds them.

    Args:
        cls: the class that is taken.
        files: what the files say.
        vocabulary: the model's own tokens.
    """
    told = files.arguments()
    special = special_tokens(cls, files)
    rows: dict[str, Mapping[str, Any]] = {}
    for _, row in sorted(_decoder(files, told).items()):
        text = row["content"]
        rows[text] = {**row, "special": True} if text in special.values() else row
    assumed = [text for key, text in cls.extra.items() if key not in told]
    if "extra_special_tokens" not in told and "additional_special_tokens" not in told:
        assumed += cls.more
    named = [_with_flags(told.get(role, text), cls.flags.get(role)) for role, text in special.items()]
    for value in (*named, *assumed, *_extra(told)):
        text = token_text(value)
        if text:
            flags = {flag: value[flag] for flag in FLAGS if flag in _mapping(value)}
            rows.setdefault(text, {"normalized": False, **flags, "special": flags.get("special", True)})
    if cls.rebuilds or not files.listed:
        return assign_ids(vocabulary, rows)
    loaded = {row["content"]: rows.pop(row["content"], row) for row in files.listed}  # tokenizer.json is loaded whole
    first = assign_ids(vocabulary, loaded)
    return (*first, *assign_ids(vocabulary, rows, after=first))


def _decoder(files: TokenFiles, told: Mapping[str, Any]) -> dict[int, Mapping[str, Any]]:
    """Id a file gives -> the row of the token; the ids only order them."""
    rows: dict[int, Mapping[str, Any]] = {}
    if not files.legacy:
        for key, row in _mapping(told.get("added_tokens_decoder")).items():
            number = _number(key)
            if number is not None and isinstance(row, Mapping) and isinstance(row.get("content"), str):
                rows[number] = row
        return rows
    special = {token_text(told[role]) for role in ROLES if told.get(role)} | set(extra_tokens(told))
    for text, index in files.added.items():
        number = _number(index)
        if number is not None:
            rows[number] = {"content": text, "special": text in special, "normalized": text not in special}
    for row in files.listed:
        number = _number(row.get("id"))
        if number is not None:
            rows[number] = row
    return rows


def listed_in(spec: Mapping[str, Any] | None) -> tuple[Mapping[str, Any], ...]:
    """The rows of tokenizer.json's added_tokens that name a token."""
    rows = (spec or {}).get("added_tokens")
    if not isinstance(rows, list):
        return ()
    return tuple(row for row in rows if isinstance(row, Mapping) and isinstance(row.get("content"), str))


def assign_ids(
    vocabulary: Vocabulary, rows: Mapping[str, Mapping[str, Any]], *, after: Iterable[AddedToken] = ()
) -> tuple[AddedToken, ...]:
    """Give the tokens of one call of add_tokens their ids, as the tokenizers library does.

    A token of the vocabulary keeps its own. New ones count on from the vocabulary's *count*, or from the largest id
    that an earlier call added, so in a vocabulary with holes one can get the id of another token. Ids that files state
    for added tokens are not read.

    Args:
        vocabulary: the model's own tokens.
        rows: text -> flags, in order.
        after: what earlier calls added.
    """
    earlier = {token.content: token.id for token in after}
    following = max(vocabulary.count, max(earlier.values(), default=-1) + 1)
    added: list[AddedToken] = []
    for text, row in rows.items():
        if not text:
            continue
        index = vocabulary.ids.get(text, earlier.get(text))
        if index is None:
            index = following
            following += 1
        special = bool(row.get("special", False))
        added.append(
            AddedToken(
                content=text,
                id=index,
                special=special,
                single_word=bool(row.get("single_word", False)),
                lstrip=bool(row.get("lstrip", False)),
                rstrip=bool(row.get("rstrip", False)),
                normalized=bool(row.get("normalized", not special)),
                late=bool(earlier),
            )
        )
    return tuple(added)


def _number(value: Any) -> int | None:
    """A whole number written as one or as a string; None for anything else."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None
