"""Attention without padding: gradients, dropout, edges, and every family of models beside each sequence alone."""

import copy
from typing import Any

import pytest
import torch
import transformers
from torch.nn.functional import scaled_dot_product_attention

from pretune.train import attention
from pretune.train.attention import (
    NotServedError,
    attend,
    restore_attention,
    use_attention_dropout,
    use_sequences,
)
from pretune.train.attention_cpu import attend_each, unseen
from train import lever_models as tiny

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "vocab_size": 99,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
}
DECODER = {"num_key_value_heads": 2, "bos_token_id": 1, "eos_token_id": 2}
FAMILIES: dict[str, dict[str, Any]] = {
    "Bert": {},
    "Roberta": {"max_position_embeddings": 66, "pad_token_id": 1},
    "XLMRoberta": {"max_position_embeddings": 66, "pad_token_id": 1},
    "Electra": {"embedding_size": 16},
    "DistilBert": {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48},
    "ModernBert": {"num_hidden_layers": 4, "local_attention": 16, "bos_token_id": 1, "cls_token_id": 1},
    "Llama": DECODER,
    "Mistral": {**DECODER, "sliding_window": 8, "max_position_embeddings": 128},
    "GPT2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64},
}
HEADS = ("ForQuestionAnswering", "ForSequenceClassification", "ForTokenClassification")


def model(family: str, head: str, **more: Any) -> Any:
    """A model of random weights, large enough to tell right attention from wrong."""
    torch.manual_seed(0)
    options = SIZES | FAMILIES.get(family, {}) | more
    if family == "ModernBert":
        options |= {"eos_token_id": 2, "sep_token_id": 2}
    made = getattr(transformers, f"{family}Config")(**options)
    model_class = getattr(transformers, f"AutoModel{head}")
    return model_class.from_config(made).eval()


def tensors(lens: list[int], *, dtype: torch.dtype = torch.float64, heads: int = 2, size: int = 3) -> list[Any]:
    """Query, key and value, (heads, T, size), as views with strides like those of a layer."""
    generator = torch.Generator().manual_seed(1)
    return [
        torch.randn(sum(lens), heads, size, generator=generator, dtype=dtype).transpose(0, 1).requires_grad_()
        for _ in range(3)
    ]


def one_by_one(query: Any, key: Any, value: Any, lens: list[int], *, causal: bool, window: int | None) -> Any:
    """Torch's attention of each sequence, (T, heads, size)."""
    made, at = [], 0
    for length in lens:
        part = slice(at, at := at + length)
        hidden = unseen(length, causal=causal, window=window, device=query.device)
        mask = None if hidden is None else ~hidden
        each = [one[None, :, part] for one in (query, key, value)]
        made.append(scaled_dot_product_attention(*each, attn_mask=mask, scale=0.7)[0].transpose(0, 1))
    return torch.cat(made)


@pytest.mark.parametrize("lens", [[5], [1, 1, 1], [3, 7, 2], [0, 4, 0, 2, 0], [2] * 20, [40]])
@pytest.mark.parametrize(("causal", "window"), [(False, None), (True, None), (False, 2), (True, 3)])
def test_attention_is_torchs(lens: list[int], causal: bool, window: int | None) -> None:
    """Output and gradients are those of torch's attention on each sequence, in double precision."""
    ours, theirs = tensors(lens), tensors(lens)
    out = attend_each(*ours, lens, scale=0.7, causal=causal, window=window)
    expected = one_by_one(*theirs, lens, causal=causal, window=window)
    torch.testing.assert_close(out, expected, rtol=1e-12, atol=1e-12)
    weights = torch.linspace(-1, 2, out.numel(), dtype=out.dtype).reshape(out.shape)
    for one, other in zip(
        torch.autograd.grad(out, ours, weights), torch.autograd.grad(expected, theirs, weights), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(("causal", "window"), [(False, None), (True, None), (False, 2), (True, 3)])
def test_attention_of_other_devices(causal: bool, window: int | None) -> None:
    """What devices without a jagged kernel compute is the same, here on the CPU."""
    lens = [5, 0, 3, 8]
    how: Any = {"scale": 0.7, "causal": causal, "window": window}
    found = attention._attend_on_device(*tensors(lens), lens, rate=0.0, **how)
    torch.testing.assert_close(found, attend_each(*tensors(lens), lens, **how))


@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_gradients_by_differences(rate: float) -> None:
    """Torch's gradcheck passes, with the dropout of forward and backward the same one."""
    lens = [3, 1, 4]

    def ours(*given: Any) -> Any:
        torch.manual_seed(5)  # the same mask each time that gradcheck asks
        return attend_each(*given, lens, scale=0.5, rate=rate, causal=True)

    assert torch.autograd.gradcheck(ours, tensors(lens))


def test_dropout_keeps_the_expected_output() -> None:
    """With value 1 the mean output is 1, and with one head per draw its spread is that of the rate."""
    query = torch.zeros(64, 128, 4)
    value = torch.ones(64, 128, 1)
    torch.manual_seed(0)
    out = attend_each(query, query, value, [128], scale=1.0, rate=0.25)
    # Each output is the mean of 128 kept values of 1 / 0.75: variance 0.25 / 0.75 / 128.
    assert out.mean().item() == pytest.approx(1, abs=4 * (1 / 3 / 128 / out.numel()) ** 0.5)
    assert out.var().item() == pytest.approx(1 / 3 / 128, rel=0.1)


def test_dropout_comes_from_torchs_generator() -> None:
    """The same seed gives the same output, another one another."""
    lens = [9, 4]
    given = tensors(lens)

    def drawn(seed: int) -> Any:
        torch.manual_seed(seed)
        return attend_each(*given, lens, scale=1.0, rate=0.5)

    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))


