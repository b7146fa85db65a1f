"""Write artifacts/architectures_data/*.json: what checkpoints contain, as the installed transformers builds them.

For each model type: observe its classes on the meta device under many configs (build_architectures_samples), fold the
tensor names over layers and infer each size (build_architectures_fit), check the result on configs that were not used,
and ask a tiny random model what no shape says (build_architectures_probe). It needs torch and transformers:

    python scripts/build_architectures.py [MODEL_TYPE ...]
"""

import json
import random
import re
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import build_architectures_fit as fitting
import build_architectures_keys as keys
import build_architectures_meta as meta
import build_architectures_probe as probe
import build_architectures_samples as sampling
import transformers

OUT = Path(__file__).resolve().parent.parent / "src" / "pretune" / "artifacts" / "architectures_data"
UNSEEN = 4
"""How many configs that were not used for fitting each table is checked on."""

TYPES = """
albert arcee bart bert bert-generation big_bird bigbird_pegasus biogpt blenderbot blenderbot-small bloom camembert
canine codegen cohere cohere2 convbert data2vec-text deberta deberta-v2 distilbert electra ernie ernie4_5 eurobert
exaone4 falcon flaubert fnet fsmt funnel gemma gemma2 gemma3_text glm glm4 gpt-sw3 gpt2 gpt_bigcode gpt_neo gpt_neox
gpt_oss gptj granite granitemoe gte helium hunyuan_v1_dense hyperclovax jina_embeddings_v3
layoutlm led lilt llama longformer longt5 luke m2m_100 marian mbart megatron-bert ministral ministral3 mistral mixtral
mobilebert modernbert modernbert-decoder mpnet mpt mt5 mvp nanochat nemotron nomic_bert nystromformer olmo olmo2 olmo3
olmoe openai-gpt opt pegasus pegasus_x persimmon phi phi3 phimoe plbart qwen2 qwen2_moe qwen3 qwen3_moe rembert roberta
roberta-prelayernorm roc_bert roformer seed_oss smollm3 splinter stablelm starcoder2 t5 umt5
vaultgemma xglm xlm xlm-roberta xlm-roberta-xl xlnet xmod yoso
""".split()


def build(model_type: str) -> dict[str, Any]:
    """Everything the tables say about one model type. The same on every run."""
    config_class = transformers.CONFIG_MAPPING[model_type]
    space = sampling.space(config_class, sampling.source_of(config_class))
    classes = meta.classes(model_type)
    rng = random.Random(model_type)
    first = classes["AutoModel"] if "AutoModel" in classes else next(iter(classes.values()))
    varied, pinned = sampling.settle(space, lambda given: meta.observe(space, first, given) is not None, rng)
    configs = _configs(space, first, varied, rng)
    unseen = [_config(space, varied, rng, sampling.surprise(space, rng)) for _ in range(UNSEEN)]
    unseen.append(meta.effective(space, {}, labels=2))  # as transformers itself would make it
    derived, forced = meta.derived(space, varied, rng)
    data: dict[str, Any] = {
        "made_by": f"scripts/build_architectures.py with transformers {transformers.__version__}",
        "model_type": model_type,
        "config_class": config_class.__name__,
        "defaults": {space.stored(key): value for key, value in space.defaults.items() if meta.plain(value)},
        "extra": space.extra,
        "attribute_map": dict(config_class.attribute_map),
        "derived": derived | keys.DERIVED.get(model_type, {}),
        "forced": forced,
        "pinned": {key: value for key, value in pinned.items() if key not in derived}
        | {key: value for key, value in space.defaults.items() if meta.kept(key, value)},
        "legacy": meta.legacy_keys(config_class),
        "sub_configs": {key: meta.sub_type(spec) for key, spec in config_class.sub_configs_defaults.items()},
        "tokenizer_class": meta.tokenizer_class(model_type),
        "auto": {auto: cls.__name__ for auto, cls in classes.items()},
        "renames": meta.renames(model_type),
    }
    body, described = _classes(list(dict.fromkeys(classes.values())), configs, unseen)
    data |= {"base_prefix": first.base_model_prefix, "body": body, "classes": described}
    data |= probe.facts(space, classes, varied, described)
    data["silent"], data["free"] = meta.sort_keys(data)
    return data


