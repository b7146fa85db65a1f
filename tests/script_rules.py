"""Asks rules on code of a script's text, as the engine does."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

from pretune.check.facts.script import ScriptFacts
from pretune.check.finding import stamp
from pretune.script.read import read_source

if TYPE_CHECKING:
    from pretune.check.finding import Finding, Rule

VERSIONS = {"transformers": "5.23.0", "torch": "2.13.0", "datasets": "4.0.0"}


def found(rule: Rule, text: str, **target: str) -> list[Finding]:
    """What a rule finds in a script."""
    facts = ScriptFacts(read_source(dedent(text), "train.py"), {**VERSIONS, **target})
    return [stamp(rule, problem) for problem in rule.ask(script=facts)]


def lines(rule: Rule, text: str, **target: str) -> list[int]:
    """The lines at which a rule finds something."""
    return [int(finding.where.split(":")[-2]) for finding in found(rule, text, **target)]
