"""What a run needs to go on bit for bit: weights, optimizer by name, schedule, generators, position; nothing pickled."""

import json
import pickle
import pickletools
import random

import numpy as np
import pytest

from pretune.core.errors import UserError
from pretune.train import checkpoints

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from pretune.train import rng  # noqa: E402
from pretune.train.hooks import State  # noqa: E402
from pretune.train.optimizer import adamw, schedule  # noqa: E402
from pretune.train.optimizer_state import load_optimizer, optimizer_tensors  # noqa: E402
from pretune.train.saving import Saver  # noqa: E402
from pretune.train.state import Position, collect, load_weights, read_position, restore  # noqa: E402
from train import killing  # noqa: E402

OPTIONS = killing.options("random")


class Run:
    """A model that takes steps on random ids: what is drawn, dropout included, depends on all generators."""

    def __init__(self, seed: int = 1, name: str = "BertForSequenceClassification") -> None:
        self.model = killing.model(name).train()
        self.optimizer = adamw(self.model, OPTIONS)
        self.scheduler = schedule(self.optimizer, OPTIONS, 20)
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002

    def steps(self, count: int) -> list[float]:
        """Losses of so many steps."""
        losses = []
        for _ in range(count):
            ids = torch.randint(5, 60, (2, 5 + random.randrange(3)))
            labels = torch.from_numpy(np.random.randint(0, 2, 2))  # noqa: NPY002
            loss = self.model(ids, labels=labels).loss
            loss.backward()
            self.optimizer.step()
            self.scheduler.step()
            self.optimizer.zero_grad()
            losses.append(loss.item())
        return losses

    def files(self, position: Position | None = None, **more):
        """What of it is saved."""
        return collect(self.model, self.optimizer, self.scheduler, position or Position(3), **more)


def test_goes_on_bit_for_bit(tmp_path):
    """After restoring, losses and weights are those of the run that went on, and the position is what was saved."""
    run = Run()
    run.steps(3)
    position = Position(3, 1, 2, {"loss": 0.1 + 0.2, "tokens": 17}, 1)
    path = checkpoints.save(tmp_path, step=3, files=run.files(position))
    expected = run.steps(4)
    other = Run(seed=99)
    other.steps(2)
    assert restore(path, other.model, other.optimizer, other.scheduler) == position == read_position(path)
    assert other.steps(4) == expected
    assert killing.weights(other.model) == killing.weights(run.model)


def test_loads_in_plain_transformers(tmp_path, minilm):
    """A checkpoint's folder is a model's folder, tokenizer included, and no file of it is a pickle."""
    run = Run()
    run.steps(1)
    tokenizer = transformers.AutoTokenizer.from_pretrained(minilm)
    path = checkpoints.save(tmp_path, step=3, files=run.files(tokenizer=tokenizer))
    loaded = transformers.AutoModelForSequenceClassification.from_pretrained(path)
    assert killing.weights(loaded) == killing.weights(run.model)
    assert transformers.AutoTokenizer.from_pretrained(path).vocab_size == tokenizer.vocab_size
    for file in path.iterdir():
        with pytest.raises((ValueError, pickle.UnpicklingError, IndexError, EOFError, UnicodeDecodeError)):
            list(pickletools.genops(file.read_bytes()))


def test_tied_weights(tmp_path):
    """Weights that are one tensor under two names are saved once and come back."""
    run, other = Run(name="BertForMaskedLM"), Run(name="BertForMaskedLM")
    with torch.no_grad():
        for weight in run.model.parameters():
            weight.add_(1)
    path = checkpoints.save(tmp_path, step=3, files=run.files())
    load_weights(other.model, path)
    assert killing.weights(other.model) == killing.weights(run.model)


def test_several_files(tmp_path, monkeypatch):
    """Weights that transformers writes in several files come back from all of them."""
    run, other = Run(), Run()
    with torch.no_grad():
        for weight in run.model.parameters():
            weight.add_(1)
    path = tmp_path / "model"
    run.model.save_pretrained(path, max_shard_size="4KB")
    assert len(list(path.glob("*.safetensors"))) > 1
    load_weights(other.model, path)
    assert killing.weights(other.model) == killing.weights(run.model)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda model: model.double(), "is of another model: .* is float32 .* there, float64 .* here"),
        (
            lambda model: setattr(model, "classifier", torch.nn.Linear(16, 3)),
            r"is float32 \[2\] there, float32 \[3\] here",
        ),
        (lambda model: setattr(model, "more", torch.nn.Linear(1, 1)), "lacks more.weight, which this model has"),
        (lambda model: delattr(model, "classifier"), "classifier.bias is there, this model has none"),
    ],
)
def test_another_model(tmp_path, change, message):
    """Another dtype, shape, a weight more or less are refused in one line."""
    path = checkpoints.save(tmp_path, step=3, files=Run().files())
    other = Run()
    change(other.model)
    with pytest.raises(UserError, match=message):
        load_weights(other.model, path)


