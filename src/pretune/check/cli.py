"""The command `pretune check`: flags in, a report out. Engine, facts and rules are imported when it runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pretune.check.options import (
    FAIL_ON,
    MACHINES_FLAGS,
    OUTPUT_FLAGS,
    RULE_FLAGS,
    SCRIPT_FLAGS,
    SETUP_FLAGS,
    TASK_FLAGS,
    TOKEN_FLAGS,
    Command,
)
from pretune.check.output import mend, show
from pretune.check.report import FORMATS
from pretune.core.errors import UserError
from pretune.core.language import say
from pretune.core.output import may_be_written, put

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.check.config import Settings
    from pretune.check.facts import Facts
    from pretune.check.finding import Rule
    from pretune.check.machines import Machines
    from pretune.check.sources.setup import Setup

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

_GIVEN = ("format", "output", "html", "fix", "diff", "show_skipped", "debug", "deep")
_SCRIPT = ("target",)
_RULES = ("select", "ignore", "fail_on", "list", "explain")
_READING = ("sample", "shard", "out", "merge", "scheduler")


@click.command(
    "check",
    cls=Command,
    options_metavar="[OPTIONS]",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="KEY=VALUE: a value is read as JSON where it is JSON, else as a word; a.b=1 reaches into a table. "
    "Exit code: 0 nothing at or above --fail-on, 1 findings, 2 a mistake in the call or the input, 130 Ctrl-C.",
)
@click.argument("subjects", metavar="[MODEL|SETUPFILE|SCRIPT|FOLDER]...", nargs=-1)
@SETUP_FLAGS
@TOKEN_FLAGS
@TASK_FLAGS
@SCRIPT_FLAGS
@RULE_FLAGS
@OUTPUT_FLAGS
@MACHINES_FLAGS
@click.pass_context
def command(ctx: click.Context, /, subjects: tuple[str, ...], **flags: Any) -> None:
    """Find what would spoil a fine-tune before it starts.

    Reads the files of MODEL (a folder or a hub name), all rows of the data and the settings, and loads no weights.
    Without an argument it reads pretune-setup.toml or setup.toml (also .json, .yaml) of the current folder. A flag
    wins over a setup file's key.

    Reads training scripts and notebooks (.py, .ipynb, folders of them, several at once) and what they load, and runs
    nothing. A flag wins over what a script says. `# pretune: allow RULE -- reason` on a line allows a finding there.
    """
    given, rules, reading, script = (
        {name: flags.pop(name) for name in names} for names in (_GIVEN, _RULES, _READING, _SCRIPT)
    )
    form = _one_of("--format", given["format"] or "text", FORMATS)
    _one_of("--fail-on", rules["fail_on"] or "error", FAIL_ON)
    for name in ("output", "html"):  # before a corpus is read
        if given[name]:
            may_be_written(given[name], f"--{name}")
    if rules["list"] or rules["explain"]:
        put(_about_rules({**rules, "output": given["output"]}, form), given["output"], escaped=form == "json")
        ctx.exit(0)
    ctx.exit(_check(subjects, flags, rules=rules, given={**given, **script}, reading=reading, form=form))


def _check(
    subjects: tuple[str, ...],
    flags: dict[str, Any],
    *,
    rules: dict[str, Any],
    given: dict[str, Any],
    reading: dict[str, Any],
    form: str,
) -> int:
    """Check, mend or show what would be mended, write the report; the exit code."""
    if not reading["merge"] and _are_scripts(subjects):
        from pretune.check.script_command import check_files

        chosen, settings = _chosen(rules, without=("live", "deep"))
        fail_on = rules["fail_on"] or settings.fail_on or "error"
        return check_files(
            subjects, flags, rules=chosen, settings=settings, given={**given, **reading}, form=form, fail_on=fail_on
        )
    if given["target"]:
        raise UserError("--target is about scripts, and none is named", hint="pretune check train.py --target ...")
    from pretune.check.engine import run
    from pretune.check.facts import Facts
    from pretune.check.finding import Level
    from pretune.check.machines import asked_of_machines
    from pretune.check.progress import reading_of
    from pretune.corpus.memory import seldom_collected

    machines = asked_of_machines(subjects, flags, reading)
    setup, name, beside, sample = machines.setup, machines.subject, machines.beside, machines.sample
    if not machines.parts:
        (setup, name, beside), sample = _setup(subjects, flags), reading["sample"]
    with seldom_collected(), reading_of(sys.stderr) as read:

        def facts() -> Facts:
            read.end()
            made = Facts(
                setup,
                sample=sample,
                beside=beside,
                progress=read.progress,
                stop=read.stop,
                parts=machines.parts,
                scheduler=machines.scheduler,
            )
            made.wants_deep = given["deep"]
            return made

        if machines.shard is not None:
            return _part(facts(), machines, name, refused={**rules, **given, "debug": False})
        chosen, settings = _chosen(rules, without=("script", "live", *(() if given["deep"] else ("deep",))))
        report = run(chosen, facts(), subject=name, allow=settings.allow, debug=given["debug"])
        if (given["diff"] or given["fix"]) and not read.stopped:
            report = mend(report, given, lambda: run(chosen, facts(), subject=name, allow=settings.allow))
    if not given["diff"]:
        show(report, form, given["output"], verbose=given["show_skipped"])
    if given["html"]:
        from pretune.check.report.html import render

        put(render(report, verbose=given["show_skipped"]), given["html"])
    if read.stopped:
        return INTERRUPTED
    fail_on = rules["fail_on"] or settings.fail_on or "error"
    return 0 if fail_on == "never" or not report.at_least(Level(fail_on)) else 1


def _are_scripts(subjects: tuple[str, ...]) -> bool:
    """Whether a script, a notebook or a folder of them is named."""
    from pretune.check.script_files import is_script

    return any(map(is_script, subjects))


def _part(facts: Facts, machines: Machines, subject: str, *, refused: dict[str, Any]) -> int:
    """Read one shard and write it; the exit code."""
    from pretune.check.finding import Unavailable
    from pretune.check.machines import about, without_report

    without_report(refused)
    from pretune.check.facts.corpus import shard_bytes
    from pretune.corpus.parts import write_part
    from pretune.corpus.scan import Shard

    assert machines.shard is not None
    try:
        data = shard_bytes(facts, Shard(*machines.shard), about(facts, subject=subject))
    except Unavailable as why:
        raise UserError(f"there is nothing to read: {why.reason}", hint="name data: --data FILES") from None
    if facts.stop():
        click.echo(say(f"stopped: {machines.out} was not written"), err=True)
        return INTERRUPTED
    write_part(machines.out, data)
    return 0


def _setup(subjects: tuple[str, ...], flags: dict[str, Any]) -> tuple[Setup, str, tuple[str, ...]]:
    """The Setup, its name, and the tokenizers that are put beside its own."""
    from pretune.check.sources.flags import beside_of, setup_from_flags
    from pretune.check.sources.setup_file import setup_file_in

    if len(subjects) > 1:
        raise UserError(
            f"one model or setup file can be checked at a time, found {len(subjects)}: {' '.join(subjects[:3])}",
            hint="data files stand behind --data; several tokenizers are --tokenizer A --tokenizer B",
        )
    subject = subjects[0] if subjects else None
    if subject is not None and flags.get("model") is not None:
        raise UserError(
            f"--model is {flags['model']}, and {subject} is named as well",
            hint="--model says a script's model: pretune check train.py --model NAME",
        )
    tokenizers: tuple[str, ...] = tuple(flags.pop("tokenizer"))
    alone = subject is None and setup_file_in(Path()) is None
    main, beside = (tokenizers[:1], tokenizers[1:]) if alone or len(tokenizers) == 1 else ((), tokenizers)
    setup, name = setup_from_flags(subject, {"tokenizer": main[0] if main else None, **flags})
    return setup, name, beside_of(setup, beside)


def _chosen(flags: dict[str, Any], *, without: tuple[str, ...]) -> tuple[tuple[Rule, ...], Settings]:
    """The rules to ask, from flags and settings: --select replaces `select`, --ignore adds to `ignore`.

    Args:
        flags: those of the rules.
        without: facts that this kind of check never has; who selects rules that need them is told why they are skipped.
    """
    from pretune.check.config import find_settings
    from pretune.check.rules import all_rules, select, suited

    known = all_rules()
    settings = find_settings(Path.cwd(), known)
    wanted = _words(flags["select"]) or settings.select
    chosen = select(known, wanted, (*settings.ignore, *_words(flags["ignore"])))
    return chosen if wanted else suited(chosen, without=without), settings


def _about_rules(flags: dict[str, Any], form: str) -> str:
    """What --list and --explain show."""
    from pretune.check.report.rule_page import fitted, page, table
    from pretune.check.rules import all_rules, matching, select
    from pretune.draw.console import width_for

    width = None if flags["output"] else width_for(sys.stdout)
    if flags["explain"]:
        found = matching(all_rules(), flags["explain"])
        return table(found, width) if len(found) > 1 else fitted(page(found[0]), width)
    rules = select(all_rules(), _words(flags["select"]), _words(flags["ignore"]))
    if form != "json":
        return table(rules, width)
    import json

    told = [{"code": rule.code, "name": rule.name, "level": rule.level, "claim": rule.claim} for rule in rules]
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def _one_of(flag: str, word: str, known: Sequence[str]) -> str:
    from pretune.core.errors import did_you_mean

    if word not in known:
        raise UserError(f'{flag}: unknown "{word}"', hint=did_you_mean(word, known) or f"one of: {', '.join(known)}")
    return word


def _words(given: Sequence[str]) -> tuple[str, ...]:
    """`("VOC,DAT1", "TRN")` as `("VOC", "DAT1", "TRN")`."""
    return tuple(word.strip() for words in given for word in words.split(",") if word.strip())
