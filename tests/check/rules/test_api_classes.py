"""API: what a script's own Trainer or LightningModule overrides, and defaults that changed under it."""

from typing import Any

import pytest

from api_scripts import found
from pretune.check.rules.api_classes import (
    default_changed,
    hook_never_called,
    override_does_not_fit,
    segments_lost,
    training_argument_read_but_gone,
)

TRAINER = "from transformers import Trainer\nclass MyTrainer(Trainer):\n    def {}\n        return 0\n"
MODULE = "import pytorch_lightning as pl\nclass Net(pl.LightningModule):\n    def {}\n        return 0\n"
PAIR = "from transformers import PreTrainedTokenizerFast as P\nt = P.from_pretrained('x'{})\nt({})"
OLD = "from transformers import AutoModel, TrainingArguments as T\nT('o', evaluation_strategy='no'{})\nAutoModel.from_pretrained('x'{})"

CASES = [
    (override_does_not_fit, TRAINER.format("compute_loss(self, model, inputs, return_outputs=False):"), {},
     "does not take `num_items_in_batch`, which the Trainer hands over since transformers 4.46"),
    (override_does_not_fit, TRAINER.format("training_step(self, model, inputs):"), {}, "num_items_in_batch"),
    (override_does_not_fit, TRAINER.format("log(self, logs):"), {}, "`start_time`"),
    (override_does_not_fit, TRAINER.format("_get_train_sampler(self):"), {}, "4.52"),
    (override_does_not_fit, MODULE.format("validation_epoch_end(self, outputs):"), {}, "is refused since pytorch-lightning 2.0"),
    (override_does_not_fit, MODULE.format("training_step(self, batch, batch_idx, optimizer_idx):"), {}, "takes `optimizer_idx`"),
    (hook_never_called, MODULE.format("training_step_end(self, outputs):"), {}, "gone since pytorch-lightning 2.0"),
    (hook_never_called, MODULE.format("on_epoch_end(self):"), {}, "it is never called"),
    (hook_never_called, MODULE.format("on_pretrain_routine_start(self):"), {}, "on_pretrain_routine_start"),
    (training_argument_read_but_gone, TRAINER.format("evaluate(self):\n        loop = self.args.use_legacy_prediction_loop"), {},
     "self.args.use_legacy_prediction_loop is gone since transformers 5.0"),
    (training_argument_read_but_gone, TRAINER.format("predict(self):\n        p = self.args.past_index"), {}, "past_index"),
    (training_argument_read_but_gone, TRAINER.format("evaluate(self):\n        b = self.args.per_gpu_eval_batch_size"), {},
     "per_gpu_eval_batch_size"),
    (default_changed, OLD.format("", ", torch_dtype='auto'"), {"transformers": "5.23"}, "report_to is left to its default"),
    (default_changed, OLD.format(", report_to='none'", ""), {"transformers": "5.23"}, "dtype is left to its default"),
    (default_changed, "import pytorch_lightning as pl\npl.Trainer(max_epochs=3, progress_bar_refresh_rate=1)", {}, "accelerator is left"),
    (segments_lost, PAIR.format("", "'a', 'b'"), {}, "no token_type_ids for a pair"),
    (segments_lost, PAIR.format("", "'a', text_pair='b'"), {}, "5.23.0"),
    (segments_lost, PAIR.format("", "['a'], ['b'], truncation=True, padding=True"), {}, "4.57"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "text", "target", "message"), CASES)
def test_found(rule: Any, text: str, target: dict[str, str], message: str) -> None:
    """Each rule finds what it is for."""
    findings = found(rule, text, **target)
    assert [message in finding.message for finding in findings] == [True], findings
    assert findings[0].help


QUIET = [
    (override_does_not_fit, TRAINER.format("compute_loss(self, model, inputs, return_outputs=False, **kwargs):"), {}),
    (override_does_not_fit, TRAINER.format("compute_loss(self, model, inputs, return_outputs=False):"), {"transformers": "4.45"}),
    (override_does_not_fit, TRAINER.format("compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):"), {}),
    (override_does_not_fit, TRAINER.format("log(self, *args, **kwargs):"), {}),
    (override_does_not_fit, MODULE.format("on_validation_epoch_end(self):"), {}),
    (override_does_not_fit, "class Trainer: ...\nclass Mine(Trainer):\n    def compute_loss(self, model, inputs): ...", {}),
    (hook_never_called, MODULE.format("on_train_epoch_end(self):"), {}),
    (hook_never_called, MODULE.format("training_step_end(self, outputs):"), {"pytorch_lightning": "1.9"}),
    (hook_never_called, MODULE.format("training_step_end(self, o):\n        pass\n    def training_step(self, b, i):\n"
     "        return self.training_step_end(b)"), {}),
    (training_argument_read_but_gone, TRAINER.format("evaluate(self):\n        b = self.args.eval_batch_size"), {}),
    (training_argument_read_but_gone, TRAINER.format("evaluate(self):\n        b = self.args.past_index"), {"transformers": "4.57"}),
    (training_argument_read_but_gone, "class A:\n    def f(self):\n        return self.args.past_index\nA().f()", {}),
    (default_changed, OLD.format(", report_to='all'", ", torch_dtype='auto'"), {"transformers": "5.23"}),
    (default_changed, "from transformers import TrainingArguments as T\nT('o', eval_strategy='no')", {}),
    (default_changed, OLD.format("", ""), {"transformers": "4.50"}),
    (segments_lost, PAIR.format("", "'a'"), {}),
    (segments_lost, PAIR.format("", "'a', 'b'"), {"transformers": "4.57"}),
    (segments_lost, PAIR.format("", "'a', 'b', return_token_type_ids=True"), {}),
    (segments_lost, PAIR.format(", model_input_names=['input_ids', 'token_type_ids']", "'a', 'b'"), {}),
    (segments_lost, "from transformers import AutoTokenizer as P\nt = P.from_pretrained('x')\nt('a', 'b')", {}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "text", "target"), QUIET)
def test_quiet(rule: Any, text: str, target: dict[str, str]) -> None:
    """What fits the version gives nothing."""
    assert found(rule, text, **target) == []


def test_an_argument_that_is_asked_for_is_no_fault() -> None:
    """A Trainer that reads an old argument only where it is there works with every version."""
    body = """_save(self):
        if hasattr(self.args, "save_safetensors"):
            return self.args.save_safetensors"""
    assert not found(training_argument_read_but_gone, TRAINER.format(body))
    assert found(training_argument_read_but_gone, TRAINER.format(body.replace("hasattr(self.args, ", "f(")))
