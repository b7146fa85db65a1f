"""A training script as rules ask about it: what it makes, what happens to each object, the versions it is to run under.

Knows nothing that the trace, the names of libraries and the installed packages do not say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from pretune.check.facts.versions import installed
from pretune.script.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.script.trace import Trace

PACKAGES = {
    "transformers", "torch", "peft", "accelerate", "tokenizers", "trl", "datasets", "sentence_transformers",
    "pytorch_lightning", "lightning",
}  # fmt: skip
"""Whose installed versions count, unless others are named."""


@dataclass(frozen=True)
class ScriptFacts(Objects):
    """What a script makes and does, and what it is to run under.

    Attributes:
        target: package, as pip calls it -> version that it is to run under: named ones, else the installed ones;
            neither: not here.
    """

    target: Mapping[str, str] = field(default_factory=dict)


def read_script_facts(trace: Trace, target: Mapping[str, str] | None = None) -> ScriptFacts:
    """The facts of a script.

    Args:
        trace: the walk through it.
        target: package -> version that it is to run under, in place of the installed one.
    """
    named = {name.lower().replace("_", "-"): version for name, version in (target or {}).items()}
    return ScriptFacts(trace, {**_here(), **named})


@cache
def _here() -> Mapping[str, str]:
    """The installed versions of PACKAGES, by the names that pip has."""
    return {name.replace("_", "-"): version for name, version in installed(PACKAGES).items()}
