"""New rows that do what the word's pieces did: distilled. Trains these rows alone; every other weight stays as it is.

The model reads a text cut the old way, and the same text with the new token; the token's row is moved until both come
out the same (Dobler et al. 2025, Token Distillation, https://arxiv.org/abs/2505.20133). What "the same" is depends on
the model: of a sentence encoder the direction of its vector; of others the hidden states, of a decoder those from the
token on. A word's texts are built-in sentences, or sentences of the user's own. A few words at a time are trained, each
step with one text of each. A row that does not come out better over its own texts stays as it began.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from pretune.artifacts.pipeline import as_class
from pretune.core.errors import UserError
from pretune.core.extras import need
from pretune.core.quantity import number
from pretune.tokens.distill_pairs import LONGEST, pairs_of
from pretune.tokens.distill_texts import contexts
from pretune.tokens.proof import rebuilt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import TypeAlias

    import tokenizers
    from numpy.typing import NDArray

    from pretune.tokens.adding import Adding
    from pretune.tokens.distill_model import Runner
    from pretune.tokens.distill_pairs import Pair
    from pretune.tokens.plan import Plan
    from pretune.tokens.tables import IdTables

    Edits: TypeAlias = dict[str, tuple[list[int], NDArray[Any]]]

CONTEXTS = 20
"""Sentences of the user's a token, at most."""

STEPS = {"templates": 20, "texts": 80}
"""Steps a token: each is one text forward and backward."""

RATE = {"templates": 0.15, "texts": 0.12}
"""Learning rate of Adam, in root mean squares of the embedding; falls to nothing over the steps."""

TOKENS = 2048
"""Tokens of a step, at most; of a large model fewer, so that what is kept for the gradient stays below MEMORY."""

MEMORY = 1 << 30


def distilled(adding: Adding, edits: Edits, live: tuple[Any, str] | None = None) -> Edits:
    """The same edits with trained rows for new words in the word embedding, and in what repeats it.

    Args:
        adding: what is added, with its texts.
        edits: rows to begin from (`mean`).
        live: a model at hand and its pooling (empty: it is no sentence encoder); None: that of the folder is loaded.

    Raises:
        UserError: torch or transformers are missing, or the model cannot be loaded.
    """
    need("torch", extra="train")
    need("transformers", extra="train")
    from pretune.tokens.distill_model import declared_pooling, load, running

    tables = adding.tables
    assert tables is not None
    encoders = as_class(adding.tokenizer), as_class(rebuilt(adding.tokenizer, adding.plan))
    padding = adding.tokenizer.id_of("pad_token") or 0
    pooling = live[1] if live else declared_pooling(adding.source)
    with running(live[0], padding=padding) if live else load(_folder(tables), padding=padding) as runner:
        trained = learnt(adding.plan, encoders, runner, edits[tables.input.name], pooling=pooling, texts=adding.texts)
    ids = edits[tables.input.name][0]
    same = {table.name for table in tables.tables if tables.input.name in (table.name, table.tied_to)}
    return {name: (ids, trained.copy()) if name in same else edit for name, edit in edits.items()}


def learnt(
    plan: Plan,
    encoders: tuple[tokenizers.Tokenizer, tokenizers.Tokenizer],
    runner: Runner,
    start: tuple[list[int], NDArray[Any]],
    *,
    pooling: str = "",
    texts: Sequence[str] = (),
) -> NDArray[np.float32]:
    """Trained rows in the order of `start`; those that nothing is known about stay as they are.

    Args:
        plan: which entries are new.
        encoders: before, and with them.
        runner: the model.
        start: ids and rows (ids, width) to begin from.
        pooling: of a sentence encoder; empty: hidden states are compared.
        texts: of the user's; empty: built-in sentences.
    """
    from pretune.tokens.distill_model import told

    for encoder in encoders:  # tokenizer.json may keep those of some last call
        encoder.no_truncation()
        encoder.no_padding()
    ids, rows = start[0], start[1].astype(np.float32)
    asked = [entry for entry in plan.added if entry.pieces and not entry.special and not entry.between]
    safe = {entry.id: entry.pieces[0] for entry in plan.added if entry.pieces}
    longest = min(LONGEST, runner.positions)
    found = contexts(texts, [entry.word for entry in asked], most=CONTEXTS) if texts else {}
    pairs = {entry.id: pairs_of(entry, encoders, found.get(entry.word, ()), longest) for entry in asked}
    kept = [entry for entry in asked if pairs[entry.id]]
    left = len({entry.word for entry in plan.added if not entry.between}) - len({entry.word for entry in kept})
    if left:
        keep = "1 new token keeps its" if left == 1 else f"{number(left)} new tokens keep their"
        told(f"{keep} row of the beginning: special, unknown until now, or never on its own in a text")
    trainer = _Trainer(runner, pooling, ids, rows, safe)
    size = trainer.block(max((len(pair.old) for some in pairs.values() for pair in some), default=1))
    clock = time.monotonic()
    for first in range(0, len(kept), size):
        block = kept[first : first + size]
        trainer.train([entry.id for entry in block], [pairs[entry.id] for entry in block], own=bool(texts))
        if time.monotonic() - clock > 1:
            clock = time.monotonic()
            told(f"distilled {first + len(block)} of {len(kept)} tokens")
    return trainer.rows


def _folder(tables: IdTables) -> Path:
    """Where config.json and the weights lie, in the same folder.

    Raises:
        UserError: not on this machine.
    """
    file = tables.input.tensor.file
    path = tables.source.path(file)
    if path is None:
        raise UserError(f"the weights of {tables.source.label} are not on this machine", hint="download them first")
    return path.parents[file.count("/")]


