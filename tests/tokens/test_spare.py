"""Spare slots: the right ones are found, and no text reaches any of them."""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretune.artifacts.named_slots import named_slots
from pretune.artifacts.pipeline import as_class, as_file
from pretune.artifacts.source import FolderSource, locate
from pretune.artifacts.tokenizer import read_tokenizer
from pretune.core.errors import UserError
from pretune.draw.terminal import text
from pretune.tokens.show import slots_tables
from pretune.tokens.slots import Slot
from pretune.tokens.spare import free_slots, spare_slots
from pretune.tokens.tables import find_tables
from pretune.tokens.write_weights import write_rows
from tokens.hostile_text import characters, corpus, entries, noise

EXPECTED = {
    "bert-base-cased": {"named": 101, "unreachable": 198},
    "bert-base-multilingual-cased": {"named": 99, "unreachable": 6924},
    "bert-base-uncased": {"named": 994, "unreachable": 337},
    "exaone4-1.2b": {},  # its [unusedN] are all in the special-token map
    "gpt2": {},
    "kcbert-base": {},
    "klue-bert-base-reconstructed": {"named": 500},
    "klue-roberta-base": {"named": 500},
    "kobert": {},
    "kobert-converted": {},
    "kobigbird": {"named": 498},
    "koelectra-base-v1": {"named": 198},  # of 200 the map names two: [NAME] and [RELIGION]
    "koelectra-base-v3": {"named": 998},
    "kogpt2-base-v2": {"named": 100},
    "kpfbert": {"named": 500},
    "llama2": {},
    "llama3.1": {"named": 251},
    "qwen3": {},
    "roberta-base": {"named": 3},
    "xlm-roberta-base": {"unreachable": 6},
}
QUICK = ("bert-base-uncased", "bert-base-cased", "koelectra-base-v1", "kogpt2-base-v2", "roberta-base", "kpfbert")


def kinds(slots: Iterable[Slot]) -> dict[str, int]:
    """How many slots there are of each kind."""
    return dict(Counter(slot.kind for slot in slots))


def copied(source: Path, target: Path, **changed: Any) -> Path:
    """A copy of a folder that can be written to, with some JSON files changed: name -> keys, None to drop it."""
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    target.chmod(0o755)
    for stem, keys in changed.items():
        path = target / f"{stem}.json"
        if keys is None:
            path.unlink(missing_ok=True)
        else:
            path.write_text(json.dumps((json.loads(path.read_text()) if path.exists() else {}) | keys))
    return target


@pytest.mark.parametrize("name", EXPECTED)
def test_real_tokenizers(shared_assets: Path, name: str) -> None:
    """As many as are known of each published vocabulary, ascending by id, without one that is special."""
    folder = shared_assets / "tokenizers" / name
    slots = spare_slots(folder)
    assert kinds(slots) == EXPECTED[name]
    assert len(named_slots(read_tokenizer(locate(str(folder))), rows=None)) == EXPECTED[name].get("named", 0)
    assert [slot.id for slot in slots] == sorted({slot.id for slot in slots})
    tokenizer = read_tokenizer(FolderSource(name, folder))
    assert not {slot.name for slot in slots} & set(tokenizer.special.values())
    assert all(tokenizer.ids[slot.name] == slot.id for slot in slots if slot.name)


def test_koelectra_as_it_was_made(shared_assets: Path, tmp_path: Path) -> None:
    """Exactly the 200 that were appended to KoELECTRA v1's vocabulary, before two became [NAME] and [RELIGION]."""
    folder = copied(shared_assets / "tokenizers" / "koelectra-base-v1", tmp_path / "m", special_tokens_map=None)
    text = (folder / "vocab.txt").read_text(encoding="utf-8")
    text = text.replace("[NAME]", "[unused0]").replace("[RELIGION]", "[unused1]")
    (folder / "vocab.txt").write_text(text, encoding="utf-8")
    slots = spare_slots(folder)
    assert [slot.id for slot in slots] == list(range(32000, 32200))


@cache
def offered_by(folder: Path) -> tuple[dict[int, str], tuple[str, ...], tuple[Any, ...]]:
    """The slots of a folder, those that their own names reach, and what encodes: the tokenizer in either reading."""
    tokenizer = read_tokenizer(FolderSource("m", folder))
    added = {token.content for token in tokenizer.added}
    offered = {slot.id: slot.name for slot in spare_slots(folder)}
    own = tuple(name for name in offered.values() if name in added)
    return offered, own, (as_class(tokenizer), *([as_file(tokenizer)] if tokenizer.spec else []))


