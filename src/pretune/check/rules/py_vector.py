"""PYS3: which token or mean stands for a text, taken by hand from a model's output."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pretune.check.facts.script_flow import flag, text
from pretune.check.facts.script_loops import training_loops
from pretune.check.facts.script_vectors import CAUSAL, WITHOUT_POOLER, tokenizing, vectors
from pretune.check.finding import Level, Problem, rule
from pretune.script.choices import alternatives
from pretune.script.kinds import kind, root
from pretune.script.trace import SetAttribute
from pretune.script.values import Constant, Operation, Sequence, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.facts.script_vectors import Vector
    from pretune.check.finding import Rule
    from pretune.script.trace import Call, Trace
    from pretune.script.values import Value

_COMPARING = (
    "cosine_similarity", "CosineSimilarity", "cos_sim", "pairwise_distances", "NearestNeighbors", "IndexFlatIP",
    "IndexFlatL2", "semantic_search", "cosine_distances", "dot_score", "cosine", "KMeans", "AgglomerativeClustering",
    "pytorch_cos_sim",
)  # fmt: skip
_UNTRAINED_POOLER = re.compile(r"(?:^|/)(?:klue/)?(?:xlm-)?roberta-(?:small|base|large)$|^klue/roberta-", re.IGNORECASE)
"""Checkpoints that were saved with a masked-word head and without a pooler."""
_RIGHT = ("bert", "roberta", "electra", "distilbert", "deberta", "albert", "modernbert")
"""Families whose tokenizers pad on the right."""


@rule("PYS301", Level.NOTE)
def first_token_for_similarity(script: ScriptFacts) -> Iterator[Problem]:
    """[CLS] of a model that nobody trained for it is compared by cosine.

    Why: before fine-tuning it is no sentence vector: on STS-B BERT's [CLS] has a rank correlation of 0.17, averaged
    GloVe vectors 0.58 (Reimers and Gurevych 2019, table 1).
    Fix: take the mean over the tokens with the mask, or a model trained for sentences; `pretune pool` shows which.
    """
    if _trains(script.trace) or not any(True for _ in script.trace.calls(*_COMPARING)):
        return
    for vector in vectors(script.trace):
        plain = vector.how == "first" and vector.headless and not vector.made_for_sentences
        if plain and vector.family in ("bert", "roberta", "electra", "distilbert", "deberta", "albert"):
            yield Problem(
                f"the first token of `{vector.name}`, not trained to stand for a text, is compared with others",
                where=str(vector.event.place),
            )


@rule("PYS302", Level.WARNING)
def last_position_is_padding(script: ScriptFacts) -> Iterator[Problem]:
    """The last position stands for the text, and the tokenizer pads on the right.

    Why: of all texts but the longest of a batch it is a pad: the vector says little of the text (STS-B, MiniLM: 0.65
    in place of 0.78).
    Fix: take the last position with attention_mask 1, or tokenizer.padding_side = "left".
    """
    for vector in vectors(script.trace):
        call = tokenizing(script.trace, vector.forward) if vector.how == "last" else None
        if vector.how == "last" and call is None and _masked_inside(vector.forward) and vector.family in _RIGHT:
            yield Problem(
                f"the last position stands for the text, and tokenizers of the {vector.family} family pad on the right",
                where=str(vector.event.place),
            )
        if call is None or not _pads(call) or _pads_left(script.trace, call):
            continue
        if vector.family in _RIGHT or vector.family == "gpt":
            yield Problem(
                "the last position stands for the text, but in a batch padded on the right it is a pad",
                where=str(vector.event.place),
                also=(str(call.place),),
            )


def _masked_inside(forward: Call) -> bool:
    """Whether the model is called in a module's own forward(), with the attention_mask that this is given."""
    mask = forward.argument(1, "attention_mask")
    inside = forward.function is not None and forward.function.name.endswith(".forward")
    return inside and isinstance(mask, Unknown) and "mask" in mask.name


@rule("PYS303", Level.WARNING)
def mean_over_padding(script: ScriptFacts) -> Iterator[Problem]:
    """The mean or maximum is taken over all positions, pads too.

    Why: the vector of a text depends on what stands beside it in the batch (STS-B, MiniLM: 0.797 in place of 0.820;
    with padding="max_length" it is mostly pads).
    Fix: (states * mask).sum(1) / mask.sum(1), with mask = attention_mask.unsqueeze(-1).
    """
    for vector in vectors(script.trace):
        if vector.how not in ("mean", "max"):
            continue
        call = tokenizing(script.trace, vector.forward)
        if call is None and _masked_inside(vector.forward):
            yield Problem(
                f"the {'mean' if vector.how == 'mean' else 'maximum'} runs over all positions, though forward() is "
                "given an attention_mask",
                where=str(vector.event.place),
            )
        if call is None or not _pads(call) or _one_text(call):
            continue
        full = (
            text(call.argument(None, "padding")) == "max_length" or call.argument(None, "pad_to_max_length") is not None
        )
        many = _several(call)
        yield Problem(
            f"the {'mean' if vector.how == 'mean' else 'maximum'} runs over pads too: attention_mask is left out",
            where=str(vector.event.place),
            level=None if full or many else Level.NOTE,
            also=(str(call.place),),
        )


