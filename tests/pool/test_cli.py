"""The command: mistakes are one line before anything long begins; several files stand behind one flag."""

from pathlib import Path

import pytest

from pretune.core.errors import UserError
from pretune.pool.cli import command
from pretune.pool.flags import columns, shapings, spread


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a model's config and two data files, the current one."""
    monkeypatch.chdir(tmp_path)
    Path("model").mkdir()
    Path("model/config.json").write_text("{}", encoding="utf-8")
    Path("full").mkdir()
    Path("full/file").write_text("", encoding="utf-8")
    for name in ("a.tsv", "b.tsv"):
        Path(name).write_text("sentence1\tsentence2\tscore\n", encoding="utf-8")


def mistake(*words: str) -> UserError:
    """What the command says."""
    with pytest.raises(UserError) as caught:
        command.main(list(words), standalone_mode=False)
    return caught.value


def test_several_files_stand_behind_a_flag() -> None:
    """Files follow --data until something else comes; a folder is a model."""
    words = ["--data", "a.tsv", "b.tsv", "model", "--vectors=a.tsv", "--json", "a.tsv"]
    assert spread(words) == ["--data", "a.tsv", "--data", "b.tsv", "model", "--vectors=a.tsv", "--json", "a.tsv"]
    assert mistake("model", "--data", "--html", "x").message == "--data names no file, found --html"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no model is named"),
        (("model",), "no data are named"),
        (("nowhere/", "--data", "a.tsv"), "nowhere"),
        (("model", "--data", "a.tsv", "--choice", "layer 1 mean"), "--save is missing"),
        (("model", "model", "--data", "a.tsv", "--save", "out"), "--save takes one model, found 2"),
        (("model", "--data", "a.tsv", "--json", "-", "--csv", "-"), "cannot both go to stdout"),
        (("model", "--data", "a.tsv", "--html", "no/where.html"), "--html: there is no folder no"),
        (("model", "--data", "a.tsv", "--save", "full"), "is there already"),
        (("model", "--data", "a.tsv", "--save", "model"), "is the model's own folder"),
        (("model", "--data", "a.tsv", "--shape", "whitend"), '--shape: unknown "whitend"'),
        (("model", "--data", "a.tsv", "--column", "score"), '--column: expected ROLE=NAME, found "score"'),
        (("model", "--data", "a.tsv", "--column", "scores=x"), '--column: unknown role "scores"'),
        (("model", "--data", "a.tsv", "--tokens", "many"), '--tokens: expected a number, found "many"'),
    ],
)
def test_a_mistake_in_the_call_is_told_first(words: tuple[str, ...], said: str) -> None:
    """One line with what was found, before any model is loaded."""
    assert said in mistake(*words).message


def test_columns_have_roles() -> None:
    """A column's name may hold anything, an equals sign as well."""
    assert columns(("score=a=b", "text=문장")) == {"score": "a=b", "text": "문장"}


def test_shapings_have_names_and_all() -> None:
    """`all` is both; the American spelling is understood; raw is always there, each once."""
    assert shapings(()) == ("raw",)
    assert shapings(("centered,whitened", "centred")) == ("raw", "centred", "whitened")
    assert shapings(("all",)) == ("raw", "centred", "whitened")
