"""The Korean catalogue against the sources: nothing is missing, nothing fuzzy, the terms are the community's."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
GLOSSARY = Path(__file__).with_name("korean_terms.txt")


@pytest.fixture(scope="module")
def messages() -> ModuleType:
    """scripts/messages.py as a module."""
    pytest.importorskip("babel")
    sys.path.insert(0, str(SCRIPTS))
    try:
        spec = importlib.util.spec_from_file_location("messages_script", SCRIPTS / "messages.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(SCRIPTS))
    return module


@pytest.fixture(scope="module")
def said(messages: ModuleType) -> dict[str, str]:
    """Every translation."""
    known: dict[str, str] = messages.translations()
    return known


def test_everything_is_translated(messages: ModuleType) -> None:
    """What the sources say stands in the catalogue, nothing else does, and the compiled one holds the same."""
    assert messages.faults() == []  # scripts/messages.py renews the files; translate what is empty in pretune.po


def test_values_are_kept(said: dict[str, str]) -> None:
    """A translation has the places of its message, and particles behind them in a form the program knows."""
    holes = re.compile(r"\{\d+\}")
    wrong = [
        msgid
        for msgid, text in said.items()
        if set(holes.findall(msgid)) != set(holes.findall(text.replace("!}", "}")))
    ]
    odd = [text for text in said.values() if re.search(r"(를\(을|는\(은|가\(이|와\(과|로\(으로)\)", text)]
    assert (wrong, odd) == ([], [])


def test_terms_are_the_community_s(said: dict[str, str]) -> None:
    """No translation has a word that the glossary names as a wrong one."""
    lines = [line for line in GLOSSARY.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    never = [word for line in lines if "!" in line for word in line.partition("!")[2].split(",")]
    wrong = [(word.strip(), text) for word in never for text in said.values() if word.strip() in text]
    assert wrong == []
