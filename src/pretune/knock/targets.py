"""Where messages go: an Apprise URL, a webhook URL, or a name from ~/.config/pretune/knock.toml. Sends nothing.

default = ["team"]
[targets]
me = "tgram://TOKEN/CHAT"
team = { url = "https://hooks.slack.com/services/T/B/X", channel = "#runs", mentions = ["U012AB"] }
"""

from __future__ import annotations

import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pretune.core.errors import UserError, did_you_mean
from pretune.knock.desktop import missing
from pretune.knock.services import SERVICES, Unusable, entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

VARIABLE = "PRETUNE_KNOCK"
_NATIVE = re.compile(
    r"(discord(app)?\.com/api/webhooks/[^/]+/[^/]+/?$|chat\.googleapis\.com/|qyapi\.weixin\.qq\.com/|ntfy\.sh/"
    r"|\.logic\.azure\.com|\.powerplatform\.com|\.webhook\.office\.com/|open\.feishu\.cn/|open\.larksuite\.com/)"
)


@dataclass(frozen=True, slots=True)
class Target:
    """One place to send to.

    Attributes:
        kind: `slack` for Slack-compatible webhooks, `apprise`, or `desktop`.
        url: where; a secret.
        label: what it may be called in words.
        channel: Slack's channel, where the webhook allows to choose; may be empty.
        mentions: ids of people to ping.
        words: what else has to be in each message, such as a keyword; of a desktop, its title.
    """

    kind: str
    url: str
    label: str
    channel: str = ""
    mentions: tuple[str, ...] = ()
    words: str = ""

    def to_json(self) -> dict[str, Any]:
        """As the spool keeps it."""
        return asdict(self)


def from_json(value: Mapping[str, Any]) -> Target:
    """What `to_json` gave."""
    return Target(**{**value, "mentions": tuple(value["mentions"])})


def config_file(environment: Mapping[str, str]) -> Path:
    """Where the names are kept."""
    base = environment.get("XDG_CONFIG_HOME") or Path(environment.get("HOME") or Path.home()) / ".config"
    return Path(base) / "pretune" / "knock.toml"


def resolve(named: Iterable[str | Mapping[str, Any]], environment: Mapping[str, str]) -> tuple[list[Target], list[str]]:
    """The targets of a run, and a sentence for each that cannot be used.

    Args:
        named: what was asked for; with nothing, `PRETUNE_KNOCK` counts, then the file's `default`.
        environment: of the run.
    """
    mistakes: list[str] = []
    asked: list[Any] = list(named)
    config: dict[str, Any] = {}
    try:
        config = _read(config_file(environment))
    except UserError as error:
        mistakes.append(error.message)
    if not asked:
        asked = re.split(r"[\s,]+(?=[\w.+-]+(?:://|[\s,]|$))", environment.get(VARIABLE, "").strip())
        asked = [part for part in asked if part]
    if not asked:
        default = config.get("default", [])
        asked = [default] if isinstance(default, str) else list(default) if isinstance(default, list) else []
    names = config.get("targets", {})
    if not isinstance(names, dict):
        mistakes.append("knock.toml: targets is no table")
        names = {}
    found: list[Target] = []
    for each in asked:
        try:
            target = _target(each, names)
        except UserError as error:
            mistakes.append(error.message + (f" ({error.hint})" if error.hint else ""))
            continue
        if target.url not in {other.url for other in found}:
            found.append(target)
    return found, mistakes


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}") from None


def _target(asked: str | Mapping[str, Any], names: Mapping[str, Any]) -> Target:
    if not isinstance(asked, str):
        return _described(asked)
    if asked == "desktop":
        return _described({"service": "desktop"})
    if "://" not in asked:
        found = names.get(asked)
        if isinstance(found, str):
            found = {"url": found}
        if not isinstance(found, dict):
            shown = asked if len(asked) < 30 else "it"
            raise UserError(
                f'"{shown}" is neither a URL nor a name in knock.toml',
                hint=did_you_mean(asked, names)
                or (f"names there: {', '.join(names)}" if names else "no name is there"),
            )
        return _described({**found, "label": asked})
    return Target(_kind(asked), asked, _label(asked))


def _described(asked: Mapping[str, Any]) -> Target:
    """A target from its parts, or from one of knockknock's services and its parameters."""
    if "service" in asked:
        name = str(asked["service"])
        if name not in SERVICES:
            raise UserError(f'"{name[:30]}" is no service', hint=did_you_mean(name, SERVICES) or ", ".join(SERVICES))
        given = {key: value for key, value in asked.items() if key not in ("service", "label")}
        try:
            asked = {**entry(name, given, os.environ), "label": str(asked.get("label") or name)}
        except Unusable as error:
            raise UserError(str(error)) from None
    url = asked.get("url")
    if not isinstance(url, str) or not url:
        raise UserError("a target has no url", hint='expected name = { url = "…" } in knock.toml')
    kind = str(asked.get("kind") or "")
    if kind == "desktop":
        if why := missing(os.environ):
            raise UserError(f"desktop: {why}")
    elif kind != "apprise":
        kind = kind if _kind(url) and kind == "slack" else _kind(url)
    mentions = asked.get("mentions") or ()
    people = (
        mentions.split(",") if isinstance(mentions, str) else mentions if isinstance(mentions, list | tuple) else ()
    )
    return Target(
        kind,
        url,
        str(asked.get("label") or _label(url)),
        str(asked.get("channel") or ""),
        tuple(str(name).strip() for name in people),
        str(asked.get("words") or ""),
    )


def _kind(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = bool(parts.netloc) and (parts.port is None or parts.port >= 0)
    except ValueError:
        usable = False
    if not usable or any(letter.isspace() for letter in url):
        raise UserError("a target's URL cannot be read", hint="expected scheme://host/…")
    return "slack" if parts.scheme in ("http", "https") and not _NATIVE.search(url) else "apprise"


def _label(url: str) -> str:
    """What may be said of a URL: its host for a webhook, its scheme for the rest, whose host may be a token."""
    parts = urlsplit(url)
    return (parts.hostname or parts.scheme) if parts.scheme in ("http", "https") else parts.scheme


def usable(environment: Mapping[str, str] | None = None, *names: str | Mapping[str, Any]) -> list[Target]:
    """The targets for `names`, at least one.

    Raises:
        UserError: one of them cannot be used, or there is none.
    """
    found, mistakes = resolve(names, os.environ if environment is None else environment)
    if mistakes:
        raise UserError(mistakes[0])
    if not found:
        raise UserError("no target", hint=f"name one, or set {VARIABLE}, or `default` in knock.toml")
    return found
