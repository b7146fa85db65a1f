"""Decoder models: pad token, last token, the ends of text, and what transformers does about each."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ask_rules import found, is_asked, levels
from chat_samples import LLAMA3, SIZES, decoder
from pretune.check.engine import run
from pretune.check.facts import Facts
from pretune.check.facts.chat import ChatFacts
from pretune.check.rules.chat import (
    RULES,
    end_not_appended,
    ends_disagree,
    pad_id_misses_last_token,
    pad_is_eos,
    pad_token_missing,
)
from pretune.check.rules.chat_template import RULES as TEMPLATE_RULES
from pretune.check.sources.setup import Setup

MakeModel = Callable[..., Path]


def _ids(folder: Path) -> dict[str, int]:
    config: dict[str, int] = json.loads((folder / "config.json").read_text("utf-8"))
    return config


def test_healthy(make_model: MakeModel) -> None:
    """A decoder with a pad token of its own and one end has nothing to say, whatever the task."""
    folder = decoder(make_model)
    for task in (None, "causal-lm", "chat-sft", "text-classification"):
        setup = Setup(
            model=str(folder), task=task, append_eos=True if task == "causal-lm" else None, encode={"padding": True}
        )
        assert all(is_asked(rule, setup) for rule in RULES)
        assert [finding for rule in RULES for finding in found(rule, setup)] == []


@pytest.mark.parametrize(
    ("keys", "level"),
    [
        ({"task": "text-classification"}, ["error"]),
        ({"task": "text-classification", "training_args": {"per_device_train_batch_size": 1}}, []),
        (
            {
                "task": "text-classification",
                "training_args": {"per_device_train_batch_size": 1},
                "encode": {"padding": True},
            },
            ["error"],
        ),
        ({"task": "causal-lm", "encode": {"padding": "longest"}}, ["error"]),
        ({"task": "causal-lm", "encode": {"truncation": True, "max_length": 64}}, ["warning"]),
        ({"task": "causal-lm"}, ["note"]),
        ({"task": "chat-sft", "encode": {"max_length": 64}, "training_args": {"assistant_only_loss": True}}, ["note"]),
        ({"task": "chat-sft", "encode": {"padding": False, "max_length": 64}}, ["warning"]),
        ({"task": "causal-lm", "training_args": {"packing": True}}, []),
        ({"task": "causal-lm", "pad_token": "[PAD]"}, []),
        ({}, []),
    ],
)
def test_pad_token_missing(make_model: MakeModel, keys: dict[str, Any], level: list[str]) -> None:
    """GPT-2-like, no pad token: an error where batches are padded, less where texts may be joined into blocks."""
    folder = decoder(make_model, pad=None)
    findings = found(pad_token_missing, Setup(model=str(folder), **keys))
    assert levels(findings) == level
    assert all("tokens is its pad_token" in finding.message for finding in findings)


@pytest.mark.parametrize(
    ("keys", "level"),
    [
        ({"task": "causal-lm", "append_eos": True}, ["error"]),
        ({"task": "causal-lm"}, ["warning"]),
        ({"task": "causal-lm", "append_eos": False}, []),
        ({"task": "chat-sft"}, ["warning"]),
        ({"task": "chat-sft", "training_args": {"completion_only_loss": True}}, ["note"]),
        ({"task": "chat-sft", "training_args": {"packing": True}}, []),
        ({"task": "text-classification"}, []),
        ({}, []),
    ],
)
def test_pad_is_eos(make_model: MakeModel, keys: dict[str, Any], level: list[str]) -> None:
    """Pad = eos by the setup: an error where an end is appended and then masked, nothing where none is trained or padded."""
    findings = found(pad_is_eos, Setup(model=str(decoder(make_model)), pad_token="eos_token", **keys))
    assert levels(findings) == level
    assert all(finding.where == "setup:/pad_token" for finding in findings)


def test_pad_is_eos_in_the_files(make_model: MakeModel) -> None:
    """The tokenizer's own files may say so as well; where turns end with another token their end stays."""
    folder = decoder(make_model, pad="</s>", eos="</s>")
    assert found(pad_is_eos, Setup(model=str(folder), task="chat-sft")) == [], "turns end with <|im_end|>"
    (finding,) = found(pad_is_eos, Setup(model=str(folder), task="causal-lm"))
    assert finding.where.endswith("tokenizer_config.json:/pad_token")
    assert finding.message.startswith("pad_token and eos_token are both `</s>` (id ")


