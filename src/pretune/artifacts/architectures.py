"""What a checkpoint of a model type should contain: tensor names, shapes, config keys, classes, positions.

Answers come from tables in `architectures_data`, one file a model type, which `scripts/build_architectures.py` observes
on the installed transformers; nothing here imports it. Knows nothing of files, values of weights, or remote code, and
raises `Unknown` rather than guess.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pretune.artifacts.architecture_expressions import Unknown, holds, size
from pretune.artifacts.architecture_names import renamed, renames_of
from pretune.artifacts.architecture_rows import ROLES, Expected, all_keys, expanded, keys_of, rows_of, shape_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pretune.artifacts.architecture_names import Rename, Renamed

__all__ = ["Architecture", "Expected", "Unknown", "find", "model_types", "shape_keys", "task_auto_class"]

MOST_TENSORS = 200_000
"""More than any checkpoint has; a config that asks for more is nonsense, and is not expanded."""

_DATA = Path(__file__).parent / "architectures_data"
_TASKS = {
    "question-answering": "AutoModelForQuestionAnswering",
    "text-classification": "AutoModelForSequenceClassification",
    "pair-classification": "AutoModelForSequenceClassification",
    "token-classification": "AutoModelForTokenClassification",
    "sentence-similarity": "AutoModel",
    "masked-lm": "AutoModelForMaskedLM",
    "causal-lm": "AutoModelForCausalLM",
    "chat-sft": "AutoModelForCausalLM",
}


@dataclass(frozen=True, slots=True)
class Architecture:
    """What transformers knows of one model type.

    Attributes:
        model_type: as config.json says it.
        config_class: `BertConfig`; empty for a composite type, of which only `sub_configs` is known.
        defaults: config key -> default, those of every config included.
        attribute_map: alias -> real key (`n_embd` for GPT-2 is the real key of `hidden_size`).
        base_prefix: `bert`, the name of the base model inside a model with a head.
        classes: auto class -> concrete class.
        tokenizer_class: what AutoTokenizer picks; None: nothing.
        causal: whether a later token leaves an earlier one alone under the default config; None: not observed.
        encoder_decoder: whether it has both.
        sub_configs: key -> model type of a nested config (`text_config` -> `gemma3_text`).
        activation_key: the config key of the activation; None: there is none.
        silent_keys: keys that fit every shape and change what is computed.
        free_keys: keys that may be changed without harm to what was learnt.
        known_keys: every key transformers reads for this type, old ones and generation's too.
        renames: old tensor names -> the present ones, as from_pretrained maps them.
    """

    model_type: str
    config_class: str
    defaults: Mapping[str, Any]
    attribute_map: Mapping[str, str]
    base_prefix: str
    classes: Mapping[str, str]
    tokenizer_class: str | None
    causal: bool | None
    encoder_decoder: bool
    sub_configs: Mapping[str, str]
    activation_key: str | None
    silent_keys: frozenset[str]
    free_keys: frozenset[str]
    known_keys: frozenset[str]
    renames: tuple[Rename, ...]
    _data: Mapping[str, Any] = field(repr=False)

    @property
    def shape_keys(self) -> frozenset[str]:
        """The config keys that decide which tensors there are, or their sizes."""
        return shape_keys(self.model_type)

    def class_name(self, model_class: str) -> str:
        """The concrete class that an auto class or a concrete class names.

        Raises:
            Unknown: the type has no such class.
        """
        name = self.classes.get(model_class, model_class)
        if name not in self._data.get("classes", {}):
            raise Unknown(f"{self.model_type} has no {model_class} in the tables")
        return name

    def resolved(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The values that the model sees: aliases followed, defaults filled in, left-out sizes worked out.

        Args:
            config: config.json (of the text part, where it is nested), with any edits already made.
        """
        out = dict(self.defaults)
        for key, value in config.items():
            out[self.attribute_map.get(key, key)] = value
        labels, named = config.get("num_labels"), config.get("id2label")
        out["num_labels"] = labels if labels is not None else len(named) if isinstance(named, (dict, list)) else 2
        out |= self._data.get("forced", {})
        for key, text in self._data.get("derived", {}).items():
            if out.get(key) is None:
                try:
                    out[key] = size(text, out)
                except Unknown:
                    continue
        return out

    def tensors(self, config: Mapping[str, Any], model_class: str) -> dict[str, Expected]:
        """Name -> expected tensor, tied ones included, in the order of `state_dict()`'s parts.

        Args:
            config: as for `resolved`.
            model_class: an auto class or a concrete class of this type.

        Raises:
            Unknown: the class is not in the tables, or the config's values give no sizes.
        """
        name = self.class_name(model_class)
        entry = self._data["classes"][name]
        if "unknown" in entry:
            raise Unknown(f"{name} is not in the tables: {entry['unknown']}")
        values = self.resolved(config)
        for key, default in self._data["pinned"].items():
            if (values.get(key) or None) != (default or None):  # no list and an empty one say the same
                found = f"{values.get(key)!r:.40}"
                raise Unknown(f"the tables know {self.model_type} only with {key}={default!r:.40}, not {found}")
        tied = {one: two for one, two, when in entry["tied"] if not when or holds(when, values)}
        out: dict[str, Expected] = {}
        for row in rows_of(self._data["body"], entry):
            if len(row) > 3 and not holds(row[3], values):
                continue
            shape = shape_of(row, values)
            keys, role = keys_of(tuple(row)), ROLES[row[2]]
            for full in expanded(row[0], values, MOST_TENSORS - len(out)):
                out[full] = Expected(full, shape, role, keys, tied.get(full))
        return out

    def inputs(self, model_class: str) -> tuple[str, ...]:
        """The names that the class's forward() takes; empty when it is not in the tables."""
        entry = self._entry(model_class)
        return tuple(entry.get("inputs", ()))

    def word_embedding(self, model_class: str) -> str | None:
        """The tensor that has one row per token id; None where the tables do not say."""
        return self._entry(model_class).get("word") or None

    def lm_head(self, model_class: str) -> str | None:
        """The tensor that gives one logit per token id; None for a class without one."""
        return self._entry(model_class).get("out") or None

    def has_pooler(self, model_class: str) -> bool:
        """Whether the class builds the base model's pooler."""
        entry = self._entry(model_class)
        return "rows" in entry and any(row[2] == "p" for row in rows_of(self._data["body"], entry))

    def uses_pooler(self, model_class: str) -> bool:
        """Whether the class's logits depend on that pooler, as observed by their gradient."""
        idle = self._entry(model_class).get("idle", ())
        return self.has_pooler(model_class) and not idle

    def reads(
        self, model_class: str = "AutoModelForSequenceClassification", *, config: Mapping[str, Any] | None = None
    ) -> str:
        """The vector that a classification head reads, as observed by its gradients.

        "first" (where [CLS] stands), "last", "last non-pad", "eos", "all" (a mean or the like); "" where not observed.
        """
        entry = self._entry(model_class)
        values = self.resolved(config or {})
        told = [reads for when, reads in entry.get("reads_when", ()) if holds(when, values)]
        return str(told[0] if told else entry.get("reads", ""))

    def position_kind(self, config: Mapping[str, Any]) -> str:
        """Where the order of tokens comes from: learned, sinusoidal, rope, relative, alibi, none; "" unknown."""
        return str(self._position(config).get("kind", ""))

    def positions_are_hard(self, config: Mapping[str, Any]) -> bool:
        """Whether a longer input crashes (a learned table ends), rather than going past what was trained."""
        return bool(self._position(config).get("hard", False))

    def positions(self, config: Mapping[str, Any]) -> int | None:
        """How many tokens an input may have, special ones included; None: no such limit, or not known."""
        limit = self._position(config).get("limit", "")
        try:
            return size(limit, self.resolved(config)) if limit else None
        except Unknown:
            return None

    def renamed(self, name: str) -> Renamed:
        """What a tensor of a file is called in the model after from_pretrained's renames."""
        return renamed(name, self.renames)

    def ignores(self, model_class: str, name: str, *, when: Literal["missing", "unexpected"]) -> bool:
        """Whether from_pretrained says nothing when this tensor is missing, or unexpected."""
        patterns: Sequence[str] = self._entry(model_class).get("ignore", {}).get(when, ())
        return any(re.search(pattern, name) for pattern in patterns)

    def _entry(self, model_class: str) -> Mapping[str, Any]:
        try:
            entry: Mapping[str, Any] = self._data["classes"][self.class_name(model_class)]
        except Unknown:
            return {}
        return entry

    def _position(self, config: Mapping[str, Any]) -> Mapping[str, Any]:
        values = self.resolved(config)
        for case in self._data.get("position") or ():
            try:
                if not case["when"] or holds(case["when"], values):
                    return dict(case)
            except Unknown:
                continue
        return {}


