"""Calls that move or wrap an object and give it back: `.to()`, DataParallel, accelerator.prepare, get_peft_model.

Knows no kinds itself; whoever asks brings along what a value is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.script.values import Constant, External, Made, Sequence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pretune.script.trace import Call
    from pretune.script.values import Part, Value

    KindOf = Callable[[Value], str | None]

SELF = {
    "to", "cuda", "cpu", "half", "float", "double", "bfloat16", "eval", "train", "requires_grad_",
    "to_bettertransformer", "merge_and_unload", "unload", "apply", "share_memory", "type", "xpu", "npu", "ipu",
    "to_empty", "compile", "module", "zero_grad",
}  # fmt: skip
"""Methods of a model that give the model itself."""
_WRAPPERS = {
    "DataParallel", "DistributedDataParallel", "DDP", "FullyShardedDataParallel", "FSDP", "ShardedDataParallel",
    "compile", "get_peft_model", "prepare_model_for_kbit_training", "prepare_model_for_int8_training",
    "convert_sync_batchnorm", "unwrap_model", "unwrap", "BalancedDataParallel", "DataParallelModel",
    "extract_model_from_parallel", "_unwrap_model", "get_chat_template", "transform", "PeftModel.from_pretrained",
    "patch_model", "for_training", "for_inference", "prepare_model", "prepare_data_loader", "prepare_optimizer",
    "prepare_scheduler", "prepare_for_kbit_training", "device_placement", "optimize", "extract_model",
}  # fmt: skip
"""Calls that wrap their first argument, or take it out of its wrapper."""
_GIVES_BACK = {
    "unwrap_model", "prepare", "prepare_model", "prepare_data_loader", "setup", "setup_module", "setup_dataloaders",
    "prepare_optimizer", "prepare_scheduler",
}  # fmt: skip
"""Methods of an accelerator that give back what they are given."""
_SEVERAL = {
    "prepare",
    "initialize",
    "setup",
    "setup_module",
    "setup_dataloaders",
    "setup_chat_format",
    "setup_optimizers",
}
"""Calls that wrap each of their arguments, in order."""
_WRAPPING_PACKAGES = {
    "torch", "peft", "accelerate", "apex", "deepspeed", "unsloth", "fairscale", "lightning",
    "intel_extension_for_pytorch", "optimum", "transformers", "trl", "parallel", "torch_xla", "lightning_fabric",
    "pytorch_lightning", "ipex", "adapters",
}  # fmt: skip


HELD: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "trainer": {
        "model": ("model",), "args": ("args",), "tokenizer": ("tokenizer", "processing_class"),
        "processing_class": ("processing_class", "tokenizer"), "data_collator": ("data_collator",),
        "train_dataset": ("train_dataset",), "eval_dataset": ("eval_dataset",),
    },
    "collator": {"tokenizer": ("tokenizer",)},
    "pipeline": {"tokenizer": ("tokenizer",), "model": ("model",)},
}  # fmt: skip
"""Attributes that hold what the constructor was given, by what it is called there."""
_POSITIONS: Mapping[str, tuple[str, ...]] = {
    "trainer": (
        "model", "args", "data_collator", "train_dataset", "eval_dataset", "processing_class", "model_init",
        "compute_metrics", "callbacks", "optimizers", "preprocess_logits_for_metrics",
    ),
    "collator": ("tokenizer",),
    "pipeline": ("task", "model", "config", "tokenizer"),
}  # fmt: skip


def wrapped(call: Call, kind_of: KindOf) -> Value | None:
    """What a call wraps, or takes out of a wrapper; None: it does neither."""
    name, method = call.function_name, call.method
    if call.receiver is None or isinstance(call.receiver, External):
        package = name.partition(".")[0]
        known = package in _WRAPPING_PACKAGES and (method in _WRAPPERS or name.endswith("PeftModel.from_pretrained"))
        if known or method in ("get_peft_model", "unwrap_model"):
            return call.argument(0, "model") or call.argument(0, "module") or call.argument(None, "model_to_wrap")
        if package in _WRAPPING_PACKAGES and name.endswith("PeftModelForCausalLM.from_pretrained"):
            return None
        return None
    if method in _GIVES_BACK and len(call.arguments) + len(call.keywords) >= 1:
        values = [one for one in (*call.arguments, *call.keywords.values()) if not isinstance(one, Constant)]
        return values[0] if len(values) == 1 and kind_of(call.receiver) in ("accelerator", None) else None
    if method == "get_peft_model" and call.arguments:
        return call.arguments[0]
    return None


def prepared(value: Part, kind_of: KindOf) -> Value | None:
    """What an item of `accelerator.prepare(...)`, `amp.initialize(...)` and the like was before; None: it is none."""
    of = value.of
    if value.name == "module" and kind_of(of) == "model":
        return of
    if not isinstance(of, Made) or not isinstance(value.index, Constant) or not isinstance(value.index.value, int):
        return None
    call, index = of.call, value.index.value
    if call.function_name.endswith(("FastLanguageModel.from_pretrained", "FastModel.from_pretrained")):
        return None
    if call.method not in _SEVERAL:
        return None
    package = call.function_name.partition(".")[0]
    if call.receiver is not None and call.function_name.startswith("."):
        if kind_of(call.receiver) not in ("accelerator", None):
            return None
        items = call.arguments
    elif package == "deepspeed":
        model, optimizer = call.argument(1, "model"), call.argument(2, "optimizer")
        items = tuple(one for one in (model, optimizer) if one is not None)
    elif package in _WRAPPING_PACKAGES:
        items = call.arguments or tuple(call.keywords.values())
    else:
        return None
    if len(items) == 1 and isinstance(items[0], Sequence):
        items = items[0].items
    return items[index] if -len(items) <= index < len(items) else None


def given_to(call: Call, kind: str, name: str) -> Value | None:
    """What a constructor was given under a name, or under another one for the same; None: nothing that is known.

    Args:
        call: of the constructor.
        kind: what it makes.
        name: the argument's name.
    """
    aliases = HELD.get(kind, {}).get(name, (name,))
    for alias in aliases:
        if alias in call.keywords:
            return call.keywords[alias]
    order = _POSITIONS.get(kind, ())
    for alias in aliases:
        if alias in order and order.index(alias) < len(call.arguments):
            return call.arguments[order.index(alias)]
    return None
