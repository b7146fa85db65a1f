"""Write script/history_data/*.json: what released versions of transformers and Lightning offer, and since when.

One release of every minor (the last one of it) is fetched as a wheel from the package index; its files are parsed,
never imported. Every fact is kept as the span of minors in which it held: `4.1:4.46` is from 4.1 on and gone in 4.46.
Each release stands there with its file name and sha256. The wheels (750 MB) go to a folder that may be kept:

    python scripts/build_api_history.py [FOLDER OF WHEELS]

What it does not know: patch releases before the last of a minor; what decorators and metaclasses add at run time.
What replaces what is harvested from the warnings in the sources; what they do not say is in
history_data/replaced.json, by hand.
"""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from build_api_history_parameters import accepted, fields
from build_api_history_said import deprecations, of_function, replacement
from build_api_history_source import members, read_wheel, stand_ins, starred, tasks, top_names

OUT = Path(__file__).resolve().parent.parent / "src" / "pretune" / "script" / "history_data"

# fmt: off
TRANSFORMERS = (
    "2.0.0 2.1.1 2.2.2 2.3.0 2.4.1 2.5.1 2.6.0 2.7.0 2.8.0 2.9.1 2.10.0 2.11.0 3.0.2 3.1.0 3.2.0 3.3.1 3.4.0 "
    "3.5.1 4.0.1 4.1.1 4.2.2 4.3.3 4.4.2 4.5.1 4.6.1 4.7.0 4.8.2 4.9.2 4.10.3 4.11.3 4.12.5 4.13.0 4.14.1 4.15.0 "
    "4.16.2 4.17.0 4.18.0 4.19.4 4.20.1 4.21.3 4.22.2 4.23.1 4.24.0 4.25.1 4.26.1 4.27.4 4.28.1 4.29.2 4.30.2 "
    "4.31.0 4.32.1 4.33.3 4.34.1 4.35.2 4.36.2 4.37.2 4.38.2 4.39.3 4.40.2 4.41.2 4.42.4 4.43.4 4.44.2 4.45.2 "
    "4.46.3 4.47.1 4.48.3 4.49.0 4.50.3 4.51.3 4.52.4 4.53.3 4.54.1 4.55.4 4.56.2 4.57.6 5.0.0 5.1.0 5.2.0 5.3.0 "
    "5.4.0 5.5.4 5.6.2 5.7.0 5.8.1 5.9.0 5.10.4 5.11.0 5.12.1 5.13.1 5.14.1 5.15.1 5.16.1 5.17.0 5.18.0 5.19.0 "
    "5.20.2 5.21.1 5.22.2 5.23.0"
).split()
LIGHTNING = (
    "1.0.8 1.1.8 1.2.10 1.3.8 1.4.9 1.5.10.post0 1.6.5.post0 1.7.7 1.8.6 1.9.5 2.0.9.post0 2.1.4 2.2.5 2.3.3 "
    "2.4.0 2.5.6 2.6.6"
).split()
# fmt: on

POPULAR = (
    "albert bart bert deberta_v2 distilbert electra encoder_decoder gpt2 gpt_neox llama longformer mbart mistral qwen2 "
    "roberta t5 xlm_roberta xlnet"
).split()
"""Architectures whose modules people import from by their full path."""

