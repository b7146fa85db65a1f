"""What is wrong with the way sentence vectors are taken from a model: faults, Fault. Named, with the way out.

Looks at what was declared, at what tiny passes showed and at what was measured. Each fault is silent where all is well.
What a wrong way of padding would cost on the data at hand is measured by padding_cost.py, only when asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.core.levels import RANK
from pretune.pool.collapse import collapsed
from pretune.pool.load import _positions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pretune.core.levels import Level
    from pretune.pool.choice import Choice
    from pretune.pool.load import Loaded
    from pretune.pool.one_pass import Sweep
    from pretune.pool.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that makes sentence vectors worse than they could be.

    Attributes:
        name: in a few words joined by hyphens, fixed: `left-padding-moves-states`.
        message: what is so here, one sentence.
        fix: what to do.
        level: `error` where vectors are wrong, `warning` where they may be, `note` for what to know.
    """

    name: str
    message: str
    fix: str
    level: Level = "warning"


def faults(
    loaded: Loaded,
    *,
    found: Sweep | None = None,
    pairs: Any | None = None,
    scores: Any | None = None,
    verdict: Verdict | None = None,
    used: Choice | None = None,
) -> tuple[Fault, ...]:
    """All faults that can be seen, the gravest first.

    Args:
        loaded: the model.
        found: its sweep; without one nothing is said of layers.
        pairs: shape (P, 2), those whose similarities the sweep has.
        scores: shape (P,), of the pairs.
        verdict: what the scores say.
        used: the choice that somebody means to use; None: the declared one.
    """
    tried: tuple[Callable[[Loaded], Iterator[Fault]], ...] = (
        _random,
        _padding,
        _declared,
        _order,
        _pooler,
        _positions_fault,
    )
    every = [fault for one in tried for fault in one(loaded)]
    if used is not None:
        every += _used(loaded, used)
    if not loaded.looks.even_layers:
        every += _uneven(loaded, found)
    if found is not None and found.similarities is not None and pairs is not None:
        every += _collapsed(found, pairs, scores)
    if verdict is not None:
        every += _below_random(verdict)
    return tuple(sorted(every, key=lambda fault: RANK[fault.level]))


def _random(loaded: Loaded) -> Iterator[Fault]:
    """Weights that transformers drew at random because the file has none: every state is wrong."""
    lacking = [name for name in loaded.made_up if "pooler" not in name]
    if lacking:
        more = f" and {len(lacking) - 1:,} more" if len(lacking) > 1 else ""
        yield Fault(
            "weights-drawn-at-random",
            f"the checkpoint lacks {lacking[0]}{more}, which {type(loaded.model).__name__} needs: drawn at random",
            "load the class that the checkpoint is of, or get the whole checkpoint; no figure here means anything",
            "error",
        )


def _side(loaded: Loaded) -> str:
    """Where the tokenizer pads."""
    return str(getattr(loaded.tokenizer, "padding_side", "right"))


def _padding(loaded: Loaded) -> Iterator[Fault]:
    """Padding that moves the states of the sentence itself."""
    looks, side = loaded.looks, _side(loaded)
    if not (looks.left_padding or looks.right_padding):
        yield Fault(
            "any-padding-moves-states",
            "padding on either side changes the states of the sentence, with an attention mask too",
            "encode sentences of equal length together, or one by one (pool does); never pad",
        )
    elif side == "left" and not looks.left_padding:
        yield Fault(
            "left-padding-moves-states",
            "the tokenizer pads on the left, which changes every state of this model unless position_ids are given",
            'set tokenizer.padding_side = "right", or pass position_ids = attention_mask.cumsum(-1) - 1',
            "error",
        )
    elif side == "right" and not looks.right_padding:
        yield Fault(
            "right-padding-moves-states",
            "the tokenizer pads on the right, which changes every state of this model",
            'set tokenizer.padding_side = "left"',
            "error",
        )


def _declared(loaded: Loaded) -> Iterator[Fault]:
    """A declaration that cannot be followed, or that plain indexing follows wrongly."""
    declared, side = loaded.declared, _side(loaded)
    if declared.pooling == "cls" and side == "left" and loaded.sentence_token != -1:
        yield Fault(
            "first-token-behind-left-padding",
            f"{declared.by} declares {declared.said}, but the tokenizer pads on the left, where [:, 0] is a pad",
            'set tokenizer.padding_side = "right"; sentence-transformers of 2026 finds the first token by the mask',
        )
    if declared.pooling == "last_token" and side == "right":
        yield Fault(
            "last-token-before-right-padding",
            f"{declared.by} declares {declared.said}, and the tokenizer pads on the right, where [:, -1] is a pad",
            "sentence-transformers takes the last token by the mask and is safe; by hand take index mask.sum(1) - 1 "
            "with padding on the right, -1 with padding on the left",
            "note",
        )
    if declared.said and not declared.pooling:
        yield Fault(
            "declared-pooling-ambiguous",
            f"{declared.by} declares {declared.said}, which is no single pooling",
            "leave one mode on; several put their vectors side by side",
        )


