"""A model that runs with other rows for some tokens: Runner, load. Its weights stay as they are. Imports torch late.

The rows stand in for what the word embedding gives at the places of new tokens, so positions, masks and everything
behind them are the model's own. Of an encoder with a decoder, the encoder.
"""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.artifacts.json_file import read_json, read_object
from pretune.core.errors import UserError
from pretune.core.extras import need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pretune.artifacts.source import Source

MODES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_sqrt_len_tokens": "mean",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
"""sentence-transformers' switches; mean_sqrt_len has the mean's direction."""


@dataclass
class Runner:
    """A model that computes hidden states, with rows of its own for new tokens.

    Attributes:
        model: a transformers model that gives `last_hidden_state`, in evaluation mode.
        padding: an id to pad with; it is masked.
        causal: whether a token sees only those before it.
    """

    model: Any
    padding: int
    causal: bool = False

    def __post_init__(self) -> None:
        """Hook the word embedding."""
        self._embedding = self.model.get_input_embeddings()
        self._now = threading.local()  # several threads may run it at the same time
        self._hook = self._embedding.register_forward_hook(self._replaced)

    @property
    def positions(self) -> int:
        """Tokens that a text may have; RoBERTa's kind counts its positions from padding + 1 on."""
        config = self.model.config
        config = config.get_text_config() if hasattr(config, "get_text_config") else config
        return int(getattr(config, "max_position_embeddings", None) or 1 << 20) - 8

    def close(self) -> None:
        """Take the hook away."""
        self._hook.remove()

    def _replaced(self, module: Any, _: Any, output: Any) -> Any:
        where, table = getattr(self._now, "rows", (None, None))
        if where is None:
            return output
        import torch

        scale = getattr(module, "embed_scale", 1.0)
        rows = torch.nn.functional.embedding(where, table) * scale
        return torch.where((where > 0)[..., None], rows.to(output.dtype), output)

    def hidden(self, ids: Sequence[Sequence[int]], rows: Any = None, at: Sequence[Sequence[int]] = ()) -> Any:
        """Hidden states of the last layer (texts, tokens, width), float32, and the mask (texts, tokens).

        Args:
            ids: of the texts; at the places of new tokens any id that the model has.
            rows: (1 + new tokens, width); the first is not used.
            at: for each id the row that stands in for its own; 0: its own.
        """
        import torch

        longest = max(map(len, ids))
        device = self._embedding.weight.device

        def padded(lists: Sequence[Sequence[int]], filler: int) -> Any:
            return torch.tensor([[*one, *[filler] * (longest - len(one))] for one in lists], device=device)

        mask = padded([[1] * len(one) for one in ids], 0)
        if rows is not None:
            self._now.rows = padded(at, 0), rows
        try:
            states = self.model(input_ids=padded(ids, self.padding), attention_mask=mask)
        finally:
            self._now.rows = None, None
        return states.last_hidden_state.float(), mask


def pooled(states: Any, mask: Any, mode: str) -> Any:
    """Sentence vectors (texts, width) of hidden states."""
    import torch

    seen = mask[..., None].to(states.dtype)
    if mode == "cls":
        return states[:, 0]
    if mode == "lasttoken":
        return states[torch.arange(len(states)), mask.sum(1) - 1]
    if mode == "max":
        return states.masked_fill(seen == 0, -1e9).max(1).values
    if mode == "weightedmean":
        seen = seen * torch.arange(1, states.shape[1] + 1, device=states.device)[None, :, None]
    return (states * seen).sum(1) / seen.sum(1)


def declared_pooling(source: Source) -> str:
    """How a sentence-transformers model makes one vector of a text; empty: the model is none.

    Raises:
        UserError: a file cannot be read.
    """
    modules = read_json(source, "modules.json") if source.has("modules.json") else ()
    for module in modules if isinstance(modules, list) else ():
        if not isinstance(module, dict) or not str(module.get("type", "")).endswith("Pooling"):
            continue
        name = f"{str(module.get('path') or '').strip('/')}/config.json".lstrip("/")
        return pooling_of(read_object(source, name) if source.has(name) else {})
    return "mean" if modules else ""


def pooling_of(told: Mapping[str, Any]) -> str:
    """The pooling that a Pooling module's config names, the first of several."""
    named = told.get("pooling_mode")
    named = named[0] if isinstance(named, list | tuple) and named else named
    if isinstance(named, str) and named:
        return "mean" if named.startswith("mean") else named
    return next((mode for key, mode in MODES.items() if told.get(key)), "mean")


@contextmanager
def load(folder: Path, *, padding: int) -> Iterator[Runner]:
    """The model of a folder in float32, without dropout; what it says while it loads is not shown.

    Raises:
        UserError: torch or transformers are missing, or cannot load it.
    """
    torch = need("torch", extra="train")
    transformers = need("transformers", extra="train")
    told = transformers.utils.logging
    verbosity, bar = told.get_verbosity(), told.is_progress_bar_enabled()
    told.set_verbosity_error()
    told.disable_progress_bar()
    try:
        with torch.random.fork_rng(devices=[]):
            model = transformers.AutoModel.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError, ImportError, KeyError, RuntimeError) as error:
        said = str(error).strip().partition("\n")[0]
        raise UserError(f"transformers cannot load {folder}: {said}", hint="--init mean trains nothing") from None
    finally:
        told.set_verbosity(verbosity)
        if bar:
            told.enable_progress_bar()
    with running(model.float().eval(), padding=padding) as runner:
        yield runner


@contextmanager
def running(model: Any, *, padding: int) -> Iterator[Runner]:
    """A model at hand as a runner; afterwards it is as it was, but for what `load` made of its own."""
    import torch

    part = model.get_encoder() if getattr(model.config, "is_encoder_decoder", False) else model
    modes = {module: module.training for module in part.modules()}
    learning = [weight for weight in part.parameters() if weight.requires_grad]
    part.eval()
    for weight in learning:
        weight.requires_grad_(requires_grad=False)  # nothing is kept for gradients that nobody asks for
    runner = Runner(part, padding)
    try:
        with torch.no_grad():
            one, _ = runner.hidden([[5, 6, 7]])
            other, _ = runner.hidden([[5, 6, 8]])
        runner.causal = torch.equal(one[0, 1], other[0, 1])
        yield runner
    finally:
        runner.close()
        for weight in learning:
            weight.requires_grad_(requires_grad=True)
        for module, training in modes.items():
            module.training = training


def told(line: str) -> None:
    """A word to the user, beside what the command writes."""
    sys.stderr.write(f"{line}\n")
