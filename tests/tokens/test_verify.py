"""Verify says nothing of clean folders, and proves what it says nothing of; its command."""

import json

import pytest

from pretune import cli
from pretune.core.errors import UserError
from pretune.tokens.adding import plan
from pretune.tokens.verify import verify
from tokens.placed import folder
from tokens.test_plan import NAMES

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tokens.verified import bert, edit, loaded, names, saved  # noqa: E402 - needs both

WORDS = ("hospitalization", "학교", "국회의원", "quickfox", "COVID", "재밌어")
ASSETS = (
    "bert-base-cased",
    "bert-base-multilingual-cased",
    "bert-base-uncased",
    "exaone4-1.2b",
    "gpt2",
    "kcbert-base",
    "klue-bert-base-reconstructed",
    "klue-roberta-base",
    "kobert-converted",
    "kobigbird",
    "koelectra-base-v1",
    "koelectra-base-v3",
    "kogpt2-base-v2",
    "kpfbert",
    "llama2",
    "llama3.1",
    "qwen3",
    "roberta-base",
    "xlm-roberta-base",
)

BIG = ("exaone4-1.2b", "llama3.1", "qwen3", "xlm-roberta-base")


def run(*arguments):
    """The exit code of a command line."""
    with pytest.raises(SystemExit) as end:
        cli.main(["tokens", "verify", *map(str, arguments)])
    return end.value.code


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in BIG)) for name in ASSETS])
def test_published_tokenizers_are_clean(shared_assets, name):
    """Nothing above a note."""
    verdict = verify(shared_assets / "tokenizers" / name)
    assert [fault for fault in verdict.faults if fault.level != "note"] == []
    assert verdict.proved


def test_a_published_model_is_clean(minilm):
    """All-MiniLM-L6-v2 by itself and beside itself; that its file pads and cuts is a note."""
    assert {fault.name for fault in verify(minilm).faults} == {"baked-truncation", "baked-padding"}
    beside = verify(minilm, against=minilm)
    assert beside.ok
    assert any("30,522 old rows" in sentence for sentence in beside.proved)


@pytest.mark.parametrize("name", NAMES)
def test_what_pretune_adds_is_proved(tmp_path, name):
    """Words and special tokens in a tokenizer of every family, beside the model and alone."""
    source = folder(tmp_path / "m", name)
    plan(source, WORDS, special=["<ent>"]).apply(tmp_path / "out")
    assert names(tmp_path / "out") == set()
    assert names(tmp_path / "out", source) == set()
    proved = " ".join(verify(tmp_path / "out", against=source).proved)
    assert "recorded words are one token" in proved
    assert "one token still" in proved


@pytest.mark.parametrize("padded", [0, 64])
def test_what_pretune_writes_is_proved(tmp_path, padded):
    """Rows, biases and config, with new rows and with slots, and saved again by transformers."""
    source = bert(tmp_path / "m", padded=padded)
    plan(source, WORDS, special=["<ent>", "<loc>"]).apply(tmp_path / "out")
    verdict = verify(tmp_path / "out", against=source)
    assert [fault for fault in verdict.faults if fault.level != "note"] == []
    assert any("bit for bit" in sentence for sentence in verdict.proved)
    again = saved(tmp_path / "again", *loaded(tmp_path / "out"))
    assert names(again, source) == set()
    assert names(again) == set()


def test_a_folder_without_a_tokenizer(tmp_path):
    """Told in one line, as everywhere."""
    with pytest.raises(UserError, match="no tokenizer"):
        verify(tmp_path)
    with pytest.raises(UserError, match="no folder"):
        verify(tmp_path / "none")


def test_faults_that_the_model_had_are_notes(tmp_path):
    """Adding tokens did not bring them."""
    source = bert(tmp_path / "m")
    edit(source / "config.json", vocab_size=300)
    assert ("size-misstated", 3) in names(source)
    assert ("size-misstated", 3) not in names(source, source)
    assert any(f.name == "size-misstated" and "so it is in" in f.message for f in verify(source, against=source).faults)


def test_the_command(tmp_path, capsys):
    """Exit code 0 and what was proved; 1 and a line a fault; JSON to a file."""
    source = bert(tmp_path / "m")
    assert run(source) == 0
    assert "nothing is wrong" in capsys.readouterr().out
    edit(source / "config.json", vocab_size=300)
    assert run(source, "--against", source, "--format", "json", "-o", tmp_path / "v.json") == 0
    assert run(source) == 1
    out = capsys.readouterr().out
    assert "error: config.json says vocab_size 300" in out
    assert "[size-misstated]" in out
    told = json.loads((tmp_path / "v.json").read_text())
    assert told["ok"] is True
    assert told["faults"][0]["pitfall"] == 3
    assert run(tmp_path / "none") == 2


def test_a_slot_that_was_an_added_token_may_be_given_away(tmp_path):
    """Text that spells the slot's name is then cut: nobody writes it."""
    plain = bert(tmp_path / "plain", words=[f"<unused{number}>" for number in range(4)])
    tokenizer, model = loaded(plain)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<unused0>", "<unused1>"]})
    source = saved(tmp_path / "m", tokenizer, model)
    plan(source, ["quickfox"], special=["<ent>"]).apply(tmp_path / "out")
    assert names(tmp_path / "out", source) == set()


def test_a_form_that_the_vocabulary_had(shared_assets, tmp_path):
    """What stands after a space may be an entry that was there before; only the other form was recorded."""
    plan(shared_assets / "tokenizers" / "gpt2", ["hospitalization", "Korea", "Seoul"]).apply(tmp_path / "out")
    assert names(tmp_path / "out", shared_assets / "tokenizers" / "gpt2") == set()
