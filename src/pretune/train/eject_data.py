"""How a script reads the recipe's files, and whether it reads the same: data_of, require_same. Knows no training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from pretune.train.examples import Examples
    from pretune.train.recipe import Recipe

_HINT = "convert them to jsonl with one row a line"


def data_of(recipe: Recipe, kind: str) -> dict[str, Any]:
    """What the template has to know of the files: their names, form and columns.

    Raises:
        UserError: objects in memory, files of a form the script does not read, or of several forms.
    """
    from pretune.corpus.inputs import expand
    from pretune.corpus.rows import read_rows
    from pretune.corpus.shape import columns_for

    data = recipe.setup.data
    inputs = {"train": expand(data.train, purpose="train"), "dev": expand(data.eval, purpose="eval")}
    forms = []
    for one in (*inputs["train"], *inputs["dev"]):
        if one.format == "memory":
            raise UserError("--eject writes scripts for data in files, but the data are in memory", hint=_HINT)
        forms.append(_form(one.source))
    if len({tuple(sorted(form.items())) for form in forms}) != 1:
        raise UserError("the files have several forms, of which a script reads one", hint=_HINT)
    first = inputs["train"][0]
    row = next(iter(read_rows(first.source, label=first.label, named=tuple(data.columns.values()))))
    shape: Any = {"mrc": "squad", "classify": "classification", "pairs": "pair", "sts": "sts", "tag": "tagging"}[kind]
    columns = {**columns_for(shape, row.values), **data.columns}
    if any("." in column and column not in row.values for column in columns.values()):
        raise UserError("a column lies inside another one, which the script does not read", hint=_HINT)
    columns = {"text_pair": "", "id": "id", **columns}
    return {
        **forms[0],
        "columns": {role: literal(column) if column else "" for role, column in columns.items()},
        **{f"{split}_files": [str(one.source) for one in found] for split, found in inputs.items()},
    }


def _form(path: Path) -> dict[str, Any]:
    """`read`: nested, json, table or tagged, and what goes with it."""
    from pretune.corpus.rows import format_of
    from pretune.corpus.table import dialect_of

    kind = str(format_of(path))
    plain: dict[str, Any] = {"suffix": "", "delimiter": "", "quoted": True}
    if path.suffix not in {".json", ".jsonl", ".csv", ".tsv", ".txt"}:
        raise UserError(f"{path.name} is {kind}, which the script does not read", hint=_HINT)
    with path.open(encoding="utf-8-sig") as file:
        head = file.read(65536)
    if path.suffix in {".json", ".jsonl"}:
        first = head.lstrip()[:1]
        if first == "[":
            return plain | {"read": "json", "suffix": "list"}
        if '"paragraphs"' in head and '"qas"' in head:
            return plain | {"read": "nested"}
        return plain | {"read": "json", "suffix": "lines"}
    if kind == "tagged":
        return plain | {"read": "tagged"}
    dialect = dialect_of(path)
    return plain | {"read": "table", "delimiter": literal(dialect.delimiter), "quoted": dialect.quoted}


def literal(value: Any) -> str:
    """Python source of a value, strings in double quotes where they hold none. What users name stands as data only."""
    if isinstance(value, str):
        source = repr(value)
        return f'"{source[1:-1]}"' if '"' not in source and source.startswith("'") else source
    return repr(value)


def require_same(script: str, tokenizer: Any, *, train: Examples, dev: Examples | None) -> dict[str, Any]:
    """Let a script read and tokenize its files, and compare; gives back what it defines.

    Raises:
        UserError: other examples than pretune's, or none at all.
    """
    names: dict[str, Any] = {"__name__": "ejected", "__file__": __file__}
    exec(compile(script, "ejected", "exec"), names)  # noqa: S102 - our own source: nothing of the user's but strings
    for split, wanted in (("TRAIN", train), ("DEV", dev)):
        if wanted is None:
            continue
        try:
            same = _same(names["prepare"](names["read"](names[split]), tokenizer), wanted)
        except Exception as error:  # noqa: BLE001 - whatever a plain reader meets in files that it was not made for
            why = f"{type(error).__name__}: {error}"
            raise UserError(f"a plain script does not read these files ({why[:200]})", hint=_HINT) from None
        if not same:
            raise UserError(
                f"a plain script makes other examples of the {split.lower()} files than pretune does", hint=_HINT
            )
    return names


def _same(found: list[dict[str, Any]], wanted: Examples) -> bool:
    """Whether the examples are equal: tokens, token types where the script has them, labels."""
    import itertools

    import numpy as np

    if len(found) != len(wanted):
        return False
    flat = [one for row in found for one in row["input_ids"]]
    same = np.array_equal(flat, wanted.ids)
    same &= [len(row["input_ids"]) for row in found] == np.diff(wanted.starts).tolist()
    if wanted.types is not None and found and "token_type_ids" in found[0]:
        same &= np.array_equal([one for row in found for one in row["token_type_ids"]], wanted.types)
    for name, labels in wanted.labels.items():
        key = {"start_positions": "start", "end_positions": "end"}.get(name, "label")
        own: Any = [row[key] if key in row else row["labels"] for row in found]
        if found and "labels" in found[0]:
            own = list(itertools.chain.from_iterable(own))
        same &= np.array_equal(np.asarray(own, labels.dtype), labels)
    return bool(same)
