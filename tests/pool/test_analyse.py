"""One call from a model and sentences to what they show: pairs, classes, bare text, live objects, what is refused."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from pool import made
from pretune import pool
from pretune.core.errors import UserError
from pretune.pool.analyse import Asked, analyse
from pretune.pool.choice import Choice
from pretune.pool.data import read_sentences

PAIRS = [(one, other, float((i * 7 + j) % 6)) for i, one in enumerate(made.SENTENCES) for j, other in
         enumerate(made.SENTENCES) if i < j]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny BERT that declares weighted mean to sentence-transformers."""
    path = tmp_path_factory.mktemp("model")
    made.bert().save_pretrained(path)
    made.tokenizer().save_pretrained(path)
    (path / "1_Pooling").mkdir()
    modes = {"word_embedding_dimension": 32, "pooling_mode_weightedmean_tokens": True}
    (path / "1_Pooling" / "config.json").write_text(json.dumps(modes))
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    ]
    (path / "modules.json").write_text(json.dumps(modules))
    return path


def test_scored_pairs(folder):
    """Every choice and baseline is judged; the declared pooling is the one to beat."""
    found = pool.sweep(folder, PAIRS, tokens=2, faults=True, shapings="centred", show_tokens=made.SENTENCES[0])
    assert (found.kind, found.count, found.sentences) == ("pairs", len(PAIRS), len(made.SENTENCES))
    assert found.default == Choice((3,), "weighted_mean")
    assert found.verdict.choices[found.verdict.default] == found.default
    own = [one for one in found.verdict.choices if one.layers]
    assert own == list(found.found.choices)
    assert any(one.pooling.startswith("random") for one in found.verdict.choices if not one.layers)
    assert any(one.shaping == "centred" for one in own)
    assert len(found.shares) == 4
    assert [one.text for one in found.tokens] == made.SENTENCES[:2]
    assert found.padding
    assert set(found.seconds) == {"reading", "loading", "encoding", "baselines", "judging", "faults", "tokens"}


def test_classes(folder):
    """Sentences with a class are judged by a probe; a baseline without vectors is not among them."""
    data = [(text, "ko" if text[0] > "z" else "en") for text in made.SENTENCES]
    seen = []
    found = pool.sweep(folder, data, progress=lambda stage, done, total: seen.append((stage, done == total)))
    assert (found.kind, found.verdict.measure) == ("classes", "accuracy")
    assert not any(one.pooling.startswith("length") for one in found.verdict.choices)
    assert {stage for stage, whole in seen if whole} == {"encoding", "judging"}


def test_bare_text(folder):
    """Nothing is judged; half of the choices stay."""
    found = pool.sweep(folder, made.SENTENCES)
    assert found.verdict is None
    assert 0 < found.shortlist.kept.sum() < len(found.shortlist.choices)
    assert found.sentences == len(made.SENTENCES)


def test_live_objects_are_what_the_folder_is(folder):
    """A model with a head and its tokenizer give the numbers of the folder, and nothing is declared."""
    import torch
    from transformers import AutoModelForSequenceClassification

    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_pretrained(folder).train()
    found, stored = pool.sweep((model, made.tokenizer()), PAIRS), pool.sweep(folder, PAIRS)
    assert np.allclose(found.found.similarities, stored.found.similarities)
    assert found.default == Choice((3,), "mean")
    with pytest.raises(UserError, match="came without its tokenizer"):
        pool.sweep(model, PAIRS)
    with pytest.raises(UserError, match="expected a model of transformers"):
        pool.sweep((object(), made.tokenizer()), PAIRS)


def test_a_sentence_transformer(folder):
    """Its own pooling is the one to beat."""
    library = pytest.importorskip("sentence_transformers")
    found = pool.sweep(library.SentenceTransformer(str(folder), device="cpu"), PAIRS)
    assert found.default == Choice((3,), "weighted_mean")
    assert found.declared.by == "its Pooling module"


def test_what_is_left_out_is_said(folder):
    """Rows that were skipped, sentences that were cut, what cannot be asked of this data."""
    data = [{"text": text} for text in [*made.SENTENCES, ""]]
    found = analyse(folder, data, asked=Asked(max_length=4, tokens=0, padding=True, shapings=("raw", "whitened")))
    said = " ".join(found.notes)
    for word in ("rows left out: 1, the first", "longer than 4 tokens", "whitening needs more", "scored pairs only"):
        assert word in said


def test_word_vectors_are_read_before_the_pass(folder, tmp_path):
    """A file that holds none ends it before anything is encoded."""
    (tmp_path / "bad.txt").write_text("the cat sat\n")
    stages = []
    with pytest.raises(UserError, match=r"bad\.txt"):
        pool.sweep(folder, PAIRS, vectors=str(tmp_path / "bad.txt"), progress=lambda stage, *_: stages.append(stage))
    assert "encoding" not in stages


def test_what_is_refused(folder):
    """A limit beyond the model's, a device that is not there, a precision nobody has."""
    with pytest.raises(UserError, match=r"--max-length 5,000 is more than"):
        pool.sweep(folder, PAIRS, max_length=5000)
    with pytest.raises(UserError, match="--max-length 0 leaves no token"):
        pool.sweep(folder, PAIRS, max_length=0)
    with pytest.raises(UserError, match='unknown "whitend"'):
        pool.sweep(folder, PAIRS, shapings="whitend")
    with pytest.raises(UserError, match=r"no-such-file\.vec"):
        pool.sweep(folder, PAIRS, vectors="no-such-file.vec")
    with pytest.raises(UserError, match="device 'nowhere'"):
        pool.sweep(folder, PAIRS, device="nowhere")
    with pytest.raises(UserError, match="no dtype 'float8'"):
        pool.sweep(folder, PAIRS, dtype="float8")


def test_data_are_read_once(folder):
    """What was read for one model serves the next."""
    data = read_sentences(PAIRS)
    assert analyse(folder, data).count == len(PAIRS)
