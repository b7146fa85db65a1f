"""What new rows hold: the output side gives new tokens no probability that they never earned."""

import math

import numpy as np
import pytest

from pretune.tokens.adding import plan
from pretune.tokens.new_rows import new_rows
from tokens.placed import folder

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
        assert own[0] <= (pieces.sum() + pieces[0]) / (len(pieces) + 1) * 1.001


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
