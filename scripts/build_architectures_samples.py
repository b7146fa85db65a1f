"""Configs to observe a model type with: every whole-number key takes a value of its own, every switch is thrown once.

Only keys that a model refuses to vary are left at their default; they are returned as `pinned`, so that the tables
can say "unknown" for a checkpoint that has another value there. Needs transformers; loads no weights.
"""

import dataclasses
import inspect
import random
import re
from collections.abc import Callable, Mapping
from typing import Any

import transformers

BASE = {field.name for field in dataclasses.fields(transformers.PreTrainedConfig)}
HEADS = {"num_attention_heads", "n_head", "num_heads", "n_heads", "n_layers_heads"}
KV = {"num_key_value_heads", "num_kv_heads", "n_head_kv"}
HIDDEN = {"hidden_size", "d_model", "n_embd", "dim"}
HEAD_DIM = {"head_dim", "d_kv", "d_head", "attention_head_size"}
CHOICES: Mapping[str, tuple[Any, ...]] = {
    "feed_forward_proj": ("relu", "gated-gelu", "gated-silu"),
    "norm_rel_ebd": ("none", "layer_norm"),
    "pos_att_type": (["c2p", "p2c"], ["c2p"], ["p2c"], None),
    "encoder_attention_type": ("local", "transient-global"),
    "position_embedding_type": ("absolute", "relative_key"),
    "position_embeddings_type": ("relative_key_query", "absolute"),
    "normalization_type": ("no_norm", "layer_norm"),
    "summary_type": ("first", "last", "mean", "cls_index"),
}
"""What a text key may be, where no annotation says it."""

LEFT_ALONE = re.compile(
    r"(_token_id$|_index$|_id$|^chunk_size|sliding_window|window_size|attention_window|local_attention|num_beams"
    r"|max_length|min_length|separate_cls|block_repeats)"
)
KEPT = ("num_hash_functions", "languages", "decoder_sparse_step", "mlp_only_layers")
"""Keys that decide name by name or layer by layer what exists, in a way that is not folded; always pinned."""

"""Whole-number keys that size nothing (ids, windows) and that many models check closely; left at a small default."""


EVEN = re.compile(r"position|n_ctx|embedding_size|intermediate|d_ff|ffn_dim|d_inner|n_inner|hidden|_dim|_size|rank")
"""Keys of widths, which some models halve."""


@dataclasses.dataclass(frozen=True, slots=True)
class Space:
    """The keys of a config class, sorted by how they may be varied."""

    config_class: Any
    defaults: dict[str, Any]
    numbers: tuple[str, ...]
    switches: tuple[str, ...]
    choices: dict[str, tuple[Any, ...]]
    extra: dict[str, Any]
    maybe: tuple[str, ...]

    def role(self, key: str) -> str:
        """The standard name of a key: `n_embd` is `hidden_size`."""
        for alias, real in self.config_class.attribute_map.items():
            if real == key:
                return str(alias)
        return key

    def stored(self, key: str) -> str:
        """What config.json calls a key: Qwen3-MoE declares `num_experts` and saves `num_local_experts`."""
        real = str(self.config_class.attribute_map.get(key, key))
        return key if real in self.defaults else real


