"""VOC2: a LoRA adapter against the checkpoint, the added tokens and the head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.artifacts.architectures import Unknown
from pretune.check.facts.adapter import EMBEDDINGS
from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, shown, some
from pretune.check.sources.setup import GENERATIVE
from pretune.core.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.adapter import AdapterFacts
    from pretune.check.facts.adding import AddingFacts
    from pretune.check.facts.model import ModelFacts, WeightFacts
    from pretune.check.finding import Rule
    from pretune.check.sources.setup import Setup

TASK_TYPES = ("SEQ_CLS", "SEQ_2_SEQ_LM", "CAUSAL_LM", "TOKEN_CLS", "QUESTION_ANS", "FEATURE_EXTRACTION")
KEEPS = {
    "SEQ_CLS": ("classifier", "score"),
    "TOKEN_CLS": ("classifier", "score"),
    "QUESTION_ANS": ("qa_outputs",),
}
"""PEFT's TaskType -> modules that it trains and saves whole by itself (peft 0.21, peft_model.py)."""

EXPECTED = {
    "text-classification": "SEQ_CLS",
    "pair-classification": "SEQ_CLS",
    "token-classification": "TOKEN_CLS",
    "question-answering": "QUESTION_ANS",
}
"""Task -> the TaskType that keeps its fresh head."""

LANGUAGE_MODELLING = ("masked-lm", *GENERATIVE)
HEAD_NAMES = frozenset({"lm_head", "decoder", "embed_out"})


@rule("VOC201", Level.ERROR)
def new_rows_frozen(adapter: AdapterFacts, adding: AddingFacts) -> Iterator[Problem]:
    """Tokens are added under LoRA, but the embedding is frozen: the new rows never learn.

    Why: LoRA trains its own small matrices; without trainable_token_indices or the embedding in modules_to_save the
    new rows stay at their first values, and are not in the saved adapter (an error in axolotl:
    axolotl-ai-cloud/axolotl#787).
    Fix: pass trainable_token_indices={"embed_tokens": [new ids]}, or modules_to_save with the embedding and the head.
    """
    if adding.new and not adapter.trains_embedding:
        yield Problem(
            f"{number(len(adding.new))} tokens are added, but neither trainable_token_indices, modules_to_save nor "
            f"target_modules names the embedding: {some(word.word for word in adding.new)} stay untrained",
            where=adding.new[0].where,
        )


@rule("VOC202", Level.ERROR)
def lora_target_absent(adapter: AdapterFacts, setup: Setup) -> Iterator[Problem]:
    """A LoRA target module does not exist in this checkpoint.

    Why: names differ between architectures (q_proj in Llama, query in BERT, c_attn in GPT-2); with none found PEFT
    raises, with some found the others are left out without a word.
    Fix: name modules the checkpoint has, or target_modules="all-linear".
    """
    if adapter.reached is None or not adapter.targets:
        return
    missing = [target for target, count in adapter.reached.items() if count == 0]
    if missing:
        every = len(missing) == len(adapter.targets)
        candidates = [name for name in adapter.modules if not name.isdigit() and "norm" not in name.lower()]
        yield Problem(
            f"target_modules {some(missing)} match no module of this checkpoint; it has {some(candidates, 6)}",
            where=setup.place("peft.target_modules"),
            level=None if every else Level.WARNING,
        )


@rule("VOC203", Level.WARNING)
def head_lost_with_adapter(adapter: AdapterFacts, model: ModelFacts, setup: Setup) -> Iterator[Problem]:
    """The fresh head would not be trained or saved with the adapter.

    Why: without the right task_type (or modules_to_save) PEFT freezes the randomly initialised head, and the saved
    adapter lacks it: after reloading the predictions are random.
    Fix: set task_type to the task's type, or name the head in modules_to_save.
    """
    expected = EXPECTED.get(setup.task or "")
    if adapter.task_type is not None and adapter.task_type not in TASK_TYPES:
        close = nearest(adapter.task_type.upper(), TASK_TYPES)
        yield Problem(
            f"peft has no task_type {shown(adapter.task_type)}" + (f", did you mean {close}?" if close else ""),
            where=setup.place("peft.task_type"),
            level=Level.ERROR,
        )
        return
    if expected is None:
        return
    kept = {name.rsplit(".", 1)[-1] for name in adapter.saved} | set(KEEPS.get(adapter.task_type or "", ()))
    if not kept & set(_heads(model, expected)):
        saved = some(adapter.saved) if adapter.saved else "empty"
        yield Problem(
            f"task is {setup.task}, but peft's task_type is {adapter.task_type or 'missing'} (expected {expected}) and "
            f"modules_to_save is {saved}: the head {shown(_heads(model, expected)[0])} stays random",
            where=setup.place("peft.task_type"),
        )


def _heads(model: ModelFacts, expected: str) -> tuple[str, ...]:
    """The names a head's module may have: by the architecture's table, else those that PEFT knows."""
    if model.architecture is not None and model.model_class is not None:
        try:
            rows = model.architecture.tensors(model.effective, model.model_class)
        except Unknown:
            rows = {}
        found = dict.fromkeys(part for name, row in rows.items() if row.role == "head" for part in name.split(".")[:-1])
        if found:
            return tuple(found)
    return KEEPS[expected]


@rule("VOC204", Level.WARNING)
def tied_embedding_saved(
    adapter: AdapterFacts, model: ModelFacts, weights: WeightFacts, setup: Setup
) -> Iterator[Problem]:
    """modules_to_save trains a copy of the embedding or the head, while the two are tied.

    Why: PEFT trains a copy of the one module; the two drift apart, and PEFT only warns. After merging it sets
    tie_word_embeddings to false.
    Fix: pass ensure_weight_tying=True, name both modules, or use trainable_token_indices, which keeps the tie.
    """
    if setup.task not in LANGUAGE_MODELLING or not model.get("tie_word_embeddings", False):
        return
    if not adapter.saved or adapter.settings.get("ensure_weight_tying") is True:
        return
    names = {name.rsplit(".", 1)[-1] for name in adapter.saved}
    has_embedding, has_head = bool(names & set(EMBEDDINGS)), bool(names & HEAD_NAMES)
    if has_embedding != has_head and weights.lm_head is None:
        yield Problem(
            f"modules_to_save is {some(adapter.saved)}, but tie_word_embeddings is true: one of the two is trained",
            where=model.at("/tie_word_embeddings"),
        )


@rule("VOC205", Level.WARNING)
def lora_rank_odd(adapter: AdapterFacts, setup: Setup) -> Iterator[Problem]:
    """LoRA's rank or scaling is out of any usual range.

    Why: r must be a positive whole number; alpha/r scales the update, and a factor far from 1 acts like another
    learning rate.
    Fix: r between 4 and 256, lora_alpha between r/2 and 4r.
    """
    rank, alpha = adapter.settings.get("r", 8), adapter.settings.get("lora_alpha")
    if not isinstance(rank, int) or isinstance(rank, bool) or rank <= 0:
        yield Problem(f"r is {rank!r}, expected a whole number above 0", where=setup.place("peft.r"), level=Level.ERROR)
    elif isinstance(alpha, int | float) and not isinstance(alpha, bool) and not 0.1 <= alpha / rank <= 16:
        yield Problem(
            f"lora_alpha {alpha} over r {rank} scales the update by {alpha / rank:g}, usual is 0.5 to 4",
            where=setup.place("peft.lora_alpha"),
        )


RULES: tuple[Rule, ...] = (
    new_rows_frozen,
    lora_target_absent,
    head_lost_with_adapter,
    tied_embedding_saved,
    lora_rank_odd,
)
