"""SAF1: does the model or its tokenizer run Python files of its repository? Reads the references, not the files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pretune.artifacts.remote_code import code_references, is_native
from pretune.artifacts.source import FolderSource
from pretune.artifacts.tokenizer_classes import exists, for_model_type
from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import shown, some

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pretune.artifacts.remote_code import CodeReference
    from pretune.artifacts.source import Source
    from pretune.check.facts.model import ModelFacts
    from pretune.check.facts.tokenizer import TokenizerFacts
    from pretune.check.finding import Rule
    from pretune.check.sources.setup import Setup

_COMMIT = re.compile(r"[0-9a-f]{40}")


@rule("SAF101", Level.ERROR)
def model_code_to_run(model: ModelFacts) -> Iterator[Problem]:
    """The model is defined by Python files of its repository.

    Why: without trust_remote_code=True from_pretrained stops; with it, what the files hold at that moment is
    run with your rights, and a branch can change from one day to the next.
    Fix: read the files, pass trust_remote_code=True, and pin `revision` (and `code_revision`) to a commit.
    """
    references = code_references(model.config.get("auto_map"))
    if not references:
        return
    where, files = model.at("/auto_map"), _files(references)
    if model.arguments.get("trust_remote_code"):
        yield from _run(files, references, model.source, model.arguments, where)
    elif not is_native(model.model_type):
        yield Problem(
            f"model_type {shown(str(model.model_type))} needs {some(files)} to be run: from_pretrained stops without "
            "trust_remote_code=True",
            where=where,
        )


@rule("SAF102", Level.ERROR)
def tokenizer_code_to_run(tokenizer: TokenizerFacts, model: ModelFacts, setup: Setup) -> Iterator[Problem]:
    """The tokenizer is defined by a Python file of its repository.

    Why: as for the model's code; AutoTokenizer stops without trust_remote_code=True when it has no class of its own.
    Fix: read the file and pass trust_remote_code=True with a pinned revision, or save the tokenizer as tokenizer.json.
    """
    references = code_references(tokenizer.files.config.get("auto_map"))
    if not references:
        return
    where, files = tokenizer.at("tokenizer_config.json", "/auto_map"), _files(references)
    if setup.tokenizer_kwargs.get("trust_remote_code"):
        yield from _run(files, references, tokenizer.files.source, setup.tokenizer_kwargs, where)
    elif not exists(tokenizer.files.declared or "") and not for_model_type(model.model_type or ""):
        yield Problem(
            f"the tokenizer needs {some(files)} to be run: AutoTokenizer stops without trust_remote_code=True",
            where=where,
        )


@rule("SAF103", Level.ERROR)
def code_that_is_not_there(model: ModelFacts) -> Iterator[Problem]:
    """The config names Python files of its own folder that the folder does not hold.

    Why: a model copied without its .py files stops at loading, with and without trust_remote_code.
    Fix: copy the .py files beside config.json, or remove auto_map where transformers has the model type itself.
    """
    if is_native(model.model_type) and not model.arguments.get("trust_remote_code"):
        return
    named = [one.file for one in code_references(model.config.get("auto_map")) if not one.repository]
    missing = [file for file in dict.fromkeys(named) if not model.source.has(file)]
    if missing:
        yield Problem(
            f"auto_map names {len(set(named))} files of this folder, {len(missing)} of which it lacks: {some(missing)}",
            where=model.at("/auto_map"),
        )


@rule("SAF104", Level.NOTE)
def own_code_passed_over(model: ModelFacts) -> Iterator[Problem]:
    """The repository brings its own model code, but transformers' class of the same model type is used.

    Why: without trust_remote_code, model_type bert with code of its own (jina-bert) is loaded as plain BERT: in
    silence, and wrong where the two differ.
    Fix: pass trust_remote_code=True when the code differs from transformers'; else remove auto_map.
    """
    files = _files(one for one in code_references(model.config.get("auto_map")) if one.auto_class != "AutoConfig")
    if files and is_native(model.model_type) and not model.arguments.get("trust_remote_code"):
        yield Problem(
            f"the model's own {some(files)} is not run: transformers has model_type "
            f"{shown(str(model.model_type))} itself, which may differ",
            where=model.at("/auto_map"),
        )


@rule("SAF105", Level.NOTE)
def trust_without_need(model: ModelFacts, tokenizer: TokenizerFacts, setup: Setup) -> Iterator[Problem]:
    """trust_remote_code=True is given, though neither the model nor the tokenizer has code of its own.

    Why: it does nothing today, and runs whatever the repository adds tomorrow.
    Fix: leave trust_remote_code out.
    """
    if not model.arguments.get("trust_remote_code"):
        return
    stated = (model.config.get("auto_map"), tokenizer.files.config.get("auto_map"))
    if not any(code_references(auto_map) for auto_map in stated):
        yield Problem(
            "trust_remote_code=True is given, but config.json and tokenizer_config.json name no code (auto_map)",
            where=setup.place("from_pretrained.trust_remote_code"),
        )


def _files(references: Iterable[CodeReference]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.place for one in references))


def _run(
    files: tuple[str, ...], references: Iterable[CodeReference], source: Source, arguments: Any, where: str
) -> Iterator[Problem]:
    """What runs with trust_remote_code: a warning where the code can change from one day to the next, else a note."""
    elsewhere = any(one.repository for one in references)
    local = isinstance(source, FolderSource)
    revision = arguments.get("code_revision" if elsewhere else "revision") or arguments.get("revision")
    pinned = isinstance(revision, str) and _COMMIT.fullmatch(revision) is not None
    if pinned or (local and not elsewhere):
        yield Problem(f"trust_remote_code=True runs {some(files)}", where=where, level=Level.NOTE)
    else:
        at = f"pinned to {shown(str(revision))}, which is no commit" if revision else "not pinned to a revision"
        yield Problem(f"trust_remote_code=True runs {some(files)}, {at}", where=where, level=Level.WARNING)


RULES: tuple[Rule, ...] = (
    model_code_to_run,
    tokenizer_code_to_run,
    code_that_is_not_there,
    own_code_passed_over,
    trust_without_need,
)
