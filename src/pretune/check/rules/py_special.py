"""PYS1: which tokens a script makes special, and what the pad token is then masked with."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.script.kinds import alternatives, held, kind, root
from pretune.script.objects import can_follow, value_of
from pretune.script.tokens import additions, holds
from pretune.script.trace import Call, SetAttribute, SetItem
from pretune.script.values import Constant, Made, Operation, Part, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.finding import Rule
    from pretune.script.values import Value

_WORD = re.compile(r"[^\W\d_]+(?: [^\W\d_]+)*")
_ADDITIONAL = ("additional_special_tokens", "extra_special_tokens")


@rule("PYS107", Level.WARNING)
def special_token_is_a_word(script: ScriptFacts) -> Iterator[Problem]:
    """A special token is a word that texts have.

    Why: a special token is cut out wherever its letters stand, inside other words too, and is dropped when text is
    decoded; as pad token it is masked wherever it occurs.
    Fix: a token that no text has, `<e1>`; for words of the field add_tokens([...]) without special_tokens.
    """
    for one in additions(script):
        special = one.call.method == "add_special_tokens" or one.call.constant(1, "special_tokens") is True
        if not special:
            continue
        roles = {word: role for role, word in one.roles}
        words = [
            word for word in one.words or () if _WORD.fullmatch(word) and (word != word.upper() or not word.isascii())
        ]
        for word in words:
            if word in roles:
                yield Problem(f'{roles[word]} becomes "{word}", a word that texts have', where=str(one.call.place))
        rest = [word for word in words if word not in roles]
        if rest:
            short = [word for word in rest if len(word) <= (3 if word.isascii() else 1)]
            shown = ", ".join(f"`{word[:30]}`" for word in (short or rest)[:3])
            yield Problem(
                f"{len(short or rest)} special token(s) are words that texts have ({shown}): they are cut out of "
                "other words too, and dropped when text is decoded",
                where=str(one.call.place),
                level=None if short else Level.NOTE,
            )


@rule("PYS108", Level.NOTE)
def special_tokens_replaced(script: ScriptFacts) -> Iterator[Problem]:
    """A second list of additional special tokens takes the place of the first one.

    Why: the first ones stay in the vocabulary, but are no special tokens any more: skip_special_tokens leaves them in.
    Fix: one call with all of them, or replace_additional_special_tokens=False.
    """
    before: dict[Value, tuple[Call, frozenset[str]]] = {}
    for one in additions(script):
        given = one.call.argument(0, "special_tokens_dict")
        if one.call.method != "add_special_tokens" or not isinstance(given, Table) or one.words is None:
            continue
        listed = next(
            (item for key, item in given.items if isinstance(key, Constant) and key.value in _ADDITIONAL), None
        )
        if listed is None or one.call.loops:
            continue
        roles = {word for _, word in one.roles}
        words = frozenset(word for word in one.words if word not in roles)
        if one.tokenizer in before:
            first, had = before[one.tokenizer]
            kept = (
                isinstance(listed, Operation) or one.call.argument(1, "replace_additional_special_tokens") is not None
            )
            if had - words and not kept and can_follow(first, one.call):
                yield Problem(
                    f"the additional special tokens of line {first.place.line} ({_shown(had - words)}) are replaced by "
                    f"{_shown(words)}",
                    where=str(one.call.place),
                    also=(str(first.place),),
                )
        before[one.tokenizer] = (one.call, words)


@rule("PYS109", Level.WARNING)
def added_after_encoding(script: ScriptFacts) -> Iterator[Problem]:
    """Tokens are added after the texts were encoded.

    Why: the encoded texts have the new words in pieces; the new rows are never trained.
    Fix: add the tokens right after the tokenizer is loaded.
    """
    for one in additions(script):
        if one.call.conditions or one.call.loops or not (one.is_new or one.words is None):
            continue
        encodings = [call for call in script.encodings if one.tokenizer in alternatives(root(call.receiver))]  # type: ignore[arg-type]
        handed = [call for call in encodings if _encodes_data(call)]
        later = [call for call in encodings if call.entry is not one.call.entry or call.order > one.call.order]
        if handed and not later and all(can_follow(call, one.call) for call in handed):
            yield Problem(
                f"tokens are added after the data were encoded at line {handed[-1].place.line}",
                where=str(one.call.place),
                also=(str(handed[-1].place),),
            )


@rule("PYS110", Level.NOTE)
def end_of_text_masked_as_padding(script: ScriptFacts) -> Iterator[Problem]:
    """The pad token is the end-of-text token, and the labels of pads are masked.

    Why: the end of each text is masked with the pads: the model is never shown where to stop, and generates on.
    Fix: a pad token of its own, or labels masked by the attention mask.
    """
    shared: list[Call | SetAttribute] = [
        deed
        for call in script.tokenizers
        for deed in script.on(value_of(call))
        if isinstance(deed, SetAttribute) and deed.name in ("pad_token", "pad_token_id") and _is_end(deed.value)
    ]
    shared += [
        call
        for call in script.trace.calls("add_special_tokens")
        if isinstance(table := call.argument(0, "special_tokens_dict"), Table) and _is_end(table.get("pad_token"))
    ]
    if not shared:
        return
    ends = _appends_end(script)
    for masker, how in _maskers(script):
        same = [one for one in shared if one.entry is masker.entry or masker.entry is not None]
        if not same:
            continue
        but = ", though the texts are given an end" if ends else ""
        yield Problem(
            f"pad_token is eos_token (line {same[0].place.line}), and {how} masks the labels of both{but}",
            where=str(masker.place),
            also=(str(same[0].place),),
            level=Level.WARNING if ends else None,
        )


@rule("PYS111", Level.WARNING)
def answers_without_an_end(script: ScriptFacts) -> Iterator[Problem]:
    """Prompts and answers are put together for a language model, and nothing ends them.

    Why: a tokenizer of a decoder adds no end of text by itself: the model never sees where an answer stops, and
    generates on.
    Fix: text + tokenizer.eos_token
    """
    trained = {one for _, model in script.trained for one in alternatives(model)}
    causal = any(
        call.function_name.rpartition(".")[0].endswith(("CausalLM", "LMHeadModel")) and value_of(call) in trained
        for call in script.models
    )
    if not causal or _names_an_end(script):
        return
    for call in script.encodings:
        text = call.argument(0, "text")
        joined = isinstance(text, Operation) and text.operator in ("+", "f", "format")
        if joined and call.function is not None and sum(map(_is_column, text.operands)) >= _PROMPT_AND_ANSWER:  # type: ignore[union-attr]
            yield Problem("texts are put together without an end of text behind them", where=str(call.place))


_PROMPT_AND_ANSWER = 2
_AN_END = re.compile(r"</s>|<\|[\w-]+\|>|<eos>|<end_of_turn>|<\|?im_end|\[EOS\]|\[/INST\]|<｜")


def _is_column(value: Value) -> bool:
    """Whether a value holds a column of a row: `row["answer"]`, alone or in a text."""
    return holds(value, lambda one: isinstance(one, Part) and isinstance(one.index, Constant), 4)


def _names_an_end(script: ScriptFacts) -> bool:
    """Whether anything in the script says how a text ends, so that it may be put behind texts."""
    for tree in set(script.trace.functions.values()):
        for node in ast.walk(tree.node):
            if isinstance(node, ast.Attribute) and "eos" in node.attr:
                return True
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _AN_END.search(node.value):
                return True
    for event in script.trace.events:
        if isinstance(event, Call):
            if event.method in ("apply_chat_template", "group_texts") or "add_eos_token" in event.keywords:
                return True
            given: tuple[Value, ...] = (*event.arguments, *event.keywords.values())
        else:
            value = getattr(event, "value", None)
            given = () if value is None else (value,)
        if any(holds(one, _ends, 6) for one in given):
            return True
    return False


def _ends(value: Value) -> bool:
    """Whether a value is an end of text: the tokenizer's, or one that is written out."""
    if isinstance(value, Part):
        return value.name is not None and "eos" in value.name
    return isinstance(value, Constant) and isinstance(value.value, str) and _AN_END.search(value.value) is not None


