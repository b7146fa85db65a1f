"""TOK0: do the tokenizer's files agree with one another, and with the class that reads them?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pretune.artifacts.added_tokens import token_text
from pretune.artifacts.class_pipeline import Refused, refuse
from pretune.artifacts.tokenizer import read_tokenizer
from pretune.artifacts.tokenizer_classes import ROLES, exists
from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, shown, some

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.artifacts.tokenizer import Tokenizer
    from pretune.check.facts.tokenizer import TokenizerFacts
    from pretune.check.finding import Rule

PLAIN = (
    "주말에 하늘이 너무 지루했다.",
    "한국어 모델을 공유합니다, 2,500원(VAT 포함)!",
    "The quick Brown fox can't jump over 13 lazy dogs.",
)
SPACED = "  two  spaces\tand a tab"
PROBES = (*PLAIN, "naïve Café — “quoted” #hash @name 3.14", "漢字とカナ", SPACED)
"""Texts that go different ways when a normalizer, a pre-tokenizer or a prefix differs."""


@rule("TOK001", Level.ERROR)
def class_of_another_algorithm(tokenizer: TokenizerFacts) -> Iterator[Problem]:
    """The class that transformers picks works by another algorithm than the vocabulary was made for.

    Why: a WordPiece vocabulary under model_type roberta without tokenizer_class is read as byte-level BPE: on
    transformers 5 every word vanishes without one [UNK] (huggingface/transformers#45488).
    Fix: write the right tokenizer_class into tokenizer_config.json, e.g. "BertTokenizer" for a WordPiece vocabulary.
    """
    files = tokenizer.files
    cls, vocabulary = files.cls, files.vocabulary
    if not files.reads_vocabulary and cls.pipeline is not None:
        yield Problem(
            f"transformers reads the folder as {cls.name} ({files.cls_reason}), finds no {' or '.join(cls.files)}, "
            f"and makes {len(cls.empty)} tokens: the {number(vocabulary.count)} of {vocabulary.file} are not read",
            where=tokenizer.at("tokenizer_config.json", "/tokenizer_class"),
        )
    elif _another_algorithm(files):
        yield Problem(
            f"the vocabulary is {vocabulary.kind}, but transformers reads it as {cls.name}, which is {cls.made} "
            f"({files.cls_reason})",
            where=tokenizer.at("tokenizer_config.json", "/tokenizer_class"),
        )


def _another_algorithm(files: Tokenizer) -> bool:
    made_here = files.cls.rebuilds or files.spec is None
    return made_here and files.cls.made is not None and files.cls.made != files.vocabulary.kind


@rule("TOK002", Level.ERROR)
def pipeline_dropped(tokenizer: TokenizerFacts) -> Iterator[Problem]:
    """The tokenizer class puts its own normalizer or pre-tokenizer in the place of tokenizer.json's.

    Why: transformers 5 rebuilds a tokenizer from its class's defaults and tokenizer_config.json; what tokenizer.json
    alone says (lowercase, a Korean pre-tokenizer) is dropped without a word (huggingface/transformers#44255).
    Fix: set the option in tokenizer_config.json (do_lower_case, strip_accents, add_prefix_space), or declare
    tokenizer_class "PreTrainedTokenizerFast", which keeps the file's pipeline.
    """
    if tokenizer.files.kwargs:  # what the setup itself asks for is not dropped
        tokenizer = replace(tokenizer, files=read_tokenizer(tokenizer.files.source))
    spec = tokenizer.files.spec
    if spec is None or not tokenizer.files.cls.rebuilds or _another_algorithm(tokenizer.files):
        return
    ours = tokenizer.parts
    parts = [part for part in ("normalizer", "pre_tokenizer", "post_processor") if spec.get(part) != ours.get(part)]
    if not parts:
        return
    for text in PROBES:
        before, after = tokenizer.cut(text, special=True, by_file=True), tokenizer.cut(text, special=True)
        if before != after:
            part = next((part for part in parts if part != "post_processor"), parts[0])
            yield Problem(
                f"{tokenizer.files.cls.name} brings its own {part} ({_told(ours.get(part), spec.get(part))}): "
                f"{shown(text, 24)} becomes {some(after, 5)}, by tokenizer.json alone {some(before, 5)}",
                where=tokenizer.at("tokenizer.json", f"/{part}"),
                level=None if text in PLAIN else Level.NOTE if text == SPACED else Level.WARNING,
            )
            return


def _told(ours: Any, theirs: Any) -> str:
    """The first difference of two components, in a few words."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping) and ours.get("type") == theirs.get("type"):
        for key in ours:
            if ours[key] != theirs.get(key) and not isinstance(ours[key], Mapping | list):
                return f"{key} {ours[key]!r}, the file has {theirs.get(key)!r}"
    return f"{_kind(ours)}, the file has {_kind(theirs)}"


def _kind(part: Any) -> str:
    return str(part.get("type")) if isinstance(part, Mapping) else "none"


@rule("TOK003", Level.ERROR)
def class_unknown(tokenizer: TokenizerFacts) -> Iterator[Problem]:
    """The declared tokenizer class does not exist in transformers.

    Why: AutoTokenizer falls back to a generic class, which reads tokenizer.json alone; without that file nothing loads.
    KoBERT's KoBERTTokenizer lives in a package of its own.
    Fix: load the tokenizer with its own package and save it with tokenizer.json, or declare a class that exists.
    """
    declared = tokenizer.files.declared
    if declared is None or exists(declared) or tokenizer.files.config.get("auto_map"):
        return
    without = tokenizer.files.spec is None
    yield Problem(
        f"tokenizer_class {shown(declared)} is none of transformers'"
        + (
            f", and there is no tokenizer.json: {tokenizer.files.vocabulary.file} alone does not load"
            if without
            else ", so tokenizer.json is read by a generic class"
        ),
        where=tokenizer.at("tokenizer_config.json", "/tokenizer_class"),
        level=None if without else Level.NOTE,
    )


@rule("TOK007", Level.WARNING)
def added_token_ids_disagree(tokenizer: TokenizerFacts) -> Iterator[Problem]:
    """A file gives an added token another id than the tokenizer does.

    Why: transformers 5 does not read the ids of added tokens: one that is in the vocabulary keeps its id there, a new
    one gets the next free one. A model trained with the stated id finds another row.
    Fix: load the tokenizer and save it again, so that one truth is written.
    """
    told = list(_stated_ids(tokenizer.files))
    wrong = [row for row in told if tokenizer.ids.get(row[0], row[1]) != row[1]]
    if wrong:
        token, index, file, pointer = wrong[0]
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        yield Problem(
            f"{file} gives {shown(token)}{more} the id {number(index)}, but the tokenizer gives it "
            f"{number(tokenizer.ids[token])}",
            where=tokenizer.at(file, pointer),
        )


def _stated_ids(files: Tokenizer) -> Iterator[tuple[str, int, str, str]]:
    """(token, id, file, pointer) of every added token whose id a file states beside the vocabulary."""
    listed = files.config.get("added_tokens_decoder")
    for index, row in listed.items() if isinstance(listed, Mapping) else ():
        text = token_text(row)
        if text is not None and str(index).isdecimal():
            yield text, int(index), "tokenizer_config.json", f"/added_tokens_decoder/{index}"
    for place, row in enumerate(files.told.listed):
        text, index = token_text(row), row.get("id")
        if text is not None and isinstance(index, int):
            yield text, index, "tokenizer.json", f"/added_tokens/{place}"
    if files.told.legacy:
        for text, index in files.told.added.items():
            if isinstance(index, int):
                yield text, index, "added_tokens.json", ""


@rule("TOK008", Level.WARNING)
def special_token_files_disagree(tokenizer: TokenizerFacts) -> Iterator[Problem]:
    """special_tokens_map.json and tokenizer_config.json name different tokens for the same role.

    Why: which one counts depends on the version and on the other keys; padding or ending with the wrong token is
    silent.
    Fix: load the tokenizer, set the token you mean, and save it again.
    """
    for role in ROLES:
        mapped = token_text(tokenizer.files.special_map.get(role))
        told = token_text(tokenizer.files.config.get(role))
        if mapped is not None and told is not None and mapped != told and role not in tokenizer.files.kwargs:
            yield Problem(
                f"{role} is {shown(mapped)} in special_tokens_map.json, but {shown(told)} in tokenizer_config.json; "
                f"{shown(tokenizer.files.special.get(role, 'none'))} is used",
                where=tokenizer.at("special_tokens_map.json", f"/{role}"),
            )


@rule("TOK009", Level.NOTE)
def truncation_baked_in(tokenizer: TokenizerFacts) -> Iterator[Problem]:
    """tokenizer.json carries truncation or fixed padding of its own.

    Why: the tokenizers library applies it to every text when the file is used without transformers' arguments, e.g. in
    a server or a notebook; a call with truncation=False and no max_length is not affected in transformers.
    Fix: nothing when you pass truncation and padding yourself; else call no_truncation() and no_padding().
    """
    spec = tokenizer.files.spec or {}
    cut, padded = spec.get("truncation"), spec.get("padding")
    length = cut.get("max_length") if isinstance(cut, Mapping) else None
    strategy = padded.get("strategy") if isinstance(padded, Mapping) else None
    fixed = strategy.get("Fixed") if isinstance(strategy, Mapping) else None
    if isinstance(length, int) and length < min(tokenizer.files.max_length, 512):
        yield Problem(
            f"tokenizer.json cuts every text at {length} tokens by itself"
            + (f" and pads to {fixed}" if fixed else "")
            + f"; model_max_length is {number(tokenizer.files.max_length)}",
            where=tokenizer.at("tokenizer.json", "/truncation/max_length"),
        )


@rule("TOK010", Level.ERROR)
def tokenizer_not_loadable(tokenizer: TokenizerFacts) -> Iterator[Problem]:
    """No tokenizer can be made of these files by transformers.

    Why: the class that it picks needs another file: the generic class tokenizer.json, a sentencepiece class its pieces'
    scores. from_pretrained raises before anything is trained.
    Fix: declare the vocabulary's own class as tokenizer_class, or load the tokenizer where it was made and save it
    again.
    """
    try:
        refuse(tokenizer.files)
    except Refused as refusal:
        declared = tokenizer.files.declared
        if declared is None or exists(declared):  # else class-unknown says it
            yield Problem(
                f"{refusal.message} ({tokenizer.files.cls_reason})",
                where=tokenizer.at("tokenizer_config.json", "/tokenizer_class"),
            )


RULES: tuple[Rule, ...] = (
    class_of_another_algorithm,
    pipeline_dropped,
    class_unknown,
    added_token_ids_disagree,
    special_token_files_disagree,
    truncation_baked_in,
    tokenizer_not_loadable,
)
