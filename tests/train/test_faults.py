"""What breaks a run is told in one line: the step, the rows, the likely cause, what to lower."""

from dataclasses import replace

import numpy as np
import pytest

from pretune.core.errors import UserError

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from pretune.train import faults, loop, losses, trainer  # noqa: E402
from pretune.train.not_finite import name_rows  # noqa: E402
from pretune.train.tally import NotFiniteError  # noqa: E402
from train import killing  # noqa: E402

ENGINES = pytest.mark.parametrize("train", [loop.train, trainer.train])


def told(train, model=None, examples=None, options=None, loss=losses.classes, where=None) -> UserError:
    """What a run says when it breaks."""
    model = model if model is not None else killing.model()
    examples = examples if examples is not None else killing.examples()
    options = options if options is not None else killing.options("random", save_strategy="no")
    with pytest.raises(UserError) as caught, faults.told(model, examples, options, where=where):
        train(model, examples, options, loss=loss)
    assert caught.value.exit_code == 1
    assert "\n" not in caught.value.message
    return caught.value


@ENGINES
def test_weights_that_are_no_numbers(train):
    """Weights that came broken are named, before anything is learned; so are the rows, by their place in the data."""
    model = killing.model()
    model.bert.encoder.layer[0].output.dense.weight.data[0, 0] = float("nan")
    error = told(train, model, where=lambda row: f"train.jsonl:{row + 1}")
    assert error.message.startswith("the loss is nan at step 1, examples ")
    assert "(train.jsonl:" in error.message
    assert error.message.endswith(": bert.encoder.layer.0.output.dense.weight held no numbers before training began")


@ENGINES
def test_learning_rate(train):
    """A learning rate that blows the weights up is called by its value, with the warmup that was not there."""
    options = killing.options("random", save_strategy="no", learning_rate=1e30, warmup_steps=0, max_grad_norm=0.0)
    error = told(train, options=options)
    assert error.message.startswith("the loss is nan at step 2, examples ")
    assert "the learning rate 1e+30 without warmup, gradients are not clipped is high" in error.message
    assert error.hint == "lower --learning-rate to 5e-05; --warmup-steps 0.1; --max-grad-norm 1"


@ENGINES
def test_a_similarity_that_is_no_number(train):
    """A label that is no number is named with its row."""
    examples = killing.examples()
    labels = np.zeros(len(examples), np.float32)
    labels[7] = np.inf
    model = killing.model()
    model.classifier = torch.nn.Linear(16, 1)
    error = told(train, model, replace(examples, labels={"labels": labels}), loss=losses.similarity)
    assert error.message.startswith("the loss is inf at step ")
    assert error.message.endswith(": labels of example 7 is inf")


def test_an_infinite_gradient_never_reaches_the_weights():
    """A gradient that is infinite while the loss is not stops the run before the weights are changed."""
    model = killing.model()
    weights = killing.weights(model)

    def steep(outputs, batch):
        total, count = losses.classes(outputs, batch)
        return total + (outputs.logits.sum() * 0).sqrt(), count  # its slope at 0 is infinite

    error = told(loop.train, model, loss=steep)
    assert error.message.startswith("the norm of the gradients is ")
    assert " at step 1, examples " in error.message
    assert "weights, labels and activations of this batch are finite; the learning rate 0.001" in error.message
    assert killing.weights(model) == weights


def test_an_example_without_tokens():
    """An example that has no tokens is what is wrong with its batch."""
    examples = killing.examples(3)
    starts = examples.starts.copy()
    starts[1] = starts[0]
    found = NotFiniteError(4, [2, 0], float("nan"))
    with pytest.raises(UserError, match=r"example 0 has no tokens, and a softmax over nothing is no number"):
        _told(replace(examples, starts=starts), found)


def test_nothing_is_asked():
    """A batch in which every label is -100 is named as such."""
    examples = killing.examples(3)
    tags = np.full(len(examples.ids), -100, np.int64)
    with pytest.raises(UserError, match=r"all labels are -100, so nothing is asked in the batch"):
        _told(replace(examples, labels={"labels": tags}), NotFiniteError(4, [2, 0], float("nan")))