def test_everything_dropped_is_zero() -> None:
    """Dropout of 1 gives zeros and zero gradients, no NaN."""
    given = tensors([4])
    out = attend_each(*given, [4], scale=1.0, rate=1.0)
    grads = torch.autograd.grad(out.sum(), given)
    assert not out.any()
    assert not any(one.any() for one in grads)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("family", FAMILIES)
def test_models_say_the_same(family: str, head: str) -> None:
    """Sequences without padding give what each gives alone, within 1e-5."""
    plain, served = model(family, head), model(family, head)
    use_sequences(served)
    first = 2 if "oberta" in family else 0
    lens = [4, 1, 30, 17, 2, 30]
    ids = torch.randint(3, 99, (1, sum(lens)), generator=torch.Generator().manual_seed(3))
    positions = torch.cat([torch.arange(one) + first for one in lens])[None]
    with torch.no_grad():
        together = served(input_ids=ids, position_ids=positions, lens=lens)
        apart = [plain(input_ids=one) for one in ids.split(lens, 1)]
    for name in ("start_logits", "logits"):
        if name in together:
            axis = 0 if head == "ForSequenceClassification" else 1
            expected = torch.cat([one[name] for one in apart], axis)
            torch.testing.assert_close(together[name], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("family", ["Albert", "DebertaV2", "MPNet", "BigBird", "Gemma2"])
def test_models_that_are_not_served_are_left_as_they_are(family: str) -> None:
    """They are refused in one line, and answer afterwards as before."""
    more = {"head_dim": 8, **DECODER} if family == "Gemma2" else {}
    plain = model(family, "ForSequenceClassification", **more)
    ids = torch.arange(3, 9)[None]
    before = plain(input_ids=ids).logits
    with pytest.raises(NotServedError) as raised:
        use_sequences(plain)
    assert "\n" not in raised.value.message
    assert "--padding longest" in raised.value.hint
    assert torch.equal(plain(input_ids=ids).logits, before)


def test_a_model_that_takes_no_random_sequence_is_refused() -> None:
    """BART's classifier wants an end token in each text, which random ones lack: that is no crash."""
    sizes = {"d_model": 16, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "vocab_size": 64}
    layers = {f"{side}_{what}": 2 for side in ("encoder", "decoder") for what in ("layers", "attention_heads")}
    config = transformers.BartConfig(**sizes, **layers, eos_token_id=63, max_position_embeddings=64)
    with pytest.raises(NotServedError, match="cannot be trained without padding: ValueError"):
        use_sequences(transformers.BartForSequenceClassification(config))


def test_last_token_is_the_one_transformers_takes() -> None:
    """A decoder whose pad id is its end id reads the token before trailing ends, as transformers does."""
    plain = model("Llama", "ForSequenceClassification", pad_token_id=2)
    served = copy.deepcopy(plain)
    use_sequences(served)
    ids = torch.tensor([[5, 6, 2, 7, 8, 9, 2, 2]])
    positions = torch.tensor([[0, 1, 2, 0, 1, 2, 3, 4]])
    with torch.no_grad():
        together = served(input_ids=ids, position_ids=positions, lens=[3, 5]).logits
        apart = torch.cat([plain(input_ids=one).logits for one in ids.split([3, 5], 1)])
    torch.testing.assert_close(together, apart, rtol=1e-5, atol=1e-5)


def test_restoring_gives_back_the_model(tmp_path: Any) -> None:
    """What is saved in between names no attention of ours; afterwards padded batches are right again."""
    plain = tiny.model("classes").eval()
    ids = torch.randint(5, 60, (3, 9))
    mask = torch.ones_like(ids)
    mask[1, 4:] = 0
    before = plain(input_ids=ids, attention_mask=mask).logits
    plain.save_pretrained(tmp_path)
    text = plain.config.to_json_string()
    use_sequences(plain, dropout=0.0)
    plain.save_pretrained(tmp_path)
    assert "pretune" not in (tmp_path / "config.json").read_text()
    assert transformers.AutoConfig.from_pretrained(tmp_path).attention_probs_dropout_prob == 0.1
    with pytest.raises(ValueError, match="lens"):
        plain(input_ids=ids, attention_mask=mask)
    restore_attention(plain)
    restore_attention(plain)
    assert plain.config.to_json_string() == text
    assert torch.equal(plain(input_ids=ids, attention_mask=mask).logits, before)


def test_a_copy_of_a_changed_model_can_be_restored() -> None:
    """Its config names our attention, and we have never seen it."""
    changed = tiny.model("reading")
    use_sequences(changed)
    other = copy.deepcopy(changed)
    restore_attention(other)
    assert other.config._attn_implementation == "sdpa"


def test_the_trial_leaves_no_trace() -> None:
    """Random numbers, what trains and what does not, weights: all as before."""
    changed = tiny.model("tags").train()
    changed.bert.encoder.layer[0].eval()
    weights = {name: one.clone() for name, one in changed.state_dict().items()}
    states = [module.training for module in changed.modules()]
    torch.manual_seed(3)
    state = torch.get_rng_state()
    use_sequences(changed)
    assert torch.equal(torch.get_rng_state(), state)
    assert [module.training for module in changed.modules()] == states
    assert all(torch.equal(one, weights[name]) for name, one in changed.state_dict().items())


@pytest.mark.parametrize("lens", [None, [3, 3], [9]])
def test_wrong_lens_are_refused(lens: list[int] | None) -> None:
    """Without lens, or with such that do not add up to the tokens, nothing is computed."""
    changed = tiny.model("reading")
    use_sequences(changed)
    with pytest.raises(ValueError, match="lens"):
        changed(input_ids=torch.arange(5, 12)[None], position_ids=torch.arange(7)[None], lens=lens)


def test_an_empty_sequence_has_no_class() -> None:
    """A head of whole sequences refuses it; a head of tokens has nothing to say of it."""
    ids, positions = torch.arange(5, 12)[None], torch.arange(7)[None]
    for task, fails in (("classes", True), ("tags", False)):
        changed = tiny.model(task).eval()
        use_sequences(changed)
        if fails:
            with pytest.raises(ValueError, match="without a token"):
                changed(input_ids=ids, position_ids=positions, lens=[0, 7])
        else:
            assert changed(input_ids=ids, position_ids=positions, lens=[0, 7]).logits.shape == (1, 7, 5)


def test_masks_and_unknown_extras_are_refused() -> None:
    """What this attention cannot do is an error."""
    query = torch.zeros(1, 2, 4, 3)
    for extra in ({"attention_mask": torch.zeros(1, 1, 4, 4)}, {"softcap": 30.0}, {"position_bias": query}):
        with pytest.raises(ValueError, match="attention without padding"):
            attend(torch.nn.Identity(), query, query, query, lens=[4], **extra)


@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
def test_attention_dropout_of_padded_batches(implementation: str) -> None:
    """Rate 0 makes training what evaluation is, though the config keeps its rate; undone, it drops again."""
    changed = tiny.model("classes", dropout=0.0)
    for layer in changed.bert.encoder.layer:
        layer.attention.self.dropout.p = 0.1
    changed.set_attn_implementation(implementation)
    ids = torch.randint(5, 60, (3, 9))
    mask = torch.ones_like(ids)
    mask[1, 4:] = 0
    given = {"input_ids": ids, "attention_mask": mask}
    expected = changed.eval()(**given).logits
    changed.train()
    assert not torch.equal(changed(**given).logits, expected)
    use_attention_dropout(changed, 0.0)
    torch.testing.assert_close(changed(**given).logits, expected)
    restore_attention(changed)
    assert changed.config._attn_implementation == implementation
    assert not torch.equal(changed(**given).logits, expected)
