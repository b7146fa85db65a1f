"""Tokens that a script adds to a tokenizer, and the resizes of embeddings: Addition, Resize. Judges nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pretune.script.kinds import alternatives, kind, root
from pretune.script.objects import owner
from pretune.script.trace import Call
from pretune.script.values import Constant, Made, OneOf, Operation, Part, Sequence, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pretune.script.objects import Objects
    from pretune.script.trace import Condition, Event
    from pretune.script.values import Value

USUAL = re.compile(
    r"\[(PAD|CLS|SEP|MASK|UNK|BOS|EOS)\]|<(pad|s|/s|unk|mask|bos|eos|sep|cls)>|<\|(endoftext|im_start|im_end|padding)\|>"
    r"|[\[<]unused_?\d+[\]>]|\[unused_.*\]|<extra_id_\d+>|<\|reserved_special_token_\d+\|>"
)
"""Tokens that many vocabularies have: adding them may change nothing."""
_RESIZE = re.compile(
    r"resize_?(token|position|word|vocab|embed)\w*|smart_tokenizer_and_embedding_resize|setup_chat_format"
)
_DEPTH = 12


@dataclass(frozen=True, slots=True)
class Addition:
    """A call of add_tokens or add_special_tokens that may give new ids.

    Attributes:
        call: the call.
        tokenizer: what it adds to, as it was loaded.
        words: what is added; None: not all of it is known.
        roles: role -> word of add_special_tokens, `pad_token`; additional ones are not in it.
    """

    call: Call
    tokenizer: Value
    words: tuple[str, ...] | None
    roles: tuple[tuple[str, str], ...] = ()

    @property
    def is_new(self) -> bool:
        """Whether at least one word is known that vocabularies do not usually have."""
        return any(USUAL.fullmatch(word) is None for word in self.words or ())


@dataclass(frozen=True, slots=True)
class Resize:
    """A call that changes the number of rows of a model's word embedding.

    Attributes:
        call: the call.
        model: whose rows, as it was loaded; None: not known.
        rows: how many are asked for; None: not said.
    """

    call: Call
    model: Value | None
    rows: Value | None


def additions(script: Objects) -> list[Addition]:
    """The calls that add tokens, in order; without those that only name tokens the tokenizer has."""
    found = []
    for call in script.trace.calls("add_tokens", "add_special_tokens"):
        if (
            call.receiver is None
            or kind(call.receiver) not in ("tokenizer", None)
            or not call.function_name.startswith(".")
        ):
            continue
        on = root(call.receiver)
        given = call.argument(0, "new_tokens" if call.method == "add_tokens" else "special_tokens_dict")
        words, roles = (_words(given), ()) if call.method == "add_tokens" else _of_roles(given)
        if words != () and isinstance(on, Made | OneOf):
            found.append(Addition(call, on, words, roles))
    return found


def resizes(script: Objects) -> list[Resize]:
    """The calls that resize embeddings, in order."""
    found = []
    for call in script.trace.calls():
        if not _RESIZE.search(call.method):
            continue
        on = owner(call.receiver) if call.receiver is not None and call.function_name.startswith(".") else None
        known = on is not None and kind(on) == "model"
        found.append(Resize(call, on if known else None, call.argument(0, "new_num_tokens")))
    return found


def sizes_vocabulary(script: Objects) -> bool:
    """Whether a script sizes an embedding in another way: a config's vocab_size, an embedding that it makes or sets."""
    for event in script.trace.events:
        if isinstance(event, Call):
            if "vocab_size" in event.keywords or event.method in ("set_input_embeddings", "Embedding"):
                return True
        elif getattr(event, "name", "") in ("vocab_size", "word_embeddings", "embed_tokens", "wte", "shared"):
            return True
    return False


def length_of(value: Value | None) -> Value | None:
    """The tokenizer of `len(tokenizer)`, as it was loaded; None: it is no such length."""
    if isinstance(value, Made) and value.call.function_name == "builtins.len" and value.call.arguments:
        return root(value.call.arguments[0])
    return None


