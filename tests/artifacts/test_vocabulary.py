"""Vocabularies out of each kind of file, and what is odd in them."""

from pathlib import Path
from typing import Any

import pytest

from pretune.artifacts.source import locate
from pretune.artifacts.vocabulary import (
    UnknownOrder,
    from_tokenizer_json,
    read_vocabulary,
    reordered,
    vocabulary_files,
)
from pretune.core.errors import UserError
from tokenizer_samples import byte_level_spec, sentencepiece, spec, unigram_spec, write


def txt(folder: Path, text: str | bytes) -> Any:
    """The vocabulary of a vocab.txt with this content."""
    return read_vocabulary(locate(str(write(folder, {"vocab.txt": text}))), "vocab.txt")


def odd(vocabulary: Any) -> list[tuple[str, tuple[int, ...]]]:
    """Kinds of oddities and their lines."""
    return [(oddity.kind, oddity.lines) for oddity in vocabulary.oddities]


def test_vocab_txt(tmp_path: Path) -> None:
    """A token a line, from 0; a last line without a newline counts."""
    assert dict(txt(tmp_path, "[PAD]\n[UNK]\n가").ids) == {"[PAD]": 0, "[UNK]": 1, "가": 2}


def test_empty_vocab_txt(tmp_path: Path) -> None:
    """An empty file is an empty vocabulary."""
    vocabulary = txt(tmp_path, "")
    assert (dict(vocabulary.ids), vocabulary.largest_id, vocabulary.holes) == ({}, -1, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\n\nb\n", [("blank-line", (2,))]),
        ("a\nb\na\n", [("duplicate", (1, 3))]),
        ("a\nb\na\na\n", [("duplicate", (1, 3, 4))]),
        ("a \nb\n", [("trailing-space", (1,))]),
        ("a\r\nb\n", [("carriage-return", (1,))]),
        ("a\r\nb\r\n", []),
        ("\ufeffa\nb\n", [("byte-order-mark", (1,))]),
        ("a\nb\n\n", [("blank-line", (3,))]),
    ],
)
def test_oddities(tmp_path: Path, text: str, expected: list[Any]) -> None:
    """Blank lines, duplicates, white space at line ends and a byte order mark are seen, with their lines."""
    assert odd(txt(tmp_path, text)) == expected


def test_ids_after_oddities(tmp_path: Path) -> None:
    """A blank line takes an id, and of equal tokens the last one counts, as in transformers."""
    assert dict(txt(tmp_path, "a\n\nb\na\n").ids) == {"": 1, "b": 2, "a": 3}


def test_not_utf8(tmp_path: Path) -> None:
    """A file in CP949 is one sentence with the byte."""
    with pytest.raises(UserError, match=r"vocab.txt is not UTF-8 at byte 2$"):
        txt(tmp_path, "a\n한국".encode("cp949"))


@pytest.mark.parametrize(
    ("value", "kind", "count"),
    [(spec(), "WordPiece", 178), (byte_level_spec(), "BPE", 266), (unigram_spec(), "Unigram", 32)],
)
def test_tokenizer_json(value: dict[str, Any], kind: str, count: int) -> None:
    """Kind and tokens of each model type."""
    vocabulary = from_tokenizer_json(value, file="tokenizer.json")
    assert vocabulary.kind == kind
    assert vocabulary.count == len(vocabulary.pieces or vocabulary.ids)
    assert abs(vocabulary.count - count) <= 2


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ({"vocab": {"a": 0}, "merges": []}, "BPE"),
        ({"vocab": [["a", 0.0]]}, "Unigram"),
        ({"vocab": {"a": 0}, "continuing_subword_prefix": "##"}, "WordPiece"),
        ({"vocab": {"a": 0}}, "WordLevel"),
    ],
)
def test_kind_left_out(model: dict[str, Any], kind: str) -> None:
    """Old files leave the type out; the other keys tell it."""
    assert from_tokenizer_json({"model": model}, file="t").kind == kind


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({}, "has no model"),
        ({"model": {}}, "no vocabulary under /model/vocab"),
        ({"model": {"vocab": [["a"], 3]}}, "entries are not"),
    ],
)
def test_no_vocabulary(value: dict[str, Any], why: str) -> None:
    """A tokenizer.json without a vocabulary is one sentence."""
    with pytest.raises(UserError, match=why):
        from_tokenizer_json(value, file="tokenizer.json")


def test_merges_in_both_forms() -> None:
    """Merges are strings in old files and pairs in new ones."""
    value = byte_level_spec()
    pairs = {**value, "model": {**value["model"], "merges": [rule.split(" ") for rule in value["model"]["merges"]]}}
    assert from_tokenizer_json(value, file="t").merges == from_tokenizer_json(pairs, file="t").merges


def test_repeated_piece_counts_twice() -> None:
    """A Unigram list keeps equal pieces apart in the count, the last one has the id."""
    vocabulary = from_tokenizer_json({"model": {"type": "Unigram", "vocab": [["a", 0], ["b", 0], ["a", -1]]}}, file="t")
    assert (vocabulary.count, dict(vocabulary.ids)) == (3, {"a": 2, "b": 1})


def test_vocab_json_and_merges(tmp_path: Path) -> None:
    """vocab.json and merges.txt, its version line left out."""
    source = locate(
        str(write(tmp_path, {"vocab.json": {"a": 0, "b": 1, "ab": 2}, "merges.txt": "#version: 0.2\na b\n"}))
    )
    vocabulary = read_vocabulary(source, "vocab.json")
    assert (vocabulary.kind, vocabulary.merges, vocabulary.count) == ("BPE", ("a b",), 3)


ROWS = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3), ("▁a", -1.0, 1), ("b", -2.0, 1)]


def test_sentencepiece_orders(tmp_path: Path) -> None:
    """XLM-R moves the special tokens and adds a mask, T5 adds sentinels; other classes' orders are not known."""
    source = locate(str(write(tmp_path, {"spiece.model": sentencepiece(ROWS)})))
    vocabulary = read_vocabulary(source, "spiece.model")
    assert vocabulary.control == (("<s>", True), ("</s>", True))
    xlm = reordered(
        vocabulary,
        "XLMRobertaTokenizer",
        {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"},
    )
    assert xlm.pieces == ("<s>", "<pad>", "</s>", "<unk>", "▁a", "b", "<mask>")
    assert reordered(vocabulary, "T5Tokenizer", {}).pieces[-1] == "<extra_id_0>"
    with pytest.raises(UnknownOrder, match="does not say which ids NllbTokenizer gives"):
        reordered(vocabulary, "NllbTokenizer", {})


def test_files_in_order(tmp_path: Path) -> None:
    """tokenizer.json is read before the others."""
    write(tmp_path, dict.fromkeys(("spiece.model", "vocab.txt", "tokenizer.json", "merges.txt"), "{}"))
    assert vocabulary_files(locate(str(tmp_path))) == ("tokenizer.json", "vocab.txt", "spiece.model")
