"""Live objects that a fine-tune is made of, told apart by what they are called: model, tokenizer, Trainer, data loader.

Imports neither torch nor transformers: an object of theirs brings them along. Knows no files and no rule.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

WRAPPED = ("module", "_orig_mod")
"""Where WRAPPERS keep the model."""
WRAPPERS = frozenset(
    f"torch.{name}"
    for name in ("DataParallel", "DistributedDataParallel", "OptimizedModule", "FullyShardedDataParallel")
)


@dataclass(frozen=True, slots=True)
class Objects:
    """What is in memory; None: not given.

    Attributes:
        model: a torch.nn.Module, as it was given (wrapped, with an adapter).
        tokenizer: a transformers tokenizer.
        trainer: a Trainer, of transformers, TRL, sentence-transformers or of one's own.
        arguments: TrainingArguments or a subclass's.
        train: the training set, as the Trainer or the loader has it.
        evaluation: the evaluation set.
        loader: a torch DataLoader (accelerate's included); None: the trainer makes one.
        collator: what makes a batch of rows, where there is no loader.
        optimizer: a torch optimizer.
        scheduler: of the learning rate.
        steps: how many optimizer steps the run has.
        batches: batches that were given themselves.
    """

    model: Any = None
    tokenizer: Any = None
    trainer: Any = None
    arguments: Any = None
    train: Any = None
    evaluation: Any = None
    loader: Any = None
    collator: Any = None
    optimizer: Any = None
    scheduler: Any = None
    steps: int | None = None
    batches: tuple[Any, ...] = ()


def bases(value: Any) -> frozenset[str]:
    """`transformers.Trainer`, `torch.Module` …: first part of the module and name of each class that it is of."""
    return frozenset(f"{base.__module__.partition('.')[0]}.{base.__name__}" for base in type(value).__mro__)


def is_model(value: Any) -> bool:
    """Whether it is a torch.nn.Module."""
    return "torch.Module" in bases(value)


def is_tokenizer(value: Any) -> bool:
    """Whether it is a tokenizer of transformers, or a processor that holds one."""
    return "transformers.PreTrainedTokenizerBase" in bases(value) or "transformers.ProcessorMixin" in bases(value)


def is_loader(value: Any) -> bool:
    """Whether it is a torch DataLoader, accelerate's wrappers included."""
    return "torch.DataLoader" in bases(value) or "torch.DataLoader" in bases(getattr(value, "base_dataloader", None))


def is_trainer(value: Any) -> bool:
    """Whether it is a Trainer of transformers or works like one."""
    return "transformers.Trainer" in bases(value) or all(
        hasattr(value, name) for name in ("args", "model", "train_dataset", "get_train_dataloader")
    )


def is_live(value: Any) -> bool:
    """Whether it is an object that can be looked at, not a name of one."""
    if value is None or isinstance(value, str | bytes | int | float) or hasattr(value, "__fspath__"):
        return False
    return is_trainer(value) or is_model(value) or is_tokenizer(value)


def text_tokenizer(value: Any) -> Any:
    """The tokenizer, also inside a processor; None where it is none (an image processor)."""
    if "transformers.PreTrainedTokenizerBase" in bases(value):
        return value
    inner = getattr(value, "tokenizer", None)
    return inner if inner is not None and "transformers.PreTrainedTokenizerBase" in bases(inner) else None


def unwrapped(model: Any) -> Any:
    """The model inside DataParallel, torch.compile and a LoRA wrapper; a SentenceTransformer's own transformer."""
    for _ in range(8):
        inner = next((getattr(model, name, None) for name in WRAPPED if is_model(getattr(model, name, None))), None)
        kinds = bases(model)
        if inner is not None and kinds & WRAPPERS:
            model = inner
        elif "peft.PeftModel" in kinds:
            model = model.get_base_model()
        elif "sentence_transformers.SentenceTransformer" in kinds:
            first = next(iter(model.children()), None)
            found = getattr(first, "auto_model", None) or getattr(first, "model", None)
            if not is_model(found):
                return model
            model = found
        else:
            return model
    return model


def adapter_of(model: Any) -> Any:
    """The active adapter's config of a peft model; None: it is none, or the adapter is of another kind."""
    for _ in range(8):
        if "peft.PeftModel" in bases(model):
            configs = getattr(model, "peft_config", None) or {}
            return configs.get(getattr(model, "active_adapter", "default")) if isinstance(configs, dict) else None
        inner = next((getattr(model, name, None) for name in WRAPPED if is_model(getattr(model, name, None))), None)
        if inner is None:
            return None
        model = inner
    return None


def of_trainer(trainer: Any) -> Objects:
    """What a Trainer holds."""
    processing = getattr(trainer, "processing_class", None)
    if processing is None:
        processing = trainer.__dict__.get("tokenizer")  # transformers before 4.46
    state = getattr(trainer, "state", None)
    return Objects(
        model=trainer.model,
        tokenizer=text_tokenizer(processing),
        trainer=trainer,
        arguments=trainer.args,
        train=trainer.train_dataset,
        evaluation=getattr(trainer, "eval_dataset", None),
        collator=getattr(trainer, "data_collator", None),
        optimizer=getattr(trainer, "optimizer", None),
        scheduler=getattr(trainer, "lr_scheduler", None),
        steps=getattr(state, "max_steps", None) or None,
    )


def gathered(model: Any, tokenizer: Any = None, data: Any = None, **further: Any) -> tuple[Objects, Any]:
    """The objects that `check.run` was given, and what of `data` is rows, not loaders or batches.

    Args:
        model: a Trainer, a model or a tokenizer.
        tokenizer: a tokenizer; None: the Trainer's.
        data: rows, a DataLoader, or a batch.
        further: fields of Objects.
    """
    found = of_trainer(model) if is_trainer(model) else Objects(model=model if is_model(model) else None)
    if tokenizer is None and is_tokenizer(model):
        tokenizer = model
    if is_tokenizer(tokenizer):
        found = replace(found, tokenizer=text_tokenizer(tokenizer))
    found = replace(found, **{key: value for key, value in further.items() if value is not None})
    if is_loader(data):
        return replace(found, loader=data, train=getattr(data, "dataset", None)), None
    if is_batch(data):
        return replace(found, batches=(data,)), None
    if isinstance(data, list | tuple) and data and all(map(is_batch, data)):
        return replace(found, batches=tuple(data)), None
    return found, data


def is_batch(value: Any) -> bool:
    """Whether it is what a model takes: a mapping from names to tensors."""
    return (
        hasattr(value, "keys")
        and hasattr(value, "__getitem__")
        and not hasattr(value, "column_names")
        and any(hasattr(value[key], "shape") and hasattr(value[key], "tolist") for key in list(value.keys())[:20])
    )


def subject(objects: Objects) -> str:
    """`Trainer of BertForQuestionAnswering (klue/bert-base)`."""
    model = unwrapped(objects.model) if objects.model is not None else None
    what = type(model if model is not None else objects.tokenizer).__name__
    name = name_of(model if model is not None else objects.tokenizer)
    told = f"{what} ({name})" if name else what
    return f"{type(objects.trainer).__name__} of {told}" if objects.trainer is not None else told


def name_of(value: Any) -> str:
    """Where a model or a tokenizer was loaded from, in the words of from_pretrained; empty: from nowhere."""
    config = getattr(value, "config", None)
    names = (getattr(value, "name_or_path", ""), getattr(config, "_name_or_path", ""))
    return next((name for name in names if isinstance(name, str) and name.strip()), "")
