"""--fix and --diff end to end: the patches of real rules reach the real file, once, and mend what was found."""

import json
import subprocess
import sys
from pathlib import Path


def _pretune(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pretune", "check", *words], capture_output=True, text=True, check=False
    )


def _names(folder: Path) -> set[str]:
    told = json.loads(_pretune(str(folder), "--format", "json").stdout)
    return {finding["name"] for finding in told["findings"]}


def test_a_fix_mends_the_folder_and_a_second_one_changes_nothing(make_model) -> None:
    """A vocab_size against the rows and a number written as text are shown by --diff, mended by --fix, and gone."""
    folder = make_model("bert")
    config = folder / "config.json"
    healthy = json.loads(config.read_text(encoding="utf-8"))
    config.write_text(
        json.dumps({**healthy, "vocab_size": healthy["vocab_size"] - 7, "hidden_dropout_prob": "0.1"}, indent=4) + "\n",
        encoding="utf-8",
    )
    faults = {"vocab-size-against-the-rows", "value-of-the-wrong-type"}
    assert faults <= _names(folder)

    before = config.read_bytes()
    shown = _pretune(str(folder), "--diff")
    assert f'+    "vocab_size": {healthy["vocab_size"]}' in shown.stdout
    assert config.read_bytes() == before

    made = _pretune(str(folder), "--fix")
    assert "fixed " in made.stderr
    assert json.loads(config.read_text(encoding="utf-8")) == {**healthy, "hidden_dropout_prob": 0.1}
    assert not faults & _names(folder)

    once = config.read_bytes()
    assert once.startswith(b'{\n    "')  # the file's own indentation is kept
    assert "nothing to fix" in _pretune(str(folder), "--fix").stderr
    assert config.read_bytes() == once


def test_options_of_the_tokenizer_are_mended(make_model) -> None:
    """Lower-casing on a Hangul vocabulary, left padding and a limit beyond the positions are set right in one go."""
    hangul = [chr(code) for code in range(0xAC00, 0xAC00 + 400)]
    folder = make_model(
        "bert",
        vocabulary=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *hangul],
        tokenizer_json=None,
        tokenizer_config={
            "do_lower_case": True,
            "strip_accents": None,
            "padding_side": "left",
            "model_max_length": 4096,
        },
    )
    faults = {"hangul-taken-apart", "left-padding", "tokenizer-limit-beyond-positions"}
    assert faults <= _names(folder)
    assert _pretune(str(folder), "--fix").returncode == 0
    assert not faults & _names(folder)
    told = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert (told["do_lower_case"], told["strip_accents"], told["padding_side"]) == (False, False, "right")
    assert told["model_max_length"] == 64
