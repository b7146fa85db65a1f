"""What the labels, tags or scores of the data are, and which of them the model's head has: LabelFacts, read_labels.

Knows the config only as a mapping; whether a head is trained is ModelFacts' business.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pretune.check.facts.hits import Hits
from pretune.check.finding import Unavailable

if TYPE_CHECKING:
    from pretune.check.facts.label_table import Label, Seen
    from pretune.check.facts.split import DataFacts, Split
    from pretune.check.sources.setup import Setup

Kind = Literal["class", "tag", "score"]

DEFAULT_NUM_LABELS = 2
"""transformers' PretrainedConfig.num_labels when nobody says it."""

IGNORED = -100
"""The label that the cross-entropy loss passes over."""


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """The labels of one split.

    Attributes:
        split: the split.
        counts: label -> rows (tag -> tokens, score -> rows), without lists and missing ones. 1 and 1.0 are one label.
        first: label -> the first place it stands at.
        kinds: `int`, `float`, `str`, `list`, `other`, `missing` -> how many rows (tokens).
        missing: the rows without a label, or with a tag less.
        lists: the rows whose label is a list (multi-label); the kind `mixed`: not all in it are numbers.
        sizes: length of such a list -> rows, and the first one.
        partial: there are too many different labels to keep: `counts` has some of them only.
    """

    split: Split
    counts: Mapping[Label, int] = field(default_factory=dict)
    first: Mapping[Label, str] = field(default_factory=dict)
    kinds: Mapping[str, int] = field(default_factory=dict)
    missing: Hits = field(default_factory=Hits)
    lists: Hits = field(default_factory=Hits)
    sizes: Mapping[int, Seen] = field(default_factory=dict)
    partial: bool = False

    @property
    def total(self) -> int:
        """Labelled rows, or tags; lists are not counted."""
        return sum(self.kinds.get(kind, 0) for kind in ("int", "float", "str"))

    @property
    def integers(self) -> Mapping[int, int]:
        """The whole-number labels, except the ignored -100, with their counts."""
        return {
            int(label): n
            for label, n in self.counts.items()
            if not isinstance(label, str) and _whole(label) and label != IGNORED
        }

    @property
    def names(self) -> Mapping[str, int]:
        """The labels that are strings, with their counts."""
        return {label: n for label, n in self.counts.items() if isinstance(label, str)}

    @property
    def categorical(self) -> bool:
        """True when the labels are classes: no fraction among them."""
        return all(isinstance(label, str) or _whole(label) for label in self.counts)


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """The labels of both splits beside those of the head.

    Attributes:
        kind: `class` (a label a row), `tag` (a label a token) or `score` (a similarity).
        train: the training split's.
        eval: the evaluation split's.
        num_labels: size of the head; None: there is neither a config nor a word of the user about it.
        said: the user, or a checkpoint with named labels, says it; False: it is transformers' default of 2.
        num_labels_at: where it is said.
        id2label: as said, keys that are digits made numbers; empty when not said or only `LABEL_0`.
        label2id: as said; empty when not said or only `LABEL_0`.
        names_at: where id2label or label2id is said.
        names_by_user: the Setup says them, not the checkpoint.
        problem_type: `regression`, `single_label_classification`, `multi_label_classification` or None.
        task: as the Setup says.
    """

    kind: Kind
    train: LabelCounts
    eval: LabelCounts
    num_labels: int | None = None
    said: bool = False
    num_labels_at: str = ""
    id2label: Mapping[Any, str] = field(default_factory=dict)
    label2id: Mapping[str, Any] = field(default_factory=dict)
    names_at: str = ""
    names_by_user: bool = False
    problem_type: str | None = None
    task: str | None = None

    @property
    def splits(self) -> tuple[LabelCounts, ...]:
        """The splits that were given."""
        return tuple(counts for counts in (self.train, self.eval) if counts.split.files or counts.split.rows)


