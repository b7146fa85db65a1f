"""One forward pass over all sentences, every layer pooled every way on the go: encode.

States are pooled as soon as a layer's batch is there, so that no more than one batch of them exists. Knows torch models
of transformers; what a pooling is stands in poolers.py, what it is worth in score.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.draw.visible import beginning
from pretune.pool.groups import group_sums
from pretune.pool.poolers import AVERAGING, Marks, document_weights, pool, weights
from pretune.pool.shapley import GROUPS
from pretune.pool.store import Vectors, empty_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pretune.pool.tokenized import Tokenized

TOKENS = 512
"""Tokens in a batch on a CPU, whose caches then hold the states; a GPU gets many times as many."""

TOKENS_GPU = 16_384

SHORT = 8
"""A model that fails on fewer tokens fails because they are so few."""


def encode(
    model: Any,
    sentences: Tokenized,
    *,
    sentence_token: int = 0,
    groups: Sequence[Any] | None = None,
    texts: Sequence[str] = (),
    progress: Callable[[int], object] | None = None,
) -> Vectors:
    """Vectors of every sentence by every layer and pooling.

    Args:
        model: a base model, or the encoder of one, in evaluation mode where it is to run.
        sentences: what it reads.
        sentence_token: index of the token that the model's own head reads; -1: the last.
        groups: S arrays of int, the group of each token (shapley.GROUPS): keep the sums of their states as well.
        texts: the S sentences, to name the one that cannot be read; empty: none is named.
        progress: called with the number of tokens done, batch by batch.

    Raises:
        UserError: the model gives no hidden states, or states that are not finite.
    """
    import torch

    names = (*AVERAGING, "max")
    count = len(sentences.ids)
    with torch.inference_mode():
        kept: _Kept | None = None
        for batch, inputs, marks in _batches(model, sentences, sentence_token):
            output = run(model, inputs, sentence=texts[int(batch[0])] if texts else "")
            states = output.hidden_states
            if kept is None:
                kept = _Kept(states, marks.special.shape, names, count, output, grouped=groups is not None)
            table = weights(marks)
            for row, layer in enumerate(kept.layers):
                found = pool(states[layer], table, largest=True)
                kept.table[row][:, batch] = found.transpose(0, 1).cpu().numpy()
            if groups is not None:
                kept.add_groups(states, batch, [groups[place] for place in batch])
            if kept.pooler is not None:
                kept.pooler[batch] = output.pooler_output.float().cpu().numpy()
            if progress is not None:
                progress(marks.special.numel())
    if kept is None:
        raise UserError("no sentence has a token that the model reads", hint="look at the file's text column")
    return kept.vectors()


def run(model: Any, inputs: Mapping[str, Any], *, sentence: str = "") -> Any:
    """The model's output with all hidden states, without gradients where the caller is in inference mode.

    Args:
        model: where its inputs are.
        inputs: input_ids of shape (B, L), and what else it takes.
        sentence: one of those B, to name it where they cannot be read.

    Raises:
        UserError: the model cannot read sentences of this length, memory is out, or it gives no hidden states.
    """
    import torch

    name, (count, length) = type(model).__name__, inputs["input_ids"].shape
    try:
        output = model(**inputs, output_hidden_states=True, return_dict=True)
    except torch.OutOfMemoryError as error:
        raise UserError(
            f"memory is out for {count:,} sentences of {length:,} tokens",
            hint="--max-length N cuts them; --device cpu may have more",
        ) from error
    except (RuntimeError, IndexError, ValueError) as error:
        # CANINE shortens four characters to one state, Funnel five tokens to two: both fail below.
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        tokens = f"{length:,} token{'' if length == 1 else 's'}"
        raise UserError(
            f'{name} cannot read "{beginning(sentence)}", {tokens}: {said}'
            if sentence
            else f"{name} cannot read a sentence of {tokens}: {said}",
            hint="leave out sentences that are so short" if length < SHORT else "--max-length N cuts them shorter",
        ) from error
    if getattr(output, "hidden_states", None) is None:
        raise UserError(
            f"{name} gives no hidden states",
            hint="pool needs an encoder or decoder of transformers that returns hidden_states",
        )
    return output


class _Kept:
    """The tables that batches are written into, laid out by the first batch."""

    def __init__(
        self, states: Any, shape: tuple[int, int], names: tuple[str, ...], count: int, output: Any, *, grouped: bool
    ) -> None:
        """See which layers have a state for every token; those that do not are left out with the reason."""
        width = states[-1].shape[-1]
        self.skipped = {
            layer: f"has {one.shape[1]} states of {one.shape[2]} numbers for {shape[1]} tokens"
            for layer, one in enumerate(states)
            if tuple(one.shape) != (*shape, width)
        }
        self.layers = tuple(layer for layer in range(len(states)) if layer not in self.skipped)
        self.names = names
        self.table = empty_table((len(self.layers), len(names), count, width))
        pooled = getattr(output, "pooler_output", None)
        fits = pooled is not None and pooled.shape == (shape[0], width)
        self.pooler = empty_table((count, width)) if fits else None
        self.groups = empty_table((len(self.layers), count, len(GROUPS), width)) if grouped else None

    def add_groups(self, states: Any, batch: Any, groups: Sequence[Any]) -> None:
        """Keep the sums of the states of each group of tokens of a batch."""
        import numpy as np
        import torch

        if self.groups is None:
            return
        chosen = torch.from_numpy(np.stack(groups)).to(states[-1].device)
        for row, layer in enumerate(self.layers):
            self.groups[row][batch] = group_sums(states[layer], chosen).cpu().numpy()

    def vectors(self) -> Vectors:
        """What was collected.

        Raises:
            UserError: a state is not a number.
        """
        import numpy as np

        for row, layer in enumerate(self.layers):
            # the sum is finite only if every number is: one pass, no table of flags.
            if not np.isfinite(self.table[row].sum(dtype=np.float64)):
                raise UserError(
                    f"layer {layer} gives states that are not finite",
                    hint="try --dtype float32; if it stays so, the weights themselves hold NaN or infinity",
                )
        return Vectors(self.layers, self.names, self.table, self.pooler, self.skipped, self.groups)


def _batches(model: Any, sentences: Tokenized, sentence_token: int) -> Iterator[tuple[Any, dict[str, Any], Marks]]:
    """Batches of equally long sentences: their indices, the model's inputs and the marks of their tokens."""
    import numpy as np
    import torch

    device = next(model.parameters()).device
    size = 1 + max((int(ids.max()) for ids in sentences.ids if len(ids)), default=0)
    idf, sif = document_weights(sentences.ids, sentences.special, size)
    for batch in sentences.batches(TOKENS if device.type == "cpu" else TOKENS_GPU):
        ids = np.stack([sentences.ids[place] for place in batch])
        special = np.stack([sentences.special[place] for place in batch])
        words = (~special).astype(np.float32)
        marks = Marks(
            special=torch.from_numpy(special).to(device),
            idf=torch.from_numpy(idf[ids] * words).to(device),
            sif=torch.from_numpy(sif[ids] * words).to(device),
            cls=torch.full((len(batch),), sentence_token % ids.shape[1], device=device),
            separator=torch.from_numpy(sentences.separator[batch]).to(device),
        )
        inputs = {"input_ids": torch.from_numpy(ids).to(device)}
        if sentences.types is not None:
            inputs["token_type_ids"] = torch.from_numpy(np.stack([sentences.types[i] for i in batch])).to(device)
        yield batch, inputs, marks
