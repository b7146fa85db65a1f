"""`pretune check` of scripts and notebooks: flags in, a report out. The command line's other half is cli.py."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pretune.check.output import mend, say, show
from pretune.core.errors import UserError
from pretune.core.output import put

if TYPE_CHECKING:
    from pretune.check.config import Settings
    from pretune.check.engine import Report
    from pretune.check.finding import Rule
    from pretune.check.sources.setup_keys import Said

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""
_MACHINES = ("shard", "out", "scheduler")


def check_files(
    subjects: tuple[str, ...],
    flags: dict[str, Any],
    *,
    rules: tuple[Rule, ...],
    settings: Settings,
    given: dict[str, Any],
    form: str,
    fail_on: str,
) -> int:
    """Check scripts, mend them or show what would be mended, write the report.

    Args:
        subjects: scripts, notebooks, folders.
        flags: the flags of the setup.
        rules: what is asked.
        settings: the project's own.
        given: the flags of the output, of the reading and of scripts.
        form: the report's format.
        fail_on: from which level on the exit code is 1.

    Returns:
        The exit code: 2 where a file could not be read, whatever was found in the others.

    Raises:
        UserError: flags that do not go together; something that is no script.
    """
    from pretune.check.finding import Level
    from pretune.check.progress import reading_of
    from pretune.check.rules import all_rules
    from pretune.check.script_files import script_files
    from pretune.check.scripts import Asked, check_scripts, targets

    files = script_files(subjects)
    asked = Asked(
        rules=rules,
        known=all_rules(),
        allow=settings.allow,
        target=targets(given["target"]),
        over=_over(flags, given),
        sample=given["sample"],
        debug=given["debug"],
    )
    subject = subjects[0] if len(subjects) == 1 else f"{len(files)} scripts"
    with reading_of(sys.stderr) as read:

        def check() -> Report:
            read.end()
            return check_scripts(files, asked, subject=subject, progress=read.progress, stop=read.stop)

        report = check()
        if (given["diff"] or given["fix"]) and not read.stopped:
            report = mend(report, given, check)
    say(f"pretune: {line}" for line in report.failed)
    if not given["diff"]:
        show(report, form, given["output"], verbose=given["show_skipped"])
    if given["html"]:
        from pretune.check.report.html import render

        put(render(report, verbose=given["show_skipped"]), given["html"])
    if read.stopped:
        return INTERRUPTED
    if report.failed:
        return 2
    return 0 if fail_on == "never" or not report.at_least(Level(fail_on)) else 1


def _over(flags: dict[str, Any], given: dict[str, Any]) -> Said:
    """What the flags say over a script.

    Raises:
        UserError: a flag that a script has no use for; a flag that cannot be understood.
    """
    from pretune.check.sources.flags import said_by_flags

    machines = [f"--{name}" for name in _MACHINES if given[name] is not None]
    if machines:
        raise UserError(
            f"{machines[0]} is about data, and scripts are read on one machine", hint="pretune check MODEL --data FILES"
        )
    if given["deep"]:
        raise UserError(
            "--deep loads a model, and scripts are only read",
            hint="pretune check MODEL --task TASK --data FILES --deep",
        )
    tokenizers = flags.get("tokenizer") or ()
    if len(tokenizers) > 1:
        raise UserError(
            f"a script has one tokenizer, found {len(tokenizers)}: {', '.join(tokenizers[:3])}",
            hint="several are compared without a script: pretune check MODEL --tokenizer A --tokenizer B",
        )
    return said_by_flags({**flags, "tokenizer": tokenizers[0] if tokenizers else None})
