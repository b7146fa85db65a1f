"""Trackers: what they are given, at which step, and one that is not there."""

from pathlib import Path
from typing import Any

import pytest
import transformers
from accelerate import tracking
from transformers.integrations import integration_utils

from pretune.core.errors import UserError
from pretune.train import run_folder
from pretune.train.run import run
from pretune.train.trackers import Trackers, require_trackers
from pretune.train.watch import Step
from train import tiny_runs as tiny


class Kept:
    """A tracker of Accelerate's form that keeps what it is given."""

    requires_logging_directory = True
    made: list[Any] = []  # noqa: RUF012

    def __init__(self, name: str, logging_dir: Path) -> None:
        self.name, self.folder = name, logging_dir
        self.rows: list[tuple[int, dict[str, float]]] = []
        self.config: dict[str, Any] = {}
        self.open = False
        Kept.made.append(self)

    def start(self) -> None:
        """Begin."""
        self.open = True

    def store_init_configuration(self, values: dict[str, Any]) -> None:
        """What the run was asked for."""
        self.config = values

    def log(self, values: dict[str, float], step: int) -> None:
        """Numbers of a step."""
        assert self.open
        self.rows.append((step, values))

    def finish(self) -> None:
        """End."""
        self.open = False


def test_losses_and_figures_are_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures from before the first step come at step 0; the tracker is ended, and nothing reaches it afterwards."""
    monkeypatch.setitem(tracking.LOGGER_TYPE_TO_CLASS, "kept", Kept)
    watch = Trackers(["kept"], tmp_path / "run", {"learning_rate": 1.0, "labels": ["a"]})
    watch.evaluated(0, {"f1": 1.0})
    watch.start(10, 0)
    watch.step(Step(1, 10, 0.1, 2.0, 1e-5, 0.5, 100, 2.0))
    watch.evaluated(1, {"f1": 3.0})
    watch.close()
    watch.evaluated(2, {"f1": 4.0})
    (one,) = Kept.made
    assert (one.name, one.folder) == ("run", tmp_path / "run" / "trackers")
    assert one.config == {"learning_rate": 1.0, "labels": "['a']"}
    assert [step for step, _ in one.rows] == [0, 1, 1]
    assert one.rows[1][1]["train/tokens_per_second"] == 50.0
    assert one.rows[2][1] == {"eval/f1": 3.0}
    assert not one.open


def test_a_tracker_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown name, and one that is not installed, are told before the model loads."""
    require_trackers([])
    with pytest.raises(UserError, match='unknown tracker "tensorbord"') as found:
        require_trackers(["tensorbord"])
    assert "tensorboard" in found.value.hint
    monkeypatch.setattr(tracking, "get_available_trackers", list)
    with pytest.raises(UserError, match="wandb is not installed"):
        require_trackers(["wandb"])
    monkeypatch.setattr(tracking, "get_available_trackers", lambda: ["wandb"])
    require_trackers(["wandb"])


def test_files_of_the_trainers_trackers_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They lie in the run's folder as the loop's do, under its name, and go with the run that is begun anew."""

    class Writes(transformers.TrainerCallback):  # type: ignore[misc]
        """Writes where TensorBoard's callback does."""

        def on_train_begin(self, args: Any, _state: Any, _control: Any, **_: Any) -> None:
            """A file below output_dir."""
            Path(args.output_dir, "runs").mkdir(parents=True)
            Path(args.output_dir, "runs", "events").write_text(args.run_name)

    monkeypatch.setitem(integration_utils.INTEGRATION_TO_CALLBACK, "tensorboard", Writes)
    recipe = tiny.of_sample(
        tmp_path, train={"engine": "trainer"}, training_args={"report_to": "tensorboard", "save_strategy": "no"}
    )
    run(recipe, force=True)
    events = tmp_path / "out" / "trackers" / "runs" / "events"
    assert events.read_text() == "out"
    assert not any((tmp_path / "out").glob("checkpoint-*"))
    run_folder.clear(tmp_path / "out")
    assert not events.exists()
