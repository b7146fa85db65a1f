"""The commands and the Python of the pages on training, run with a tiny model in place of MODEL; the demo's own example
stands in test_train_pages.py.
"""

import json
import re
import shutil
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest

from knock import runs
from knock.webhook import Webhook
from page_blocks import DOCS
from played_pages import BLOCK, exchanged, played

pytest.importorskip("torch")
pytest.importorskip("transformers")

from train import tiny_runs

PAGE = (DOCS / "train.md").read_text("utf-8")
COMMANDS = [
    line
    for kind, body in BLOCK.findall(PAGE)
    if kind == "console"
    for line in body.splitlines()
    if line.startswith("$ ") and "all-MiniLM-L6-v2" not in line
]
CODE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
TASKS = ("classify", "tag", "pairs")
RECIPE = 'task = "text-classification"\nmodel = "MODEL"\n[data]\ntrain = "{train}"\neval = "dev.tsv"\n[training_args]\noutput_dir = "DIR"\n'
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with the vocabulary of the sample."""
    return tiny_runs.model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture
def here(tiny: Path, tmp_path: Path) -> Path:
    """A folder with that model as MODEL, and a few questions as train.json and dev.json."""
    shutil.copytree(tiny, tmp_path / "MODEL")
    context = "서울은 대한민국의 수도이고 인구는 900만 명이다."
    answer = {"text": "900만", "answer_start": context.index("900만")}
    for name, first in (("train.json", 0), ("dev.json", 4)):
        asked = [
            {"id": str(n), "question": f"인구는 얼마인가 {n}?", "answers": [answer]} for n in range(first, first + 4)
        ]
        text = f"{context} {first}"
        squad = {"data": [{"title": "서울", "paragraphs": [{"context": text, "qas": asked}]}]}
        (tmp_path / name).write_text(json.dumps(squad, ensure_ascii=False), "utf-8")
    return tmp_path


def files(folder: Path, task: str, names: list[str]) -> None:
    """A few rows of a task in files of these names, in words that the sample's vocabulary has; no row in two of them."""
    for at, name in enumerate(names):
        texts = [f"서울은 대한민국의 수도이고 인구는 {100 * at + n}만 명이다" for n in range(8)]
        if task == "tag":
            rows = [
                "".join(f"{word}\t{'B-LC' if word[:2] == '서울' else 'O'}\n" for word in text.split()) for text in texts
            ]
        elif task == "pairs":
            rows = [
                "sentence1\tsentence2\tscore",
                *(f"{text}\t{texts[n // 2]}\t{n % 5}.0" for n, text in enumerate(texts)),
            ]
        else:
            rows = ["document\tlabel", *(f"{text}\t{n % 2}" for n, text in enumerate(texts))]
        (folder / name).write_text("\n".join(rows) + "\n", "utf-8")


@pytest.mark.parametrize("line", COMMANDS, ids=lambda line: " ".join(line.split()[2:5]))
def test_each_command(line: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It trains, and leaves a model and a page."""
    for name, value in runs.home(here).items():
        monkeypatch.setenv(name, value)
    words = line.split()
    if words[3] in TASKS:
        files(here, words[3], [word for word in words if word.endswith(".tsv")])
    elif words[3] == "recipe.toml":
        files(here, "classify", ["train.tsv", "dev.tsv"])
        (here / "recipe.toml").write_text(RECIPE.format(train="train.tsv"), "utf-8")
    with Webhook() as webhook:
        played(f"```console\n{line}\n```", here, stands={"https://hooks.slack.com/services/…": webhook.url})
        if "--knock" in words:
            webhook.wait("finished")
    assert {"model.safetensors", "report.html"} <= {path.name for path in (here / "DIR").iterdir()}


def test_the_python(here: Path) -> None:
    """Rows in memory are trained on; a folder with a pooling is read by both libraries, with the same logits."""
    pytest.importorskip("sentence_transformers")
    files(here, "classify", ["dev.tsv", "train.tsv"])
    there: dict[str, Any] = {}
    with chdir(here):
        in_memory, by_sentence_transformers, by_transformers = CODE
        exec(compile(in_memory, "train.md", "exec"), there)
        assert there["done"].folder.name == "DIR"
        shutil.rmtree("DIR")
        played(
            "```console\n$ pretune train classify --model MODEL --train train.tsv --dev dev.tsv --out DIR --pooling mean --max-steps 1\n```",
            here,
        )
        exec(compile(by_sentence_transformers, "train.md", "exec"), there)
        ours = there["logits"][0]
        exec(compile(by_transformers, "train.md", "exec"), there)
    assert there["logits"][0].tolist() == pytest.approx(ours.tolist(), abs=1e-5)
    assert len(there["labels"]) == 1


def test_the_script_that_is_left(here: Path) -> None:
    """It is written, and trains."""
    page = DOCS / "train-eject.md"
    played(exchanged(page.read_text("utf-8"), {}), here)
    assert (here / "run" / "model.safetensors").is_file()
