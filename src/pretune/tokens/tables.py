"""Which tensors of a checkpoint have one row an id, from headers and config: no value is read, nothing is loaded.

For a model type with a table here: the tensors whose shape follows vocab_size. For others: by the usual names, then by
shape; where that leaves a doubt, it is said and not decided.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pretune.artifacts.config import read_config
from pretune.artifacts.source import locate
from pretune.artifacts.tensor_table import HIDING, few
from pretune.artifacts.weights import read_weights
from pretune.core.errors import UserError
from pretune.tokens.id_shapes import BIAS_ENDINGS, EMBEDDING_ENDINGS, HEAD_ENDINGS, IdShape, id_shapes
from pretune.tokens.inner_folder import inner_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pretune.artifacts.config import Config
    from pretune.artifacts.source import Source
    from pretune.artifacts.tensor_table import Tensor
    from pretune.artifacts.weights import Weights

__all__ = ["IdTable", "IdTables", "find_tables", "inner_folder"]

Role = Literal["input", "output", "bias"]
_LOOKS_LIKE_HEAD = ("head", "output", "decoder", "predictions", "proj", "classifier", "lm_")


@dataclass(frozen=True, slots=True)
class IdTable:
    """A tensor with one row an id.

    Attributes:
        tensor: as its file declares it.
        role: "input": the word embedding; "output": a matrix that gives each id its score; "bias": one number an id.
        axis: where the ids are: 0, or 1 for a bias of shape (1, ids); a matrix with axis 1 has ids in columns.
        tied_to: the stored tensor whose values it repeats (transformers loads only that one); empty: none.
    """

    tensor: Tensor
    role: Role
    axis: int = 0
    tied_to: str = ""

    @property
    def name(self) -> str:
        """Of the tensor."""
        return self.tensor.name

    @property
    def rows(self) -> int:
        """How many ids it has."""
        return self.tensor.shape[self.axis]

    @property
    def width(self) -> int:
        """Numbers an id."""
        return self.tensor.elements // max(self.rows, 1)

    @property
    def contiguous(self) -> bool:
        """Whether the numbers of an id lie together."""
        return prod(self.tensor.shape[: self.axis]) == 1


@dataclass(frozen=True, slots=True)
class IdTables:
    """The tensors of a checkpoint that have one row an id.

    Attributes:
        source: the folder that holds config.json and weights, inside a sentence-transformers model where it is one.
        weights: what the folder holds.
        tables: input first, then output, then biases.
        tied: the scores of a language-model head come from the word embedding itself, which holds them both.
        has_head: the checkpoint's class gives each id a score.
        size_pointer: where config.json keeps vocab_size: `/vocab_size`, `/text_config/vocab_size`.
    """

    source: Source
    weights: Weights = field(repr=False)
    tables: tuple[IdTable, ...]
    tied: bool
    has_head: bool
    size_pointer: str

    @property
    def input(self) -> IdTable:
        """The word embedding."""
        return self.tables[0]

    @property
    def rows(self) -> int:
        """Rows of the word embedding."""
        return self.input.rows

    @property
    def output(self) -> IdTable | None:
        """The head's own matrix; None when none is stored."""
        return next((table for table in self.tables if table.role == "output"), None)

    @property
    def biases(self) -> tuple[IdTable, ...]:
        """One number an id each."""
        return tuple(table for table in self.tables if table.role == "bias")

    def get(self, name: str) -> IdTable:
        """The table of this name.

        Raises:
            KeyError: no table has it.
        """
        return {table.name: table for table in self.tables}[name]


