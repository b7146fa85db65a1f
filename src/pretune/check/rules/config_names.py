"""CFG: what a config key that does not exist was meant to be, and how values are written. Knows no facts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pretune.core.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

SAME_THING: tuple[frozenset[str], ...] = tuple(
    frozenset(words.split())
    for words in (
        "hidden_size n_embd d_model dim hidden_dim embed_dim",
        "num_hidden_layers n_layer n_layers num_layers",
        "num_attention_heads n_head n_heads num_heads",
        "intermediate_size n_inner d_ff ffn_dim",
        "max_position_embeddings n_positions n_ctx max_seq_len",
        "hidden_dropout_prob resid_pdrop dropout dropout_rate hidden_dropout residual_dropout dropout_prob",
        "attention_probs_dropout_prob attn_pdrop attention_dropout attn_dropout attention_dropout_prob",
        "classifier_dropout seq_classif_dropout classif_dropout_rate cls_dropout classifier_dropout_prob",
        "layer_norm_eps layer_norm_epsilon rms_norm_eps norm_eps",
        "hidden_act activation_function activation hidden_activation",
        "num_labels n_labels num_classes n_classes nb_labels labels_num",
    )
)
"""Names that different model types (and people) give to one thing."""


def meant(key: str, known: Iterable[str]) -> str | None:
    """The known key that `key` was probably meant to be; None for a key of one's own.

    A slip of the pen (`num_lables`), a known key cut short (`hidden_dropout`) and another model type's word (`n_embd`)
    have one; a known key with a word more (`num_ner_labels`) is a name of one's own, as is what resembles nothing.
    """
    real = {name for name in known if not name.startswith("_") and name != key}
    for group in SAME_THING:
        if key in group and group & real:
            return min(group & real, key=lambda name: (-_common(name, key), name))
    words = _words(key)
    if any(set(_words(name)) < set(words) for name in real if len(_words(name)) > 1):
        return None
    longer = [name for name in real if len(words) > 1 and set(words) < set(_words(name))]
    if longer:
        return min(longer, key=lambda name: (len(name), name))
    near = nearest(key, sorted(real))
    return near if near is not None and _slips(key, near) <= 2 and len(key) > 3 else None


def value(thing: object, most: int = 40) -> str:
    """A config value as JSON writes it, cut to `most` characters; whole numbers with thousands parted."""
    if isinstance(thing, int) and not isinstance(thing, bool):
        return f"{thing:,}" if abs(thing) < 1 << 62 else "a number beyond all sizes"
    try:
        text = json.dumps(thing, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = type(thing).__name__
    safe = "".join(letter if letter.isprintable() else "?" for letter in text)
    return safe if len(safe) <= most else f"{safe[: most - 1]}…"


def tensors(count: int, kind: str = "") -> str:
    """1 -> `1 trained tensor`, 2000 -> `2,000 trained tensors`, when `kind` is "trained"."""
    return f"{count:,} {kind}{' ' if kind else ''}tensor{'' if count == 1 else 's'}"


def _words(key: str) -> Collection[str]:
    return key.lower().split("_")


def _common(one: str, other: str) -> int:
    return len(set(_words(one)) & set(_words(other)))


def _slips(one: str, other: str) -> int:
    """Letters to add, drop, change or swap with a neighbour to get from one word to the other (Damerau, restricted)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
