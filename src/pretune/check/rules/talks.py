"""CHT1: the conversations against the template and the limits: what is refused, left out, cut off, or has no answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, percent, shown, some
from pretune.check.sources.setup import GENERATIVE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pretune.check.facts.chat import ChatFacts
    from pretune.check.facts.data import DataFacts, Example
    from pretune.check.facts.lengths import LengthFacts
    from pretune.check.facts.talks import TalkFacts
    from pretune.check.facts.tokenizer import TokenizerFacts
    from pretune.check.finding import Rule
    from pretune.check.sources.setup import Setup

CHATTING = (None, "causal-lm", "chat-sft")


@rule("CHT104", Level.ERROR)
def chat_template_missing(
    chat: ChatFacts, talks: TalkFacts, data: DataFacts, tokenizer: TokenizerFacts, setup: Setup
) -> Iterator[Problem]:
    """The data are chat messages, but the tokenizer has no chat template.

    Why: apply_chat_template raises; a template borrowed from another model brings markers that are no tokens here.
    Fix: take the instruct model's tokenizer, or write a template and add its markers as tokens.
    """
    if chat.template is not None or chat.broken or setup.task not in CHATTING or not tokenizer.files.source.complete:
        return
    if "messages" in data.columns and (chat.causal or setup.task is not None):
        yield Problem(
            f"{number(len(talks.rows))} sampled rows are chat messages, but the tokenizer has no chat_template",
            where=tokenizer.at("tokenizer_config.json", "/chat_template"),
            level=None if setup.task == "chat-sft" else Level.WARNING,
        )


@rule("CHT107", Level.ERROR)
def system_role_refused(talks: TalkFacts, setup: Setup) -> Iterator[Problem]:
    """The data hold system messages, but the template refuses them.

    Why: the template calls raise_exception for that role: the first such row stops preprocessing.
    Fix: put the system text into the first user message, or use a template that takes it.
    """
    refused = [one for one in talks.patterns if one.refusal is not None and one.without_system is None]
    rows = [row for one in refused for row in one.rows if "system" in one.roles]
    if rows and setup.task in CHATTING:
        yield Problem(
            f"{number(len(rows))} of {number(len(talks.rows))} sampled chats have a system message; the template says "
            f"{shown(refused[0].refusal or 'no', 80)}",
            where=rows[0].where,
        )


@rule("CHT108", Level.ERROR)
def answer_beyond_limit(lengths: LengthFacts, setup: Setup) -> Iterator[Problem]:
    """The prompt alone fills max_length: nothing of the assistant's answer is left to learn.

    Why: where only the answer counts, all labels of such a row are masked; its loss is nan or nothing, and no message
    says so.
    Fix: raise max_length, shorten the prompts, or cut on the left.
    """
    limit = lengths.limit
    if limit is None or setup.task != "chat-sft" or lengths.truncation_side == "left" or lengths.packs:
        return
    talks = [row for row in lengths.rows if row.prompt is not None]
    lost = [row for row in talks if row.prompt is not None and row.prompt >= limit]
    if lost:
        yield Problem(
            f"in {number(len(lost))} of {number(len(talks))} sampled chats ({percent(len(lost) / len(talks))}) the "
            f"prompt alone has {number(limit)} tokens or more: no answer token remains",
            where=lost[0].where,
            level=None if len(lost) > 0.02 * len(talks) else Level.WARNING,
        )


@rule("CHT111", Level.ERROR)
def roles_refused(talks: TalkFacts, setup: Setup) -> Iterator[Problem]:
    """The data hold orders of roles that the template refuses.

    Why: many templates raise when user and assistant do not alternate, when the assistant speaks first, or at a role
    that they do not know: the first such row stops preprocessing.
    Fix: join neighbouring messages of one role, or leave such conversations out.
    """
    refused = [one for one in talks.patterns if one.refusal is not None and one.without_system is not None]
    rows = [row for one in refused for row in one.rows]
    if rows and setup.task in CHATTING:
        order = ", ".join(refused[0].roles[:4]) + (", …" if len(refused[0].roles) > 4 else "")
        yield Problem(
            f"the template refuses {number(len(rows))} of {number(len(talks.rows))} sampled chats (as {order[:60]}): "
            f"{shown(refused[0].refusal or 'no reason given', 80)}",
            where=rows[0].where,
        )


@rule("CHT112", Level.WARNING)
def messages_left_out(talks: TalkFacts, setup: Setup) -> Iterator[Problem]:
    """The template writes nothing of some messages, and does not complain.

    Why: a template that knows no such role passes it over, so these words are never trained on: a system prompt, or the
    answers of an assistant that the data call otherwise.
    Fix: rename the role to the one the template knows, or use a template that takes it.
    """
    hit = [one for one in talks.patterns if one.left_out]
    rows = [row for one in hit for row in one.rows]
    if rows and setup.task in CHATTING:
        roles = dict.fromkeys(role for one in hit for role in one.left_out)
        yield Problem(
            f"the template writes nothing of messages with role {some(roles)}, which {number(len(rows))} of "
            f"{number(len(talks.rows))} sampled chats have",
            where=rows[0].where,
        )


@rule("CHT113", Level.WARNING)
def answers_missing(talks: TalkFacts, setup: Setup) -> Iterator[Problem]:
    """Conversations have no answer to learn, do not end with one, or have an empty one.

    Why: with loss on the answers only, such a row trains nothing; an empty answer teaches the model to end at once.
    Fix: leave these rows out, or cut what follows the last answer.
    """
    if setup.task != "chat-sft":
        return
    kinds = (
        (talks.unanswered, f"have no assistant message{_roles(talks.unanswered)}", None),
        (talks.emptied, "have an assistant message that is empty", None),
        (talks.unfinished, "go on after the assistant's last message", Level.NOTE),
    )
    for rows, what, level in kinds:
        if rows:
            yield Problem(
                f"{number(len(rows))} of {number(len(talks.rows))} sampled chats {what}",
                where=rows[0].where,
                level=level,
            )


def _roles(rows: Sequence[Example]) -> str:
    """The roles there are in place of the assistant's."""
    roles = dict.fromkeys(message["role"] for row in rows for message in row.messages if message["role"])
    odd = [role for role in roles if role not in ("user", "system")]
    return f", but role {some(odd)}" if odd else ""


