"""CHT1: the chat template against the vocabulary and the ends of generation. The conversations are in talks.py."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, shown, some
from pretune.check.sources.setup import GENERATIVE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.adapter import AdapterFacts
    from pretune.check.facts.chat import ChatFacts
    from pretune.check.facts.model import ModelFacts
    from pretune.check.facts.tokenizer import TokenizerFacts
    from pretune.check.finding import Rule
    from pretune.check.sources.setup import Setup

PLAIN = re.compile(r"\[/?[A-Z_]+\]|<</?SYS>>")
"""[INST] and <<SYS>> are text in Llama 2, learnt as such."""


@rule("CHT101", Level.WARNING)
def turn_end_never_stops(
    chat: ChatFacts, tokenizer: TokenizerFacts, model: ModelFacts, setup: Setup
) -> Iterator[Problem]:
    """The template ends turns with a token at which generation does not stop.

    Why: a chat model learns to end its turn with that token; when neither eos nor generation_config knows it, answers
    run on into an invented next turn (axolotl-ai-cloud/axolotl#3756).
    Fix: add its id to generation_config.json's eos_token_id.
    """
    if setup.task not in GENERATIVE or not chat.turn_ends:
        return
    stops = {*chat.eos_generation, *chat.eos_config, chat.eos_tokenizer}
    ends = {end: tokenizer.ids[end] for end in chat.turn_ends if end in tokenizer.ids}
    if ends and not stops & set(ends.values()):
        end, index = next(iter(ends.items()))
        known = ", ".join(str(stop) for stop in sorted(stop for stop in stops if stop is not None))
        stated = model.source.at("generation_config.json", "/eos_token_id") if chat.eos_generation else ""
        yield Problem(
            f"turns end with {shown(end)} (id {index}), but generation stops at {known or 'nothing'}",
            where=stated or chat.template_where,
        )


@rule("CHT102", Level.ERROR)
def template_marker_in_pieces(chat: ChatFacts, setup: Setup) -> Iterator[Problem]:
    """A marker that the chat template writes is not a token: it is cut into pieces.

    Why: the model gets a few punctuation marks in place of a turn's beginning and end. Where the end of a turn is in
    pieces there is no id at which to stop; an opening in pieces is learnt as text (Zephyr's <|user|>), at the cost of
    length.
    Fix: add the markers as special tokens and resize, or use the template that belongs to this vocabulary.
    """
    if setup.task not in (None, "chat-sft"):
        return
    added = {*setup.add_tokens, *setup.add_special_tokens}
    cut = {marker: pieces for marker, pieces in chat.marker_pieces.items() if len(pieces) > 1 and marker not in added}
    written = [marker for marker in cut if not PLAIN.fullmatch(marker)]
    if not written:
        return
    ends = [end for end in chat.turn_ends if end in cut]
    stops = [end for end in chat.turn_ends if end not in cut]
    marker = ends[0] if ends else written[0]
    level = Level.NOTE if stops else None if ends else Level.WARNING
    yield Problem(
        f"{number(len(written))} of the template's {number(len(chat.marker_pieces))} markers are no tokens: "
        f"{shown(marker)} becomes {len(cut[marker])} pieces: {some(cut[marker], 5)}"
        + (f"; turns end with {shown(stops[0])}, which is one" if stops else ""),
        where=chat.template_where,
        level=level,
    )


@rule("CHT103", Level.NOTE)
def beginning_doubled(chat: ChatFacts, tokenizer: TokenizerFacts, setup: Setup) -> Iterator[Problem]:
    """The chat template writes the bos token, and the tokenizer may add it again.

    Why: rendering a chat to text and tokenizing that text gives two bos tokens in every example, a beginning that the
    model has never seen (deepseek-ai/DeepSeek-R1#151). apply_chat_template with tokenize=True adds none.
    Fix: tokenize rendered chats with add_special_tokens=False, or let apply_chat_template tokenize.
    """
    asked = setup.encode.get("add_special_tokens")
    if setup.task == "chat-sft" and chat.writes_bos and chat.adds_bos and asked is not False:
        yield Problem(
            f"the template writes {shown(tokenizer.special['bos_token'])} and the tokenizer adds it too: "
            "rendered text that is tokenized begins with it twice",
            where=chat.template_where,
            level=Level.WARNING if asked else None,
        )


@rule("CHT105", Level.ERROR)
def chat_template_broken(chat: ChatFacts, setup: Setup) -> Iterator[Problem]:
    """The chat template does not parse.

    Why: apply_chat_template fails at the first conversation.
    Fix: mend the template at the line named.
    """
    if chat.broken and setup.task in (None, *GENERATIVE):
        yield Problem(
            f"the chat template is not valid Jinja: {chat.broken.partition(': ')[2] or chat.broken}",
            where=chat.template_where,
            level=None if setup.task == "chat-sft" else Level.WARNING,
        )


@rule("CHT106", Level.ERROR)
def answers_not_marked(chat: ChatFacts, setup: Setup) -> Iterator[Problem]:
    """Loss on the assistant's words only is asked for, but the template does not mark them.

    Why: assistant_only_loss needs {% generation %} in the template; without it the mask is empty or training refuses.
    Fix: wrap the assistant's content in {% generation %} … {% endgeneration %}.
    """
    if (
        setup.training_args.get("assistant_only_loss") is True
        and chat.template is not None
        and not chat.template.marks_generation
    ):
        yield Problem(
            "assistant_only_loss is true, but the template has no {% generation %} tag",
            where=setup.place("training_args.assistant_only_loss"),
        )


@rule("CHT109", Level.NOTE)
def chat_markers_frozen(
    chat: ChatFacts, adapter: AdapterFacts, tokenizer: TokenizerFacts, setup: Setup
) -> Iterator[Problem]:
    """The template's markers may be untrained rows that LoRA leaves frozen.

    Why: base models ship the chat markers as tokens whose rows were never trained; an adapter that does not train the
    embedding cannot mend them (unslothai/unsloth#416).
    Fix: start from the instruct model, or train those rows with trainable_token_indices.
    """
    name = re.split(r"[/\\]", tokenizer.name.rstrip("/\\"))[-1].lower()  # of a path, its last folder
    tuned = any(word in name for word in ("instruct", "chat", "-it", "sft", "dpo", "rlhf"))
    markers = [marker for marker, pieces in chat.marker_pieces.items() if len(pieces) == 1 and marker in tokenizer.ids]
    if setup.task == "chat-sft" and "base" in name and not tuned and markers and not adapter.trains_embedding:
        yield Problem(
            f"{some(markers)} are tokens of a base model and may be untrained, and the adapter leaves them",
            where=setup.place("peft"),
        )


@rule("CHT110", Level.WARNING)
def template_without_end(chat: ChatFacts, tokenizer: TokenizerFacts, setup: Setup) -> Iterator[Problem]:
    """The chat template writes no end after the assistant's words.

    Why: nothing in the training text tells the model to stop: it learns to go on.
    Fix: let the template write eos_token or the end-of-turn marker after each assistant message.
    """
    if setup.task != "chat-sft" or chat.template is None or chat.turn_ends or setup.append_eos:
        return
    eos = tokenizer.special.get("eos_token")
    guessed = "eos_token" in chat.template.variables or (eos and any(eos in text for text in chat.template.literals))
    if chat.ending is None and guessed:
        return
    behind = f"it writes {shown(chat.ending)}" if chat.ending is not None else "it has no eos_token"
    yield Problem(
        f"behind the assistant's words the template writes no end-of-turn token ({behind}), expected "
        + (f"{shown(eos)} or a marker" if eos else "a marker"),
        where=chat.template_where,
    )


RULES: tuple[Rule, ...] = (
    turn_end_never_stops,
    template_marker_in_pieces,
    beginning_doubled,
    chat_template_broken,
    answers_not_marked,
    chat_markers_frozen,
    template_without_end,
)
