"""The keys of a Setup as plain data: what each may hold, and the Setup that a checked mapping makes.

Every source ends here: a setup file, flags and library arguments become one nested mapping with a place for each key
before it is judged. Knows no file format, and not whether the files named exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pretune.check.sources.setup import COLUMNS, TASKS, Data, Setup
from pretune.core.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

# fmt: off
PEFT_KEYS = (
    "r", "target_modules", "modules_to_save", "trainable_token_indices", "task_type",
    # further names of peft.LoraConfig that no rule asks about, so that a whole LoraConfig can be written down
    "peft_type", "lora_alpha", "lora_dropout", "bias", "use_rslora", "use_dora", "init_lora_weights", "fan_in_fan_out",
    "exclude_modules", "layers_to_transform", "layers_pattern", "rank_pattern", "alpha_pattern", "target_parameters",
    "inference_mode", "base_model_name_or_path", "revision", "auto_mapping", "ensure_weight_tying",
)
ENCODE_KEYS = (
    "truncation", "max_length", "stride", "padding",
    # further arguments of a tokenizer's call
    "add_special_tokens", "is_split_into_words", "pad_to_multiple_of", "padding_side", "truncation_side",
    "return_overflowing_tokens", "return_offsets_mapping", "return_token_type_ids", "return_attention_mask",
    "return_special_tokens_mask", "return_length", "return_tensors",
)
KEYS = (
    "model", "tokenizer", "tokenizer_kwargs", "model_class", "task", "data", "config", "config_update",
    "from_pretrained", "model_kwargs", "add_tokens", "add_special_tokens", "pad_token", "resize", "peft",
    "training_args", "encode", "append_eos", "train",
)
TRAIN_KEYS = (
    "engine", "preset", "padding", "tokens_per_batch", "attention_dropout", "precision", "fast_dropout",
    "metric", "unanswerable", "null_threshold", "n_best", "max_answer_length", "unfit", "new_head",
    "pooling",
)
# fmt: on
"""The keys of a setup file, in the order of the Setup's fields."""
DATA_KEYS = ("train", "eval", "columns")
TEXTS = ("model", "tokenizer", "model_class", "pad_token")
WORDS = ("add_tokens", "add_special_tokens")
FREE = ("tokenizer_kwargs", "config", "config_update", "from_pretrained", "model_kwargs", "training_args")
FIXED = {"peft": PEFT_KEYS, "encode": ENCODE_KEYS, "train": TRAIN_KEYS}


@dataclass(frozen=True, slots=True)
class Said:
    """What a source says: the setup file's keys, nested, and where each dotted key was said."""

    keys: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)


def merged(under: Said, over: Said) -> Said:
    """Both, where what `over` says wins; mappings are merged key by key, lists are replaced."""
    keys = _merged(data_spread(under.keys), data_spread(over.keys))
    return Said(keys, {**under.places, **over.places})


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(under)
    for key, value in over.items():
        below = both.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping) and not (in_memory(below) or in_memory(value)):
            both[key] = _merged(below, value)
        else:
            both[key] = value
    return both


def data_spread(keys: Mapping[str, Any]) -> Mapping[str, Any]:
    """The keys with `data = "train.jsonl"`, a list or an object in memory written out as `data.train`."""
    data = keys.get("data")
    one = isinstance(data, str | list | tuple) or in_memory(data)
    return {**keys, "data": {"train": data}} if one else keys


def in_memory(value: Any) -> bool:
    """Whether it is data itself: a `datasets.Dataset` or a dictionary of them, an Arrow table, a list of mappings."""
    if value is None or isinstance(value, str | bool | int | float):
        return False
    from pretune.corpus.in_memory import kind_of

    if isinstance(value, list | tuple) and (not value or any(kind_of(one) is not None for one in value[:100])):
        return False  # none, or several of them
    return kind_of(value) is not None


def setup_from(said: Said) -> Setup:
    """The Setup that `said` describes.

    Raises:
        UserError: an unknown key (with did-you-mean, at every level whose keys are fixed) or a value of the wrong kind.
    """
    checked = _Checked(said.places)
    keys = data_spread(said.keys)
    checked.only(keys, KEYS, "")
    values: dict[str, Any] = {}
    for key, value in keys.items():
        if value is None:  # a YAML key with nothing after it
            continue
        if key in TEXTS:
            values[key] = checked.text(key, value)
        elif key in WORDS:
            values[key] = checked.words(key, value)
        elif key in FREE or key in FIXED:
            values[key] = checked.mapping(key, value)
            if key in FIXED:
                checked.only(values[key], FIXED[key], key)
        elif key == "task":
            values[key] = checked.task(value)
        elif key == "data":
            values[key] = checked.data(value)
        elif key == "resize":
            values[key] = checked.resize(value)
        else:
            values[key] = checked.flag(key, value)
    return Setup(**values, places=dict(said.places))


