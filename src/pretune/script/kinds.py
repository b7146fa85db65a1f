"""What a value of a script is in the field: a tokenizer, a model, a trainer, and what it was before it was wrapped.

By the canonical names of libraries (`kind_names.py`), by what methods of such objects give, by the bases of the
project's own classes and by annotations. A name of the script's own says nothing here, unless that is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.script.kind_names import class_kind, held_kind, model_part_kind, spoken_kind
from pretune.script.values import Class, Constant, External, Instance, Made, OneOf, Operation, Part, Unknown
from pretune.script.wrapping import HELD, SELF, given_to, prepared, wrapped

if TYPE_CHECKING:
    from pretune.script.trace import Call
    from pretune.script.values import Value

DEPTH = 24
"""Steps that a value is followed through."""
_ROWS = {
    "map", "filter", "select", "shuffle", "train_test_split", "rename_column", "rename_columns", "remove_columns",
    "cast_column", "cast", "class_encode_column", "sort", "with_format", "with_transform", "shard", "take", "skip",
    "to_iterable_dataset", "flatten_indices", "add_column", "select_columns", "flatten", "batch", "repeat",
    "unique_by", "add_item", "prepare_for_task",
}  # fmt: skip
"""Methods of a dataset that give a dataset."""
_SPLITS = {
    "train", "training", "test", "validation", "valid", "val", "dev", "eval", "validation_matched",
    "validation_mismatched", "unsupervised", "evaluation", "testing",
}  # fmt: skip
_CALLED = ("", ".forward", ".__call__")


def kind(value: Value, *, by_name: bool = False) -> str | None:
    """What a value is in the field.

    Args:
        value: the value; of one of several (OneOf) all must be the same, None left out.
        by_name: take a parameter that nothing else is known of for what its name says (`model`, `tokenizer`); only for
            questions that do no harm when that is wrong.

    Returns:
        "tokenizer", "config", "model", "module" (a layer of torch.nn), "processor", "trainer", "lightning_trainer",
        "training_arguments", "collator", "optimizer", "scheduler", "scaler", "dataset", "datamodule", "loader",
        "batch" (of a loader), "encoding" (what a tokenizer's call gives), "output" (what a model's call gives), "loss"
        (a module), "metric", "pipeline", "accelerator", "peft_config", "quantization_config", "generation_config", or
        None: not known, or nothing of these.
    """
    return _kind(value, DEPTH, by_name=by_name)


def alternatives(value: Value) -> tuple[Value, ...]:
    """The values that it can be: those of a OneOf, of `a if test else b` and of `a or b`, else itself."""
    if isinstance(value, OneOf):
        return value.values
    if isinstance(value, Operation) and value.operator in ("if", "or"):
        found: list[Value] = []
        for one in value.operands[1:] if value.operator == "if" else value.operands:
            found += [inner for inner in alternatives(one) if inner not in found]
        return tuple(found)
    return (value,)


def root(value: Value) -> Value:
    """The value that was loaded or made, before it was moved, wrapped or prepared; a OneOf of such where it differs.

    Follows `.to()`, `.cuda()`, `.eval()`, DataParallel, torch.compile, accelerator.prepare, get_peft_model, `.module`,
    `trainer.model` and the like; what is none of these is itself.
    """
    return _root(value, DEPTH)


def same(one: Value, other: Value) -> bool:
    """Whether two values are surely one object, or wrappers of one."""
    return root(one) == root(other)


def source_of(value: Value) -> Value | None:
    """What was given to the from_pretrained that made a value: a name or a path; None: it was not made so."""
    found = root(value)
    if not isinstance(found, Made) or found.call.method != "from_pretrained":
        if isinstance(found, Made) and found.call.function_name.rpartition(".")[2] in (
            "SentenceTransformer",
            "CrossEncoder",
        ):
            return found.call.argument(0, "model_name_or_path") or found.call.argument(None, "model_name")
        return None
    for name in (
        "pretrained_model_name_or_path",
        "model_name_or_path",
        "model_name",
        "pretrained_model_name",
        "model_id",
    ):
        given = found.call.argument(0, name)
        if given is not None:
            return given
    return None


def class_of(value: Value) -> str:
    """The last part of the name of the class that a value was made of, `AutoModelForMaskedLM`; empty: not known."""
    if isinstance(value, Made):
        call = value.call
        if isinstance(call.receiver, Class):
            return call.receiver.name
        owner = call.function_name.rpartition(".")[0] if class_kind(call.function_name) else ""
        last = call.function_name.rpartition(".")[2]
        return last if last[:1].isupper() else owner.rpartition(".")[2]
    if isinstance(value, Instance):
        return value.of.name
    return ""


def held(value: Value, name: str, call: Call | None = None) -> Value | None:
    """What the constructor of a trainer, collator or pipeline was given under a name; None: nothing that is known.

    Args:
        value: what was made.
        name: the argument's name, `model`, `tokenizer` (or `processing_class`, which means the same).
        call: the constructor's call, where the value itself does not hold it.
    """
    call = call or (value.call if isinstance(value, Made) else None)
    what = kind(value)
    if call is None or what is None:
        return None
    return given_to(call, what, name)


def _kind(value: Value, depth: int, *, by_name: bool = False) -> str | None:
    if depth <= 0:
        return None
    several = alternatives(value)
    if len(several) > 1:
        of = [one for one in several if not (isinstance(one, Constant) and one.value is None)]
        found = {_kind(one, depth - 1, by_name=by_name) for one in of}
        return found.pop() if len(found) == 1 else None
    value = several[0]
    if isinstance(value, Made):
        return _made(value.call, depth)
    if isinstance(value, Instance):
        return instance_kind(value.of)
    if isinstance(value, Part):
        return _part(value, depth, by_name=by_name)
    if isinstance(value, Unknown):
        annotated = class_kind(value.annotation) if value.annotation else None
        if annotated is None and value.annotation.endswith("nn.Module"):
            return "model"
        return annotated or (spoken_kind(value.name) if by_name else None)
    if isinstance(value, Operation) and value.operator == "iterate" and value.operands:
        return "batch" if _kind(value.operands[0], depth - 1) == "loader" else None
    if isinstance(value, External):
        return "collator" if class_kind(value.name) == "collator" else None  # a function that is itself one
    return None


def instance_kind(of: Class) -> str | None:
    """What an object of a class of the project is, by what the class is derived from."""
    for base in of.bases:
        if isinstance(base, Class):
            found = instance_kind(base)
        elif isinstance(base, External):
            last = base.name.rpartition(".")[2]
            found = class_kind(base.name)
            if found in (None, "module") and (last == "Module" or found == "module"):
                found = "loss" if of.name.endswith(("Loss", "loss", "Criterion")) else "model"
        else:
            found = None
        if found:
            return found
    return None


def _made(call: Call, depth: int) -> str | None:
    if call.known is not None:
        return _kind(call.known, depth - 1)
    name, method = call.function_name, call.method
    if isinstance(call.receiver, Class):  # a class method that the project's own class inherits
        return instance_kind(call.receiver) if method != "register" else None
    inner = wrapped(call, _near)
    if inner is not None:
        return _kind(inner, depth - 1)
    found = class_kind(name)
    if found:
        return found
    if call.receiver is None:
        return None
    of = _kind(call.receiver, depth - 1)
    if of == "model":
        if name in _CALLED:
            return "output"
        return "model" if method in SELF else None
    if of == "tokenizer" and (
        name in ("", ".__call__") or method in ("encode_plus", "batch_encode_plus", "pad", "prepare_for_model")
    ):
        return "encoding"
    if of == "processor" and name in ("", ".__call__"):
        return "encoding"
    if of == "dataset" and method in _ROWS:
        return "dataset"
    if of == "trainer" and method in ("get_train_dataloader", "get_eval_dataloader", "get_test_dataloader"):
        return "loader"
    if of in ("encoding", "batch", "module", "loss") and method in ("to", "cuda", "cpu"):
        return of
    return None


def _part(value: Part, depth: int, *, by_name: bool) -> str | None:
    inner = prepared(value, _near)
    if inner is not None:
        return _kind(inner, depth - 1)
    of = _kind(value.of, depth - 1)
    if value.name is not None:
        if value.name in HELD.get(of or "", {}):
            given = held(value.of, value.name)
            return (_kind(given, depth - 1) if given is not None else None) or held_kind(value.name)
        if of == "model":
            return model_part_kind(value.name)
        if of == "processor" and value.name == "tokenizer":
            return "tokenizer"
        return spoken_kind(value.name) if by_name and of is None else None
    if isinstance(value.index, Constant) and of == "dataset":
        return (
            "dataset"
            if value.index.value in _SPLITS
            or (isinstance(value.index.value, int) and _method(value.of) in ("random_split", "load_dataset"))
            else None
        )
    return None


def _method(value: Value) -> str:
    return value.call.method if isinstance(value, Made) else ""


def _near(value: Value) -> str | None:
    """What a value is, as far as a few steps tell."""
    return _kind(value, 6)


def _root(value: Value, depth: int) -> Value:
    if depth <= 0:
        return value
    several = alternatives(value)
    if len(several) > 1:
        found: list[Value] = []
        for one in several:
            for inner in alternatives(_root(one, depth - 1)):
                if inner not in found:
                    found.append(inner)
        return found[0] if len(found) == 1 else OneOf(tuple(found))
    value = several[0]
    if isinstance(value, Made):
        call = value.call
        inner_value: Value | None = wrapped(call, _near)
        if (
            inner_value is None
            and call.receiver is not None
            and call.function_name == f".{call.method}"
            and call.method in SELF
        ):
            of = _kind(call.receiver, 6)
            if of in ("model", "module", "loss", "encoding", "batch") or (
                of is None and call.method in ("to", "cuda", "cpu")
            ):
                inner_value = call.receiver
        if inner_value is None and call.known is not None:
            inner_value = call.known
        return _root(inner_value, depth - 1) if inner_value is not None else value
    if isinstance(value, Part):
        before = prepared(value, _near)
        if before is None and value.name is not None and value.name in HELD.get(_kind(value.of, 6) or "", {}):
            before = held(value.of, value.name)
        return _root(before, depth - 1) if before is not None else value
    return value
