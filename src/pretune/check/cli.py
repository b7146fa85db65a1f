"""The command `pretune check`: flags in, a report out. Engine, facts and rules are imported when it runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from pretune.check.options import (
    FAIL_ON,
    FORMATS,
    MACHINES_FLAGS,
    OUTPUT_FLAGS,
    RULE_FLAGS,
    SETUP_FLAGS,
    TASK_FLAGS,
    TOKEN_FLAGS,
    Sections,
)
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pretune.check.config import Settings
    from pretune.check.engine import Report
    from pretune.check.facts import Facts
    from pretune.check.finding import Rule
    from pretune.check.machines import Machines
    from pretune.check.sources.setup import Setup

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

_GIVEN = ("format", "output", "html", "fix", "diff", "show_skipped", "debug")
_RULES = ("select", "ignore", "fail_on", "list", "explain")
_READING = ("sample", "shard", "out", "merge", "scheduler")


@click.command(
    "check",
    cls=Sections,
    options_metavar="[OPTIONS]",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="KEY=VALUE: a value is read as JSON where it is JSON, else as a word; a.b=1 reaches into a table. "
    "Exit code: 0 nothing at or above --fail-on, 1 findings, 2 a mistake in the call or the input, 130 Ctrl-C.",
)
@click.argument("subjects", metavar="[MODEL|SETUPFILE|FOLDER]", nargs=-1)
@SETUP_FLAGS
@TOKEN_FLAGS
@TASK_FLAGS
@RULE_FLAGS
@OUTPUT_FLAGS
@MACHINES_FLAGS
@click.pass_context
def command(ctx: click.Context, /, subjects: tuple[str, ...], **flags: Any) -> None:
    """Find what would spoil a fine-tune before it starts.

    Reads the files of MODEL (a folder or a hub name), all rows of the data and the settings, and loads no weights.
    Without an argument it reads pretune-setup.toml or setup.toml (also .json, .yaml) of the current folder. A flag
    wins over a setup file's key.
    """
    given, rules, reading = ({name: flags.pop(name) for name in names} for names in (_GIVEN, _RULES, _READING))
    form = _one_of("--format", given["format"] or "text", FORMATS)
    _one_of("--fail-on", rules["fail_on"] or "error", FAIL_ON)
    if rules["list"] or rules["explain"]:
        _put(_about_rules(rules, form), given["output"], escaped=form == "json")
        ctx.exit(0)
    ctx.exit(_check(subjects, flags, rules=rules, given=given, reading=reading, form=form))


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
    from pretune.check.engine import run
    from pretune.check.facts import Facts
    from pretune.check.finding import Level
    from pretune.check.machines import asked_of_machines
    from pretune.check.progress import reading_of

    machines = asked_of_machines(subjects, flags, reading)
    setup, name, beside, sample = machines.setup, machines.subject, machines.beside, machines.sample
    if not machines.parts:
        (setup, name, beside), sample = _setup(subjects, flags), reading["sample"]
    with reading_of(sys.stderr) as read:

        def facts() -> Facts:
            read.end()
            return Facts(
                setup,
                sample=sample,
                beside=beside,
                progress=read.progress,
                stop=read.stop,
                parts=machines.parts,
                scheduler=machines.scheduler,
            )

        if machines.shard is not None:
            return _part(facts(), machines, name, refused={**rules, **given, "debug": False})
        chosen, settings = _chosen(rules)
        report = run(chosen, facts(), subject=name, allow=settings.allow, debug=given["debug"])
        if (given["diff"] or given["fix"]) and not read.stopped:
            report = _mend(report, given, lambda: run(chosen, facts(), subject=name, allow=settings.allow))
    if not given["diff"]:
        _show(report, form, given["output"], verbose=given["show_skipped"])
    if given["html"]:
        from pretune.check.report.html import render

        _put(render(report, verbose=given["show_skipped"]), given["html"])
    if read.stopped:
        return INTERRUPTED
    fail_on = rules["fail_on"] or settings.fail_on or "error"
    return 0 if fail_on == "never" or not report.at_least(Level(fail_on)) else 1


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
        click.echo(f"stopped: {machines.out} was not written", err=True)
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
    tokenizers: tuple[str, ...] = tuple(flags.pop("tokenizer"))
    alone = subject is None and setup_file_in(Path()) is None
    main, beside = (tokenizers[:1], tokenizers[1:]) if alone or len(tokenizers) == 1 else ((), tokenizers)
    setup, name = setup_from_flags(subject, {"tokenizer": main[0] if main else None, **flags})
    return setup, name, beside_of(setup, beside)


def _mend(report: Report, given: dict[str, Any], again: Any) -> Report:
    """Make the safe fixes, or show them; the report afterwards."""
    from pretune.check import fix

    planned = fix.plan(report.findings)
    if given["fix"] and not given["diff"]:
        planned = fix.make(planned)
    _say(_told(planned, made=not given["diff"]))
    if given["diff"]:
        _put(fix.diff(planned.edits), given["output"])
        return report
    mended: Report = again() if planned.edits else report
    return mended


def _chosen(flags: dict[str, Any]) -> tuple[tuple[Rule, ...], Settings]:
    """The rules to ask, from flags and settings: --select replaces `select`, --ignore adds to `ignore`."""
    from pretune.check.config import find_settings
    from pretune.check.rules import all_rules, select

    known = all_rules()
    settings = find_settings(Path.cwd(), known)
    wanted = _words(flags["select"]) or settings.select
    return select(known, wanted, (*settings.ignore, *_words(flags["ignore"]))), settings


def _about_rules(flags: dict[str, Any], form: str) -> str:
    """What --list and --explain show."""
    from pretune.check.report.rule_page import page, table
    from pretune.check.rules import all_rules, matching, select

    if flags["explain"]:
        found = matching(all_rules(), flags["explain"])
        return page(found[0]) if len(found) == 1 else table(found)
    rules = select(all_rules(), _words(flags["select"]), _words(flags["ignore"]))
    if form != "json":
        return table(rules)
    import json

    told = [{"code": rule.code, "name": rule.name, "level": rule.level, "claim": rule.claim} for rule in rules]
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def _show(report: Report, form: str, output: str | None, *, verbose: bool) -> None:
    """The report to the file, the terminal or the pipe."""
    from pretune.check.report import render

    if form == "text" and output in (None, "-"):
        from pretune.check.report import terminal, text
        from pretune.draw.terminal import can_draw

        stream: TextIO = sys.stdout
        if terminal.is_wanted(stream):
            terminal.write(report, stream, verbose=verbose)
        else:
            _put(text.render(report, verbose=verbose, plain=not can_draw(stream)), output)
        return
    _put(render(report, form, verbose=verbose), output, escaped=form in {"json", "sarif"})


def _told(planned: Any, *, made: bool) -> Iterator[str]:
    """What was mended and what was not, a line each."""
    for edit in planned.edits if made else ():
        yield f"fixed {edit.file}: {'; '.join(edit.titles)}"
    if not planned.edits:
        yield "nothing to fix" if not planned.refused else "nothing that can be fixed safely"
    for refusal in planned.refused:
        yield f"not fixed: {refusal.title}: {refusal.reason}"


def _put(text: str, output: str | None, *, escaped: bool = False) -> None:
    """The text to stdout, or to a file that is never half-written; `escaped`: JSON writes what stdout lacks."""
    if output in (None, "-"):
        sys.stdout.write(_encodable(text, getattr(sys.stdout, "encoding", None) or "utf-8", escaped=escaped))
        sys.stdout.flush()
        return
    from pretune.core.files import write_atomically

    path, data = Path(output), text.encode("utf-8", "backslashreplace")  # \udXXX, which JSON reads as well
    try:
        if path.exists() and not path.is_file():  # /dev/stdout, a pipe
            path.write_bytes(data)
        else:
            write_atomically(path, data)
    except OSError as error:
        raise UserError(f"{output} cannot be written: {error.strerror}") from None


def _encodable(text: str, encoding: str, *, escaped: bool) -> str:
    """The text with escapes for the characters that a stream in EUC-KR, ASCII or latin-1 lacks."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        if not escaped:
            return text.encode(encoding, "backslashreplace").decode(encoding)
        import json
        import re

        return re.sub(r"[^\x00-\x7f]", lambda found: json.dumps(found[0])[1:-1], text)
    return text


def _say(lines: Iterator[str]) -> None:
    """Words go to stderr; stdout carries data."""
    from pretune.check.report.place import one_line

    for line in lines:
        click.echo(one_line(line), err=True)


def _one_of(flag: str, word: str, known: Sequence[str]) -> str:
    from pretune.core.errors import did_you_mean

    if word not in known:
        raise UserError(f'{flag}: unknown "{word}"', hint=did_you_mean(word, known) or f"one of: {', '.join(known)}")
    return word


def _words(given: Sequence[str]) -> tuple[str, ...]:
    """`("VOC,DAT1", "TRN")` as `("VOC", "DAT1", "TRN")`."""
    return tuple(word.strip() for words in given for word in words.split(",") if word.strip())
