"""Writes rows to data files and asks a data rule about them, from the file to the finding."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pretune.check.facts.data import read_data, read_labels
from pretune.check.finding import Finding, Rule, Unavailable, stamp
from pretune.check.sources.setup import Data, Setup

Rows = Sequence[Mapping[str, Any]] | str | bytes | None


def write_rows(path: Path, rows: Rows) -> Path:
    """Write rows as jsonl, a string as it is; lone surrogates are escaped by JSON."""
    if isinstance(rows, bytes):
        path.write_bytes(rows)
    elif isinstance(rows, str):
        path.write_text(rows, encoding="utf-8", newline="")
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows or ()), encoding="utf-8")
    return path


def setup_of(
    folder: Path,
    train: Rows = None,
    eval: Rows = None,  # noqa: A002 - the setup file's word
    *,
    names: tuple[str, str] = ("train.jsonl", "dev.jsonl"),
    **said: Any,
) -> Setup:
    """A Setup of one training and one evaluation file, each where rows are given."""
    files = {}
    for split, name, rows in (("train", names[0], train), ("eval", names[1], eval)):
        files[split] = (str(write_rows(folder / name, rows)),) if rows is not None else ()
    columns = said.pop("columns", {})
    return Setup(data=Data(files["train"], files["eval"], columns), **said)


def asked(rule: Rule, setup: Setup, *, model: Mapping[str, Any] | None = None, sample: int = 2000) -> list[Finding]:
    """What the rule finds; nothing when its facts cannot be had."""
    return asked_all((rule,), setup, model=model, sample=sample)


def asked_all(
    rules: Sequence[Rule], setup: Setup, *, model: Mapping[str, Any] | None = None, sample: int = 2000
) -> list[Finding]:
    """What the rules find, the data read once."""
    data = read_data(setup, sample=sample)
    given: dict[str, Any] = {"data": data, "setup": setup}
    with suppress(Unavailable):
        given["labels"] = read_labels(data, model, setup)
    can = [rule for rule in rules if set(rule.needs) <= set(given)]
    return [stamp(rule, problem) for rule in can for problem in rule.ask(**{need: given[need] for need in rule.needs})]
