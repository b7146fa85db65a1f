"""The pages on knock: what they type is run against a webhook on loopback, and what they show is what is told."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from knock import runs
from knock.webhook import Webhook
from page_blocks import DOCS, left_out
from played_pages import played
from pretune.knock import message
from pretune.knock.targets import resolve

PAGE = (DOCS / "knock.md").read_text("utf-8")
CODE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
TARGETS = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)[1]
TORCHRUN = "pretune knock --to team"
"""Loads torch, so it is left to the slow test."""
SCRIPT = "import os\nprint(os.environ.get('RANK', 'alone'))\n"
TRAINING = """
import torch, lightning.pytorch as pl
from transformers import TrainingArguments

class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.line = torch.nn.Linear(2, 1)
    def forward(self, x, labels):
        return {"loss": ((self.line(x)[:, 0] - labels) ** 2).mean()}

class Module(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.line = torch.nn.Linear(2, 1)
    def training_step(self, batch, index):
        return self.line(batch).square().mean()
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)

model, module = Model(), Module()
args = TrainingArguments("out", max_steps=2, report_to=[], save_strategy="no", disable_tqdm=True, use_cpu=True)
rows = [{"x": torch.tensor([i / 8, 1.0]), "labels": torch.tensor(i / 4)} for i in range(8)]
loader = torch.utils.data.DataLoader([row["x"] for row in rows], batch_size=4)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, with a train.py, where commands are run; `python` is this one."""
    for name in set(os.environ) - set(runs.home(tmp_path)):
        monkeypatch.delenv(name)
    for name, value in runs.home(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "train.py").write_text(SCRIPT, "utf-8")
    return tmp_path


def kept(home: Path, text: str) -> None:
    """The file of targets is this."""
    (home / "config/pretune").mkdir(parents=True)
    (home / "config/pretune/knock.toml").write_text(text, "utf-8")


def run(home: Path, code: str) -> None:
    """A Python of its own does this, to its end."""
    subprocess.run([sys.executable, "-c", code], cwd=home, check=True, capture_output=True, timeout=60)


def test_knockknocks_way(home: Path) -> None:
    """Both examples of the page on knockknock tell the webhook that it is over."""
    page = DOCS / "from-knockknock.md"
    with Webhook() as webhook:
        stands = {"https://hooks.slack.com/services/…": webhook.url, "URL": webhook.url}
        played(page.read_text("utf-8"), home, left_out=left_out(page), stands=stands, code=lambda code: run(home, code))
        webhook.wait("finished: train()")
        webhook.wait("finished: python train.py")


def commands(home: Path, webhook: Webhook, leave: tuple[str, ...]) -> None:
    """The page's commands, with a webhook in place of Slack's, and a shorter sleep."""
    kept(home, f'[targets]\nteam = "{webhook.url}"\n')
    fenced = "\n".join(re.findall(r"```console\n.*?```", PAGE, re.DOTALL))
    played(fenced, home, left_out=leave, stands={"URL": webhook.url, "sleep 10": "sleep 0.1"})


def test_commands(home: Path) -> None:
    """The terminal and Slack's own grammar."""
    with Webhook() as webhook:
        commands(home, webhook, (TORCHRUN,))
        webhook.wait("finished: sleep 0.1")


@pytest.mark.slow
def test_commands_with_ranks(home: Path) -> None:
    """One message for eight ranks."""
    pytest.importorskip("torch")
    with Webhook() as webhook:
        commands(home, webhook, ("pretune knock python", "pretune knock slack"))
        webhook.wait("finished: torchrun --nproc-per-node 8 train.py")
        assert sum(text.startswith("finished") for text in webhook.texts()) == 1


def test_the_file_of_targets(home: Path) -> None:
    """Each of its targets is one, and so is its default."""
    kept(home, TARGETS)
    names = tomllib.loads(TARGETS)
    for asked in (list(names["targets"]), names["default"]):
        found, faults = resolve(asked, os.environ)
        assert (len(found), faults) == (len(asked), [])


def test_the_message_of_a_failure() -> None:
    """The two lines are made of what they say."""
    (block,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    seconds = 2 * 3600 + 13 * 60
    why = message.cause(9, oom_kills=1)
    told = message.ended(
        "python train.py --epochs 3", "node7", seconds=seconds, why=why, good=False, more="peak memory 61.8 GiB"
    )
    assert block == f"{told.title}\n{told.body}\n"


def test_in_python(home: Path) -> None:
    """A decorator and a `with` tell start and end of both."""
    with Webhook() as webhook:
        kept(home, f'[targets]\nteam = "{webhook.url}"\nphone = "{webhook.url}?phone"\n')
        run(home, CODE[0])
        for text in ("finished: train()", "finished: second stage"):
            webhook.wait(text)


@pytest.mark.slow
def test_callbacks(home: Path) -> None:
    """A Trainer and Lightning's train with the callbacks of the page."""
    pytest.importorskip("lightning")
    with Webhook() as webhook:
        kept(home, f'default = ["team"]\n[targets]\nteam = "{webhook.url}"\n')
        run(home, TRAINING + CODE[1])
        runs.until(
            lambda: sum(text.startswith("finished") for text in webhook.texts()) == len(("Trainer", "Lightning"))
        )
