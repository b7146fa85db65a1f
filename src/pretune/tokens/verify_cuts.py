"""Words that added tokens cut apart, and what stands behind them: pitfalls 8, 9 and 19.

Compares with the same encoder without these tokens. Knows the folder alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.tokens.holding import holding
from pretune.tokens.verify_result import Fault
from pretune.tokens.verify_view import counted, ids_of, some

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import tokenizers

    from pretune.artifacts.added_tokens import AddedToken
    from pretune.tokens.verify_view import Case, View

PARTICLES = ("는", "의", "에서")
AFTER_CONSONANT = ("은", "의", "에서")
ENDINGS = ("s", "ing", "ed", "ly")


def judge_cuts(case: Case) -> Iterator[Fault | str]:
    """Faults of the words around added words."""
    view = case.new
    if not case.words:
        return
    bare = view.without({token.content for token in case.words})
    cut = _cut(view, bare, case.words)
    where = view.at(pointer="/added_tokens")
    if cut:
        text, pieces = next(iter(cut.items()))
        message = (
            f"added tokens cut {counted(len(cut), 'word')} that the vocabulary has as one token: {text!r} becomes "
            f"{view.told(pieces)}; put the tokens into the vocabulary instead (pretune tokens add)"
        )
        yield Fault("words-cut", message, where, "error", 8)
    yield from _behind(case, bare, where)
    several = [text for text in (*cut, *_attached(case)) if _words(view.encoder, text) > _words(bare, text)]
    if several:
        encoding = view.encoder.encode(several[0], add_special_tokens=False)
        message = (
            f"one word becomes {_words(view.encoder, several[0])} in word_ids(): {several[0]!r} gives "
            f"{view.told(encoding.tokens)}; labels a word (NER) shift from there on"
        )
        yield Fault("word-ids-split", message, where, "warning", 19)


def _words(encoder: tokenizers.Tokenizer, text: str) -> int:
    """How many words word_ids() counts."""
    return len(set(encoder.encode(text, add_special_tokens=False).word_ids))


def _attached(case: Case) -> Iterator[str]:
    """Added words with what is written to their end without a space."""
    for token in case.suspects[:64]:
        if not token.single_word and token.content[-1:].isalnum():
            yield token.content + _endings(case.new, token)[0]


def _endings(view: View, token: AddedToken) -> Sequence[str]:
    """What may follow a word without a space: particles where the word, or the model, is Korean."""
    korean = any("가" <= letter <= "힣" for letter in token.content)
    last = ord(token.content[-1]) - ord("가")
    if 0 <= last <= ord("힣") - ord("가") and last % 28:
        return AFTER_CONSONANT
    return PARTICLES if korean or (view.tokenizer.vocabulary.ids.keys() & _KOREAN) else ENDINGS


_KOREAN = {"##는", "##은", "는", "은", "▁그리고", "▁있는"}
"""One of these stands in every Korean vocabulary; byte-level ones need not be told apart."""


def _cut(view: View, bare: tokenizers.Tokenizer, words: Sequence[AddedToken]) -> dict[str, list[str]]:
    """Words that are one token without the added tokens -> what they are with them."""
    ids = sorted(set(view.tokenizer.vocabulary.ids.values()))
    texts = [text.strip() for text in view.encoder.decode_batch([[at] for at in ids], skip_special_tokens=False)]
    normalizer = view.encoder.normalizer
    contents = {
        normalizer.normalize_str(token.content) if token.normalized and normalizer is not None else token.content
        for token in words
        if not token.single_word
    }
    contents |= {token.content for token in words if not token.single_word}
    known = contents | {content.replace("▁", " ").strip() for content in contents}
    asked = sorted({texts[at] for at in holding(texts, contents)} - known)
    both = zip(asked, _batch(bare, asked), _batch(view.encoder, asked), strict=True)
    return {text: two for text, one, two in both if len(one) == 1 and len(two) > 1}


def _batch(encoder: tokenizers.Tokenizer, texts: Sequence[str]) -> list[list[str]]:
    return [one.tokens for one in encoder.encode_batch(list(texts), add_special_tokens=False)]


def _behind(case: Case, bare: tokenizers.Tokenizer, where: str) -> Iterator[Fault]:
    """What follows an added word loses its mark, and a particle hides one that must stand alone."""
    view = case.new
    prefix = str(view.spec["model"].get("continuing_subword_prefix") or "") if view.kind == "WordPiece" else ""
    lost: dict[str, str] = {}
    hidden: dict[str, str] = {}
    korean = False
    for token in case.suspects:
        if not token.content[-1:].isalnum():
            continue
        for ending in _endings(view, token):
            text = token.content + ending
            encoding = view.encoder.encode(text, add_special_tokens=False)
            if token.single_word:
                if ending not in ENDINGS and token.id not in encoding.ids:
                    hidden.setdefault(token.content, text)
                    break
                continue
            if token.id not in encoding.ids:
                continue
            behind = encoding.tokens[encoding.ids.index(token.id) + 1 :]
            unmarked = bool(prefix) and bool(behind) and not behind[0].startswith(prefix)
            known = view.tokenizer.vocabulary.ids
            if (unmarked and f"{prefix}{ending}" in known) or (not prefix and _decodes_apart(view, bare, text)):
                lost.setdefault(token.content, f"{text!r} becomes {view.told(encoding.tokens)}")
                korean |= ending not in ENDINGS
                break
    if lost:
        instead = f" instead of {prefix}…" if prefix else ", and decodes with a space inside"
        message = (
            f"what is written to the end of {some(list(lost))} begins a word of its own: {next(iter(lost.values()))}"
            f"{instead}"
        )
        yield Fault("ending-torn-off", message, where, "error" if korean else "warning", 9)
    if hidden:
        message = (
            f"single_word hides {some(list(hidden))} before a particle: {next(iter(hidden.values()))!r} does not "
            "reach it, for 는 is a letter too"
        )
        yield Fault("hidden-by-particle", message, where, "error", 9)


def _decodes_apart(view: View, bare: tokenizers.Tokenizer, text: str) -> bool:
    """Whether a word comes back with a space inside, and did not without the added token."""
    back = bare.decode(ids_of(bare, text)).strip()
    return back == text and view.encoder.decode(ids_of(view.encoder, text)).strip() != text
