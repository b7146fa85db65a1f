"""knockknock's decorators by its names: the same keywords in the same order, and a dead service stops nothing."""

import inspect

import pytest

from knock.webhook import Webhook
from pretune import knock
from pretune.knock import enter
from pretune.knock.services import SERVICES

# the signatures of knockknock 0.1.8.1, read from its wheel; what has a default there ends with =
THEIRS = {
    "chime_sender": "webhook_url user_mentions=",
    "desktop_sender": "title=",
    "dingtalk_sender": "webhook_url user_mentions= secret= keywords=",
    "discord_sender": "webhook_url",
    "email_sender": "recipient_emails sender_email=",
    "matrix_sender": "homeserver token room",
    "rocketchat_sender": "rocketchat_server_url rocketchat_user_id rocketchat_auth_token channel user_mentions= alias=",
    "slack_sender": "webhook_url channel user_mentions=",
    "sms_sender": "account_sid auth_token recipient_number sender_number",
    "teams_sender": "webhook_url user_mentions=",
    "telegram_sender": "token chat_id",
    "wechat_sender": "webhook_url user_mentions= user_mentions_mobile=",
}
GIVEN = {
    "homeserver": "https://matrix.example.org",
    "rocketchat_server_url": "https://chat.example.org",
    "recipient_emails": ["a@example.org"],
    "chat_id": 123,
}


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    """A home of its own, no target."""
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    for name in ("PRETUNE_KNOCK", "RANK", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    enter._begun.clear()


@pytest.mark.parametrize("name", sorted(THEIRS))
def test_signature(name):
    """Every call that knockknock took is taken: the same names in the same order, with defaults where it had them."""
    assert f"{name.removesuffix('_sender')}" in SERVICES
    parameters = inspect.signature(getattr(knock, name)).parameters
    assert list(parameters) == [word.rstrip("=") for word in THEIRS[name].split()]
    for word in THEIRS[name].split():
        if word.endswith("="):
            assert parameters[word.rstrip("=")].default is not inspect.Parameter.empty
    assert all(each.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for each in parameters.values())


@pytest.mark.parametrize("name", sorted(THEIRS))
def test_nothing_is_sent_when_decorating(name, capsys):
    """With the needed keywords each gives a decorator, without a connection; what has ended is one sentence."""
    words = [word for word in THEIRS[name].split() if not word.endswith("=")]
    given = {word: GIVEN.get(word, "https://127.0.0.1:9/x?access_token=t&key=k") for word in words}
    watched = getattr(knock, name)(**given)(lambda value: value)
    assert callable(watched)
    said = capsys.readouterr().err
    assert said.count("\n") == (1 if name in ("chime_sender", "email_sender") else 0)
    assert "127.0.0.1" not in said


def test_slack_with_its_channel_and_mentions():
    """The channel is passed on and the mentioned are pinged."""
    with Webhook() as hook:

        @knock.slack_sender(webhook_url=hook.url, channel="runs", user_mentions=["U1", "<@U2>"])
        def train():
            return 3

        assert train() == 3
        text = hook.wait("finished: train()")
        assert "<@U1>" in text
        assert "<@U2>" in text
        assert hook.bodies[-1]["channel"] == "runs"


def test_a_service_that_has_ended_stops_nothing(capsys):
    """Chime and Teams' connectors: a sentence at once, and the function runs."""
    chime = knock.chime_sender(webhook_url="https://hooks.chime.aws/incomingwebhooks/x?token=verysecret")
    teams = knock.teams_sender("https://example.webhook.office.com/webhookb2/verysecret")
    said = capsys.readouterr().err
    assert "ended" in said
    assert said.count("the run goes on") == 2
    assert "verysecret" not in said
    assert chime(lambda: 1)() == 1
    assert teams(lambda: 2)() == 2


def test_strange_values_stop_nothing(capsys):
    """What knockknock would have failed on at the first message is a sentence here."""
    for watch in (
        knock.slack_sender(None, None),
        knock.telegram_sender(token="", chat_id=None),
        knock.sms_sender("", "", "", ""),
    ):
        assert watch(lambda: 1)() == 1
    assert capsys.readouterr().err.count("the run goes on") == 3
