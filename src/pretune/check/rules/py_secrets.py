"""PYS3: secrets that stand in the source: tokens, keys, webhooks. Shows none of them whole."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING

from pretune.check.facts.script_flow import text
from pretune.check.finding import Level, Problem, rule
from pretune.script.trace import Assigned, Call, Returned, SetAttribute, SetItem
from pretune.script.values import Constant, OneOf, Operation, Sequence, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.finding import Rule
    from pretune.script.trace import Event
    from pretune.script.values import Value

_KINDS = (
    ("a Hugging Face token", re.compile(r"\b(hf_|api_org_)([A-Za-z]{30,})\b")),
    ("a Slack webhook", re.compile(r"(hooks\.slack\.com/(?:services|workflows)/)(T\w{6,}/[A-Z0-9]{6,}/\w{16,})")),
    ("a Slack token", re.compile(r"\b(xox[abeoprs]-)([0-9A-Za-z-]{20,})")),
    ("a Discord webhook", re.compile(r"(discord(?:app)?\.com/api/webhooks/)([0-9]{15,}/[\w-]{40,})")),
    ("an OpenAI key", re.compile(r"\b(sk-(?:proj-|svcacct-)?)(?=[\w-]*[0-9])([A-Za-z0-9_-]{32,})\b")),
    ("a GitHub token", re.compile(r"\b(gh[opsu]_)([A-Za-z0-9]{36,})\b")),
    ("a GitHub token", re.compile(r"\b(github_pat_)([A-Za-z0-9_]{40,})\b")),
    ("a GitLab token", re.compile(r"\b(glpat-)([\w-]{20,})\b")),
    ("an AWS key", re.compile(r"\b(AKIA|ASIA)([0-9A-Z]{16})\b")),
    ("a Google key", re.compile(r"\b(AIza)([\w-]{35})\b")),
)
"""What it is, and how it looks: its kind's beginning, and the secret."""
_NAMED = re.compile(r"(?:^|_)(?:api_?key|token|secret|password|passwd|key)$|^use_auth_token$", re.IGNORECASE)
_BARE = re.compile(r"[0-9a-f]{40}|[0-9a-f]{32}|[A-Za-z0-9]{40}")
"""A key without a beginning of its own: Weights & Biases, Comet, Neptune; taken for one where its name says so."""
_PLACEHOLDER = re.compile(r"x{4,}|\.{3}|\*{3}|your|example|placeholder|dummy|fake|0{6,}|1234567|abcdef", re.IGNORECASE)


@rule("PYS311", Level.WARNING)
def secret_in_the_source(script: ScriptFacts) -> Iterator[Problem]:
    """A token, key or webhook is written into the source.

    Why: scripts and notebooks are shared and committed, and stay in the history; who reads it can use the account.
    Fix: revoke it now, and read a new one from the environment: os.environ["HF_TOKEN"], or `hf auth login`.
    """
    seen: set[str] = set()
    for event in script.trace.events:
        for name, value in _texts(event):
            for what, beginning, secret in _secrets(name, value):
                if secret not in seen:
                    seen.add(secret)
                    yield Problem(
                        f"{what} of {len(beginning) + len(secret)} characters stands here: {beginning}***",
                        where=str(event.place),
                    )


def _secrets(name: str, value: str) -> Iterator[tuple[str, str, str]]:
    """What secrets a text holds: what each is, its beginning, and itself."""
    found = False
    for what, pattern in _KINDS:
        for match in pattern.finditer(value):
            if looks_random(match[2]):
                found = True
                yield what, match[1], match[2]
    if not found and _NAMED.search(name) and _BARE.fullmatch(value) and looks_random(value):
        yield f"the value of {name}", "", value


def looks_random(secret: str) -> bool:
    """Whether a text is no placeholder: 2.8 bits a character or more (random hex digits: 3.4), no telling word."""
    counts = Counter(secret)
    entropy = -sum(n / len(secret) * math.log2(n / len(secret)) for n in counts.values())
    return entropy >= 2.8 and not _PLACEHOLDER.search(secret)


def _texts(event: Event) -> Iterator[tuple[str, str]]:
    """The texts that stand in an event, each with the name that it is given: a keyword, a key, a variable."""
    waiting: list[tuple[str, Value]] = []
    if isinstance(event, Call):
        waiting += [(event.method if event.method == "login" else "", one) for one in event.arguments]
        waiting += list(event.keywords.items())
        waiting += [] if event.receiver is None else [("", event.receiver)]
    elif isinstance(event, SetItem):
        waiting += [] if event.value is None else [(text(event.index) or "", event.value)]
    elif isinstance(event, Assigned | SetAttribute):
        waiting.append((event.name.rpartition(".")[2], event.value))
    elif isinstance(event, Returned):
        waiting.append(("", event.value))
    for _ in range(400):
        if not waiting:
            return
        name, value = waiting.pop(0)
        if isinstance(value, Constant) and isinstance(value.value, str) and len(value.value) < 2000:
            yield name, value.value
        elif isinstance(value, Sequence):
            waiting += [(name, one) for one in value.items[:40]]
        elif isinstance(value, Table):
            waiting += [(text(key) or "", one) for key, one in value.items[:60]]
        elif isinstance(value, OneOf):
            waiting += [(name, one) for one in value.values]
        elif isinstance(value, Operation):
            waiting += [("", one) for one in value.operands]


RULES: tuple[Rule, ...] = (secret_in_the_source,)
