"""A corpus that several machines read is the corpus that one read, bit for bit; damaged parts are named."""

import json
from dataclasses import asdict

import pytest

from corpus.hostile import texts
from corpus.made_tokenizers import made
from pretune.core.errors import UserError
from pretune.corpus import blocks
from pretune.corpus.corpus_tally import CorpusTally
from pretune.corpus.inputs import expand
from pretune.corpus.parts import Part, in_order, part_bytes, read_parts, restore, write_part
from pretune.corpus.profile import corpus_figures, tokenizer_figures, words_of
from pretune.corpus.scan import FileTally, Scan, Shard, ToRead, scan
from pretune.corpus.tokenizer_tally import TokenizerTally

NAMED = [(name, made()[name]) for name in ("wordpiece", "gpt2", "llama2")]


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """Two files, each of several blocks."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 16_000)
    files = []
    for at in range(2):
        path = tmp_path / f"{at}.jsonl"
        rows = [json.dumps({"text": text}) for text in texts(150, seed=at)]
        rows[7] = "{broken"
        path.write_text("\n".join(rows), encoding="utf-8")
        files.append(path)
    read = blocks.read_blocks
    monkeypatch.setattr("pretune.corpus.scan.read_blocks", lambda *a, **k: read(*a, **k, block_bytes=16_000))
    return [ToRead(one, "train", "text", {"text": "text"}) for one in expand(files)]


def figures(found):
    """All figures of a pass."""
    words = words_of(found.corpus)
    return [asdict(corpus_figures(found.corpus))] + [
        asdict(tokenizer_figures(tally, found.corpus, words)) for tally in found.tokenizers
    ]


def part(corpus, at, of, about="same"):
    """One machine's part, as bytes."""
    shard = Shard(at, of)
    found, _ = scan(corpus, NAMED, shard=shard)
    return part_bytes(found, shard, about={"about": about}, viewer={})


@pytest.mark.parametrize("of", [1, 2, 7])
def test_parts_put_together_are_one_pass(corpus, of):
    """One, two and seven machines, merged in another order than they were dealt."""
    whole, _ = scan(corpus, NAMED)
    assert sum(file.rows for file in whole.files) == 298
    parts = in_order([Part(f"part{at}", part(corpus, at, of)) for at in range(of, 0, -1)])
    found = Scan([FileTally() for _ in corpus], CorpusTally(), [TokenizerTally(*one) for one in NAMED])
    restore(found, parts)
    assert figures(found) == figures(whole)
    assert [(file.rows, file.broken, file.broken_at) for file in found.files] == [
        (file.rows, file.broken, file.broken_at) for file in whole.files
    ]
    assert [file.broken_at[0][1] for file in found.files] == [f"{one.input.label}:8" for one in corpus]


def test_equal_passes_give_equal_bytes(corpus):
    """A part depends on nothing but the data."""
    assert part(corpus, 1, 3) == part(corpus, 1, 3)


def test_missing_foreign_and_damaged_parts_are_named(corpus, tmp_path):
    """What is wrong with parts is one line each."""
    names = [str(tmp_path / f"part{at}") for at in (1, 2)]
    for at, name in enumerate(names, 1):
        write_part(name, part(corpus, at, 3))
    with pytest.raises(UserError, match="1 of 3 shards are missing: 3/3"):
        read_parts(names)
    with pytest.raises(UserError, match="are both shard 1/3"):
        read_parts([names[0], names[0]])
    write_part(tmp_path / "other", part(corpus, 3, 3, about="another"))
    with pytest.raises(UserError, match="parts of different checks"):
        read_parts([*names, tmp_path / "other"])
    (tmp_path / "cut").write_bytes((tmp_path / "part1").read_bytes()[:-30])
    with pytest.raises(UserError, match="no part of a check"):
        read_parts([tmp_path / "cut"])
    (tmp_path / "text").write_text("hello")
    with pytest.raises(UserError, match="no part of a check"):
        read_parts([tmp_path / "text"])
    with pytest.raises(UserError, match="cannot be read: No such file"):
        read_parts([tmp_path / "none"])


def test_a_pass_that_is_asked_to_stop_says_so(corpus):
    """What was read until then is there."""
    seen = []
    found, _ = scan(corpus, NAMED, progress=seen.append, stop=lambda: len(seen) == 2)
    assert found.stopped
    assert 0 < found.corpus.counts["rows"] < 298
    assert sum(seen) == sum(file.read for file in found.files)


def test_a_wrong_engine_is_found_out_and_left(corpus, monkeypatch):
    """An engine that errs on long words only is not believed; the figures are right."""
    from pretune.corpus import encoders

    right = encoders._gigatoken

    def wrong(text):
        engine = right(text)

        def encode(units):
            ids, lengths = engine(units)
            if len(units) > 60 and len(ids):
                ids[-1] += 1
            return ids, lengths

        return encode

    pytest.importorskip("gigatoken")
    expected, _ = scan(corpus, NAMED[1:2], fast=False)
    monkeypatch.setenv("PRETUNE_NO_KERNEL", "1")
    monkeypatch.setattr(encoders, "_gigatoken", wrong)
    monkeypatch.setattr(encoders, "COMPARED", 1)
    found, _ = scan(corpus, NAMED[1:2])
    assert found.tokenizers[0].units.engine == ""
    assert figures(found) == figures(expected)


def test_the_rows_of_no_file_are_none():
    """No file, no figure, no error."""
    found, _ = scan([], NAMED)
    assert figures(found)[0]["rows"] == 0
    assert figures(found)[1]["tokens"] == 0
