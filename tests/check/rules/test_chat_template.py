"""The chat template against the vocabulary and the ends of generation."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ask_rules import found, is_asked, levels
from chat_samples import (
    CHATML,
    CHATML_MARKERS,
    EXAONE,
    LLAMA2,
    LLAMA3,
    MARKED,
    MISTRAL,
    PHI3,
    PUBLISHED,
    ZEPHYR,
    adds_bos,
    decoder,
)
from pretune.check.facts.chat import ChatFacts
from pretune.check.rules.chat_template import (
    RULES,
    answers_not_marked,
    beginning_doubled,
    chat_markers_frozen,
    chat_template_broken,
    template_marker_in_pieces,
    template_without_end,
    turn_end_never_stops,
)
from pretune.check.sources.setup import Setup

MakeModel = Callable[..., Path]


def _sft(folder: Path, **keys: Any) -> Setup:
    return Setup(model=str(folder), **{"task": "chat-sft", **keys})


@pytest.mark.parametrize(
    ("name", "markers", "eos"),
    [
        ("chatml", CHATML_MARKERS, "<|im_end|>"),
        ("llama2", (), "</s>"),
        ("llama3", ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"), "<|eot_id|>"),
        ("gemma", ("<start_of_turn>", "<end_of_turn>"), "<end_of_turn>"),
        ("mistral", (), "</s>"),
        ("exaone", ("[|system|]", "[|user|]", "[|assistant|]", "[|endofturn|]"), "[|endofturn|]"),
        ("phi3", ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>"), "</s>"),
        ("deepseek", ("<｜User｜>", "<｜Assistant｜>", "<｜end▁of▁sentence｜>"), "<｜end▁of▁sentence｜>"),
        ("marked", CHATML_MARKERS, "<|im_end|>"),
        ("macros", CHATML_MARKERS, "<|im_end|>"),
    ],
)
def test_published_templates_are_healthy(make_model: MakeModel, name: str, markers: tuple[str, ...], eos: str) -> None:
    """On a vocabulary with its markers, each published form is quiet."""
    setup = _sft(decoder(make_model, template=PUBLISHED[name], markers=markers, eos=eos))
    asked = [rule for rule in RULES if rule is not chat_markers_frozen]
    assert all(is_asked(rule, setup) for rule in asked)
    assert [finding for rule in asked for finding in found(rule, setup)] == []


def test_turn_end_never_stops(make_model: MakeModel) -> None:
    """Turns end with <|im_end|> and everything stops at </s>: a warning with both ids; generation_config mends it."""
    folder = decoder(make_model, eos="</s>", generation={"eos_token_id": 6})
    (finding,) = found(turn_end_never_stops, _sft(folder))
    index = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]["<|im_end|>"]
    assert finding.message == f"turns end with `<|im_end|>` (id {index}), but generation stops at 6"
    assert finding.level == "warning"
    assert finding.where.endswith("generation_config.json:/eos_token_id")
    mended = decoder(make_model, eos="</s>", generation={"eos_token_id": [6, index]}, name="b")
    assert found(turn_end_never_stops, _sft(mended)) == []
    assert found(turn_end_never_stops, _sft(folder, task="text-classification")) == []
    assert found(turn_end_never_stops, Setup(model=str(folder))) == []


def test_an_end_and_the_eos(make_model: MakeModel) -> None:
    """Phi-3 writes <|end|> and, at the last, the eos: it stops there."""
    folder = decoder(make_model, template=PHI3, markers=("<|end|>",), eos="</s>")
    assert found(turn_end_never_stops, _sft(folder)) == []


def test_template_marker_in_pieces(make_model: MakeModel) -> None:
    """ChatML on a vocabulary without its markers: no id for the end of a turn, an error that shows the pieces (T13)."""
    folder = decoder(make_model, markers=(), eos="</s>")
    (finding,) = found(template_marker_in_pieces, _sft(folder))
    assert finding.level == "error"
    assert "2 of the template's 2 markers are no tokens: `<|im_end|>` becomes " in finding.message
    assert finding.where.endswith("tokenizer_config.json:/chat_template")
    assert levels(found(template_marker_in_pieces, Setup(model=str(folder)))) == ["error"]
    assert found(template_marker_in_pieces, _sft(folder, add_special_tokens=CHATML_MARKERS)) == []
    assert found(template_marker_in_pieces, _sft(folder, task="text-classification")) == []


@pytest.mark.parametrize(
    ("template", "level"),
    [
        (ZEPHYR, ["note"]),
        (PHI3, ["note"]),
        (LLAMA2, []),
        (MISTRAL, []),
        (EXAONE, ["error"]),
        (LLAMA3, ["error"]),
        ("{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}", ["warning"]),
    ],
)
def test_markers_that_are_learnt_as_text(make_model: MakeModel, template: str, level: list[str]) -> None:
    """Zephyr's <|user|> was trained as text, its turns end with </s>: a note; [INST] is text by design."""
    folder = decoder(make_model, template=template, markers=(), eos="</s>")
    assert levels(found(template_marker_in_pieces, _sft(folder))) == level


