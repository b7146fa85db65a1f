"""The LoRA adapter that the setup trains: which modules it reaches in this model. Follows PEFT 0.21. Loads nothing.

Knows the model's modules from its architecture's table and from the names of the checkpoint's tensors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.artifacts.architectures import Unknown
from pretune.check.finding import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pretune.check.facts.model import ModelFacts, WeightFacts
    from pretune.check.sources.setup import Setup

EMBEDDINGS = ("embed_tokens", "wte", "word_embeddings", "shared", "embed_in", "tok_embeddings", "word_embedding")
HEADS = ("lm_head", "embed_out", "decoder", "predictions")
LONGEST_PATTERN = 300
"""Characters of a regular expression that is tried out."""


@dataclass(frozen=True, slots=True)
class AdapterFacts:
    """What PEFT would wrap.

    Attributes:
        settings: the setup's peft table.
        targets: target_modules as a tuple; a string is one regular expression, or "all-linear".
        reached: target -> how many modules it names; None: the modules are not known.
        modules: the last names of the modules that have a matrix.
        saved: modules_to_save.
        task_type: as given, without "TaskType."; None when it is not.
    """

    settings: Mapping[str, Any]
    targets: tuple[str, ...]
    reached: Mapping[str, int] | None
    modules: tuple[str, ...]
    saved: tuple[str, ...]
    task_type: str | None

    @property
    def trains_embedding(self) -> bool:
        """Whether new rows of the word embedding would be trained: in any of PEFT's three ways."""
        if self.settings.get("trainable_token_indices"):
            return True
        if any(name.rsplit(".", 1)[-1] in EMBEDDINGS or "embed" in name for name in self.saved):
            return True
        pattern = isinstance(self.settings.get("target_modules"), str)
        return any(_matches(target, name, pattern=pattern) for target in self.targets for name in EMBEDDINGS) or any(
            "embed" in target for target in self.targets
        )


def read_adapter(setup: Setup, model: ModelFacts, weights: WeightFacts | None) -> AdapterFacts:
    """The adapter of the setup.

    Raises:
        Unavailable: the setup trains no adapter.
    """
    if not setup.peft:
        raise Unavailable("the setup trains no adapter (peft)")
    told = setup.peft.get("target_modules")
    targets = (told,) if isinstance(told, str) else tuple(map(str, told)) if isinstance(told, list | tuple) else ()
    modules = _modules(model, weights)
    pattern = isinstance(told, str)
    reached = {target: sum(_matches(target, name, pattern=pattern) for name in modules) for target in targets}
    saved = setup.peft.get("modules_to_save")
    task_type = setup.peft.get("task_type")
    return AdapterFacts(
        settings=setup.peft,
        targets=targets,
        reached=reached if modules else None,
        modules=tuple(sorted({name.rsplit(".", 1)[-1] for name in modules})),
        saved=tuple(map(str, saved)) if isinstance(saved, list | tuple) else (),
        task_type=str(task_type).removeprefix("TaskType.") if task_type is not None else None,
    )


def _modules(model: ModelFacts, weights: WeightFacts | None) -> tuple[str, ...]:
    """Names of the modules with a matrix, as the class has them and as the checkpoint has them.

    A checkpoint saved from the bare model lacks the base model's prefix, which a regular expression may ask for.
    """
    names: set[str] = set()
    architecture = model.architecture
    if architecture is not None and model.model_class is not None:
        try:
            expected = architecture.tensors(model.effective, model.model_class)
        except Unknown:
            expected = {}
        names |= _with_matrix((name, row.shape) for name, row in expected.items())
    if weights is not None:
        stored = _with_matrix((name, tensor.shape) for name, tensor in weights.table.tensors.items())
        names |= stored
        if architecture is not None and architecture.base_prefix:
            names |= {f"{architecture.base_prefix}.{name}" for name in stored}
    return tuple(sorted(names))


def _with_matrix(tensors: Iterable[tuple[str, tuple[int | None, ...]]]) -> set[str]:
    return {name.removesuffix(".weight") for name, shape in tensors if name.endswith(".weight") and len(shape) >= 2}


def _matches(target: str, name: str, *, pattern: bool) -> bool:
    """As PEFT's check_target_module_exists: a list names whole names or endings, a string is an expression for all."""
    if pattern and target.lower() == "all-linear":
        return name.rsplit(".", 1)[-1] not in (*EMBEDDINGS, *HEADS)
    if not pattern:
        return name == target or name.endswith(f".{target}")
    if len(target) > LONGEST_PATTERN:
        return True  # not tried out
    try:
        return re.fullmatch(target, name) is not None
    except (re.error, RecursionError):
        return False
