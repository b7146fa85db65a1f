"""MOD: whether the class fits the model and the task, and in which numbers the weights are stored."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pretune.artifacts.architectures import find
from pretune.artifacts.config import type_of_class
from pretune.check.facts.loading import PREFIXES
from pretune.check.facts.model import auto_class
from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.config_training import before_five
from pretune.check.rules.wording import number, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.loading import LoadingFacts
    from pretune.check.facts.model import ModelFacts, WeightFacts
    from pretune.check.facts.versions import VersionFacts
    from pretune.check.finding import Rule
    from pretune.check.sources.setup import Setup

HALF = {"F16": "float16", "BF16": "bfloat16"}
FLOATS = {"F64": "float64", "F32": "float32", **HALF}


def other_architecture(model: ModelFacts, loading: LoadingFacts) -> str | None:
    """The architecture whose prefix most tensors without a place have, when it is another than the model's."""
    own = model.architecture.base_prefix if model.architecture else ""
    prefixes = Counter(stray.tensor.name.partition(".")[0] for stray in loading.unexpected)
    prefix = next((prefix for prefix, _ in prefixes.most_common(1)), "")
    return prefix if prefix in PREFIXES and prefix != own and prefixes[prefix] * 2 > len(loading.unexpected) else None


@rule("MOD020", Level.ERROR)
def class_without_a_head(model: ModelFacts, setup: Setup) -> Iterator[Problem]:
    """The bare model is given to a task that needs a head.

    Why: it returns hidden states and no loss; Trainer raises at the first step, after all loading and tokenising.
    Fix: the task's own class, such as AutoModelForQuestionAnswering.
    """
    if model.chosen_by != "model_class" or setup.task in (None, "sentence-similarity") or model.architecture is None:
        return
    wanted = auto_class(setup.task)
    bare = model.architecture.classes.get("AutoModel")
    if wanted is None or model.model_class != bare or model.architecture.classes.get(wanted) in {None, bare}:
        return
    level = Level.ERROR if setup.training_args else Level.WARNING
    yield Problem(
        f"{model.asked_class} has no head, {setup.task} needs {wanted}", setup.place("model_class"), level=level
    )


@rule("MOD021", Level.ERROR)
def class_not_of_this_model(model: ModelFacts, setup: Setup) -> Iterator[Problem]:
    """The class does not exist for this model type.

    Why: an auto class without an entry raises; a class of another architecture loads no tensor of the body and only
    warns.
    Fix: a class of the model's own type; for a task it cannot do, another model.
    """
    asked, architecture = model.asked_class, model.architecture
    if asked is None or architecture is None or model.chosen_by == "architectures" or model.stored.auto_map:
        return
    where = setup.place("model_class" if model.chosen_by == "model_class" else "task")
    if asked.startswith("Auto"):
        if model.model_class is None and asked in _ALL_TASKS:
            needs = f"the task {setup.task} needs {asked}" if model.chosen_by == "task" else asked
            yield Problem(f"{needs}, which {model.model_type} does not have", where)
        return
    kind = type_of_class(asked)
    if kind is None or kind == model.model_type or asked in architecture.classes.values():
        return
    other = find_prefix(kind)
    if other != architecture.base_prefix:
        yield Problem(
            f"{asked} is a class of {kind}, the checkpoint is of {model.model_type}: its body would not be loaded",
            where,
        )


_ALL_TASKS = frozenset({
    "AutoModel", "AutoModelForCausalLM", "AutoModelForMaskedLM", "AutoModelForQuestionAnswering",
    "AutoModelForSequenceClassification", "AutoModelForTokenClassification",
})  # fmt: skip
"""The auto classes that the tables list for every model type."""


def find_prefix(model_type: str) -> str | None:
    """The base model's prefix of a model type."""
    architecture = find(model_type)
    return architecture.base_prefix if architecture else None


@rule("MOD022", Level.WARNING)
def class_of_another_task(model: ModelFacts, setup: Setup) -> Iterator[Problem]:
    """The class belongs to another task than the setup's.

    Why: the head gives another kind of answer than the labels have; the loss raises, or means something else.
    Fix: the task's own class, or the task that the class does.
    """
    if model.chosen_by != "model_class" or setup.task in (None, "sentence-similarity") or model.architecture is None:
        return
    wanted = auto_class(setup.task)
    classes = model.architecture.classes
    fitting = {classes.get(wanted or ""), classes.get("AutoModel"), classes.get("AutoModelForPreTraining")}
    if wanted is None or model.model_class is None or model.model_class in fitting or classes.get(wanted) is None:
        return
    if model.model_class in classes.values():
        yield Problem(
            f"{model.asked_class} is not a class for {setup.task}, expected {wanted}", setup.place("model_class")
        )


