"""What a case of the catalogue is, and the small world of files in which its setups are built. Knows no rules."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from check.catalogue import korean
from check.catalogue.folders import Folder

Keys = dict[str, Any]
Build = Callable[["World", bool], Keys]


@dataclass(frozen=True)
class Case:
    """One entry of the catalogue.

    Attributes:
        name: the entry's id, with a word for a variant: `T07`, `T07-keyword`.
        level: the least level that one of the findings must have.
        families: code beginnings, one of which that finding must have.
        says: a regular expression its message, place or help must match.
        build: writes the files and gives the setup; the twin of `fault=False` differs in the fault alone.
        what: the fault in the words of the catalogue.
    """

    name: str
    level: str
    families: tuple[str, ...]
    says: str
    build: Build
    what: str


def into(cases: list[Case]) -> Callable[..., Callable[[Build], Build]]:
    """A decorator that puts a function into `cases`: `@case("T07", "error", "TOK", says="...")`."""

    def case(name: str, level: str, families: str, *, says: str = "") -> Callable[[Build], Build]:
        def put(build: Build) -> Build:
            cases.append(
                Case(name, level, tuple(families.split()), says, build, " ".join((build.__doc__ or "").split()))
            )
            return build

        return put

    return case


CLASSES = {
    "text-classification": "AutoModelForSequenceClassification",
    "pair-classification": "AutoModelForSequenceClassification",
    "token-classification": "AutoModelForTokenClassification",
}
LABELS = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]


class World:
    """A folder with models, data and a setup file."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, folder: Folder, name: str = "model") -> str:
        """Write a model folder."""
        folder.write(self.root / name)
        return name

    def tokenizer(self, folder: Folder, name: str = "tokenizer") -> str:
        """Write a folder's tokenizer alone."""
        folder.write_tokenizer(self.root / name)
        return name

    def rows(self, rows: list[korean.Row], name: str) -> str:
        """Write a .jsonl file."""
        return self.text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), name)

    def text(self, text: str | bytes, name: str) -> str:
        """Write a file as it is."""
        (self.root / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return name

    def edit(self, name: str, **keys: Any) -> None:
        """Change keys of a JSON file; `...` removes one."""
        path = self.root / name
        table = json.loads(path.read_text("utf-8")) | keys
        path.write_text(
            json.dumps({key: value for key, value in table.items() if value is not ...}, ensure_ascii=False), "utf-8"
        )

    def run(
        self,
        task: str,
        folder: Folder | str,
        train: list[korean.Row] | str,
        dev: list[korean.Row] | str | None,
        **keys: Any,
    ) -> Keys:
        """A healthy run of `task`; `keys` are laid over it, tables key by key, `...` removes one."""
        data = {"train": train if isinstance(train, str) else self.rows(train, "train.jsonl")}
        if dev is not None:
            data["eval"] = dev if isinstance(dev, str) else self.rows(dev, "dev.jsonl")
        base: Keys = {
            "model": folder if isinstance(folder, str) else self.put(folder),
            "task": task,
            "data": data,
            "encode": {"truncation": True, "max_length": 96},
            "training_args": {
                "output_dir": "out",
                "learning_rate": 3e-5,
                "num_train_epochs": 3,
                "per_device_train_batch_size": 8,
                "eval_strategy": "epoch" if dev is not None else "no",
                "save_strategy": "epoch",
                "logging_steps": 3,
            },
        }
        if task in CLASSES:
            base["model_class"] = CLASSES[task]
        return laid(base, keys)

    def classify(self, folder: Folder | str, train: Any = None, dev: Any = None, **keys: Any) -> Keys:
        """Reviews, good or bad."""
        dev = korean.reviews(16, start=48) if dev is None and train is None else dev
        return self.run("text-classification", folder, korean.reviews() if train is None else train, dev, **keys)

    def pairs(self, folder: Folder | str, train: Any = None, dev: Any = None, **keys: Any) -> Keys:
        """Two sentences, of one place or not."""
        dev = korean.pairs(16, start=48) if dev is None and train is None else dev
        return self.run(
            "pair-classification", folder, korean.pairs() if train is None else train, dev, **laid(PAIR, keys)
        )

    def mrc(self, folder: Folder | str, train: Any = None, dev: Any = None, **keys: Any) -> Keys:
        """Questions on paragraphs."""
        dev = korean.questions(9, start=27) if dev is None and train is None else dev
        over = laid({"encode": {"truncation": "only_second", "max_length": 128, "stride": 32}}, keys)
        return self.run("question-answering", folder, korean.questions() if train is None else train, dev, **over)

    def tag(self, folder: Folder | str, train: Any = None, dev: Any = None, **keys: Any) -> Keys:
        """Names in sentences that are split at spaces."""
        dev = korean.names(9, start=36) if dev is None and train is None else dev
        named = {"num_labels": 7, "id2label": {str(number): tag for number, tag in enumerate(LABELS)}}
        over = laid({"config": named | {"label2id": {tag: number for number, tag in enumerate(LABELS)}}}, keys)
        return self.run("token-classification", folder, korean.names() if train is None else train, dev, **over)

    def similar(self, folder: Folder | str, train: Any = None, dev: Any = None, **keys: Any) -> Keys:
        """Sentence pairs with a score."""
        dev = korean.similarities(16, start=48) if dev is None and train is None else dev
        rows = korean.similarities() if train is None else train
        return self.run("sentence-similarity", folder, rows, dev, **laid({"data": PAIR["data"] | SCORE}, keys))

    def write(self, folder: Folder | str, train: Any = None, **keys: Any) -> Keys:
        """Running text for a causal language model."""
        over = laid({"encode": {"max_length": 256}}, keys)
        return self.run("causal-lm", folder, korean.plain() if train is None else train, None, **over)

    def fill(self, folder: Folder | str, train: Any = None, **keys: Any) -> Keys:
        """Running text for a masked language model."""
        over = laid({"encode": {"max_length": 128}}, keys)
        return self.run("masked-lm", folder, korean.plain() if train is None else train, None, **over)

    def chat(self, folder: Folder | str, train: Any = None, **keys: Any) -> Keys:
        """Chats."""
        over = laid({"encode": {"max_length": 256}, "training_args": {"learning_rate": 1e-5}}, keys)
        return self.run("chat-sft", folder, korean.chats() if train is None else train, None, **over)


PAIR: Keys = {"data": {"columns": {"text": "sentence1", "text_pair": "sentence2"}}}
SCORE: Keys = {"columns": {"text": "sentence1", "text_pair": "sentence2", "score": "score"}}


def laid(under: Mapping[str, Any], over: Mapping[str, Any]) -> Keys:
    """`over` laid over `under`, tables key by key; `...` removes a key."""
    both = dict(under)
    for key, value in over.items():
        below = both.get(key)
        both[key] = laid(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return {key: value for key, value in both.items() if value is not ...}
