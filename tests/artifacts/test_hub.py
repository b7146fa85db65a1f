"""Models on the hub, against a hub on loopback that counts what it serves."""

import logging
import os
import socket
import stat
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

import small_model
from pretune.artifacts.hub import HubSource, cached, find
from pretune.artifacts.json_file import read_object
from pretune.artifacts.source import FolderSource, locate
from pretune.core.errors import UserError
from stand_in_hub import StandInHub

NAME = "klue/bert-base"


@pytest.fixture
def model(make_model, hub: StandInHub) -> Path:
    """A small model, on the hub as klue/bert-base."""
    folder = make_model("bert", files={"1_Pooling/config.json": {"a": 1}, "deep/er/x.json": {}})
    hub.add(NAME, folder, branches=("v1",))
    return folder


@pytest.fixture
def offline(monkeypatch):
    """Switches the hub off for this process, as HF_HUB_OFFLINE=1 does."""
    from huggingface_hub import constants

    return lambda: monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


def _download(name: str, *, local: bool = False) -> str:
    """Fetch a file of main as anybody's program does."""
    from huggingface_hub import constants, hf_hub_download

    return hf_hub_download(
        NAME, name, endpoint=constants.ENDPOINT, cache_dir=constants.HF_HUB_CACHE, local_files_only=local
    )


def test_small_files_are_the_folders_files(hub, model):
    """Names, sizes and contents of a hub model are those of the folder that the hub serves."""
    source = locate(NAME)
    assert isinstance(source, HubSource)
    assert source.names() == FolderSource("x", model).names()
    assert source.has("1_Pooling/config.json")
    for name in ("config.json", "vocab.txt", "1_Pooling/config.json"):
        assert source.read(name) == (model / name).read_bytes()
        assert source.size(name) == (model / name).stat().st_size
    assert source.at("config.json", "/vocab_size") == "klue/bert-base/config.json:/vocab_size"
    assert source.remarks == ()
    assert source.complete


def test_a_file_is_fetched_once(hub, model):
    """A second reading, also by a new source, comes from the cache."""
    locate(NAME).read("vocab.txt")
    source = locate(NAME)
    assert source.path("vocab.txt").read_bytes() == source.read("vocab.txt")
    assert hub.served[f"{NAME}/vocab.txt"] == (model / "vocab.txt").stat().st_size
    assert source.path("config.json") is None


def test_weights_are_read_in_ranges(hub, model):
    """A header, a range inside, one over the end and one behind the end are what the file has there."""
    source = locate(NAME)
    whole = (model / "model.safetensors").read_bytes()
    for offset, length in ((0, 8), (8, 300), (5, 0), (len(whole) - 5, 50), (len(whole), 1), (len(whole) + 9, 1)):
        assert source.read_at("model.safetensors", offset, length) == whole[offset : offset + length]
    assert source.path("model.safetensors") is None


