"""Sentencepiece `.model` files: read as sentencepiece reads them, refused in one sentence when they are none."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretune.artifacts.sentencepiece_model import PieceType, parse
from pretune.core.errors import UserError
from tokenizer_samples import field, one_sentence, sentencepiece

ROWS = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3), ("<ent>", 0.0, 4), ("▁한국", -1.5, 1), ("<0x00>", 0.0, 6)]


def test_pieces() -> None:
    """Texts, scores, types, kind and flags come out as they went in."""
    model = parse(sentencepiece(ROWS, charsmap=b"abc", byte_fallback=True), name="x.model")
    assert [(piece.text, piece.score, piece.type) for piece in model.pieces] == ROWS
    assert (model.kind, model.unk_id, model.charsmap, model.byte_fallback) == ("Unigram", 0, b"abc", True)
    assert model.pieces[3].type is not None
    assert model.pieces[3].type == PieceType.USER_DEFINED
    assert (model.add_dummy_prefix, model.remove_extra_whitespaces) == (True, True)


@pytest.mark.parametrize(("kind", "name"), [(1, "Unigram"), (2, "BPE"), (3, "WORD"), (4, "CHAR"), (9, "9")])
def test_kinds(kind: int, name: str) -> None:
    """Kinds that pretune does not encode with keep their name."""
    assert parse(sentencepiece(ROWS, kind=kind), name="x").kind == name


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "holds no pieces"),
        (b"hello world, this is text", "runs past the end|wire type"),
        (b"\x0a\xff\xff\xff\xff\x7fabc", "runs past the end"),
        (b"\x80" * 12, "too long"),
        (b"\x0a", "ends inside a number"),
        (field(1, field(1, b"\xff\xfe")), "utf-8"),
        (field(1, b"\x17"), "wire type"),
        (field(2, b"abc"), "no pieces|ends inside|wire type|past the end"),
    ],
)
def test_no_model(data: bytes, why: str) -> None:
    """What is no model is one sentence that says where it breaks off."""
    with pytest.raises(UserError, match=f"^x.model is no sentencepiece model: .*({why})"):
        parse(data, name="x.model")


def test_as_sentencepiece_reads_it(shared_assets: Path) -> None:
    """Every piece and score of KoBERT's own model is sentencepiece's."""
    library = pytest.importorskip("sentencepiece", reason="compares with the sentencepiece library")
    path = shared_assets / "tokenizers" / "kobert" / "spiece.model"
    theirs = library.SentencePieceProcessor(model_file=str(path))
    ours = parse(path.read_bytes(), name="spiece.model")
    assert [piece.text for piece in ours.pieces] == [theirs.id_to_piece(i) for i in range(theirs.get_piece_size())]
    assert [piece.score for piece in ours.pieces] == [theirs.get_score(i) for i in range(theirs.get_piece_size())]
    assert ours.unk_id == theirs.unk_id()


@given(seed=st.integers(0, 2**32))
def test_mutated(seed: int) -> None:
    """Changed bytes are read or refused, and never make more than the file holds."""
    chance = random.Random(seed)
    data = bytearray(sentencepiece(ROWS * 20, charsmap=bytes(200)))
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(data))
        data[at : at + chance.randint(0, 9)] = bytes(chance.randrange(256) for _ in range(chance.randint(0, 5)))
    if not one_sentence(lambda: parse(bytes(data), name="x")):
        model = parse(bytes(data), name="x")
        assert sum(len(piece.text.encode()) for piece in model.pieces) + len(model.charsmap) <= len(data)


@given(data=st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """Any bytes at all are read or refused."""
    message = one_sentence(lambda: parse(data, name="x"))
    assert not message or message.startswith("x is no sentencepiece model")
