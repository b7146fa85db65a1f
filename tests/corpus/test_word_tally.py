"""Every figure of the words is that of looking at each word by itself; whole and sample say the same of the same text."""

import json
import re
import unicodedata
from collections import Counter
from dataclasses import asdict
from itertools import pairwise

import numpy as np
import pytest

from corpus.hostile import texts
from corpus.made_tokenizers import each, made
from corpus.test_exactness import tally_of
from pretune.artifacts.coverage import is_byte_token, is_jamo, is_syllable
from pretune.check.facts import Facts
from pretune.check.facts.word_sample import WORDS
from pretune.check.sources.setup import Data, Setup
from pretune.corpus.blocks import read_blocks
from pretune.corpus.corpus_tally import CorpusTally
from pretune.corpus.encoders import UnitEncoder
from pretune.corpus.inputs import expand
from pretune.corpus.letters import _continues
from pretune.corpus.parts import Part, in_order, part_bytes, restore
from pretune.corpus.profile import row_lengths, tokenizer_figures, word_figures, words_of
from pretune.corpus.scan import FileTally, Scan, Shard, ToRead, scan
from pretune.corpus.scripts import script_of_word
from pretune.corpus.tokenizer_tally import TokenizerTally
from pretune.corpus.word_tally import WordSums, together

ODD = [
    *(
        "뷁",
        "뷁뷁 a뷁 ☃a a☃ ☃",
        "가" * 101,
        "a" * 101,
        "a" * 100 + " " + "a" * 99 + ",b",
        "漢" * 101,
        "漢字" * 60 + "뷁",
    ),
    *(
        "http://" + "/".join(["abc"] * 60) + "뷁",
        "뷁" * 40 + "," * 80,
        "각" * 60,
        unicodedata.normalize("NFD", "각" * 60),
    ),
    *(
        unicodedata.normalize("NFD", "한국어 영화가 재밌어요 모델을 naïve 쀍"),
        "\ufa0a \u212b 豈",
        "ㅋㅋ 재밌ㅋㅋ \u1112\u1161",
        "▁ ▁▁ a▁ ▁a",
    ),
    *("\x1c a\x1cb \x85 c\x85d \u180e \u200b", "[UNK] a[UNK] <unk> <unk>b", "\ud7a3 \ud7a4 \ud7b0 \ua960가", "İ" * 60),
]


def hostile():
    """Texts, each once."""
    return list(dict.fromkeys([*texts(900, seed=21), *ODD, *(" ".join(ODD[at:]) for at in range(0, len(ODD), 5))]))


def naive(encoder, strings):
    """The figures of WordFigures by looking at each running word, without numpy."""
    units = UnitEncoder(encoder, fast=False)
    model = json.loads(units.whole.to_str())["model"]
    unknown = units.whole.token_to_id(model["unk_token"]) if model.get("unk_token") else model.get("unk_id")
    vocabulary = units.whole.get_vocab()
    names = {at: token for token, at in vocabulary.items()}
    added = {token.content for token in units.whole.get_added_tokens_decoder().values()}
    byte_level = '"ByteLevel"' in units.whole.to_str()

    def ids_of(word):
        return units.inside.encode(" " + word, add_special_tokens=False).ids

    def is_bare(at):
        return names[at] not in added and not names[at].strip("Ġ" if byte_level else "▁ ")

    def lost(character, before):
        inside = before is not None and _continues(ord(before)) and _continues(ord(character))
        if inside and model["type"] == "WordPiece":
            form = units.inside.normalizer.normalize_str(character)
            return any(part.strip() and "##" + part not in vocabulary for part in form)
        return unknown is not None and unknown in ids_of(character)

    def too_long(word):
        if model["type"] != "WordPiece" or len(word) <= 100:
            return False
        form = units.inside.normalizer.normalize_str(word)
        return any(len(run) > 100 for run, _ in units.inside.pre_tokenizer.pre_tokenize_str(form))

    sums, scripts, characters = Counter(), {}, Counter()
    for word, count in Counter(word for text in strings for word in WORDS.findall(text)).items():
        ids = ids_of(word)
        tokens = [names[at] for at in ids if not is_bare(at)]
        hangul = sum(is_syllable(c) or is_jamo(c) for c in word)
        bad = unknown is not None and unknown in ids
        composed = unicodedata.normalize("NFC", word)
        mended = bad and composed != word and unknown not in ids_of(composed)
        values = {
            "words": 1,
            "unknown_words": bad,
            "hangul_words": hangul > 0,
            "hangul_characters": hangul,
            "hangul_pieces": len(tokens) if hangul else 0,
            "jamo_words": any(map(is_syllable, word)) and any(is_jamo(c) for token in tokens for c in token),
            "byte_words": any(map(is_byte_token, tokens)),
            "long_words": bad and too_long(word),
            "mended_words": mended,
        }
        for name, value in values.items():
            sums[name] += int(value) * count
        row = scripts.setdefault(script_of_word(word), [0, 0])
        row[0] += count
        row[1] += count * bad
        if bad:
            befores = [None, *word]
            for character in {c for c, before in zip(word, befores, strict=False) if lost(c, before)}:
                characters[character] += count
    return {**sums, "scripts": {k: tuple(v) for k, v in scripts.items()}, "unknown_characters": dict(characters)}


