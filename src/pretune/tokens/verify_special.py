"""Special tokens: those named are reached, roles are the post-processor's and the config's: pitfalls 13, 16 to 18.

Knows the folder alone, and of AGAINST only what it called special.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pretune.artifacts.added_tokens import extra_tokens, token_text
from pretune.artifacts.spare_names import is_spare_name
from pretune.artifacts.tokenizer_classes import ROLES
from pretune.tokens.verify_result import Fault
from pretune.tokens.verify_view import ids_of, some

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.core.levels import Level
    from pretune.tokens.verify_view import Case, View

_ROLE_IDS = ("pad", "bos", "eos", "cls", "sep")


def judge_special(case: Case) -> Iterator[Fault | str]:
    """Faults and proofs of the special tokens."""
    yield from _reached(case)
    yield from _roles(case.new)
    yield from _config_ids(case)
    yield from _in_user_text(case.new)
    if case.old is not None:
        yield from _still_special(case.new, case.old)


def listed(view: View) -> dict[str, str]:
    """Special tokens that the files name -> the file."""
    tokenizer = view.tokenizer
    found = dict.fromkeys(tokenizer.special.values(), "tokenizer_config.json")
    for name, told in (("tokenizer_config.json", tokenizer.config), ("special_tokens_map.json", tokenizer.special_map)):
        roles = [token_text(told.get(role)) for role in ROLES]
        for key in ("extra_special_tokens", "additional_special_tokens"):
            value = told.get(key)
            values = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
            roles += map(token_text, values)
        for text in (*roles, *extra_tokens(told)):
            if text:
                found.setdefault(text, name)
    return found


def _reached(case: Case) -> Iterator[Fault | str]:
    """Every special token that is named is one token in text, and every slot that is used as a marker."""
    view = case.new
    if view.tokenizer.config.get("split_special_tokens") is True:
        yield "special tokens in text are cut like any other text (split_special_tokens)"
        return
    named = listed(view)
    ids = view.tokenizer.ids
    split = {text for text in named if ids_of(view.encoder, text) != [ids.get(text, -1)]}
    unknown = {text for text in split if ids.get(text) is None and text in view.tokenizer.special.values()}
    for text in sorted(split - unknown):
        pieces = view.told(view.encoder.encode(text, add_special_tokens=False).tokens[:8])
        message = f"{text!r} is named as a special token and text that holds it gives {pieces or 'nothing'}"
        yield Fault("marker-is-split", message, view.at(named[text]), "error", 13)
    markers = _markers(case)
    for text, why in sorted(markers.items()):
        if text not in named and ids_of(view.encoder, text) != [ids[text]]:
            pieces = view.told(view.encoder.encode(text, add_special_tokens=False).tokens[:8])
            message = f"{text!r} {why}, but text that holds it gives {pieces}: it is an entry, not an added token"
            yield Fault("marker-is-split", message, view.at(), "error", 13)
    if not split:
        yield f"{len(named):,} special tokens are one token each wherever they stand"


def _markers(case: Case) -> dict[str, str]:
    """Free slots that somebody uses as a marker -> how that is known."""
    view = case.new
    slots = [name for name in view.tokenizer.vocabulary.ids if name[:1] in "[<m" and is_spare_name(name)]
    template = view.tokenizer.chat_template or ""
    found = {name: "stands in the chat template" for name in slots if name in template} if template else {}
    entries = {row["entry"]: row for row in view.recorded}
    found |= {name: "was added by pretune" for name in slots if entries.get(name, {}).get("special")}
    if case.old is None or not slots:
        return found
    from pretune.tokens.verify_old_rows import changed_rows

    changed = changed_rows(case)
    if changed is not None and len(changed) <= len(view.tokenizer.ids) // 2:
        ids = view.tokenizer.ids
        same = case.old.tokenizer.ids
        found |= {
            name: "has a row of its own now" for name in slots if ids[name] in changed and same.get(name) == ids[name]
        }
    return found


def _roles(view: View) -> Iterator[Fault | str]:
    """The tokens that the post-processor puts around a text are those of the roles, with their ids."""
    special = view.tokenizer.special
    encoding = view.encoder.encode("a")
    flags = encoding.special_tokens_mask
    if len(flags) < 2 or not any(flags):
        return
    others = {*extra_tokens(view.tokenizer.arguments)}
    fine = True
    for flag, at, roles in ((flags[0], 0, ("cls_token", "bos_token")), (flags[-1], -1, ("sep_token", "eos_token"))):
        token, own = encoding.tokens[at], [special[role] for role in roles if role in special]
        if not flag or not own or token in own or token in others:
            continue
        fine = False
        message = (
            f"the tokenizer's {' and '.join(role for role in roles if role in special)} is {some(own)} and its "
            f"post-processor puts {token!r} (id {encoding.ids[at]}) there: the role was set without the template"
        )
        yield Fault("role-not-in-template", message, view.at(pointer="/post_processor"), "error", 17)
    wrong = {
        token: (at, view.tokenizer.ids[token])
        for token, at in _template_ids(view.spec.get("post_processor"))
        if token in view.tokenizer.ids and view.tokenizer.ids[token] != at
    }
    for token, (wrote, right) in wrong.items():
        message = f"the post-processor gives {token!r} the id {wrote:,}; the tokenizer's is {right:,}"
        yield Fault("template-id", message, view.at(pointer="/post_processor"), "error", 17)
    if fine and not wrong:
        yield "the special tokens around a text are those of the tokenizer's roles"


def _template_ids(processor: Any) -> Iterator[tuple[str, int]]:
    """(token, id) that a post-processor writes."""
    if not isinstance(processor, Mapping):
        return
    for inner in processor.get("processors") or ():
        yield from _template_ids(inner)
    for row in (processor.get("special_tokens") or {}).values():
        yield from zip(row.get("tokens") or (), row.get("ids") or (), strict=False)
    for role in ("cls", "sep"):
        pair = processor.get(role)
        if isinstance(pair, list | tuple) and len(pair) == 2:
            yield str(pair[0]), int(pair[1])


def config_differences(view: View) -> dict[str, tuple[int, int]]:
    """Role -> (config.json's id, the tokenizer's) where both say one and they differ."""
    found: dict[str, tuple[int, int]] = {}
    if view.config is None:
        return found
    for role in _ROLE_IDS:
        stated = view.config.stated(f"{role}_token_id")
        own = view.tokenizer.id_of(f"{role}_token")
        value = stated[1] if stated else None
        listed_ids = value if isinstance(value, list) else [value]
        whole = [at for at in listed_ids if isinstance(at, int) and not isinstance(at, bool) and at >= 0]
        if whole and own is not None and own not in whole:
            found[role] = (whole[0], own)
    return found


def _config_ids(case: Case) -> Iterator[Fault | str]:
    """config.json's ids of the roles are the tokenizer's."""
    view = case.new
    if view.config is None:
        return
    before = config_differences(case.old) if case.old is not None else {}
    differing = config_differences(view)
    for role, (told, own) in differing.items():
        token = view.tokenizer.special[f"{role}_token"]
        late = token in case.fresh or (case.old is not None and role not in before)
        message = f"config.json says {role}_token_id {told:,} and the tokenizer's {role}_token {token!r} is {own:,}" + (
            "; the embedding's padding_idx follows config.json" if role == "pad" else ""
        )
        level: Level = "warning" if late else "note"
        yield Fault("role-id", message, view.config.at(f"{role}_token_id"), level, 17)
    if not differing:
        yield "config.json's ids of special tokens are the tokenizer's"


def _in_user_text(view: View) -> Iterator[Fault]:
    """Further special tokens are control tokens in what users type too."""
    if view.tokenizer.config.get("split_special_tokens") is True:
        return
    roles = set(view.tokenizer.special.values())
    more = {text for text in listed(view) if text not in roles and text in view.tokenizer.ids}
    more |= {row["entry"] for row in view.recorded if row.get("special")}
    if more:
        message = (
            f"{some(more)} in text that users type {'becomes' if len(more) == 1 else 'become'} the special token too; "
            "load with split_special_tokens=True where the text is not yours"
        )
        yield Fault("special-in-user-text", message, view.at("tokenizer_config.json"), "note", 18)


def _still_special(view: View, old: View) -> Iterator[Fault | str]:
    """What AGAINST called special is special still."""
    now = {token.content for token in view.tokenizer.added if token.special}
    before = {token.content for token in old.tokenizer.added if token.special}
    taken = {token for token in before - now if is_spare_name(token) and token not in view.tokenizer.ids}
    lost = before - now - taken
    roles = set(old.tokenizer.special) - set(view.tokenizer.special)
    unlisted = set(listed(old)) - set(listed(view)) - lost - taken
    if lost:
        message = f"{some(lost)} {_is(lost)} special in {old.source.label} and no longer: text may cut it, or decode it"
        yield Fault("special-token-lost", message, view.at("tokenizer_config.json"), "error", 16)
    elif unlisted:
        message = (
            f"{some(unlisted)} {_is(unlisted)} listed as special in {old.source.label} and no longer: "
            "add_special_tokens replaces the list unless replace_extra_special_tokens=False"
        )
        yield Fault("special-token-unlisted", message, view.at("tokenizer_config.json"), "error", 16)
    for role in sorted(roles):
        message = f"{role} is {old.tokenizer.special[role]!r} in {old.source.label} and no token here"
        yield Fault("role-lost", message, view.at("tokenizer_config.json"), "error", 16)
    if not lost and not unlisted and not roles:
        yield f"{len(before):,} special tokens of {old.source.label} are special still"


def _is(some_of: set[str]) -> str:
    return "was" if len(some_of) == 1 else "were"
