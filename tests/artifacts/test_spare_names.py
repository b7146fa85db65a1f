"""Names of slots that are free, and which entries of a vocabulary are."""

from pathlib import Path

import pytest

from pretune.artifacts.named_slots import named_slots
from pretune.artifacts.source import locate
from pretune.artifacts.spare_names import is_spare_name
from pretune.artifacts.tokenizer import read_tokenizer
from tokenizer_samples import write


@pytest.mark.parametrize(
    ("token", "spare"),
    [
        ("[unused7]", True), ("<unused_3>", True), ("[UNUSED10]", True), ("<|extra_3|>", True), ("[unused]", True),
        ("<|reserved_special_token_5|>", True), ("madeupword0002", True), ("<SPECIAL_20>", True), ("[control_8]", True),
        ("<unused_token_4>", True), ("<|unused-abc|>", True), ("<|placeholder1|>", True), ("<madeupword0001>", True),
        ("unused7", False), ("[CLS]", False), ("<extra_id_0>", False), ("<reserved>", False), ("a[unused7]", False),
    ],
)  # fmt: skip
def test_spare_names(token: str, spare: bool) -> None:
    """Names that model makers give to free slots; T5's sentinels are none."""
    assert is_spare_name(token) is spare


def test_named_slots(tmp_path: Path) -> None:
    """A named entry is free unless a file uses it or the embedding has no row for it."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"[unused{place}]" for place in range(6)), "word"]
    settings = {"tokenizer_class": "BertTokenizer", "additional_special_tokens": ["[unused1]"]}
    tokenizer = read_tokenizer(
        locate(str(write(tmp_path, {"vocab.txt": "\n".join(words), "tokenizer_config.json": settings})))
    )
    assert list(named_slots(tokenizer, rows=None).values()) == ["[unused0]", *(f"[unused{i}]" for i in range(2, 6))]
    assert list(named_slots(tokenizer, rows=8)) == [5, 7]
