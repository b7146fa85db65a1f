"""No script makes the walk crash, hang or grow without bound."""

import ast
import random
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pretune.core.errors import UserError
from pretune.script import read as reading
from pretune.script.read import read_source
from pretune.script.values import Constant
from read_code import call, read

SOURCES = sorted(Path(reading.__file__).parent.glob("evaluate*.py"))

SMALL = st.sampled_from(
    "x y z f g self None True 0 1 -1 2.5 'a' '' b'c' ... [] {} () [1,2] {'a':1} (x,) x.a x[0] x[:,0] f(x) f(*x) f(**x) g(x,a=y) "
    "x.append(y) x.update(y) x.pop() x['a'] x+y x*2 x@y x%y -x not~x x<y<z x==y xisNone xinyy xandy xory "
    "len(x) range(3) list(x) dict(x) zip(x,y) enumerate(x) getattr(x,'a') isinstance(x,f) super().f() lambda:x print(x) "
    "parser.parse_args() f'{x}{y!r:>3}' x:=y awaitx yieldx type(x) vars(x) str(x) int(x) x.format(y) ','.join(x) "
    "torch.no_grad() model.to(x) f()() x.a.b.c x[y][z] partial(f,x) SimpleNamespace(a=x)".split()
)
EXPRESSION = st.recursive(
    SMALL.map(
        lambda text: {
            "not~x": "(not ~x)", "xisNone": "(x is None)", "xinyy": "(x in y)", "xandy": "(x and y)", "xory": "(x or y)",
            "x:=y": "(x := y)", "awaitx": "x", "yieldx": "x", "lambda:x": "(lambda a=1, *b, **c: x)",
        }.get(text, f"({text})")
    ),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: f"({two[0]} + {two[1]})"),
        st.tuples(inner, inner).map(lambda two: f"{two[0]}[{two[1]}]"),
        st.tuples(inner, inner).map(lambda two: f"{two[0]}({two[1]})"),
        st.tuples(inner, inner, inner).map(lambda three: f"({three[0]} if {three[1]} else {three[2]})"),
        st.tuples(inner, inner).map(lambda two: f"[{two[0]} for x in {two[1]} if x]"),
        st.tuples(inner, inner).map(lambda two: f"{{k: {two[0]} for k, v in {two[1]}}}"),
        inner.map(lambda one: f"{{**{one}, 'k': {one}}}"),
        inner.map(lambda one: f"[*{one}, 1]"),
        inner.map(lambda one: f"{one}.a"),
    ),
    max_leaves=5,
)  # fmt: skip
TARGET = st.sampled_from(["x", "y", "self.a", "x.a", "x[0]", "x['a']", "x, y", "x, *y", "(x, y), z", "[x]", "x[1:2]"])
SIMPLE = st.one_of(
    EXPRESSION,
    st.tuples(TARGET, EXPRESSION).map(lambda two: f"{two[0]} = {two[1]}"),
    st.tuples(st.sampled_from(["x", "x.a", "x[0]"]), st.sampled_from(["+", "|", "//", "@"]), EXPRESSION).map(
        lambda three: f"{three[0]} {three[1]}= {three[2]}"
    ),
    st.sampled_from(
        ["pass", "return", "return x", "raise", "raise f(x)", "break", "continue", "del x", "del x[0], y.a", "global x", "yield x",
         "nonlocal y", "import torch", "from transformers import *", "from . import x", "assert x, y", "x: int", "x: int = 1", "await x"]
    ),
)  # fmt: skip


def block(statement: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Compound statements around these."""
    body = st.lists(statement, min_size=1, max_size=3).map(lambda many: "\n".join(many).replace("\n", "\n    "))
    heads = [
        "if x", "while x", "while True", "for x in y", "for x, y in [(1, 2)]", "with f(x) as y", "def f(x, y=1, *z, **w)",
        "class C(f)", "@f\ndef g(self)", "@dataclass\nclass D", "async def g(x)", "match x:\n  case [a, *b] if a", "try",
    ]  # fmt: skip
    return st.tuples(st.sampled_from(heads), body, body).map(_whole)


def _whole(parts: tuple[str, str, str]) -> str:
    head, body, other = parts
    if head == "try":
        return f"try:\n    {body}\nexcept f as e:\n    {other}\nelse:\n    {body}\nfinally:\n    {other}"
    if head.startswith("match"):
        return f"match x:\n  case [a, *b] if a:\n    {body}\n  case {{'a': 1, **c}} | 3:\n    {other}"
    tail = f"\nelse:\n    {other}" if head.split()[0] in ("if", "while", "for") else ""
    return f"{head}:\n    {body}{tail}"


PROGRAM = st.lists(st.recursive(SIMPLE, block, max_leaves=8), min_size=1, max_size=6).map("\n".join)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(PROGRAM)
def test_no_program_crashes(code: str) -> None:
    """Whatever parses is walked to its end."""
    try:
        ast.parse(code)
    except (SyntaxError, ValueError):
        return
    read_source(code)


def _walk(text: str, file: str) -> None:
    """Walks a text; a user's mistake must be one line."""
    message = ""
    try:
        read_source(text, file)
    except UserError as error:
        message = error.message
    assert "\n" not in message


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(SOURCES), st.integers(0, 2**32))
def test_no_changed_program_crashes(path: Path, seed: int) -> None:
    """A real file with lines left out and swapped is walked, or is one line that says why not."""
    chosen = random.Random(seed)
    lines = path.read_text(encoding="utf-8").split("\n")
    for _ in range(chosen.randrange(1, 12)):
        one, other = chosen.randrange(len(lines)), chosen.randrange(len(lines))
        if chosen.random() < 0.5:
            lines[one], lines[other] = lines[other], lines[one]
        else:
            del lines[one]
    _walk("\n".join(lines), "train.py")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_no_text_crashes(text: str) -> None:
    """Any text is walked, or is one line that says why not."""
    for file in ("train.py", "note.ipynb"):
        _walk(text, file)


