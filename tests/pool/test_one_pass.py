"""One pass gives what encoding each sentence alone, in float64, gives."""

import itertools

import numpy as np
import pytest

from pool import made
from pretune.core.errors import UserError
from pretune.pool import encode as encoding
from pretune.pool import store
from pretune.pool.choice import Choice
from pretune.pool.one_pass import one_pass
from pretune.pool.poolers import AVERAGING
from pretune.pool.score import cosines, subset_similarities
from pretune.pool.shaping import whitened

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

PAIRS = np.array(list(itertools.combinations(range(len(made.SENTENCES)), 2)))


def _naive(model: object, tokenizer: object, text: str) -> dict:
    """Each sentence alone through the model in float64, each pooling by its definition."""
    found = tokenizer(text, return_special_tokens_mask=True)
    special = np.array(found["special_tokens_mask"], dtype=bool)
    with torch.inference_mode():
        output = model(input_ids=torch.tensor([found["input_ids"]]), output_hidden_states=True)
    vectors = {}
    for layer, states in enumerate(output.hidden_states):
        rows = states[0].numpy()
        count = len(rows)
        vectors[layer, "cls"] = rows[0]
        vectors[layer, "mean"] = rows.mean(axis=0)
        vectors[layer, "mean_words"] = rows[~special].mean(axis=0)
        vectors[layer, "max"] = rows.max(axis=0)
        vectors[layer, "weighted_mean"] = np.average(rows, axis=0, weights=np.arange(1, count + 1))
        vectors[layer, "last_token"] = rows[-1]
        vectors[layer, "last_word"] = rows[-2]
    vectors["pooler_output"] = output.pooler_output[0].numpy()
    return vectors


def test_every_vector_is_the_one_of_the_sentence_alone() -> None:
    """All layers and poolings differ from single float64 passes by rounding only."""
    model, tokenizer = made.bert(), made.tokenizer()
    found = one_pass(model, tokenizer, made.SENTENCES, pairs=PAIRS)
    double = made.bert().double()
    for place, text in enumerate(made.SENTENCES):
        for key, wanted in _naive(double, tokenizer, text).items():
            vector = found.vectors.pooler if key == "pooler_output" else found.vectors.of(*key)
            np.testing.assert_allclose(vector[place], wanted, atol=2e-5)


def test_frequency_weights_follow_their_formulas() -> None:
    """Idf and SIF weigh tokens by the sentences at hand; special tokens weigh nothing."""
    model, tokenizer = made.bert(), made.tokenizer()
    found = one_pass(model, tokenizer, made.SENTENCES)
    ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in made.SENTENCES]
    counts = {one: sum(row.count(one) for row in ids) for row in ids for one in row}
    everything = sum(counts.values())
    for place, row in enumerate(ids):
        with torch.inference_mode():
            whole = torch.tensor([tokenizer(made.SENTENCES[place])["input_ids"]])
            states = model(whole, output_hidden_states=True).hidden_states[2][0, 1:-1].numpy()
        idf = [np.log((1 + len(ids)) / (1 + sum(one in other for other in ids))) + 1 for one in row]
        sif = [1e-3 / (1e-3 + counts[one] / everything) for one in row]
        np.testing.assert_allclose(
            found.vectors.of(2, "idf")[place], np.average(states, axis=0, weights=idf), atol=1e-5
        )
        np.testing.assert_allclose(
            found.vectors.of(2, "sif")[place], np.average(states, axis=0, weights=sif), atol=1e-5
        )