def _config(space: sampling.Space, varied: frozenset[str], rng: random.Random, change: Mapping[str, Any]) -> Any:
    return meta.effective(space, sampling.draw(space, varied, rng, change), labels=rng.choice((3, 5, 7, 9, 11, 13)))


def _configs(space: sampling.Space, first: Any, varied: frozenset[str], rng: random.Random) -> list[Any]:
    """The configs to observe: plain ones, each change alone, changes in pairs.

    On top of each change that brings tensors which few others show, every other change once more.
    """
    single = [one for one in sampling.changes(space, varied) if _matters(space, first, varied, one, rng)]
    pairable = sampling.pairable(space, single)
    pairs = [one | other for at, one in enumerate(pairable) for other in pairable[at + 1 :] if set(one) != set(other)]
    changes: list[dict[str, Any]] = [{}] * 5 + single * 2 + pairs
    configs = [_config(space, varied, rng, change) for change in changes]
    patterns: list[frozenset[str]] = []
    for _, config in configs:
        sight = meta.look(first, config)
        patterns.append(
            frozenset(_ranked(name, shape) for name, shape in sight.shapes.items()) if sight else frozenset()
        )
    counts: dict[str, int] = {}
    for name in (name for seen in patterns for name in seen):
        counts[name] = counts.get(name, 0) + 1
    more: dict[frozenset[str], dict[str, Any]] = {}
    for change, seen in zip(changes, patterns, strict=True):
        few = frozenset(name for name in seen if counts[name] < 12)
        if few and len(change) <= len(more.get(few, change)):
            more[few] = change
    for change in more.values():
        configs += [_config(space, varied, rng, change) for _ in range(5)]
        others = [one for one in pairable if not set(one) & set(change)]
        configs += [_config(space, varied, rng, change | one) for one in others]
        each = list({tuple(one): one for one in others}.values())
        both = [one | other for at, one in enumerate(each) for other in each[at + 1 :]]
        configs += [_config(space, varied, rng, change | two) for two in both[:60]]
    return configs


def _matters(
    space: sampling.Space, first: Any, varied: frozenset[str], change: Mapping[str, Any], rng: random.Random
) -> bool:
    """Whether a small number makes other tensors exist; any other change is kept unasked."""
    if len(change) != 1 or not any(type(value) is int for value in change.values()):
        return True
    plain = sampling.draw(space, varied, rng, {})
    one, other = meta.observe(space, first, plain), meta.observe(space, first, plain | change)
    if one is None or other is None:
        return False
    ranks, others = ({name: len(shape) for name, shape in sight.shapes.items()} for sight in (one, other))
    return ranks != others or next(iter(change.values())) == -1


def _classes(
    classes: Sequence[Any], configs: Sequence[Any], unseen: Sequence[Any]
) -> tuple[list[list[str]], dict[str, Any]]:
    """The rows of all bodies, and for each class which of them it has, plus its own."""
    body: dict[tuple[str, ...], int] = {}
    described: dict[str, Any] = {}
    base_names: set[str] = set()
    for cls in classes:
        seen = [(values, meta.look(cls, config)) for values, config in configs]
        kept = [(values, sight) for values, sight in seen if sight is not None]
        entry: dict[str, Any] = {"inputs": meta.inputs(cls)}
        if len(kept) < len(seen) / 2:
            described[cls.__name__] = entry | {"unknown": "transformers cannot build it from a plain config"}
            continue
        prefix = next((sight.prefix for _, sight in kept), "")
        base_names |= {_pattern(name) for _, sight in kept for name in sight.shapes} if not base_names else set()
        try:
            rows = fitting.table([(values, sight.shapes) for values, sight in kept])
            trouble = _trouble(cls, rows, unseen)
            tied = _tied(kept)
        except fitting.Unfit as why:
            trouble, rows, tied = str(why), [], []
        if trouble:
            described[cls.__name__] = entry | {"unknown": trouble[:160]}
            continue
        embeddings = {_pattern(name) for _, sight in kept for name in sight.embeddings}
        own, shared = [], []
        for row in rows:
            inner = row.name.removeprefix(prefix)
            in_body = row.name != inner or _pattern(_unfold(row.name)) in base_names
            role = _role(row.name, in_body, _pattern(_unfold(row.name)) in embeddings)
            key = (inner if in_body else row.name, ",".join(row.dims), role, row.condition)
            key = key if row.condition else key[:3]
            if in_body:
                shared.append(body.setdefault(key, len(body)))
            else:
                own.append(list(key))
        sight = kept[0][1]
        entry |= {"prefix": prefix, "rows": _runs(sorted(shared)), "own": own, "word": sight.word, "out": sight.out}
        entry |= {"tied": tied, "ignore": meta.ignored(cls, kept[0][1])}
        described[cls.__name__] = entry
    return [list(key) for key in body], described