def space(config_class: Any, source: str) -> Space:
    """What can be varied. `source` is the text of the modeling file, where undeclared keys are read with getattr."""
    defaults: dict[str, Any] = {}
    for field in dataclasses.fields(config_class):
        if field.name in BASE and field.name not in vars(config_class):
            continue
        if field.default is not dataclasses.MISSING:
            defaults[field.name] = field.default
        elif field.default_factory is not dataclasses.MISSING:
            defaults[field.name] = field.default_factory()
    made = config_class()
    if "tie_word_embeddings" not in defaults and getattr(made, "tie_word_embeddings", None) is not None:
        defaults["tie_word_embeddings"] = made.tie_word_embeddings
    types = {field.name: str(field.type) for field in dataclasses.fields(config_class)}
    numbers, switches, choices, maybe = [], [], {}, []
    for key, value in defaults.items():
        kind = types.get(key, "bool")
        if key in CHOICES:
            choices[key] = CHOICES[key]
        elif "Literal" in kind and isinstance(value, str):
            choices[key] = tuple(re.findall(r"'([^']+)'", kind))
        elif isinstance(value, bool) or kind == "bool | None":
            if key != "is_decoder" or not made.is_encoder_decoder:
                switches.append(key)
        elif isinstance(value, int) or "int" in re.findall(r"\w+", kind):
            if isinstance(value, float) or "float" in kind or "list" in kind or LEFT_ALONE.search(key) or key in KEPT:
                continue
            numbers.append(key)
            if value is None:
                maybe.append(key)
    extra: dict[str, Any] = {}
    for key, told in re.findall(r"getattr\((?:self\.)?config,\s*\"(\w+)\",\s*([^)]+)\)", source):
        if key in defaults or key in BASE or hasattr(made, key) or LEFT_ALONE.search(key):
            continue
        if key in extra and told != "0":
            continue
        if told in ("True", "False"):
            extra[key] = told == "True"
        elif re.fullmatch(r"-?\d+", told):
            extra[key] = int(told)
        elif "//" in told or "config." in told:
            extra[key] = None
        elif key in CHOICES:
            extra[key] = told.strip("\"'")
    return Space(config_class, defaults, tuple(numbers), tuple(switches), choices, extra, tuple(maybe))


def numbers(space: Space, rng: random.Random) -> dict[str, Any]:
    """A distinct value for each whole-number key, such that heads divide widths."""
    groups, per_group, head_dim = rng.choice((2, 3)), rng.choice((2, 3)), rng.choice((8, 10, 14, 16, 22))
    heads = groups * per_group
    free = rng.sample(range(40, 250), len(space.numbers) + 8)
    free = [value for value in free if value != heads * head_dim]
    layers = rng.sample(range(2, 7), 5)
    out: dict[str, Any] = {}
    for at, key in enumerate(space.numbers):
        role = space.role(key)
        if key in KV or role in KV:
            out[key] = groups
        elif role in HEADS or key in HEADS or key.endswith("attention_heads"):
            out[key] = heads
        elif role in HIDDEN or key in HIDDEN:
            out[key] = heads * head_dim
        elif key in HEAD_DIM or key.endswith("head_dim"):
            out[key] = 2 * rng.choice((3, 6, 9, 12, 13))
        elif key in ("vocab_size", "n_vocab"):
            out[key] = rng.randrange(300, 420)
        elif role in ("num_hidden_layers", "n_layer") or re.search(r"(^|_)n?_?layers?$", key):
            out[key] = layers.pop() if layers else rng.randrange(2, 5)
        elif key.endswith("_ratio"):
            out[key] = rng.choice([part for part in (1, 2, 3) if heads % part == 0])
        elif re.search(r"per_tok|top_?k", key):
            out[key] = rng.choice((1, 2))  # never more than there are experts
        elif "bottleneck_size" in key:
            out[key] = heads * rng.choice((5, 7, 11))
        elif key == "embedding_size":
            out[key] = 2 * rng.randrange(5, 15)  # MobileBERT wants it below the hidden size
        elif re.search(r"^num_|_num$|expert|top_?k|group", key) and "bucket" not in key:
            out[key] = rng.choice((2, 3, 4, 5))
        elif EVEN.search(key):
            out[key] = free[at] // 2 * 2
        else:
            out[key] = free[at]
    return out


def special_ids(space: Space, drawn: Mapping[str, Any]) -> dict[str, Any]:
    """Small ids for the special tokens, inside every vocabulary that is sampled.

    The padding id differs from draw to draw: FSMT adds it to its positions.
    """
    out = {
        key: at + 1
        for at, key in enumerate(key for key in space.defaults if key.endswith("_token_id"))
        if isinstance(space.defaults[key], int)
    }
    if "pad_token_id" in out:
        out["pad_token_id"] = 1 + sum(drawn.values()) % 7
    return out


def complete(space: Space, keys: set[str] | frozenset[str], rng: random.Random) -> dict[str, Any]:
    """A new number for each of these keys, and the special ids."""
    drawn = _only(numbers(space, rng), keys)
    return drawn | special_ids(space, drawn)