def reached(folder: Path, texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(entry, text) for each offered slot that a text reaches."""
    offered, own, encoders = offered_by(folder)
    lines = iter(texts)
    while batch := list(islice(lines, 4096)):
        batch = [line for line in batch if not (own and any(name in line for name in own))]
        for encoder in encoders:
            for line, encoding in zip(batch, encoder.encode_batch_fast(batch), strict=True):
                for index in offered.keys() & set(encoding.ids):
                    yield offered[index], line


def test_markers_are_left_alone(shared_assets: Path, tmp_path: Path) -> None:
    """What is spelled as a special token may be used by code, though no file names it and no text reaches it."""
    folder = copied(shared_assets / "tokenizers" / "koelectra-base-v1", tmp_path / "m", special_tokens_map=None)
    assert not {"[NAME]", "[RELIGION]"} & {slot.name for slot in spare_slots(folder)}


def test_the_search_finds_what_is_reached(shared_assets: Path) -> None:
    """If a live entry were offered, the searches below would say so."""
    offered, own, encoders = offered_by(shared_assets / "tokenizers" / "bert-base-uncased")
    live = encoders[0].token_to_id("##á") or encoders[0].token_to_id("##ing")
    offered[live] = "live"
    try:
        texts = entries(["##ing"])
        assert next(reached(shared_assets / "tokenizers" / "bert-base-uncased", texts), None) is not None
    finally:
        del offered[live]
    assert own == ()


@pytest.mark.parametrize("name", QUICK)
def test_no_text_reaches_a_slot(shared_assets: Path, name: str) -> None:
    """Neither the slots' own texts in contexts, nor random Unicode, nor a corpus comes to an offered id."""
    folder = shared_assets / "tokenizers" / name
    slots = spare_slots(folder)
    texts = chain(
        entries(slot.name for slot in slots[::3]), noise(1, 1500), corpus(shared_assets / "corpora", 40),
        islice(characters(), 0, None, 60),
    )  # fmt: skip
    assert next(reached(folder, texts), None) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, kinds in EXPECTED.items() if kinds])
def test_no_text_at_all_reaches_a_slot(shared_assets: Path, name: str) -> None:
    """Every single character, every entry in contexts, long noise and the corpora come to no offered id."""
    folder = shared_assets / "tokenizers" / name
    slots = spare_slots(folder)
    vocabulary = read_tokenizer(FolderSource(name, folder)).ids
    texts = chain(
        characters(), entries(slot.name for slot in slots), islice(entries(vocabulary), 0, None, 7),
        noise(2, 60000), corpus(shared_assets / "corpora", 8000),
    )  # fmt: skip
    assert next(reached(folder, texts), None) is None


@given(text=st.text(max_size=80))
def test_no_odd_text_reaches_a_slot(shared_assets: Path, text: str) -> None:
    """Whatever Hypothesis writes."""
    assert next(reached(shared_assets / "tokenizers" / "bert-base-uncased", [text]), None) is None


def test_rows_tell_a_trained_slot(minilm: Path) -> None:
    """In MiniLM somebody trained the row of [unused80]: it is offered by name alone, not when the rows are looked at."""
    by_name, by_row = spare_slots(minilm, check_weights=False), spare_slots(minilm)
    assert kinds(by_name) == {"named": 994, "unreachable": 337}
    assert {slot.name for slot in set(by_name) - set(by_row)} == {"[unused80]"}
    assert set(by_row) <= set(by_name)
    found = free_slots(minilm)
    assert [slot.name for slot in found.trained] == ["[unused80]"]
    told = " ".join(text(slots_tables(found, "m")[0], None).split())
    assert "entries whose name says that they are free 993 [unused0]" in told
    assert "left out: named free, but the row was trained 1 [unused80]" in told
    assert len(named_slots(read_tokenizer(locate(str(minilm))), rows=30522)) == 994  # what `pretune check` counts


def test_rows_that_were_trained_meanwhile(minilm: Path, tmp_path: Path) -> None:
    """A slot whose row was given a word's is a slot no longer."""
    folder = copied(minilm, tmp_path / "m")
    tables = find_tables(folder)
    word = np.frombuffer((folder / "model.safetensors").read_bytes(), np.uint8)
    start = (tables.input.tensor.start or 0) + 2088 * 384 * 4
    write_rows(tables, folder, {tables.input.name: ([7], word[start : start + 384 * 4].reshape(1, -1))})
    assert 7 in {slot.id for slot in spare_slots(folder, check_weights=False)}
    assert 7 not in {slot.id for slot in spare_slots(folder)}


