"""What is sent to whom: knockknock's twelve services, Apprise's answers judged, sizes, mentions."""

import json

import pytest

from knock.runs import home, run, spool_of, until
from knock.webhook import Webhook
from pretune.core.errors import UserError
from pretune.knock import by_apprise, live
from pretune.knock.grammar import Mistake, parse, seconds
from pretune.knock.message import Message
from pretune.knock.outcome import Outcome, answered, retry_after
from pretune.knock.send import send
from pretune.knock.services import SERVICES, Unusable, entry
from pretune.knock.slack import payload
from pretune.knock.targets import Target, resolve

GIVEN = {
    "dingtalk": {"webhook_url": "https://oapi.dingtalk.com/robot/send?access_token=abc123", "secret": "SEC1",
                 "user_mentions": "15012345678", "keywords": "train,run"},
    "discord": {"webhook_url": "https://discord.com/api/webhooks/123456/abcdefgh"},
    "email": {"recipient_emails": "a@b.co,c@d.co", "sender_email": "me@gmail.com"},
    "matrix": {"homeserver": "https://matrix.example.org:8448", "token": "syt_abc/=", "room": "#room:example.org"},
    "rocketchat": {"rocketchat_server_url": "http://127.0.0.1:3000", "rocketchat_user_id": "uid",
                   "rocketchat_auth_token": "a/b", "channel": "general", "user_mentions": "me,you", "alias": "x"},
    "slack": {"webhook_url": "http://127.0.0.1/services/a", "channel": "runs", "user_mentions": "U1,U2"},
    "sms": {"account_sid": "AC" + "0" * 32, "auth_token": "1" * 32, "recipient_number": "+15557654321",
            "sender_number": "+15551234567"},
    "teams": {"webhook_url": "https://prod-1.westus.logic.azure.com:443/workflows/abc0123/triggers/manual/paths/invoke"
                             "?api-version=2016-06-01&sp=x&sv=1.0&sig=zzz", "user_mentions": "me"},
    "telegram": {"token": "123456789:AAabcdefghijklmnopqrstuvwxyz012345", "chat_id": -10042},
    "wechat": {"webhook_url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=abc-def", "user_mentions": "@all",
               "user_mentions_mobile": ["1501"]},
}  # fmt: skip
CLASSES = {"dingtalk": "NotifyDingTalk", "discord": "NotifyDiscord", "email": "NotifyEmail", "matrix": "NotifyMatrix",
           "rocketchat": "NotifyRocketChat", "sms": "NotifyTwilio", "teams": "NotifyWorkflows",
           "telegram": "NotifyTelegram", "wechat": "NotifyWeComBot"}  # fmt: skip


@pytest.mark.parametrize("service", sorted(GIVEN))
def test_services(service, monkeypatch):
    """Each service with knockknock's parameters becomes a target that the library behind it knows."""
    monkeypatch.setenv("PRETUNE_KNOCK_PASSWORD", "pw")
    found, mistakes = resolve([{"service": service, **GIVEN[service]}], {})
    assert mistakes == []
    assert found[0].label == service
    if service == "slack":
        assert (found[0].kind, found[0].channel, found[0].mentions) == ("slack", "runs", ("U1", "U2"))
        return
    import apprise

    made = apprise.Apprise.instantiate(found[0].url, suppress_exceptions=True)
    assert type(made).__name__ == CLASSES[service]
    if service == "dingtalk":
        assert found[0].words == "train run"
        assert made.targets == ["15012345678"]
    if service == "rocketchat":
        assert found[0].mentions == ("@me", "@you")
        assert (made.user, made.password, made.channels) == ("uid", "a/b", ["general"])
    if service == "matrix":
        assert (made.user or None, made.password, made.rooms) == (None, "syt_abc/=", ["#room:example.org"])
    if service == "wechat":
        assert found[0].mentions == ("<@@all>", "<@1501>")


def test_every_service_of_knockknock_is_there():
    """All twelve names."""
    assert sorted({*GIVEN, "chime", "desktop"}) == sorted(SERVICES)


