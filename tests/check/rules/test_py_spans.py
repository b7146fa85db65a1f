"""PYS177, PYS178 and PYS181: answers and labels are put at the tokens that they belong to."""

import pytest

from pretune.check.rules.py_spans import answer_end_one_behind, answer_sought_in_the_question, word_labels_on_pieces
from script_rules import found

HEAD = """
from datasets import load_dataset
from transformers import AutoModelForTokenClassification, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained("klue/bert-base")
model = AutoModelForTokenClassification.from_pretrained("klue/bert-base")
rows = load_dataset("x/y")
"""
SPANS = """
def spans(row):
    encoded = tokenizer({texts}, truncation="{cut}", max_length=384)
    start = row["answers"]["answer_start"][0]
    end = start + len(row["answers"]["text"][0])
    encoded["start_positions"] = encoded.char_to_token(start{told})
    encoded["end_positions"] = encoded.char_to_token({end}{told})
    return encoded
rows = rows.map(spans)
"""


@pytest.mark.parametrize(
    ("texts", "cut", "told", "count"),
    [
        ('row["question"], row["context"]', "only_second", "", 2),
        ('row["question"].strip(), row["context"]', "longest_first", "", 2),
        ('row["question"], row["context"]', "only_second", ", sequence_index=1", 0),
        ('row["context"], row["question"]', "only_first", "", 0),
        ('row["context"]', "longest_first", "", 0),
        ("*texts(row)", "longest_first", "", 0),
    ],
)
def test_answer_sought_in_the_question(texts: str, cut: str, told: str, count: int) -> None:
    """The context comes second and nothing says so; first, alone, told or unknown it is nothing."""
    text = HEAD + SPANS.format(texts=texts, cut=cut, told=told, end="end - 1")
    assert len(found(answer_sought_in_the_question, text)) == count


@pytest.mark.parametrize(
    ("end", "count"),
    [("end", 1), ("end - 1", 0), ("row['answer_end']", 0), ("end) or encoded.char_to_token(end - 1", 0)],
)
def test_answer_end_one_behind(end: str, count: int) -> None:
    """The sum start + len(answer) as it is; one less, another column, and a second try are no fault."""
    text = HEAD + SPANS.format(texts='row["context"]', cut="only_first", told="", end=end)
    assert len(found(answer_end_one_behind, text)) == count


LABELS = """
def label(batch):
    encoded = tokenizer(batch["tokens"], truncation=True, is_split_into_words={words})
    encoded["labels"] = {labels}
    return encoded
rows = rows.map(label, batched=True)
"""


@pytest.mark.parametrize(
    ("words", "labels", "count"),
    [
        ("True", 'batch["ner_tags"]', 1),
        ("False", 'batch["ner_tags"]', 0),
        ("True", 'aligned(encoded, batch["ner_tags"])', 0),
        ("True", '[[t[w] for w in encoded.word_ids(n)] for n, t in enumerate(batch["ner_tags"])]', 0),
    ],
)
def test_word_labels_on_pieces(words: str, labels: str, count: int) -> None:
    """Words' labels as they are; aligned by word_ids or by somebody else they are nothing."""
    assert len(found(word_labels_on_pieces, HEAD + LABELS.format(words=words, labels=labels))) == count
