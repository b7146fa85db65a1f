"""Write check/facts/training_arguments.json: the training arguments of released transformers versions, side by side.

The sources inside the wheels are parsed, never imported, so one machine can describe thirty versions. What the
syntax tree cannot tell (what replaces an argument that is gone, which values work although the annotation says
otherwise) is written by hand below. Run it with pip at hand; the wheels (300 MB) go to a folder that may be kept:

    python scripts/build_training_arguments.py [FOLDER OF WHEELS]

What it does not know: arguments that a subclass in somebody's own script adds; defaults that are computed.
"""

import ast
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parent.parent / "src" / "pretune" / "check" / "facts" / "training_arguments.json"

# Every minor between which something changed is here, so that "gone since" is exact from 4.45 on.
TRANSFORMERS = (
    "4.30.2 4.36.2 4.40.2 4.41.2 4.45.2 4.46.3 4.47.1 4.48.3 4.49.0 4.50.3 4.51.3 4.52.4 4.53.3 4.54.1 4.55.4 4.56.2 "
    "4.57.6 5.0.0 5.1.0 5.2.0 5.5.4 5.8.1 5.10.4 5.12.1 5.13.1 5.14.1 5.15.1 5.18.0 5.20.2 5.22.2 5.23.0"
).split()
SUBCLASSES = {"trl": "1.16.0", "sentence-transformers": "6.2.0"}

# From the deprecation texts in training_args.py of 4.57 and 5.0, and the 5.0 migration guide.
REPLACED: dict[str, tuple[str | None, str]] = {
    "evaluation_strategy": ("eval_strategy", "the name is now eval_strategy"),
    "warmup_ratio": ("warmup_steps", "warmup_steps takes a ratio too: a number below 1 is a share of all steps"),
    "no_cuda": ("use_cpu", "the name is now use_cpu"),
    "group_by_length": ("train_sampling_strategy", 'write train_sampling_strategy="group_by_length"'),
    "logging_dir": (None, "set the environment variable TENSORBOARD_LOGGING_DIR instead"),
    "save_safetensors": (None, "leave it out: checkpoints are always safetensors now"),
    "overwrite_output_dir": (None, "leave it out: Trainer itself never read it, only the example scripts did"),
    "per_gpu_train_batch_size": ("per_device_train_batch_size", "the name is now per_device_train_batch_size"),
    "per_gpu_eval_batch_size": ("per_device_eval_batch_size", "the name is now per_device_eval_batch_size"),
    "adafactor": ("optim", 'write optim="adafactor"'),
    "include_inputs_for_metrics": ("include_for_metrics", 'write include_for_metrics=["inputs"]'),
    "include_tokens_per_second": ("include_num_input_tokens_seen", "write include_num_input_tokens_seen=true"),
    "push_to_hub_token": ("hub_token", "the name is now hub_token"),
    "push_to_hub_model_id": ("hub_model_id", "the name is now hub_model_id"),
    "push_to_hub_organization": ("hub_model_id", 'write hub_model_id="organization/name"'),
    "torchdynamo": ("torch_compile_backend", "the name is now torch_compile_backend"),
    "fp16_backend": (None, "leave it out: torch's own mixed precision is the only backend"),
    "half_precision_backend": (None, "leave it out: torch's own mixed precision is the only backend"),
    "fp16_opt_level": (None, "leave it out: it belonged to apex, which is no longer supported"),
    "use_mps_device": (None, "leave it out: an Apple GPU is used when there is one"),
    "xpu_backend": ("ddp_backend", "the name is now ddp_backend"),
    "sharded_ddp": ("fsdp", "fairscale is gone; fsdp does its work"),
    "dispatch_batches": ("accelerator_config", 'write accelerator_config={"dispatch_batches": ...}'),
    "split_batches": ("accelerator_config", 'write accelerator_config={"split_batches": ...}'),
    "fsdp_min_num_params": ("fsdp_config", 'write fsdp_config={"min_num_params": ...}'),
    "fsdp_transformer_layer_cls_to_wrap": ("fsdp_config", 'write fsdp_config={"transformer_layer_cls_to_wrap": [...]}'),
    "tpu_metrics_debug": ("debug", 'write debug="tpu_metrics_debug"'),
    "jit_mode_eval": (None, "leave it out: there is no successor; torch_compile is the nearest"),
    "use_ipex": (None, "leave it out: what it did is part of torch now"),
    "past_index": (None, "leave it out: there is no successor"),
    "use_legacy_prediction_loop": (None, "leave it out: there is one evaluation loop only"),
    "tpu_num_cores": (None, "leave it out: the launcher says how many cores there are"),
    "mp_parameters": (None, "leave it out: the SageMaker launcher gives it"),
    "ray_scope": (None, "give scope to trainer.hyperparameter_search instead"),
    "tp_size": ("parallelism_config", "tensor parallelism is said in parallelism_config"),
}

