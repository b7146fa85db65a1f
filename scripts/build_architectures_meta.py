"""What transformers' classes say of themselves on the meta device: shapes, ties, keys. Allocates no weights."""

import copy
import dataclasses
import inspect
import random
import re
from collections.abc import Mapping
from typing import Any

import build_architectures_fit as fitting
import build_architectures_keys as keys
import build_architectures_samples as sampling
import torch
import transformers
from transformers.conversion_mapping import get_checkpoint_conversion_mapping
from transformers.core_model_loading import WeightConverter
from transformers.models.auto import modeling_auto, tokenization_auto

from pretune.artifacts.architecture_expressions import size
from pretune.artifacts.architecture_rows import all_keys

transformers.logging.set_verbosity(50)

AUTO = {
    "AutoModel": "MODEL_MAPPING_NAMES",
    "AutoModelForPreTraining": "MODEL_FOR_PRETRAINING_MAPPING_NAMES",
    "AutoModelForMaskedLM": "MODEL_FOR_MASKED_LM_MAPPING_NAMES",
    "AutoModelForCausalLM": "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES",
    "AutoModelForSeq2SeqLM": "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES",
    "AutoModelForSequenceClassification": "MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES",
    "AutoModelForTokenClassification": "MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES",
    "AutoModelForQuestionAnswering": "MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES",
    "AutoModelForMultipleChoice": "MODEL_FOR_MULTIPLE_CHOICE_MAPPING_NAMES",
    "AutoModelForNextSentencePrediction": "MODEL_FOR_NEXT_SENTENCE_PREDICTION_MAPPING_NAMES",
    "AutoModelForTextEncoding": "MODEL_FOR_TEXT_ENCODING_MAPPING_NAMES",
}


