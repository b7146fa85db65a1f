"""Classes of the project: objects, fields, inheritance, dataclasses, classes of libraries, what a library calls."""

import pytest

from read_code import result


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("class C:\n    n = 3\nx = C.n + C().n", 6),
        ("class C:\n    def __init__(self, n):\n        self.n = n\nx = C(3).n", 3),
        ("class C:\n    def f(self, a=1):\n        return a\nx = C().f(2)", 2),
        ("class C:\n    @staticmethod\n    def f(a):\n        return a\nx = C.f(1) + C().f(2)", 3),
        ("class C:\n    n = 3\n    @classmethod\n    def f(cls):\n        return cls.n\nx = C.f()", 3),
        ("class C:\n    n = 3\n    @property\n    def p(self):\n        return self.n\nx = C().p", 3),
        (
            "class A:\n    def __init__(self, a):\n        self.a = a\nclass B(A):\n    def __init__(self, b):\n        super().__init__(b)\n        self.b = 2\nx = B(1).a + B(1).b",
            3,
        ),
        (
            "class A:\n    def f(self):\n        return self.g()\nclass B(A):\n    def g(self):\n        return 3\nx = B().f()",
            3,
        ),
        (
            "class A:\n    def __init__(self, a):\n        self.a = a\nclass B(A):\n    def __init__(self):\n        A.__init__(self, 3)\nx = B().a",
            3,
        ),
        ("class A:\n    n = 1\nclass B(A):\n    pass\nclass C(B):\n    n = 3\nx = B.n + C.n", 4),
        ("class C:\n    def __call__(self, a):\n        return a\nx = C()(3)", 3),
        ("class C:\n    def __getitem__(self, i):\n        return i\nx = C()[3]", 3),
        ("class C:\n    a = 1\nc = C()\nc.a = 3\nx = c.a + C.a", 4),
        (
            "class C:\n    def __init__(self):\n        self.d = {}\n    def f(self):\n        self.d['a'] = 1\nc = C()\nc.f()\nx = c.d",
            {"a": 1},
        ),
        (
            "class C:\n    def __init__(self):\n        self.n = 1\n    def f(self):\n        self.n = 3\nc = C()\nc.f()\nx = c.n",
            3,
        ),
        ("class C: pass\nC.n = 3\nx = C.n", 3),
        ("import enum\nclass E(enum.Enum):\n    A = 'a'\nx = E.A.value", "a"),
        ("class CFG:\n    name = 'bert'\n    out = f'out/{name}'\nx = CFG.out", "out/bert"),
        ("class C:\n    pass\nx = vars(C())", {}),
        ("class C:\n    def f(self):\n        return type(self).n\n    n = 3\nx = C().f()", 3),
        (
            "class C:\n    def __enter__(self):\n        return 3\n    def __exit__(self, *a): pass\nwith C() as x:\n    pass",
            3,
        ),
    ],
)
def test_objects(code: str, value: object) -> None:
    """Fields, methods and inheritance of the project's own classes are followed."""
    assert result(code) == value


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (
            "from dataclasses import dataclass\n@dataclass\nclass C:\n    a: int\n    b: str = 'b'\nx = C(1).a, C(1).b, C(1, b='c').b",
            (1, "b", "c"),
        ),
        (
            "from dataclasses import dataclass, field\n@dataclass\nclass C:\n    a: list = field(default_factory=list)\n    b: int = field(default=3)\nx = C().a, C().b",
            ([], 3),
        ),
        (
            "from dataclasses import dataclass, field\n@dataclass\nclass C:\n    a: list = field(default_factory=lambda: ['q', 'v'])\nx = C().a",
            ["q", "v"],
        ),
        (
            "from dataclasses import dataclass\n@dataclass\nclass A:\n    a: int = 1\n@dataclass\nclass B(A):\n    b: int = 2\nx = B(5).a, B().b",
            (5, 2),
        ),
        (
            "from dataclasses import dataclass\n@dataclass\nclass C:\n    a: int = 1\n    def __post_init__(self):\n        self.b = self.a + 1\nx = C(2).b",
            3,
        ),
        ("from dataclasses import dataclass, asdict\n@dataclass\nclass C:\n    a: int = 1\nx = asdict(C())", {"a": 1}),
        ("from typing import NamedTuple\nclass C(NamedTuple):\n    a: int\n    b: int = 2\nx = C(1).a + C(1).b", 3),
        (
            "from pydantic import BaseModel, Field\nclass C(BaseModel):\n    a: int = Field(3)\n    b: str = 'b'\nx = C().a, C(b='c').b",
            (3, "c"),
        ),
        ("import attr\n@attr.s\nclass C:\n    a = attr.ib(default=3)\nx = C.a", 3),
    ],
)
def test_dataclasses(code: str, value: object) -> None:
    """Fields of dataclasses and their relatives are what they are given, else their defaults."""
    assert result(code) == value
