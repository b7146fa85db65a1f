"""What is read from a tokenizer folder: vocabulary, ids, tokens, limits; and that nothing malformed gets through."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import MakeModel
from pretune.artifacts.pipeline import as_class, as_file
from pretune.artifacts.tokenizer import NO_LIMIT
from pretune.core.errors import UserError
from small_model import write_model
from tokenizer_samples import COUNT, HOLED, TEXTS, WORDS, one_sentence, read, spec

NEEDS = "compares with what the installed transformers makes of the same folder"
UNDECLARED: dict[str, Any] = {"tokenizer_config": {"tokenizer_class": ...}, "config": {"tokenizer_class": ...}}


def test_t30_loses_every_word(make_model: MakeModel) -> None:
    """A WordPiece vocabulary read as byte-level BPE keeps punctuation alone (research T30)."""
    folder = make_model("roberta", weights=False, **UNDECLARED)
    tokens = as_class(read(folder)).encode(TEXTS[0]).tokens
    assert tokens[0] == "[CLS]"
    assert not any("한" in token for token in tokens)
    assert "한국어" in as_file(read(folder)).encode(TEXTS[0]).tokens


def test_t30_without_tokenizer_json(make_model: MakeModel) -> None:
    """The class that finds none of its files starts from five tokens; the folder's vocabulary is not read."""
    folder = make_model("roberta", weights=False, tokenizer_json=None, **UNDECLARED)
    tokenizer = read(folder)
    assert not tokenizer.reads_vocabulary
    assert as_class(tokenizer).get_vocab_size() == 5
    transformers = pytest.importorskip("transformers", reason=NEEDS)
    assert len(transformers.AutoTokenizer.from_pretrained(str(folder))) == 5


def test_added_id_of_another_token(make_model: MakeModel) -> None:
    """In a vocabulary with holes a new token gets the id of an old one: the count, not the largest id, goes on."""
    tokenizer = read(make_model(tokenizer_json=spec(HOLED), weights=False), additional_special_tokens=["<ent>"])
    assert tokenizer.ids["<ent>"] == len(HOLED) == tokenizer.ids[WORDS[len(HOLED)]]
    assert tokenizer.vocabulary.holes == COUNT - len(HOLED)


def test_properties(make_model: MakeModel) -> None:
    """Size, largest id, roles and chat template are read from the files."""
    template = [{"name": "rag", "template": "r"}, {"name": "default", "template": "d"}]
    tokenizer = read(make_model(tokenizer_config={"chat_template": template}, weights=False))
    assert (tokenizer.size, tokenizer.largest_id) == (len(set(WORDS)), COUNT - 1)
    assert tokenizer.id_of("cls_token") == 2
    assert tokenizer.id_of("bos_token") is None
    assert tokenizer.tokens[4] == "[MASK]"
    assert tokenizer.chat_template == "d"
    assert not tokenizer.byte_level
    assert not tokenizer.byte_fallback
    assert [other.file for other in tokenizer.other_vocabularies] == ["vocab.txt"]


def test_chat_template_file_first(make_model: MakeModel) -> None:
    """chat_template.jinja wins over the key of tokenizer_config.json."""
    folder = make_model(tokenizer_config={"chat_template": "old"}, files={"chat_template.jinja": "new"}, weights=False)
    assert read(folder).chat_template == "new"


@pytest.mark.parametrize("value", [0, -1, None, "512", True, 1e30, float("inf"), float("nan")])
def test_no_limit(make_model: MakeModel, value: Any) -> None:
    """What is no usable number is no limit."""
    folder = make_model(weights=False)
    assert read(folder, model_max_length=value).max_length == NO_LIMIT


def test_without_tokenizer(tmp_path: Path) -> None:
    """A folder without vocabulary is one sentence and a way out."""
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(
        UserError, match=r"has no tokenizer: no tokenizer.json, vocab.txt, vocab.json or sent"
    ) as raised:
        read(tmp_path)
    assert "--tokenizer" in raised.value.hint


NAMES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "added_tokens.json")
_JUNK: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**40) | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def _use(folder: Path) -> None:
    """Read, build and use."""
    tokenizer = read(folder)
    for name in ("ids", "largest_id", "max_length", "input_names", "padding_side", "chat_template", "size"):
        getattr(tokenizer, name)
    assert all(other.ids is not None for other in tokenizer.other_vocabularies)
    for make in (as_file, as_class):
        make(tokenizer).encode("한국어 word")


@given(data=st.data())
def test_mutated_values(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Any JSON value in the place of any other is read, or is one sentence."""
    folder = write_model(tmp_path_factory.mktemp("m"), weights=False, files={"added_tokens.json": {"<ent>": COUNT}})
    name = data.draw(st.sampled_from([name for name in NAMES if name.endswith(".json")]))
    value = json.loads((folder / name).read_text("utf-8"))
    at = value
    for _ in range(data.draw(st.integers(0, 4))):
        keys = list(at) if isinstance(at, dict) else list(range(len(at))) if isinstance(at, list) else []
        if not keys:
            break
        key = data.draw(st.sampled_from(keys[:40]))
        if not isinstance(at[key], dict | list) or data.draw(st.booleans()):
            at[key] = data.draw(_JUNK)
            break
        at = at[key]
    (folder / name).write_text(json.dumps(value), "utf-8")
    one_sentence(_use, folder)


@given(seed=st.integers(0, 2**32), name=st.sampled_from(NAMES))
def test_mutated_bytes(seed: int, name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Changed, cut and doubled bytes of any file are read, or are one sentence."""
    folder = write_model(tmp_path_factory.mktemp("m"), weights=False, files={"added_tokens.json": {"<ent>": COUNT}})
    chance = random.Random(seed)
    content = bytearray((folder / name).read_bytes())
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(content) + 1)
        end = at + chance.randint(0, 40)
        content[at:end] = chance.choice(
            [b"", bytes(chance.randrange(256) for _ in range(3)), content[at:end] * 2, b'"', b"{}"]
        )
    (folder / name).write_bytes(bytes(content))
    one_sentence(_use, folder)
