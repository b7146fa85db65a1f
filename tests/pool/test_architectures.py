"""What five tiny passes show of an architecture is what its source says, and its sentences can be swept."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from pool import architectures, made
from pretune.core.errors import UserError
from pretune.pool.architecture import look
from pretune.pool.load import load
from pretune.pool.one_pass import one_pass
from pretune.pool.padding_cost import padding_costs

pytest.importorskip("torch")
pytest.importorskip("transformers")

PAIRS = np.array(list(itertools.combinations(range(len(made.SENTENCES)), 2)))


@pytest.mark.parametrize("model_type", architectures.KNOWN)
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


def _texts() -> list[str]:
    """Sentences of seven words and more: CANINE reads no fewer than four tokens, Funnel no fewer than five."""
    return [f"{text} the cat sat on the mat" for text in made.SENTENCES]


@pytest.mark.parametrize("model_type", ["funnel", "canine"])
def test_layers_of_other_lengths_are_left_out(model_type: str, tmp_path: Path) -> None:
    """These shorten the sequence on the way; what has a state for each token is swept, the rest named."""
    architectures.tiny(model_type).save_pretrained(tmp_path)
    made.tokenizer().save_pretrained(tmp_path)
    loaded = load(str(tmp_path))
    assert not loaded.looks.even_layers
    found = one_pass(loaded.model, loaded.tokenizer, _texts(), pairs=PAIRS, max_length=loaded.max_length)
    assert found.vectors.skipped
    assert found.vectors.layers
    assert not set(found.vectors.layers) & set(found.vectors.skipped)
    assert np.isfinite(found.similarities).all()
    with pytest.raises(UserError, match=r'cannot read "cat", 3 tokens: .+') as caught:
        one_pass(loaded.model, loaded.tokenizer, made.SENTENCES)
    assert "\n" not in caught.value.message
    assert caught.value.hint == "leave out sentences that are so short"


def test_a_funnel_without_its_decoder_is_read_in_its_first_layers(tmp_path: Path) -> None:
    """Its last states are fewer than the tokens: they are left out, and no cost of padding is made of them."""
    from transformers import FunnelBaseModel

    FunnelBaseModel(architectures.tiny("funnel").config).save_pretrained(tmp_path)
    made.tokenizer().save_pretrained(tmp_path)
    loaded = load(str(tmp_path))
    assert type(loaded.model).__name__ == "FunnelBaseModel"
    assert one_pass(loaded.model, loaded.tokenizer, _texts(), pairs=PAIRS).vectors.layers == (0, 1)
    assert padding_costs(loaded, _texts(), PAIRS, np.arange(len(PAIRS))) == ()
