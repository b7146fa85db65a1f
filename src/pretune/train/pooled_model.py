"""A model of transformers with a linear head over a pooling that no class of transformers has: pooled_class.

It is saved as a folder of sentence-transformers (Transformer, Pooling, Dense), whose vectors are the logits; AutoModel
of plain transformers loads the body. Its weights have names that no other class takes for its own head, so that it is
never loaded as something else in silence. Knows no task.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

MODES = {
    "cls": "pooling_mode_cls_token",
    "max": "pooling_mode_max_tokens",
    "mean": "pooling_mode_mean_tokens",
    "last_token": "pooling_mode_lasttoken",
}
"""A pooling -> its switch in 1_Pooling/config.json."""
_WRITTEN = ("pooling_mode_mean_sqrt_len_tokens", "pooling_mode_weightedmean_tokens")
FILES = ("modules.json", "config_sentence_transformers.json", "1_Pooling/config.json", "2_Dense/config.json")


def pooled_class(config: Any, pooling: str, name: str) -> type[Any]:
    """The class for models of this config.

    Args:
        config: of transformers.
        pooling: a key of MODES.
        name: of the model, for the message.

    Raises:
        UserError: transformers has no model of this kind.
    """
    import torch
    import transformers
    from transformers.modeling_outputs import SequenceClassifierOutput

    known: Any = transformers.AutoModel._model_mapping  # noqa: SLF001 - no public way
    if type(config) not in known:
        raise UserError(f"{name}: transformers has no model of its own for {pooling} pooling", hint="--pooling head")
    body: Any = known[type(config)]
    parent: Any = next(one for one in body.__mro__[1:] if issubclass(one, transformers.PreTrainedModel))
    prefix = body.base_model_prefix

    class Pooled(parent):  # type: ignore[misc]
        """The body, a pooling of its last states, dropout, and a linear layer."""

        def __init__(self, config: Any) -> None:
            super().__init__(config)
            made = body(config)
            if getattr(made, "pooler", None) is not None:
                made.pooler = None  # nothing reads it, so nothing would train it
            setattr(self, prefix, made)
            self.dropout = torch.nn.Dropout(dropout_rate(config))
            self.sentence_head = torch.nn.Linear(config.hidden_size, config.num_labels)
            self.post_init()

        def forward(
            self, input_ids: Tensor, attention_mask: Tensor | None = None, lens: list[int] | None = None, **others: Any
        ) -> Any:
            """Logits (sequences, labels); without padding the tokens are (1, T), `lens` of each sequence."""
            given = {"attention_mask": attention_mask} if lens is None else {"lens": lens}
            states = getattr(self, prefix)(input_ids=input_ids, **given, **others).last_hidden_state
            if lens is not None:
                states = torch.nn.utils.rnn.pad_sequence(states[0].split(list(lens)), batch_first=True)
                sizes = torch.tensor(lens, device=states.device)
                attention_mask = torch.arange(states.shape[1], device=states.device) < sizes[:, None]
            elif attention_mask is None:
                attention_mask = torch.ones(states.shape[:2], device=states.device)
            vectors = pooled(states, attention_mask, pooling)
            return SequenceClassifierOutput(logits=self.sentence_head(self.dropout(vectors)))

        def save_pretrained(self, save_directory: Any, **keys: Any) -> None:
            """Write the folder, with the modules of sentence-transformers beside the model."""
            super().save_pretrained(save_directory, **keys)
            state = keys.get("state_dict") or self.state_dict()
            head = {part: state[f"sentence_head.{part}"] for part in ("weight", "bias")}
            write_modules(Path(save_directory), pooling, head)

    Pooled.__name__ = Pooled.__qualname__ = f"Pooled{body.__name__.removesuffix('Model')}ForSequenceClassification"
    return Pooled


_RATES = ("classifier_dropout", "hidden_dropout_prob", "seq_classif_dropout", "dropout", "resid_pdrop")
"""Where configs say the dropout before a head."""


def dropout_rate(config: Any) -> float:
    """The dropout before the linear layer, as the config says it; 0 where it says none."""
    return next((one for one in (getattr(config, name, None) for name in _RATES) if isinstance(one, int | float)), 0.0)


def pooled(states: Tensor, mask: Tensor, pooling: str) -> Tensor:
    """Vectors (sequences, size) of states (sequences, tokens, size).

    Args:
        states: of the last layer.
        mask: (sequences, tokens), 0 or False where there is no token.
        pooling: a key of MODES.
    """
    import torch

    seen = mask.bool()
    if pooling == "mean":
        kept = states.float().masked_fill(~seen[..., None], 0.0)
        return (kept.sum(1) / seen.sum(1, keepdim=True).clamp_min(1)).to(states.dtype)
    if pooling == "max":
        return states.masked_fill(~seen[..., None], torch.finfo(states.dtype).min).amax(1)
    places = torch.arange(states.shape[1], device=states.device).expand(seen.shape)
    at = places.masked_fill(~seen, -1).amax(1) if pooling == "last_token" else seen.int().argmax(1)
    return states[torch.arange(len(states), device=states.device), at.clamp_min(0)]


def write_modules(folder: Path, pooling: str, head: dict[str, Tensor]) -> None:
    """What sentence-transformers reads beside the model: one pooling, and the head as a Dense."""
    from safetensors.torch import save_file

    out, size = head["weight"].shape
    for name, content in modules_of(pooling, size, out).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    tensors = {f"linear.{name}": value.detach().cpu().contiguous() for name, value in head.items()}
    save_file(tensors, folder / "2_Dense" / "model.safetensors")


def modules_of(pooling: str, size: int, out: int) -> dict[str, Any]:
    """The files of sentence-transformers beside a model: name -> content, for vectors of `size` and `out` logits."""
    switches = {mode: key == pooling for key, mode in MODES.items()} | dict.fromkeys(_WRITTEN, False)
    kinds = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Dense", "Dense"))
    identity = "torch.nn.modules.linear.Identity"
    contents: tuple[Any, ...] = (
        [
            {"idx": nth, "name": str(nth), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for nth, (path, kind) in enumerate(kinds)
        ],
        {"prompts": {}, "similarity_fn_name": None},
        {"word_embedding_dimension": size, **switches, "include_prompt": True},
        {"in_features": size, "out_features": out, "bias": True, "activation_function": identity},
    )
    return dict(zip(FILES, contents, strict=True))
