"""What adding tokens changed in how text is cut: the folder beside the model that it was made from. Reads no rows.

Every entry of the old vocabulary is asked, as the text that it stands for, of both tokenizers, and some sentences.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.artifacts.spare_names import is_spare_name
from pretune.tokens.holding import holding
from pretune.tokens.verify_result import Fault
from pretune.tokens.verify_view import counted, ids_of, is_word, some

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import tokenizers

    from pretune.tokens.verify_view import Case

SAMPLE = 4096
"""Entries without a new token that are asked all the same."""

SENTENCES = (
    "The quick brown fox doesn't jump over the lazy dog; we'll see, he said, in 2024.",
    "Ministers discovered that recovery was uncovered by the European Union's new education programme.",
    "한국어 모델을 공유합니다. 국회의원은 학교에서 학생들과 이야기를 나눴다.",
    "영화가 정말 재밌어요! 배우들의 연기도 좋았습니다 ㅋㅋ",
    "def f(x):\n    return {'a': x + 1}  # naïve café, 1,234.56 €",
    "日本語 中文 русский العربية 🎉 https://example.org/a?b=1",
)
"""Text that no added token should move, unless it is in there."""


def judge_against(case: Case) -> Iterator[Fault | str]:
    """Faults and proofs of what changed since AGAINST."""
    if case.old is None:
        return
    old, new = case.old.tokenizer, case.new.tokenizer
    moved = {token: (at, new.ids[token]) for token, at in old.ids.items() if new.ids.get(token, at) != at}
    if moved:
        token, (before, after) = next(iter(moved.items()))
        message = (
            f"{counted(len(moved), 'token')} with other ids than in {case.old.source.label}: {token!r} had {before:,} "
            "and has "
            f"{after:,}; ids follow the order of the calls (a set's order changes from run to run)"
        )
        yield Fault("id-moved", message, case.new.at(), "error", 20)
    yield from _overwritten(case)
    if case.old.spec == case.new.spec and old.ids == new.ids:
        yield "the tokenizer is the same, part for part"
        return
    yield from _template(case)
    if not moved:
        yield from _entries(case)
        yield from _sentences(case)
    yield from _reachable(case)


def _overwritten(case: Case) -> Iterator[Fault | str]:
    """Entries that text reached and whose id is another's now."""
    assert case.old is not None
    old, new = case.old, case.new
    names = new.tokenizer.tokens
    gone = {token: at for token, at in old.tokenizer.ids.items() if token not in new.tokenizer.ids}
    added = {token.content for token in old.tokenizer.added if not is_spare_name(token.content)}
    lost: dict[str, str] = {}
    for token, at in gone.items():
        text = old.encoder.decode([at], skip_special_tokens=False)
        prefix = "##"
        reached = not is_spare_name(token) and (
            token in added
            or [at] in (ids_of(old.encoder, text), ids_of(old.encoder, f" {text}"))
            or (token.startswith(prefix) and _continues(old.encoder, token.removeprefix(prefix), at))
        )
        if reached:
            lost[token] = repr(names[at]) if at in names else "nobody"
    if lost:
        token, owner = next(iter(lost.items()))
        message = (
            f"entries that text reaches are gone from the vocabulary ({len(lost):,}): {token!r}, whose id "
            f"{gone[token]:,} is {owner}'s now"
        )
        yield Fault("entry-overwritten", message, new.at(), "error", 14)
    elif gone:
        yield f"{len(gone):,} entries were renamed, none of which any text reached"


def _continues(encoder: tokenizers.Tokenizer, rest: str, at: int) -> bool:
    """Whether a piece is found at the end of a word."""
    return any(at in ids_of(encoder, before + rest) for before in ("a", "1", "가", "는", "x"))


def _template(case: Case) -> Iterator[Fault | str]:
    """The special tokens around one text and two are what they were."""
    assert case.old is not None

    def around(encoder: tokenizers.Tokenizer, *texts: str) -> list[str]:
        found = encoder.encode_batch([texts if len(texts) > 1 else texts[0]])[0]
        return [token for token, flag in zip(found.tokens, found.special_tokens_mask, strict=True) if flag]

    for texts in (("a",), ("a", "b")):
        before, after = around(case.old.encoder, *texts), around(case.new.encoder, *texts)
        if before != after:
            message = (
                f"{len(texts)} text{'s' if len(texts) > 1 else ''} had {' '.join(before) or 'nothing'} around, and has "
                f"{' '.join(after) or 'nothing'}: the model was trained with the former"
            )
            yield Fault("template-changed", message, case.new.at(pointer="/post_processor"), "error", 17)
            return
    yield "the special tokens around one text and two are what they were"


