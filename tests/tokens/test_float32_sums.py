"""Scores that carry float32 sums: exact, recognised, and open to new words in step with the sentencepiece model."""

import json
import math
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from pretune.artifacts.sentencepiece_model import Piece, PieceType, parse
from pretune.tokens import unigram
from pretune.tokens.float32_sums import UNIT, float32, scaled, scaled_unknown, unit
from pretune.tokens.kobert import import_kobert
from pretune.tokens.kobert_check import compare
from pretune.tokens.sentencepiece_write import append_pieces
from tokens.sentencepiece_made import WORDS, made_model, pieces


@given(st.floats(-1000, 0, width=32))
def test_scaled_scores_are_exact(score: float) -> None:
    """24 bits times 2**29 + 1 fit into a float64."""
    assert Fraction(scaled(score)) == Fraction(score) * UNIT


@given(st.lists(st.floats(-23, -2.25, width=32), min_size=1, max_size=60))
def test_a_sum_carries_the_float32_sum(scores: list[float]) -> None:
    """Below the exact sum stands the sum as float32 rounds it, step by step."""
    rounded, both, exact = 0.0, 0.0, Fraction()
    for score in scores:
        exact += Fraction(score)
        # the exact and the rounded sum on two sides of a power of two round at different places
        assume(math.frexp(rounded + score)[1] == math.frexp(exact)[1])
        rounded = float32(rounded + score)
        both += scaled(score)
    assert Fraction(both) / 2**22 - exact * 2**29 == Fraction(rounded)


def test_the_unknown_character() -> None:
    """What the library makes of the unknown token's score is sentencepiece's, scaled."""
    assert scaled_unknown([-5.0, -17.254953]) - 10.0 == scaled(float32(-17.254953) - 10.0)


def test_unit() -> None:
    """Scaled vocabularies are told from others."""
    assert unit([]) == unit([-5.5, 0.0]) == 1.0
    assert unit([0.0, scaled(-5.5), scaled_unknown([-5.5])]) == UNIT


def test_new_words_in_step(tmp_path: Path) -> None:
    """A word gets a log probability, scaled in tokenizer.json and plain in the .model: both give one id, and the same."""
    pytest.importorskip("sentencepiece")
    (tmp_path / "small.model").write_bytes(made_model())
    import_kobert(tmp_path / "small.model", tmp_path / "out")
    spec = json.loads((tmp_path / "out/tokenizer.json").read_text())
    rows = spec["model"]["vocab"]
    scale = unit([score for _, score in rows])
    scores = {text: score / scale for text, score in rows[1:]}  # without the unknown token, whose score is none
    assert {text: scores[text] for text in WORDS} == {text: float32(score) for text, score in WORDS.items()}
    encoder = Tokenizer.from_file(str(tmp_path / "out/tokenizer.json"))
    form = "▁가나다가나다가나다"
    cut = [token.value for token in encoder.model.tokenize(form)]
    (new,) = unigram.place("가나다가나다가나다", [form], scores, {form: cut}).new
    rows.append([form, scaled(new.score)])
    rows[0][1] = scaled_unknown([score for text, score in scores.items() if text[0] != "["] + [float32(new.score)])
    (tmp_path / "out/tokenizer.json").write_text(json.dumps(spec))
    data = append_pieces(made_model(), [Piece(form, new.score, PieceType.NORMAL)])
    (tmp_path / "out/spiece.model").write_bytes(data)
    assert parse(data, name="x").pieces[-1].text == form
    encoder = Tokenizer.from_file(str(tmp_path / "out/tokenizer.json"))
    assert encoder.encode("가나다가나다가나다", add_special_tokens=False).ids == [len(pieces())]
    lines = [
        "가나다가나다가나다",
        "나 가나다가나다가나다 ....",
        "가나다가나다가나다가",
        "😀가나다",
        "가나다가나다 나다......",
    ]
    assert compare(tmp_path / "out", lines).differing == 0