SUBJECTS = {
    "transformers": (
        "Trainer Seq2SeqTrainer TrainingArguments Seq2SeqTrainingArguments PreTrainedModel PreTrainedConfig "
        "PretrainedConfig PreTrainedTokenizer PreTrainedTokenizerFast PreTrainedTokenizerBase SpecialTokensMixin "
        "BatchEncoding ProcessorMixin GenerationMixin GenerationConfig PushToHubMixin HfArgumentParser AdamW Adafactor "
        "TrainerCallback EarlyStoppingCallback DefaultFlowCallback TrainerState TrainerControl Pipeline "
        "QuestionAnsweringPipeline TextClassificationPipeline TokenClassificationPipeline FillMaskPipeline "
        "TextGenerationPipeline SummarizationPipeline FeatureExtractionPipeline ZeroShotClassificationPipeline "
        "DefaultDataCollator DataCollatorWithPadding DataCollatorForTokenClassification DataCollatorForSeq2Seq "
        "DataCollatorForLanguageModeling DataCollatorForWholeWordMask DataCollatorForPermutationLanguageModeling "
        "DataCollatorForSOP DataCollatorWithFlattening LineByLineTextDataset TextDataset SquadDataset GlueDataset "
        "AutoConfig AutoTokenizer AutoModel AutoModelForSequenceClassification AutoProcessor BitsAndBytesConfig "
        "TextStreamer EvalPrediction ModelCard"
    ).split(),
    "pytorch_lightning": (
        "Trainer LightningModule LightningDataModule Callback ModelCheckpoint EarlyStopping LearningRateMonitor "
        "ProgressBar TQDMProgressBar RichProgressBar StochasticWeightAveraging GradientAccumulationScheduler "
        "GPUStatsMonitor DeviceStatsMonitor TensorBoardLogger WandbLogger CSVLogger ModelSummary Timer LightningCLI "
        "LearningRateLogger LambdaCallback BasePredictionWriter ModelPruning QuantizationAwareTraining"
    ).split(),
}
"""Classes whose methods and parameters are recorded."""

DEEP = frozenset(
    "Trainer Seq2SeqTrainer PreTrainedModel PreTrainedConfig PretrainedConfig PreTrainedTokenizerFast "
    "PreTrainedTokenizer GenerationMixin GenerationConfig ProcessorMixin Pipeline BatchEncoding TrainerCallback "
    "AutoConfig AutoTokenizer AutoModel AutoProcessor LightningModule LightningDataModule Callback".split()
)
"""Of these the parameters of the methods are recorded too, of the others those of the constructor."""

CALLED = re.compile(r"__call__|(?!\w*(?:_search|_sample|_decoding)$)[a-z]\w*")
PRIVATE = frozenset(
    "_save _get_train_sampler _get_eval_sampler _prepare_inputs _init_weights _load_from_checkpoint".split()
)
"""Methods that are overridden all the same."""

NAMED = {
    "transformers": re.compile(
        rf"(?:trainer|training_args|tokenization_utils|optimization|configuration_utils|hf_argparser|data|generation)\w*"
        rf"|(?:modeling|tokenization|configuration)_(?:utils|outputs|{'|'.join(POPULAR)})|(?:file|pytorch|debug|cache)_utils"
        r"|utils(?:\.(?:logging|versions|hub|generic|import_utils|model_parallel_utils))?|integrations|deepspeed|activations"
        r"|data\.(?:data_collator|metrics(?:\.\w+)?|processors(?:\.\w+)?|datasets(?:\.\w+)?)|pipelines(?:\.(?:base|pt_utils))?"
        r"|generation\.(?:utils|configuration_utils|logits_process|stopping_criteria|streamers)|generation_\w+|modelcard"
        rf"|models\.(?:{'|'.join(POPULAR)})(?:\.modeling_\w+)?"
    ),
    "pytorch_lightning": re.compile(
        r"(?!accelerators|demos|serve|distributed|overrides|cluster_env|lite|strategies\.)\w+(?:\.\w+){0,2}"
    ),
}
"""Modules from which people import by name: of these every name is kept, of the others whether they are there."""

UNASKED = re.compile(
    r"(^|\.)_|dummy_|(?:^|[._])(?:tf|flax)(?:_|$)|^commands|(^|\.)convert_|connectors|^integrations\.|^testing|^(?:\w+\.){3}|_pb2"
)
"""Modules that nobody imports."""

FILES = {
    "transformers": (
        r"|[^.]+|(?:data|generation|pipelines|utils|integrations)(?:\..*)?|models\.auto(?:\..*)?|commands",
        rf"models\.(?:{'|'.join(POPULAR)})(?:\.(?:modeling|tokenization|configuration)_\w+)?",
    ),
    "pytorch_lightning": (r"(?!_graveyard).*", ""),
    "lightning": (r"|pytorch(?!\._graveyard).*", ""),
}
"""Package -> the modules that are parsed for all, and those of which only the names are kept."""


def minor(version: str) -> str:
    """4.57.6 -> 4.57."""
    return ".".join(version.split(".")[:2])


