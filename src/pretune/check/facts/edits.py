"""The config keys that a Setup changes, and what the config is after that. Knows no weights and no classes.

Follows transformers 5.23: keyword arguments of `from_pretrained` set only keys that the config has and hand the rest to
the model's `__init__`; `config.update(...)` sets anything; setting num_labels replaces labels of another number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.artifacts.config import as_labels, escape, real_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.artifacts.config import Config
    from pretune.check.sources.setup import Setup

ARGUMENTS = frozenset({
    "adapter_kwargs", "adapter_name", "add_pooling_layer", "allow_all_kernels", "attn_implementation",
    "cache_dir", "code_revision", "config", "device_map", "device_mesh", "disable_mmap", "distributed_config",
    "dtype", "experts_implementation", "force_download", "from_flax", "from_tf", "generation_config",
    "gguf_file", "ignore_mismatched_sizes", "kernel_config", "key_mapping", "load_in_4bit", "load_in_8bit",
    "local_files_only", "low_cpu_mem_usage", "max_memory", "mirror", "offload_buffers", "offload_folder",
    "offload_state_dict", "output_loading_info", "proxies", "quantization_config", "resume_download",
    "return_unused_kwargs", "revision", "state_dict", "subfolder", "token", "torch_dtype", "tp_plan", "tp_size",
    "tqdm_class", "trust_remote_code", "use_auth_token", "use_flash_attention_2", "use_kernels",
    "use_safetensors", "variant", "weights_only", "_fast_init",
})  # fmt: skip
"""What `from_pretrained` takes for itself; any other keyword is meant for the config or the model's `__init__`."""

COMMON = frozenset({
    "architectures", "attn_implementation", "chunk_size_feed_forward", "dtype", "id2label",
    "is_encoder_decoder", "label2id", "name_or_path", "num_labels", "output_attentions", "output_hidden_states",
    "per_layer_config", "problem_type", "return_dict", "tie_last_hidden_states", "torch_dtype",
    "transformers_version", "_name_or_path", "_attn_implementation",
})  # fmt: skip
"""Keys that every config of transformers 5.23 has."""

ROPE = frozenset({"rope_theta", "rope_scaling", "rope_parameters"})
"""Names under which transformers 4 and 5 keep rotary positions; a config with one of them understands all in a file."""

MOST_LABELS = 100_000
"""Beyond this no LABEL_0, LABEL_1, … are made up."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A config key that the Setup changes.

    Attributes:
        key: as written.
        name: what the model type calls it (`hidden_size` of GPT-2 is n_embd).
        old: the value before: stated, else the model type's default; None also when there was none.
        new: the value after.
        how: "kwarg" of from_pretrained, or "update" of the loaded config.
        where: the place in the setup.
        known: whether the config has the key; True when the model type is unknown here.
    """

    key: str
    name: str
    old: Any
    new: Any
    how: str
    where: str
    known: bool = True


def flatten(config: Config) -> dict[str, Any]:
    """One level of keys: defaults, then the whole config, then its text part, each key under the model type's own name.

    The whole is there so that what stands beside the text part (tie_word_embeddings) is seen; the text part wins.
    """
    flat: dict[str, Any] = {}
    for architecture in (config.architecture, config.text_architecture):
        flat.update(architecture.defaults if architecture else {})
    for level in (config.raw, config.text):
        flat.update({config.real(key): value for key, value in level.items()})
    labels = as_labels(config.raw.get("id2label"))
    stated = config.raw.get("num_labels")
    flat["num_labels"] = config.num_labels if stated is None or whole(stated) is not None else stated
    if labels is not None and len(labels) == config.num_labels:
        flat["id2label"] = labels
    elif "num_labels" in config.raw or "id2label" not in config.raw:
        _label(flat, config.num_labels)
    _spell_rope(flat, config)
    return flat


