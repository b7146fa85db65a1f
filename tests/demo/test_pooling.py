"""The scene of sentence vectors says what is true of MiniLM and the sample's pairs."""

from pathlib import Path

import pytest

from pretune.demo import models, pooling


def test_the_command_can_be_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pairs lie in the current folder, by the name that the command has."""
    monkeypatch.chdir(tmp_path)
    data = pooling.pairs()
    assert data.is_file()
    assert pooling.command(Path("a model"), data) == "pretune pool 'a model' --data similarity.tsv"


@pytest.mark.slow
def test_the_lesson_is_true(minilm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On both languages sif surely beats the declared mean; on the English half it is a tie, and the mean stays."""
    pytest.importorskip("torch")
    assert minilm.is_dir()
    monkeypatch.chdir(tmp_path)
    model, data = models.minilm(Path()), pooling.pairs()
    both = pooling.pool(model, data).verdict
    header, *rows = data.read_text(encoding="utf-8").splitlines(keepends=True)
    data.write_text("".join([header, *(row for row in rows if row.isascii())]), encoding="utf-8")
    english = pooling.pool(model, data).verdict
    assert both is not None
    assert english is not None
    assert (both.tie, both.choices[both.recommended].pooling) == (False, "sif")
    assert both.gap is not None
    assert both.gap.low > 0
    assert (english.tie, english.choices[english.recommended].name) == (True, "layer 6 mean")
