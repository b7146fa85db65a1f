"""LIV1: the token ids of the first batches against the embedding in memory, and the text that they stand for."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, percent, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.live import LiveFacts
    from pretune.check.facts.live_batches import Batch
    from pretune.check.finding import Rule

FIRST_TOKEN = ("question-answering", "text-classification", "pair-classification", "sentence-similarity")
"""Tasks for which an encoder reads its first token, or was trained with it there."""


@rule("LIV101", Level.ERROR)
def batch_id_without_row(live: LiveFacts) -> Iterator[Problem]:
    """A batch holds a token id that the embedding has no row for.

    Why: an index error on the CPU; on a GPU, an assert that hides its cause.
    Fix: `model.resize_token_embeddings(len(tokenizer))` after the last token is added, or the model's own tokenizer.
    """
    rows = live.model.rows
    if rows is None:
        return
    seen = Counter(chain.from_iterable(chain.from_iterable(ids for ids, _, _ in _texts(live))))
    outside = sorted(index for index in seen if not 0 <= index < rows)
    if outside:
        yield Problem(
            f"{number(len(outside))} token ids of the batches have no row (id {outside[-1]}, but {number(rows)} rows)",
            "train batches: input_ids",
        )


@rule("LIV102", Level.ERROR)
def batch_id_without_token(live: LiveFacts) -> Iterator[Problem]:
    """A batch holds ids that the tokenizer in use does not have.

    Why: the rows were made with another tokenizer; every id means another word than the model learns for it.
    Fix: encode the data anew with this tokenizer; clear the cache of `datasets.map` if it was changed since.
    """
    largest = live.tokenizer.largest
    ids = list(chain.from_iterable(chain.from_iterable(ids for ids, _, _ in _texts(live))))
    rows = live.known_model.rows if live.known_model else None
    unknown = [index for index in ids if index > largest and (rows is None or index < rows)]
    if unknown and largest >= 0:
        yield Problem(
            f"{number(len(unknown))} of {number(len(ids))} token ids are larger than the tokenizer's largest "
            f"({max(unknown)}, but {largest})",
            "train batches: input_ids",
        )


@rule("LIV103", Level.WARNING)
def batches_full_of_unknowns(live: LiveFacts) -> Iterator[Problem]:
    """Much of the text is read as unknown.

    Why: words without a token all look the same to the model; mostly a tokenizer of another language or another case.
    Fix: use a tokenizer that knows this language, or add the words (`pretune tokens`).
    """
    special = live.tokenizer.special
    unknown = special.get("unk")
    others = {index for role, index in special.items() if role != "unk"}
    if unknown is None or unknown in others:
        return
    ids = [
        index
        for index in chain.from_iterable(chain.from_iterable(r for r, _, _ in _texts(live)))
        if index not in others
    ]
    count = ids.count(unknown)
    if len(ids) >= 50 and count * 10 >= len(ids):
        yield Problem(
            f"{percent(count / len(ids))} of {number(len(ids))} tokens are the unknown token (id {unknown})",
            "train batches: input_ids",
            level=Level.ERROR if count * 2 > len(ids) else Level.WARNING,
        )


@rule("LIV104", Level.WARNING)
def rows_that_begin_twice(live: LiveFacts) -> Iterator[Problem]:
    """Rows begin with the same special token twice.

    Why: the template writes it and the tokenizer adds it again; the model never saw a text that begins so.
    Fix: encode templated text with `add_special_tokens=False`.
    """
    opening = {live.tokenizer.special[role] for role in ("bos", "cls") if role in live.tokenizer.special}
    begins = [_beginning(row, mask) for ids, masks, _ in _texts(live) for row, mask in zip(ids, masks, strict=True)]
    twice = [row for row in begins if len(row) > 1 and row[0] in opening and row[0] == row[1]]
    if len(begins) >= 2 and len(twice) * 2 >= len(begins):
        yield Problem(
            f"{number(len(twice))} of the first {number(len(begins))} rows begin with "
            f"{shown(live.tokenizer.decode([twice[0][0]]).strip())} twice",
            "train batches: input_ids",
        )


@rule("LIV105", Level.WARNING)
def rows_without_their_beginning(live: LiveFacts) -> Iterator[Problem]:
    """No row begins with the special token that the tokenizer opens texts with.

    Why: the head reads the first token, which the model was trained to find there.
    Fix: leave `add_special_tokens` on, also where ids are put together by hand (`prepare_for_model`).
    """
    opens = live.tokenizer.opens
    encoder = opens is not None and opens == live.tokenizer.special.get("cls")
    if opens is None or not encoder or live.task not in FIRST_TOKEN:
        return
    rows = [row for ids, _, _ in _texts(live) for row in ids]
    if len(rows) >= 4 and not any(opens in row for row in rows):
        yield Problem(
            f"none of the first {number(len(rows))} rows holds {shown(live.tokenizer.decode([opens]).strip())}, which "
            f"{live.tokenizer.name} opens texts with",
            "train batches: input_ids",
        )


@rule("LIV106", Level.WARNING)
def attention_mask_missing(live: LiveFacts) -> Iterator[Problem]:
    """Rows are padded, but the batch has no attention_mask.

    Why: the model reads the pads as text, and what it says of a row depends on how long its neighbours are.
    Fix: keep attention_mask when rows are encoded, and let the collator pad it (`tokenizer.pad`).
    """
    pad = live.tokenizer.special.get("pad")
    model = live.model
    if pad is None or (model.inputs and "attention_mask" not in model.inputs and not model.open_inputs):
        return
    rows = padded = 0
    for batch in live.batches:
        for prefix in batch.prefixes():
            if any(f"{prefix}{key}" in batch.shapes for key in ("attention_mask", "position_ids", "cu_seq_lens_q")):
                continue
            for row in batch.rows(f"{prefix}input_ids") or ():
                rows += 1
                padded += len(row) > 2 and (row[-2:] == [pad, pad] or row[:2] == [pad, pad])
    if padded:
        yield Problem(
            f"{number(padded)} of {number(rows)} rows are padded (id {pad}), and the batches have no attention_mask",
            "train batches",
        )


@rule("LIV107", Level.ERROR)
def batch_longer_than_positions(live: LiveFacts) -> Iterator[Problem]:
    """A batch is longer than the model has positions.

    Why: an index error on the CPU; on a GPU, an assert that hides its cause.
    Fix: encode with `truncation=True` and a max_length that the model has.
    """
    limit = live.model.positions
    longest = 0
    for batch in live.batches:
        for prefix in batch.prefixes():
            if f"{prefix}position_ids" not in batch.shapes and f"{prefix}inputs_embeds" not in batch.shapes:
                longest = max([longest, *map(len, batch.rows(f"{prefix}input_ids") or [])])
    if limit is not None and longest > limit:
        yield Problem(f"a row of the batches has {number(longest)} tokens, but the model {number(limit)} positions",
                      "train batches: input_ids")  # fmt: skip


@rule("LIV108", Level.ERROR)
def segment_without_row(live: LiveFacts) -> Iterator[Problem]:
    """A batch holds a token_type_id that the model has no row for.

    Why: an index error on the CPU; on a GPU, an assert that hides its cause. Mostly BERT's tokenizer with a RoBERTa.
    Fix: encode with `return_token_type_ids=False`, or use the model's own tokenizer.
    """
    rows = live.model.segments
    for batch in live.batches:
        largest = max(chain.from_iterable(batch.rows("token_type_ids") or []), default=0)
        if rows is not None and largest >= rows:
            yield Problem(
                f"token_type_ids go up to {largest}, but the model has {number(rows)} segment"
                f"{'s' if rows != 1 else ''} (0{f' to {rows - 1}' if rows > 1 else ''})",
                "train batches: token_type_ids",
            )
            return


@rule("LIV109", Level.WARNING)
def one_row_again_and_again(live: LiveFacts) -> Iterator[Problem]:
    """The first batches hold the same few rows again and again.

    Why: what varies was lost when rows were made (a variable of an outer loop, an index that stands still), so that the
    model learns these rows by heart.
    Fix: look at `train_dataset[:8]` and at the function given to `map`.
    """
    rows = Counter(
        tuple(chain.from_iterable((batch.rows(f"{prefix}input_ids") or [])[at] for prefix in batch.prefixes()))
        for batch in live.batches
        for at in range(_height(batch.prefixes(), batch))
    )
    total = sum(rows.values())
    if total >= 16 and len(rows) * 8 <= total:
        few = "one row" if len(rows) == 1 else f"{number(len(rows))} different rows"
        yield Problem(f"the first {number(total)} rows are {few} again and again", "train batches: input_ids")


def _height(prefixes: tuple[str, ...], batch: Batch) -> int:
    """Rows that all texts of a batch have."""
    tables = [batch.rows(f"{prefix}input_ids") for prefix in prefixes]
    return min((len(table or ()) for table in tables), default=0)


def _texts(live: LiveFacts) -> Iterator[tuple[list[list[int]], list[list[int]], str]]:
    """The ids, the attention mask (all ones where there is none) and the prefix of each table of ids."""
    for batch in live.batches:
        for prefix in batch.prefixes():
            ids, mask = batch.rows(f"{prefix}input_ids"), batch.rows(f"{prefix}attention_mask")
            if ids is None:
                continue
            if mask is None or [*map(len, mask)] != [*map(len, ids)]:
                mask = [[1] * len(row) for row in ids]
            yield ids, mask, prefix


def _beginning(row: list[int], mask: list[int]) -> list[int]:
    """The first two ids that are not padding."""
    return [index for index, seen in zip(row, mask, strict=True) if seen][:2]


RULES: tuple[Rule, ...] = (
    batch_id_without_row,
    batch_id_without_token,
    batches_full_of_unknowns,
    rows_that_begin_twice,
    rows_without_their_beginning,
    attention_mask_missing,
    batch_longer_than_positions,
    segment_without_row,
    one_row_again_and_again,
)