def test_reading_a_model_serves_under_one_percent_of_its_weights(hub, tmp_path):
    """Config, tokenizer and the safetensors header of a 60 MB model cost less than 1 % of its weight bytes."""
    folder = small_model.write_model(
        tmp_path / "big", "bert", sizes={"hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 4}
    )
    total = (folder / "model.safetensors").stat().st_size
    hub.add("org/big", folder)
    source = locate("org/big")
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
        source.read(name)
    (length,) = struct.unpack("<Q", source.read_at("model.safetensors", 0, 8))
    header = source.read_at("model.safetensors", 8, length)
    assert b"word_embeddings" in header
    assert total > 50_000_000
    assert hub.answered < total / 100
    assert sum("/storage/" in line for line in hub.asked) == 1


def test_the_real_minilm_serves_under_one_percent(hub, minilm):
    """Every file that a check may want of MiniLM, its header included, is under 1 % of its 91 MB."""
    hub.add("sentence-transformers/all-MiniLM-L6-v2", minilm)
    source = locate("sentence-transformers/all-MiniLM-L6-v2")
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
        source.read(name)
    (length,) = struct.unpack("<Q", source.read_at("model.safetensors", 0, 8))
    source.read_at("model.safetensors", 8, length)
    assert hub.answered < source.size("model.safetensors") / 100


def test_a_server_without_ranges_does_not_make_us_read_everything(hub, tmp_path):
    """When the storage answers 200 with the whole file, reading stops after the bytes that are needed."""
    small_model.write_safetensors(tmp_path / "model.safetensors", {"a": (5_000_000,)})
    hub.add("org/whole", tmp_path)
    hub.ignores_ranges = True
    source = locate("org/whole")
    assert source.read_at("model.safetensors", 0, 8) == (tmp_path / "model.safetensors").read_bytes()[:8]
    assert hub.served["org/whole/model.safetensors"] < 2_000_000
    with pytest.raises(UserError, match="sends whole files only") as error:
        source.read_at("model.safetensors", 10_000_000, 10)
    assert "hf download" in error.value.hint
    assert hub.served["org/whole/model.safetensors"] < 4_000_000


def test_weights_never_come_whole(hub, model):
    """Weights longer than the limit are refused from their listing, without a request."""
    source = locate(NAME)
    before = len(hub.asked)
    with pytest.raises(UserError, match=r"more than the 1,000 that are read"):
        source.read("model.safetensors", limit=1000)
    assert len(hub.asked) == before


def test_the_token_stays_with_the_hub(hub, model, monkeypatch):
    """The storage host that weights are redirected to never sees the token."""
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    locate(NAME).read_at("model.safetensors", 0, 8)
    assert any("hf_secret" in token for path, token in hub.tokens.items() if "/resolve/" in path)
    assert not any(token for path, token in hub.tokens.items() if path.startswith("/storage/"))


def test_offline_and_cached(hub, model, offline):
    """Offline, what was read before is read from the cache, with a remark; what was not is said to be missing there."""
    locate(NAME).read("config.json")
    offline()
    source = locate(NAME)
    assert read_object(source, "config.json")["model_type"] == "bert"
    assert not source.complete
    assert "hub's cache" in source.remarks[0]
    with pytest.raises(UserError, match=r"has, in the hub's cache, no vocab.txt"):
        source.read("vocab.txt")


def test_offline_and_empty_is_one_sentence(hub, offline):
    """Offline with an empty cache: what was looked for, where, and three ways out; no request is made."""
    offline()
    with pytest.raises(UserError) as error:
        locate(NAME)
    assert error.value.message == (
        "klue/bert-base is neither a folder here nor in the hub's cache, and HF_HUB_OFFLINE forbids to ask the hub"
    )
    assert (
        error.value.hint
        == "unset HF_HUB_OFFLINE, or run `hf download klue/bert-base` where there is a network, or give a folder"
    )
    assert hub.asked == []


def test_a_dead_hub_falls_back_to_the_cache(hub, model, monkeypatch):
    """Without a connection the cache answers, and the remark says why; without a cache it is one line."""
    from huggingface_hub import constants

    locate(NAME).read("config.json")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{taken.getsockname()[1]}")
        source = locate(NAME)
        assert "there is no connection to http://127.0.0.1:" in source.remarks[0]
        assert read_object(source, "config.json")
        with pytest.raises(UserError, match="other/model: there is no connection to http"):
            locate("other/model")


def test_the_present_commit_is_preferred(hub, model, make_model):
    """Online, a new commit on the hub is read although the cache holds an older one."""
    locate(NAME).read("config.json")
    hub.add(NAME, make_model("bert", name="new", config={"vocab_size": 7}))
    assert read_object(locate(NAME), "config.json")["vocab_size"] == 7


def test_a_check_moves_no_branch_of_the_cache(hub, model, make_model, offline):
    """What `main` means in the cache, which offline training relies on, is not changed by looking at a newer commit."""
    _download("config.json")
    hub.add(NAME, make_model("bert", name="new", config={"vocab_size": 7}))
    locate(NAME).read("config.json")
    offline()
    assert Path(_download("config.json", local=True)).read_bytes() == (model / "config.json").read_bytes()
    assert read_object(locate(NAME), "config.json")["vocab_size"] != 7


def test_revisions(hub, model):
    """A branch and a commit can be named, by keyword or after @; an unknown one is one line."""
    commit = hub.repositories[NAME].commit
    for source in (locate(f"{NAME}@v1"), locate(NAME, revision="v1"), locate(f"{NAME}@{commit}")):
        assert source.read("config.json") == (model / "config.json").read_bytes()
    with pytest.raises(UserError, match="klue/bert-base@v9 has no such branch, tag or commit"):
        locate(f"{NAME}@v9")


def test_an_old_name_is_followed(hub, model):
    """A renamed model (`bert-base-uncased`) is found by its old name, its weights too."""
    hub.aliases["bert-base"] = NAME
    source = locate("bert-base")
    assert source.read("config.json") == (model / "config.json").read_bytes()
    assert len(source.read_at("model.safetensors", 0, 8)) == 8


def test_a_gated_model(hub, make_model):
    """The listing of a gated model is public; its first file is refused in one line that names the page."""
    hub.add("meta/llama", make_model("bert"), gated=True)
    source = locate("meta/llama")
    for read in (lambda: source.read("config.json"), lambda: source.read_at("model.safetensors", 0, 8)):
        with pytest.raises(UserError, match="is gated") as error:
            read()
        assert "/meta/llama, then `hf auth login`" in error.value.hint


@pytest.mark.parametrize("token", ["", "hf_x"])
def test_an_unknown_model(hub, monkeypatch, token):
    """What the hub does not know, it answers 401 to strangers and 404 to the logged in: the same line."""
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(
        UserError, match="nobody/nothing is neither a folder here nor a model that the hub shows to you"
    ):
        locate("nobody/nothing")


def test_an_unknown_model_with_a_folder_nearby(hub, tmp_path, monkeypatch):
    """A hub name that is a slip of an existing folder's name gets that folder as its hint."""
    (tmp_path / "out" / "checkpoint-500").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as error:
        locate("out/checkpoint-50")
    assert error.value.hint == 'did you mean "out/checkpoint-500"?'


def test_a_dataset(hub, tmp_path):
    """A dataset's name given as a model is told apart from an unknown model."""
    (tmp_path / "README.md").write_text("x")
    hub.add("squad_kor_v1", tmp_path, kind="datasets")
    with pytest.raises(UserError, match="squad_kor_v1 is a dataset on the hub, not a model"):
        locate("squad_kor_v1")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (429, "the hub answers 429, too many requests"),
        (500, "the hub answers 500"),
        (503, "the hub answers 503"),
        (403, "is gated"),
        ("html", "is not a model hub"),
    ],
)
def test_faults_of_the_hub(hub, fault, words):
    """Each way in which the hub can fail is one line without a line break."""
    hub.fault = fault
    with pytest.raises(UserError, match=words) as error:
        locate(NAME)
    assert "\n" not in error.value.message + error.value.hint


