"""What the usual mistakes of padding would cost on the data at hand: padding_costs. Measured by padded passes.

Re-encodes the sentences of at most 200 pairs in batches of 32, as they come, padded on the right and on the left, and
takes vectors from them in the ways that are seen in the wild. Knows torch models of transformers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.pool.load import Loaded

PAIRS = 200
"""Pairs that are looked at."""

BATCH = 32


@dataclass(frozen=True, slots=True)
class PaddingCost:
    """One mistake.

    Attributes:
        name: `mean over padding`, `[:, -1] with padding on the right`.
        right: Spearman's rho of the same pooling done right on the same pairs.
        wrong: that of the mistake.
    """

    name: str
    right: float
    wrong: float


def padding_costs(loaded: Loaded, texts: Sequence[str], pairs: Any, scores: Any) -> tuple[PaddingCost, ...]:
    """What each mistake would make of the first pairs, the costliest first.

    Args:
        loaded: the model, in any precision.
        texts: S sentences.
        pairs: shape (P, 2), indices of sentences.
        scores: shape (P,).
    """
    import numpy as np

    from pretune.pool.score import cosines
    from pretune.pool.spearman import values

    pairs, truth = np.asarray(pairs)[:PAIRS], np.asarray(scores)[:PAIRS]
    if len(pairs) < 3 or loaded.tokenizer.pad_token_id is None:
        return ()
    # in the order in which the pairs name them: lengths are mixed in a batch, as they are for those who do not sort.
    wanted = list(dict.fromkeys(pairs.ravel().tolist()))
    place = {sentence: row for row, sentence in enumerate(wanted)}
    rows = np.vectorize(place.__getitem__)(pairs)
    vectors = _vectors(loaded, [texts[sentence] for sentence in wanted])
    if not vectors:
        return ()

    def rho(name: str) -> float:
        """Spearman's rho of one way."""
        table = vectors[name]
        return float(values(cosines(table[rows[:, 0]], table[rows[:, 1]])[None], truth)[0])

    found = [PaddingCost(wrong, rho(right), rho(wrong)) for wrong, right in MISTAKES.items()]
    defined = [one for one in found if np.isfinite(one.right) and np.isfinite(one.wrong)]
    return tuple(sorted(defined, key=lambda one: one.wrong - one.right))


MISTAKES = {
    "mean over padding": "mean",
    "[:, -1] with padding on the right": "last",
    "[:, 0] with padding on the left": "first",
    "mean with padding on the left and no position_ids": "mean",
}
"""A mistake -> what it should have been."""


def _vectors(loaded: Loaded, texts: Sequence[str]) -> dict[str, Any]:
    """Vectors by each way: shape (S, D), float32; none where the last layer has not one state for each token."""
    import numpy as np
    import torch

    parts: dict[str, list[Any]] = {name: [] for name in (*MISTAKES, *MISTAKES.values())}
    limit = loaded.max_length
    ids = loaded.tokenizer(list(texts), truncation=limit is not None, max_length=limit, verbose=False)["input_ids"]
    ids = [one or [loaded.tokenizer.pad_token_id] for one in ids]
    for first in range(0, len(ids), BATCH):
        batch = ids[first : first + BATCH]
        right, right_mask = _states(loaded, batch, left=False)
        if right.shape[1] != right_mask.shape[1]:  # Funnel without its decoder
            return {}
        left, left_mask = _states(loaded, batch, left=True)
        alone = [_states(loaded, [one], left=False)[0][0] for one in batch]
        parts["mean"].append(torch.stack([one.mean(dim=0) for one in alone]))
        parts["last"].append(torch.stack([one[-1] for one in alone]))
        parts["first"].append(torch.stack([one[0] for one in alone]))
        parts["mean over padding"].append(right.mean(dim=1))
        parts["[:, -1] with padding on the right"].append(right[:, -1])
        parts["[:, 0] with padding on the left"].append(left[:, 0])
        weighted = (left * left_mask[..., None]).sum(dim=1) / left_mask.sum(dim=1, keepdim=True)
        parts["mean with padding on the left and no position_ids"].append(weighted)
    return {name: np.concatenate([part.cpu().numpy() for part in kept]) for name, kept in parts.items()}


def _states(loaded: Loaded, batch: Sequence[Sequence[int]], *, left: bool) -> tuple[Any, Any]:
    """Last hidden states of padded rows and their mask, both float32."""
    import torch

    device = next(loaded.model.parameters()).device
    longest = max(map(len, batch))
    ids = torch.full((len(batch), longest), loaded.tokenizer.pad_token_id, device=device)
    mask = torch.zeros((len(batch), longest), dtype=torch.long, device=device)
    for row, one in enumerate(batch):
        there = slice(longest - len(one), None) if left else slice(0, len(one))
        ids[row, there] = torch.tensor(one, device=device)
        mask[row, there] = 1
    with torch.inference_mode():
        output = loaded.model(input_ids=ids, attention_mask=mask, output_hidden_states=True, return_dict=True)
    return output.hidden_states[-1].float(), mask.float()
