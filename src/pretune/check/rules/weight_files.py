"""SAF0: are the weights files whole, and does the index agree with its shards? Reads headers, no values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, some

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.artifacts.weights import Weights
    from pretune.check.facts.model import WeightFacts
    from pretune.check.finding import Rule


def told(weights: WeightFacts, *kinds: str, level: Level | None = None) -> Iterator[Problem]:
    """The troubles of these kinds, as the files' reader tells them."""
    for trouble in weights.table.troubles:
        if trouble.kind in kinds:
            yield Problem(trouble.message, where=weights.at(trouble.file), level=level)


def files_of(table: Weights) -> str:
    """The files as one calls them: the index for many."""
    return table.index or ", ".join(table.files)


@rule("SAF001", Level.ERROR)
def pointer_instead_of_weights(weights: WeightFacts) -> Iterator[Problem]:
    """The weights file is a git-LFS or xet pointer, not the weights.

    Why: a clone without git-lfs leaves a text of 130 bytes; loading it says only "header too large".
    Fix: run `git lfs install && git lfs pull` in the folder, or download with `hf download`.
    """
    yield from told(weights, "lfs-pointer", "xet-pointer")


@rule("SAF002", Level.ERROR)
def truncated_weights(weights: WeightFacts) -> Iterator[Problem]:
    """A weights file is shorter than its own table says.

    Why: an interrupted download or a full disk; loading stops with "incomplete metadata, file not fully covered".
    Fix: download or copy the file again and compare its size.
    """
    yield from told(weights, "truncated")


@rule("SAF003", Level.ERROR)
def empty_weights(weights: WeightFacts) -> Iterator[Problem]:
    """A weights file is empty.

    Why: a download or a save that failed at once, often for want of disk space.
    Fix: download or save the file again.
    """
    yield from told(weights, "empty")


@rule("SAF004", Level.ERROR)
def file_that_holds_no_weights(weights: WeightFacts) -> Iterator[Problem]:
    """Something else lies where the weights should be: a web page, another format, a link to nowhere, a locked file.

    Why: the name is all that loaders go by, so the error they raise speaks of a header or a pickle instead.
    Fix: download the file again (`hf auth login` first, when it was a login page), or give it its right name.
    """
    yield from told(weights, "html", "not-weights", "wrong-format", "dangling-link", "unreadable")


@rule("SAF005", Level.ERROR)
def malformed_weight_header(weights: WeightFacts) -> Iterator[Problem]:
    """The header of a safetensors file is not what the format allows.

    Why: safetensors refuses such a file; a header that claims gigabytes is how a file attacks a careless reader.
    Fix: download the file again, or save it anew with `safetensors` or `save_pretrained`.
    """
    yield from told(weights, "oversize-header", "bad-header", "odd-metadata", "hole", "wrong-length", "trailing-bytes")
    yield from told(weights, "unknown-dtype", "duplicate-name", level=Level.WARNING)


@rule("SAF006", Level.ERROR)
def overlapping_tensors(weights: WeightFacts) -> Iterator[Problem]:
    """Two tensors of a safetensors file claim the same bytes.

    Why: the format forbids it and safetensors refuses the file; a tool that reads it anyway mixes the values.
    Fix: save the model anew; tied tensors are to be stored once.
    """
    yield from told(weights, "overlap")


@rule("SAF010", Level.ERROR)
def missing_shards(weights: WeightFacts) -> Iterator[Problem]:
    """The index of a sharded checkpoint names files that are not there.

    Why: loading stops with FileNotFoundError, after the shards before it were read.
    Fix: download the missing shards, or save the model anew.
    """
    yield from told(weights, "missing-shard")


@rule("SAF011", Level.WARNING)
def index_at_odds_with_shards(weights: WeightFacts) -> Iterator[Problem]:
    """The index of a sharded checkpoint and its shards name different tensors.

    Why: transformers 5 loads whatever the shards hold, other loaders only what the index says; so the same folder is
    two models. An index without metadata stops from_pretrained.
    Fix: save the model anew with `save_pretrained`, which writes both.
    """
    yield from told(weights, "index-omits", "index-names-absent", "index-misplaces", "tensor-twice")
    yield from told(weights, "bad-index", "index-without-metadata", level=Level.ERROR)


@rule("SAF012", Level.NOTE)
def size_in_the_index(weights: WeightFacts) -> Iterator[Problem]:
    """The index's total_size is not the size of the tensors.

    Why: harmless to load, but memory plans (`device_map="auto"`) use it, and shards from another save show this way.
    Fix: save the model anew, or correct metadata.total_size.
    """
    yield from told(weights, "total-size")


@rule("SAF013", Level.ERROR)
def shards_outside_the_folder(weights: WeightFacts) -> Iterator[Problem]:
    """The index names a shard that lies outside the model's folder.

    Why: `../../x` in an index makes a loader open files that the folder has no business with.
    Fix: do not load this checkpoint unless you know who wrote it; shards belong beside their index.
    """
    yield from told(weights, "unsafe-shard-name")


@rule("SAF014", Level.NOTE)
def shards_left_unused(weights: WeightFacts) -> Iterator[Problem]:
    """A sharded checkpoint lies beside a single file, which is loaded in its place.

    Why: from_pretrained takes model.safetensors before model.safetensors.index.json, however old it is.
    Fix: delete whichever is stale.
    """
    table = weights.table
    if table.unused_shards:
        yield Problem(
            f"{files_of(table)} is loaded; {number(len(table.unused_shards))} files that an index lists are not "
            f"({some(table.unused_shards, 2)})",
            where=weights.at(table.files[0]),
        )


RULES: tuple[Rule, ...] = (
    pointer_instead_of_weights,
    truncated_weights,
    empty_weights,
    file_that_holds_no_weights,
    malformed_weight_header,
    overlapping_tensors,
    missing_shards,
    index_at_odds_with_shards,
    size_in_the_index,
    shards_outside_the_folder,
    shards_left_unused,
)
