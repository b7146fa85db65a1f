"""The project's settings: where they are found, what they may say, and what each mistake says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pretune.check.config import Settings, find_settings
from pretune.check.finding import Level, Problem, rule
from pretune.core.errors import UserError


@rule("VOC001", Level.ERROR)
def ids_outside_embedding(setup: object) -> Iterator[Problem]:
    """Ids stand outside the embedding."""
    yield from ()


RULES = (ids_outside_embedding,)


def test_nowhere(tmp_path: Path) -> None:
    """Without any file there are no settings."""
    assert find_settings(tmp_path, RULES) == Settings()


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    """select, ignore, fail-on and allow, from pyproject.toml of a folder above."""
    text = """[tool.pretune]
    select = ["VOC", "ids-outside-embedding"]
    ignore = ["VOC001"]
    fail-on = "never"
    allow.ids-outside-embedding = "이유"
    """
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    (tmp_path / "a" / "b").mkdir(parents=True)
    settings = find_settings(tmp_path / "a" / "b", RULES)
    assert settings.select == ("VOC", "ids-outside-embedding")
    assert settings.ignore == ("VOC001",)
    assert settings.fail_on == "never"
    assert settings.allow == {"ids-outside-embedding": "이유"}
    assert settings.file == str(tmp_path / "pyproject.toml")


def test_the_nearest_wins(tmp_path: Path) -> None:
    """pretune.toml wins over pyproject.toml beside it; a pyproject.toml that says nothing of pretune is passed over."""
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "pretune.toml").write_text('fail-on = "note"')
    (inner / "pyproject.toml").write_text('[project]\nname = "pretune-user"')
    assert find_settings(inner, RULES).fail_on == "note"
    (inner / "pyproject.toml").write_text('[tool.pretune]\nfail-on = "warning"')
    assert find_settings(inner, RULES).fail_on == "warning"
    (inner / "pretune.toml").write_text("")
    assert find_settings(inner, RULES) == Settings(file=str(inner / "pretune.toml"))


def test_somebody_elses_broken_pyproject(tmp_path: Path) -> None:
    """A pyproject.toml that is not TOML is its own tools' business."""
    (tmp_path / "pyproject.toml").write_text("[tool.pretune")
    (tmp_path / "pretune.toml").mkdir()
    assert find_settings(tmp_path, RULES).file == ""


def test_rule_crashed_can_be_allowed(tmp_path: Path) -> None:
    """The engine's own finding about a crashed rule can be allowed by name."""
    (tmp_path / "pretune.toml").write_text('allow.rule-crashed = "reported"')
    assert find_settings(tmp_path, RULES).allow == {"rule-crashed": "reported"}


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('selct = ["VOC"]', 'unknown key "selct"', 'did you mean "select"?'),
        ('fail_on = "note"', 'unknown key "fail_on"', 'did you mean "fail-on"?'),
        ('fail-on = "fatal"', "fail-on is 'fatal'", "one of: error, warning, note, never"),
        ("fail-on = [1]", "fail-on is [1]", "one of"),
        ('select = "VOC"', "select must be a list", ""),
        ("ignore = [1]", "ignore must be a list", ""),
        ('select = ["VOX"]', 'no rule is called "VOX"', ""),
        ('allow.ids-outside-embeding = "x"', "no rule is called", 'did you mean "ids-outside-embedding"?'),
        ('allow.ids-outside-embedding = " "', "allow.ids-outside-embedding needs a reason", "why it is fine here"),
        ("allow.ids-outside-embedding = true", "needs a reason", ""),
        ('allow.VOC = "x"', "allow.VOC is not a rule's name", "allow.ids-outside-embedding"),
        ('allow = ["x"]', "allow must be a table", ""),
        ("select = [", "is not TOML", ""),
    ],
)
def test_mistakes(tmp_path: Path, text: str, message: str, hint: str) -> None:
    """Each mistake is one line that names the file, with the way out."""
    (tmp_path / "pretune.toml").write_text(text)
    with pytest.raises(UserError) as error:
        find_settings(tmp_path, RULES)
    assert message in error.value.message
    assert hint in error.value.hint
    assert "pretune.toml" in error.value.message
