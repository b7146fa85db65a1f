"""Functions of the project: arguments and parameters, closures, decorators, generators, what is handed to libraries."""

import pytest

from pretune.script.values import Constant, External, Function, Made, Operation, Sequence, Table, Unknown
from read_code import became, call, options, plain, read, result


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("def f(a, b=2, *c, d=4, **e):\n    return a, b, c, d, e\nx = f(1)", (1, 2, (), 4, {})),
        (
            "def f(a, b=2, *c, d=4, **e):\n    return a, b, c, d, e\nx = f(1, 3, 5, 6, d=7, z=8)",
            (1, 3, (5, 6), 7, {"z": 8}),
        ),
        ("def f(a, /, b, *, c):\n    return a, b, c\nx = f(1, b=2, c=3)", (1, 2, 3)),
        ("def f(a, b):\n    return a - b\nk = {'b': 1}\nx = f(*[3], **k)", 2),
        ("def f():\n    pass\nx = f()", None),
        ("def f(n):\n    if n > 1:\n        return 'a'\n    return 'b'\nx = f(2) + f(0)", "ab"),
        ("def g(n):\n    def h(m):\n        return n + m\n    return h\nx = g(1)(2)", 3),
        ("def f():\n    global n\n    n = 3\nn = 1\nf()\nx = n", 3),
        ("def f():\n    n = 1\n    def g():\n        nonlocal n\n        n = 3\n    g()\n    return n\nx = f()", 3),
        ("from functools import partial\ndef f(a, b, c=0):\n    return a, b, c\nx = partial(f, 1, c=3)(2)", (1, 2, 3)),
        ("def f(n):\n    return f(n - 1) if n else 3\nx = 3", 3),
        ("async def f():\n    return 3\nasync def g():\n    return await f()\nx = await g()", 3),
        ("x = (lambda a, *b: (a, b))(1, 2)", (1, (2,))),
        ("def f(a=[]):\n    a.append(1)\n    return a\nf()\nx = f()", [1, 1]),
        ("def f():\n    return later\nlater = 3\nx = f()", 3),
    ],
)
def test_calls(code: str, value: object) -> None:
    """A function of the project is walked with its arguments, and gives what it returns."""
    assert result(code) == value


def test_several_returns() -> None:
    """A function that only a run would decide about gives one of its values."""
    trace = read("def f(a):\n    if a:\n        return 1\n    return 2\nx = f(g())")
    assert options(became(trace, "x")) == {1, 2}


def test_early_return() -> None:
    """What follows an early return stands where its test is false, to the end of the function and no further."""
    trace = read(
        """
        def f(a):
            if a:
                return
            inside()
            if b:
                nested()
        f(g())
        outside()
        """
    )
    found = {
        one.receiver.name: [c.taken for c in one.conditions]
        for one in trace.calls("")
        if isinstance(one.receiver, Unknown)
    }
    assert found == {"g": [], "inside": [False], "nested": [False, True], "outside": []}


def test_nested_early_return() -> None:
    """An early return within two branches conditions what follows by both."""
    trace = read("def f():\n    if a:\n        if b:\n            return\n        one()\n    two()\nf()")
    found = {one.receiver.name: one.conditions for one in trace.calls("") if isinstance(one.receiver, Unknown)}
    assert [one.taken for one in found["one"]] == [True, False]
    (condition,) = found["two"]
    assert not condition.taken
    assert isinstance(condition.test, Operation)
    assert condition.test.operator == "and"


def test_changes_before_an_early_return_are_kept() -> None:
    """What a function changed before it returned early may be so afterwards."""
    trace = read(
        "class C:\n    pass\ndef f(c):\n    if a:\n        c.n = 1\n        return\n    c.n = 2\nc = C()\nc.n = 0\nf(c)\nx = c.n"
    )
    assert options(became(trace, "x")) == {1, 2}


def test_recursion() -> None:
    """A function that calls itself ends as unknown."""
    trace = read("def f(n):\n    return f(n - 1) if g() else 3\nx = f(5)")
    value = became(trace, "x")
    assert isinstance(value, Operation)
    assert value.operands[1] == Unknown("a recursive call of f()")


def test_unknown_argument_keeps_its_value() -> None:
    """An argument arrives in the function as what it is."""
    trace = read(
        "from transformers import AutoModel\ndef f(m):\n    m.eval()\nmodel = AutoModel.from_pretrained('a')\nf(model)"
    )
    assert call(trace, ".eval").receiver == became(trace, "model")


def test_missing_argument() -> None:
    """A parameter that an open call may give is not its default."""
    trace = read("def f(a, b=2):\n    return b\nx = f(*y)")
    assert became(trace, "x") == Unknown("a parameter of f()", "b")


def test_contexts_of_decorators() -> None:
    """A decorator of a library is a context of what the function does."""
    trace = read(
        "import torch\n@torch.no_grad()\ndef f():\n    model(1)\n@torch.inference_mode\ndef g():\n    model(2)\nf()\ng()"
    )
    first, second = (one for one in trace.calls("") if one.arguments)
    assert [type(one) for one in first.contexts] == [Made]
    assert first.contexts[0] == Made(call(trace, "torch.no_grad"))
    assert second.contexts == (External("torch.inference_mode"),)


