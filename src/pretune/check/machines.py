"""One check on several machines: --shard, --out, --merge, --scheduler. Knows no format of parts and no rules."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pretune.check.sources.flags import said_by
from pretune.check.sources.setup import Setup
from pretune.check.sources.setup_keys import Said, setup_from
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.corpus.inputs import Input

HERE = "the beginning of each file is read again: put the parts together where the data and the model are"


@dataclass(frozen=True, slots=True)
class Machines:
    """What was asked of several machines.

    Attributes:
        shard: (at, of): read only this part.
        out: where it is written.
        parts: the parts that are merged; empty: none.
        scheduler: the address of a Dask scheduler, None without one.
        setup: what the parts were to check; `subject`, `beside` and `sample` as they were given then.
    """

    shard: tuple[int, int] | None = None
    out: str = ""
    parts: tuple[Any, ...] = ()
    scheduler: str | None = None
    setup: Setup = field(default_factory=Setup)
    subject: str = ""
    beside: tuple[str, ...] = ()
    sample: int | None = None


class Asked(Protocol):
    """What of the facts a part must say."""

    setup: Setup
    beside: tuple[str, ...]
    sample: int | None
    scheduler: str | None


def asked_of_machines(subjects: tuple[str, ...], flags: Mapping[str, Any], reading: Mapping[str, Any]) -> Machines:
    """Read the flags.

    Args:
        subjects: the words that are no flag; with --merge, the parts.
        flags: the flags of the setup.
        reading: `shard`, `out`, `merge`, `scheduler`, `sample`.

    Raises:
        UserError: they contradict each other, or a part cannot be read.
    """
    if reading["merge"]:
        given = [f"--{name}" for name in ("shard", "out", "scheduler", "sample") if reading[name] is not None]
        given += [f"--{name.replace('_', '-')}" for name, value in flags.items() if value not in (None, ())]
        if given:
            raise UserError(
                f"--merge takes parts only, which say what they are of; found {', '.join(given)}",
                hint="pretune check --merge part*",
            )
        return _merged(subjects)
    if (reading["shard"] is None) != (reading["out"] is None):
        alone = "--shard" if reading["shard"] is not None else "--out"
        raise UserError(f"{alone} stands alone", hint="pretune check MODEL --data FILES --shard 1/4 --out part1")
    if reading["shard"] is not None and reading["scheduler"] is not None:
        raise UserError("--shard and --scheduler exclude each other", hint="a cluster deals out the shards itself")
    if reading["shard"] is not None or reading["scheduler"] is not None:
        _needs_data_tools()
    return Machines(shard=_shard(reading["shard"]), out=reading["out"] or "", scheduler=reading["scheduler"])


def without_report(given: Mapping[str, Any]) -> None:
    """Refuse what asks for a report, where --shard makes none.

    Args:
        given: the flags of the report and of the rules.

    Raises:
        UserError: one was given.
    """
    found = [f"--{name.replace('_', '-')}" for name, value in given.items() if value not in (None, (), False)]
    if found:
        raise UserError(
            f"--shard writes a part and no report, found {', '.join(found)}",
            hint=f"say it when the parts are put together: pretune check --merge part* {found[0]} ...",
        )


def _needs_data_tools() -> None:
    from pretune.core.extras import need

    for module in ("numpy", "polars", "pyarrow"):
        need(module, extra="data")


def _shard(word: str | None) -> tuple[int, int] | None:
    if word is None:
        return None
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", word, re.ASCII)
    at, of = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= at <= of:
        raise UserError(f"--shard {word}: expected I/N with I from 1 to N", hint="--shard 1/4")
    return at, of


def _merged(paths: tuple[str, ...]) -> Machines:
    _needs_data_tools()
    from pretune.corpus.parts import read_parts

    if not paths:
        raise UserError("--merge names no parts", hint="pretune check --merge part*")
    parts = read_parts(paths)
    about = parts[0].header["about"]
    try:
        setup = setup_of(about)
        subject, beside, sample = str(about["subject"]), tuple(map(str, about["beside"])), about["sample"]
        was = about["files"]
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{parts[0].name} is no part of a check: {error}") from None
    try:
        now = _files(setup)
    except UserError as mistake:
        raise UserError(mistake.message, hint=HERE) from None
    for split, before in was.items():
        labels = [label for label, _ in before]
        if labels != [label for label, _ in now[split]]:
            raise UserError(f"the parts are of {_named(labels)}, here are {_named(now[split])}", hint=HERE)
        for (label, size), (_, found) in zip(before, now[split], strict=True):
            if size != found:
                raise UserError(
                    f"{label} has {found:,} bytes, and had {size:,} when the parts were written",
                    hint="read all shards again",
                )
    return Machines(parts=tuple(parts), setup=setup, subject=subject, beside=beside, sample=sample)


def _named(files: Any) -> str:
    labels = [one if isinstance(one, str) else one[0] for one in files]
    more = f" and {len(labels) - 3} more" if len(labels) > 3 else ""
    return ", ".join(labels[:3]) + more if labels else "no files"


def about(facts: Asked, *, subject: str) -> dict[str, Any]:
    """What a part says of what it was asked to do, as JSON; for a cluster, with absolute paths.

    Raises:
        UserError: the data are an object, or standard input for a cluster: no other machine has those.
    """
    setup = facts.setup
    for name in (*setup.data.train, *setup.data.eval):
        if not isinstance(name, str):
            raise UserError("data that are an object cannot be read by several machines", hint="name files")
        if name == "-" and facts.scheduler is not None:
            raise UserError("standard input cannot be read by a cluster", hint="name files that all workers see")
    beside, abroad = list(facts.beside), {}
    if facts.scheduler is not None:
        abroad = {split: [_abroad(one) for one in inputs] for split, inputs in _inputs(setup).items()}
        setup = replace(setup, model=_absolute(setup.model), tokenizer=_absolute(setup.tokenizer))
        beside = [str(_absolute(name)) for name in beside]
    said = said_by(setup)
    return {
        "subject": subject,
        "keys": said.keys,
        "places": dict(said.places),
        "beside": beside,
        "sample": facts.sample,
        "files": {} if abroad else _files(setup),
        "abroad": abroad,
    }


def setup_of(about: Mapping[str, Any]) -> Setup:
    """The Setup that `about` wrote down; on a worker, with the files that the user's machine found.

    Raises:
        UserError: such a file is not here, or is another one.
    """
    setup = setup_from(Said(about["keys"], about["places"]))
    if not about["abroad"]:
        return setup
    train, evaluation = (tuple(_found(one) for one in about["abroad"][split]) for split in ("train", "eval"))
    return replace(setup, data=replace(setup.data, train=train, eval=evaluation))


def _inputs(setup: Setup) -> dict[str, tuple[Input, ...]]:
    from pretune.corpus.inputs import expand

    return {"train": expand(setup.data.train, purpose="train"), "eval": expand(setup.data.eval, purpose="eval")}


def _files(setup: Setup) -> dict[str, list[list[Any]]]:
    """Names and sizes of the files, which are to be the same on all machines."""
    return {split: [[one.label, one.size] for one in inputs] for split, inputs in _inputs(setup).items()}


def _abroad(one: Input) -> list[Any]:
    return [one.label, str(Path(one.source).absolute()), one.format, one.size]


def _found(told: list[Any]) -> Input:
    from pretune.corpus.inputs import Input

    label, name, form, size = told
    path = Path(name)
    if not path.is_file():
        raise UserError(f"{name} does not exist on {_machine()}", hint="keep data and model where all workers see them")
    if path.stat().st_size != size:
        raise UserError(f"{name} has {path.stat().st_size:,} bytes on {_machine()}, {size:,} where the check began")
    return Input(label, path, form, size)


def _machine() -> str:
    import platform

    return platform.node() or "this machine"


def _absolute(name: str | None) -> str | None:
    """A folder that is here by its whole path, as the workers stand elsewhere; the name of a hub model as it is."""
    return os.path.abspath(Path(name).expanduser()) if name and Path(name).expanduser().exists() else name  # noqa: PTH100 - `..` is taken out
