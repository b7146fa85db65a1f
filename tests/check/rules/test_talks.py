"""Conversations against the template and the limits: refused, left out, cut off, without an answer."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ask_rules import found, is_asked, levels
from chat_samples import GEMMA, LLAMA3, MISTRAL, ZEPHYR, adds_bos, decoder
from pretune.check.rules.talks import (
    RULES,
    answer_beyond_limit,
    answers_missing,
    beginning_in_text,
    chat_template_missing,
    messages_left_out,
    roles_refused,
    system_role_refused,
)
from pretune.check.sources.setup import Data, Setup

MakeModel = Callable[..., Path]
CHAT = ("user", "assistant")


def _said(message: Any) -> dict[str, Any]:
    return {"role": message, "content": "안녕"} if isinstance(message, str) else dict(message)


def _sft(folder: Path, *chats: Any, **keys: Any) -> Setup:
    """A chat-sft setup on conversations given by their roles, or by whole messages."""
    train = folder.parent / "chats.jsonl"
    rows = [json.dumps({"messages": [_said(message) for message in chat]}, ensure_ascii=False) for chat in chats]
    train.write_text("".join(f"{row}\n" for row in rows), "utf-8")
    return Setup(model=str(folder), **{"task": "chat-sft", "data": Data(train=(str(train),)), **keys})


def test_healthy(make_model: MakeModel) -> None:
    """A system message, several turns and a last answer on ChatML are healthy."""
    chats = (("system", *CHAT), CHAT, (*CHAT, *CHAT))
    setup = _sft(decoder(make_model), *chats, encode={"truncation": True, "max_length": 64})
    assert all(is_asked(rule, setup) for rule in RULES)
    assert [finding for rule in RULES for finding in found(rule, setup)] == []


def test_chat_template_missing(make_model: MakeModel) -> None:
    """Messages and no template: an error for chats, a warning where the task does not say so, nothing for classification."""
    folder = decoder(make_model, template=None)
    (finding,) = found(chat_template_missing, _sft(folder, CHAT, CHAT))
    assert finding.message == "2 sampled rows are chat messages, but the tokenizer has no chat_template"
    assert finding.level == "error"
    assert levels(found(chat_template_missing, _sft(folder, CHAT, task=None))) == ["warning"]
    assert found(chat_template_missing, _sft(folder, CHAT, task="text-classification")) == []
    broken = decoder(make_model, template="{% if %}", name="b")
    assert found(chat_template_missing, _sft(broken, CHAT)) == [], "that it is broken is told elsewhere"
    assert found(chat_template_missing, _sft(make_model("bert", name="c"), CHAT, task=None)) == []


def test_prompt_and_completion_need_no_template(make_model: MakeModel, tmp_path: Path) -> None:
    """Columns prompt and completion are trained as they stand."""
    (tmp_path / "a.jsonl").write_text('{"prompt": "a", "completion": "b"}\n', "utf-8")
    setup = Setup(
        model=str(decoder(make_model, template=None)), task="chat-sft", data=Data(train=(str(tmp_path / "a.jsonl"),))
    )
    assert found(chat_template_missing, setup) == []


@pytest.mark.parametrize(("template", "says"), [(GEMMA, "System role not supported"), (MISTRAL, "must alternate")])
def test_system_role_refused(make_model: MakeModel, template: str, says: str) -> None:
    """Gemma and Mistral refuse the system message, each in its way; only chats that have one are counted."""
    folder = decoder(make_model, template=template, eos="</s>")
    setup = _sft(folder, CHAT, ("system", *CHAT), ("system", *CHAT, *CHAT))
    (finding,) = found(system_role_refused, setup)
    assert finding.level == "error"
    assert finding.message.startswith("2 of 3 sampled chats have a system message; the template says `")
    assert says in finding.message
    assert finding.where.endswith("chats.jsonl:2")
    assert found(roles_refused, setup) == []
    assert found(system_role_refused, _sft(folder, CHAT)) == []
    assert found(system_role_refused, _sft(decoder(make_model, name="b"), ("system", *CHAT))) == []


def test_roles_refused(make_model: MakeModel) -> None:
    """Two user messages in a row, or an assistant who speaks first, raise in templates that want them to alternate."""
    folder = decoder(make_model, template=GEMMA, eos="</s>")
    (finding,) = found(roles_refused, _sft(folder, CHAT, ("user", *CHAT), ("user", *CHAT), ("assistant", "user")))
    assert finding.level == "error"
    assert finding.message == (
        "the template refuses 3 of 4 sampled chats (as user, user, assistant): "
        "`Conversation roles must alternate user/assistant/user/assistant/...`"
    )
    assert finding.where.endswith("chats.jsonl:2")
    assert found(roles_refused, _sft(decoder(make_model, name="b"), ("user", *CHAT))) == []
    assert found(roles_refused, _sft(folder, CHAT, (*CHAT, *CHAT))) == []


def test_transformers_raises_where_roles_are_refused(make_model: MakeModel) -> None:
    """apply_chat_template raises with the text that is foretold."""
    transformers = pytest.importorskip("transformers", reason="asks the real tokenizer")
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(decoder(make_model, template=GEMMA, eos="</s>")))
    for roles, says in ((("system", *CHAT), "System role not supported"), (("user", *CHAT), "must alternate")):
        with pytest.raises(Exception, match=says):
            tokenizer.apply_chat_template([_said(role) for role in roles])


def test_messages_left_out(make_model: MakeModel) -> None:
    """Zephyr passes over a role that it does not know: a warning with the role's name; Llama 3 writes any."""
    folder = decoder(make_model, template=ZEPHYR, eos="</s>")
    (finding,) = found(messages_left_out, _sft(folder, CHAT, ("narrator", *CHAT), ("user", "Assistant")))
    assert finding.level == "warning"
    assert "nothing of messages with role `narrator`, `Assistant`, which 2 of 3 sampled chats have" in finding.message
    assert found(messages_left_out, _sft(folder, CHAT)) == []
    assert found(messages_left_out, _sft(decoder(make_model, template=LLAMA3, name="b"), ("narrator", *CHAT))) == []


