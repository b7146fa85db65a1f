"""`knock.TrainerCallback` in a real Trainer of transformers, `knock.LightningCallback` in a real one of Lightning."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from knock.webhook import Webhook

SOURCE = str(Path(__file__).resolve().parents[2] / "src")
TRAINER = """
import os, sys
import torch
from torch import nn
from transformers import Trainer, TrainingArguments
from pretune import knock

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.line = nn.Linear(2, 1)
    def forward(self, x, labels):
        if os.environ.get("BREAK") and self.training and self.count > 3:
            raise RuntimeError("broken in step")
        self.count = getattr(self, "count", 0) + 1
        return {{"loss": ((self.line(x)[:, 0] - labels) ** 2).mean(), "logits": self.line(x)}}
    count = 0

torch.manual_seed(0)
data = [{{"x": torch.tensor([i / 8, 1.0]), "labels": torch.tensor(i / 4)}} for i in range(8)]
arguments = TrainingArguments(sys.argv[1], num_train_epochs=3, per_device_train_batch_size=2, logging_steps=2, report_to=[],
                              save_strategy="no", disable_tqdm=True, use_cpu=True, eval_strategy="epoch")
def train():
    trainer = Trainer(Model(), arguments, train_dataset=data, eval_dataset=data[:2], callbacks=[knock.TrainerCallback({how})])
    trainer.train()
    return trainer.state.log_history
{main}
"""
LIGHTNING = """
import sys
import torch
from torch import nn
import lightning.pytorch as pl
from pretune import knock

class Model(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.line = nn.Linear(2, 1)
    def training_step(self, batch, index):
        if {broken} and index == 3:
            raise RuntimeError("broken in step")
        loss = self.line(batch).square().mean()
        self.log("train_loss", loss)
        return loss
    def validation_step(self, batch, index):
        self.log("val_loss", self.line(batch).square().mean())
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)

data = torch.utils.data.DataLoader([torch.tensor([i / 8, 1.0]) for i in range(8)], batch_size=2)
callback = knock.LightningCallback({to!r}, name="fit")
assert isinstance(callback, pl.Callback)
trainer = pl.Trainer(max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
                     enable_model_summary=False, callbacks=[callback], default_root_dir=sys.argv[1])
trainer.fit(Model(), data, data)
"""


@pytest.fixture
def environment(tmp_path):
    """A home of its own, no target and no rank."""
    names = ("PRETUNE_KNOCK", "RANK", "LOCAL_RANK", "WORLD_SIZE", "SLURM_PROCID")
    clean = {key: value for key, value in os.environ.items() if key not in names}
    return {**clean, "PYTHONPATH": SOURCE, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state"),
            "XDG_CONFIG_HOME": str(tmp_path / "config"), "HF_HUB_OFFLINE": "1"}  # fmt: skip


def run(environment, program, folder):
    """Run a program to its end."""
    return subprocess.run([sys.executable, "-c", program, str(folder)], env=environment, capture_output=True, timeout=180,
                          check=False)  # fmt: skip


@pytest.mark.slow
def test_trainer_on_its_own(environment, tmp_path):
    """With a target of its own: the end with step, loss and metrics."""
    pytest.importorskip("transformers")
    with Webhook() as hook:
        program = TRAINER.format(how=f"{hook.url!r}, name='tiny'", main="train()")
        done = run(environment, program, tmp_path)
        assert done.returncode == 0, done.stderr
        text = hook.wait("finished: tiny")
        assert "step 12 of 12 (100%)" in text
        for part in ("loss", "eval_loss", "learning_rate", "epoch 3"):
            assert part in text


def test_trainer_inside_a_decorator(environment, tmp_path):
    """Inside a watch it feeds that one's message: just one, with the traceback and the last figures."""
    pytest.importorskip("transformers")
    with Webhook() as hook:
        main = f"knock.when_done(to={hook.url!r}, start=False)(train)()"
        done = run({**environment, "BREAK": "1"}, TRAINER.format(how="", main=main), tmp_path)
        assert b"broken in step" in done.stderr
        text = hook.wait("failed: train()")
        assert "RuntimeError: broken in step" in text
        assert "of 12" in text
        assert len([each for each in hook.texts() if not each.startswith("running")]) == 1


@pytest.mark.slow
def test_trainer_that_breaks_on_its_own(environment, tmp_path):
    """Transformers tells a callback of no exception: what ends the program is told all the same."""
    pytest.importorskip("transformers")
    with Webhook() as hook:
        done = run({**environment, "BREAK": "1"}, TRAINER.format(how=repr(hook.url), main="train()"), tmp_path)
        assert done.returncode == 1
        assert b"broken in step" in done.stderr
        assert "RuntimeError: broken in step" in hook.wait("failed: training")


@pytest.mark.slow
def test_other_ranks_are_silent(environment, tmp_path):
    """A Trainer that is not the main process tells nothing."""
    pytest.importorskip("transformers")
    from pretune.knock import TrainerCallback

    class State:
        is_world_process_zero = False

        def __getattr__(self, name):
            raise AssertionError(name)

    with Webhook() as hook:
        callback = TrainerCallback(hook.url)
        for event in ("on_train_begin", "on_step_end", "on_prediction_step", "on_train_end"):
            getattr(callback, event)(None, State(), None)
        callback.on_log(None, State(), None, logs={"loss": 1.0})
        assert callback._feed._run is None


@pytest.mark.slow
@pytest.mark.parametrize("broken", [False, True])
def test_lightning(environment, tmp_path, broken):
    """Step, loss and metrics of a real run, and its exception."""
    pytest.importorskip("lightning")
    with Webhook() as hook:
        done = run(environment, LIGHTNING.format(to=hook.url, broken=broken), tmp_path)
        assert done.returncode == int(broken), done.stderr
        text = hook.wait("failed: fit" if broken else "finished: fit")
        if broken:
            assert "RuntimeError: broken in step" in text
        else:
            assert "step 8 of 8 (100%)" in text
            for part in ("train_loss", "val_loss", "loss "):
                assert part in text


def test_nothing_is_imported_before_it_is_used():
    """Naming the decorator imports neither; asking for a callback imports the library that it is for."""
    program = """
import sys
from pretune.knock import when_done
import pretune.knock.callbacks
assert not {"transformers", "lightning", "pytorch_lightning", "torch"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": SOURCE}, timeout=60, check=True)
