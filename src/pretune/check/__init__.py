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
}

__all__ = [
    "Finding",
    "Fix",
    "Level",
    "Patch",
    "Problem",
    "Report",
    "Rule",
    "Setup",
    "Skipped",
    "render",
    "rule",
    "run",
]


def run(
    model: str | PathLike[str] | None = None,
    *,
    tokenizer: str | PathLike[str] | None = None,
    task: str | None = None,
    data: Any = None,
    setup: str | PathLike[str] | Mapping[str, Any] | Setup | None = None,
    select: str | Iterable[str] | None = None,
    ignore: str | Iterable[str] | None = None,
    allow: Mapping[str, str] | None = None,
    sample: int | None = None,
    beside: str | PathLike[str] | Iterable[str | PathLike[str]] = (),
    **keys: Any,
) -> Report:
    """Check what a fine-tune is about to do; nothing is loaded, nothing is written.

    Ctrl-C stops it as it stops anything in Python.

    Args:
        model: a folder or a hub name.
        tokenizer: a folder or a hub name; None: the model's own.
        task: `question-answering`, `text-classification`, ...
        data: training files (patterns and folders too) or data in memory, which are not copied: a `datasets.Dataset`,
            an Arrow table, a data frame, a list of mappings; or a mapping with `train`, `eval` and `columns`.
        setup: a setup file, a folder that holds one, a mapping of its keys, or a Setup; the others override it.
        select: codes, beginnings of codes or names; a string may hold several, with commas. None: all rules.
        ignore: the same, for rules to leave out.
        allow: rule name -> why its findings are fine here.
        sample: how many rows of each data file are looked at; None: all of them.
        beside: further tokenizers, folders or hub names, that read the data for `report.profile`. No rule asks about
            them: the rules ask about `tokenizer`, or else the model's own. Each is read once.
        **keys: further keys of the setup file: `config`, `training_args`, `resize`, ...

    Raises:
        UserError: an unknown key, an unknown rule, a path that is not there, a file that is not what it claims to be,
            a tokenizer beside that cannot be built.
    """
    from pretune.check.engine import run as ask
    from pretune.check.facts import Facts
    from pretune.check.rules import all_rules, matching
    from pretune.check.rules import select as choose
    from pretune.check.sources.flags import beside_of, setup_from_arguments
    from pretune.core.errors import UserError

    given = {"model": model, "tokenizer": tokenizer, "task": task, "data": data, **keys}
    known, subject = setup_from_arguments(setup, {key: value for key, value in given.items() if value is not None})
    rules = all_rules()
    for name in allow or {}:
        matching(rules, name)
    chosen = choose(rules, _words(select), _words(ignore))
    if sample is not None and sample < 1:
        raise UserError(f"sample is {sample!r}, expected a number of rows from 1, or None for all")
    facts = Facts(known, sample=sample, beside=beside_of(known, _names(beside)))
    return ask(chosen, facts, subject=subject, allow=allow)


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
