"""pretune check as a library: `from pretune import check; report = check.run("klue/bert-base", data="train.jsonl")`.

Importing this costs almost nothing: the engine, the facts and the rules are imported by the first `run`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from os import PathLike

    from pretune.check.engine import Report, Skipped
    from pretune.check.finding import Finding, Fix, Level, Patch, Problem, Rule, rule
    from pretune.check.sources.setup import Setup

_HOMES = {
    "Report": "engine",
    "Skipped": "engine",
    "Finding": "finding",
    "Fix": "finding",
    "Level": "finding",
    "Patch": "finding",
    "Problem": "finding",
    "Rule": "finding",
    "rule": "finding",
    "Setup": "sources.setup",
    "Preflight": "preflight",
    "PreflightStopped": "preflight",
    "deep_check": "live_check",
}

__all__ = [
    "Finding",
    "Fix",
    "Level",
    "Patch",
    "PreflightStopped",
    "Problem",
    "Report",
    "Rule",
    "Setup",
    "Skipped",
    "deep_check",
    "render",
    "rule",
    "run",
]


def run(
    model: Any = None,
    *,
    tokenizer: Any = None,
    task: str | None = None,
    data: Any = None,
    setup: str | PathLike[str] | Mapping[str, Any] | Setup | None = None,
    select: str | Iterable[str] | None = None,
    ignore: str | Iterable[str] | None = None,
    allow: Mapping[str, str] | None = None,
    sample: int | None = None,
    beside: str | PathLike[str] | Iterable[str | PathLike[str]] = (),
    deep: bool = False,
    **keys: Any,
) -> Report:
    """Check what a fine-tune is about to do; nothing is loaded (but for `deep`), nothing is written.

    Ctrl-C stops it as it stops anything in Python. Live objects are looked at and stay as they are, random states too.

    Args:
        model: a folder or a hub name; a script, a notebook or a folder of them; or a live Trainer, model or tokenizer.
        tokenizer: a folder or a hub name; None: the model's own; or a live tokenizer.
        task: `question-answering`, `text-classification`, ...
        data: training files (patterns and folders too) or data in memory, which are not copied: a `datasets.Dataset`,
            an Arrow table, a data frame, a list of mappings; or a mapping with `train`, `eval` and `columns`. With a
            live model also a DataLoader, or batches.
        setup: a setup file, a folder that holds one, a mapping of its keys, or a Setup; the others override it.
        select: codes, beginnings of codes or names; a string may hold several, with commas. None: all rules.
        ignore: the same, for rules to leave out.
        allow: rule name -> why its findings are fine here.
        sample: how many rows of each data file are looked at; None: all of them.
        beside: further tokenizers, folders or hub names, that read the data for `report.profile`. No rule asks about
            them: the rules ask about `tokenizer`, or else the model's own. Each is read once.
        deep: compute a few batches, on a copy of the model: first losses, gradients, one batch learnt by heart.
        **keys: further keys of the setup file: `config`, `training_args`, `resize`, ... With a live model also live
            objects: `optimizer`, `scheduler`, `arguments`. With a script `target="transformers==5.23"`, or several.

    Raises:
        UserError: an unknown key, an unknown rule, a path that is not there, a file that is not what it claims to be,
            a tokenizer beside that cannot be built.
    """
    from pretune.check.engine import run as ask
    from pretune.check.facts import Facts
    from pretune.check.rules import all_rules, matching, suited
    from pretune.check.rules import select as choose
    from pretune.check.sources.flags import beside_of, setup_from_arguments
    from pretune.check.sources.live_objects import is_live
    from pretune.core.errors import UserError

    if sample is not None and sample < 1:
        raise UserError(f"sample is {sample!r}, expected a number of rows from 1, or None for all")
    rules = all_rules()
    for name in allow or {}:
        matching(rules, name)
    chosen = choose(rules, _words(select), _words(ignore))
    given = {"model": model, "tokenizer": tokenizer, "task": task, "data": data, **keys}
    given = {key: value for key, value in given.items() if value is not None}
    if is_live(model) or is_live(tokenizer):
        from pretune.check.live_check import check_live

        return check_live(given, chosen, setup=setup, allow=allow, sample=sample, deep=deep)
    if setup is None and _names_scripts(model):
        from pretune.check.scripts import check_named

        return check_named(str(model), given, chosen, known=rules, allow=allow or {}, sample=sample)
    known, subject = setup_from_arguments(setup, given)
    facts = Facts(known, sample=sample, beside=beside_of(known, _names(beside)))
    facts.wants_deep = deep
    if not select:
        chosen = suited(chosen, without=("script", "live", *(() if deep else ("deep",))))
    return ask(chosen, facts, subject=subject, allow=allow)


def _names_scripts(model: Any) -> bool:
    from pretune.check.script_files import is_script

    return (isinstance(model, str) or hasattr(model, "__fspath__")) and is_script(str(model))


def _names(given: str | PathLike[str] | Iterable[str | PathLike[str]]) -> tuple[str, ...]:
    one = isinstance(given, str) or hasattr(given, "__fspath__")
    return tuple(str(name) for name in ((given,) if one else given))  # type: ignore[union-attr]


def render(report: Report, format: str = "text") -> str:  # noqa: A002 - the flag's own word
    """The report as `text`, `concise`, `json` or `sarif`.

    Raises:
        UserError: no such format.
    """
    from pretune.check.report import render as written

    return written(report, format)


def _words(given: str | Iterable[str] | None) -> list[str]:
    """`"VOC,DAT1"` or `["VOC", "DAT1"]` as a list."""
    if isinstance(given, str):
        return [word.strip() for word in given.split(",") if word.strip()]
    return list(given or ())


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
