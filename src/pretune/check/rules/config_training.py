"""CFG: what the config says of how the weights are stored: dtype, quantisation, tying, and who wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pretune.check.facts.edits import keywords
from pretune.check.facts.versions import order
from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.config_names import value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.loading import LoadingFacts
    from pretune.check.facts.model import ModelFacts, WeightFacts
    from pretune.check.facts.versions import VersionFacts
    from pretune.check.finding import Rule
    from pretune.check.sources.setup import Setup

HALF = {"float16": "float16", "fp16": "float16", "half": "float16", "bfloat16": "bfloat16", "bf16": "bfloat16"}

PACKAGES = {
    "bitsandbytes": "bitsandbytes",
    "gptq": "gptqmodel",
    "awq": "autoawq or gptqmodel",
    "aqlm": "aqlm",
    "hqq": "hqq",
    "quanto": "optimum-quanto",
    "compressed-tensors": "compressed-tensors",
    "torchao": "torchao",
    "eetq": "eetq",
    "fbgemm_fp8": "fbgemm-gpu",
    "auto-round": "auto-round",
}
"""quant_method -> the package that loading needs."""

ASKS = ("quantization_config", "load_in_4bit", "load_in_8bit")
"""Keywords of from_pretrained that quantise."""

TRAINABLE = frozenset({"bitnet", "compressed-tensors", "fp_quant"})
"""Methods whose quantised weights can be trained themselves, some of them only so set up: transformers 5.23."""


@rule("CFG040", Level.NOTE)
def written_by_a_newer_transformers(model: ModelFacts, versions: VersionFacts) -> Iterator[Problem]:
    """The config was written by a newer transformers than is installed.

    Why: keys the older version does not know are ignored, and defaults may have changed between the two.
    Fix: install the newer version, or check the model's results once.
    """
    written, installed = model.stored.transformers_version, versions.transformers
    if written is None or installed is None:
        return
    try:
        newer = order(written)[1][:2] > order(installed)[1][:2]
    except ValueError:
        return
    if newer:
        yield Problem(
            f"config.json was written by transformers {written}, installed is {installed}",
            model.at("/transformers_version"),
        )


@rule("CFG041", Level.NOTE)
def quantised_checkpoint(model: ModelFacts, setup: Setup) -> Iterator[Problem]:
    """The model is loaded quantised: by its config, or because the setup asks for it.

    Why: loading needs the quantiser's own package, and quantised weights cannot be trained themselves: Trainer refuses
    them without an adapter ("You cannot perform fine-tuning on purely quantized models").
    Fix: install the package; train with peft, or load the checkpoint that is not quantised.
    """
    key = next((key for key in ASKS if model.arguments.get(key) not in (None, False)), "")
    asked = model.arguments.get(key) if key else model.stored.quantization
    if not asked:
        return
    settings = asked if isinstance(asked, Mapping) else {key: asked}
    bits = any(str(name).startswith(("bnb", "load_in_")) for name in settings)
    method = settings.get("quant_method", "bitsandbytes" if bits else None)
    if key:
        said, where = f"the setup loads the model quantised ({value(method)})", setup.place(keywords(setup)[key][1])
    else:
        kinds = model.plain_dtypes()
        stored = f", but stores its weights as {', '.join(kinds)}" if kinds else ""
        said = f"config.json says the checkpoint is quantised ({value(method)}){stored}"
        where = model.stored.at("quantization_config")
    package = PACKAGES.get(method) if isinstance(method, str) else None
    needs = f"; loading needs {package}" if package else ""
    if setup.training_args and not setup.peft:
        level = Level.ERROR if key and method not in TRAINABLE else Level.WARNING
        yield Problem(f"{said}; it is trained without an adapter (peft){needs}", where, level=level)
    else:
        yield Problem(f"{said}{needs}", where)


@rule("CFG042", Level.ERROR)
def untied_without_an_output_layer(model: ModelFacts, loading: LoadingFacts) -> Iterator[Problem]:
    """tie_word_embeddings is false and the checkpoint has no output layer.

    Why: the output layer starts random: the model, trained with the embedding as its output layer, has to learn to
    speak anew.
    Fix: leave tie_word_embeddings true, as the checkpoint was saved.
    """
    output = _output(model, loading)
    if output is None or model.effective.get("tie_word_embeddings") is not False or loading.body_loaded == 0:
        return
    if any(tensor.name == output for tensor in loading.missing):
        message = f"tie_word_embeddings is false and the checkpoint has no {output}, which starts random"
        yield Problem(message, model.place("tie_word_embeddings"))


@rule("CFG043", Level.WARNING)
def tied_but_stored_apart(model: ModelFacts, weights: WeightFacts, loading: LoadingFacts) -> Iterator[Problem]:
    """tie_word_embeddings is true, but the checkpoint stores an output layer with other values than the embedding.

    Why: transformers 4 overwrites the trained output layer with the embedding; transformers 5 keeps both and only
    warns.
    Fix: set tie_word_embeddings to false.
    """
    output = _output(model, loading)
    source = loading.expected[output].tied_to if output else None
    if output is None or source is None or output not in loading.loaded or source not in loading.loaded:
        return
    if weights.same_values(loading.loaded[output], loading.loaded[source]) is False:
        message = f"tie_word_embeddings is true, but the checkpoint's {output} has other values than {source}"
        yield Problem(message, model.place("tie_word_embeddings"))


def before_five(versions: VersionFacts) -> bool:
    """Whether the installed transformers is older than 5; none installed counts as the newest."""
    return versions.transformers is not None and not versions.at_least("transformers", "5.0.0.dev0")


def _output(model: ModelFacts, loading: LoadingFacts) -> str | None:
    """The name of the layer that scores the vocabulary, when the class has one."""
    name = model.architecture.lm_head(loading.model_class) if model.architecture else None
    return name if name in loading.expected else None


@rule("CFG044", Level.WARNING)
def trained_in_half_precision(model: ModelFacts, setup: Setup, versions: VersionFacts) -> Iterator[Problem]:
    """The model is loaded in half precision and all its weights are trained so.

    Why: an update smaller than the number's step is lost: after 30 steps at 2e-5 only 31 % of bfloat16 weights had
    moved at all, of float16 94 %.
    Fix: load with `dtype="float32"` and set `bf16=True` in the training arguments; or train an adapter.
    """
    if not setup.training_args or setup.peft or model.stored.quantization:
        return
    asked = next((model.arguments[key] for key in ("dtype", "torch_dtype") if key in model.arguments), "auto")
    by_config = asked in ("auto", None)
    if by_config and "auto" not in model.arguments.values() and before_five(versions):
        return  # transformers 4 loads float32 unless told otherwise
    kind = HALF.get(str(model.effective.get("dtype") if by_config else asked).removeprefix("torch."))
    if kind is None:
        return
    where = (
        model.place("dtype")
        if by_config
        else setup.place("from_pretrained.dtype" if "dtype" in model.arguments else "from_pretrained.torch_dtype")
    )
    said = f"config.json says dtype {kind}" if by_config else f"the model is loaded as {kind}"
    if kind == "float16" and setup.training_args.get("fp16") is True:
        message = (
            f"{said} and fp16=True expects float32 weights: on a GPU it raises `Attempting to unscale FP16 gradients`"
        )
        yield Problem(message, where, level=Level.ERROR)
    elif not any(setup.training_args.get(key) is True for key in ("fp16", "bf16")):
        yield Problem(f"{said}, and training without mixed precision loses updates smaller than its step", where)


RULES: tuple[Rule, ...] = (
    written_by_a_newer_transformers,
    quantised_checkpoint,
    untied_without_an_output_layer,
    tied_but_stored_apart,
    trained_in_half_precision,
)