@pytest.mark.parametrize("name", each())
def test_words_are_counted_as_one_by_one(name):
    """Each field of WordFigures, over hostile words, in one block and in many, with fast engines and without."""
    encoder, strings = made()[name], hostile()
    expected = naive(encoder, strings)
    for blocks, fast in ((1, True), (7, True), (3, False)):
        sums = tally_of(name, encoder, strings, blocks=blocks, fast=fast).words["train"]
        found = asdict(word_figures(sums))
        examples = found.pop("examples")
        assert found == expected
        kinds = {"unknown_words", "jamo_words", "byte_words", "long_words", "mended_words"}
        assert set(examples) == {kind for kind in kinds if expected[kind]}
        for kind, word in examples.items():
            assert naive(encoder, [word])[kind] == 1
    total = naive(made()["wordpiece"], strings)
    assert min(total[kind] for kind in ("unknown_words", "long_words", "mended_words", "hangul_words")) > 0


def test_kinds_that_one_tokenizer_alone_has():
    """The hostile words meet jamo in an uncased WordPiece, and fallback bytes in Llama 2's BPE."""
    assert naive(made()["wordpiece-uncased"], hostile())["jamo_words"] > 20
    assert naive(made()["llama2"], hostile())["byte_words"] > 100


def test_sums_of_splits_merge_and_come_back():
    """Sums merged in any order, written and read again are the sums of the whole; splits stay apart."""
    encoder, strings = made()["wordpiece"], hostile()
    parts = [tally_of("a", encoder, strings[at::3], blocks=2).words["train"] for at in range(3)]
    forth, back = together(parts), together(reversed(parts))
    assert forth.state() == back.state()
    again = WordSums.of_state(json.loads(json.dumps(forth.state())))
    assert json.dumps(again.state()) == json.dumps(forth.state())
    assert word_figures(again) == word_figures(forth)
    assert {**asdict(word_figures(forth)), "examples": {}} == {**naive(encoder, strings), "examples": {}}
    assert word_figures(together([])).words == 0