@pytest.mark.parametrize(
    ("service", "given", "said"),
    [
        ("chime", {"webhook_url": "https://hooks.chime.aws/x"}, "has ended Chime"),
        ("teams", {"webhook_url": "https://x.webhook.office.com/webhookb2/secret"}, "has ended these connectors"),
        ("email", {"recipient_emails": ["a@b.co"]}, "PRETUNE_KNOCK_PASSWORD"),
        ("slack", {}, "needs webhook_url"),
        ("slack", {"webhook_url": "http://h/x", "colour": "red"}, "has no colour"),
        ("dingtalk", {"webhook_url": "https://h/secret"}, "no access_token"),
        ("wechat", {"webhook_url": "https://h/secret"}, "no key"),
        ("matrix", {"homeserver": "https://", "token": "secret", "room": "r"}, "no address"),
    ],
)
def test_services_that_cannot_be_used(service, given, said):
    """A service that has ended or lacks something is one sentence without secrets."""
    with pytest.raises(Unusable, match=said) as error:
        entry(service, given)
    assert "secret" not in str(error.value).replace("access_token", "")
    found, mistakes = resolve([{"service": service, **given}], {})
    assert found == []
    assert said in mistakes[0]


@pytest.mark.parametrize(
    ("line", "command", "targets"),
    [
        ("sleep 10", ["sleep", "10"], []),
        ("--to a --to=b -- x --to c", ["x", "--to", "c"], ["a", "b"]),
        ("slack --webhook-url U --channel C sleep 10", ["sleep", "10"], None),
        ("slack --channel C --webhook-url=U -- slack --channel D", ["slack", "--channel", "D"], None),
        ("--verbose telegram --token T --chat-id -5 x", ["x"], None),
        ("- x", ["-", "x"], []),
        ("-- --strange", ["--strange"], []),
        ("--no-start --stall 30m env A=b x --no-start", ["env", "A=b", "x", "--no-start"], []),
    ],
)
def test_grammar(line, command, targets):
    """Our options end where the command begins; the command keeps all its own."""
    found, plan = parse(line.split())
    assert found == command
    if targets is not None:
        assert plan["targets"] == targets


def test_lists_in_the_grammar():
    """What knockknock takes with commas is a list."""
    _, plan = parse("email --recipient-emails a@b,c@d --sender-email e@f x".split())
    assert plan["targets"] == [{"service": "email", "recipient_emails": ["a@b", "c@d"], "sender_email": "e@f"}]


@pytest.mark.parametrize(("text", "value"), [("90", 90), ("90s", 90), ("1.5m", 90), ("2h", 7200), ("1d", 86400)])
def test_times(text, value):
    """Seconds, or a number with its unit."""
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "m", "-1", "nan", "inf", "1w"])
def test_no_times(text):
    """Anything else is a mistake."""
    with pytest.raises(Mistake):
        seconds(text)


@pytest.mark.parametrize(
    ("fault", "state"),
    [("ok", "delivered"), ("404", "refused"), ("400", "refused"), ("429 7", "later"), ("500", "later"),
     ("redirect", "later"), ("reset", "unclear"), ("garbage", "unclear"), ("slow", "unclear")],
)  # fmt: skip
def test_apprise_is_judged_by_what_was_answered(fault, state):
    """An Apprise target that refuses for good is not tried for ever, one that is down is, Retry-After is read."""
    with Webhook(fault) as hook:
        found, _ = resolve([f"json://{hook.host}/verysecret"], {})
        outcome = send(found[0], Message("t", "b"), patience=10)
        assert outcome.state == state
        assert "verysecret" not in outcome.why
        assert outcome.wait == (7 if fault == "429 7" else 0)
        assert len(hook.bodies) == 1


def test_apprise_in_a_run(tmp_path):
    """A run tells its end to an Apprise target; what is refused for good leaves the spool."""
    with Webhook("ok") as good, Webhook("404") as bad:
        environment = home(tmp_path)
        line = ["--no-start", "--to", f"json://{good.host}/x", "--to", f"json://{bad.host}/x"]
        run(environment, *line, "sh", "-c", "sleep 1; exit 3")
        assert "exit code 3" in good.wait("failed")
        bad.wait("failed")
        until(lambda: not spool_of(tmp_path))
        assert len(bad.bodies) == 1


def test_a_picture_goes_where_it_can(tmp_path):
    """A service that takes attachments gets the plot."""
    with Webhook() as hook:
        message = Message("t", "b", picture="iVBORw0KGgo=")
        assert send(Target("apprise", f"json://{hook.host}/x", "l"), message).state == "delivered"
        assert hook.bodies[0]["attachments"][0]["mimetype"] == "image/png"


