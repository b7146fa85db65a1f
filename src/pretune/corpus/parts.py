"""A part of a pass as a file: write_part, read_parts. What several machines read becomes what one would have read.

A part is an uncompressed zip of one JSON header and plain arrays; nothing in it is ever executed.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.core.files import write_atomically
from pretune.corpus.scan import Shard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pretune.corpus.scan import Scan

VERSION = 1
_HEADER = "header.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def part_bytes(scan: Scan, shard: Shard, *, about: Mapping[str, Any], viewer: Mapping[str, bytes]) -> bytes:
    """A pass as the bytes of a part; equal passes give equal bytes.

    Args:
        scan: the sums.
        shard: which part of the corpus it read.
        about: what the pass was asked to do; the same for all parts of one corpus.
        viewer: the state of what else looked at the blocks.
    """
    import polars as pl

    corpus, blobs = scan.corpus.state()
    members = {f"corpus/{name}": data for name, data in blobs.items()}
    tokenizers = []
    for at, tally in enumerate(scan.tokenizers):
        told, arrays = tally.state()
        tokenizers.append(told)
        members.update({f"tokenizer{at}/{name}": data for name, data in arrays.items()})
    members.update({f"viewer/{name}": data for name, data in viewer.items()})
    header = {
        "pretune_part": VERSION,
        "polars": pl.__version__,
        "shard": [shard.at, shard.of],
        "about": about,
        "files": [[file.rows, file.broken, file.read, file.broken_at] for file in scan.files],
        "corpus": corpus,
        "tokenizers": tokenizers,
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        members = {_HEADER: json.dumps(header, ensure_ascii=True, sort_keys=True).encode(), **members}
        for name, data in sorted(members.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data)
    return buffer.getvalue()


def write_part(path: str | Path, data: bytes) -> None:
    """Write a part; the file is there whole or not at all.

    Raises:
        UserError: it cannot be written.
    """
    try:
        write_atomically(Path(path), data)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from None


class Part:
    """A part that was read.

    Attributes:
        name: what the user calls it.
        header: as `part_bytes` wrote it.
        members: the arrays.
    """

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                self.members = {info.filename: archive.read(info) for info in archive.infolist()}
            self.header: dict[str, Any] = json.loads(self.members.pop(_HEADER))
            version = self.header["pretune_part"]
        except (zipfile.BadZipFile, KeyError, ValueError, TypeError, EOFError, RecursionError):
            raise UserError(f"{name} is no part of a check", hint="write parts with --shard 1/4 --out part1") from None
        if version != VERSION:
            raise UserError(
                f"{name} was written by another version of pretune", hint="write all parts with one version"
            )

    @property
    def shard(self) -> Shard:
        """Which part of the corpus it holds."""
        return Shard(*self.header["shard"])

    def of(self, member: str) -> dict[str, bytes]:
        """The arrays of `corpus`, `viewer` or `tokenizer0`, by their names."""
        begin = f"{member}/"
        return {name.removeprefix(begin): data for name, data in self.members.items() if name.startswith(begin)}


def read_parts(paths: Sequence[str | Path]) -> list[Part]:
    """The parts of one corpus, in their order.

    Raises:
        UserError: one cannot be read; they are not the parts of one pass; one is missing or there twice.
    """
    parts = []
    for path in paths:
        try:
            parts.append(Part(str(path), Path(path).read_bytes()))
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror}") from None
    return in_order(parts)


def in_order(parts: Sequence[Part]) -> list[Part]:
    """The parts of one corpus, in their order.

    Raises:
        UserError: they are not the parts of one pass; one is missing or there twice.
    """
    first = parts[0]
    for part in parts[1:]:
        if part.header["about"] != first.header["about"] or part.shard.of != first.shard.of:
            raise UserError(
                f"{part.name} and {first.name} are parts of different checks",
                hint="give each shard the same model, data and options",
            )
        if part.header["polars"] != first.header["polars"]:
            raise UserError(
                f"{part.name} was made with polars {part.header['polars']}, {first.name} with {first.header['polars']}",
                hint="use one version of polars on all machines",
            )
    seen: dict[int, str] = {}
    for part in parts:
        if part.shard.at in seen:
            raise UserError(f"{part.name} and {seen[part.shard.at]} are both shard {part.shard.at}/{part.shard.of}")
        seen[part.shard.at] = part.name
    missing = [at for at in range(1, first.shard.of + 1) if at not in seen]
    if missing:
        listed = ", ".join(f"{at}/{first.shard.of}" for at in missing[:8])
        raise UserError(f"{len(missing)} of {first.shard.of} shards are missing: {listed}")
    return sorted(parts, key=lambda part: part.shard.at)


def restore(scan: Scan, parts: Sequence[Part]) -> None:
    """Put the sums of all parts into a pass that has read nothing.

    Raises:
        UserError: a tokenizer has changed since the parts were written, or a part is damaged.
    """
    for part in parts:
        try:
            scan.corpus.restore(part.header["corpus"], part.of("corpus"))
            for at, told in enumerate(part.header["tokenizers"]):
                scan.tokenizers[at].restore(told, part.of(f"tokenizer{at}"))
            for file, (rows, broken, read, places) in zip(scan.files, part.header["files"], strict=True):
                file.rows += rows
                file.broken += broken
                file.read += read
                file.broken_at += [(int(number), str(where)) for number, where in places]
                file.settle()
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise UserError(f"{part.name} does not fit: {str(error)[:100]}") from None
