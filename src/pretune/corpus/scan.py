"""One pass over a corpus, blocks to tallies; it stops when asked, and begins again when an engine or a cut is wrong.

Knows no rules: what else wants to see each block is a Viewer. Opens files only through blocks.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from pretune.corpus.block import TEXTS
from pretune.corpus.blocks import read_blocks
from pretune.corpus.corpus_tally import CorpusTally
from pretune.corpus.letters import letters_of
from pretune.corpus.memory import give_back
from pretune.corpus.surroundings import EngineDisagrees
from pretune.corpus.texts import texts_of
from pretune.corpus.tokenizer_tally import CutDisagrees, TokenizerTally
from pretune.corpus.unit_store import ReadingDisagrees, holds, store_for
from pretune.corpus.unit_table import table_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import tokenizers

    from pretune.corpus.block import Block
    from pretune.corpus.inputs import Input
    from pretune.corpus.shape import Shape
    from pretune.corpus.unit_store import UnitStore

BROKEN_SHOWN = 5
"""Places of broken rows that are kept of each file."""


class Shard(NamedTuple):
    """One machine's part of a corpus: the `at`th of `of`, from 1."""

    at: int = 1
    of: int = 1


class Viewer(Protocol):
    """Whatever else looks at each block."""

    def add(self, block: Block, split: Any, file: int) -> None:
        """Look at a block.

        Args:
            block: rows of one file.
            split: `train` or `eval`.
            file: which file of the corpus it is, from 0.
        """


@dataclass(frozen=True, slots=True)
class ToRead:
    """A file of the corpus and how it is read.

    Attributes:
        input: where its rows come from.
        split: `train` or `eval`.
        shape: what its rows are.
        roles: role -> column.
        named: names of columns that the user said it has.
    """

    input: Input
    split: str
    shape: Shape
    roles: Mapping[str, str]
    named: tuple[str, ...] = ()


class Failure(NamedTuple):
    """The first text that a tokenizer cannot encode: in which file and block, and what the tokenizer says of it."""

    file: int
    block: int
    name: str
    reason: str


@dataclass
class FileTally:
    """What was read of a file."""

    rows: int = 0
    broken: int = 0
    read: int = 0
    broken_at: list[tuple[int, str]] = field(default_factory=list)

    def add(self, block: Block) -> None:
        """Take in a block."""
        self.rows += block.rows
        self.broken += len(block.broken)
        self.read += block.size
        self.broken_at += [(block.number, row.where) for row in block.broken[:BROKEN_SHOWN]]
        self.settle()

    def settle(self) -> None:
        """Keep the first places only."""
        self.broken_at = sorted(self.broken_at, key=lambda place: place[0])[:BROKEN_SHOWN]


@dataclass
class Scan:
    """The sums of a pass.

    Attributes:
        files: one for each file, in their order.
        corpus: the corpus itself; `tokenizers`: one for each tokenizer that can encode it.
        stopped: it was asked to stop before the end.
        failures: number of a tokenizer that cannot encode the corpus, among all that were given, and where and why.
    """

    files: list[FileTally]
    corpus: CorpusTally
    tokenizers: list[TokenizerTally]
    stopped: bool = False
    failures: dict[int, Failure] = field(default_factory=dict)

    def settled(self) -> Scan:
        """Itself, with the roles of all histograms in the order of TEXTS, whichever was met first."""
        for tally in self.tokenizers:
            tally.lengths = {role: tally.lengths[role] for role in TEXTS if role in tally.lengths}
        return self

    @property
    def unusable(self) -> dict[str, str]:
        """Tokenizers that cannot encode the corpus (a vocabulary without its [UNK]), and why."""
        return {failure.name: failure.reason for _, failure in sorted(self.failures.items())}

    @property
    def numbers(self) -> list[int]:
        """The number of each of `tokenizers` among all that were given."""
        given = range(len(self.tokenizers) + len(self.failures))
        return [number for number in given if number not in self.failures]