@pytest.mark.parametrize(("fault", "words"), [(429, "429, too many"), (500, "the hub answers 500")])
def test_faults_between_listing_and_file(hub, model, fault, words):
    """A hub that fails after its listing is told at once, not after the minutes of retries that a download would make."""
    source = locate(NAME)
    hub.fault = fault
    begun = time.perf_counter()
    with pytest.raises(UserError, match=words):
        source.read("config.json")
    assert time.perf_counter() - begun < 1


def test_a_hub_that_is_too_slow(hub, monkeypatch):
    """A hub that does not answer in time is one line, after the time that huggingface_hub allows."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", 0.1)
    hub.fault, hub.pause = "slow", 0.5
    with pytest.raises(UserError, match="the hub does not answer in time"):
        locate(NAME)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (429, "429, too many"),
        (500, "the hub answers 500"),
        (403, "gated"),
        ("slow", "in time"),
        ("html", "broke off|server"),
    ],
)
def test_faults_of_the_storage(hub, model, monkeypatch, fault, words):
    """The host that weights lie on can fail in the same ways, each one line."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.2)
    source = locate(NAME)
    hub.storage_fault, hub.pause = fault, 0.6
    with pytest.raises(UserError, match=words):
        source.read_at("model.safetensors", 4000, 5000)


