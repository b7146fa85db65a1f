"""VOC0: is this tokenizer the model's? Ids against rows, vocabulary against vocabulary, special ids against config."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.artifacts.added_tokens import extra_tokens, token_text
from pretune.artifacts.spare_names import is_spare_name
from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, shown, some

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.model import ModelFacts
    from pretune.check.facts.rows import RowFacts
    from pretune.check.facts.tokenizer import TokenizerFacts
    from pretune.check.finding import Rule
    from pretune.check.sources.setup import Setup

EXTRA = "additional_special_tokens"
TWINS = {"cls_token": "bos_token", "sep_token": "eos_token"}
"""Roles that share a config key: the second one is compared, where the tokenizer has it."""

ROLES = {
    "pad_token": ("pad_token_id",),
    "bos_token": ("bos_token_id",),
    "eos_token": ("eos_token_id",),
    "cls_token": ("cls_token_id", "bos_token_id"),
    "sep_token": ("sep_token_id", "eos_token_id"),
    "mask_token": ("mask_token_id",),
    "unk_token": ("unk_token_id",),
}


@rule("VOC001", Level.ERROR)
def ids_outside_embedding(tokenizer: TokenizerFacts, rows: RowFacts, setup: Setup) -> Iterator[Problem]:
    """The tokenizer can emit ids that have no embedding row.

    Why: the first such id is an index error on CPU; on GPU, an assert that hides its cause. It comes when the token
    first occurs, late in the epoch for a rare one.
    Fix: load the tokenizer the model was saved with, or resize the embedding to len(tokenizer).
    """
    if setup.resize:
        return
    named = {token for token, _ in _declared(tokenizer)} - tokenizer.files.vocabulary.ids.keys()
    beyond = [(i, token) for token, i in tokenizer.ids.items() if i >= rows.count and token not in named]
    beyond.sort()  # what the files declare as special is special-token-outside-vocabulary's to say
    if beyond:
        first = shown(beyond[0][1])
        yield Problem(
            f"{number(len(beyond))} of {number(tokenizer.size)} token ids have no row: largest id "
            f"{number(tokenizer.largest_id)} ({first} is the first beyond), but {number(rows.count)} embedding rows",
            where=tokenizer.at(),
        )


@rule("VOC002", Level.ERROR)
def another_vocabulary(tokenizer: TokenizerFacts, own_tokenizer: TokenizerFacts) -> Iterator[Problem]:
    """The tokenizer is not the one the model was trained with: its ids mean other words.

    Why: every id is valid, so nothing fails; the model reads other words, or takes [SEP] for [CLS]. klue BERT and klue
    RoBERTa have 32,000 entries each by coincidence, and differ only in the five special ones.
    Fix: leave out --tokenizer, or name the tokenizer that the model was saved with.
    """
    own, used = own_tokenizer.files.tokens, tokenizer.files.tokens
    differ = [index for index, token in own.items() if used.get(index, token) != token and not is_spare_name(token)]
    if not differ:
        yield from _merged_otherwise(tokenizer, own_tokenizer)
        return
    same = sum(used.get(index) == token for index, token in own.items())
    special = set(own_tokenizer.special.values()) | set(tokenizer.special.values())
    moved = [index for index in differ if own[index] in special or used[index] in special]
    example = (moved or differ)[0]
    size = f"also {number(len(own))}" if len(used) == len(own) else f"{number(len(used))} against {number(len(own))}"
    yield Problem(
        f"the tokenizer has {size} ids, but only {number(same)} carry the token of the model's own; "
        f"id {example} is {shown(used[example])}, was {shown(own[example])}",
        where=tokenizer.at(),
        help=f"use the tokenizer in {own_tokenizer.name}",
        level=None if moved or len(differ) > 0.01 * len(own) else Level.WARNING,
    )


def _merged_otherwise(tokenizer: TokenizerFacts, own_tokenizer: TokenizerFacts) -> Iterator[Problem]:
    """The same ids, but other merge rules: text is cut into other pieces than the model learnt."""
    own, used = own_tokenizer.files.vocabulary.merges, tokenizer.files.vocabulary.merges
    if own and used and own != used[: len(own)]:
        first = next((at for at, (a, b) in enumerate(zip(own, used, strict=False)) if a != b), min(len(own), len(used)))
        yield Problem(
            f"the ids are the model's own, but the {number(len(used))} merge rules are not its {number(len(own))}: "
            f"they part at rule {number(first + 1)}, and words are cut into other pieces",
            where=tokenizer.at(),
            help=f"use the tokenizer in {own_tokenizer.name}",
        )


@rule("VOC003", Level.WARNING)
def special_ids_disagree(tokenizer: TokenizerFacts, model: ModelFacts) -> Iterator[Problem]:
    """A special token's id in the config is another one in the tokenizer.

    Why: it may be a tokenizer from another model. RoBERTa-like models count positions from the pad id, so every
    position shifts; Trainer of transformers 5 rewrites the config to the tokenizer's ids and says "aligned". Elsewhere
    a pad id alone changes nothing (multilingual-e5-small was published so), and is only noted.
    Fix: use the model's own tokenizer, or set the key to the tokenizer's id where the tokenizer is right.
    """
    offset = counts_from_pad(model)
    for role, keys in ROLES.items():
        index = tokenizer.id_of(role)
        key = next((key for key in keys if _told(model, key) is not None), None)
        if index is None or key is None or tokenizer.id_of(TWINS.get(role, "")) is not None:
            continue
        told = _told(model, key)
        if isinstance(told, bool) or not isinstance(told, int) or told == index:
            continue
        if role in ("bos_token", "eos_token") and _is_causal(model):
            continue  # the chat rules weigh bos and eos of decoders
        token, meant = tokenizer.special[role], tokenizer.files.tokens.get(told)
        yield Problem(
            f"{key} is {told}{f' ({shown(meant)})' if meant else ''}, but the tokenizer's {role} {shown(token)} has "
            f"id {index}",
            where=model.place(key),
            level=Level.ERROR if offset else Level.NOTE if key == "pad_token_id" else None,
        )


def counts_from_pad(model: ModelFacts) -> bool:
    """Whether positions are counted from the pad id, as RoBERTa does: another pad id shifts them all."""
    if model.architecture is None:
        return False
    return model.architecture.positions({**model.effective, "pad_token_id": 1}) != model.architecture.positions(
        {**model.effective, "pad_token_id": 5}
    )


def _told(model: ModelFacts, key: str) -> object:
    """The id the config itself names; a default that nobody wrote proves nothing, but for RoBERTa's pad id."""
    if model.states(key) or (key == "pad_token_id" and counts_from_pad(model)):
        return model.get(key)
    return None


