"""The tensor table of a file that torch.save wrote, zip or legacy, with nothing executed and no values read."""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

from pretune.artifacts.not_weights import other_format, pointer_or_page
from pretune.artifacts.pickle_tensors import PickledTensor
from pretune.artifacts.pickles import walk
from pretune.artifacts.ranges import RangeFile
from pretune.artifacts.tensor_table import BITS, FileTable, Tensor, Trouble, failed, few
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pretune.artifacts.pickle_tensors import Storage
    from pretune.artifacts.pickles import Pickled
    from pretune.artifacts.source import Source

LONGEST_PICKLE = 64 * 2**20
"""Bytes of a data.pkl; one of 100,000 tensors has about 12 MB."""

MAGIC = 0x1950A86A20F9469CFC6C
"""The number that a legacy file opens with (torch/serialization.py, MAGIC_NUMBER)."""

_BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    OverflowError,
)
"""What zipfile raises on broken, encrypted or exotic archives."""


def read_torch_file(source: Source, file: str) -> FileTable:
    """What the file declares and what is wrong with it. Never raises, executes nothing."""
    try:
        opened = RangeFile(source, file, limit=LONGEST_PICKLE)
        head = opened.read(512)
        opened.seek(0)
        if head.startswith(b"PK\x03\x04"):
            return _read_zip(opened, file)
        instead = pointer_or_page(head, opened.size)
        named = other_format(head)
        if instead is None and named is not None and "pickle" not in named:
            instead = "wrong-format", f"{named}, not what torch.save writes"
        if instead is not None:  # a pickle of protocol 0 is text, and one can be made to look like anything
            return failed(instead[0], file, f"{file} is {instead[1]}", imports=walk(opened).imports)
        return _read_legacy(opened, file)
    except UserError as error:
        return failed("unreadable", file, error.message)


def _read_zip(opened: RangeFile, file: str) -> FileTable:
    try:
        with zipfile.ZipFile(opened) as archive:
            return _read_archive(archive, opened.size, file)
    except _BROKEN_ZIP as error:
        opened.seek(max(0, opened.size - 65_557))
        end = opened.read(65_557)
        if len(end) - end.rfind(b"PK\x05\x06") < 22 or b"PK\x05\x06" not in end:
            told = f"{file} ({opened.size:,} bytes) is a zip archive without its end: an interrupted download or copy"
            return failed("truncated", file, told)
        return failed("bad-zip", file, f"{file} is a broken zip archive: {_reason(error)}")


def _read_archive(archive: zipfile.ZipFile, size: int, file: str) -> FileTable:
    entries = archive.infolist()
    if any(entry.filename.endswith("/constants.pkl") for entry in entries):
        told = f"{file} is a TorchScript program, not a state dict: torch.jit.load reads it, from_pretrained does not"
        return failed("torchscript", file, told)
    pickles = [entry for entry in entries if entry.filename.rpartition("/")[2] == "data.pkl"]
    if not pickles:
        told = f"{file} is a zip archive of {len(entries):,} entries without the data.pkl that torch.save writes"
        return failed("bad-zip", file, told)
    said: list[Pickled] = []
    for entry in pickles[:4]:
        longest = min(size, LONGEST_PICKLE)
        if max(entry.file_size, entry.compress_size) > longest:
            told = f"{entry.filename} in {file} claims {entry.file_size:,} bytes; at most {longest:,} are read here"
            return failed("oversize-pickle", file, told)
        with archive.open(entry) as stream:
            said.append(walk(stream.read(longest)))
    imports = tuple(dict.fromkeys(name for one in said for name in one.imports))
    root = pickles[0].filename.rpartition("/")[0]
    held = {entry.filename: entry.file_size for entry in entries if entry.filename.startswith(f"{root}/data/")}
    short = [key for key, storage in said[0].storages.items() if held.get(f"{root}/data/{key}", -1) < _bytes(storage)]
    troubles = []
    if short:
        told = f"{file} lacks the values of {len(short):,} of its {len(said[0].storages):,} storages ({few(short)})"
        troubles.append(Trouble("truncated", file, told))
    if len(pickles) > 1:
        troubles.append(Trouble("bad-zip", file, f"{file} holds {len(pickles)} pickles named data.pkl; 1 is expected"))
    return _table(said[0], file, imports=imports, troubles=troubles)