# Values that work although the annotation does not name their type; read in training_args.py and trainer.py of 5.23:
# a bare --fsdp is True, train(resume_from_checkpoint=True) is what the example scripts hand on, debug=None becomes [],
# and include_for_metrics is only asked with `in`.
ALSO: dict[str, list[str]] = {
    "fsdp": ["bool", "list"],
    "report_to": ["list"],
    "resume_from_checkpoint": ["bool"],
    "debug": ["null", "list"],
    "include_for_metrics": ["str"],
    "generation_config": ["dict"],
    "output_dir": ["null"],
    "run_name": ["null"],
    "tf32": ["null"],
}

WORDS = {"int", "float", "bool", "str", "dict", "list", "Dict", "List", "None", "Any", "Path"}
LISTED = ("IntervalStrategy", "SaveStrategy", "SchedulerType", "OptimizerNames", "HubStrategy")


def wheels(folder: Path) -> Iterator[tuple[str, Path]]:
    """The wheel of each version, fetched when the folder has none."""
    for name, version in [*(("transformers", v) for v in TRANSFORMERS), *SUBCLASSES.items()]:
        stem = f"{name.replace('-', '_')}-{version}-"
        if not list(folder.glob(stem + "*.whl")):
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:"]
            subprocess.run([*command, f"{name}=={version}", "-d", str(folder)], check=True)
        yield f"{name} {version}", next(folder.glob(stem + "*.whl"))


def class_named(tree: ast.Module, name: str) -> ast.ClassDef | None:
    """The top-level class of that name."""
    return next((node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name), None)


def types(annotation: ast.expr) -> tuple[list[str], str | None]:
    """The plain type words of an annotation, and the enum that lists the values."""
    names = {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}
    words = {name.lower() if name in ("Dict", "List") else name for name in names & WORDS}
    text = ast.unparse(annotation)
    if "Optional" in names or "None" in text:
        words = (words - {"None"}) | {"null"}
    if "Literal[False]" in text:
        words.add("bool")
    if re.search(r"\b(list|List)\[", text) and "str" in words and not re.search(r"(?<!\[)\bstr\b", text):
        words.discard("str")  # list[str] is a list, not a str
    if re.search(r"\b(dict|Dict)\[", text):
        words -= {"bool", "Any"}
        words -= set() if re.search(r"\|\s*str|,\s*str\]\]$|, str\]$", text) else {"str"}
    if "Config" in text.replace("_Config", ""):
        words.add("object")
    enum = next((name for name in LISTED if name in names), None)
    return sorted(words), enum


