"""VOC and TOK on published tokenizers: quiet on data of their own language, and not on another's."""

import unicodedata
from pathlib import Path
from typing import Any

import pytest

from pretune.check.engine import run
from pretune.check.facts import Facts
from pretune.check.finding import Level
from pretune.check.rules import all_rules, select
from pretune.check.sources.setup import Data, Setup

RULES = select(all_rules(), ["VOC", "TOK"])
KORQUAD = "data/korquad-1.0-dev/KorQuAD_v1.0_dev.json"
NSMC = "data/nsmc/dev.tsv"
NLI = "data/klue-1.1-dev/klue-nli-v1.1_dev.json"
STS = "data/klue-1.1-dev/klue-sts-v1.1_dev.json"
SQUAD = "data/squad2-course-split/dev-v2.0.json"
TASKS = {
    KORQUAD: "question-answering", SQUAD: "question-answering", NSMC: "text-classification", NLI: "pair-classification",
    STS: "sentence-similarity",
}  # fmt: skip
KOREAN = (
    "exaone4-1.2b", "kcbert-base", "klue-bert-base-reconstructed", "klue-roberta-base", "kobert-converted", "kobigbird",
    "koelectra-base-v1", "koelectra-base-v3", "kogpt2-base-v2", "kpfbert", "bert-base-multilingual-cased",
)  # fmt: skip
ENGLISH = ("bert-base-cased", "bert-base-uncased", "gpt2", "roberta-base", "llama2", "bert-base-multilingual-cased")
FAST = ("kcbert-base", "klue-roberta-base", "kobert-converted", "bert-base-uncased", "gpt2")
"""One of each algorithm and of each order of special tokens; the others are asked by `make test-all`."""
LARGE = ("llama3.1", "qwen3", "xlm-roberta-base")
TRUE = {
    ("klue-roberta-base", "segment-out-of-range"),  # T23: two segments from BertTokenizer, one in the model
    ("kobert-converted", "segments-dropped"),  # T42: PreTrainedTokenizerFast without model_input_names
}
"""Real faults of the folders as published, on pairs of texts."""


def each(names: tuple[str, ...]) -> list[Any]:
    """The names as parameters, those that are not FAST marked slow."""
    return [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in names]


def setup(folder: Path, **said: Any) -> Setup:
    """A setup of a folder, as a model where it has a config."""
    if (folder / "config.json").exists():
        return Setup(model=str(folder), **said)
    return Setup(tokenizer=str(folder), **said)


def grave(asked: Setup) -> dict[str, str]:
    """Name -> level of what is found at warning or above."""
    report = run(RULES, Facts(asked, sample=500))
    return {finding.name: finding.level.value for finding in report.at_least(Level.WARNING)}


@pytest.mark.parametrize(
    "name",
    sorted({*KOREAN, *ENGLISH, *LARGE} - set(LARGE)) + [pytest.param(name, marks=pytest.mark.slow) for name in LARGE],
)
def test_alone(shared_assets: Path, name: str) -> None:
    """Files alone."""
    assert grave(setup(shared_assets / "tokenizers" / name)) == {}


@pytest.mark.parametrize("data", [KORQUAD, *(pytest.param(data, marks=pytest.mark.slow) for data in (NSMC, NLI, STS))])
@pytest.mark.parametrize("name", each(KOREAN))
def test_korean(shared_assets: Path, name: str, data: str) -> None:
    """Korean tokenizers, and multilingual BERT, on Korean data."""
    files = Data(train=(str(shared_assets / data),))
    wrong = grave(setup(shared_assets / "tokenizers" / name, task=TASKS[data], data=files))
    assert {found for found in wrong if (name, found) not in TRUE} == set()


@pytest.mark.parametrize("name", each(ENGLISH))
def test_english(shared_assets: Path, name: str) -> None:
    """English tokenizers on English data."""
    files = Data(train=(str(shared_assets / SQUAD),))
    assert grave(setup(shared_assets / "tokenizers" / name, task="question-answering", data=files)) == {}


def test_minilm(minilm: Path, shared_assets: Path) -> None:
    """MiniLM is quiet alone and on English, and named on Korean."""
    assert grave(setup(minilm)) == {}
    english, korean = (Data(train=(str(shared_assets / data),)) for data in (SQUAD, KORQUAD))
    assert grave(setup(minilm, task="question-answering", data=english)) == {}
    assert grave(setup(minilm, task="question-answering", data=korean)) == {
        "language-not-read": "error",
        "hangul-read-as-jamo": "error",
    }


@pytest.mark.slow
def test_multilingual_e5(shared_assets: Path) -> None:
    """multilingual-e5-small is quiet alone and on Korean."""
    folder = shared_assets / "models" / "multilingual-e5-small"
    assert grave(setup(folder)) == {}
    files = Data(train=(str(shared_assets / NSMC),))
    assert grave(setup(folder, task="text-classification", data=files)) == {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bert-base-cased", {"language-not-read": "error"}),
        ("bert-base-uncased", {"language-not-read": "error", "hangul-read-as-jamo": "error"}),
        ("gpt2", {"words-in-many-pieces": "warning"}),
        ("roberta-base", {"words-in-many-pieces": "warning"}),
        ("llama2", {"byte-fallback-heavy": "warning"}),
    ],
)
def test_wrong_language(shared_assets: Path, name: str, expected: dict[str, str]) -> None:
    """T04: tokenizers made without Korean, on Korean reviews."""
    files = Data(train=(str(shared_assets / NSMC),))
    assert grave(setup(shared_assets / "tokenizers" / name, task="text-classification", data=files)) == expected


@pytest.mark.parametrize(
    ("model", "tokenizer"),
    [("klue-roberta-base", "klue-bert-base-reconstructed"), ("klue-bert-base-reconstructed", "klue-roberta-base")],
)
def test_klue_crossing(shared_assets: Path, model: str, tokenizer: str) -> None:
    """T01: klue's BERT and RoBERTa tokenizers, 32,000 entries each, taken for one another."""
    folders = shared_assets / "tokenizers"
    asked = Setup(model=str(folders / model), tokenizer=str(folders / tokenizer))
    assert grave(asked)["another-vocabulary"] == "error"


def test_kcbert_without_its_config(shared_assets: Path, tmp_path: Path) -> None:
    """KcBERT as first published: the class's do_lower_case takes Hangul apart."""
    for name in ("vocab.txt", "config.json"):
        (tmp_path / name).write_bytes((shared_assets / "tokenizers" / "kcbert-base" / name).read_bytes())
    files = Data(train=(str(shared_assets / NSMC),))
    assert grave(setup(tmp_path, task="text-classification", data=files)) == {
        "hangul-taken-apart": "error",
        "language-not-read": "error",
    }


def test_nfd(shared_assets: Path, tmp_path: Path) -> None:
    """T10: data written by macOS on a tokenizer that does not compose."""
    text = (shared_assets / "corpora" / "ko" / "korquad_dev_contexts.txt").read_text("utf-8")[:20_000]
    (tmp_path / "train.txt").write_text(unicodedata.normalize("NFD", text), "utf-8")
    files = Data(train=(str(tmp_path / "train.txt"),))
    asked = setup(shared_assets / "tokenizers" / "klue-roberta-base", task="masked-lm", data=files)
    assert grave(asked) == {"decomposed-text-unknown": "error"}
