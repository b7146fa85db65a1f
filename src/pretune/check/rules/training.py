"""TRN: the names of training arguments: do they exist in the version of transformers that will train?

The values are in argument_values.py; what several say together is in saving.py, schedule.py and optimisation.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.facts.training import minor
from pretune.check.facts.versions import is_at_least
from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import shown
from pretune.core.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.training import TrainingFacts
    from pretune.check.finding import Rule

SUBCLASSES = {
    "sentence-transformers": ("SentenceTransformerTrainingArguments", ("sentence-similarity", "pair-classification")),
    "trl": ("SFTConfig", ("chat-sft", "causal-lm")),
}
"""Library -> its best known subclass of TrainingArguments, and the tasks for which it is used."""

OLDER_TRL = frozenset(
    {"max_seq_length", "max_prompt_length", "dataset_batch_size", "num_of_sequences", "chars_per_token", "use_liger"}
)
"""What SFTConfig and DPOConfig took before trl 1.0."""


@rule("TRN001", Level.ERROR)
def unknown_argument(training: TrainingFacts) -> Iterator[Problem]:
    """A training argument exists in no version of transformers.

    Why: TrainingArguments is a dataclass: an unknown name is a TypeError before anything is loaded.
    Fix: correct the name, or take it out.
    """
    table, setup = training.table, training.setup
    beyond = not is_at_least(minor(table.versions[-1]), minor(table.version))
    for name in map(str, setup.training_args):
        if name in table.seen or _of_subclass(training, name):
            continue
        owner = next((f"{SUBCLASSES[k][0]} ({k})" for k in SUBCLASSES if name in table.subclasses.get(k, ())), "")
        help_ = f"it belongs to {owner}, not to TrainingArguments" if owner else did_you_mean(name, table.arguments)
        if name in table.trainer:
            help_ = "it is an argument of Trainer, not of TrainingArguments"
        if beyond:
            yield Problem(
                f"{shown(name)} may not be a training argument: transformers {minor(table.versions[-1])} has none of "
                f"that name, and {training.release} is not known here",
                where=training.place(name),
                help=help_,
                level=Level.NOTE,
            )
        else:
            message = f"{shown(name)} is no training argument of {training.release}, nor of any version since 4.30"
            yield Problem(message, where=training.place(name), help=help_)


@rule("TRN002", Level.ERROR)
def removed_argument(training: TrainingFacts) -> Iterator[Problem]:
    """A training argument that transformers no longer has.

    Why: it is a TypeError before anything is loaded: `unexpected keyword argument 'evaluation_strategy'`.
    Fix: write what replaces it.
    """
    for name in _absent(training, later=False):
        gone = training.table.gone_since(name) or training.table.row
        still = (
            f"and {minor(training.table.version)} is installed"
            if not training.assumed
            else f"(no transformers is installed: {training.release} is assumed)"
        )
        yield Problem(
            f"{name} is gone since transformers {minor(gone)} {still}",
            where=training.place(name),
            help=_instead(training, name),
            level=Level.WARNING if training.assumed else None,
        )


@rule("TRN003", Level.ERROR)
def argument_of_a_later_version(training: TrainingFacts) -> Iterator[Problem]:
    """A training argument that the installed transformers does not have yet.

    Why: it is a TypeError before anything is loaded.
    Fix: use the older name, or update transformers.
    """
    for name in _absent(training, later=True):
        first = minor(training.table.seen[name][0])
        old = next(
            (o for o, r in training.table.replaced.items() if r.by == name and o in training.table.arguments), ""
        )
        yield Problem(
            f"{name} came with transformers {first}, but {minor(training.table.version)} is installed",
            where=training.place(name),
            help=f"here it is called {old}" if old else f'pip install "transformers>={first}"',
        )


@rule("TRN004", Level.NOTE)
def argument_about_to_go(training: TrainingFacts) -> Iterator[Problem]:
    """A training argument works here, but newer versions of transformers no longer have it.

    Why: the same setup stops with a TypeError after an update.
    Fix: write what replaces it, if this version already has that.
    """
    for name in map(str, training.setup.training_args):
        gone = training.table.gone_since(name)
        if gone and name in training.table.arguments:
            yield Problem(
                f"{name} works in {training.release} but is gone since {minor(gone)}",
                where=training.place(name),
                help=_instead(training, name),
            )


@rule("TRN009", Level.WARNING)
def token_in_the_setup(training: TrainingFacts) -> Iterator[Problem]:
    """A hub token is written into the setup.

    Why: setups are committed and shared, and Trainer's reports log the arguments; a token in them is a leaked password.
    Fix: take it out and log in with `hf auth login`, or set HF_TOKEN.
    """
    for name in ("hub_token", "push_to_hub_token"):
        value = training.setup.training_args.get(name)
        if isinstance(value, str) and value.startswith("hf_"):
            yield Problem(f"{name} holds a token of {len(value)} characters", where=training.place(name))


def _absent(training: TrainingFacts, *, later: bool) -> Iterator[str]:
    """Given arguments that this version lacks but an earlier one had, or, with `later`, a later one has."""
    table = training.table
    for name in map(str, training.setup.training_args):
        if name in table.seen and name not in table.arguments and not _of_subclass(training, name):
            first = table.versions.index(table.seen[name][0])
            if (first > table.versions.index(table.row)) is later:
                yield name


def _of_subclass(training: TrainingFacts, name: str) -> bool:
    """Whether a library used for this task takes the argument in its own subclass."""
    for library, (_, tasks) in SUBCLASSES.items():
        known = training.table.subclasses.get(library, frozenset()) | (OLDER_TRL if library == "trl" else frozenset())
        if name in known and (training.task is None or training.task in tasks):
            return True
    return False


def _instead(training: TrainingFacts, name: str) -> str:
    """What replaces an argument, as a clause; the value included where it is plain."""
    replaced = training.table.replaced.get(name)
    if replaced is None:
        return "leave it out"
    value = training.setup.training_args.get(name)
    if name == "warmup_ratio" and isinstance(value, float) and 0 < value < 1:
        return f"write warmup_steps = {value}: a number below 1 is a share of the run"
    return replaced.how


RULES: tuple[Rule, ...] = (
    unknown_argument,
    removed_argument,
    argument_of_a_later_version,
    argument_about_to_go,
    token_in_the_setup,
)
