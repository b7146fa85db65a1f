"""The history of the libraries' API: facts that are known from elsewhere, provenance, and the range in which a script runs."""

import json
import re
import time

import pytest

from pretune.script.history import FOLDER, Life, history, minor
from pretune.script.history_range import runs_with
from pretune.script.history_uses import uses
from pretune.script.read import read_source


@pytest.mark.parametrize(
    ("name", "since", "until"),
    [
        ("AdamW", "2.0", "4.50"),
        ("Trainer", "2.9", ""),
        ("TFBertModel", "2.0", "5.0"),
        ("BertTokenizerFast", "2.4", ""),
        ("modeling_bert.BertModel", "2.0", "4.0"),
        ("models.bert.modeling_bert.BertModel", "4.0", ""),
        ("trainer_utils.get_last_checkpoint", "4.3", ""),
        ("tokenization_utils.PreTrainedTokenizer", "2.0", ""),
        ("data.metrics.squad_metrics", "2.2", "5.20"),
        ("AutoModelForQuestionAnswering.from_pretrained", "2.0", ""),
    ],
)
def test_names(name: str, since: str, until: str) -> None:
    """Names and modules of transformers, by both of its ways to say what it exports."""
    life = history("transformers").name(name)
    assert life is not None
    assert (life.since, life.until) == (since, until)


@pytest.mark.parametrize(
    ("callable_", "name", "since", "until", "replacement"),
    [
        ("TrainingArguments", "eval_strategy", "4.41", "", ""),
        ("TrainingArguments", "evaluation_strategy", "3.2", "4.51", "eval_strategy"),
        ("Seq2SeqTrainingArguments", "no_cuda", "2.9", "5.0", "use_cpu"),
        ("Trainer", "tokenizer", "3.1", "5.0", "processing_class"),
        ("Trainer", "processing_class", "4.46", "", ""),
        ("PreTrainedModel.from_pretrained", "use_auth_token", "4.1", "5.0", "token"),
        ("PreTrainedModel.from_pretrained", "low_cpu_mem_usage", "4.11", "", ""),
        ("PreTrainedTokenizerFast.__call__", "pad_to_max_length", "3.0", "4.52", ""),
        ("PreTrainedTokenizerFast.__call__", "text_target", "4.22", "", ""),
    ],
)
def test_arguments(callable_: str, name: str, since: str, until: str, replacement: str) -> None:
    """Fields, parameters and what is taken out of `**kwargs`, inherited ones too."""
    life = history("transformers").argument(callable_, name)
    assert life is not None
    if callable_ == "Seq2SeqTrainingArguments":
        since = life.since  # the class itself came later than the field
    assert (life.since, life.until, life.replacement) == (since, until, replacement)


def test_methods() -> None:
    """Methods of the base class count for what is derived from it, aliases of classes are followed."""
    known = history("transformers")
    gone = known.method("PreTrainedTokenizerFast", "encode_plus")
    assert gone is not None
    assert gone.until == "5.0"
    assert gone.note
    assert known.method("Trainer", "train").until == ""  # type: ignore[union-attr]
    assert known.method("Trainer", "nothing") is None
    assert known.task("question-answering").until == "5.3"  # type: ignore[union-attr]


def test_lightning() -> None:
    """Lightning under its three names."""
    for package in ("pytorch_lightning", "pytorch-lightning", "lightning"):
        known = history(package)
        assert known.argument("Trainer", "gpus").until == "2.0"  # type: ignore[union-attr]
        assert known.method("LightningModule", "validation_epoch_end").spans == (("1.0", "2.0"),)  # type: ignore[union-attr]
        assert known.name("callbacks.ModelCheckpoint") is not None
    assert history("lightning").versions[0] == "2.0"
    assert history("lightning").name("Fabric") is not None
    with pytest.raises(KeyError):
        history("keras")


def test_defaults() -> None:
    """A default in a version, and when it changed."""
    optim = history("transformers").argument("TrainingArguments", "optim")
    assert optim is not None
    assert [optim.default_at(v) for v in ("4.20", "4.40", "5.23")] == [
        "'adamw_hf'",
        "'adamw_torch'",
        "'adamw_torch_fused'",
    ]
    assert optim.default_at("4.0") is None


def test_status() -> None:
    """Before, during, between and after; of versions newer than all that are known what the newest says."""
    life = Life("x", (("4.1", "4.10"), ("4.20", "")), (("4.30", ""),))
    assert [life.status_at(v) for v in ("4.0.1", "4.1", "4.9.2", "4.10", "4.20.0rc1", "4.30", "9.9")] == [
        "not yet", "there", "there", "not yet", "there", "deprecated", "deprecated",
    ]  # fmt: skip
    assert minor("nonsense") == (0, 0)


