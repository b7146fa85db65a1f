"""Baselines know nothing of context: words, embeddings, hashes and lengths, averaged by hand here."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pool import made
from pretune.core.errors import UserError
from pretune.pool.architecture import Looks
from pretune.pool.baselines import baselines
from pretune.pool.choice import Choice
from pretune.pool.declared import Declared
from pretune.pool.load import Loaded
from pretune.pool.tokenized import tokenize
from pretune.pool.verdict import judge_pairs

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

NAMES = [
    "static embeddings, mean",
    "static embeddings, sif",
    "random word vectors, mean",
    "random word vectors, sif",
    "length difference",
]


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    """A tiny BERT."""
    looks = Looks(None, causal=False, left_padding=False, right_padding=True, even_layers=True, layers=4)
    return Loaded("tiny", made.bert(), made.tokenizer(), Declared(), looks, 0, 64)


def _made(loaded: Loaded, texts: list[str], **other: Any) -> Any:
    """The baselines of sentences."""
    return baselines(loaded, tokenize(texts, made.tokenizer()), texts, **other)


def test_all_baselines_have_a_name_and_vectors_but_lengths(loaded: Loaded) -> None:
    """Every choice is without layers; the difference of lengths has similarities alone."""
    found = _made(loaded, made.SENTENCES)
    assert [choice.name for choice in found.choices] == NAMES
    assert not any(choice.layers for choice in found.choices)
    count = len(made.SENTENCES)
    shapes = [None if table is None else table.shape for table in found.tables.values()]
    assert shapes == [(count, 32), (count, 32), (count, 300), (count, 300), None]
    table = found.similarities(np.array([[0, 9], [7, 2], [3, 3]]))
    assert table.shape == (5, 3)
    assert table.dtype == np.float64
    assert table[4].tolist() == [-float(len(made.SENTENCES[9]) - len(made.SENTENCES[0])), -9.0, 0.0]
    np.testing.assert_allclose(table[:4, 2], 1)


def test_static_embeddings_are_rows_of_the_input_embeddings(loaded: Loaded) -> None:
    """Special tokens are left out; frequent tokens weigh less in sif."""
    found = _made(loaded, made.SENTENCES)
    rows = loaded.model.get_input_embeddings().weight.detach().numpy()
    ids = [tokens[1:-1] for tokens in made.tokenizer()(made.SENTENCES)["input_ids"]]
    mean = np.stack([rows[one].mean(axis=0) for one in ids])
    np.testing.assert_allclose(found.tables[found.choices[0]], mean, atol=1e-6)
    counts = np.bincount(np.concatenate(ids), minlength=len(rows))
    weights = 1e-3 / (1e-3 + counts / counts.sum())
    sif = np.stack([weights[one] @ rows[one] / weights[one].sum() for one in ids])
    np.testing.assert_allclose(found.tables[found.choices[1]], sif, atol=1e-5)


def test_random_vectors_are_the_same_everywhere(loaded: Loaded) -> None:
    """They come from a hash of the word, whatever its case and whatever stands beside it."""
    found = _made(loaded, ["cat", "the Cat", "CAT!", "dog"])
    table = found.tables[Choice((), "random word vectors, mean")]
    assert table[0][:16].tolist() == [-1, -1, -1, 1, 1, -1, 1, 1, -1, 1, -1, 1, 1, -1, -1, -1]
    assert set(np.unique(table[0])) == {-1.0, 1.0}
    assert (table[0] == table[2]).all()
    assert abs(table[0] @ table[3]) < 75
    assert (_made(loaded, ["a dog", "cat"]).tables[Choice((), "random word vectors, mean")][1] == table[0]).all()


def test_word_vectors_are_averaged_and_their_common_direction_taken_off(loaded: Loaded, tmp_path: Path) -> None:
    """Unknown words are left out, a sentence without any has zeros and cosine 0, and the share is told."""
    rng = np.random.default_rng(0)
    known = {"the": 0, "cat": 1, "dog": 2, "sat": 3, "ran": 4, "on": 5, "mat": 6, "big": 7, "red": 8}
    rows = rng.normal(size=(9, 4)) + 3
    path = tmp_path / "own.4d.vec"
    path.write_text("".join(f"{word} {' '.join(map(repr, rows[row].tolist()))}\n" for word, row in known.items()))
    told: list[tuple[str, int, int]] = []
    found = _made(loaded, made.SENTENCES, vectors=[path], progress=lambda *said: told.append(said))
    assert [choice.name for choice in found.choices] == ["own.4d, mean", "own.4d, sif", *NAMES]
    assert told == [("vectors", path.stat().st_size, path.stat().st_size)]
    mean, sif = (found.tables[choice] for choice in found.choices[:2])
    np.testing.assert_allclose(mean[1], rows[[2, 4, 5, 7, 8, 6]].mean(axis=0), rtol=1e-5)
    assert not mean[3].any()
    assert not sif[3].any()
    assert found.similarities(np.array([[3, 0]]))[:2].tolist() == [[0.0], [0.0]]
    # without its common direction the mean of all is far smaller
    assert np.linalg.norm(sif.mean(axis=0)) < 0.2 * np.linalg.norm(mean.mean(axis=0))
    (note,) = found.notes
    assert "own.4d has vectors for 9 of 15 different words" in note
    assert "2 sentences have none: cosine 0" in note


def test_names_never_pass_for_vectors_without_knowledge(loaded: Loaded, tmp_path: Path) -> None:
    """`random.vec` is a file like another; two files of one name cannot be told apart."""
    for name in ("random.vec", "own.txt", "own.vec"):
        (tmp_path / name).write_text("the 1 2\ncat 2 1\n")
    found = _made(loaded, made.SENTENCES, vectors=[tmp_path / "random.vec"])
    assert found.choices[0].name == "vectors random, mean"
    with pytest.raises(UserError, match="would both be called own"):
        _made(loaded, made.SENTENCES, vectors=[tmp_path / "own.txt", tmp_path / "own.vec"])


def test_a_model_without_a_table_of_embeddings_has_none_beside_it(loaded: Loaded) -> None:
    """CANINE hashes characters; the others stand all the same, and a note says so."""

    def missing() -> None:
        """As transformers says it."""
        raise NotImplementedError

    found = _made(replace(loaded, model=SimpleNamespace(get_input_embeddings=missing)), made.SENTENCES)
    assert [choice.name for choice in found.choices] == NAMES[2:]
    assert "has no table of input embeddings" in found.notes[0]


@pytest.mark.parametrize("texts", [["!!!", "...", "?"], ["cat"], ["", "cat", "!", "cat dog"]])
def test_sentences_without_words_have_zeros(loaded: Loaded, texts: list[str]) -> None:
    """No division by nothing; what has no length is like nothing."""
    found = _made(loaded, texts)
    table = found.similarities(np.array([[0, len(texts) - 1], [0, 0]]))
    assert np.isfinite(table).all()
    assert table[2, 0] == (1.0 if texts == ["cat"] else 0.0)


def test_the_verdict_knows_them(loaded: Loaded) -> None:
    """A default of noise falls below random vectors on pairs that share words or do not."""
    texts = [f"w{number} {'x' * (number % 5)} common{number % 7}" for number in range(120)]
    pairs = np.array([(one, (one * 7 + step) % 120) for one in range(60) for step in (7, 3)])
    found = _made(loaded, texts)
    table = found.similarities(pairs)
    scores = table[2] + 0.01 * np.random.default_rng(0).normal(size=len(pairs))
    noise = np.random.default_rng(1).normal(size=(1, len(pairs)))
    verdict = judge_pairs(np.concatenate([noise, table]), scores, [Choice((3,), "mean"), *found.choices], default=0)
    assert verdict.random is not None
    assert verdict.choices[verdict.random].pooling.startswith("random")
    assert verdict.below_random is not None
    assert verdict.below_random.high < 0