def test_rows_behind_the_last_id(make_model: Callable[..., Path]) -> None:
    """Rows that no id has, and a hole between ids, are slots; the weights say how many rows there are."""
    folder = make_model("bert", sizes={"vocab_size": 200})
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    del tokenizer["model"]["vocab"]["model"]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    lines = (folder / "vocab.txt").read_text().split("\n")
    hole, used = lines.index("model"), len([line for line in lines if line])
    rows = [slot.id for slot in spare_slots(folder) if slot.kind == "row"]
    assert rows == [hole, *range(used, 200)]
    assert all(slot.name == "" for slot in spare_slots(folder) if slot.kind == "row")


def test_without_weights_config_says(make_model: Callable[..., Path]) -> None:
    """Without weights vocab_size counts; ids beyond it are no slots; without either only entries are offered."""
    folder = make_model("bert", weights=False, config={"vocab_size": 400})
    assert max(slot.id for slot in spare_slots(folder)) == 399
    folder = make_model("bert", name="short", weights=False, config={"vocab_size": 9})
    assert max(slot.id for slot in spare_slots(folder)) == 8
    folder = make_model("bert", name="none", weights=False, config={"vocab_size": ...})
    assert kinds(spare_slots(folder))["named"] == 10
    assert "row" not in kinds(spare_slots(folder))


@pytest.mark.parametrize(
    "files",
    [
        {"special_tokens_map.json": {"additional_special_tokens": ["[unused3]"]}},
        {"generation_config.json": {"suppress_tokens": [8]}},
        {"generation_config.json": {"forced_decoder_ids": [[1, 8]]}},
        {"adapter_config.json": {"trainable_token_indices": {"embed_tokens": [8]}}},
        {"chat_template.jinja": "{% for m in messages %}[unused3]{{ m.content }}{% endfor %}"},
    ],
    ids=lambda files: next(iter(files)),
)
def test_named_slots_that_a_file_names(make_model: Callable[..., Path], files: dict[str, Any]) -> None:
    """A slot that the special-token map, a config, an adapter or a template names is taken."""
    assert "[unused3]" in {slot.name for slot in spare_slots(make_model("bert", name="free"))}
    slots = spare_slots(make_model("bert", files=files))
    assert {slot.id for slot in spare_slots(make_model("bert", name="again"))} - {slot.id for slot in slots} == {8}


def test_taken_by_config_and_post_processor(make_model: Callable[..., Path]) -> None:
    """image_token_index and the post-processor's tokens are taken, rows behind the last id too."""
    folder = make_model("bert", sizes={"vocab_size": 200}, config={"image_token_index": 190})
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "[unused4]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"[unused4]": {"id": "[unused4]", "ids": [9], "tokens": ["[unused4]"]}},
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    found = {slot.id for slot in spare_slots(folder)}
    assert not found & {9, 190}
    assert {10, 191} <= found


def test_sentinels_only_by_their_rows(make_model: Callable[..., Path]) -> None:
    """T5's sentinels are trained; they are offered only when their rows are those of slots known to be free."""
    rows = Rows(make_model, "<extra_id_0>")
    assert "<extra_id_0>" not in {slot.name for slot in spare_slots(rows.folder)}
    rows.write(far=())
    assert "<extra_id_0>" in {slot.name for slot in spare_slots(rows.folder)}
    rows.write(far=("<extra_id_0>", "[unused2]"))
    found = {slot.name for slot in spare_slots(rows.folder)}
    assert not found & {"<extra_id_0>", "[unused2]"}
    assert "[unused1]" in found


class Rows:
    """A small model whose free rows lie close together, and apart from the others."""

    def __init__(self, make_model: Callable[..., Path], *more: str) -> None:
        from small_model import words

        self.vocabulary = [*words(), *more]
        self.folder = make_model("bert", vocabulary=self.vocabulary)

    def write(self, far: tuple[str, ...]) -> None:
        """Give the rows their values; those of `far` as if they were trained."""
        chance = np.random.default_rng(0)
        made = chance.normal(size=(len(self.vocabulary), 16)) + 3
        for index, name in enumerate(self.vocabulary):
            if name.startswith(("[unused", "<extra")) and name not in far:
                made[index] = -1 + chance.normal(size=16) * 0.05
        tables = find_tables(self.folder)
        write_rows(tables, self.folder, {tables.input.name: (range(len(made)), made)})


def test_no_tokenizer(tmp_path: Path) -> None:
    """A folder without a tokenizer is the user's mistake, told in a sentence."""
    with pytest.raises(UserError, match="has no tokenizer"):
        spare_slots(tmp_path)
