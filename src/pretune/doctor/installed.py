"""Versions and requirements of installed packages, from their metadata. Imports none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pretune.doctor.diagnosis import Package, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from packaging.requirements import Requirement

    Lookup = Callable[[str], "Found | None"]

SHOWN = (
    "torch transformers tokenizers accelerate datasets peft trl sentence-transformers safetensors huggingface_hub"
    " sentencepiece numpy"
).split()
"""Packages whose version is shown, also where they are missing."""
ASKED = (*SHOWN, "torchvision", "torchaudio", "lightning", "bitsandbytes", "pretune")
"""Packages whose requirements must be met where they are installed."""
REFUSING = frozenset(("transformers", "torchvision", "torchaudio", "pretune"))
"""Those that cannot be used then; the others may do, and only warn."""
BESIDE = {"transformers": "torch"}
"""Package -> the extra of it that counts as well, where the package of that name is installed: what Trainer needs."""


class Found(NamedTuple):
    """What the metadata of a package say: its version, and its requirements as they are written."""

    version: str
    requires: tuple[str, ...]


def found(name: str) -> Found | None:
    """The metadata of an installed package; None where there are none."""
    from importlib import metadata

    try:
        distribution = metadata.distribution(name)
        version: str | None = distribution.version
    except metadata.PackageNotFoundError:
        return None
    except Exception:  # noqa: BLE001 - whatever broken metadata do
        return None
    return Found(version, tuple(distribution.requires or ())) if version else None


def packages(lookup: Lookup) -> tuple[Package, ...]:
    """Those of SHOWN, with their versions."""
    return tuple(Package(name, there.version if (there := lookup(name)) else None) for name in SHOWN)


def wanted(requires: tuple[str, ...], extra: str = "") -> Iterator[Requirement]:
    """The requirements that count here; with an extra: those of the extra alone."""
    from packaging.requirements import InvalidRequirement, Requirement

    for line in requires:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        mark = requirement.marker
        always = mark is None or mark.evaluate({"extra": ""})
        if always != bool(extra) and (always or (mark is not None and mark.evaluate({"extra": extra}))):
            yield requirement


def fault(requirement: Requirement, lookup: Lookup) -> str:
    """What is wrong with what a requirement asks for, in words; empty: it is met."""
    there = lookup(requirement.name)
    if there is None:
        return f"{requirement.name} is not installed"
    if requirement.specifier.contains(there.version, prereleases=True):
        return ""
    return f"{requirement.name} is {there.version}, wanted {requirement.specifier}"


def conflicts(lookup: Lookup, install: str) -> Iterator[Trouble]:
    """The requirements of each installed package that are not met.

    Args:
        lookup: the metadata.
        install: the words that install something in this environment.
    """
    for name in ASKED:
        there = lookup(name)
        if there is None:
            continue
        requirements = list(wanted(there.requires))
        if name in BESIDE and lookup(BESIDE[name]) is not None:
            requirements += wanted(there.requires, BESIDE[name])
        wrong: dict[str, tuple[str, str]] = {}
        for requirement in requirements:
            fault_ = fault(requirement, lookup)
            if fault_ and not (fault_.endswith("not installed") and requirement.marker and name in BESIDE):
                wrong.setdefault(requirement.name, (f"{requirement.name}{requirement.specifier}", fault_))
        if not wrong:
            continue
        asked = [one for one, _ in wrong.values()]
        here = [fault_.partition(",")[0] for _, fault_ in wrong.values()]
        yield Trouble(
            "requirement-not-met",
            "error" if name in REFUSING else "warning",
            f"{name} {there.version} asks for {_listed(asked)}; {_listed(here)}",
            f"{install} " + " ".join(f'"{one}"' for one in asked),
        )


def _listed(words: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
