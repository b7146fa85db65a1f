"""What expressions come to: constants, text, containers and how they change, comprehensions, builtins."""

import pytest

from pretune.script.values import Constant, Made, Operation, Part, Sequence
from read_code import became, call, plain, read, result


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("x = 2 * 1e-5", 2e-5),
        ("x = 8 * 4 // 3 - 2 ** 3 % 5", 7),
        ("x = -3", -3),
        ("x = not 0", True),
        ("x = 'a' + 'b' * 3", "abbb"),
        ("x = 1 < 2 < 3", True),
        ("x = 1 < 2 > 3", False),
        ("x = 'a' in 'abc'", True),
        ("x = 3 in [1, 2]", False),
        ("x = 'k' in {'k': g()}", True),
        ("x = None is None", True),
        ("x = 1 is not None", True),
        ("x = True is 1", False),
        ("x = 3 if 1 == 1 else f()", 3),
        ("x = 0 or 'b'", "b"),
        ("x = '' or None or 3", 3),
        ("x = 1 and 2 and 0 and 3", 0),
        ("x = b'a'", b"a"),
        ("x = ...", ...),
        ("x = (y := 3) + y", 6),
        ("x = y = 3; y += 1", 3),
        ("x = 0b11 | 4 ^ 1 & 3 << 2", 7),
        ("x = ~1", -2),
        ("x: float = 3", 3),
        ("a, (b, *c), d = 1, (2, 3, 4), 5; x = [a, b, c, d]", [1, 2, [3, 4], 5]),
        ("a = [1, 2]; x = [0, *a, 3]", [0, 1, 2, 3]),
        ("a = {'k': 1}; x = {**a, 'k': 2, 'm': 3}", {"k": 2, "m": 3}),
        ("x = [1, 2, 3][-1]", 3),
        ("x = [1, 2, 3, 4][1:3]", [2, 3]),
        ("x = 'transformers'[5:]", "formers"),
        ("x = {'a': {'b': 3}}['a']['b']", 3),
        ("a = lambda n=3: n + 1; x = a()", 4),
        ("global x; x = 3", 3),
    ],
)
def test_constants(code: str, value: object) -> None:
    """What follows from constants is constant."""
    assert result(code) == value


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("n = 'bert'; x = f'out/{n}-{3:03d}-{1.5:.2f}-{n!r}'", "out/bert-003-1.50-'bert'"),
        ("x = '%s-%d' % ('a', 3)", "a-3"),
        ("x = '{}/{name}'.format('a', name='b')", "a/b"),
        ("x = ','.join(['a', 'b'])", "a,b"),
        ("x = ' A '.strip().lower()", "a"),
        ("x = 'a/b'.split('/')[-1]", "b"),
        ("x = '가-나'.replace('-', '')", "가나"),
        ("import os; x = os.path.join('out', 'bert', 'x.bin')", "out/bert/x.bin"),
        ("import os; x = os.path.basename('a/b.txt')", "b.txt"),
        ("from pathlib import Path; x = Path('out') / 'bert' / 'x'", "out/bert/x"),
        ("from pathlib import Path; x = str(Path('out/a.txt').parent)", "out"),
        ("from pathlib import Path; x = Path('out/a.txt').stem", "a"),
        ("x = str(3) + repr('a')", "3'a'"),
        ("x = int('3') + float('1.5')", 4.5),
        ("x = round(2.6)", 3),
        ("x = len('abc') + len([1, 2]) + len({'a': 1})", 6),
        ("x = min(3, 2) + max([1, 5]) + sum([1, 2])", 10),
        ("x = sorted(['b', 'a'], reverse=True)", ["b", "a"]),
        ("x = list(enumerate(['a', 'b'], start=1))", [(1, "a"), (2, "b")]),
        ("x = dict(zip(['a', 'b'], [1, 2]))", {"a": 1, "b": 2}),
        ("x = dict(a=1, b=2)", {"a": 1, "b": 2}),
        ("x = list({'a': 1})", ["a"]),
        ("x = isinstance('a', str)", True),
        ("x = isinstance([], (dict, tuple))", False),
        ("x = any([0, 1]) and all([1, 2])", True),
        ("import copy; a = {'k': 1}; x = copy.deepcopy(a); a['k'] = 2", {"k": 1}),
        ("x = bool('a')", True),
        ("x = list(reversed([1, 2]))", [2, 1]),
        ("x = [i * 2 for i in range(4)]", [0, 2, 4, 6]),
    ],
)
def test_text_and_builtins(code: str, value: object) -> None:
    """Texts, paths and builtins of what is known are known."""
    assert result(code) == value


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("x = []; x.append(1); x.extend([2, 3]); x += [4]; x.insert(0, 0); x.remove(2); x.pop()", [0, 1, 3]),
        ("x = {}; x['a'] = 1; x.update({'b': 2}, c=3); x |= {'d': 4}; del x['a']; x.pop('b')", {"c": 3, "d": 4}),
        ("x = {}; x.setdefault('a', 1); x.setdefault('a', 2)", {"a": 1}),
        ("x = {'a': {}}; x['a']['b'] = 1; x['a']['c'] = 2", {"a": {"b": 1, "c": 2}}),
        ("y = []; x = y; y.append(1)", [1]),
        ("def f(d):\n    d['a'] = 1\nx = {}\nf(x)", {"a": 1}),
        ("x = {'a': [1]}; x['a'].append(2)", {"a": [1, 2]}),
        ("x = [1, 2]; x[0] = 5; x[-1] = 6", [5, 6]),
        ("y = {'a': 1}; x = y.get('a'), y.get('b'), y.get('b', 3)", (1, None, 3)),
        (
            "y = {'a': 1, 'b': 2}; x = [list(y.keys()), list(y.values()), list(y.items())]",
            [["a", "b"], [1, 2], [("a", 1), ("b", 2)]],
        ),
        ("x = set(); x.add(1); x.add(1)", {1}),
        ("class C:\n    pass\nc = C()\nc.d = {}\nc.d['a'] = 1\nx = c.d", {"a": 1}),
        ("x = {'a': 1}; y = x.copy(); y['b'] = 2", {"a": 1}),
        ("x = [3, 1]; x.clear()", []),
    ],
)
def test_containers_change(code: str, value: object) -> None:
    """What a script does to its own lists and dicts is followed, through every name that holds them."""
    assert result(code) == value


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("labels = ['O', 'B-PER']; x = {label: i for i, label in enumerate(labels)}", {"O": 0, "B-PER": 1}),
        ("x = [f'[E{i}]' for i in range(3)]", ["[E0]", "[E1]", "[E2]"]),
        ("x = [n for n in range(5) if n % 2]", [1, 3]),
        ("x = {v: k for k, v in {'a': 1}.items()}", {1: "a"}),
        ("x = [(a, b) for a in 'xy' for b in [1, 2] if b > 1]", [("x", 2), ("y", 2)]),
        ("x = {s.lower() for s in ['A']}", {"a"}),
        ("x = len([t for t in ['a', 'b']])", 2),
    ],
)
def test_comprehensions(code: str, value: object) -> None:
    """A comprehension over a short list that is known is worked out."""
    assert result(code) == value


