"""API: names, modules, arguments and methods against the version that a script is to run under."""

from typing import Any

import pytest

from api_scripts import found
from pretune.check.rules import api, api_classes
from pretune.check.rules.api import (
    argument_gone,
    argument_ignored,
    argument_not_yet_there,
    deprecated_here,
    method_gone,
    module_moved,
    name_gone,
    name_not_yet_there,
    name_of_no_version,
    pipeline_task_gone,
    uses_without_common_version,
)

MODERN = '''
"""한국어 MRC를 위한 학습 스크립트."""
from dataclasses import dataclass, field

import torch
from transformers import (
    AutoConfig, AutoModelForQuestionAnswering, AutoTokenizer, DataCollatorWithPadding, EarlyStoppingCallback, HfArgumentParser,
    Trainer, TrainingArguments, get_linear_schedule_with_warmup, set_seed,
)
from transformers.trainer_utils import EvalPrediction, get_last_checkpoint
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.models.bert.modeling_bert import BertEncoder
from transformers.utils import logging
from transformers.utils.versions import require_version


@dataclass
class ModelArguments:
    model_name_or_path: str = field(default="klue/bert-base")


class QATrainer(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False, **kwargs):
        return super().compute_loss(model, inputs, return_outputs=return_outputs, **kwargs)

    def log(self, logs, *args):
        super().log(logs, *args)


def main():
    parser = HfArgumentParser((ModelArguments, TrainingArguments))
    model_args, training_args = parser.parse_args_into_dataclasses()
    set_seed(training_args.seed)
    config = AutoConfig.from_pretrained(model_args.model_name_or_path, num_labels=2)
    tokenizer = AutoTokenizer.from_pretrained(model_args.model_name_or_path, use_fast=True, model_max_length=384)
    model = AutoModelForQuestionAnswering.from_pretrained(
        model_args.model_name_or_path, config=config, attn_implementation="sdpa", ignore_mismatched_sizes=True
    )
    tokenizer.add_special_tokens({"additional_special_tokens": ["[TITLE]"]})
    model.resize_token_embeddings(len(tokenizer))
    encoded = tokenizer("질문", "본문", truncation="only_second", max_length=384, stride=128, padding="max_length",
                        return_overflowing_tokens=True, return_offsets_mapping=True)
    args = TrainingArguments(output_dir="out", eval_strategy="steps", eval_steps=100, save_total_limit=2, report_to="none",
                             per_device_train_batch_size=16, fp16=torch.cuda.is_available(), load_best_model_at_end=True)
    trainer = QATrainer(model=model, args=args, processing_class=tokenizer, callbacks=[EarlyStoppingCallback()],
                        data_collator=DataCollatorWithPadding(tokenizer, pad_to_multiple_of=8))
    trainer.train(resume_from_checkpoint=get_last_checkpoint("out"))
    trainer.save_model()
    model.push_to_hub("me/model")
    print(tokenizer.batch_decode(model.generate(**encoded, max_new_tokens=5)))


if __name__ == "__main__":
    main()
'''

LIGHTNING = """
import lightning as L
from lightning.pytorch.callbacks import EarlyStopping, LearningRateMonitor, ModelCheckpoint
from lightning.pytorch.loggers import WandbLogger

class Net(L.LightningModule):
    def training_step(self, batch, batch_idx):
        loss = self(batch).loss
        self.log("loss", loss, prog_bar=True)
        return loss
    def on_validation_epoch_end(self):
        self.log("f1", 1.0)
    def configure_optimizers(self):
        return None

trainer = L.Trainer(accelerator="gpu", devices=1, max_epochs=3, precision="16-mixed", callbacks=[ModelCheckpoint(monitor="f1")])
trainer.fit(Net(), ckpt_path=None)
"""

GUARDED = """
import transformers
from packaging import version
try:
    from transformers import AdamW
except ImportError:
    from torch.optim import AdamW
try:
    args = transformers.TrainingArguments("out", eval_strategy="steps")
except TypeError:
    args = transformers.TrainingArguments("out", evaluation_strategy="steps")
if version.parse(transformers.__version__) < version.parse("5.0"):
    trainer = transformers.Trainer(args=args, tokenizer=None)
else:
    trainer = transformers.Trainer(args=args, processing_class=None)
"""