def test_activations_that_overflow():
    """With finite weights the example whose output is not finite is found, and float16 is called by its name."""
    model = killing.model()
    model.bert.embeddings.word_embeddings.weight.data[59] = 3e38
    model.bert.embeddings.LayerNorm = torch.nn.Identity()
    examples = killing.examples(4)
    ids = examples.ids.copy() % 59
    ids[examples.starts[2]] = 59
    changed = replace(examples, ids=ids)
    with pytest.raises(UserError, match=r"the model's output for example 2 is not finite, in float32, with finite"):
        _told(changed, NotFiniteError(1, [0, 2, 3], float("inf")), model)
    model.half()
    with pytest.raises(UserError, match=r"overflows float16|held no numbers"):
        _told(changed, NotFiniteError(1, [0, 2, 3], float("inf")), model)


def _told(examples, error, model=None) -> None:
    """Raise an error of an engine inside `told`."""
    with faults.told(model or killing.model(), examples, killing.options("random")):
        raise error


@ENGINES
def test_a_label_outside_the_models(train):
    """A label that the model has no class for is told with its row, not as an index error."""
    examples = killing.examples()
    labels = examples.labels["labels"].copy()
    labels[:] = 9
    error = told(train, examples=replace(examples, labels={"labels": labels}))
    assert error.message.startswith("label 9 at step 1, examples ")
    assert error.message.endswith(": the model's are 0 to 1")


@pytest.mark.parametrize(
    "raised",
    [
        MemoryError(),
        torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has ..."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: you "
                     "tried to allocate 900 bytes. Error code 12 (Cannot allocate memory)"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 900 bytes."),
    ],
)  # fmt: skip
@ENGINES
def test_out_of_memory(train, raised):
    """Memory that is not enough names the batch, its tokens, and what to lower."""
    calls = []

    def loss(outputs, batch):
        calls.append(batch)
        if len(calls) == 3:
            raise raised
        return losses.classes(outputs, batch)

    error = told(train, loss=loss)
    rows = calls[2]["rows"]
    lengths = [int(killing.examples().lengths[row]) for row in rows]
    more = {"Out": " (2.00 GiB more were asked for)", "Run": " (900 bytes more were asked for)"}
    assert error.message == (
        f"out of memory at step 2, in a batch of 3 examples, the longest {max(lengths)} tokens, "
        f"{3 * max(lengths)} positions computed for {sum(lengths)} tokens{more.get(type(raised).__name__[:3], '')}"
    )
    assert "--per-device-train-batch-size 1 --gradient-accumulation-steps 4 gives the same steps" in error.hint


def test_what_to_lower():
    """By tokens it is tokens_per_batch; a single example has to be shorter; outside a batch it is the model."""
    examples = killing.examples()

    def broken(rows, **more):
        with (
            pytest.raises(UserError) as caught,
            faults.told(None, examples, killing.options("tokens", padding="none", **more)),
            faults.at(3, rows),
        ):
            raise MemoryError
        return caught.value

    assert broken([1, 2]).hint == (
        "--tokens-per-batch 20 --gradient-accumulation-steps 2 gives about the same steps;"
        " --precision bf16 halves what a layer keeps"
    )
    assert broken([1], precision="bf16").hint == "one example is too long: lower --max-length"
    with (
        pytest.raises(UserError, match=r"out of memory outside any batch"),
        faults.told(None, examples, killing.options("random")),
    ):
        raise MemoryError


def test_what_nobody_knows_passes():
    """An error of another kind is not touched."""
    with pytest.raises(RuntimeError, match=r"^else$"), faults.told(None, killing.examples(), killing.options("random")):
        raise RuntimeError("else")
    with pytest.raises(IndexError, match=r"^else$"), faults.told(None, killing.examples(), killing.options("random")):
        raise IndexError("else")


def test_rows_are_named():
    """One, few and many rows, with and without their places."""
    assert name_rows([]) == "on another process"
    assert name_rows([3], lambda row: f"a.csv:{row + 2}") == "example 3 (a.csv:5)"
    assert name_rows(range(20)) == "examples 0, 1, 2, 3, 4, 5, 6, 7 and 12 more"
