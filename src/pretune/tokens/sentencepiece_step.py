"""A folder's sentencepiece model kept in step with a plan: sentencepiece_files. Writes nothing.

It is edited where its pieces stand in the order of the ids, as in KoBERT, ALBERT, Llama 2; where a class puts ids of
its own before them (XLM-R), or added tokens between, the model cannot say what tokenizer.json says and stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.artifacts.sentencepiece_model import Piece, PieceType, parse
from pretune.artifacts.vocabulary import is_sentencepiece, vocabulary_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.artifacts.sentencepiece_model import SentencePieceModel
    from pretune.artifacts.tokenizer import Tokenizer
    from pretune.tokens.plan import Added, Plan


def sentencepiece_files(tokenizer: Tokenizer, plan: Plan) -> dict[str, bytes]:
    """Name -> content of the sentencepiece models that change."""
    from pretune.tokens.sentencepiece_write import edit_model

    found: dict[str, bytes] = {}
    for name in vocabulary_files(tokenizer.source):
        if not is_sentencepiece(name):
            continue
        data = tokenizer.source.read(name)
        model = parse(data, name=tokenizer.source.at(name))
        if not _in_order(model, tokenizer):
            continue
        count = len(model.pieces)
        inside = {entry.id: _piece(entry, model) for entry in plan.added if entry.id < count}
        behind = sorted((entry for entry in plan.added if entry.id >= count), key=lambda entry: entry.id)
        if [entry.id for entry in behind] != list(range(count, count + len(behind))):
            continue
        further = [_piece(entry, model, place) for place, entry in enumerate(behind)]
        if inside or further:
            found[name] = edit_model(data, replace=inside, append=further, name=tokenizer.source.at(name))
    return found


def _in_order(model: SentencePieceModel, tokenizer: Tokenizer) -> bool:
    """Whether each piece has its place as its id."""
    ids = tokenizer.vocabulary.ids
    return all(ids.get(piece.text) == at for at, piece in enumerate(model.pieces))


def _piece(entry: Added, model: SentencePieceModel, place: int = 0) -> Piece:
    """An entry as a piece: a BPE model ranks its pieces by their scores, a special token is never cut out of text."""
    if entry.special:
        return Piece(entry.text, 0.0, PieceType.CONTROL)
    if entry.score is not None:
        return Piece(entry.text, entry.score, PieceType.NORMAL)
    return Piece(entry.text, _lowest(model.pieces) - 1.0 - place, PieceType.NORMAL)


def _lowest(pieces: Sequence[Piece]) -> float:
    return min((piece.score for piece in pieces), default=0.0)