def test_beginning_doubled(make_model: MakeModel) -> None:
    """Template and tokenizer both write <s>: a note, since apply_chat_template adds none, and a warning where it is asked for."""
    index = json.loads((decoder(make_model, name="a") / "config.json").read_text("utf-8"))["bos_token_id"]
    folder = decoder(make_model, template=MISTRAL, eos="</s>", post_processor=adds_bos(index))
    (finding,) = found(beginning_doubled, _sft(folder))
    assert finding.level == "note"
    assert "writes `<s>` and the tokenizer adds it too" in finding.message
    assert levels(found(beginning_doubled, _sft(folder, encode={"add_special_tokens": True}))) == ["warning"]
    assert found(beginning_doubled, _sft(folder, encode={"add_special_tokens": False})) == []
    assert found(beginning_doubled, Setup(model=str(folder))) == []
    assert found(beginning_doubled, _sft(decoder(make_model, template=MISTRAL, eos="</s>", name="b"))) == []
    assert found(beginning_doubled, _sft(decoder(make_model, post_processor=adds_bos(index), name="c"))) == []


def test_transformers_doubles_the_beginning(make_model: MakeModel) -> None:
    """Rendered and tokenized, a chat begins with <s> twice; apply_chat_template alone writes it once."""
    transformers = pytest.importorskip("transformers", reason="asks the real tokenizer")
    index = json.loads((decoder(make_model, name="a") / "config.json").read_text("utf-8"))["bos_token_id"]
    folder = decoder(make_model, template=MISTRAL, eos="</s>", post_processor=adds_bos(index))
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder))
    chat = [{"role": "user", "content": "안녕"}, {"role": "assistant", "content": "안녕"}]
    rendered = tokenizer.apply_chat_template(chat, tokenize=False)
    assert tokenizer(rendered)["input_ids"][:2] == [index, index]
    assert tokenizer.apply_chat_template(chat, return_dict=True)["input_ids"].count(index) == 1


@pytest.mark.parametrize(
    ("task", "level"),
    [("chat-sft", ["error"]), (None, ["warning"]), ("causal-lm", ["warning"]), ("text-classification", [])],
)
def test_chat_template_broken(make_model: MakeModel, task: str | None, level: list[str]) -> None:
    """A template that does not parse is an error for chats, named with its line."""
    folder = decoder(make_model, template="{% for m in messages %}\n{{ m. }}")
    findings = found(chat_template_broken, Setup(model=str(folder), task=task))
    assert levels(findings) == level
    for finding in findings:
        assert finding.message.startswith("the chat template is not valid Jinja: expected name or number")
        assert finding.message.endswith("(line 2)")
    assert found(chat_template_broken, Setup(model=str(decoder(make_model, name="b")), task=task)) == []


def test_chat_template_broken_in_its_own_file(make_model: MakeModel) -> None:
    """chat_template.jinja comes before the key of tokenizer_config.json."""
    folder = decoder(make_model)
    (folder / "chat_template.jinja").write_text("{% if %}", "utf-8")
    (finding,) = found(chat_template_broken, _sft(folder))
    assert finding.where == f"{folder}/chat_template.jinja"
    (folder / "chat_template.jinja").write_text("x" * 1_000_001, "utf-8")
    assert "1,000,001 characters" in found(chat_template_broken, _sft(folder))[0].message


