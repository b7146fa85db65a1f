"""API: are names, arguments and methods of the libraries there in the version the script is to run under?

The versions stand in script/history_data, made from the released packages. What the script guards (a `try` that
catches, a test of a version) is left alone; so is what only a run would know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.api_fixes import mended
from pretune.check.rules.api_wording import coming, gone, met, moved, named, target_of
from pretune.check.rules.wording import shown
from pretune.core.errors import did_you_mean
from pretune.script.history import history, minor
from pretune.script.history_range import runs_with
from pretune.script.history_uses import guarded
from pretune.script.trace import Imported

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.finding import Rule
    from pretune.script.history import Life


@rule("API001", Level.ERROR)
def name_gone(script: ScriptFacts) -> Iterator[Problem]:
    """The script uses a name that the library no longer has.

    Why: `ImportError: cannot import name 'AdamW' from 'transformers'`: nothing of the script runs.
    Fix: use what replaces it, or pin the older version.
    """
    for use, target, status in met(script, "name"):
        if status == "gone":
            yield gone(use, target)


@rule("API002", Level.ERROR)
def name_not_yet_there(script: ScriptFacts) -> Iterator[Problem]:
    """The script uses a name that came with a later version of the library.

    Why: it is an ImportError before anything runs.
    Fix: update the library.
    """
    for use, target, status in met(script, "name", "module"):
        if status == "not yet":
            yield coming(use, target)


@rule("API003", Level.ERROR)
def module_moved(script: ScriptFacts) -> Iterator[Problem]:
    """The script imports a module that has moved or is gone.

    Why: `ModuleNotFoundError: No module named 'transformers.modeling_bert'`: code of 2020 stops at its first lines.
    Fix: import the name from the package itself (`from transformers import ...`), or the module from where it is now.
    """
    for use, target, status in met(script, "module"):
        if status == "gone":
            yield gone(use, target, help=moved(use, target))


@rule("API004", Level.ERROR)
def pipeline_task_gone(script: ScriptFacts) -> Iterator[Problem]:
    """pipeline() is asked for a task that it no longer, or not yet, knows.

    Why: it is a KeyError: transformers 5 took question answering, summarization and translation out of pipeline().
    Fix: load the model and call it, or pin the older version.
    """
    for use, target, status in met(script, "task"):
        if status == "gone":
            yield gone(use, target)
        elif status == "not yet":
            yield coming(use, target)


@rule("API005", Level.ERROR)
def argument_gone(script: ScriptFacts) -> Iterator[Problem]:
    """An argument that the called class or function no longer takes.

    Why: `TypeError: __init__() got an unexpected keyword argument 'evaluation_strategy'`.
    Fix: write what replaces it.
    """
    for use, target, status in met(script, "argument"):
        if status == "gone" and not use.swallowed_at(target) and not _is_gone(use.within, target):
            yield gone(use, target)


@rule("API006", Level.ERROR)
def argument_not_yet_there(script: ScriptFacts) -> Iterator[Problem]:
    """An argument that came with a later version of the library.

    Why: it is a TypeError where it is called.
    Fix: use the older name, or update the library.
    """
    for use, target, status in met(script, "argument"):
        if status == "not yet" and not use.swallowed_at(target) and not _is_gone(use.within, target, "not yet"):
            yield coming(use, target)


@rule("API007", Level.WARNING)
def argument_ignored(script: ScriptFacts) -> Iterator[Problem]:
    """An argument that went, but is swallowed in silence by `**kwargs`.

    Why: `tokenizer(text, pad_to_max_length=True)` pads nothing since transformers 5.0, and says nothing.
    Fix: write what replaces it.
    """
    for use, target, status in met(script, "argument"):
        if status == "gone" and use.swallowed_at(target):
            level = None if use.name in ("pad_to_max_length", "is_pretokenized") else Level.NOTE
            yield gone(use, target, so=": it is taken and does nothing", level=level)
    for call in script.trace.calls("transformers.AutoTokenizer.from_pretrained"):
        target = target_of(script, "transformers")
        if target and minor(target) >= (5, 0) and call.constant(None, "use_fast") is False:
            yield Problem(
                f"use_fast=False does nothing since transformers 5.0, and the script is to run under {target}: the "
                "tokenizer is the fast one",
                where=str(call.place),
                help="leave it out, or pin transformers below 5 where the slow tokenizer is needed",
                level=Level.NOTE,
            )


@rule("API008", Level.NOTE)
def deprecated_here(script: ScriptFacts) -> Iterator[Problem]:
    """Something works in this version, but the library warns that it will go.

    Why: the same script stops after an update; the warning drowns in the others.
    Fix: write what replaces it.
    """
    for use, target, status in met(script, "argument", "method", "name"):
        if status == "deprecated":
            until = f", and is gone since {use.life.until}" if use.life.until else ""
            message = f"{use.shown} is deprecated since {named(use, use.life.deprecated)}{until}"
            yield Problem(message, where=str(use.event.place), help=use.life.note, fix=mended(use, target))


@rule("API009", Level.ERROR)
def method_gone(script: ScriptFacts) -> Iterator[Problem]:
    """A method is called that the library's class no longer, or not yet, has.

    Why: it is an AttributeError, often only after the model was loaded: `tokenizer.encode_plus` went with
    transformers 5.
    Fix: call what replaces it.
    """
    for use, target, status in met(script, "method"):
        if status == "gone":
            yield gone(use, target)
        elif status == "not yet":
            yield coming(use, target)


@rule("API010", Level.ERROR)
def uses_without_common_version(script: ScriptFacts) -> Iterator[Problem]:
    """No version of the library has everything that the script uses.

    Why: two parts were written for different versions, often copied from two tutorials: the script can never have
    run.
    Fix: bring the older part up to date.
    """
    for reach in runs_with(script.trace).values():
        old, new = reach.above, reach.below
        if not reach.empty or old is None or new is None:
            continue
        last = old.life.until
        if new.life.status_at(last) == "not yet" or new.life.since == last:
            yield Problem(
                f"no version of {reach.package} has both {old.shown} (gone since {last}) and {new.shown} "
                f"(there since {new.life.since})",
                where=str(old.event.place),
                help=old.life.note,
                also=(str(new.event.place),),
            )


def _is_gone(life: Life | None, target: str, status: str = "gone") -> bool:
    """Whether what an argument belongs to is gone itself, of which another rule speaks."""
    return life is not None and life.status_at(target) == status


@rule("API016", Level.ERROR)
def name_of_no_version(script: ScriptFacts) -> Iterator[Problem]:
    """The script imports from transformers a name that no version of it has.

    Why: it is an ImportError before anything runs; often a class of somebody's own repository, or a slip in the name.
    Fix: correct the name, or import it from where it is defined.
    """
    target, known = target_of(script, "transformers"), history("transformers")
    if not target or minor(target) > minor(known.versions[-1]):
        return
    for event in script.trace.events:
        if not isinstance(event, Imported):
            continue
        name = event.name.removeprefix("transformers.")
        if not name.isidentifier() or name == event.name or event.bound == "*" or guarded(event):
            continue
        if name[:1].isupper() and known.name(name) is None:
            yield Problem(
                f"no version of transformers from {known.versions[0]} to {known.versions[-1]} has {shown(name)}",
                where=str(event.place),
                help=did_you_mean(name, known.names_at(target)),
            )


RULES: tuple[Rule, ...] = (
    name_gone,
    name_not_yet_there,
    module_moved,
    pipeline_task_gone,
    argument_gone,
    argument_not_yet_there,
    argument_ignored,
    deprecated_here,
    method_gone,
    uses_without_common_version,
    name_of_no_version,
)