Try = Callable[[Mapping[str, Any]], bool]


def settle(space: Space, works: Try, rng: random.Random) -> tuple[frozenset[str], dict[str, Any]]:
    """Which number keys can be varied, and what the others are pinned to.

    Starts from all keys varied; while the model refuses, keeps the standard ones and adds the rest one by one.
    """
    for _ in range(3):
        if works(complete(space, frozenset(space.numbers), rng)):
            break
    else:
        core = {key for key in space.numbers if _is_core(space, key)}
        for keep in (core, core - KV, {key for key in core if "vocab" in key or "layer" in key}, set()):
            if all(works(complete(space, keep, rng)) for _ in range(2)):
                break
        varied = set(keep)
        for key in space.numbers:
            if key not in varied and all(works(complete(space, varied | {key}, rng)) for _ in range(3)):
                varied.add(key)
        return frozenset(varied), {key: space.defaults[key] for key in space.numbers if key not in varied}
    return frozenset(space.numbers), {}


def _is_core(space: Space, key: str) -> bool:
    role = space.role(key)
    named = bool({key, role} & (HEADS | KV | HIDDEN))
    return named or key.endswith("heads") or "vocab" in key or role.endswith("layers")


def _only(values: Mapping[str, Any], keys: set[str] | frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key in keys}


def changes(space: Space, varied: frozenset[str]) -> list[dict[str, Any]]:
    """What can be changed beside the numbers, one thing at a time."""
    single: list[dict[str, Any]] = [{key: not space.defaults[key]} for key in space.switches]
    single += [{key: value} for key, values in space.choices.items() for value in values]
    for key, value in space.extra.items():
        if isinstance(value, bool):
            single.append({key: not value})
        else:
            single += [{key: one} for one in CHOICES.get(key, (FRESH, FRESH))]
    single += [{key: None} for key in space.maybe for _ in range(2)]
    plain = [
        key for key in space.numbers if key in varied - set(space.maybe) and ("type" in key or not _is_core(space, key))
    ]
    usual = {key: space.defaults[key] for key in plain}
    single += [{key: value} for key in plain for value in sorted({0, 1, usual[key] if usual[key] in range(9) else 0})]
    single += [{key: -1} for key in space.numbers if space.defaults[key] == -1]
    hidden = [key for key in space.numbers if {key, space.role(key)} & HIDDEN]
    single += [
        {key: SameAs(hidden[0])}
        for key in (*space.numbers, *(key for key, value in space.extra.items() if not isinstance(value, (bool, str))))
        if hidden and (key in varied or key in space.extra) and key not in hidden and re.search(r"emb|proj_dim", key)
    ]
    return single


def pairable(space: Space, single: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The changes that are worth throwing together with others."""
    loud = [change for change in single if not re.search(r"use_cache|output_|scale_|return_", next(iter(change)))]
    return [
        change
        for change in loud
        for key, value in change.items()
        if isinstance(value, bool) or value in (None, -1) or key in space.extra or key in space.choices
    ]


FRESH = "a number of its own"


@dataclasses.dataclass(frozen=True, slots=True)
class SameAs:
    """A key that takes the value of another one."""

    key: str


def draw(
    space: Space, varied: frozenset[str] | set[str], rng: random.Random, change: Mapping[str, Any]
) -> dict[str, Any]:
    """Keyword arguments for the config class: new numbers, and the change."""
    out = complete(space, varied, rng)
    told = dict(change)
    for key, value in change.items():
        if isinstance(value, SameAs):
            told[key] = out[value.key]
        elif value is FRESH:
            told[key] = 2 if "group" in key else rng.randrange(6, 40, 2)  # two groups share every width evenly
    return out | told


def source_of(config_class: Any) -> str:
    """The text of the modeling file beside the configuration file."""
    from importlib import import_module

    name = config_class.__module__.replace("configuration_", "modeling_")
    return inspect.getsource(import_module(name))


def surprise(space: Space, rng: random.Random) -> dict[str, Any]:
    """Two switches thrown at random, for configs that check a table."""
    return {key: not space.defaults[key] for key in rng.sample(space.switches, min(2, len(space.switches)))}