@rule("PYS304", Level.ERROR)
def pooler_output_missing(script: ScriptFacts) -> Iterator[Problem]:
    """pooler_output is read from a model that gives none.

    Why: `AttributeError: ... object has no attribute 'pooler_output'`; with add_pooling_layer=False it is None.
    Fix: take last_hidden_state[:, 0], or the mean over the tokens with the mask.
    """
    hidden = any(
        flag(call.argument(None, name)) is not False and call.argument(None, name) is not None
        for call in script.trace.calls()
        for name in ("output_hidden_states", "output_attentions")
    ) or any(
        isinstance(event, SetAttribute) and event.name in ("output_hidden_states", "output_attentions")
        for event in script.trace.events
    )
    for vector in vectors(script.trace):
        message = _missing(vector, more=hidden or vector.loaded.open)
        if message:
            yield Problem(message, where=str(vector.event.place), also=(str(vector.loaded.place),))


def _missing(vector: Vector, *, more: bool) -> str:
    """Why there is no pooler's output; empty: there is, or it is not known. `more`: other outputs may be asked for."""
    named = f"`{vector.name}`" if vector.class_name.startswith("Auto") else vector.class_name
    if vector.how == "pooler":
        if flag(vector.loaded.argument(None, "add_pooling_layer")) is False:
            return "pooler_output is None: the model is loaded with add_pooling_layer=False"
        if vector.class_name.startswith("AutoModelFor"):
            return f"{vector.class_name} gives no pooler_output"
        if vector.headless and vector.family in WITHOUT_POOLER:
            return f"{named} gives no pooler_output"
    bare = vector.headless and vector.family in ("distilbert", "electra", "deberta")
    if vector.how == "second" and bare and not more:
        return f"{named} gives last_hidden_state alone, and its second output is taken for the pooler's"
    return ""


@rule("PYS305", Level.WARNING)
def pooler_output_untrained(script: ScriptFacts) -> Iterator[Problem]:
    """pooler_output is used as it is, of a checkpoint that holds no pooler.

    Why: RoBERTa was trained on masked words alone: its pooler is drawn at random at each loading, so that the vectors
    are other ones in each run.
    Fix: take the mean over the tokens with the mask, or train.
    """
    if _trains(script.trace):
        return
    for vector in vectors(script.trace):
        used = vector.how in ("pooler", "second") and vector.headless and not vector.made_for_sentences
        if used and vector.name is not None and _UNTRAINED_POOLER.search(vector.name):
            yield Problem(f"`{vector.name}` holds no pooler: pooler_output is random", where=str(vector.event.place))


@rule("PYS306", Level.ERROR)
def first_token_of_a_decoder(script: ScriptFacts) -> Iterator[Problem]:
    """The first token of a model that reads from left to right stands for the text.

    Why: it has seen nothing of what follows: all texts that begin alike have the same vector.
    Fix: take the last token that is no pad, or the mean with the mask.
    """
    for vector in vectors(script.trace):
        if vector.how == "first" and vector.family in CAUSAL:
            named = f"`{vector.name}`" if vector.name else vector.class_name
            yield Problem(
                f"the first token of {named} stands for the text, and has seen no other token",
                where=str(vector.event.place),
            )


def _trains(trace: Trace) -> bool:
    """Whether anything in the script trains a model."""
    if training_loops(trace) or any(True for _ in trace.calls("backward", "manual_backward")):
        return True
    for call in trace.calls():
        if call.method.endswith("Trainer"):
            return True
        given = call.argument(0, "model") if call.method == "fit" else None
        if given is not None and kind(given) == "model":
            return True
    return False


def _pads(call: Call) -> bool:
    """Whether a tokenizer's call surely pads."""
    padding = call.argument(None, "padding")
    full = text(padding) in ("max_length", "longest") or flag(padding) is True
    return full or flag(call.argument(None, "pad_to_max_length")) is True or call.method == "pad"


def _pads_left(trace: Trace, call: Call) -> bool:
    """Whether the tokenizer may pad on the left."""
    made = root(call.receiver) if call.receiver is not None else None
    loaded = getattr(made, "call", None)
    if loaded is None or loaded.argument(None, "padding_side") is not None or call.argument(None, "padding_side"):
        return True
    return any(isinstance(event, SetAttribute) and event.name == "padding_side" for event in trace.events)


def _first(call: Call) -> Value | None:
    return call.argument(0, "text") or call.argument(0, "batch_text_or_text_pairs")


def _one_text(call: Call) -> bool:
    """Whether a tokenizer is given one text, which needs no padding unless to a fixed length."""
    given = _first(call)
    if given is None or text(call.argument(None, "padding")) == "max_length" or call.method == "batch_encode_plus":
        return False
    return all(
        (isinstance(one, Constant) and isinstance(one.value, str))
        or (isinstance(one, Operation) and one.operator in ("f", "format", "+", "iterate"))
        or (isinstance(one, Sequence) and len(one.items) == 1 and not one.open)
        for one in alternatives(given)
    )


def _several(call: Call) -> bool:
    """Whether a tokenizer is surely given more than one text."""
    given = _first(call)
    return call.method == "batch_encode_plus" or (isinstance(given, Sequence) and len(given.items) > 1)


RULES: tuple[Rule, ...] = (
    first_token_for_similarity,
    last_position_is_padding,
    mean_over_padding,
    pooler_output_missing,
    pooler_output_untrained,
    first_token_of_a_decoder,
)
