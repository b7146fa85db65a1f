"""Whether a plan comes out as promised: the new tokenizer is built from the new files and asked. Writes nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pretune.artifacts.pipeline import as_class, as_file, class_spec, file_spec
from pretune.artifacts.tokenizer import read_tokenizer
from pretune.tokens.holding import holding
from pretune.tokens.overlay import Overlay
from pretune.tokens.readable import in_line
from pretune.tokens.surfaces import surfaces_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import tokenizers

    from pretune.artifacts.tokenizer import Tokenizer
    from pretune.tokens.plan import Plan

AROUND = (("", ""), ("a ", ""), ("가 ", ""), ("", " a"), ("", "\n"), (". ", " 가"))
"""What stands before and behind a word when it is looked for; it is one id in all of these."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A word that is cut otherwise than before.

    Attributes:
        word: as it stands in the text.
        before: its tokens; `after`: its new ones.
        count: how often it stands there.
    """

    word: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Proof:
    """What the new tokenizer says.

    Attributes:
        broken: words and special tokens that do not come out as promised -> why.
        changed: words of the text that are cut otherwise, the most frequent first; those asked for are not among them.
        tokens: how many tokens the text's words have before, and after; words that were unknown are not counted.
    """

    broken: Mapping[str, str] = field(default_factory=dict)
    changed: tuple[Changed, ...] = ()
    tokens: tuple[int, int] = (0, 0)


def rebuilt(tokenizer: Tokenizer, plan: Plan) -> Tokenizer:
    """The tokenizer that the plan's files make."""
    return read_tokenizer(
        Overlay(tokenizer.source, plan.files),
        kwargs=tokenizer.kwargs,
        model_type=tokenizer.model_type,
        declared=tokenizer.declared,
    )


def prove(tokenizer: Tokenizer, encoder: tokenizers.Tokenizer, plan: Plan, counted: Mapping[str, int]) -> Proof:
    """Ask the new tokenizer for every promise.

    Args:
        tokenizer: the model's own.
        encoder: built from it.
        plan: what is to be added.
        counted: words of a text -> how often they occur.
    """
    if not plan.files:
        return Proof()
    made = rebuilt(tokenizer, plan)
    new = as_class(made)
    broken: dict[str, str] = {}
    for entry in plan.added:
        if made.ids.get(entry.text) != entry.id:
            broken[entry.word] = f"{entry.text} gets id {made.ids.get(entry.text)} instead of {entry.id}"
    candidates = [new] if class_spec(made) == file_spec(made) else [new, as_file(made)]
    for candidate in candidates:
        broken |= dict(_not_one(encoder, candidate, made, plan))
        broken |= dict(_moved(encoder, candidate, plan))
    owners = {entry.id: entry.word for entry in plan.added}
    broken |= _harmed(tokenizer, encoder, new, plan)
    changed, tokens = _changes(encoder, new, plan, counted)
    broken |= _longer(new, changed, owners)
    return Proof(broken, changed, tokens)


def _ids(encoder: tokenizers.Tokenizer, text: str) -> list[int]:
    found: list[int] = encoder.encode(text, add_special_tokens=False).ids
    return found


def _not_one(
    old: tokenizers.Tokenizer, new: tokenizers.Tokenizer, made: Tokenizer, plan: Plan
) -> Iterator[tuple[str, str]]:
    """Words that are not one id wherever they stand."""
    special = {entry.word for entry in plan.added if entry.special}
    for word in dict.fromkeys([*(entry.word for entry in plan.added), *plan.already]):
        wanted = {entry.id for entry in plan.added if entry.word == word and not entry.between}
        wanted |= set(plan.already.get(word, ())) | _there(new, made, plan, word)
        for text in dict.fromkeys((word, *(_folded(old, word) if word not in special else ()))):
            for before, behind in AROUND:
                ids = _ids(new, before + text + behind)
                found = [at for at in ids if at in wanted]
                rest = [at for at in ids if at not in wanted]
                if len(found) != 1 or len(rest) > len(_ids(old, before)) + len(_ids(old, behind)) + 1:
                    found_tokens = new.encode(before + text + behind, add_special_tokens=False).tokens[:8]
                    tokens = in_line(found_tokens, byte_level=made.byte_level)
                    yield word, f"{(before + text + behind)!r} becomes {tokens}, not one token for it"
                    break


def _there(new: tokenizers.Tokenizer, made: Tokenizer, plan: Plan, word: str) -> set[int]:
    """Ids of forms of a word that were entries before."""
    if any(entry.word == word and entry.special for entry in plan.added):
        return set()
    forms = surfaces_of(new, word).forms
    return {made.ids[form] for form in forms if form in made.ids}


def _folded(encoder: tokenizers.Tokenizer, word: str) -> Iterator[str]:
    """Other spellings that the normaliser makes the same."""
    if encoder.normalizer is None:
        return
    same = encoder.normalizer.normalize_str(word)
    for other in (word.lower(), word.upper(), word.capitalize()):
        if other != word and encoder.normalizer.normalize_str(other) == same:
            yield other


