"""What a few batches give: the loss before training, the gradients, and whether one batch can be learnt by heart.

All is computed on a copy of the model, which is thrown away; weights, gradients, mode and randomness of the user's own
stay bit for bit. Does not know losses that are modules of their own (sentence-transformers).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from pretune.check.facts.live_batches import Peeked, peek, size_of
from pretune.check.facts.live_guard import untouched
from pretune.check.facts.live_model import read_live_model
from pretune.check.finding import Unavailable
from pretune.check.sources.live_objects import bases, unwrapped
from pretune.core.extras import need

if TYPE_CHECKING:
    from collections.abc import Callable

    from pretune.check.facts import Facts
    from pretune.check.facts.live_model import LiveModel
    from pretune.check.sources.live_objects import Objects

LARGEST = 2_000_000_000
"""Parameters of a model that is copied for this."""
ROWS, STEPS, SECONDS = 8, 40, 20.0
"""Rows of the batch that is learnt by heart, steps that it may take, and seconds."""
RATES = ((2_000_000, (1e-2, 1e-3)), (50_000_000, (1e-3, 1e-4)), (LARGEST, (1e-4, 2e-5)))
"""Parameters of a model up to a size -> the learning rates that are tried in turn."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """How the loss of one batch fell: before, at its lowest, after so many steps, of how many rows."""

    first: float
    lowest: float
    steps: int
    rows: int


@dataclass(frozen=True)
class DeepFacts:
    """What was computed.

    Attributes:
        task: what is trained.
        model: what is known of the model.
        losses: of the first batches, in evaluation mode.
        untrained: what a head that knows nothing would give, on the average of the same batches; None: not known.
        untrained_as: the same as a formula, `ln 3`.
        without: trained parameters that got no gradient.
        zero: whose gradient is zero throughout.
        infinite: whose gradient holds NaN or infinity.
        trained: how many parameters are trained.
        learnt: one batch learnt by heart; None: not tried.
        untried: why not.
    """

    task: str | None
    model: LiveModel
    losses: tuple[float, ...]
    untrained: float | None = None
    untrained_as: str = ""
    without: tuple[str, ...] = ()
    zero: tuple[str, ...] = ()
    infinite: tuple[str, ...] = ()
    trained: int = 0
    learnt: Learnt | None = None
    untried: str = ""

    @property
    def loss(self) -> float:
        """The mean of the first batches' losses."""
        return sum(self.losses) / len(self.losses)


def read_deep(facts: Facts) -> DeepFacts:
    """Compute a few batches.

    Raises:
        Unavailable: nobody asked for it; no model or no batch; the loss cannot be computed on a copy.
        UserError: torch or transformers are not installed.
    """
    if not facts.wants_deep:
        raise Unavailable("nothing was computed: deep=True, or --deep")
    torch = need("torch", extra="train")
    objects = facts.objects
    if objects is None:
        from pretune.check.facts.deep_names import loaded

        objects = loaded(facts)
    if objects.model is None:
        raise Unavailable("no model is in memory")
    if any(kind.startswith("sentence_transformers.") for kind in bases(objects.model)):
        raise Unavailable("the loss of a SentenceTransformer is a module that holds the model, which cannot be copied")
    known = read_live_model(objects.model, facts.maybe("loading"), facts.maybe("weights"))
    size = sum(one.size for one in known.parameters)
    if not known.whole or size > LARGEST:
        raise Unavailable(f"the model is too large to be copied: {size:,} parameters, at most {LARGEST:,}")
    peeked = peek(objects)
    batches = [batch for batch in peeked.raw if size_of(batch)][:4]
    if not batches:
        raise Unavailable(f"no batches were looked at: {peeked.unseen or peeked.failure}")
    with untouched(objects.trainer):
        return _computed(torch, objects, facts.setup.task, known, Peeked(tuple(batches)))


def _computed(torch: Any, objects: Objects, task: str | None, known: LiveModel, peeked: Peeked) -> DeepFacts:
    from copy import deepcopy

    try:
        with torch.no_grad():
            copy = deepcopy(objects.model)
    except Exception as error:  # noqa: BLE001 - what foreign code raises is the answer
        raise Unavailable(f"the model cannot be copied: {type(error).__name__}") from None
    copy.__dict__.pop("forward", None)  # accelerate's wrapper around forward may hold the model that was copied
    copy.zero_grad(set_to_none=True)
    device = next((parameter.device for parameter in copy.parameters()), torch.device("cpu"))
    loss = _loss_of(objects, known)
    batches = [_moved(batch, device) for batch in peeked.raw]
    copy.eval()
    with torch.no_grad():
        losses = tuple(float(_asked(loss, copy, batch)) for batch in batches)
    untrained, formula = _untrained(task, known, objects, batches)
    without, zero, infinite, trained = _gradients(torch, copy, loss, batches[0])
    learnt, untried = None, "the first loss is not finite"
    if all(map(math.isfinite, losses)) and not infinite and trained > len(without):
        learnt, untried = _learnt(torch, deepcopy, copy, loss, _cut(batches[0]))
    return DeepFacts(task, known, losses, untrained, formula, without, zero, infinite, trained, learnt, untried)


