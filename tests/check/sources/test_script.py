"""From a script to Setups: what can be followed, with its place, and nothing that is guessed."""

from pathlib import Path
from textwrap import dedent

import pytest

from pretune.check.sources.script import setups
from pretune.check.sources.setup import Setup
from pretune.script.objects import Objects
from pretune.script.read import read_script, read_source

HEAD = """
from transformers import *
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, BertModel, Trainer, TrainingArguments
from peft import LoraConfig, TaskType, get_peft_model
from datasets import load_dataset
import torch
"""


def made(text: str) -> list[Setup]:
    """The Setups of a script."""
    return setups(Objects(read_source(HEAD + dedent(text), "train.py")))


FULL = """
name = "klue/roberta-base"
config = AutoConfig.from_pretrained(name, num_labels=7)
config.hidden_dropout_prob = 0.2
config.update({"layer_norm_eps": 1e-6})
tokenizer = AutoTokenizer.from_pretrained("klue/bert-base", use_fast=True)
tokenizer.add_tokens(["코로나19"])
tokenizer.add_special_tokens({"additional_special_tokens": ["<e>", "</e>"]})
model = AutoModelForSequenceClassification.from_pretrained(name, config=config, torch_dtype=torch.float16)
model.resize_token_embeddings(len(tokenizer), pad_to_multiple_of=8)
model = get_peft_model(model, LoraConfig(task_type=TaskType.SEQ_CLS, r=8, target_modules=["query"]))
def encode(rows):
    return tokenizer(rows["text"], truncation=True, max_length=256)
args = TrainingArguments("out", learning_rate=3e-5, eval_strategy="epoch", fp16=torch.cuda.is_available())
args.num_train_epochs = 5
Trainer(model=model, args=args, train_dataset=data.map(encode)).train()
"""


def test_everything_that_can_be_followed() -> None:
    """Model, config, tokenizer, tokens, resize, adapter, encoding and arguments, with the lines that say them."""
    (setup,) = made(FULL)
    assert (setup.model, setup.tokenizer, setup.task) == ("klue/roberta-base", "klue/bert-base", "text-classification")
    assert setup.model_class == "AutoModelForSequenceClassification"
    assert (setup.config, setup.config_update) == (
        {"num_labels": 7},
        {"hidden_dropout_prob": 0.2, "layer_norm_eps": 1e-6},
    )
    assert setup.from_pretrained == {"torch_dtype": "float16"}
    assert (setup.add_tokens, setup.add_special_tokens) == (("코로나19",), ("<e>", "</e>"))
    assert setup.resize == {"pad_to_multiple_of": 8}
    assert setup.peft == {"task_type": "SEQ_CLS", "r": 8, "target_modules": ["query"]}
    assert setup.encode == {"truncation": True, "max_length": 256}
    assert setup.training_args == {
        "output_dir": "out",
        "learning_rate": 3e-5,
        "eval_strategy": "epoch",
        "num_train_epochs": 5,
    }
    assert setup.place("config_update.hidden_dropout_prob") == "train.py:10:1"
    assert setup.place("training_args.num_train_epochs") == "train.py:21:1"
    assert setup.place("model").startswith("train.py:15:")


def test_what_is_not_known_is_left_out() -> None:
    """Names from a run, words from a file, an addition in a branch, arguments that others depend on."""
    assert made("model = BertModel.from_pretrained(input())\n") == []
    loaded = """
tokenizer = AutoTokenizer.from_pretrained("klue/bert-base")
model = BertModel.from_pretrained("klue/bert-base")
"""
    for addition in (
        'tokenizer.add_tokens(open("words.txt").read().split())\n',
        'if flag:\n    tokenizer.add_tokens(["<e>"])\n',
        'tokenizer.add_tokens(["<e>"])\nmodel.resize_token_embeddings(size)\n',
        'tokenizer.add_tokens(["<e>"])\nother.resize_token_embeddings(len(tokenizer))\n',
    ):
        (setup,) = made(loaded + addition)
        assert (setup.add_tokens, setup.resize) == ((), None)
    strategy = (
        'args = TrainingArguments("out", load_best_model_at_end=True, eval_strategy=given)\nTrainer(model, args)\n'
    )
    assert made(loaded + strategy)[0].training_args == {}