def _moved(old: tokenizers.Tokenizer, new: tokenizers.Tokenizer, plan: Plan) -> Iterator[tuple[str, str]]:
    """The special tokens around a text, and around a pair, are what they were."""

    def around(encoder: tokenizers.Tokenizer, text: str, pair: str | None) -> list[int]:
        found = encoder.encode(text, pair)
        return [at for at, special in zip(found.ids, found.special_tokens_mask, strict=True) if special]

    for pair in (None, "b"):
        if around(old, "a", pair) != around(new, "a", pair) and plan.added:
            yield plan.added[0].word, "the special tokens around a text would be others"


def _harmed(tokenizer: Tokenizer, old: tokenizers.Tokenizer, new: tokenizers.Tokenizer, plan: Plan) -> dict[str, str]:
    """Entries that text reached as one token, and no longer does.

    Only those that hold a new entry can be: whatever is cut without one is cut as before.
    """
    owners = {entry.id: entry.word for entry in plan.added}
    entries = list(tokenizer.vocabulary.ids)
    held = holding(entries, (_bare(entry.text) for entry in plan.added if not entry.special))
    ids = sorted({tokenizer.vocabulary.ids[entries[at]] for at in held})
    texts = old.decode_batch([[at] for at in ids], skip_special_tokens=False)
    found: dict[str, str] = {}
    for lead in ("", " "):
        asked = [lead + text for text in texts if text.strip()]
        before = old.encode_batch_fast(asked, add_special_tokens=False)
        after = new.encode_batch_fast(asked, add_special_tokens=False)
        for text, one, two in zip(asked, before, after, strict=True):
            if len(one.ids) == 1 and one.ids != two.ids:
                blamed = [owners[at] for at in two.ids if at in owners]
                if blamed and len(two.ids) > 1:
                    found[blamed[0]] = f"{text.strip()!r} was one token and would be {len(two.ids)}"
    return found


def _bare(entry: str) -> str:
    """An entry without the marks of its place in a word."""
    return entry.removeprefix("##").lstrip("▁Ġ")


def _changes(
    old: tokenizers.Tokenizer, new: tokenizers.Tokenizer, plan: Plan, counted: Mapping[str, int]
) -> tuple[tuple[Changed, ...], tuple[int, int]]:
    """Words of the text that are cut otherwise, and the tokens of all."""
    words = list(counted)
    lead = " " if _ids(old, "a") == _ids(old, " a") else ""  # where a space makes no difference it is the usual place
    asked = {entry.word for entry in plan.added}
    before = old.encode_batch_fast([f"{lead or ' '}{word}" for word in words], add_special_tokens=False)
    after = new.encode_batch_fast([f"{lead or ' '}{word}" for word in words], add_special_tokens=False)
    found: list[Changed] = []
    total: Counter[str] = Counter()
    unknown = _unknown(old)
    for word, one, two in zip(words, before, after, strict=True):
        if unknown not in one.ids:
            total["before"] += counted[word] * len(one.ids)
            total["after"] += counted[word] * len(two.ids)
        if one.ids != two.ids and word not in asked:
            found.append(Changed(word, _tokens(old, one.ids), _tokens(new, two.ids), counted[word]))
    found.sort(key=lambda change: (-change.count, change.word))
    return tuple(found), (total["before"], total["after"])


def _tokens(encoder: tokenizers.Tokenizer, ids: Sequence[int]) -> tuple[str, ...]:
    """The tokens of ids, which the fast encoding does not give."""
    return tuple(encoder.id_to_token(at) or "" for at in ids)


def _unknown(encoder: tokenizers.Tokenizer) -> int | None:
    """The id of the model's unknown token."""
    name = getattr(encoder.model, "unk_token", None)
    found: int | None = None if name is None else encoder.token_to_id(name)
    return found


def _longer(new: tokenizers.Tokenizer, changed: Sequence[Changed], owners: Mapping[int, str]) -> dict[str, str]:
    """Words that make the text longer, or other words unknown, with what they do."""
    saved: Counter[str] = Counter()
    example: dict[str, str] = {}
    lost: dict[str, str] = {}
    unknown = getattr(new.model, "unk_token", None)
    for change in changed:
        found = {new.token_to_id(token) for token in change.after}
        blamed = {owners[at] for at in found if at is not None and at in owners}
        if unknown and unknown in change.after and unknown not in change.before:
            # the new entry is no longer among the tokens: it is one that the word begins with
            candidates = [word for word in set(owners.values()) if change.word.casefold().startswith(word.casefold())]
            lost |= dict.fromkeys(candidates, f"{change.word!r} would become unknown")
        for word in blamed if unknown is None or unknown not in change.before else ():
            saved[word] += change.count * (len(change.before) - len(change.after))
            example.setdefault(word, change.word)
    worse = {word: f"{example[word]!r} and others would get longer" for word, less in saved.items() if less < 0}
    return {**worse, **lost}
