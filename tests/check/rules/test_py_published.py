"""What trials on published training code have taught: faults that were missed, and code that works and was accused."""

import pytest

from api_scripts import found
from ask_scripts import SETUP, asked, lines, number_of
from pretune.check.facts.training_arguments import arguments_of, fitted
from pretune.check.finding import Level
from pretune.check.rules.api import method_gone, uses_without_common_version
from pretune.check.rules.api_classes import argument_of_no_version
from pretune.check.rules.py_encoding import padded_but_not_cut
from pretune.check.rules.py_gradients import gradients_cleared_before_step, step_before_backward
from pretune.check.rules.py_loading import tokenizer_of_another_model
from pretune.check.rules.py_mode import trained_in_evaluation_mode
from pretune.check.rules.py_outputs import output_unpacked_into_names
from pretune.check.rules.py_scaling import accumulation_cleared_each_batch
from pretune.check.rules.py_tokens import resized_to_vocab_size
from pretune.check.rules.py_vector import last_position_is_padding, mean_over_padding
from pretune.script.read import read_source
from pretune.script.tokens import holds, parts

MODULE = """\
import torch
from torch import nn
from transformers import BertConfig, BertModel

class Pair(nn.Module):
    def __init__(self, name):
        super().__init__()
        {config}
        self.bert = BertModel.from_pretrained(name{load})
        self.head = nn.Linear(768, 3)

    def forward(self, input_ids, attention_mask, token_type_ids):
        {body}
        return self.head(out)

net = Pair("klue/bert-base")
"""
CALL = "self.bert(input_ids, attention_mask=attention_mask{})"
TRAINER = """\
from transformers import Trainer
class Ours(Trainer):
    def __init__(self, model=None, args=None, tokenizer=None):
        if tokenizer is None:
            raise ValueError("no tokenizer")
        self.tokenizer = tokenizer
        super().__init__(model=model, args=args)
    def rows(self, text):
        return self.tokenizer(text)
    def compute_loss(self, model, inputs, return_outputs=False):
        return model(**inputs).loss
"""
MODE = """\
from transformers import AdamW, AutoModel, BertModel, BertPreTrainedModel
model = AutoModel.from_pretrained("klue/bert-base")
model.to("cuda").train()
model.eval()
model.half()
AdamW(model.parameters()).step()
"""
ARGUMENTS = "from transformers import {0}\n{0}({1})"


def module(body: str, *, load: str = "", config: str = "pass") -> str:
    """A module of the script's own around BERT."""
    return MODULE.format(body=body, load=load, config=config)


@pytest.mark.parametrize(
    "body",
    [
        f"_, out = {CALL.format('')}",
        f"hidden, out = {CALL.format(', token_type_ids=token_type_ids')}",
        f"(_, out) = {CALL.format('')}",
        "_, out = self.bert(**batch)",
    ],
)
def test_output_unpacked(body: str) -> None:
    """Since transformers 4 unpacking an output gives its keys."""
    (finding,) = asked(output_unpacked_into_names, module(body), target={"transformers": "4.30"})
    assert lines([finding]) == [13]
    assert finding.also == ("train.py:9:21",)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        (module(f"_, out = {CALL.format(', return_dict=False')}"), "4.30"),
        (module(f"_, out = {CALL.format('')}", load=", return_dict=False"), "4.30"),
        (module(f"_, out = {CALL.format('')}", load=", torchscript=True"), "5.23"),
        (module(f"_, out = {CALL.format('')}"), "3.5"),
        (module(f"out = {CALL.format('')}[1]"), "5.23"),
        (module(f"_, out = {CALL.format('')}.to_tuple()"), "5.23"),
        (module(f"_, out = {CALL.format('')}[:2]"), "5.23"),
        (module(f"_, out = {CALL.format('')}", config="self.config = BertConfig.from_pretrained(name, return_dict=False)"),
         "5.23"),
    ],
)  # fmt: skip
def test_output_that_is_a_tuple(text: str, version: str) -> None:
    """A tuple may be unpacked, and items may be taken of either."""
    assert asked(output_unpacked_into_names, text, target={"transformers": version}) == []


def test_own_output_unpacked() -> None:
    """A module of the script's own may give a tuple."""
    text = module("out = input_ids") + "logits, loss = net(torch.ones(1, 2), None, None)\n"
    assert asked(output_unpacked_into_names, text, target={"transformers": "5.23"}) == []


