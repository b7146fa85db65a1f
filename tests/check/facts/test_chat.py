"""The chat template's markers, beginning and end, the three ends of text, and conversations against the template."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chat_samples import CHATML, DEEPSEEK, GEMMA, LLAMA2, MISTRAL, PHI3, PUBLISHED, ZEPHYR, adds_bos, decoder
from pretune.check.facts import Facts
from pretune.check.facts.chat import ChatFacts
from pretune.check.facts.talks import LONGEST_PATTERN, MOST_PATTERNS, TalkFacts
from pretune.check.finding import Unavailable
from pretune.check.sources.setup import Data, Setup

MakeModel = Callable[..., Path]


def _chat(folder: Path, **setup: Any) -> ChatFacts:
    return Facts(Setup(model=str(folder), **setup)).chat


def _talks(folder: Path, *chats: Any) -> TalkFacts:
    """The facts of conversations, each a list of roles or of whole messages."""
    train = folder.parent / "chats.jsonl"
    rows = [
        [{"role": message, "content": "안녕"} if isinstance(message, str) else message for message in chat]
        for chat in chats
    ]
    train.write_text("".join(f"{json.dumps({'messages': row}, ensure_ascii=False)}\n" for row in rows), "utf-8")
    return Facts(Setup(model=str(folder), task="chat-sft", data=Data(train=(str(train),)))).talks


def test_a_healthy_decoder(make_model: MakeModel) -> None:
    """ChatML on a vocabulary that has its markers: each is one token, the turn's end is the eos, nothing is doubled."""
    chat = _chat(decoder(make_model))
    assert chat.followed
    assert chat.causal
    assert chat.marker_pieces == {"<|im_start|>": ("<|im_start|>",), "<|im_end|>": ("<|im_end|>",)}
    assert chat.turn_ends == ("<|im_end|>",)
    assert chat.eos_config == (chat.eos_tokenizer,)
    assert not chat.writes_bos
    assert not chat.adds_bos
    assert not chat.adds_eos


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("chatml", ("<|im_end|>",)),
        ("llama2", ("</s>",)),
        ("llama3", ("<|eot_id|>",)),
        ("gemma", ("<end_of_turn>",)),
        ("mistral", ("</s>",)),
        ("exaone", ("[|endofturn|]",)),
        ("zephyr", ("</s>",)),
        ("phi3", ("<|end|>", "</s>")),
        ("deepseek", ("<｜end▁of▁sentence｜>",)),
        ("marked", ("<|im_end|>",)),
        ("macros", ("<|im_end|>",)),
    ],
)
def test_turn_ends(make_model: MakeModel, name: str, ends: tuple[str, ...]) -> None:
    """The end of a turn is what the template writes behind the answer, whether or not it is a token here."""
    chat = _chat(decoder(make_model, template=PUBLISHED[name], markers=(), eos="</s>"))
    assert chat.turn_ends == ends


def test_an_end_of_any_shape(make_model: MakeModel) -> None:
    """A special token of no known shape ends a turn too; an ordinary text does not."""
    template = "{% for m in messages %}{{ m.role + ': ' + m.content + 'ENDE' }}{% endfor %}"
    assert _chat(decoder(make_model, template=template, markers=("ENDE",))).turn_ends == ("ENDE",)
    assert _chat(decoder(make_model, template=template, markers=(), eos="</s>", name="b")).turn_ends == ()


def test_an_ending_inside_another(make_model: MakeModel) -> None:
    """Of two special tokens, one of which is part of the other, the longer one is meant."""
    template = "{% for m in messages %}{{ m.content + '<end_of_turn>' }}{% endfor %}"
    chat = _chat(decoder(make_model, template=template, markers=("<end_of_turn>", "end_of"), eos="</s>"))
    assert chat.turn_ends == ("<end_of_turn>",)


def test_a_template_that_cannot_be_followed(make_model: MakeModel) -> None:
    """Where the walk gives up, the usual ends among the markers stand in, and the bos is guessed by its variable."""
    template = "{{ bos_token }}{{ strftime_now('%d') }}" + CHATML
    chat = _chat(decoder(make_model, template=template))
    assert not chat.followed
    assert chat.ending is None
    assert chat.turn_ends == ("<|im_end|>",)
    assert chat.writes_bos


def test_markers_of_tools_do_not_count(make_model: MakeModel) -> None:
    """Markers that a plain conversation never writes are left out."""
    template = CHATML + "{% if tools %}<|tool_call|>{% endif %}"
    assert _chat(decoder(make_model, template=template)).markers == ("<|im_start|>", "<|im_end|>")


@pytest.mark.parametrize(
    ("template", "writes"), [(MISTRAL, True), (LLAMA2, True), (CHATML, False), ("<s>" + CHATML, True)]
)
def test_beginning(make_model: MakeModel, template: str, writes: bool) -> None:
    """The bos token is seen whether the template writes its variable or its text; the tokenizer's own is asked of it."""
    folder = decoder(make_model, template=template, markers=(), eos="</s>")
    index = json.loads((folder / "config.json").read_text("utf-8"))["bos_token_id"]
    chat = _chat(
        decoder(make_model, template=template, markers=(), eos="</s>", post_processor=adds_bos(index), name="b")
    )
    assert chat.writes_bos is writes
    assert chat.adds_bos
    assert not _chat(folder).adds_bos


