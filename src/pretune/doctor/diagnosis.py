"""What `pretune doctor` found, as plain frozen data. Knows neither how it is found nor how it is shown."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pretune.core.levels import Level

VERSION = 1
"""Of the JSON form."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package that a fine-tune may use; the version is None where it is not installed."""

    name: str
    version: str | None


@dataclass(frozen=True, slots=True)
class Extra:
    """An extra of pretune.

    Attributes:
        name: as in `pretune[name]`.
        use: what it is for.
        missing: what of it is not installed, or not new enough, each in words.
        command: what installs it; empty where nothing is missing.
    """

    name: str
    use: str
    missing: tuple[str, ...]
    command: str


@dataclass(frozen=True, slots=True)
class Device:
    """What can compute; `memory` in bytes, 0 where it is not known."""

    kind: str
    name: str
    memory: int = 0
    bf16: bool = False


@dataclass(frozen=True, slots=True)
class Hub:
    """How models of the hub are found here.

    Attributes:
        cache: the folder that keeps them.
        models: how many are in it.
        datasets: likewise.
        offline: the variable that forbids asking the hub; empty: it is asked.
        endpoint: who is asked, without a user or password in the address.
        token: where a token was found ("environment", "file"), never the token; empty: there is none.
    """

    cache: str
    models: int
    datasets: int
    offline: str
    endpoint: str
    token: str


@dataclass(frozen=True, slots=True)
class Knock:
    """Who is told by `pretune knock` when nobody is named: labels, never addresses.

    Attributes:
        targets: what the targets are called.
        mistakes: sentences on those that cannot be used.
        waiting: messages that an outage has kept back.
    """

    targets: tuple[str, ...]
    mistakes: tuple[str, ...]
    waiting: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something here that fails, harms, or is worth knowing.

    Attributes:
        name: stable, for programs.
        level: `error`: something does not work; `warning`: it works and harms; `note`.
        message: one sentence.
        fix: what to do.
    """

    name: str
    level: Level
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that was found.

    Attributes:
        pretune: its version.
        kernel: why the compiled kernel is not used; empty: it is.
        python: version, implementation and kind of environment, in words.
        system: operating system, machine, cores, memory, in words.
        packages: those that matter to a fine-tune, in a fixed order.
        devices: what torch can compute on; None: torch was not asked.
        unasked: why torch was not asked.
        extras: of pretune.
        hub: how models are found; None: huggingface_hub cannot be imported.
        knock: who is told.
        troubles: the worst first.
    """

    pretune: str
    kernel: str
    python: str
    system: str
    packages: tuple[Package, ...]
    devices: tuple[Device, ...] | None
    unasked: str
    extras: tuple[Extra, ...]
    hub: Hub | None
    knock: Knock
    troubles: tuple[Trouble, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing was found that does not work."""
        return all(trouble.level != "error" for trouble in self.troubles)

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON has it, with `version` of this form and `ok`."""
        return {"version": VERSION, "ok": self.ok, **asdict(self)}