@cache
def model_types() -> frozenset[str]:
    """The model types that have tables."""
    return frozenset(path.stem for path in _DATA.glob("*.json")) - {"common"}


@cache
def find(model_type: str) -> Architecture | None:
    """The architecture of a model type; None when it is not in the tables. Reads one small file."""
    common = _load("common")
    if model_type in model_types():
        data = _load(model_type)
    elif model_type in common["composites"]:
        data = {"model_type": model_type, "config_class": "", "sub_configs": common["composites"][model_type]}
    else:
        return None
    own = data.get("defaults", {}) | data.get("extra", {})
    base = set(common["defaults"]) - {"is_encoder_decoder"}
    known = {*own, *common["defaults"], *common["legacy"], *common["generation"], *data.get("legacy", ())}
    return Architecture(
        model_type=model_type,
        config_class=data["config_class"],
        defaults=common["defaults"] | own,
        attribute_map=data.get("attribute_map", {}),
        base_prefix=data.get("base_prefix", ""),
        classes=data.get("auto", {}),
        tokenizer_class=data.get("tokenizer_class"),
        causal=data.get("causal"),
        encoder_decoder=bool(data.get("encoder_decoder")),
        sub_configs=data["sub_configs"],
        activation_key=data.get("activation"),
        silent_keys=frozenset(data.get("silent", ())) - base,
        free_keys=frozenset(data.get("free", ())) | base,
        known_keys=frozenset(known | set(data.get("attribute_map", ())) | set(data["sub_configs"])),
        renames=renames_of((*data.get("renames", ()), *common["renames"])),
        _data=data,
    )


@cache
def shape_keys(model_type: str) -> frozenset[str]:
    """The config keys that decide which tensors the type has, or their sizes; empty when it is not in the tables."""
    return all_keys(_load(model_type)) if model_type in model_types() else frozenset()


def task_auto_class(task: str) -> str:
    """The auto class that a task trains with.

    Raises:
        KeyError: there is no such task.
    """
    return _TASKS[task]


@cache
def _load(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((_DATA / f"{name}.json").read_bytes())
    return data
