"""What is said, and what is not: causes, durations, secrets, mentions, cuts."""

import signal
import time

import pytest

from pretune.knock.memory import oom_kills
from pretune.knock.message import Message, cause, duration, named
from pretune.knock.redact import keep_tail, quiet, redact, secrets_of
from pretune.knock.slack import payload as slack_payload
from pretune.knock.targets import Target


def test_causes():
    """SIGKILL is perhaps memory, and surely so when the control group counted it."""
    assert "perhaps out of memory" in cause(int(signal.SIGKILL))
    assert "oom_kill" in cause(int(signal.SIGKILL), 1)
    assert "SIGSEGV" in cause(int(signal.SIGSEGV))
    assert "perhaps" in cause(137 << 8)
    assert cause(0) == "exit code 0"


def test_oom_counter(tmp_path):
    """Both versions of control groups are read; without any the count is 0."""
    assert oom_kills(str(tmp_path)) == 0
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/a\n")
    (tmp_path / "sys/fs/cgroup/a").mkdir(parents=True)
    (tmp_path / "sys/fs/cgroup/a/memory.events").write_text("oom 2\noom_kill 3\n")
    assert oom_kills(str(tmp_path)) == 3


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.44, "0.4 s"), (200, "3 min 20 s"), (8000, "2 h 13 min"), (180000, "2 d 2 h")]
)
def test_duration(seconds, text):
    """Two units that matter."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    "text", ["Authorization: Bearer abc.def12345", "https://me:hunter22@host/x", "hf_abcdefghij", "api_key=xyz12345"]
)
def test_redacted(text):
    """Known shapes of secrets go."""
    assert "[secret]" in redact(text)


def test_harmless_stays():
    """Plain figures and words are not secrets."""
    assert redact("--max-tokens 512 tokenizer=klue num_tokens: 5") == "--max-tokens 512 tokenizer=klue num_tokens: 5"
    assert secrets_of({"TOKENIZERS_PARALLELISM": "false", "KEY": "1"}) == ()
    assert "[secret]" in named(["x", "--password", "abc"], ())


def test_quiet_and_cut():
    """Mentions lose their teeth, addresses stay; the tail is kept."""
    assert "@everyone" not in quiet("@everyone <!here> a@b.c")
    assert "a@b.c" in quiet("a@b.c")
    assert keep_tail("a\n" * 500 + "end", 20).endswith("end")
    assert keep_tail("x" * 50, 0) == ""


def test_payload_within_bounds():
    """A huge tail in Hangul stays under 16 KiB on the wire, its end kept."""
    import json

    payload = slack_payload(Target("slack", "u", "l"), Message("t", "b", "가" * 100000 + "끝"))
    assert len(json.dumps(payload)) < 16384
    assert "끝" in payload["text"]


@pytest.mark.parametrize("text", ["a", "-", "x.y-", "http://", "token ", "a=", "\x1b]", " ", "@", "<", "ab12"])
def test_redacting_is_fast_on_any_line(text):
    """A line of 64,000 letters of any kind is no trap for the patterns."""
    begun = time.process_time()
    redact(text * (64000 // len(text)), ("secret",))
    quiet(text * (64000 // len(text)))
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    "text",
    [
        "--hf-token VALUE1234", "--my.secret=VALUE1234", 'api_key = "VALUE1234"', "'password': 'VALUE1234'",
        "WANDB_API_KEY=VALUE1234", "secret_access_key: VALUE1234", "postgres://me:VALUE1234@db/x", "Authorization: Basic VALUE1234=",
        "https://hooks.slack.com/services/T0/B0/VALUE1234", "https://discord.com/api/webhooks/1/VALUE1234",
        "https://api.telegram.org/bot123:VALUE1234/sendMessage", "sk-proj-VALUE1234abc", "xoxb-VALUE1234-x", "ghp_VALUE1234abcd",
        "-----BEGIN RSA PRIVATE KEY-----\nVALUE1234\n-----END RSA PRIVATE KEY-----", "eyJhbGciOiJI.VALUE1234xyz.abc",
    ],
)  # fmt: skip
def test_shapes_of_secrets(text):
    """Whatever stands where secrets stand is taken out, with text around it, in any case."""
    for each in (text, f"before {text} after", f"({text})"):
        assert "VALUE1234" not in redact(each)


@pytest.mark.parametrize(
    "text",
    [
        "loss=0.25",
        "step 10/900",
        "--lr 3e-5",
        "num_tokens=512",
        "tokenizer: klue/bert-base",
        "epoch 1: 가나다",
        "a@b.co",
        "path/to/secretary.txt",
    ],
)
def test_figures_stay(text):
    """What training prints is not taken for secrets."""
    assert redact(text) == text