def _order(loaded: Loaded) -> Iterator[Fault]:
    """Poolings that a model that reads from left to right makes little of."""
    if not loaded.looks.causal:
        return
    if loaded.declared.pooling == "cls" and loaded.sentence_token != 0:
        yield Fault(
            "first-token-of-causal-model",
            f"{loaded.declared.by} declares {loaded.declared.said}, whose token sees nothing of what follows",
            "take the last token, or a mean that weighs later tokens more (weighted mean)",
            "error",
        )
    if loaded.declared.pooling in {"", "mean"}:
        yield Fault(
            "mean-of-causal-model",
            "no token sees what follows it, so the plain mean is diluted by the states of the first tokens",
            "compare with last token and weighted mean",
            "note",
        )


def _pooler(loaded: Loaded) -> Iterator[Fault]:
    """A pooler that no training touched, or whose place is not known."""
    pooler = loaded.looks.pooler
    if pooler is None:
        return
    if loaded.untrained_pooler:
        made_up = any("pooler" in key for key in loaded.made_up)
        why = (
            "is not in the checkpoint and was drawn at random" if made_up else "has a bias of zeros, as before training"
        )
        yield Fault("pooler-untrained", f"the pooler {why}: pooler_output means nothing", "do not use pooler_output")
    if pooler.place is None:
        yield Fault(
            "pooler-place-unknown",
            "pooler_output is made of no single token's last state, as far as a few passes show",
            "treat pooler_output as a vector of its own kind; cls is the first token here",
            "note",
        )


def _positions_fault(loaded: Loaded) -> Iterator[Fault]:
    """More tokens declared than the model has positions."""
    limit, positions = loaded.declared.max_length, _positions(loaded.model)
    if limit is not None and positions is not None and limit > positions:
        yield Fault(
            "length-beyond-positions",
            f"sentence_bert_config.json allows {limit:,} tokens, but the model has {positions:,} positions",
            f"set max_seq_length to {positions}; pool cut there",
            "error",
        )


def _used(loaded: Loaded, used: Choice) -> Iterator[Fault]:
    """Another pooling than the declared one is used."""
    if loaded.declared.pooling and used.layers and used.pooling != loaded.declared.pooling:
        yield Fault(
            "declared-pooling-ignored",
            f"{loaded.declared.by} declares {loaded.declared.said}, but {used.name} is used",
            "use the declared pooling unless the scores exclude it from being the best",
        )
    if used.pooling == "cls" and loaded.looks.causal and loaded.sentence_token != 0 and not loaded.declared.pooling:
        yield Fault(
            "first-token-of-causal-model",
            f"{used.name} is used, but the first token sees nothing of what follows it",
            "take the last token or the weighted mean",
            "error",
        )


def _uneven(loaded: Loaded, found: Sweep | None) -> Iterator[Fault]:
    """Layers that have no state for each token."""
    skipped = {} if found is None else found.vectors.skipped
    which = "; ".join(f"layer {layer} {why}" for layer, why in skipped.items()) or "they differ in length"
    yield Fault(
        "layers-left-out",
        f"not every layer of {type(loaded.model).__name__} has one state for each token: {which}",
        "choose among the layers that are shown",
        "note",
    )


def _collapsed(found: Sweep, pairs: Any, scores: Any | None) -> Iterator[Fault]:
    """Choices so narrow that a float32 cosine cannot rank the pairs."""
    every = collapsed(found, pairs, scores)
    if not every:
        return
    worst = max(every, key=lambda one: abs(one.float32 - one.float64) if scores is not None else -one.spread)
    wrong = f": {worst.float32:.4f} by float32, {worst.float64:.4f} by float64" if scores is not None else ""
    names = ", ".join(one.choice.name for one in every[:4]) + (f" and {len(every) - 4} more" if len(every) > 4 else "")
    yield Fault(
        "float32-cosine-lies",
        f"in {names} all sentences point the same way, and a float32 cosine cannot rank pairs "
        f"(worst: {worst.choice.name}{wrong})",
        "compute cosines in float64 (pool does), or centre the vectors first",
    )


def _below_random(verdict: Verdict) -> Iterator[Fault]:
    """The default says less than vectors that know nothing."""
    gap = verdict.below_random
    if gap is None or verdict.random is None or not gap.value < 0:
        return
    default, random = verdict.choices[verdict.default].name, verdict.choices[verdict.random].name
    yield Fault(
        "default-below-random",
        f"{default} ({verdict.intervals[verdict.default].value:.3f}) is below {random} "
        f"({verdict.intervals[verdict.random].value:.3f})" + ("" if gap.high < 0 else ", though not surely"),
        f"this model as it is gives no sentence vectors by its default; {verdict.choices[verdict.best].name} has "
        f"{verdict.intervals[verdict.best].value:.3f}",
        "error" if gap.high < 0 else "warning",
    )