def folder_of(path, name):
    """A folder with a made tokenizer."""
    path.mkdir()
    described = json.loads(made()[name].to_str())
    (path / "tokenizer.json").write_text(json.dumps(described), "utf-8")
    model = described["model"]
    unknown = model.get("unk_token") or (model["vocab"][model["unk_id"]][0] if "unk_id" in model else None)
    config = {"tokenizer_class": "PreTrainedTokenizerFast", **({"unk_token": unknown} if unknown else {})}
    (path / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    return str(path)


def rows_of(path, rows):
    """A JSON Lines file."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    return str(path)


COUNTED = (
    *("words", "hangul_words", "hangul_pieces", "hangul_characters", "unknown_words", "jamo_words", "byte_words"),
    *("long_words", "mended_words", "scripts", "sampled", "characters", "lost_characters", "part_of_text"),
)


@pytest.mark.parametrize("name", each())
def test_the_whole_says_what_the_sample_says_of_the_same_text(name, tmp_path):
    """Where the sample covers all, both readings agree in both splits; and a larger corpus has no sampled figure."""
    # Llama 2 puts a space behind an added token, where the text goes on
    strings = [text for text in hostile() if name != "llama2" or "<" not in text]
    half = len(strings) // 2
    data = Data(
        train=(rows_of(tmp_path / "a.jsonl", [{"text": text} for text in strings[:half]]),),
        eval=(rows_of(tmp_path / "b.jsonl", [{"text": text} for text in strings[half:]]),),
    )
    setup = Setup(tokenizer=folder_of(tmp_path / "tokenizer", name), task="masked-lm", data=data)
    whole, sample = Facts(setup), Facts(setup)
    sample.reads_all = False
    for (split, all_words), (_, some) in zip(whole.reading.splits, sample.reading.splits, strict=True):
        part = strings[:half] if split == "train" else strings[half:]
        for field in COUNTED:
            assert getattr(all_words, field) == getattr(some, field), (split, field)
        assert not all_words.sampled
        assert all_words.words == naive(made()[name], part)["words"]
        assert set(all_words.examples) == set(some.examples)
    assert "corpus" in whole.__dict__
    assert "corpus" not in sample.__dict__


def test_what_stands_beyond_the_head_is_counted(tmp_path):
    """Unknown words after the first 2,000 rows are in the figures, with an example; its place is the file."""
    rows = [{"text": "영화"}] * 2500 + [{"text": "쀍쀍 영화"}] * 3 + [{"text": "뷁"}]
    path = rows_of(tmp_path / "a.jsonl", rows)
    setup = Setup(tokenizer=folder_of(tmp_path / "t", "wordpiece"), task="masked-lm", data=Data(train=(path,)))
    read = Facts(setup).reading.train
    assert (read.unknown_words, read.sampled, read.part_of_text) == (4, False, True)
    assert read.unknown_characters == {"쀍": 3, "뷁": 1}
    example = read.examples["unknown_words"]
    assert (example.word, example.tokens, example.where) == ("쀍쀍", ("[UNK]",), path)
    few = Facts(setup, sample=2502)
    assert (few.reading.train.unknown_words, few.reading.train.sampled) == (2, True)
    assert few.reading.train.examples["unknown_words"].where == f"{path}:2501"


def test_tokens_that_the_setup_adds_are_known(tmp_path):
    """A word that is added is no unknown one, in the whole and in the sample."""
    path = rows_of(tmp_path / "a.jsonl", [{"text": "쀍쀍 영화"}])
    setup = Setup(
        tokenizer=folder_of(tmp_path / "t", "wordpiece"),
        task="masked-lm",
        data=Data(train=(path,)),
        add_tokens=("쀍쀍",),
    )
    for all_rows in (True, False):
        facts = Facts(setup)
        facts.reads_all = all_rows
        assert facts.reading.train.unknown_words == 0


def test_rows_of_one_text_and_of_two_are_measured_with_their_special_tokens(tmp_path):
    """The exact lengths of rows are those of encoding each with its special tokens; pairs that lack a text among them."""
    strings = [re.sub(r"\s+", " ", text)[:200] for text in texts(60, seed=2)]
    rows = [{"sentence1": a, "sentence2": b} for a, b in pairwise(strings)]
    rows += [{"sentence1": text, "sentence2": None} for text in strings[:9]]
    for at, given in enumerate((rows, [{"text": text} for text in strings])):
        path = rows_of(tmp_path / f"{at}.jsonl", given)
        task = "text-classification" if at else "pair-classification"
        setup = Setup(tokenizer=folder_of(tmp_path / f"t{at}", "wordpiece"), task=task, data=Data(train=(path,)))
        encoder = UnitEncoder(made()["wordpiece"], fast=False).whole
        lists = [[text for text in row.values() if text is not None] for row in given]
        expected = Counter(len(encoder.encode(*texts_).ids) for texts_ in lists)
        facts = Facts(setup)
        assert facts.corpus.rows == expected
        lengths = facts.corpus.profile.tokenizers[0].lengths
        assert sum(lengths["text" if at else "row"].counts.values()) == len(given)
        assert set(lengths) == ({"text"} if at else {"text", "text_pair", "row"})


def test_no_row_has_no_length():
    """A tally that has read nothing has no lengths and no words."""
    tally = tally_of("a", made()["gpt2"], [])
    assert row_lengths(tally) == {}
    assert tally.words == {}
    corpus = CorpusTally()
    assert tokenizer_figures(tally, corpus, words_of(corpus)).words == 0
    assert np.count_nonzero(tally.ids) == 0


def test_machines_count_words_and_rows_as_one_does(tmp_path, monkeypatch):
    """Parts of a training and an evaluation file, merged, have each split's figures, bit for bit."""
    monkeypatch.setattr("pretune.corpus.scan.read_blocks", lambda *a, **k: read_blocks(*a, **k, block_bytes=9_000))
    strings = hostile()
    corpus = []
    for split, part in (("train", strings[:400]), ("eval", strings[400:])):
        path = rows_of(tmp_path / f"{split}.jsonl", [{"text": text} for text in part])
        corpus += [ToRead(one, split, "text", {"text": "text"}) for one in expand([path])]
    named = [(name, made()[name]) for name in ("wordpiece", "llama2")]
    whole, _ = scan(corpus, named)
    parts = []
    for at in (3, 1, 2):
        found, _ = scan(corpus, named, shard=Shard(at, 3))
        parts.append(Part(f"part{at}", part_bytes(found, Shard(at, 3), about={}, viewer={})))
    found = Scan([FileTally() for _ in corpus], CorpusTally(), [TokenizerTally(*one) for one in named])
    restore(found, in_order(parts))
    for one, other in zip(found.tokenizers, whole.tokenizers, strict=True):
        assert set(one.words) == {"train", "eval"}
        assert one.state() == other.state()
        assert row_lengths(one) == row_lengths(other)
        for split, part in (("train", strings[:400]), ("eval", strings[400:])):
            assert word_figures(one.words[split]).words == naive(one.units.whole, part)["words"]