def test_the_trained_model_is_meant() -> None:
    """Of several models that is the one that is trained; else each, and each once; a tokenizer alone is a Setup too."""
    two = 'a = BertModel.from_pretrained("a/a")\nb = BertModel.from_pretrained("b/b")\n'
    assert [setup.model for setup in made(two)] == ["a/a", "b/b"]
    assert [setup.model for setup in made(two + "Trainer(model=b.cuda())\n")] == ["b/b"]
    assert [setup.model for setup in made(two + 'c = BertModel.from_pretrained("a/a")\n')] == ["a/a", "b/b"]
    assert [setup.tokenizer for setup in made('t = AutoTokenizer.from_pretrained("a/a")\n')] == ["a/a"]
    assert made("print('가')\n") == []


def test_a_module_that_holds_the_model() -> None:
    """What a class of the project holds is trained with it."""
    (setup,) = made(
        """
        other = BertModel.from_pretrained("b/b")
        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.bert = BertModel.from_pretrained("a/a")
        net = Net()
        optimizer = torch.optim.AdamW(net.parameters())
        """
    )
    assert setup.model == "a/a"


def test_data_files_beside_the_script(tmp_path: Path) -> None:
    """Files of load_dataset that are there; none where one is not, or rows are changed on the way."""
    (tmp_path / "train.jsonl").write_text('{"text": "가", "label": 0}\n', "utf-8")
    script = tmp_path / "train.py"
    load = """
model = AutoModelForSequenceClassification.from_pretrained("klue/bert-base", num_labels=2)
data = load_dataset("json", data_files={"train": "train.jsonl"})
"""

    def data(text: str) -> tuple[object, ...]:
        script.write_text(HEAD + text, "utf-8")
        (setup,) = setups(Objects(read_script(str(script))))
        return setup.data.train

    assert data(load) == (str(tmp_path / "train.jsonl"),)
    assert data(load.replace("train.jsonl", "gone.jsonl")) == ()
    assert data(load + "data = data.filter(f)\n") == ()
    assert data(load.replace("num_labels=2", "num_labels=len(labels)")) == ()


def test_arguments_that_mean_something_else() -> None:
    """The learning rate of an adapter or of frozen weights, the accumulation of a trainer with a loss of its own."""
    text = """
model = BertModel.from_pretrained("a/a")
args = TrainingArguments("out", learning_rate=1e-3, gradient_accumulation_steps=4)
"""
    both = {"output_dir": "out", "learning_rate": 1e-3, "gradient_accumulation_steps": 4}
    assert made(text + "Trainer(model, args)\n")[0].training_args == both
    frozen = "model.embeddings.requires_grad_(False)\nTrainer(model, args)\n"
    assert "learning_rate" not in made(text + frozen)[0].training_args
    own = "class Mine(Trainer):\n    pass\nMine(model, args)\n"
    assert "gradient_accumulation_steps" not in made(text + own)[0].training_args
    unknown = "Trainer(get_peft_model(model, config), args)\n"
    assert "learning_rate" not in made(text + unknown)[0].training_args
    adapter = 'Trainer(model=model, args=args, peft_config=LoraConfig(r=4, task_type="CAUSAL_LM"))\n'
    (setup,) = made(text + adapter)
    assert (setup.peft, "learning_rate" in setup.training_args) == ({"r": 4, "task_type": "CAUSAL_LM"}, True)


PAIRS = """
tokenizer = AutoTokenizer.from_pretrained("klue/roberta-base")
model = AutoModelForSequenceClassification.from_pretrained("klue/roberta-base", num_labels=3)
Trainer(model=model, train_dataset=rows)
"""


@pytest.mark.parametrize(
    ("text", "off"),
    [
        ("x = tokenizer(a, b, return_token_type_ids=False)\n", True),
        ('x = tokenizer(a, b)\nx.pop("token_type_ids")\n', True),
        ('x = tokenizer(a, b)\ndel x["token_type_ids"]\n', True),
        ('tokenizer.model_input_names = ["input_ids", "attention_mask"]\nx = tokenizer(a, b)\n', True),
        ('rows = rows.remove_columns(["token_type_ids"])\nx = tokenizer(a, b)\n', True),
        ("x = tokenizer(a, b)\n", False),
        ("x = tokenizer(a, b, return_token_type_ids=False)\ny = tokenizer(a, b)\n", False),
    ],
)
def test_segments_that_do_not_reach_the_model(text: str, off: bool) -> None:
    """Not asked for, or taken out; one pair that has them is enough for a fault."""
    (setup,) = made(PAIRS + text)
    assert (setup.encode.get("return_token_type_ids") is False) is off


