"""Everything the rules may ask for, each fact read once, on first use. Knows no rule.

A fact that cannot be had raises Unavailable with the reason; the engine turns that into a skipped rule.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from pretune.check.facts.once import fact
from pretune.check.finding import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pretune.check.facts.adapter import AdapterFacts
    from pretune.check.facts.adding import AddingFacts
    from pretune.check.facts.chat import ChatFacts
    from pretune.check.facts.corpus import CorpusFacts
    from pretune.check.facts.data import DataFacts, LabelFacts
    from pretune.check.facts.deep import DeepFacts
    from pretune.check.facts.lengths import LengthFacts
    from pretune.check.facts.live import LiveFacts
    from pretune.check.facts.loading import LoadingFacts
    from pretune.check.facts.markers import MarkerFacts
    from pretune.check.facts.model import ModelFacts, WeightFacts
    from pretune.check.facts.reading import ReadingFacts
    from pretune.check.facts.rows import RowFacts
    from pretune.check.facts.script import ScriptFacts
    from pretune.check.facts.sentence_vector import SentenceVectorFacts
    from pretune.check.facts.talks import TalkFacts
    from pretune.check.facts.tokenizer import TokenizerFacts
    from pretune.check.facts.training import TrainingFacts
    from pretune.check.facts.versions import VersionFacts
    from pretune.check.sources.live_objects import Objects
    from pretune.check.sources.setup import Setup
    from pretune.corpus.figures import Profile


NO_DATA = "no data files were given (--train, --eval)"


class Facts:
    """The facts of one Setup. Each is worked out when a rule first asks for it.

    Args:
        setup: what the fine-tune is about to do.
        sample: how many rows of each data file are looked at; None: all, where polars is installed.
        beside: further tokenizers that read the data.
        progress: told (bytes read since the last time, bytes of all files) while the data are read.
        stop: asked while the data are read whether to stop.
        parts: what several machines read of the data, in place of reading them.
        scheduler: the address of a Dask scheduler whose workers read the data.
    """

    HEAD = 2000
    """Rows of each file that facts look at which need rows one by one."""

    objects: Objects | None = None  # what is in memory, where a check is of live objects
    script_facts: ScriptFacts | None = None
    """What a script says, where a check is of one."""
    wants_deep = False  # whether a few batches may be computed

    def __init__(
        self,
        setup: Setup,
        *,
        sample: int | None = None,
        beside: Sequence[str] = (),
        progress: Callable[[int, int], None] = lambda *_: None,
        stop: Callable[[], bool] = lambda: False,
        parts: Sequence[Any] = (),
        scheduler: str | None = None,
    ) -> None:
        self.setup = setup
        self.sample = sample
        self.beside = tuple(beside)
        self.progress = progress
        self.stop = stop
        self.parts = tuple(parts)
        self.scheduler = scheduler
        self.reasons: dict[str, str] = {}

    def maybe(self, name: str) -> Any:
        """The fact of this name, None when it cannot be had."""
        try:
            return getattr(self, name)
        except Unavailable:
            return None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is to be said of where the files came from, of the facts that have been read."""
        from pretune.check.facts.told import remarks_of

        return remarks_of(self)

    @cached_property
    def reads_all(self) -> bool:
        """Whether what reads a whole corpus is installed."""
        from importlib.util import find_spec

        return find_spec("polars") is not None and find_spec("numpy") is not None

    def _need(self, said: object, *, otherwise: str) -> None:
        """Give up before a module is imported that would only find that the setup does not name what it reads."""
        if not said:
            raise Unavailable(otherwise)

    @fact
    def versions(self) -> VersionFacts:
        """Installed packages."""
        from pretune.check.facts.versions import read_versions

        return read_versions(dict(self.script_facts.target) if self.script_facts is not None else None)

    @fact
    def model(self) -> ModelFacts:
        """The model's config, saved and after the edits."""
        from pretune.check.facts.model import read_model

        return read_model(self.setup)

    @fact
    def weights(self) -> WeightFacts:
        """The checkpoint's tensor table."""
        from pretune.check.facts.model import read_weight_facts

        return read_weight_facts(self.model)

    @fact
    def loading(self) -> LoadingFacts:
        """What of the checkpoint the chosen class would load."""
        from pretune.check.facts.loading import read_loading

        return read_loading(self.model, self.weights)

    @fact
    def rows(self) -> RowFacts:
        """How many ids the word embedding has rows for."""
        from pretune.check.facts.rows import read_rows

        return read_rows(self.model, self.maybe("weights"))

    @fact
    def tokenizer(self) -> TokenizerFacts:
        """The tokenizer that is trained with."""
        from pretune.check.facts.tokenizer import read_setup_tokenizer

        return read_setup_tokenizer(self.setup, self.maybe("model"))

    @fact
    def own_tokenizer(self) -> TokenizerFacts:
        """The model's own tokenizer, where another one is used."""
        from pretune.check.facts.tokenizer import read_own_tokenizer

        return read_own_tokenizer(self.setup, self.model, self.tokenizer)

    @fact
    def adding(self) -> AddingFacts:
        """The tokens that the setup adds, and the resize."""
        setup = self.setup
        self._need(
            setup.add_tokens or setup.add_special_tokens or setup.pad_token is not None or setup.resize,
            otherwise="the setup adds no tokens",
        )
        from pretune.check.facts.adding import read_adding

        return read_adding(self.setup, self.tokenizer)

    @fact
    def adapter(self) -> AdapterFacts:
        """The LoRA adapter that the setup trains."""
        self._need(self.setup.peft, otherwise="the setup trains no adapter (peft)")
        from pretune.check.facts.adapter import read_adapter

        return read_adapter(self.setup, self.model, self.maybe("weights"))

    @fact
    def corpus(self) -> CorpusFacts:
        """One pass over the data files."""
        self._need(self.setup.data.train or self.setup.data.eval, otherwise=NO_DATA)
        self._need(self.reads_all, otherwise="reading the whole corpus needs polars (pip install pretune[data])")
        from pretune.corpus.memory import prepare

        prepare()  # before polars is imported
        from pretune.check.facts.corpus import read_corpus

        return read_corpus(self)

    @fact
    def profile(self) -> Profile:
        """How the tokenizers read the data."""
        profile = self.corpus.profile
        lengths = self.maybe("lengths")
        from dataclasses import replace

        from pretune.check.facts.encode import asked_length, asked_stride

        limit = lengths.limit if lengths is not None else asked_length(self.setup)
        return replace(profile, max_length=limit, stride=asked_stride(self.setup))

    @fact
    def data(self) -> DataFacts:
        """The rows."""
        self._need(self.setup.data.train or self.setup.data.eval, otherwise=NO_DATA)
        if self.reads_all:
            return self.corpus.data
        from pretune.check.facts.data import read_data

        return read_data(self.setup, sample=self.sample or self.HEAD)

    @fact
    def labels(self) -> LabelFacts:
        """The labels of the sampled rows."""
        data, model = self.data, self.maybe("model")
        from pretune.check.facts.data import read_labels

        if model is None:
            return read_labels(data, None, self.setup)
        return read_labels(data, model.effective, self.setup, config_at=model.at())

    @fact
    def reading(self) -> ReadingFacts:
        """How the tokenizer reads the words of the data."""
        data, corpus = self.data, self.maybe("corpus")
        from pretune.check.facts.reading import read_reading

        return read_reading(self.setup, self.tokenizer, data, corpus.words if corpus is not None else None)

    @fact
    def markers(self) -> MarkerFacts:
        """Bracketed markers that stand in many rows."""
        data = self.data
        from pretune.check.facts.markers import read_markers

        return read_markers(self.setup, self.tokenizer, data)

    @fact
    def lengths(self) -> LengthFacts:
        """How many positions there are, and how many the rows need."""
        from pretune.check.facts.lengths import read_lengths

        data, corpus = self.maybe("data"), self.maybe("corpus")
        counted = corpus.rows if corpus is not None else None
        return read_lengths(self.setup, self.model, self.maybe("tokenizer"), data, counted)

    @fact
    def sentence_vector(self) -> SentenceVectorFacts:
        """What would represent a sentence: pooler, declared pooling, sentence token."""
        from pretune.check.facts.sentence_vector import read_sentence_vector

        return read_sentence_vector(self.setup, self.model, self.maybe("weights"))

    @fact
    def training(self) -> TrainingFacts:
        """The training arguments and the steps they come to."""
        self._need(self.setup.training_args, otherwise="no training_args: name them in a setup file")
        from pretune.check.facts.training import read_training

        data = self.maybe("data")
        rows = data.train.total if data is not None else None
        lengths = self.maybe("lengths") if data is not None and self.setup.task == "question-answering" else None
        return read_training(self.setup, self.versions, rows, data is not None and not data.train.sampled, lengths)

    @fact
    def chat(self) -> ChatFacts:
        """The chat template and the tokens around it."""
        from pretune.check.facts.chat import read_chat

        return read_chat(self.setup, self.tokenizer, self.maybe("model"))

    @fact
    def talks(self) -> TalkFacts:
        """The sampled conversations, and what the template makes of their roles."""
        data = self.data
        from pretune.check.facts.talks import read_talks

        return read_talks(self.chat, self.tokenizer, data)

    @fact
    def script(self) -> ScriptFacts:
        """What the script makes and does."""
        self._need(self.script_facts, otherwise="no script was given")
        return cast("ScriptFacts", self.script_facts)

    @fact
    def live(self) -> LiveFacts:
        """The objects in memory, and the first batches as they will be fed."""
        from pretune.check.facts.live import read_live

        return read_live(self)

    @fact
    def deep(self) -> DeepFacts:
        """What a few batches give: losses, gradients, a batch learnt by heart."""
        from pretune.check.facts.deep import read_deep

        return read_deep(self)
