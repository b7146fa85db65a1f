"""How many tokens the model can place, how many the sampled rows need, and what the encoding's limits cut off.

Lengths count tokens with special tokens. A chat is measured by its messages' words alone, a text of more than 50,000
characters by its beginning: both are lower bounds. Knows no rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pretune.check.facts.encode import choice, whole_number
from pretune.check.finding import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.check.facts.data import DataFacts, Example, Split
    from pretune.check.facts.model import ModelFacts
    from pretune.check.facts.tokenizer import TokenizerFacts
    from pretune.check.sources.setup import Setup

MOST_CHARACTERS = 300_000
"""Rows of a split are measured until so many distinct characters have been encoded (0.2 s of Korean WordPiece)."""
LONGEST_TEXT = 50_000
"""Characters of one text that are encoded."""
UNLIMITED = 10**20
"""A model_max_length above this is none (transformers' LARGE_INTEGER)."""


@dataclass(frozen=True, slots=True)
class Row:
    """A measured row.

    Attributes:
        where: its place.
        total: its tokens, special ones included.
        first: tokens of the first text: the question, or the only text.
        second: tokens of the second text: the context; 0 without one.
        answers: for each answer whose place is given, its first and last token, counted in the context.
        prompt: of a chat, the tokens before the assistant's first words; None: no chat, or no such words.
        whole: its texts were counted to their ends.
    """

    where: str
    total: int
    first: int
    second: int = 0
    answers: tuple[tuple[int, int], ...] = ()
    prompt: int | None = None
    whole: bool = True

    @property
    def specials(self) -> int:
        """Its special tokens."""
        return self.total - self.first - self.second

    def room(self, limit: int) -> int:
        """Tokens that a limit leaves for the text that is cut: the second one, else the only one."""
        return limit - self.specials - (self.first if self.second else 0)


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
        rows: the sampled rows of both splits, measured; empty without data or tokenizer.
        training: how many of them, the first, are training rows.
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

    @property
    def offset(self) -> int:
        """Rows of the position table that no token uses."""
        return max((self.table or 0) - (self.positions or 0), 0) if self.hard and self.positions is not None else 0

    @cached_property
    def longest(self) -> int:
        """Tokens of the longest sampled row."""
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
        """The sampled rows with more tokens than `limit`."""
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
    setup: Setup, model: ModelFacts, tokenizer: TokenizerFacts | None, data: DataFacts | None
) -> LengthFacts:
    """Measure the sampled rows against the model's positions.

    Raises:
        Unavailable: the model type is unknown and the setup says nothing of lengths.
    """
    positions, hard = _positions(model)
    encode, arguments = setup.encode, setup.training_args
    if positions is None and model.architecture is None and not encode:
        raise Unavailable(f"model_type {model.model_type} is not in the tables, so its positions are not known")
    counted = data is not None or bool(encode.get("stride"))  # else the tokenizer need not be built
    specials, training, evaluation = _measured(tokenizer, data) if counted else ((0, 0), [], [])
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
        specials=specials,
        rows=(*training, *evaluation),
        training=len(training),
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


def _measured(tokenizer: TokenizerFacts | None, data: DataFacts | None) -> tuple[tuple[int, int], list[Row], list[Row]]:
    """Special tokens, and the splits' rows; nothing where the tokenizer cannot be built or cannot encode them."""
    if tokenizer is None:
        return (0, 0), [], []
    try:
        count = tokenizer.encoder.num_special_tokens_to_add
        specials = (int(count(False)), int(count(True)))
        if data is None:
            return specials, [], []
        return specials, _rows(tokenizer, data.train, specials), _rows(tokenizer, data.eval, specials)
    except Exception:  # noqa: BLE001 - it is not built, or the library raises bare Exception; TOK tells of both
        return (0, 0), [], []


def _rows(tokenizer: TokenizerFacts, split: Split, specials: tuple[int, int]) -> list[Row]:
    """Each distinct text is encoded once, so a context under many questions costs nothing more."""
    known: dict[str, Any] = {}
    measured, room = list[Row](), MOST_CHARACTERS
    for row in split.rows:
        texts = _texts(row)
        new = [text for text in dict.fromkeys(texts) if text not in known]
        room -= sum(map(len, new))
        if room < 0 and measured:
            break
        for text in new:
            known[text] = tokenizer.encoder.encode(text, add_special_tokens=False)
        counts = [len(known[text].ids) for text in texts]
        if row.messages:
            answered = any(message["role"] == "assistant" for message in row.messages)
            measured.append(
                Row(row.where, sum(counts) + specials[0], sum(counts), prompt=counts[0] if answered else None)
            )
        elif texts:
            total = sum(counts) + specials[len(texts) - 1]
            spans = _answer_tokens(row, texts[1], known[texts[1]]) if row.answers and len(texts) == 2 else ()
            second, whole = counts[1] if len(counts) > 1 else 0, max(map(len, texts)) < LONGEST_TEXT
            measured.append(Row(row.where, total, counts[0], second, spans, whole=whole))
    return measured


def _texts(row: Example) -> list[str]:
    """The texts that are encoded together: one or two, or a chat's prompt and the rest of it.

    A lone surrogate, which no tokenizer takes, is a `?`.
    """
    if row.messages:
        first = next(
            (at for at, message in enumerate(row.messages) if message["role"] == "assistant"), len(row.messages)
        )
        said = [message["content"] for message in row.messages]
        texts = ["\n".join(said[:first]), "\n".join(said[first:])]
    elif row.question is not None and row.context is not None:
        texts = [row.question, row.context]
    else:
        texts = [text for _, text in row.texts][:2]
    return [text[:LONGEST_TEXT].encode("utf-8", "replace").decode() for text in texts]


def _answer_tokens(row: Example, context: str, encoding: Any) -> tuple[tuple[int, int], ...]:
    """(first, last) context token of each answer whose place is given; a place between tokens counts to the next."""
    spans = []
    for answer in row.answers:
        if answer.start is None or not answer.text.strip() or not 0 <= answer.start < len(context):
            continue
        end = min(answer.start + len(answer.text.rstrip()), len(context))
        first = _token_at(encoding, range(answer.start, end))
        last = _token_at(encoding, range(end - 1, answer.start - 1, -1))
        if first is not None and last is not None:
            spans.append((first, last))
    return tuple(spans)


def _token_at(encoding: Any, characters: Sequence[int]) -> int | None:
    """The token of the first of these characters that has one; white space has none."""
    found = (encoding.char_to_token(at) for at in characters)
    return next((token for token in found if token is not None), None)
