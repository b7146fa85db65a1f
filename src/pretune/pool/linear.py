"""Linear layers in the fastest exact form this processor has: faster_linears. Inference in float32 on CPU only.

On some processors torch hands float32 products to a library that is slow there, while oneDNN with weights packed in
advance is twice as fast and gives the same numbers. Which is so is measured, not assumed: a layer is replaced only when
the packed product is faster here and differs by rounding alone.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

GAIN = 1.1
"""Packed products must be this much faster to be used."""


@contextmanager
def faster_linears(model: Any, *, tokens: int = 512) -> Iterator[bool]:
    """Use packed products in the linear layers of a model while the block runs, if they are faster here.

    Args:
        model: float32, on the CPU, in evaluation mode. Other models are left as they are.
        tokens: rows of the products to come, for the measurement.

    Yields:
        Whether they are used. The model is as before afterwards, also after an error.
    """
    import torch

    layers = [layer for layer in model.modules() if type(layer) is torch.nn.Linear]
    fits = layers and all(layer.weight.dtype == torch.float32 and layer.weight.device.type == "cpu" for layer in layers)
    if not (fits and _is_faster(max(layers, key=lambda layer: layer.weight.numel()), tokens)):
        yield False
        return
    try:
        for layer in layers:
            layer.forward = _Packed(layer)
        yield True
    finally:
        for layer in layers:
            layer.__dict__.pop("forward", None)


class _Packed:
    """The product with one layer's weight, packed when it is first used."""

    def __init__(self, layer: Any) -> None:
        """Pack the weight as oneDNN wants it."""
        import torch

        self.weight = torch.ops.mkldnn._reorder_linear_weight(layer.weight)  # noqa: SLF001 - torch's own compiler uses it
        self.bias = layer.bias

    def __call__(self, rows: Any) -> Any:
        """The same as torch.nn.functional.linear."""
        import torch

        return torch.ops.mkldnn._linear_pointwise(rows, self.weight, self.bias, "none", [], "")  # noqa: SLF001


def _is_faster(layer: Any, tokens: int) -> bool:
    """Whether the packed product is there, equal and faster, by the best of a few turns on this very layer."""
    import torch

    try:
        packed = _Packed(layer)
        generator = torch.Generator().manual_seed(0)
        rows = torch.randn(1, tokens, layer.in_features, generator=generator)
        with torch.inference_mode():
            wanted = torch.nn.functional.linear(rows, layer.weight, layer.bias)
            found = packed(rows)
            scale = wanted.abs().max().clamp(min=1e-30)
            if not ((found - wanted).abs().max() <= 1e-5 * scale):
                return False
            plain = _best_time(lambda: torch.nn.functional.linear(rows, layer.weight, layer.bias))
            return plain > GAIN * _best_time(lambda: packed(rows))
    except (RuntimeError, AttributeError, NotImplementedError):
        # no oneDNN in this build of torch, or another signature: an optimisation is not worth an error.
        return False


def _best_time(product: Any) -> float:
    """CPU seconds of the fastest of eight turns."""
    import time

    best = float("inf")
    for _ in range(8):
        start = time.process_time()
        product()
        best = min(best, time.process_time() - start)
    return best
