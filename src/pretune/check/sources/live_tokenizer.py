"""A live tokenizer as a Setup names it: the files it came from and what was added since, or a copy of it as it is now.

A copy is written to a folder of the check's own when files cannot say it: it came from nowhere, or was changed by more
than added tokens. Imports nothing itself. Does not see a normalizer that was exchanged in memory while the vocabulary
stayed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pretune.artifacts.tokenizer import read_tokenizer
from pretune.artifacts.tokenizer_classes import ROLES
from pretune.artifacts.vocabulary import UnknownOrder
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from pretune.artifacts.source import Source
    from pretune.artifacts.tokenizer import Tokenizer

SIDES = ("padding_side",)
"""Attributes that are keyword arguments of from_pretrained as well, and can be set afterwards."""


def added_since(tokenizer: Any, source: Source) -> dict[str, Any] | None:
    """The keys of a Setup that turn the files' tokenizer into this one; None where there are none such.

    Args:
        tokenizer: a transformers tokenizer.
        source: where it says it was loaded from.
    """
    try:
        saved = read_tokenizer(source)
        before, now = dict(saved.ids), dict(tokenizer.get_vocab())
    except (UserError, UnknownOrder, NotImplementedError, ValueError, TypeError):
        return None
    if any(now.get(token) != index for token, index in before.items()) or len(tokenizer) < len(before):
        return None
    new = sorted((index, token) for token, index in now.items() if token not in before)
    if new and [index for index, _ in new] != list(range(saved.size, saved.size + len(new))):
        return None
    special = set(getattr(tokenizer, "all_special_tokens", ()))
    decoder = getattr(tokenizer, "added_tokens_decoder", {})
    kinds = [token in special or bool(getattr(decoder.get(index), "special", False)) for index, token in new]
    words = [token for _, token in new]
    if kinds != sorted(kinds):  # a Setup adds words first, then special tokens
        return None
    said: dict[str, Any] = {
        "add_tokens": [word for word, kind in zip(words, kinds, strict=True) if not kind],
        "add_special_tokens": [word for word, kind in zip(words, kinds, strict=True) if kind],
    }
    return _with_specials(tokenizer, saved, {key: value for key, value in said.items() if value})


def _with_specials(tokenizer: Any, saved: Tokenizer, said: dict[str, Any]) -> dict[str, Any] | None:
    """The same with the pad token and the side of padding; None where another special token was changed."""
    for role in ROLES:
        now, before = getattr(tokenizer, role, None), saved.special.get(role)
        now = None if now is None else str(now)
        if now == before:
            continue
        if role != "pad_token" or now is None:
            return None
        said["pad_token"] = now
    template = getattr(tokenizer, "chat_template", None)
    if isinstance(template, dict) or (template or None) != (saved.chat_template or None):
        return None
    sides = {side: getattr(tokenizer, side, None) for side in SIDES}
    changed = {
        side: value for side, value in sides.items() if value in {"left", "right"} and value != saved.padding_side
    }
    return {**said, **({"tokenizer_kwargs": changed} if changed else {})}


def write_copy(tokenizer: Any, folder: Path) -> bool:
    """Save the tokenizer as it is now; whether that worked. The cut and the padding of its last call are left out."""
    try:
        tokenizer.save_pretrained(str(folder))
    except Exception:  # noqa: BLE001 - a tokenizer with code of its own may raise anything
        return False
    file = folder / "tokenizer.json"
    if file.is_file():
        spec = json.loads(file.read_bytes())
        if spec.get("truncation") or spec.get("padding"):
            spec |= {"truncation": None, "padding": None}
            file.write_text(json.dumps(spec, ensure_ascii=False), encoding="utf-8")
    return True