@rule("MOD023", Level.ERROR)
def adapter_in_place_of_a_model(model: ModelFacts, versions: VersionFacts, weights: WeightFacts) -> Iterator[Problem]:
    """The folder holds an adapter (LoRA) and not the model it belongs to.

    Why: its few tensors go on top of another model; without peft they cannot be loaded, with peft the base model is
    fetched by its name.
    Fix: give the base model, and the adapter to `PeftModel.from_pretrained`.
    """
    if weights.table.tensors or not (weights.table.adapter or model.source.has("adapter_config.json")):
        return
    level = Level.WARNING if versions.peft else Level.ERROR
    yield Problem(
        f"{model.name} holds an adapter (adapter_config.json) and no weights of a model",
        model.source.at("adapter_config.json"),
        level=level,
    )


@rule("MOD024", Level.ERROR)
def checkpoint_without_tensors(model: ModelFacts, weights: WeightFacts) -> Iterator[Problem]:
    """The weights file holds no tensor.

    Why: everything starts random, or loading raises.
    Fix: download or save the model again, as model.safetensors.
    """
    table = weights.table
    if table.tensors or table.troubles or table.adapter or model.source.has("adapter_config.json"):
        return
    if table.files:
        yield Problem(f"{table.files[0]} holds no tensors", weights.at())


@rule("MOD025", Level.WARNING)
def half_precision_weights(
    model: ModelFacts, weights: WeightFacts, setup: Setup, versions: VersionFacts
) -> Iterator[Problem]:
    """The weights are stored in half precision, nothing asks for another, and all of them are trained.

    Why: transformers 5 then loads and trains them so, and an update smaller than the number's step is lost (bfloat16,
    2e-5: 31 % of weights moved).
    Fix: load with `dtype="float32"` and set `bf16=True` in the training arguments.
    """
    told = model.effective.get("dtype") is not None or any(key in model.arguments for key in ("dtype", "torch_dtype"))
    mixed = any(setup.training_args.get(key) is True for key in ("fp16", "bf16"))
    if told or mixed or not setup.training_args or setup.peft or model.stored.quantization or before_five(versions):
        return
    kinds = _floats(weights)
    kind, size = next(iter(kinds.most_common(1)), ("", 0))
    if kind in HALF and size * 2 > sum(kinds.values()):
        share = percent(size / sum(kinds.values()))
        yield Problem(
            f"{share} of the weights are {HALF[kind]}; training them so loses updates smaller than its step",
            weights.at(),
        )


@rule("MOD026", Level.NOTE)
def weights_of_mixed_precision(model: ModelFacts, weights: WeightFacts) -> Iterator[Problem]:
    """The checkpoint's tensors are stored in different precisions.

    Why: all are loaded in one, which transformers takes from the config or from the first tensor; it may be the
    lesser one.
    Fix: name the dtype: `from_pretrained(..., dtype="float32")`.
    """
    kinds = _floats(weights)
    total = sum(kinds.values())
    told = model.effective.get("dtype") is not None or any(key in model.arguments for key in ("dtype", "torch_dtype"))
    if told or model.stored.quantization or len(kinds) < 2 or kinds.most_common(2)[1][1] * 100 < total:
        return
    listed = ", ".join(f"{FLOATS[kind]} {percent(size / total)}" for kind, size in kinds.most_common(3))
    yield Problem(
        f"the tensors are stored in {number(len(kinds))} precisions ({listed}), and may all be loaded in the lesser",
        weights.at(),
    )


def _floats(weights: WeightFacts) -> Counter[str]:
    """Bytes by floating dtype."""
    return Counter({kind: size for kind, size in weights.table.dtypes.items() if kind in FLOATS and size})


@rule("MOD027", Level.ERROR)
def encoder_sees_the_next_word(model: ModelFacts) -> Iterator[Problem]:
    """An encoder is loaded to predict the next word, but sees all words.

    Why: without is_decoder its attention looks both ways: each position sees the word that it is to predict. The loss
    goes to zero, and what it generates is noise; transformers only logs a line.
    Fix: a decoder's checkpoint, *ForMaskedLM for more pretraining, or is_decoder=True in the config.
    """
    asked, architecture = model.asked_class, model.architecture
    if asked is None or not asked.endswith(("ForCausalLM", "LMHeadModel")) or architecture is None:
        return
    if architecture.causal is not False or architecture.encoder_decoder or model.effective.get("is_decoder") is True:
        return
    yield Problem(
        f"{asked} of {model.model_type}, an encoder whose attention looks both ways unless is_decoder is true",
        where=model.place("is_decoder"),
    )


RULES: tuple[Rule, ...] = (
    class_without_a_head,
    class_not_of_this_model,
    class_of_another_task,
    adapter_in_place_of_a_model,
    checkpoint_without_tensors,
    half_precision_weights,
    weights_of_mixed_precision,
    encoder_sees_the_next_word,
)