def _is_causal(model: ModelFacts) -> bool:
    return bool(model.architecture and model.architecture.causal)


@rule("VOC004", Level.ERROR)
def special_token_outside_vocabulary(tokenizer: TokenizerFacts, rows: RowFacts, setup: Setup) -> Iterator[Problem]:
    """A special token that the files declare is not in the vocabulary, so it is given a new id behind the last row.

    Why: loading the tokenizer appends it without a word; its id has no embedding row.
    Fix: declare the token the vocabulary has, or resize the embedding to len(tokenizer).
    """
    if setup.resize:
        return
    roles: dict[str, list[str]] = {}
    for token, role in _declared(tokenizer):
        if tokenizer.ids.get(token, -1) >= rows.count and token not in tokenizer.files.vocabulary.ids:
            roles.setdefault(token, []).append(role)
    if not roles:
        return
    token, role = next((token, roles[token][0]) for token in roles)
    more = f" (and {len(roles) - 1} more)" if len(roles) > 1 else ""
    yield Problem(
        f"{'special token' if role == EXTRA else role} {shown(token)}{more} is not in the vocabulary and becomes "
        f"id {number(tokenizer.ids[token])}, but there are {number(rows.count)} embedding rows",
        where=tokenizer.at("tokenizer_config.json", f"/{role}"),
    )


def _declared(tokenizer: TokenizerFacts) -> list[tuple[str, str]]:
    """The special tokens that the files or the arguments name, with the key they stand under."""
    roles = [(token, role) for role, token in tokenizer.files.special.items()]
    return roles + [(token, EXTRA) for token in extra_tokens(tokenizer.files.arguments)]


@rule("VOC005", Level.ERROR)
def unknown_token_missing(tokenizer: TokenizerFacts) -> Iterator[Problem]:
    """The vocabulary lacks its own unknown token.

    Why: WordPiece raises "Missing [UNK] token from the vocabulary" at the first word it does not know; transformers
    appends the token behind the last embedding row instead, if the files declare it.
    Fix: set unk_token to the token the vocabulary has.
    """
    if tokenizer.kind not in ("WordPiece", "WordLevel"):
        return
    files = tokenizer.files
    told = files.special.get("unk_token") if files.cls.rebuilds or files.spec is None else None
    declared = told or str(files.vocabulary.options.get("unk_token") or "[UNK]")
    if declared not in tokenizer.files.vocabulary.ids:
        there = [token for token in ("[UNK]", "<unk>", "UNK", "<UNK>") if token in tokenizer.files.vocabulary.ids]
        yield Problem(
            f"unk_token {shown(declared)} is not among the {number(len(tokenizer.files.vocabulary.ids))} tokens"
            + (f"; {shown(there[0])} is" if there else ""),
            where=tokenizer.at("tokenizer_config.json", "/unk_token"),
        )


@rule("VOC006", Level.ERROR)
def special_token_in_pieces(tokenizer: TokenizerFacts) -> Iterator[Problem]:
    """A special token that the files declare is cut into pieces when it is encoded.

    Why: the model never sees the one id it was trained with. transformers 5 does not read special_tokens_map.json once
    tokenizer_config.json has added_tokens_decoder.
    Fix: write the token into tokenizer_config.json too (load, add_special_tokens, save_pretrained).
    """
    files = tokenizer.files
    declared = dict.fromkeys(extra_tokens(files.config), "tokenizer_config.json")
    for key, value in files.special_map.items():
        text = token_text(value)
        if text is not None and key.endswith("_token"):
            declared.setdefault(text, "special_tokens_map.json")
    declared |= {token: "special_tokens_map.json" for token in extra_tokens(files.special_map) if token not in declared}
    suspects = [token for token in declared if token not in {added.content for added in files.added}]
    for token in suspects:
        pieces = tokenizer.cut(token)
        if len(pieces) != 1:
            yield Problem(
                f"special token {shown(token)} is encoded as {len(pieces)} tokens: {some(pieces, 6)}",
                where=tokenizer.at(declared[token]),
            )


RULES: tuple[Rule, ...] = (
    ids_outside_embedding,
    another_vocabulary,
    special_ids_disagree,
    special_token_outside_vocabulary,
    unknown_token_missing,
    special_token_in_pieces,
)
