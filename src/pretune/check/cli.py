"""The command `pretune check`: flags in, a report out. Engine, facts and rules are imported when it runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pretune.check.config import Settings
    from pretune.check.engine import Report
    from pretune.check.finding import Rule

FORMATS = ("text", "concise", "json", "sarif")
FAIL_ON = ("error", "warning", "note", "never")


class _Sections(click.Command):
    """A command whose help shows its options in sections."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record:
                sections.setdefault(getattr(parameter, "section", "Output"), []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


class _Option(click.Option):
    """An option that knows the section of the help it stands in."""

    def __init__(self, *names: Any, section: str, **keys: Any) -> None:
        super().__init__(*names, **keys)
        self.section = section


def _options(section: str, *options: tuple[str, dict[str, Any]]) -> Callable[[Any], Any]:
    """Decorate a command with the options of one section of its help, in this order."""

    def decorate(command: Any) -> Any:
        for names, keys in reversed(options):
            command = click.option(*names.split(), cls=_Option, section=section, **keys)(command)
        return command

    return decorate


def _pair(metavar: str, help_: str) -> dict[str, Any]:
    return {"metavar": metavar, "multiple": True, "help": help_}


SETUP_FLAGS = _options(
    "Model and tokenizer",
    ("--tokenizer", {"metavar": "NAME", "help": "A folder or hub name, when it is not the model's own."}),
    ("--tokenizer-kwargs", _pair("KEY=VALUE", "Given to the tokenizer's from_pretrained.")),
    ("--model-class", {"metavar": "CLASS", "help": "AutoModelForQuestionAnswering, BertModel, ..."}),
    ("--config", _pair("KEY=VALUE", "A config key given to from_pretrained.")),
    ("--config-update", _pair("KEY=VALUE", "A key set on the loaded config.")),
    ("--from-pretrained", _pair("KEY=VALUE", "ignore_mismatched_sizes, dtype, trust_remote_code, ...")),
    ("--model-kwargs", _pair("KEY=VALUE", "Further arguments of the model's from_pretrained.")),
    ("--peft", _pair("KEY=VALUE", "r, target_modules, modules_to_save, ...")),
)
TOKEN_FLAGS = _options(
    "Added tokens",
    ("--add-tokens", _pair("WORD", "A word given to add_tokens; once for each.")),
    ("--add-special-tokens", _pair("WORD", "A special token that is added; once for each.")),
    ("--pad-token", {"metavar": "WORD", "help": "What pad_token is set to; eos_token means the eos token."}),
    (
        "--resize",
        {
            "metavar": "[N|multiple=N]",
            "is_flag": False,
            "flag_value": "true",
            "help": "Resize the embeddings: to the tokenizer's length, to N rows, or up to a multiple of N.",
        },
    ),
)
TASK_FLAGS = _options(
    "Task, data and training",
    ("--task", {"metavar": "TASK", "help": "question-answering, text-classification, causal-lm, chat-sft, ..."}),
    ("--data --train", _pair("FILE", "A training file; once for each.")),
    ("--eval", _pair("FILE", "An evaluation file; once for each.")),
    ("--column", _pair("KEY=NAME", "What a column is called in the files: text=document, label=label.")),
    ("--encode", _pair("KEY=VALUE", "truncation, max_length, stride, padding.")),
    ("--append-eos/--no-append-eos", {"default": None, "help": "Whether each example ends in the eos token."}),
    ("--training-args", _pair("KEY=VALUE", "A Hugging Face TrainingArguments name.")),
    (
        "--sample",
        {"metavar": "N", "type": click.IntRange(min=1), "default": 2000, "help": "Rows looked at of each file [2000]."},
    ),
)
RULE_FLAGS = _options(
    "Rules",
    ("--select", _pair("RULES", "Ask only these: names, codes or their beginnings, with commas (VOC,DAT1).")),
    ("--ignore", _pair("RULES", "Leave these out.")),
    ("--fail-on", {"metavar": "LEVEL", "help": "Exit with 1 at error, warning, note or never [error]."}),
    ("--list", {"is_flag": True, "help": "Show every rule and end."}),
    ("--explain", {"metavar": "RULE", "help": "Show a rule's page and end."}),
)
OUTPUT_FLAGS = _options(
    "Output",
    ("--format", {"metavar": "FORMAT", "help": "text, concise, json or sarif [text]."}),
    ("--output", {"metavar": "FILE", "help": "Write the report there instead of to stdout."}),
    ("--fix", {"is_flag": True, "help": "Make the safe fixes, then report what is left."}),
    ("--diff", {"is_flag": True, "help": "Show what --fix would change, and change nothing."}),
    ("-v --show-skipped", {"is_flag": True, "help": "Name the rules that were not asked."}),
    ("--debug", {"is_flag": True, "help": "Show tracebacks."}),
)


@click.command(
    "check",
    cls=_Sections,
    options_metavar="[OPTIONS]",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="KEY=VALUE: a value is read as JSON where it is JSON, else as a word; a.b=1 reaches into a table. "
    "Exit code: 0 nothing at or above --fail-on, 1 findings, 2 a mistake in the call or the input.",
)
@click.argument("subject", metavar="[MODEL|SETUPFILE|FOLDER]", required=False)
@SETUP_FLAGS
@TOKEN_FLAGS
@TASK_FLAGS
@RULE_FLAGS
@OUTPUT_FLAGS
@click.pass_context
def command(ctx: click.Context, /, subject: str | None, **flags: Any) -> None:
    """Find what would spoil a fine-tune before it starts.

    Reads the files of MODEL (a folder or a hub name), the data and the settings, and loads no weights. Without an
    argument it reads pretune-setup.toml or setup.toml (also .json, .yaml) of the current folder. A flag wins over
    a setup file's key.
    """
    given = {name: flags.pop(name) for name in ("format", "output", "fix", "diff", "show_skipped", "debug", "sample")}
    rules = {name: flags.pop(name) for name in ("select", "ignore", "fail_on", "list", "explain")}
    form = _one_of("--format", given["format"] or "text", FORMATS)
    _one_of("--fail-on", rules["fail_on"] or "error", FAIL_ON)
    if rules["list"] or rules["explain"]:
        _put(_about_rules(rules, form), given["output"])
        ctx.exit(0)
    ctx.exit(_check(subject, flags, rules, given, form))


def _check(subject: str | None, flags: dict[str, Any], rules: dict[str, Any], given: dict[str, Any], form: str) -> int:
    """Check, mend or show what would be mended, write the report; the exit code."""
    from pretune.check.engine import run
    from pretune.check.facts import Facts
    from pretune.check.finding import Level
    from pretune.check.sources.flags import setup_from_flags

    chosen, settings = _chosen(rules)
    setup, name = setup_from_flags(subject, flags)

    def check() -> Report:
        facts = Facts(setup, sample=given["sample"])
        return run(chosen, facts, subject=name, allow=settings.allow, debug=given["debug"])

    report = check()
    if given["diff"] or given["fix"]:
        from pretune.check import fix

        planned = fix.plan(report.findings)
        if given["fix"] and not given["diff"]:
            planned = fix.make(planned)
        _say(_told(planned, made=not given["diff"]))
        if given["diff"]:
            _put(fix.diff(planned.edits), given["output"])
        elif planned.edits:
            report = check()
    if not given["diff"]:
        _show(report, form, given["output"], verbose=given["show_skipped"])
    fail_on = rules["fail_on"] or settings.fail_on or "error"
    return 0 if fail_on == "never" or not report.at_least(Level(fail_on)) else 1


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
        from pretune.check.report import terminal

        stream: TextIO = sys.stdout
        if terminal.is_wanted(stream):
            terminal.write(report, stream, verbose=verbose)
            return
    _put(render(report, form, verbose=verbose), output)


def _told(planned: Any, *, made: bool) -> Iterator[str]:
    """What was mended and what was not, a line each."""
    for edit in planned.edits if made else ():
        yield f"fixed {edit.file}: {'; '.join(edit.titles)}"
    if not planned.edits:
        yield "nothing to fix" if not planned.refused else "nothing that can be fixed safely"
    for refusal in planned.refused:
        yield f"not fixed: {refusal.title}: {refusal.reason}"


def _put(text: str, output: str | None) -> None:
    """The text to stdout, or to a file that is never half-written."""
    if output in (None, "-"):
        sys.stdout.write(text)
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