OLD_BUFFERS = (("rotary_emb.inv_freq", r"rotary_emb\.inv_freq"), ("position_ids", r"(^|\.)position_ids$"))
"""Buffers that transformers 5 does not save, and the names of old checkpoints that it therefore ignores."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sight:
    """What one class has under one config."""

    shapes: dict[str, tuple[int, ...]]
    tied: dict[str, str]
    embeddings: frozenset[str]
    prefix: str
    word: str
    out: str
    old_buffers: tuple[str, ...]


def classes(model_type: str) -> dict[str, Any]:
    """Auto class -> concrete class."""
    out = {}
    for auto, mapping in AUTO.items():
        name = getattr(modeling_auto, mapping).get(model_type)
        name = name[0] if isinstance(name, (tuple, list)) else name
        if name and hasattr(transformers, name):
            out[auto] = getattr(transformers, name)
    return out


def effective(space: sampling.Space, given: Mapping[str, Any], *, labels: int) -> tuple[dict[str, Any], Any]:
    """The values that the model sees, and the config object; the object is None where transformers refuses."""
    if "attention_types" in space.defaults and "num_layers" in given:  # GPT-Neo: a list that must count the layers
        given = {**given, "attention_types": [[["global"], given["num_layers"]]]}
    try:
        config = space.config_class(**given, num_labels=labels)
    except Exception:  # noqa: BLE001 - a refused config is one sample less
        return {}, None
    values = {key: getattr(config, key, None) for key in space.defaults if plain(getattr(config, key, None))}
    values = {space.stored(key): value for key, value in values.items() if not isinstance(value, (list, dict))}
    values |= {key: given.get(key, getattr(config, key, None)) for key in space.choices}
    for key, text in keys.DERIVED.get(config.model_type, {}).items():
        values[key] = size(text, values) if values.get(key) is None else values[key]
    return values | {key: given.get(key, told) for key, told in space.extra.items()} | {"num_labels": labels}, config


def look(cls: Any, config: Any) -> Sight | None:
    """Build the class on the meta device; None where it cannot be."""
    if config is None:
        return None
    try:
        with torch.device("meta"):
            model = cls(config)
    except Exception:  # noqa: BLE001 - some classes want a special config
        if "QuestionAnswering" not in cls.__name__ or config.num_labels == 2:
            return None
        two = copy.deepcopy(config)  # a start and an end: some classes take no other number of labels
        two.num_labels = 2
        return look(cls, two)
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    embeddings = frozenset(
        f"{path}.{name}"
        for path, module in model.named_modules()
        if isinstance(module, torch.nn.Embedding)
        for name, _ in module.named_parameters()
    )
    prefix = model.base_model_prefix + "."
    if model.base_model is model or not any(name.startswith(prefix) for name in shapes):
        prefix = ""
    names = {id(parameter): name for name, parameter in reversed(list(model.named_parameters(remove_duplicate=False)))}
    paths = {id(module): path for path, module in model.named_modules()}
    buffers = [name for name, _ in model.named_buffers()]
    return Sight(
        shapes,
        dict(model.all_tied_weights_keys),
        embeddings,
        prefix,
        _weight(model, "get_input_embeddings", paths, names),
        _weight(model, "get_output_embeddings", paths, names),
        tuple(pattern for ending, pattern in OLD_BUFFERS if any(buffer.endswith(ending) for buffer in buffers)),
    )


def _weight(model: Any, getter: str, paths: Mapping[int, str], names: Mapping[int, str]) -> str:
    try:
        module = getattr(model, getter)()
    except Exception:  # noqa: BLE001 - not every class has one
        return ""
    if module is None or getattr(module, "weight", None) is None:
        return ""
    path = paths.get(id(module))
    return f"{path}.weight" if path is not None else names.get(id(module.weight), "")


def observe(space: sampling.Space, cls: Any, given: Mapping[str, Any]) -> Sight | None:
    """What the class has when these keyword arguments make its config."""
    return look(cls, effective(space, given, labels=3)[1])


def plain(value: object) -> bool:
    """Whether JSON can hold the value as it is."""
    if isinstance(value, (list, tuple)):
        return all(plain(one) for one in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and plain(one) for key, one in value.items())
    return value is None or isinstance(value, (bool, int, float, str))


def kept(key: str, value: object) -> bool:
    """Whether the key is never varied though it may size something, so that another value means "unknown"."""
    listed = isinstance(value, (list, tuple)) and any(not isinstance(one, str) for one in value)
    return key in sampling.KEPT or (listed and not sampling.LEFT_ALONE.search(key) and key != "layer_types")


def derived(space: sampling.Space, varied: frozenset[str], rng: random.Random) -> tuple[dict[str, str], dict[str, Any]]:
    """Keys that the config class works out when they are left out (as expressions), and switches it overrides."""
    out: dict[str, str] = {}
    rows: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for _ in range(6):
        given = sampling.draw(space, varied - set(space.maybe), rng, {})
        values, config = effective(space, given, labels=3)
        if config is not None:
            rows.append(({**values}, {key: getattr(config, key, None) for key in space.maybe}))
    for key in space.maybe:
        found = [made[key] for _, made in rows]
        if not rows or not all(isinstance(value, int) and not isinstance(value, bool) for value in found):
            continue
        unset = set(space.maybe) - set(out)
        text = fitting.fit([{k: v for k, v in values.items() if k not in unset} for values, _ in rows], found, depth=0)
        if text is not None:
            out[key] = text
    forced = {}
    for key in space.switches:
        value = not space.defaults[key]
        config = effective(space, sampling.draw(space, varied, rng, {key: value}), labels=3)[1]
        if config is not None and getattr(config, key, value) is not value:
            forced[key] = getattr(config, key)
    return out, forced


def inputs(cls: Any) -> list[str]:
    """The names forward() takes, without self and catch-alls."""
    parameters = inspect.signature(cls.forward).parameters.values()
    return [p.name for p in parameters if p.name != "self" and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]


def ignored(cls: Any, sight: Sight) -> dict[str, list[str]]:
    """Patterns of names that from_pretrained does not mention when they are missing or unexpected."""
    missing = sorted(getattr(cls, "_keys_to_ignore_on_load_missing", None) or [])
    unexpected = sorted({*(getattr(cls, "_keys_to_ignore_on_load_unexpected", None) or []), *sight.old_buffers})
    return {key: value for key, value in (("missing", missing), ("unexpected", unexpected)) if value}


def renames(model_type: str) -> list[list[Any]]:
    """[pattern, target, further targets, operations] of each rename that from_pretrained makes for this type."""
    return [
        [
            transform.compiled_sources.pattern,
            transform.target_patterns[0],
            transform.target_patterns[1:],
            [type(one).__name__ for one in transform.operations] if isinstance(transform, WeightConverter) else [],
        ]
        for transform in get_checkpoint_conversion_mapping(model_type) or []
    ]


def legacy_keys(config_class: Any) -> list[str]:
    """Old keys that the config class still reads, from its own source."""
    own = [cls for cls in config_class.__mro__ if cls.__module__.startswith("transformers.models")]
    source = "".join(inspect.getsource(cls) for cls in own)
    found = set(re.findall(r"kwargs\.(?:pop|get|setdefault)\(\s*\"(\w+)\"", source))
    return sorted(found - {field.name for field in dataclasses.fields(config_class)})


def sub_type(spec: Any) -> str:
    """The model type of a nested config."""
    return str(getattr(spec, "model_type", "") or "")


def tokenizer_class(model_type: str) -> str | None:
    """What AutoTokenizer picks for the type."""
    name = tokenization_auto.TOKENIZER_MAPPING_NAMES.get(model_type)
    return str(name) if name else None


def sort_keys(data: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """(silent, free): the keys that fit every shape, and those of them that may be changed at will."""
    sized = all_keys(data)
    rest = [key for key in [*data["defaults"], *data["extra"]] if key not in sized]
    old = ["rope_theta", "rope_scaling"] if "rope_parameters" in rest else []
    old += [key for key in data["legacy"] if keys.OLD_ROPE.search(key) and key not in sized]
    silent = dict.fromkeys([key for key in rest if not keys.is_free(key)] + old)
    return list(silent), [key for key in rest if keys.is_free(key)]


def common() -> dict[str, Any]:
    """What holds for every model type."""
    fields = {field.name: field.default for field in dataclasses.fields(transformers.PreTrainedConfig)}
    composites = {}
    for model_type in sorted(transformers.CONFIG_MAPPING):
        try:
            specs = transformers.CONFIG_MAPPING[model_type].sub_configs_defaults
        except Exception:  # noqa: BLE001 - needs a package that is not installed
            continue
        if "text_config" in specs:
            composites[model_type] = {key: sub_type(spec) for key, spec in specs.items()}
    return {
        "made_by": f"scripts/build_architectures.py with transformers {transformers.__version__}",
        "transformers": transformers.__version__,
        "defaults": {key: value for key, value in fields.items() if plain(value)},
        "generation": sorted(transformers.GenerationConfig._get_default_generation_params()),  # noqa: SLF001
        "legacy": sorted(keys.LEGACY),
        "free": list(keys.FREE),
        "renames": renames("legacy"),
        "composites": composites,
    }
