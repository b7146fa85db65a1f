"""Classes derived from a library's: torch modules, trainers, LightningModules, datasets; what the library calls."""

import pytest

from pretune.script.values import Class, Constant, External, Instance, Made, Part, Unknown
from read_code import became, call, plain, read

MODULE = """
import torch
from torch import nn
from transformers import AutoModel

class Reader(nn.Module):
    def __init__(self, name, width=768):
        super().__init__()
        self.encoder = AutoModel.from_pretrained(name)
        self.qa = nn.Linear(width, 2)

    def pool(self, states):
        return states[:, 0]

    def forward(self, ids):
        output = self.encoder(ids)
        return self.qa(self.pool(output.last_hidden_state))
"""


@pytest.mark.parametrize(
    "code",
    [
        "model = Reader('bert')\nmodel(batch)",
        "model = Reader('bert').to('cuda')\nmodel(batch)",
        "model = Reader('bert')\nmodel = model.cuda()\nmodel = nn.DataParallel(model)\nmodel(batch)",
        "model = Reader('bert')\nmodel, optimizer = accelerator.prepare(model, None)\nmodel(batch)",
        "model = torch.compile(Reader('bert'))\nmodel(batch)",
        "model = Reader('bert')\nmodel.forward(batch)",
        "model = Reader('bert')\nmodel.train()\nmodel(batch)",
    ],
)
def test_calling_a_module(code: str) -> None:
    """Calling a module of the project, also wrapped or moved, runs its forward."""
    trace = read(f"{MODULE}\n{code}")
    encoded = next(
        one
        for one in trace.calls("")
        if one.arguments and isinstance(one.receiver, Made) and one.receiver.call.method == "from_pretrained"
    )
    assert encoded.entry is None
    assert encoded.arguments == (Unknown("a name that is not defined here", "batch"),)
    assert encoded.function is not None
    assert encoded.function.name == "Reader.forward"
    loaded = call(trace, "transformers.AutoModel.from_pretrained")
    assert loaded.constant(0, "") == "bert"
    assert loaded.target == ("self.encoder",)


def test_constructor_of_a_library() -> None:
    """`super().__init__()` of a library's class is a call on the object."""
    trace = read(f"{MODULE}\nmodel = Reader('bert')")
    made = call(trace, "torch.nn.Module.__init__")
    assert made.receiver == became(trace, "model")
    assert isinstance(made.receiver, Instance)
    assert set(made.receiver.fields) == {"encoder", "qa"}


def test_module_that_is_not_made() -> None:
    """A class that nothing makes is walked on its own: first its constructor, then its methods on what that built."""
    trace = read(MODULE)
    loaded = call(trace, "transformers.AutoModel.from_pretrained")
    assert loaded.entry is not None
    assert loaded.entry.name == "Reader.__init__"
    encoded = next(one for one in trace.calls("") if one.receiver == Made(loaded))
    assert encoded.entry is not None
    assert encoded.entry.name == "Reader.forward"
    assert encoded.arguments == (Unknown("given by the library", "ids"),)


def test_trainer_of_the_project() -> None:
    """Making a Trainer of the project calls the library's constructor; its methods are walked after the script."""
    trace = read(
        """
        from transformers import Trainer, AutoModel
        class Weighted(Trainer):
            def compute_loss(self, model, inputs, return_outputs=False):
                outputs = model(**inputs)
                return super().compute_loss(model, inputs)
        model = AutoModel.from_pretrained("bert")
        trainer = Weighted(model=model, args=None)
        trainer.train()
        trainer.save_model("out")
        """
    )
    made = call(trace, "transformers.Trainer.__init__")
    trainer = became(trace, "trainer")
    assert made.keywords["model"] == became(trace, "model")
    assert made.receiver == trainer
    assert made.target == ("trainer",)
    assert isinstance(trainer, Instance)
    assert trainer.of.derives("Trainer")
    assert call(trace, ".train").receiver == trainer
    assert call(trace, ".train").known is None
    inner = call(trace, "transformers.Trainer.compute_loss")
    assert inner.entry is not None
    assert inner.entry.name == "Weighted.compute_loss"


def test_constructor_of_a_trainer_of_the_project() -> None:
    """The library's constructor, called by the project's own, knows the names that the object is assigned to."""
    trace = read(
        "import transformers\nclass T(transformers.Trainer):\n    def __init__(self, *a, **k):\n"
        "        super().__init__(*a, **k)\ntrainer = T(model=1)"
    )
    made = call(trace, "transformers.Trainer.__init__")
    assert made.target == ("trainer",)
    assert made.constant(None, "model") == 1
    assert [place.line for place in made.calls] == [5]