def test_broken_template(make_model: MakeModel) -> None:
    """A template that does not parse is a reason, not a crash."""
    chat = _chat(decoder(make_model, template="{% for m in messages %}"))
    assert chat.template is None
    assert "line 1" in chat.broken


def test_ids_of_the_end(make_model: MakeModel) -> None:
    """A default that nobody wrote names no end; several stated ones all count; odd values do not."""
    folder = decoder(make_model, config={"eos_token_id": ...}, generation={"eos_token_id": [3, 5, None, "7", True]})
    assert _chat(folder).eos_config == ()
    assert _chat(folder).eos_generation == (3, 5)
    assert _chat(folder, config_update={"eos_token_id": 9}).eos_config == (9,)


def test_what_is_a_decoder(make_model: MakeModel, tmp_path: Path) -> None:
    """BERT is none, Llama is; Longformer, which has a sliding window and a masked-word head, is none."""
    assert not _chat(make_model("bert", name="b")).causal
    assert _chat(make_model("bert", name="c"), task="causal-lm").causal
    folder = make_model("roberta", name="d", config={"model_type": "longformer"}, weights=False)
    assert not _chat(folder).causal


def test_tokenizer_alone(make_model: MakeModel) -> None:
    """Without a model the template is read all the same."""
    chat = Facts(Setup(tokenizer=str(decoder(make_model)), task="chat-sft")).chat
    assert chat.turn_ends == ("<|im_end|>",)
    assert chat.eos_config == chat.eos_generation == ()


def test_no_conversations(make_model: MakeModel, tmp_path: Path) -> None:
    """Data without messages have no talks."""
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n', "utf-8")
    facts = Facts(
        Setup(model=str(decoder(make_model)), task="causal-lm", data=Data(train=(str(tmp_path / "a.jsonl"),)))
    )
    with pytest.raises(Unavailable, match="no chat messages"):
        _ = facts.talks


@pytest.mark.parametrize(
    ("template", "roles", "refusal", "without_system", "left_out"),
    [
        (CHATML, ("system", "user", "assistant"), None, None, ()),
        (GEMMA, ("system", "user", "assistant"), "System role not supported", None, ()),
        (MISTRAL, ("system", "user", "assistant"), "must alternate", None, ()),
        (GEMMA, ("user", "user", "assistant"), "must alternate", "must alternate", ()),
        (GEMMA, ("system", "user", "user"), "System role", "must alternate", ()),
        (ZEPHYR, ("user", "narrator", "assistant"), None, None, ("narrator",)),
        (DEEPSEEK, ("system", "user", "assistant"), None, None, ()),
        (DEEPSEEK, ("system", "system", "user"), None, None, ("system",)),
        (PHI3, ("user", "gpt4"), None, None, ()),
        ("{{ strftime_now() }}", ("user", "assistant"), None, None, ()),
    ],
)
def test_patterns(
    make_model: MakeModel,
    template: str,
    roles: tuple[str, ...],
    refusal: str | None,
    without_system: str | None,
    left_out: tuple[str, ...],
) -> None:
    """An order of roles is taken, refused for its system message or for itself, or some of it is passed over."""
    (pattern,) = _talks(decoder(make_model, template=template, markers=(), eos="</s>"), roles).patterns
    assert pattern.roles == roles
    for said, expected in ((pattern.refusal, refusal), (pattern.without_system, without_system)):
        assert (said is None) == (expected is None)
        assert (expected or "") in (said or "")
    assert pattern.left_out == left_out


def test_tools_are_left_alone(make_model: MakeModel) -> None:
    """Conversations with tools are not followed: templates look at more of them than the role and the content."""
    call = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}
    talks = _talks(decoder(make_model, template=MISTRAL, eos="</s>", markers=()), ("user", "tool"), ("user", call))
    assert talks.patterns == ()
    assert len(talks.rows) == 2
    assert talks.emptied == ()


def test_missing_answers(make_model: MakeModel) -> None:
    """No answer, an empty one, words behind the last one: each is told apart."""
    empty = {"role": "assistant", "content": " \n"}
    null = {"role": "assistant", "content": None}
    talks = _talks(
        decoder(make_model),
        ("user",),
        ("user", empty),
        ("user", null),
        ("user", "assistant", "user"),
        ("user", "assistant"),
    )
    assert [row.where[-1] for row in talks.unanswered] == ["1"]
    assert [row.where[-1] for row in talks.emptied] == ["2", "3"]
    assert [row.where[-1] for row in talks.unfinished] == ["4"]


def test_many_and_long_conversations(make_model: MakeModel) -> None:
    """Only so many orders of roles are followed, each only so far."""
    chats = [("user", "assistant") * 500] + [("user", f"role {n}") for n in range(100)]
    talks = _talks(decoder(make_model), *chats, ("user", "role 7"))
    assert len(talks.patterns) == MOST_PATTERNS
    assert len(talks.patterns[0].rows) == 2
    assert max(len(pattern.roles) for pattern in talks.patterns) == LONGEST_PATTERN