def _loss_of(objects: Objects, known: LiveModel) -> Callable[[Any, dict[str, Any]], Any]:
    """What gives the loss of a batch: the Trainer's own compute_loss, or the model itself."""
    from pretune.check.facts.live_training import read_run

    if objects.trainer is not None and read_run(objects).own_loss:
        return lambda model, batch: objects.trainer.compute_loss(model, dict(batch))

    def loss(model: Any, batch: dict[str, Any]) -> Any:
        given = (
            batch if known.open_inputs or not known.inputs else {k: v for k, v in batch.items() if k in known.inputs}
        )
        out = model(**given)
        return out["loss"] if isinstance(out, dict) else out.loss if hasattr(out, "loss") else out[0]

    return loss


def _asked(loss: Callable[[Any, dict[str, Any]], Any], model: Any, batch: dict[str, Any]) -> Any:
    """The loss as a scalar.

    Raises:
        Unavailable: there is none.
    """
    try:
        value = loss(model, batch)
    except Exception as error:  # noqa: BLE001 - what foreign code raises is the answer
        told = " ".join(str(error).split())[:160]
        raise Unavailable(f"the loss cannot be computed: {type(error).__name__}: {told}") from None
    value = value[0] if isinstance(value, tuple) else value
    if value is None or not hasattr(value, "dim") or value.dim() != 0:
        raise Unavailable("the model gives no loss for these batches")
    return value


def _moved(batch: Any, device: Any) -> dict[str, Any]:
    return {key: batch[key].to(device) if hasattr(batch[key], "to") else batch[key] for key in batch}


def _cut(batch: dict[str, Any]) -> dict[str, Any]:
    """The first rows of a batch."""
    rows = size_of(batch)
    return {
        key: value[:ROWS] if getattr(value, "shape", ()) and value.shape[0] == rows else value
        for key, value in batch.items()
    }


def _untrained(
    task: str | None, known: LiveModel, objects: Objects, batches: list[dict[str, Any]]
) -> tuple[float | None, str]:
    """What equal scores for everything would give: the loss of a head that knows nothing."""
    if objects.trainer is not None:
        smoothing = getattr(objects.arguments, "label_smoothing_factor", 0)
        from pretune.check.facts.live_training import read_run

        if smoothing or read_run(objects).own_loss:
            return None, ""
    if task == "question-answering":
        widths = [batch["input_ids"].shape[1] for batch in batches if "input_ids" in batch]
        return (
            (sum(map(math.log, widths)) / len(widths), f"ln {round(sum(widths) / len(widths))}")
            if widths
            else (None, "")
        )
    if task in ("masked-lm", "causal-lm", "chat-sft"):
        config = getattr(unwrapped(objects.model), "config", None)
        size = known.rows or getattr(config, "vocab_size", None)
        return (math.log(size), f"ln {size:,}") if size else (None, "")
    labels = batches[0].get("labels")
    count = known.labels or 0
    if (
        labels is None
        or count < 2
        or task not in ("text-classification", "pair-classification", "token-classification")
    ):
        return None, ""
    if labels.is_floating_point():
        return (math.log(2), "ln 2") if labels.dim() == 2 else (None, "")
    return math.log(count), f"ln {count}"


def _gradients(
    torch: Any, copy: Any, loss: Callable[[Any, dict[str, Any]], Any], batch: dict[str, Any]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], int]:
    """Names of parameters without a gradient, with one of zeros, with one that is not finite; how many are trained."""
    trained = {name: one for name, one in copy.named_parameters() if one.requires_grad}
    if not trained:
        return (), (), (), 0
    copy.train()
    with torch.enable_grad():
        value = _asked(loss, copy, batch)
        if value.requires_grad:
            value.backward()
    without = tuple(name for name, one in trained.items() if one.grad is None)
    infinite = tuple(n for n, one in trained.items() if one.grad is not None and not bool(one.grad.isfinite().all()))
    zero = tuple(n for n, one in trained.items() if one.grad is not None and not bool(one.grad.any()))
    copy.zero_grad(set_to_none=True)
    return without, zero, infinite, len(trained)


def _learnt(
    torch: Any, deepcopy: Any, copy: Any, loss: Callable[[Any, dict[str, Any]], Any], batch: dict[str, Any]
) -> tuple[Learnt | None, str]:
    """Train on one batch alone, without dropout, until its loss is a fifth or the steps or seconds are used up."""
    size = sum(one.numel() for one in copy.parameters())
    until = monotonic() + SECONDS
    found: Learnt | None = None
    for at, rate in enumerate(next(rates for most, rates in RATES if size <= most)):
        try:
            model = deepcopy(copy) if at == 0 else copy
        except Exception as error:  # noqa: BLE001 - a second copy may not fit
            return found, f"the model cannot be copied twice: {type(error).__name__}"
        model.eval()
        optimizer = torch.optim.AdamW(
            [one for one in model.parameters() if one.requires_grad], lr=rate, weight_decay=0.0
        )
        values: list[float] = []
        with torch.enable_grad():
            while len(values) <= STEPS and monotonic() < until:
                value = _asked(loss, model, batch)
                values.append(value.item())
                if not math.isfinite(values[-1]) or values[-1] < 0.2 * values[0]:
                    break
                optimizer.zero_grad(set_to_none=True)
                value.backward()
                optimizer.step()
        finite = [value for value in values if math.isfinite(value)]
        if len(finite) > 1 and (found is None or min(finite) < found.lowest):
            found = Learnt(finite[0], min(finite), len(finite) - 1, size_of(batch))
        if found is not None and found.lowest < 0.5 * found.first:
            break
    return found, "" if found else "there was no time for a second step"