@pytest.mark.parametrize("rule", [*api.RULES, *api_classes.RULES], ids=lambda rule: rule.code)
@pytest.mark.parametrize(
    "text", [MODERN, LIGHTNING, GUARDED, "", "print('안녕')"], ids=["modern", "lightning", "guarded", "empty", "other"]
)
def test_healthy(rule: Any, text: str) -> None:
    """Scripts in today's style, and one that runs under several versions by its own tests, give nothing."""
    assert found(rule, text) == []


OLD_AND_NEW = """
from transformers.modeling_bert import BertModel
from transformers import TrainingArguments
args = TrainingArguments("out", eval_strategy="no")
"""

CASES = [
    (name_gone, "from transformers import AdamW", {}, "transformers.AdamW is gone since transformers 4.50"),
    (name_gone, "from transformers import TFBertModel", {}, "transformers.TFBertModel is gone since transformers 5.0"),
    (name_gone, "import transformers\nt = transformers.AutoModelWithLMHead.from_pretrained('x')", {}, "AutoModelWithLMHead"),
    (name_gone, "from transformers.trainer_utils import EvaluationStrategy", {}, "trainer_utils.EvaluationStrategy"),
    (name_gone, "from transformers import squad_convert_examples_to_features", {}, "squad_convert_examples_to_features"),
    (name_gone, "from transformers import is_torch_available\nif is_torch_available():\n    from transformers import AdamW", {}, "AdamW"),
    (name_not_yet_there, "from transformers import BitsAndBytesConfig", {"transformers": "4.20"}, "came with transformers 4."),
    (name_not_yet_there, "from transformers import Trainer", {"transformers": "2.5.1"}, "came with transformers 2.9"),
    (name_not_yet_there, "from transformers.models.bert.modeling_bert import BertModel", {"transformers": "3.5.1"}, "4.0"),
    (module_moved, "from transformers.modeling_bert import BertModel", {}, "transformers.modeling_bert is gone since transformers 4.0"),
    (module_moved, "from pytorch_lightning.metrics import Accuracy", {}, "pytorch_lightning.metrics is gone since pytorch-lightning 1.5"),
    (module_moved, "from transformers.data.metrics.squad_metrics import squad_evaluate", {}, "transformers.data.metrics"),
    (module_moved, "from transformers.tokenization_bert import BertTokenizer", {}, "transformers.tokenization_bert"),
    (pipeline_task_gone, "from transformers import pipeline\nqa = pipeline('question-answering')", {}, "since transformers 5.3"),
    (pipeline_task_gone, "from transformers import pipeline\nqa = pipeline(task='summarization', model='x')", {}, "5.0"),
    (pipeline_task_gone, "import transformers\nq = transformers.pipeline('zero-shot-classification')", {"transformers": "3.0"}, "3.1"),
    (argument_gone, "from transformers import TrainingArguments as T\nT('o', evaluation_strategy='no')", {}, "since transformers 4.51"),
    (argument_gone, "from transformers import Seq2SeqTrainingArguments as T\nT('o', no_cuda=True)", {}, "since transformers 5.0"),
    (argument_gone, "from transformers import Trainer\nt = Trainer(model=None, tokenizer=None)", {}, "Trainer(tokenizer=...)"),
    (argument_gone, "from transformers import BertModel\nBertModel.from_pretrained('x', use_auth_token=True)", {}, "use_auth_token"),
    (argument_gone, "import pytorch_lightning as pl\npl.Trainer(gpus=1)", {}, "since pytorch-lightning 2.0"),
    (argument_gone, "from lightning import Trainer\nTrainer(progress_bar_refresh_rate=1)", {}, "progress_bar_refresh_rate"),
    (argument_gone, "from transformers import Trainer\nclass T(Trainer):\n    pass\nT(model=None, tokenizer=None)", {}, "tokenizer"),
    (argument_not_yet_there, "from transformers import TrainingArguments\nTrainingArguments('o', eval_strategy='no')",
     {"transformers": "4.40.2"}, "came with transformers 4.41"),
    (argument_not_yet_there, "from transformers import AutoModel\nAutoModel.from_pretrained('x', dtype='auto')",
     {"transformers": "4.55.4"}, "4.56"),
    (argument_not_yet_there, "import pytorch_lightning as pl\npl.Trainer(accelerator='gpu', devices=1)",
     {"pytorch_lightning": "1.3.8"}, "came with pytorch-lightning 1.4"),
    (argument_ignored, "from transformers import AutoTokenizer\nt = AutoTokenizer.from_pretrained('x')\nt('a', pad_to_max_length=True)",
     {}, "since transformers 4.52, and the script is to run under 5.23.0: it is taken and does nothing"),
    (argument_ignored, "from transformers import BertTokenizer\nt = BertTokenizer.from_pretrained('x')\nt(['a'], is_pretokenized=True)",
     {}, "is_pretokenized"),
    (argument_ignored, "from transformers import AutoTokenizer\nAutoTokenizer.from_pretrained('x', use_fast=False)", {}, "use_fast=False"),
    (argument_ignored, "from transformers import AutoTokenizer\nAutoTokenizer.from_pretrained('x', use_auth_token=True)", {}, "5.0"),
    (deprecated_here, "from transformers import AutoModel\nAutoModel.from_pretrained('x', torch_dtype='auto')", {}, "since transformers 4.56"),
    (deprecated_here, "from transformers import TrainingArguments as T\nT('o', evaluation_strategy='no')",
     {"transformers": "4.45"}, "since transformers 4.41, and is gone since 4.51"),
    (deprecated_here, "from transformers import AdamW", {"transformers": "4.40"}, "is deprecated since transformers 4.16"),
    (deprecated_here, "from transformers import Trainer\nTrainer(model=None, tokenizer=None)", {"transformers": "4.57"}, "4.46"),
    (method_gone, "from transformers import AutoTokenizer\nt = AutoTokenizer.from_pretrained('x')\nt.encode_plus('a')", {}, "encode_plus"),
    (method_gone, "from transformers import BertTokenizer\nt = BertTokenizer.from_pretrained('x')\nt.prepare_for_model([1])", {}, "5.0"),
    (method_gone, "from transformers import AutoTokenizer\nt = AutoTokenizer.from_pretrained('x')\nwith t.as_target_tokenizer():\n    pass",
     {}, "as_target_tokenizer"),
    (method_gone, "from transformers import AutoTokenizer\nt = AutoTokenizer.from_pretrained('x')\nt.apply_chat_template([])",
     {"transformers": "4.30"}, "came with transformers 4.34"),
    (uses_without_common_version, OLD_AND_NEW, {}, "no version of transformers has both transformers.modeling_bert"),
    (uses_without_common_version, "from transformers import AdamW, Qwen3Config", {}, "transformers.AdamW"),
    (uses_without_common_version, "import pytorch_lightning as pl\npl.Trainer(gpus=1, use_distributed_sampler=True)", {}, "Trainer(gpus=...)"),
    (name_of_no_version, "from transformers import KoBertTokenizer", {}, "has `KoBertTokenizer`"),
    (name_of_no_version, "from transformers import BertTokenizr", {}, "has `BertTokenizr`"),
    (name_of_no_version, "from transformers import AutoModelForQuestionAnswerings as A", {"transformers": "4.40"}, "has `AutoModelFor"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "text", "target", "message"), CASES)
