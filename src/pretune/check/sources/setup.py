"""The Setup: everything a fine-tune is about to do, in the words of the setup file and the flags.

Knows neither where it came from (each key only remembers its place) nor what is true of the files it names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

TASKS = (
    "question-answering",
    "text-classification",
    "pair-classification",
    "token-classification",
    "sentence-similarity",
    "masked-lm",
    "causal-lm",
    "chat-sft",
)

CLASSIFYING = ("text-classification", "pair-classification")
"""Tasks that give a whole text, or a pair of texts, one label."""

GENERATIVE = ("causal-lm", "chat-sft")
"""Tasks that train a model to write text from left to right."""

COLUMNS = (
    "text",
    "text_pair",
    "label",
    "question",
    "context",
    "answers",
    "tokens",
    "tags",
    "messages",
    "score",
    "id",
)
"""What a column can be in a task; `data.columns` maps these to the names in the file."""


@dataclass(frozen=True, slots=True)
class Data:
    """What is trained and evaluated on, and what its columns are called.

    Attributes:
        train: paths, patterns and folders; from Python also objects in memory, such as a `datasets.Dataset`.
        eval: the same.
        columns: what a column is in a task -> its name.
    """

    train: tuple[Any, ...] = ()
    eval: tuple[Any, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        """An object in memory is shown as its class: a million rows are no name."""
        train, evaluation = (
            "(" + "".join(f"{one!r}, " if isinstance(one, str) else f"<{type(one).__name__}>, " for one in data) + ")"
            for data in (self.train, self.eval)
        )
        return f"Data(train={train}, eval={evaluation}, columns={self.columns!r})"


@dataclass(frozen=True, slots=True)
class Setup:
    """What a fine-tune is about to do. Every field is what the user said; None or empty: not said.

    Attributes:
        model: a folder or a hub name.
        tokenizer: a folder or a hub name; None: the model's own.
        tokenizer_kwargs: keyword arguments of the tokenizer's from_pretrained.
        model_class: `AutoModelForQuestionAnswering`, `BertModel`, ...; None: the task's auto class.
        task: one of TASKS.
        data: files and column names.
        config: config keys given to from_pretrained.
        config_update: keys set on the loaded config by `config.update(...)` or by assignment.
        from_pretrained: `ignore_mismatched_sizes`, `dtype`, `trust_remote_code`, ...
        model_kwargs: further keyword arguments of the model's from_pretrained.
        add_tokens: words given to `tokenizer.add_tokens`.
        add_special_tokens: words given to `tokenizer.add_special_tokens` as additional ones.
        pad_token: what `tokenizer.pad_token` is set to; `eos_token` means the eos token.
        resize: False or None: no resize; True: to len(tokenizer); a number of rows; `{"pad_to_multiple_of": 64}`.
        peft: r, target_modules, modules_to_save, trainable_token_indices, task_type.
        training_args: names of Hugging Face TrainingArguments.
        encode: truncation, max_length, stride, padding.
        append_eos: whether the preprocessing appends the eos token to each example.
        pads_by_tokenizer: whether a script sets the model's pad_token_id to the tokenizer's, or a Trainer does; no key.
        train: what only `pretune train` asks for: engine, preset, padding, metric, ...; no rule does.
        places: where each key was said: `training_args.learning_rate` -> `setup.toml:/training_args/learning_rate`.
    """

    model: str | None = None
    tokenizer: str | None = None
    tokenizer_kwargs: Mapping[str, Any] = field(default_factory=dict)
    model_class: str | None = None
    task: str | None = None
    data: Data = field(default_factory=Data)
    config: Mapping[str, Any] = field(default_factory=dict)
    config_update: Mapping[str, Any] = field(default_factory=dict)
    from_pretrained: Mapping[str, Any] = field(default_factory=dict)
    model_kwargs: Mapping[str, Any] = field(default_factory=dict)
    add_tokens: tuple[str, ...] = ()
    add_special_tokens: tuple[str, ...] = ()
    pad_token: str | None = None
    resize: bool | int | Mapping[str, int] | None = None
    peft: Mapping[str, Any] = field(default_factory=dict)
    training_args: Mapping[str, Any] = field(default_factory=dict)
    encode: Mapping[str, Any] = field(default_factory=dict)
    append_eos: bool | None = None
    pads_by_tokenizer: bool = False
    train: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)

    def place(self, key: str) -> str:
        """Where `key` (dotted) was said, or its nearest ancestor; `setup:/a/b` when nobody noted it."""
        parts = key.split(".")
        for end in range(len(parts), 0, -1):
            place = self.places.get(".".join(parts[:end]))
            if place:
                rest = "".join(f"/{part}" for part in parts[end:])
                return f"{place}{rest}"
        return "setup:/" + "/".join(parts)