def test_another_number_of_processes(tmp_path):
    """A run of two processes does not go on with one: its batches are others."""
    run = Run()
    path = checkpoints.save(tmp_path, step=3, files=run.files(Position(3, processes=2)))
    with pytest.raises(UserError, match=r"was written by 2 processes, 1 run here"):
        restore(path, run.model, run.optimizer, run.scheduler)


def test_optimizer_by_names():
    """States go to the weights they belong to, and another set of weights is refused by name."""
    run = Run()
    run.steps(2)
    tensors, settings = optimizer_tensors(run.model, run.optimizer)
    assert "state/classifier.weight/exp_avg" in tensors
    settings = json.loads(json.dumps(settings))
    fresh = Run()
    load_optimizer(fresh.model, fresh.optimizer, tensors, settings)
    again, same = optimizer_tensors(fresh.model, fresh.optimizer)
    assert again.keys() == tensors.keys()
    assert all(torch.equal(again[name], tensors[name]) for name in tensors)
    assert json.loads(json.dumps(same)) == settings
    assert fresh.optimizer.param_groups[0]["betas"] == (0.9, 0.999)
    frozen = Run()
    frozen.model.classifier.bias.requires_grad = False
    frozen.optimizer = adamw(frozen.model, OPTIONS)
    with pytest.raises(UserError, match=r"moves other parameters: classifier.bias only there"):
        load_optimizer(frozen.model, frozen.optimizer, tensors, settings)


def test_an_optimizer_that_has_not_stepped():
    """An optimizer without any state yet comes back as such."""
    run = Run()
    tensors, settings = optimizer_tensors(run.model, run.optimizer)
    assert tensors == {}
    load_optimizer(run.model, run.optimizer, tensors, settings)
    run.steps(1)


def test_generators():
    """Python's, numpy's and torch's generators go on where they were, also between the two numbers of a normal pair."""
    random.seed(1)
    np.random.seed(2)  # noqa: NPY002
    torch.manual_seed(3)
    random.gauss(0, 1), np.random.randn()  # noqa: NPY002 - both keep the second number of a pair

    def draw():
        return random.gauss(0, 1), random.random(), np.random.randn(), np.random.rand(), torch.rand(3).tolist()  # noqa: NPY002

    data = rng.states()
    expected = draw()
    draw()
    rng.restore(data)
    assert draw() == expected
    rng.restore(data)
    assert rng.states() == data
    for broken in (b"", b"x" * 100, data[:50]):
        with pytest.raises(ValueError, match=r"no states of random generators"):
            rng.restore(broken)


def test_saving_draws_nothing(tmp_path):
    """A run that saves has the same numbers as one that does not."""
    one = Run()
    one.steps(2)
    before = rng.states()
    checkpoints.save(tmp_path, step=2, files=one.files())
    assert rng.states() == before


def test_scaler(tmp_path):
    """The state of fp16's gradient scaler is kept."""
    run, other = Run(), Run()
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    scaler._lazy_init_scale_growth_tracker(torch.device("cpu"))
    path = checkpoints.save(tmp_path, step=3, files=run.files(scaler=scaler))
    fresh = torch.amp.GradScaler("cpu")
    restore(path, other.model, other.optimizer, other.scheduler, scaler=fresh)
    assert fresh.state_dict() == scaler.state_dict()


def saved(saver: Saver, run: Run, step: int, **metrics: float) -> bool:
    """Whether the saver writes a checkpoint."""
    return saver(State(run.model, run.optimizer, run.scheduler, None, Position(step), metrics))


def test_the_best_one_stays(tmp_path):
    """The best checkpoint is kept beside the newest, also by a run that was resumed."""
    run = Run()
    saver = Saver(tmp_path, keep=2, metric="f1")
    for step, f1 in ((1, 50.0), (2, 70.0), (3, 60.0)):
        assert saved(saver, run, step, f1=f1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-2", "checkpoint-3"]
    saver = Saver(tmp_path, keep=2, metric="f1", resumed=saver.newest)
    assert saver.best == (2, 70.0)
    assert saved(saver, run, 4)
    assert saved(saver, run, 5, f1=69.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-2", "checkpoint-5"]
    assert saved(saver, run, 6, f1=71.0)
    assert saver.best == (6, 71.0)


def test_only_the_best_are_written(tmp_path):
    """With `only_best` a checkpoint is written when the metric is better than ever before; lower may be better."""
    run = Run()
    saver = Saver(tmp_path, metric="loss", greater_is_better=False, only_best=True)
    assert [saved(saver, run, step, loss=loss) for step, loss in ((1, 3.0), (2, 4.0), (3, 2.0))] == [True, False, True]
    assert saver.newest == tmp_path / "checkpoint-3"
    assert saver(State(run.model, run.optimizer, run.scheduler, None, Position(4), {}), stopped=True)
