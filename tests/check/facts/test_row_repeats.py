"""Rows that repeat, by hashes: equal to a plain count where all are kept, bounded and near to it where they are not."""

import random
import unicodedata
from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blocks_made import block_of, parts_of, surveyed
from pretune.check.facts.data import data_facts, plan_of
from pretune.check.facts.label_table import LabelTable
from pretune.check.facts.plan import FilePlan
from pretune.check.facts.repeats import folded_text
from pretune.check.facts.row_hashes import PLAIN, fingerprint, folded_hashes, rests, text_columns
from pretune.check.facts.sieve import Sieve
from pretune.check.facts.survey import Survey
from pretune.check.rules import data_repeats
from pretune.corpus.row import Row
from row_files import setup_of


def plain_characters():
    """The characters of the class, each in its range."""
    text = PLAIN.replace("\\x00", "\x00").replace("\\x7f", "\x7f")
    at = 0
    while at < len(text):
        if text[at + 1 : at + 2] == "-":
            yield from map(chr, range(ord(text[at]), ord(text[at + 2]) + 1))
            at += 3
        else:
            yield text[at]
            at += 1


def test_plain_characters_are_plain():
    """Each stays in NFC, alone and after another one, and folds as it is lowered, in Python and in polars."""
    characters = list(plain_characters())
    assert len(characters) > 30_000
    for char in characters:
        assert char.casefold() == char.lower()
        assert unicodedata.is_normalized("NFC", char)
        assert unicodedata.combining(char) == 0
        assert unicodedata.is_normalized("NFC", "가" + char)
        assert unicodedata.is_normalized("NFC", "e" + char)
    assert pl.Series(characters).str.to_lowercase().to_list() == [char.lower() for char in characters]


def test_white_space_is_pythons():
    """What str.split takes for white space is removed, and nothing else."""
    every = [f"a{chr(code)}b" for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF and chr(code).isspace()]
    hashes, sizes = folded_hashes(pl.Series(every))
    assert hashes.n_unique() == 1
    assert sizes.to_list() == [2] * len(every)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.text(max_size=8) | st.text("aA ẞßÉe\u0301\x1c가\u1100\u1161\u11a8İıσςΣﬀ\u3000", max_size=5), max_size=12
    )
)
def test_folding_is_pythons(texts):
    """Two texts have the same hash when, and only when, Python folds them to the same."""
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    hashes, sizes = folded_hashes(pl.Series(texts, dtype=pl.String))
    folded = [folded_text(text) for text in texts]
    assert sizes.to_list() == list(map(len, folded))
    assert [[one == other for other in folded] for one in folded] == [
        [one == other for other in hashes] for one in hashes.to_list()
    ]


def test_hashes_are_those_of_other_processes():
    """The fingerprint of this polars; where it changes, hashes of other machines are refused, which is right."""
    assert fingerprint() == fingerprint() > 0


@pytest.mark.parametrize(
    "places",
    [
        [],
        ["f:1"],
        ["f:1", "f:2", "f:3"],
        ["f:1", "f:2", "f:4", "f:5", "f:9"],
        ["f:/data/0/paragraphs/0/qas/0", "f:/data/0/paragraphs/0/qas/1", "f:/data/0/paragraphs/1/qas/0"],
        ["f:row 9", "f:row 10", "f:row 11"],
        ["f:/", "f:/x", "f:/01", "f:/02"],
        [f"f:{n + n // 7}" for n in range(100)],
    ],
)
def test_places_are_right(places):
    """Places of lines, of pointers and of anything else, all of them or some rows."""
    rows = [Row({"text": "x"}, place) for place in places]
    block = block_of(rows, FilePlan("f", "jsonl", {"text": "text"}), "text", number=0)
    for step in (1, 2, 3):
        some = pl.Series(range(0, len(places), step), dtype=pl.UInt32)
        assert ["f" + rest for rest in rests(block, some)] == places[::step]


def test_a_regular_block_is_asked_for_two_places():
    """Whatever its size."""
    asked = []
    rows = [Row({"text": "x"}, f"f:{n + 5}") for n in range(1000)]
    block = block_of(rows, FilePlan("f", "jsonl", {"text": "text"}), "text", number=0)
    looked = type(block)(block.label, 0, 1000, 0, block.texts, lambda at: asked.append(at) or rows[at])
    assert rests(looked, pl.Series(range(1000), dtype=pl.UInt32))[-1] == ":1004"
    assert asked == [0, 999]


def test_the_tables_stay_small():
    """Fifty bytes a row, about."""
    rows = [Row({"text": f"글 {n}"}, f"f:{n}") for n in range(2000)]
    columns = text_columns(block_of(rows, FilePlan("f", "jsonl", {"text": "text"}), "text", number=0))
    assert columns.estimated_size() < 2000 * 30


