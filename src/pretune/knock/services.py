"""The twelve services of knockknock with its names for their parameters, as targets. Sends nothing, loads nothing.

`SERVICES` is what the command line and the functions of that name take. Amazon Chime has ended, and so have the
webhooks of Teams' old connectors: both are said, and stop no run.
"""

from __future__ import annotations

TYPE_CHECKING = False  # the command line reads the table, and `typing` costs milliseconds
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

SERVICES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "chime": (("webhook_url",), ("user_mentions",)),
    "desktop": ((), ("title",)),
    "dingtalk": (("webhook_url",), ("user_mentions", "secret", "keywords")),
    "discord": (("webhook_url",), ()),
    "email": (("recipient_emails",), ("sender_email",)),
    "matrix": (("homeserver", "token", "room"), ()),
    "rocketchat": (
        ("rocketchat_server_url", "rocketchat_user_id", "rocketchat_auth_token", "channel"),
        ("user_mentions", "alias"),
    ),
    "slack": (("webhook_url",), ("channel", "user_mentions")),
    "sms": (("account_sid", "auth_token", "recipient_number", "sender_number"), ()),
    "teams": (("webhook_url",), ("user_mentions",)),
    "telegram": (("token", "chat_id"), ()),
    "wechat": (("webhook_url",), ("user_mentions", "user_mentions_mobile")),
}
"""Service -> the parameters it needs, and those it may have."""
LISTS = ("user_mentions", "user_mentions_mobile", "keywords", "recipient_emails")
"""Parameters that hold several words, on the command line separated by commas."""
PASSWORD = "PRETUNE_KNOCK_PASSWORD"  # noqa: S105 - the name of a variable
"""Environment variable with the password of the mailbox that e-mail is sent from."""


class Unusable(ValueError):  # noqa: N818 - a state of a service, told in one sentence
    """The service cannot be used so; the text is one sentence without secrets."""


def entry(service: str, given: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The target, as `targets.resolve` takes it: `kind`, `url`, `label`, `channel`, `mentions`, `words`.

    Args:
        service: a name of `SERVICES`.
        given: its parameters as knockknock calls them; lists, or texts with commas.
        environment: where an e-mail's password may stand.

    Raises:
        Unusable: a parameter is missing, or the service cannot be had any more.
    """
    needed, possible = SERVICES[service]
    given = {name: value for name, value in given.items() if value not in (None, "", [], ())}
    for name in needed:
        if name not in given:
            raise Unusable(f"{service} needs {name}")
    for name in given:
        if name not in needed + possible:
            raise Unusable(f"{service} has no {name}")
    values = {name: _list(value) if name in LISTS else str(value) for name, value in given.items()}
    made: dict[str, Any] = {"slack": _slack, "desktop": _desktop, "email": _email}.get(service, _apprise)(
        service, values, environment or {}
    )
    return {"label": service, **made}


def _list(value: Any) -> list[str]:
    parts = value.split(",") if isinstance(value, str) else [str(part) for part in value]
    return [part.strip() for part in parts if part.strip()]


def _slack(service: str, values: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    del service, environment
    return {
        "kind": "slack",
        "url": values["webhook_url"],
        "channel": values.get("channel", ""),
        "mentions": values.get("user_mentions", []),
    }


def _desktop(service: str, values: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    del service, environment
    return {"kind": "desktop", "url": "desktop", "words": values.get("title", "")}


def _email(service: str, values: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Gmail, as knockknock had it; any other mailbox is a mailto:// target."""
    del service
    sender = values.get("sender_email") or values["recipient_emails"][0]
    password = environment.get(PASSWORD) or _remembered(sender)
    if not password:
        raise Unusable(f"email needs the password of the sender's mailbox in {PASSWORD}, or name a mailto:// target")
    from urllib.parse import urlencode

    query = {
        "smtp": "smtp.gmail.com",
        "user": sender,
        "pass": password,
        "from": sender,
        "to": ",".join(values["recipient_emails"]),
        "mode": "starttls",
    }
    return {"kind": "apprise", "url": "mailtos://smtp.gmail.com:587?" + urlencode(query)}


def _remembered(sender: str) -> str | None:
    """The password that knockknock's mailer (yagmail) put into the keyring, where there is one."""
    try:
        import keyring  # type: ignore[import-not-found, unused-ignore]  # only where it is installed

        value: str | None = keyring.get_password("yagmail", sender)
    except Exception:  # noqa: BLE001 - keyrings without a desktop fail in many ways
        return None
    return value


def _apprise(service: str, values: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    del environment
    from urllib.parse import parse_qs, quote, urlsplit

    def safe(name: str) -> str:
        return quote(str(values[name]), safe="")

    mentions = values.get("user_mentions", [])
    made: dict[str, Any] = {"kind": "apprise"}
    if service == "chime":
        raise Unusable("chime: Amazon has ended Chime, its webhooks reach nobody")
    if service == "telegram":
        return {**made, "url": f"tgram://{quote(values['token'], safe=':')}/{safe('chat_id')}/"}
    if service == "sms":
        end = f"{safe('sender_number')}/{safe('recipient_number')}"
        return {**made, "url": f"twilio://{safe('account_sid')}:{safe('auth_token')}@{end}"}
    if service in ("matrix", "rocketchat"):
        name = "homeserver" if service == "matrix" else "rocketchat_server_url"
        parts = urlsplit(values[name] if "://" in values[name] else "https://" + values[name])
        scheme = ("matrix" if service == "matrix" else "rocket") + ("s" if parts.scheme == "https" else "")
        if not parts.netloc:
            raise Unusable(f"{service}: {name} is no address")
        if service == "matrix":
            return {**made, "url": f"{scheme}://{safe('token')}@{parts.netloc}/{safe('room')}"}
        who = f"{safe('rocketchat_user_id')}:{safe('rocketchat_auth_token')}"
        room = values["channel"] if values["channel"][0] in "#@" else "#" + values["channel"]
        url = f"{scheme}://{who}@{parts.netloc}/{quote(room, safe='@')}?mode=token"
        return {**made, "url": url, "mentions": ["@" + name.lstrip("@") for name in mentions]}
    parts = urlsplit(values["webhook_url"])
    query = parse_qs(parts.query)
    if service == "dingtalk":
        token = query.get("access_token", [""])[0]
        if not token:
            raise Unusable("dingtalk: webhook_url has no access_token")
        secret = f"{safe('secret')}@" if values.get("secret") else ""
        phones = "/".join(quote(phone, safe="") for phone in mentions)
        words = " ".join(values.get("keywords", []))
        return {**made, "url": f"dingtalk://{secret}{quote(token, safe='')}/{phones}", "words": words}
    if service == "wechat":
        key = query.get("key", [""])[0]
        if not key:
            raise Unusable("wechat: webhook_url has no key")
        names = [*mentions, *values.get("user_mentions_mobile", [])]
        return {**made, "url": f"wecombot://{quote(key, safe='')}", "mentions": [f"<@{name}>" for name in names]}
    if service == "teams" and (parts.hostname or "").endswith("webhook.office.com"):
        raise Unusable("teams: Microsoft has ended these connectors; make a workflow for the channel and use its URL")
    return {"url": values["webhook_url"], "mentions": mentions}