def _trouble(cls: Any, rows: Sequence[fitting.Row], unseen: Sequence[Any]) -> str:
    """What the table gets wrong on configs it has not seen; empty when nothing."""
    for values, config in unseen:
        sight = meta.look(cls, config)
        difference = fitting.verify(rows, values, sight.shapes) if sight else ""
        if difference:
            return difference
    return ""


def _tied(kept: Sequence[tuple[Mapping[str, Any], Any]]) -> list[list[str]]:
    """(target, source, condition) of each tied tensor."""
    pairs = sorted({pair for _, sight in kept for pair in sight.tied.items()})
    conditions = fitting.Conditions([values for values, _ in kept])
    out = []
    for target, source in pairs:
        condition = conditions.find([sight.tied.get(target) == source for _, sight in kept])
        if condition is None:
            raise fitting.Unfit(f"{target}: nothing says when it is tied")
        out.append([target, source, condition])
    return out


def _pattern(name: str) -> str:
    return re.sub(r"(?:(?<=\.)|^)\d+(?=\.|$)", "#", name)


def _ranked(name: str, shape: Sequence[int]) -> str:
    return f"{_pattern(name)} of {len(shape)}"


def _unfold(name: str) -> str:
    return re.sub(r"\{[^}]*\}", "0", name)


def _role(name: str, in_body: bool, embedding: bool) -> str:
    if not in_body:
        return "h"
    if re.search(r"(^|\.)pooler\.", name):
        return "p"
    return "e" if embedding else "b"


def _runs(numbers: Sequence[int]) -> list[int]:
    """[0, 1, 2, 5] as [0, 3, 5, 6]: first and end of each run."""
    out: list[int] = []
    for number in numbers:
        if out and out[-1] == number:
            out[-1] = number + 1
        else:
            out += [number, number + 1]
    return out


def write(name: str, data: Mapping[str, Any]) -> int:
    """Write one file, one entry a line so that a new transformers shows as a readable diff."""
    lines = ["{"]
    for at, (key, value) in enumerate(data.items()):
        comma = "," if at < len(data) - 1 else ""
        if key in ("body", "classes") and value:
            opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
            inner = (
                [f"{json.dumps(one)}: {_dump(two)}" for one, two in value.items()]
                if isinstance(value, dict)
                else [_dump(one) for one in value]
            )
            lines.append(f'"{key}": {opening}\n' + ",\n".join(inner) + f"\n{closing}{comma}")
        else:
            lines.append(f'"{key}": {_dump(value)}{comma}')
    text = "\n".join(lines) + "\n}\n"
    (OUT / f"{name}.json").write_text(text, encoding="utf-8")
    return len(text)


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def main(names: Sequence[str]) -> None:
    """Build the named model types, or all of them and the common file."""
    OUT.mkdir(exist_ok=True)
    if not names:
        write("common", meta.common())
    for name in names or TYPES:
        began = time.perf_counter()
        try:
            data = build(name)
        except Exception as error:  # noqa: BLE001 - one model type that cannot be built leaves the others standing
            print(f"{name}: skipped, {type(error).__name__}: {str(error)[:200]}", flush=True)
            continue
        length = write(name, data)
        lost = {cls: entry["unknown"] for cls, entry in data["classes"].items() if "unknown" in entry}
        holes = sum("?" in row[1].split(",") for row in data["body"])
        print(
            f"{name}: {length} bytes, {len(data['classes'])} classes, pinned {list(data['pinned'])}, holes {holes}, "
            f"position {data['position']}, lost {lost} ({time.perf_counter() - began:.0f} s)",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
