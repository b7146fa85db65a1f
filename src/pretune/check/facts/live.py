"""What live objects are, as plain facts: the model, the tokenizer, the run around them and its first batches.

Nothing is trained, and the run's randomness is as before afterwards. Rules see numbers and names, never tensors.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pretune.check.facts.live_batches import peek, plain_batch
from pretune.check.facts.live_model import read_live_model
from pretune.check.facts.live_training import read_run
from pretune.check.finding import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from pretune.check.facts import Facts
    from pretune.check.facts.live_batches import Batch
    from pretune.check.facts.live_model import LiveModel
    from pretune.check.facts.live_training import LiveRun


@dataclass(frozen=True, slots=True)
class LiveTokenizer:
    """A tokenizer.

    Attributes:
        name: its class.
        size: len(tokenizer).
        largest: its largest id.
        special: role -> id (`pad` -> 0), of those it has.
        opens: the id with which it opens a text by itself; None: with none.
        decode: ids -> text.
    """

    name: str
    size: int
    largest: int
    special: dict[str, int] = field(default_factory=dict)
    opens: int | None = None
    decode: Callable[[list[int]], str] = field(default=lambda _: "", repr=False)


@dataclass(frozen=True)
class LiveFacts:
    """Everything that is in memory.

    Attributes:
        task: one of a Setup's tasks; None: not known.
        looked: the batches.
        unseen: why there are none.
        failure: what the training set or the collator raised while a batch was made.
    """

    task: str | None
    known_model: LiveModel | None
    known_tokenizer: LiveTokenizer | None
    run: LiveRun
    looked: tuple[Batch, ...] = field(default=(), repr=False)
    unseen: str = ""
    failure: str = ""

    @property
    def model(self) -> LiveModel:
        """The model.

        Raises:
            Unavailable: there is none.
        """
        if self.known_model is None:
            raise Unavailable("no model is in memory")
        return self.known_model

    @property
    def tokenizer(self) -> LiveTokenizer:
        """The tokenizer.

        Raises:
            Unavailable: there is none.
        """
        if self.known_tokenizer is None:
            raise Unavailable("no tokenizer is in memory (tokenizer=, or the Trainer's processing_class)")
        return self.known_tokenizer

    @property
    def batches(self) -> tuple[Batch, ...]:
        """The first batches, at least one.

        Raises:
            Unavailable: none could be looked at.
        """
        if not self.looked:
            raise Unavailable(f"no batches were looked at: {self.unseen or self.failure}")
        return self.looked


def read_live(facts: Facts) -> LiveFacts:
    """Look at the objects that `facts` holds.

    Raises:
        Unavailable: the check is of names and files.
    """
    objects = facts.objects
    if objects is None:
        raise Unavailable("nothing is in memory: check.run(trainer), or callbacks=[check.Preflight()]")
    peeked = peek(objects)
    model = objects.model
    return LiveFacts(
        task=facts.setup.task,
        known_model=read_live_model(model, facts.maybe("loading"), facts.maybe("weights"))
        if model is not None
        else None,
        known_tokenizer=_tokenizer(objects.tokenizer) if objects.tokenizer is not None else None,
        run=read_run(objects),
        looked=tuple(plain_batch(batch) for batch in peeked.raw),
        unseen=peeked.unseen,
        failure=peeked.failure,
    )


def _tokenizer(tokenizer: Any) -> LiveTokenizer:
    special = {}
    for role in ("bos", "eos", "unk", "sep", "pad", "cls", "mask"):
        token = getattr(tokenizer, f"{role}_token", None)
        index = getattr(tokenizer, f"{role}_token_id", None) if token is not None else None
        if isinstance(index, int):
            special[role] = index
    return LiveTokenizer(
        name=type(tokenizer).__name__,
        size=len(tokenizer),
        largest=max(tokenizer.get_vocab().values(), default=-1),
        special=special,
        opens=_opens(tokenizer, special),
        decode=lambda ids: str(tokenizer.decode(ids)),
    )


def _opens(tokenizer: Any, special: dict[str, int]) -> int | None:
    """The special token that an empty text is opened with: the first of what the tokenizer adds."""
    try:
        ids = tokenizer.build_inputs_with_special_tokens([]) if not tokenizer.is_fast else _backend(tokenizer)
    except Exception:  # noqa: BLE001 - a tokenizer of one's own may not have it
        return None
    first = ids[0] if ids else None
    return first if first in {special.get("cls"), special.get("bos")} and first is not None else None


def _backend(tokenizer: Any) -> list[int]:
    """The ids of an empty text, asked of the Rust tokenizer, whose cut and padding stay as they are."""
    return list(tokenizer.backend_tokenizer.encode("").ids)