class _Trainer:
    """Trains rows of a table, some at a time.

    Args:
        runner: the model.
        pooling: of a sentence encoder; empty: hidden states are compared.
        ids: of the rows.
        rows: (ids, width), float32; `rows` holds the trained ones afterwards.
        safe: new id -> an old one that stands at its place.
    """

    def __init__(
        self, runner: Runner, pooling: str, ids: Sequence[int], rows: NDArray[np.float32], safe: Mapping[int, int]
    ) -> None:
        self.runner, self.pooling, self.rows, self.safe = runner, pooling, rows.copy(), safe
        self.at = {index: at for at, index in enumerate(ids)}
        weight = runner.model.get_input_embeddings().weight.detach()
        self.scale = float(weight[:: max(len(weight) // 2048, 1)].float().square().mean().sqrt())

    def block(self, longest: int) -> int:
        """How many words are trained at a time."""
        config = self.runner.model.config
        config = config.get_text_config() if hasattr(config, "get_text_config") else config
        layers = getattr(config, "num_hidden_layers", None) or 12
        width = getattr(config, "hidden_size", None) or self.rows.shape[1]
        tokens = min(TOKENS, MEMORY // (int(layers) * int(width) * 40 * 4))
        return max(1, min(64, tokens // longest))

    def train(self, ids: Sequence[int], pairs: Sequence[Sequence[Pair]], *, own: bool) -> None:
        """Train the rows of these ids, each with its texts."""
        import torch

        device = self.runner.model.get_input_embeddings().weight.device
        most = max(map(len, pairs))
        batches = [[some[at % len(some)] for some in pairs] for at in range(most)]
        with torch.no_grad():
            targets = [self._target(batch) for batch in batches]
        chosen = [self.at[index] for index in ids]
        others = torch.from_numpy(np.concatenate([np.zeros_like(self.rows[:1]), self.rows])).to(device)
        place = {index: at + 1 for index, at in self.at.items()}
        place |= {index: len(others) + at for at, index in enumerate(ids)}
        row = torch.nn.Parameter(torch.from_numpy(self.rows[chosen]).to(device))
        kind = "texts" if own else "templates"
        steps, rate = STEPS[kind], RATE[kind] * self.scale
        adam = torch.optim.Adam([row], lr=rate, betas=(0.9, 0.98))
        for step in range(steps):
            adam.param_groups[0]["lr"] = rate * (1 - step / steps)
            batch, target = batches[step % most], targets[step % most]
            with torch.enable_grad():
                states = self._run(batch, torch.cat([others, row]), place)
                (row.grad,) = torch.autograd.grad(self._losses(states, batch, target).sum(), [row])
            adam.step()
        with torch.no_grad():
            began = self._errors(batches, targets, torch.cat([others, others[[at + 1 for at in chosen]]]), place)
            ended = self._errors(batches, targets, torch.cat([others, row]), place)
        better = (ended < began).cpu().numpy()[:, None]  # also false where it is no number
        self.rows[chosen] = np.where(better, row.detach().cpu().numpy(), self.rows[chosen])

    def _errors(self, batches: Sequence[Sequence[Pair]], targets: Sequence[Any], rows: Any, place: Any) -> Any:
        """The error of each word over all its texts (words,)."""
        return sum(
            self._losses(self._run(batch, rows, place), batch, target)
            for batch, target in zip(batches, targets, strict=True)
        )

    def _run(self, batch: Sequence[Pair], rows: Any, place: Mapping[int, int]) -> Any:
        """Hidden states and mask of texts with the new tokens."""
        ids = [[self.safe.get(at, at) for at in pair.new] for pair in batch]
        return self.runner.hidden(ids, rows, [[place.get(at, 0) for at in pair.new] for pair in batch])

    def _target(self, batch: Sequence[Pair]) -> Any:
        """What the model makes of texts cut the old way: sentence vectors, or hidden states of the compared tokens."""
        import torch

        from pretune.tokens.distill_model import pooled

        states, mask = self.runner.hidden([pair.old for pair in batch])
        if self.pooling:
            return pooled(states, mask, self.pooling), None
        taken = []
        for text, pair in enumerate(batch):
            for _, places in self._compared(pair):
                # a causal token knows the whole word only behind its last piece
                some = states[text, places[-1]] if self.runner.causal else states[text, list(places)].mean(0)
                taken.append(some)
        return pooled(states, mask, "mean"), torch.stack(taken)

    def _compared(self, pair: Pair) -> list[tuple[int, tuple[int, ...]]]:
        return [place for place in pair.places if place[0] >= pair.word] if self.runner.causal else list(pair.places)

    def _losses(self, now: tuple[Any, Any], batch: Sequence[Pair], target: tuple[Any, Any]) -> Any:
        """How far each text with the new token comes out otherwise (texts,)."""
        import torch

        from pretune.tokens.distill_model import pooled

        states, mask = now
        vectors, tokens = target
        loss = states.new_zeros(len(batch))
        if self.pooling or not self.runner.causal:
            mode = self.pooling or "mean"
            loss = 1 - torch.nn.functional.cosine_similarity(pooled(states, mask, mode), vectors)
        if tokens is None:
            return loss
        places = [(text, at) for text, pair in enumerate(batch) for at, _ in self._compared(pair)]
        here = states[[text for text, _ in places], [at for _, at in places]]
        counts = [len(self._compared(pair)) for pair in batch]
        shares = torch.tensor([1 / count for count in counts for _ in range(count)], device=here.device)
        error = (here - tokens).square().sum(1) / tokens.square().sum(1).clamp_min(1e-6)
        owners = torch.tensor([text for text, _ in places], device=here.device)
        return loss.index_add(0, owners, error * shares)
