"""PYS107 to PYS110: which tokens become special, when they are added, and what pads are masked with."""

import pytest

from pretune.check.rules.py_special import (
    added_after_encoding,
    answers_without_an_end,
    end_of_text_masked_as_padding,
    special_token_is_a_word,
    special_tokens_replaced,
)
from script_rules import found

LOADED = """
from transformers import AutoTokenizer, AutoModelForCausalLM, AddedToken, DataCollatorForLanguageModeling, Trainer
from datasets import load_dataset
tokenizer = AutoTokenizer.from_pretrained("skt/kogpt2-base-v2")
model = AutoModelForCausalLM.from_pretrained("skt/kogpt2-base-v2")
"""


@pytest.mark.parametrize(
    ("call", "levels"),
    [
        ('tokenizer.add_special_tokens({"pad_token": "the"})', ["warning"]),
        ('tokenizer.add_special_tokens({"sep_token": "그리고", "additional_special_tokens": ["<e>"]})', ["warning"]),
        ('tokenizer.add_special_tokens({"additional_special_tokens": ["a", "을"]})', ["warning"]),
        ('tokenizer.add_tokens([AddedToken("코로나")], special_tokens=True)', ["note"]),
        ('tokenizer.add_special_tokens({"additional_special_tokens": ["질문", "문맥"]})', ["note"]),
        ('tokenizer.add_special_tokens({"pad_token": "[PAD]"})', []),
        ('tokenizer.add_special_tokens({"pad_token": "<|endoftext|>", "bos_token": "BOS"})', []),
        ('tokenizer.add_special_tokens({"additional_special_tokens": ["[문단]", "#@이름#", "<e_1>"]})', []),
        ('tokenizer.add_tokens(["코로나", "the"])', []),
        ("tokenizer.add_special_tokens(special_tokens)", []),
    ],
)
def test_special_token_is_a_word(call: str, levels: list[str]) -> None:
    """Roles and short words are warnings, longer words a note; markers and plain additions nothing."""
    assert [finding.level for finding in found(special_token_is_a_word, LOADED + call + "\n")] == levels


FIRST = 'tokenizer.add_special_tokens({"additional_special_tokens": ["<e1>", "</e1>"]})\n'


@pytest.mark.parametrize(
    "text",
    [
        FIRST + 'tokenizer.add_special_tokens({"additional_special_tokens": ["<e2>", "</e2>"]})\n',
        FIRST + 'tokenizer.add_special_tokens({"additional_special_tokens": ["[Q]"], "pad_token": "<pad>"})\n',
        (
            'entity = {"additional_special_tokens": ["<e1>"]}\nnumber = {"additional_special_tokens": ["<num>"]}\n'
            "tokenizer.add_special_tokens(entity)\ntokenizer.add_special_tokens(number)\n"
        ),
    ],
)
def test_special_tokens_replaced(text: str) -> None:
    """Literal lists, with a pad token beside, from variables."""
    (finding,) = found(special_tokens_replaced, LOADED + text)
    assert "<e1>" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        FIRST + 'tokenizer.add_special_tokens({"pad_token": "<pad>"})\n',
        FIRST + 'tokenizer.add_special_tokens({"additional_special_tokens": ["<e1>", "</e1>", "<e2>"]})\n',
        FIRST
        + 'tokenizer.add_special_tokens({"additional_special_tokens": ["<e2>"]}, replace_additional_special_tokens=False)\n',
        FIRST
        + 'tokenizer.add_special_tokens({"additional_special_tokens": tokenizer.additional_special_tokens + ["<e2>"]})\n',
        "if a:\n    " + FIRST + 'else:\n    tokenizer.add_special_tokens({"additional_special_tokens": ["<e2>"]})\n',
    ],
)
def test_special_tokens_kept(text: str) -> None:
    """Another role, a longer list, not replacing, the other side of a branch."""
    assert found(special_tokens_replaced, LOADED + text) == []


MAPPED = """
def preprocess(examples):
    return tokenizer(examples["text"], truncation=True)
data = load_dataset("json", data_files="train.jsonl").map(preprocess, batched=True)
"""


@pytest.mark.parametrize(
    "text",
    [
        MAPPED + 'tokenizer.add_tokens(["코로나19"])\n',
        'data = data.map(lambda e: tokenizer(e["text"]), batched=True)\ntokenizer.add_tokens(["코로나19"])\n',
        'encoded = tokenizer(list(frame["text"]), padding=True)\ntokenizer.add_special_tokens({"sep_token": "<sep2>"})\n',
    ],
)
def test_added_after_encoding(text: str) -> None:
    """After map with a function, with a lambda, and after a column was encoded."""
    assert len(found(added_after_encoding, LOADED + text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        'tokenizer.add_tokens(["코로나19"])\n' + MAPPED,
        'print(tokenizer("코로나19가 퍼졌다"))\ntokenizer.add_tokens(["코로나19"])\n' + MAPPED,
        MAPPED + 'tokenizer.add_tokens(["코로나19"])\n' + MAPPED,
        MAPPED + 'if more:\n    tokenizer.add_tokens(["코로나19"])\n',
    ],
)
def test_added_before_encoding(text: str) -> None:
    """Before it, after a sentence tried out, encoded again, only maybe."""
    assert found(added_after_encoding, LOADED + text) == []


COLLATED = "collator = DataCollatorForLanguageModeling(tokenizer, mlm=False)\n"
SHARED = "tokenizer.pad_token = tokenizer.eos_token\n"
APPENDED = """
def prompt(example):
    return tokenizer(example["question"] + example["answer"] + tokenizer.eos_token)
data = data.map(prompt)
"""


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        (SHARED + COLLATED, ["note"]),
        (SHARED + APPENDED + COLLATED, ["warning"]),
        ('tokenizer.add_special_tokens({"pad_token": tokenizer.eos_token})\n' + COLLATED, ["note"]),
        (SHARED + "labels = ids.clone()\nlabels[labels == tokenizer.pad_token_id] = -100\n", ["note"]),
        (COLLATED, []),
        (SHARED + "collator = DataCollatorForLanguageModeling(tokenizer, mlm=True)\n", []),
        ('tokenizer.pad_token = "<pad>"\n' + APPENDED + COLLATED, []),
        (SHARED + "labels[attention_mask == 0] = -100\n", []),
    ],
)
def test_end_masked_as_padding(text: str, levels: list[str]) -> None:
    """A note where texts may have no end; a warning where they are given one."""
    assert [finding.level for finding in found(end_of_text_masked_as_padding, LOADED + text)] == levels


PROMPTS = """
def encode(row):
    return tokenizer({text}, truncation=True)
rows = load_dataset("x/y").map(encode)
Trainer(model=model, train_dataset=rows)
"""


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('"Q: " + row["question"] + " A: " + row["answer"]', 1),
        ("f\"Q: {row['question']} A: {row['answer']}\"", 1),
        ('row["question"] + row["answer"] + tokenizer.eos_token', 0),
        ('row["question"] + row["answer"] + "</s>"', 0),
        ('row["text"]', 0),
        ('"Q: " + row["text"]', 0),
    ],
)
def test_answers_without_an_end(text: str, count: int) -> None:
    """Two columns put together and nothing behind; an end, in the open or written out, or plain text is no fault."""
    assert len(found(answers_without_an_end, LOADED + PROMPTS.replace("{text}", text))) == count