def read_labels(
    data: DataFacts, config: Mapping[str, Any] | None, setup: Setup, *, config_at: str = "config.json"
) -> LabelFacts:
    """Count the labels and find the head's.

    Args:
        data: the rows.
        config: the model's config after edits; None when there is none. What the Setup says goes first.
        setup: names num_labels, id2label, label2id, problem_type, as config or config_update.
        config_at: what a place in the config begins with.

    Raises:
        Unavailable: the rows have no labels, tags or scores.
    """
    kind = _kind(data)
    said: dict[str, tuple[Any, str]] = {}
    for part, given in (
        ("config", setup.config),
        ("model_kwargs", setup.model_kwargs),
        ("config_update", setup.config_update),
    ):
        said.update({key: (value, setup.place(f"{part}.{key}")) for key, value in given.items()})
    by_user = set(said)
    for key, value in (config or {}).items():
        said.setdefault(key, (value, f"{config_at}:/{key}"))
    names = _names(said)
    number, at = said.get("num_labels", (None, ""))
    if "num_labels" not in by_user and names and (names & by_user or number is None):
        key = "id2label" if "id2label" in names else "label2id"
        number, at = len(said[key][0]), said[key][1]
    if not _is_count(number):
        number, at = (DEFAULT_NUM_LABELS if config is not None else None), ""
    key = "id2label" if "id2label" in names else "label2id"
    problem = said.get("problem_type", (None, ""))[0]
    return LabelFacts(
        kind=kind,
        train=_count(data.train),
        eval=_count(data.eval),
        num_labels=number,
        said="num_labels" in by_user or bool(names) or (number is not None and number != DEFAULT_NUM_LABELS),
        num_labels_at=at or (said["num_labels"][1] if "num_labels" in said else ""),
        id2label={_id(k): str(v) for k, v in said["id2label"][0].items()} if "id2label" in names else {},
        label2id={str(k): v for k, v in said["label2id"][0].items()} if "label2id" in names else {},
        names_at=said[key][1] if names else "",
        names_by_user=bool(names & by_user),
        problem_type=problem if isinstance(problem, str) else None,
        task=data.task,
    )


def _kind(data: DataFacts) -> Kind:
    roles = {role for split in data.splits for file in split.files for role in file.roles} | set(data.columns)
    kinds: dict[str, Kind] = {"tags": "tag", "score": "score", "label": "class"}
    wanted = {"tagging": "tags", "sts": "score", "classification": "label", "pair": "label"}.get(data.shape)
    if wanted is None:
        raise Unavailable("rows of this kind have no labels")
    if wanted not in roles:
        named = ", ".join(next((file.columns for split in data.splits for file in split.files), ())) or "none"
        raise Unavailable(f"no column is known to hold the {wanted} (columns: {named}); name it in data.columns")
    return kinds[wanted]


def _names(said: Mapping[str, tuple[Any, str]]) -> set[str]:
    """Which of id2label and label2id name labels; `LABEL_0` names nothing."""
    found = set()
    for key in ("id2label", "label2id"):
        table = said.get(key, (None, ""))[0]
        names = list(table.values() if key == "id2label" else table) if isinstance(table, Mapping) else []
        if names and not all(str(name).startswith("LABEL_") for name in names):
            found.add(key)
    return found


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _id(key: Any) -> Any:
    """JSON and TOML cannot write a number as a key: `"0"` means 0."""
    return int(key) if isinstance(key, str) and key.isascii() and key.isdigit() and len(key) < 10 else key


def _whole(label: float) -> bool:
    return isinstance(label, int) or label.is_integer()


def _count(split: Split) -> LabelCounts:
    """The labels of a split as they count: cells of a table as pandas types the column."""
    table, tables = split.labels, split.tables
    counts: Counter[Label] = Counter()
    first: dict[Label, str] = {}
    for key, seen in sorted(table.seen.items(), key=lambda item: item[1].order):
        label = table.typed(key.value, key.file, tables)
        counts[label] += seen.rows
        first.setdefault(label, seen.where)
    kinds: Counter[str] = Counter()
    for (file, kind), count in sorted(table.kinds.items()):
        if kind in {"int", "float", "str", "list", "other", "missing"} and count:
            kinds[table.typing(file) if kind == "str" and tables.get(file) else kind] += count
    sizes = dict(sorted(table.sizes.items()))
    return LabelCounts(
        split, dict(counts), first, dict(kinds), table.missing.hits, table.lists.hits, sizes, partial=table.level > 0
    )
