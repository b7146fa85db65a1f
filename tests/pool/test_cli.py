"""The command: mistakes are one line before anything long begins; several files stand behind one flag."""

import json
from pathlib import Path

import pytest

from pool import made
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
    assert mistake("model", "--data", "--html", "x").message == "--data names no files, found --html"


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


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a random BERT."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("models") / "tiny"
    made.bert().save_pretrained(folder)
    made.tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture
def scored() -> str:
    """Every pair of a few sentences, scored by how many words they share."""
    found = [
        f"{one}\t{other}\t{len(set(one.split()) & set(other.split()))}\n"
        for place, one in enumerate(made.SENTENCES)
        for other in made.SENTENCES[:place]
    ]
    Path("pairs.tsv").write_text("sentence1\tsentence2\tscore\n" + "".join(found), encoding="utf-8")
    return "pairs.tsv"


def ran(*words: str) -> int:
    """The exit code."""
    return int(command.main(list(words), standalone_mode=False) or 0)


def test_everything_that_can_be_asked(tiny: Path, scored: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Two models, every option: the tables, the page, JSON and CSV say the same; data are read once."""
    code = ran(
        *(str(tiny), str(tiny), "--data", scored, "--shape", "all", "--every-mix", "--tokens", "1", "--faults"),
        *("--show-tokens", "the big cat", "--html", "p.html", "--json", "p.json", "--csv", "p.csv", "--sample", "30"),
    )
    out, err = capsys.readouterr()
    assert err == ""
    analyses = json.loads(Path("p.json").read_text("utf-8"))["models"]
    assert code == any(fault["level"] == "error" for one in analyses for fault in one["faults"])
    assert [one["count"] for one in analyses] == [30, 30]
    for word in ("Spearman's rho", "centred", "baselines", "Only 30 pairs", "What each kind of token adds", "big"):
        assert out.count(word) >= 2, word
    assert "Side by side" in out
    page = Path("p.html").read_text("utf-8")
    assert "What mistakes of padding would cost here" in page
    assert analyses[0]["verdict"]["recommended"] in out
    assert len(Path("p.csv").read_text("utf-8").splitlines()) > 2 * 100


def test_json_alone_on_stdout(tiny: Path, scored: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--json -` prints nothing else, so that it can be piped."""
    ran(str(tiny), "--data", scored, "--json", "-")
    assert json.loads(capsys.readouterr().out)["version"] == 1


def test_the_choice_is_saved(tiny: Path, scored: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is recommended, or what is named; what cannot be saved is told, and the page is there all the same."""
    ran(str(tiny), "--data", scored, "--save", "out", "--choice", "layer 1 mean")
    assert "out: layer 1 mean, 1 layer: SentenceTransformer('out')" in capsys.readouterr().err
    assert Path("out/modules.json").is_file()
    said = mistake(str(tiny), "--data", scored, "--save", "new", "--choice", "pooler output", "--html", "p.html")
    assert 'no choice "pooler output" was tried' in said.message
    assert Path("p.html").is_file()
    assert not Path("new").exists()


def test_an_interrupt_ends_it(tiny: Path, scored: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle of the pass: exit code 130, nothing written."""
    from pretune import cli
    from pretune.pool import one_pass

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(one_pass, "encode", interrupted)
    with pytest.raises(SystemExit) as end:
        cli.main(["pool", str(tiny), "--data", scored, "--html", "p.html", "--save", "out"])
    assert end.value.code == 130
    assert not Path("p.html").exists()
    assert not Path("out").exists()
