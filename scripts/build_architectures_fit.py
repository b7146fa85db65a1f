"""From observed (config, tensor shapes) pairs to a table of rows: names folded over layers, sizes as expressions.

Pure: knows neither torch nor transformers. Nothing is assumed about a model; an expression is accepted when it gives
the observed number for every observation, and the build checks it on configs that were not used here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from build_architectures_conditions import Conditions, Config, is_whole

from pretune.artifacts.architecture_expressions import Unknown, holds, size

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
            rows += [_row(split, chosen, observed, conditions) for chosen in _ranks(split, parts, observed)]
    return rows


def _ranks(
    pattern: str, sets: list[set[tuple[int, ...]]], observed: Sequence[tuple[Config, Shapes]]
) -> list[list[set[tuple[int, ...]]]]:
    """The index sets, apart by number of dimensions: one group of ConvBERT's is a matrix, several are a cube."""
    ranks = [
        {len(shapes[_filled(pattern, index)]) for index in part}
        for part, (_, shapes) in zip(sets, observed, strict=True)
    ]
    if any(len(rank) > 1 for rank in ranks):
        raise Unfit(f"{pattern}: its layers differ in shape")
    every = sorted(set().union(*ranks))
    return [[part if rank == {one} else set() for part, rank in zip(sets, ranks, strict=True)] for one in every]


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
    conditions: Conditions,
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
    for vector, text in singles.items():  # FSMT's positions: the longest text, the padding id and one more
        rest = tuple(value - known - 1 for value, known in zip(wanted, vector, strict=True))
        if rest in singles:
            return f"{text}+{singles[rest]}+1"
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
    for key in sorted(configs[0], key=lambda one: one == "pad_token_id"):
        if key.endswith("_token_id") and key != "pad_token_id":
            continue
        values = [config.get(key) for config in configs]
        if all(is_whole(value) for value in values) and (len(set(values)) > 1 or len(values) == 1):
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
