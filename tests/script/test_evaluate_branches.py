"""Branches and loops: decided tests, conditions, joined values, early exits, what is not constant in a loop."""

import pytest

from pretune.script.values import Made, OneOf, Part, Table, Unknown
from read_code import became, call, conditions, options, read, result


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("if True:\n    x = 1\nelse:\n    x = 2", 1),
        (
            "MODE = 'train'\nif MODE == 'test':\n    x = 1\nelif MODE in ('train', 'dev'):\n    x = 2\nelse:\n    x = 3",
            2,
        ),
        ("n = None\nif n is None:\n    n = 3\nx = n", 3),
        ("x = 0\nif not []:\n    x = 1", 1),
        ("x = 1\nwhile False:\n    x = 2", 1),
        ("x = 1\nfor i in []:\n    x = 2\nelse:\n    x = 3", 3),
        ("match 'a':\n    case 'b':\n        x = 1\n    case 'a' | 'c':\n        x = 2\n    case _:\n        x = 3", 2),
        ("match 3:\n    case n:\n        x = n", 3),
        ("if __name__ == '__main__':\n    x = 3", 3),
        ("x = 1\nif 0:\n    x = 2\n    raise E\n", 1),
        ("try:\n    x = 1\nfinally:\n    x = 2", 2),
        ("with f():\n    x = 3", 3),
        ("for i in (1,):\n    x = i", 1),
    ],
)
def test_decided(code: str, value: object) -> None:
    """A test that can be told decides, and is no condition."""
    assert result(code) == value


def test_side_that_is_not_taken() -> None:
    """What stands where a run never comes is no event."""
    assert [one.receiver for one in read("if False:\n    f()\nif 1:\n    pass\nelse:\n    g()").calls("")] == []


def test_undecided() -> None:
    """Both sides of an undecided branch are walked, with conditions, and joined after it."""
    trace = read("import a\nimport b\nif t():\n    x = 1\n    a.f()\nelse:\n    x = 2\n    b.f()\na.g()\ny = x")
    assert conditions(trace, "a.f") == [True]
    assert conditions(trace, "b.f") == [False]
    assert call(trace, "a.f").conditions[0].test == Made(call(trace, ""))
    assert conditions(trace, "a.g") == []
    assert options(became(trace, "y")) == {1, 2}


def test_elif_chain() -> None:
    """Each side of a chain stands under the tests before it."""
    trace = read("import m\nif a():\n    m.f()\nelif b():\n    m.g()\nelse:\n    m.h()")
    assert [conditions(trace, f"m.{name}") for name in "fgh"] == [[True], [False, True], [False, False]]


def test_name_of_one_side_only() -> None:
    """A name that only one side binds is that one's afterwards."""
    assert result("if t():\n    x = 1") == 1


def test_attribute_of_one_side_only() -> None:
    """An attribute that one side sets may be what it was before."""
    trace = read("t = load()\nif t.pad_token is None:\n    t.pad_token = t.eos_token\nx = t.pad_token")
    t = became(trace, "t")
    value = became(trace, "x")
    assert isinstance(value, OneOf)
    assert set(value.values) == {Part(t, "pad_token"), Part(t, "eos_token")}


def test_tests_within_both_sides() -> None:
    """Changes of nested branches are all joined."""
    trace = read("x = 0\nif a():\n    if b():\n        x = 1\n    else:\n        x = 2\ny = x")
    assert options(became(trace, "y")) == {0, 1, 2}


def test_many_alternatives() -> None:
    """More values than anybody would follow are unknown."""
    code = "x = 0\n" + "".join(f"if t():\n    x = {n}\n" for n in range(1, 9)) + "y = x"
    assert became(read(code), "y") == Unknown("one of many values")


def test_containers_of_both_sides() -> None:
    """A dict that one side changes is one of two."""
    value = became(read("d = {'a': 1}\nif t():\n    d['b'] = 2\nx = d"), "x")
    assert isinstance(value, OneOf)
    assert {len(one.items) for one in value.values if isinstance(one, Table)} == {1, 2}


def test_field_of_both_sides() -> None:
    """A field of an object that one side sets is one of two."""
    trace = read("class C:\n    n = 0\nc = C()\nc.n = 1\nif t():\n    c.n = 2\nx = c.n")
    assert options(became(trace, "x")) == {1, 2}