def wheel(folder: Path, name: str, version: str) -> Path:
    """The wheel of a version, fetched when the folder has none."""
    pattern = f"{name.replace('-', '_')}-{version}-*.whl"
    if not list(folder.glob(pattern)):
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:"]
        command += ["--ignore-requires-python", f"{name}=={version}", "-d", str(folder)]
        subprocess.run(command, check=True)
    return next(folder.glob(pattern))


def snapshot(path: str, package: str) -> dict[str, Any]:
    """What one release offers: flat tables of facts."""
    read = read_wheel(path, package, *FILES[package])
    if package == "lightning":
        read.trees = {m: t for m, t in read.trees.items() if m == "" or m.startswith("pytorch")}
    for old, new in stand_ins(read).items():
        read.trees[old] = read.trees[new]
        read.modules.append(old)
    found: dict[str, Any] = {
        "names": sorted(top_names(read)),
        "modules": sorted(m for m in read.modules if m and not UNASKED.search(m) and not _deep(m)),
        "members": {},
        "methods": {},
        "parameters": {},
        "said": {},
        "tasks": sorted(set(tasks(read))),
    }
    for module, tree in read.trees.items():
        if module and not UNASKED.search(module) and NAMED.get(package, NAMED["pytorch_lightning"]).fullmatch(module):
            found["members"][module] = sorted({m for m in (*members(tree), *starred(read, module)) if m[0] != "_"})
    for name in SUBJECTS["pytorch_lightning" if package == "lightning" else package]:
        methods = read.methods(name)
        if not methods:
            continue
        found["methods"][name] = sorted(m for m in methods if m[0] != "_" or m == "__call__" or m in PRIVATE)
        made = fields(read, name)
        if made is None and "__init__" in methods:
            made = accepted(read, name, methods["__init__"])
        if made:
            found["parameters"][name] = made
        for method, node in methods.items():
            if (
                name in DEEP
                and CALLED.fullmatch(method)
                and not any("property" in str(getattr(d, "id", "")) for d in node.decorator_list)
            ):
                found["parameters"][f"{name}.{method}"] = accepted(read, name, node)
        for scope, table in deprecations(read, name, methods).items():
            if scope == name or (name in DEEP and "._" not in scope):
                found["said"].setdefault(scope, {}).update(table)
    for name, node in read.functions.items():
        if name in found["names"] and not name.startswith("is_"):
            found["parameters"][name] = accepted(read, "", node)
            if table := of_function(node):
                found["said"].setdefault(name, {}).update(table)
    return found


def _deep(module: str) -> bool:
    """Whether it is a module inside an architecture that nobody imports from by path."""
    parts = module.split(".")
    return parts[0] == "models" and len(parts) > 2 and parts[1] not in POPULAR


def spans(have: Mapping[str, Iterable[Any]]) -> dict[Any, list[str]]:
    """Minor -> the facts that hold in it, turned into fact -> spans `since:until` (until: the first without it)."""
    minors = list(have)
    open_: dict[Any, str] = {}
    found: dict[Any, list[str]] = {}
    for at in minors:
        now = set(have[at])
        for fact in [f for f in open_ if f not in now]:
            found.setdefault(fact, []).append(f"{open_.pop(fact)}:{at}")
        for fact in now:
            open_.setdefault(fact, at)
    for fact, since in open_.items():
        found.setdefault(fact, []).append(f"{since}:")
    return found


