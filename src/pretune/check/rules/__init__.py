"""Collects the rules of all families, in the order in which their answers are shown, and selects among them.

Knows no rule itself: each family module ends with its tuple `RULES`.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from pretune.check.finding import Deferred, Level, Rule
from pretune.core.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# fmt: off
MODULES = (
    "safety", "weight_files", "remote_code",
    "model", "model_shapes", "model_class",
    "config_keys", "config_vocabulary", "config_values", "config_labels", "config_training",
    "vocabulary", "added_tokens", "added_words", "lora",
    "tokenizer_files", "vocabulary_files", "tokenizer_options", "reading",
    "lengths", "cuts", "sentence_vector",
    "data", "data_text", "data_marks", "data_repeats", "mrc",
    "labels", "label_counts", "label_kinds", "tags",
    "training", "argument_values", "saving", "schedule", "optimisation",
    "chat", "chat_template", "talks",
    "py_tokens", "py_special", "py_config", "py_building", "py_loading", "py_labels", "py_encoding", "py_contexts",
    "py_spans", "py_collators",
    "py_gradients", "py_scaling", "py_schedule", "py_optimizer", "py_mode", "py_lightning", "py_loss", "py_targets",
    "py_evaluation", "py_generation", "py_splits", "py_batches", "py_vector", "py_outputs", "py_secrets", "py_safety",
    "py_seed",
    "api", "api_classes",
    "live_ids", "live_labels", "live_targets", "live_parameters", "live_run", "live_deep",
)
# fmt: on
"""The modules that hold rules, a line a family, in the order in which their findings are shown within a level."""

FAMILIES = {
    "SAF": "files and safety",
    "MOD": "what of the checkpoint is loaded",
    "CFG": "config keys",
    "VOC": "ids, vocabulary and embedding rows",
    "TOK": "tokenizer files, and reading the language",
    "LEN": "positions and lengths",
    "CLS": "[CLS] and pooling",
    "DAT": "rows of data",
    "MRC": "reading comprehension: answers and contexts",
    "LAB": "labels of the data and the model",
    "TRN": "training arguments",
    "CHT": "chat and decoder models",
    "API": "what the versions of the libraries have",
    "PYS": "training scripts and notebooks",
    "LIV": "live objects: model, batches, optimizer",
}
"""The first three letters of a rule's code -> what the family is about."""


INDEX = Path(__file__).with_name("index.json")
"""What stands in the modules, so that a check imports only those whose facts can be had. Written by `make docs`."""


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, in the order of MODULES and, inside a module, of its RULES. A module is imported when it is asked."""
    return tuple(
        Rule(code, Level(level), Deferred(f"{__name__}.{module}", name, tuple(needs)))
        for module, name, code, level, needs in json.loads(INDEX.read_text(encoding="utf-8"))
    )


def written_rules() -> dict[Rule, str]:
    """Every rule as it stands in its module, and that module's name; all modules are imported for it."""
    found: dict[Rule, str] = {}
    for module in MODULES:
        for rule in import_module(f"{__name__}.{module}").RULES:
            found.setdefault(rule, rule.ask.__module__.rpartition(".")[2])  # a family's first may gather the others'
    return found


def index() -> str:
    """What INDEX should hold: module, function, code, level and needs of each rule, a line a rule."""
    rows = (
        json.dumps([module, rule.ask.__name__, rule.code, rule.level, list(rule.needs)])
        for rule, module in written_rules().items()
    )
    return "[\n" + ",\n".join(rows) + "\n]\n"


def select(rules: Iterable[Rule], select: Sequence[str] = (), ignore: Sequence[str] = ()) -> tuple[Rule, ...]:
    """The rules that `select` names (all, when it is empty) without those that `ignore` names; `ignore` wins.

    Args:
        rules: what to choose from; the order stays.
        select: codes (`VOC001`), beginnings of codes (`VOC`, `DAT1`), names (`ids-outside-embedding`), or `ALL`.
        ignore: the same.

    Raises:
        UserError: a word fits no rule; the hint names the nearest.
    """
    rules = tuple(rules)
    wanted = {rule.code for word in select for rule in matching(rules, word)} if select else {r.code for r in rules}
    unwanted = {rule.code for word in ignore for rule in matching(rules, word)}
    return tuple(rule for rule in rules if rule.code in wanted - unwanted)


def suited(rules: Iterable[Rule], *, without: Iterable[str]) -> tuple[Rule, ...]:
    """The rules that need none of these facts: a script where none is checked, live objects in a check of files."""
    missing = set(without)
    return tuple(rule for rule in rules if missing.isdisjoint(rule.needs))


def matching(rules: Iterable[Rule], word: str) -> tuple[Rule, ...]:
    """The rules that a code, the beginning of a code, a name or `ALL` stands for.

    Raises:
        UserError: none does; the hint names the nearest.
    """
    rules = tuple(rules)
    word = word.strip()
    upper, name = word.upper(), word.lower().replace("_", "-")
    if upper == "ALL":
        return rules
    code = re.fullmatch(r"[A-Z]{1,3}|[A-Z]{3}[0-9]{1,3}", upper)
    found = tuple(rule for rule in rules if rule.name == name or (code and rule.code.startswith(upper)))
    if not found:
        known = [rule.name for rule in rules] + [rule.code for rule in rules]
        near = did_you_mean(name, known) or did_you_mean(upper, known)
        raise UserError(f'no rule is called "{word}"', hint=near or "`pretune check --list` shows every rule")
    return found