@pytest.mark.parametrize("shaping", ["raw", "centred"])
def test_similarities_are_float64_cosines_of_the_vectors(shaping: str) -> None:
    """Every column of similarities is the cosine of its choice's vectors, mixes of layers included."""
    found = one_pass(made.bert(), made.tokenizer(), made.SENTENCES, pairs=PAIRS, shapings=("raw", "centred"))
    assert len(found.choices) == len(set(found.choices)) == len(found.similarities)
    assert any(len(choice.layers) > 1 for choice in found.choices)
    for choice, column in zip(found.choices, found.similarities, strict=True):
        if choice.shaping != shaping:
            continue
        table = np.asarray(found.of(choice), dtype=np.float64)
        # a token that is the same in all sentences is nothing after centring, and has cosine 0 with everything
        unit = table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-300)
        wanted = (unit[PAIRS[:, 0]] * unit[PAIRS[:, 1]]).sum(axis=1)
        # a mix is averaged in float32 here and summed in float64 there
        np.testing.assert_allclose(column, wanted, atol=1e-6 if len(choice.layers) > 1 else 1e-11)


def test_names_for_the_same_vector_are_counted_once() -> None:
    """BERT's separator is its last token; without a template nothing is special."""
    found = one_pass(made.bert(), made.tokenizer(), made.SENTENCES, pairs=PAIRS)
    assert found.same == {"separator": "last_token"}
    assert {choice.pooling for choice in found.choices} == {*AVERAGING, "max", "pooler_output"} - {"separator"}
    bare = one_pass(made.bert(), made.tokenizer(template=False), made.SENTENCES, pairs=PAIRS)
    assert bare.same == {"separator": "", "mean_words": "mean", "last_word": "last_token"}
    last = one_pass(made.bert(), made.tokenizer(), made.SENTENCES, sentence_token=-1)
    assert last.same["cls"] == "last_token"


def test_all_subsets_of_layers_are_those_of_summed_vectors() -> None:
    """The 15 subsets of four layers, from products alone, equal cosines of explicit means."""
    found = one_pass(made.bert(), made.tokenizer(), made.SENTENCES, pairs=PAIRS, every_mix=True)
    subsets = [choice.layers for choice in found.choices if choice.pooling == "mean"]
    assert len(subsets) == 15
    columns = subset_similarities(found.vectors, "mean", PAIRS, subsets)
    for subset, column in zip(subsets, columns, strict=True):
        table = sum(found.vectors.of(layer, "mean").astype(np.float64) for layer in subset)
        unit = table / np.linalg.norm(table, axis=1, keepdims=True)
        np.testing.assert_allclose(column, (unit[PAIRS[:, 0]] * unit[PAIRS[:, 1]]).sum(axis=1), atol=1e-11)


