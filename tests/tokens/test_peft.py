"""A model with tokens added takes LoRA, is saved and loaded again; one that has LoRA already is told what to do."""

import pytest

from pretune import tokens
from pretune.core.errors import UserError
from tokens.test_adding import WORDS, bert
from tokens.test_live import loaded, scores

torch = pytest.importorskip("torch")
peft = pytest.importorskip("peft")

WAYS = {
    "modules_to_save": {"modules_to_save": ["word_embeddings"]},
    "trainable_token_indices": {},
    "lora alone": {},
}
"""How the new rows may go on being trained beside LoRA; the indices are put in when they are known."""


def trained(model, tokenizer):
    """A few steps on everything that learns, as a loop would."""
    model.train()
    learning = [weight for weight in model.parameters() if weight.requires_grad]
    adam = torch.optim.SGD(learning, lr=0.5)
    batch = tokenizer("the hospitalization of 국회의원 <ent>", return_tensors="pt")
    for _ in range(2):
        model(**batch, labels=batch["input_ids"]).loss.backward()
        adam.step()
        adam.zero_grad()
    return model.eval()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("rows", [None, 640])
def test_lora_is_trained_saved_and_loaded_again(tmp_path, way, rows):
    """The same logits after loading, with new rows and with slots; the words are one id; old rows stay where only new
    ones are trained.
    """
    adding = tokens.plan(bert(tmp_path / "m", rows=rows), WORDS, special=["<ent>"])
    adding.apply(tmp_path / "new")
    model, tokenizer = loaded(tmp_path / "new")
    before = model.get_input_embeddings().weight.detach().clone()
    ids = sorted(entry.id for entry in adding.plan.added)
    how = {"trainable_token_indices": {"word_embeddings": ids}} if way == "trainable_token_indices" else WAYS[way]
    torch.manual_seed(0)
    lora = peft.get_peft_model(model, peft.LoraConfig(target_modules=["query"], lora_dropout=0.0, **how))
    wanted = scores(trained(lora, tokenizer), tokenizer)
    lora.save_pretrained(tmp_path / "adapter")
    tokenizer.save_pretrained(tmp_path / "adapter")
    fresh, again = loaded(tmp_path / "new")
    found = peft.PeftModel.from_pretrained(fresh, tmp_path / "adapter").eval()
    assert torch.equal(scores(found, again), wanted)
    rows_now = found.merge_and_unload().get_input_embeddings().weight.detach()
    moved = {at for at in range(len(before)) if not torch.equal(before[at], rows_now[at])}
    if way == "trainable_token_indices":
        assert moved
        assert moved <= set(ids)
    elif way == "lora alone":
        assert not moved
    for word in WORDS:
        assert len(again(word, add_special_tokens=False)["input_ids"]) == 1


def test_a_live_adapter_is_refused_with_what_to_do(tmp_path):
    """Its copies of the embedding would be left behind; nothing is changed. Merged, it takes the tokens."""
    model, tokenizer = loaded(bert(tmp_path / "m", rows=640))
    lora = peft.get_peft_model(
        model, peft.LoraConfig(target_modules=["query"], modules_to_save=["word_embeddings"], lora_dropout=0.0)
    )
    for wrapped in (lora, lora.base_model.model):
        with pytest.raises(UserError, match="adapter's wrapper") as mistake:
            tokens.plan(wrapped, WORDS, tokenizer=tokenizer)
        assert "before get_peft_model" in mistake.value.hint
        assert "merge_and_unload" in mistake.value.hint
    merged = lora.merge_and_unload()
    tokens.plan(merged, WORDS, tokenizer=tokenizer).apply()
    assert scores(merged, tokenizer).isfinite().all()
    assert len(tokenizer(WORDS[0], add_special_tokens=False)["input_ids"]) == 1
