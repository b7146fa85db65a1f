"""What is said, and what is not: causes, durations, secrets, mentions, cuts."""

import signal

import pytest

from pretune.knock.message import Message, cause, duration, named, oom_kills
from pretune.knock.redact import keep_tail, quiet, redact, secrets_of
from pretune.knock.send import slack_payload
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
    assert oom_kills(tmp_path) == 0
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/a\n")
    (tmp_path / "sys/fs/cgroup/a").mkdir(parents=True)
    (tmp_path / "sys/fs/cgroup/a/memory.events").write_text("oom 2\noom_kill 3\n")
    assert oom_kills(tmp_path) == 3


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