@pytest.mark.parametrize(
    ("rule", "take"),
    [(mean_over_padding, ".last_hidden_state.mean(1)"), (mean_over_padding, "[0].max(dim=1)"),
     (last_position_is_padding, "[0][:, -1]")],
)  # fmt: skip
def test_vector_inside_forward(rule: object, take: str) -> None:
    """A module that is given an attention_mask meets padding, though its tokenizer is called elsewhere."""
    (finding,) = asked(rule, module(f"out = {CALL.format('')}{take}"))  # type: ignore[arg-type]
    assert finding.level == Level.WARNING


@pytest.mark.parametrize(
    "body",
    [
        "out = self.bert(input_ids).last_hidden_state.mean(1)",
        f"h = {CALL.format('')}[0]; m = attention_mask.unsqueeze(-1); out = (h * m).sum(1) / m.sum(1)",
        f"out = {CALL.format('')}.last_hidden_state[:, 0]",
    ],
)
def test_vector_that_minds_the_mask(body: str) -> None:
    """No mask, a mask that is used, and the first token are not accused."""
    assert asked(mean_over_padding, module(body)) == asked(last_position_is_padding, module(body)) == []


def test_own_tokenizer_of_a_trainer() -> None:
    """An attribute that the project's Trainer sets itself is not the library's, under any version."""
    for version in ("4.11", "4.46", "5.23"):
        assert found(method_gone, TRAINER, transformers=version) == []
        assert found(uses_without_common_version, TRAINER, transformers=version) == []


@pytest.mark.parametrize("version", ["4.11", "4.25", "4.49"])
def test_methods_of_modules(version: str) -> None:
    """What a model has of torch.nn.Module was there before PreTrainedModel wrote it anew."""
    assert found(method_gone, MODE, transformers=version) == []
    assert found(uses_without_common_version, MODE, transformers=version) == []


def test_method_of_a_class_that_went() -> None:
    """Of a class that is gone its import tells, not each of its methods."""
    assert found(method_gone, MODE, transformers="5.23") == []


@pytest.mark.parametrize(
    ("name", "given", "slip"),
    [("TrainingArguments", "'out', evaluation_steps=50", "evaluation_steps"), ("Trainer", "train_data=None", "train_data"),
     ("Seq2SeqTrainingArguments", "'out', learnin_rate=1e-5", "learnin_rate")],
)  # fmt: skip
def test_argument_of_no_version(name: str, given: str, slip: str) -> None:
    """A slip in an argument's name is a TypeError under every version."""
    for version in ("4.30", "5.23"):
        (finding,) = found(argument_of_no_version, ARGUMENTS.format(name, given), transformers=version)
        assert finding.message == f"no version of transformers has {name}({slip}=...)"


@pytest.mark.parametrize(
    ("name", "given"),
    [("TrainingArguments", "'out', evaluation_strategy='no'"), ("BitsAndBytesConfig", "load_in_4bit=True"),
     ("TrainingArguments", "**options"), ("Seq2SeqTrainingArguments", "'out', predict_with_generate=True, learning_rate=1e-5")],
)  # fmt: skip
def test_argument_of_some_version(name: str, given: str) -> None:
    """An argument that came or went, or of a class whose arguments are not all known, is no slip."""
    assert found(argument_of_no_version, ARGUMENTS.format(name, given), transformers="5.23") == []


def test_step_first_and_cleared_last() -> None:
    """step(), backward(), zero_grad(): each step finds what the round before has cleared."""
    loop = "for batch in train_loader:\n    optimizer.step()\n    model(**batch).loss.backward()\n    {}\n"
    text = SETUP + loop.format("optimizer.zero_grad()")
    (finding,) = asked(step_before_backward, text)
    assert lines([finding]) == [number_of(text, "optimizer.step()")]
    assert asked(gradients_cleared_before_step, text) == []
    delayed = SETUP + loop.format("pass").replace("    model(", "    optimizer.zero_grad()\n    model(")
    assert asked(step_before_backward, delayed) == []


def test_cleared_by_the_model() -> None:
    """model.zero_grad() on every batch throws accumulated gradients away as the optimizer's does."""
    text = SETUP + (
        "for i, batch in enumerate(train_loader):\n    model.zero_grad()\n    (model(**batch).loss / 4).backward()\n"
        "    if (i + 1) % 4 == 0:\n        optimizer.step()\n"
    )
    (finding,) = asked(accumulation_cleared_each_batch, text)
    assert lines([finding]) == [number_of(text, "model.zero_grad()")]


