"""Which vector of a text a class or a similarity is read from: resolved, own_head, WAYS. Reads files, loads no model.

A folder of sentence-transformers declares how sentence vectors are made of its model; that pooling is trained where
nothing else is said. Any other model has the head of its architecture. The model itself stands in pooled_model.py.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.artifacts.sentence_files import SentenceFiles
    from pretune.artifacts.source import Source
    from pretune.train.recipe import Recipe

HEAD = "head"
"""The architecture's own."""
TASKS = ("classify", "pairs")
_OF_SENTENCE_TRANSFORMERS = {"cls": "cls", "mean": "mean", "max": "max", "lasttoken": "last_token"}
_READS = {"first": "cls", "last non-pad": "last_token"}
"""What check says that an architecture's head reads -> the pooling that this is."""
_NO_MATTER = frozenset({"Transformer", "Pooling", "Normalize", "Dropout", "Dense"})
"""Modules beside which the pooling is still of the last layer's states."""


def resolved(recipe: Recipe) -> tuple[Recipe, tuple[str, ...]]:
    """The recipe with the pooling that counts, written into its setup as well, and what is to be said of it.

    Raises:
        UserError: a pooling is asked for where no text gets a vector, or of a model that cannot have it.
    """
    asked = recipe.pooling
    if recipe.task not in TASKS:
        if asked not in {None, HEAD}:
            raise UserError(f"{recipe.setup.place('train.pooling')}: {recipe.task} reads tokens, it has no pooling")
        return recipe, ()
    if asked == HEAD or (asked is None and recipe.setup.model_class is not None):
        return recipe, ()
    if recipe.setup.model_class is not None:
        where = recipe.setup.place("train.pooling")
        raise UserError(f"{where} is {asked}, but the model's class is {recipe.setup.model_class}", hint="give one")
    facts = _model(recipe)
    if facts is None:  # loading the model says what is wrong with it
        return recipe, ()
    config = dict(facts.config)
    reads = _reads(facts)
    if asked is not None:
        if config.get("is_encoder_decoder"):
            where = recipe.setup.place("train.pooling")
            raise UserError(f"{where} is {asked}, but an encoder-decoder has a head of its own", hint="--pooling head")
        if reads == asked:
            return _written(recipe, HEAD), ()
        return _written(recipe, asked), (f"{asked} pooling{_loads(config)}",)
    declared, said = _declared(facts.source, config)
    if declared is None:
        return recipe, said
    if reads == declared:
        return recipe, (f"{declared} pooling, as the folder declares it, is what the architecture's head reads", *said)
    return _written(recipe, declared), (f"{declared} pooling, as the folder declares it{_loads(config)}", *said)


def own_head(pooling: str | None, config: Any) -> bool:
    """Whether the architecture's own class of transformers does this pooling; ModernBERT is told by its config."""
    if pooling in {"mean", "cls"} and hasattr(config, "classifier_pooling"):
        config.classifier_pooling = pooling
        return True
    return pooling in {None, HEAD}


def _loads(config: Mapping[str, Any]) -> str:
    """How the result loads, where no class of transformers does it."""
    if "classifier_pooling" in config:
        return ""
    return "; SentenceTransformer loads the result (--pooling head: transformers' own class and pipelines do)"


def _model(recipe: Recipe) -> Any:
    """What check knows of the model; None where it cannot be read."""
    from pretune.check.facts.model import read_model
    from pretune.check.finding import Unavailable

    try:
        return read_model(replace(recipe.setup, task=recipe.setup.task or "text-classification"))
    except Unavailable:
        return None


def _reads(facts: Any) -> str:
    """The pooling that the architecture's own head is; empty: another one, or not known."""
    architecture = facts.architecture
    if architecture is None:
        return ""
    return _READS.get(architecture.reads(facts.model_class or ""), "")


def _declared(source: Source, config: Mapping[str, Any]) -> tuple[str | None, tuple[str, ...]]:
    """The pooling that a folder declares, and what is not done of it; None: none, or one that is not trained here."""
    from pretune.artifacts.sentence_files import read_sentence_files

    files: SentenceFiles = read_sentence_files(source)
    if not files.declared:
        return None, ()
    modes = files.modes or ("mean",)  # with no mode on, sentence-transformers takes the mean
    kinds = _modules(source)
    odd = [kind for kind in kinds if kind not in _NO_MATTER]
    pooling = _OF_SENTENCE_TRANSFORMERS.get(modes[0]) if len(modes) == 1 else None
    if pooling is None or odd or config.get("is_encoder_decoder"):
        what = odd[0] if odd else f"{' + '.join(modes)} pooling"
        why = f"{source.label}: {what} is declared, which is not trained here: the architecture's own head is"
        return None, (f"{why} (--pooling mean: of the last layer)",)
    ours = any(str(name).startswith("Pooled") for name in config.get("architectures") or ())
    left = "Dense" in kinds and not ours
    return pooling, ("the folder's Dense is left out: the head is a linear layer of its own",) if left else ()


def _modules(source: Source) -> list[str]:
    """The kinds of modules that modules.json lists."""
    from pretune.artifacts.json_file import read_json

    try:
        listed = read_json(source, "modules.json") if source.has("modules.json") else []
    except UserError:
        return []
    found = listed if isinstance(listed, list) else []
    return [str(one.get("type", "")).rpartition(".")[2] for one in found if isinstance(one, dict)]


def _written(recipe: Recipe, pooling: str) -> Recipe:
    setup = replace(recipe.setup, train={**recipe.setup.train, "pooling": pooling})
    return replace(recipe, pooling=pooling, setup=setup)


def require_head(build: Any, config: Any, means: str) -> None:
    """Stop where transformers has no class of this architecture with the task's head.

    Raises:
        UserError: so it is, and the folder brings none of its own either.
    """
    known = getattr(build, "_model_mapping", None)
    own = getattr(config, "auto_map", None) or {}
    if known is None or type(config) in known or build.__name__ in own:
        return
    raise UserError(
        f"transformers has no {config.model_type} model with a head for {means}",
        hint="take another model, such as a BERT, RoBERTa or ELECTRA",
    )
