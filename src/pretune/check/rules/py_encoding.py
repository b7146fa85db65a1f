"""PYS1: how a script encodes texts: cutting, padding and stacking them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pretune.check.facts.versions import is_at_least
from pretune.check.finding import Level, Problem, rule
from pretune.check.sources.script_names import name_of
from pretune.check.sources.script_values import UNKNOWN, plain
from pretune.script.kinds import alternatives, class_of, held, kind, root
from pretune.script.objects import value_of
from pretune.script.tokens import holds, in_use
from pretune.script.values import Constant, Function, Made, Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.finding import Rule
    from pretune.script.trace import Call
    from pretune.script.values import Value

_PADS = (
    "DataCollatorWithPadding",
    "DataCollatorForTokenClassification",
    "DataCollatorForSeq2Seq",
    "DataCollatorForLanguageModeling",
)
_SHORT = re.compile(
    r"^klue/(bert|roberta)|koelectra|kobert|kcbert|^(google-bert/|facebookai/|distilbert/)?(distil)?(ro)?bert(a)?-(base|large)"
    r"|^(facebookai/)?xlm-roberta-(base|large)$|bert-base-multilingual",
    re.IGNORECASE,
)
"""Models with 512 positions."""
_NEVER_FAST = re.compile(r"KoBertTokenizer|KoBERTTokenizer|BertJapaneseTokenizer|Ko\w*SPTokenizer|DebertaV2Tokenizer$")
_SLOW_BEFORE_FIVE = re.compile(r"^(?!Auto)(?!PreTrainedTokenizerFast)\w+Tokenizer$")
_FAST_METHODS = (
    "word_ids",
    "char_to_token",
    "token_to_chars",
    "sequence_ids",
    "word_to_tokens",
    "char_to_word",
    "token_to_word",
)


@rule("PYS160", Level.WARNING)
def padded_but_not_cut(script: ScriptFacts) -> Iterator[Problem]:
    """Texts are padded to max_length and not cut to it.

    Why: padding="max_length" switches no truncation on: a longer text stays longer, and its batch does not stack, or it
    has more positions than the model.
    Fix: truncation=True.
    """
    for call in _batches(script):
        padding, truncation = (call.argument(None, key) for key in ("padding", "truncation"))
        if plain(padding) != "max_length" or call.open or call.argument(None, "truncation_strategy") is not None:
            continue
        if isinstance(plain(call.argument(0, "text")), str):
            continue  # one text that stands in the source: it is known how long it is
        if truncation is None or plain(truncation) in (False, "do_not_truncate"):
            asked = plain(call.argument(None, "max_length"))
            limit = f"max_length={asked}" if isinstance(asked, int) else "the model's length"
            yield Problem(f"texts are padded to {limit}, and longer ones are not cut", where=str(call.place))


@rule("PYS161", Level.NOTE)
def padded_twice(script: ScriptFacts) -> Iterator[Problem]:
    """Texts are padded to max_length, and then given to a collator that pads.

    Why: the collator finds nothing to pad: each batch is as long as max_length, which is what it was to avoid.
    Fix: leave the padding to the collator.
    """
    full = [
        call for call in _batches(script) if plain(call.argument(None, "padding")) == "max_length" and call.function
    ]
    others = [call for call in _batches(script) if call not in full and call.function]
    for trainer in script.trainers:
        given = held(value_of(trainer), "data_collator", trainer)
        collator = root(given) if given is not None else None
        if not full or others or not isinstance(collator, Made) or class_of(collator) != "DataCollatorWithPadding":
            continue
        multiple = collator.call.argument(None, "pad_to_multiple_of")
        if multiple is None or plain(multiple) is None:
            yield Problem(
                f"the collator has nothing to pad: texts are padded to max_length at line {full[0].place.line}",
                where=str(collator.call.place),
                also=(str(full[0].place),),
            )


@rule("PYS162", Level.WARNING)
def rows_do_not_stack(script: ScriptFacts) -> Iterator[Problem]:
    """Rows of different lengths are given to a Trainer that has nothing to pad them with.

    Why: map(batched=True) pads each 1,000 rows to their own longest, and without padding none is as long as another;
    shuffled into batches, they raise a ValueError.
    Fix: give the Trainer the tokenizer (processing_class) or a DataCollatorWithPadding.
    """
    maps = [
        call for call in script.trace.calls("map") if call.receiver is not None and kind(call.receiver) == "dataset"
    ]
    for trainer in script.trainers:
        if not trainer.function_name.startswith("transformers.") or trainer.open:
            continue
        given = [held(value_of(trainer), key, trainer) for key in ("data_collator", "tokenizer")]
        if any(one is not None and not (isinstance(one, Constant) and one.value is None) for one in given):
            continue
        data = held(value_of(trainer), "train_dataset", trainer)
        mapped = [call for call in maps if data is not None and holds(data, lambda one, call=call: one == Made(call))]  # type: ignore[misc]
        if len(mapped) != 1 or "batch_size" in mapped[0].keywords:
            continue
        inside = [call for call in _batches(script) if _is_called_by(call, mapped[0])]
        ragged = [
            call
            for call in inside
            if not call.open and plain(call.argument(None, "padding")) in (None, False, True, UNKNOWN)
        ]
        if ragged and ragged == inside and all(_is_known(call.argument(None, "padding")) for call in ragged):
            if (
                plain(ragged[0].argument(None, "padding")) is True
                and plain(mapped[0].argument(None, "batched")) is not True
            ):
                how = "each row is padded to itself"
            elif plain(ragged[0].argument(None, "padding")) is True:
                how = "rows are padded in groups of 1,000"
            else:
                how = "rows are not padded"
            yield Problem(
                f"{how} at line {ragged[0].place.line}, and the Trainer has neither tokenizer nor collator to pad them",
                where=str(trainer.place),
                also=(str(ragged[0].place),),
            )


@rule("PYS163", Level.ERROR)
def longer_than_the_positions(script: ScriptFacts) -> Iterator[Problem]:
    """Texts are cut to more tokens than the model has positions.

    Why: the first longer text is an index error, on a GPU an assert that hides its cause.
    Fix: max_length=512 at most, with stride and overflowing tokens for longer texts.
    """
    names = {name for _, model in in_use(script) if (name := name_of(model)) is not None}
    if len(names) != 1:
        return
    name = names.pop()
    for call in _batches(script):
        asked = plain(call.argument(None, "max_length"))
        cut = plain(call.argument(None, "truncation"))
        if isinstance(asked, int) and asked > 512 and cut not in (None, False, UNKNOWN) and _SHORT.search(name):
            yield Problem(f"max_length={asked}, and {name} has 512 positions", where=str(call.place))


@rule("PYS164", Level.ERROR)
def offsets_of_a_slow_tokenizer(script: ScriptFacts) -> Iterator[Problem]:
    """A slow tokenizer is asked for what only a fast one has.

    Why: offsets, word_ids and sequence_ids come from the Rust tokenizers; a slow one raises a NotImplementedError or a
    ValueError.
    Fix: AutoTokenizer with use_fast=True, or the class's Fast version.
    """
    five = is_at_least(script.target.get("transformers", "5"), "5.0.dev0")
    for call in script.encodings:
        slow = [_slow(one, five=five) for one in alternatives(root(call.receiver))]  # type: ignore[arg-type]
        if not slow or not all(slow):
            continue
        asked = "return_offsets_mapping=True" if call.constant(None, "return_offsets_mapping") is True else ""
        if not asked:
            later = [one for one in script.calls_on(value_of(call), *_FAST_METHODS) if one.receiver is not None]
            asked = f"{later[0].method}()" if later else ""
        if asked:
            yield Problem(f"{asked} is asked of {slow[0]}, which is slow", where=str(call.place))


@rule("PYS165", Level.WARNING)
def words_given_as_texts(script: ScriptFacts) -> Iterator[Problem]:
    """Lists of words are encoded as if they were lists of texts.

    Why: without is_split_into_words each list is taken for a batch or a pair: it raises a TypeError, or each word
    becomes a text.
    Fix: is_split_into_words=True.
    """
    for call in script.encodings:
        if call.open or any(key in call.keywords for key in ("is_split_into_words", "is_pretokenized")):
            continue
        text = call.argument(0, "text")
        column = text.index.value if isinstance(text, Part) and isinstance(text.index, Constant) else None
        if column not in ("tokens", "words") or call.argument(1, "text_pair") is not None:
            continue
        if any(True for _ in script.calls_on(value_of(call), "word_ids")):
            yield Problem(f'the words of "{column}" are encoded without is_split_into_words', where=str(call.place))


@rule("PYS166", Level.NOTE)
def encoded_without_cutting(script: ScriptFacts) -> Iterator[Problem]:
    """Texts are encoded for a model of 512 positions without truncation.

    Why: a text of more than 512 tokens is an index error in the middle of the run.
    Fix: truncation=True, max_length=512 or less; nothing to do where the texts are known to be short.
    """
    names = {name for _, model in in_use(script) if (name := name_of(model)) is not None}
    if len(names) != 1 or not _SHORT.search(next(iter(names))):
        return
    for call in _batches(script):
        told = {"truncation", "max_length", "truncation_strategy"} & set(call.keywords)
        if call.open or told or call.function is None or not isinstance(call.argument(0, "text"), Part):
            continue
        if plain(call.argument(None, "padding")) != "max_length" and "is_split_into_words" not in call.keywords:
            yield Problem(f"texts are not cut, and {next(iter(names))} has 512 positions", where=str(call.place))


def _batches(script: ScriptFacts) -> Iterator[Call]:
    """Calls that encode data: those of the tokenizer itself and of its older methods."""
    return (call for call in script.encodings if call.method != "encode")


def _is_called_by(call: Call, outer: Call) -> bool:
    """Whether a call stands in the function that another one was given."""
    given = outer.argument(0, "function")
    return isinstance(given, Function) and call.function is not None and call.function.place == given.place


def _is_known(value: Value | None) -> bool:
    return value is None or plain(value) is not UNKNOWN


def _slow(tokenizer: Value, *, five: bool) -> str:
    """What makes a tokenizer slow; empty: it is fast, or not known."""
    if not isinstance(tokenizer, Made):
        return ""
    name = class_of(tokenizer)
    package = tokenizer.call.function_name.partition(".")[0]
    if name.startswith(("KoBert", "KoBERT", "BertJapanese")) or package.startswith(("kobert", "tokenization_kobert")):
        return name or "KoBERT's tokenizer"
    if five or package != "transformers":
        return ""
    if tokenizer.call.constant(None, "use_fast") is False:
        return f"{name} with use_fast=False"
    return name if _SLOW_BEFORE_FIVE.match(name) and tokenizer.call.method == "from_pretrained" else ""


RULES: tuple[Rule, ...] = (
    padded_but_not_cut,
    padded_twice,
    rows_do_not_stack,
    longer_than_the_positions,
    offsets_of_a_slow_tokenizer,
    words_given_as_texts,
    encoded_without_cutting,
)