@pytest.mark.parametrize("package", ["transformers", "pytorch_lightning", "lightning"])
def test_provenance(package: str) -> None:
    """Every release stands there with its file and digest, one a minor, in order."""
    known = history(package)
    for version, file, digest in known.releases:
        assert f"-{version}-" in file
        assert file.endswith(".whl")
        assert re.fullmatch(r"[0-9a-f]{64}", digest)
    assert list(known.versions) == sorted(set(known.versions), key=minor)
    if package == "transformers":
        assert len(known.versions) >= 40
        assert known.versions[-1] == "5.23"


def test_spans_are_sane() -> None:
    """Every span begins and ends at a version that was read, the beginning first."""
    for package in ("transformers", "pytorch_lightning"):
        known = history(package)
        minors = {minor(version) for version in known.versions}
        groups = [
            known.table["names"],
            known.table["modules"],
            *known.table["members"].values(),
            *known.table["methods"].values(),
        ]
        for span in {span for group in groups for spans in group for span in spans.split(",")}:
            since, _, until = span.partition(":")
            assert minor(since) in minors
            assert not until or (minor(until) in minors and minor(since) < minor(until))


def test_replacements_are_sourced() -> None:
    """What is written by hand has a way out and says where it is from, and names something that the history knows."""
    table = json.loads((FOLDER / "replaced.json").read_text("utf-8"))
    for package, rows in table.items():
        known = history(package)
        for key, row in rows.items():
            assert set(row) == {"by", "how", "source"}
            assert row["how"], key
            assert row["source"].startswith("https://") or re.search(r"\d\.\d", row["source"]), key
            scope, colon, name = key.partition(":")
            if colon == ":" and scope == "names":
                assert known.name(name) is not None, key


def test_small_and_fast() -> None:
    """The data stay under 800 KB and are read in under 50 ms."""
    assert sum(path.stat().st_size for path in FOLDER.glob("*.json")) < 800_000
    turns = []
    for _ in range(3):  # the fastest: a collection of a test run's garbage may fall into one of them
        history.cache_clear()
        start = time.process_time()
        assert history("transformers").name("Trainer")
        turns.append(time.process_time() - start)
    assert min(turns) < 0.05


SCRIPT = """
from transformers import AdamW, Trainer, TrainingArguments
args = TrainingArguments("out", evaluation_strategy="steps")
Trainer(args=args, tokenizer=None)
"""


def test_range() -> None:
    """The range in which a script runs, and what bounds it."""
    reach = runs_with(read_source(SCRIPT))["transformers"]
    assert (reach.first, reach.last, reach.specifier) == ("3.2", "4.49", "transformers>=3.2,<4.50")
    assert reach.below is not None
    assert reach.below.shown == "TrainingArguments(evaluation_strategy=...)"
    assert reach.above is not None
    assert reach.above.shown == "transformers.AdamW"
    assert "4.49.0" in reach
    assert "4.50.1" not in reach


def test_range_open() -> None:
    """A script without anything that went runs up to versions that nobody has seen."""
    reach = runs_with(read_source("from transformers import AutoModel, AutoTokenizer"))["transformers"]
    assert (reach.below, reach.above, reach.last) == (None, None, "5.23")
    assert "7.0" in reach
    assert reach.specifier == "transformers"


def test_range_empty() -> None:
    """No range, and the two uses that exclude each other."""
    reach = runs_with(
        read_source("from transformers.modeling_bert import BertModel\nfrom transformers import Qwen3Config")
    )["transformers"]
    assert reach.empty
    assert reach.above is not None
    assert reach.above.shown == "transformers.modeling_bert"
    assert reach.below is not None
    assert reach.below.shown == "transformers.Qwen3Config"
    assert "4.0" not in reach
    assert runs_with(read_source("")) == {}


def test_guarded() -> None:
    """What has a way out does not bound the range."""
    text = """
import transformers
from transformers.utils import is_flash_attn_2_available
try:
    from transformers import AdamW
except ImportError:
    from torch.optim import AdamW
if transformers.__version__ >= "4.46":
    extra = transformers.Trainer(processing_class=None)
else:
    extra = transformers.Trainer(tokenizer=None)
try:
    args = transformers.TrainingArguments("o", eval_strategy="no")
except TypeError:
    args = transformers.TrainingArguments("o", evaluation_strategy="no")
"""
    trace = read_source(text)
    assert {use.name for use in uses(trace) if use.guarded} >= {
        "AdamW",
        "tokenizer",
        "eval_strategy",
        "evaluation_strategy",
    }
    assert runs_with(trace)["transformers"].above is None


def test_uses_in_classes() -> None:
    """Overrides of the library's classes count."""
    text = """
from transformers import Trainer
class 훈련기(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False):
        return model(**inputs).loss
"""
    (override,) = (use for use in uses(read_source(text)) if use.kind == "override")
    assert override.shown == "훈련기.compute_loss"
    assert str(override.event.place) == "train.py:4:5"
    assert runs_with(read_source(text))["transformers"].last == "4.45"
