"""The words of `pretune knock`: its own options, knockknock's services with theirs, and where the command begins.

The first word that is no option of ours starts the command, which keeps all its own; a program that is called like a
service is run after `--`. Read by hand: argparse or click would cost more than the whole supervisor may.
"""

from __future__ import annotations

from pretune.knock.services import LISTS, SERVICES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FLAGS = {"--no-start": ("start", False), "--strict": ("strict", True), "--verbose": ("verbose", True)}
VALUES = ("--to", "--linger", "--stall", "--heartbeat")
"""Options with a value, and above them those without."""
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Mistake(Exception):  # noqa: N818 - it is the person's, shown in one line
    """The command line cannot be read."""


def seconds(text: str) -> float:
    """`90`, `90s`, `30m`, `2h`, `1d` in seconds.

    Raises:
        Mistake: it is no such thing.
    """
    unit = _UNITS.get(text[-1:].lower())
    try:
        value = float(text[:-1] if unit else text) * (unit or 1.0)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise Mistake(f'expected a time such as 90, 30m or 2h, found "{text}"')
    return value


def parse(arguments: list[str]) -> tuple[list[str], dict[str, Any]]:
    """The command, and the plan for the messenger.

    Raises:
        Mistake: an option of ours lacks its value or is unknown, or there is no command.
    """
    plan: dict[str, Any] = {"targets": []}
    words = list(arguments)
    service: dict[str, Any] | None = None
    while words:
        word = words[0]
        if service is None and word in SERVICES:
            service = {"service": words.pop(0)}
            plan["targets"].append(service)
            continue
        if not word.startswith("-") or word == "-":
            break
        name, given, value = words.pop(0).partition("=")
        if name == "--" and not given:
            break
        if name in FLAGS and not given:
            key, setting = FLAGS[name]
            plan[key] = setting
            continue
        key = name.removeprefix("--").replace("-", "_")
        theirs = service is not None and key in sum(SERVICES[service["service"]], ())
        if name not in VALUES and not theirs:
            of = f" {service['service']}" if service is not None else ""
            raise Mistake(f"{name} is no option of pretune knock{of}; -- may stand before the command")
        if not given:
            if not words:
                raise Mistake(f"{name} needs a value")
            value = words.pop(0)
        if theirs and service is not None:
            service[key] = [part for part in value.split(",") if part] if key in LISTS else value
        elif name == "--to":
            plan["targets"].append(value)
        else:
            plan[key] = value if key == "heartbeat" else seconds(value)
    if service is not None:
        missing = [name for name in SERVICES[service["service"]][0] if not service.get(name)]
        if missing:
            raise Mistake(f"{service['service']} needs --{missing[0].replace('_', '-')}")
    if not words:
        raise Mistake("no command to run")
    return words, plan