def test_decorator_of_the_project() -> None:
    """A decorator of the project is walked, and the function within it."""
    trace = read(
        """
        import functools
        def logged(function):
            @functools.wraps(function)
            def wrapper(*args, **kwargs):
                print("start")
                return function(*args, **kwargs)
            return wrapper
        @logged
        def f(a):
            return a + 1
        x = f(2)
        """
    )
    assert plain(became(trace, "x")) == 3
    assert call(trace, "builtins.print").order < trace.events[-1].order


def test_generator() -> None:
    """A generator gives a list of what it yields, with more that is not known."""
    trace = read("def f():\n    for i in g():\n        yield i, 1\nfor a, b in f():\n    h(b)")
    assert plain([one for one in trace.calls("") if one.arguments][-1].arguments[0]) == 1


@pytest.mark.parametrize(
    "code",
    [
        "dataset.map(f, batched=True)",
        "Trainer(compute_metrics=f)",
        "DataLoader(x, collate_fn=f)",
        "from functools import partial\ndataset.map(partial(f))",
        "x = {'a': [f]}\nrun(x)",
        "import torch\nclass T(torch.optim.Adam):\n    pass\nT(closure=f)",
    ],
)
def test_handed_over(code: str) -> None:
    """A function that a library is given is walked there, once."""
    trace = read(f"def f(rows):\n    tokenizer(rows)\n{code}\n{code}")
    inner = [one for one in trace.calls("") if isinstance(one.receiver, Unknown) and one.receiver.name == "tokenizer"]
    assert len(inner) == 1
    assert inner[0].entry is None


def test_handed_over_with_arguments() -> None:
    """Arguments that a library passes on arrive."""
    trace = read(
        "from accelerate import notebook_launcher\ndef main(name):\n    f(name)\nnotebook_launcher(main, args=('a',), num_processes=2)"
    )
    assert plain([one for one in trace.calls("") if one.arguments][-1].arguments[0]) == "a"
    trace = read("def tok(rows, length=3):\n    f(length)\nds.map(tok, fn_kwargs={'length': 5})")
    assert plain([one for one in trace.calls("") if one.arguments][-1].arguments[0]) == 5


def test_given_defaults() -> None:
    """A parameter that the library does not give keeps its default."""
    trace = read("def tok(rows, length=3):\n    f(length)\nds.map(tok)")
    assert plain([one for one in trace.calls("") if one.arguments][-1].arguments[0]) == 3


def test_spawned() -> None:
    """A spawned function gets its rank first."""
    trace = read(
        "import torch.multiprocessing as mp\ndef work(rank, name):\n    f(name)\nmp.spawn(work, args=('a',), nprocs=2)"
    )
    assert plain([one for one in trace.calls("") if one.arguments][-1].arguments[0]) == "a"


def test_functions_of_the_trace() -> None:
    """The trace lists the functions of the project, nested ones by qualified name."""
    trace = read("def f():\n    def g(): pass\n    g()\nclass C:\n    def m(self, a): pass\nf()")
    assert set(trace.functions) == {"f", "f.g", "C.m"}
    assert trace.functions["C.m"].parameters == ("self", "a")


def test_argument_that_may_be_several_dicts() -> None:
    """Of several dicts that may be spread, what all have is given, and the call is open."""
    trace = read("k = {'a': 1, 'b': 2} if c() else {'a': 3}\nf(**k)")
    last = list(trace.calls(""))[-1]
    assert options(last.keywords["a"]) == {1, 3}
    assert last.open


def test_called_alternatives() -> None:
    """Of several functions that may be meant each is called, under a condition."""
    trace = read("from torch.optim import SGD, Adam\no = Adam if c() else SGD\nx = o(1)")
    assert [one.function_name for one in trace.calls("Adam", "SGD")] == ["torch.optim.Adam", "torch.optim.SGD"]
    assert all(one.conditions for one in trace.calls("Adam", "SGD"))


def test_default_values_are_worked_out_where_they_stand() -> None:
    """A default is what it was at the definition."""
    assert result("n = 1\ndef f(a=n):\n    return a\nn = 2\nx = f()") == 1


def test_unpacked_result() -> None:
    """Parts of a result that is not known are its items."""
    trace = read("a, *b, c = f()")
    made = Made(call(trace, ""))
    assert became(trace, "a").of == made  # type: ignore[union-attr]
    assert became(trace, "a").index == Constant(0)  # type: ignore[union-attr]
    assert became(trace, "c").index == Constant(-1)  # type: ignore[union-attr]
    assert isinstance(became(trace, "b"), Sequence)


def test_function_value() -> None:
    """A function is a value with a name and parameters."""
    value = became(read("def f(a, *, b=1): pass\nx = f"), "x")
    assert isinstance(value, Function)
    assert (value.name, value.parameters) == ("f", ("a", "b"))


def test_locals_do_not_leak() -> None:
    """Names of a function are not known outside."""
    assert isinstance(became(read("def f():\n    n = 1\nf()\nx = n"), "x"), Unknown)


def test_rest_parameters_are_open_when_unknown() -> None:
    """`**kwargs` of a function that nothing calls is an open dict."""
    trace = read("def f(**kwargs):\n    g(kwargs)")
    assert [one.arguments[0] for one in trace.calls("") if one.arguments] == [Table()]
