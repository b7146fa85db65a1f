"""CFG: how much harm an edit does that changes no tensor's shape: a table of key names. Knows no model.

Levels follow measurements on all-MiniLM-L6-v2 (cosine to the unedited embeddings): heads 12 -> 6 0.83, gelu -> relu
0.59, gelu -> gelu_new 1.000, eps 1e-2 0.986, eps 1e-5 1.000. Keys that are not in the table are free to change
(dropout, labels, initializer_range, use_cache, ...).
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from pretune.check.finding import Level

Verdict = tuple[Level, str]
"""How grave an edit is, and what it does, as the end of a sentence that begins with `it`."""

GELUS = frozenset(
    {
        "gelu",
        "gelu_new",
        "gelu_fast",
        "gelu_python",
        "gelu_pytorch_tanh",
        "gelu_accurate",
        "gelu_python_tanh",
        "gated-gelu",
    }
)
SILUS = frozenset({"silu", "swish"})

EPS_HARMS = 1e-3
"""An epsilon from here on is of the order of the variances it is added to (MiniLM: 1e-2 gives cosine 0.986)."""


def harm(name: str, old: object, new: object) -> Verdict | None:
    """What changing `name` does to a trained model whose shapes stay; None: nothing worth a word."""
    judge = TABLE.get(name)
    return judge(old, new) if judge else None


def _always(level: Level, effect: str) -> Callable[[Any, Any], Verdict | None]:
    return lambda old, new: (level, effect) if old != new else None


def _activation(old: object, new: object) -> Verdict | None:
    if not isinstance(new, str) or not isinstance(old, str):
        return None
    if old == new or {old, new} <= SILUS:
        return None
    if {old, new} <= GELUS:
        return Level.NOTE, "is nearly the same function"
    return Level.ERROR, "passes every layer's values through another function than the trained one"


def _epsilon(old: object, new: object) -> Verdict | None:
    if not _is_number(old) or not _is_number(new):
        return None
    assert isinstance(old, int | float)
    assert isinstance(new, int | float)
    if math.isclose(old, new, rel_tol=1e-6):
        return None
    if max(old, new) >= EPS_HARMS:
        return Level.WARNING, "changes every normalised value"
    return Level.NOTE, "is too small a change to be felt"


def _rope(old: object, new: object) -> Verdict | None:
    if _theta(old) is not None and _theta(new) is not None and _theta(old) != _theta(new):
        return _THETA
    if _scaling(old) == _scaling(new):
        return None
    return (
        Level.WARNING,
        "reads positions otherwise than in pretraining, which training on longer texts has to make good",
    )


def _theta(value: object) -> object:
    return value.get("rope_theta") if isinstance(value, Mapping) else None


def _scaling(value: object) -> dict[str, Any] | None:
    """Rope parameters without the base and the defaults; None for no scaling at all."""
    if not isinstance(value, Mapping):
        return None
    scaling = {key: part for key, part in value.items() if key not in {"rope_theta", "rope_type", "type"}}
    kind = value.get("rope_type", value.get("type", "default"))
    return {**scaling, "rope_type": kind} if scaling or kind != "default" else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


_THETA: Verdict = (Level.ERROR, "rotates every position by other angles than in pretraining")
_Judge = Callable[[Any, Any], Verdict | None]

_GROUPS: tuple[tuple[_Judge, str], ...] = (
    (
        _always(Level.ERROR, "cuts the trained attention into other heads"),
        (
            "num_attention_heads n_head n_heads num_heads num_key_value_heads num_kv_heads head_dim d_kv d_head"
            " multi_query encoder_attention_heads decoder_attention_heads num_global_key_value_heads global_head_dim"
        ),
    ),
    (
        _activation,
        "hidden_act activation_function hidden_activation activation feed_forward_proj dense_act_fn ff_activation",
    ),
    (_epsilon, "layer_norm_eps layer_norm_epsilon rms_norm_eps norm_eps norm_epsilon layernorm_epsilon"),
    (_rope, "rope_parameters rope_scaling"),
    (_always(Level.ERROR, "runs the shared layers another number of times"), "num_hidden_layers"),
    (_always(*_THETA), "rope_theta rotary_emb_base global_rope_theta local_rope_theta rope_local_base_freq"),
    (
        _always(Level.ERROR, "reads positions in another way than in pretraining"),
        (
            "partial_rotary_factor rotary_pct rotary_dim rotary alibi relative_attention pos_att_type"
            " position_biased_input norm_rel_ebd max_relative_positions relative_attention_max_distance no_rope_layers"
        ),
    ),
    (
        _always(Level.WARNING, "lets tokens see other tokens than in pretraining"),
        (
            "sliding_window use_sliding_window sliding_window_pattern max_window_layers layer_types local_attention"
            " attention_window attention_type attention_types block_size num_random_blocks global_attn_every_n_layers"
        ),
    ),
    (
        _always(Level.ERROR, "puts normalisation and residuals in another order than the trained one"),
        (
            "do_layer_norm_before normalize_before apply_residual_connection_post_layernorm use_parallel_residual"
            " parallel_attn new_decoder_architecture is_gated_act"
        ),
    ),
    (
        _always(Level.WARNING, "scales trained values differently"),
        (
            "attn_logit_softcapping final_logit_softcapping query_pre_attn_scalar scale_attn_weights scale_embedding"
            " scale_attn_by_inverse_layer_idx logit_scale embedding_multiplier residual_multiplier attention_multiplier"
            " logits_scaling num_experts_per_tok norm_topk_prob routed_scaling_factor"
        ),
    ),
)

TABLE: Mapping[str, _Judge] = {name: judge for judge, names in _GROUPS for name in names.split()}
"""Key -> what its change does."""