@pytest.mark.parametrize("most", [140, 160, 1000, 2000, 4096, 32768])
@pytest.mark.parametrize("letter", ["x", "가", "😀", "\n", '"'])
def test_sizes_of_platforms(most, letter):
    """Title, body and tail of any size fit what the platform takes and 16 KiB; the end of the tail is kept where there is room."""
    target = Target("apprise", "u", "l", mentions=("@me",), words="keyword")
    message = Message("failed: " + letter * 500, letter * 700, letter * 50000 + " the end", good=False)
    for longest_title in (0, 250):
        title, body = by_apprise.text(target, message, "[late] ", most=most, longest_title=longest_title)
        assert len(body) <= most
        assert len(title) <= longest_title
        assert len(json.dumps({"title": title, "message": body}).encode()) < 16384
        assert "@me" in body
        assert "keyword" in body
        assert most < 400 or body.endswith("the end")


@pytest.mark.parametrize("letter", ["x", "가", "😀", "<", "&", "\n"])
def test_slack_keeps_mentions_and_tail(letter):
    """However long title, body and tail are, the explicit mentions ping, nothing else does, and the end is there."""
    target = Target("slack", "u", "l", channel="c", mentions=("U1", "<!here>", "channel"))
    message = Message(
        f"failed: @everyone <!channel> {letter * 9000}", f"<@U9> {letter * 9000}", letter * 90000 + "```<!here>\nend"
    )
    made = payload(target, message)
    assert len(json.dumps(made)) < 16384
    assert len(made["text"]) <= 4000
    assert "<@U1> <!here> <!channel>" in made["text"]
    rest = made["text"].replace("<@U1> <!here> <!channel>", "")
    assert "<!" not in rest
    assert "<@" not in rest
    assert "@everyone" not in rest
    assert rest.endswith("end\n```")


@pytest.mark.parametrize(
    "text",
    [
        "@everyone",
        "x@everyone",
        "@here",
        "<!channel>",
        "<@U1>",
        "<#C1>",
        "<users/all>",
        '<at id="all">',
        "@all",
        "@channel",
    ],
)
def test_mentions_of_any_platform_are_neutralised(text):
    """What a platform would take for a call to people is no longer one."""
    _, body = by_apprise.text(Target("apprise", "u", "l"), Message(text, text, text), "", most=2000, longest_title=0)
    assert text not in body


def test_answers():
    """Only what may change is worth another try; Retry-After is seconds or a date, bounded."""
    assert answered(204).state == "delivered"
    assert [answered(code).state for code in (400, 401, 403, 404, 410, 413)] == ["refused"] * 6
    assert [answered(code).state for code in (301, 408, 425, 429, 500, 502, 503)] == ["later"] * 7
    assert answered(429, {"retry-after": "12"}) == Outcome("later", "answered 429", 12)
    assert retry_after({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    assert retry_after({"Retry-After": "Fri, 31 Dec 2999 23:59:59 GMT"}) == 86400
    for garbage in ("", "soon", "nan", "-5", "1e400"):
        assert retry_after({"Retry-After": garbage}) in (0, 86400)


def test_progress_is_edited_in_place(monkeypatch):
    """On Discord a second message of progress edits the first; elsewhere it waits ten minutes."""
    with Webhook() as hook:
        monkeypatch.setitem(live.API, "discord", f"http://{hook.host}")
        monkeypatch.setattr("knock.webhook.GOOD", b'{"id": "77"}')
        shown = live.Live(Target("apprise", "https://discord.com/api/webhooks/1/abc", "l"))
        for step in ("1", "2"):
            shown.show(Message("running: x", f"step {step} @everyone", edits="progress")).join()
        assert [line.split()[0] for line in hook.lines] == ["POST", "PATCH"]
        assert hook.lines[1].split()[1] == "/1/abc/messages/77"
        assert "@everyone" not in hook.bodies[1]["content"]
        other = live.Live(Target("slack", hook.url, "l"))
        other.show(Message("running: x", "step 1", edits="progress")).join()
        assert other.show(Message("running: x", "step 2", edits="progress")) is None


def test_a_target_without_a_url():
    """Parts of a target that make no sense are a mistake in words."""
    for part in ({}, {"url": 5}, {"url": ""}, {"service": "nope"}):
        found, mistakes = resolve([part], {})
        assert found == []
        assert len(mistakes) == 1
    with pytest.raises(UserError):
        raise UserError(mistakes[0])
