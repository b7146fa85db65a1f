"""PYS1: tokens that a script adds, against the rows that its models get for them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.py_fixes import missing_resize
from pretune.check.sources.script import tokenizer_for
from pretune.check.sources.script_names import name_of
from pretune.script.kinds import alternatives, root
from pretune.script.objects import can_follow, value_of
from pretune.script.tokens import additions, in_use, is_guard, length_of, resizes, sizes_vocabulary
from pretune.script.values import Constant, Made, Operation, Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.finding import Rule
    from pretune.script.tokens import Addition, Resize
    from pretune.script.trace import Call, Event
    from pretune.script.values import Value

_FULL = re.compile(
    r"klue/|koelectra|kobert|kcbert|kogpt2|^(google-bert/|distilbert/|openai-community/|facebookai/)?"
    r"(bert|distilbert|roberta|distilroberta|xlm-roberta|gpt2|distilgpt2)(-|$)|electra-(small|base|large)",
    re.IGNORECASE,
)
"""Models whose embedding has a row for each token and none to spare."""
_SPARE = re.compile(r"kcelectra|deberta|modernbert|qwen|phi-?\d|(^|[/-])t5|gemma|exaone", re.IGNORECASE)
"""Models whose embedding has rows to spare."""


@rule("PYS101", Level.WARNING)
def added_never_resized(script: ScriptFacts) -> Iterator[Problem]:
    """Tokens are added to the tokenizer, and the model's embedding is never resized.

    Why: the first text with a new token has an id without a row: an index error on CPU, an assert on GPU. Only where
    the vocabulary has the tokens already, or the table has spare rows, nothing happens.
    Fix: call `model.resize_token_embeddings(len(tokenizer))` after adding, before the optimizer is made.
    """
    if resizes(script) or sizes_vocabulary(script):
        return
    for event, model, added in _pairs(script):
        first = added[0]
        words = [word for one in added for word in one.words or ()]
        told = _told(words) if words else "tokens"
        name = name_of(model) or ""
        spare = _SPARE.search(name)
        sure = any(one.is_new for one in added) and _FULL.search(name) and not spare
        branch = any(one.call.conditions for one in added)
        yield Problem(
            f"{told} are added to the tokenizer, and the embedding of the model{_named(model)} is never resized",
            where=str(first.call.place),
            fix=missing_resize(script, first.tokenizer, model),
            level=Level.ERROR if sure and not branch else Level.NOTE if spare else None,
            also=(str(model.call.place), str(event.place)),
        )


@rule("PYS102", Level.ERROR)
def resized_before_adding(script: ScriptFacts) -> Iterator[Problem]:
    """The embedding is resized before the tokens are added, and not again.

    Why: len(tokenizer) did not count them yet, so they have no rows.
    Fix: resize after the last token was added.
    """
    every = resizes(script)
    for _, model, added in _pairs(script):
        mine = [one for one in every if one.model is None or model in alternatives(one.model)]
        last = next(
            (one for one in reversed(added) if not one.call.conditions and (one.is_new or one.words is None)), None
        )
        if last is None or not mine or any(one.model is None for one in mine) or sizes_vocabulary(script):
            continue
        before = [one for one in mine if can_follow(one.call, last.call) and length_of(one.rows) == last.tokenizer]
        if len(before) == len(mine) and last.call.loops == before[-1].call.loops:
            yield Problem(
                f"the embedding is resized to len(tokenizer) at line {before[-1].call.place.line}, before "
                f"{_told(last.words)} are added, and not again",
                where=str(last.call.place),
                also=(str(before[-1].call.place),),
            )


@rule("PYS103", Level.WARNING)
def resized_another_model(script: ScriptFacts) -> Iterator[Problem]:
    """The embedding of one model is resized for the added tokens, and another one is trained.

    Why: the trained model has no rows for the new ids. Loading a model again gives the checkpoint's own rows back.
    Fix: resize the model that is trained, after it was loaded.
    """
    every = resizes(script)
    if not every or any(one.model is None for one in every) or sizes_vocabulary(script):
        return
    resized = {model for one in every for model in alternatives(one.model)}  # type: ignore[arg-type]
    trained = {model for _, models in script.trained for model in alternatives(models)}
    for event, model, added in _pairs(script):
        others = [one for one in every if one.call.entry is model.call.entry and _is_for(one, added)]
        if model in resized or model not in trained or not others or not any(one.is_new for one in added):
            continue
        other = others[-1]
        if not isinstance(other.model, Made) or other.model.call.method != "from_pretrained":
            continue
        again = name_of(other.model) == name_of(model) is not None and model.call.order > other.call.order
        yield Problem(
            f"the model loaded at line {other.model.call.place.line} is resized for the added tokens, the one that is "
            f"trained is loaded {'again' if again else 'by itself'} at line {model.call.place.line} and is not",
            where=str(model.call.place),
            level=Level.ERROR if again else None,
            also=(str(other.call.place), str(event.place)),
        )


@rule("PYS104", Level.WARNING)
def resized_in_a_branch(script: ScriptFacts) -> Iterator[Problem]:
    """The embedding is resized only in a branch that the training does not take.

    Why: the model is trained without rows for the tokens that were added.
    Fix: resize where the tokens are added, whatever is done afterwards.
    """
    every = resizes(script)
    for event, model, added in _pairs(script):
        mine = [one for one in every if one.model is None or model in alternatives(one.model)]
        if not mine or sizes_vocabulary(script) or not any(one.is_new or one.words is None for one in added):
            continue
        sides = {(condition.place, condition.taken) for condition in event.conditions}
        missed = [
            next(
                (
                    c
                    for c in one.call.conditions
                    if (c.place, not c.taken) in sides and not is_guard(c, added[0].tokenizer)
                ),
                None,
            )
            for one in mine
        ]
        if missed[-1] is not None and all(condition is not None for condition in missed):
            yield Problem(
                f"the embedding is resized at line {mine[-1].call.place.line} only on the other side of the branch at "
                f"line {missed[-1].place.line} from the training",
                where=str(mine[-1].call.place),
                also=(str(event.place), str(added[0].call.place)),
            )


@rule("PYS105", Level.ERROR)
def resized_to_vocab_size(script: ScriptFacts) -> Iterator[Problem]:
    """The embedding is resized to tokenizer.vocab_size after tokens were added.

    Why: vocab_size does not count added tokens; len(tokenizer) does. The new ids have no rows.
    Fix: `model.resize_token_embeddings(len(tokenizer))`.
    """
    for resize in resizes(script):
        rows, more = _sum(resize.rows)
        if not (isinstance(rows, Part) and rows.name == "vocab_size") or more is None:
            continue
        added = [
            one
            for one in additions(script)
            if one.tokenizer == root(rows.of)
            and can_follow(one.call, resize.call)
            and (one.is_new or one.words is None)
            and not one.call.conditions
        ]
        words = {word for one in added if one.is_new for word in one.words or ()}
        if words and more < len(words):
            yield Problem(
                f"the embedding is resized to tokenizer.vocab_size{f' + {more}' if more else ''}, which does not count "
                f"the {len(words)} token(s) added at line {added[0].call.place.line}",
                where=str(resize.call.place),
                also=(str(added[0].call.place),),
            )
        elif not words and not more and any(one.words is None for one in added):
            yield Problem(
                "the embedding is resized to tokenizer.vocab_size, which does not count the tokens added at line "
                f"{added[0].call.place.line}",
                where=str(resize.call.place),
                level=Level.WARNING,  # how many they are is not known: it may be none
                also=(str(added[0].call.place),),
            )


def _pairs(script: ScriptFacts) -> Iterator[tuple[Event, Made, list[Addition]]]:
    """Models that are used, with the tokens that are added to their tokenizer and the event that first uses them."""
    every = additions(script)
    if not every:
        return
    for event, model in in_use(script):
        tokenizer = tokenizer_for(script, model.call)
        if tokenizer is None:
            continue
        added = [one for one in every if one.tokenizer == value_of(tokenizer) and one.call.entry is model.call.entry]
        if added and not _saved_first(tokenizer, model):
            yield event, model, added


def _sum(rows: Value | None) -> tuple[Value | None, int | None]:
    """`tokenizer.vocab_size + 2` as the two; None where what is added is not known."""
    if not isinstance(rows, Operation) or rows.operator != "+":
        return rows, 0
    of, more = rows.operands[0], rows.operands[-1]
    return of, more.value if isinstance(more, Constant) and isinstance(more.value, int) else None


def _saved_first(tokenizer: Call, model: Made) -> bool:
    """Whether model and tokenizer come from a folder, or it is not known from where: what is added may be in it."""
    name, own = name_of(value_of(tokenizer)), name_of(model)
    return name is None or own is None or own.startswith((".", "/")) or own.count("/") > 1


def _is_for(resize: Resize, added: list[Addition]) -> bool:
    """Whether a resize is to the length of the tokenizer that the tokens are added to."""
    return length_of(resize.rows) == added[0].tokenizer


def _told(words: tuple[str, ...] | list[str] | None) -> str:
    if not words:
        return "the tokens"
    shown = ", ".join(f"`{word[:30]}`" for word in words[:3])
    return f"{len(words)} token(s) ({shown}{', …' if len(words) > 3 else ''})"


def _named(model: Value) -> str:
    name = name_of(model)
    return f" {name}" if name else ""


RULES: tuple[Rule, ...] = (
    added_never_resized,
    resized_before_adding,
    resized_another_model,
    resized_in_a_branch,
    resized_to_vocab_size,
)
