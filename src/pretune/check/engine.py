"""Puts the rules to the facts and gathers a Report. Knows neither what the facts are nor how a report is shown."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pretune.check.finding import Finding, Level, Unavailable, stamp
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pretune.check.finding import Facts, Rule
    from pretune.corpus.figures import Profile

CRASHED = "PT000"
STALE = "PT001"
UNKNOWN = "PT002"
NO_REASON = "PT003"
OF_THE_ENGINE = (
    (CRASHED, "rule-crashed", "A rule crashed; the others went on.", Level.WARNING),
    (STALE, "stale-allowance", "A finding is allowed that is not there any more.", Level.NOTE),
    (UNKNOWN, "unknown-rule-allowed", "A comment allows a rule that does not exist.", Level.WARNING),
    (NO_REASON, "allowance-without-reason", "A comment allows a rule and says no reason.", Level.WARNING),
)
"""Code, name, claim and level of what no rule finds."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A rule that could not be asked, and why."""

    code: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Runs:
    """With which versions of a package a script can run.

    Attributes:
        file: the script.
        package: `transformers`.
        first: the oldest version, `4.41`; empty: there is none.
        last: the newest, `4.45`; empty: there is none.
        specifier: as pip has it: `transformers>=4.41,<4.46`, or only the package; empty: there is none.
        sentence: the same as a person says it, with what bounds it.
        bounded: whether the script holds it; else it is all versions that are known.
    """

    file: str
    package: str
    first: str
    last: str
    specifier: str
    sentence: str
    bounded: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, what was allowed, and what could not be asked.

    Attributes:
        subject: what was checked, in the user's words.
        findings: gravest first, then in the order of the rules.
        allowed: findings the user allowed by name, with the reason given.
        skipped: rules that could not be asked, and why.
        asked: the rules that were asked.
        remarks: what the user should know of where the facts came from (the hub's cache, when the hub did not answer).
        profile: how the tokenizers read the data; None without data, or where they cannot be read as a whole.
        code: place -> the line of source there, for places in scripts and notebooks; secrets are masked.
        runs: the versions that each script can run with, a line each.
        failed: why files could not be read, a line each.
    """

    subject: str
    findings: tuple[Finding, ...] = ()
    allowed: tuple[tuple[Finding, str], ...] = ()
    skipped: tuple[Skipped, ...] = ()
    asked: tuple[Rule, ...] = field(default=(), repr=False)
    remarks: tuple[str, ...] = ()
    profile: Profile | None = None
    code: Mapping[str, str] = field(default_factory=dict, repr=False)
    runs: tuple[Runs, ...] = ()
    failed: tuple[str, ...] = ()

    def count(self, level: Level) -> int:
        """How many findings have exactly this level."""
        return sum(finding.level is level for finding in self.findings)

    def at_least(self, level: Level) -> tuple[Finding, ...]:
        """The findings of this level or graver."""
        return tuple(finding for finding in self.findings if finding.level.rank >= level.rank)

    @property
    def ok(self) -> bool:
        """True when nothing is an error."""
        return not self.at_least(Level.ERROR)

    def raise_for_errors(self) -> None:
        """Raise UserError naming the errors, if there are any."""
        errors = self.at_least(Level.ERROR)
        if errors:
            names = ", ".join(dict.fromkeys(finding.name for finding in errors))
            raise UserError(f"{len(errors)} error(s): {names}", hint=errors[0].message, exit_code=1)

    def __repr__(self) -> str:
        """One line; `str` and `print` show the report as a pipe has it."""
        from pretune.draw.visible import one_line

        counts = [(self.count(level), level.value) for level in Level]
        told = ", ".join(f"{count} {name}{'s' * (count > 1)}" for count, name in counts if count)
        return f"Report({one_line(self.subject)}: {told or 'nothing found'})"

    def __str__(self) -> str:
        """The report as plain text."""
        from pretune.check.report import render

        return render(self)

    def _repr_html_(self) -> str:
        """How a notebook shows the report."""
        from pretune.check.notebook import page_fragment

        return page_fragment(self.subject, self.findings, self.skipped, self.profile)


def run(
    rules: Iterable[Rule],
    facts: Facts,
    *,
    subject: str = "",
    allow: Mapping[str, str] | None = None,
    debug: bool = False,
) -> Report:
    """Ask each rule whose facts can be had; name those that could not be asked, and why.

    Args:
        rules: the questions, in the order in which their answers are shown.
        facts: an object whose attributes are the facts, each read on first use; its `remarks` go into the report.
        subject: what is checked, for the report's title.
        allow: rule name or code -> why its findings are fine here. One that matches nothing is itself a finding.
        debug: let a crash inside a rule add its traceback to the finding.

    Raises:
        UserError: a fact could not be read because the input is not what it claims to be.
    """
    allow = dict(allow or {})
    findings: list[Finding] = []
    allowed: list[tuple[Finding, str]] = []
    skipped: list[Skipped] = []
    asked: list[Rule] = []
    crashed: dict[str, str] = {}
    for rule in rules:
        try:
            given = {need: _had(facts, need, crashed) for need in rule.needs}
        except Unavailable as why:
            skipped.append(Skipped(rule.code, rule.name, why.reason))
            continue
        try:
            answers = _answers(rule, given, debug=debug)
        except Unavailable as why:  # a part of a fact that only this rule asks for
            skipped.append(Skipped(rule.code, rule.name, why.reason))
            continue
        asked.append(rule)
        left, fine = allowed_by(allow, answers)
        findings += left
        allowed += fine
    profile = None
    if "corpus" in getattr(facts, "__dict__", {}):  # a rule asked for the data
        with suppress(Unavailable):
            profile = _had(facts, "profile", crashed)
    findings += [
        _crash(f"the fact {name}", detail if debug else detail.splitlines()[0]) for name, detail in crashed.items()
    ]
    findings += stale(allow, allowed, asked)
    findings.sort(key=lambda finding: -finding.level.rank)
    remarks = tuple(getattr(facts, "remarks", ()))
    return Report(subject, tuple(findings), tuple(allowed), tuple(skipped), tuple(asked), remarks, profile)


def _had(facts: Facts, name: str, crashed: dict[str, str]) -> Any:
    """The fact of this name. One that crashes is noted in `crashed`, and is from then on a fact that cannot be had."""
    if name not in crashed:
        try:
            return getattr(facts, name)
        except (Unavailable, UserError):
            raise
        except Exception as error:  # noqa: BLE001 - a bug in one fact must not take the other rules with it
            crashed[name] = f"{type(error).__name__}: {error}\n{_trace()}"
    raise Unavailable(f"reading {name} failed")


def _answers(rule: Rule, given: Mapping[str, Any], *, debug: bool) -> list[Finding]:
    """What the rule finds. A rule that crashes becomes a finding about itself and stops nothing."""
    try:
        return [stamp(rule, problem) for problem in rule.ask(**given)]
    except (Unavailable, UserError):
        raise
    except Exception as error:  # noqa: BLE001 - the one place where a rule's own bug is caught
        detail = f"{type(error).__name__}: {error}"
        return [_crash(f"the rule {rule.name}", f"{detail}\n{_trace()}" if debug else detail)]


def _trace() -> str:
    import traceback  # only a crash needs it

    return traceback.format_exc()


def _crash(what: str, detail: str) -> Finding:
    return Finding(
        code=CRASHED,
        name="rule-crashed",
        level=Level.WARNING,
        message=f"{what} crashed: {detail}",
        where="",
        help="report it with what `pretune check --debug` says; the other rules went on",
    )


def allowed_by(
    allow: Mapping[str, str], findings: Iterable[Finding]
) -> tuple[list[Finding], list[tuple[Finding, str]]]:
    """The findings that an allow table leaves, and those it allows, each with the reason."""
    reasons = [(finding, allow.get(finding.name) or allow.get(finding.code) or "") for finding in findings]
    left = [finding for finding, reason in reasons if not reason]
    return left, [(finding, reason) for finding, reason in reasons if reason]


def stale(allow: Mapping[str, str], allowed: Sequence[tuple[Finding, str]], asked: Iterable[Rule]) -> list[Finding]:
    """A finding for each allowance of a rule that was asked and found nothing."""
    used = {finding.name for finding, _ in allowed} | {finding.code for finding, _ in allowed}
    known = {word for rule in asked for word in (rule.name, rule.code)}
    return [
        Finding(
            code=STALE,
            name="stale-allowance",
            level=Level.NOTE,
            message=f"{name} is allowed but found nothing here",
            where="",
            help="remove it from the allow table",
        )
        for name in allow
        if name in known and name not in used
    ]
