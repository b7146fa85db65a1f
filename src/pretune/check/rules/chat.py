"""CHT: decoder models: padding, the last token, the end of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, places, shown
from pretune.check.sources.setup import CLASSIFYING, GENERATIVE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.chat import ChatFacts
    from pretune.check.facts.model import ModelFacts
    from pretune.check.facts.tokenizer import TokenizerFacts
    from pretune.check.finding import Rule
    from pretune.check.sources.setup import Setup

TRL = frozenset(
    "packing padding_free assistant_only_loss completion_only_loss dataset_text_field max_seq_length max_length "
    "eos_token pad_token chat_template_path".split()
)
"""Arguments of TRL's SFTConfig that TrainingArguments has not: its collator masks padding by place, not by id."""


def _pads(setup: Setup) -> bool:
    return setup.encode.get("padding") not in (None, False, "do_not_pad")


@rule("CHT001", Level.ERROR)
def pad_token_missing(tokenizer: TokenizerFacts, setup: Setup) -> Iterator[Problem]:
    """Training pads batches, but the tokenizer has no pad token.

    Why: the collator raises at the first batch ("Asking to pad but the tokenizer does not have a padding token"), and
    its message recommends pad = eos, which masks every end of text. Texts joined and cut into blocks need no padding.
    Fix: set a token of its own: a spare slot, or a new one with a resized embedding.
    """
    if setup.task is None or "pad_token" in tokenizer.special or setup.training_args.get("packing"):
        return
    if setup.training_args.get("per_device_train_batch_size") == 1 and not _pads(setup):
        return
    if not (tokenizer.files.source.complete or tokenizer.files.source.has("tokenizer_config.json")):
        return  # the hub's cache lacks the file that would name it
    level = None
    if setup.task in GENERATIVE and not _pads(setup):  # else texts may be joined into blocks, or TRL takes eos
        level = Level.WARNING if setup.encode and not TRL & setup.training_args.keys() else Level.NOTE
    yield Problem(
        f"task is {setup.task}, but none of the tokenizer's {number(tokenizer.size)} tokens is its pad_token",
        where=tokenizer.at("tokenizer_config.json", "/pad_token"),
        level=level,
    )


@rule("CHT002", Level.WARNING)
def pad_is_eos(tokenizer: TokenizerFacts, chat: ChatFacts, setup: Setup) -> Iterator[Problem]:
    """The pad token is the eos token: a collator that masks padding masks every end of text as well.

    Why: DataCollatorForLanguageModeling sets the labels of pad ids to -100; the model never learns to stop
    (huggingface/transformers#23530, open since 2023). Where texts are packed and never padded it does no harm.
    Fix: give padding a token of its own, or mask by the attention mask.
    """
    pad, eos = tokenizer.id_of("pad_token"), tokenizer.id_of("eos_token")
    if setup.task not in GENERATIVE or pad is None or pad != eos or setup.training_args.get("packing"):
        return
    if setup.task == "causal-lm" and setup.append_eos is False and not chat.adds_eos:
        return  # there is no end to mask; CHT005 says so
    if setup.task == "chat-sft" and chat.turn_ends and tokenizer.special["eos_token"] not in chat.turn_ends:
        return  # turns end with another token, whose labels stay
    level = Level.ERROR if setup.append_eos else None
    yield Problem(
        f"pad_token and eos_token are both {shown(tokenizer.special['pad_token'])} (id {pad}): labels masked by "
        "the pad id lose every end",
        where=setup.place("pad_token") if setup.pad_token else tokenizer.at("tokenizer_config.json", "/pad_token"),
        level=Level.NOTE if TRL & setup.training_args.keys() else level,
    )


@rule("CHT003", Level.ERROR)
def pad_id_misses_last_token(tokenizer: TokenizerFacts, model: ModelFacts, setup: Setup) -> Iterator[Problem]:
    """A decoder classifies by its last token, but looks for it with another pad id than the tokenizer pads with.

    Why: *ForSequenceClassification takes the last token that is not config.pad_token_id; with the wrong id it reads a
    pad token, with none it refuses batches. Trainer of transformers 5 sets the id when it is given the tokenizer, a
    loop of one's own does not.
    Fix: set config pad_token_id to the tokenizer's.
    """
    architecture = model.architecture
    if setup.task not in CLASSIFYING or architecture is None or architecture.reads() != "last non-pad":
        return
    pad = tokenizer.id_of("pad_token")
    told = model.get("pad_token_id")
    if setup.pads_by_tokenizer:
        return
    if pad is not None and told != pad:
        says = "not set" if told is None else told
        yield Problem(
            f"pad_token_id is {says}, but the tokenizer pads with {pad} ({shown(tokenizer.special['pad_token'])})",
            where=model.place("pad_token_id"),
            level=Level.WARNING if told is None else None,
        )


@rule("CHT004", Level.WARNING)
def ends_disagree(chat: ChatFacts, tokenizer: TokenizerFacts, model: ModelFacts, setup: Setup) -> Iterator[Problem]:
    """Tokenizer, config and generation config name different ends of text.

    Why: what is trained as the end is not what generation stops at: it runs on to the length limit
    (huggingface/open-r1#663, "a nasty footgun").
    Fix: put the trained end into generation_config.json's eos_token_id (a list may hold several).
    """
    if not chat.causal or setup.task not in (None, *GENERATIVE):
        return
    stops = set(chat.eos_generation or chat.eos_config)
    if chat.eos_tokenizer is None or not stops or chat.eos_tokenizer in stops:
        return
    if not (chat.eos_generation or model.source.complete):
        return  # the hub's cache may lack generation_config.json
    if {tokenizer.ids.get(end) for end in chat.turn_ends} & stops:
        return  # it stops at the end of a turn, which is what chat models are trained to write
    where = (
        model.source.at("generation_config.json", "/eos_token_id")
        if chat.eos_generation
        else model.place("eos_token_id")
    )
    named = places(f"{stop} ({shown(tokenizer.files.tokens.get(stop, 'no token'))})" for stop in sorted(stops))
    yield Problem(
        f"the tokenizer's eos is {chat.eos_tokenizer} ({shown(tokenizer.special['eos_token'])}), "
        f"but generation stops at {named}",
        where=where,
    )


@rule("CHT005", Level.WARNING)
def end_not_appended(chat: ChatFacts, setup: Setup) -> Iterator[Problem]:
    """Plain text is trained without an end-of-text token.

    Why: the model never sees an end and will not write one; packed texts run into each other.
    Fix: append the eos token to each text before tokenizing.
    """
    if setup.task == "causal-lm" and setup.append_eos is False and chat.eos_tokenizer is not None and not chat.adds_eos:
        yield Problem(
            f"append_eos is false: no text ends with the eos token (id {chat.eos_tokenizer})",
            where=setup.place("append_eos"),
        )


RULES: tuple[Rule, ...] = (
    pad_token_missing,
    pad_is_eos,
    pad_id_misses_last_token,
    ends_disagree,
    end_not_appended,
)
