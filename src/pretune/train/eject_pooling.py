"""What a script has to know of a pooling that is not the architecture's head: pooling_facts. Knows no data.

ModernBERT does some of them itself, told by its config; for any other model the script has a class of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.train.pooled_model import dropout_rate, modules_of, pooled_class
from pretune.train.pooling import own_head

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.train.recipe import Recipe

NONE = {"pooling": None}
"""What the template is told where the head is the architecture's own."""


def pooling_facts(recipe: Recipe, config: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the template asks, and what the model's config has to say besides.

    Args:
        recipe: with the pooling that counts.
        config: the keys that the recipe and the data lay over the model's.

    Raises:
        UserError: transformers has no such model, or does not offer its classes.
    """
    import transformers

    if own_head(recipe.pooling, None):
        return NONE, {}
    setup, pooling = recipe.setup, str(recipe.pooling)
    loaded = transformers.AutoConfig.from_pretrained(setup.model, **setup.from_pretrained)
    if own_head(pooling, loaded):
        return NONE, {"classifier_pooling": pooling}
    for key, value in config.items():
        setattr(loaded, key, value)
    parent = pooled_class(loaded, pooling, str(setup.model)).__mro__[1]
    known: Any = transformers.AutoModel._model_mapping  # noqa: SLF001 - no public way
    body = known[type(loaded)]
    for one in (parent, body):
        if getattr(transformers, one.__name__, None) is not one:
            raise UserError(
                f"--eject does not write {pooling} pooling", hint="--pooling head: the architecture's own head"
            )
    return {
        "pooling": pooling,
        "parent": parent.__name__,
        "body": body.__name__,
        "rate": dropout_rate(loaded),
        "modules": modules_of(pooling, loaded.hidden_size, loaded.num_labels),
    }, {}
