"""Rules on which token or mean a script takes for a text."""

import pytest

from ask_scripts import READER, asked
from pretune.check.rules.py_vector import (
    RULES,
    first_token_for_similarity,
    first_token_of_a_decoder,
    last_position_is_padding,
    mean_over_padding,
    pooler_output_missing,
    pooler_output_untrained,
)

EMBED = """\
import torch
from sklearn.metrics.pairwise import cosine_similarity
from transformers import AutoModel, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("klue/bert-base")
model = AutoModel.from_pretrained("klue/bert-base")
model.eval()

def embed(texts):
    encoded = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
    with torch.no_grad():
        outputs = model(**encoded)
    mask = encoded["attention_mask"].unsqueeze(-1)
    vector = (outputs.last_hidden_state * mask).sum(1) / mask.sum(1)
    return vector

print(cosine_similarity(embed(["가나다", "라"]), embed(["마바사", "아"])))
"""
MASKED = "(outputs.last_hidden_state * mask).sum(1) / mask.sum(1)"
TRAINED = (
    READER
    + """\
model = Classifier("klue/roberta-base")
optimizer = torch.optim.AdamW(model.parameters())
model.train()
for ids, mask, y in loader:
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(ids, mask), y).backward()
    optimizer.step()
"""
)


def taking(expression: str, name: str = "klue/bert-base", loader: str = "AutoModel") -> str:
    """A script that takes the vector by an expression, from a model of a name."""
    return EMBED.replace(MASKED, expression).replace("klue/bert-base", name).replace("AutoModel", loader)


@pytest.mark.parametrize("text", [EMBED, TRAINED], ids=["embed", "trained"])
def test_healthy_vectors_are_quiet(text: str) -> None:
    """A mean with the mask, and a first token under a head that is trained."""
    assert [finding for rule in RULES for finding in asked(rule, text)] == []


@pytest.mark.parametrize(
    "text",
    [taking("outputs.last_hidden_state[:, 0]"), taking("outputs[0][:, 0, :]"),
     taking("outputs.last_hidden_state[:, 0, :].numpy()", "monologg/koelectra-base-v3-discriminator"),
     taking("outputs.hidden_states[-1][:, 0]", "bert-base-uncased")],
)  # fmt: skip
def test_first_token_for_similarity(text: str) -> None:
    """[CLS] of a plain checkpoint under a cosine is a note."""
    assert [finding.level for finding in asked(first_token_for_similarity, text)] == ["note"]


@pytest.mark.parametrize(
    "text",
    [
        taking("outputs.last_hidden_state[:, 0]", "BAAI/bge-m3"),
        taking("outputs.last_hidden_state[:, 0]", "BM-K/KoSimCSE-roberta"),
        taking("outputs.last_hidden_state[:, 0]").replace("cosine_similarity", "show"),
        TRAINED + "from sklearn.metrics.pairwise import cosine_similarity\ncosine_similarity(a, b)\n",
        taking("outputs.last_hidden_state[:, 0]").replace('("klue/bert-base")', "(args.model)"),
    ],
)
def test_first_token_for_similarity_quiet(text: str) -> None:
    """Models made for it, no comparison, a trained one, a name that is not known."""
    assert asked(first_token_for_similarity, text) == []


@pytest.mark.parametrize(
    "text",
    [taking("outputs.last_hidden_state[:, -1]"), taking("outputs[0][:, -1, :]", "skt/kogpt2-base-v2"),
     taking("outputs.hidden_states[-1][:, -1, :]", "gpt2").replace("padding=True", 'padding="max_length"')],
)  # fmt: skip
def test_last_position_is_padding(text: str) -> None:
    """The last position of a batch padded on the right is a warning."""
    (finding,) = asked(last_position_is_padding, text)
    assert finding.level == "warning"


@pytest.mark.parametrize(
    "text",
    [
        taking("outputs.last_hidden_state[:, -1]").replace("model.eval()", 'tokenizer.padding_side = "left"'),
        taking("outputs.last_hidden_state[:, -1]").replace("padding=True, ", ""),
        taking("outputs.last_hidden_state[:, -1]").replace('from_pretrained("klue/bert-base")', 'from_pretrained("klue/bert-base", padding_side="left")', 1),
        taking("outputs.last_hidden_state[:, -1]", "xlnet-base-cased"),
        taking("outputs.logits[:, -1]", "gpt2", "AutoModelForCausalLM"),
        taking("outputs.last_hidden_state[range(2), mask.sum(1) - 1]", "gpt2"),
    ],
)  # fmt: skip
def test_last_position_is_padding_quiet(text: str) -> None:
    """Padded on the left, not padded, a model that ends with its token, logits, the last real token."""
    assert asked(last_position_is_padding, text) == []


@pytest.mark.parametrize(
    ("text", "level"),
    [
        (taking("outputs.last_hidden_state.mean(dim=1)"), "warning"),
        (taking("torch.mean(outputs[0], 1)"), "warning"),
        (taking("outputs.last_hidden_state.max(dim=1)[0]"), "warning"),
        (taking("outputs.last_hidden_state.mean(1)").replace('embed(["가나다", "라"]), embed(["마바사", "아"])', "embed(load())"), "note"),
        (taking("outputs.last_hidden_state.mean(1)").replace("padding=True", 'padding="max_length"').replace('["가나다", "라"]', "q"), "warning"),
    ],
)  # fmt: skip
def test_mean_over_padding(text: str, level: str) -> None:
    """A mean or maximum without the mask: a warning for several texts, a note where their number is not known."""
    found = asked(mean_over_padding, text)
    assert found[0].level == level
    assert "runs over pads too" in found[0].message


