"""Finds the demo's packaged sample files. Written for this project, Apache-2.0; sample/README.md says what each holds.

It does not know what is in them; `pretune.corpus` reads them.
"""

from pathlib import Path

FOLDER = Path(__file__).parent / "sample"


def train() -> Path:
    """45 Korean and English paragraphs with 113 questions, SQuAD/KorQuAD json, healthy."""
    return FOLDER / "train.json"


def dev() -> Path:
    """15 other paragraphs with 37 questions, some with more than one accepted answer, healthy."""
    return FOLDER / "dev.json"


def planted() -> Path:
    """13 paragraphs, twelve of them with one planted mistake each; planted.md beside it lists them."""
    return FOLDER / "planted.json"


def classify() -> Path:
    """60 short Korean reviews, columns document and label (0 or 1, 30 each)."""
    return FOLDER / "classify.tsv"


def pairs() -> Path:
    """40 Korean sentence pairs, columns sentence1, sentence2 and score (0 unrelated, 5 same meaning)."""
    return FOLDER / "pairs.tsv"


def similarity() -> Path:
    """205 sentence pairs, 104 English and 101 Korean, columns sentence1, sentence2, score (0 to 5, one annotator)."""
    return FOLDER / "similarity.tsv"


def chat() -> Path:
    """20 Korean and English conversations, one a line, in the messages format."""
    return FOLDER / "chat.jsonl"


def ner() -> Path:
    """30 Korean sentences, a word and its BIO tag (PS, LC, OG, DT) a line, a blank line between sentences."""
    return FOLDER / "ner.tsv"


def vocabulary() -> Path:
    """2,995 word pieces learnt from train and dev (BertWordPieceTokenizer), one a line, special tokens left out."""
    return FOLDER / "vocabulary.txt"
