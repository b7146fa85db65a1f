"""Asks one rule of a Setup, as the engine does, without the engine."""

from typing import Any

from pretune.check.facts import Facts
from pretune.check.facts.versions import VersionFacts
from pretune.check.finding import Finding, Rule, Unavailable, stamp
from pretune.check.rules import (
    config_keys,
    config_labels,
    config_training,
    config_values,
    config_vocabulary,
    model,
    model_class,
    model_shapes,
)
from pretune.check.sources.setup import Setup

CFG = tuple(
    rule
    for module in (config_keys, config_vocabulary, config_values, config_labels, config_training)
    for rule in module.RULES
)
MOD = tuple(rule for module in (model, model_shapes, model_class) for rule in module.RULES)

FIVE = VersionFacts(transformers="5.23.0", torch="2.13.0", peft="0.18.0", accelerate="1.12.0", tokenizers="0.22.0")
FOUR = VersionFacts(transformers="4.57.3", torch="2.8.0", peft=None, accelerate="1.8.0", tokenizers="0.22.0")


def found(rule: Rule, setup: Setup, **facts: Any) -> list[Finding]:
    """What the rule finds; nothing when it cannot be asked. `facts` replaces facts that would be read (versions=FOUR)."""
    known = Facts(setup)
    known.__dict__.update({"versions": FIVE, **facts})
    try:
        given = {need: getattr(known, need) for need in rule.needs}
    except Unavailable:
        return []
    return [stamp(rule, problem) for problem in rule.ask(**given)]


def is_asked(rule: Rule, setup: Setup) -> bool:
    """Whether all the rule's facts can be had, so that its silence means something."""
    known = Facts(setup)
    try:
        for need in rule.needs:
            getattr(known, need)
    except Unavailable:
        return False
    return True


def levels(findings: list[Finding]) -> list[str]:
    """Their levels, gravest first."""
    return [finding.level.value for finding in sorted(findings, key=lambda finding: -finding.level.rank)]


def one(findings: list[Finding]) -> Finding:
    """The only finding."""
    assert len(findings) == 1, findings
    return findings[0]


GPT2 = {"model_type": "gpt2", "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64, "vocab_size": 100}
LLAMA = {
    "model_type": "llama", "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "vocab_size": 100, "rope_theta": 10000.0, "tie_word_embeddings": False,
}  # fmt: skip