def _spell_rope(flat: dict[str, Any], config: Config) -> None:
    """Rotary positions in the spelling of transformers 4 too (rope_theta, rope_scaling; 5 writes rope_parameters)."""
    if not ROPE & flat.keys():
        return
    parameters, scaling = flat.get("rope_parameters"), flat.get("rope_scaling")
    if isinstance(parameters, Mapping):
        spelled_anew = config.stated("rope_parameters") is not None
        if spelled_anew:
            scaling = {key: value for key, value in parameters.items() if key != "rope_theta"}
        if spelled_anew or config.stated("rope_theta") is None:
            flat["rope_theta"] = parameters.get("rope_theta", flat.get("rope_theta"))
    if isinstance(scaling, Mapping) and not any(isinstance(part, Mapping) for part in scaling.values()):
        kind = scaling.get("rope_type", scaling.get("type"))
        scaling = None if kind in ("default", None) else scaling
    flat["rope_scaling"] = scaling


def _label(flat: dict[str, Any], count: object) -> None:
    """What setting num_labels does: other labels than that many are replaced by LABEL_0 and so on."""
    number = whole(count)
    if number is not None and 0 <= number <= MOST_LABELS:
        flat["id2label"] = {index: f"LABEL_{index}" for index in range(number)}
        flat["label2id"] = {f"LABEL_{index}": index for index in range(number)}


def keywords(setup: Setup) -> dict[str, tuple[Any, str]]:
    """Every keyword argument of from_pretrained: its value and the key of the setup that gives it."""
    given: dict[str, tuple[Any, str]] = {}
    for part, said in (
        ("from_pretrained", setup.from_pretrained),
        ("model_kwargs", setup.model_kwargs),
        ("config", setup.config),
    ):
        given.update({key: (value, f"{part}.{key}") for key, value in said.items()})
    return given


def edited(setup: Setup, config: Config, saved: Mapping[str, Any]) -> tuple[tuple[Edit, ...], dict[str, Any]]:
    """The edits in the order in which they take effect, and the config (flattened as `saved`) after them."""
    said = [("kwarg", key, value, place) for key, (value, place) in keywords(setup).items() if key not in ARGUMENTS]
    said.sort(key=lambda item: item[1] != "num_labels")  # from_dict sets num_labels before any other keyword
    said += [("update", key, value, f"config_update.{key}") for key, value in setup.config_update.items()]
    effective = dict(saved)
    edits = []
    for how, key, new, place in said:
        name = real_name(key, config.text_architecture)
        known = is_known(key, config, how=how)
        old = effective.get(name)
        if not known or name not in effective or not same(old, new):
            edits.append(Edit(key, name, old, new, how, setup.place(place), known=known))
        if not known and how == "kwarg":
            continue
        if isinstance(new, Mapping) and isinstance(old, Mapping) and config.text_pointer == f"/{escape(key)}":
            effective.update({real_name(inner, config.text_architecture): value for inner, value in new.items()})
        _set(effective, name, new)
    return tuple(edits), effective


def _set(effective: dict[str, Any], name: str, new: object) -> None:
    effective[name] = new
    labels = effective.get("id2label")
    if name == "num_labels" and (len(labels) if isinstance(labels, Mapping) else None) != new:
        _label(effective, new)
    elif name == "id2label" and isinstance(new, Mapping):
        effective["num_labels"] = len(new)


def is_known(key: str, config: Config, *, how: str) -> bool:
    """Whether the config has the key: for a "kwarg" as an attribute, for an "update" under any name that is read.

    True when its model type is unknown here.
    """
    architecture = config.text_architecture or config.architecture
    if architecture is None or key in COMMON or config.stated(key) is not None or key in config.raw:
        return True
    has = set(architecture.defaults) | set(architecture.attribute_map)
    if how == "update":
        has |= architecture.known_keys
    return key in has or (key in ROPE and bool(ROPE & set(architecture.defaults)))


def known_keys(config: Config) -> Iterator[str]:
    """Every key the config has."""
    for architecture in (config.architecture, config.text_architecture):
        if architecture is not None:
            yield from architecture.defaults
            yield from architecture.attribute_map
    yield from config.raw
    yield from COMMON


def whole(value: object) -> int | None:
    """A whole number of at most 62 bits, as any size in a checkpoint is; None for anything else (true is no number)."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 62:
        return value
    return None


def same(old: object, new: object) -> bool:
    """Whether two config values are one: true is not 1, and label ids are one as text or as numbers."""
    if isinstance(old, bool) != isinstance(new, bool):
        return False
    old_labels, new_labels = as_labels(old), as_labels(new)
    if old_labels is not None and new_labels is not None:
        return old_labels == new_labels
    return bool(old == new)
