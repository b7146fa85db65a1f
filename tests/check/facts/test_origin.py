"""What a model was itself loaded from."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ask_facts import facts

MakeModel = Callable[..., Path]


def test_the_origin_is_found_on_this_machine(make_model: MakeModel) -> None:
    """A folder named by _name_or_path, with another config, is the origin; its weights may still be the same."""
    origin = make_model(name="origin")
    model = facts(make_model(name="tuned", config={"_name_or_path": str(origin), "hidden_act": "relu"})).model
    assert model.origin is not None
    assert model.origin.get("hidden_act") == "gelu"
    assert model.origin_weights is True
    bare = facts(make_model(name="bare", config={"_name_or_path": str(origin)}, weights=False)).model
    assert bare.origin_weights is None


@pytest.mark.parametrize("name", ["", "nobody/nothing", "../..", "a\0b", "~nobody", ".", "x" * 5000, 7])
def test_an_origin_that_leads_nowhere_is_none(make_model: MakeModel, name: object) -> None:
    """Odd names ask no network and raise nothing."""
    assert facts(make_model(config={"_name_or_path": name})).model.origin is None


def test_a_folder_is_not_its_own_origin(make_model: MakeModel, tmp_path: Path) -> None:
    """save_pretrained into the folder it was loaded from leaves such a name."""
    assert facts(make_model(config={"_name_or_path": str(tmp_path / "model")})).model.origin is None


def test_the_hubs_cache_is_looked_into(make_model: MakeModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub name is found in the cache, without the network."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    snapshot = tmp_path / "hub" / "models--org--base" / "snapshots" / ("a" * 40)
    (snapshot.parent.parent / "refs").mkdir(parents=True)
    (snapshot.parent.parent / "refs" / "main").write_text("a" * 40)
    make_model(name=snapshot)
    model = facts(make_model(name="tuned", config={"_name_or_path": "org/base", "hidden_act": "relu"})).model
    assert model.origin is not None
    assert model.origin.source.label == "org/base"
