"""PYS3: seeds: set at all, for the right generators, and before what they are for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pretune.check.facts.script_flow import line, opposed, text
from pretune.check.facts.script_loops import training_loops
from pretune.check.finding import Level, Problem, rule
from pretune.script.kinds import kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.finding import Rule
    from pretune.script.trace import Call, Trace

_ALL = ("set_seed", "seed_everything", "enable_full_determinism", "fix_all_seeds")
_TORCH = ("torch.manual_seed", "torch.random.manual_seed", "torch.cuda.manual_seed_all", "torch.seed")
_OTHERS = ("random.seed", "numpy.random.seed")
_NEW_HEADS = re.compile(r"For(?:SequenceClassification|TokenClassification|QuestionAnswering|MultipleChoice)$")
_TUNED = re.compile(
    r"^[./~]|checkpoint|finetun|fine-tun|squad|sst|nli|sentiment|ner\b|mrc|-qa|emotion|toxic|nsmc|korquad|\\|/.*/",
    re.IGNORECASE,
)
"""Names of checkpoints that may bring a trained head: folders, and what is named after a task."""


@rule("PYS331", Level.WARNING)
def seed_after_the_model(script: ScriptFacts) -> Iterator[Problem]:
    """The seed is set after the model was made.

    Why: the new head was drawn before, another one in each run; on little data that alone moves the score by points.
    Fix: set the seed before from_pretrained; with Trainer too, which seeds only when it is made.
    """
    if not _trains(script.trace):
        return
    seeds = [call for call in script.trace.calls() if _seeds_torch(call)]
    if not seeds:
        return
    for call in script.trace.calls("from_pretrained"):
        class_name = call.function_name.split(".")[-2] if call.function_name.count(".") else ""
        name = text(call.argument(0, "pretrained_model_name_or_path"))
        new_head = _NEW_HEADS.search(class_name) is not None and name is not None and not _TUNED.search(name)
        before = [one for one in seeds if one.order < call.order]
        after = [one for one in seeds if one.order > call.order and not opposed(one, call) and one.loops == call.loops]
        if new_head and not before and after and call.entry is None:
            yield Problem(
                f"{after[0].method} comes after the model of {line(call)}, whose head is drawn at random",
                where=str(after[0].place),
                also=(str(call.place),),
            )
            return


@rule("PYS332", Level.NOTE)
def training_without_seed(script: ScriptFacts) -> Iterator[Problem]:
    """A loop of the script's own trains, and no seed is set.

    Why: the head, the order of the rows and dropout differ in each run, and so does the score: two runs cannot be
    compared.
    Fix: transformers.set_seed(42) at the beginning.
    """
    loops = [loop for loop in training_loops(script.trace) if loop.steps]
    if loops and not any(_seeds(call) for call in script.trace.calls()) and loops[0].backwards[0].call.entry is None:
        yield Problem("no seed is set before this training loop", where=str(loops[0].batch.place))


@rule("PYS333", Level.NOTE)
def torch_not_seeded(script: ScriptFacts) -> Iterator[Problem]:
    """A seed is set for random or numpy, but not for torch.

    Why: the head, dropout and the loader's order come from torch's generator.
    Fix: torch.manual_seed(seed), or transformers.set_seed(seed) for all.
    """
    if not any(loop.steps for loop in training_loops(script.trace)):
        return
    others = [call for call in script.trace.calls() if call.function_name in _OTHERS]
    if others and not any(_seeds_torch(call) for call in script.trace.calls()):
        yield Problem(f"{others[0].function_name} is called, torch.manual_seed is not", where=str(others[0].place))


@rule("PYS334", Level.NOTE)
def split_without_seed(script: ScriptFacts) -> Iterator[Problem]:
    """The evaluation rows are drawn anew in each run.

    Why: scores of two runs are of different rows, and a run that goes on from a checkpoint is evaluated on rows that it
    was trained on.
    Fix: train_test_split(..., random_state=42), or seed=42 for datasets.
    """
    for call in script.trace.calls("train_test_split"):
        fixed = any(
            call.argument(None, name) is not None for name in ("random_state", "seed", "generator", "generators")
        )
        unmixed = any(call.argument(None, name) is not None for name in ("shuffle",))
        before = [one for one in script.trace.calls() if one.order < call.order and _seeds_numpy(one)]
        if not fixed and not unmixed and not call.open and not before:
            yield Problem("train_test_split draws other rows in each run: no seed is given", where=str(call.place))


def _trains(trace: Trace) -> bool:
    hugging = any(kind(call.receiver) == "trainer" for call in trace.calls("train") if call.receiver is not None)
    return hugging or any(loop.steps for loop in training_loops(trace))


def _seeds_torch(call: Call) -> bool:
    return call.function_name in _TORCH or call.method in _ALL


def _seeds_numpy(call: Call) -> bool:
    return call.function_name == "numpy.random.seed" or call.method in _ALL


def _seeds(call: Call) -> bool:
    return _seeds_torch(call) or call.function_name in _OTHERS or call.method == "manual_seed"


RULES: tuple[Rule, ...] = (seed_after_the_model, training_without_seed, torch_not_seeded, split_without_seed)