def is_guard(condition: Condition, tokenizer: Value) -> bool:
    """Whether a branch asks about the tokenizer, what it added or a model's rows: it is taken when there is need."""

    def asks(value: Value) -> bool:
        if isinstance(value, Made):
            of = value.call
            return (
                of.method
                in ("add_tokens", "add_special_tokens", "get_input_embeddings", "get_vocab", "get_added_vocab")
                or length_of(value) is not None
                or (of.receiver is not None and root(of.receiver) == tokenizer)
            )
        return isinstance(value, Part) and (
            root(value.of) == tokenizer or value.name in ("vocab_size", "num_embeddings")
        )

    return holds(condition.test, asks)


def holds(value: Value, test: Callable[[Value], bool], depth: int = _DEPTH) -> bool:
    """Whether a value, or one that it was computed from, passes a test."""
    level, seen = [value], {id(value)}
    for _ in range(depth + 1):  # the nearest first, each once: values share parts, and their trees grow without end
        inner: list[Value] = []
        for one in level:
            if test(one):
                return True
            inner += _inside(one)
        level = [one for one in inner if id(one) not in seen and not seen.add(id(one))]  # type: ignore[func-returns-value]
        if not level:
            break
    return False


def parts(values: Iterable[Value]) -> Iterator[Value]:
    """Values and all that they were computed from, each once, however far back."""
    left, seen = list(values), set()
    while left:
        one = left.pop()
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            left += _inside(one)


def _inside(value: Value) -> Iterable[Value]:
    """What a value was computed from, one step back."""
    if isinstance(value, Made):
        call = value.call
        return (*((call.receiver,) if call.receiver is not None else ()), *call.arguments, *call.keywords.values())
    if isinstance(value, Part):
        return (value.of,) if value.index is None else (value.of, value.index)
    if isinstance(value, Operation):
        return value.operands
    if isinstance(value, OneOf):
        return value.values
    if isinstance(value, Sequence):
        return value.items[:100]
    if isinstance(value, Table):
        return [one for pair in value.items[:100] for one in pair]
    return ()


def in_use(script: Objects) -> list[tuple[Event, Made]]:
    """Models from from_pretrained that are trained or called, each with the first event that does."""
    found: dict[Value, Event] = {}
    for event, model in script.trained:
        for one in alternatives(model):
            for inner in (one, *(owner(field) for field in getattr(one, "fields", {}).values())):
                for loaded in alternatives(inner):
                    found.setdefault(loaded, event)
    for call in script.trace.calls("", "forward", "generate", "__call__"):
        if call.receiver is not None and kind(call.receiver) == "model":
            for loaded in alternatives(owner(call.receiver)):
                found.setdefault(loaded, call)
    return [
        (event, model)
        for model, event in found.items()
        if isinstance(model, Made) and model.call.method == "from_pretrained" and kind(model) == "model"
    ]


def _word(value: Value) -> str | None:
    if isinstance(value, Constant):
        return value.value if isinstance(value.value, str) else None
    if isinstance(value, Made) and value.call.method == "AddedToken":
        content = value.call.constant(0, "content")
        return content if isinstance(content, str) else None
    return None


def _words(value: Value | None) -> tuple[str, ...] | None:
    """The words of add_tokens; None: not all are known."""
    if isinstance(value, Sequence):
        found = [_word(item) for item in value.items if not _is_of_tokenizer(item)]
        if value.open or None in found:
            return None
        return tuple(word for word in found if word is not None)
    if value is None or _is_of_tokenizer(value):
        return ()
    word = _word(value)
    return None if word is None else (word,)


def _is_of_tokenizer(value: Value) -> bool:
    """Whether a value is a token that a tokenizer has: `tokenizer.eos_token`."""
    return isinstance(value, Part) and value.name is not None and kind(value.of) == "tokenizer"


def _of_roles(value: Value | None) -> tuple[tuple[str, ...] | None, tuple[tuple[str, str], ...]]:
    """The words of add_special_tokens, and those that have a role."""
    if not isinstance(value, Table):
        return None, ()
    words: list[str] = []
    roles: list[tuple[str, str]] = []
    known = not value.open
    for key, item in value.items:
        role = key.value if isinstance(key, Constant) else ""
        found = _words(item)
        if found is None:
            known = False
        elif role in ("additional_special_tokens", "extra_special_tokens"):
            words += found
        else:
            words += found
            roles += [(str(role), word) for word in found]
    return (tuple(words) if known else None), tuple(roles)
