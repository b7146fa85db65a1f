"""Which token, layer and pooling represents a sentence: found out by experiment. `from pretune import pool`.

    found = pool.sweep("klue/roberta-base", "pairs.tsv")
    found.verdict.recommended, found.verdict.tie     # in a notebook, `found` shows itself

Importing this costs almost nothing: what the function needs is imported when it is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from pretune.pool.analysis import Analysis

__all__ = ["sweep"]


def sweep(
    model: Any,
    data: Any,
    *,
    columns: Mapping[str, str] | None = None,
    scores: str | PathLike[str] | None = None,
    limit: int | None = None,
    device: str = "cpu",
    dtype: str = "float32",
    vectors: str | PathLike[str] | Sequence[str | PathLike[str]] = (),
    shapings: str | Sequence[str] = (),
    every_mix: bool = False,
    tokens: int | None = None,
    show_tokens: str | Sequence[str] = (),
    faults: bool = False,
    max_length: int | None = None,
    progress: Any = None,
) -> Analysis:
    """Try every layer and pooling of a model on sentences, as the command `pretune pool` does.

    Args:
        model: a folder or hub name, a (model, tokenizer) of transformers, or a SentenceTransformer.
        data: a file of pairs with a score, of sentences with a class, or of bare text; or a list of
            (sentence, sentence, score), of (sentence, class) or of sentences; a Dataset, a data frame.
        columns: role (`sentence1`, `sentence2`, `score`, `text`, `label`) -> column.
        scores: a file with a number a line, one for each pair.
        limit: rows that are read; None: all.
        device: where a model is loaded to: `cpu`, `cuda`, `mps`. Live objects stay where they are.
        dtype: the precision it is loaded in: `float32`, `bfloat16`, `float16`.
        vectors: text files of GloVe, word2vec or fastText, as baselines; or one of them.
        shapings: `centred`, `whitened` or `all`: what is also done to all vectors of a choice together.
        every_mix: try all subsets of layers for the mean.
        tokens: what each kind of token adds to the score, and the tokens of so many first sentences; None: neither.
        show_tokens: further sentences whose tokens are ranked; or one.
        faults: measure what mistakes of padding would cost.
        max_length: tokens read at most; None: what the model allows.
        progress: called with a stage, how much of it is done, and how much there is.

    Returns:
        Every choice with its score and interval, what may be said of them, and what is wrong; a notebook shows it.

    Raises:
        UserError: anything that the user can mend, in one line.
    """
    from pretune.pool.analyse import Asked, analyse
    from pretune.pool.flags import shapings as all_of

    asked = Asked(
        vectors=(vectors,) if isinstance(vectors, str) or hasattr(vectors, "__fspath__") else tuple(vectors),
        shapings=all_of((shapings,) if isinstance(shapings, str) else shapings),
        every_mix=every_mix,
        tokens=tokens,
        shown=(show_tokens,) if isinstance(show_tokens, str) else tuple(show_tokens),
        padding=faults,
        max_length=max_length,
    )
    return analyse(
        model,
        data,
        columns=columns,
        scores=scores,
        limit=limit,
        device=device,
        dtype=dtype,
        asked=asked,
        progress=progress,
    )
