"""What new rows hold: the output side gives new tokens no probability that they never earned."""

import math

import numpy as np
import pytest

from pretune.tokens.adding import plan
from pretune.tokens.new_rows import new_rows
from pretune.tokens.plan import Plan
from pretune.tokens.word_places import places
from pretune.tokens.write_weights import read_rows
from tokens.placed import folder, tokenizer_in

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

WORDS = ("hospitalization", "국회의원", "quickfox", "interpretability", "standardization", "therapists")
OLD_TEXT = "the quick brown fox is in the house and the dog was not there . " * 3
SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}


def made(path, kind, *, spread=1.0):
    """A random model of a kind whose rows differ a lot, so that its scores do; a bias of -3 where it has one."""
    folder(path, "wordpiece")
    size = len(transformers.PreTrainedTokenizerFast.from_pretrained(path))
    torch.manual_seed(3)
    if kind == "bert":
        model = transformers.BertForMaskedLM(transformers.BertConfig(vocab_size=size, **SIZES))
    elif kind == "roberta":
        config = transformers.RobertaConfig(vocab_size=size, max_position_embeddings=130, **SIZES)
        model = transformers.RobertaForMaskedLM(config)
    elif kind == "gpt2":
        model = transformers.GPT2LMHeadModel(transformers.GPT2Config(vocab_size=size, n_embd=32, n_layer=2, n_head=2))
    else:
        config = transformers.LlamaConfig(vocab_size=size, num_key_value_heads=2, tie_word_embeddings=False, **SIZES)
        model = transformers.LlamaForCausalLM(config)
    with torch.no_grad():
        model.get_input_embeddings().weight.normal_(0, spread / math.sqrt(32))
        model.get_output_embeddings().weight.mul_(1.0 if kind != "llama" else spread * 8)
        if getattr(model.get_output_embeddings(), "bias", None) is not None:
            model.get_output_embeddings().bias.normal_(-3.0, 1.0)
    model.save_pretrained(path)
    return path


def shares(path, ids):
    """Mean probability of some ids over the old text, one each; and the number of rows."""
    kind = transformers.AutoConfig.from_pretrained(path).architectures[0]
    model = getattr(transformers, kind).from_pretrained(path).eval()
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(path)
    with torch.no_grad():
        scores = model(tokenizer(OLD_TEXT, return_tensors="pt")["input_ids"]).logits[0]
    return scores.softmax(-1).mean(0)[list(ids)].numpy(), scores.shape[-1]


@pytest.mark.parametrize("kind", ["bert", "roberta", "llama"])
def test_new_tokens_get_no_more_than_their_share(tmp_path, kind):
    """A bias, or a head of its own: all of them together at most N / (V + N)."""
    adding = plan(made(tmp_path / "m", kind), WORDS, special=["<a>", "<b>"])
    adding.apply(tmp_path / "out")
    ids = [entry.id for entry in adding.plan.added]
    found, rows = shares(tmp_path / "out", ids)
    assert found.sum() <= len(ids) / rows
    assert found.min() > 0


def test_with_one_matrix_and_no_bias_a_word_gets_what_its_pieces_get(tmp_path):
    """GPT-2 has nothing to lower a score with: at most the mean of the pieces' probabilities, weighted alike (Jensen)."""
    adding = plan(made(tmp_path / "m", "gpt2"), WORDS)
    adding.apply(tmp_path / "out")
    for entry in (entry for entry in adding.plan.added if entry.pieces):
        own, _ = shares(tmp_path / "out", [entry.id])
        pieces, _ = shares(tmp_path / "out", entry.pieces)
        lengths = np.linalg.norm(read_rows(adding.tables, adding.tables.input.name, entry.pieces), axis=1)
        assert own[0] <= np.average(pieces, weights=lengths) * 1.001


def test_the_row_of_a_word_has_what_begins_words(tmp_path):
    """All rows that continue words are moved one way: the new row is as if they were not, where no head shares it."""
    source = made(tmp_path / "m", "bert")
    model = transformers.BertModel.from_pretrained(source, add_pooling_layer=False)
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(source)
    later = [at for entry, at in tokenizer.get_vocab().items() if entry.startswith("##") and entry[2:].isalpha()]
    first = [at for entry, at in tokenizer.get_vocab().items() if entry.isalpha()]
    with torch.no_grad():
        rows = model.get_input_embeddings().weight
        rows -= rows.mean(1, keepdim=True)
        rows[later] -= rows[later].mean(0) - 100.0  # far away, in a direction that no row has otherwise
        rows[first] -= rows[first].mean(0)
    (tmp_path / "bare").mkdir()
    model.save_pretrained(tmp_path / "bare")
    (tmp_path / "bare" / "tokenizer.json").write_bytes((source / "tokenizer.json").read_bytes())
    (tmp_path / "bare" / "tokenizer_config.json").write_bytes((source / "tokenizer_config.json").read_bytes())
    adding = plan(tmp_path / "bare", ("hospitalization", "therapists"))
    name = adding.tables.input.name
    found = new_rows(adding.plan, adding.tables, tokenizer=adding.tokenizer)[name][1]
    before = new_rows(adding.plan, adding.tables)[name][1]
    assert np.abs(found.mean(1)).max() < 1
    assert np.abs(before.mean(1)).min() > 10


def test_a_row_that_gives_scores_too_is_a_mean_of_rows(tmp_path):
    """With a head that shares the embedding nothing is taken out: the bound of its probability rests on that."""
    adding = plan(made(tmp_path / "m", "bert"), WORDS)
    name = adding.tables.input.name
    with_places = new_rows(adding.plan, adding.tables, tokenizer=adding.tokenizer)[name][1]
    assert (with_places == new_rows(adding.plan, adding.tables)[name][1]).all()


@pytest.mark.parametrize(
    ("name", "begins", "continues"),
    [("wordpiece", "quick", "##fox"), ("gpt2", "Ġthe", "ing"), ("unigram", "▁the", "ing"), ("llama2", "▁the", "ing")],
)
def test_marks_say_what_begins_a_word(tmp_path, name, begins, continues):
    """`##` what continues one, a space in front what begins one."""
    tokenizer = tokenizer_in(folder(tmp_path / "t", name))
    ids = tokenizer.vocabulary.ids
    found = {tokenizer.tokens[at]: begin for at, begin in places(Plan(), tokenizer).items()}
    assert all(found[entry] for entry in found if entry == begins)
    assert any(found.values())
    assert not all(found.values())
    if continues in ids:
        assert not found[continues]


def test_a_bias_is_no_higher_than_the_share(tmp_path):
    """Frequent pieces lower it: never above the logarithm of the mean of exp(bias)."""
    adding = plan(made(tmp_path / "m", "bert"), WORDS)
    edits = new_rows(adding.plan, adding.tables)
    biases = np.concatenate([edits[table.name][1] for table in adding.tables.biases])
    assert (biases <= -3.0 + 0.5 * 1.0 + 0.3).all()
    assert (biases > -9).all()


def test_special_tokens_differ(tmp_path):
    """Two are not one row, and the same call gives the same rows."""
    adding = plan(made(tmp_path / "m", "bert"), (), special=["<a>", "<b>"])
    name = adding.tables.input.name
    rows, again = (new_rows(adding.plan, adding.tables)[name][1] for _ in range(2))
    assert (rows == again).all()
    assert np.abs(rows[0] - rows[1]).max() > 0