def test_comprehension_over_what_is_not_known() -> None:
    """A comprehension over something else has one item that stands for all, in a loop."""
    trace = read("x = [g(row['text']) for row in load() if row['ok']]")
    value = became(trace, "x")
    assert isinstance(value, Sequence)
    assert value.open
    inner = next(one for one in trace.calls("") if one.arguments)
    assert value.items == (Made(inner),)
    assert [loop.targets for loop in inner.loops] == [("row",)]
    assert [one.taken for one in inner.conditions] == [True]
    row = inner.arguments[0]
    assert isinstance(row, Part)
    assert isinstance(row.of, Operation)
    assert row.of.operator == "iterate"


def test_comprehension_has_its_own_names() -> None:
    """The variable of a comprehension hides no name outside of it."""
    assert result("x = 5; y = [x for x in [1, 2]]") == 5


def test_calls_in_comprehensions_happen_once() -> None:
    """A comprehension that calls something does so once, also over a short list."""
    trace = read("from transformers import AutoModel\nx = [AutoModel.from_pretrained(n) for n in ['a', 'b']]")
    loaded = call(trace, "transformers.AutoModel.from_pretrained")
    assert plain(loaded.arguments[0]) != "a"


@pytest.mark.parametrize(
    "code",
    [
        "x = 'a' * 10 ** 9",
        "x = 10 ** 10 ** 10",
        "x = 1 << 10 ** 9",
        "x = [0] * 10 ** 9",
        "x = '%1000000000d' % (1,)",
        "x = '%*d' % (10 ** 9, 1)",
        "x = '{:1000000000}'.format(1)",
        "x = f'{1:1000000000}'",
        "x = 'a'.zfill(10 ** 9)",
        "x = list(range(10 ** 9))",
        "x = 'aaaa'.replace('a', 'b' * 60000).replace('b', 'c' * 60000)",
        "x = 'a'\n" + "x = x + x\n" * 40,
        "x = [1]\n" + "x = x + x\n" * 40,
        "x = g()\n" + "x = x + x\n" * 40,
        "x = g()\n" + "x = (x, x)\n" * 40,
        "x = 3\n" + "x = x * x\n" * 40,
        "x = (1).to_bytes(10 ** 9, 'big')",
        "x = int('9' * 60000)",
        "x = str(10 ** 1000) * 1000",
    ],
)
def test_nothing_large_is_computed(code: str) -> None:
    """What would fill memory or take long is not worked out."""
    value = became(read(code), "x")
    assert not isinstance(value, Constant) or len(str(value.value)) < 1 << 17


@pytest.mark.parametrize(
    "code", ["1 / 0", "'a' + 1", "{}['a']", "[][0]", "int('a')", "1 < 'a'", "'%d' % 'a'", "-'a'", "1()", "None.a"]
)
def test_what_would_fail(code: str) -> None:
    """What would raise in a run is no constant, and stops nothing."""
    trace = read(f"x = {code}\ny = 3")
    assert not isinstance(became(trace, "x"), Constant)
    assert plain(became(trace, "y")) == 3