def test_lightning_module() -> None:
    """Methods of a LightningModule are walked on the object that the script made."""
    trace = read(
        """
        import pytorch_lightning as pl
        import torch
        class Lit(pl.LightningModule):
            def __init__(self, name="bert", lr=3e-5):
                super().__init__()
                self.save_hyperparameters()
                self.lr = lr
                self.model = load(name)
            def forward(self, batch):
                return self.model(**batch)
            def training_step(self, batch, index):
                loss = self(batch).loss
                self.log("loss", loss)
                return loss
            def configure_optimizers(self):
                return torch.optim.AdamW(self.parameters(), lr=self.lr)
        model = Lit(lr=5e-5)
        pl.Trainer(max_epochs=3).fit(model)
        """
    )
    optimizer = call(trace, "torch.optim.AdamW")
    assert optimizer.constant(None, "lr") == 5e-5
    assert optimizer.entry is not None
    assert optimizer.entry.name == "Lit.configure_optimizers"
    logged = call(trace, ".log")
    assert logged.receiver == became(trace, "model")
    assert isinstance(logged.arguments[1], Part)


def test_dataset_of_the_project() -> None:
    """`__getitem__` of a Dataset is walked on the object that a loader is given."""
    trace = read(
        """
        from torch.utils.data import Dataset, DataLoader
        class Rows(Dataset):
            def __init__(self, rows, tokenizer):
                self.rows = rows
                self.tokenizer = tokenizer
            def __len__(self):
                return len(self.rows)
            def __getitem__(self, index):
                return self.tokenizer(self.rows[index], truncation=True)
        loader = DataLoader(Rows(["a"], tok), batch_size=4)
        """
    )
    read_row = next(one for one in trace.calls("") if "truncation" in one.keywords)
    assert read_row.receiver == Unknown("a name that is not defined here", "tok")
    assert read_row.entry is not None


def test_base_of_a_generic() -> None:
    """A base with type arguments is the base."""
    value = became(read("from torch.utils.data import Dataset\nclass D(Dataset[int]): pass\nx = D"), "x")
    assert isinstance(value, Class)
    assert value.bases == (External("torch.utils.data.Dataset"),)


def test_attribute_that_is_not_followed() -> None:
    """An attribute that nothing sets keeps its form."""
    value = became(read("import torch\nclass M(torch.nn.Module): pass\nx = M().training"), "x")
    assert isinstance(value, Part)
    assert value.name == "training"


def test_method_is_one_value() -> None:
    """A bound method asked twice is the same."""
    trace = read("class C:\n    def f(self): pass\nc = C()\na = c.f\nb = c.f")
    assert became(trace, "a") == became(trace, "b")


def test_methods_that_the_script_calls_are_walked_once() -> None:
    """A method that was called is not walked again at the end."""
    trace = read("class C:\n    def f(self):\n        g()\nC().f()")
    assert len([one for one in trace.calls("") if isinstance(one.receiver, Unknown)]) == 1


def test_nested_modules() -> None:
    """A module within a module of the same class is walked too."""
    trace = read(
        """
        from torch import nn
        class Block(nn.Module):
            def __init__(self, inner=None):
                super().__init__()
                self.inner = inner
                self.linear = nn.Linear(1, 1)
            def forward(self, x):
                x = self.linear(x)
                return self.inner(x) if self.inner is not None else x
        y = Block(Block())(z)
        """
    )
    assert len([one for one in trace.calls("") if one.arguments and one.entry is None]) == 2


def test_classes_of_the_trace() -> None:
    """The trace lists the classes of the project."""
    trace = read("class A: pass\nclass B(A):\n    class C: pass")
    assert set(trace.classes) == {"A", "B", "B.C"}


def test_unknown_base() -> None:
    """A class of an unknown base is a class all the same."""
    trace = read("class A(make()):\n    def f(self):\n        return 3\nx = A().f()")
    assert plain(became(trace, "x")) == 3


def test_fields_at_the_end_of_the_constructor() -> None:
    """`Instance.fields` is what the constructor left, not what came later."""
    value = became(read("class C:\n    def __init__(self):\n        self.a = 1\nx = C()\nx.a = 2"), "x")
    assert isinstance(value, Instance)
    assert value.fields == {"a": Constant(1)}
