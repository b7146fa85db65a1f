"""The parts a tokenizer class of transformers 5 makes by itself, for the vocabulary, options and tokens of one folder.

Works on the table of tokenizer_classes.py; knows neither files nor the tokenizers library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.artifacts.post_processor import filled, template, tokens_of
from pretune.artifacts.vocabulary import is_sentencepiece
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.artifacts.post_processor import Spec
    from pretune.artifacts.tokenizer import Tokenizer
    from pretune.artifacts.vocabulary import Vocabulary

PARTS = ("normalizer", "pre_tokenizer", "post_processor", "decoder")
CHARSMAP = "precompiled_charsmap"
LONGEST_PIECE = 1000
"""No merges are made for longer pieces: real ones have some tens of characters, a hostile one would take hours."""


def class_parts(tokenizer: Tokenizer, charsmap: str | None) -> Spec:
    """Normalizer, pre-tokenizer, template and decoder of the class.

    Args:
        tokenizer: the folder.
        charsmap: the sentencepiece map of its files, in base64.

    Raises:
        UserError: its options ask for a mixture that is not in the table.
    """
    parts = _with_options(tokenizer)
    mapped = parts.pop("mapped_normalizer", None)
    if charsmap is not None and mapped is not None:
        parts["normalizer"] = filled(mapped, {"@charsmap@": charsmap})
    parts["post_processor"] = template(tokenizer, parts["post_processor"])
    return parts


def _with_options(tokenizer: Tokenizer) -> Spec:
    """The class's parts after the options of tokenizer_config.json and the keyword arguments."""
    cls = tokenizer.cls
    default = dict(cls.pipeline or {})
    parts = dict(default)
    for option, values in cls.variants.items():
        told = tokenizer.arguments.get(option, cls.options.get(option))
        if told is not None and not isinstance(told, bool):
            told = bool(told)
        for part, made in values.get({True: "true", False: "false", None: ""}[told], {}).items():
            try:
                parts[part] = _overlaid(default[part], made, parts[part])
            except _Clash:
                raise UserError(
                    f"pretune does not know what {cls.name} makes of {option} with the other options"
                ) from None
    return parts


class Refused(UserError):  # noqa: N818 - transformers' refusal, told as the user's error
    """transformers refuses to make a tokenizer of these files, too."""


class _Clash(Exception):  # noqa: N818 - caught a few lines below
    pass


def _overlaid(default: Any, made: Any, now: Any) -> Any:
    """`now` with the difference between `default` and `made` laid over it."""
    if default == made:
        return now
    if default == now or not isinstance(default, dict | list):
        return made
    if isinstance(default, dict) and isinstance(made, dict) and isinstance(now, dict) and default.keys() == made.keys():
        return {key: _overlaid(default[key], made[key], now[key]) for key in default if key in now}
    if isinstance(default, list) and isinstance(made, list) and isinstance(now, list):
        added = [step for step in made if step not in default]
        removed = [step for step in default if step not in made]
        if not added and all(step in now for step in removed):
            return [step for step in now if step not in removed]
    raise _Clash


def refuse(tokenizer: Tokenizer) -> None:
    """Raise Refused when transformers cannot make a tokenizer of these files."""
    cls, vocabulary = tokenizer.cls, tokenizer.vocabulary
    if not cls.known:
        return
    if cls.pipeline is None and not cls.rebuilds and tokenizer.spec is None and not tokenizer.reads_vocabulary:
        raise Refused(
            f"{cls.name} cannot be made from {vocabulary.file}: it needs tokenizer.json",
            hint="load the tokenizer with its own class and save it, or declare the class in tokenizer_config.json",
        )
    made_here = cls.rebuilds or tokenizer.spec is None
    if made_here and cls.made == "Unigram" and tokenizer.reads_vocabulary and not vocabulary.scores:
        raise Refused(f"{cls.name} is made of pieces with scores, and {vocabulary.file} holds {vocabulary.kind} tokens")


def class_model(tokenizer: Tokenizer) -> Spec:
    """The model that the class makes of the vocabulary.

    Raises:
        Refused: it cannot make one of this kind.
    """
    refuse(tokenizer)
    cls, vocabulary = tokenizer.cls, tokenizer.vocabulary
    kind = cls.made or cls.model
    options = {key: filled(value, tokens_of(tokenizer)) for key, value in cls.model_options.items()}
    if not tokenizer.reads_vocabulary:
        tokens = [filled(token, tokens_of(tokenizer)) for token in cls.empty]
        ids = {token: index for index, token in enumerate(tokens)}
        vocab: Any = [[token, 0.0] for token in tokens] if kind == "Unigram" else ids
        return {"type": kind, **options, "vocab": vocab, **({"merges": []} if kind == "BPE" else {})}
    if kind == "Unigram":
        if isinstance(options.get("unk_id"), str):  # the class looks for its place
            options["unk_id"] = vocabulary.ids.get(options["unk_id"], 0)
        return {"type": kind, **options, "vocab": pairs_of(vocabulary)}
    made = {"type": kind, **options, "vocab": dict(vocabulary.ids)}
    if kind == "BPE":
        if is_sentencepiece(vocabulary.file):
            made["merges"] = merges_of(vocabulary.ids)
        else:
            made["merges"] = [rule for rule in vocabulary.merges if rule.count(" ") == 1]
    return made


def pairs_of(vocabulary: Vocabulary) -> list[list[Any]]:
    """[piece, score] in the order of ids."""
    return list(map(list, zip(vocabulary.pieces, vocabulary.scores, strict=True)))


def merges_of(ids: Mapping[str, int]) -> list[str]:
    """The merges of a sentencepiece BPE model: every split of a piece into two pieces, the lowest id first.

    As transformers' generate_merges does, because the `.model` file keeps no merges.
    """
    ranked = []
    for piece, index in ids.items():
        if len(piece) > LONGEST_PIECE:
            continue
        splits = [(piece[:at], piece[at:]) for at in range(1, len(piece))]
        pairs = [(left, right) for left, right in splits if left in ids and right in ids]
        pairs.sort(key=lambda pair: (ids[pair[0]], ids[pair[1]]))
        ranked += [(index, len(left), len(right), left, right) for left, right in pairs]
    ranked.sort(key=lambda row: row[:3])
    return [f"{left} {right}" for *_, left, right in ranked]