@pytest.mark.parametrize(
    "text",
    [
        EMBED,
        taking("outputs.last_hidden_state.mean(dim=1)").replace("padding=True, ", ""),
        taking("outputs.last_hidden_state.mean(dim=1)").replace(
            'embed(["가나다", "라"]), embed(["마바사", "아"])', 'embed("가"), embed("나")'
        ),
        taking("outputs.last_hidden_state.mean(dim=-1)"),
        taking("(outputs.last_hidden_state * mask).mean(dim=1)"),
    ],
)
def test_mean_over_padding_quiet(text: str) -> None:
    """With the mask, without padding, one text, another axis."""
    assert asked(mean_over_padding, text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (taking("outputs.pooler_output", "monologg/koelectra-small-v3-discriminator"), "`monologg/koelectra-small-v3-discriminator` gives no"),
        (taking("outputs.pooler_output", "distilbert-base-multilingual-cased"), "`distilbert-base-multilingual-cased` gives no"),
        (taking("outputs[1]", "beomi/KcELECTRA-base"), "`beomi/KcELECTRA-base` gives last_hidden_state alone"),
        (taking("outputs.pooler_output", "microsoft/mdeberta-v3-base", "DebertaV2Model"), "DebertaV2Model gives no"),
        (taking("outputs.pooler_output", "klue/bert-base", "AutoModelForSequenceClassification"), "AutoModelForSequenceClassification gives no"),
        (taking("outputs.pooler_output").replace('base")\nmodel.eval', 'base", add_pooling_layer=False)\nmodel.eval'), "pooler_output is None"),
    ],
)  # fmt: skip
def test_pooler_output_missing(text: str, said: str) -> None:
    """A pooler that there is not is an error that names the model."""
    found = asked(pooler_output_missing, text)
    assert {finding.level for finding in found} == {"error"}
    assert found[0].message.startswith(said)


@pytest.mark.parametrize(
    "text",
    [
        taking("outputs.pooler_output"),
        taking("outputs[1]"),
        taking("outputs[1]", "beomi/KcELECTRA-base").replace("**encoded", "**encoded, output_hidden_states=True"),
        taking("outputs.pooler_output", "jhgan/ko-sroberta-multitask"),
        taking("outputs.pooler_output").replace('("klue/bert-base")', "(args.model)"),
        taking("outputs[1]", "klue/bert-base", "AutoModelForSequenceClassification"),
    ],
)
def test_pooler_output_missing_quiet(text: str) -> None:
    """BERT has one; hidden states asked for; a name that is not known; logits behind the loss."""
    assert asked(pooler_output_missing, text) == []


@pytest.mark.parametrize(
    "text",
    [
        taking("outputs.pooler_output", "klue/roberta-base"),
        taking("outputs[1]", "roberta-large"),
        taking("outputs.pooler_output", "xlm-roberta-base"),
    ],
)
def test_pooler_output_untrained(text: str) -> None:
    """RoBERTa's pooler without training is a warning: it is random."""
    (finding,) = asked(pooler_output_untrained, text)
    assert finding.level == "warning"


@pytest.mark.parametrize(
    "text",
    [
        taking("outputs.pooler_output"),
        taking("outputs.pooler_output", "jhgan/ko-sroberta-multitask"),
        TRAINED.replace("last_hidden_state[:, 0]", "pooler_output"),
        taking("outputs.pooler_output", "./roberta-base-finetuned"),
    ],
)
def test_pooler_output_untrained_quiet(text: str) -> None:
    """BERT's is trained, a sentence model's too, one that is trained here, one of the user's own."""
    assert asked(pooler_output_untrained, text) == []


@pytest.mark.parametrize(
    "text",
    [taking("outputs.last_hidden_state[:, 0]", "skt/kogpt2-base-v2"), taking("outputs[0][:, 0, :]", "gpt2", "GPT2Model"),
     taking("outputs.hidden_states[-1][:, 0]", "meta-llama/Llama-3.2-1B", "AutoModelForCausalLM")],
)  # fmt: skip
def test_first_token_of_a_decoder(text: str) -> None:
    """The first token of a decoder is an error."""
    assert {finding.level for finding in asked(first_token_of_a_decoder, text)} == {"error"}


@pytest.mark.parametrize(
    "text",
    [taking("outputs.last_hidden_state[:, 0]"), taking("outputs.last_hidden_state[:, -1]", "gpt2"),
     taking("outputs.logits[:, 0]", "gpt2", "AutoModelForCausalLM"), taking("encoded['input_ids'][:, 0]", "gpt2")],
)  # fmt: skip
def test_first_token_of_a_decoder_quiet(text: str) -> None:
    """Encoders, the last token, logits and ids."""
    assert asked(first_token_of_a_decoder, text) == []