@dataclass(frozen=True, slots=True)
class _Checked:
    """Judges values; knows where each key was said, for the message."""

    places: Mapping[str, str]

    def wrong(self, key: str, expected: str, value: Any, *, hint: str = "") -> UserError:
        shown = repr(value)
        shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
        return UserError(f"{self.at(key)}: expected {expected}, found {kind(value)}: {shown}", hint=hint)

    def at(self, key: str) -> str:
        return Setup(places=self.places).place(key)

    def only(self, keys: Mapping[Any, Any], known: Sequence[str], inside: str) -> None:
        for key in keys:
            if not isinstance(key, str):
                raise self.wrong(inside, "keys that are words", key)
            if key not in known:
                dotted = f"{inside}.{key}" if inside else key
                meant = did_you_mean(key, known) or did_you_mean(key.replace("-", "_").lower(), known)
                if not meant and inside == "data" and key in COLUMNS:
                    meant = f'column names stand under data.columns: {key} = "..."'
                shown = ascii(key)[1:-1] if len(key) <= 60 else f"{ascii(key)[1:58]}..."
                where = self.places.get(dotted) or f"{self.at(inside) if inside else 'setup:'}/{shown}"
                few = f"keys: {', '.join(known[:18])}"
                raise UserError(f'{where}: unknown key "{shown}"', hint=meant or few)

    def text(self, key: str, value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(key, "a word", value)
        if "\0" in value:
            raise self.wrong(key, "a word without a NUL character", value)
        return value

    def words(self, key: str, value: Any) -> tuple[str, ...]:
        given = [value] if isinstance(value, str) else value
        if not isinstance(given, list | tuple):
            raise self.wrong(key, "a list of words", value)
        for word in given:
            if not isinstance(word, str) or not word:
                raise self.wrong(key, "a list of words", word, hint="put each word in quotes")
        return tuple(given)

    def mapping(self, key: str, value: Any) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise self.wrong(key, "a table of keys and values", value)
        for name in value:
            if not isinstance(name, str):
                raise self.wrong(key, "keys that are words", name)
        return dict(value)

    def task(self, value: Any) -> str:
        word = self.text("task", value)
        if word not in TASKS:
            meant = did_you_mean(word.lower().replace("_", "-"), TASKS)
            raise UserError(f'{self.at("task")}: unknown task "{word}"', hint=meant or f"tasks: {', '.join(TASKS)}")
        return word

    def data(self, value: Any) -> Data:
        table = self.mapping("data", value)
        self.only(table, DATA_KEYS, "data")
        files: dict[str, tuple[Any, ...]] = {}
        for key in ("train", "eval"):
            if table.get(key) is not None:
                files[key] = self.sources(f"data.{key}", table[key])
        columns = self.mapping("data.columns", table.get("columns") or {})
        self.only(columns, COLUMNS, "data.columns")
        for key, name in columns.items():
            self.text(f"data.columns.{key}", name)
        return Data(files.get("train", ()), files.get("eval", ()), columns)

    def sources(self, key: str, value: Any) -> tuple[Any, ...]:
        given = [value] if isinstance(value, str) or in_memory(value) else value
        if not isinstance(given, list | tuple):
            raise self.wrong(key, "a file, a list of files or a Dataset", value)
        for one in given:
            if not in_memory(one):
                self.words(key, [one])
                self.text(key, one)
        return tuple(given)

    def resize(self, value: Any) -> bool | int | Mapping[str, int]:
        if isinstance(value, bool) or (isinstance(value, int) and value > 0):
            return value
        if isinstance(value, Mapping):
            self.only(value, ("pad_to_multiple_of",), "resize")
            multiple = value.get("pad_to_multiple_of")
            if isinstance(multiple, int) and not isinstance(multiple, bool) and multiple > 0:
                return {"pad_to_multiple_of": multiple}
        raise self.wrong("resize", "true, a number of rows or {pad_to_multiple_of = 64}", value)

    def flag(self, key: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false", value)
        return value


def kind(value: Any) -> str:
    """What a value is, in a word a person uses: `a number`, `a list`, ..."""
    names: tuple[tuple[Any, str], ...] = (
        (bool, "a truth value"),
        (int | float, "a number"),
        (str, "a word" if value else "an empty word"),
        (Mapping, "a table"),
        (list | tuple, "a list"),
        (type(None), "nothing"),
    )
    return next((name for types, name in names if isinstance(value, types)), f"a {type(value).__name__}")
