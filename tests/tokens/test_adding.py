"""A model with tokens added: the folder that is written, judged by transformers."""

import json
import shutil

import pytest

from pretune.artifacts.folder import FolderSource
from pretune.core.errors import UserError
from pretune.draw.terminal import text
from pretune.tokens.adding import plan, suggested
from pretune.tokens.show import suggestion_tables
from pretune.tokens.tables import find_tables
from pretune.tokens.write_weights import read_rows
from tokens.placed import encoder_of, folder

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

WORDS = ("hospitalization", "국회의원", "quickfox")


def bert(path, *, rows=None, head=True, name="wordpiece"):
    """A tiny BERT with a made tokenizer."""
    folder(path, name)
    size = json.loads((path / "tokenizer.json").read_text(encoding="utf-8"))
    count = len(size["model"]["vocab"])
    config = transformers.BertConfig(
        vocab_size=rows or count,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    torch.manual_seed(0)
    model = (transformers.BertForMaskedLM if head else transformers.BertModel)(config)
    if head:
        with torch.no_grad():
            model.cls.predictions.bias.normal_(-3.0, 0.5)
    model.save_pretrained(path)
    return path


def test_new_rows_when_there_is_no_slot(tmp_path):
    """The table grows by what is needed; config, head and bias with it; all old rows are bit for bit what they were."""
    source = bert(tmp_path / "m")
    adding = plan(source, WORDS, special=["<ent>"])
    assert adding.plan.resizes
    applied = adding.apply(tmp_path / "out")
    assert "model.safetensors" in applied.changed
    old, new = (transformers.BertForMaskedLM.from_pretrained(path) for path in (source, tmp_path / "out"))
    rows = old.config.vocab_size
    assert new.config.vocab_size == rows + len(adding.plan.added)
    assert torch.equal(new.bert.embeddings.word_embeddings.weight[:rows], old.bert.embeddings.word_embeddings.weight)
    assert torch.equal(new.cls.predictions.bias[:rows], old.cls.predictions.bias)
    assert (new.cls.predictions.bias[rows:] < -2).all()
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "out")
    for word in WORDS:
        at = tokenizer(word, add_special_tokens=False)["input_ids"]
        assert len(at) == 1
        assert tokenizer.convert_tokens_to_ids(tokenizer.tokenize(word)) == at
    assert len(tokenizer("<ent>", add_special_tokens=False)["input_ids"]) == 1
    assert len(tokenizer) <= new.config.vocab_size


def test_a_row_begins_as_the_mean_of_its_pieces(tmp_path):
    """With `mean`, the default; a longer row counts for more."""
    source = bert(tmp_path / "m")
    adding = plan(source, ["hospitalization"])
    adding.apply(tmp_path / "out")
    entry = adding.plan.added[0]
    assert len(entry.pieces) > 1
    name = "bert.embeddings.word_embeddings.weight"
    pieces = read_rows(find_tables(FolderSource("m", source)), name, entry.pieces)
    row = read_rows(find_tables(FolderSource("out", tmp_path / "out")), name, [entry.id])
    lengths = (pieces**2).sum(1, keepdims=True) ** 0.5
    assert row[0] == pytest.approx((pieces * lengths).sum(0) / lengths.sum(), abs=1e-6)


def test_slots_in_a_padded_table_are_used(tmp_path):
    """Rows that no entry owns take the tokens: nothing is resized, nothing is cut."""
    source = bert(tmp_path / "m", rows=640)
    adding = plan(source, WORDS)
    assert adding.plan.rows == (640, 640)
    assert {entry.slot.kind for entry in adding.plan.added} == {"row"}
    adding.apply(tmp_path / "out")
    assert find_tables(FolderSource("out", tmp_path / "out")).rows == 640
    assert json.loads((tmp_path / "out" / "config.json").read_text())["vocab_size"] == 640


