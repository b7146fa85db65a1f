"""Be told when a run is done, or died. Nothing is imported before it is used, so that importing this costs nothing."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pretune.knock.callbacks import TrainerCallback
    from pretune.knock.lightning import LightningCallback
    from pretune.knock.run import Run
    from pretune.knock.senders import (
        chime_sender,
        desktop_sender,
        dingtalk_sender,
        discord_sender,
        email_sender,
        matrix_sender,
        rocketchat_sender,
        slack_sender,
        sms_sender,
        teams_sender,
        telegram_sender,
        wechat_sender,
    )
    from pretune.knock.watch import progress, watching, when_done

__all__ = [
    "LightningCallback",
    "Run",
    "TrainerCallback",
    "chime_sender",
    "desktop_sender",
    "dingtalk_sender",
    "discord_sender",
    "email_sender",
    "matrix_sender",
    "progress",
    "rocketchat_sender",
    "slack_sender",
    "sms_sender",
    "teams_sender",
    "telegram_sender",
    "watching",
    "wechat_sender",
    "when_done",
]
_HOMES = {
    "LightningCallback": "lightning",
    "Run": "run",
    "TrainerCallback": "callbacks",
    "progress": "watch",
    "watching": "watch",
    "when_done": "watch",
}


def __getattr__(name: str) -> Any:
    """The names of `__all__`, each imported when it is first used (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"pretune.knock.{_HOMES.get(name, 'senders')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """What there is, imported or not."""
    return sorted({*globals(), *__all__})
