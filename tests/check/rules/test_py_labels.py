"""PYS150 and PYS151: label maps and the number of labels."""

import pytest

from pretune.check.rules.py_labels import label_maps_disagree, number_of_labels_left_out
from script_rules import found

HEAD = """from transformers import AutoConfig, AutoModelForSequenceClassification, AutoModelForTokenClassification
"""
LOAD = "AutoModelForSequenceClassification.from_pretrained('klue/roberta-base'"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"m = {LOAD}, id2label={{0: '긍정', 1: '부정'}}, label2id={{'긍정': 1, '부정': 0}})\n", 1),
        (f"m = {LOAD}, num_labels=2, id2label={{0: 'a', 1: 'b', 2: 'c'}})\n", 1),
        ("c = AutoConfig.from_pretrained('klue/bert-base', num_labels=7, label2id={'IT과학': 0, '경제': 1})\n", 1),
        (f"m = {LOAD}, id2label={{0: 'a', 1: 'b'}}, label2id={{'a': 0, 'b': 1}}, num_labels=2)\n", 0),
        (f"names = ['a', 'b', 'c']\nm = {LOAD}, id2label=dict(enumerate(names)), label2id={{n: i for i, n in enumerate(names)}})\n", 0),
        (f"m = {LOAD}, num_labels=n, id2label={{0: 'a', 1: 'b'}})\n", 0),
        (f"m = {LOAD}, id2label={{'0': 'a', '1': 'b'}}, label2id={{'a': 0, 'b': 1}})\n", 0),
    ],
)  # fmt: skip
def test_label_maps_disagree(text: str, expected: int) -> None:
    """Turned round, too few, a config; not what is made from one list, nor what is not known."""
    assert len(found(label_maps_disagree, HEAD + text)) == expected


TOPICS = "label2id = {'정치': 0, '경제': 1, '사회': 2, '생활문화': 3}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TOPICS + f"m = {LOAD})\n", 1),
        ("tag_list = ['O', 'B-PER', 'I-PER']\nm = AutoModelForTokenClassification.from_pretrained('klue/bert-base')\n", 1),
        (("def load(name='monologg/koelectra-base-v3-discriminator'):\n    return AutoModelForSequenceClassification.from_pretrained(name)\n"
         "EMOTIONS = {0: '기쁨', 1: '슬픔', 2: '분노'}\nm = load()\n"), 1),
        (TOPICS + f"m = {LOAD}, num_labels=4)\n", 0),
        ("label2id = {'no': 0, 'yes': 1}\n" + f"m = {LOAD})\n", 0),
        (TOPICS + "c = AutoConfig.from_pretrained('klue/bert-base', num_labels=4)\n" + f"m = {LOAD}, config=c)\n", 0),
        (TOPICS + "m = AutoModelForSequenceClassification.from_pretrained('out/checkpoint-3')\n", 0),
        (TOPICS + "m = AutoModelForSequenceClassification.from_pretrained('snunlp/KR-FinBert-SC-finetuned')\n", 0),
        (TOPICS + f"m = {LOAD}, **kwargs)\n", 0),
        ("words = {'a': 0, 'b': 1, 'c': 2}\n" + f"m = {LOAD})\n", 0),
    ],
)  # fmt: skip
def test_number_of_labels_left_out(text: str, expected: int) -> None:
    """Four topics, tags, a function; not with num_labels, a config, a checkpoint or another kind of dict."""
    assert len(found(number_of_labels_left_out, HEAD + text)) == expected
