"""What commands print, as it is met: in a terminal of 80 columns nothing is wider, in a pipe nothing moves a cursor."""

import re
from pathlib import Path

import pytest

from conftest import MakeModel
from pretune import cli
from pretune.draw.terminal import width_of

SCRIPT = """\
from transformers import AutoModel, TrainingArguments
model = AutoModel.from_pretrained("model")
args = TrainingArguments(output_dir="out", learning_rate=3, evaluation_strategy="epoch", load_best_model_at_end=True)
"""
COMMANDS = (
    "check model",
    "check train.py",
    "check model --task text-classification --train data.tsv",
    "check --explain VOC002",
    "check --explain VOC",
    "check --list",
    "tokens spare model",
    "tokens suggest model --data words.txt",
    "tokens add model 대한민국만세 preposterous --special [Q] --dry-run",
    "tokens verify model",
)


@pytest.fixture
def here(tmp_path: Path, make_model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a model, rows, a text and a script, each with something to say about."""
    make_model(config={"pad_token_id": 3, "architectures": ["BertForQuestionAnswering"]})
    (tmp_path / "train.py").write_text(SCRIPT, encoding="utf-8")
    rows = "".join(f"{'한국어 모델을 질문합니다 ' * 9}{place}\t{place % 2}\n" for place in range(20))
    (tmp_path / "data.tsv").write_text(f"text\tlabel\n{rows}\t1\n", encoding="utf-8")
    (tmp_path / "words.txt").write_text("preposterous 대한민국만세\n" * 30, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm-256color")


def printed(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Both streams of a command, which may find faults but must not break off."""
    with pytest.raises(SystemExit) as end:
        cli.main(command.split())
    out, err = capsys.readouterr()
    assert end.value.code in (0, 1, None), err
    return out + err


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_printed_fits(
    command: str, lang: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe and a terminal with NO_COLOR get no colours; what is wider than a terminal is one word that cannot break."""
    monkeypatch.setenv("PRETUNE_LANG", lang)
    piped = printed(command, capsys)
    assert piped.strip()
    assert "\x1b" not in piped
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", printed(command, capsys))
    assert "\x1b" not in shown
    assert [line for line in shown.split("\n") if width_of(line.rstrip()) > 80 and " " in line.strip()] == []
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[(?:[\d;]*;)?(?:3[0-8]|4[0-8]|9\d)(?:;[\d;]*)?m", printed(command, capsys))