def test_unchanged_text_gives_the_same_output(tmp_path):
    """Bit for bit."""
    source = bert(tmp_path / "m", rows=640)
    plan(source, WORDS).apply(tmp_path / "out")
    found = []
    for path in (source, tmp_path / "out"):
        encoded = transformers.AutoTokenizer.from_pretrained(path)("영화가 정말 재밌어요", return_tensors="pt")
        model = transformers.BertModel.from_pretrained(path).eval()
        with torch.no_grad():
            found.append(model(input_ids=encoded["input_ids"]).last_hidden_state)
    assert torch.equal(*found)


def test_the_same_call_twice_writes_the_same_bytes(tmp_path):
    """The second run replaces the first; every file is what it was."""
    source = bert(tmp_path / "m")
    read = []
    for _ in range(2):
        plan(source, WORDS, special=["<ent>"]).apply(tmp_path / "out")
        read.append({path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()})
    assert read[0] == read[1]


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    """Named in one line, with what to do."""
    source = bert(tmp_path / "m")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="no earlier result"):
        plan(source, WORDS).apply(tmp_path / "out")
    assert (tmp_path / "out" / "thesis.txt").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_the_model_itself_is_not_written(tmp_path):
    """Neither its weights nor its tokenizer, even where the result shares files with it."""
    source = bert(tmp_path / "m")
    before = {path.name: path.read_bytes() for path in source.iterdir()}
    plan(source, WORDS).apply(tmp_path / "out")
    assert {path.name: path.read_bytes() for path in source.iterdir()} == before


def test_a_tokenizer_without_weights(tmp_path):
    """Its files are written; there are no rows to make."""
    source = folder(tmp_path / "t", "gpt2")
    adding = plan(source, ["hospitalization"])
    adding.apply(tmp_path / "out")
    assert len(encoder_of(tmp_path / "out").encode(" hospitalization").ids) == 1


