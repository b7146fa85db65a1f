"""Small arithmetic over config keys, as the architecture tables write it: `num_attention_heads*head_dim`.

Integers, names of config keys, 'strings', `len(key)`, parentheses and, from loosest to tightest: `a ? b : c`, `|`, `&`,
`== != < >` with `^=` (starts with) and `~` (contains), `+ -`, `* // %`, `!`. Nothing else can be said, so nothing else
can be run. Knows nothing of tensors.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

Value = Any
Term = Callable[[Mapping[str, Any]], Value]

LARGEST = 1 << 62
"""No size in a checkpoint is larger; a config that asks for more is nonsense."""

_TOKEN = re.compile(r"\s*(?:(\d+)|'([^']*)'|([A-Za-z_]\w*)|(//|==|!=|\^=|[-+*%()&|!<>?:~]))")
_LEVELS = (("|",), ("&",), ("==", "!=", "<", ">", "^=", "~"), ("+", "-"), ("*", "//", "%"))


class Unknown(ValueError):  # noqa: N818 - a state of the tables, which callers answer by staying silent
    """The tables cannot say; the text says why."""


@lru_cache(maxsize=4096)
def compiled(text: str) -> tuple[Term, frozenset[str]]:
    """`text` as a function of the config, and the keys it reads.

    Raises:
        ValueError: `text` is not an expression.
    """
    tokens = _tokens(text)
    keys: set[str] = set()
    term, end = _choice(tokens, 0, keys)
    if end != len(tokens):
        raise ValueError(f"not an expression: {text!r}")
    return term, frozenset(keys)


def size(text: str, config: Mapping[str, Any]) -> int:
    """The value of `text`, a count or a dimension.

    Raises:
        Unknown: a key is missing or no integer, or the value is negative or absurd.
    """
    try:
        value = compiled(text)[0](config)
    except (TypeError, KeyError, ZeroDivisionError, OverflowError, AttributeError) as error:
        raise Unknown(f"{text} cannot be computed: {error}") from None
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unknown(f"{text} is {value!r:.40}, not a whole number")
    if not 0 <= value < LARGEST:
        raise Unknown(f"{text} is {value!r:.40}, which is no size")
    return value


def holds(text: str, config: Mapping[str, Any]) -> bool:
    """Whether the condition `text` is met. A key that is missing counts as false.

    Raises:
        Unknown: the values cannot be compared.
    """
    try:
        return bool(compiled(text)[0](config))
    except (TypeError, KeyError, ZeroDivisionError, OverflowError, AttributeError) as error:
        raise Unknown(f"{text} cannot be decided: {error}") from None


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, at = [], 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"not an expression: {text!r}")
        kind = ("number", "string", "name", "sign")[(match.lastindex or 1) - 1]
        tokens.append((kind, match[match.lastindex or 0]))
        at = match.end()
    return tokens


def _choice(tokens: list[tuple[str, str]], at: int, keys: set[str]) -> tuple[Term, int]:
    test, at = _binary(tokens, at, keys, 0)
    if at == len(tokens) or tokens[at] != ("sign", "?"):
        return test, at
    yes, at = _choice(tokens, at + 1, keys)
    if at == len(tokens) or tokens[at] != ("sign", ":"):
        raise ValueError("a ? without its :")
    no, at = _choice(tokens, at + 1, keys)
    return (lambda config: yes(config) if test(config) else no(config)), at


def _binary(tokens: list[tuple[str, str]], at: int, keys: set[str], level: int) -> tuple[Term, int]:
    if level == len(_LEVELS):
        return _atom(tokens, at, keys)
    left, at = _binary(tokens, at, keys, level + 1)
    while at < len(tokens) and tokens[at][0] == "sign" and tokens[at][1] in _LEVELS[level]:
        sign = tokens[at][1]
        right, at = _binary(tokens, at + 1, keys, level + 1)
        left = _joined(sign, left, right)
    return left, at


def _joined(sign: str, left: Term, right: Term) -> Term:
    if sign == "|":
        return lambda config: left(config) or right(config)
    if sign == "&":
        return lambda config: left(config) and right(config)
    combine = _SIGNS[sign]
    return lambda config: combine(left(config), right(config))


def _whole(value: Value) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -LARGEST < value < LARGEST:
        raise TypeError(f"{value!r:.40} is not a whole number")
    return value


_SIGNS: dict[str, Callable[[Value, Value], Value]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: _whole(a) < _whole(b),
    ">": lambda a, b: _whole(a) > _whole(b),
    "^=": lambda a, b: isinstance(a, str) and a.startswith(b),
    "~": lambda a, b: isinstance(a, (str, list, tuple)) and b in a,
    "+": lambda a, b: _whole(a) + _whole(b),
    "-": lambda a, b: _whole(a) - _whole(b),
    "*": lambda a, b: _whole(a) * _whole(b),
    "//": lambda a, b: _whole(a) // _whole(b),
    "%": lambda a, b: _whole(a) % _whole(b),
}


def _atom(tokens: list[tuple[str, str]], at: int, keys: set[str]) -> tuple[Term, int]:
    if at == len(tokens):
        raise ValueError("an expression that ends too early")
    kind, text = tokens[at]
    if kind == "number":
        number = int(text)
        return (lambda config: number), at + 1  # noqa: ARG005 - every term takes the config
    if kind == "string":
        return (lambda config: text), at + 1  # noqa: ARG005
    if kind == "sign" and text == "!":
        inner, at = _atom(tokens, at + 1, keys)
        return (lambda config: not inner(config)), at
    if kind == "sign" and text == "(":
        inner, at = _choice(tokens, at + 1, keys)
        return inner, _closed(tokens, at)
    if kind == "name" and text == "len" and tokens[at + 1 : at + 2] == [("sign", "(")]:
        inner, at = _atom(tokens, at + 2, keys)
        return (lambda config: len(inner(config))), _closed(tokens, at)
    if kind == "name":
        keys.add(text)
        return (lambda config: config.get(text)), at + 1
    raise ValueError(f"{text!r} where a value was expected")


def _closed(tokens: list[tuple[str, str]], at: int) -> int:
    if at == len(tokens) or tokens[at] != ("sign", ")"):
        raise ValueError("a ( without its )")
    return at + 1
