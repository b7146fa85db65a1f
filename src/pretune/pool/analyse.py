"""One model on one set of sentences, from reading to faults: analyse. Puts the steps in a row; computes nothing itself.

Knows neither terminals nor pages; how far it has come is told to whoever asks.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.pool.analysis import Analysis
from pretune.pool.choice import Choice
from pretune.pool.data import Sentences, read_sentences
from pretune.pool.judging import judged, shortlisted
from pretune.pool.load import Loaded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from os import PathLike

    from pretune.pool.baselines import Baselines
    from pretune.pool.judging import Progress
    from pretune.pool.one_pass import Sweep
    from pretune.pool.sentence_tokens import SentenceTokens
    from pretune.pool.tokenized import Tokenized

MOST_COMPARED = 1000
"""Sentences of bare text that are compared with their parts: each with every other."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is tried and measured beyond single layers and a few mixes.

    Attributes:
        vectors: files of word vectors, as baselines.
        shapings: `raw` and more of choice.SHAPINGS.
        every_mix: all subsets of layers for `mean`.
        tokens: what each kind of token adds to the score, and the tokens of so many first sentences; None: neither.
        shown: further sentences whose tokens are ranked.
        padding: measure what mistakes of padding would cost.
        max_length: tokens read at most; None: what the model allows.
    """

    vectors: tuple[str | PathLike[str], ...] = ()
    shapings: tuple[str, ...] = ("raw",)
    every_mix: bool = False
    tokens: int | None = None
    shown: tuple[str, ...] = ()
    padding: bool = False
    max_length: int | None = None


def analyse(
    model: Any,
    data: Any,
    *,
    columns: Mapping[str, str] | None = None,
    scores: str | PathLike[str] | None = None,
    limit: int | None = None,
    device: str = "cpu",
    dtype: str = "float32",
    asked: Asked | None = None,
    progress: Progress | None = None,
) -> Analysis:
    """Find out what one model's layers and poolings make of sentences.

    Args:
        model: a folder or hub name, a (model, tokenizer) of transformers, a SentenceTransformer, or a Loaded.
        data: what data.read_sentences takes, or its Sentences.
        columns: role -> column.
        scores: a file of scores, one a line.
        limit: rows that are read; None: all.
        device: where a model is loaded to.
        dtype: the precision it is loaded in: `float32`, `bfloat16`, `float16`.
        asked: what is tried beyond the usual.
        progress: told how far it is.

    Raises:
        UserError: anything the user can mend, in one line.
    """
    asked, clock = asked or Asked(), _Clock()
    if isinstance(data, Sentences):
        sentences = data
    else:
        with clock.stage("reading"):
            sentences = read_sentences(data, columns=columns, scores=scores, limit=limit)
    if isinstance(model, Loaded):
        loaded = model
    else:
        with clock.stage("loading"):
            loaded = _loaded(model, device, dtype)
    longest = _longest(loaded, asked.max_length)
    run = _Run(loaded, sentences, asked, longest, clock, progress)
    return run.analysis()


def _loaded(model: Any, device: str, dtype: str) -> Loaded:
    """The model, wherever it comes from."""
    from pretune.pool.load import load, load_objects

    if isinstance(model, str) or hasattr(model, "__fspath__"):
        return load(str(model), device=device, dtype=dtype)
    if isinstance(model, tuple) and len(model) == 2:
        return load_objects(*model)
    return load_objects(model)


def _longest(loaded: Loaded, wanted: int | None) -> int | None:
    """Tokens read at most."""
    if wanted is not None and wanted < 1:
        raise UserError(f"--max-length {wanted:,} leaves no token", hint="--max-length 128, or leave it out")
    if wanted is None or loaded.max_length is None:
        return wanted or loaded.max_length
    if wanted > loaded.max_length:
        raise UserError(f"--max-length {wanted:,} is more than {loaded.name} reads: {loaded.max_length:,} tokens")
    return wanted


@dataclass(slots=True)
class _Clock:
    """CPU seconds of each stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what is done within."""
        begun = time.process_time()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - begun


@dataclass(frozen=True, slots=True)
class _Run:
    """The steps that need the model."""

    loaded: Loaded
    sentences: Sentences
    asked: Asked
    longest: int | None
    clock: _Clock
    progress: Progress | None

    def analysis(self) -> Analysis:
        """All of it."""
        from pretune.pool.baselines import baselines
        from pretune.pool.faults import faults
        from pretune.pool.padding_cost import padding_costs
        from pretune.pool.token_shares import layer_shares
        from pretune.pool.tokenized import tokenize

        given = self.sentences
        texts, cropped = self._texts()
        with self.clock.stage("encoding"):
            tokenized = tokenize(texts, self.loaded.tokenizer, max_length=self.longest)
        with self.clock.stage("baselines"):  # before the pass: a file that cannot be read is told at once
            beside = baselines(self.loaded, tokenized, texts, vectors=self.asked.vectors, progress=self.progress)
        with self.clock.stage("encoding"):
            found = self._pass(texts, tokenized)
        default = self.default(found)
        with self.clock.stage("judging"):
            verdict = judged(found, beside, given, default=default, progress=self.progress)
            shortlist = shortlisted(found, beside, cropped, progress=self.progress) if given.kind == "text" else None
        with self.clock.stage("faults"):
            wrong = faults(self.loaded, found=found, pairs=given.pairs, scores=given.scores, verdict=verdict)
            scored = given.kind == "pairs" and self.asked.padding
            padding = padding_costs(self.loaded, texts, given.pairs, given.scores) if scored else ()
        with self.clock.stage("tokens"):
            shares = layer_shares(found.vectors, given.pairs, given.scores) if found.vectors.groups is not None else {}
            tokens = self._tokens(found.vectors.layers[-1])
        return Analysis(
            model=self.loaded.name,
            source=given.source,
            kind=given.kind,
            count=len(given.texts) if given.pairs is None else len(given.pairs),
            sentences=len(given.texts),
            default=default,
            declared=self.loaded.declared,
            found=found,
            verdict=verdict,
            shortlist=shortlist,
            faults=wrong,
            padding=padding,
            shares=shares,
            tokens=tokens,
            notes=self._notes(found, beside),
            seconds=self.clock.seconds,
        )

    def default(self, found: Sweep) -> Choice:
        """The declared pooling of the last layer, or its mean; by the name under which the pass has it."""
        last = found.vectors.layers[-1:]
        wanted = self.loaded.declared.pooling or "mean"
        wanted = found.same.get(wanted, wanted) or "mean"
        choice = Choice(last, wanted)
        return choice if choice in found.choices else Choice(last, "mean")

    def _texts(self) -> tuple[list[str], list[tuple[int, int]]]:
        """What is encoded: the sentences, and for bare text a part of each; (sentence, part) by index."""
        from pretune.pool.unlabelled import crops

        texts = list(self.sentences.texts)
        if self.sentences.kind != "text":
            return texts, []
        places = {text: place for place, text in enumerate(texts)}
        linked = []
        for place, part in enumerate(crops(texts[:MOST_COMPARED])):
            if part is not None and part != texts[place]:
                linked.append((place, places.setdefault(part, len(places))))
        return list(places), linked

    def _pass(self, texts: Sequence[str], tokenized: Tokenized) -> Sweep:
        """The forward pass and what every choice makes of it."""
        from pretune.pool.one_pass import one_pass

        total, done = sum(map(len, tokenized.ids)), 0

        def step(tokens: int) -> None:
            nonlocal done
            done += tokens
            if self.progress is not None:
                self.progress("encoding", done, total)

        return one_pass(
            self.loaded.model,
            self.loaded.tokenizer,
            texts,
            pairs=self.sentences.pairs,
            max_length=self.longest,
            sentence_token=self.loaded.sentence_token or 0,
            shapings=self.asked.shapings,
            every_mix=self.asked.every_mix,
            token_groups=self.asked.tokens is not None and self.sentences.kind == "pairs",
            sentences=tokenized,
            progress=step,
        )

    def _tokens(self, layer: int) -> tuple[SentenceTokens, ...]:
        """The rankings that were asked for, by the mean of a layer."""
        from pretune.pool.sentence_tokens import sentence_tokens

        wanted = [*self.sentences.texts[: self.asked.tokens or 0], *self.asked.shown]
        if not wanted:
            return ()
        loaded = replace(self.loaded, max_length=self.longest)
        return sentence_tokens(loaded, list(dict.fromkeys(wanted)), layer=layer)

    def _notes(self, found: Sweep, beside: Baselines) -> tuple[str, ...]:
        """What the user should know of the rows and of the pass."""
        given, notes = self.sentences, []
        if given.skipped:
            where, why = given.skipped[0]
            notes.append(f"rows left out: {len(given.skipped):,}, the first {where}: {why}")
        notes += given.notes
        if found.sentences.cut:
            notes.append(f"sentences cut, longer than {self.longest:,} tokens: {found.sentences.cut:,}")
        if "whitened" in self.asked.shapings and not any(one.shaping == "whitened" for one in found.choices):
            notes.append("whitening needs more sentences than dimensions and was left out")
        if self.asked.tokens is not None and given.kind != "pairs":
            notes.append("what each kind of token adds can be told of scored pairs only")
        if self.asked.padding and given.kind != "pairs":
            notes.append("what mistakes of padding cost can be told of scored pairs only")
        return (*notes, *beside.notes)
