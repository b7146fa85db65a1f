"""The model that is trained, with its head, and its tokenizer: load_tokenizer, load_model. It tells what it changes.

The head's random weights come from the seed of the recipe alone. Weights are float32, whatever the file has; what the
file lacks or has too many of is said in one line. Remote code is run only where the recipe says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.core.extras import need
from pretune.core.quantity import number
from pretune.train.pooled_model import pooled_class
from pretune.train.pooling import own_head, require_head

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pretune.check.sources.setup import Setup
    from pretune.train.examples import Examples
    from pretune.train.recipe import Recipe
    from pretune.train.tasks import Task


_ENDLESS = 2**31
"""A tokenizer's model_max_length from here on means that there is none."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model ready to be trained, and what is to be said of how it was loaded."""

    model: Any
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a model's config says of its input, read without loading anything.

    Attributes:
        positions: tokens it has positions for; None: no such limit, or not known.
        rows: entries of its vocabulary; None: not known.
        segments: how many token types it tells apart; None: not known.
    """

    positions: int | None = None
    rows: int | None = None
    segments: int | None = None


def limits_of(setup: Setup) -> Limits:
    """The limits of the setup's model.

    Raises:
        UserError: there is no such model.
    """
    from pretune.check.facts.model import read_model
    from pretune.check.finding import Unavailable

    try:
        facts = read_model(setup)
    except Unavailable as why:
        raise UserError(
            f"{setup.model}: {why.reason}", hint="name a folder with a config.json, or a hub name"
        ) from None
    architecture = facts.stored.text_architecture or facts.architecture
    positions = None
    if architecture is not None and architecture.positions_are_hard(facts.effective):
        positions = architecture.positions(facts.effective)
    return Limits(positions, facts.number("vocab_size"), facts.number("type_vocab_size"))


def longest_of(setup: Setup, limits: Limits) -> int | None:
    """Tokens of an example at most, by the positions and by what the tokenizer's files say; None: not known.

    Raises:
        UserError: the tokenizer's files cannot be read.
    """
    from pretune.check.facts.model import read_model
    from pretune.check.facts.tokenizer import read_setup_tokenizer
    from pretune.check.finding import Unavailable
    from pretune.train.tasks.encode import lowest

    named = setup.tokenizer_kwargs.get("model_max_length")
    if not isinstance(named, int):
        try:
            named = read_setup_tokenizer(setup, read_model(setup)).files.max_length
        except Unavailable:  # loading it says why
            named = None
    return lowest(limits.positions, named if named is not None and named < _ENDLESS else None)


def load_tokenizer(setup: Setup) -> Any:
    """The fast tokenizer of the recipe.

    Raises:
        UserError: transformers is not installed, or the tokenizer does not load or is a slow one.
    """
    need("torch", extra="train")
    transformers = need("transformers", extra="train")
    name = setup.tokenizer or setup.model
    own = {key: value for key, value in setup.from_pretrained.items() if key in ("revision", "trust_remote_code")}
    with quiet():
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                name, **{**own, **_inputs(setup), **setup.tokenizer_kwargs}
            )
        except Exception as error:  # noqa: BLE001 - anything may be wrong with the files
            raise UserError(f"the tokenizer of {name} does not load: {_first_line(error)}") from None
    if not getattr(tokenizer, "is_fast", False):
        raise UserError(f"the tokenizer of {name} is a slow one", hint="save it with a tokenizer.json")
    return tokenizer


def _inputs(setup: Setup) -> dict[str, Any]:
    """Leaves token_type_ids out where the recipe does; saved with the model, so that pipelines do so too."""
    if setup.encode.get("return_token_type_ids") is not False:
        return {}
    return {"model_input_names": ["input_ids", "attention_mask"]}


def load_model(recipe: Recipe, task: Task) -> Loaded:
    """The model with the task's head.

    Raises:
        UserError: transformers or accelerate is not installed; the model does not load, has no such head, or the file
            lacks most of it.
    """
    torch, transformers = (need(name, extra="train") for name in ("torch", "transformers"))
    need("accelerate", extra="train")
    setup = recipe.setup
    kind = f"AutoModelFor{task.head}"
    name = setup.model_class or kind
    build = getattr(transformers, name, None)
    if build is None or not name.endswith(task.head):
        raise UserError(f"{setup.place('model_class')}: {name} has no head for {recipe.task}, expected {kind}")
    arguments = {**setup.from_pretrained, **setup.model_kwargs}
    hub = {key: arguments[key] for key in ("revision", "trust_remote_code") if key in arguments}
    with quiet():
        try:
            config = transformers.AutoConfig.from_pretrained(setup.model, **hub, **setup.config)
            before = config.num_labels
            for key, value in {**setup.config_update, **task.config}.items():
                setattr(config, key, value)
            require_head(build, config, task.means)
            if not own_head(recipe.pooling, config):
                build = pooled_class(config, str(recipe.pooling), str(setup.model))
            arguments |= {"config": config, "output_loading_info": True, _dtype(transformers): torch.float32}
            if recipe.new_head:
                arguments["ignore_mismatched_sizes"] = True
            transformers.set_seed(recipe.options.seed)
            model, info = build.from_pretrained(setup.model, **arguments)
            if recipe.new_head:
                _draw_head(model, recipe.options.seed)
        except UserError:
            raise
        except Exception as error:  # noqa: BLE001 - anything may be wrong with the files
            mismatched = any(words in str(error).lower() for words in ("size mismatch", "ignore_mismatched_sizes"))
            if mismatched and before != config.num_labels:
                raise UserError(
                    f"the head of {setup.model} has {before} outputs, the data ask for {config.num_labels}",
                    hint="train a new head for these data: --new-head",
                ) from None
            hint = "other shapes than the config says? --new-head draws the head anew" if mismatched else ""
            raise UserError(f"{setup.model} does not load as {name}: {_first_line(error)}", hint=hint) from None
    return Loaded(model, tuple(_differences(model, info, str(setup.model))))


def fitting(examples: Examples, model: Any) -> Examples:
    """The examples without token types where the model takes none.

    Raises:
        UserError: a token id that the embedding has no row for.
    """
    import inspect
    from dataclasses import replace

    rows = len(model.get_input_embeddings().weight)
    _in_vocabulary(examples, rows)
    whole = not hasattr(model, "sentence_head")  # a pooling's own class hands on what its body takes
    takes = inspect.signature((model if whole else model.base_model).forward).parameters
    if examples.types is not None and "token_type_ids" not in takes:
        return replace(examples, types=None)
    return examples


def require_fit(examples: Examples, limits: Limits) -> None:
    """Stop before the model is loaded where it cannot take what the tokenizer makes.

    Raises:
        UserError: an id beyond the vocabulary, a token type the model does not have.
    """
    if limits.rows is not None:
        _in_vocabulary(examples, limits.rows)
    types = examples.types
    if types is not None and limits.segments and len(types) and int(types.max()) >= limits.segments:
        raise UserError(
            f"the tokenizer makes token type {int(types.max())}, but the model has {limits.segments}",
            hint='tokenizer_kwargs.model_input_names = ["input_ids", "attention_mask"]',
        )


def _in_vocabulary(examples: Examples, rows: int) -> None:
    most = int(examples.ids.max()) if len(examples.ids) else 0
    if most >= rows:
        raise UserError(
            f"the tokenizer makes token id {number(most)}, but the model has {number(rows)} rows of embeddings",
            hint="load the tokenizer the model was saved with, or add its words: pretune tokens add",
        )


def _draw_head(model: Any, seed: int) -> None:
    """Draw the head anew: a trained head of the same size would stay in place under other labels."""
    import torch
    from transformers import set_seed

    set_seed(seed)
    fresh = type(model)(model.config)
    body = f"{model.base_model_prefix}."
    with torch.no_grad():
        for name, value in fresh.named_parameters():
            if not name.startswith(body):
                model.get_parameter(name).copy_(value)


def _differences(model: Any, info: Mapping[str, Any], name: str) -> Iterator[str]:
    """What the file lacks, has too much, or has in another shape.

    Raises:
        UserError: most of the model's body is missing, so that next to nothing was pretrained.
    """
    missing = sorted(info.get("missing_keys", ()))
    body = [one for one in model.state_dict() if one.startswith(f"{model.base_model_prefix}.")]
    lacking = [one for one in missing if one.startswith(f"{model.base_model_prefix}.") and ".pooler." not in f".{one}"]
    if body and 2 * len(lacking) > len(body):
        raise UserError(
            f"{name} holds {len(body) - len(lacking)} of {len(body)} weights of {type(model).__name__}'s body",
            hint="is it the right folder? the rest would begin at random",
        )
    mismatched = sorted(str(one[0] if isinstance(one, tuple) else one) for one in info.get("mismatched_keys", ()))
    unexpected = sorted(info.get("unexpected_keys", ()))
    parts = []
    for words, keys in (
        ("begin at random", missing),
        ("have another shape and begin at random", mismatched),
        ("are not used", unexpected),
    ):
        if keys:
            parts.append(f"{_some(keys)} {words}")
    if parts:
        yield f"{type(model).__name__}: " + "; ".join(parts)


def _some(keys: Sequence[str]) -> str:
    shown = ", ".join(keys[:3])
    return shown if len(keys) <= 3 else f"{shown} and {len(keys) - 3} more"


def _dtype(transformers: Any) -> str:
    """The keyword that says the weights' type: `torch_dtype` until 4.55."""
    major, minor = (int(part) for part in transformers.__version__.split(".")[:2])
    return "dtype" if (major, minor) >= (4, 56) else "torch_dtype"


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]


class quiet:  # noqa: N801 - it is used as a function
    """Keeps transformers from telling at length what is said here in one line; its level comes back afterwards."""

    def __enter__(self) -> None:
        from transformers.utils import logging

        self._level = logging.get_verbosity()
        self._bar = logging.is_progress_bar_enabled()
        logging.set_verbosity_error()
        logging.disable_progress_bar()

    def __exit__(self, *_: object) -> None:
        from transformers.utils import logging

        logging.set_verbosity(self._level)
        if self._bar:
            logging.enable_progress_bar()
