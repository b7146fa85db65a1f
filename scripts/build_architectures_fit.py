"""From observed (config, tensor shapes) pairs to a table of rows: names folded over layers, sizes as expressions.

Pure: knows neither torch nor transformers. Nothing is assumed about a model; an expression is accepted when it gives
the observed number for every observation, and the build checks it on configs that were not used here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

from pretune.artifacts.architecture_expressions import Unknown, holds, size

Config = Mapping[str, Any]
Shapes = Mapping[str, tuple[int, ...]]
_INDEX = re.compile(r"(?:(?<=\.)|^)\d+(?=\.|$)")
_FEW = (1, 2, 3, 4)


class Unfit(Exception):  # noqa: N818 - an outcome, not a bug
    """No small table gives what was observed."""


@dataclass(frozen=True, slots=True)
class Row:
    """One tensor, or one per layer: `layer.{num_hidden_layers}.weight`; `dims` are expressions, `?` for none found."""

    name: str
    dims: tuple[str, ...]
    condition: str = ""


def table(observed: Sequence[tuple[Config, Shapes]]) -> list[Row]:
    """The rows that give exactly the observed names and shapes."""
    groups: dict[str, list[set[tuple[int, ...]]]] = {}
    for at, (_, shapes) in enumerate(observed):
        for name in shapes:
            pattern = _INDEX.sub("#", name)
            sets = groups.setdefault(pattern, [set() for _ in observed])
            sets[at].add(tuple(int(index) for index in _INDEX.findall(name)))
    conditions = Conditions([config for config, _ in observed])
    rows: list[Row] = []
    for pattern, sets in groups.items():
        for split, parts in _literals(pattern, sets):
            rows.append(_row(split, parts, observed, conditions))
    return rows


def _literals(pattern: str, sets: list[set[tuple[int, ...]]]) -> list[tuple[str, list[set[tuple[int, ...]]]]]:
    """Split a pattern at index positions that take the same values whatever the config."""
    for at in range(pattern.count("#")):
        seen = [frozenset(index[at] for index in part) for part in sets if part]
        if len(set(seen)) == 1 or all(len(values) == 1 for values in seen):
            out = []
            for value in sorted(set().union(*seen)):
                halves = pattern.split("#")
                fixed = "#".join(halves[: at + 1]) + str(value) + "#".join(halves[at + 1 :])
                inner = [{index[:at] + index[at + 1 :] for index in part if index[at] == value} for part in sets]
                out += _literals(fixed, inner)
            return out
    return [(pattern, sets)]


def _row(
    pattern: str,
    sets: list[set[tuple[int, ...]]],
    observed: Sequence[tuple[Config, Shapes]],
    conditions: "Conditions",
) -> Row:
    present = [bool(part) for part in sets]
    condition = conditions.find(present)
    if condition is None:
        raise Unfit(f"{pattern}: nothing says when it exists")
    here = [at for at, there in enumerate(present) if there]
    configs = [observed[at][0] for at in here]
    ranges: list[tuple[list[int], list[int]]] = [([], []) for _ in range(pattern.count("#"))]
    shapes: list[tuple[int, ...]] = []
    for at in here:
        axes = [sorted({index[axis] for index in sets[at]}) for axis in range(len(ranges))]
        if sets[at] != set(product(*axes)) or any(axis != list(range(axis[0], axis[-1] + 1)) for axis in axes):
            raise Unfit(f"{pattern}: its layers are no range")
        for axis, (first, end) in zip(axes, ranges, strict=True):
            first.append(axis[0])
            end.append(axis[-1] + 1)
        found = {observed[at][1][_filled(pattern, index)] for index in sets[at]}
        if len(found) != 1:
            raise Unfit(f"{pattern}: its layers differ in shape")
        shapes.append(found.pop())
    if len({len(shape) for shape in shapes}) != 1:
        raise Unfit(f"{pattern}: its number of dimensions changes")
    name = pattern
    for first, end in ranges:
        start, stop = fit(configs, first), fit(configs, end)
        if start is None or stop is None:
            raise Unfit(f"{pattern}: nothing gives its number of layers")
        name = name.replace("#", f"{{{stop}}}" if start == "0" else f"{{{start}..{stop}}}", 1)
    dims = tuple(fit(configs, [shape[axis] for shape in shapes]) or "?" for axis in range(len(shapes[0])))
    return Row(name, dims, condition)


def _filled(pattern: str, index: tuple[int, ...]) -> str:
    for value in index:
        pattern = pattern.replace("#", str(value), 1)
    return pattern


class Conditions:
    """What can be asked of a config, each with its answers over all observations."""

    def __init__(self, configs: Sequence[Config]) -> None:
        self.configs = configs
        keys = list(dict.fromkeys(key for config in configs for key in config if not key.endswith("_token_id")))
        texts: list[str] = []
        for key in keys:
            values = [config.get(key) for config in configs]
            texts.append(key)
            lists = [value for value in values if isinstance(value, (list, tuple))]
            listed = sorted({one for value in lists for one in value if isinstance(one, str)})
            texts += [f"{key} ~ '{one}'" for one in listed]
            if all(_is_int(value) for value in values) and min(values) < 0:  # type: ignore[type-var]
                texts.append(f"{key} > 0")
            small = {value for value in values if _is_int(value)}
            if 0 in small and 1 < len(small) < 7 and max(small) < 7:  # a choice in numbers: Falcon's layer norms
                texts += [f"{key} == {value}" for value in sorted(small)]
            strings = sorted({value for value in values if isinstance(value, str)})
            texts += [f"{key} == '{value}'" for value in strings]
            texts += sorted({f"{key} ^= '{value.split('-')[0]}-'" for value in strings if "-" in value})
        numbers = [key for key in keys if any(_is_int(config.get(key)) for config in configs)]
        for one, other in combinations(numbers, 2):
            same = [_is_int(config.get(one)) and config.get(one) == config.get(other) for config in configs]
            if any(same) and not all(same):
                texts.append(f"{one} == {other}")
        self.known: dict[tuple[bool, ...], str] = {}
        for text in texts:
            answers = tuple(holds(text, config) for config in configs)
            if any(answers) and not all(answers):
                self.known.setdefault(answers, text)
                negative = text.replace("==", "!=") if "==" in text else f"!({text})" if " " in text else f"!{text}"
                self.known.setdefault(tuple(not answer for answer in answers), negative)

    def find(self, wanted: Sequence[bool]) -> str | None:
        """The simplest condition that has these answers; "" for always, None when there is none."""
        wanted = tuple(wanted)
        if all(wanted):
            return ""
        if wanted in self.known:
            return self.known[wanted]
        for sign, combine in (("&", all), ("|", any)):
            for (one, a), (other, b) in combinations(self.known.items(), 2):
                if tuple(combine(pair) for pair in zip(one, other, strict=True)) == wanted:
                    return f"{a} {sign} {b}"
        for (one, a), (other, b), (third, c) in combinations(self.known.items(), 3):
            if tuple(all(three) for three in zip(one, other, third, strict=True)) == wanted:
                return f"{a} & {b} & {c}"
        return None


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def fit(configs: Sequence[Config], values: Sequence[int], *, depth: int = 2) -> str | None:
    """The simplest expression over the configs' keys that gives `values`, or None."""
    plain = _fit_plain(configs, values, deep=depth == 2)
    if plain is not None or depth == 0 or len(configs) < 4:
        return plain
    known = {answers: text for answers, text in Conditions(configs).known.items() if "!" not in text}
    for inner in range(depth):
        for answers, text in known.items():
            yes = _half(configs, values, [at for at, answer in enumerate(answers) if answer], inner)
            no = _half(configs, values, [at for at, answer in enumerate(answers) if not answer], inner) if yes else None
            if yes and no:
                test = f"({text})" if " " in text else text
                return f"{test} ? {f'({yes})' if '?' in yes else yes} : {no}"
    return None


