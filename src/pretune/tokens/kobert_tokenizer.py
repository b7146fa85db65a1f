"""tokenizer.json of a KoBERT: built from the pieces of its sentencepiece model and the order of its vocabulary.

Words, scores and normalization are made so that the ids are sentencepiece's own; why that works stands in
float32_sums.py and sentencepiece_normalizer.py. Knows no folders.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.artifacts.sentencepiece_model import PieceType
from pretune.core.errors import UserError
from pretune.tokens.float32_sums import scaled, scaled_unknown
from pretune.tokens.sentencepiece_normalizer import normalizer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.artifacts.sentencepiece_model import SentencePieceModel
    from pretune.tokens.kobert_vocabulary import KobertVocabulary

_SPECIAL_TYPES = (PieceType.UNKNOWN, PieceType.CONTROL, PieceType.USER_DEFINED)


@dataclass(frozen=True, slots=True)
class KobertTokenizer:
    """What tokenizer.json shall hold.

    Attributes:
        text: the file, as `Tokenizer.save` would write it.
        specials: token -> id, found in text as they are written and never cut.
        notes: where it cannot be sentencepiece's equal.
    """

    text: str
    specials: Mapping[str, int]
    notes: tuple[str, ...]


def kobert_tokenizer(model: SentencePieceModel, vocabulary: KobertVocabulary) -> KobertTokenizer:
    """The tokenizer for a model and the ids that its vocabulary gives.

    Raises:
        UserError: the model is of a kind that KoBERT's is not.
    """
    from tokenizers import Tokenizer

    _must_be_like_kobert(model)
    cut = normalizer(model.charsmap)
    notes = [cut.note] if cut.note else []
    pieces = {piece.text: piece for piece in model.pieces}
    unknown = vocabulary.roles["unk_token"]
    normal = [piece.score for piece in model.pieces if piece.type == PieceType.NORMAL]
    rows: list[list[Any]] = []
    specials = {}
    for at, token in enumerate(vocabulary.tokens):
        piece = pieces.get(token)
        if piece is None or piece.type in _SPECIAL_TYPES:
            specials[token] = at
            score = scaled_unknown(normal) if token == unknown else 0.0
        else:
            score = scaled(piece.score)
        rows.append([token, int(score) if score.is_integer() else score])
    mask = vocabulary.roles["mask_token"]
    text = json.dumps(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [_added(token, at, lstrip=token == mask) for token, at in specials.items()],
            "normalizer": cut.spec,
            "pre_tokenizer": _metaspace(),
            "post_processor": _template(vocabulary),
            "decoder": _metaspace(),
            "model": {
                "type": "Unigram",
                "unk_id": vocabulary.tokens.index(unknown),
                "vocab": rows,
                "byte_fallback": False,
            },
        },
        ensure_ascii=False,
    )
    text = Tokenizer.from_str(text).to_str(pretty=True)
    written = json.loads(text)["model"]["vocab"]
    again = json.loads(Tokenizer.from_str(text).to_str())["model"]["vocab"]
    lost = sum(float(row[1]) != old[1] or old[1] != new[1] for row, old, new in zip(rows, written, again, strict=True))
    if lost:
        notes.append(
            f"{lost:,} scores lose their last bit when tokenizer.json is read: of two orders of the same pieces it may "
            "take the other one than sentencepiece"
        )
    return KobertTokenizer(text + "\n", specials, tuple(notes))


def _must_be_like_kobert(model: SentencePieceModel) -> None:
    """Refuse a model whose way of cutting is another one than KoBERT's."""
    kinds = {piece.type for piece in model.pieces}
    unlike = [
        said
        for said, holds in (
            (f"it is a {model.kind} model, not Unigram", model.kind != "Unigram"),
            ("it falls back to bytes", model.byte_fallback),
            ("it puts no ▁ before a line", not model.add_dummy_prefix),
            ("it keeps runs of white space", not model.remove_extra_whitespaces),
            ("it has unused or byte pieces", bool(kinds & {PieceType.UNUSED, PieceType.BYTE})),
        )
        if holds
    ]
    if unlike:
        raise UserError(
            f"this sentencepiece model is not KoBERT's: {unlike[0]}",
            hint="transformers reads the models of other architectures by their own tokenizer class",
        )


def _added(token: str, at: int, *, lstrip: bool) -> dict[str, Any]:
    """A special token; KoBERT's mask takes the space before it along, as its own tokenizer's does."""
    flags = {"single_word": False, "lstrip": lstrip, "rstrip": False, "normalized": False, "special": True}
    return {"id": at, "content": token, **flags}


def _metaspace() -> dict[str, Any]:
    """Spaces as `▁`; the line stays one piece of text, whose sum of scores begins at its beginning."""
    return {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}


def _template(vocabulary: KobertVocabulary) -> dict[str, Any]:
    """[CLS] A [SEP] B [SEP], with segments 0 and 1, as BERT has it."""
    start, end = vocabulary.roles["cls_token"], vocabulary.roles["sep_token"]

    def special(token: str, segment: int) -> dict[str, Any]:
        return {"SpecialToken": {"id": token, "type_id": segment}}

    def sequence(name: str, segment: int) -> dict[str, Any]:
        return {"Sequence": {"id": name, "type_id": segment}}

    single = [special(start, 0), sequence("A", 0), special(end, 0)]
    tokens = {
        token: {"id": token, "ids": [vocabulary.tokens.index(token)], "tokens": [token]} for token in (start, end)
    }
    return {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, sequence("B", 1), special(end, 1)],
        "special_tokens": tokens,
    }
