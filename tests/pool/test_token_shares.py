"""Shares of groups add up to the mean's own score; a sentence's tokens are named as the user wrote them."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from pool import made
from pretune.core.errors import UserError
from pretune.pool.load import load
from pretune.pool.one_pass import one_pass
from pretune.pool.sentence_tokens import sentence_tokens
from pretune.pool.spearman import correlations
from pretune.pool.token_shares import layer_shares, sentence_groups, token_offsets
from pretune.pool.tokenized import tokenize

pytest.importorskip("torch")
pytest.importorskip("transformers")

PAIRS = np.array(list(itertools.combinations(range(len(made.SENTENCES)), 2)))
SCORES = np.random.default_rng(0).random(len(PAIRS))


def test_shares_of_each_layer_add_up_to_the_score_of_its_mean() -> None:
    """To 1e-9 of what the sums give, and to the sweep's own value of the mean."""
    found = one_pass(made.bert(), made.tokenizer(), made.SENTENCES, pairs=PAIRS, token_groups=True)
    every = layer_shares(found.vectors, PAIRS, SCORES)
    assert list(every) == [0, 1, 2, 3]
    for layer, one in every.items():
        assert sum(one.shares.values()) == pytest.approx(one.whole, abs=1e-9)
        row = next(i for i, c in enumerate(found.choices) if c.layers == (layer,) and c.pooling == "mean")
        wanted = correlations(found.similarities[row], SCORES).values[0]
        assert one.whole == pytest.approx(wanted, abs=0.01)


def test_group_sums_add_up_to_the_mean() -> None:
    """All tokens are in one group each."""
    found = one_pass(made.bert(), made.tokenizer(), made.SENTENCES, token_groups=True)
    lengths = np.array([len(ids) for ids in found.sentences.ids])
    for row, layer in enumerate(found.vectors.layers):
        mean = found.vectors.groups[row].sum(axis=1) / lengths[:, None]
        assert np.allclose(mean, found.vectors.of(layer, "mean"), atol=1e-5)


def test_sums_must_have_been_kept() -> None:
    """Without them the error says what to ask for; a slow tokenizer is refused."""
    found = one_pass(made.bert(), made.tokenizer(), made.SENTENCES)
    with pytest.raises(ValueError, match="token_groups=True"):
        layer_shares(found.vectors, PAIRS, SCORES)
    with pytest.raises(UserError, match="does not tell"):
        token_offsets(["a"], object())
    assert token_offsets([], made.tokenizer()) == []
    assert (
        sentence_groups([], made.tokenizer(), tokenize(["a"], made.tokenizer()).__class__((), (), None, None, 0, ()))
        == ()
    )


def test_tokens_of_a_sentence_are_what_the_user_wrote(tmp_path: Path) -> None:
    """Words of Korean and English, three of them really deleted; a sentence of one word is no riddle."""
    made.bert().save_pretrained(tmp_path)
    made.tokenizer().save_pretrained(tmp_path)
    loaded = load(str(tmp_path))
    korean, english, single = sentence_tokens(loaded, ["고양이 가 앉았다 .", "the big red dog ran", "cat"])
    assert sorted(one.token for one in korean.weights) == sorted(["고양이", "가", "앉았다", "."])
    assert sum(one.from_input is not None for one in english.weights) == 3
    assert [one.token for one in single.weights] == ["cat"]
    assert english.layer == 3
    with pytest.raises(UserError, match="no layer 9"):
        sentence_tokens(loaded, ["a cat"], layer=9)
