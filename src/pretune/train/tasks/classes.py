"""Labels of data against those of a model: classes_of, Classes. Knows a config as a mapping, and no data format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError, did_you_mean
from pretune.corpus.example import number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.check.sources.setup import Setup
    from pretune.corpus.task_rows import Label

MOST = 10_000
"""Classes that anybody means; more are probably scores, ids or texts."""


@dataclass(frozen=True, slots=True)
class Classes:
    """What the classes are called, and which label of the data is which.

    Attributes:
        names: of the classes, by id.
        ids: label of the data -> id.
        said: where the names come from, for people.
    """

    names: tuple[str, ...]
    ids: Mapping[Label, int]
    said: str = ""

    def id_of(self, label: Label) -> int | None:
        """The id of a label, be it written as a number or as a word; None: it is none of them."""
        if label in self.ids:
            return self.ids[label]
        number = number_of(label) if isinstance(label, str) else None
        return self.ids.get(str(label), None if number is None else self.ids.get(number))

    @property
    def config(self) -> Mapping[str, Any]:
        """The keys of a model's config."""
        return {
            "id2label": dict(enumerate(self.names)),
            "label2id": {name: i for i, name in enumerate(self.names)},
        }

    @property
    def config_said(self) -> Mapping[str, Any]:
        """The same for `pretune check`, which takes whole numbers for ids; nothing where they are not."""
        numbers = {label: i for label, i in self.ids.items() if not isinstance(label, str)}
        return self.config if all(label == i for label, i in numbers.items()) else {}


def classes_of(
    labels: Sequence[tuple[Label, str]],
    setup: Setup,
    *,
    head: str,
    new_head: bool = False,
    called: Sequence[str] = (),
) -> Classes:
    """The classes of the training data, under the names and ids that the user or a trained head gives them.

    Where nobody names them, whole numbers from 0 are their own ids, other labels are sorted: numbers by value, words by
    code point.

    Args:
        labels: each different label, and a place where it stands.
        setup: names the model, and maybe num_labels, id2label or label2id.
        head: the ending of the model's class.
        new_head: the model's own labels do not count.
        called: what the data call their numbers (`called_in`), which wins over ids where the model has such names, too.

    Raises:
        UserError: a label that is none of them, more labels than the head has classes, too many labels, or only one.
    """
    if len(labels) > MOST:
        raise UserError(f"{labels[0][1]}: over {MOST:,} different labels", hint="is this the column of the labels?")
    found = dict(labels)
    source, said, names, number = _told(setup, head, new_head=new_head)
    if called:
        _within(found, called)
        if not names and number in {None, len(called)}:
            known: dict[Label, int] = {i: i for i in range(len(called))}
            known |= {name: i for i, name in enumerate(called) if number_of(name) is None}
            return Classes(tuple(called), known, "names in the data")
        if set(called) <= set(names.values()):
            ids_of = {name: i for i, name in names.items()}
            return Classes(
                tuple(names[i] for i in range(len(names))), {i: ids_of[n] for i, n in enumerate(called)}, said
            )
    if names:
        by_name = {name: i for i, name in names.items()}
        ids: dict[Label, int] = {}
        for label, where in found.items():
            key = by_name.get(str(label), label if isinstance(label, int) and label in names else None)
            if not isinstance(key, int):
                few = ", ".join(by_name) if len(by_name) <= 12 else f"{', '.join(list(by_name)[:12])}, …"
                raise UserError(
                    f'{where}: the label "{label}" is not one of {source}: {few}',
                    hint=did_you_mean(str(label), by_name) or _way_out(source),
                )
            ids[label] = key
        return Classes(tuple(names[i] for i in range(len(names))), ids, said)
    if len(labels) == 1 and number is None:
        label, where = labels[0]
        raise UserError(
            f'{where}: every row has the label "{label}", so that there is nothing to learn',
            hint="is this the column of the labels, and the whole file?",
        )
    order: list[Label] = sorted(found, key=lambda label: (isinstance(label, str), label))
    numbers = all(isinstance(label, int) and label >= 0 for label in order)
    if numbers and order and (order[0] == 0 or number is not None):
        size = max(number or 0, int(order[-1]) + 1)
        if number is not None and size > number:
            raise UserError(
                f"{found[order[-1]]}: the label {order[-1]} is outside 0..{number - 1} of {source}",
                hint=_way_out(source),
            )
        if size <= 2 * len(order) or number is not None:
            return Classes(tuple(map(str, range(size))), {i: i for i in range(size)}, said or "numbers of the data")
    if number is not None and len(order) > number:
        raise UserError(f"{len(order)} different labels, but {source} has {number} classes", hint=_way_out(source))
    ids = {label: i for i, label in enumerate(order)}
    names_made = [*map(_name, order), *(f"LABEL_{i}" for i in range(len(order), number or 0))]
    return Classes(tuple(names_made), ids, "labels of the data, sorted")


def called_in(setup: Setup, column: str | None) -> tuple[str, ...]:
    """What the training data call the numbers of a column (ClassLabel of `datasets`); empty: they do not say."""
    from pretune.corpus.inputs import expand
    from pretune.pool.class_names import class_names

    if not column:
        return ()
    first = expand(setup.data.train, purpose="train")[0]
    return class_names(first, column) or class_names(first, f"{column}.feature")


def _within(found: Mapping[Label, str], called: Sequence[str]) -> None:
    """Stop at a number that is none of the classes the data name; -1 is how `datasets` says that there is none."""
    for label, where in found.items():
        if isinstance(label, int) and not 0 <= label < len(called):
            raise UserError(
                f"{where}: the label {label} is none of the {len(called)} that the data name",
                hint="leave rows without a class out" if label == -1 else "is this the column of the labels?",
            )


def _told(setup: Setup, head: str, *, new_head: bool) -> tuple[str, str, dict[int, str], int | None]:
    """Who says what the labels are, the names by id, and how many there are; None: nobody says."""
    from pretune.check.facts.model import read_model
    from pretune.check.finding import Unavailable

    given = {**setup.config, **setup.config_update}
    names, number = _names(given)
    if names or number is not None:
        return "the recipe", "labels of the recipe", names, number
    if new_head:
        return "the data", "", {}, None
    try:
        config = read_model(setup).config
    except Unavailable:
        return "the data", "", {}, None
    trained = any(str(name).endswith(f"For{head}") for name in config.get("architectures") or ())
    if not trained:
        return "the data", "", {}, None
    names, number = _names(config)
    if names:
        return "the model's labels", "labels of the model", names, len(names)
    return "the model's head", "", {}, number if number is not None else 2


def _names(config: Mapping[str, Any]) -> tuple[dict[int, str], int | None]:
    """Names by id, unless they are only LABEL_0, and how many classes are spoken of."""
    table, back = config.get("id2label"), config.get("label2id")
    found: dict[int, str] = {}
    if isinstance(table, Mapping) and all(str(key).isdigit() for key in table):
        found = {int(str(key)): str(name) for key, name in table.items()}
    elif isinstance(back, Mapping) and all(isinstance(i, int) for i in back.values()):
        found = {i: str(name) for name, i in back.items()}
    if set(found) != set(range(len(found))) or len(set(found.values())) != len(found):
        found = {}
    number = config.get("num_labels")
    size = number if isinstance(number, int) and not isinstance(number, bool) else len(found) or None
    if all(name == f"LABEL_{i}" for i, name in found.items()):
        return {}, size
    return found, size


def _way_out(source: str) -> str:
    if source == "the recipe":
        return "name all of them in config.id2label, or none"
    return "train a new head for these labels: --new-head"


def _name(label: Label) -> str:
    return str(label)
