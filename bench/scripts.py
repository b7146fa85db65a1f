"""How long reading scripts takes: CPU seconds per 1,000 lines, of a made training script and of any files.

The limits that issue 4 sets: 0.3 s CPU for 1,000 lines after start-up, 10 s for a folder of 100 scripts.

    python bench/scripts.py                     a made script of 1,000 lines, and 100 scripts that share modules
    python bench/scripts.py FOLDER [FOLDER ...] every .py and .ipynb file below, the slowest ten named
"""

import sys
import tempfile
import time
from pathlib import Path

from pretune.core.errors import UserError
from pretune.script.read import read_script

HEAD = """
import argparse
import torch
from torch.utils.data import DataLoader, Dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer, get_linear_schedule_with_warmup
"""
PART = """
class Rows{n}(Dataset):
    def __init__(self, rows, tokenizer, length=128):
        self.rows = rows
        self.tokenizer = tokenizer
        self.length = length

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        row = self.rows[index]
        found = self.tokenizer(row["text"], truncation=True, max_length=self.length, padding="max_length")
        found["labels"] = row["label"]
        return {{key: torch.tensor(value) for key, value in found.items()}}


def evaluate{n}(model, loader, device):
    model.eval()
    right, total = 0, 0
    with torch.no_grad():
        for batch in loader:
            batch = {{key: value.to(device) for key, value in batch.items()}}
            logits = model(**batch).logits
            right += (logits.argmax(-1) == batch["labels"]).sum().item()
            total += len(batch["labels"])
    return right / max(total, 1)


def train{n}(args):
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    model = AutoModelForSequenceClassification.from_pretrained(args.model, num_labels=args.labels).to(args.device)
    loader = DataLoader(Rows{n}(read(args.data), tokenizer), batch_size=args.batch, shuffle=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
    scheduler = get_linear_schedule_with_warmup(optimizer, 100, len(loader) * args.epochs)
    best, step = None, 0
    for epoch in range(args.epochs):
        model.train()
        for batch in loader:
            loss = model(**batch).loss / args.accumulate
            loss.backward()
            step += 1
            if step % args.accumulate == 0:
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                scheduler.step()
                optimizer.zero_grad()
        score = evaluate{n}(model, loader, args.device)
        if best is None or score > best:
            best = score
            model.save_pretrained(args.out)
            tokenizer.save_pretrained(args.out)
        print(f"epoch {{epoch}}: {{score:.3f}}")
    return best
"""
MAIN = """
def main():
    parser = argparse.ArgumentParser()
    for name in ("data", "out"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--model", default="klue/bert-base")
    parser.add_argument("--lr", type=float, default=5e-5)
    parser.add_argument("--labels", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--accumulate", type=int, default=1)
    args = parser.parse_args()
    args.device = "cuda" if torch.cuda.is_available() else "cpu"
    {calls}


if __name__ == "__main__":
    main()
"""


def script(parts: int) -> str:
    """A training script of about 60 lines a part, each called by its main."""
    calls = "\n    ".join(f"train{number}(args)" for number in range(parts))
    return HEAD + "".join(PART.format(n=number) for number in range(parts)) + MAIN.replace("{calls}", calls)


def seconds(paths: list[Path]) -> list[tuple[float, int, Path]]:
    """CPU seconds and lines of each file, as it is read."""
    found = []
    for path in paths:
        start = time.process_time()
        try:
            read_script(str(path))
        except UserError as error:
            print(error.message)
        lines = path.read_bytes().count(b"\n")
        found.append((time.process_time() - start, lines, path))
    return found


def told(name: str, found: list[tuple[float, int, Path]]) -> None:
    """Prints a row."""
    spent, lines = sum(row[0] for row in found), sum(row[1] for row in found)
    print(f"{name:44} {len(found):5} files {lines:8,} lines {spent:8.2f} s {1000 * spent / max(lines, 1):7.3f} s/1,000")


def made() -> None:
    """The two figures that the issue limits."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        long = folder / "long.py"
        long.write_text(script(17), encoding="utf-8")
        seconds([long])  # the first reading imports what it needs
        long.write_text(script(17) + "\n", encoding="utf-8")
        told("one script", seconds([long]))
        shared = folder / "shared"
        shared.mkdir()
        for number in range(10):
            (shared / f"part{number}.py").write_text(HEAD + PART.format(n=number), encoding="utf-8")
        imports = "".join(f"from part{number} import train{number}\n" for number in range(10))
        for number in range(90):
            (shared / f"run{number}.py").write_text(imports + script(2), encoding="utf-8")
        told("a folder whose scripts share ten modules", seconds(sorted(shared.glob("*.py"))))


def main() -> None:
    """Measures what is asked for."""
    if len(sys.argv) == 1:
        made()
        return
    paths = [path for name in sys.argv[1:] for end in ("*.py", "*.ipynb") for path in sorted(Path(name).rglob(end))]
    found = seconds(paths)
    told(" ".join(sys.argv[1:])[:44], found)
    for spent, lines, path in sorted(found, reverse=True, key=lambda row: row[0])[:10]:
        print(f"{spent:8.2f} s {lines:7,} lines  {path}")


if __name__ == "__main__":
    main()
