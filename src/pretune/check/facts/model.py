"""The model of a Setup as its files describe it: config, edits, class, and the table of its tensors. Loads nothing.

What the Setup's edits do is in `facts/edits.py`, what of the checkpoint would be loaded in `facts/loading.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pretune.artifacts.architectures import task_auto_class
from pretune.artifacts.config import CONFIG, read_config
from pretune.artifacts.source import locate
from pretune.artifacts.weight_values import MOST_BYTES, peek_rows, peekable
from pretune.artifacts.weights import read_weights
from pretune.check.facts.edits import ARGUMENTS, edited, flatten, keywords, whole
from pretune.check.facts.origin import origin_of
from pretune.check.finding import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pretune.artifacts.architectures import Architecture
    from pretune.artifacts.config import Config
    from pretune.artifacts.source import Source
    from pretune.artifacts.weights import Tensor, Weights
    from pretune.check.facts.edits import Edit
    from pretune.check.sources.setup import Setup

EMBEDDING_ENDINGS = (
    "embeddings.word_embeddings.weight",
    "word_embeddings.weight",
    "embed_tokens.weight",
    "wte.weight",
    "shared.weight",
    "tok_embeddings.weight",
    "embed_in.weight",
    "word_embedding.weight",
    "embedding.word_embeddings.weight",
)
"""How word embeddings are named in models without a table here, the most telling ending first."""

HEAD_ENDINGS = (
    "lm_head.weight",
    "embed_out.weight",
    "output.weight",
    "lm_head.decoder.weight",
    "cls.predictions.decoder.weight",
)
"""The same for the layer that gives every vocabulary entry its score."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the Setup makes of a saved model.

    Attributes:
        name: as the user named it.
        source: its files.
        saved: its config with the defaults of its model type filled in, keys under the model type's own names.
        effective: `saved` after the edits.
        edits: config keys the Setup changes to another value, keyword arguments first.
        stored: the saved config with the places of its keys.
        model_type: None when the config names none.
        architecture: what is known of the model type; None when nothing is.
        model_class: the class that would be built (`BertForQuestionAnswering`); None when nothing says.
        asked_class: the class as asked for (`AutoModelForQuestionAnswering`), by the setup or by its task.
        chosen_by: "model_class", "task", "architectures", or "" when nothing says.
        task: the Setup's task.
        origin: the config of what this model was saved from, when it is on this machine and says something else.
        origin_weights: whether the weights are still the origin's own, byte for byte where sampled; None when unknown.
        arguments: keyword arguments of from_pretrained that are no config keys (`ignore_mismatched_sizes`, `dtype`).
    """

    name: str
    source: Source
    stored: Config
    saved: Mapping[str, Any]
    effective: Mapping[str, Any]
    edits: tuple[Edit, ...] = ()
    model_type: str | None = None
    architecture: Architecture | None = None
    model_class: str | None = None
    asked_class: str | None = None
    chosen_by: str = ""
    task: str | None = None
    origin: Config | None = None
    origin_weights: bool | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> Mapping[str, Any]:
        """The saved config.json, untouched."""
        return self.stored.raw

    @property
    def generation(self) -> Mapping[str, Any]:
        """The saved generation_config.json; empty when there is none."""
        return self.stored.generation

    @property
    def ignores_mismatches(self) -> bool:
        """Whether the Setup passes ignore_mismatched_sizes=True."""
        return self.arguments.get("ignore_mismatched_sizes") is True

    @property
    def has_weights(self) -> bool:
        """Whether the folder names any weights file."""
        return any(name.endswith((".safetensors", ".bin", ".safetensors.index.json")) for name in self.source.names())

    def plain_dtypes(self) -> tuple[str, ...]:
        """The dtypes the weights are stored in, when all are floats of 16 bits or more: nothing is quantised then."""
        table = read_weights(self.source)
        kinds = tuple(table.dtypes) if table is not None else ()
        return kinds if {"F64", "F32", "F16", "BF16"}.issuperset(kinds) else ()

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, under any of its names, after the edits."""
        return self.effective.get(self.stored.real(key), default)

    def edit(self, key: str) -> Edit | None:
        """The last edit of a key, under any of its names."""
        name = self.stored.real(key)
        return next((edit for edit in reversed(self.edits) if edit.name == name), None)

    def at(self, pointer: str = "") -> str:
        """A place in the saved config: `folder/config.json:/vocab_size`."""
        return self.source.at(CONFIG, pointer)

    def place(self, key: str) -> str:
        """Where the value of a key that counts was said: in the setup when it is edited there, else in config.json."""
        edit = self.edit(key)
        return edit.where if edit else self.stored.at(key)

    def states(self, key: str) -> bool:
        """Whether the file or an edit states the key (a default does not)."""
        return self.edit(key) is not None or self.stored.stated(key) is not None

    def number(self, key: str) -> int | None:
        """A whole number of at most 62 bits after the edits; None when it is anything else."""
        return whole(self.get(key))


