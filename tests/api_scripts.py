"""Asks a rule on versions of a script's text, as the engine does."""

from types import SimpleNamespace
from typing import Any

from pretune.check.finding import Finding, stamp
from pretune.script.read import read_source

LATEST = {"transformers": "5.23.0", "pytorch-lightning": "2.6.6", "lightning": "2.6.6"}


def found(rule: Any, text: str, **target: str) -> list[Finding]:
    """What the rule finds in a script that is to run under the newest versions, or those named (`transformers="4.40"`)."""
    versions = {**LATEST, **{name.replace("_", "-"): version for name, version in target.items()}}
    facts = SimpleNamespace(trace=read_source(text, "train.py"), target=versions)
    return [stamp(rule, problem) for problem in rule.ask(facts)]