def find_tables(model: str | Path | Source) -> IdTables:
    """The tensors of a model that have one row an id.

    Args:
        model: a folder, a hub name, or the files themselves; of a sentence-transformers model the whole.

    Raises:
        UserError: there are no weights, they are damaged, or it cannot be told which tensor is the word embedding.
    """
    source = inner_folder(locate(str(model)) if isinstance(model, str | Path) else model)
    config = read_config(source)
    weights = read_weights(source)
    if weights is None or weights.format == "none":
        raise UserError(f"{source.label} holds no weights that from_pretrained would load")
    damage = next((trouble for trouble in weights.troubles if trouble.kind in HIDING), None)
    if damage is not None:
        raise UserError(damage.message, hint="download or copy the file again")
    shapes = id_shapes(config, weights.tensors)
    found = {name: shapes[name] for name in weights.tensors if name in shapes}
    if not any(shape.role == "input" for shape in found.values()):
        found = _by_name(weights.tensors) or _by_shape(source, config, weights.tensors)
    inputs = [name for name, shape in found.items() if shape.role == "input"]
    first = min(inputs, key=lambda name: (bool(found[name].tied_to in found), len(name), name))
    rows = weights.tensors[first].shape[found[first].axis]
    found |= _companions(weights.tensors, rows, found)
    tables = [IdTable(weights.tensors[name], *_of(shape, found)) for name, shape in found.items()]
    _agree(source, tables, rows, first)
    order = {"input": 0, "output": 1, "bias": 2}
    tables.sort(key=lambda table: (table.name != first, order[table.role], table.name))
    outputs = [table for table in tables if table.role == "output"]
    declared = shapes.get("")
    return IdTables(
        source=source,
        weights=weights,
        tables=tuple(tables),
        tied=declared.tied_to != "" if declared else not outputs and config.get("tie_word_embeddings") is True,
        has_head=declared is not None or bool(outputs),
        size_pointer=config.pointer("vocab_size"),
    )


def _of(shape: IdShape, found: Mapping[str, IdShape]) -> tuple[Role, int, str]:
    return shape.role, shape.axis, shape.tied_to if shape.tied_to in found else ""


def _by_name(tensors: Mapping[str, Tensor]) -> dict[str, IdShape]:
    """The word embedding by its usual names, for a model type without a table."""
    for ending in EMBEDDING_ENDINGS:
        names = [name for name in tensors if _ends(name, ending) and len(tensors[name].shape) == 2]
        if names:
            return {min(names, key=len): IdShape("input")}
    return {}


def _by_shape(source: Source, config: Config, tensors: Mapping[str, Tensor]) -> dict[str, IdShape]:
    """The word embedding as the one matrix with vocab_size rows that is no head.

    Raises:
        UserError: vocab_size is not stated, or none or several are.
    """
    stated = config.stated("vocab_size")
    size = stated[1] if stated else None
    if not isinstance(size, int) or isinstance(size, bool):
        raise UserError(
            f"{source.label}: no tensor bears a word embedding's usual name, and config.json states no vocab_size",
            hint="write vocab_size, the rows of the word embedding, into config.json",
        )
    matrices = [name for name, tensor in tensors.items() if len(tensor.shape) == 2 and tensor.shape[0] == size]
    plain = [name for name in matrices if not any(word in name.lower() for word in _LOOKS_LIKE_HEAD)]
    if len(plain) > 1:
        plain = [name for name in plain if "emb" in name.lower()] or plain
    chosen = plain or matrices
    if len(chosen) == 1:
        return {chosen[0]: IdShape("input")}
    if not chosen:
        raise UserError(
            f"{source.label}: no matrix of the weights has the {size:,} rows that config.json's vocab_size says"
        )
    raise UserError(
        f"{source.label}: {len(chosen):,} tensors have {size:,} rows ({few(chosen)}), "
        "and none bears a word embedding's usual name",
        hint="which of them is the word embedding cannot be told from the files",
    )


def _companions(tensors: Mapping[str, Tensor], rows: int, found: Mapping[str, IdShape]) -> dict[str, IdShape]:
    """Heads and biases by their usual names, for a model type without a table."""
    more: dict[str, IdShape] = {}
    for name, tensor in tensors.items():
        if name in found or rows not in tensor.shape:
            continue
        if len(tensor.shape) == 2 and tensor.shape[0] == rows:
            if any(_ends(name, ending) for ending in HEAD_ENDINGS):
                more[name] = IdShape("output")
            elif any(_ends(name, ending) for ending in EMBEDDING_ENDINGS):
                more[name] = IdShape("input")
        elif tensor.elements == rows and any(_ends(name, ending) for ending in BIAS_ENDINGS):
            more[name] = IdShape("bias", axis=len(tensor.shape) - 1)
    return more


def _ends(name: str, ending: str) -> bool:
    return name == ending or name.endswith(f".{ending}")


def _agree(source: Source, tables: Iterable[IdTable], rows: int, first: str) -> None:
    """Raise a UserError when the tables have different numbers of rows."""
    for table in tables:
        if table.rows != rows:
            raise UserError(
                f"{source.label}: {first} has {rows:,} rows and {table.name} "
                f"{table.rows:,}; both were to have one row an id",
                hint="the model has two vocabularies, or was resized by halves; pretune leaves it alone",
            )
