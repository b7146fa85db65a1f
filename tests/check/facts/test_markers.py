"""Markers that stand in many rows."""

import json
from pathlib import Path

import pytest

from conftest import MakeModel
from pretune.check.facts import Facts
from pretune.check.facts.markers import Marker
from pretune.check.finding import Unavailable
from pretune.check.sources.setup import Data, Setup


def markers(folder: Path, *texts: str, **said: tuple[str, ...]) -> tuple[Marker, ...]:
    """The markers of a text classification file."""
    path = folder / "train.jsonl"
    path.write_text("".join(json.dumps({"text": text, "label": 0}) + "\n" for text in texts), "utf-8")
    return Facts(Setup(model=str(folder), data=Data(train=(str(path),)), **said)).markers.markers


def test_frequent(make_model: MakeModel) -> None:
    """In a tenth of the rows or more, in ten at least, with its pieces and its first place."""
    folder = make_model()
    texts = ["한국"] * 80 + ["[E1] 한국 <|im_start|>"] * 20
    found = markers(folder, *texts)
    assert [(marker.text, marker.share) for marker in found] == [("[E1]", 0.2), ("<|im_start|>", 0.2)]
    assert found[0].where.endswith("train.jsonl:81")
    assert len(found[0].tokens) > 1
    assert markers(folder, *["[E1]"] * 9) == ()
    assert markers(folder, *["[E1]"] * 10, *["한국"] * 91) == ()


def test_known_ones_are_whole(make_model: MakeModel) -> None:
    """What the setup adds, and what is a special token already, is one token."""
    found = markers(make_model(), *["[E1] [SEP] <e2>"] * 10, add_tokens=("<e2>",), add_special_tokens=("[E1]",))
    assert {marker.text: len(marker.tokens) for marker in found} == {"[E1]": 1, "[SEP]": 1, "<e2>": 1}


def test_markup_is_none(make_model: MakeModel) -> None:
    """HTML elements are no markers, nor are words in brackets and single letters in angles of other kinds."""
    assert markers(make_model(), *["<br> <B>x</B> [한국] [x] < e > <한국>"] * 10) == ()


def test_no_rows(make_model: MakeModel) -> None:
    """Without data there are none to look for."""
    with pytest.raises(Unavailable, match="no data"):
        Facts(Setup(model=str(make_model()))).markers.split  # noqa: B018
