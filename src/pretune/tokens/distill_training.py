"""Training of new rows until the model makes of a text what it made of it before: Training. Knows no tokenizer.

What "the same" is depends on the model: of a sentence encoder the direction of its vector; of others the hidden states,
of a decoder those from the token on. Some words are trained at a time, each step with one text of each. On a CPU
several such blocks run side by side on one core each: cores that work on one short batch together mostly wait for each
other, and sums that are cut the same way each time come out the same. The settings were chosen with
bench/tokens_rows.py, on other words than those whose figures it reports.
"""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from pretune.draw.progress import Bar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pretune.tokens.distill_model import Runner
    from pretune.tokens.distill_pairs import Pair

STEPS = {"templates": 36, "texts": 80}
"""Steps a token: each is one text forward and backward."""

RATE = {"templates": 0.15, "texts": 0.12}
"""Learning rate of Adam, in root mean squares of the embedding; falls to nothing over the steps."""

BETAS = (0.5, 0.95)
"""Of Adam: so few steps have no time to get rid of a long memory."""

CHECKED = 4
"""Texts of a word, at most, that say whether its row has become better."""

WORDS = 32
"""Words that are trained at a time, at most."""

TOKENS = 1024
"""Tokens of a step, at most; of a large model fewer, so that what is kept for the gradient stays below MEMORY."""

MEMORY = 1 << 30
"""Bytes kept for gradients, of all blocks that run side by side."""


class Training:
    """Trains rows of a table.

    Args:
        runner: the model.
        pooling: of a sentence encoder; empty: hidden states are compared.
        ids: of the rows.
        rows: (ids, width), float32, to begin from.
        safe: new id -> an old one that stands at its place.
    """

    def __init__(
        self, runner: Runner, pooling: str, ids: Sequence[int], rows: NDArray[np.float32], safe: Mapping[int, int]
    ) -> None:
        self.runner, self.pooling, self.rows, self.safe = runner, pooling, rows, safe
        self.at = {index: at for at, index in enumerate(ids)}
        weight = runner.model.get_input_embeddings().weight.detach()
        self.scale = float(weight[:: max(len(weight) // 2048, 1)].float().square().mean().sqrt())
        self._stop = threading.Event()

    def train(self, pairs: Mapping[int, Sequence[Pair]], *, own: bool) -> NDArray[np.float32]:
        """The rows after training those that have texts; in a text, other new tokens have the row that they began with.

        Args:
            pairs: id -> its texts, one or more.
            own: whether they are the user's.
        """
        made = self.rows.copy()
        if not pairs:
            return made
        size, beside = self._blocks(max(len(pair.old) for some in pairs.values() for pair in some))
        ids = list(pairs)
        blocks = [ids[first : first + size] for first in range(0, len(ids), size)]
        bar = Bar(sys.stderr, "training", unit="tokens")
        with _one_core_each(self.runner) as cores, ThreadPoolExecutor(min(beside, cores, len(blocks))) as pool:
            jobs = {pool.submit(self._block, block, [pairs[at] for at in block], own=own): block for block in blocks}
            try:
                bar.update(0, len(ids))
                for job in as_completed(jobs):
                    block = jobs[job]
                    made[[self.at[index] for index in block]] = job.result()
                    bar.advance(len(block), len(ids))
            finally:  # Ctrl-C, or a block that failed: the others end at their next step
                self._stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                bar.end()
        return made

    def _blocks(self, longest: int) -> tuple[int, int]:
        """How many words are trained at a time, and how many such blocks side by side."""
        config = self.runner.model.config
        config = config.get_text_config() if hasattr(config, "get_text_config") else config
        layers = getattr(config, "num_hidden_layers", None) or 12
        width = getattr(config, "hidden_size", None) or self.rows.shape[1]
        token = int(layers) * int(width) * 40 * 4
        size = max(1, min(WORDS, min(TOKENS, MEMORY // token) // longest))
        return size, max(1, MEMORY // (size * longest * token))

    def _block(self, ids: Sequence[int], pairs: Sequence[Sequence[Pair]], *, own: bool) -> NDArray[np.float32]:
        """The rows of these ids, each trained with its texts (ids, width)."""
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
        start = torch.from_numpy(self.rows[chosen]).to(device)
        row = torch.nn.Parameter(start.clone())
        kind = "texts" if own else "templates"
        steps, rate = STEPS[kind], RATE[kind] * self.scale
        adam = torch.optim.Adam([row], lr=rate, betas=BETAS)
        for step in range(steps):
            if self._stop.is_set():
                return self.rows[chosen]
            adam.param_groups[0]["lr"] = rate * (1 - step / steps)
            batch, target = batches[step % most], targets[step % most]
            with torch.enable_grad():
                states = self._run(batch, torch.cat([others, row]), place)
                (row.grad,) = torch.autograd.grad(self._losses(states, batch, target).sum(), [row])
            adam.step()
        some = list(zip(batches, targets, strict=True))[:: -(-most // CHECKED)]
        with torch.no_grad():
            began = self._errors(some, torch.cat([others, start]), place)
            ended = self._errors(some, torch.cat([others, row]), place)
        better = (ended < began).cpu().numpy()[:, None]  # also false where it is no number
        return np.where(better, row.detach().cpu().numpy(), self.rows[chosen])

    def _errors(self, some: Sequence[tuple[Sequence[Pair], Any]], rows: Any, place: Mapping[int, int]) -> Any:
        """The error of each word over texts of its own (words,)."""
        return sum(self._losses(self._run(batch, rows, place), batch, target) for batch, target in some)

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


@contextmanager
def _one_core_each(runner: Runner) -> Iterator[int]:
    """Let torch use one core a thread where the model is on the CPU; gives how many threads may work."""
    import torch

    cores = torch.get_num_threads()
    if runner.model.get_input_embeddings().weight.device.type != "cpu":
        yield 1
        return
    torch.set_num_threads(1)
    try:
        yield cores
    finally:
        torch.set_num_threads(cores)
