"""Tokens added to live objects: the same as in a folder, in place, and saved as the folder is."""

import json
import subprocess
import sys

import pytest

from pretune import tokens
from pretune.core.errors import UserError
from tokens.test_adding import WORDS, bert

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

TEXT = "the hospitalization of 국회의원 and quickfox <ent> was quick"


def loaded(path):
    """The model and the tokenizer of a folder."""
    model = transformers.AutoModelForMaskedLM.from_pretrained(path).eval()
    return model, transformers.AutoTokenizer.from_pretrained(path)


def scores(model, tokenizer):
    """What the model makes of TEXT."""
    with torch.no_grad():
        return model(**tokenizer(TEXT, return_tensors="pt")).logits


@pytest.mark.parametrize("rows", [None, 640])
def test_saved_objects_are_the_folder_that_apply_writes(tmp_path, rows):
    """With new rows and with slots: same ids, same logits bit for bit, same vocab_size; and the objects work at once."""
    source = bert(tmp_path / "m", rows=rows)
    model, tokenizer = loaded(source)
    adding = tokens.plan(model, WORDS, tokenizer=tokenizer, special=["<ent>"])
    other = tokens.plan(source, WORDS, special=["<ent>"])
    assert adding.plan.added == other.plan.added
    assert adding.plan.rows == other.plan.rows
    parameter = model.get_input_embeddings().weight
    assert adding.apply() == (model, tokenizer)
    assert rows is None or model.get_input_embeddings().weight is parameter
    other.apply(tmp_path / "out")
    model.save_pretrained(tmp_path / "live")
    tokenizer.save_pretrained(tmp_path / "live")
    there, here = loaded(tmp_path / "out"), loaded(tmp_path / "live")
    assert there[1](TEXT)["input_ids"] == here[1](TEXT)["input_ids"] == tokenizer(TEXT)["input_ids"]
    assert torch.equal(scores(model, tokenizer), scores(*there))
    assert torch.equal(scores(*here), scores(*there))
    assert here[0].config.vocab_size == there[0].config.vocab_size == model.config.vocab_size
    assert tokenizer.all_special_tokens == there[1].all_special_tokens
    assert "<ent>" not in tokenizer.decode(tokenizer(TEXT)["input_ids"], skip_special_tokens=True)


def test_what_the_user_set_on_the_tokenizer_stays(tmp_path):
    """Sides, lengths, the name it came from."""
    model, tokenizer = loaded(bert(tmp_path / "m", rows=640))
    tokenizer.padding_side, tokenizer.model_max_length, tokenizer.mine = "left", 40, "x"
    name = tokenizer.name_or_path
    tokenizer(["a b c"], truncation=True, max_length=4)
    tokens.plan(model, WORDS, tokenizer=tokenizer).apply()
    assert (tokenizer.padding_side, tokenizer.model_max_length, tokenizer.mine) == ("left", 40, "x")
    assert tokenizer.name_or_path == name
    assert len(tokenizer("quickfox " * 10)["input_ids"]) >= 10
    assert len(tokenizer("quickfox", add_special_tokens=False)["input_ids"]) == 1


def test_twice_is_a_no_op(tmp_path):
    """Nothing is left to add, and nothing changes."""
    model, tokenizer = loaded(bert(tmp_path / "m"))
    tokens.plan(model, WORDS, tokenizer=tokenizer, special=["<ent>"]).apply()
    before = scores(model, tokenizer)
    again = tokens.plan(model, WORDS, tokenizer=tokenizer, special=["<ent>"])
    assert not again.plan.added
    again.apply()
    assert torch.equal(scores(model, tokenizer), before)


def test_a_tied_decoder_in_bfloat16(tmp_path):
    """GPT-2: head and embedding stay one parameter, in their dtype."""
    bert(tmp_path / "m")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "m")
    size = len(tokenizer)
    config = transformers.GPT2Config(vocab_size=size, n_embd=16, n_layer=1, n_head=2, n_positions=32)
    model = transformers.GPT2LMHeadModel(config).to(torch.bfloat16)
    old = model.transformer.wte.weight.clone()
    adding = tokens.plan(model, WORDS, tokenizer=tokenizer)
    adding.apply()
    assert model.lm_head.weight is model.transformer.wte.weight
    assert model.lm_head.weight.dtype == torch.bfloat16
    assert torch.equal(model.transformer.wte.weight[:size], old)
    entry = adding.plan.added[0]
    pieces = old[list(entry.pieces)].float()
    lengths = pieces.norm(dim=1, keepdim=True)
    assert torch.allclose(model.lm_head.weight[entry.id].float(), (pieces * lengths).sum(0) / lengths.sum(), atol=1e-3)


def test_distil_leaves_the_model_as_it_was(tmp_path):
    """Training mode, requires_grad and all old weights; no hook stays behind."""
    model, tokenizer = loaded(bert(tmp_path / "m", rows=640))
    model.train()
    model.cls.requires_grad_(requires_grad=False)
    grads = [weight.requires_grad for weight in model.parameters()]
    old = {name: value.clone() for name, value in model.state_dict().items()}
    adding = tokens.plan(model, WORDS, tokenizer=tokenizer, init="distill")
    adding.apply()
    assert model.training
    assert grads == [weight.requires_grad for weight in model.parameters()]
    assert not model.get_input_embeddings()._forward_hooks
    ids = {entry.id for entry in adding.plan.added}
    kept = [at for at in range(640) if at not in ids]
    for name, value in model.state_dict().items():
        same = value[kept] if value.shape[:1] == (640,) else value
        assert torch.equal(same, old[name][kept] if value.shape[:1] == (640,) else old[name]), name


def test_what_is_refused(tmp_path):
    """Slow tokenizers, no tokenizer, objects that are no model; a plan that is out of date."""
    model, tokenizer = loaded(bert(tmp_path / "m"))
    with pytest.raises(UserError, match="expected a fast tokenizer"):
        tokens.plan(model, WORDS)
    with pytest.raises(UserError, match="expected a transformers model"):
        tokens.plan(object(), WORDS, tokenizer=tokenizer)
    adding = tokens.plan(model, WORDS, tokenizer=tokenizer)
    tokenizer.add_tokens(["brandnew"])
    with pytest.raises(UserError, match="was changed since"):
        adding.apply()
    model.resize_token_embeddings(len(tokenizer) + 8)
    with pytest.raises(UserError, match="was resized since"):
        adding.apply()


def test_the_package_is_light_and_its_names_are_functions():
    """Importing it imports nothing heavy, and importing a module of the same name hides no function."""
    program = (
        "import sys, json; from pretune import tokens; import pretune.tokens.plan, pretune.tokens.suggest\n"
        "from pretune.tokens.plan import Plan\n"
        "heavy = [m for m in ('torch', 'transformers', 'polars') if m in sys.modules]\n"
        "print(json.dumps([heavy, [callable(getattr(tokens, n)) for n in tokens.__all__]]))"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert json.loads(out) == [[], [True] * 4]