@pytest.mark.parametrize(
    ("prompt", "answer", "keys", "level"),
    [
        (30, 5, {"encode": {"max_length": 32}}, []),
        (31, 5, {"encode": {"max_length": 30}}, ["error"]),
        (31, 5, {"training_args": {"max_length": 30}}, ["error"]),
        (31, 5, {"encode": {"max_length": 30, "truncation_side": "left"}}, []),
        (31, 5, {"encode": {"max_length": 30}, "training_args": {"packing": True}}, []),
        (31, 5, {}, []),
        (31, 5, {"encode": {"max_length": 30}, "task": "causal-lm"}, []),
    ],
)
def test_answer_beyond_limit(
    make_model: MakeModel, prompt: int, answer: int, keys: dict[str, Any], level: list[str]
) -> None:
    """A prompt of max_length tokens leaves nothing of the answer (D22); cut on the left, the answer stays."""
    chat = ({"role": "user", "content": "a " * prompt}, {"role": "assistant", "content": "b " * answer})
    findings = found(answer_beyond_limit, _sft(decoder(make_model), chat, **keys))
    assert levels(findings) == level
    for finding in findings:
        assert finding.message.startswith("in 1 of 1 sampled chats (100 %) the prompt alone has 30 tokens or more")


def test_one_answer_in_a_hundred_beyond_the_limit(make_model: MakeModel) -> None:
    """A rare one is a warning."""
    long = ({"role": "user", "content": "a " * 40}, {"role": "assistant", "content": "b"})
    setup = _sft(decoder(make_model), *[CHAT] * 99, long, encode={"max_length": 30})
    assert levels(found(answer_beyond_limit, setup)) == ["warning"]


def test_answers_missing(make_model: MakeModel) -> None:
    """No assistant, an empty one, words behind the last: two warnings and a note, each with its count and first place."""
    empty = {"role": "assistant", "content": ""}
    setup = _sft(decoder(make_model), CHAT, ("user",), ("user", empty), (*CHAT, "user"))
    findings = found(answers_missing, setup)
    assert [(finding.level.value, finding.message) for finding in findings] == [
        ("warning", "1 of 4 sampled chats have no assistant message"),
        ("warning", "1 of 4 sampled chats have an assistant message that is empty"),
        ("note", "1 of 4 sampled chats go on after the assistant's last message"),
    ]
    assert [finding.where[-1] for finding in findings] == ["2", "3", "4"]
    (called,) = found(answers_missing, _sft(decoder(make_model, name="d"), ("user", "bot")))
    assert called.message == "1 of 1 sampled chats have no assistant message, but role `bot`"
    assert found(answers_missing, _sft(decoder(make_model, name="b"), CHAT)) == []
    assert found(answers_missing, _sft(decoder(make_model, name="c"), ("user",), task="causal-lm")) == []


def test_beginning_in_text(make_model: MakeModel, tmp_path: Path) -> None:
    """Texts that begin with <s> under a tokenizer that adds <s>: a warning with the rows."""
    index = json.loads((decoder(make_model, name="a") / "config.json").read_text("utf-8"))["bos_token_id"]
    folder = decoder(make_model, post_processor=adds_bos(index))
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n{"text": "<s>[INST] a"}\n', "utf-8")
    keys: dict[str, Any] = {"task": "causal-lm", "data": Data(train=(str(tmp_path / "a.jsonl"),))}
    (finding,) = found(beginning_in_text, Setup(model=str(folder), **keys))
    assert finding.level == "warning"
    assert finding.message == "1 of 2 train rows begin with `<s>`, and the tokenizer adds it again"
    assert found(beginning_in_text, Setup(model=str(folder), **keys, encode={"add_special_tokens": False})) == []
    assert found(beginning_in_text, Setup(model=str(decoder(make_model, name="b")), **keys)) == []


def test_every_rule_of_a_refusing_template_without_data(make_model: MakeModel) -> None:
    """Without data nothing is asked."""
    setup = Setup(model=str(decoder(make_model, template=GEMMA, eos="</s>")), task="chat-sft")
    assert not is_asked(system_role_refused, setup)
    assert [finding for rule in RULES for finding in found(rule, setup)] == []
