"""The project's own settings: `[tool.pretune]` in pyproject.toml, or pretune.toml. Knows nothing of flags or Setups.

[tool.pretune]
select = ["VOC", "DAT"]
ignore = ["some-rule"]
fail-on = "warning"
allow.ids-outside-embedding = "the ids above 32000 never occur: see notes.md"
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pretune.check.finding import Level
from pretune.check.rules import matching
from pretune.core.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pretune.check.finding import Rule

KEYS = ("select", "ignore", "fail-on", "allow")
FAIL_ON = (*(level.value for level in Level), "never")
OF_THE_ENGINE = ("rule-crashed", "PT000")
"""Findings that belong to no rule and may be allowed as well."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a project says about its checks.

    Attributes:
        select: codes, beginnings of codes or names; empty: all rules.
        ignore: the same, for rules to leave out.
        fail_on: error, warning, note or never; None: not said.
        allow: rule name or code -> why its findings are fine here.
        file: where it was said; empty: nowhere.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: str | None = None
    allow: Mapping[str, str] = field(default_factory=dict)
    file: str = ""


def find_settings(start: Path, rules: Iterable[Rule]) -> Settings:
    """The settings nearest to `start`: its own folder's first, then each folder's above it.

    In one folder pretune.toml wins; a pyproject.toml without `[tool.pretune]` is passed over.

    Raises:
        UserError: an unknown key or rule, a value of the wrong kind, an allowance without a reason, broken TOML.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        for name in ("pretune.toml", "pyproject.toml"):
            path = folder / name
            table = _table(path)
            if table is not None:
                return read_settings(table, str(path), rules)
    return Settings()


def _table(path: Path) -> Mapping[str, Any] | None:
    """The file's settings; None where there is no such file or it says nothing of pretune."""
    try:
        if not path.is_file():
            return None
        text = path.read_text(encoding="utf-8-sig")
        if path.name == "pyproject.toml" and "pretune" not in text:  # most say nothing, and parsing costs
            return None
        import tomllib  # its import costs more than the search for a file that is seldom there

        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        if path.name == "pyproject.toml":  # somebody else's file: its own tools will say what is wrong with it
            return None
        raise UserError(f"{path} is not TOML: {' '.join(str(error).split())}") from None
    except OSError as error:
        if path.name == "pyproject.toml":
            return None
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    if path.name == "pretune.toml":
        return raw
    tool = raw.get("tool")
    table = tool.get("pretune") if isinstance(tool, Mapping) else None
    if table is not None and not isinstance(table, Mapping):
        raise UserError(f"{path}: tool.pretune must be a table")
    return table


def read_settings(table: Mapping[str, Any], file: str, rules: Iterable[Rule]) -> Settings:
    """The settings that a table says; every rule that it names exists.

    Raises:
        UserError: as `find_settings`.
    """
    rules = tuple(rules)
    for key in table:
        if key not in KEYS:
            near = did_you_mean(key.replace("_", "-"), KEYS)
            raise UserError(f'{file}: unknown key "{key}"', hint=near or f"keys: {', '.join(KEYS)}")
    select, ignore = _words(table, "select", file), _words(table, "ignore", file)
    allow = table.get("allow", {})
    if not isinstance(allow, Mapping):
        raise UserError(f"{file}: allow must be a table of rule names and reasons")
    for name, reason in allow.items():
        if not isinstance(reason, str) or not reason.strip():
            raise UserError(f"{file}: allow.{name} needs a reason", hint=f'allow.{name} = "why it is fine here"')
    for word in (*select, *ignore, *(name for name in allow if name not in OF_THE_ENGINE)):
        try:
            found = matching(rules, word)
        except UserError as error:
            raise UserError(f"{file}: {error.message}", hint=error.hint) from None
        if word in allow and word not in (found[0].name, found[0].code):
            raise UserError(f"{file}: allow.{word} is not a rule's name", hint=f"for one: allow.{found[0].name}")
    fail_on = table.get("fail-on")
    if fail_on is not None and fail_on not in FAIL_ON:
        raise UserError(f"{file}: fail-on is {fail_on!r}", hint=f"one of: {', '.join(FAIL_ON)}")
    return Settings(select, ignore, fail_on, dict(allow), file)


def _words(table: Mapping[str, Any], key: str, file: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise UserError(f'{file}: {key} must be a list of codes or names, such as ["VOC", "DAT1"]')
    return tuple(value)