@dataclass(frozen=True, slots=True)
class WeightFacts:
    """The table of a checkpoint's tensors, read from headers.

    Attributes:
        source: its files.
        table: names, shapes and dtypes.
        embedding: the word embedding; None when no tensor is known for it.
        lm_head: the stored output layer; None when none is stored, as in every tied model.
        by_name: True when the embedding was found by its usual name, not by a table of its architecture.
    """

    source: Source
    table: Weights
    embedding: Tensor | None = None
    lm_head: Tensor | None = None
    by_name: bool = False

    @property
    def embedding_rows(self) -> int | None:
        """Rows of the word embedding: ids from 0 up to one less have a vector."""
        return self.embedding.shape[0] if self.embedding is not None and self.embedding.shape else None

    def same_values(self, one: Tensor, other: Tensor) -> bool | None:
        """Whether two tables hold the same values, by a sample of rows; None when they cannot be read unloaded."""
        if one.shape != other.shape or len(one.shape) != 2:
            return False
        if any({one.name, other.name} <= set(group) for group in self.table.shared):
            return True
        height, width = one.shape
        rows = sorted({row for row in (5, height // 3, height // 2, height - 2) if 0 <= row < height})
        if not (peekable(one) and peekable(other)) or one.dtype != other.dtype or width * len(rows) * 8 > MOST_BYTES:
            return None
        return peek_rows(self.source, one, rows) == peek_rows(self.source, other, rows)

    def at(self, file: str = "", pointer: str = "") -> str:
        """A place in a weights file; the first file when none is named."""
        return self.source.at(file or (self.table.files[0] if self.table.files else ""), pointer)


def read_model(setup: Setup) -> ModelFacts:
    """The model a Setup names.

    Raises:
        Unavailable: the Setup names none.
        UserError: there is no such model, or its config cannot be read.
    """
    if not setup.model:
        raise Unavailable("the setup names no model (--model)")
    revision = setup.from_pretrained.get("revision")
    source = locate(setup.model, revision=revision if isinstance(revision, str) else None)
    return describe(setup, read_config(source))


def describe(setup: Setup, config: Config) -> ModelFacts:
    """What a Setup makes of a saved config."""
    saved = flatten(config)
    edits, effective = edited(setup, config, saved)
    asked, chosen_by = _asked_class(setup, config)
    origin, origin_weights = origin_of(config)
    return ModelFacts(
        name=setup.model or config.source.label,
        source=config.source,
        stored=config,
        saved=saved,
        effective=effective,
        edits=edits,
        model_type=config.model_type,
        architecture=config.architecture,
        model_class=_concrete(asked, config.architecture),
        asked_class=asked,
        chosen_by=chosen_by,
        task=setup.task,
        origin=origin,
        origin_weights=origin_weights,
        arguments={key: value for key, (value, _) in keywords(setup).items() if key in ARGUMENTS},
    )


def _asked_class(setup: Setup, config: Config) -> tuple[str | None, str]:
    if setup.model_class:
        return setup.model_class, "model_class"
    if setup.task:
        return auto_class(setup.task), "task"
    if config.architectures:
        return config.architectures[0], "architectures"
    return None, ""


def auto_class(task: str | None) -> str | None:
    """The auto class that a task trains with; None for a task that does not exist."""
    try:
        return task_auto_class(task) if task else None
    except KeyError:
        return None


def _concrete(asked: str | None, architecture: Architecture | None) -> str | None:
    """The class behind an auto class; a class that is none is itself."""
    if asked is None or not asked.startswith("Auto"):
        return asked
    return architecture.classes.get(asked) if architecture else None


def read_weight_facts(model: ModelFacts) -> WeightFacts:
    """The table of the model's tensors, its word embedding and output layer found.

    Raises:
        Unavailable: the folder holds no weights.
    """
    variant, safetensors = model.arguments.get("variant"), model.arguments.get("use_safetensors")
    table = read_weights(
        model.source,
        variant=variant if isinstance(variant, str) else None,
        use_safetensors=safetensors if isinstance(safetensors, bool) else None,
    )
    if table is None:
        kept = "" if model.source.complete else " in the hub's cache, which may not be all that there is"
        raise Unavailable(f"{model.name} holds no weights{kept}")
    told = _told(model, table.tensors, "word_embedding")
    embedding = told or _by_ending(table.tensors, EMBEDDING_ENDINGS)
    lm_head = _told(model, table.tensors, "lm_head") or _by_ending(table.tensors, HEAD_ENDINGS)
    return WeightFacts(model.source, table, embedding, lm_head, by_name=told is None and embedding is not None)


def _told(
    model: ModelFacts, tensors: Mapping[str, Tensor], which: Literal["word_embedding", "lm_head"]
) -> Tensor | None:
    """The tensor that the architecture's table names, behind whatever prefix it is stored."""
    architecture = model.architecture
    if architecture is None:
        return None
    name = None
    for model_class in dict.fromkeys((model.model_class, *architecture.classes.values())):
        name = getattr(architecture, which)(model_class) if model_class else None
        if name:
            bare = name.removeprefix(f"{architecture.base_prefix}.")
            found = _by_ending(tensors, (name, bare))
            if found is not None:
                return found
    return None


def _by_ending(tensors: Mapping[str, Tensor], endings: Iterable[str]) -> Tensor | None:
    """The table with two dimensions and the shortest name that is one of these, or ends so behind a dot."""
    for ending in endings:
        found = [
            name
            for name in tensors
            if (name == ending or name.endswith(f".{ending}")) and len(tensors[name].shape) == 2
        ]
        if found:
            return tensors[min(found, key=len)]
    return None
