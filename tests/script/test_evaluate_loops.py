"""Loops: the body once, what is not constant in it, early exits; names that may be None."""

from pretune.script.trace import Call, SetAttribute
from pretune.script.values import Constant, Instance, Made, OneOf, Operation, Part, Sequence, Unknown
from read_code import became, call, conditions, options, plain, read, result

LOOP = """
import torch
global_step = 0
best = None
losses = []
for epoch in range(3):
    for step, batch in enumerate(loader):
        loss = model(**batch).loss / 4
        losses.append(loss)
        if (step + 1) % 4 == 0:
            optimizer.step()
            global_step += 1
    if best is None or loss < best:
        best = loss
x = [global_step, best, losses]
"""


def test_training_loop() -> None:
    """The body of a loop is walked once; counters are not constant in it, nor after it."""
    trace = read(LOOP)
    step = call(trace, ".step")
    assert [loop.targets for loop in step.loops] == [("epoch",), ("step", "batch")]
    (condition,) = step.conditions
    assert isinstance(condition.test, Operation)
    counted = became(trace, "global_step")
    assert counted == Operation("+", (Unknown("it changes in the loop", "global_step"), Constant(1)))
    values = became(trace, "x")
    assert isinstance(values, Sequence)
    assert isinstance(values.items[0], OneOf)
    assert isinstance(values.items[1], OneOf)
    assert isinstance(values.items[2], Sequence)
    assert values.items[2].open


def test_item_of_a_loop() -> None:
    """The variable of a loop is an item of what it runs over."""
    trace = read("for i, batch in enumerate(loader):\n    f(batch['ids'])")
    (over,) = trace.calls("builtins.enumerate")
    assert next(iter(trace.calls(""))).arguments == (
        Part(Part(Operation("iterate", (Made(over),)), index=Constant(1)), index=Constant("ids")),
    )


def test_loop_over_constants() -> None:
    """Over a few constants a loop's variable is one of them."""
    trace = read("for name in ['train', 'dev']:\n    f(name)\nfor k, v in {'a': 1, 'b': 2}.items():\n    f(v)")
    assert [options(one.arguments[0]) for one in trace.calls("") if one.arguments] == [{"train", "dev"}, {1, 2}]


def test_objects_stay_in_loops() -> None:
    """A model that a loop rebinds is still that model, or another."""
    trace = read("import m\nmodel = m.load()\nfor i in g():\n    model.eval()\n    model = m.wrap(model)\nmodel.save()")
    inside, after = call(trace, ".eval").receiver, call(trace, ".save").receiver
    loaded = Made(call(trace, "m.load"))
    assert isinstance(inside, OneOf)
    assert loaded in inside.values
    assert isinstance(after, OneOf)
    assert set(after.values) == {loaded, Made(call(trace, "m.wrap"))}


def test_fields_in_loops() -> None:
    """A counter that is a field is not constant in a loop either."""
    trace = read(
        "class T:\n    def __init__(self):\n        self.n = 0\n    def run(self):\n        for i in g():\n            self.n += 1\nt = T()\nt.run()\nx = t.n"
    )
    value = became(trace, "x")
    assert isinstance(value, OneOf)
    assert Constant(1) not in value.values


def test_counter_of_a_called_function() -> None:
    """A global that a function called in the loop changes is joined after it."""
    trace = read("n = 0\ndef f():\n    global n\n    n = 3\nfor i in g():\n    f()\nx = n")
    assert options(became(trace, "x")) == {0, 3}


def test_break_and_continue() -> None:
    """What follows `continue` stands where its test is false; what was set before `break` may be so after the loop."""
    trace = read(
        "import m\nx = 0\nfor i in g():\n    if a(i):\n        continue\n    if b(i):\n        x = 1\n        break\n    m.f()\ny = x\nm.h()"
    )
    assert conditions(trace, "m.f") == [False, False]
    assert conditions(trace, "m.h") == []
    value = became(trace, "y")
    assert isinstance(value, OneOf)
    assert Constant(1) in value.values


def test_while_true() -> None:
    """A loop that only `break` leaves has surely run."""
    assert result("while True:\n    x = 1\n    if t():\n        break\n") == 1


def test_while() -> None:
    """A `while` is a loop over nothing, and its test a condition within."""
    trace = read("import m\nn = 0\nwhile n < 10:\n    m.f()\n    n += 1")
    inner = call(trace, "m.f")
    assert inner.loops[0].over is None
    assert [one.taken for one in inner.conditions] == [True]


def test_return_within_a_loop() -> None:
    """A `return` within a loop leaves open whether what follows is run."""
    trace = read("import m\ndef f():\n    for i in g():\n        return 1\n    m.f()\n    return 2\nx = f()")
    assert len(call(trace, "m.f").conditions) == 1
    assert options(became(trace, "x")) == {1, 2}


def test_made_is_never_none() -> None:
    """What a constructor or from_pretrained gives is not None."""
    trace = read("import t\nm = t.AutoModel.from_pretrained('a')\nif m is None:\n    x = 1\nelse:\n    x = 2\ny = x")
    assert plain(became(trace, "y")) == 2


def test_narrowed() -> None:
    """After `if x is None: x = ...` the other side is what it was when it was not None."""
    trace = read("import t\nm = None\nif a():\n    m = t.load()\nif m is None:\n    m = t.make()\nm.eval()")
    receiver = call(trace, ".eval").receiver
    assert isinstance(receiver, OneOf)
    assert set(receiver.values) == {Made(call(trace, "t.load")), Made(call(trace, "t.make"))}


def test_none_cannot_be_used() -> None:
    """Of a value that may be None the other one is used."""
    trace = read("import t\nm = None\nif a():\n    m = t.load()\nm.eval()")
    assert call(trace, ".eval").receiver == Made(call(trace, "t.load"))


def test_finally_is_not_conditional() -> None:
    """`finally` is walked once, without condition."""
    trace = read("import m\ntry:\n    m.f()\nexcept E:\n    m.g()\nfinally:\n    m.h()")
    assert conditions(trace, "m.h") == []


def test_events_have_an_order() -> None:
    """The order of events is that of the walk."""
    orders = [event.order for event in read(LOOP).events]
    assert orders == sorted(orders)


def test_attributes_set_in_a_branch() -> None:
    """An event of setting an attribute knows its conditions."""
    trace = read("c = f()\nif t():\n    c.a = 1")
    (change,) = [event for event in trace.events if isinstance(event, SetAttribute)]
    assert [one.taken for one in change.conditions] == [True]


def test_instances_are_told_apart() -> None:
    """Objects made on two sides are two."""
    value = became(read("class C: pass\nif t():\n    c = C()\nelse:\n    c = C()\nx = c"), "x")
    assert isinstance(value, OneOf)
    assert all(isinstance(one, Instance) for one in value.values)


def test_nothing_is_an_event_twice() -> None:
    """A test is asked once."""
    trace = read("if f():\n    pass\nx = [1]\nx[0]['a'] = g()\nwhile h():\n    x.append(1)")
    assert [one.place.line for one in trace.events if isinstance(one, Call) and not one.function_name] == [1, 4, 5]
