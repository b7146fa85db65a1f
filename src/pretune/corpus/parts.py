"""A part of a pass as a file: part_bytes, read_parts, restore. What several machines read becomes what one would have.

A part is an uncompressed zip of one JSON header and plain arrays; nothing in it is ever executed. Parts are put
together one after the other, so that memory does not grow with their number.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune import __version__
from pretune.core.errors import UserError
from pretune.core.files import write_atomically
from pretune.corpus.scan import Failure, Shard

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pretune.corpus.scan import Scan
    from pretune.corpus.tokenizer_tally import TokenizerTally

VERSION = 1
_HEADER = "header.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_DAMAGED = (ValueError, KeyError, TypeError, IndexError, AttributeError, EOFError, OverflowError, RecursionError)
"""What reading the inside of a part raises when somebody has changed it."""


def part_bytes(scan: Scan, shard: Shard, *, about: Mapping[str, Any], viewer: Mapping[str, bytes]) -> bytes:
    """A pass as the bytes of a part; equal passes give equal bytes.

    Args:
        scan: the sums.
        shard: which part of the corpus it read.
        about: what the pass was asked to do; the same for all parts of one corpus.
        viewer: the state of what else looked at the blocks.

    Raises:
        UserError: `about` holds what JSON has no word for (a date of a setup file).
    """
    import polars as pl

    corpus, blobs = scan.corpus.state()
    members = {f"corpus/{name}": data for name, data in blobs.items()}
    tokenizers = []
    for number, tally in zip(scan.numbers, scan.tokenizers, strict=True):
        told, arrays = tally.state()
        tokenizers.append([number, told])
        members.update({f"tokenizer{number}/{name}": data for name, data in arrays.items()})
    members.update({f"viewer/{name}": data for name, data in viewer.items()})
    header = {
        "pretune_part": VERSION,
        "pretune": __version__,
        "polars": pl.__version__,
        "shard": [shard.at, shard.of],
        "about": about,
        "files": [[file.rows, file.broken, file.read, file.broken_at] for file in scan.files],
        "corpus": corpus,
        "tokenizers": tokenizers,
        "failures": [[number, *failure] for number, failure in sorted(scan.failures.items())],
    }
    try:
        written = json.dumps(header, ensure_ascii=True, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise UserError(f"the setup cannot be written into a part: {error}", hint="name plain values only") from None
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in sorted({_HEADER: written.encode(), **members}.items()):
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
    """A part; of its arrays only those are read that are asked for.

    Args:
        name: what the user calls it.
        data: the part, or the file that holds it.

    Attributes:
        name: what the user calls it.
        header: as `part_bytes` wrote it.

    Raises:
        UserError: it is no part, is damaged, or was written by another version.
    """

    def __init__(self, name: str, data: bytes | Path) -> None:
        self.name, self._data = name, data
        try:
            with self._archive() as archive:
                self.header: dict[str, Any] = json.loads(archive.read(_HEADER))
            version, self.shard = self.header["pretune_part"], Shard(*map(int, self.header["shard"]))
            versions = (version, self.header["pretune"])
            self.asked = json.dumps(self.header["about"], sort_keys=True)
            self.polars = str(self.header["polars"])
        except _DAMAGED:
            raise UserError(f"{name} is no part of a check", hint="write parts with --shard 1/4 --out part1") from None
        if versions != (VERSION, __version__):
            raise UserError(
                f"{name} was written by pretune {versions[1]}, this is {__version__}",
                hint="read all shards and put them together with one version",
            )

    def of(self, member: str) -> dict[str, bytes]:
        """The arrays of `corpus`, `viewer` or `tokenizer0`, by their names.

        Raises:
            UserError: they are damaged.
        """
        begin = f"{member}/"
        with self._archive() as archive:
            names = [name for name in archive.namelist() if name.startswith(begin)]
            return {name.removeprefix(begin): archive.read(name) for name in names}

    @contextmanager
    def _archive(self) -> Iterator[zipfile.ZipFile]:
        try:
            with zipfile.ZipFile(io.BytesIO(self._data) if isinstance(self._data, bytes) else self._data) as archive:
                _refuse_packed(archive)
                yield archive
        except OSError as error:
            raise UserError(f"{self.name} cannot be read: {error.strerror or error}") from None
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, struct.error) as error:
            if isinstance(error, RecursionError):
                raise
            raise UserError(
                f"{self.name} is damaged, or no part of a check", hint="write parts with --shard 1/4 --out part1"
            ) from None


def _refuse_packed(archive: zipfile.ZipFile) -> None:
    """Raise when something in it would unpack to more than it is: pretune compresses nothing."""
    if any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist()):
        raise zipfile.BadZipFile


def read_parts(paths: Sequence[str | Path]) -> list[Part]:
    """The parts of one corpus, in their order.

    Raises:
        UserError: one cannot be read; they are not the parts of one pass; one is missing or there twice.
    """
    return in_order([Part(str(path), Path(path)) for path in paths])


def in_order(parts: Sequence[Part]) -> list[Part]:
    """The parts of one corpus, in their order.

    Raises:
        UserError: they are not the parts of one pass; one is missing or there twice.
    """
    first = parts[0]
    seen: dict[int, str] = {}
    for part in parts:
        if part.asked != first.asked or part.shard.of != first.shard.of:
            raise UserError(
                f"{part.name} and {first.name} are parts of different checks",
                hint="give each shard the same model, data and options, and the same N",
            )
        if part.polars != first.polars:
            raise UserError(
                f"{part.name} was made with polars {part.polars}, {first.name} with {first.polars}",
                hint="use one version of polars on all machines",
            )
        if part.shard.at in seen:
            raise UserError(f"{part.name} and {seen[part.shard.at]} are both shard {part.shard.at}/{part.shard.of}")
        seen[part.shard.at] = part.name
    missing = [at for at in range(1, first.shard.of + 1) if at not in seen]
    if missing:
        listed = ", ".join(f"{at}/{first.shard.of}" for at in missing[:8])
        raise UserError(
            f"{len(missing)} of {first.shard.of} shards are missing: {listed}",
            hint="name the parts of all shards: --merge part*",
        )
    return sorted(parts, key=lambda part: part.shard.at)


def restore(scan: Scan, parts: Sequence[Part]) -> None:
    """Put the sums of all parts into a pass that has read nothing, and leave out the tokenizers that failed in one.

    Raises:
        UserError: a tokenizer has changed since the parts were written, or a part is damaged.
    """
    tallies = dict(enumerate(scan.tokenizers))
    ways: dict[int, tuple[bool, str]] = {}
    for part in parts:
        try:
            _add(part, scan, tallies, ways)
        except _DAMAGED as error:
            raise UserError(f"{part.name} does not fit: {str(error)[:100]}") from None
    scan.tokenizers[:] = [tally for number, tally in tallies.items() if number not in scan.failures]
    scan.settled()


def _add(part: Part, scan: Scan, tallies: Mapping[int, TokenizerTally], ways: dict[int, tuple[bool, str]]) -> None:
    """Add a part's sums; `ways` remembers of each tokenizer whether it encoded whole texts, and a part where it did."""
    scan.corpus.restore(part.header["corpus"], part.of("corpus"))
    for file, (rows, broken, read, places) in zip(scan.files, part.header["files"], strict=True):
        file.rows += rows
        file.broken += broken
        file.read += read
        file.broken_at += [(int(number), str(where)) for number, where in places]
        file.settle()
    for number, file_number, block, name, reason in part.header["failures"]:
        failure = Failure(int(file_number), int(block), str(name), str(reason))
        scan.failures[int(number)] = min(failure, scan.failures.get(int(number), failure))
    for number, told in part.header["tokenizers"]:
        whole, first = ways.setdefault(number, (told["whole"], part.name))
        if told["whole"] != whole:  # a cut was found wrong in one part: the figures of the others may be wrong too
            cut, found = (first, part.name) if told["whole"] else (part.name, first)
            raise UserError(
                f"{found} found a text that cannot be cut for {told['name']}; {cut} cut its texts",
                hint="read the data on one machine, and report this",
            )
        tallies[number].restore(told, part.of(f"tokenizer{number}"))
