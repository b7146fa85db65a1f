"""Live objects as a Setup, so that every rule about files, data and arguments applies to them as well.

What a live object says wins over the files it came from. Never asks the network: a model counts as having files where
its folder or a snapshot in the hub's cache is here. Knows no rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.artifacts.config import read_config
from pretune.artifacts.folder import FolderSource
from pretune.artifacts.hub import cached
from pretune.artifacts.source import looks_like_path
from pretune.check.sources.live_arguments import said_arguments
from pretune.check.sources.live_config import edits_of, write_config
from pretune.check.sources.live_data import raw_rows
from pretune.check.sources.live_objects import adapter_of, bases, name_of, unwrapped
from pretune.check.sources.live_tokenizer import added_since, write_copy
from pretune.check.sources.setup_keys import PEFT_KEYS
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from pretune.check.sources.live_objects import Objects

TASKS = {
    "QuestionAnswering": "question-answering",
    "SequenceClassification": "text-classification",
    "TokenClassification": "token-classification",
    "MaskedLM": "masked-lm",
    "CausalLM": "causal-lm",
    "LMHeadModel": "causal-lm",
}
"""How a model's class ends -> the task."""

HALF = {"torch.float16": "float16", "torch.bfloat16": "bfloat16", "torch.float32": "float32"}


@dataclass(frozen=True, slots=True)
class Named:
    """What a source says of live objects.

    Attributes:
        keys: of a setup file.
        places: dotted key -> where a report says that it was said.
        called: a folder that only this check knows, or a long one -> what a report calls it.
    """

    keys: dict[str, Any] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    called: dict[str, str] = field(default_factory=dict)

    def say(self, key: str, value: Any, place: str) -> None:
        """Put one key."""
        self.keys[key] = value
        self.places[key] = place
        if isinstance(value, Mapping):
            self.places.update({f"{key}.{name}": f"{place}.{name}" for name in value})


def said_live(objects: Objects, folder: Path, *, task: str | None = None) -> Named:
    """What the objects are, as keys of a Setup.

    Args:
        objects: the live objects.
        folder: where copies of what has no files are written.
        task: over what the model's class says.
    """
    named = Named()
    model = unwrapped(objects.model) if objects.model is not None else None
    task = task or task_of(objects)
    if task:
        named.say("task", task, "the model's class")
    if model is not None and hasattr(getattr(model, "config", None), "to_json_string"):
        _say_model(named, objects, model, folder)
    if objects.tokenizer is not None:
        _say_tokenizer(named, objects.tokenizer, folder)
    arguments = said_arguments(objects.arguments)
    if arguments:
        named.say("training_args", arguments, "args")
    data = {
        split: [rows]
        for split, given in (("train", objects.train), ("eval", objects.evaluation))
        if (rows := raw_rows(given, task)) is not None
    }
    if data:
        named.say("data", data, "trainer.dataset")
    return named


def task_of(objects: Objects) -> str | None:
    """The task that the model's class and the trainer mean; None: neither says."""
    kinds = bases(objects.trainer) | bases(objects.model)
    if any(kind.startswith("sentence_transformers.") for kind in kinds):
        return "sentence-similarity"
    if objects.model is None:
        return None
    name = type(unwrapped(objects.model)).__name__
    task = next((task for ending, task in TASKS.items() if name.endswith(ending)), None)
    if task == "causal-lm" and {"messages", "conversations"} & set(getattr(objects.train, "column_names", None) or ()):
        return "chat-sft"
    return task


def found(name: str) -> FolderSource | None:
    """The folder, or the snapshot in the hub's cache, that a name means here; None: there is none. No network."""
    if not name:
        return None
    try:
        folder = Path(name).expanduser()
        if folder.is_dir():
            return FolderSource(name, folder)
    except (OSError, ValueError, RuntimeError):
        return None
    return None if looks_like_path(name) else cached(name)


def _say_model(named: Named, objects: Objects, model: Any, folder: Path) -> None:
    config, name = model.config, name_of(model)
    source = found(name)
    if source is None or not source.has("config.json"):
        write_config(config, folder / "model")
        named.say("model", str(folder / "model"), "model")
        named.called[str(folder / "model")] = "model (in memory)"
    else:
        named.say("model", str(source.folder), "model")
        named.called[str(source.folder)] = name
        given, later = edits_of(config, source)
        if given:
            named.say("config", given, "model.config")
        if later:
            named.say("config_update", later, "model.config")
    named.say("model_class", type(model).__name__, "model")
    kind = HALF.get(str(getattr(model, "dtype", "")))
    if kind:
        named.say("from_pretrained", {"dtype": kind}, "model")
    rows = rows_of(model)
    if rows is not None and rows != _rows_before(config, source):
        named.say("resize", rows, "model.get_input_embeddings()")
    adapter = adapter_of(objects.model)
    if adapter is not None and str(getattr(adapter, "peft_type", "")).upper().endswith("LORA"):
        named.say("peft", _adapter(adapter), "peft_config")


def rows_of(model: Any) -> int | None:
    """Rows of the word embedding as it is; None where the model tells none."""
    try:
        table = model.get_input_embeddings()
    except (AttributeError, NotImplementedError, TypeError):
        return None
    shape: Any = getattr(getattr(table, "weight", None), "shape", ())
    return int(shape[0]) if len(shape) == 2 else None


def _rows_before(config: Any, source: FolderSource | None) -> int | None:
    """Rows that the files say, or else the config."""
    if source is None or not source.has("config.json"):
        return getattr(config, "vocab_size", None)
    try:
        rows = read_config(source).get("vocab_size")
    except UserError:
        return None
    return rows if isinstance(rows, int) else None


def _adapter(adapter: Any) -> dict[str, Any]:
    """A LoraConfig as plain data: sets sorted, enums as their values, what is empty left out."""
    raw = adapter.to_dict()
    plain: dict[str, Any] = {}
    for key in PEFT_KEYS:
        value = raw.get(key)
        value = sorted(value) if isinstance(value, set | frozenset) else getattr(value, "value", value)
        if value is not None and value not in ([], {}) and isinstance(value, str | int | float | bool | list | dict):
            plain[key] = value
    return plain


def _say_tokenizer(named: Named, tokenizer: Any, folder: Path) -> None:
    name = name_of(tokenizer)
    source = found(name)
    said = added_since(tokenizer, source) if source is not None else None
    if source is not None and said is not None:
        if named.keys.get("model") != str(source.folder):
            named.say("tokenizer", str(source.folder), "tokenizer")
            named.called[str(source.folder)] = name
        for key, value in said.items():
            named.say(key, value, "tokenizer")
    elif write_copy(tokenizer, folder / "tokenizer"):
        named.say("tokenizer", str(folder / "tokenizer"), "tokenizer")
        named.called[str(folder / "tokenizer")] = "tokenizer (in memory)"