TEXT = st.sampled_from(
    ["a a", "A a", "aa", "b", "b ", "", "가", "\u1100\u1161", "a long text that is no chance at all"]
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(TEXT, st.integers(0, 2)), min_size=1, max_size=40), st.lists(TEXT, min_size=1, max_size=10))
def test_against_a_plain_count(tmp_path_factory, rows, dev):
    """Copies, conflicts and leaks, counted by hand."""
    folder = tmp_path_factory.mktemp("rows")
    setup = setup_of(folder, [{"text": text, "label": n} for text, n in rows], [{"text": t, "label": 0} for t in dev])
    plan = plan_of(setup, sample=1)
    data = data_facts(plan, surveyed(plan, size=3))
    copies = sum(n - 1 for (text, _), n in Counter(rows).items() if len(text) > 15)
    assert len(data.train.hit("copies")) == copies
    labels: dict[str, set[int]] = {}
    for text, label in rows:
        labels.setdefault(folded_text(text), set()).add(label)
    odd = {text for text, seen in labels.items() if text and len(seen) > 1}
    assert data.train.hit("conflicts").total == len(odd)
    assert len(data.train.hit("conflicts")) == sum(folded_text(text) in odd for text, _ in rows)
    known = {folded_text(text) for text, _ in rows}
    leaks = data.eval.hit("leaks")
    assert len(leaks) == sum(bool(text) and folded_text(text) in known for text in dev)
    assert leaks.kinds.get("disguised", 0) == sum(
        bool(text) and folded_text(text) in known and text not in {text for text, _ in rows} for text in dev
    )


def many(count, seed=0):
    """Rows of which one in ten repeats another, and one in ten has another label than its twin."""
    rows = [{"text": f"꽤 길어서 우연히 같을 수 없는 문장 {n}", "label": n % 2} for n in range(count)]
    rows += rows[: count // 10] + [{**row, "label": 1 - row["label"]} for row in rows[-(count // 10) :]]
    random.Random(seed).shuffle(rows)
    return rows


def test_only_so_many_rows_are_kept(tmp_path):
    """A small bound: memory stays below it, figures are near, messages say so, parts merge to the same bytes."""
    rows = many(4000)
    setup = setup_of(tmp_path, rows, rows[:1500])
    plan = plan_of(setup, sample=10)
    survey = surveyed(plan, size=500, most=600)
    table = survey.splits["train"].table.tables["rows"]
    assert 300 < table.table().height <= 600
    assert table.level == 3
    data = data_facts(plan, survey)
    copies, conflicts, leaks = data.train.hit("copies"), data.train.hit("conflicts"), data.eval.hit("leaks")
    assert copies.about
    assert 200 < len(copies) < 800
    assert 400 < len(conflicts) < 1600
    assert 1000 < len(leaks) < 2000
    assert data.train.found(copies).startswith(f"about {len(copies):,} of 4,800 train rows (also ")
    message = next(iter(data_repeats.conflicting_labels.ask(data=data))).message
    assert message.startswith(f"about {conflicts.total:,} texts carry more than one label: about ")
    parts = parts_of(plan, 500)
    random.Random(1).shuffle(parts)
    merged = Survey(plan, most=600)
    for block, name, at in parts:
        one = Survey(plan, most=600)
        one.add(block, name, at)
        merged.merge(one)
    assert merged.dump() == survey.dump()


def test_one_text_again_and_again_beyond_the_bound(tmp_path):
    """The most frequent text is told of although its hash may not be kept, from some rows of all."""
    rows = many(3000)
    for n in range(0, len(rows), 4):
        rows[n] = {"text": "삭제된 댓글입니다.", "label": 0}
    plan = plan_of(setup_of(tmp_path, rows), sample=10)
    data = data_facts(plan, surveyed(plan, size=1000, most=200))
    (problem,) = data_repeats.one_text_again_and_again.ask(data=data)
    assert problem.message.startswith("`삭제된 댓글입니다.` is the text of about ")
    assert 700 < len(data.train.hit("top")) < 1100


def test_all_the_same_text(tmp_path):
    """A text that fills the table alone cannot be thinned out; it is dropped whole rather than memory be broken."""
    rows = [{"text": "하나뿐인 글이라도 자리를 넘칠 수 있다", "label": 0}] * 300
    plan = plan_of(setup_of(tmp_path, rows), sample=1)
    survey = surveyed(plan, size=50, most=100)
    assert survey.splits["train"].table.tables["rows"].table().height <= 100
    assert len(data_facts(plan, survey).train.hit("top")) == 300


def test_a_sieve_keeps_all_copies_or_none():
    """Whatever the order of parts."""
    hashes = [(n * 0x9E3779B97F4A7C15) % 2**64 for n in range(500)] * 3
    rows = pl.DataFrame(
        {"order": range(1500), "h": pl.Series(hashes, dtype=pl.UInt64)}, schema_overrides={"order": pl.UInt64}
    )
    one, other = Sieve("h", most=400), Sieve("h", most=400)
    for at in range(0, 1500, 100):
        one.add(one.passes(rows[at : at + 100]))
        part = Sieve("h", most=400)
        part.add(rows[1400 - at : 1500 - at])
        other.merge(part)
    assert one.dump() == other.dump()
    assert one.table().height <= 400
    assert set(one.table().group_by("h").len()["len"]) == {3}


def test_a_label_table_keeps_so_many():
    """Different labels beyond the bound are thinned out in any order; counts of kinds stay exact."""
    one, parts = LabelTable(most=50), [LabelTable(most=50) for _ in range(4)]
    for n in range(400):
        where = f"f:{n}".__str__
        one.add(f"label {n % 200}", file=0, order=n, where=where)
        parts[n % 4].add(f"label {n % 200}", file=0, order=n, where=where)
    merged = LabelTable(most=50)
    for part in reversed(parts):
        merged.merge(part)
    assert merged.to_json() == one.to_json()
    assert 0 < len(one.seen) <= 50
    assert one.level >= 2
    assert {seen.rows for seen in one.seen.values()} == {2}
    assert one.kinds[0, "str"] == 400
