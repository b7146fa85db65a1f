"""Reading a script: places, names, imports, what is an event; a whole script in the way people write them."""

import pytest

from pretune.script.read import read_source
from pretune.script.trace import Assigned, Call, Imported, Returned, SetAttribute, SetItem
from pretune.script.values import Constant, External, Made, Part, Place, Unknown
from read_code import became, call, plain, read

SCRIPT = """
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments

NAME = "klue/bert-base"

def load(name, labels=2):
    tokenizer = AutoTokenizer.from_pretrained(name)
    tokenizer.add_tokens(["[사람]"])
    model = AutoModelForSequenceClassification.from_pretrained(name, num_labels=labels)
    model.resize_token_embeddings(len(tokenizer))
    return tokenizer, model

def compute_metrics(prediction):
    return {"accuracy": (prediction.predictions.argmax(-1) == prediction.label_ids).mean()}

def main():
    tokenizer, model = load(NAME, labels=3)
    arguments = TrainingArguments(output_dir=f"out/{NAME}", learning_rate=2 * 1e-5)
    trainer = Trainer(model=model, args=arguments, compute_metrics=compute_metrics)
    trainer.train()

if __name__ == "__main__":
    main()
"""


def test_whole_script() -> None:
    """Functions are walked where they are called, and the order of the calls is the order of a run."""
    trace = read_source(SCRIPT)
    names = [one.method for one in trace.calls()]
    expected = [
        "from_pretrained",
        "add_tokens",
        "from_pretrained",
        "len",
        "resize_token_embeddings",
        "TrainingArguments",
    ]
    assert names[:6] == expected
    assert call(trace, "transformers.TrainingArguments").constant(None, "output_dir") == "out/klue/bert-base"
    trainer = call(trace, "transformers.Trainer")
    loaded = call(trace, "transformers.AutoModelForSequenceClassification.from_pretrained")
    assert trainer.keywords["model"] == Made(loaded)
    assert loaded.constant(0, "") == "klue/bert-base"
    assert loaded.constant(None, "num_labels") == 3


def test_function_handed_to_a_library() -> None:
    """A function that Trainer is given is walked after the call, with what the library gives it."""
    trace = read_source(SCRIPT)
    argmax = call(trace, ".argmax")
    assert argmax.entry is None
    assert argmax.order > call(trace, "transformers.Trainer").order
    assert argmax.receiver == Part(Unknown("given by the library", "prediction"), "predictions")


def test_function_and_calls_of_an_event() -> None:
    """An event knows the function it stands in and the calls that led there."""
    added = call(read_source(SCRIPT), ".add_tokens")
    assert added.function is not None
    assert added.function.name == "load"
    assert [place.line for place in added.calls] == [24, 18]


def test_on_an_object() -> None:
    """Everything that happens to an object is found by its value."""
    trace = read_source(SCRIPT)
    tokenizer = became(trace, "tokenizer")
    assert [event.method for event in trace.on(tokenizer) if isinstance(event, Call)] == ["add_tokens"]


def test_empty() -> None:
    """An empty script has no events."""
    trace = read("")
    assert trace.events == ()
    assert trace.notes == ()
    assert trace.files == ("train.py",)


def test_places_count_characters() -> None:
    """A column is counted in characters, also after Hangul, and from 1."""
    trace = read('값 = "한국어"; f(값)\n')
    assert call(trace, "").place == Place("train.py", 1, 12, None, 1)
    assert str(call(trace, "").place) == "train.py:1:12"


def test_place_spans_lines() -> None:
    """A call over several lines knows where it ends."""
    place = call(read("f(\n  1,\n)\n"), "").place
    assert (place.line, place.end) == (1, 3)


def test_crlf_and_form_feed() -> None:
    """Windows line ends and form feeds do not move lines."""
    trace = read_source("a = 1\r\n\x0c\r\nb = g()\r\n")
    assert call(trace, "").place.line == 3


@pytest.mark.parametrize(
    ("code", "name", "bound"),
    [
        ("import torch", "torch", "torch"),
        ("import torch.nn.functional as F", "torch.nn.functional", "F"),
        ("import os.path", "os.path", "os"),
        ("from transformers import AutoModel as M", "transformers.AutoModel", "M"),
        ("from transformers import *", "transformers", "*"),
        ("from . import data", ".data", "data"),
        ("from ..a.b import c", "..a.b.c", "c"),
    ],
)
def test_imports(code: str, name: str, bound: str) -> None:
    """An import is an event with its dotted name and the name it binds."""
    found = [event for event in read(code).events if isinstance(event, Imported)]
    assert [(one.name, one.bound, one.guarded) for one in found] == [(name, bound, False)]


@pytest.mark.parametrize(
    "caught", ["except ImportError", "except (ModuleNotFoundError, OSError)", "except", "except Exception"]
)
def test_guarded_import(caught: str) -> None:
    """An import in a `try` that catches its failure says so; what is imported after it does not."""
    trace = read(f"try:\n    import apex\n{caught}:\n    apex = None\nimport torch\n")
    assert [one.guarded for one in trace.events if isinstance(one, Imported)] == [True, False]


