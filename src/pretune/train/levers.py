"""What makes training fast, put on a model and taken off again: prepare, restore. Knows no engine.

The levers are named options, all off in the preset `exact`. Weights, their names and the saved config are what they
would be without any of them; a saved model is a plain one of transformers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from pretune.core.errors import UserError
from pretune.train.attention import NotServedError, restore_attention, use_attention_dropout, use_sequences
from pretune.train.dropout import replace_dropout, restore_dropout
from pretune.train.precision import compute_in_bfloat16, faster, restore_precision

if TYPE_CHECKING:
    from pretune.train.options import Options


@dataclass(frozen=True, slots=True)
class Prepared:
    """What came of the levers.

    Attributes:
        options: as they count for this model on this machine: padding `none` only where the model is served, precision
            what is computed in. Batches have to be made with these.
        said: one line for each lever that is not what was asked for.
    """

    options: Options
    said: tuple[str, ...] = ()


def prepare(model: Any, options: Options) -> Prepared:
    """Put the levers of `options` on a model with its head, float32 and on its device; `restore` takes them off.

    Raises:
        UserError: another attention dropout cannot be set for this model, or it cannot compute in bfloat16.
    """
    restore(model)
    said = []
    if options.precision == "auto":
        precision, why = precision_of(model)
        options = replace(options, precision=precision)
        said += [why] if why else []
    if options.precision == "bf16":
        _try_bfloat16(model)
    rate = options.attention_dropout
    if options.padding == "none":
        try:
            use_sequences(model, dropout=rate)
        except NotServedError as error:
            said.append(f"{error.message}: padded to the longest of a batch")
            options = replace(options, padding="longest")
    if options.padding != "none" and rate is not None:
        use_attention_dropout(model, rate)
    if options.fast_dropout:
        replace_dropout(model)
    if options.precision == "bf16":
        compute_in_bfloat16(model)
    return Prepared(options, tuple(said))


def precision_of(model: Any) -> tuple[Literal["bf16", "fp32"], str]:
    """What `auto` means for a model on its device, and why it is float32; measured, so that it is asked once a run."""
    if faster(next(model.parameters()).device) == "fp32":
        return "fp32", "computing in float32: bfloat16 is not faster on this machine"
    try:
        _try_bfloat16(model)
    except UserError as error:
        return "fp32", f"computing in float32: {error.message}"
    return "bf16", ""


def restore(model: Any) -> None:
    """Take all levers off; a model without them stays as it is."""
    restore_precision(model)
    restore_dropout(model)
    restore_attention(model)


def _try_bfloat16(model: Any) -> None:
    """Compute a few tokens in bfloat16, so that a model that cannot says so before training."""
    import torch

    training = [module for module in model.modules() if module.training]
    compute_in_bfloat16(model)
    model.eval()
    try:
        with torch.no_grad():
            model(input_ids=torch.ones((1, 4), dtype=torch.int64, device=next(model.parameters()).device))
    except RuntimeError as error:
        line = str(error).strip().splitlines()[0]
        raise UserError(
            f"{type(model).__name__} cannot compute in bfloat16: {line}", hint="use --precision fp32 or autocast"
        ) from None
    finally:
        restore_precision(model)
        for module in training:
            module.training = True
