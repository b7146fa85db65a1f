"""The vocabulary that KoBERT was trained with: which id a piece has, and which tokens are special.

gluonnlp's `BERTVocab.from_sentencepiece` takes the pieces in the model's own order; a vocabulary that was saved
(`to_json`: idx_to_token, token_to_idx and the special tokens by name) may have another order and further tokens.
Runs neither gluonnlp nor sentencepiece.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.artifacts.sentencepiece_model import PieceType
from pretune.core.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.artifacts.sentencepiece_model import SentencePieceModel

ROLES = {
    "unk_token": ("unknown_token", "[UNK]"),
    "pad_token": ("padding_token", "[PAD]"),
    "cls_token": ("cls_token", "[CLS]"),
    "sep_token": ("sep_token", "[SEP]"),
    "mask_token": ("mask_token", "[MASK]"),
}
"""transformers' name of a special token's role -> gluonnlp's, and the token that KoBERT has for it."""


@dataclass(frozen=True, slots=True)
class KobertVocabulary:
    """Tokens by id, and the special ones.

    Attributes:
        tokens: in the order of their ids.
        roles: transformers' name of a role (`cls_token`) -> token.
        as_model: whether the pieces have the ids that they have in the sentencepiece model.
    """

    tokens: tuple[str, ...]
    roles: Mapping[str, str]
    as_model: bool


def vocabulary_of(model: SentencePieceModel) -> KobertVocabulary:
    """The vocabulary as gluonnlp builds it (BERTVocab.from_sentencepiece): special tokens the model lacks come last.

    Raises:
        UserError: the model has a piece twice.
    """
    tokens = tuple(piece.text for piece in model.pieces)
    unknown = model.pieces[model.unk_id]
    roles = {role: token for role, (_, token) in ROLES.items()}
    if unknown.type == PieceType.UNKNOWN:
        roles["unk_token"] = unknown.text
    order = ("unk_token", "mask_token", "sep_token", "cls_token", "pad_token")
    tokens += tuple(roles[role] for role in order if roles[role] not in set(tokens))
    return _checked(tokens, roles, model, name="the sentencepiece model")


def saved_vocabulary(told: Mapping[str, Any], model: SentencePieceModel, *, name: str) -> KobertVocabulary:
    """A vocabulary that gluonnlp has saved.

    Args:
        told: the JSON object.
        model: whose pieces it numbers.
        name: the file's name in messages.

    Raises:
        UserError: it is no such vocabulary, contradicts itself, or lacks a piece of the model.
    """
    tokens = told.get("idx_to_token")
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        raise UserError(
            f"{name} is no saved gluonnlp vocabulary: idx_to_token must be a list of tokens",
            hint="save it with `vocab.to_json()`",
        )
    ids = told.get("token_to_idx")
    if isinstance(ids, dict):
        wrong = next((token for at, token in enumerate(tokens) if ids.get(token) != at), None)
        if wrong is not None:
            raise UserError(f"{name} gives {wrong!r} two ids: token_to_idx and idx_to_token differ")
    roles = {role: told.get(key) or token for role, (key, token) in ROLES.items()}
    vocabulary = _checked(tuple(tokens), {role: str(token) for role, token in roles.items()}, model, name=name)
    reserved = told.get("reserved_tokens")
    named = {*vocabulary.roles.values(), *(map(str, reserved) if isinstance(reserved, list) else ())}
    pieces = {piece.text for piece in model.pieces}
    further = [token for token in tokens if token not in pieces and token not in named]
    if further:
        raise UserError(
            f"{name} has {len(further):,} tokens that the sentencepiece model never gives, such as {further[0]!r}",
            hint="give the model that it was made from",
        )
    return vocabulary


def _checked(
    tokens: tuple[str, ...], roles: Mapping[str, str], model: SentencePieceModel, *, name: str
) -> KobertVocabulary:
    twice = next((token for token, count in Counter(tokens).items() if count > 1), None)
    if twice is not None:
        raise UserError(f"{name} has the token {twice!r} more than once")
    known = set(tokens)
    for role, token in roles.items():
        if token not in known:
            bracketed = [other for other in tokens if other[:1] in "[<"]
            raise UserError(f"{name} has no {token}, which is KoBERT's {role}", hint=did_you_mean(token, bracketed))
    if len(set(roles.values())) < len(roles):
        raise UserError(f"{name} has one token for two roles: {', '.join(roles.values())}")
    lacking = [piece.text for piece in model.pieces if piece.text not in known]
    if lacking:
        raise UserError(
            f"{name} lacks {len(lacking):,} pieces of the sentencepiece model, such as {lacking[0]!r}",
            hint="give the model that it was made from",
        )
    as_model = tokens[: len(model.pieces)] == tuple(piece.text for piece in model.pieces)
    return KobertVocabulary(tokens, dict(roles), as_model)
