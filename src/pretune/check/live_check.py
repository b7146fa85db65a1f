"""A check of live objects: the Setup that they come to, all rules that suit it, and a Report that calls things by name.

Imports neither torch nor transformers itself. Writes only to a temporary folder, which is gone afterwards.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pretune.check.engine import Report
    from pretune.check.finding import Finding, Rule
    from pretune.check.sources.live_objects import Objects
    from pretune.check.sources.setup import Setup

SAMPLE = 2000
"""Rows of a raw data set in memory that are looked at when nobody says how many."""

OBJECTS = ("optimizer", "scheduler", "arguments", "collator", "evaluation", "steps")
"""Arguments of `check.run` that are live objects beside the model."""

OF_FILES = frozenset({"evaluation-without-data", "output-dir-left-out", "token-in-the-setup"})
"""Rules about what a setup leaves out, which a live object cannot."""

TOLD_BY_BATCHES = frozenset({"pad-is-eos"})
"""Rules that fear from the files what the labels of a batch show to be so, or not (end-is-never-learnt)."""

ENCODED = "the rows are token ids already; the batches tell their lengths"


def check_live(
    given: Mapping[str, Any],
    rules: Iterable[Rule],
    *,
    setup: Any = None,
    allow: Mapping[str, str] | None = None,
    sample: int | None = None,
    deep: bool = False,
) -> Report:
    """`check.run` of live objects: tells them from the keys of a Setup among its arguments.

    Args:
        given: the arguments by name: `model`, `tokenizer`, `data` and OBJECTS may be live, the others are a Setup's.
        rules: the questions.
        setup: must be None: a setup file says what live objects say themselves.
        allow: rule name -> why its findings are fine here.
        sample: rows of each data set that are looked at.
        deep: compute a few batches.

    Raises:
        UserError: a setup as well as a live object; a key that is none; what is neither a name nor such an object.
    """
    from pretune.check.sources.live_objects import gathered, is_live

    if setup is not None:
        raise UserError("a live object and a setup are given", hint="give keys of the setup by name: encode={...}")
    keys = dict(given)
    model, tokenizer, data = (keys.pop(name, None) for name in ("model", "tokenizer", "data"))
    for name, value in (("model", model), ("tokenizer", tokenizer)):
        if value is not None and not is_live(value):
            if not isinstance(value, str) and not hasattr(value, "__fspath__"):
                raise UserError(f"{name} is a {type(value).__name__}, expected a name or a live object")
            keys[name] = value
    further = {name: keys.pop(name) for name in OBJECTS if name in keys}
    objects, rows = gathered(model, tokenizer, data, **further)
    return check_objects(objects, rules, given=keys, data=rows, allow=allow, sample=sample, deep=deep)


def check_objects(
    objects: Objects,
    rules: Iterable[Rule],
    *,
    given: Mapping[str, Any] | None = None,
    data: Any = None,
    allow: Mapping[str, str] | None = None,
    sample: int | None = None,
    deep: bool = False,
) -> Report:
    """Put the rules to live objects, and to the files that they came from.

    Args:
        objects: the live objects.
        rules: the questions.
        given: keys of a setup file, over what the objects say.
        data: rows beside the objects: a `datasets.Dataset`, files, as for `check.run`.
        allow: rule name -> why its findings are fine here.
        sample: rows of each data set that are looked at; None: SAMPLE.
        deep: compute a few batches.

    Raises:
        UserError: a key that is none, a file that is not what it claims to be.
    """
    from pretune.check.engine import run
    from pretune.check.facts import Facts
    from pretune.check.sources.flags import setup_from_arguments
    from pretune.check.sources.live import said_live
    from pretune.check.sources.live_data import encoded
    from pretune.check.sources.live_objects import subject

    with TemporaryDirectory(prefix="pretune-") as folder:
        keys = {**(given or {}), **({"data": data} if data is not None else {})}
        named = said_live(objects, Path(folder), task=keys.get("task"))
        setup = _as_setup(named.keys, named.places)
        if keys:
            setup, _ = setup_from_arguments(setup, keys)
        facts = Facts(setup, sample=sample or SAMPLE)
        facts.objects, facts.wants_deep = objects, deep
        if encoded(objects.train):
            facts.reasons["lengths"] = ENCODED
        fed = any(one is not None for one in (objects.trainer, objects.loader)) or bool(objects.batches)
        left = OF_FILES | (TOLD_BY_BATCHES if fed else frozenset())
        chosen = [rule for rule in rules if rule.name not in left and "script" not in rule.needs]
        report = run(chosen, facts, subject=subject(objects), allow=allow)
    if objects.trainer is not None:  # the run is asked about, not the corpus
        report = replace(report, profile=None)
    return _called(report, named.called)


def check_memory(
    objects: Objects, rules: Iterable[Rule], *, allow: Mapping[str, str] | None = None, deep: bool = False
) -> Report:
    """Put to live objects the rules that ask for nothing else, and to no file."""
    from pretune.check.engine import run
    from pretune.check.facts import Facts
    from pretune.check.sources.live import task_of
    from pretune.check.sources.live_objects import subject

    facts = Facts(_as_setup({"task": task_of(objects)}, {}), sample=SAMPLE)
    facts.objects, facts.wants_deep = objects, deep
    return run([rule for rule in rules if rule.code.startswith("LIV")], facts, subject=subject(objects), allow=allow)


def _as_setup(keys: Mapping[str, Any], places: Mapping[str, str]) -> Setup:
    from pretune.check.sources.setup_keys import Said, setup_from

    return setup_from(Said(keys, places))


def _called(report: Report, names: Mapping[str, str]) -> Report:
    """The report with the folders that nobody knows called by the objects' names."""

    def told(text: str) -> str:
        for folder in sorted(names, key=len, reverse=True):
            text = text.replace(folder, names[folder])
        return text

    def finding(one: Finding) -> Finding:
        return replace(
            one, message=told(one.message), where=told(one.where), help=told(one.help), also=tuple(map(told, one.also))
        )

    return replace(
        report,
        findings=tuple(map(finding, report.findings)),
        allowed=tuple((finding(one), why) for one, why in report.allowed),
        skipped=tuple(replace(one, reason=told(one.reason)) for one in report.skipped),
        remarks=tuple(map(told, report.remarks)),
    )


def deep_check(
    setup: Setup,
    *,
    subject: str = "",
    rules: Sequence[Rule] | None = None,
    allow: Mapping[str, str] | None = None,
    sample: int | None = None,
) -> Report:
    """Load what a Setup names, compute a few batches, and put the rules to it.

    Args:
        setup: names a model, a task and data.
        subject: what is checked.
        rules: the questions; None: those of computed batches alone (LIV4).
        allow: rule name -> why its findings are fine here.
        sample: rows of each data file that are looked at.

    Raises:
        UserError: torch or transformers are not installed; the model cannot be loaded.
    """
    from pretune.check.engine import run
    from pretune.check.facts import Facts
    from pretune.check.rules import all_rules
    from pretune.check.rules import select as choose

    facts = Facts(setup, sample=sample)
    facts.wants_deep = True
    return run(rules if rules is not None else choose(all_rules(), ["LIV4"]), facts, subject=subject, allow=allow)
