"""CFG: vocab_size and pad_token_id: numbers in the config that the word and position embeddings have to agree with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.artifacts.architectures import Unknown
from pretune.check.facts.edits import whole
from pretune.check.finding import Fix, Level, Patch, Problem, rule
from pretune.check.rules.config_names import value
from pretune.check.rules.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pretune.artifacts.architectures import Expected
    from pretune.check.facts.edits import Edit
    from pretune.check.facts.model import ModelFacts, WeightFacts
    from pretune.check.finding import Rule
    from pretune.check.sources.setup import Setup


def tensors_of(model: ModelFacts, config: Mapping[str, Any]) -> Mapping[str, Expected] | None:
    """What the model's class would hold under a config; None when that is not known."""
    if model.architecture is None:
        return None
    model_class = model.model_class or model.architecture.classes.get("AutoModel", "")
    try:
        return model.architecture.tensors(config, model_class)
    except Unknown:
        return None


def change(edit: Edit) -> str:
    """`hidden_size 768 -> 1,024`."""
    return f"{edit.key} {value(edit.old)} -> {value(edit.new)}"


@rule("CFG006", Level.ERROR)
def vocab_size_edited(model: ModelFacts, setup: Setup) -> Iterator[Problem]:
    """vocab_size is edited, which resizes nothing.

    Why: the checkpoint's word embedding keeps its rows; loading fails, or starts the whole embedding at random.
    Fix: leave vocab_size alone and call `model.resize_token_embeddings(len(tokenizer))` after loading.
    """
    edit = model.edit("vocab_size")
    if edit is None or model.has_weights or not edit.known or not whole(edit.new) or not whole(edit.old):
        return
    if edit.how == "update" and setup.resize:
        return
    yield Problem(
        f"vocab_size is set from {value(edit.old)} to {value(edit.new)}, which does not resize the embedding",
        edit.where,
    )


@rule("CFG007", Level.ERROR)
def vocab_size_against_the_rows(model: ModelFacts, weights: WeightFacts, setup: Setup) -> Iterator[Problem]:
    """config.vocab_size is not the number of rows of the word embedding.

    Why: from_pretrained builds the embedding from the config and then cannot put the checkpoint's into it.
    Fix: set vocab_size to the checkpoint's rows; resize with `model.resize_token_embeddings` after loading.
    """
    rows, size = weights.embedding_rows, model.number("vocab_size")
    if (
        rows is None
        or size is None
        or weights.embedding is None
        or _rows_expected(model, weights) == rows
        or rows == size
    ):
        return
    edit = model.edit("vocab_size")
    if edit and edit.how == "update" and setup.resize:
        return
    if model.ignores_mismatches and model.architecture is not None:
        return  # MOD says what that starts at random
    level = Level.ERROR if not weights.by_name else Level.WARNING
    said = f"vocab_size is set to {number(size)}" if edit else f"config.json says vocab_size {number(size)}"
    message = f"{said}, the checkpoint's {weights.embedding.name} has {number(rows)} rows"
    yield Problem(
        message, model.place("vocab_size"), level=level, fix=None if edit else _size_fix(model, weights, rows, size)
    )


def _rows_expected(model: ModelFacts, weights: WeightFacts) -> int | None:
    """Rows the model would build; some model types pad vocab_size themselves."""
    expected = tensors_of(model, model.effective) or {}
    prefix = f"{model.architecture.base_prefix}." if model.architecture else ""
    name = weights.embedding.name if weights.embedding else ""
    found = expected.get(name) or expected.get(prefix + name) or expected.get(name.removeprefix(prefix))
    return found.shape[0] if found and found.shape else None


def _size_fix(model: ModelFacts, weights: WeightFacts, rows: int, size: int) -> Fix:
    """Set vocab_size to the rows; safe when no tensor of the checkpoint agrees with the stated size."""
    pointer = model.stored.pointer("vocab_size")
    agrees = any(size in tensor.shape[:1] for tensor in weights.table.tensors.values())
    return Fix(
        f"set vocab_size to the checkpoint's {number(rows)} rows",
        (Patch(model.stored.file, pointer, rows),),
        safe=not agrees,
    )


@rule("CFG008", Level.ERROR)
def pad_token_id_moves_positions(model: ModelFacts) -> Iterator[Problem]:
    """pad_token_id is edited on a model that counts its positions from it.

    Why: RoBERTa's first token has position pad_token_id + 1; with another pad id every token gets another position
    embedding.
    Fix: leave pad_token_id; give the tokenizer the model's pad token instead.
    """
    edit = model.edit("pad_token_id")
    if edit is None or model.architecture is None or whole(edit.new) is None or whole(edit.old) is None:
        return
    usable = [model.architecture.positions({**model.saved, "pad_token_id": pad}) for pad in (edit.old, edit.new)]
    if usable[0] != usable[1]:
        message = f"{change(edit)} moves the first position from {edit.old + 1} to {edit.new + 1}"
        yield Problem(f"{message}: {model.model_type} counts positions from it", edit.where)


RULES: tuple[Rule, ...] = (vocab_size_edited, vocab_size_against_the_rows, pad_token_id_moves_positions)
