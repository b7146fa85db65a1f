"""Token types that a model does not have, left out before the run: without_types. Knows files, and loads nothing.

klue/roberta comes with a BERT tokenizer that says 1 of a second text, and tells one type apart.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pretune.train.model import Limits
    from pretune.train.recipe import Recipe

_TWO_TEXTS = ("mrc", "pairs")


def without_types(recipe: Recipe, limits: Limits) -> tuple[Recipe, tuple[str, ...]]:
    """The recipe with token types left out where the model lacks those of its tokenizer, and a line that says so.

    What the recipe itself says of them counts as it is. Saved so, the tokenizer leaves them out in pipelines as well.
    """
    from pretune.artifacts.post_processor import pair_types
    from pretune.check.facts.model import read_model
    from pretune.check.facts.tokenizer import read_setup_tokenizer
    from pretune.check.finding import Unavailable

    setup = recipe.setup
    said = "return_token_type_ids" in setup.encode or "model_input_names" in setup.tokenizer_kwargs
    if recipe.task not in _TWO_TEXTS or not limits.segments or said:
        return recipe, ()
    try:
        tokenizer = read_setup_tokenizer(setup, read_model(setup))
    except Unavailable:  # loading it says why
        return recipe, ()
    largest = max(pair_types(tokenizer.parts.get("post_processor")), default=0)
    if "token_type_ids" not in tokenizer.files.input_names or largest < limits.segments:
        return recipe, ()
    setup = replace(setup, encode={**setup.encode, "return_token_type_ids": False})
    line = f"token_type_ids are left out: the tokenizer makes type {largest}, and the model has {limits.segments}"
    return replace(recipe, setup=setup), (line,)
