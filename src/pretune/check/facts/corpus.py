"""The whole corpus in one pass: what the data rules ask of all rows, and how the tokenizers read it. Needs polars.

Also one shard of such a pass as bytes, for other machines. Knows no rule and no flag.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.check.facts.data import data_facts, inputs_of, plan_of
from pretune.check.facts.survey import Survey
from pretune.check.facts.tokenizer import read_tokenizer_facts
from pretune.check.facts.training_encoder import training_encoder
from pretune.check.finding import Unavailable
from pretune.core.errors import UserError
from pretune.corpus.corpus_tally import CorpusTally
from pretune.corpus.figures import FileRead, Profile
from pretune.corpus.parts import Part, in_order, part_bytes, restore
from pretune.corpus.profile import corpus_figures, row_lengths, tokenizer_figures, word_figures, words_of
from pretune.corpus.scan import FileTally, Scan, Shard, ToRead, scan
from pretune.corpus.tokenizer_tally import TokenizerTally

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import tokenizers

    from pretune.check.facts import Facts
    from pretune.check.facts.data import DataFacts
    from pretune.check.facts.plan import SurveyPlan
    from pretune.corpus.block import Block
    from pretune.corpus.figures import WordFigures


@dataclass(frozen=True)
class CorpusFacts:
    """A pass over the corpus.

    Attributes:
        data: what the data rules ask.
        profile: how the tokenizers read it, without the setup's limits.
        unusable: tokenizers that cannot encode it, and why.
        words: split -> how the setup's own tokenizer reads its words; None: it could not read them.
        rows: tokens of a row, special ones included -> how many rows the setup's own tokenizer finds so long; None: it
            could not read them.
    """

    data: DataFacts
    profile: Profile
    unusable: Mapping[str, str]
    words: Mapping[str, WordFigures] | None = None
    rows: Mapping[int, int] | None = None


class _Watching:
    """Shows the survey each block, with the number that the file has in its split."""

    def __init__(self, plan: SurveyPlan) -> None:
        self.survey = Survey(plan)
        self.train = len(plan.train.files)

    def add(self, block: Block, split: Any, file: int) -> None:
        self.survey.add(block, split, file - self.train if split == "eval" else file)


def read_corpus(facts: Facts) -> CorpusFacts:
    """Read all rows, or put together what several machines read.

    Raises:
        Unavailable: the setup names no data.
        UserError: a file cannot be read; a named tokenizer cannot be built; parts do not fit.
    """
    plan = _plan(facts)
    named = _named(facts)
    files = _to_read(facts, plan)
    sizes = [file.input.size for file in files]
    if facts.scheduler is not None:
        return _finished(facts, plan, files, *_on_cluster(facts, plan, named, files))
    if facts.parts:
        return _finished(facts, plan, files, *_together(facts.parts, plan, named, files))
    total = sum(sizes)
    found, watching = scan(
        files,
        named,
        viewer=lambda: _Watching(plan),
        limit=facts.sample,
        progress=lambda step: facts.progress(step, total),
        stop=facts.stop,
    )
    assert isinstance(watching, _Watching)
    return _finished(facts, plan, files, found, watching.survey)


def shard_bytes(facts: Facts, shard: Shard, about: Mapping[str, Any]) -> bytes:
    """One shard of the pass, as a part.

    Args:
        facts: of the whole corpus.
        shard: which part of it.
        about: see `machines.about`.
    """
    plan = _plan(facts)
    files = _to_read(facts, plan)
    total = sum(file.input.size for file in files) // shard.of
    found, watching = scan(
        files,
        _named(facts),
        viewer=lambda: _Watching(plan),
        limit=facts.sample,
        shard=shard,
        progress=lambda step: facts.progress(step, total),
        stop=facts.stop,
    )
    assert isinstance(watching, _Watching)
    return part_bytes(found, shard, about=about, viewer=watching.survey.dump())


def shard_on_worker(about: Mapping[str, Any], shard: Shard) -> bytes:
    """One shard, on a machine that knows nothing yet; what a Dask worker runs."""
    from pretune.check.facts import Facts
    from pretune.check.machines import setup_of

    facts = Facts(setup_of(about), sample=about["sample"], beside=tuple(about["beside"]))
    return shard_bytes(facts, Shard(*shard), about)


def _plan(facts: Facts) -> SurveyPlan:
    bos = None
    tokenizer = facts.maybe("tokenizer")
    if tokenizer is not None:
        bos = tokenizer.special.get("bos_token")
    return plan_of(facts.setup, sample=facts.sample or facts.HEAD, beginning=bos or "")


def _named(facts: Facts) -> list[tuple[str, tokenizers.Tokenizer]]:
    """The tokenizers: the setup's own with the tokens that it adds, then those beside it."""
    named: list[tuple[str, tokenizers.Tokenizer]] = []
    own = facts.maybe("tokenizer")
    if own is not None:
        with suppress(Unavailable):  # the rules tell of one that cannot be built; the corpus is read without
            named.append((own.name, training_encoder(facts.setup, own)))
    for name in facts.beside:
        try:
            encoder = read_tokenizer_facts(name).encoder
        except Unavailable as why:
            raise UserError(f"the tokenizer of {name} cannot be used: {why.reason}") from None
        if not any(_same(name, other) and encoder.to_str() == known.to_str() for other, known in named):
            named.append((name, encoder))
    return named