def scan(
    corpus: Sequence[ToRead],
    named: Sequence[tuple[str, tokenizers.Tokenizer]],
    *,
    viewer: Callable[[], Viewer] | None = None,
    limit: int | None = None,
    shard: Shard = Shard(),  # noqa: B008 - a constant
    fast: bool = True,
    progress: Callable[[int], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[Scan, Viewer | None]:
    """Read a corpus.

    Args:
        corpus: the files, in the order given.
        named: (name, tokenizer) pairs.
        viewer: makes what else looks at each block.
        limit: rows of each file that are read at most; None: all.
        shard: which blocks are read.
        fast: whether fast engines may encode.
        progress: told the stored bytes that were read since the last time; negative when the pass begins again.
        stop: asked after each block whether to stop.

    Raises:
        UserError: a file cannot be read.
    """
    slow: set[int] = set()
    whole: set[int] = set()
    failures: dict[int, Failure] = {}
    while True:
        tallies = {
            at: TokenizerTally(name, encoder, fast=fast and at not in slow, whole=at in whole)
            for at, (name, encoder) in enumerate(named)
            if at not in failures
        }
        found = Scan([FileTally() for _ in corpus], CorpusTally(), list(tallies.values()), failures=failures)
        store = store_for(found.corpus, tallies)
        watching = viewer() if viewer else None
        read = 0
        try:
            for at, file in enumerate(corpus):
                for block in _blocks(file, at, limit, shard):
                    _add(found, at, block, tallies, store, split=file.split)
                    if watching is not None:
                        watching.add(block, file.split, at)
                    give_back()
                    read += block.size
                    progress(block.size)
                    if stop():
                        found.stopped = True
                        break
                if found.stopped:
                    break
            _empty(store)
        except _Disagrees as again:
            if again.failure:
                failures[again.tokenizer] = again.failure
            else:
                (whole if again.whole else slow).add(again.tokenizer)
            progress(-read)
            continue
        return found.settled(), watching


class _Disagrees(Exception):  # noqa: N818 - no error of the user
    """What a tokenizer's tally found out about itself; the pass begins again without."""

    def __init__(self, tokenizer: int, *, whole: bool = False, failure: Failure | None = None) -> None:
        self.tokenizer, self.whole, self.failure = tokenizer, whole, failure


def _blocks(file: ToRead, at: int, limit: int | None, shard: Shard) -> Iterator[Block]:
    """The shard's blocks of a file."""

    def mine(number: int) -> bool:
        return (number + at) % shard.of == shard.at - 1

    # with a limit, only whoever reads all blocks before a row knows how many rows those are
    numbers = mine if limit is None and shard.of > 1 else None
    every = read_blocks(file.input, shape=file.shape, roles=file.roles, named=file.named, limit=limit, numbers=numbers)
    return (block for block in every if mine(block.number))


def _empty(store: UnitStore | None) -> None:
    """Give what is in the store to the tallies."""
    if store is not None:
        try:
            store.flush()
        except ReadingDisagrees as wrong:
            raise _Disagrees(wrong.number, whole=False) from None


def _add(
    found: Scan,
    at: int,
    block: Block,
    tallies: Mapping[int, TokenizerTally],
    store: UnitStore | None,
    *,
    split: str,
) -> None:
    found.files[at].add(block)
    texts = texts_of(block)
    readers: dict[int, Callable[[], None]]
    if store is not None and holds(texts):
        if store.full(split):
            _empty(store)
        store.add(texts, split=split)
        readers = {number: partial(reading.add, store, texts) for number, reading in store.readings.items()}
    else:
        glue = frozenset().union(*(tally.units.proof.glue for tally in found.tokenizers))
        table = table_of(texts.texts, texts.times, glue=glue)
        found.corpus.add(texts, table)
        letters = letters_of(table)
        readers = {number: partial(tally.add, texts, table, letters, split=split) for number, tally in tallies.items()}
    for number, tally in tallies.items():
        try:
            readers[number]()
        except EngineDisagrees:
            raise _Disagrees(number, whole=False) from None
        except CutDisagrees:
            # the engine may be to blame, which the next pass shows
            raise _Disagrees(number, whole=not tally.units.engine) from None
        except Exception as error:
            if type(error) is not Exception:  # what the tokenizers library raises, and nothing else does
                raise
            reason = str(error).partition("\n")[0][:120]
            raise _Disagrees(number, failure=Failure(at, block.number, tally.name, reason)) from None