def test_answers_not_marked(make_model: MakeModel) -> None:
    """assistant_only_loss without {% generation %} is an error; with the tag, or without that loss, it is not."""
    asked = {"assistant_only_loss": True}
    (finding,) = found(answers_not_marked, _sft(decoder(make_model), training_args=asked))
    assert finding.level == "error"
    assert finding.where == "setup:/training_args/assistant_only_loss"
    assert found(answers_not_marked, _sft(decoder(make_model, template=MARKED, name="b"), training_args=asked)) == []
    assert found(answers_not_marked, _sft(decoder(make_model, name="c"))) == []
    assert found(answers_not_marked, _sft(decoder(make_model, template=None, name="d"), training_args=asked)) == []


def test_transformers_leaves_the_mask_empty(make_model: MakeModel) -> None:
    """Without {% generation %} the assistant's mask is all zero, with it the answer is marked."""
    transformers = pytest.importorskip("transformers", reason="asks the real tokenizer")
    chat = [{"role": "user", "content": "안녕"}, {"role": "assistant", "content": "한국"}]
    for name, template in (("a", CHATML), ("b", MARKED)):
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(decoder(make_model, template=template, name=name)))
        made = tokenizer.apply_chat_template(chat, return_dict=True, return_assistant_tokens_mask=True)
        assert any(made["assistant_masks"]) is (name == "b")


def test_chat_markers_frozen(make_model: MakeModel) -> None:
    """Chat markers of a folder called base under LoRA that leaves the embedding: a note, unless its name says instruct."""
    frozen = {"r": 8, "target_modules": ["q_proj"]}
    base = decoder(make_model, name="Tiny-Base")
    (finding,) = found(chat_markers_frozen, _sft(base, peft=frozen))
    assert finding.level == "note"
    assert finding.message.startswith("`<|im_start|>`, `<|im_end|>` are tokens of a base model and may be untrained")
    assert found(chat_markers_frozen, _sft(base, peft={**frozen, "modules_to_save": ["embed_tokens", "lm_head"]})) == []
    assert found(chat_markers_frozen, _sft(base)) == [], "without an adapter everything is trained"
    for name in ("tiny-base-instruct", "tiny"):
        assert found(chat_markers_frozen, _sft(decoder(make_model, name=name), peft=frozen)) == []


def test_template_without_end(make_model: MakeModel) -> None:
    """Nothing behind the answer: a warning that shows what is written instead; an eos, a marker or append_eos is an end."""
    open_ended = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    folder = decoder(make_model, template=open_ended, markers=(), eos="</s>")
    (finding,) = found(template_without_end, _sft(folder))
    assert finding.level == "warning"
    assert finding.message.endswith("no end-of-turn token (it writes `\\u000a`), expected `</s>` or a marker")
    assert found(template_without_end, _sft(folder, append_eos=True)) == []
    assert found(template_without_end, Setup(model=str(folder))) == []
    ended = decoder(make_model, template=open_ended + "{{ eos_token }}", markers=(), eos="</s>", name="b")
    assert found(template_without_end, _sft(ended)) == []


def test_template_without_end_that_is_not_followed(make_model: MakeModel) -> None:
    """Where the template cannot be followed, an eos anywhere in it is enough."""
    for name, tail, level in (
        ("a", "", ["warning"]),
        ("b", "{{ eos_token }}", []),
        ("c", "</s>", []),
        ("d", "<|im_end|>", []),
    ):
        template = "{{ strftime_now() }}{% for m in messages %}{{ m.content }}" + tail + "{% endfor %}"
        folder = decoder(make_model, template=template, markers=(), eos="</s>", name=name)
        assert levels(found(template_without_end, _sft(folder))) == level


def test_no_template_at_all(make_model: MakeModel) -> None:
    """A decoder without a template is none of these rules' business."""
    setup = _sft(decoder(make_model, template=None))
    assert [finding for rule in RULES for finding in found(rule, setup)] == []
    assert ChatFacts().turn_ends == ()
