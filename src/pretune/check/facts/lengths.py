"""How many tokens the model can place, how many the rows need, and what the encoding's limits cut off.

Where the corpus was read, the lengths of all rows are known; what needs rows one by one (answers, questions, windows,
prompts) is measured on the first rows. Knows no rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from pretune.check.facts.encode import choice, whole_number
from pretune.check.facts.measured import LONGEST_TEXT, Row, measure
from pretune.check.facts.training_encoder import training_encoder
from pretune.check.finding import Unavailable

if TYPE_CHECKING:
    from pretune.check.facts.data import DataFacts
    from pretune.check.facts.model import ModelFacts
    from pretune.check.facts.tokenizer import TokenizerFacts
    from pretune.check.sources.setup import Setup

__all__ = ["LONGEST_TEXT", "UNLIMITED", "LengthFacts", "Row", "RowLengths", "read_lengths"]

UNLIMITED = 10**20
"""A model_max_length above this is none (transformers' LARGE_INTEGER)."""


@dataclass(frozen=True)
class RowLengths:
    """How long rows are.

    Attributes:
        counts: tokens of a row, special ones included -> rows.
        sampled: there are rows that are not among them.
    """

    counts: Mapping[int, int]
    sampled: bool = True

    @cached_property
    def rows(self) -> int:
        """How many rows."""
        return sum(self.counts.values())

    @cached_property
    def longest(self) -> int:
        """Tokens of the longest row."""
        return max(self.counts, default=0)

    def over(self, limit: int) -> int:
        """Rows with more tokens than `limit`."""
        return sum(count for length, count in self.counts.items() if length > limit)

    def lost(self, limit: int) -> float:
        """The share of all tokens that is thrown away when rows are cut at `limit`; 0 without rows."""
        total = sum(length * count for length, count in self.counts.items())
        return sum(max(length - limit, 0) * count for length, count in self.counts.items()) / max(total, 1)

    def filled(self, limit: int) -> float:
        """The share of text when each row is cut, or padded, to `limit` tokens; 0 without rows."""
        return sum(min(length, limit) * count for length, count in self.counts.items()) / max(limit * self.rows, 1)

    def __str__(self) -> str:
        """How many rows were looked at: `60,407 rows`, `2,000 sampled rows`."""
        return f"{self.rows:,} {'sampled ' if self.sampled else ''}rows"


@dataclass(frozen=True)
class LengthFacts:
    """Positions against lengths.

    Attributes:
        positions: tokens the model has positions for, or was trained on; None: no such limit, or not known.
        hard: one token more fails (a table of learned positions ends), rather than going beyond what was trained
            (rope).
        table: rows of the position table; more than `positions` in RoBERTa and its kin, which leave out some.
        max_length: what the setup asks for; None: not said.
        max_length_key: where in the setup it is said.
        model_max_length: the tokenizer's, 1e30 when its files name none, None without one; `…_at`: where it is said.
        truncation: True, False, a strategy's name, None: not said.
        truncation_side: `right` or `left`.
        stride: tokens by which windows overlap; None: not said.
        windows: text beyond the limit goes on in further windows, which overlap by the stride.
        padding: True, False, `longest`, `max_length`, None: not said.
        packs: texts are joined and cut into blocks, so a row's length means nothing.
        said: the setup says anything of how texts are encoded.
        specials: special tokens around one text, and around two; 0 where neither data nor a stride ask for them.
        rows: the first rows of both splits, measured; empty without data or tokenizer.
        training: how many of them, the first, are training rows.
        more: there are rows that were not measured.
        counted: the lengths of all rows; None: only those of the measured ones are known.
        file: the data file, where there is only one.
    """

    positions: int | None = None
    hard: bool = True
    table: int | None = None
    max_length: int | None = None
    max_length_key: str = "encode.max_length"
    model_max_length: int | None = None
    model_max_length_at: str = ""
    truncation: bool | str | None = None
    truncation_side: str = "right"
    stride: int | None = None
    windows: bool = False
    padding: bool | str | None = None
    packs: bool = False
    said: bool = False
    specials: tuple[int, int] = (0, 0)
    rows: tuple[Row, ...] = ()
    training: int = 0
    more: bool = True
    counted: RowLengths | None = None
    file: str = ""

    @cached_property
    def all(self) -> RowLengths:
        """How long the rows are: all of them, else the measured ones."""
        return self.counted or RowLengths(Counter(row.total for row in self.rows), sampled=self.more)

    @property
    def looked(self) -> str:
        """`sampled `, where there are rows that were not measured."""
        return "sampled " if self.more else ""

    def first_over(self, limit: int) -> str:
        """The place of the first measured row with more tokens than `limit`, else the file; empty: not known."""
        return next((row.where for row in self.rows if row.total > limit), self.file)

    @property
    def offset(self) -> int:
        """Rows of the position table that no token uses."""
        return max((self.table or 0) - (self.positions or 0), 0) if self.hard and self.positions is not None else 0

    @cached_property
    def longest(self) -> int:
        """Tokens of the longest measured row."""
        return max((row.total for row in self.rows), default=0)

    @property
    def cuts(self) -> bool | None:
        """Whether the setup cuts long texts; max_length without truncation cuts too. None: it does not say."""
        if self.truncation is None:
            return True if self.max_length is not None else None
        return bool(self.truncation)

    @property
    def limit(self) -> int | None:
        """Where text is cut: max_length, else the tokenizer's model_max_length; None: nowhere, or not said."""
        if not self.cuts:
            return None
        if self.max_length is not None:
            return self.max_length
        return self.model_max_length if self.model_max_length and self.model_max_length < UNLIMITED else None

    def longer_than(self, limit: int) -> tuple[Row, ...]:
        """The measured rows with more tokens than `limit`."""
        return tuple(row for row in self.rows if row.total > limit)

    def windows_of(self, row: Row) -> int | None:
        """Examples that the encoding makes of a row: its windows, one where it fits. None: not known."""
        limit = self.limit
        if limit is None or not self.windows or (row.total <= limit and row.whole):
            return 1
        room = row.room(limit)
        advance = room - (self.stride or 0)
        # truncation=True shortens the question as well, once it is longer than half the room
        both = self.truncation != "only_second" and row.first > (limit - row.specials) // 2
        if not row.whole or min(advance, room, row.second) <= 0 or both or self.truncation == "only_first":
            return None
        return 1 + -(-(row.second - room) // advance)


def read_lengths(
    setup: Setup,
    model: ModelFacts,
    tokenizer: TokenizerFacts | None,
    data: DataFacts | None,
    counted: Mapping[int, int] | None = None,
) -> LengthFacts:
    """Measure the first rows against the model's positions.

    Args:
        setup: what the fine-tune is about to do.
        model: its model.
        tokenizer: its tokenizer, if any.
        data: its rows, if any.
        counted: tokens of a row -> rows, of all rows, where the tokenizer has read the corpus.

    Raises:
        Unavailable: the model type is unknown and the setup says nothing of lengths.
    """
    positions, hard = _positions(model)
    encode, arguments = setup.encode, setup.training_args
    if positions is None and model.architecture is None and not encode:
        raise Unavailable(f"model_type {model.model_type} is not in the tables, so its positions are not known")
    asked = data is not None or bool(encode.get("stride"))  # else the tokenizer need not be built
    measured = _measured(setup, tokenizer, data) if asked else _Measured()
    files = [file.path for split in data.splits for file in split.files] if data is not None else []
    key = next(
        (name for name in ("max_length", "max_seq_length") if whole_number(arguments.get(name)) is not None), None
    )
    max_length = whole_number(encode.get("max_length"))
    if max_length is None and key is not None:
        max_length = whole_number(arguments.get(key))
    place = tokenizer.at("tokenizer_config.json", "/model_max_length") if tokenizer is not None else ""
    if "model_max_length" in setup.tokenizer_kwargs:
        place = setup.place("tokenizer_kwargs.model_max_length")
    stride = whole_number(encode.get("stride"))
    overflows = encode.get("return_overflowing_tokens")
    side = tokenizer.files.config.get("truncation_side") if tokenizer is not None else None
    return LengthFacts(
        positions=positions,
        hard=hard,
        table=model.number("max_position_embeddings"),
        max_length=max_length,
        max_length_key="encode.max_length" if key is None or "max_length" in encode else f"training_args.{key}",
        model_max_length=tokenizer.files.max_length if tokenizer is not None else None,
        model_max_length_at=place,
        truncation=choice(encode.get("truncation"), "do_not_truncate"),
        truncation_side="left" if encode.get("truncation_side", side) == "left" else "right",
        stride=stride,
        windows=bool(stride) if overflows is None else bool(overflows),
        padding=choice(encode.get("padding"), "do_not_pad"),
        packs=bool(arguments.get("packing")),
        said=bool(encode),
        specials=measured.specials,
        rows=measured.rows,
        training=measured.training,
        more=measured.more,
        counted=RowLengths(counted, sampled=data is not None and any(split.sampled for split in data.splits))
        if counted
        else None,
        file=files[0] if len(files) == 1 else "",
    )


def _positions(model: ModelFacts) -> tuple[int | None, bool]:
    """How many tokens can be placed, and whether one more fails. Scaled rope reaches as far as its factor says."""
    architecture = model.stored.text_architecture or model.architecture
    if architecture is None:
        return None, False
    positions, hard = architecture.positions(model.effective), architecture.positions_are_hard(model.effective)
    if positions is None or hard:
        return (positions if positions is None or positions > 0 else None), hard
    for key in ("rope_scaling", "rope_parameters"):
        scaling = model.effective.get(key)
        factor = scaling.get("factor") if isinstance(scaling, Mapping) else None
        if isinstance(scaling, Mapping) and isinstance(factor, int | float) and 1 < factor < 10_000:
            start = whole_number(scaling.get("original_max_position_embeddings")) or positions
            positions = max(positions, int(start * factor))
    return positions, hard


class _Measured(NamedTuple):
    """Special tokens, and the splits' rows; see LengthFacts."""

    specials: tuple[int, int] = (0, 0)
    rows: tuple[Row, ...] = ()
    training: int = 0
    more: bool = True


def _measured(setup: Setup, tokenizer: TokenizerFacts | None, data: DataFacts | None) -> _Measured:
    """Nothing where the tokenizer cannot be built or cannot encode the rows."""
    if tokenizer is None:
        return _Measured()
    try:
        encoder = training_encoder(setup, tokenizer)
        count = encoder.num_special_tokens_to_add
        specials = (int(count(False)), int(count(True)))
        if data is None:
            return _Measured(specials)
        (training, more), (evaluation, further) = measure(encoder, data.train), measure(encoder, data.eval)
        return _Measured(specials, (*training, *evaluation), len(training), more or further)
    except Exception:  # noqa: BLE001 - it is not built, or the library raises bare Exception; TOK tells of both
        return _Measured()