@rule("CHT114", Level.WARNING)
def beginning_in_text(chat: ChatFacts, data: DataFacts, tokenizer: TokenizerFacts, setup: Setup) -> Iterator[Problem]:
    """Texts begin with the bos token written out, and the tokenizer adds it again.

    Why: every such example begins with two bos tokens, a beginning that the model has never seen.
    Fix: take it out of the texts, or tokenize with add_special_tokens=False.
    """
    bos = tokenizer.special.get("bos_token")
    if setup.task not in GENERATIVE or not bos or not chat.adds_bos:
        return
    if setup.encode.get("add_special_tokens") is False:
        return
    split, hits = data.train, data.train.hit("beginning")
    if data.beginning == bos and hits:
        found, where = split.found(hits), hits[0].where
    else:
        rows = [row for row in split.rows if row.text is not None and row.text.lstrip().startswith(bos)]
        first = "sampled" if split.total > len(split.rows) or split.sampled else split.name
        found, where = f"{number(len(rows))} of {number(len(split.rows))} {first} rows", rows[0].where if rows else ""
    if where:
        yield Problem(f"{found} begin with {shown(bos)}, and the tokenizer adds it again", where=where)


RULES: tuple[Rule, ...] = (
    chat_template_missing,
    system_role_refused,
    answer_beyond_limit,
    roles_refused,
    messages_left_out,
    answers_missing,
    beginning_in_text,
)
