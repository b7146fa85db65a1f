"""One check on several machines: --shard, --out, --merge, --scheduler. Knows no format of parts and no rules."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pretune.check.sources.flags import said_by
from pretune.check.sources.setup import Setup
from pretune.check.sources.setup_keys import Said, setup_from
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.check.facts import Facts


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
        given = [f"--{name}" for name in ("shard", "out", "scheduler", "sample") if reading[name]]
        given += [f"--{name.replace('_', '-')}" for name, value in flags.items() if value not in (None, (), False)]
        if given:
            raise UserError(f"--merge takes parts only, found {', '.join(given)}", hint="pretune check --merge part*")
        return _merged(subjects)
    if (reading["shard"] is None) != (reading["out"] is None):
        alone = "--shard" if reading["shard"] else "--out"
        raise UserError(f"{alone} stands alone", hint="pretune check MODEL --data FILES --shard 1/4 --out part1")
    if reading["shard"] and reading["scheduler"]:
        raise UserError("--shard and --scheduler exclude each other")
    return Machines(shard=_shard(reading["shard"]), out=reading["out"] or "", scheduler=reading["scheduler"])


def _shard(word: str | None) -> tuple[int, int] | None:
    if word is None:
        return None
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", word)
    at, of = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= at <= of:
        raise UserError(f"--shard {word}: expected I/N with I from 1 to N", hint="--shard 1/4")
    return at, of


def _merged(paths: tuple[str, ...]) -> Machines:
    from pretune.core.extras import need

    need("polars", extra="data")
    from pretune.corpus.parts import read_parts

    if not paths:
        raise UserError("--merge names no parts", hint="pretune check --merge part*")
    parts = read_parts(paths)
    about = parts[0].header["about"]
    setup = setup_of(about)
    return Machines(
        parts=tuple(parts), setup=setup, subject=about["subject"], beside=tuple(about["beside"]), sample=about["sample"]
    )


def about(facts: Facts, *, subject: str) -> dict[str, Any]:
    """What a part says of what it was asked to do, as JSON.

    Raises:
        UserError: the data are an object, which no other machine has.
    """
    said = said_by(facts.setup)
    for name in (*facts.setup.data.train, *facts.setup.data.eval):
        if not isinstance(name, str):
            raise UserError("data that are an object cannot be read by several machines", hint="name files")
    return {
        "subject": subject,
        "keys": said.keys,
        "places": dict(said.places),
        "beside": list(facts.beside),
        "sample": facts.sample,
    }


def setup_of(about: Mapping[str, Any]) -> Setup:
    """The Setup that `about` wrote down."""
    return setup_from(Said(about["keys"], about["places"]))


def part_of(facts: Facts, machines: Machines, *, subject: str) -> None:
    """Read one shard and write it.

    Raises:
        UserError: the data cannot be read, or the part not written.
    """
    from pretune.check.facts.corpus import shard_bytes
    from pretune.corpus.parts import write_part
    from pretune.corpus.scan import Shard

    assert machines.shard is not None
    data = shard_bytes(facts, Shard(*machines.shard), about(facts, subject=subject))
    if not facts.stop():
        write_part(machines.out, data)