def _maskers(script: ScriptFacts) -> Iterator[tuple[Call | SetItem, str]]:
    """What masks the labels of pads in a language model's texts."""
    for call in script.collators:
        plain = call.function_name.endswith("DataCollatorForLanguageModeling") and call.constant(1, "mlm") is False
        if plain and held(value_of(call), "tokenizer", call) is not None:
            yield call, "the collator"
    if not any(call.function_name.rpartition(".")[0].endswith(("CausalLM", "LMHeadModel")) for call in script.models):
        return
    for event in script.trace.events:
        masks = isinstance(event, SetItem) and isinstance(event.value, Constant) and event.value.value == -100
        if masks and isinstance(event, SetItem) and holds(event.index, _is_pad_id, 4):
            yield event, "labels[...] = -100"


def _is_pad_id(value: Value) -> bool:
    return isinstance(value, Part) and value.name == "pad_token_id"


def _is_end(value: Value | None) -> bool:
    return isinstance(value, Part) and value.name in ("eos_token", "eos_token_id")


def _appends_end(script: ScriptFacts) -> bool:
    """Whether the end-of-text token is put behind texts."""

    def joined(value: Value) -> bool:
        return isinstance(value, Operation) and value.operator in ("+", "f", "format") and any(
            _is_end(one) and kind(one.of) == "tokenizer" for one in value.operands if isinstance(one, Part)
        )  # fmt: skip

    for event in script.trace.events:
        values = (
            (*event.arguments, *event.keywords.values())
            if isinstance(event, Call)
            else (getattr(event, "value", None),)
        )
        if any(value is not None and holds(value, joined, 6) for value in values):
            return True
    return False


def _encodes_data(call: Call) -> bool:
    """Whether an encoding is of data, not of a sentence tried out: in a function, or of a column and kept."""
    text = call.argument(0, "text")
    return call.function is not None or (isinstance(text, Part | Made) and bool(call.target) and not call.loops)


def _shown(words: frozenset[str]) -> str:
    ordered = sorted(words)
    return ", ".join(f"`{word[:30]}`" for word in ordered[:3]) + (", …" if len(ordered) > 3 else "")


RULES: tuple[Rule, ...] = (
    special_token_is_a_word,
    special_tokens_replaced,
    added_after_encoding,
    end_of_text_masked_as_padding,
    answers_without_an_end,
)
