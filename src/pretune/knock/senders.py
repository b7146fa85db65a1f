"""knockknock's twelve decorators with its names and keywords, on `when_done`. A dead service is said and stops no run.

`from pretune.knock import slack_sender` takes the place of `from knockknock import slack_sender`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pretune.knock.run import say
from pretune.knock.services import Unusable, entry
from pretune.knock.watch import when_done

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.knock.options import Decorator


def _sender(service: str, **given: Any) -> Decorator:
    """The decorator for one service; what cannot be used is said now, and the function runs, told on the terminal."""
    try:
        return when_done([entry(service, given, os.environ)])
    except Unusable as problem:
        say(f"{problem}; the run goes on, and its end is told where PRETUNE_KNOCK says, or on the terminal")
    except Exception:  # noqa: BLE001 - a strange value must not stop a run
        say(f"{service}: its settings cannot be read; the run goes on")
    return when_done()


def slack_sender(webhook_url: str, channel: str = "", user_mentions: Sequence[str] = ()) -> Decorator:
    """Slack, or anything with a Slack-compatible webhook, on any host.

    Args:
        webhook_url: of the room; https://api.slack.com/messaging/webhooks.
        channel: another room, where the webhook allows to choose.
        user_mentions: ids of users to ping.
    """
    return _sender("slack", webhook_url=webhook_url, channel=channel, user_mentions=user_mentions)


def email_sender(recipient_emails: Sequence[str], sender_email: str | None = None) -> Decorator:
    """E-mail through Gmail; the password of the mailbox stands in `PRETUNE_KNOCK_PASSWORD` or yagmail's keyring.

    Args:
        recipient_emails: who gets it.
        sender_email: whose mailbox sends it; the first recipient's when it is not given.
    """
    return _sender("email", recipient_emails=recipient_emails, sender_email=sender_email)


def telegram_sender(token: str, chat_id: int) -> Decorator:
    """Telegram, by a bot.

    Args:
        token: of the bot.
        chat_id: of the chat.
    """
    return _sender("telegram", token=token, chat_id=chat_id)


def teams_sender(webhook_url: str, user_mentions: Sequence[str] = ()) -> Decorator:
    """Microsoft Teams, by the URL of a channel's workflow; the old connectors have ended, which is said.

    Args:
        webhook_url: of the workflow.
        user_mentions: names to mention.
    """
    return _sender("teams", webhook_url=webhook_url, user_mentions=user_mentions)


def sms_sender(account_sid: str, auth_token: str, recipient_number: str, sender_number: str) -> Decorator:
    """A text message, by Twilio.

    Args:
        account_sid: of the account.
        auth_token: of the account.
        recipient_number: who gets it.
        sender_number: a number of the account.
    """
    return _sender(
        "sms",
        account_sid=account_sid,
        auth_token=auth_token,
        recipient_number=recipient_number,
        sender_number=sender_number,
    )


def discord_sender(webhook_url: str) -> Decorator:
    """Discord.

    Args:
        webhook_url: of the channel.
    """
    return _sender("discord", webhook_url=webhook_url)


def desktop_sender(title: str = "knockknock") -> Decorator:
    """A notification of the desktop, where there is one.

    Args:
        title: its first words.
    """
    return _sender("desktop", title=title)


def matrix_sender(homeserver: str, token: str, room: str) -> Decorator:
    """Matrix; the server is not asked for anything before there is something to tell.

    Args:
        homeserver: with http:// or https://.
        token: of the user that sends.
        room: its alias or id.
    """
    return _sender("matrix", homeserver=homeserver, token=token, room=room)


def chime_sender(webhook_url: str, user_mentions: Sequence[str] = ()) -> Decorator:
    """Amazon Chime, which has ended: this is said, and the function runs.

    Args:
        webhook_url: what it was.
        user_mentions: who was mentioned.
    """
    return _sender("chime", webhook_url=webhook_url, user_mentions=user_mentions)


def dingtalk_sender(
    webhook_url: str, user_mentions: Sequence[str] = (), secret: str = "", keywords: Sequence[str] = ()
) -> Decorator:
    """DingTalk.

    Args:
        webhook_url: of the robot.
        user_mentions: telephone numbers of users to ping.
        secret: with which the robot wants its messages signed.
        keywords: of which the robot wants one in each message.
    """
    return _sender("dingtalk", webhook_url=webhook_url, user_mentions=user_mentions, secret=secret, keywords=keywords)


def rocketchat_sender(  # noqa: PLR0917 - knockknock's
    rocketchat_server_url: str,
    rocketchat_user_id: str,
    rocketchat_auth_token: str,
    channel: str,
    user_mentions: Sequence[str] = (),
    alias: str = "",
) -> Decorator:
    """Rocket.Chat.

    Args:
        rocketchat_server_url: of the server.
        rocketchat_user_id: that of the personal access token.
        rocketchat_auth_token: a personal access token.
        channel: the room.
        user_mentions: names of users to ping.
        alias: the name under which it is posted.
    """
    return _sender(
        "rocketchat",
        rocketchat_server_url=rocketchat_server_url,
        rocketchat_user_id=rocketchat_user_id,
        rocketchat_auth_token=rocketchat_auth_token,
        channel=channel,
        user_mentions=user_mentions,
        alias=alias,
    )


def wechat_sender(
    webhook_url: str, user_mentions: Sequence[str] = (), user_mentions_mobile: Sequence[str] = ()
) -> Decorator:
    """WeCom (WeChat Work).

    Args:
        webhook_url: of the group's robot.
        user_mentions: ids of users to ping.
        user_mentions_mobile: telephone numbers of users to ping.
    """
    return _sender(
        "wechat", webhook_url=webhook_url, user_mentions=user_mentions, user_mentions_mobile=user_mentions_mobile
    )
