"""PYS1: how a script finds the tokens that an answer or a label belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.sources.script_values import plain
from pretune.script.kinds import class_of, root
from pretune.script.objects import value_of
from pretune.script.tokens import holds
from pretune.script.trace import SetItem
from pretune.script.values import Constant, Made, Operation, Part, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.finding import Rule
    from pretune.script.trace import Call
    from pretune.script.values import Value

_ALIGNING = (
    "word_ids", "words", "word_to_tokens", "token_to_word", "char_to_token", "token_to_chars", "tokenize",
    "tokenize_and_align_labels", "encodings",
)  # fmt: skip
_SECOND = {"context", "contexts", "document", "passage", "paragraph"}


@rule("PYS177", Level.WARNING)
def answer_sought_in_the_question(script: ScriptFacts) -> Iterator[Problem]:
    """char_to_token looks for the answer's place in the question.

    Why: of a pair it counts characters of the first text unless it is told sequence_index=1. Encoded as question and
    context, the place of an answer in the context becomes some token of the question, or None.
    Fix: char_to_token(place, sequence_index=1)
    """
    for call, encoding in _lookups(script):
        told = call.argument(2, "sequence_index") is not None
        pair = encoding.argument(1, "text_pair")
        second = plain(encoding.argument(None, "truncation")) == "only_second" or _names(pair) in _SECOND
        if told or call.open or pair is None or not second or _names(encoding.argument(0, "text")) in _SECOND:
            continue
        yield Problem(
            f"char_to_token counts in the first text, but the context is the second at line {encoding.place.line}",
            where=str(call.place),
            also=(str(encoding.place),),
        )


@rule("PYS178", Level.WARNING)
def answer_end_one_behind(script: ScriptFacts) -> Iterator[Problem]:
    """The answer's last token is sought at the character behind it.

    Why: start + len(answer) is the first character that is not of the answer: a space, which has no token, or the next
    one, such as a Korean particle. The span is a token too long, or lost.
    Fix: char_to_token(start + len(answer) - 1)
    """
    calls = list(script.trace.calls("char_to_token"))
    if any(holds(one, _takes_one_off, 6) for call in calls for one in (*call.arguments, *call.keywords.values())):
        return  # it is done so elsewhere: this is the first of several tries
    for call, _ in _lookups(script):
        last = [one for one in (*call.arguments[:2], *call.keywords.values()) if _is_end(one)]
        if last:
            yield Problem("start + len(answer) is the first character behind the answer", where=str(call.place))


@rule("PYS181", Level.WARNING)
def word_labels_on_pieces(script: ScriptFacts) -> Iterator[Problem]:
    """Labels of words are given to the pieces that the words were cut into.

    Why: [CLS] takes the first word's label, and each word of several pieces moves all labels behind it. The collator
    pads what is missing, so that nothing stops.
    Fix: a label for each of word_ids(), -100 where it is None.
    """
    if not any(class_of(value_of(call)).endswith("ForTokenClassification") for call in script.models):
        return
    if any(call.method in _ALIGNING for call in script.trace.calls()):
        return
    words = [call for call in script.encodings if plain(call.argument(None, "is_split_into_words")) is True]
    if any(call.argument(None, "return_offsets_mapping") is not None for call in words):
        return
    for event in script.trace.events:
        if not isinstance(event, SetItem) or plain(event.index) != "labels" or event.value is None:
            continue
        encoded = root(event.of)
        if isinstance(encoded, Made) and encoded.call in words and _is_column(event.value):
            yield Problem(
                "the words' labels are given to word pieces as they are; nothing asks for word_ids()",
                where=str(event.place),
                also=(str(encoded.call.place),),
            )


def _lookups(script: ScriptFacts) -> Iterator[tuple[Call, Call]]:
    """Calls of char_to_token, with the encoding of a pair that each asks."""
    for call in script.trace.calls("char_to_token"):
        found = root(call.receiver) if call.receiver is not None else None
        if isinstance(found, Made) and found.call in script.encodings:
            yield call, found.call


def _names(value: Value | None) -> object:
    """The column that a value is, `row["context"]` or `row.context`; None: it is none, or not known."""
    if isinstance(value, Made) and value.call.receiver is not None:
        return _names(value.call.receiver)  # .strip(), .tolist()
    if not isinstance(value, Part):
        return None
    if isinstance(value.index, Constant) and not isinstance(value.index.value, str):
        return _names(value.of)
    return value.name if value.name is not None else plain(value.index)


def _is_end(value: Value) -> bool:
    return isinstance(value, Operation) and value.operator == "+" and any(map(_is_length, value.operands))


def _is_length(value: Value) -> bool:
    return isinstance(value, Made) and value.call.function_name == "builtins.len"


def _takes_one_off(value: Value) -> bool:
    return isinstance(value, Operation) and value.operator == "-"


def _is_column(value: Value) -> bool:
    """Whether a value is a column of a row or batch that a function was given."""
    return isinstance(value, Part) and isinstance(value.index, Constant) and isinstance(value.of, Unknown)


RULES: tuple[Rule, ...] = (answer_sought_in_the_question, answer_end_one_behind, word_labels_on_pieces)