def _entries(case: Case) -> Iterator[Fault | str]:
    """Words that were one token are one token, and the same."""
    assert case.old is not None
    old, new = case.old, case.new
    ids = sorted(set(old.tokenizer.vocabulary.ids.values()))
    decoded = old.encoder.decode_batch([[at] for at in ids], skip_special_tokens=False)
    texts = list(dict.fromkeys(text.strip() for text in decoded if text.strip()))
    step = max(len(texts) // SAMPLE, 1) if grown(case) else 1
    if step > 1:
        contents = set(new.encoder.decode_batch([[at] for at in case.owners], skip_special_tokens=False))
        contents |= {token.content for token in new.tokenizer.added if token.id in case.owners}
        bare = {content.removeprefix("##").strip() for content in contents}
        folded = {new.encoder.normalizer.normalize_str(one) for one in bare} if new.encoder.normalizer else bare
        bare |= {one.replace("▁", " ").strip() for one in folded}
        texts = list(dict.fromkeys([*texts[::step], *(texts[at] for at in holding(texts, bare))]))
    owners = case.owners
    cut: dict[str, list[int]] = {}
    moved: dict[str, tuple[list[int], list[int]]] = {}
    whole = 0
    slots = [token for token in old.tokenizer.ids if is_spare_name(token) and token not in new.tokenizer.ids]
    for lead in ("", " "):
        asked = [lead + text for text in texts]
        for text, one, two in zip(asked, _batch(old.encoder, asked), _batch(new.encoder, asked), strict=True):
            whole += len(one) == 1
            if one == two or any(name in text for name in slots):
                continue
            if len(one) == 1 and len(two) > 1:
                cut[text.strip()] = two
            elif not owners & set(two):
                moved[text.strip()] = (one, two)
    if cut:
        text, found = next(iter(cut.items()))
        pieces = new.told(map(new.encoder.id_to_token, found))
        message = f"{counted(len(cut), 'word')} of one token cut now: {text!r} becomes {pieces}"
        yield Fault("words-cut", message, new.at(), "error", 8)
    else:
        which = f" (all that hold a new one, and each {step:,}th of the others)" if step > 1 else ""
        yield f"{whole:,} forms that were one token are one token still{which}"
    if moved:
        text, (before, after) = next(iter(moved.items()))
        message = (
            f"text without a new token gets other ids ({len(moved):,} entries): {text!r} had {_few(before)} and has "
            f"{_few(after)}"
        )
        yield Fault("old-text-moved", message, new.at(), "error", 20)


def grown(case: Case) -> bool:
    """Whether the new tokenizer is the old one with more tokens: text without them is cut as it was."""
    assert case.old is not None
    old, new = case.old.spec, case.new.spec
    if any(old.get(part) != new.get(part) for part in ("normalizer", "pre_tokenizer")):
        return False
    before, after = old["model"], new["model"]
    options = (before.keys() | after.keys()) - {"vocab", "merges"}
    if any(before.get(key) != after.get(key) for key in options):
        return False
    rules = before.get("merges") or []
    if (after.get("merges") or [])[: len(rules)] != rules:
        return False
    if isinstance(before["vocab"], list):
        return bool(before["vocab"] == after["vocab"][: len(before["vocab"])])
    known = {token.content for token in case.old.tokenizer.added}
    return known <= {token.content for token in case.new.tokenizer.added}


def _sentences(case: Case) -> Iterator[Fault | str]:
    """Text without a new token has the ids that it had."""
    assert case.old is not None
    owners = case.owners
    before, after = (_batch(view.encoder, SENTENCES) for view in (case.old, case.new))
    for text, one, two in zip(SENTENCES, before, after, strict=True):
        if one != two and not owners & set(two):
            message = f"text without a new token gets other ids: {text[:40]!r} had {_few(one)}, has {_few(two)}"
            yield Fault("old-text-moved", message, case.new.at(), "error", 20)
            return
    same = sum(one == two for one, two in zip(before, after, strict=True))
    rest = "" if same == len(SENTENCES) else "; the others hold new tokens"
    yield f"{same} of {len(SENTENCES)} sentences have the ids they had{rest}"


def _reachable(case: Case) -> Iterator[Fault | str]:
    """New entries of the vocabulary are what the text they stand for becomes."""
    new = case.new
    steps = {row["entry"] for row in new.recorded if row.get("step")}
    beside = {token.content for token in new.tokenizer.added}
    entries = new.tokenizer.vocabulary.ids
    fresh = [token for token in case.fresh if token in entries and token not in beside | steps]
    fresh = [token for token in fresh if is_word(token)]
    if not fresh:
        return
    texts = [text.strip() for text in new.encoder.decode_batch([[entries[token]] for token in fresh])]
    dead = []
    for token, text in zip(fresh, texts, strict=True):
        found = {at for lead in ("", " ", "a ") for at in ids_of(new.encoder, lead + text)}
        inside = any(token != other and token in other for other in fresh)  # a step on the way to another
        if entries[token] not in found and not inside and not token.startswith("##"):
            dead.append(token)
    if dead:
        message = f"new in the vocabulary and never chosen: {some(dead)}; no rule makes it, or its score is too low"
        yield Fault("dead-token", message, new.at(pointer="/model/vocab"), "warning", 7)
    elif len(fresh) == 1:
        yield "the new entry is what the text that it stands for becomes"
    else:
        yield f"{len(fresh):,} new entries are what the text that they stand for becomes"


def _batch(encoder: tokenizers.Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    return [one.ids for one in encoder.encode_batch_fast(list(texts), add_special_tokens=False)]


def _few(ids: Sequence[int]) -> str:
    return " ".join(map(str, ids[:8])) + (" …" if len(ids) > 8 else "")