def test_pickled_weights_are_refused(tmp_path):
    """They would have to be executed to be read: the way out is named, and nothing is written."""
    source = bert(tmp_path / "m")
    (source / "model.safetensors").unlink()
    torch.save({}, source / "pytorch_model.bin")
    with pytest.raises(UserError):
        plan(source, WORDS).apply(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_vocabulary_files_stay_in_step(tmp_path):
    """vocab.txt says what tokenizer.json says, and a tokenizer made from it alone finds the words too."""
    source = bert(tmp_path / "m")
    spec = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    tokens = sorted(spec["model"]["vocab"], key=spec["model"]["vocab"].get)
    (source / "vocab.txt").write_text("".join(f"{token}\n" for token in tokens), encoding="utf-8")
    config = {"tokenizer_class": "BertTokenizer", "do_lower_case": False}
    (source / "tokenizer_config.json").write_text(json.dumps(config))
    plan(source, WORDS).apply(tmp_path / "out")
    alone = tmp_path / "alone"
    alone.mkdir()
    for name in ("vocab.txt", "tokenizer_config.json", "config.json"):
        shutil.copy(tmp_path / "out" / name, alone / name)
    one, two = (transformers.AutoTokenizer.from_pretrained(path) for path in (tmp_path / "out", alone))
    text = "국회의원은 quickfox, hospitalization."
    assert one(text)["input_ids"] == two(text)["input_ids"]


@pytest.mark.parametrize("init", ["hf", "random"])
def test_other_beginnings(tmp_path, init):
    """The mean of all rows, or noise; the same each time."""
    source = bert(tmp_path / "m")
    rows = []
    for out in ("a", "b"):
        adding = plan(source, WORDS, init=init)
        adding.apply(tmp_path / out)
        tables = find_tables(FolderSource(out, tmp_path / out))
        rows.append(read_rows(tables, tables.input.name, [entry.id for entry in adding.plan.added]))
    assert (rows[0] == rows[1]).all()
    with pytest.raises(UserError, match='"maen"'):
        plan(source, WORDS, init="maen")


def test_in_place(tmp_path):
    """Slots are taken where the model lies: its other files stay, hidden ones too; a second call changes nothing."""
    source = bert(tmp_path / "m", rows=640)
    (source / ".gitattributes").write_text("*.safetensors filter=lfs")
    before = (source / "model.safetensors").read_bytes()
    adding = plan(source, WORDS)
    applied = adding.apply(source)
    assert "model.safetensors" in applied.changed
    assert (source / ".gitattributes").exists()
    after = (source / "model.safetensors").read_bytes()
    assert len(after) == len(before)
    assert after != before
    assert (source / "model.safetensors").stat().st_nlink == 1
    tokenizer = transformers.AutoTokenizer.from_pretrained(source)
    assert all(len(tokenizer(word, add_special_tokens=False)["input_ids"]) == 1 for word in WORDS)
    assert plan(source, WORDS).plan.added == ()
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_in_place_needs_slots(tmp_path):
    """A table is not made longer in place; nothing is touched."""
    source = bert(tmp_path / "m")
    before = {path.name: path.read_bytes() for path in source.iterdir()}
    with pytest.raises(UserError, match="in place"):
        plan(source, WORDS).apply(source)
    assert {path.name: path.read_bytes() for path in source.iterdir()} == before


def test_a_crash_in_the_middle_of_in_place_leaves_the_model(tmp_path, monkeypatch):
    """Rows are written first: until the folder is exchanged, tokenizer and outputs are what they were."""
    from pretune.tokens import adding as module

    source = bert(tmp_path / "m", rows=640)
    files = {path.name: path.read_bytes() for path in source.iterdir() if path.name != "model.safetensors"}

    def crash(*_):
        raise RuntimeError("power")

    monkeypatch.setattr(module.Adding, "_files", crash)
    with pytest.raises(RuntimeError, match="power"):
        plan(source, WORDS).apply(source)
    assert {path.name: path.read_bytes() for path in source.iterdir() if path.name != "model.safetensors"} == files
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_one_word_is_no_list_of_letters(tmp_path):
    """In Python a word or a special token, may stand alone; what is no text is told in one line."""
    from pretune import tokens

    source = folder(tmp_path / "m", "wordpiece")
    made = tokens.plan(source, "국회의원", special="<ent>").plan
    assert sorted(entry.word for entry in made.added) == ["<ent>", "국회의원"]
    with pytest.raises(UserError, match="a word to add is a int, expected a string"):
        tokens.plan(source, ["국회", 3])


def test_a_plan_shows_itself(tmp_path):
    """A line at a prompt, the command's table in print and in a notebook."""
    adding = plan(bert(tmp_path / "m"), WORDS)
    assert repr(adding).startswith("Adding(")
    assert "\n" not in repr(adding)
    for shown in (str(adding), adding._repr_html_()):
        assert all(word in shown for word in WORDS)
        assert "the embedding grows from" in shown
    assert "no token is to be added" in repr(plan(tmp_path / "m", []))


def test_rows_in_memory_are_data(tmp_path):
    """A list of mappings is one corpus; a list of files, of frames, of rows is several."""
    source = bert(tmp_path / "m")
    rows = [{"text": f"{WORDS[0]} {WORDS[0]}"}] * 20
    (tmp_path / "a.txt").write_text(f"{WORDS[0]} {WORDS[0]}\n" * 20, encoding="utf-8")
    of_file = suggested(source, tmp_path / "a.txt")
    assert of_file.words[0].word == WORDS[0]
    assert suggested(source, rows) == of_file
    assert suggested(source, [rows, rows]).words[0].count == 2 * of_file.words[0].count
    assert plan(source, WORDS, data=rows).plan.tokens == plan(source, WORDS, data=str(tmp_path / "a.txt")).plan.tokens
    assert str(of_file) == text(*suggestion_tables(of_file, "the model"))