def grouped(have: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Spans -> the names that held in them, as one text: `4.1:4.46` -> `AdamW TFTrainer`; several as `a:b,c:`."""
    found: dict[str, list[str]] = {}
    for name, held in spans(have).items():
        found.setdefault(",".join(held), []).append(name)
    return {span: " ".join(sorted(names)) for span, names in sorted(found.items(), key=lambda item: _order(item[0]))}


def _order(span: str) -> list[float]:
    return [
        float("inf") if not part else float(f"{part.split('.')[0]}{int(part.split('.')[1]):03}")
        for part in re.split("[:,]", span)
    ]


def parameters(seen: Mapping[str, Mapping[str, Any]], callable_: str) -> dict[str, list[list[str | None]]]:
    """Parameter -> [span, default, kind] of a callable, oldest first."""
    facts = {at: [(n, *row) for n, row in s["parameters"].get(callable_, {}).items()] for at, s in seen.items()}
    rows: dict[str, list[list[str | None]]] = {}
    for (name, default, kind), held in spans(facts).items():
        for span in held:
            rows.setdefault(name, []).append([span, default, *([kind] if kind else [])])
    return {name: sorted(found, key=lambda row: _order(row[0] or "")) for name, found in sorted(rows.items())}


def said(seen: Mapping[str, Mapping[str, Any]], scope: str) -> dict[str, list[str]]:
    """Name -> [spans in which a warning speaks of it, the last text, the name that it says to use instead]."""
    held = spans({at: s["said"].get(scope, {}) for at, s in seen.items()})
    texts = {name: text for s in seen.values() for name, text in s["said"].get(scope, {}).items()}
    return {name: [",".join(held[name]), texts[name][:200], replacement(texts[name])] for name in sorted(held)}


def snapshots(package: str, releases: list[tuple[str, Path]]) -> dict[str, dict[str, Any]]:
    """Minor -> what it offers."""
    with ProcessPoolExecutor(2) as pool:
        read = pool.map(snapshot, [str(path) for _, path in releases], [package] * len(releases))
        return {minor(version): found for (version, _), found in zip(releases, read, strict=True)}


def table(package: str, releases: list[tuple[str, Path]], seen: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The history of a package."""
    every = {
        key: sorted({k for s in seen.values() for k in s[key]}) for key in ("members", "methods", "parameters", "said")
    }
    return {
        "package": package,
        "made_by": "scripts/build_api_history.py",
        "releases": [[v, path.name, hashlib.sha256(path.read_bytes()).hexdigest()] for v, path in releases],
        "names": grouped({at: s["names"] for at, s in seen.items()}),
        "modules": grouped({at: s["modules"] for at, s in seen.items()}),
        "tasks": grouped({at: s["tasks"] for at, s in seen.items()}),
        "members": {m: grouped({at: s["members"].get(m, ()) for at, s in seen.items()}) for m in every["members"]},
        "methods": {c: grouped({at: s["methods"].get(c, ()) for at, s in seen.items()}) for c in every["methods"]},
        "parameters": {c: parameters(seen, c) for c in every["parameters"]},
        "said": {c: said(seen, c) for c in every["said"]},
    }


def written(found: Mapping[str, Any]) -> str:
    """The table as JSON, an entry a line."""
    lines = []
    for key, value in found.items():
        if isinstance(value, str):
            lines.append(f"{json.dumps(key)}: {json.dumps(value)}")
        elif isinstance(value, list):
            rows = ",\n  ".join(json.dumps(row) for row in value)
            lines.append(f"{json.dumps(key)}: [\n  {rows}\n ]")
        else:
            rows = ",\n  ".join(f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))}" for k, v in value.items())
            lines.append(f"{json.dumps(key)}: {{\n  {rows}\n }}")
    return "{\n " + ",\n ".join(lines) + "\n}\n"


def main() -> None:
    """Read every release and write the tables."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    OUT.mkdir(exist_ok=True)
    earlier: dict[str, dict[str, Any]] = {}
    for name, package, versions in (
        ("pytorch-lightning", "pytorch_lightning", LIGHTNING),
        ("lightning", "lightning", [v for v in LIGHTNING if v.startswith("2.")]),
        ("transformers", "transformers", TRANSFORMERS),
    ):
        releases = [(version, wheel(folder, name, version)) for version in versions]
        seen = snapshots(package, releases)
        found = table(package, releases, seen)
        if package == "lightning":  # one code base under two names: only what differs is kept
            for at, there in seen.items():
                same = all(there["methods"][c] == earlier[at]["methods"][c] for c in there["methods"])
                same &= all(
                    set(there["parameters"][c]) == set(earlier[at]["parameters"][c]) for c in there["parameters"]
                )
                if not same:
                    raise SystemExit(f"lightning {at} is not pytorch-lightning {at}: keep both tables")
            found = {key: found[key] for key in ("package", "made_by", "releases", "names")}
        earlier = seen
        path = OUT / f"{package}.json"
        path.write_text(written(found), encoding="utf-8")
        sizes = {key: len(json.dumps(value)) for key, value in found.items()}
        print(f"{package}: {len(versions)} releases, {path.stat().st_size} bytes", sizes)


if __name__ == "__main__":
    main()
