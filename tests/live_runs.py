"""Small healthy runs of the Hugging Face Trainer, one for each task, whose parts tests exchange for faulty ones."""

import random
from pathlib import Path
from typing import Any

import datasets
import torch
import transformers

import small_model

WORDS = ("한국", "모델", "질문", "the", "model", "question", "한국어", "대한민국", "a", "b", "c", "1", "2", "x", "y")
ENDS = {
    "text-classification": "SequenceClassification",
    "token-classification": "TokenClassification",
    "question-answering": "QuestionAnswering",
    "masked-lm": "MaskedLM",
}
ROWS = 48


def texts(count: int = ROWS, words: int = 12, seed: int = 0) -> list[str]:
    """Sentences of known words, different from each other."""
    drawn = random.Random(seed)
    return [" ".join(drawn.choices(WORDS, k=words)) for _ in range(count)]


def folder(path: Path, model_type: str = "bert", **asked: Any) -> str:
    """A model folder whose weights are random numbers, not zeros."""
    made = small_model.write_model(path / "model", model_type, **asked)
    weights = made / "model.safetensors"
    if weights.exists():
        from safetensors.torch import load_file, save_file

        torch.manual_seed(0)
        save_file(
            {
                name: torch.ones_like(tensor)
                if name.endswith("LayerNorm.weight")
                else torch.randn_like(tensor) * 0.02
                if tensor.dim() == 2
                else torch.zeros_like(tensor)
                for name, tensor in load_file(weights).items()
            },
            weights,
            metadata={"format": "pt"},
        )
    return str(made)


def arguments(path: Path, **asked: Any) -> transformers.TrainingArguments:
    """Arguments of a run of six steps on the CPU, which saves and reports nothing."""
    said = {
        "per_device_train_batch_size": 8, "report_to": [], "num_train_epochs": 1, "use_cpu": True, "save_strategy": "no",
        "learning_rate": 3e-5, "logging_steps": 1, "disable_tqdm": True, **asked,
    }  # fmt: skip
    return transformers.TrainingArguments(str(path / "out"), **said)


def rows_of(task: str, tokenizer: Any, count: int = ROWS) -> list[dict[str, Any]]:
    """Encoded rows of a task."""
    rows = []
    for number, text in enumerate(texts(count)):
        if task == "question-answering":
            words = text.split()
            answer = words[5 + number % 3]
            encoded = tokenizer(
                "질문 " + words[0], text, truncation="only_second", max_length=40, return_offsets_mapping=True
            )
            at = text.index(answer)
            spans = zip(encoded.pop("offset_mapping"), encoded.sequence_ids(), strict=True)
            token = next(i for i, ((a, b), part) in enumerate(spans) if part == 1 and a <= at < b)
            rows.append({**encoded, "start_positions": token, "end_positions": token})
            continue
        row = dict(tokenizer(text, truncation=True, max_length=32))
        if task == "text-classification":
            row["labels"] = number % 3
        elif task == "token-classification":
            row["labels"] = [-100, *(index % 3 for index in range(len(row["input_ids"]) - 2)), -100]
        rows.append(row)
    return rows


def collator(task: str, tokenizer: Any) -> Any:
    """The task's usual collator."""
    if task == "token-classification":
        return transformers.DataCollatorForTokenClassification(tokenizer)
    if task in ("masked-lm", "causal-lm"):
        return transformers.DataCollatorForLanguageModeling(tokenizer, mlm=task == "masked-lm")
    return transformers.DataCollatorWithPadding(tokenizer)


def trainer(path: Path, task: str, *, model_type: str = "bert", **asked: Any) -> transformers.Trainer:
    """A healthy run; `asked` replaces arguments of the Trainer, `args` those of its TrainingArguments."""
    said = dict(asked)
    if task == "causal-lm":
        tokenizer, model = causal(path)
    else:
        saved = "BertForPreTraining" if model_type == "bert" else "RobertaForMaskedLM"
        where = folder(path, model_type, model_class=saved)
        tokenizer = transformers.AutoTokenizer.from_pretrained(where)
        kind = getattr(transformers, f"AutoModelFor{ENDS[task]}")
        given = {"num_labels": 3} if "classification" in task else {}
        model = kind.from_pretrained(where, **given)
    rows = said.pop("rows", None) or rows_of(task, tokenizer)
    change = said.pop("change", None)
    made = {
        "model": model,
        "args": arguments(path, **said.pop("args", {})),
        "train_dataset": datasets.Dataset.from_list(rows),
        "processing_class": tokenizer,
        "data_collator": collator(task, tokenizer),
        **said,
    }
    if change is not None:
        change(made)
    return made.pop("trainer", transformers.Trainer)(**made)


def causal(path: Path) -> tuple[Any, Any]:
    """A small GPT-2 with a word tokenizer that has a pad token of its own."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = ["<pad>", "<unk>", "<s>", "</s>", *WORDS]
    inner = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=len(words),
        n_positions=64,
        n_embd=16,
        n_layer=2,
        n_head=2,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
    )
    where = path / "gpt2"
    transformers.GPT2LMHeadModel(config).save_pretrained(where)
    tokenizer.save_pretrained(where)
    loaded = transformers.AutoModelForCausalLM.from_pretrained(where)
    return transformers.AutoTokenizer.from_pretrained(where), loaded