def test_vectors_beyond_the_budget_go_to_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table larger than the budget is mapped to a file, with the same numbers."""
    within = one_pass(made.bert(), made.tokenizer(), made.SENTENCES, pairs=PAIRS)
    monkeypatch.setattr(store.empty_table, "__kwdefaults__", {"budget": 100})
    beyond = one_pass(made.bert(), made.tokenizer(), made.SENTENCES, pairs=PAIRS)
    assert isinstance(beyond.vectors.table, np.memmap)
    np.testing.assert_array_equal(within.similarities, beyond.similarities)


def test_batches_of_any_size_give_the_same_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    """No sentence feels its neighbours, and nothing is padded."""
    whole = one_pass(made.bert(), made.tokenizer(), made.SENTENCES)
    monkeypatch.setattr(encoding, "TOKENS", 1)
    single = one_pass(made.bert(), made.tokenizer(), made.SENTENCES)
    np.testing.assert_allclose(whole.vectors.table, single.vectors.table, atol=1e-5)


def test_long_sentences_are_cut_and_counted() -> None:
    """Two of the sentences have more than six tokens with the special ones; the separator stays."""
    found = one_pass(made.bert(), made.tokenizer(), made.SENTENCES, max_length=8)
    assert found.sentences.cut == 3
    assert max(len(ids) for ids in found.sentences.ids) == 8
    assert all(ids[-1] == 3 for ids in found.sentences.ids)


def test_a_sentence_of_nothing_has_no_words() -> None:
    """An empty sentence is its special tokens: its mean is theirs, its word vector nothing, its cosine 0."""
    found = one_pass(made.bert(), made.tokenizer(), ["", "the cat"], pairs=np.array([[0, 1]]))
    assert not found.vectors.of(1, "mean_words")[0].any()
    assert found.vectors.of(1, "mean")[0].any()
    assert found.similarities[found.choices.index(Choice((1,), "mean_words")), 0] == 0


def test_states_that_are_not_numbers_are_said() -> None:
    """A layer of NaN is named."""
    model = made.bert()
    with torch.no_grad():
        model.encoder.layer[1].output.dense.weight.fill_(float("nan"))
    with pytest.raises(UserError, match="layer 2 gives states that are not finite"):
        one_pass(model, made.tokenizer(), made.SENTENCES)


def test_choices_have_names_that_say_the_layers() -> None:
    """Layers are named by index."""
    assert Choice((6,), "mean_words").name == "layer 6 mean words"
    assert Choice((0, 6), "mean", "whitened").name == "layers 0+6 mean, whitened"
    assert Choice((), "random vectors").name == "random vectors"


def test_whitened_vectors_vary_alike_in_every_direction() -> None:
    """The covariance of whitened vectors is the identity, of as many directions as they vary in."""
    table = np.random.default_rng(0).normal(size=(50, 4)) @ np.diag([9.0, 3.0, 1.0, 0.0]) + 7
    found = whitened(table)
    np.testing.assert_allclose(np.cov(found.T), np.eye(3), atol=1e-9)
    assert not whitened(np.ones((5, 3))).any()


def test_whitening_is_left_out_of_few_sentences() -> None:
    """Ten sentences say nothing of 32 dimensions; centring needs no more than a mean."""
    found = one_pass(made.bert(), made.tokenizer(), made.SENTENCES, shapings=("raw", "centred", "whitened"))
    assert {choice.shaping for choice in found.choices} == {"raw", "centred"}


def test_float32_cosines_are_not_trusted() -> None:
    """Vectors a thousandth of a degree apart are told apart by the float64 cosine and not by a float32 one."""
    rng = np.random.default_rng(0)
    base = rng.normal(size=64)
    steps = np.sort(rng.random(200)) * 1e-3
    away = rng.normal(size=64)
    left = np.tile(base, (200, 1)).astype(np.float32)
    right = (base + steps[:, None] * away).astype(np.float32)
    order = np.argsort(-cosines(left, right), kind="stable")
    assert np.corrcoef(order, np.arange(200))[0, 1] > 0.999
    unit = [table / np.linalg.norm(table, axis=1, keepdims=True) for table in (left, right)]
    assert len(np.unique((unit[0] * unit[1]).sum(axis=1))) < 20


@pytest.mark.parametrize(
    ("error", "length", "said"),
    [
        (
            RuntimeError("max_pool1d() Invalid computed output size: 0\nmore"),
            3,
            "cannot read a sentence of 3 tokens: max",
        ),
        (IndexError("index 1 is out of bounds"), 1, "cannot read a sentence of 1 token: index"),
        (torch.OutOfMemoryError("CUDA out of memory"), 3, "memory is out for 2 sentences of 3 tokens"),
        (None, 3, "gives no hidden states"),
    ],
)
def test_a_model_that_cannot_read_a_sentence_is_one_line(error: Exception | None, length: int, said: str) -> None:
    """CANINE fails below four tokens and Funnel below five, each in words of its own."""

    def model(**_: object) -> object:
        if error is not None:
            raise error
        return object()

    with pytest.raises(UserError, match=said) as told:
        encoding.run(model, {"input_ids": torch.zeros(2, length, dtype=torch.long)})
    with pytest.raises(UserError, match=said.replace("a sentence of", r'"a\\x1b b",')):
        encoding.run(model, {"input_ids": torch.zeros(2, length, dtype=torch.long)}, sentence="a\x1b\nb")
    assert "\n" not in told.value.message
