"""The levers of a recipe in its script: levers_of says what the template writes, require_same_outputs tries it.

What `auto` means and whether a model is served without padding is found out on the model itself, as in a run.
Knows no data.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from pretune.train.recipe import Recipe
    from pretune.train.tasks import Task


@dataclass(frozen=True, slots=True)
class Levers:
    """What a script does to be fast.

    Attributes:
        recipe: with the options as they count on this machine.
        facts: what the template asks.
        said: a line for each lever that is not what was asked for.
        model: what the script is tried on; None: no lever touches the model.
    """

    recipe: Recipe
    facts: dict[str, Any]
    said: tuple[str, ...] = ()
    model: Any = None


def levers_of(recipe: Recipe, task: Task) -> Levers:
    """Load the model where a lever asks for it, and look at what the levers come to.

    Raises:
        UserError: the model does not load, or a lever cannot be written for it.
    """
    from pretune.train.levers import precision_of, prepare, restore
    from pretune.train.model import load_model, quiet
    from pretune.train.recipe import with_precision

    options = recipe.options
    model, said = None, []
    if options.padding == "none" or options.precision in {"auto", "bf16"}:
        model = load_model(recipe, task).model
        if options.precision == "auto":
            precision, why = precision_of(model)
            recipe = with_precision(recipe, precision)
            said += [why] if why else []
        with quiet():
            prepared = prepare(model, recipe.options)
        restore(model)
        recipe = replace(recipe, options=prepared.options)
        said += prepared.said
    options = recipe.options
    if options.attention_dropout is not None and options.padding != "none":
        raise UserError("--eject does not write attention-dropout with pads", hint=said[-1] if said else "")
    facts = {
        "packed": options.padding == "none",
        "whole": not task.each_token,
        "tokens": options.tokens_per_batch is not None,
        "average": options.tokens_per_batch == 0,
        "fast_dropout": options.fast_dropout,
        "bf16": options.precision == "bf16",
        "attention_dropout": options.attention_dropout is not None,
        **_of_model(model if options.padding == "none" else None),
    }
    facts["levers"] = any(facts[key] for key in ("packed", "tokens", "fast_dropout", "bf16"))
    return Levers(recipe, facts, tuple(said), model)


def _of_model(model: Any) -> dict[str, Any]:
    """What the script has to know of the model itself."""
    import torch

    from pretune.train.batches import first_position

    if model is None:
        return {"pooler": False, "first": 0}
    pooler = getattr(model.base_model, "pooler", None)
    return {"pooler": isinstance(pooler, torch.nn.Module), "first": first_position(model)}


def require_same_outputs(names: dict[str, Any], levers: Levers) -> None:
    """Let a script's own attention compute a few sequences without padding, and compare with each alone.

    Args:
        names: what the script defines.
        levers: as it was written with.

    Raises:
        UserError: it gives something else.
    """
    if not levers.facts["packed"]:
        return
    from pretune.train.attention_trial import differs, plain_outputs

    alone = plain_outputs(levers.model)
    names["without_padding"](levers.model)
    why = differs(levers.model, alone)
    if why:
        raise UserError(
            f"--eject cannot write padding none for {type(levers.model).__name__}: {why}", hint="use --padding longest"
        )
