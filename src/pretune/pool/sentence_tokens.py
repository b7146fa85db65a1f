"""Which tokens of a given sentence its vector rests on, in the words the user wrote: sentence_tokens, SentenceTokens.

Ranked by leaving states out of the mean, the first three checked by deleting the token from the input, in one more
batch. Shown as the characters that the token stands for: a byte-level token of Korean is unreadable otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.pool.encode import run
from pretune.pool.importance import rank_tokens
from pretune.pool.token_shares import token_offsets
from pretune.pool.tokenized import tokenize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.pool.importance import TokenWeight
    from pretune.pool.load import Loaded


@dataclass(frozen=True, slots=True)
class SentenceTokens:
    """One sentence.

    Attributes:
        text: as given.
        layer: whose mean was looked at.
        weights: its tokens, the weightiest first; `token` is the text that it stands for.
    """

    text: str
    layer: int
    weights: tuple[TokenWeight, ...]


def sentence_tokens(
    loaded: Loaded, texts: Sequence[str], *, layer: int | None = None, verify: int = 3
) -> tuple[SentenceTokens, ...]:
    """Rank the tokens of each sentence by what the mean of a layer loses without them.

    Args:
        loaded: the model.
        texts: sentences.
        layer: index into hidden_states; None: the last.
        verify: tokens of each sentence that are really deleted.

    Raises:
        UserError: no such layer, the layer has not one state a token, or the tokenizer is a slow one.
    """
    found = tokenize(texts, loaded.tokenizer, max_length=loaded.max_length)
    offsets = token_offsets(texts, loaded.tokenizer, max_length=loaded.max_length)
    which = loaded.looks.layers - 1 if layer is None else layer
    if not 0 <= which < loaded.looks.layers:
        raise UserError(f"no layer {layer}", hint=f"layers are 0 to {loaded.looks.layers - 1}")
    result = []
    for row, text in enumerate(texts):
        ids, special = found.ids[row].tolist(), found.special[row].tolist()
        weights: list[TokenWeight] = []
        if ids:
            weights = rank_tokens(
                _states(loaded, [ids], which, sentence=text)[0],
                [text[start:end].strip() for start, end in offsets[row]],
                ids,
                special=special,
                encode=lambda several: _means(loaded, several, which),
                verify=verify,
            )
        result.append(SentenceTokens(text, which, tuple(_named(weights, text, offsets[row], loaded, ids))))
    return tuple(result)


def _named(
    weights: Sequence[TokenWeight], text: str, offsets: Sequence[tuple[int, int]], loaded: Loaded, ids: Sequence[int]
) -> list[TokenWeight]:
    """The same with a readable name: part of a character is shown with its number, no text as the tokenizer has it."""
    seen: dict[tuple[int, int], list[int]] = {}
    for place, where in enumerate(offsets):
        seen.setdefault(where, []).append(place)
    named = []
    for one in weights:
        start, end = offsets[one.place]
        token = text[start:end].strip() or str(loaded.tokenizer.convert_ids_to_tokens(ids[one.place]))
        same = seen[start, end]
        if len(same) > 1 and start < end:
            token += f" ({same.index(one.place) + 1} of {len(same)})"
        named.append(replace(one, token=token))
    return named


def _means(loaded: Loaded, several: Sequence[Sequence[int]], layer: int) -> Any:
    """Mean vectors of id lists, equal lengths together: shape (n, D)."""
    import numpy as np

    result: list[Any] = [None] * len(several)
    for length in {len(one) for one in several}:
        places = [place for place, one in enumerate(several) if len(one) == length]
        for place, vector in zip(
            places, _states(loaded, [several[place] for place in places], layer).mean(axis=1), strict=True
        ):
            result[place] = vector
    return np.stack(result)


def _states(loaded: Loaded, several: Sequence[Sequence[int]], layer: int, *, sentence: str = "") -> Any:
    """States of one layer of equally long sentences, of which `sentence` is one: shape (n, L, D), float32."""
    import torch

    device = next(loaded.model.parameters()).device
    with torch.inference_mode():
        ids = torch.tensor([list(one) for one in several], device=device)
        states = run(loaded.model, {"input_ids": ids}, sentence=sentence).hidden_states[layer]
    if tuple(states.shape[:2]) != tuple(ids.shape):
        raise UserError(
            f"layer {layer} has {states.shape[1]} states for {ids.shape[1]} tokens", hint="ask for another layer"
        )
    return states.float().cpu().numpy()