def _half(configs: Sequence[Config], values: Sequence[int], chosen: Sequence[int], depth: int) -> str | None:
    """The expression for the chosen observations; fewer than two prove nothing."""
    if len(chosen) < 2:
        return None
    return fit([configs[at] for at in chosen], [values[at] for at in chosen], depth=depth)


def _fit_plain(configs: Sequence[Config], values: Sequence[int], *, deep: bool) -> str | None:
    wanted = tuple(values)
    if len(set(wanted)) == 1:
        return str(wanted[0])
    singles = _singles(configs)
    if wanted in singles:
        return singles[wanted]
    for number in (1, 2, 3, 4):
        for shift, sign in ((number, "+"), (-number, "-")):
            moved = tuple(value - shift for value in wanted)
            if moved in singles:
                return f"{singles[moved]}{sign}{number}"
    terms = dict(singles)
    for vector, text in list(singles.items()):
        for factor in (2, 3, 4, 6, 8):
            terms.setdefault(tuple(factor * value for value in vector), f"{factor}*{text}")
    ratios: dict[tuple[int, ...], str] = {}
    for (a, one), (b, other) in product(singles.items(), repeat=2):
        if one != other and all(y and x % y == 0 for x, y in zip(a, b, strict=True)):
            ratios.setdefault(tuple(x // y for x, y in zip(a, b, strict=True)), f"{one}//{other}")
    products: dict[tuple[int, ...], str] = {}
    for (a, one), (b, other) in product({**singles, **ratios}.items(), singles.items()):
        products.setdefault(tuple(x * y for x, y in zip(a, b, strict=True)), f"{one}*{other}")
    for more in (ratios, products):
        for vector, text in more.items():
            terms.setdefault(vector, text)
    if wanted in terms:
        return terms[wanted]
    for vector, text in [*((one, f"({two})") for one, two in ratios.items()), *products.items()]:
        for factor in (2, 3, 4):
            terms.setdefault(tuple(factor * value for value in vector), f"{factor}*{text}")
    if wanted in terms:
        return terms[wanted]
    for vector, text in singles.items():  # halves and the like: d_ff//2
        for part in (2, 3, 4, 6, 8):
            if wanted == tuple(value // part for value in vector):
                return f"{text}//{part}"
    for (a, one), (b, other) in product(singles.items(), repeat=2):
        if all(b) and wanted == tuple(x // y for x, y in zip(a, b, strict=True)):
            return f"{one}//{other}"
    for vector, text in terms.items():
        rest = tuple(value - known for value, known in zip(wanted, vector, strict=True))
        if rest in terms:
            return f"{text}+{terms[rest]}"
        if len(set(rest)) == 1 and 0 < abs(rest[0]) <= 8:
            return f"{text}{rest[0]:+d}"
        if tuple(-value for value in rest) in singles:
            return f"{text}-{singles[tuple(-value for value in rest)]}"
    return _three(wanted, singles, terms) if deep else None


def _three(
    wanted: tuple[int, ...], singles: Mapping[tuple[int, ...], str], terms: Mapping[tuple[int, ...], str]
) -> str | None:
    scaled = {
        tuple(factor * x for x in vector): f"{factor}*{text}" if factor > 1 else text
        for vector, text in singles.items()
        for factor in (1, 2)
    }
    heads = {vector[:2] for vector in scaled}
    for (a, one), (b, other) in product(scaled.items(), terms.items()):
        if (wanted[0] - a[0] - b[0], wanted[1] - a[1] - b[1]) in heads:
            rest = tuple(value - x - y for value, x, y in zip(wanted, a, b, strict=True))
            if rest in scaled:
                return f"{one}+{other}+{scaled[rest]}"
    return None


def _singles(configs: Sequence[Config]) -> dict[tuple[int, ...], str]:
    """Each whole-number key as the vector of its values; of keys that move together, the first."""
    out: dict[tuple[int, ...], str] = {}
    for key in configs[0]:
        if key.endswith("_token_id"):
            continue
        values = [config.get(key) for config in configs]
        if all(_is_int(value) for value in values) and (len(set(values)) > 1 or len(values) == 1):
            out.setdefault(tuple(values), key)  # type: ignore[arg-type]
    return out


def verify(rows: Sequence[Row], config: Config, shapes: Shapes) -> str:
    """What differs between the table and the shapes seen; empty when nothing does."""
    got: dict[str, tuple[int | None, ...]] = {}
    for row in rows:
        if row.condition and not holds(row.condition, config):
            continue
        try:
            dims = tuple(None if dim == "?" else size(dim, config) for dim in row.dims)
            for name in expand(row.name, config):
                got[name] = dims
        except Unknown as why:
            return f"{row.name}: {why}"
    if set(got) != set(shapes):
        return f"names differ: {sorted(set(got) ^ set(shapes))[:4]}"
    for name, dims in got.items():
        if len(dims) != len(shapes[name]) or any(d not in (None, s) for d, s in zip(dims, shapes[name], strict=True)):
            return f"{name}: {dims} instead of {shapes[name]}"
    return ""


def expand(name: str, config: Config) -> list[str]:
    """All names that a folded name stands for."""
    match = re.search(r"\{([^}]*)\}", name)
    if match is None:
        return [name]
    first, _, end = match[1].rpartition("..")
    indices = range(size(first, config) if first else 0, size(end, config))
    before, after = name[: match.start()], name[match.end() :]
    return [one for index in indices for one in expand(f"{before}{index}{after}", config)]
