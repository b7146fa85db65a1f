"""What is known to fail or to harm, of versions and settings together. Pure: finds nothing out by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pretune.doctor.diagnosis import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pretune.core.levels import Level
    from pretune.doctor.diagnosis import Hub, Knock
    from pretune.doctor.installed import Lookup
    from pretune.doctor.machine import Asked


class KnownFault(NamedTuple):
    """A fault of a release.

    Attributes:
        name: stable, for programs.
        versions: package -> the releases that have it, as pip writes ranges; all of them together.
        level: how bad it is.
        message: what happens.
        fix: the way out.
    """

    name: str
    versions: Mapping[str, str]
    level: Level
    message: str
    fix: str


KNOWN = (
    KnownFault(
        "accumulated-loss-not-divided",
        {"transformers": ">=5.0"},
        "note",
        "Trainer multiplies loss and gradient of classification heads by gradient_accumulation_steps"
        " (huggingface/transformers#47688)",
        "pretune train, or gradient_accumulation_steps=1; pretune check --explain accumulated-loss-not-divided",
    ),
    KnownFault(
        "peft-older-than-transformers",
        {"peft": "<0.18", "transformers": ">=5.0"},
        "error",
        "peft cannot be imported: it asks transformers for HybridCache, which is gone (huggingface/peft#2735)",
        'pip install "peft>=0.18"',
    ),
)
"""Faults that were measured here, or that their authors name; each with where to read of it."""


def known(lookup: Lookup, install: str) -> Iterator[Trouble]:
    """Those of KNOWN that the installed releases have; `install`: the words that install something here."""
    from packaging.specifiers import SpecifierSet

    for fault in KNOWN:
        there = {name: lookup(name) for name in fault.versions}
        if all(
            one is not None and SpecifierSet(fault.versions[name]).contains(one.version, prereleases=True)
            for name, one in there.items()
        ):
            releases = " with ".join(f"{name} {one.version}" for name, one in there.items() if one is not None)
            yield Trouble(
                fault.name, fault.level, f"{releases}: {fault.message}", fix=fault.fix.replace("pip install", install)
            )


def of_the_devices(asked: Asked | None, *, built_for: str, nvidia: bool) -> Iterator[Trouble]:
    """A torch that cannot be imported, or that does not see the GPU which is there."""
    if asked is not None and asked.devices is None:
        message = f"torch is installed and cannot be imported: {asked.wrong}"
        yield Trouble("torch-broken", "error", message, "install it again: https://pytorch.org/get-started/locally")
    if not nvidia:
        return
    if built_for == "cpu":
        message = "there is an NVIDIA GPU, and this build of torch can compute on the CPU only"
        yield Trouble("torch-without-cuda", "warning", message, "the build for CUDA: https://pytorch.org/get-started")
    elif asked is not None and asked.devices is not None and not any(one.kind == "cuda" for one in asked.devices):
        message = "there is an NVIDIA GPU, and torch does not see it" + (f": {asked.warned}" if asked.warned else "")
        yield Trouble("gpu-not-seen", "warning", message, "compare the driver (nvidia-smi) with torch.version.cuda")


def of_the_surroundings(hub: Hub | None, knock: Knock, hiding: Iterable[str]) -> Iterator[Trouble]:
    """Settings that contradict what is there."""
    for name in hiding:
        package = name.partition(".py")[0].partition("/")[0]
        message = f"./{name} hides the package {package} from every script that runs in this folder"
        yield Trouble("package-hidden", "warning", message, "give it another name")
    if hub is None:
        yield Trouble("hub-broken", "error", "huggingface_hub cannot be imported", "install it again")
    elif hub.offline and not hub.models:
        message = f"{hub.offline} is set and the cache holds no model: no name of the hub can be loaded"
        yield Trouble("offline-and-empty", "note", message, f"unset {hub.offline} once, or name folders")
    for mistake in knock.mistakes:
        yield Trouble("knock-target", "warning", f"knock: {mistake}", "pretune knock test")
    if knock.waiting:
        message = f"knock: {knock.waiting} message{'s' if knock.waiting > 1 else ''} could not be delivered yet"
        yield Trouble("knock-waiting", "note", message, "pretune knock flush")


def of_the_kernel(why: str, install: str) -> Iterator[Trouble]:
    """A kernel that is not used."""
    if why and "PRETUNE_NO_KERNEL" not in why:
        message = f"the compiled kernel is not there ({why}): corpora are read slower, with the same figures"
        fix = f"a C compiler, then {install} --force-reinstall --no-deps pretune, or of your checkout"
        yield Trouble("kernel-missing", "note", message, fix)
