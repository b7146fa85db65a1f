"""The sampled conversations against the chat template: which it refuses, which messages it leaves out.

Nothing of the template is run, and only roles are looked at: the words of a message are a placeholder.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pretune.check.facts.chat import template_variables
from pretune.check.finding import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.check.facts.chat import ChatFacts
    from pretune.check.facts.data import DataFacts, Example
    from pretune.check.facts.tokenizer import TokenizerFacts

MOST_PATTERNS = 40
"""Different orders of roles that the template is followed through."""
LONGEST_PATTERN = 16
"""Messages of a conversation that are looked at."""
TOOLS = ("tool", "function", "ipython", "tool_response", "observation")


@dataclass(frozen=True, slots=True)
class Pattern:
    """Conversations with the same order of roles.

    Attributes:
        roles: of at most the first LONGEST_PATTERN messages.
        rows: the conversations.
        refusal: what the template says when it refuses them; None: it takes them, or that is not known.
        without_system: what it says to the same messages less the system's; None: it takes those.
        left_out: the roles of messages that it takes and does not write.
    """

    roles: tuple[str, ...]
    rows: tuple[Example, ...]
    refusal: str | None = None
    without_system: str | None = None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class TalkFacts:
    """The sampled conversations of both splits.

    Attributes:
        rows: the conversations, each of at least one message.
        patterns: the orders of roles that occur, the most frequent first; conversations with tools are left out.
    """

    rows: tuple[Example, ...] = ()
    patterns: tuple[Pattern, ...] = ()

    @cached_property
    def unanswered(self) -> tuple[Example, ...]:
        """Those without any assistant message."""
        return tuple(row for row in self.rows if not any(message["role"] == "assistant" for message in row.messages))

    @cached_property
    def unfinished(self) -> tuple[Example, ...]:
        """Those with an assistant's message that do not end with one."""
        answered = (row for row in self.rows if any(message["role"] == "assistant" for message in row.messages))
        return tuple(row for row in answered if row.messages[-1]["role"] != "assistant")

    @cached_property
    def emptied(self) -> tuple[Example, ...]:
        """Those with an assistant message that says nothing and calls no tool."""
        return tuple(row for row in self.rows if any(_is_empty(message) for message in row.messages))


def _is_empty(message: object) -> bool:
    """Whether an assistant's message has a content and it is blank."""
    if not isinstance(message, dict) or message.get("role") != "assistant":
        return False
    others = any(value for key, value in message.items() if key not in ("role", "content", "from", "value"))
    return not message.get("content", "").strip() and not others and not isinstance(message.get("content"), list)


def read_talks(chat: ChatFacts, tokenizer: TokenizerFacts, data: DataFacts) -> TalkFacts:
    """Follow the template through each order of roles in the data.

    Raises:
        Unavailable: the data hold no conversations.
    """
    rows = tuple(row for split in data.splits for row in split.rows if row.messages)
    if not rows:
        raise Unavailable("the data hold no chat messages")
    grouped: dict[tuple[str, ...], list[Example]] = {}
    for row in filter(_is_plain, rows):
        grouped.setdefault(tuple(message["role"] for message in row.messages[:LONGEST_PATTERN]), []).append(row)
    frequent = sorted(grouped.items(), key=lambda item: -len(item[1]))[:MOST_PATTERNS]
    return TalkFacts(rows, tuple(_pattern(roles, alike, chat, tokenizer) for roles, alike in frequent))


def _is_plain(row: Example) -> bool:
    """Whether the messages are a role and a content each: templates look at more of a tool's call and answer."""
    return not any(
        message["role"] in TOOLS or any(message.get(key) for key in ("tool_calls", "tool_call_id", "function_call"))
        for message in row.messages
    )


def _pattern(roles: tuple[str, ...], rows: Sequence[Example], chat: ChatFacts, tokenizer: TokenizerFacts) -> Pattern:
    if chat.template is None:
        return Pattern(roles, tuple(rows))
    variables = template_variables(tokenizer.special)
    written = chat.template.write(roles, variables)
    rest = tuple(role for role in roles if role != "system")
    again = chat.template.write(rest, variables) if written.refusal is not None and rest != roles else written
    left_out = [role for at, role in enumerate(roles) if written.text is not None and not written.holds(at)]
    return Pattern(roles, tuple(rows), written.refusal, again.refusal, tuple(dict.fromkeys(left_out)))
