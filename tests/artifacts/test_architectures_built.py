"""The architecture tables against the installed transformers: every stored class, on torch's meta device."""

import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from pretune.artifacts.architectures import find, model_types

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"
DATA = ROOT / "src" / "pretune" / "artifacts" / "architectures_data"
QUICK = (
    "bert",
    "roberta",
    "electra",
    "distilbert",
    "albert",
    "deberta-v2",
    "modernbert",
    "gpt2",
    "llama",
    "qwen2",
    "t5",
    "bart",
)
"""What the default run looks at; the others are left to the slow one."""


def tools() -> tuple[Any, Any, Any]:
    """The build script and its parts, and transformers; skips where they cannot be had."""
    transformers = pytest.importorskip("transformers", reason="the tables are compared with the installed transformers")
    pytest.importorskip("torch", reason="the tables are compared with models on torch's meta device")
    if not SCRIPTS.is_dir():
        pytest.skip("scripts/ is not part of this installation")
    sys.path.insert(0, str(SCRIPTS))
    try:
        import build_architectures
        import build_architectures_meta
        import build_architectures_samples
    finally:
        sys.path.remove(str(SCRIPTS))
    if transformers.__version__ != json.loads((DATA / "common.json").read_text(encoding="utf-8"))["transformers"]:
        pytest.skip(f"the tables were built with another transformers than {transformers.__version__}")
    return build_architectures, build_architectures_meta, build_architectures_samples


def compare(model_type: str, *, rounds: int, seed: int) -> int:
    """Compare every stored class with the real one, on the default config and on configs drawn now; counts comparisons."""
    _, meta, sampling = tools()
    known = find(model_type)
    assert known is not None
    import transformers

    config_class = transformers.CONFIG_MAPPING[model_type]
    space = sampling.space(config_class, sampling.source_of(config_class))
    rng, made = random.Random(f"{model_type}{seed}"), 0
    varied = frozenset(space.numbers) - set(known._data["pinned"])
    for at in range(rounds):
        change = sampling.surprise(space, rng)
        drawn = sampling.draw(space, varied - set(space.maybe) if at % 2 else varied, rng, change) if at else {}
        given = drawn | {"id2label": {"0": "a", "1": "b"}}
        for cls in dict.fromkeys(meta.classes(model_type).values()):
            if "unknown" in known._data["classes"][cls.__name__]:
                continue
            sight = meta.look(
                cls, meta.effective(space, {k: v for k, v in given.items() if k != "id2label"}, labels=2)[1]
            )
            if sight is None:
                continue
            expected = known.tensors(given, cls.__name__)
            assert {name: len(one.shape) for name, one in expected.items()} == {
                n: len(s) for n, s in sight.shapes.items()
            }
            for name, one in expected.items():
                same = all(a in (None, b) for a, b in zip(one.shape, sight.shapes[name], strict=True))
                assert same, f"{cls.__name__} {name}: {one.shape}, really {sight.shapes[name]} with {given}"
            assert {name: one.tied_to for name, one in expected.items() if one.tied_to} == sight.tied, cls.__name__
            made += 1
    return made


@pytest.mark.parametrize("model_type", QUICK)
def test_fresh_configs_give_what_transformers_builds(model_type):
    """Names, shapes and ties of every stored class, on the default config and on some not used in building."""
    assert compare(model_type, rounds=3, seed=7) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("model_type", sorted(model_types()))
def test_the_complete_sweep(model_type):
    """The same for every type."""
    compare(model_type, rounds=6, seed=11)


@pytest.mark.parametrize("model_type", ["olmo2", "biogpt"])
def test_the_committed_data_is_what_the_script_builds(model_type, tmp_path, monkeypatch):
    """A changed script or transformers shows as a difference here."""
    build, _, _ = tools()
    monkeypatch.setattr(build, "OUT", tmp_path)
    build.write(model_type, build.build(model_type))
    assert (tmp_path / f"{model_type}.json").read_text(encoding="utf-8") == (DATA / f"{model_type}.json").read_text(
        encoding="utf-8"
    )