def test_the_collator_masks_the_end(make_model: MakeModel) -> None:
    """DataCollatorForLanguageModeling masks every pad id, so with pad = eos the end has no label."""
    transformers = pytest.importorskip("transformers", reason="asks the real collator")
    pytest.importorskip("torch", reason="asks the real collator")
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(decoder(make_model)))
    row = {"input_ids": [20, 21, tokenizer.eos_token_id]}
    for pad, label in ((tokenizer.pad_token, tokenizer.eos_token_id), (tokenizer.eos_token, -100)):
        tokenizer.pad_token = pad
        batch = transformers.DataCollatorForLanguageModeling(tokenizer, mlm=False)([row])
        assert batch["labels"][0, -1].item() == label
    tokenizer.pad_token = None
    with pytest.raises(ValueError, match="does not have a padding token"):
        transformers.DataCollatorWithPadding(tokenizer)([row, {"input_ids": [20]}])


@pytest.mark.parametrize(
    ("config", "keys", "level"),
    [
        ({}, {}, []),
        ({"pad_token_id": 7}, {}, ["error"]),
        ({"pad_token_id": ...}, {}, ["warning"]),
        ({"pad_token_id": 7}, {"config_update": {"pad_token_id": 0}}, []),
        ({}, {"config": {"pad_token_id": 3}}, ["error"]),
        ({"pad_token_id": 7}, {"task": "causal-lm"}, []),
    ],
)
def test_pad_id_misses_last_token(
    make_model: MakeModel, config: dict[str, Any], keys: dict[str, Any], level: list[str]
) -> None:
    """The config's pad id has to be the tokenizer's for a decoder that classifies by its last token."""
    setup = Setup(**{"model": str(decoder(make_model, config=config)), "task": "text-classification", **keys})
    assert levels(found(pad_id_misses_last_token, setup)) == level


def test_pad_id_of_an_encoder(make_model: MakeModel) -> None:
    """BERT classifies by its first token; the rule has nothing to ask of it."""
    folder = make_model("bert", config={"pad_token_id": 7})
    assert found(pad_id_misses_last_token, Setup(model=str(folder), task="text-classification")) == []


def test_the_classifier_reads_config_pad_token_id() -> None:
    """LlamaForSequenceClassification: right id, the last word; wrong id, a pad token; none, it refuses a batch."""
    torch = pytest.importorskip("torch", reason="asks a real model")
    transformers = pytest.importorskip("transformers", reason="asks a real model")
    config = transformers.LlamaConfig(**SIZES, vocab_size=40, num_labels=2, pad_token_id=0)
    model = transformers.LlamaForSequenceClassification(config).eval()
    ids = torch.tensor([[5, 6, 7, 0, 0], [5, 6, 7, 8, 9]])
    mask = (ids != 0).long()

    def logits(pad: int | None) -> Any:
        model.config.pad_token_id = pad
        with torch.no_grad():
            return model(input_ids=ids, attention_mask=mask).logits[0]

    with torch.no_grad():
        alone = model(input_ids=ids[:1, :3]).logits[0]
    assert torch.allclose(logits(0), alone, atol=1e-5)
    assert not torch.allclose(logits(3), alone, atol=1e-5)
    with pytest.raises(ValueError, match="Cannot handle batch sizes > 1"):
        logits(None)


@pytest.mark.parametrize(
    ("generation", "config", "fires"),
    [
        (None, {}, False),
        ({"eos_token_id": "own"}, {}, False),
        ({"eos_token_id": 6}, {}, True),
        ({"eos_token_id": [6, "own"]}, {}, False),
        ({}, {"eos_token_id": 6}, True),
        ({"eos_token_id": "own"}, {"eos_token_id": 6}, False),
        (None, {"eos_token_id": ...}, False),
        ({"eos_token_id": None}, {"eos_token_id": ...}, False),
        ({"eos_token_id": "six"}, {"eos_token_id": ...}, False),
    ],
)
def test_ends_disagree(
    make_model: MakeModel, generation: dict[str, Any] | None, config: dict[str, Any], fires: bool
) -> None:
    """Generation stops at what generation_config names, else the config; the tokenizer's end has to be among them."""
    own = _ids(decoder(make_model, name="own"))["eos_token_id"]
    told = None if generation is None else json.loads(json.dumps(generation).replace('"own"', str(own)))
    findings = found(ends_disagree, Setup(model=str(decoder(make_model, generation=told, config=config))))
    assert levels(findings) == (["warning"] if fires else [])
    if fires:
        assert f"eos is {own} (`<|im_end|>`), but generation stops at 6 (`</s>`)" in findings[0].message
        assert findings[0].where.endswith(
            "_config.json:/eos_token_id" if generation else "decoder/config.json:/eos_token_id"
        )


