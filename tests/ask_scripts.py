"""Asks rules of a script's text, as the engine does, and holds the beginnings that scripts in tests have in common."""

from textwrap import dedent

from pretune.check.facts.script import read_script_facts
from pretune.check.finding import Finding, Rule, stamp
from pretune.script.read import read_source

SETUP = """\
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader
from tqdm.auto import tqdm
from transformers import AutoModelForSequenceClassification, AutoTokenizer, get_linear_schedule_with_warmup, set_seed

from data import train_set, valid_set

set_seed(42)
tokenizer = AutoTokenizer.from_pretrained("klue/bert-base")
model = AutoModelForSequenceClassification.from_pretrained("klue/bert-base", num_labels=2)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
model.to(device)
train_loader = DataLoader(train_set, batch_size=16, shuffle=True)
valid_loader = DataLoader(valid_set, batch_size=16)
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-5)
epochs = 3
"""
"""What stands at the top of a script with a loop of its own."""

READER = """\
import torch
from torch import nn
from transformers import AutoModel

class Classifier(nn.Module):
    def __init__(self, name, num_labels=2):
        super().__init__()
        self.bert = AutoModel.from_pretrained(name)
        self.dropout = nn.Dropout(0.1)
        self.classifier = nn.Linear(768, num_labels)

    def forward(self, input_ids, attention_mask):
        hidden = self.bert(input_ids, attention_mask=attention_mask).last_hidden_state[:, 0]
        return self.classifier(self.dropout(hidden))

"""
"""A module of the script's own around a loaded model."""


def asked(rule: Rule, text: str, *, target: dict[str, str] | None = None) -> list[Finding]:
    """What the rule finds in a script, each finding once, as a report shows it."""
    script = read_script_facts(read_source(dedent(text)), target)
    found = [stamp(rule, problem) for problem in rule.ask(script=script)]
    return list({(finding.where, finding.message): finding for finding in found}.values())


def lines(findings: list[Finding]) -> list[int]:
    """The lines that findings point at."""
    return [int(finding.where.split(":")[1]) for finding in findings]


def number_of(text: str, start: str) -> int:
    """The number of the first line that begins so, indentation aside."""
    return next(n for n, line in enumerate(dedent(text).split("\n"), 1) if line.strip().startswith(start))
