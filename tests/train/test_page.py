"""The page of a run: curves, figures, findings, errors with their passages; also of runs that broke or were killed."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pretune.core.errors import UserError
from pretune.train import page, page_errors, run_folder
from pretune.train.run import run
from pretune.train.running import Running
from train.tiny_runs import of_sample as recipe


class Closed(HTMLParser):
    """Whether every element is closed in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One more is open."""
        del attrs
        if tag not in ("meta", "wbr", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """The newest is closed."""
        assert self.open.pop() == tag


def text_of(folder: Path) -> str:
    """The page, well-formed, and fetching nothing."""
    text = (folder / page.PAGE).read_text("utf-8")
    parser = Closed()
    parser.feed(text)
    assert parser.open == []
    assert not re.search(r"(?:src|href)=[\"'](?!#)", text)
    return text


def test_a_run_leaves_its_page(tmp_path: Path) -> None:
    """Curves for every figure of the log, dev figures with the loss, recipe, environment, findings, errors."""
    run(recipe(tmp_path, "mrc", training_args={"eval_strategy": "steps", "eval_steps": 1}), force=True)
    text = text_of(tmp_path / "out")
    for word in ("training loss", "dev loss", "learning rate", "gradient norm", "tokens a second", "exact_match"):
        assert word in text, word
    for anchor in ("training", "dev", "errors", "check", "recipe", "environment"):
        assert f'id="{anchor}"' in text
    assert text.count('<svg viewBox="0 0 720') == text.count('<svg viewBox="0 0 340') == 5
    assert '<mark class="good">' in text
    assert "인구는 얼마인가" in text
    metrics = json.loads((tmp_path / "out" / run_folder.METRICS).read_text())
    assert all(one["loss"] > 0 for one in metrics["evaluations"])


def test_a_stopped_run_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page of a run that a signal ended says after which step, and where it was saved."""
    monkeypatch.setattr(Running, "should_stop", lambda self: True)
    with pytest.raises(UserError):
        run(recipe(tmp_path), force=True)
    text = text_of(tmp_path / "out")
    assert "<strong>It was stopped</strong> after step 1 of 2: stopped by" in text
    assert "errors.jsonl" not in text


def test_a_broken_run_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What broke it stands at the head of the page, escaped."""

    def broken(self: Running, model: object) -> dict[str, float]:
        raise RuntimeError("<b>no</b>")

    monkeypatch.setattr(Running, "evaluate", broken)
    with pytest.raises(RuntimeError):
        run(recipe(tmp_path, training_args={"eval_strategy": "steps", "eval_steps": 1}), force=True)
    assert "<strong>It broke</strong> after step 1 of 2: RuntimeError: &lt;b&gt;no&lt;/b&gt;" in text_of(
        tmp_path / "out"
    )


def test_a_forced_run_says_so(tmp_path: Path) -> None:
    """The check's errors stand on the page as cards."""
    run(recipe(tmp_path, training_args={"learning_rate": 5.0}), force=True)
    text = text_of(tmp_path / "out")
    assert "The run was forced past 1 error" in text
    assert '<article class="card bad">' in text


def test_a_folder_that_a_crash_left(tmp_path: Path) -> None:
    """Half a line of the log, numbers that are none, a figure missing: still a page; an empty folder has one as well."""
    page.write_page(tmp_path)
    assert "It has not ended" in text_of(tmp_path)
    row = {"step": 1, "of": 9, "epoch": 0.1, "loss": float("nan"), "learning_rate": 1e-5, "gradient_norm": None}
    row |= {"tokens": 0, "seconds": 0.0}
    more = {**row, "step": 2, "loss": 3.0}
    lines = [json.dumps(row), json.dumps(more), json.dumps({"step": 2, "metrics": {"f1": 3.0}}), '{"step": 3, "lo']
    (tmp_path / run_folder.LOG).write_text("\n".join(lines), "utf-8")
    page.write_page(tmp_path)
    text = text_of(tmp_path)
    assert ": step 2 of 9 is the last known" in text
    assert "no number is known" in text


def test_marks_in_a_passage() -> None:
    """The answer and what was said, also where one lies in the other; nothing where neither is in the passage."""
    row = {
        "context": "a " * 300 + "서울은 수도이다",
        "answers": ["서울"],
        "answer_start": 600,
        "prediction": "서울은 수도",
    }
    runs = page_errors.marked(row)
    assert [(one.text, one.tone) for one in runs[-3:]] == [("서울", "good"), ("은 수도", "bad"), ("이다", "")]
    assert runs[0].text == "… "
    assert len(runs[1].text) == page_errors.AROUND
    assert [one.tone for one in page_errors.marked({"context": "plain", "answers": [], "prediction": "other"})] == [""]
    near = {"context": "x y x", "answers": ["x"], "answer_start": 4, "prediction": "x"}
    assert [one.tone for one in page_errors.marked(near)] == ["", "good"]


def test_a_sample_stands_over_the_whole_list() -> None:
    """At equal distances, the first one among them; all where there are few."""
    rows = [{"id": str(i)} for i in range(100)]
    assert [one["id"] for one in page_errors.sample(rows, 4)] == ["0", "25", "50", "75"]
    assert page_errors.sample(rows[:3], 4) == rows[:3]


def test_a_page_that_cannot_be_written_breaks_nothing(tmp_path: Path) -> None:
    """It is told, and the run's end stays what it was."""
    told: list[str] = []
    (tmp_path / page.PAGE).mkdir()
    with page.paged(tmp_path, told.append, first=True):
        pass
    assert told[0].startswith("report.html could not be written")
    with page.paged(tmp_path / "nowhere", told.append, first=True):
        pass
    with page.paged(tmp_path, told.append, first=False):
        pass
    assert len(told) == 1


def test_errors_are_those_of_the_kept_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without checkpoints the last model is kept, and so are its predictions, though an earlier one did better."""
    import dataclasses

    evaluate, better = Running.evaluate, iter([2.0, 1.0])

    def first_is_best(self: Running, model: object) -> dict[str, float]:
        found = {**evaluate(self, model), self.main: next(better)}
        assert self.scores is not None
        self.scores = dataclasses.replace(self.scores, errors=({"where": f"at {found[self.main]:g}"},))
        return found

    monkeypatch.setattr(Running, "evaluate", first_is_best)
    every = {"eval_strategy": "steps", "eval_steps": 1, "save_strategy": "no"}
    run(recipe(tmp_path, training_args=every), force=True)
    metrics = json.loads((tmp_path / "out" / run_folder.METRICS).read_text())
    assert metrics["model_of_step"] == metrics["predictions_of_step"] == 2
    assert "at 1" in (tmp_path / "out" / run_folder.ERRORS).read_text()
    assert "1 example of the model after step 2" in text_of(tmp_path / "out")