def test_ends_disagree_is_quiet(make_model: MakeModel) -> None:
    """Where generation stops at the end of a turn, the tokenizer's eos may be another; classifiers do not generate."""
    turn = _ids(decoder(make_model, name="own"))["eos_token_id"]
    folder = decoder(make_model, eos="</s>", generation={"eos_token_id": turn})
    assert found(ends_disagree, Setup(model=str(folder), task="chat-sft")) == []
    other = decoder(make_model, name="b", generation={"eos_token_id": 6})
    assert found(ends_disagree, Setup(model=str(other), task="text-classification")) == []
    assert found(ends_disagree, Setup(model=str(make_model("bert", name="c", config={"eos_token_id": 9})))) == []


def test_end_not_appended(make_model: MakeModel) -> None:
    """append_eos = false on plain text is a warning, unless the tokenizer appends it by itself."""
    setup = Setup(model=str(decoder(make_model)), task="causal-lm", append_eos=False)
    (finding,) = found(end_not_appended, setup)
    assert finding.level == "warning"
    assert finding.where == "setup:/append_eos"
    assert found(end_not_appended, setup, chat=ChatFacts(eos_tokenizer=2, adds_eos=True)) == []
    for append, task in ((True, "causal-lm"), (None, "causal-lm"), (False, "chat-sft")):
        assert found(end_not_appended, Setup(model=setup.model, task=task, append_eos=append)) == []


LLAMA_3_1 = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "vocab_size": 128256,
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "intermediate_size": 14336,
    "max_position_embeddings": 131072,
    "bos_token_id": 128000,
    "eos_token_id": [128001, 128008, 128009],
}
QWEN_3 = {
    "model_type": "qwen3",
    "architectures": ["Qwen3ForCausalLM"],
    "vocab_size": 151936,
    "hidden_size": 1024,
    "bos_token_id": 151643,
    "eos_token_id": 151645,
}


@pytest.mark.parametrize(
    ("name", "config", "pad"),
    [
        ("gpt2", None, None),
        ("kogpt2-base-v2", None, None),
        ("exaone4-1.2b", None, None),
        ("llama3.1", LLAMA_3_1, "<|finetune_right_pad_id|>"),
        ("qwen3", QWEN_3, None),
    ],
)
def test_real_decoders_are_quiet(
    shared_assets: Path, tmp_path: Path, name: str, config: dict[str, Any] | None, pad: str | None
) -> None:
    """GPT-2, KoGPT2, EXAONE 4, Llama 3.1 and Qwen3 as published: no error and no warning, alone or, with a template, for chats."""
    folder = shared_assets / "tokenizers" / name
    if config is not None:
        for file in folder.iterdir():
            (tmp_path / file.name).symlink_to(file)
        (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
        folder = tmp_path
    keys: dict[str, Any] = {"task": "chat-sft", "encode": {"padding": True}} if "gpt2" not in name else {}
    report = run((*RULES, *TEMPLATE_RULES), Facts(Setup(model=str(folder), pad_token=pad, **keys)))
    assert [finding for finding in report.findings if finding.level != "note"] == []


def test_the_three_way_example(make_model: MakeModel) -> None:
    """Tokenizer and config say <|im_end|>, generation_config says </s>: the footgun of the catalogue (T18)."""
    folder = decoder(make_model, template=LLAMA3, markers=("<|im_end|>",), generation={"eos_token_id": 6})
    assert [
        finding.code
        for rule in RULES
        for finding in found(rule, Setup(model=str(folder), task="causal-lm", encode={"padding": True}))
    ] == ["CHT004"]