def test_cached_never_asks(hub, model):
    """`cached` answers from the cache alone, with None for what it has not, odd names included."""
    assert cached(NAME) is None
    locate(NAME).read("config.json")
    before = len(hub.asked)
    assert read_object(cached(NAME), "config.json")["model_type"] == "bert"
    for odd in ("", "a b", "../x", "a/b/c", "/etc", "x@../../y", "한국어/모델", "a\0b", "./bert", "@", "a@"):
        assert cached(odd) is None
    assert len(hub.asked) == before


def test_a_cache_that_cannot_be_written(hub, model, monkeypatch):
    """Where the cache cannot be written, files are read without it."""
    monkeypatch.setattr("pretune.artifacts.hub._writable", lambda folder: False)
    source = locate(NAME)
    assert source.read("config.json") == (model / "config.json").read_bytes()
    assert source.path("config.json") is None


def test_a_cache_that_is_a_file(hub, model, tmp_path, monkeypatch):
    """A cache folder that is a file is no reason to fail."""
    from huggingface_hub import constants

    (tmp_path / "taken").write_text("x")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "taken"))
    assert locate(NAME).read("config.json") == (model / "config.json").read_bytes()


def test_downloaded_weights_are_read_where_they_lie(hub, model):
    """Weights that are in the cache already cost no request."""
    _download("model.safetensors")
    source = locate(NAME)
    before = hub.answered
    assert source.read_at("model.safetensors", 0, 8) == (model / "model.safetensors").read_bytes()[:8]
    assert hub.answered == before


def test_missing_file(hub, model):
    """A file the repository has not is one line, with the sub-folder that has one as the way out."""
    (model / "deep" / "only.json").write_text("{}")
    source = locate(NAME)
    with pytest.raises(UserError, match=r"klue/bert-base has no only.json on the hub") as error:
        source.read("only.json")
    assert error.value.hint == "its sub-folder deep has one"
    assert not source.has("only.json")


def test_nothing_is_printed(hub, model, capfd):
    """Neither progress bars nor warnings of huggingface_hub reach the terminal, and its settings are put back."""
    from huggingface_hub.utils import are_progress_bars_disabled

    before = are_progress_bars_disabled(), logging.getLogger("huggingface_hub").level
    source = locate(NAME)
    source.read("tokenizer.json")
    source.read_at("model.safetensors", 0, 8)
    assert capfd.readouterr() == ("", "")
    assert before == (are_progress_bars_disabled(), logging.getLogger("huggingface_hub").level)


def test_a_fresh_process_with_the_environment_alone(hub, model):
    """HF_ENDPOINT and HF_HOME are honoured as huggingface_hub honours them; a folder never makes it be imported."""
    code = (
        "import sys; from pretune.artifacts.source import locate\n"
        f"locate({str(model)!r}).read('config.json')\n"
        "assert not [name for name in sys.modules if name.startswith(('huggingface_hub', 'httpx', 'torch'))]\n"
        f"print(len(locate({NAME!r}).read('config.json')))"
    )
    root = Path(__file__).parents[2] / "src"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert int(done.stdout) == (model / "config.json").stat().st_size
    assert (Path(os.environ["HF_HOME"]) / "hub" / "models--klue--bert-base").is_dir()


def test_invalid_names(hub):
    """Names that neither a folder nor the hub can have are one line and no request."""
    for odd in ("a b", "한국어", "a/b/c", "a--b..c/d e"):
        with pytest.raises(UserError, match="there is no folder"):
            locate(odd)
    with pytest.raises(UserError, match=r"nor a name the hub allows"):
        find("a--b/c")
    assert hub.asked == []


def test_a_cache_from_elsewhere(hub, model, offline, tmp_path):
    """The folder `models--org--name` of a cache can be given as a model; its files are those of main."""
    from huggingface_hub import constants

    _download("config.json")
    source = locate(str(Path(constants.HF_HUB_CACHE) / "models--klue--bert-base"))
    assert read_object(source, "config.json")
    assert not source.complete
    assert stat.S_ISREG(source.path("config.json").stat().st_mode)
