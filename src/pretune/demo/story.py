"""The demo's scenes: what a person is about to train, told as the command they would type, and what it should show.

Writes the folders and files the scenes need; knows nothing of how a report is shown.
"""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.demo import models, sample

if TYPE_CHECKING:
    from collections.abc import Iterator

TRAINING = {"learning_rate": 3e-5, "num_train_epochs": 2, "per_device_train_batch_size": 8, "warmup_steps": 4}
PAGE = Path("report.html")
"""Where the last scene writes its page, beside the demo's folders."""

WINDOWS = {"max_length": 384, "stride": 128, "truncation": "only_second"}


@dataclass(frozen=True, slots=True)
class Scene:
    """One check of the demo.

    Attributes:
        title: what the person does.
        lesson: what there is to see, in a sentence or two.
        model: the folder that is trained.
        keys: the rest of the setup, in the setup file's words.
        shows: names of rules that must be among the findings; empty: there must be no error and no warning.
        beside: further tokenizers that read the data; then how all of them read it is shown.
        page: the file of a page that the report is written to.
    """

    title: str
    lesson: str
    model: Path
    keys: Mapping[str, Any] = field(default_factory=dict)
    shows: tuple[str, ...] = ()
    beside: tuple[Path, ...] = ()
    page: Path | None = None

    @property
    def command(self) -> str:
        """The command line that does the same."""
        words = [*_words(self.model, self.keys), *(f"--tokenizer {shlex.quote(str(path))}" for path in self.beside)]
        if self.page is not None:
            words.append(f"--html {shlex.quote(str(self.page))}")
        return "pretune check " + " ".join(words)


def _words(model: Path, keys: Mapping[str, Any]) -> Iterator[str]:
    yield shlex.quote(str(model))
    for key, value in keys.items():
        if key == "data":
            for split in ("train", "eval"):
                if value.get(split):
                    yield f"--{split} {shlex.quote(str(value[split]))}"
        elif isinstance(value, Mapping):
            for name, inner in value.items():
                yield f"--{key.replace('_', '-')} {name}={inner}"
        else:
            yield f"--{key.replace('_', '-')} {shlex.quote(str(value))}"


def scenes() -> tuple[Scene, ...]:
    """Write what the scenes need into the current folder, and tell them; their paths are names in that folder."""
    minilm = models.minilm(Path())
    korean, english = _by_language()
    planted, dev = (Path(shutil.copy(path(), path().name)) for path in (sample.planted, sample.dev))
    bert, roberta = models.korean_pair(Path())
    squad = {"task": "question-answering", "encode": WINDOWS}
    return (
        Scene(
            "A healthy fine-tune",
            "all-MiniLM-L6-v2, an English model, on the English half of the sample: no error, no warning.",
            minilm,
            {**squad, "data": {"train": english}, "training_args": TRAINING},
        ),
        Scene(
            "The same model on Korean text",
            "Its tokenizer strips accents, which takes every Hangul syllable apart. transformers says nothing.",
            minilm,
            {**squad, "data": {"train": korean}},
            shows=("hangul-read-as-jamo",),
        ),
        Scene(
            "A tokenizer from the sister model",
            "Both have as many entries, by coincidence, as klue/bert-base and klue/roberta-base do. Every id is valid.",
            roberta,
            {**squad, "tokenizer": bert, "data": {"train": korean}},
            shows=("another-vocabulary", "special-ids-disagree"),
        ),
        Scene(
            "A config edit that loads in silence",
            "Half as many attention heads fit every tensor's shape. Dropout may be changed: no remark on that.",
            minilm,
            {"config_update": {"num_attention_heads": 6, "hidden_dropout_prob": 0.2}, "task": "text-classification"},
            shows=("silent-architecture-edit",),
        ),
        Scene(
            "Mistakes in the data",
            "A copy of the sample with twelve planted mistakes, as they happen when files are converted and merged.",
            bert,
            {**squad, "data": {"train": planted, "eval": dev}},
            shows=(
                "answer-start-misaligned",
                "answer-not-in-context",
                "decomposed-hangul",
                "mojibake",
                "invisible-characters",
                "question-ids-repeated",
                "contexts-in-train-and-eval",
            ),
        ),
        Scene(
            "Which tokenizer reads this corpus?",
            "All of the text, read by two tokenizers in one pass; every count is that of encoding each text whole.",
            bert,
            {**squad, "data": {"train": korean}},
            beside=(bert, minilm),
            page=PAGE,
        ),
    )


def english() -> tuple[Path, Path]:
    """The English questions of the sample in the current folder: to learn from, and others."""
    return _by_language()[1], _by_language(sample.dev(), "-dev")[1]


def _by_language(source: Path | None = None, ending: str = "") -> tuple[Path, Path]:
    """The Korean and the English half of a sample (None: the training one), as files of their own."""
    whole = json.loads((source or sample.train()).read_text(encoding="utf-8"))
    halves = []
    for language in ("ko", "en"):
        articles = []
        for article in whole["data"]:
            kept = [p for p in article["paragraphs"] if p["qas"] and p["qas"][0]["id"].startswith(f"{language}-")]
            if kept:
                articles.append({**article, "paragraphs": kept})
        path = Path(f"{'korean' if language == 'ko' else 'english'}{ending}.json")
        path.write_text(json.dumps({**whole, "data": articles}, ensure_ascii=False), encoding="utf-8")
        halves.append(path)
    return halves[0], halves[1]
