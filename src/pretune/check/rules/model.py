"""MOD: what of the checkpoint is really loaded, what starts random, and what is left behind."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.config_names import tensors
from pretune.check.rules.model_class import other_architecture
from pretune.check.rules.wording import number, shown, some

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pretune.check.facts.loading import LoadingFacts
    from pretune.check.facts.model import ModelFacts, WeightFacts
    from pretune.check.finding import Rule
    from pretune.check.sources.setup import Setup

LANGUAGE = ("masked-lm", "causal-lm", "chat-sft")
"""Tasks that need the pretrained output layer: it cannot be learnt anew from little text."""

LAYERS = frozenset({
    "num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_decoder_layers", "encoder_layers",
    "decoder_layers", "num_hidden_groups",
})  # fmt: skip
"""Keys that count layers."""

_LAYER = re.compile(r"\.(\d+)\.")


@rule("MOD001", Level.ERROR)
def nothing_of_the_body_loaded(model: ModelFacts, weights: WeightFacts, loading: LoadingFacts) -> Iterator[Problem]:
    """No tensor of the model's body is loaded: all names differ.

    Why: transformers only lists the names at warning level, as it does for every new head; the training then starts
    from random weights.
    Fix: load the checkpoint with the class of its own architecture, or rename its tensors.
    """
    if loading.body_loaded or not loading.body or loading.wrapper or loading.mismatched_of("body", "embedding"):
        return
    if other_architecture(model, loading) is not None:
        return  # MOD003 says whose they are
    stored, wanted = next(iter(weights.table.tensors), ""), loading.body[0]
    count = number(len(loading.body))
    message = f"none of {loading.model_class}'s {count} body tensors is in the checkpoint: it has {shown(stored, 60)}"
    yield Problem(f"{message}, expected {shown(wanted, 60)}", weights.at())


@rule("MOD002", Level.ERROR)
def wrapped_tensor_names(weights: WeightFacts, loading: LoadingFacts) -> Iterator[Problem]:
    """The tensor names stand behind a wrapper's prefix, such as `module.` of DataParallel.

    Why: from_pretrained does not remove it, so no name fits, nothing is loaded and everything starts random.
    Fix: save again with `model.module.save_pretrained(...)` (torch.compile: `model._orig_mod`), or take the prefix
    off the names.
    """
    if not loading.wrapper:
        return
    wrapped = [name for name in weights.table.tensors if name.startswith(loading.wrapper)]
    count = f"{number(len(wrapped))} of {number(len(weights.table.tensors))}"
    message = f"{count} tensor names begin with {shown(loading.wrapper)}"
    yield Problem(f"{message}, which nothing takes off, such as {shown(wrapped[0], 60)}", weights.at())


@rule("MOD003", Level.ERROR)
def weights_of_another_architecture(
    model: ModelFacts, weights: WeightFacts, loading: LoadingFacts
) -> Iterator[Problem]:
    """The checkpoint's tensors belong to another architecture than config.json says.

    Why: a name that does not fit is left out, so the body starts random; only a list at warning level shows it.
    Fix: take the config.json that belongs to the weights.
    """
    other = other_architecture(model, loading)
    if other is None or loading.body_loaded or loading.wrapper:
        return
    stored = next(iter(weights.table.tensors), "")
    message = (
        f"the checkpoint's tensors are of {other} ({shown(stored, 60)}), config.json says model_type {model.model_type}"
    )
    yield Problem(message, model.at("/model_type"))


@rule("MOD004", Level.WARNING)
def layers_left_out(model: ModelFacts, loading: LoadingFacts) -> Iterator[Problem]:
    """The checkpoint has more layers than the config asks for.

    Why: trained layers are left out; the last layers' output is what a head was meant to read (MiniLM with 5 of 6
    layers: cosine 0.46).
    Fix: set the number of layers to the checkpoint's, unless you mean to cut the model and train it again.
    """
    left = loading.unexpected_of("body", "embedding")
    if not left or not loading.body_loaded or any(edit.name in LAYERS for edit in model.edits):
        return
    layers = _layers(tensor.name for tensor in left)
    if layers:
        yield Problem(
            f"{tensors(len(left), 'trained')} left out: config.json has no {_range(layers)}",
            model.place("num_hidden_layers"),
        )


@rule("MOD005", Level.ERROR)
def body_partly_missing(model: ModelFacts, weights: WeightFacts, loading: LoadingFacts) -> Iterator[Problem]:
    """Tensors of the model's body are not in the checkpoint.

    Why: they start random in the midst of trained layers, and the warning reads like that of a new head.
    Fix: download or save the checkpoint again, or take the config.json that belongs to it.
    """
    edited = {edit.name for edit in model.edits}
    missing = [tensor for tensor in loading.missing_of("body", "embedding") if not tensor.keys & edited]
    if not missing or not loading.body_loaded:
        return
    layers = _layers(tensor.name for tensor in missing)
    which = _range(layers) if layers else some(tensor.name for tensor in missing)
    count = f"{number(len(missing))} of {number(len(loading.body))}"
    message = f"{count} body tensors are not in the checkpoint and start random: {which}"
    strange = [
        stray.tensor for stray in loading.unexpected if stray.role == "head" and _LAYER.search(stray.tensor.name)
    ]
    if strange:  # layers of another make than the table knows
        message = f"{message}; {tensors(len(strange))} of its layers have unknown names ({shown(strange[0].name, 60)})"
    yield Problem(message, weights.at(), level=Level.WARNING if strange else None)


@rule("MOD006", Level.WARNING)
def pooler_missing(model: ModelFacts, weights: WeightFacts, loading: LoadingFacts, setup: Setup) -> Iterator[Problem]:
    """The head reads the pooler, and the checkpoint has none.

    Why: the pooler starts random, so what the head sees of [CLS] is noise at first; checkpoints trained on masked
    words alone have none.
    Fix: nothing if you have data to train it; else a checkpoint with a pooler, or a head that reads the last layer
    itself.
    """
    missing = loading.missing_of("pooler")
    reads = model.architecture is not None and model.architecture.uses_pooler(loading.model_class)
    is_head = not str(loading.model_class).endswith("Model")
    if missing and loading.body_loaded and reads and is_head and _trains(setup):
        message = f"{loading.model_class} reads {missing[0].name}, which is not in the checkpoint and starts random"
        yield Problem(message, weights.at())


@rule("MOD011", Level.WARNING)
def language_head_missing(model: ModelFacts, weights: WeightFacts, loading: LoadingFacts) -> Iterator[Problem]:
    """The task is to predict words, and the checkpoint lacks the pretrained layer that does.

    Why: that layer starts random, and takes far more text to learn than a classification head.
    Fix: start from the checkpoint with its language-model head (`…ForMaskedLM`, `…ForCausalLM`).
    """
    if model.task not in LANGUAGE or not loading.body_loaded:
        return
    output = model.architecture.lm_head(loading.model_class) if model.architecture else None
    untied = model.effective.get("tie_word_embeddings") is False and output is not None
    layer = f"{(output or '').rpartition('.')[0]}." if untied else ""
    missing = [
        tensor for tensor in loading.missing_of("head") if not layer or not tensor.name.startswith(layer)
    ]  # an untied output layer is CFG's
    if missing:
        of = f"{tensors(len(missing))} of {loading.model_class}'s output layers"
        message = f"the checkpoint lacks {of}"
        yield Problem(f"{message}: {some(tensor.name for tensor in missing)}", weights.at())


@rule("MOD012", Level.NOTE)
def trained_head_left_behind(
    model: ModelFacts, weights: WeightFacts, loading: LoadingFacts, setup: Setup
) -> Iterator[Problem]:
    """The checkpoint has a classification head that the chosen class has no place for.

    Why: it is dropped; usual when a task is changed, a surprise when training was to be continued.
    Fix: nothing, or load with the class the checkpoint was saved from.
    """
    left = [
        tensor
        for tensor in loading.unexpected_of("head")
        if re.search(r"(^|\.)(classifier|qa_outputs|score|classification_head)\.", tensor.name)
    ]
    if left and loading.body_loaded and not loading.wrapper and _trains(setup):
        saved = f", saved from {model.stored.architectures[0]}" if model.stored.architectures else ""
        head = some((tensor.name for tensor in left), 2)
        message = f"the checkpoint's trained head ({head}{saved}) has no place in {loading.model_class}"
        yield Problem(message, weights.at(left[0].file))


def _trains(setup: Setup) -> bool:
    """Whether the Setup is more than a model to look at."""
    return bool(setup.task or setup.model_class or setup.training_args or setup.data.train)


def _layers(names: Iterable[str]) -> list[int]:
    """The layer numbers among names, where all but a few have one."""
    found = [(_LAYER.search(name), name) for name in names]
    numbers = Counter(int(match[1]) for match, _ in found if match)
    return sorted(numbers) if numbers and sum(numbers.values()) * 2 > len(found) else []


def _range(layers: Sequence[int]) -> str:
    """`layer 3`, `layers 3 to 11`, `layers 1, 5`."""
    if len(layers) == 1:
        return f"layer {layers[0]}"
    if layers[-1] - layers[0] == len(layers) - 1:
        return f"layers {layers[0]} to {layers[-1]}"
    return f"layers {', '.join(map(str, layers[:6]))}{', …' if len(layers) > 6 else ''}"


RULES: tuple[Rule, ...] = (
    nothing_of_the_body_loaded,
    wrapped_tensor_names,
    weights_of_another_architecture,
    layers_left_out,
    body_partly_missing,
    pooler_missing,
    language_head_missing,
    trained_head_left_behind,
)