def _same(one: str, other: str) -> bool:
    """Whether two names mean one folder."""
    return one == other or Path(one).expanduser().resolve() == Path(other).expanduser().resolve()


def _to_read(facts: Facts, plan: SurveyPlan) -> list[ToRead]:
    """The files in the order of the survey's: the training files, then the others."""
    return [
        ToRead(given, split, plan.shape, file.roles, tuple(facts.setup.data.columns.values()))
        for split, inputs in inputs_of(facts.setup).items()
        for given, file in zip(inputs, plan.splits[split].files, strict=True)
    ]


def _together(
    parts: Sequence[Part], plan: SurveyPlan, named: Sequence[tuple[str, tokenizers.Tokenizer]], files: Sequence[ToRead]
) -> tuple[Scan, Survey]:
    """What several machines read."""
    found = Scan([FileTally() for _ in files], CorpusTally(), [TokenizerTally(*one) for one in named])
    restore(found, parts)
    survey = Survey(plan)
    for part in parts:
        survey.merge(Survey.load(plan, part.of("viewer")))
    return found, survey


def _on_cluster(
    facts: Facts, plan: SurveyPlan, named: Sequence[tuple[str, tokenizers.Tokenizer]], files: Sequence[ToRead]
) -> tuple[Scan, Survey]:
    from pretune.check.machines import about
    from pretune.corpus.cluster import gather

    total = sum(file.input.size for file in files)
    told = [0]

    def done(shards: int, of: int) -> None:
        reached = total * shards // of
        facts.progress(reached - told[0], total)
        told[0] = reached

    assert facts.scheduler is not None
    asked = about(facts, subject="")
    found = gather(facts.scheduler, shard_on_worker, asked, done=done, stop=facts.stop)
    parts = in_order([Part(f"shard {at}", data) for at, data in enumerate(found, 1)])
    return _together(parts, plan, named, files)


def _finished(facts: Facts, plan: SurveyPlan, files: Sequence[ToRead], found: Scan, survey: Survey) -> CorpusFacts:
    """Figures and facts of a pass."""
    read = sum(file.read for file in found.files)
    total = sum(file.input.size for file in files)
    stopped = ""
    if found.stopped:
        stopped = f"stopped after {read / 1e6:,.1f} of {total / 1e6:,.1f} MB"
    elif facts.sample is not None:
        stopped = f"the first {facts.sample:,} rows of each file"
    more = facts.sample is not None and any(file.more for split in (plan.heads or {}).values() for file in split.files)
    words = words_of(found.corpus)
    profile = Profile(
        files=tuple(
            FileRead(
                file.input.label,
                file.split,
                tally.rows,
                tally.broken,
                file.input.size,
                tuple(where for _, where in tally.broken_at),
            )
            for file, tally in zip(files, found.files, strict=True)
        ),
        corpus=corpus_figures(found.corpus, broken=sum(file.broken for file in found.files)),
        tokenizers=tuple(tokenizer_figures(tally, found.corpus, words) for tally in found.tokenizers),
        complete=not found.stopped and not more,
        stopped=stopped if found.stopped or more else "",
    )
    own = _own(facts, found)
    return CorpusFacts(
        data_facts(plan, survey, complete=profile.complete),
        profile,
        found.unusable,
        words=None if own is None else {split: word_figures(sums) for split, sums in sorted(own.words.items())},
        rows=None if own is None else row_lengths(own),
    )


def _own(facts: Facts, found: Scan) -> TokenizerTally | None:
    """What the setup's own tokenizer read; it is the first that was given. None: it cannot be built, or not encode."""
    given = len(found.tokenizers) + len(found.failures)
    if given == len(facts.beside) or 0 in found.failures:
        return None
    return found.tokenizers[0]
