"""What five tiny passes show of an architecture is what its source says, and its sentences can be swept."""

import itertools

import numpy as np
import pytest

from pool import architectures, made
from pretune.pool.architecture import look
from pretune.pool.one_pass import one_pass

pytest.importorskip("torch")
pytest.importorskip("transformers")

PAIRS = np.array(list(itertools.combinations(range(len(made.SENTENCES)), 2)))
EVERY = [
    pytest.param(name, marks=() if name in architectures.QUICK else pytest.mark.slow) for name in architectures.KNOWN
]


@pytest.mark.parametrize("model_type", EVERY)
def test_an_architecture_is_seen_as_its_source_has_it(model_type: str) -> None:
    """Direction, padding and the pooler's token; then a whole sweep with finite similarities."""
    known, model = architectures.KNOWN[model_type], architectures.tiny(model_type)
    looks = look(model)
    assert looks.causal == known.causal
    assert looks.left_padding == known.left
    assert looks.right_padding == known.right
    assert (None if looks.pooler is None else looks.pooler.place) == known.pooler
    assert looks.even_layers
    assert looks.layers == 4
    found = one_pass(model, made.tokenizer(), made.SENTENCES, pairs=PAIRS)
    assert found.vectors.layers == (0, 1, 2, 3)
    assert np.isfinite(found.similarities).all()
    assert len(found.choices) >= 40


@pytest.mark.slow
@pytest.mark.parametrize("model_type", ["funnel", "canine"])
def test_layers_of_other_lengths_are_left_out(model_type: str) -> None:
    """These shorten the sequence on the way; what has a state for each token is swept, the rest named."""
    model = architectures.tiny(model_type)
    looks = look(model)
    assert not looks.even_layers
    texts = [f"{text} the cat sat on the mat" for text in made.SENTENCES]  # CANINE reads no fewer than four tokens
    found = one_pass(model, made.tokenizer(), texts, pairs=PAIRS)
    assert found.vectors.skipped
    assert found.vectors.layers
    assert not set(found.vectors.layers) & set(found.vectors.skipped)
    assert np.isfinite(found.similarities).all()