def _read_legacy(opened: RangeFile, file: str) -> FileTable:
    """Five pickles (magic number, protocol, system, state dict, keys), then each storage: its length and its values."""
    opening = walk(opened)
    if opening.value != MAGIC:
        why = opening.error or "it does not open with torch's magic number"
        return failed("bad-pickle", file, f"{file} is not what torch.save writes: {why}", imports=opening.imports)
    protocol, system, said, keys = (walk(opened) for _ in range(4))
    imports = tuple(dict.fromkeys((*opening.imports, *protocol.imports, *system.imports, *said.imports, *keys.imports)))
    troubles = []
    if not said.error and not keys.error:
        expected = opened.tell() + sum(8 + _bytes(storage) for storage in said.storages.values())
        if expected > opened.size:
            told = f"{file} ends after {opened.size:,} of {expected:,} bytes: an interrupted download or copy"
            troubles.append(Trouble("truncated", file, told))
    elif not said.error:
        troubles.append(Trouble("truncated", file, f"{file} ends after {opened.size:,} bytes, before its values begin"))
    return _table(said, file, imports=imports, troubles=troubles)


def _table(said: Pickled, file: str, *, imports: tuple[str, ...], troubles: Iterable[Trouble]) -> FileTable:
    troubles = list(troubles)
    if said.foreign and not said.error:
        told = (
            f"the pickle in {file} has {len(said.foreign)} opcodes that weights_only=True refuses ({few(said.foreign)})"
        )
        troubles.append(Trouble("foreign-opcodes", file, told))
    if said.error:
        where = failed(
            "bad-pickle", file, f"the pickle in {file} cannot be followed to its end: {said.error}", imports=imports
        )
        return FileTable(troubles=(*where.troubles, *troubles), imports=imports)
    if not isinstance(said.value, dict):
        told = f"{file} does not hold a state dict (names -> tensors): a whole model or another object was saved"
        return FileTable(troubles=(Trouble("not-a-state-dict", file, told), *troubles), imports=imports)
    found = {name: value for name, value in said.value.items() if isinstance(value, PickledTensor)}
    inner = {name: _tensors_in(value) for name, value in said.value.items() if isinstance(value, dict)}
    name, most = max(inner.items(), key=lambda item: item[1], default=("", 0))
    if most > len(found):
        told = f'{file} keeps its {most:,} tensors one level down, under "{name[:60]}"; they belong at the top'
        troubles.append(Trouble("nested-state-dict", file, told))
    elif not found:
        told = f"{file} holds a dict of {len(said.value):,} entries and no tensor; names -> tensors are expected"
        troubles.append(Trouble("not-a-state-dict", file, told))
    tensors = {name: Tensor(name, value.shape, value.dtype, file) for name, value in found.items()}
    storages = {
        name: f"{value.storage.key}+{value.offset}" for name, value in found.items() if value.storage is not None
    }
    return FileTable(tensors, tuple(troubles), imports=imports, storages=storages)


def _tensors_in(values: Mapping[str, object]) -> int:
    return sum(isinstance(value, PickledTensor) for value in values.values())


def _bytes(storage: Storage) -> int:
    """Bytes of a storage; 0 where its dtype is not known."""
    return storage.elements * BITS.get(storage.dtype, 0) // 8


def _reason(error: BaseException) -> str:
    text = str(error).split("\n")[0][:120]
    return text[:1].lower() + text[1:] if text else type(error).__name__