def test_mode_of_one_of_several_models() -> None:
    """The model that a table of classes gives is one object, whichever class it is of."""
    text = SETUP.replace(
        'model = AutoModelForSequenceClassification.from_pretrained("klue/bert-base", num_labels=2)',
        "import sys\nfrom transformers import BertForTokenClassification as B, ElectraForTokenClassification as E\n"
        'model = {"bert": B, "electra": E}[sys.argv[1]].from_pretrained("x")',
    )
    loop = (
        "for e in range(3):\n    for b in train_loader:\n        model(**b).loss.backward()\n        optimizer.step()\n"
    )
    tested = "    model.eval()\n    for b in valid_loader:\n        model(**b)\n"
    assert len(asked(trained_in_evaluation_mode, text + "model.train()\n" + loop + tested)) == 1
    again = loop.replace("    for b in train", "    model.train()\n    for b in train")
    assert asked(trained_in_evaluation_mode, text + again + tested) == []


@pytest.mark.parametrize(
    ("model", "tokenizer", "accused"),
    [
        ("klue/roberta-large", "bert-base-multilingual-cased", True),
        ("bert-base-uncased", "monologg/koelectra-base-v3-discriminator", True),
        ("xlm-roberta-base", "klue/bert-base", True),
        ("klue/roberta-large", "klue/bert-base", False),
        ("someone/ko-xlm-roberta", "xlm-roberta-base", False),
        ("monologg/distilkobert", "monologg/kobert", False),
    ],
)
def test_korean_and_foreign_vocabulary(model: str, tokenizer: str, accused: bool) -> None:
    """Korean encoders that were trained from nothing share no vocabulary with foreign ones."""
    text = f"""\
        from transformers import AutoModelForMaskedLM, AutoTokenizer, Trainer
        model = AutoModelForMaskedLM.from_pretrained("{model}")
        tokenizer = AutoTokenizer.from_pretrained("{tokenizer}")
        Trainer(model=model, tokenizer=tokenizer).train()
        """
    assert bool(asked(tokenizer_of_another_model, text)) is accused


def test_vocab_size_without_known_words() -> None:
    """vocab_size leaves out added tokens also where only a run knows which they are; how many is not known."""
    text = """\
        from transformers import AutoModel, AutoTokenizer
        tokenizer = AutoTokenizer.from_pretrained("klue/bert-base")
        model = AutoModel.from_pretrained("klue/bert-base")
        tokenizer.add_tokens(open("words.txt").read().split())
        model.resize_token_embeddings({})
        """
    (finding,) = asked(resized_to_vocab_size, text.format("tokenizer.vocab_size"))
    assert finding.level == Level.WARNING
    assert asked(resized_to_vocab_size, text.format("len(tokenizer)")) == []


def test_one_text_that_stands_there() -> None:
    """Whoever writes the text down knows that it is short enough."""
    text = 'from transformers import AutoTokenizer as A\nt = A.from_pretrained("x")\nt({}, padding="max_length")\n'
    assert asked(padded_but_not_cut, text.format('"한 문장이다."')) == []
    assert len(asked(padded_but_not_cut, text.format("open('rows').readlines()"))) == 1


@pytest.mark.parametrize("version", ["4.30.2", "4.57.6", "5.23.0"])
@pytest.mark.parametrize(
    ("name", "value"), [("report_to", "wandb"), ("deepspeed", {"bf16": {}}), ("debug", "underflow_overflow")]
)
def test_arguments_that_are_parsed(version: str, name: str, value: object) -> None:
    """Some arguments have always taken more than older versions' annotations say."""
    assert fitted(arguments_of(version).arguments[name], value) == (value, None)


def test_values_that_share_parts() -> None:
    """A value that is doubled forty times over is looked through once, not once for each way to it."""
    text = "import os\nx = os.getcwd()\n" + "x = x + x\n" * 40 + "print(x)\n"
    (call,) = read_source(text).calls("builtins.print")
    asked_of: list[object] = []
    assert holds(call.arguments[0], lambda one: bool(asked_of.append(one)), 60) is False
    assert len(asked_of) < 100
    assert len(list(parts(call.arguments))) < 100