@pytest.mark.parametrize(
    ("text", "follows"),
    [
        ("model.config.pad_token_id = tokenizer.pad_token_id\nTrainer(model=model)\n", True),
        ("model.config.pad_token_id = tokenizer.eos_token_id\nTrainer(model=model)\n", True),
        ("Trainer(model=model, processing_class=tokenizer)\n", True),
        ("Trainer(model=model, tokenizer=tokenizer)\n", False),
        ("if f():\n    model.config.pad_token_id = tokenizer.pad_token_id\nTrainer(model=model)\n", False),
        ("Trainer(model=model)\n", False),
    ],
)
def test_the_pad_id_that_the_model_is_given(text: str, follows: bool) -> None:
    """Set to the tokenizer's, by the script or by a Trainer that aligns it."""
    load = 'tokenizer = AutoTokenizer.from_pretrained("gpt2")\nmodel = AutoModelForSequenceClassification.from_pretrained("gpt2")\n'
    (setup,) = made(load + text)
    assert setup.pads_by_tokenizer is follows


def test_a_script_that_only_generates() -> None:
    """No task: nothing is learnt; with a step of training it has one."""
    text = 'model = AutoModelForCausalLM.from_pretrained("gpt2")\nmodel.generate(**batch)\n'
    assert made(text)[0].task is None
    assert made(text + "loss.backward()\n")[0].task == "causal-lm"


@pytest.mark.parametrize(
    ("given", "said"), [("", True), (", add_special_tokens=False", False), (", add_special_tokens=True", True)]
)
def test_chats_that_are_written_out_and_encoded(given: str, said: bool) -> None:
    """Whether the tokenizer adds its own tokens to a rendered chat."""
    text = f"""
tokenizer = AutoTokenizer.from_pretrained("a/a")
model = AutoModelForCausalLM.from_pretrained("a/a")
text = tokenizer.apply_chat_template(messages, tokenize=False)
batch = tokenizer(text{given})
Trainer(model=model)
"""
    assert made(text)[0].encode["add_special_tokens"] is said


def test_arguments_without_a_model_that_is_known() -> None:
    """Asked about alone, without what depends on the model; several are not told apart."""
    args = 'args = TrainingArguments("out", learning_rate=9, eval_steps=500, fp16=True, bf16=True)\n'
    (setup,) = made(args)
    assert (setup.model, setup.training_args) == (
        None,
        {"output_dir": "out", "eval_steps": 500, "fp16": True, "bf16": True},
    )
    assert made(args + args) == []
    assert made("args = TrainingArguments(**options)\n") == []


@pytest.mark.parametrize(
    ("function", "read"),
    [
        ('lambda row: {**tokenizer(row["a"]), "labels": len(row["b"]) % 2}', False),
        ('lambda row: tokenizer(row["text"])', True),
        ("marked", False),
        ("copied", True),
    ],
)
def test_labels_that_are_made_on_the_way(function: str, read: bool, tmp_path: Path) -> None:
    """The file's columns say nothing of labels that a mapped function makes; a copy is what the file has."""
    (tmp_path / "train.jsonl").write_text('{"text": "가", "label": 0}\n', "utf-8")
    script = tmp_path / "train.py"
    text = f"""
tokenizer = AutoTokenizer.from_pretrained("klue/bert-base")
model = AutoModelForSequenceClassification.from_pretrained("klue/bert-base", num_labels=2)
def marked(row):
    encoded = tokenizer(row["text"])
    encoded["labels"] = ids[row["topic"]]
    return encoded
def copied(row):
    return {{**tokenizer(row["text"]), "labels": row["label"]}}
data = load_dataset("json", data_files={{"train": "train.jsonl"}}).map({function})
Trainer(model=model, train_dataset=data)
"""
    script.write_text(HEAD + text, "utf-8")
    (setup,) = setups(Objects(read_script(str(script))))
    assert bool(setup.data.train) is read