def field_of(name: str, node: ast.AnnAssign, default_optim: str) -> dict[str, Any]:
    """One argument: its types, default and values."""
    words, enum = types(node.annotation)
    row: dict[str, Any] = {"types": sorted({*words, *ALSO.get(name, [])})}
    if enum:
        row["enum"] = enum
    keywords = {k.arg: k.value for k in node.value.keywords} if isinstance(node.value, ast.Call) else {}
    if "default_factory" in keywords:
        row["default"] = [] if ast.unparse(keywords["default_factory"]) == "list" else {}
    elif "default" in keywords:
        text = ast.unparse(keywords["default"])
        row["default"] = default_optim if text == "default_optim" else _literal(keywords["default"])
    else:
        row["required"] = True
    if name == "report_to" and row.get("default") == "none":
        row["types"].remove("null")  # since 5.0 None becomes [None], which Trainer refuses
    metadata = keywords.get("metadata")
    if isinstance(metadata, ast.Dict):
        for key, value in zip(metadata.keys, metadata.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "choices" and isinstance(value, ast.List):
                row["allowed"] = _literal(value)
    return row


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def fields(tree: ast.Module, name: str) -> dict[str, dict[str, Any]]:
    """The dataclass fields that the class itself adds."""
    found = class_named(tree, name)
    if found is None:
        return {}
    optim = "adamw_torch"
    for node in found.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "default_optim":
            optim = _literal(node.value) or optim
            break
    return {
        node.target.id: field_of(node.target.id, node, optim)
        for node in found.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and not node.target.id.startswith("_")
    }


def enum_values(tree: ast.Module, name: str) -> list[str]:
    """The values of an enum, in order."""
    found = class_named(tree, name)
    body = found.body if found else []
    return [str(n.value.value) for n in body if isinstance(n, ast.Assign) and isinstance(n.value, ast.Constant)]


def schedules(tree: ast.Module) -> dict[str, Any]:
    """What lr_scheduler_kwargs may and must hold, by the member of SchedulerType; None where it takes anything."""
    told = {"optimizer", "num_warmup_steps", "num_training_steps"}
    found: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("get_") and "schedule" in node.name:
            names = [a.arg for a in node.args.args]
            must = names[: len(names) - len(node.args.defaults)]
            takes = None if node.args.kwarg else [n for n in names if n not in told]
            found[node.name] = {"takes": takes, "needs": [n for n in must if n not in told]}
    table = next(n for n in tree.body if isinstance(n, ast.Assign) and "TYPE_TO_SCHEDULER" in ast.unparse(n.targets[0]))
    assert isinstance(table.value, ast.Dict)
    rows = {}
    for key, value in zip(table.value.keys, table.value.values, strict=True):
        rows[ast.unparse(key).partition(".")[2] if key else ""] = found.get(ast.unparse(value))
    return rows


def spans(seen: Mapping[str, Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Version -> name -> row, turned into name -> the rows with the versions from and to which each held."""
    rows: dict[str, list[dict[str, Any]]] = {}
    versions = list(seen)
    for before, version in zip([None, *versions], versions, strict=False):
        for name, row in seen[version].items():
            last = rows.setdefault(name, [])
            same = last and last[-1]["to"] == before and {k: v for k, v in last[-1].items() if k not in ("from", "to")}
            if last and same == row:
                last[-1]["to"] = version
            else:
                last.append({"from": version, "to": version, **row})
    return rows


def main() -> None:
    """Parse every wheel and write the table."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    arguments: dict[str, dict[str, Any]] = {}
    trainer: dict[str, dict[str, Any]] = {}
    enums: dict[str, dict[str, Any]] = {name: {} for name in LISTED}
    subclasses: dict[str, list[str]] = {}
    schedule: dict[str, Any] = {}
    for label, wheel in wheels(folder):
        name, version = label.split(" ")
        archive = zipfile.ZipFile(wheel)
        if name != "transformers":
            files = [
                f for f in archive.namelist() if re.search(r"(trainer/(?!model_)\w+_config|training_args)\.py$", f)
            ]
            trees = [ast.parse(archive.read(f)) for f in files]
            classes = [n for tree in trees for n in tree.body if isinstance(n, ast.ClassDef)]
            subclasses[label] = sorted({key for c in classes for key in fields(ast.Module([c], []), c.name)})
            continue
        source = {
            f: ast.parse(archive.read(f"transformers/{f}.py")) for f in ("training_args", "trainer_utils", "trainer")
        }
        seq2seq = ast.parse(archive.read("transformers/training_args_seq2seq.py"))
        arguments[version] = fields(source["training_args"], "TrainingArguments") | {
            key: {**row, "seq2seq": True} for key, row in fields(seq2seq, "Seq2SeqTrainingArguments").items()
        }
        for enum in LISTED:
            values = enum_values(source["training_args"], enum) or enum_values(source["trainer_utils"], enum)
            enums[enum][version] = {value: {} for value in values}
        cls = class_named(source["trainer"], "Trainer")
        init = next(n for n in cls.body if isinstance(n, ast.FunctionDef) and n.name == "__init__") if cls else None
        trainer[version] = {a.arg: {} for a in init.args.args if a.arg != "self"} if init else {}
        names = {m.targets[0].id: m.value.value for m in _members(source["trainer_utils"], "SchedulerType")}
        optimisation = schedules(ast.parse(archive.read("transformers/optimization.py")))
        schedule = {names[key]: row for key, row in optimisation.items() if key in names}
    table = {
        "made_by": "scripts/build_training_arguments.py",
        "source": "the wheels of these versions on PyPI, parsed",
        "versions": list(arguments),
        "replaced": {name: {"by": new, "how": how} for name, (new, how) in REPLACED.items()},
        "schedules": schedule,
        "subclasses": subclasses,
        "trainer": {name: [rows[0]["from"], rows[-1]["to"]] for name, rows in spans(trainer).items()},
        "enums": {e: {v: [r[0]["from"], r[-1]["to"]] for v, r in spans(seen).items()} for e, seen in enums.items()},
        "arguments": spans(arguments),
    }
    text = json.dumps(table, ensure_ascii=False, indent=None, separators=(",", ":"))
    text = re.sub(r'(?<=[\]}],)(?="[\w.-]+":\[\{"from")', "\n  ", text)  # one argument a line
    OUT.write_text(
        re.sub(r',(?="(versions|replaced|schedules|subclasses|trainer|enums|arguments)":)', ",\n ", text) + "\n"
    )
    print(f"{len(table['arguments'])} arguments of {len(arguments)} versions, {OUT.stat().st_size} bytes")


def _members(tree: ast.Module, name: str) -> list[Any]:
    found = class_named(tree, name)
    return [n for n in found.body if isinstance(n, ast.Assign)] if found else []


if __name__ == "__main__":
    main()
