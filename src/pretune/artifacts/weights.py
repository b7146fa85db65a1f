"""The tensor table of a checkpoint: names, shapes, dtypes and files, without loading it and without torch.

Looks for weights in the order in which transformers 5 does (modeling_utils, `_get_resolved_checkpoint_files`). Knows no
architecture: whether the names and shapes are the right ones is asked elsewhere.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pretune.artifacts.safetensors_header import read_header
from pretune.artifacts.shards import read_index, read_shards
from pretune.artifacts.tensor_table import HIDING, Tensor, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pretune.artifacts.shards import Reader
    from pretune.artifacts.source import Source
    from pretune.artifacts.tensor_table import FileTable

__all__ = ["Tensor", "Trouble", "Weights", "read_adapter", "read_weights"]

Format = Literal["safetensors", "pickle", "none"]

_FOREIGN = (
    ".h5",
    ".msgpack",
    ".onnx",
    ".gguf",
    ".ckpt",
    ".safetensors",
    ".tflite",
    ".keras",
    ".ckpt.index",
    ".index.json",
)
_FOREIGN_IF_NAMED_SO = (".bin", ".pt", ".pth", ".npz")
"""Endings that mean weights only where the name says so too (`openai_model.pt`, not `dictionary.bin`)."""
_TRAINING_STATE = re.compile(r"(optimizer|scheduler|scaler|training_args|rng_state|random_states|trainer_state)[\w.-]*")


def _reader(written: str) -> Reader:
    """What reads the files of a format. The pickle machine is imported for pickles alone."""
    if written == "safetensors":
        return read_header
    from pretune.artifacts.torch_files import read_torch_file

    return read_torch_file


@dataclass(frozen=True, slots=True)
class Weights:
    """What a model's folder holds for weights.

    Attributes:
        tensors: by name, of the files that transformers would load.
        files: those files, without the index, relative to the folder.
        format: "safetensors", "pickle"; "none": there are weights, none that transformers loads as a model's.
        troubles: what is wrong with those files.
        index: the index of a sharded checkpoint, else empty.
        metadata: safetensors' `__metadata__` (`{"format": "pt"}`).
        imports: what the pickles would import, dotted; nothing was imported to learn it.
        shared: groups of names that begin at the same place in memory (tied weights in a pickle).
        beside: the other format in the same folder, which transformers leaves alone.
        other_formats: further weights files: `tf_model.h5`, `model.fp16.safetensors`, an unused index, ...
        unused_shards: shards of an index that lies beside the single file, which is loaded in their place.
        adapter: `adapter_model.safetensors` or `.bin` when the folder holds a PEFT adapter, else empty.
        modified: when the newest file was written, seconds since 1970; None where that tells nothing (links, hub).
    """

    tensors: Mapping[str, Tensor]
    files: tuple[str, ...] = ()
    format: Format = "safetensors"
    troubles: tuple[Trouble, ...] = ()
    index: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    imports: tuple[str, ...] = ()
    shared: tuple[tuple[str, ...], ...] = ()
    beside: Weights | None = None
    other_formats: tuple[str, ...] = ()
    unused_shards: tuple[str, ...] = ()
    adapter: str = ""
    modified: float | None = None

    @property
    def complete(self) -> bool:
        """Whether the table holds every tensor the files were meant to have; ask before saying that one is missing."""
        return self.format != "none" and not any(trouble.kind in HIDING for trouble in self.troubles)

    @property
    def total_bytes(self) -> int:
        """Bytes of all values."""
        return sum(tensor.bytes for tensor in self.tensors.values())

    @property
    def parameters(self) -> int:
        """How many numbers the tensors hold, tied ones of a pickle once."""
        again = {name for group in self.shared for name in group[1:]}
        return sum(tensor.elements for name, tensor in self.tensors.items() if name not in again)

    @property
    def dtypes(self) -> Counter[str]:
        """Bytes by dtype."""
        counted: Counter[str] = Counter()
        for tensor in self.tensors.values():
            counted[tensor.dtype] += tensor.bytes
        return counted

    def get(self, name: str) -> Tensor | None:
        """The tensor of this name, None when there is none."""
        return self.tensors.get(name)


def read_weights(source: Source, *, variant: str | None = None, use_safetensors: bool | None = None) -> Weights | None:
    """The weights that `from_pretrained` would load from a folder, and what is wrong with them. Executes nothing.

    Args:
        source: the model's files.
        variant: as in from_pretrained: "fp16" means `model.fp16.safetensors`.
        use_safetensors: as in from_pretrained: True: nothing else, False: only pickles, None: safetensors first.

    Returns:
        None when the folder holds no weights of any format. Format "none" when it holds only such as from_pretrained
        does not load as a model's (Keras, ONNX, an adapter, a variant not asked for). What is wrong with a file is a
        Trouble, never an exception.
    """
    formats: tuple[Format, ...] = ("safetensors", "pickle")
    if use_safetensors is not None:
        formats = ("safetensors",) if use_safetensors else ("pickle",)
    found = [weights for name in formats for weights in _checkpoint(source, name, variant)]
    lost = [file for name in formats for file in _files(name, variant) if _leads_nowhere(source, file)]
    taken = {file for weights in found for file in (*weights.files, weights.index)}
    others = tuple(name for name in sorted(source.names()) if name not in taken and _is_foreign(name))
    adapter = _adapter_file(source)
    if not found:
        links = tuple(_lost(file, "dangling-link") for file in lost)
        if not others and not adapter and not links:
            return None
        return Weights({}, format="none", troubles=links, other_formats=others, adapter=adapter)
    first, *rest = found
    return replace(
        first,
        troubles=(*first.troubles, *(_lost(file, "link-passed-over") for file in lost)),
        beside=rest[0] if rest else None,
        other_formats=others,
        unused_shards=_unused_shards(source, first, others),
        adapter=adapter,
    )


def read_adapter(source: Source) -> Weights | None:
    """The tensor table of a PEFT adapter, None when the folder holds none."""
    file = _adapter_file(source)
    if not file:
        return None
    name: Format = "safetensors" if file.endswith(".safetensors") else "pickle"
    return _weights(source, _reader(name)(source, file), files=(file,), written=name)


def _files(written: Format, variant: str | None) -> tuple[str, str]:
    """The single file and the index of a format, as transformers names them (`_add_variant`)."""
    stem, suffix = ("model", "safetensors") if written == "safetensors" else ("pytorch_model", "bin")
    mark = f".{variant}" if variant else ""
    return f"{stem}{mark}.{suffix}", f"{stem}.{suffix}.index{mark}.json"


def _checkpoint(source: Source, written: Format, variant: str | None) -> Iterator[Weights]:
    """The checkpoint of one format, the single file before the sharded one; none or one."""
    single, index = _files(written, variant)
    if source.has(single):
        yield _weights(source, _reader(written)(source, single), files=(single,), written=written)
    elif source.has(index):
        table, files = read_shards(source, index, _reader(written))
        yield _weights(source, table, files=files, written=written, index=index)


def _lost(file: str, kind: str) -> Trouble:
    return Trouble(kind, file, f"{file} is a link to a file that does not exist; from_pretrained passes over it")


def _weights(
    source: Source,
    table: FileTable,
    *,
    files: tuple[str, ...],
    written: Format,
    index: str = "",
) -> Weights:
    groups: dict[str, list[str]] = {}
    for name, storage in table.storages.items():
        groups.setdefault(storage, []).append(name)
    return Weights(
        tensors=table.tensors,
        files=files,
        format=written,
        troubles=table.troubles,
        index=index,
        metadata=table.metadata,
        imports=table.imports,
        shared=tuple(tuple(names) for names in groups.values() if len(names) > 1),
        modified=_modified(source, files),
    )


def _unused_shards(source: Source, first: Weights, others: tuple[str, ...]) -> tuple[str, ...]:
    """Shards of an index that lies beside the single file which is loaded in their place."""
    index = _files(first.format, None)[1]
    if first.index or index not in others:
        return ()
    return tuple(sorted(set(read_index(source, index).places.values()) - set(first.files)))


def _adapter_file(source: Source) -> str:
    return next((name for name in ("adapter_model.safetensors", "adapter_model.bin") if source.has(name)), "")


def _is_foreign(name: str) -> bool:
    """Whether a file in the folder itself holds weights of some kind (training state is none)."""
    if "/" in name or _TRAINING_STATE.fullmatch(name) or name.startswith("adapter_model."):
        return False
    says_so = any(word in name.lower() for word in ("model", "weight", "checkpoint", "consolidated"))
    return name.endswith(_FOREIGN) or (name.endswith(_FOREIGN_IF_NAMED_SO) and says_so)


def _local(source: Source, name: str) -> Path | None:
    folder = getattr(source, "folder", None)
    return folder / name if isinstance(folder, Path) else None


def _leads_nowhere(source: Source, name: str) -> bool:
    path = _local(source, name)
    return path is not None and path.is_symlink() and not path.exists()


def _modified(source: Source, files: tuple[str, ...]) -> float | None:
    """When the newest file was written; None for links (the hub's cache), whose times are the download's."""
    paths = [source.path(file) for file in files]
    known = [path for path in paths if path is not None and not path.is_symlink()]
    if not known or len(known) != len(paths):
        return None
    try:
        return max(path.stat().st_mtime for path in known)
    except OSError:
        return None
