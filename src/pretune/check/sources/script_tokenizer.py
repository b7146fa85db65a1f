"""What a script does to the tokenizer of a Setup: added tokens, the resize, and how texts are encoded.

Tokens and resize are all known or left out together: half of them would make a Setup that is broken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.check.sources.script_names import located, name_of
from pretune.check.sources.script_said import Said
from pretune.check.sources.script_values import UNKNOWN, known, plain, token, words
from pretune.script.kinds import class_of, kind, root
from pretune.script.objects import can_follow, value_of
from pretune.script.tokens import is_guard, length_of, resizes, sizes_vocabulary
from pretune.script.trace import Call, SetAttribute, SetItem
from pretune.script.values import Constant, Made, Part, Table

if TYPE_CHECKING:
    from pretune.script.objects import Objects
    from pretune.script.values import Value

_ADDED = {"pad_token", "additional_special_tokens"}
_SEGMENTS = "token_type_ids"
_PAD_IDS = ("pad_token_id", "eos_token_id")


def say_tokenizer(script: Objects, said: Said, call: Call, model: Call | None) -> None:
    """The tokenizer's keys of a Setup.

    Args:
        script: the script.
        said: the keys so far.
        call: what loads the tokenizer.
        model: what loads the model; None: there is none.
    """
    value = value_of(call)
    name = name_of(value)
    own = model is not None and name == name_of(value_of(model))
    if name is None or class_of(value) in ("", "SentenceTransformer"):
        return
    if not own:
        said.say("tokenizer", located(script.trace.file, name), call)
    library = call.function_name.startswith("transformers.")
    without = ("pretrained_model_name_or_path", "cache_dir", "token", "use_auth_token", "config")
    said.add("tokenizer_kwargs", known(call.keywords, *without) if library else {}, call)
    _say_added(script, said, value, model)
    _say_encoding(script, said, value)


def pads_by_tokenizer(script: Objects, model: Call) -> bool:
    """Whether the model's pad_token_id becomes the tokenizer's: by assignment, or by a Trainer that is given both.

    A Trainer that takes `processing_class` aligns the special ids of the model's config before it trains.
    """
    for event in script.trace.events:
        if not isinstance(event, SetAttribute) or event.name != "pad_token_id" or event.conditions:
            continue
        on, of = event.of, event.value
        mine = isinstance(on, Part) and on.name == "config" and root(on.of) == value_of(model)
        if mine and isinstance(of, Part) and of.name in _PAD_IDS and kind(of.of) == "tokenizer":
            return True
    return any(
        "processing_class" in trainer.keywords and script.model_of(trainer) == value_of(model)
        for trainer in script.trainers
    )


def _say_added(script: Objects, said: Said, tokenizer: Value, model: Call | None) -> None:
    """Added tokens and the resize; none of it where a part of it is not known."""
    mine = Said()
    for deed in script.on(tokenizer):
        if isinstance(deed, SetAttribute) and deed.name == "pad_token":
            pad = _pad(deed.value)
            if pad is None or deed.conditions:
                return
            mine.say("pad_token", pad, deed)
        elif not isinstance(deed, Call) or deed.method not in ("add_tokens", "add_special_tokens"):
            continue
        elif deed.conditions or not _say_words(mine, deed):
            return
    if model is not None and not _say_resize(script, mine, tokenizer, model):
        return
    said.keys.update(mine.keys)
    said.places.update(mine.places)


def _pad(value: Value) -> str | None:
    if isinstance(value, Part) and value.name == "eos_token":
        return "eos_token"
    return token(value)


def _say_words(said: Said, call: Call) -> bool:
    """The words of an addition; False where they are not known."""
    given = call.argument(0, "new_tokens" if call.method == "add_tokens" else "special_tokens_dict")
    if call.method == "add_tokens":
        found, key = words(given), "add_tokens"
        if call.constant(1, "special_tokens") is True:
            key = "add_special_tokens"
    else:
        if not isinstance(given, Table) or given.open:
            return False
        named = {key.value for key, _ in given.items if isinstance(key, Constant)}
        if len(named) != len(given.items) or not named <= _ADDED:
            return False
        pad = given.get("pad_token")
        if pad is not None:
            text = _pad(pad)
            if text is None:
                return False
            said.say("pad_token", text, call)
        more = given.get("additional_special_tokens")
        found, key = (() if more is None else words(more)), "add_special_tokens"
    if found is None:
        return False
    if found:
        said.say(key, (*said.keys.get(key, ()), *found), call)
    return True


def _say_resize(script: Objects, said: Said, tokenizer: Value, model: Call) -> bool:
    """The resize of the model; False where there is one that is not understood."""
    for resize in resizes(script):
        call = resize.call
        if resize.model != value_of(model):
            return False  # another model, or one that is not known: it may be this one
        multiple = plain(call.argument(1, "pad_to_multiple_of"))
        if not all(is_guard(condition, tokenizer) for condition in call.conditions) or not can_follow(model, call):
            return False
        count: Any = None
        if length_of(resize.rows) is not None:
            count = True if length_of(resize.rows) == tokenizer else None
        elif isinstance(plain(resize.rows), int):
            count = plain(resize.rows)
        if count is None or (multiple is UNKNOWN and "pad_to_multiple_of" in call.keywords):
            return False
        if isinstance(multiple, int):
            table = {"pad_to_multiple_of": multiple}
            count = table if count is True else {**table, "new_num_tokens": count}
        said.say("resize", count, call)
    return not sizes_vocabulary(script)


def _leaves_segments_out(script: Objects, calls: list[Call]) -> Call | SetAttribute | SetItem | None:
    """What keeps token_type_ids from the model: each pair is encoded without them, or they are taken out."""
    pairs = [call for call in calls if call.argument(1, "text_pair") is not None and not call.open]
    if pairs and all(plain(call.argument(None, "return_token_type_ids")) is False for call in pairs):
        return pairs[0]
    for event in script.trace.events:
        if isinstance(event, Call) and event.method in ("pop", "remove_columns"):
            named = [plain(one) for one in (*event.arguments, *event.keywords.values())]
            if any(one == _SEGMENTS or (isinstance(one, list) and _SEGMENTS in one) for one in named):
                return event
        elif isinstance(event, SetItem) and event.value is None and plain(event.index) == _SEGMENTS:
            return event
        elif isinstance(event, SetAttribute) and event.name == "model_input_names":
            names = plain(event.value)
            if isinstance(names, list) and _SEGMENTS not in names:
                return event
    return None


def _is_rendered(text: Value) -> bool:
    """Whether a text is a chat that apply_chat_template wrote out."""
    made = root(text)
    if not isinstance(made, Made) or made.call.method != "apply_chat_template":
        return False
    return plain(made.call.argument(None, "tokenize")) is False


def _say_encoding(script: Objects, said: Said, tokenizer: Value) -> None:
    """How texts are encoded, where all calls say the same."""
    calls = [call for call in script.encodings if root(call.receiver) == tokenizer]  # type: ignore[arg-type]
    silent = _leaves_segments_out(script, calls)
    if silent is not None:
        said.add("encode", {"return_token_type_ids": False}, silent)
    rendered = [call for call in calls if any(map(_is_rendered, call.arguments[:1])) and not call.open]
    if rendered:
        bare = all(plain(call.argument(None, "add_special_tokens")) is False for call in rendered)
        said.add("encode", {"add_special_tokens": not bare}, rendered[0])
    for key in ("truncation", "max_length", "stride", "padding"):
        given = [(call, plain(call.keywords[key])) for call in calls if key in call.keywords]
        values = [value for _, value in given]
        if values and values[0] is not UNKNOWN and all(value == values[0] for value in values):
            said.add("encode", {key: values[0]}, given[0][0])