HARD = {
    "calls that double": "def f0(x): return g(x)\n"
    + "\n".join(f"def f{n}(x): return f{n - 1}(f{n - 1}(x)) or f{n - 1}(x)" for n in range(1, 40))
    + "\nf39(1)",
    "a deep chain of calls": "def f0(x): return x\n"
    + "\n".join(f"def f{n}(x): return f{n - 1}(x)" for n in range(1, 400))
    + "\nf399(1)",
    "mutual recursion": "def f(x): return g(x) + g(x)\ndef g(x): return f(x) + h(x)\ndef h(x): return f(x) * g(x)\nf(1)",
    "nested attributes": "x = y" + ".a" * 800,
    "nested calls": "x = " + "f(" * 150 + ")" * 150,
    "a long sum": "x = " + " + ".join(["1"] * 900),
    "a long sum of unknowns": "x = " + " + ".join(["y"] * 900),
    "a long or": "x = " + " or ".join(["y"] * 5_000),
    "deep branches": "".join(f"{'  ' * n}if a{n}:\n" for n in range(90)) + "  " * 90 + "x = 1\n",
    "many branches": "x = 0\n" + "\n".join(f"if a{n}:\n    x = {n}\nelse:\n    y = x" for n in range(1500)),
    "branches that double": "def f(x):\n"
    + "\n".join(f"    if a{n}:\n        x = (x, {n})\n    else:\n        x = [x]" for n in range(60))
    + "\n    return x\ny = f(1)",
    "deep loops": "".join(f"{'  ' * n}for a{n} in b:\n" for n in range(19)) + "  " * 19 + "x = 1\n",
    "many appends": "x = []\n" + "x.append(1)\n" * 3000,
    "a large table": "x = {" + ", ".join(f"'k{n}': {n}" for n in range(20_000)) + "}",
    "many names": "\n".join(f"x{n} = f(x{n - 1})" for n in range(1, 5000)),
    "many early returns": "def f(x):\n"
    + "\n".join(f"    if x == {n}:\n        return {n}" for n in range(800))
    + "\ny = f(g())",
    "nested comprehensions": "x = " + "[" * 20 + "1" + "".join(f" for a{n} in y]" for n in range(20)),
    "comprehensions that multiply": "x = [1 " + " ".join(f"for a{n} in range(200)" for n in range(6)) + "]",
    "decorators": "def d(f):\n    def w(*a): return f(*a)\n    return w\n" + "@d\n" * 40 + "def g(x): return x\ng(1)",
    "inheritance": "class C0: pass\n"
    + "\n".join(f"class C{n}(C{n - 1}): pass" for n in range(1, 300))
    + "\nC299().f()",
    "nested functions": "".join(f"{'  ' * n}def f{n}():\n" for n in range(45)) + "  " * 45 + "return 1\n",
    "an instance in itself": "class C: pass\nc = C()\nc.c = c\nx = c.c.c.c\nd = {}\nd['d'] = d\nl = []\nl.append(l)\n"
    + "l.append(l)\n" * 200,
    "a class that makes itself": "class C:\n    def __init__(self):\n        self.c = C()\nC()",
    "a property of itself": "class C:\n    @property\n    def p(self):\n        return self.p\nx = C().p",
    "a lambda of itself": "f = lambda x: f(f(x))\nf(1)",
    "a long text": "x = '" + "a" * 1_000_000 + "'\ny = x + x\nz = f'{x}{y}'",
    "many functions": "\n".join(f"def f{n}(a, b=1):\n    return a.b(c)[{n}]" for n in range(3000)),
}


@pytest.mark.parametrize("name", HARD)
def test_hard_programs_end(name: str) -> None:
    """A program that would take for ever to walk in full is walked in part, in a few seconds at most."""
    start = time.process_time()
    read_source(HARD[name])
    assert time.process_time() - start < 10


def test_cut_short_is_noted() -> None:
    """A walk that was cut short says so, and what comes after it is still walked."""
    trace = read_source(HARD["calls that double"] + "\nimport m\nm.after(3)")
    assert any("cut short" in note for note in trace.notes)
    assert call(trace, "m.after").arguments == (Constant(3),)


def test_too_deep_is_noted() -> None:
    """An expression that is nested too deep is a note, and what comes after it is still walked."""
    trace = read("x = " + "f(" * 190 + ")" * 190 + "\ny = " + "-" * 1500 + "1\nimport m\nm.after(3)")
    assert call(trace, "m.after").arguments == (Constant(3),)