def test_found(rule: Any, text: str, target: dict[str, str], message: str) -> None:
    """Each rule finds what it is for, says since when, and where it stands."""
    findings = found(rule, text, **target)
    assert [message in finding.message for finding in findings] == [True], findings
    assert findings[0].where.startswith("train.py:")
    assert findings[0].help


QUIET = [
    (name_gone, "from transformers import AdamW", {"transformers": "4.40"}),
    (name_gone, "from transformers import BertTokenizerFast, ElectraTokenizerFast, XLMRobertaTokenizer", {}),
    (name_gone, "from transformers import *", {}),
    (name_gone, "import transformers\nif hasattr(transformers, 'TFBertModel'):\n    from transformers import TFBertModel", {}),
    (name_not_yet_there, "from transformers import BitsAndBytesConfig", {"transformers": "4.40"}),
    (module_moved, "from transformers.models.bert.modeling_bert import BertModel", {}),
    (module_moved, "from transformers.tokenization_utils_base import PreTrainedTokenizerBase", {}),
    (module_moved, "from transformers.file_utils import is_torch_available", {}),
    (pipeline_task_gone, "from transformers import pipeline\np = pipeline('text-classification')", {}),
    (pipeline_task_gone, "from transformers import pipeline\np = pipeline(input())", {}),
    (pipeline_task_gone, "from transformers import pipeline\np = pipeline('question-answering')", {"transformers": "4.57"}),
    (argument_gone, "from transformers import TrainingArguments as T\nT('o', evaluation_strategy='no')", {"transformers": "4.45"}),
    (argument_gone, "from transformers import TrainingArguments as T\nk = load()\nT('o', **k)", {}),
    (argument_gone, "from transformers import AutoModel\nAutoModel.from_pretrained('x', low_cpu_mem_usage=True)", {}),
    (argument_gone, "def Trainer(tokenizer): ...\nTrainer(tokenizer=1)", {}),
    (argument_not_yet_there, "from transformers import AutoTokenizer\nAutoTokenizer.from_pretrained('x', token='a')", {"transformers": "4.20"}),
    (argument_not_yet_there, "from transformers import TrainingArguments as T\nT('o', eval_strategy='no')", {"transformers": "4.41.0"}),
    (argument_ignored, "from transformers import AutoTokenizer\nt = AutoTokenizer.from_pretrained('x')\nt('a', pad_to_max_length=True)",
     {"transformers": "4.40"}),
    (argument_ignored, "from transformers import AutoTokenizer\nAutoTokenizer.from_pretrained('x', use_fast=False)", {"transformers": "4.57"}),
    (argument_ignored, "from transformers import AutoTokenizer\nAutoTokenizer.from_pretrained('x', model_max_length=512)", {}),
    (deprecated_here, "from transformers import AutoModel\nAutoModel.from_pretrained('x', torch_dtype='auto')", {"transformers": "4.50"}),
    (deprecated_here, "import pytorch_lightning as pl\nt = pl.Trainer()\nt.fit(None)", {"pytorch_lightning": "1.5"}),
    (deprecated_here, "from transformers import TrainingArguments as T\nT('o')", {}),
    (method_gone, "from somewhere import tokenizer\ntokenizer.encode_plus('a')", {}),
    (method_gone, "from transformers import AutoTokenizer\nt = AutoTokenizer.from_pretrained('x')\nt.encode_plus('a')", {"transformers": "4.57"}),
    (method_gone, "from transformers import AutoModelForCausalLM\nm = AutoModelForCausalLM.from_pretrained('x')\nm.generate()", {}),
    (uses_without_common_version, "from transformers import AdamW, Trainer\nTrainer(model=None, tokenizer=None)", {}),
    (uses_without_common_version, "from transformers.modeling_bert import BertModel", {}),
    (name_of_no_version, "try:\n    from transformers import KoBertTokenizer\nexcept ImportError:\n    pass", {}),
    (name_of_no_version, "from transformers import AdamW, logging, TFBertModel", {}),
    (name_of_no_version, "from transformers import SomethingOfTomorrow", {"transformers": "6.1"}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "text", "target"), QUIET)
def test_quiet(rule: Any, text: str, target: dict[str, str]) -> None:
    """What fits the version, what only a run would know and what is not the library's gives nothing."""
    assert found(rule, text, **target) == []


OLD = "from transformers import AdamW, Nothing\nimport pytorch_lightning.metrics"


def test_no_target() -> None:
    """Of a package that is not there, and is not named, nothing is said."""
    for rule in (*api.RULES, *api_classes.RULES):
        assert (
            found(
                rule,
                "from transformers import AdamW, Nothing\nimport pytorch_lightning.metrics",
                transformers="",
                pytorch_lightning="",
            )
            == []
            or rule is uses_without_common_version
        )


def test_two_places() -> None:
    """Two uses that exclude each other are both named, with their places."""
    (finding,) = found(uses_without_common_version, OLD_AND_NEW)
    assert (finding.where, finding.also) == ("train.py:2:1", ("train.py:4:8",))
