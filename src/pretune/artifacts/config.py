"""Reads config.json: what it says, what its model type adds where it says nothing, and where each key stands.

Judges nothing: a value of the wrong type stays what it is, for a rule to speak of. Knows no edits and no weights.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from pretune.artifacts.architectures import find, model_types
from pretune.artifacts.json_file import read_object
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pretune.artifacts.architectures import Architecture
    from pretune.artifacts.source import Source

CONFIG = "config.json"
GENERATION = "generation_config.json"

NESTED = ("text_config", "llm_config", "language_config", "text_encoder", "decoder", "generator", "thinker_config")
"""Where a config of several parts keeps its text model: transformers' `get_text_config`, and remote code's names."""

OLD_NAMES: Mapping[str, str] = {"torch_dtype": "dtype"}
"""Names that hold for every model type; transformers 4 wrote torch_dtype, transformers 5 writes dtype."""

DEFAULT_LABELS = 2
"""What a config without id2label stands for (`PreTrainedConfig.__post_init__`)."""


@dataclass(frozen=True, slots=True)
class Config:
    """A config as saved, with its model type's own words for keys and its defaults.

    Attributes:
        source: where it was read from.
        raw: the saved JSON object, untouched.
        text: the nested config of the text model, or `raw` itself.
        text_pointer: where `text` stands in the file: `/text_config`, or nothing when it is the whole.
        model_type: of the whole config; None when it is missing or no string.
        architecture: what is known of `model_type`; None when it is unknown here.
        text_architecture: the same of the text model's type; `architecture` when nothing is nested.
        generation: the saved generation_config.json; empty when there is none.
    """

    source: Source
    raw: Mapping[str, Any]
    text: Mapping[str, Any]
    text_pointer: str = ""
    model_type: str | None = None
    architecture: Architecture | None = None
    text_architecture: Architecture | None = None
    generation: Mapping[str, Any] = field(default_factory=dict)

    def real(self, key: str) -> str:
        """The model type's own name of a key: `hidden_size` is `n_embd` to GPT-2; any other key is itself."""
        return real_name(key, self.text_architecture)

    def stated(self, key: str) -> tuple[str, Any] | None:
        """The JSON pointer and the value of a key that the file states under any of its names, else None."""
        levels = [(self.text_pointer, self.text)]
        if self.text_pointer:
            levels.append(("", self.raw))
        for pointer, level in levels:
            for name in self.names(key):
                if name in level:
                    return f"{pointer}/{escape(name)}", level[name]
        return None

    def names(self, key: str) -> Iterator[str]:
        """Every name of a key, the model type's own first."""
        real = self.real(key)
        yield real
        attribute_map = self.text_architecture.attribute_map if self.text_architecture else {}
        for alias, name in (*attribute_map.items(), *OLD_NAMES.items()):
            if name == real:
                yield alias
        if key != real and key not in attribute_map and key not in OLD_NAMES:
            yield key

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key under any of its names: as stated, else the model type's default, else `default`."""
        found = self.stated(key)
        if found is not None:
            return found[1]
        real = self.real(key)
        for architecture in (self.text_architecture, self.architecture):
            if architecture is not None and real in architecture.defaults:
                return architecture.defaults[real]
        return default

    def pointer(self, key: str) -> str:
        """The JSON pointer of a key, or of where it would have to be written."""
        found = self.stated(key)
        return found[0] if found else f"{self.text_pointer}/{escape(self.real(key))}"

    @property
    def file(self) -> str:
        """The config's path on this machine, for whoever mends it; its place where it is not a file here."""
        path = self.source.path(CONFIG)
        return str(path) if path is not None else self.source.at(CONFIG)

    def at(self, key: str = "") -> str:
        """The place of a key as reports name it: `folder/config.json:/vocab_size`."""
        return self.source.at(CONFIG, self.pointer(key)) if key else self.source.at(CONFIG)

    @property
    def architectures(self) -> tuple[str, ...]:
        """The classes the config says its weights belong to."""
        stated = self.raw.get("architectures")
        return tuple(name for name in stated if isinstance(name, str)) if isinstance(stated, list) else ()

    @property
    def transformers_version(self) -> str | None:
        """The version that wrote the file."""
        return _text(self.raw.get("transformers_version"))

    @property
    def name_or_path(self) -> str | None:
        """What the saved model was itself loaded from."""
        return _text(self.raw.get("_name_or_path"))

    @property
    def quantization(self) -> Mapping[str, Any]:
        """The quantization_config; empty when there is none."""
        found = self.raw.get("quantization_config", self.text.get("quantization_config"))
        return found if isinstance(found, dict) else {}

    @property
    def auto_map(self) -> Mapping[str, Any]:
        """Which auto class loads which class of the repository's own code; empty when none does."""
        found = self.raw.get("auto_map")
        return found if isinstance(found, dict) else {}

    @property
    def dtype(self) -> str | None:
        """The dtype the weights were saved in: `float32`, `bfloat16`, ..."""
        stated = self.stated("dtype")
        name = _text(stated[1]) if stated else None
        return name.removeprefix("torch.") if name else None

    @property
    def labels(self) -> dict[int, Any] | None:
        """id2label with its keys as numbers; None when it is absent or no such map."""
        return as_labels(self.raw.get("id2label"))

    @property
    def num_labels(self) -> int:
        """What transformers makes of num_labels and id2label: the former wins, two when neither is stated."""
        stated = self.raw.get("num_labels")
        if isinstance(stated, int) and not isinstance(stated, bool):
            return stated
        labels = self.raw.get("id2label")
        return len(labels) if isinstance(labels, dict) else DEFAULT_LABELS