def test_unguarded_import() -> None:
    """A `try` that catches something else guards no import."""
    trace = read("try:\n    import apex\nexcept KeyError:\n    pass\n")
    assert [one.guarded for one in trace.events if isinstance(one, Imported)] == [False]


def test_suppressed_import() -> None:
    """`contextlib.suppress(ImportError)` guards too."""
    trace = read("import contextlib\nwith contextlib.suppress(ImportError):\n    import apex\n")
    assert [one.guarded for one in trace.events if isinstance(one, Imported)] == [False, True]


def test_imports_for_types() -> None:
    """What only types need is no import, but annotations know its names."""
    trace = read(
        """
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            from transformers import PreTrainedModel
        def train(model: "PreTrainedModel"):
            model.save_pretrained("x")
        """
    )
    assert [one.name for one in trace.events if isinstance(one, Imported)] == ["typing.TYPE_CHECKING"]
    receiver = call(trace, ".save_pretrained").receiver
    assert receiver == Unknown("a parameter of train()", "model", "transformers.PreTrainedModel")


def test_star_import_names() -> None:
    """A name that nothing else defines is of the only star import."""
    trace = read("from fastai.text.all import *\nlearn = language_model_learner(1)\n")
    assert call(trace, "fastai.text.all.language_model_learner").target == ("learn",)


def test_undefined_name() -> None:
    """A name that nothing defines is unknown, and has its name."""
    assert became(read("x = nowhere"), "x") == Unknown("a name that is not defined here", "nowhere")


def test_targets() -> None:
    """A call knows the names that its result is assigned to, as written."""
    trace = read("a = b = f()\nself.model = g()\nx, y = h()\nz: int = k()\nwith open('f') as handle:\n    pass\n")
    assert [one.target for one in trace.calls()] == [("a", "b"), ("self.model",), ("x, y",), ("z",), ("handle",)]


def test_calls_of_values() -> None:
    """A method has its name and receiver; a called value is the receiver of a call without a name."""
    trace = read("import torch\nmodel = torch.load('x')\nmodel(1).loss.backward()\n")
    forward = call(trace, "")
    assert forward.receiver == Made(call(trace, "torch.load"))
    assert call(trace, ".backward").receiver == Part(Made(forward), "loss")


def test_attributes_of_external_objects() -> None:
    """An attribute that is set is an event, and read back it is what was set."""
    trace = read(
        """
        from transformers import AutoTokenizer
        tokenizer = AutoTokenizer.from_pretrained("gpt2")
        tokenizer.pad_token = tokenizer.eos_token
        f(tokenizer.pad_token)
        setattr(tokenizer, "padding_side", "left")
        f(tokenizer.padding_side)
        """
    )
    tokenizer = became(trace, "tokenizer")
    changes = [event for event in trace.events if isinstance(event, SetAttribute)]
    assert [(one.of, one.name) for one in changes] == [(tokenizer, "pad_token"), (tokenizer, "padding_side")]
    asked = [one.arguments[0] for one in trace.calls("") if one.arguments]
    assert asked == [Part(tokenizer, "eos_token"), Constant("left")]


def test_settings_of_libraries() -> None:
    """Settings of a library are attributes of an External."""
    trace = read("import torch\ntorch.backends.cudnn.deterministic = True\n")
    (change,) = [event for event in trace.events if isinstance(event, SetAttribute)]
    assert (change.of, change.name, plain(change.value)) == (External("torch.backends.cudnn"), "deterministic", True)


def test_items() -> None:
    """Items that are set and deleted are events; read back they are what was set."""
    trace = read("import os\nos.environ['WANDB'] = 'off'\nf(os.environ['WANDB'])\nb = g()\ndel b['x']\n")
    events = [event for event in trace.events if isinstance(event, SetItem)]
    assert [(plain(one.index), plain(one.value)) for one in events] == [("WANDB", "off"), ("x", None)]
    assert plain(next(one for one in trace.calls("") if one.arguments).arguments[0]) == "off"


def test_augmented_attribute() -> None:
    """`x.a += 1` is a change of the attribute."""
    trace = read("c = f()\nc.a = 1\nc.a += 2\n")
    assert [plain(one.value) for one in trace.events if isinstance(one, SetAttribute)] == [1, 3]


def test_returned_and_assigned() -> None:
    """`return` and assignments are events."""
    trace = read("def f():\n    y = 3\n    return y\nx = f()\n")
    kinds = [(type(one), plain(one.value)) for one in trace.events if isinstance(one, Assigned | Returned)]
    assert kinds == [(Assigned, 3), (Returned, 3), (Assigned, 3)]


def test_entry_of_what_nothing_calls() -> None:
    """A function that nothing calls is walked at the end, its parameters unknown with name and annotation."""
    trace = read(
        """
        import torch
        from typing import Optional
        def train(model: torch.nn.Module, loader, config: Optional[torch.device] = None):
            model.train()
        print("x")
        """
    )
    event = call(trace, ".train")
    assert event.entry is not None
    assert event.entry.name == "train"
    assert event.receiver == Unknown("a parameter of train()", "model", "torch.nn.Module")
    assert event.order > call(trace, "builtins.print").order
