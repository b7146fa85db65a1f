"""The template of a tokenizer: the special tokens and the segments that its post-processor puts around texts.

In tokenizer.json's words. Knows no model and no vocabulary but the ids of special tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pretune.artifacts.tokenizer import Tokenizer

Spec = dict[str, Any]


def template(tokenizer: Tokenizer, made: Any = None) -> Any:
    """The post-processor: the class's own, else bos and eos as asked for, else tokenizer.json's, else segments alone.

    Args:
        tokenizer: the folder.
        made: the class's post-processor with placeholders, None for a class that has none.
    """
    cls = tokenizer.cls
    if cls.follows_flags and not tokenizer.arguments.keys().isdisjoint(("add_bos_token", "add_eos_token")):
        return _bos_and_eos(tokenizer)
    if made is not None and cls.own_template:
        return _with_tokens(made, tokenizer)
    own = (tokenizer.spec or {}).get("post_processor")
    if own is not None:
        return own
    return _bos_and_eos(tokenizer) if made is None else _with_tokens(made, tokenizer)


def _bos_and_eos(tokenizer: Tokenizer) -> Spec:
    """TokenizersBackend.update_post_processor."""
    opening, closing = tokenizer.special.get("bos_token"), tokenizer.special.get("eos_token")
    if not tokenizer.arguments.get("add_bos_token"):
        opening = None
    if not tokenizer.arguments.get("add_eos_token"):
        closing = None

    def around(letter: str, kind: int) -> list[Spec]:
        tokens = [{"SpecialToken": {"id": token, "type_id": kind}} if token else None for token in (opening, closing)]
        return [step for step in (tokens[0], {"Sequence": {"id": letter, "type_id": kind}}, tokens[1]) if step]

    return {
        "type": "TemplateProcessing",
        "single": around("A", 0),
        "pair": [*around("A", 0), *around("B", 1)],
        "special_tokens": {
            token: {"id": token, "ids": [tokenizer.ids.get(token, 0)], "tokens": [token]}
            for token in (opening, closing)
            if token
        },
    }


def tokens_of(tokenizer: Tokenizer) -> dict[str, str]:
    """Placeholder of a role -> this tokenizer's token."""
    return {f"@{role}@": tokenizer.special.get(role, default) for role, default in tokenizer.cls.special.items()}


def filled(part: Any, values: Mapping[str, str]) -> Any:
    """A component with its placeholders filled in."""
    if isinstance(part, str):
        return values.get(part, part)
    if isinstance(part, Mapping):
        return {values.get(key, key): filled(value, values) for key, value in part.items()}
    return [filled(value, values) for value in part] if isinstance(part, list) else part


def _with_tokens(processor: Any, tokenizer: Tokenizer) -> Any:
    """A template with this tokenizer's tokens in the place of the placeholders, and their ids."""
    made = filled(processor, tokens_of(tokenizer))
    for key in ("cls", "sep"):
        if isinstance(made.get(key), list):
            token = made[key][0]
            made[key] = [token, tokenizer.ids.get(token, made[key][1])]
    if isinstance(made.get("special_tokens"), dict):
        made["special_tokens"] = {
            token: {"id": token, "ids": [tokenizer.ids.get(token, 0)], "tokens": [token]}
            for token in made["special_tokens"]
        }
    return made


def adds_tokens(processor: Any) -> bool:
    """Whether a post-processor puts any special token around one text."""
    kind = processor.get("type") if isinstance(processor, Mapping) else None
    if kind == "Sequence":
        return any(map(adds_tokens, processor.get("processors") or ()))
    if kind == "TemplateProcessing":
        return any(isinstance(step, Mapping) and "SpecialToken" in step for step in processor.get("single") or ())
    return kind in ("BertProcessing", "RobertaProcessing")


def pair_types(processor: Any) -> frozenset[int]:
    """The token_type_ids that a post-processor gives to two texts."""
    kind = processor.get("type") if isinstance(processor, Mapping) else None
    if kind == "Sequence":
        return frozenset().union(*map(pair_types, processor.get("processors") or ()))
    if kind == "RobertaProcessing":
        return frozenset({0})
    if kind == "TemplateProcessing":
        steps = [value for step in processor.get("pair") or () if isinstance(step, Mapping) for value in step.values()]
        types = [step.get("type_id") for step in steps if isinstance(step, Mapping)]
        return frozenset(number for number in types if isinstance(number, int))
    return frozenset({0, 1}) if kind == "BertProcessing" else frozenset()