def read_config(source: Source) -> Config:
    """The config of a model's folder or hub repository.

    Raises:
        UserError: there is no config.json, or it (or generation_config.json) is no JSON object.
    """
    if not source.has(CONFIG):
        raise _without_config(source)
    raw = read_object(source, CONFIG)
    pointer, text = _text_part(raw)
    model_type = _text(raw.get("model_type"))
    text_type = _text(text.get("model_type"))
    architecture = find(model_type) if model_type else None
    return Config(
        source=source,
        raw=raw,
        text=text,
        text_pointer=pointer,
        model_type=model_type,
        architecture=architecture,
        text_architecture=(find(text_type) if text_type else None) if pointer else architecture,
        generation=read_object(source, GENERATION) if source.has(GENERATION) else {},
    )


def as_labels(labels: object) -> dict[int, Any] | None:
    """id2label with number keys, as transformers makes them of a file's string keys; None when it is no such map."""
    if not isinstance(labels, dict):
        return None
    try:
        return {int(key): name for key, name in labels.items()}
    except (TypeError, ValueError):
        return None


def real_name(key: str, architecture: Architecture | None) -> str:
    """What a model type calls a key itself (`hidden_size` of GPT-2 is n_embd); a key without another name is itself."""
    if key in OLD_NAMES:
        return OLD_NAMES[key]
    return architecture.attribute_map.get(key, key) if architecture else key


@cache
def type_of_class(name: str) -> str | None:
    """The model type that a concrete class belongs to (`BertForMaskedLM` -> bert); None when no table has it."""
    for model_type in sorted(model_types()):
        architecture = find(model_type)
        if architecture is not None and name in architecture.classes.values():
            return model_type
    return None


def escape(key: str) -> str:
    """A key as one step of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def _text_part(raw: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Pointer and object of the text model's config, at most three levels down (omni models nest a thinker)."""
    pointer, level = "", raw
    for _ in range(3):
        inner = next((name for name in NESTED if _is_model(level.get(name))), None)
        if inner is None or (
            not pointer and "vocab_size" in level and inner in {"decoder", "text_encoder", "generator"}
        ):
            break
        pointer, level = f"{pointer}/{inner}", level[inner]
    return pointer, level


def _is_model(value: object) -> bool:
    return isinstance(value, dict) and any(key in value for key in ("vocab_size", "hidden_size", "model_type", *NESTED))


def _without_config(source: Source) -> UserError:
    """One line: what the folder holds instead, and what to give."""
    if source.has("adapter_config.json"):
        base = _text(read_object(source, "adapter_config.json").get("base_model_name_or_path"))
        return UserError(
            f"{source.label} has no config.json: it holds an adapter (adapter_config.json), not a model",
            hint=f'give the model it was trained on: "{base}"' if base else "give the model the adapter was trained on",
        )
    names = sorted(source.names())
    nested = next((name for name in names if name.endswith(f"/{CONFIG}") and "checkpoint" in name), None)
    if nested:
        hint = f'did you mean "{source.label.rstrip("/")}/{nested.removesuffix(f"/{CONFIG}")}"?'
    elif names:
        shown = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
        hint = f"it holds {shown}; a model folder is what save_pretrained writes"
    else:
        hint = "it is empty; a model folder is what save_pretrained writes"
    return UserError(f"{source.label} has no config.json: is it a model folder?", hint=hint)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