def test_raise_is_no_condition() -> None:
    """A guard that ends the run is no condition of what follows it."""
    trace = read(
        "import m\nif bad():\n    raise ValueError('x')\nm.f()\nif worse():\n    import sys\n    sys.exit(1)\nm.g()\n"
    )
    assert conditions(trace, "m.f") == []
    assert conditions(trace, "m.g") == []


def test_raise_within_try_is_a_condition() -> None:
    """What follows a `raise` that something here catches depends on its test, to the end of the `try`."""
    trace = read("import m\ntry:\n    if bad():\n        raise E\n    m.f()\nexcept E:\n    m.g()\nm.h()")
    assert conditions(trace, "m.f") == [False]
    assert conditions(trace, "m.g") == [True]
    assert conditions(trace, "m.h") == []


def test_values_of_the_side_that_ends() -> None:
    """What the side that ends the run had changed is not seen after it."""
    assert result("x = 1\nif t():\n    x = 2\n    raise E\n") == 1


def test_after_the_end() -> None:
    """What follows `sys.exit()`, `raise` or `return` is not walked."""
    trace = read("import sys, m\ndef f():\n    return 1\n    m.f()\nf()\nsys.exit()\nm.g()")
    assert [one.function_name for one in trace.calls()] == ["sys.exit"]


def test_condition_of_both_ends() -> None:
    """Where both sides return, nothing follows."""
    trace = read("import m\ndef f():\n    if t():\n        return 1\n    else:\n        return 2\n    m.f()\nx = f()")
    assert list(trace.calls("m.f")) == []
    assert options(became(trace, "x")) == {1, 2}


def test_try() -> None:
    """A handler stands under a condition, and what it leaves behind is joined with the body's."""
    trace = read(
        "import m\nx = 0\ntry:\n    x = 1\n    m.f()\nexcept ValueError as e:\n    m.g(x, e)\n    x = 2\nelse:\n    m.h()\ny = x"
    )
    assert [conditions(trace, f"m.{name}") for name in "fgh"] == [[], [True], []]
    given = call(trace, "m.g")
    assert given.conditions[0].test == Unknown("an exception")
    assert options(given.arguments[0]) == {0, 1}
    assert given.arguments[1] == Unknown("an exception", "e")
    assert options(became(trace, "y")) == {1, 2}


def test_fallback_import() -> None:
    """A name that a failing import leaves as None is one of two, and calls what can be called."""
    trace = read(
        "try:\n    from peft import get_peft_model\nexcept ImportError:\n    get_peft_model = None\nx = get_peft_model(m)"
    )
    assert call(trace, "peft.get_peft_model").conditions == ()


def test_handler_that_ends() -> None:
    """A handler that raises leaves nothing behind."""
    assert result("x = 0\ntry:\n    x = f()\n    x = 1\nexcept E:\n    x = 2\n    raise") == 1


def test_with() -> None:
    """What stands in `with` knows its contexts, outermost first, through calls."""
    trace = read(
        "import torch\ndef f():\n    model(1)\nwith torch.no_grad(), torch.autocast('cuda') as a:\n    with open('x') as handle:\n        f()\nf()"
    )
    inner, outer = (one for one in trace.calls("") if one.arguments)
    assert [one.call.function_name for one in inner.contexts if isinstance(one, Made)] == [
        "torch.no_grad",
        "torch.autocast",
        "builtins.open",
    ]
    assert outer.contexts == ()
    assert became(trace, "handle") == inner.contexts[2]


def test_async() -> None:
    """`async` forms are walked like the others."""
    trace = read(
        "import m\nasync def f():\n    async with m.a() as s:\n        async for i in s:\n            await m.b(i)\nm.run(f())"
    )
    inner = call(trace, "m.b")
    assert (len(inner.loops), len(inner.contexts)) == (1, 1)


def test_match() -> None:
    """Cases that cannot be told are sides of a branch."""
    trace = read(
        "import m\nmatch t():\n    case 1:\n        m.f()\n        x = 1\n    case [a, *b]:\n        m.g(a)\n        x = 2\n    case _:\n        m.h()\n        x = 3\ny = x"
    )
    assert [conditions(trace, f"m.{name}") for name in "fgh"] == [[True], [False, True], [False, False]]
    assert options(became(trace, "y")) == {1, 2, 3}


def test_short_circuit() -> None:
    """What `and` and `or` may skip stands under a condition."""
    trace = read("import m\na() and m.f()\nb() or m.g()\nm.h() if c() else m.i()")
    assert [conditions(trace, f"m.{name}") for name in "fghi"] == [[True], [False], [True], [False]]
