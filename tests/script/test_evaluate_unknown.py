"""What is not known: the form it keeps, arguments that may be there, namespaces."""

import math

from pretune.script.values import Constant, External, Made, Operation, Part, Sequence, Slice, Table, Unknown
from read_code import argument, became, call, plain, read, result


def test_forms_of_what_is_not_known() -> None:
    """What is computed from something unknown keeps its form."""
    trace = read("out = model(1)\nx = out[0][:, 0]\ny = f'{out}-a'\nz = out / 2\nw = not out\nv = out.a if out else 3")
    out = Made(next(iter(trace.calls(""))))
    assert became(trace, "x") == Part(Part(out, index=Constant(0)), index=Sequence((Slice(), Constant(0)), "tuple"))
    assert became(trace, "y") == Operation("f", (out, Constant("-a")))
    assert became(trace, "z") == Operation("/", (out, Constant(2)))
    assert became(trace, "w") == Operation("not", (out,))
    assert became(trace, "v") == Operation("if", (out, Part(out, "a"), Constant(3)))


def test_made_are_equal_to_themselves_only() -> None:
    """Two calls that look alike make two things."""
    trace = read("a = f()\nb = f()\nc = a")
    assert became(trace, "a") != became(trace, "b")
    assert became(trace, "a") == became(trace, "c")


def test_environment_is_not_known() -> None:
    """What the environment says is not known, whatever the default."""
    assert isinstance(became(read("import os\nx = os.environ.get('MODEL', 'bert')"), "x"), Made)


def test_unknown_key_of_a_small_dict() -> None:
    """An item of a small dict by a key that is not known is one of its values."""
    value = became(read("x = {'a': 1, 'b': 2}[key]"), "x")
    assert {plain(one) for one in getattr(value, "values", ())} == {1, 2}


def test_namespaces() -> None:
    """Attributes of a SimpleNamespace or EasyDict are what they are made with, until they are set."""
    code = "from types import SimpleNamespace as N\nx = N(lr=1, **{'b': 2})\nx.lr = 3\nf(x.lr, x.b)"
    assert [plain(one) for one in list(read(code).calls(""))[-1].arguments] == [3, 2]
    assert argument("from easydict import EasyDict\nx = EasyDict({'a': 1})\nf(x.a + x['a'])", "f") == 2


def test_attributes_by_name() -> None:
    """Getattr with a constant name is the attribute."""
    assert result("import torch\nx = getattr(torch.optim, 'AdamW')") == External("torch.optim.AdamW")
    assert result("class C:\n    a = 3\nx = getattr(C(), 'b', 5) + getattr(C(), 'a')") == 8


def test_known_results_are_told() -> None:
    """A call whose result is known is an event all the same, and says what it gives."""
    event = call(read("x = len([1, 2])"), "builtins.len")
    assert event.known == Constant(2)


def test_spread_arguments() -> None:
    """`*x` and `**x` are the arguments that are known of them; else the call is open."""
    known = list(read("a = [1]; k = {'b': 2}\nf(0, *a, **k)").calls(""))[-1]
    assert ([plain(one) for one in known.arguments], {k: plain(v) for k, v in known.keywords.items()}) == (
        [0, 1],
        {"b": 2},
    )
    assert not known.open
    assert list(read("f(*a)").calls(""))[-1].open
    assert list(read("f(**a)").calls(""))[-1].open


def test_kwargs_built_then_spread() -> None:
    """Keyword arguments that are collected in a dict arrive in the call."""
    trace = read(
        """
        from transformers import TrainingArguments
        kwargs = dict(output_dir="out")
        kwargs["learning_rate"] = 3e-5
        if torch.cuda.is_available():
            kwargs["fp16"] = True
        TrainingArguments(**kwargs)
        """
    )
    made = call(trace, "transformers.TrainingArguments")
    assert {key: plain(value) for key, value in made.keywords.items()} == {"output_dir": "out", "learning_rate": 3e-5}
    assert made.open


def test_long_literals() -> None:
    """A list of many thousand items is kept in part, and says so."""
    value = became(read(f"x = {list(range(5000))}"), "x")
    assert isinstance(value, Sequence)
    assert value.open


def test_odd_floats() -> None:
    """Infinity and NaN are constants like others."""
    value = result("x = float('nan')")
    assert isinstance(value, float)
    assert math.isnan(value)
    assert result("x = float('inf')") == math.inf


def test_deleted_name() -> None:
    """A name that was deleted is not known any more."""
    assert isinstance(became(read("y = 1\ndel y\nx = y"), "x"), Unknown)


def test_table_of_unknown_keys() -> None:
    """A dict with a key that is not known is open about that key only."""
    value = became(read("x = {key: 1, 'a': 2}"), "x")
    assert isinstance(value, Table)
    assert value.get("a") == Constant(2)
